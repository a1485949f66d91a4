"""How the zeta map answers to prices, in closed form: the matrix that turns its residual into a Newton step ([8]).

With ``omega_ij = w_i alpha_i a_ij s_ij`` and T the sums of `keiretsu.supply.first_order`, the derivative of j's condition by ``p_k`` is a handful of products
(J x I)(I x J), one for all products and one for those that share j's nest, and a sum over products for every pair of a firm and a nest. The last is left
out but for its mean: what j's setter earns in a nest that j is not in counts at its mean over the buyers of that nest, and within one group of several subgroups not
at all. Charges that depend on the buyer count at their mean. All else is exact.

The matrix is a preconditioner: it decides how many evaluations a solution takes and never what the solution is. At a market's own prices it leaves
about a hundredth of the residual.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from keiretsu.demand.tastes import Nests
from keiretsu.supply.first_order import Conditions, PriceProblem, nest_terms
from keiretsu.supply.nested_zeta import NestedOdds
from keiretsu.supply.weights import seen_by_setters
from keiretsu.typing import PerProduct, PerProductAndDraw, ProductByProduct

PAIRS = 5  # rounds of answers that count, two by two
FADING = 0.5  # of a residual may be left after eight rounds


class Rounds(eqx.Module):
    """Makers' answers to each other over ten rounds: ``1 + A + ... + A^9 = (1 + A^2 + A^4 + A^6 + A^8) (1 + A)``. Both (J, J)

    That is ``(1 - A)^-1`` but for the tenth round. No linear system is solved: pivots cost more than all these products.
    """

    once: ProductByProduct
    twice: ProductByProduct

    def step(self, residual: Array) -> Array:
        """The change of prices that a residual of the zeta map (or each column of several) asks for, in the precision of the slopes."""
        right = residual.astype(self.once.dtype)
        pair = right + self.once @ right
        found = pair
        for _ in range(PAIRS - 1):
            found = pair + self.twice @ found
        return found.astype(residual.dtype)

    @property
    def transposed(self) -> Rounds:
        """The same for the transposed map."""
        return Rounds(self.once.T, self.twice.T)


def rounds(slopes: ProductByProduct) -> Rounds:
    """Rounds of answers by the map's `slopes`; where these do not die out, none: then a residual asks for itself."""
    twice = slopes @ slopes
    left, size = jnp.ones(slopes.shape[0], slopes.dtype), jnp.abs(twice)
    for _ in range(4):
        left = size @ left
    fading = left.max() < FADING
    return Rounds(jnp.where(fading, slopes, 0.0), jnp.where(fading, twice, 0.0))


def zeta_slopes(problem: PriceProblem, nests: Nests, odds: NestedOdds, at: Conditions, price: PerProduct) -> ProductByProduct:
    """Nearly ``d implied_j / d p_k`` at `price` (EUR a car), where choices are `odds` and the map says `at`; rows of prices nobody chooses are zero. (J, J)"""
    tastes, wedges, weights = problem.tastes, problem.wedges, problem.weights
    setter, products = weights.setter, jnp.arange(price.shape[0])
    keeps, fee = seen_by_setters(weights)
    keeps_own, fee_own = keeps[setter, products], fee[setter, products]
    charge = wedges.maker_charge[:, 0] if wedges.maker_charge.shape[1] == 1 else wedges.maker_charge @ tastes.weight
    net = wedges.maker_rate * price - problem.cost - charge
    worth, keeps_by, fee_by = keeps * net + fee, jax.lax.optimization_barrier(keeps[setter]), fee[setter]
    c1, c2 = nest_terms(nests)
    inner = 1 / (1 - nests.sigma_sub)[nests.sub]
    chance, steep = odds.product, tastes.alpha[None, :] * wedges.buyer_rate
    omega, taken = tastes.weight * steep * chance, steep * chance
    of_group, of_sub = odds.of_group(nests), odds.of_sub(nests)
    in_group, in_sub = _inverse(of_group), _inverse(of_sub)
    same_group, same_sub = (label[:, None] == label[None, :] for label in (nests.group, nests.sub))
    several, paid_on_top = jnp.any(c1 != 0), jnp.any(fee != 0)

    def earned(same: Array, inverse: PerProductAndDraw) -> PerProductAndDraw:
        return ((worth[setter] * same) @ chance) * inverse

    if problem.sellers is None:
        everywhere, group_earned = (worth @ chance)[setter], earned(same_group, in_group)
    else:
        by_seller, of, nest = worth[problem.sellers.firm], problem.sellers.of_presence, problem.sellers.nest
        everywhere = (by_seller @ chance)[of[problem.sellers.presence]]
        group_earned = ((by_seller[of] * (nest[:, None] == nests.group[None, :])) @ chance)[problem.sellers.presence] * in_group
    sub_earned = jax.lax.cond(several, lambda: earned(same_sub, in_sub), lambda: jnp.zeros_like(chance))
    seen = everywhere + c2[:, None] * group_earned + c1[:, None] * sub_earned
    by_slope = inner * (keeps_own * (charge + problem.cost - wedges.maker_rate * at.implied) - fee_own)
    moved = tastes.weight * chance * ((keeps_own * wedges.maker_rate)[:, None] + steep * (by_slope[:, None] + seen))
    gain = chance * (wedges.maker_rate[:, None] - inner[:, None] * net[:, None] * steep)

    def in_nest(coefficient: PerProduct, same: Array, inverse: PerProductAndDraw, left: PerProductAndDraw) -> ProductByProduct:
        inside = taken * inverse
        among = left @ inside.T + keeps_by * (omega @ (gain * inverse).T)
        among = jax.lax.cond(paid_on_top, lambda: among - inner * fee_by * (omega @ inside.T), lambda: among)
        return jnp.where(same, coefficient[:, None] * among, 0.0)

    elsewhere = jnp.where(same_group, 0.0, _elsewhere(problem, worth, c2, of_group, chance, same_group))
    slopes = (moved + omega * everywhere) @ taken.T + keeps_by * (omega @ gain.T) + (elsewhere - inner * fee_by) * (omega @ taken.T)
    slopes = slopes + in_nest(c2, same_group, in_group, moved + (1 + c2[:, None] + of_group) * omega * group_earned)
    left = inner[:, None] + of_sub + c2[:, None] * of_sub * in_group
    slopes = jax.lax.cond(several, lambda: slopes + in_nest(c1, same_sub, in_sub, moved + left * omega * sub_earned), lambda: slopes)
    slopes = slopes.at[products, products].add(-inner * (moved * steep).sum(axis=1))
    return jnp.where(problem.chosen[:, None], slopes / jnp.where(problem.chosen, at.slope, 1.0)[:, None], 0.0)


def _elsewhere(
    problem: PriceProblem, worth: Array, c2: PerProduct, of_group: PerProductAndDraw, chance: PerProductAndDraw, same_group: Array
) -> ProductByProduct:
    """What j's setter earns in k's group for each of its buyers, at the mean over buyers by how much they mind the price. (J, J)"""
    mind = problem.tastes.weight * problem.tastes.alpha**2
    buyers = of_group @ mind
    each = (chance @ mind) / jnp.where(buyers > 0, buyers, 1.0)
    return ((worth * each) @ same_group.astype(chance.dtype) * c2)[problem.weights.setter]


def _inverse(probability: PerProductAndDraw) -> PerProductAndDraw:
    return jnp.where(probability > 0, 1 / jnp.where(probability > 0, probability, 1.0), 0.0)
