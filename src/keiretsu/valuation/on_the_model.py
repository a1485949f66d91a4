"""What must be true, asked of the model itself: the likeliest future in which a decision is worth nothing ([17]).

Some fifty inputs are uncertain and a run has some tens of draws: too few for any curve fitted to them to be believed. But the model can be asked. Its exact slope in
the middle points to the nearest zero, a handful of true paths lead there, and an exact slope at the zero says whether it is the nearest one
(`keiretsu.numerics.dear_zero`). The draws are used for what they are good for: how likely the other side is. Events (a launch that happens or not) are set
to their likelier outcome; each is turned round once at the point, and its outcomes shift the distance.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd
from scipy.special import ndtr

from keiretsu.errors import Problem, ValuationError
from keiretsu.numerics.dear_zero import DearOptions, DearZero, nearest_zero, on_the_other_side
from keiretsu.numerics.reliability import NoZero
from keiretsu.typing import Matrix, Vector
from keiretsu.valuation.money import Estimate, estimate, plain
from keiretsu.valuation.must_be_true import Question
from keiretsu.valuation.odds import chance_in_words, in_own_unit, listed, percent

MOST_NAMED = 5
SEARCHED = 0.03  # of the spread over draws: what is left of a value at a point that was searched for
WORTH_NAMING = 0.03  # of the distance


class Model(Protocol):
    """The decision's net present value as the model has it (EUR), smooth through zero, at rows of independent normals and outcomes of the events."""

    def value(self, normals: Vector, events: Mapping[str, float]) -> float:
        """At one point."""
        ...

    def slope(self, normals: Vector, events: Mapping[str, float]) -> Vector:
        """Exact derivatives by the normals at one point. (k,)"""
        ...

    def checked(self, normals: Vector, events: Mapping[str, float]) -> float:
        """As `value`, nothing approximated."""
        ...


@dataclass(frozen=True)
class OnTheModelOptions:
    """How much the search may spend; see `DearOptions`."""

    search: DearOptions = field(default_factory=DearOptions)


@dataclass(frozen=True, eq=False)
class OnTheModel:
    """The likeliest future in which a decision is worth nothing. Money is EUR at 2023 prices.

    Attributes
    ----------
    sentence
        For a board.
    table
        ``input, unit, middle, at_point, standard_deviations, importance``, most important first; `importance` is the part of the distance that an input carries.
    events
        ``event, likelier, chance, turned_eur``: what the value becomes at the point when the event turns out otherwise.
    branches
        ``branch, probability, beta, first_order``: each combination of events; the first is the one the point was found in, the others are shifted from it.
    chances
        ``how, loss, half95``: as the share of draws, from the distance (Phi(-beta), without an error of its own), and from lines through the draws.
    middle_eur, left_eur
        The value with every input in the middle, and what is left of it at the point, nothing approximated.
    loss
        Chance of a loss: the share of draws that lose; by lines through the draws where none or all do.
    explained
        Part of the variance over draws that a straight line through the point explains once the bend along it is taken out.
    zero
        The point itself, with evaluations of the model and sweeps for slopes.
    """

    question: Question
    sentence: str
    table: pd.DataFrame
    events: pd.DataFrame
    branches: pd.DataFrame
    chances: pd.DataFrame
    middle_eur: float
    left_eur: float
    loss: Estimate
    explained: float
    zero: DearZero


def must_be_true_on_the_model(
    question: Question, model: Model, chances: Mapping[str, float], options: OnTheModelOptions = OnTheModelOptions()
) -> OnTheModel:
    """Find the point.

    Parameters
    ----------
    question
        Its values must be smooth through zero (`Model`), one for each draw.
    chances
        Chance that each event happens.

    Raises
    ------
    ValuationError
        When draws do not match; when there is no zero within reach, with what the value is in the middle and how many draws lose.
    """
    values, normals = np.asarray(question.npv_eur, float), question.normals.to_numpy(float)
    if len(values) != len(normals):
        raise ValuationError(
            Problem("draws do not match", question.decision, f"{len(values)} values, {len(normals)} rows of inputs", "as many of each")
        )
    usual = {name: float(chances[name] >= 0.5) for name in question.events.columns}
    spread = float(values.std())
    try:
        zero = nearest_zero(
            lambda u: model.value(u, usual), lambda u: model.slope(u, usual), normals.shape[1], spread, question.decision, options.search
        )
    except NoZero as error:
        lost = chance_in_words(float((values < 0).mean()), len(values))
        raise ValuationError(
            Problem(
                "no future in reach turns the verdict", question.decision, str(error), "a zero within six standard deviations", f"{lost} of a loss"
            )
        ) from None
    turned = {name: model.value(zero.point, {**usual, name: 1.0 - usual[name]}) - zero.residual for name in usual}
    branches = _branches(question, zero, usual, turned, chances)
    other = on_the_other_side(values, normals, zero)
    share, lines = estimate((values < 0).astype(float)), estimate(other.chance)
    loss = share if 0 < share.value < 1 else lines
    said = [
        ("share of draws", share.value, share.error),
        ("from the distance", float((branches["probability"] * branches["first_order"]).sum()), None),
        ("lines through the draws", lines.value, lines.error),
    ]
    left = model.checked(zero.point, usual)
    table = _table(question, zero)
    return OnTheModel(
        question=question,
        sentence=_sentence(question, table, zero, left, loss, spread),
        table=table,
        events=pd.DataFrame(
            [(name, "happens" if usual[name] else "does not happen", float(chances[name]), turned[name]) for name in usual],
            columns=["event", "likelier", "chance", "turned_eur"],
        ),
        branches=branches,
        chances=pd.DataFrame(said, columns=["how", "loss", "half95"]).astype({"half95": object}),
        middle_eur=zero.middle,
        left_eur=left,
        loss=loss,
        explained=other.explained,
        zero=zero,
    )


def _branches(
    question: Question, zero: DearZero, usual: Mapping[str, float], turned: Mapping[str, float], chances: Mapping[str, float]
) -> pd.DataFrame:
    """Every combination of events; what an event turned round does at the point shifts the distance, several add up."""
    steep = float(np.linalg.norm(zero.slope))
    rows = []
    for flips in itertools.product((False, True), repeat=len(usual)):
        happens = {name: 1.0 - usual[name] if flip else usual[name] for name, flip in zip(usual, flips, strict=True)}
        chance = float(np.prod([chances[name] if there else 1.0 - chances[name] for name, there in happens.items()]))
        beta = zero.beta + sum(turned[name] for name, flip in zip(usual, flips, strict=True) if flip) / steep
        said = listed([f"{'with' if there else 'without'} {question.words[name]}" for name, there in happens.items()]) or "no event"
        rows.append((said, chance, beta, float(ndtr(-beta))))
    return pd.DataFrame(rows, columns=["branch", "probability", "beta", "first_order"])


def _table(question: Question, zero: DearZero) -> pd.DataFrame:
    both = question.in_units(np.stack([np.zeros_like(zero.point), zero.point]))
    moved = np.asarray(question.factor) @ zero.point
    table = pd.DataFrame(
        {
            "input": list(question.normals.columns),
            "unit": [question.units[str(column)] for column in question.normals.columns],
            "middle": both[0],
            "at_point": both[1],
            "standard_deviations": moved,
            "importance": _importance(zero.point, question.factor),
        }
    )
    return table.sort_values("importance", ascending=False, kind="stable", ignore_index=True)


def _importance(point: Vector, factor: Matrix) -> Vector:
    """Part of the squared distance that each correlated input carries: its own move times what the others leave it, adding up to one. (k,)"""
    distance = float(point @ point)
    if distance == 0:
        return np.zeros_like(point)
    own = np.asarray(factor) @ point
    shares = own * np.linalg.solve(np.asarray(factor).T, point)  # x' C^-1 x, term by term
    return shares / distance


def _sentence(question: Question, table: pd.DataFrame, zero: DearZero, left: float, loss: Estimate, spread: float) -> str:
    pays = zero.middle >= 0
    parts = _named(question, table)
    chance = loss.value if pays else 1.0 - loss.value
    verdict = "would be worth nothing with" if pays else "would begin to pay with"
    odds = f"{chance_in_words(chance, len(question.npv_eur))} that it {'loses' if pays else 'pays'} (± {percent(loss.error)})"
    middle = plain(zero.middle, SEARCHED * spread)
    sure = zero.settled and abs(left) <= 2 * SEARCHED * spread
    stopped = "" if sure else f" The search stopped there with {plain(left, SEARCHED * spread)} left."
    return f"{question.decision} is worth {middle} in the middle of what is known; most likely it {verdict} {listed(parts)}: {odds}.{stopped}"


def _named(question: Question, table: pd.DataFrame) -> Sequence[str]:
    rows = [row for row in table.to_dict("records") if float(row["importance"]) >= WORTH_NAMING][:MOST_NAMED]
    said = []
    for row in rows:
        word, away = question.words[str(row["input"])], float(row["standard_deviations"])
        if str(row["unit"]).startswith("utils"):  # a unit that nobody outside the model knows
            said.append(f"{word} {abs(away):.1f} standard deviations {'above' if away > 0 else 'below'} what is expected")
            continue
        there, middle = (in_own_unit(float(row[column]), str(row["unit"])) for column in ("at_point", "middle"))
        said.append(f"{word} {there} instead of {middle}")
    return said
