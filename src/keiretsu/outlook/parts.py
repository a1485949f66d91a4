"""Pots of money inside a year: what they pay, when they are empty, and the parts of a year under fleet rules side by side ([7], [8], [10], [11]).

Spending runs at a constant rate within a part, so the day a pot is empty follows from what is left (as `keiretsu.market.budget.run_out`). A fleet rule counts the
registrations of a year: its pools have one shadow price in all parts, and one balance, in which each part weighs as long as it lasts. The parts of such a year are
markets of their own, one after the other on the axis of markets (N = S x M, as the cells of `keiretsu.market.cells`), and how long each lasts follows from what the
pots pay at the prices in question, wherever a balance is counted or differentiated.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from keiretsu.demand.choice import choose
from keiretsu.outlook.bent import Bends
from keiretsu.outlook.clearing import YearMarket, problem_of
from keiretsu.outlook.fleet import Area
from keiretsu.supply.wedges import paid


class Spending(eqx.Module):
    """What pots pay out in each market in a whole year of it, on the pieces that prices are on: in proportion to the price and a car, by class of buyer."""

    markets: YearMarket
    buyer_class: Int[Array, "N I"]
    by_price: Float[Array, "N P J G"]
    a_car: Float[Array, "N P J G"]
    potential: Float[Array, " N"]
    outside: bool = eqx.field(static=True)

    def __call__(self, price: Float[Array, "N J"]) -> Float[Array, "N P"]:
        """EUR a year at these prices."""

        def of_market(x: tuple[YearMarket, Array, Array, Array, Array, Array]) -> Array:
            m, buyer_class, by_price, a_car, buyers, price = x

            def counted() -> Array:
                sold = choose(problem_of(m, m.shadow, self.outside).tastes, paid(m.wedges, price)).probability * m.weight
                by_class = jax.ops.segment_sum(sold.T, buyer_class, a_car.shape[-1]).T  # (J, G)
                return -buyers * ((by_price * price[:, None] + a_car) * by_class).sum(axis=(1, 2))

            return jax.lax.cond(((by_price != 0) | (a_car != 0)).any(), counted, lambda: jnp.zeros(a_car.shape[0]))

        return jax.lax.map(of_market, (self.markets, self.buyer_class, self.by_price, self.a_car, self.potential, price))


class Lengths(eqx.Module):
    """How long the parts of a year are in which certain pots are open (1) or closed (0)."""

    spending: Spending
    open: Float[Array, "S P"]
    budget: Float[Array, " P"]

    def of_parts(self, price: Float[Array, "N J"]) -> Float[Array, " S"]:
        """Share of the year of each part at these prices."""

        def step(carry: tuple[Array, Array], part: tuple[Array, Array]) -> tuple[tuple[Array, Array], Array]:
            after, rest, length = runs(self.budget, *carry, *part)
            return (after, rest), length

        return jax.lax.scan(step, begins(self.budget), (by_part(self.spending(price), self.open.shape[0]), self.open))[1]

    def __call__(self, price: Float[Array, "N J"]) -> Float[Array, " N"]:
        """The same for every market of every part."""
        return jnp.repeat(self.of_parts(price), price.shape[0] // self.open.shape[0], total_repeat_length=price.shape[0])


def spending_of(
    markets: YearMarket,
    piece: Int[Array, "N J"],
    rules: Bends,
    incentives: Array,
    buyer_class: Int[Array, "N I"],
    potential: Float[Array, " N"],
    outside: bool,
) -> Spending:
    """What the pots of a year's rules pay in its markets with their wedges on these pieces, once or in several parts of the year."""
    row, many = jnp.arange(piece.shape[1]), piece.shape[0] // rules.breaks.shape[0]

    def at(values: Float[Array, "P M J K ..."]) -> Float[Array, "N P J ..."]:
        return jax.vmap(lambda of_market, k: of_market[:, row, k])(repeated(jnp.moveaxis(values, 1, 0), many), piece)

    by_price = incentives * at(rules.pot_rate) + at(rules.pot_lost)[..., None]
    return Spending(markets, buyer_class, by_price, incentives * at(rules.pot_add) + at(rules.pot_charge), potential, outside)


def begins(budget: Float[Array, " P"]) -> tuple[Array, Array]:
    """What is in each pot, and the whole year."""
    return jnp.where(jnp.isfinite(budget), budget, 0.0), jnp.array(1.0, dtype=float)


def runs(budget: Array, left: Array, remaining: Array, spent: Array, open_: Array) -> tuple[Array, Array, Array]:
    """What is left in each pot and of the year after a part in which pots pay at the rate `spent`, and how long it is: until one is empty or the year over."""
    until = _until(left, spent, open_)
    until = jnp.where(jnp.isfinite(budget), until, jnp.inf)
    length = jnp.minimum(remaining, until.min())
    after = jnp.where(until <= length, 0.0, left - jnp.where(jnp.isfinite(budget), spent * length, 0.0))
    return after, jnp.where(length < remaining, remaining - length, 0.0), length


def in_order(budget: Float[Array, " P"], spent: Float[Array, "S P"]) -> Float[Array, "S P"]:
    """Pots open in each part when they pay at these rates, parts that would follow the end of the year included: those are ready should a pot be empty sooner."""

    def step(left: Array, spent: Array) -> tuple[Array, Array]:
        open_ = (left > 0).astype(float)
        until = _until(left, spent, open_)
        first = until.min()
        spends = jnp.where(open_ > 0, spent, 0.0) * jnp.where(jnp.isfinite(first), first, 0.0)
        return jnp.where((until <= first) & jnp.isfinite(first), 0.0, left - spends), open_

    return jax.lax.scan(step, begins(budget)[0], spent)[1]


def by_part(spent: Float[Array, "N P"], parts: int) -> Float[Array, "S P"]:
    """What all markets of each part pay."""
    return spent.reshape(parts, -1, spent.shape[1]).sum(axis=1)


def repeated(values: PyTree, parts: int) -> PyTree:
    """Arrays with a first axis M for every part, one after the other."""
    return jax.tree.map(lambda leaf: jnp.tile(leaf, (parts, *[1] * (leaf.ndim - 1))), values)


def area_of_parts(area: Area, parts: int) -> Area:
    """Fleet rules over the markets of every part."""

    def by_market(a: Area) -> tuple[Array, ...]:
        return a.potential, a.money, a.charged, a.weighed, a.rules.maker, a.rules.burden, a.rules.counted, a.rules.covers

    return eqx.tree_at(by_market, area, repeated(by_market(area), parts))


def _until(left: Array, spent: Array, open_: Array) -> Array:
    """When each pot is empty (in years), inf where it is not open or pays nothing."""
    return jnp.where((open_ > 0) & (spent > 0), left / jnp.where(spent > 0, spent, 1.0), jnp.inf)
