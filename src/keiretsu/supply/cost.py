"""Marginal costs that make observed prices an equilibrium ([9]), and transfer prices, whose fees depend on them.

At given prices and choice probabilities the first-order conditions are linear in costs, under any profit weights and margin splits, so
they are solved exactly. A car that b builds and s sells at transfer price tau earns b the fee ``tau - c`` and costs s the same
(``s``'s margin already carries ``-c``; with the fee it carries ``-tau``). `with_transfers` puts such fees into the profit weights at known
costs, before prices are solved; `recover_costs` takes the transfers themselves, because there the cost in the fee is unknown too.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import equinox as eqx
import jax
import numpy as np
from scipy.linalg import LinAlgWarning, lapack, lu_factor, lu_solve

from keiretsu.demand.choice import Choice, choose
from keiretsu.demand.tastes import Tastes
from keiretsu.errors import PricingError, Problem
from keiretsu.numerics.host import host, module_of
from keiretsu.supply.chosen import choice_now
from keiretsu.supply.first_order import nest_terms
from keiretsu.supply.wedges import Wedges, paid
from keiretsu.supply.weights import ProfitWeights, seen_by_setters
from keiretsu.typing import BroadcastToDraws, FirmByProduct, PerProduct, PerProductAndDraw, ProductByProduct, ProductMask

SINGULAR = 1e-12  # reciprocal condition below which a cost is not identified by the conditions


@dataclass(frozen=True)
class Transfer:
    """Product `product` is built by firm `builder` and handed to firm `seller` at `price_eur` a car (indices of product and firms)."""

    product: int
    builder: int
    seller: int
    price_eur: float


def with_transfers(weights: ProfitWeights, transfers: Sequence[Transfer], cost: PerProduct) -> ProfitWeights:
    """The same weights with the fees that transfer prices give at these costs added. `cost` excludes any CO2 shadow cost."""
    if not transfers:
        return weights
    fee, cost = np.array(weights.fee), host(cost)
    for deal in transfers:
        amount = deal.price_eur - cost[deal.product]
        fee[deal.builder, deal.product] += amount
        fee[deal.seller, deal.product] -= amount
    return eqx.tree_at(lambda w: w.fee, weights, host(fee))


def recover_costs(
    tastes: Tastes,
    wedges: Wedges,
    weights: ProfitWeights,
    price: PerProduct,
    *,
    transfers: Sequence[Transfer] = (),
    known: ProductMask | None = None,
    known_cost: PerProduct | None = None,
    shadow: PerProduct | None = None,
    where: str = "the market",
    labels: Sequence[str] = (),
) -> PerProduct:
    """Marginal costs at which `price` satisfies every first-order condition. (J,)

    Parameters
    ----------
    weights
        Profit weights with fees other than those of `transfers`.
    known, known_cost
        Products whose cost is given (True) and those costs in money per car: needed for held prices, which reveal no cost. Left out,
        every cost is recovered, and products that are not on sale get a cost of zero.
    shadow
        CO2 shadow cost in money per car that setters bear on top and that the result excludes; left out, there is none. (J,)

    Raises
    ------
    PricingError
        When a setter keeps no share of its product's margin, nobody buys a product, the costs asked for are not identified by the
        conditions, or `known` comes without `known_cost`.
    """
    count = price.shape[0]
    if (known is None) != (known_cost is None):
        raise PricingError(Problem("known costs need both the mark and the figures", where))
    zero = np.zeros(count)
    extra = zero if shadow is None else np.asarray(shadow)
    given = zero if known_cost is None else np.asarray(known_cost, float)
    on_sale = np.asarray(tastes.available)
    asked = on_sale if known is None else on_sale & ~np.asarray(known)
    charge = transfers_seen(weights, transfers)
    flows, flows_charged, share = map(np.asarray, leaving_now(tastes, wedges, price))
    seen_share, seen_fee = map(np.asarray, seen_by_setters(weights))
    setter, rate = np.asarray(weights.setter), np.asarray(wedges.maker_rate)
    keeps, on_cost = seen_share[setter], (seen_share + np.asarray(charge.cost))[setter]
    worth = keeps * (rate * np.asarray(price) - extra) + (seen_fee + np.asarray(charge.money))[setter]
    # A r s = sum_k flows_jk (worth_jk - on_cost_jk c_k) - keeps_jk flows_charged_jk, so (flows on_cost) c = right
    own = np.diagonal(keeps) * rate * share
    right = (flows * worth).sum(axis=1) - (keeps * flows_charged).sum(axis=1) - own
    left = flows * on_cost
    _refuse_unidentified(asked, np.diagonal(on_cost), share, where, labels)
    index = np.flatnonzero(asked)
    if not index.size:
        return host(given)
    left_asked = left[np.ix_(index, index)]
    right_asked = (right - left @ np.where(asked, 0.0, given))[index]
    size = np.abs(left_asked).sum(axis=1, keepdims=True)
    size = np.where(size > 0, size, 1.0)  # a product whose price moves no sale: its row is zero and the system singular
    factors, reciprocal_condition = _factorised(left_asked / size)
    if reciprocal_condition < SINGULAR:
        raise PricingError(
            Problem(
                "prices do not identify marginal costs under these profit weights",
                where,
                "a singular system",
                next_step="give some costs, or check kappa and the splits of margins; with outside = false one maker cannot price every car",
            )
        )
    cost = given.copy()
    cost[index] = lu_solve(factors, right_asked / size[:, 0])
    return host(cost)


def _factorised(matrix: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], float]:
    """LU factors of a matrix and the reciprocal of its condition in the 1-norm, as LAPACK estimates it from them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinAlgWarning)  # a singular matrix is refused by its condition, with a name
        factors = lu_factor(matrix)
    reciprocal, _ = lapack.dgecon(factors[0], np.abs(matrix).sum(axis=0).max(), norm="1")
    return factors, float(reciprocal)


class _Seen(eqx.Module):
    """What transfers add to each setter's eyes for a sale of k: ``money - cost * c_k``. Both (F, J)."""

    money: FirmByProduct
    cost: FirmByProduct


def transfers_seen(weights: ProfitWeights, transfers: Sequence[Transfer]) -> _Seen:
    """``kappa @ fee`` of the transfers, split into the part that is money and the part that multiplies the cost."""
    unit, money = np.zeros(weights.fee.shape), np.zeros(weights.fee.shape)
    for deal in transfers:
        for firm, sign in ((deal.builder, 1.0), (deal.seller, -1.0)):
            unit[firm, deal.product] += sign
            money[firm, deal.product] += sign * deal.price_eur
    kappa = np.asarray(weights.kappa)
    return _Seen(host(kappa @ money), host(kappa @ unit))


def leaving(tastes: Tastes, wedges: Wedges, price: PerProduct) -> tuple[ProductByProduct, ProductByProduct, PerProduct]:
    """How sales of k fall as the maker's price of j rises, ``-ds_k/dp_j``; the same weighted by k's charges; and market shares.

    The first two are (J, J), row j. The second is ``sum_i charge_ik (-ds_ik/dp_j)``, which the first cannot give when charges depend
    on the draw.
    """
    return _leaving_from(tastes, wedges, choose(tastes, paid(wedges, price)))


def leaving_now(tastes: Tastes, wedges: Wedges, price: PerProduct) -> tuple[ProductByProduct, ProductByProduct, PerProduct]:
    """`leaving` for one market outside compiled code."""
    seen: tuple[Tastes, Wedges] = jax.tree.map(np.asarray, (tastes, wedges))
    return _leaving_from(seen[0], seen[1], choice_now(tastes, wedges, price))


def _leaving_from(tastes: Tastes, wedges: Wedges, choice: Choice) -> tuple[ProductByProduct, ProductByProduct, PerProduct]:
    probability = choice.probability
    omega = (tastes.weight * tastes.alpha)[None, :] * wedges.buyer_rate * probability
    flows = _leaving(tastes, choice, omega, 1.0)
    charged = _leaving(tastes, choice, omega, wedges.maker_charge) if wedges.maker_charge.shape[1] > 1 else flows * wedges.maker_charge[:, 0]
    return flows, charged, probability @ tastes.weight


def _leaving(tastes: Tastes, choice: Choice, omega: PerProductAndDraw, factor: BroadcastToDraws | float) -> ProductByProduct:
    xp = module_of(omega, choice.probability)
    crossed = -(omega @ (choice.probability * factor).T)
    own = (omega * factor).sum(axis=1)
    nests = tastes.nests
    if nests is None:
        return crossed + xp.diag(own)
    assert choice.in_sub is not None and choice.in_group is not None
    c1, c2 = nest_terms(nests)
    for coefficient, label, inside in ((c1, nests.sub, choice.in_sub), (c2, nests.group, choice.in_group)):
        together = label[:, None] == label[None, :]
        crossed = crossed - coefficient[:, None] * together * (omega @ (inside * factor).T)
    return crossed + xp.diag(own / (1 - nests.sigma_sub)[nests.sub])


def _refuse_unidentified(asked: np.ndarray, on_cost: np.ndarray, share: np.ndarray, where: str, labels: Sequence[str]) -> None:
    problems: list[Problem] = []
    weight, sold = np.asarray(on_cost), np.asarray(share)
    for j in np.flatnonzero(np.asarray(asked)):
        place = f"{where}, {labels[int(j)] if len(labels) else f'product {j}'}"
        if abs(weight[j]) < SINGULAR:
            problems.append(
                Problem(
                    "whoever sets this price bears no share of its cost",
                    place,
                    f"{weight[j]:.6g}",
                    "not zero",
                    "give its cost, or the setter a share of the margin",
                )
            )
        if not sold[j] > 0:
            problems.append(
                Problem(
                    "nobody buys this product, so its price reveals no cost",
                    place,
                    f"share {sold[j]:.6g}",
                    "a share above zero",
                    "give its cost or mark it unavailable",
                )
            )
    if problems:
        raise PricingError(problems)
