"""A setter's profit as one of its prices moves and all others stand still, exactly and for many products at once.

When only product j's price changes, draw i's choice probabilities change through one number at each level of nests, so the whole
objective follows from three sums: margins that buyers bring elsewhere in j's subgroup, in the rest of its group, and in the rest of the market.
One evaluation for n products costs n exponentials a draw and not a new market.
"""

from __future__ import annotations

from dataclasses import dataclass

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from keiretsu.demand.choice import Choice, choose
from keiretsu.demand.tastes import Tastes
from keiretsu.supply.kinks import BentMarket
from keiretsu.supply.pieces import PiecewiseWedges, segment_bounds, wedges_of
from keiretsu.supply.wedges import Wedges, paid, unit_margin
from keiretsu.supply.weights import ProfitWeights, seen_by_setters

REACH = 0.6  # how far from the end of a segment its best price is looked for, as a share of the present price
GOLDEN = (5**0.5 - 1) / 2
STEPS = 30  # golden-section steps: the bracket shrinks to 5e-7 of the reach, about a cent


@dataclass(frozen=True)
class Profile:
    """What is needed to move the prices of n products one at a time. `base` is each setter's objective now. (n, ...) arrays."""

    which: np.ndarray
    price: np.ndarray
    base: np.ndarray
    paid: np.ndarray  # (n, I)
    own: np.ndarray  # probability of j (n, I)
    in_sub: np.ndarray
    sub_in_group: np.ndarray
    group: np.ndarray
    same_sub: np.ndarray  # margins from other products of j's subgroup (n, I)
    same_group: np.ndarray
    elsewhere: np.ndarray
    keeps: np.ndarray  # weight of one euro of j's margin (n,)
    fee: np.ndarray
    inner: np.ndarray  # 1 - sigma_sub of j (n,)
    outer: np.ndarray  # 1 - sigma_group of j (n,)


def profile_of(market: BentMarket, price: np.ndarray, piece: np.ndarray, which: np.ndarray) -> Profile:
    """The profile at some prices for products ``which`` (n,), repeats allowed."""
    wedges = wedges_of(market.pieces, piece)
    choice = _choose(market.tastes, wedges, jnp.asarray(price))
    probability = np.asarray(choice.probability)
    shape = probability.shape
    q = np.broadcast_to(np.asarray(paid(wedges, jnp.asarray(price))), shape)
    margin = np.asarray(unit_margin(wedges, jnp.asarray(price), jnp.asarray(market.cost)))
    keeps, fees = (np.asarray(x) for x in _seen(market.weights))
    setter = np.asarray(market.weights.setter)[which]
    weighed = margin * probability
    sub, group, inner, outer = _nest_labels(market.tastes, shape[0])
    others = np.arange(shape[0])[None, :] != which[:, None]
    in_same_sub = others & (sub[None, :] == sub[which][:, None])
    in_same_group = others & (group[None, :] == group[which][:, None]) & ~in_same_sub
    rest = others & ~in_same_sub & ~in_same_group

    def worth(mask: np.ndarray) -> np.ndarray:
        return (keeps[setter] * mask) @ weighed + (fees[setter] * mask) @ probability

    own, same_sub, same_group, elsewhere = probability[which], worth(in_same_sub), worth(in_same_group), worth(rest)
    own_margin = keeps[setter, which][:, None] * np.broadcast_to(margin, shape)[which] + fees[setter, which][:, None]
    base = (own * own_margin + same_sub + same_group + elsewhere) @ np.asarray(market.tastes.weight)
    in_sub, in_group = _conditional(choice, probability, which)
    with np.errstate(divide="ignore", invalid="ignore"):
        sub_in_group = np.where(in_sub > 0, in_group / in_sub, 0.0)
        of_group = np.where(in_group > 0, own / in_group, 0.0)
    return Profile(which, price[which], base, q[which], own, in_sub, sub_in_group, of_group, same_sub, same_group, elsewhere,
                   keeps[setter, which], fees[setter, which], inner[which], outer[which])  # fmt: skip


def gains(market: BentMarket, profile: Profile, price: np.ndarray, piece: np.ndarray) -> np.ndarray:
    """Change of each setter's objective when product ``which[n]`` alone moves to ``price[n]`` on ``piece[n]`` (money a potential buyer). (n,)"""
    pieces, j = market.pieces, profile.which
    q = pieces.buyer_rate[j, piece] * price[:, None] + pieces.buyer_add[j, piece]
    margin = (pieces.maker_rate[j, piece] * price - market.cost[j])[:, None] - pieces.maker_charge[j, piece]
    alpha, weight = np.asarray(market.tastes.alpha), np.asarray(market.tastes.weight)
    odds = np.exp(-alpha * (q - profile.paid) / profile.inner[:, None])
    in_sub, sub_in_group, group = profile.in_sub, profile.sub_in_group, profile.group
    sum_sub = 1 - in_sub + in_sub * odds
    power = (profile.inner / profile.outer)[:, None]
    sum_group = 1 - sub_in_group + sub_in_group * sum_sub**power
    outer = profile.outer[:, None]
    total = 1 - group + group * sum_group**outer
    to_group = sum_group ** (outer - 1) / total
    to_sub = sum_sub ** (power - 1) * to_group
    own = profile.own * odds * to_sub
    worth = own * (profile.keeps[:, None] * margin + profile.fee[:, None])
    worth = worth + profile.same_sub * to_sub + profile.same_group * to_group + profile.elsewhere / total
    return worth @ weight - profile.base


def best_in_segment(market: BentMarket, profile: Profile, target: np.ndarray, wall: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Best price of each product inside the segment of piece ``target[n]``, all other prices standing still, and its gain. Two (n,)

    Searched by golden section from the end of the segment that is nearest to the present price, over `REACH` of that price.
    """
    pieces, j = market.pieces, profile.which
    low, high = segment_bounds(pieces.breaks[j], wall[j], target)
    centre = np.clip(profile.price, low, high)
    left = np.maximum(low, np.maximum(centre - REACH * profile.price, 0.0))
    right = np.minimum(high, centre + REACH * profile.price)

    def value(price: np.ndarray) -> np.ndarray:
        return gains(market, profile, price, _piece_within(pieces, wall, j, target, price))

    ends = (value(left), value(right))
    a, b = left.copy(), right.copy()
    c, d = b - GOLDEN * (b - a), a + GOLDEN * (b - a)
    at_c, at_d = value(c), value(d)
    for _ in range(STEPS):
        left_is_better = at_c > at_d
        b, a = np.where(left_is_better, d, b), np.where(left_is_better, a, c)
        fresh = np.where(left_is_better, b - GOLDEN * (b - a), a + GOLDEN * (b - a))
        at_fresh = value(fresh)
        c, d = np.where(left_is_better, fresh, d), np.where(left_is_better, c, fresh)
        at_c, at_d = np.where(left_is_better, at_fresh, at_d), np.where(left_is_better, at_c, at_fresh)
    inside = np.where(at_c > at_d, c, d)
    points = np.stack([left, right, inside])
    found = np.stack([*ends, np.maximum(at_c, at_d)])
    best = found.argmax(axis=0)
    column = np.arange(j.size)
    return points[best, column], found[best, column]


def objective(market: BentMarket, price: np.ndarray, piece: np.ndarray, firm: int) -> float:
    """What setter `firm` maximises, money a potential buyer."""
    return float(_objectives(market.tastes, wedges_of(market.pieces, piece), market.weights, jnp.asarray(market.cost), jnp.asarray(price))[firm])


@eqx.filter_jit
def _objectives(tastes: Tastes, wedges: Wedges, weights: ProfitWeights, cost: jnp.ndarray, price: jnp.ndarray) -> jnp.ndarray:
    probability = choose(tastes, paid(wedges, price)).probability
    earned = (unit_margin(wedges, price, cost) * probability) @ tastes.weight
    keeps, fees = seen_by_setters(weights)
    return keeps @ earned + fees @ (probability @ tastes.weight)


@eqx.filter_jit
def _choose(tastes: Tastes, wedges: Wedges, price: jnp.ndarray) -> Choice:
    return choose(tastes, paid(wedges, price))


_seen = eqx.filter_jit(seen_by_setters)


def _nest_labels(tastes: Tastes, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Subgroup and group of each product and one minus their parameters; without nests each product is its own. Four (J,)"""
    if tastes.nests is None:
        return np.arange(n), np.arange(n), np.ones(n), np.ones(n)
    nests = tastes.nests
    sub, group = np.asarray(nests.sub), np.asarray(nests.group)
    return sub, group, 1 - np.asarray(nests.sigma_sub)[sub], 1 - np.asarray(nests.sigma_group)[group]


def _conditional(choice: Choice, probability: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if choice.in_sub is None or choice.in_group is None:
        one = np.ones_like(probability[which])
        return one, one
    return np.asarray(choice.in_sub)[which], np.asarray(choice.in_group)[which]


def _piece_within(pieces: PiecewiseWedges, wall: np.ndarray, j: np.ndarray, target: np.ndarray, price: np.ndarray) -> np.ndarray:
    """The piece at a price, kept inside the segment of `target` where the price stands at one of its ends."""
    k = np.arange(pieces.breaks.shape[1])[None, :]
    first = (wall[j] & (k < target[:, None])) * (k + 1)
    last = np.where(wall[j] & (k >= target[:, None]), k, pieces.breaks.shape[1])
    at = (price[:, None] > pieces.breaks[j]).sum(axis=1)
    return np.clip(at, first.max(axis=1, initial=0), last.min(axis=1, initial=pieces.breaks.shape[1]))
