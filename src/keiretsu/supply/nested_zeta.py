"""The zeta map with nests as it is iterated: one exponential over products x draws, the rest over nests x draws or in matrix products.

As in `keiretsu.supply.zeta`, utilities are differences from an anchor: ``e_ij = exp((base_ij - alpha_i a_ij (p_j - p0_j)) / (1 - sigma_sub))`` with each
subgroup's largest taken out, and what is taken out enters sums over subgroups and groups as a factor, kept in logs. That keeps single precision accurate
and needs no running maximum. Limits are those of that module: a subgroup whose prices all move by hundreds of utils gives a residual that
is not a number; `keiretsu.supply.first_order.conditions` has no such limit.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from keiretsu.demand.tastes import Nests
from keiretsu.supply.first_order import Flows, PriceProblem, nest_terms
from keiretsu.supply.wedges import paid
from keiretsu.supply.weights import seen_by_setters
from keiretsu.typing import PerDraw, PerProduct, PerProductAndDraw


class NestedAnchor(eqx.Module):
    """Utilities at the prices an iteration starts from.

    Attributes
    ----------
    base
        Utility over ``1 - sigma_sub`` less the subgroup's largest, -inf when not on sale. (J, I)
    sub, group
        What was taken out, in logs: of each subgroup's sum inside its group, and of each group's sum; -inf with nothing on sale. (K, I), (G, I)
    nothing
        Odds of buying nothing on the same scale. (I,)
    price
        The prices. (J,)
    """

    base: PerProductAndDraw
    sub: Float[Array, "K I"]
    group: Float[Array, "G I"]
    nothing: PerDraw
    price: PerProduct


class NestedOdds(eqx.Module):
    """Choices of every draw: of each product (J, I), of each subgroup given its group (K, I), of each group (G, I)."""

    product: PerProductAndDraw
    sub_in_group: Float[Array, "K I"]
    group: Float[Array, "G I"]

    def of_group(self, nests: Nests) -> PerProductAndDraw:
        """Probability of the group that each product is in. (J, I)"""
        return self.group[nests.group]

    def of_sub(self, nests: Nests) -> PerProductAndDraw:
        """Probability of the subgroup that each product is in. (J, I)"""
        return (self.sub_in_group * self.group[nests.group_of_sub])[nests.sub]


def nested_anchor(problem: PriceProblem, nests: Nests, price: PerProduct) -> NestedAnchor:
    """Utilities at `price`, scaled so that the best product of each subgroup, subgroup of each group, and group have odds of one."""
    tastes = problem.tastes
    utility = tastes.delta[:, None] + tastes.mu - tastes.alpha[None, :] * paid(problem.wedges, price)
    scaled = jnp.where(tastes.available[:, None], utility / (1 - nests.sigma_sub)[nests.sub][:, None], -jnp.inf)
    base, peak = _less_largest(scaled, nests.sub, nests.sigma_sub.shape[0])
    value = peak * ((1 - nests.sigma_sub) / (1 - nests.sigma_group)[nests.group_of_sub])[:, None]
    sub, peak = _less_largest(value, nests.group_of_sub, nests.sigma_group.shape[0])
    group = peak * (1 - nests.sigma_group)[:, None]
    best = jnp.max(group, axis=0)
    top = jnp.maximum(best, 0.0) if tastes.outside else best
    return NestedAnchor(base, sub, group - top, jnp.exp(-top) if tastes.outside else jnp.zeros_like(top), price)


def nested_odds(problem: PriceProblem, nests: Nests, start: NestedAnchor, price: PerProduct) -> NestedOdds:
    """Choice probabilities at `price`."""
    members = _members(nests, start.base.dtype)
    per_group = jax.nn.one_hot(nests.group_of_sub, nests.sigma_group.shape[0], dtype=start.base.dtype, axis=0)
    steep = (problem.wedges.buyer_rate * (price - start.price)[:, None]) / (1 - nests.sigma_sub)[nests.sub][:, None]
    odds = jnp.exp(start.base - problem.tastes.alpha[None, :] * steep)
    total = members @ odds
    in_group = _scaled_power(total, ((1 - nests.sigma_sub) / (1 - nests.sigma_group)[nests.group_of_sub])[:, None], start.sub)
    of_group = per_group @ in_group
    group = _scaled_power(of_group, (1 - nests.sigma_group)[:, None], start.group)
    group = group / (group.sum(axis=0) + start.nothing)
    sub = in_group / jnp.where(of_group > 0, of_group, 1.0)[nests.group_of_sub]
    in_sub = (
        odds / jnp.where(total > 0, total, 1.0)[nests.sub]
    )  # divided first: far below the anchor totals are so large that a factor would underflow
    return NestedOdds(in_sub * (sub * group[nests.group_of_sub])[nests.sub], sub, group)


def nested_flows(problem: PriceProblem, nests: Nests, odds: NestedOdds, price: PerProduct) -> Flows:
    """What the first-order conditions need of demand."""
    tastes, wedges, weights = problem.tastes, problem.wedges, problem.weights
    rate, charge = wedges.buyer_rate, wedges.maker_charge
    by_draw = charge.shape[1] > 1
    keeps, fee = seen_by_setters(weights)
    net = wedges.maker_rate * price - problem.cost - (0.0 if by_draw else charge[:, 0])
    worth = keeps * net + fee
    spread = 1 / (1 - nests.sigma_sub)[nests.sub]
    chance = odds.product
    steep = tastes.alpha * tastes.weight

    def weighed(worth: Array, keeps: Array) -> Array:
        total = worth @ chance
        return total - keeps @ (charge * chance) if by_draw else total

    seen = weighed(worth, keeps)[weights.setter]
    own_worth, own_keeps = worth[weights.setter], keeps[weights.setter]
    c1, c2 = nest_terms(nests)

    def with_nest(seen: Array, coefficient: PerProduct, label: Array, probability: Array) -> Array:
        together = label[:, None] == label[None, :]
        inside = weighed(own_worth * together, own_keeps * together)
        return seen + coefficient[:, None] * inside / jnp.where(probability > 0, probability, 1.0)

    seen = with_nest(seen, c2, nests.group, odds.of_group(nests))
    # one level of nests is two with equal parameters: then c1 is zero and so is the sum over subgroups
    seen = jax.lax.cond(jnp.any(c1 != 0), lambda: with_nest(seen, c1, nests.sub, odds.of_sub(nests)), lambda: seen)
    omega = chance * rate if rate.shape[1] > 1 else chance
    outer = 1.0 if rate.shape[1] > 1 else rate[:, 0]
    slope = spread * outer * (omega @ steep)
    charged = spread * outer * ((omega * charge) @ steep) if by_draw else slope * charge[:, 0]
    return Flows(slope, charged, outer * ((omega * seen) @ steep), chance @ tastes.weight)


def _scaled_power(base: Float[Array, "n I"], exponent: Float[Array, "n 1"], log_factor: Float[Array, "n I"]) -> Float[Array, "n I"]:
    """``exp(log_factor) base ** exponent`` of numbers that are not negative, zero at zero; the factor may be too small for a float by itself."""
    positive = base > 0
    return jnp.where(positive, jnp.exp(log_factor + exponent * jnp.log(jnp.where(positive, base, 1.0))), 0.0)


def _members(nests: Nests, dtype: jnp.dtype) -> Float[Array, "K J"]:
    return jax.nn.one_hot(nests.sub, nests.sigma_sub.shape[0], dtype=dtype, axis=0)


def _less_largest(value: Float[Array, "n I"], label: Array, count: int) -> tuple[Float[Array, "n I"], Float[Array, "m I"]]:
    """`value` less the largest with the same label, and those, -inf for labels with nothing on sale."""
    peak = jax.ops.segment_max(value, label, num_segments=count)
    return value - jnp.where(jnp.isfinite(peak), peak, 0.0)[label], peak
