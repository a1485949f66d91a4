"""Nonlinear parameters of demand that best match moments with sources ([6]).

At every trial point mean utilities are inverted anew, so that observed shares are met exactly whatever the parameters, and the
moments follow. Parameters are free inside stated bounds, and scaled by their width for the optimiser. What the
moments do not pin down shows in `spread`: parameters refitted to targets drawn from their stated ranges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import equinox as eqx
import jax
import numpy as np
import pandas as pd
from scipy.optimize import OptimizeResult, least_squares

from keiretsu.demand.batch import Stacked, stack, unstack
from keiretsu.demand.choice import choose_now
from keiretsu.demand.inversion import EXACT, Settings, invert_stacked, refuse_unsettled, share_problems
from keiretsu.demand.moments import MARGIN, Seen, Target, parts, refuse, target_problems
from keiretsu.demand.newton import invert_now
from keiretsu.demand.preferences import ConsumerDraws, Preferences
from keiretsu.demand.tastes import Tastes
from keiretsu.demand.utility import tastes_of
from keiretsu.errors import NotSettled, Problem
from keiretsu.numerics.batching import filled
from keiretsu.numerics.host import host
from keiretsu.typing import Vector

_DIFFERENCE = 1e-5  # of a parameter's width; moments are smooth and exact to about 1e-10
_TRUST = 0.1  # first steps of a tenth of the width: longer ones run into bounds where a spread of tastes has no slope


@dataclass(frozen=True)
class ObservedMarket:
    """What is observed in one market.

    Attributes
    ----------
    share
        Cars sold over potential buyers, (J,); zero where not available.
    potential
        Potential buyers a year: weighs markets when moments pool them.
    price, paid, buyer_rate
        Makers' prices (J,), what buyers pay and what they pay more when the price rises by one, (J, I) or (J, 1).
    n_models
        Models that each line stands for, (J,).
    nest_labels
        As in `utility.tastes_of`.
    """

    id: str
    products: tuple[str, ...]
    share: Vector
    potential: float
    price: Vector
    paid: np.ndarray
    buyer_rate: np.ndarray
    n_models: Vector
    available: np.ndarray
    characteristics: Mapping[str, Vector]
    nest_labels: tuple[tuple[str, ...], ...]
    consumers: ConsumerDraws


@dataclass(frozen=True)
class Trial:
    """A point in parameter space: preferences, and what the stated potential of every market is multiplied by."""

    preferences: Preferences
    potential_scale: float = 1.0


@dataclass(frozen=True)
class Free:
    """A parameter to be found: `put` writes its value into a trial. ``low < start < high``."""

    name: str
    start: float
    low: float
    high: float
    put: Callable[[Trial, float], Trial]


Margins = Callable[[ObservedMarket, Tastes], Vector]
"""Relative margins ``(price - cost) / price`` (J,) of a market at given tastes, delta included; supply provides it."""


@dataclass(frozen=True)
class Calibration:
    """A fit.

    Attributes
    ----------
    parameters
        Fitted values by name.
    trial
        Preferences and potential scale at the fit.
    table
        One row for each target: id, kind, target, low, high, fitted, within_range, weight, contribution, source.
    objective
        Sum of weight times squared scaled deviation.
    at_bound
        Parameters within a thousandth of the width of their bounds from one of them: these are not pinned down by the targets.
    evaluations
        Trial points visited.
    """

    parameters: Mapping[str, float]
    trial: Trial
    table: pd.DataFrame
    objective: float
    at_bound: tuple[str, ...]
    evaluations: int


def calibrate(
    markets: Sequence[ObservedMarket],
    targets: Sequence[Target],
    free: Sequence[Free],
    start: Trial,
    margins: Margins | None,
    settings: Settings = EXACT,
) -> Calibration:
    """Fit free parameters to targets.

    Parameters
    ----------
    start
        Everything that is not free.
    margins
        Needed where a target is about margins; None states that no target is.

    Raises
    ------
    DemandError
        When targets, bounds or observations do not fit together, with every problem.
    InversionNotSettled
        When at some trial point mean utilities cannot be found; names market and product.
    NotSettled
        When the optimiser stops before it has converged.
    """
    refuse(_problems(markets, targets, free, start, margins))
    return _fit(_Moments(markets, targets, margins, settings, _compiled), targets, free, start, _to_unit(free, [f.start for f in free]))


def spread(
    markets: Sequence[ObservedMarket],
    targets: Sequence[Target],
    free: Sequence[Free],
    fit: Calibration,
    margins: Margins | None,
    count: int,
    seed: int,
    settings: Settings = EXACT,
) -> pd.DataFrame:
    """Parameters refitted to `count` draws of the targets, one row each; triangular between low and high, most likely at the value."""
    moments = _Moments(markets, targets, margins, settings, _compiled)
    rng = np.random.default_rng(seed)
    begin = _to_unit(free, [fit.parameters[f.name] for f in free])
    rows = []
    for _ in range(count):
        drawn = [t if t.low == t.high else replace(t, value=float(rng.triangular(t.low, t.value, t.high))) for t in targets]
        rows.append(dict(_fit(moments, drawn, free, fit.trial, begin).parameters))
    return pd.DataFrame(rows, columns=[f.name for f in free])


def moments_at(
    markets: Sequence[ObservedMarket], targets: Sequence[Target], trial: Trial, margins: Margins | None, settings: Settings = EXACT
) -> Vector:
    """What the targets' moments are at given parameters, in the targets' order."""
    refuse(_problems(markets, targets, (), trial, margins))
    return _Moments(markets, targets, margins, settings, _now)(trial)


def _fit(moments: _Moments, targets: Sequence[Target], free: Sequence[Free], start: Trial, begin: Vector) -> Calibration:
    value, scale = np.array([t.value for t in targets]), np.array([t.scale for t in targets])
    root = np.sqrt([t.weight for t in targets])
    before = moments.evaluations

    def trial_at(unit: Vector) -> Trial:
        trial = start
        for parameter, x in zip(free, _from_unit(free, unit), strict=True):
            trial = parameter.put(trial, float(x))
        return trial

    found: OptimizeResult = least_squares(
        lambda unit: root * (moments(trial_at(unit)) - value) / scale,
        begin,
        bounds=(0.0, 1.0),
        diff_step=np.full(len(free), _DIFFERENCE),
        x_scale=_TRUST,
        max_nfev=100,
    )
    if not found.success:
        raise NotSettled(
            "calibration",
            where=f"parameters {[f.name for f in free]}",
            residual=float(found.optimality),
            unit="gradient of the objective",
            iterations=int(found.nfev),
            next_step="narrow the bounds, start elsewhere or drop a parameter that no target pins down",
        )
    values = _from_unit(free, found.x)
    near = [f.name for f, x in zip(free, values, strict=True) if min(x - f.low, f.high - x) < 1e-3 * (f.high - f.low)]
    trial = trial_at(found.x)
    table = _table(targets, moments(trial))
    parameters = {f.name: float(x) for f, x in zip(free, values, strict=True)}
    return Calibration(parameters, trial, table, float(table["contribution"].sum()), tuple(near), moments.evaluations - before)


Inverse = Callable[[Sequence[ObservedMarket], np.ndarray, Sequence[Tastes], Stacked, Settings], np.ndarray]
"""Mean utilities (M, J) of markets with shares (M, J), their tastes one by one and stacked."""


def _compiled(markets: Sequence[ObservedMarket], share: np.ndarray, single: Sequence[Tastes], stacked: Stacked, settings: Settings) -> np.ndarray:
    """For many trials: compiled once."""
    del single
    solved = invert_stacked(host(share), stacked, settings)
    refuse_unsettled(solved, [m.id for m in markets], [m.products for m in markets], settings)
    return np.asarray(solved.delta)


def _now(markets: Sequence[ObservedMarket], share: np.ndarray, single: Sequence[Tastes], stacked: Stacked, settings: Settings) -> np.ndarray:
    """For one trial: nothing compiled."""
    paid = [host(m.paid) for m in markets]
    cut = [share[m, :count] for m, count in enumerate(stacked.products)]
    found = invert_now(cut, single, paid, [m.id for m in markets], [m.products for m in markets], settings)
    return np.stack([filled(one.delta, share.shape[1:]) for one in found])


class _Moments:
    """Moments of fixed markets and targets as a function of the trial point; keeps stacked arrays and compiled functions warm."""

    def __init__(
        self, markets: Sequence[ObservedMarket], targets: Sequence[Target], margins: Margins | None, settings: Settings, inverse: Inverse
    ) -> None:
        self.markets, self.targets, self.margins, self.settings, self.inverse = markets, targets, margins, settings, inverse
        self.rows = max(len(m.share) for m in markets)
        self.potential = np.array([m.potential for m in markets])
        self.share = np.stack([self._padded(m.share) for m in markets])
        self.kinds = tuple(t.kind for t in targets)
        self.of = host(np.stack([[self._mask(t.of, m) for m in markets] for t in targets], axis=1))
        self.to = host(np.stack([[self._mask(t.to or t.of, m) for m in markets] for t in targets], axis=1))
        self.price = host(np.stack([np.where(self._padded(m.price) > 0, self._padded(m.price), 1.0) for m in markets]))
        self.n_models = host(np.stack([np.where(self._padded(m.n_models) > 0, self._padded(m.n_models), 1.0) for m in markets]))
        self.evaluations = 0

    def __call__(self, trial: Trial) -> Vector:
        self.evaluations += 1
        single = [_tastes(m, trial.preferences) for m in self.markets]
        stacked = stack(single, [m.paid for m in self.markets])
        rates = stack(single, [m.buyer_rate for m in self.markets]).paid
        share = self.share / trial.potential_scale
        delta = host(self.inverse(self.markets, share, single, stacked, self.settings))
        settled = eqx.tree_at(lambda s: s.tastes.delta, stacked, delta)
        seen = Seen(stacked.paid, rates, self.price, self.n_models)
        numerator, denominator = self._parts(settled.tastes, seen)
        if MARGIN in self.kinds:
            self._put_margins(numerator, single, settled, share)
        return (self.potential @ numerator) / (self.potential @ denominator)

    def _parts(self, tastes: Tastes, seen: Seen) -> tuple[np.ndarray, np.ndarray]:
        """Numerators and denominators of every target in every market. Two (M, T)"""
        found = np.zeros((2, len(self.markets), len(self.kinds)))
        for m in range(len(self.markets)):
            both: tuple[Tastes, Seen] = jax.tree.map(lambda leaf, m=m: np.asarray(leaf)[m], (tastes, seen))
            own, looked = both
            choice = choose_now(own, looked.paid)
            for t, kind in enumerate(self.kinds):
                if self.markets[m].id not in self.targets[t].of:
                    continue  # a market that takes no part: neither its sales nor its buyers count
                found[:, m, t] = parts(kind, choice, own, looked, self.of[m, t], self.to[m, t])
        return found[0], found[1]

    def _put_margins(self, numerator: np.ndarray, single: Sequence[Tastes], settled: Stacked, share: np.ndarray) -> None:
        assert self.margins is not None
        for m, (observed, tastes, delta) in enumerate(zip(self.markets, single, unstack(settled.tastes.delta, settled), strict=True)):
            margin = np.asarray(self.margins(observed, eqx.tree_at(lambda t: t.delta, tastes, host(delta))))
            for t, target in enumerate(self.targets):
                if target.kind == MARGIN:
                    chosen = np.asarray(self.of[m, t, : len(margin)])
                    numerator[m, t] = float((share[m, : len(margin)] * margin)[chosen].sum())

    def _padded(self, values: Vector) -> Vector:
        return np.pad(np.asarray(values, dtype=float), (0, self.rows - len(values)))

    def _mask(self, masks: Mapping[str, np.ndarray], observed: ObservedMarket) -> np.ndarray:
        mask = masks.get(observed.id, np.zeros(len(observed.share), bool))
        return np.pad(np.asarray(mask, dtype=bool) & np.asarray(observed.available, dtype=bool), (0, self.rows - len(observed.share)))


def _tastes(observed: ObservedMarket, preferences: Preferences) -> Tastes:
    zero = np.zeros(len(observed.share))
    return tastes_of(preferences, observed.consumers, observed.characteristics, observed.nest_labels, zero, observed.available)


def _from_unit(free: Sequence[Free], unit: Vector) -> Vector:
    low, high = np.array([f.low for f in free]), np.array([f.high for f in free])
    return low + (high - low) * np.asarray(unit)


def _to_unit(free: Sequence[Free], values: Sequence[float]) -> Vector:
    low, high = np.array([f.low for f in free]), np.array([f.high for f in free])
    return (np.asarray(values) - low) / (high - low)


def _table(targets: Sequence[Target], fitted: Vector) -> pd.DataFrame:
    rows = [
        {
            "id": t.id,
            "kind": t.kind,
            "target": t.value,
            "low": t.low,
            "high": t.high,
            "fitted": float(x),
            "within_range": bool(t.low <= x <= t.high),
            "weight": t.weight,
            "contribution": t.weight * ((float(x) - t.value) / t.scale) ** 2,
            "source": t.source,
        }
        for t, x in zip(targets, fitted, strict=True)
    ]
    return pd.DataFrame(rows)


def _problems(
    markets: Sequence[ObservedMarket], targets: Sequence[Target], free: Sequence[Free], start: Trial, margins: Margins | None
) -> list[Problem]:
    problems = target_problems(targets, {m.id: len(m.share) for m in markets})
    for f in free:
        if not f.low < f.start < f.high:
            problems.append(Problem("start outside its bounds", f"parameter {f.name}", f"{f.start} in ({f.low}, {f.high})", "low < start < high"))
    wanting = [t.id for t in targets if t.kind == MARGIN]
    if wanting and margins is None:
        problems.append(Problem("no way to compute margins", f"targets {wanting}", "margins=None", "a function", "pass supply's margins"))
    for m in markets:
        problems += share_problems(m.share, _tastes(m, start.preferences), m.id, m.products)
    return problems
