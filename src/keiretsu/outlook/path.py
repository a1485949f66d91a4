"""Many years: the base year reproduced, then year after year, each from what the one before it left ([11]).

`path` is one pure function of the uncertain values, so it can be compiled once, mapped over draws and differentiated. Backwards, each year is
computed again from its state and the prices that were found (`jax.checkpoint`), so nothing is searched for twice and memory holds one state a year and the arrays
of one year, however many there are.
"""

from __future__ import annotations

import functools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from keiretsu.numerics.implicit import SEARCHED
from keiretsu.outlook.arrays import BaseYear, FleetState, FleetYears, Plan, Reproduced, State, Year
from keiretsu.outlook.banking import averaged_over_years
from keiretsu.outlook.base_year import reproduce
from keiretsu.outlook.fleet_newton import nothing_known
from keiretsu.outlook.inputs import Values
from keiretsu.outlook.year import Draw, one_year
from keiretsu.supply.pricing import PricingOptions

PER_YEAR = (
    "on_sale", "cost_slope", "cost_add", "saving", "kappa", "setter", "split", "transfer_unit", "transfer_price", "held", "start",
    "buyer_rate", "buyer_add", "incentive", "maker_rate", "maker_charge", "shadow", "utility", "world_gwh", "year",
)  # fmt: skip


class LaunchValues(eqx.Module):
    """Values that belong to launches: years later than planned, whether it happens (0 or 1), appeal (utils). (L,)"""

    shift: Float[Array, " L"]
    happens: Float[Array, " L"]
    appeal: Float[Array, " L"]


def path(base: BaseYear, plan: Plan, values: Values, launches: LaunchValues, options: PricingOptions) -> tuple[Reproduced, Year]:
    """The base year under these values and every year of the plan, stacked. Look at ``settled`` and ``gap``: nothing raises in here."""
    found = reproduce(base, values)
    draw = Draw(values, launches.shift, launches.happens, launches.appeal, found, _deltas(plan, found, values))
    unruled = None
    if plan.rules is not None:
        known = nothing_known(plan.rules.live.shape[1], *base.price.shape)
        unruled = FleetState(jnp.zeros(plan.rules.cap.shape[1]), jnp.zeros_like(base.price), known)
    start = State(
        base.cumulative_gwh + base.base_year_gwh,
        base.fleet,
        base.chargers,
        base.price,
        found.cost,
        unruled,
        None if plan.bends is None else jnp.zeros(base.price.shape, bool),
    )
    names = (*PER_YEAR, *(name for name in ("rules", "bend_set", "keeps", "sellers") if getattr(plan, name) is not None))

    @functools.partial(jax.checkpoint, policy=jax.checkpoint_policies.save_only_these_names(SEARCHED))
    def step(state: State, yearly: dict[str, Any]) -> tuple[State, Year]:
        here = eqx.tree_at(lambda p: tuple(getattr(p, name) for name in names), plan, tuple(yearly[name] for name in names))
        return one_year(base, draw, here, state, options)

    def years(rules: FleetYears | None) -> Year:
        return jax.lax.scan(step, start, {name: rules if name == "rules" else getattr(plan, name) for name in names})[1]

    return found, averaged_over_years(years, plan.rules) if plan.rules is not None and plan.rules.windows else years(plan.rules)


def _deltas(plan: Plan, found: Reproduced, values: Values) -> Float[Array, "M J"]:
    """Deltas of the base year with those of launched products projected from them ([5b])."""
    flat = found.delta.reshape(-1)
    new = plan.new_map @ flat + plan.new_add - values["price_sensitivity"] * plan.new_gap
    return flat.at[plan.new_slot].set(new, mode="drop").reshape(found.delta.shape)


def launch_values(values: dict[str, float], launched: tuple[str, ...], spare: int) -> LaunchValues:
    """Arrays of what `values` say about each launch, padded to `spare` entries."""

    def column(kind: str, fill: float) -> Array:
        own = [values[f"{kind}:{product}"] for product in launched]
        return jnp.asarray(own + [fill] * (spare - len(own)), dtype=float)

    return LaunchValues(column("date", 0.0), column("happens", 1.0), column("appeal", 0.0))
