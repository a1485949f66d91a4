"""A setter's profit as one of its prices moves and all others stand still, exactly and for many products at once.

When only product j's price changes, draw i's choice probabilities change through one number at each level of nests, so the whole
objective follows from three sums: margins that buyers bring elsewhere in j's subgroup, in the rest of its group, and in the rest of the market.
One evaluation for m products costs m exponentials a draw and not a new market. All (product, piece) pairs are looked at in single precision first; those that
may nearly pay are then looked at closely.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np

from keiretsu.supply.kinks import BentMarket
from keiretsu.supply.packed import Look

REACH = 0.6  # how far from the end of a piece its best price is looked for, as a share of the present price
GRID = np.array([0.0, 0.002, 0.01, 0.04, 0.12, 0.35, 1.0])  # shares of the reach, dense near the end where gains are lost fastest
STEPS = 40  # steps to the price at which profit stops rising; most take fewer than ten
NEAR_TOP = 1e-5  # share of its bracket to which that price is found: profit is flat there, so that the gain is right to 1e-10 of itself
CLOSE_LOOK = 1e-3  # share of a setter's profit: pairs that may come this near to paying are looked at closely
NO_CANDIDATE = 1e6  # times a setter's profit: a loss that stands for prices at which it cannot be worked out

Rows = TypeVar("Rows")


@dataclass(frozen=True)
class Profile:
    """What is needed to move the prices of m products one at a time. `base` is each setter's objective now.

    All (m,) or (m, I): `own` probability of j; `in_sub`, `sub_in_group`, `group` conditional ones; margins from other products of j's
    subgroup, of its group, and elsewhere; `keeps`, `fee` the weight of one euro of j's margin and the money on top;
    `inner`, `outer` one minus sigma of subgroup and group, `c1`, `c2` the coefficients of nest sums.
    """

    which: np.ndarray
    price: np.ndarray
    cost: np.ndarray
    base: np.ndarray
    paid: np.ndarray
    own: np.ndarray
    in_sub: np.ndarray
    sub_in_group: np.ndarray
    group: np.ndarray
    same_sub: np.ndarray
    same_group: np.ndarray
    elsewhere: np.ndarray
    keeps: np.ndarray
    fee: np.ndarray
    inner: np.ndarray
    outer: np.ndarray
    c1: np.ndarray
    c2: np.ndarray


@dataclass(frozen=True)
class Draws:
    """Price taste and weight of each draw, (I,), and whether subgroups differ from groups."""

    alpha: np.ndarray
    weight: np.ndarray
    two_levels: bool


@dataclass(frozen=True)
class Moved:
    """Affine terms of the pieces moved to: (m, I) or (m, 1), and (m,)."""

    rate: np.ndarray
    add: np.ndarray
    keep: np.ndarray
    charge: np.ndarray


def profile_of(market: BentMarket, price: np.ndarray, piece: np.ndarray, which: np.ndarray) -> Profile:
    """The profile at some prices for products ``which`` (m,), repeats allowed."""
    packed = market.nearby.packed
    return profile_from(packed.look(packed.terms_on(market.pieces, piece, market.cost), price), np.asarray(which, int))


def profile_from(look: Look, which: np.ndarray) -> Profile:
    """The same from a look at the market."""
    packed, nests, t = look.packed, look.packed.nests, look.terms
    at = packed.place[which]
    setter, sub, group = packed.setter[at], nests.sub[at], nests.group[at]
    own, in_sub = look.chance[at], look.in_sub[at]
    itself = own * (packed.keeps_own[at, None] * look.margin[at] + packed.fee_own[at, None])
    everywhere, of_group = look.earned[setter], look.earned_in_group[setter, group] * look.group[group]
    of_sub = look.earned_in_sub[setter, sub] * (look.sub_in_group[sub] * look.group[group]) if nests.two_levels else of_group
    rate, add = t.asked.rate[at], t.asked.add[at]
    return Profile(
        which, look.price[at], t.cost[at], look.objective[setter], rate * look.price[at, None] + add, own, in_sub,
        look.sub_in_group[sub], look.group[group], of_sub - itself, of_group - of_sub, everywhere - of_group,
        packed.keeps_own[at], packed.fee_own[at], nests.inner[at], nests.outer[at], nests.c1[at], nests.c2[at],
    )  # fmt: skip


def gains(market: BentMarket, profile: Profile, price: np.ndarray, piece: np.ndarray) -> np.ndarray:
    """Change of each setter's objective when product ``which[m]`` alone moves to ``price[m]`` on ``piece[m]`` (money a potential buyer). (m,)"""
    return _gain(_draws(market), profile, _moved(market, profile.which, piece), np.asarray(price, float))


def best_on_pieces(market: BentMarket, look: Look, which: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Best price of product ``which[m]`` on piece ``target[m]``, all other prices standing still as in `look`.

    Returns three (m,): prices (EUR), gains and the setters' objectives now (money a potential buyer). Looked for on a grid from the end of
    the piece that is nearest to the present price, over `REACH` of that price; where the grid leaves room for a gain above
    ``-CLOSE_LOOK`` of the objective, around its best point to where profit stops rising.
    """
    draws, profile, terms = _draws(market), profile_from(look, which), _moved(market, which, target)
    base, column = profile.base, np.arange(which.size)
    low, high = _reachable(market, profile.price, which, target)
    far = np.where(np.abs(low - profile.price) > np.abs(high - profile.price), low, high)
    end = np.where(far == low, high, low)
    grid = end[None, :] + GRID[:, None] * (far - end)[None, :]
    value = _rough(draws, profile, terms, grid)
    best = value.argmax(axis=0)
    at, gain = grid[best, column], value[best, column]
    closely = np.flatnonzero((_ceiling(grid, value) > -CLOSE_LOOK * np.abs(base)) | (gain == gain.max(initial=-np.inf)))
    if closely.size:
        below, above = grid[np.maximum(best - 1, 0), column], grid[np.minimum(best + 1, GRID.size - 1), column]
        near = _rows_of(profile, closely), _rows_of(terms, closely)
        at[closely], gain[closely] = _top(draws, *near, at[closely], below[closely], above[closely])
    return at, gain, base


def objective_after(market: BentMarket, look: Look, which: np.ndarray, target: np.ndarray, price: np.ndarray) -> float:
    """What the setter of products ``which`` (m,), each named once, would earn with all of them moved to ``price[m]`` on ``target[m]`` (money a potential buyer)."""
    packed, nests, t = look.packed, look.packed.nests, look.terms
    at = packed.place[which]
    f, moved = packed.setter[at[0]], _moved(market, which, target)
    paid = t.asked.rate[at] * look.price[at, None] + t.asked.add[at]
    grown = np.exp((paid - (moved.rate * price[:, None] + moved.add)) * packed.alpha / nests.inner[at, None])
    keeps, fee = packed.keeps[f, at, None], packed.fee[f, at, None]
    before, after = keeps * look.margin[at] + fee, keeps * ((moved.keep * price - t.cost[at])[:, None] - moved.charge) + fee
    inside, sub = look.in_sub[at], nests.sub[at]
    total, earned = np.ones_like(look.sub_in_group), look.earned_in_sub[f].copy()
    np.add.at(total, sub, inside * (grown - 1))
    np.add.at(earned, sub, inside * (after * grown - before))
    ratio = (nests.inner / nests.outer)[nests.sub_ends[:, 0], None]
    chance = look.sub_in_group * total**ratio
    of_group = np.add.reduceat(chance, nests.group_start, axis=0)
    group = look.group * of_group ** nests.outer[nests.group_ends[:, 0], None]
    group /= (group.sum(axis=0) + look.nothing) * of_group
    return float((earned / total * chance * group[nests.group_of_sub]).sum(axis=0) @ packed.weight)


def objective(market: BentMarket, price: np.ndarray, piece: np.ndarray, firm: int) -> float:
    """What setter `firm` maximises, money a potential buyer."""
    packed, weights = market.nearby.packed, market.weights
    look = packed.look(packed.terms_on(market.pieces, piece, market.cost), price)
    earned = (look.margin * look.chance) @ packed.weight
    kappa = np.asarray(weights.kappa)[firm]
    return float(kappa @ (np.asarray(weights.split)[:, packed.order] @ earned + np.asarray(weights.fee)[:, packed.order] @ look.share))


def _reachable(market: BentMarket, now: np.ndarray, which: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest price of a piece within reach of the end that is nearest to the present prices `now` (m,). Two (m,)"""
    breaks, row = market.pieces.breaks[which], np.arange(which.size)
    ends = np.concatenate([np.full((which.size, 1), -np.inf), breaks, np.full((which.size, 1), np.inf)], axis=1)
    low, high = ends[row, target], ends[row, target + 1]
    centre = np.clip(now, low, high)
    return np.maximum(low, np.maximum(centre - REACH * now, 0.0)), np.minimum(high, centre + REACH * now)


def _ceiling(grid: np.ndarray, value: np.ndarray) -> np.ndarray:
    """The most that a concave function with these values can reach between grid points. (m,)

    Between two points it lies below the line through the two points before and the line through the two points after.
    """
    slope = np.divide(np.diff(value, axis=0), np.diff(grid, axis=0), out=np.zeros_like(value[1:]), where=np.diff(grid, axis=0) != 0)
    width = np.diff(grid, axis=0)
    from_before = np.maximum(value[1:-2], value[1:-2] + slope[:-2] * width[1:-1])
    from_after = np.maximum(value[2:-1], value[2:-1] - slope[2:] * width[1:-1])
    inner = np.minimum(from_before, from_after)
    first = np.maximum(value[1], value[1] - slope[1] * width[0])
    last = np.maximum(value[-2], value[-2] + slope[-2] * width[-1])
    return np.maximum(np.maximum(inner.max(axis=0), np.maximum(first, last)), value.max(axis=0))


def _moved(market: BentMarket, which: np.ndarray, piece: np.ndarray) -> Moved:
    pieces, draws = market.pieces, market.nearby.packed.draws

    def on(values: np.ndarray) -> np.ndarray:
        if values.shape[2] == 1 or values.strides[2] == 0:
            return values[which, piece, :1]
        return values[which, piece] if draws.size == values.shape[2] else values[which, piece][:, draws]

    return Moved(on(pieces.buyer_rate), on(pieces.buyer_add), pieces.maker_rate[which, piece], on(pieces.maker_charge))


def _draws(market: BentMarket) -> Draws:
    packed = market.nearby.packed
    return Draws(packed.alpha, packed.weight, packed.nests.two_levels)


def _rough(draws: Draws, profile: Profile, terms: Moved, grid: np.ndarray) -> np.ndarray:
    """Gains at each row of `grid`, (G, m), in single precision where that can hold them: not those of buyers who would come for nearly nothing.

    A price at which no float can hold the odds, whole subgroups empty or everybody buying, is no candidate.
    """
    rough = _single(draws), _single(profile), _single(terms)
    with np.errstate(all="ignore"):
        value = np.stack([_gain(*rough, row) for row in grid.astype(np.float32)], dtype=float)
        again = np.flatnonzero(~np.isfinite(value).all(axis=0))
        if again.size:
            value[:, again] = [_gain(draws, _rows_of(profile, again), _rows_of(terms, again), row[again]) for row in grid]
    return np.where(np.isfinite(value), value, -NO_CANDIDATE * np.abs(profile.base))


def _single(record: Rows) -> Rows:
    """The same record in single precision."""
    return type(record)(*(x.astype(np.float32) if getattr(x, "dtype", None) == np.float64 else x for x in _values(record)))


def _rows_of(record: Rows, rows: np.ndarray) -> Rows:
    return type(record)(*(x[rows] for x in _values(record)))


def _values(record: object) -> list[np.ndarray]:
    return [getattr(record, field.name) for field in fields(record)]  # type: ignore[arg-type]


@dataclass(frozen=True)
class _After:
    """Once a price has moved, all (m, I): the setter's margin on j, j's probability, what its odds are multiplied by, the log of what its subgroup's sum is multiplied
    by, and what the setter earns in j's subgroup, in its group, and everywhere."""

    margin: np.ndarray
    own: np.ndarray
    grown: np.ndarray
    log_sub: np.ndarray
    of_sub: np.ndarray
    of_group: np.ndarray
    everywhere: np.ndarray


def _gain(draws: Draws, profile: Profile, terms: Moved, price: np.ndarray) -> np.ndarray:
    return _after(draws, profile, terms, price).everywhere @ draws.weight - profile.base


def _after(draws: Draws, profile: Profile, terms: Moved, price: np.ndarray) -> _After:
    inner, outer = profile.inner[:, None], profile.outer[:, None]
    margin = profile.keeps[:, None] * ((terms.keep * price - profile.cost)[:, None] - terms.charge) + profile.fee[:, None]
    change = profile.paid - (terms.rate * price[:, None] + terms.add)
    change = change * (draws.alpha / inner)
    grown = np.expm1(change)
    # log of what the subgroup's, the group's and the market's sums are multiplied by
    sub = np.log1p(profile.in_sub * grown)
    group = np.log1p(profile.sub_in_group * np.expm1(sub * (inner / outer))) if draws.two_levels else sub
    left = 1 / (1 + profile.group * np.expm1(group * outer))
    to_group = np.exp(group * (outer - 1)) * left
    to_sub = np.exp(sub * (inner / outer - 1)) * to_group if draws.two_levels else to_group
    grown += 1
    own = profile.own * grown * to_sub
    of_sub = own * margin + profile.same_sub * to_sub
    of_group = of_sub + profile.same_group * to_group if draws.two_levels else of_sub
    return _After(margin, own, grown, sub, of_sub, of_group, of_group + profile.elsewhere * left)


def _slope(draws: Draws, profile: Profile, terms: Moved, price: np.ndarray) -> np.ndarray:
    """Derivative of the gain by the price. (m,)"""
    after = _after(draws, profile, terms, price)
    inner, outer, sub = profile.inner[:, None], profile.outer[:, None], after.log_sub
    in_sub = profile.in_sub * after.grown * np.exp(-sub)
    found = after.own * (after.margin / inner - after.everywhere)
    if draws.two_levels:
        grown = np.exp(sub * (inner / outer))
        found -= profile.c1[:, None] * after.of_sub * in_sub
        in_group = in_sub * (profile.sub_in_group * grown / (1 + profile.sub_in_group * (grown - 1)))
    else:
        in_group = in_sub
    found -= profile.c2[:, None] * after.of_group * in_group
    return ((profile.keeps * terms.keep)[:, None] * after.own - draws.alpha * terms.rate * found) @ draws.weight


def _top(draws: Draws, profile: Profile, terms: Moved, best: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Best price of each pair between `a` and `b`, one of which may be `best`, and its gain. Two (m,)"""
    low, high = np.minimum(a, b), np.maximum(a, b)
    at_low, at_high = _slope(draws, profile, terms, low), _slope(draws, profile, terms, high)
    price = best.copy()
    inside = np.flatnonzero((at_low > 0) & (at_high < 0))
    if inside.size:
        price[inside] = _where_it_stops(
            draws, _rows_of(profile, inside), _rows_of(terms, inside), low[inside], high[inside], at_low[inside], at_high[inside]
        )  # fmt: skip
    gain = _gain(draws, profile, terms, price)
    end = _gain(draws, profile, terms, best)
    return np.where(gain > end, price, best), np.maximum(gain, end)


def _where_it_stops(
    draws: Draws, profile: Profile, terms: Moved, low: np.ndarray, high: np.ndarray, at_low: np.ndarray, at_high: np.ndarray
) -> np.ndarray:
    """Prices between `low`, where profit rises, and `high`, where it falls, at which it does neither: false position, an end that stays put counting half."""
    width = high - low
    side = np.zeros(low.size, int)
    price = low
    for _ in range(STEPS):
        before = price
        price = np.clip(low + (high - low) * at_low / (at_low - at_high), low, high)
        now = _slope(draws, profile, terms, price)
        rises = now > 0
        at_high = np.where(rises, np.where(side == 1, at_high / 2, at_high), now)
        at_low = np.where(rises, now, np.where(side == -1, at_low / 2, at_low))
        low, high = np.where(rises, price, low), np.where(rises, high, price)
        side = np.where(rises, 1, -1)
        if (np.abs(price - before) <= NEAR_TOP * width).all() or (now == 0).all():
            break
    return price
