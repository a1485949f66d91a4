"""What one year hands to the next: battery learning, cars on the road, public chargers ([11]).

Each rule is a closed form that a reader can check by hand:
pack price ``P_t = P_0 (cumulative_t / cumulative_0) ** log2(1 - learning_rate)`` times the raw-material swing of the year;
``stock_t = stock_{t-1} + sales_t - scrapped_t``, by powertrain and age, with a Weibull survival curve;
chargers close a part of the gap to what the electric fleet supports, ``C_0 (E_t / E_0) ** power``.
"""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float

from keiretsu.outlook.arrays import BaseYear
from keiretsu.outlook.inputs import Values
from keiretsu.typing import Scalar

LATE_FROM = 2030.0


def pack_price(base: BaseYear, values: Values, cumulative_gwh: Scalar, year: Scalar) -> Scalar:
    """Price of a battery pack in a year, EUR/kWh, from world output to the start of that year."""
    slope = jnp.log2(1.0 - values["learning_rate"])
    swing = jnp.where(year < LATE_FROM, values["raw_material_early"], values["raw_material_late"])
    return base.pack_price * (cumulative_gwh / base.cumulative_gwh) ** slope * jnp.exp(swing)


def survival(base: BaseYear, values: Values, ages: int) -> Float[Array, " A"]:
    """Probability that a car of age a is still there a year later; the oldest age is left for good. (A,)"""
    a = jnp.arange(ages + 1, dtype=float)
    scale, shape = base.life_years * (1.0 + values["life_years"]), base.life_shape
    hazard = (a / scale) ** shape
    stays = jnp.exp(hazard[:-1] - hazard[1:])
    return stays.at[-1].set(0.0)


def aged(fleet: Float[Array, "M P A"], stays: Float[Array, " A"]) -> tuple[Float[Array, "M P A"], Float[Array, "M P"]]:
    """The fleet a year older before new cars join it, and the cars scrapped meanwhile."""
    kept = fleet * stays
    older = jnp.concatenate([jnp.zeros_like(kept[..., :1]), kept[..., :-1]], axis=-1)
    return older, (fleet - kept).sum(axis=-1)


def chargers_next(base: BaseYear, values: Values, chargers: Float[Array, " M"], electric: Float[Array, " M"]) -> Float[Array, " M"]:
    """Public chargers at the end of a year in which the electric fleet came to `electric` cars."""
    first = base.fleet[:, 0].sum(axis=-1)
    ratio = jnp.where(first > 0, electric, 1.0) / jnp.where(first > 0, first, 1.0)
    return chargers + values["charger_speed"] * (base.chargers * ratio ** values["charger_power"] - chargers)
