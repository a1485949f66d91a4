"""What an output depends on: exact slopes at the central case, and shares of its variance over the draws ([13]).

Slopes go backwards through all years and equilibria in one sweep. They hold within the solved regime, and the distance to the nearest change of regime stands
beside each (`keiretsu.outlook.switches`). Global indices come from a polynomial fitted to draws that exist anyway, with its fit on draws
it has not seen; a poor fit is shown, and means that the indices say little.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from keiretsu.errors import NotSettled
from keiretsu.numerics.kept import Kept
from keiretsu.numerics.polynomial import fit_polynomial, sobol_indices
from keiretsu.outlook.arrays import BaseYear, Guide, Plan, Year
from keiretsu.outlook.ensemble import Ensemble
from keiretsu.outlook.inputs import Values
from keiretsu.outlook.measures import Measure, YearlyWeights
from keiretsu.outlook.outlook import Outlook, filled_by, guide_of, run
from keiretsu.outlook.path import LaunchValues, path
from keiretsu.outlook.regimes import regime_at
from keiretsu.outlook.switches import NOWHERE, closed_in, nearest_switch
from keiretsu.outlook.uncertain import Uncertain
from keiretsu.supply.pricing import PricingOptions
from keiretsu.typing import Scalar

OnStep = Callable[[int, int, str], None]
Given = tuple[Values, LaunchValues]

CHECK_STEP = 1e-4  # of each input's deviation, along the direction that changes the output most
CHECK_TOLERANCE = 1e-3


def slopes(outlook: Outlook, scenario: str, measure: Measure | YearlyWeights, values: Mapping[str, float]) -> tuple[float, dict[str, float]]:
    """The output and its derivative by every input, at `values`.

    Raises
    ------
    NotSettled
        When the path itself is not settled, a pool's balance over several years jumps through zero at its shadow price, or a tariff quota is filled.
    """
    given, plan = outlook.arrays(values), outlook.plan(scenario, values)
    guide = guide_of(outlook, scenario, values)
    filled = filled_by(outlook, scenario, values, guide)
    years = filled.years
    if filled.binding:
        first = filled.binding[0]
        raise NotSettled(
            "slopes where a tariff quota is filled, whose shadow price is found outside the years,",
            where=f"scenario {scenario}, {first.quota}, {first.maker} in {first.market}, {outlook.facts.years[first.t]}",
            residual=float(filled.price_eur[first.t, first.m]),
            unit="EUR a car of shadow price",
            iterations=0,
            next_step="ask for differences of paths in place of slopes, or widen the quota",
        )
    if years.rules is not None and (left := np.asarray(years.rules.left_over)).any():
        raise NotSettled(
            "slopes where a pool's balance over several years jumps through zero, at a price at which a maker is indifferent,",
            where=f"scenario {scenario}, {', '.join(outlook.ruled.labels[k] for k in np.flatnonzero(left.any(axis=0)))}",
            residual=float(left.max()),
            unit="g/km x cars, or electric cars, to spare",
            iterations=0,
            next_step="ask for differences of paths in place of slopes, or move the central case",
        )
    along = eqx.filter_grad(measure.of)(years)
    by_plain, by_launch = _slopes(given, outlook.base, plan, outlook.options, along, guide)
    slope = {name: float(s) for name, s in by_plain.items()}
    for kind, array in (("date", by_launch.shift), ("happens", by_launch.happens), ("appeal", by_launch.appeal)):
        slope |= {f"{kind}:{product}": float(array[i]) for i, product in enumerate(outlook.roster.launched)}
    for name in (f"event:{event}" for event in outlook.events):  # it happens or not: a difference, not a derivative
        slope[name] = output_at(outlook, scenario, measure, {**values, name: 1.0}) - output_at(outlook, scenario, measure, {**values, name: 0.0})
    return float(measure.of(years)), slope


def tornado(
    outlook: Outlook, scenario: str, measure: Measure, inputs: Sequence[Uncertain], closely: int = 0, on_step: OnStep = lambda *_: None
) -> pd.DataFrame:
    """Inputs by how much one deviation of each moves the output, largest first.

    Columns: input, slope (output's unit per unit of the input), deviation (the input's, one standard normal up), effect (their product), solved (the effect when the path
    is solved again one deviation up; not a number where it is not), value (output at the central case), and the nearest change of regime: to_switch (distance in
    the input's own unit, inf when none is known), way, switch (which), how (see `keiretsu.outlook.switches.Switch`). For the `closely` inputs with the largest
    effects paths are solved again; for the others changes are known at first order.

    Raises
    ------
    NotSettled
        When the slopes do not agree with the path itself along one direction.
    """
    central = outlook.central()
    value, slope = slopes(outlook, scenario, measure, central)
    rows = []
    for one in inputs:
        at, up = float(one.value(np.array(0.0))), float(one.value(np.array(1.0)))
        deviation = np.sqrt(one.central * (1 - one.central)) if one.distribution == "discrete" else up - at
        rows.append((one.name, slope[one.name], deviation, slope[one.name] * deviation, value))
    table = pd.DataFrame(rows, columns=["input", "slope", "deviation", "effect", "value"])
    _check(outlook, scenario, measure, central, table)
    table = table.reindex(table["effect"].abs().sort_values(ascending=False, kind="stable").index).reset_index(drop=True)
    return table.join(_switches(outlook, scenario, measure, central, table, closely, on_step))


def _switches(
    outlook: Outlook, scenario: str, measure: Measure, central: Mapping[str, float], table: pd.DataFrame, closely: int, on_step: OnStep
) -> pd.DataFrame:
    """Columns solved, to_switch, way, switch, how for the rows of a tornado."""

    def years_at(values: Mapping[str, float]) -> Year:
        return run(outlook, scenario, values)[1]

    here = regime_at(outlook, scenario, central, years_at)
    found: list[tuple[object, ...]] = []
    left = closely
    for number, row in enumerate(table.itertuples()):
        name, deviation = str(row.input), float(row.deviation)  # type: ignore[arg-type]
        on_step(number, len(table), f"distance to the nearest change of regime: {name}")
        solved, switch = np.nan, NOWHERE
        if not name.startswith(("happens:", "event:")):
            switch = nearest_switch(outlook, scenario, name, deviation, central, here, years_at)
            if left > 0:
                left -= 1
                switch = closed_in(outlook, scenario, name, deviation, central, here, years_at, switch)
                solved = output_at(outlook, scenario, measure, {**central, name: central[name] + deviation}) - float(row.value)  # type: ignore[arg-type]
        found.append((solved, switch.distance, switch.way, switch.what, switch.how))
    return pd.DataFrame(found, columns=["solved", "to_switch", "way", "switch", "how"])


def global_indices(ensemble: Ensemble, scenario: str, measure: Measure) -> tuple[pd.DataFrame, float]:
    """First-order and total share of the output's variance for each input's own normal, and the surrogate's R2 on draws it has not seen."""
    output = measure.of_data(ensemble.data).sel(scenario=scenario).transpose("draw").values
    normals = ensemble.normals
    surrogate = fit_polynomial(normals.to_numpy(), output)
    found = sobol_indices(surrogate)
    table = pd.DataFrame({"input": list(normals.columns), "first_order": found.first_order, "total": found.total})
    return table.sort_values("total", ascending=False, ignore_index=True, kind="stable"), float(surrogate.held_out_r2)


def _check(outlook: Outlook, scenario: str, measure: Measure, central: Mapping[str, float], table: pd.DataFrame) -> None:
    """One central difference along the direction of all effects together."""
    smooth = table[~table["input"].str.startswith(("happens:", "event:"))]
    step = dict(zip(smooth["input"], np.sign(smooth["effect"]) * smooth["deviation"] * CHECK_STEP, strict=True))
    ends = [output_at(outlook, scenario, measure, {k: v + sign * step.get(k, 0.0) for k, v in central.items()}) for sign in (1, -1)]
    seen, expected = (ends[0] - ends[1]) / 2, float((smooth["effect"].abs() * CHECK_STEP).sum())
    if not abs(seen - expected) <= CHECK_TOLERANCE * abs(expected):
        raise NotSettled(
            "slopes",
            where=f"scenario {scenario}, {measure.text}",
            residual=abs(seen - expected) / max(abs(expected), 1e-300),
            unit="relative to a finite difference",
            iterations=0,
            next_step="the central case stands at a change of regime; move the central case",
        )


def output_at(outlook: Outlook, scenario: str, measure: Measure | YearlyWeights, values: Mapping[str, float]) -> float:
    """The output at `values`.

    Raises
    ------
    NotSettled
        When the path is not settled.
    """
    return float(measure.of(run(outlook, scenario, values)[1]))


def _slopes_along(given: Given, base: BaseYear, plan: Plan, options: PricingOptions, along: Year, guide: Guide) -> Given:
    """Slopes by every input of the sum of all the years' numbers times `along`: one program for whatever is asked of the years."""

    def number(given: Given) -> Scalar:
        years = eqx.filter(path(base, plan, given[0], given[1], options, guide)[1], eqx.is_inexact_array)
        return sum(jax.tree.leaves(jax.tree.map(jnp.vdot, along, years)), start=jnp.zeros(()))

    return jax.grad(number)(given)


_slopes = Kept(_slopes_along)
