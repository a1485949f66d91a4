"""The zeta map with nests as it is iterated: one exponential over products x draws, the rest over nests x draws or in matrix products.

As in `keiretsu.supply.zeta`, utilities are differences from an anchor: ``e_ij = exp((base_ij - alpha_i a_ij (p_j - p0_j)) / (1 - sigma_sub))`` with each
subgroup's largest taken out, and what is taken out enters sums over subgroups and groups as a factor, kept in logs. That keeps single precision accurate
and needs no running maximum. Limits are those of that module: a subgroup whose prices all move by hundreds of utils gives a residual that
is not a number; `keiretsu.supply.first_order.conditions` has no such limit.
"""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from keiretsu.demand.tastes import Nests
from keiretsu.supply.first_order import Conditions, Flows, PriceProblem, nest_terms, seen_of_own, solved_for_margin
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


class NestedMap(eqx.Module):
    """The zeta map of one market with everything in it that does not depend on prices; a call is one evaluation.

    Costs may be replaced in `problem` (shadow prices change them); nothing else may.

    Attributes
    ----------
    keeps, fee
        What each firm keeps of each margin and the money on top; one row for each of the market's setters where `PriceProblem.sellers` is known.
    own
        The same of each product's own setter. Both (J,)
    """

    problem: PriceProblem
    start: NestedAnchor
    keeps: Float[Array, "S J"]
    fee: Float[Array, "S J"]
    own: tuple[PerProduct, PerProduct]

    @property
    def nests(self) -> Nests:
        """Nests of the market."""
        assert self.problem.tastes.nests is not None
        return self.problem.tastes.nests

    def __call__(self, price: PerProduct) -> Conditions:
        """First-order conditions at `price`."""
        return solved_for_margin(self.problem, price, self.flows(self.odds(price), price), self.own)

    def odds(self, price: PerProduct) -> NestedOdds:
        """Choice probabilities at `price`."""
        tastes, nests, start = self.problem.tastes, self.nests, self.start
        members = jax.nn.one_hot(nests.sub, nests.sigma_sub.shape[0], dtype=start.base.dtype, axis=0)
        per_group = jax.nn.one_hot(nests.group_of_sub, nests.sigma_group.shape[0], dtype=start.base.dtype, axis=0)
        steep = (self.problem.wedges.buyer_rate * (price - start.price)[:, None]) / (1 - nests.sigma_sub)[nests.sub][:, None]
        odds = jnp.exp(start.base - tastes.alpha[None, :] * steep)
        total = members @ odds
        in_group = _scaled_power(total, ((1 - nests.sigma_sub) / (1 - nests.sigma_group)[nests.group_of_sub])[:, None], start.sub)
        of_group = per_group @ in_group
        group = _scaled_power(of_group, (1 - nests.sigma_group)[:, None], start.group)
        group = group / (group.sum(axis=0) + start.nothing)
        sub = in_group / jnp.where(of_group > 0, of_group, 1.0)[nests.group_of_sub]
        # divided first: far below the anchor totals are so large that a factor would underflow
        in_sub = odds / jnp.where(total > 0, total, 1.0)[nests.sub]
        return NestedOdds(in_sub * (sub * group[nests.group_of_sub])[nests.sub], sub, group)

    def flows(self, odds: NestedOdds, price: PerProduct) -> Flows:
        """What the first-order conditions need of demand."""
        tastes, wedges = self.problem.tastes, self.problem.wedges
        rate, charge, chance = wedges.buyer_rate, wedges.maker_charge, odds.product
        spread = 1 / (1 - self.nests.sigma_sub)[self.nests.sub]
        steep = tastes.alpha * tastes.weight
        omega = chance * rate if rate.shape[1] > 1 else chance
        outer = 1.0 if rate.shape[1] > 1 else rate[:, 0]
        slope = spread * outer * (omega @ steep)
        charged = spread * outer * ((omega * charge) @ steep) if charge.shape[1] > 1 else slope * charge[:, 0]
        return Flows(slope, charged, outer * ((omega * self._seen(odds, price)) @ steep), chance @ tastes.weight)

    def _seen(self, odds: NestedOdds, price: PerProduct) -> PerProductAndDraw:
        """What the setter of each product earns on a buyer who leaves it, by where such a buyer goes. (J, I)"""
        wedges, chance, nests = self.problem.wedges, odds.product, self.nests
        charge = wedges.maker_charge
        by_draw = charge.shape[1] > 1
        worth = self.keeps * (wedges.maker_rate * price - self.problem.cost - (0.0 if by_draw else charge[:, 0])) + self.fee

        def weighed(worth: Array, keeps: Array) -> Array:
            total = worth @ chance
            return total - keeps @ (charge * chance) if by_draw else total

        c1, c2 = nest_terms(nests)
        sellers, setter = self.problem.sellers, self.problem.weights.setter
        if sellers is None:
            row, seen = setter, weighed(worth, self.keeps)[setter]
            seen = seen + c2[:, None] * _over(
                weighed, worth[row], self.keeps[row], nests.group[:, None] == nests.group[None, :], odds.of_group(nests)
            )
        else:
            of, firms = sellers.of_presence, sellers.firm.shape[0]
            row = of[sellers.presence]
            there = sellers.nest[:, None] == nests.group[None, :]
            # one product of all firms' sums and all presences' sums is quicker than two
            sums = weighed(*(jnp.concatenate([by_firm, by_firm[of] * there]) for by_firm in (worth, self.keeps)))
            outer = (nests.sigma_group / (1 - nests.sigma_group))[sellers.nest]
            inside = sums[firms:] * (outer[:, None] * _inverse(odds.group[sellers.nest]))
            seen = (sums[:firms][of] + inside)[sellers.presence]

        def in_sub() -> Array:
            together = nests.sub[:, None] == nests.sub[None, :]
            return seen + c1[:, None] * _over(weighed, worth[row], self.keeps[row], together, odds.of_sub(nests))

        # one level of nests is two with equal parameters: then c1 is zero and so is the sum over subgroups
        return jax.lax.cond(jnp.any(c1 != 0), in_sub, lambda: seen)


def nested_map(problem: PriceProblem, start: NestedAnchor) -> NestedMap:
    """The zeta map around `start`."""
    keeps, fee = seen_by_setters(problem.weights)
    own = seen_of_own(problem.weights)
    if problem.sellers is not None:
        keeps, fee = keeps[problem.sellers.firm], fee[problem.sellers.firm]
    return NestedMap(problem, start, keeps, fee, own)


def _over(weighed: Callable[[Array, Array], Array], worth: Array, keeps: Array, counted: Array, probability: Array) -> Array:
    """What is earned on the products counted by a buyer who is among them for certain."""
    return weighed(worth * counted, keeps * counted) * _inverse(probability)


def _inverse(probability: Array) -> Array:
    return 1 / jnp.where(probability > 0, probability, 1.0)


def _scaled_power(base: Float[Array, "n I"], exponent: Float[Array, "n 1"], log_factor: Float[Array, "n I"]) -> Float[Array, "n I"]:
    """``exp(log_factor) base ** exponent`` of numbers that are not negative, zero at zero; the factor may be too small for a float by itself."""
    positive = base > 0
    return jnp.where(positive, jnp.exp(log_factor + exponent * jnp.log(jnp.where(positive, base, 1.0))), 0.0)


def _less_largest(value: Float[Array, "n I"], label: Array, count: int) -> tuple[Float[Array, "n I"], Float[Array, "m I"]]:
    """`value` less the largest with the same label, and those, -inf for labels with nothing on sale."""
    peak = jax.ops.segment_max(value, label, num_segments=count)
    return value - jnp.where(jnp.isfinite(peak), peak, 0.0)[label], peak
