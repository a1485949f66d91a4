"""A setter's profit as one of its prices moves and all others stand still, exactly and for many products at once.

When only product j's price changes, draw i's choice probabilities change through one number at each level of nests, so the whole
objective follows from three sums: margins that buyers bring elsewhere in j's subgroup, in the rest of its group, and in the rest of the market.
One evaluation for n products costs n exponentials a draw and not a new market. (Product, piece) pairs go through two small compiled programs in
blocks of one size, whatever the market; only pairs that nearly pay are looked at closely.
"""

from __future__ import annotations

from typing import TypeAlias, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from keiretsu.demand.tastes import Tastes
from keiretsu.numerics.host import host
from keiretsu.supply.chosen import choice_now
from keiretsu.supply.kinks import BentMarket
from keiretsu.supply.pieces import wedges_of
from keiretsu.supply.wedges import paid, unit_margin
from keiretsu.supply.weights import seen_by_setters

REACH = 0.6  # how far from the end of a piece its best price is looked for, as a share of the present price
GRID = np.array([0.0, 0.002, 0.01, 0.04, 0.12, 0.35, 1.0])  # shares of the reach, dense near the end where gains are lost fastest
GOLDEN = (5**0.5 - 1) / 2
STEPS = 28  # golden-section steps: the bracket shrinks to 1.4e-6 of its width, some cents, and a gain there is right to 1e-10 of itself
BLOCK = 16  # pairs that go through a compiled program at once, the last block filled up
CLOSE_LOOK = 1e-3  # share of a setter's profit: pairs that may come this near to paying are searched to the cent


Draws: TypeAlias = tuple[Float[Array, " I"], Float[Array, " I"]]  # price taste and weight of each draw
Rows = TypeVar("Rows", bound=eqx.Module)


class Profile(eqx.Module):
    """What is needed to move the prices of n products one at a time. `base` is each setter's objective now.

    All (n,) or (n, I), NumPy: `own` probability of j; `in_sub`, `sub_in_group`, `group` conditional ones; margins from other products of j's
    subgroup, of its group, and elsewhere; `keeps`, `fee` the weight of one euro of j's margin and the money on top;
    `inner`, `outer` one minus sigma of subgroup and group.
    """

    which: Int[Array, " n"]
    price: Float[Array, " n"]
    cost: Float[Array, " n"]
    base: Float[Array, " n"]
    paid: Float[Array, "n I"]
    own: Float[Array, "n I"]
    in_sub: Float[Array, "n I"]
    sub_in_group: Float[Array, "n I"]
    group: Float[Array, "n I"]
    same_sub: Float[Array, "n I"]
    same_group: Float[Array, "n I"]
    elsewhere: Float[Array, "n I"]
    keeps: Float[Array, " n"]
    fee: Float[Array, " n"]
    inner: Float[Array, " n"]
    outer: Float[Array, " n"]


class Terms(eqx.Module):
    """Affine terms of the pieces moved to."""

    buyer_rate: Float[Array, "n I"]
    buyer_add: Float[Array, "n I"]
    maker_rate: Float[Array, " n"]
    maker_charge: Float[Array, "n I"]


def profile_of(market: BentMarket, price: np.ndarray, piece: np.ndarray, which: np.ndarray) -> Profile:
    """The profile at some prices for products ``which`` (n,), repeats allowed."""
    seen = _Seen(market, price, piece)
    return seen.profile(np.asarray(which, int))


def gains(market: BentMarket, profile: Profile, price: np.ndarray, piece: np.ndarray) -> np.ndarray:
    """Change of each setter's objective when product ``which[n]`` alone moves to ``price[n]`` on ``piece[n]`` (money a potential buyer). (n,)"""
    return _gains_of(market, profile, _terms(market, np.asarray(profile.which), piece), np.asarray(price)[None, :])[0]


def best_on_pieces(
    market: BentMarket, price: np.ndarray, piece: np.ndarray, which: np.ndarray, target: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Best price of product ``which[n]`` on piece ``target[n]``, all other prices standing still.

    Returns three (n,): prices (EUR), gains and the setters' objectives now (money a potential buyer). Looked for on a grid from the end of
    the piece that is nearest to the present price, over `REACH` of that price; where the grid leaves room for a gain above
    ``-CLOSE_LOOK`` of the objective, by golden section around its best point.
    """
    profile = profile_of(market, price, piece, which)
    terms = _terms(market, which, target)
    low, high = _reachable(market, price, which, target)
    far = np.where(np.abs(low - price[which]) > np.abs(high - price[which]), low, high)
    end = np.where(far == low, high, low)
    grid = end[None, :] + GRID[:, None] * (far - end)[None, :]
    value = _gains_of(market, profile, terms, grid)
    best = value.argmax(axis=0)
    column = np.arange(which.size)
    at, gain, base = grid[best, column], value[best, column], np.asarray(profile.base)
    hopeful = np.flatnonzero(_ceiling(grid, value) > -CLOSE_LOOK * np.abs(base))
    if hopeful.size:
        below, above = grid[np.maximum(best - 1, 0), column], grid[np.minimum(best + 1, GRID.size - 1), column]
        found, found_gain = _closely(market, _rows_of(profile, hopeful), _rows_of(terms, hopeful), below[hopeful], above[hopeful])
        better = found_gain > gain[hopeful]  # the end of a piece itself stays where it is best
        at[hopeful] = np.where(better, found, at[hopeful])
        gain[hopeful] = np.where(better, found_gain, gain[hopeful])
    return at, gain, base


def objective(market: BentMarket, price: np.ndarray, piece: np.ndarray, firm: int) -> float:
    """What setter `firm` maximises, money a potential buyer."""
    wedges, weights = wedges_of(market.pieces, piece), market.weights
    probability = choice_now(market.tastes, wedges, price).probability
    weight = np.asarray(market.tastes.weight)
    margin = np.asarray(unit_margin(wedges, host(price), host(market.cost)))
    kappa = np.asarray(weights.kappa)[firm]
    earned = (probability @ weight) * margin[:, 0] if margin.shape[1] == 1 else (margin * probability) @ weight
    return float(kappa @ (np.asarray(weights.split) @ earned + np.asarray(weights.fee) @ (probability @ weight)))


def _reachable(market: BentMarket, price: np.ndarray, which: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest price of a piece within reach of the end that is nearest to the present price. Two (n,)"""
    breaks, now, row = market.pieces.breaks[which], price[which], np.arange(which.size)
    ends = np.concatenate([np.full((which.size, 1), -np.inf), breaks, np.full((which.size, 1), np.inf)], axis=1)
    low, high = ends[row, target], ends[row, target + 1]
    centre = np.clip(now, low, high)
    return np.maximum(low, np.maximum(centre - REACH * now, 0.0)), np.minimum(high, centre + REACH * now)


def _ceiling(grid: np.ndarray, value: np.ndarray) -> np.ndarray:
    """The most that a concave function with these values can reach between grid points. (n,)

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


def _terms(market: BentMarket, which: np.ndarray, piece: np.ndarray) -> Terms:
    pieces, wide = market.pieces, (which.size, market.tastes.alpha.shape[0])
    return Terms(
        host(np.broadcast_to(pieces.buyer_rate[which, piece], wide)),
        host(np.broadcast_to(pieces.buyer_add[which, piece], wide)),
        host(pieces.maker_rate[which, piece]),
        host(np.broadcast_to(pieces.maker_charge[which, piece], wide)),
    )


def _draws(market: BentMarket) -> Draws:
    return market.tastes.alpha, market.tastes.weight


def _rows_of(record: Rows, rows: np.ndarray) -> Rows:
    return jax.tree.map(lambda leaf: np.asarray(leaf)[rows], record)


class _Seen:
    """A market at some prices as its setters see it."""

    def __init__(self, market: BentMarket, price: np.ndarray, piece: np.ndarray) -> None:
        self.tastes, self.price, self.cost = market.tastes, np.asarray(price), np.asarray(market.cost)
        wedges = wedges_of(market.pieces, piece)
        self.choice = choice_now(market.tastes, wedges, price)
        shape = self.choice.probability.shape
        self.paid = np.broadcast_to(np.asarray(paid(wedges, host(price))), shape)
        self.margin = np.broadcast_to(np.asarray(unit_margin(wedges, host(price), host(market.cost))), shape)
        self.setter = np.asarray(market.weights.setter)
        self.keeps, self.fees = map(np.asarray, seen_by_setters(market.weights))

    def profile(self, which: np.ndarray) -> Profile:
        probability, setter = np.asarray(self.choice.probability), self.setter[which]
        money = np.concatenate([self.margin * probability, probability])
        seen = np.concatenate([self.keeps, self.fees], axis=1)
        sub, group, inner, outer = _nest_labels(self.tastes, probability.shape[0])

        def worth(label: np.ndarray) -> np.ndarray:
            mask = label[which][:, None] == label[None, :]
            return (seen[setter] * np.concatenate([mask, mask], axis=1)) @ money

        own, own_keeps, own_fee = probability[which], self.keeps[setter, which], self.fees[setter, which]
        itself = own * (own_keeps[:, None] * self.margin[which] + own_fee[:, None])
        everywhere = (seen @ money)[setter]
        ones = np.ones(own.shape)
        in_sub, in_group = (ones if x is None else np.asarray(x)[which] for x in (self.choice.in_sub, self.choice.in_group))
        of_sub = itself if self.tastes.nests is None else worth(sub)
        of_group = of_sub if self.tastes.nests is None else worth(group)
        found = {
            "which": which,
            "price": self.price[which],
            "cost": self.cost[which],
            "base": everywhere @ np.asarray(self.tastes.weight),
            "paid": self.paid[which],
            "own": own,
            "in_sub": in_sub,
            "sub_in_group": np.where(in_sub > 0, in_group / np.where(in_sub > 0, in_sub, 1.0), 0.0),
            "group": np.where(in_group > 0, own / np.where(in_group > 0, in_group, 1.0), 0.0),
            "same_sub": of_sub - itself,
            "same_group": of_group - of_sub,
            "elsewhere": everywhere - of_group,
            "keeps": own_keeps,
            "fee": own_fee,
            "inner": inner[which],
            "outer": outer[which],
        }
        return Profile(**{name: host(values) for name, values in found.items()})


def _gains_of(market: BentMarket, profile: Profile, terms: Terms, price: np.ndarray) -> np.ndarray:
    """`_gain` of each pair at each row of `price`, (G, n)."""
    draws = _draws(market)
    parts = [_gains(draws, _rows_of(profile, rows), _rows_of(terms, rows), host(price[:, rows])) for rows in _blocks(price.shape[1])]
    return np.concatenate([np.asarray(part) for part in parts], axis=1)[:, : price.shape[1]]


def _closely(market: BentMarket, profile: Profile, terms: Terms, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Best price of each pair between `a` and `b`, and its gain. Two (n,)"""
    draws = _draws(market)
    parts = [_golden(draws, _rows_of(profile, rows), _rows_of(terms, rows), host(a[rows]), host(b[rows])) for rows in _blocks(a.size)]
    at, gain = (np.concatenate([np.asarray(part[k]) for part in parts])[: a.size] for k in (0, 1))
    return at, gain


def _blocks(count: int) -> list[np.ndarray]:
    """Indices 0 to count - 1 in blocks of `BLOCK`, the last one filled with its own first index."""
    found = [np.arange(first, min(first + BLOCK, count)) for first in range(0, count, BLOCK)]
    return [np.concatenate([rows, np.full(BLOCK - rows.size, rows[0])]) for rows in found]


def _gain(draws: Draws, profile: Profile, terms: Terms, price: Float[Array, " n"]) -> Float[Array, " n"]:
    alpha, weight = draws
    q = terms.buyer_rate * price[:, None] + terms.buyer_add
    margin = (terms.maker_rate * price - profile.cost)[:, None] - terms.maker_charge
    inner, outer = profile.inner[:, None], profile.outer[:, None]
    change = -alpha * (q - profile.paid) / inner
    # log of what the subgroup's, the group's and the market's sums are multiplied by
    sub = jnp.log1p(profile.in_sub * jnp.expm1(change))
    group = jnp.log1p(profile.sub_in_group * jnp.expm1(sub * (inner / outer)))
    total = jnp.log1p(profile.group * jnp.expm1(group * outer))
    to_group = jnp.exp(group * (outer - 1) - total)
    to_sub = jnp.exp(sub * (inner / outer - 1)) * to_group
    worth = profile.own * jnp.exp(change) * to_sub * (profile.keeps[:, None] * margin + profile.fee[:, None])
    worth = worth + profile.same_sub * to_sub + profile.same_group * to_group + profile.elsewhere * jnp.exp(-total)
    return worth @ weight - profile.base


@eqx.filter_jit
def _gains(draws: Draws, profile: Profile, terms: Terms, price: Float[Array, "G n"]) -> Float[Array, "G n"]:
    return jax.lax.map(lambda row: _gain(draws, profile, terms, row), price)


@eqx.filter_jit
def _golden(
    draws: Draws, profile: Profile, terms: Terms, a: Float[Array, " n"], b: Float[Array, " n"]
) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
    """Best price between a and b of each pair and its gain, by golden section."""

    def step(_: int, state: tuple[Array, ...]) -> tuple[Array, ...]:
        a, b, c, d, at_c, at_d = state
        left = at_c > at_d
        b, a = jnp.where(left, d, b), jnp.where(left, a, c)
        fresh = jnp.where(left, b - GOLDEN * (b - a), a + GOLDEN * (b - a))
        at_fresh = _gain(draws, profile, terms, fresh)
        c, d = jnp.where(left, fresh, d), jnp.where(left, c, fresh)
        return a, b, c, d, jnp.where(left, at_fresh, at_d), jnp.where(left, at_c, at_fresh)

    c, d = b - GOLDEN * (b - a), a + GOLDEN * (b - a)
    state = (a, b, c, d, _gain(draws, profile, terms, c), _gain(draws, profile, terms, d))
    a, b, c, d, at_c, at_d = jax.lax.fori_loop(0, STEPS, step, state)
    return jnp.where(at_c > at_d, c, d), jnp.maximum(at_c, at_d)


def _nest_labels(tastes: Tastes, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Subgroup and group of each product and one minus their parameters; without nests each product is its own. Four (J,)"""
    if tastes.nests is None:
        return np.arange(n), np.arange(n), np.ones(n), np.ones(n)
    sub, group = np.asarray(tastes.nests.sub), np.asarray(tastes.nests.group)
    return sub, group, 1 - np.asarray(tastes.nests.sigma_sub)[sub], 1 - np.asarray(tastes.nests.sigma_group)[group]
