"""Many years: the base year reproduced, then year after year, each from what the one before it left ([11]).

`path` is one pure function of the uncertain values, so it can be compiled once, mapped over draws and differentiated. Backwards, each year is
computed again from its state and the prices that were found (`jax.checkpoint`), so nothing is searched for twice and memory holds one state a year and the arrays
of one year, however many there are.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from keiretsu.numerics.implicit import SEARCHED
from keiretsu.outlook.arrays import BaseYear, FleetState, FleetYears, Guide, Parts, Plan, Reproduced, State, Year
from keiretsu.outlook.banking import averaged_with_more
from keiretsu.outlook.base_year import reproduce
from keiretsu.outlook.fleet_newton import Known, nothing_known
from keiretsu.outlook.inputs import Values
from keiretsu.outlook.year import Draw, one_year
from keiretsu.supply.pricing import PricingOptions

PER_YEAR_IF_ANY = ("rules", "bend_set", "keeps", "sellers")
LARGEST = 2**26  # bytes of answers that a guide hands on
PER_YEAR = (
    "on_sale", "cost_slope", "cost_add", "saving", "kappa", "setter", "split", "transfer_unit", "transfer_price", "held", "start",
    "buyer_rate", "buyer_add", "incentive", "maker_rate", "maker_charge", "shadow", "utility", "world_gwh", "year",
)  # fmt: skip


class LaunchValues(eqx.Module):
    """Values that belong to launches: years later than planned, whether it happens (0 or 1), appeal (utils). (L,)"""

    shift: Float[Array, " L"]
    happens: Float[Array, " L"]
    appeal: Float[Array, " L"]


def path(
    base: BaseYear, plan: Plan, values: Values, launches: LaunchValues, options: PricingOptions, guide: Guide | None = None
) -> tuple[Reproduced, Year]:
    """The base year under these values and every year of the plan, stacked; with a `guide`, years start from those of another path. Look at ``settled`` and ``gap``:
    nothing raises in here."""
    found, years, _ = path_and_guide(base, plan, values, launches, options, guide)
    return found, years


def path_and_guide(
    base: BaseYear, plan: Plan, values: Values, launches: LaunchValues, options: PricingOptions, guide: Guide | None = None
) -> tuple[Reproduced, Year, Guide]:
    """As `path`, and what other paths may start their years from."""
    found = reproduce(base, values)
    draw = draw_of(plan, values, launches, found)
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
    names = names_by_year(plan)

    @functools.partial(jax.checkpoint, policy=jax.checkpoint_policies.save_only_these_names(SEARCHED))
    def step(state: State, given: tuple[dict[str, Any], Guide | None]) -> tuple[State, tuple[Year, Guide]]:
        yearly, led = given
        after, year, says = one_year(base, draw, in_year(plan, yearly), state, options, jax.lax.stop_gradient(led))
        return after, (year, jax.lax.stop_gradient(dataclasses.replace(says, known=_kept(says.known, plan.on_sale.shape[0]))))

    def years(rules: FleetYears | None) -> tuple[Year, Guide]:
        return jax.lax.scan(step, start, ({name: rules if name == "rules" else getattr(plan, name) for name in names}, guide))[1]

    if plan.rules is not None and plan.rules.windows:
        return found, *averaged_with_more(years, plan.rules)
    return found, *years(plan.rules)


def nothing_to_follow(plan: Plan) -> Guide:
    """A guide for a path that follows none."""
    slots = None if plan.rules is None else (plan.rules.cap.shape[1], plan.rules.live.shape[1])
    return _nothing(*plan.on_sale.shape, slots, 1 if plan.bends is None else plan.bends.parts)


@functools.lru_cache(maxsize=4)
def _nothing(years: int, markets: int, products: int, slots: tuple[int, int] | None, parts: int) -> Guide:
    prices = jnp.zeros((parts, markets, products))
    ruled = (None, None) if slots is None else (jnp.zeros((parts, slots[0])), prices)
    known = None if slots is None else _kept(nothing_known(slots[1], markets, products), years)
    one = Guide(jnp.array(False), prices[0], jnp.zeros(markets), Parts(jnp.zeros(parts, bool), prices, prices > 0, *ruled), known)
    return jax.tree.map(lambda leaf: jnp.zeros((years, *leaf.shape), leaf.dtype), one)


def _kept(known: Known | None, years: int) -> Known | None:
    """Answers as a guide hands them on: not where markets are so large that other paths had better look themselves."""
    return known if known is not None and years * sum(leaf.nbytes for leaf in jax.tree.leaves(known)) <= LARGEST else None


def differs(plan: Plan, other: Plan) -> np.ndarray:
    """Years in which one plan is not the other. (T,)"""
    years = np.zeros(plan.on_sale.shape[0], bool)
    if plan is other:
        return years
    for name in Plan.__dataclass_fields__:
        mine, its = getattr(plan, name), getattr(other, name)
        yearly = name in (*PER_YEAR, *PER_YEAR_IF_ANY)
        every = jax.tree.leaves(mine), jax.tree.leaves(its)
        if jax.tree.structure(mine) != jax.tree.structure(its):
            years[:] = True
            continue
        for a, b in zip(*every, strict=True):
            if a is b:
                continue
            same = np.asarray(a) == np.asarray(b) if a.shape == b.shape else np.array(False)
            years |= ~same.reshape(len(years), -1).all(axis=1) if yearly and same.ndim else not same.all()
    return years


def draw_of(plan: Plan, values: Values, launches: LaunchValues, found: Reproduced) -> Draw:
    """What these values fix for all years of a plan."""
    return Draw(values, launches.shift, launches.happens, launches.appeal, found, _deltas(plan, found, values))


def names_by_year(plan: Plan) -> tuple[str, ...]:
    """Fields of a plan that have an axis of years."""
    return (*PER_YEAR, *(name for name in PER_YEAR_IF_ANY if getattr(plan, name) is not None))


def in_year(plan: Plan, yearly: Mapping[str, Any]) -> Plan:
    """The plan with these fields of one year."""
    return eqx.tree_at(lambda p: tuple(getattr(p, name) for name in yearly), plan, tuple(yearly.values()))


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
