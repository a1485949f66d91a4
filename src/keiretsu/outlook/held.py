"""Prices that a scenario holds, over years ([8], [11]).

A price cut says what a maker asks today against today's costs. Kept in euro for ten years while batteries get cheaper it would become a price rise, so a
held price keeps its ratio to what the car costs to make: batteries, trends and exchange rates move both. A move that changes the cost itself (a shared
platform, a cost shock) leaves the price where it is held, as in one year.
"""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float

from keiretsu.outlook.arrays import Plan, Reproduced


def cost_at_first(base: Reproduced, plan: Plan) -> Float[Array, "M J"]:
    """What each slot costs in the base year's conditions with the scenario's moves made, EUR a car; `plan` without the axis of years."""
    return plan.cost_slope * base.cost.reshape(-1)[plan.source] + plan.cost_add


def held_price(plan: Plan, cost: Float[Array, "M J"], first: Float[Array, "M J"]) -> Float[Array, "M J"]:
    """The stated price times ``cost / first`` where a price is held (EUR); not a number where `first` is not above zero, so such a year is refused."""
    known = jnp.where(plan.held & plan.on_sale, first, 1.0)
    return plan.start * jnp.where(known > 0, cost / jnp.where(known > 0, known, 1.0), jnp.nan)
