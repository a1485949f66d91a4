"""Fleet rules of one year: shadow costs, balances, how balances answer to shadow prices, who pays ([10]).

Arrays are those of `FleetYears` without the axis of years. A shadow price is in the money of its rule; a market whose money has moved against that
sees it at the rate of the year.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from keiretsu.outlook.arrays import FleetYear, FleetYears


class Area(eqx.Module):
    """Fleet rules of a year with what turns shares into sales and one money into another.

    Attributes
    ----------
    potential
        Buyers a year. (M,)
    money
        What a unit of each market's money is worth, relative to the case's rate. (M,)
    charged
        What one car weighs at each pool's shadow price, in its market's money. Pools with a fine (P). (M, J, P)
    weighed
        What one car weighs in each pool's balance. (M, J, P)
    """

    rules: FleetYears
    potential: Float[Array, " M"]
    money: Float[Array, " M"]
    charged: Float[Array, "M J P"]
    weighed: Float[Array, "M J P"]

    def __init__(self, rules: FleetYears, potential: Float[Array, " M"], money: Float[Array, " M"]) -> None:
        self.rules, self.potential, self.money = rules, potential, money
        place = self.pool_of[..., None] == rules.live  # (M, J, R, P)
        self.charged = jnp.where(place, self.seen[..., None], 0.0).sum(axis=2)
        self.weighed = jnp.where(place, rules.counted[..., None], 0.0).sum(axis=2)

    @property
    def averaged(self) -> Array:
        """Pools whose shadow price is given because their balance counts over several years. (K,)"""
        return (self.rules.window >= 0) & (self.rules.given is not None)

    @property
    def rule_money(self) -> Float[Array, " R"]:
        """What a unit of each rule's money is worth, relative to the case's rate. (R,)"""
        own = self.rules.own_market
        return jnp.where(own >= 0, self.money[jnp.maximum(own, 0)], 1.0)

    @property
    def seen(self) -> Float[Array, "M J R"]:
        """Burden of a car times the worth of the rule's money in its market's."""
        return self.rules.burden * (self.rule_money / self.money[:, None])[:, None, :]

    @property
    def pool_of(self) -> Array:
        """Pool of each product under each rule. (M, J, R)"""
        return self.rules.pool[self.rules.maker]

    def shadow(self, rate: Float[Array, " K"]) -> Float[Array, "M J"]:
        """Shadow cost of each car at shadow prices `rate` of pools, in its market's money."""
        return (rate[self.pool_of] * self.seen).sum(axis=-1)

    def balance_of_makers(self, units: Float[Array, "M J"]) -> Float[Array, " K"]:
        """Balance of each maker, the rest of the area included."""
        return self.rules.rest + self._by_slot(self.rules.counted * units[..., None], self.rules.maker)

    def size(self) -> Float[Array, " K"]:
        """The largest burden of a car in each pool: what turns a step of its shadow price into money a car."""
        largest = jax.ops.segment_max(jnp.abs(self.seen).reshape(-1), self.pool_of.reshape(-1), self.rules.cap.shape[0])
        return jnp.maximum(largest, 0.0)

    @property
    def fixed(self) -> Float[Array, " P"]:
        """The part of each pool's balance that stays."""
        return self.of_live(jax.ops.segment_sum(self.rules.rest, self.rules.pool, self.rules.cap.shape[0]))

    def of_live(self, by_slot: Float[Array, " K"]) -> Float[Array, " P"]:
        """Values of pools with a fine out of those at every slot's place; zero where there is no such pool."""
        return by_slot.at[self.rules.live].get(mode="fill", fill_value=0.0)

    def at_slots(self, of_live: Float[Array, " P"]) -> Float[Array, " K"]:
        """Values of pools with a fine at the places of their slots, zero elsewhere."""
        return jnp.zeros_like(self.rules.cap).at[self.rules.live].set(of_live, mode="drop")

    def _by_slot(self, amount: Float[Array, "M J R"], slot: Array) -> Float[Array, " K"]:
        return jax.ops.segment_sum(amount.reshape(-1), slot.reshape(-1), self.rules.cap.shape[0])


def projected_step(rate: Array, balance: Array, cap: Array, slope: Array) -> Array:
    """Step to the zero of the linear model of balances with shadow prices kept between zero and the fine; those that want beyond an end stay. (K,)"""
    own = jnp.diagonal(slope)
    to_the_fine = -jnp.maximum(jnp.abs(balance), 1e-12) / jnp.where(cap > 0, cap, 1.0)
    slope = slope + jnp.diag(jnp.where(own < 0, 0.0, to_the_fine - own))
    fixed = (cap <= 0) | ((rate <= 0) & (balance <= 0)) | ((rate >= cap) & (balance >= 0))

    def unfinished(at: tuple[Array, Array, Array]) -> Array:
        return at[2]

    def again(at: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        fixed, step, _ = at
        step = jnp.where(fixed, step, masked_solve(slope, ~fixed, -balance - slope @ jnp.where(fixed, step, 0.0)))
        beyond = ~fixed & ((rate + step < 0) | (rate + step > cap))
        return fixed | beyond, jnp.where(beyond, jnp.clip(rate + step, 0.0, cap) - rate, step), beyond.any()

    return jax.lax.while_loop(unfinished, again, (fixed, jnp.zeros_like(rate), jnp.array(True)))[1]


def masked_solve(matrix: Array, free: Array, right: Array) -> Array:
    """Solution over the free unknowns, zero for the others, for a matrix whose diagonal decides (pools answer most to their own price). (K,)

    The scaled normal equations: XLA turns the pivots of a general solution into a loop that takes longer than a whole market.
    """
    both = free[:, None] & free[None, :]
    own = jnp.where(free, jnp.diagonal(matrix), 1.0)
    scaled = jnp.where(both, matrix, jnp.eye(free.size)) / own[:, None]
    normal = scaled.T @ scaled
    asked = scaled.T @ jnp.where(free, right / own, 0.0)
    return jnp.where(free, jax.scipy.linalg.cho_solve((jnp.linalg.cholesky(normal), True), asked), 0.0)


def year_of(area: Area, rate: Array, units: Float[Array, "M J"], split: Float[Array, "M F J"], gap: Array) -> FleetYear:
    """What the rules come to at solved shadow prices `rate` and sales: prices, balances, payments by maker and by firm.

    A firm bears the shadow price of what its own cars weigh; what is left of a maker's payment (the rest of the area, a contract other than the internal
    price) falls to the firms that earn its cars in proportion to their sales. A maker without sales here has no firm. Pools whose balance is averaged over
    years settle every year at the shadow price, whatever their contract; what is to spare is paid for as far as it is needed.
    """
    rules, count = area.rules, area.rules.cap.shape[0]
    own = area.balance_of_makers(units)
    pool = jax.ops.segment_sum(own, rules.pool, count)
    above = jax.ops.segment_sum(jnp.maximum(own, 0.0), rules.pool, count)[rules.pool]
    fine = (rules.cap * jnp.maximum(pool, 0.0))[rules.pool]
    of_above = jnp.where(above > 0, jnp.maximum(own, 0.0) / jnp.where(above > 0, above, 1.0), 0.0)
    rate_of = rate[rules.pool]
    worth = area.rule_money[rules.rule_of]
    sharing = jnp.where(area.averaged[rules.pool], 0, rules.sharing)
    asked = own if rules.needed is None else jnp.where(own < 0, own * rules.needed[rules.pool], own)
    pays = jnp.choose(sharing, [rate_of * asked, fine * of_above, fine * rules.payer], mode="clip") * worth
    on_cars = rate_of[rules.maker] * rules.burden * units[..., None] * area.rule_money
    slot = rules.maker.reshape(-1)
    left = pays - jax.ops.segment_sum(on_cars.reshape(-1), slot, count)
    sold = jnp.einsum("mfj,mj,mr->mjrf", split, units, rules.covers)
    by_firm = jax.ops.segment_sum(sold.reshape(slot.size, -1), slot, count)
    total = by_firm.sum(axis=1, keepdims=True)
    share = by_firm / jnp.where(total > 0, total, 1.0)
    firms = jnp.einsum("mfj,mjr->f", split, on_cars) + left @ share
    return FleetYear(rate_of * worth, own, pays, firms, gap, jnp.zeros_like(own))
