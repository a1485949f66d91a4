"""What must be true: the likeliest futures in which a decision is worth nothing, in the inputs' own units ([17]).

The net present value of each draw is known; a polynomial in the normal scores of the inputs and in discrete events (a launch that happens or does not)
stands in for it between draws, and says itself how well it predicts draws it has not seen. For each outcome of the events, the zero of that polynomial
nearest to the middle is the likeliest way to lose (`keiretsu.numerics.reliability`). Three things keep it honest: the chance read off the distance stands beside
the share of draws that lose, beside a sample around the point, and the point can be simulated again (`simulated_again`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keiretsu.errors import Problem, ValuationError
from keiretsu.numerics.polynomial import FEWEST_RUNS, PolynomialOptions, Surrogate, fit_polynomial
from keiretsu.numerics.reliability import Branch, DesignPoint, Sampled, SearchOptions, by_branch, importance, sample_near
from keiretsu.typing import Matrix, Vector
from keiretsu.valuation.money import NORMAL_95, estimate_where
from keiretsu.valuation.odds import chance_in_words, in_own_unit, listed

SAID = 0.85  # part of the distance that the inputs named in the sentence carry between them
NO_EVENT = "no discrete event"


@dataclass(frozen=True, eq=False)
class Question:
    """A decision and what is uncertain about it.

    Attributes
    ----------
    decision
        What is decided, as the subject of a sentence: "Nissan's EUR 600 million for Ampere".
    npv_eur
        Net present value by draw, EUR at 2023 prices. (N,)
    normals
        Independent standard normals, draw by continuous input. (N, k)
    in_units
        From rows of independent normals to rows of inputs in their own units. (n, k) -> (n, k)
    factor
        Lower triangular: the inputs' normal scores are ``factor @ independent``. (k, k)
    events
        Discrete events, draw by event, 1 where it happens and 0 where it does not; no columns when there are none. (N, e)
    units, words
        Unit of each continuous input; plain name of each input and event.
    """

    decision: str
    npv_eur: Vector
    normals: pd.DataFrame
    in_units: Callable[[Matrix], Matrix]
    factor: Matrix
    events: pd.DataFrame
    units: Mapping[str, str]
    words: Mapping[str, str]


@dataclass(frozen=True)
class MustBeTrueOptions:
    """`least_r2`: a polynomial that explains less of draws it has not seen is refused. `samples` around each point, a power of two."""

    least_r2: float = 0.7
    samples: int = 4096
    polynomial: PolynomialOptions = field(default_factory=PolynomialOptions)
    search: SearchOptions = field(default_factory=SearchOptions)


@dataclass(frozen=True, eq=False)
class MustBeTrue:
    """The likeliest futures in which a decision is worth nothing.

    Attributes
    ----------
    sentence
        For a board.
    table
        One row for each branch and input: ``branch, input, unit, middle, at_point, standard_deviations, importance``, most important first.
    branches
        One row for each branch: ``branch, probability, draws, beta, first_order, near, near_half95, sampled, sampled_half95, status``.
    first_order, near, sampled
        Chance of a net present value below zero: Phi(-beta), by sampling the polynomial near the points, and as the share of draws.
    held_out_r2
        Part of the variance over draws not seen that the polynomial explains.
    points, stand_ins
        Design points by branch, and the polynomial with each branch's events fixed.
    """

    question: Question
    sentence: str
    table: pd.DataFrame
    branches: pd.DataFrame
    first_order: float
    near: Sampled
    sampled: Sampled
    held_out_r2: float
    points: Mapping[str, DesignPoint]
    stand_ins: Mapping[str, StandIn]


def what_must_be_true(question: Question, options: MustBeTrueOptions = MustBeTrueOptions()) -> MustBeTrue:
    """Find the likeliest point at which the decision is worth nothing, in every branch of the events that some draw shows.

    Raises
    ------
    ValuationError
        When draws do not match, are too few, or the polynomial predicts too badly.
    """
    stand_ins, share, labels = _stand_ins(question, options)
    branches = [Branch(name, share[name], one.value_at, one.slope_at) for name, one in stand_ins.items()]
    points, first_order = by_branch(branches, question.normals.shape[1], options.search)
    near = {name: _near(stand_ins[name], points.get(name), question.normals.shape[1], options) for name in stand_ins}
    lines = [_line(name, share[name], labels == name, question, stand_ins[name], points.get(name), near[name]) for name in stand_ins]
    whole_near = Sampled(
        sum(share[name] * one.probability for name, one in near.items()),
        float(np.sqrt(sum((share[name] * one.error) ** 2 for name, one in near.items()))),
        sum(one.samples for one in near.values()),
    )
    sampled = _share_below(question.npv_eur, np.ones(len(question.npv_eur), bool))
    frames = [_point_table(name, question, point) for name, point in points.items()]
    columns = ["branch", "input", "unit", "middle", "at_point", "standard_deviations", "importance"]
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({column: [] for column in columns})
    fit = next(iter(stand_ins.values())).fit
    sentence = _sentence(question, points, share, table, sampled)
    return MustBeTrue(question, sentence, table, pd.DataFrame(lines), first_order, whole_near, sampled, fit.held_out_r2, points, stand_ins)


@dataclass(frozen=True, eq=False)
class StandIn:
    """The polynomial with the events of one branch fixed: a function of the continuous inputs' normals alone."""

    fit: Surrogate
    fixed: Vector

    def value(self, normals: Matrix) -> Vector:
        """At each row. (n,)"""
        rows = np.atleast_2d(np.asarray(normals, float))
        return self.fit.value(np.hstack([rows, np.broadcast_to(self.fixed, (len(rows), self.fixed.size))]))

    def value_at(self, normals: Vector) -> float:
        """At one point."""
        return float(self.value(normals)[0])

    def slope_at(self, normals: Vector) -> Vector:
        """Derivatives at one point. (k,)"""
        return self.fit.gradient(np.append(normals, self.fixed))[: len(normals)]


def simulated_again(found: MustBeTrue, simulate: Callable[[Mapping[str, float], str], float], calls: int = 6) -> pd.DataFrame:
    """Solve the model itself at each point, and move along the ray from the middle until its own zero is met.

    Parameters
    ----------
    simulate
        Net present value (EUR) at inputs in their own units and a branch.
    calls
        Most simulations for each branch, the first at the point.

    Returns
    -------
    DataFrame
        ``branch, npv_at_point_eur, spread_eur, beta, beta_simulated, npv_left_eur, simulations``. `spread_eur` is the standard deviation over draws, to judge
        the rest by; `beta_simulated` is where the ray meets the simulated zero, as near as `npv_left_eur`.
    """
    question, rows = found.question, []
    spread = float(np.std(question.npv_eur))
    for name, point in found.points.items():

        def at(scale: float, point: DesignPoint = point, name: str = name) -> float:
            inputs = question.in_units(scale * point.point[None, :])[0]
            return float(simulate(dict(zip(question.normals.columns, inputs, strict=True)), name))

        slope = float(found.stand_ins[name].slope_at(point.point) @ point.point)
        scale, value = 1.0, at(1.0)
        first, done = value, 1
        while abs(value) > 0.01 * spread and done < calls and slope != 0:
            ahead = float(np.clip(scale - value / slope, scale - 0.5, scale + 0.5))
            there = at(ahead)
            done += 1
            slope = (there - value) / (ahead - scale) if there != value else slope
            scale, value = ahead, there
        rows.append((name, first, spread, point.beta, scale * point.beta, value, done))
    return pd.DataFrame(rows, columns=["branch", "npv_at_point_eur", "spread_eur", "beta", "beta_simulated", "npv_left_eur", "simulations"])


def _stand_ins(question: Question, options: MustBeTrueOptions) -> tuple[dict[str, StandIn], dict[str, float], np.ndarray]:
    """The polynomial with each branch's events fixed, the branches' shares of the draws, and the branch of each draw."""
    npv, normals, events = np.asarray(question.npv_eur, float), question.normals, question.events.to_numpy(float)
    if not len(npv) == len(normals) == len(events):
        seen = f"{len(npv)} values, {len(normals)} rows of inputs, {len(events)} rows of events"
        raise ValuationError(Problem("draws do not match", question.decision, seen, "as many of each"))
    if len(npv) < FEWEST_RUNS:
        raise ValuationError(Problem("too few draws", question.decision, str(len(npv)), f"{FEWEST_RUNS} at least", "use more draws"))
    middle, spread = events.mean(axis=0), events.std(axis=0)
    moved = np.flatnonzero(spread > 0)  # an event that all draws share is no event
    scaled = (events[:, moved] - middle[moved]) / spread[moved]
    k = normals.shape[1]
    fit = fit_polynomial(np.hstack([normals.to_numpy(float), scaled]), npv, options.polynomial, tuple(range(k, k + len(moved))))
    if fit.held_out_r2 < options.least_r2:
        seen = f"a held-out R2 of {fit.held_out_r2:.2f} from {len(npv)} draws"
        raise ValuationError(
            Problem("no polynomial predicts this value well enough", question.decision, seen, f"{options.least_r2:g} or more", "use more draws")
        )
    names = [str(name) for name in question.events.columns[moved]]
    labels = np.array([_label(question, names, row) for row in events[:, moved]], dtype=object)
    first = {name: int(np.flatnonzero(labels == name)[0]) for name in dict.fromkeys(labels)}
    share = {name: float((labels == name).mean()) for name in first}
    ordered = sorted(first, key=lambda name: -share[name])
    return {name: StandIn(fit, scaled[first[name]]) for name in ordered}, share, labels


def _label(question: Question, names: Sequence[str], happens: Vector) -> str:
    return listed([f"{'with' if there else 'without'} {question.words[name]}" for name, there in zip(names, happens, strict=True)]) or NO_EVENT


def _near(one: StandIn, point: DesignPoint | None, dimensions: int, options: MustBeTrueOptions) -> Sampled:
    """Sampling near the point and those other zeros that are as near to within one standard deviation; around the middle when there is no zero."""
    centres = np.zeros((1, dimensions))
    if point is not None:
        others = [other.point for other in point.other if abs(other.beta) < abs(point.beta) + 1.0]
        centres = np.array([point.point if point.beta > 0 else 0 * point.point, *others])
    return sample_near(one.value, centres, options.samples, options.search.seed)


def _share_below(npv: Vector, among: np.ndarray) -> Sampled:
    """Share of losses among some draws; its error is half of a 95 % interval."""
    found = estimate_where((np.asarray(npv) < 0).astype(float), among)
    return Sampled(found.value, found.error, int(among.sum()))


def _line(name: str, share: float, own: np.ndarray, question: Question, one: StandIn, point: DesignPoint | None, near: Sampled) -> dict[str, object]:
    sampled = _share_below(question.npv_eur, own)
    if point is None:
        beta = float("inf") if one.value_at(np.zeros(question.normals.shape[1])) > 0 else float("-inf")
        first, status = (0.0, "never loses") if beta > 0 else (1.0, "always loses")
    else:
        beta, first, status = point.beta, point.probability, "found" if not point.other else f"found, {len(point.other)} further zeros"
    return {
        "branch": name,
        "probability": share,
        "draws": sampled.samples,
        "beta": beta,
        "first_order": first,
        "near": near.probability,
        "near_half95": NORMAL_95 * near.error,
        "sampled": sampled.probability,
        "sampled_half95": sampled.error,
        "status": status,
    }


def _point_table(name: str, question: Question, point: DesignPoint) -> pd.DataFrame:
    both = question.in_units(np.array([np.zeros_like(point.point), point.point]))
    table = pd.DataFrame(
        {
            "branch": name,
            "input": list(question.normals.columns),
            "unit": [question.units[str(column)] for column in question.normals.columns],
            "middle": both[0],
            "at_point": both[1],
            "standard_deviations": np.asarray(question.factor) @ point.point,
            "importance": importance(point, question.factor),
        }
    )
    return table.sort_values("importance", ascending=False, kind="stable", ignore_index=True)


def _sentence(question: Question, points: Mapping[str, DesignPoint], share: Mapping[str, float], table: pd.DataFrame, sampled: Sampled) -> str:
    odds = f"{chance_in_words(sampled.probability, sampled.samples)} of a loss"
    if not points:
        return f"{question.decision}: no future in reach turns the verdict; {odds}."
    # the branch through which most of the loss comes
    name = max(points, key=lambda b: share[b] * points[b].probability)
    parts, carried = [], 0.0
    for row in table[table["branch"] == name].to_dict("records"):
        if carried < SAID:
            there, middle = (in_own_unit(float(row[column]), str(row["unit"])) for column in ("at_point", "middle"))
            parts.append(f"the {question.words[str(row['input'])]} is {there} instead of {middle}")
            carried += float(row["importance"])
    said = listed(parts)
    within = "" if len(share) == 1 else f" ({name})"
    verdict = "is worth nothing" if points[name].beta >= 0 else "starts to pay"
    return f"{question.decision} {verdict} most likely where {said}{within}: {odds}."
