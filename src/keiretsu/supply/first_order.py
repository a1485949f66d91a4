"""The first-order condition of every price and the zeta map made of it ([8]).

Product j is priced by f. Raising ``p_j`` by one unit of money brings f ``A_fj r_j`` on each sale and loses it the margins ``W_fk`` of
whoever no longer buys. With ``omega_ij = w_i alpha_i a_ij s_ij`` and conditional probabilities inside j's nests,

    A_fj r_j s_j = sum_i omega_ij { W_fj,i / (1-sigma_sub) - T_f,i - c1_j T_f,sub(j),i - c2_j T_f,group(j),i },

where ``T`` sums ``W_fk,i`` over products (all, j's subgroup, j's group) with the matching probability, ``c1 = 1/(1-sigma_sub) -
1/(1-sigma_group)`` and ``c2 = sigma_group/(1-sigma_group)``. Solved for the margin on the left of the brace it is a fixed point in prices
(Morrow & Skerlos 2011), here with taxes between buyer and maker and with profit weights. Sums run by firm first: O(J I F), not O(J^2 I).
"""

from __future__ import annotations

import equinox as eqx
from jaxtyping import Array, Float

from keiretsu.demand.choice import Choice, choose
from keiretsu.demand.tastes import Nests, Tastes
from keiretsu.numerics.host import module_of
from keiretsu.supply.sellers import Sellers
from keiretsu.supply.wedges import Wedges, paid
from keiretsu.supply.weights import ProfitWeights, seen_by_setters
from keiretsu.typing import BroadcastToDraws, PerProduct, PerProductAndDraw, ProductMask


class PriceProblem(eqx.Module):
    """Everything the prices of one market depend on.

    Attributes
    ----------
    cost
        Marginal cost in money per car, with the CO2 shadow cost where a pool binds. (J,)
    held
        Prices that nobody chooses. (J,)
    sellers
        An index of setters and nests that makes sums shorter; None works them out product by product.
    """

    tastes: Tastes
    wedges: Wedges
    weights: ProfitWeights
    cost: PerProduct
    held: ProductMask
    sellers: Sellers | None = None

    @property
    def chosen(self) -> ProductMask:
        """Products whose price somebody sets: on sale and not held. (J,)"""
        return self.tastes.available & ~self.held


class Conditions(eqx.Module):
    """First-order conditions at some prices.

    Attributes
    ----------
    implied
        Prices that the zeta map answers; for a price nobody chooses the price itself. (J,)
    slope
        ``A_fj r_j sum_i omega_ij / (1 - sigma_sub)``, by which ``implied - price`` is the first-order condition. (J,)
    share
        Market shares. (J,)
    """

    implied: PerProduct
    slope: PerProduct
    share: PerProduct

    def derivative(self, price: PerProduct) -> PerProduct:
        """Derivative of each setter's objective (money a potential buyer) by its price. (J,)"""
        return self.slope * (self.implied - price)


def conditions(problem: PriceProblem, price: PerProduct) -> Conditions:
    """First-order conditions of all products at `price`; see `Conditions`."""
    return conditions_at(problem, choose(problem.tastes, paid(problem.wedges, price)), price)


def conditions_at(problem: PriceProblem, choice: Choice, price: PerProduct) -> Conditions:
    """`conditions` where choices at `price` are known, inside compiled code or, with NumPy arrays throughout, outside it."""
    tastes, wedges = problem.tastes, problem.wedges
    omega = (tastes.weight * tastes.alpha)[None, :] * wedges.buyer_rate * choice.probability
    spread = 1.0 if tastes.nests is None else (1 / (1 - tastes.nests.sigma_sub))[tastes.nests.sub]
    flows = Flows(
        slope=spread * omega.sum(axis=1),
        charged=spread * (omega * wedges.maker_charge).sum(axis=1),
        recaptured=_recaptured(problem, choice, price, omega),
        share=choice.probability @ tastes.weight,
    )
    return solved_for_margin(problem, price, flows)


class Flows(eqx.Module):
    """What the first-order conditions need of demand.

    Attributes
    ----------
    slope
        ``sum_i omega_ij / (1 - sigma_sub)``. (J,)
    charged
        The same sum with the maker's charge in it. (J,)
    recaptured
        ``sum_i omega_ij (T_f + c1 T_f,sub(j) + c2 T_f,group(j))``: margins that buyers who leave j bring elsewhere. (J,)
    share
        Market shares. (J,)
    """

    slope: PerProduct
    charged: PerProduct
    recaptured: PerProduct
    share: PerProduct


def seen_of_own(weights: ProfitWeights) -> tuple[PerProduct, PerProduct]:
    """What each price's setter keeps of the product's own margin, and the money on top. Both (J,)"""
    xp = module_of(weights.setter)
    products = xp.arange(weights.setter.shape[0])
    seen_share, seen_fee = seen_by_setters(weights)
    return seen_share[weights.setter, products], seen_fee[weights.setter, products]


def solved_for_margin(problem: PriceProblem, price: PerProduct, flows: Flows, own: tuple[PerProduct, PerProduct] | None = None) -> Conditions:
    """The zeta map: prices at which each product's own margin balances the other terms of its condition. `own` is `seen_of_own` where it is known."""
    xp = module_of(price, problem.cost, flows.share)
    keeps, gets = seen_of_own(problem.weights) if own is None else own
    rate = problem.wedges.maker_rate
    weight = xp.where(problem.chosen, keeps * flows.slope, 1.0)
    margin = (keeps * (rate * flows.share + flows.charged) + flows.recaptured - gets * flows.slope) / weight
    implied = xp.where(problem.chosen, (problem.cost + margin) / rate, price)
    return Conditions(implied, keeps * rate * flows.slope, flows.share)


def nest_terms(nests: Nests) -> tuple[PerProduct, PerProduct]:
    """Coefficients ``(c1, c2)`` of the sums over j's subgroup and over j's group. Both (J,)"""
    inner, outer = 1 / (1 - nests.sigma_sub)[nests.sub], 1 / (1 - nests.sigma_group)[nests.group]
    return inner - outer, nests.sigma_group[nests.group] * outer


def _recaptured(problem: PriceProblem, choice: Choice, price: PerProduct, omega: PerProductAndDraw) -> PerProduct:
    """See `Flows.recaptured`. (J,)"""
    wedges, weights, nests = problem.wedges, problem.weights, problem.tastes.nests
    seen_share, seen_fee = seen_by_setters(weights)
    charge = wedges.maker_charge
    by_draw = charge.shape[1] > 1
    net = wedges.maker_rate * price - problem.cost - (0.0 if by_draw else charge[:, 0])
    worth = seen_share * net + seen_fee
    total = _weighed(worth, seen_share, choice.probability, charge, by_draw)
    recaptured = (omega @ total.T)[module_of(price).arange(price.shape[0]), weights.setter]
    if nests is None:
        return recaptured
    assert choice.in_sub is not None and choice.in_group is not None
    c1, c2 = nest_terms(nests)
    own_worth, own_share = worth[weights.setter], seen_share[weights.setter]
    levels = ((c1, nests.sub, choice.in_sub), (c2, nests.group, choice.in_group))
    for coefficient, label, probability in levels:
        together = label[:, None] == label[None, :]
        nested = _weighed(own_worth * together, own_share * together, probability, charge, by_draw)
        recaptured = recaptured + coefficient * (omega * nested).sum(axis=1)
    return recaptured


def _weighed(
    worth: Float[Array, "f J"], keeps: Float[Array, "f J"], probability: PerProductAndDraw, charge: BroadcastToDraws, by_draw: bool
) -> Float[Array, "f I"]:
    """``sum_k W_fk,i * probability_ik``, with the charges that depend on the draw where there are such."""
    total = worth @ probability
    return total - keeps @ (charge * probability) if by_draw else total
