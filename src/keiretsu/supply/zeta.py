"""The zeta map as it is iterated: few passes over products x draws, in double or in single precision.

Without nests, utilities are written as differences from an anchor, the prices at which an iteration starts: ``exp(base_ij - alpha_i a_ij
(p_j - p0_j))``. That leaves one exponential and two thin matrix products for each evaluation, keeps single precision accurate (small
numbers are added to small numbers) and needs no running maximum. It overflows only when some price falls by hundreds of utils below
the anchor, which shows as a residual that is not a number; `keiretsu.supply.first_order.conditions` has no such limit. The same with
nests is `keiretsu.supply.nested_zeta`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp

from keiretsu.supply.first_order import Conditions, Flows, PriceProblem, solved_for_margin
from keiretsu.supply.nested_zeta import NestedAnchor, nested_anchor, nested_map
from keiretsu.supply.response import zeta_slopes
from keiretsu.supply.wedges import paid
from keiretsu.supply.weights import seen_by_setters
from keiretsu.typing import PerDraw, PerProduct, PerProductAndDraw, ProductByProduct

Record = TypeVar("Record")
ZetaMap: TypeAlias = Callable[[PerProduct], Conditions]

SERIES_REACH = 1e-2  # utils: the first term left out is then below 1e-2**6 / 720 = 1.4e-15 of the odds


class Anchor(eqx.Module):
    """Utilities at the prices an iteration starts from.

    Attributes
    ----------
    base
        Utility less the largest one of the draw (utils), -inf when not on sale. (J, I)
    nothing
        Odds of buying nothing on the same scale. (I,)
    price
        The prices. (J,)
    """

    base: PerProductAndDraw
    nothing: PerDraw
    price: PerProduct


def anchor(problem: PriceProblem, price: PerProduct) -> Anchor | NestedAnchor:
    """Utilities at `price`, scaled so that the best choice of each draw has odds of one."""
    tastes = problem.tastes
    if tastes.nests is not None:
        return nested_anchor(problem, tastes.nests, price)
    utility = tastes.delta[:, None] + tastes.mu - tastes.alpha[None, :] * paid(problem.wedges, price)
    utility = jnp.where(tastes.available[:, None], utility, -jnp.inf)
    best = jnp.max(utility, axis=0)
    top = jnp.maximum(best, 0.0) if tastes.outside else best
    return Anchor(utility - top, jnp.exp(-top) if tastes.outside else jnp.zeros_like(top), price)


def zeta_around(problem: PriceProblem, start: Anchor | NestedAnchor) -> ZetaMap:
    """The zeta map around `start`, in the precision that `problem` and `start` come in."""
    if isinstance(start, NestedAnchor):
        return nested_map(problem, start)
    return _PlainMap(problem, start)


class _PlainMap(eqx.Module):
    """The zeta map without nests, around an anchor."""

    problem: PriceProblem
    start: Anchor

    def __call__(self, price: PerProduct) -> Conditions:
        odds = jnp.exp(self.start.base - _disutility(self.problem, price - self.start.price))
        return solved_for_margin(self.problem, price, _flows(self.problem, odds, self.start.nothing, price))


def slopes_around(problem: PriceProblem, start: NestedAnchor, price: PerProduct) -> ProductByProduct:
    """Nearly the zeta map's derivative at `price`; see `keiretsu.supply.response`. (J, J)"""
    here = nested_map(problem, start)
    odds = here.odds(price)
    return zeta_slopes(problem, here.nests, odds, solved_for_margin(problem, price, here.flows(odds, price), here.own), price)


def zeta_near(problem: PriceProblem, start: Anchor | NestedAnchor, centre: PerProduct) -> ZetaMap:
    """The same map for prices that move little from `centre`: the exponential there is taken once and continued by its series.

    The series is cut after the fifth power, which costs less than the last bit while no draw's utility moves by more than
    `SERIES_REACH`; beyond that the exponential itself is taken again. With nests it always is: there it is a tenth of the work.
    """
    if isinstance(start, NestedAnchor):
        return nested_map(problem, start)
    odds_there = jnp.exp(start.base - _disutility(problem, centre - start.price))
    steepest = jnp.max(problem.tastes.alpha, where=problem.tastes.weight > 0, initial=0.0) * jnp.max(jnp.abs(problem.wedges.buyer_rate), axis=1)

    def zeta(price: PerProduct) -> Conditions:
        step = price - centre
        odds = jax.lax.cond(
            jnp.max(steepest * jnp.abs(step)) <= SERIES_REACH,
            lambda: odds_there * _exponential_series(-_disutility(problem, step)),
            lambda: jnp.exp(start.base - _disutility(problem, price - start.price)),
        )
        return solved_for_margin(problem, price, _flows(problem, odds, start.nothing, price))

    return zeta


def _disutility(problem: PriceProblem, step: PerProduct) -> PerProductAndDraw:
    return problem.tastes.alpha[None, :] * (problem.wedges.buyer_rate * step[:, None])


def _exponential_series(x: PerProductAndDraw) -> PerProductAndDraw:
    return 1 + x * (1 + x * (1 / 2 + x * (1 / 6 + x * (1 / 24 + x / 120))))


def to_single(record: Record) -> Record:
    """The same record with every double turned into a single."""
    return jax.tree.map(lambda leaf: leaf.astype(jnp.float32) if eqx.is_inexact_array(leaf) else leaf, record)


def _flows(problem: PriceProblem, odds: PerProductAndDraw, nothing: PerDraw, price: PerProduct) -> Flows:
    tastes, wedges, weights = problem.tastes, problem.wedges, problem.weights
    rate, charge = wedges.buyer_rate, wedges.maker_charge
    by_draw = charge.shape[1] > 1
    seen_share, seen_fee = seen_by_setters(weights)
    net = wedges.maker_rate * price - problem.cost - (0.0 if by_draw else charge[:, 0])
    firms = seen_share.shape[0]
    sums = jnp.concatenate([seen_share * net + seen_fee, jnp.ones_like(net)[None, :]]) @ odds
    total = sums[firms] + nothing
    worth = sums[:firms] - (seen_share @ (charge * odds) if by_draw else 0.0)
    chance = tastes.weight / total
    steep = tastes.alpha * chance
    rows = jnp.concatenate([worth / total * steep, steep[None, :]])
    if rate.shape[1] > 1:
        tilted = odds * rate
        slopes, share = tilted @ rows.T, odds @ chance
    else:
        tilted = odds
        both = odds @ jnp.concatenate([rows, chance[None, :]]).T
        slopes, share = rate * both[:, : firms + 1], both[:, firms + 1]
    slope = slopes[:, firms]
    recaptured = slopes[jnp.arange(price.shape[0]), weights.setter]
    if not by_draw:
        charged = slope * charge[:, 0]
    elif rate.shape[1] > 1:
        charged = (tilted * charge) @ steep
    else:
        charged = rate[:, 0] * ((odds * charge) @ steep)
    return Flows(slope, charged, recaptured, share)
