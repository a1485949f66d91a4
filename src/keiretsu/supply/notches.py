"""Equilibrium prices where taxes and incentives jump ([7]).

At a *notch* (a price ceiling for a bonus, a duty bracket) a first-order condition says nothing: the setter compares its profit on both
sides. Starting from one side for each product, prices are solved by `supply.kinks`; then every setter tries, with rivals' prices
given, each of its products on each other side, one at a time and, where neither pays alone, in pairs. Whoever gains moves, and so on until nobody does. When choices
come round again, the combinations of the products involved are tried one by one; if none is an equilibrium, the error shows the cycle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations, product

import numpy as np

from keiretsu.errors import NoPureEquilibrium
from keiretsu.supply.kinks import BentMarket, BentPricing, Stuck, settle_kinks, walls
from keiretsu.supply.own_price import best_on_pieces, objective_after
from keiretsu.supply.packed import Look
from keiretsu.supply.pieces import piece_at
from keiretsu.supply.pricing import PricingOptions

TOGETHER_ROUNDS = 6  # rounds in which all setters move at once, before they take turns
TURNS = 60
TRIED_ONE_BY_ONE = 6  # products in a cycle up to which every combination of sides is tried
TOLERANCE = 1e-9  # share of the largest objective: gains below this are rounding
CLOSE = 1e-4  # share of a setter's profit: deviations closer to paying than this are solved anew with all of the setter's prices free
SURE = 4.0  # times what other prices add to second order that an option must be short of paying, not to be solved anew
ANSWERED = PricingOptions(
    tolerance_eur=1e-3, relative=1e-7
)  # of a setter's answer to its own move: its profit is flat there, right to 1e-12 of itself
PAIR_REACH = 5e-4  # share of a setter's profit: two moves that lose more than this together are not tried as a pair; what two cars of one
# setter do to each other's gain is their diversion times the change of a margin, less than that


@dataclass(frozen=True)
class Deviation:
    """A setter's way to another side: products and the pieces they would move to, and the gain in EUR a year."""

    setter: int
    products: tuple[int, ...]
    pieces: tuple[int, ...]
    prices: tuple[float, ...]
    gain_eur: float


@dataclass(frozen=True)
class _Option:
    """A deviation of one setter while it is being weighed; `gain` in money a potential buyer."""

    products: tuple[int, ...]
    pieces: tuple[int, ...]
    prices: tuple[float, ...]
    gain: float


@dataclass(frozen=True)
class Settled:
    """Prices from which nobody gains by crossing a notch.

    Attributes
    ----------
    best_deviation_eur
        Largest gain found among deviations tried, EUR a year, at most zero (-inf when there is no notch).
    tried
        Deviations looked at in the last round, single and in pairs.
    rounds
        Times that prices were solved.
    """

    prices: BentPricing
    best_deviation_eur: float
    tried: int
    rounds: int

    @property
    def stuck(self) -> tuple[Stuck, ...]:
        return self.prices.stuck


def solve_piecewise(market: BentMarket, start: np.ndarray, potential: float) -> Settled:
    """Equilibrium under piecewise-affine taxes and incentives, kinks and notches.

    Parameters
    ----------
    start
        Prices to start from (EUR), and prices of held products. (J,)
    potential
        Potential buyers a year, to state gains in EUR a year.

    Raises
    ------
    NoPureEquilibrium
        When best responses go round and no combination of sides of the products involved is an equilibrium.
    PricesNotSettled, PricingError
        From `solve_prices` and `solve_kinks`.
    """
    return solve_from_pieces(market, start, piece_at(market.pieces, np.asarray(start, float)), potential)


def solve_from_pieces(market: BentMarket, start: np.ndarray, piece: np.ndarray, potential: float) -> Settled:
    """As `solve_piecewise`, from prices and pieces (J,) that an earlier solution ended with: who was stuck starts stuck."""
    wall = walls(market.pieces)
    first, look = settle_kinks(market, np.asarray(market.held), np.asarray(start, float), piece, wall)
    if not wall.any():
        return Settled(first, -np.inf, 0, first.rounds)
    return _take_turns(market, _Now(first, look), wall, potential)


def cross_once(market: BentMarket, start: np.ndarray, piece: np.ndarray, potential: float, choose: Callable[[list[Deviation]], Deviation]) -> Settled:
    """As `solve_from_pieces`, with at most one setter crossing: the one that `choose` picks of those that gain. Nobody need be settled after it."""
    wall = walls(market.pieces)
    now = _Now(*settle_kinks(market, np.asarray(market.held), np.asarray(start, float), piece, wall))
    better, tried, highest = _deviations(market, now, wall, potential)
    if better:
        now = _taken(market, now, wall, [choose(better)])
    return Settled(now.prices, highest, tried, now.prices.rounds)


@dataclass(frozen=True)
class _Now:
    """Prices and the market as it is seen at them."""

    prices: BentPricing
    look: Look


def _take_turns(market: BentMarket, now: _Now, wall: np.ndarray, potential: float) -> Settled:
    rounds, states, gains, movers = now.prices.rounds, [_sides(now.prices, wall)], [], []
    for turn in range(TURNS):
        better, tried, closest = _deviations(market, now, wall, potential)
        if not better:
            return Settled(now.prices, closest, tried, rounds)
        gains.append(max(d.gain_eur for d in better))
        moves = better if turn < TOGETHER_ROUNDS else better[:1]
        if turn >= TOGETHER_ROUNDS:
            movers.append(moves[0])
        now = _taken(market, now, wall, moves)
        rounds += now.prices.rounds
        state = _sides(now.prices, wall)
        if turn >= TOGETHER_ROUNDS and state in states[TOGETHER_ROUNDS:]:
            return _try_all(market, now, wall, potential, movers, max(gains[TOGETHER_ROUNDS:]))
        states.append(state)
    return _try_all(market, now, wall, potential, movers, max(gains[TOGETHER_ROUNDS:]))


def deviations(market: BentMarket, now: BentPricing, wall: np.ndarray, potential: float) -> tuple[list[Deviation], int, float]:
    """Deviations across walls that pay, the best of each setter, largest gain first; how many were tried; the largest gain of all (EUR)."""
    return _deviations(market, _Now(now, _look_at(market, now.price, now.piece)), wall, potential)


def _deviations(market: BentMarket, seen: _Now, wall: np.ndarray, potential: float) -> tuple[list[Deviation], int, float]:
    now, look = seen.prices, seen.look
    which, target, side = _alternatives(market, now, wall)
    if not which.size:
        return [], 0, -np.inf
    tried, found = which.size, dict[int, Deviation]()
    price, gain, profit = best_on_pieces(market, look, which, target)
    best = _best_of_each_side(which, side, gain)
    which, target, price, gain, profit = which[best], target[best], price[best], gain[best], profit[best]
    setter = np.asarray(market.weights.setter)[which]
    tolerance = TOLERANCE * float(np.abs(profit).max())
    highest = float(gain[gain <= tolerance].max(initial=-np.inf) * potential)
    for f in np.unique(setter):
        mine = np.flatnonzero(setter == f)
        scale = float(np.abs(profit[mine]).max())
        if gain[mine].max() < -max(CLOSE, PAIR_REACH) * scale:
            continue
        options = [_Option((int(which[n]),), (int(target[n]),), (float(price[n]),), float(gain[n])) for n in mine]
        pairs = [] if max(option.gain for option in options) > tolerance else _near_pairs(mine, which, gain, scale)
        for a, b in pairs:
            pair = np.array([a, b])
            more = objective_after(market, look, which[pair], target[pair], price[pair]) - _objective(look, int(f))
            options.append(_Option((int(which[a]), int(which[b])), (int(target[a]), int(target[b])), (float(price[a]), float(price[b])), more))
        tried += len(pairs)
        options.sort(key=lambda option: -option.gain)
        for option in options:
            if option.gain < -CLOSE * scale:
                break
            # so close to paying that the setter's other prices decide: let all of them adjust
            gain_eur = potential * (option.gain if option.gain > tolerance else _best_response(market, seen, wall, int(f), option))
            if gain_eur > tolerance * potential:
                gain_eur -= market.crossing_cost(*_put(now, option), now.share, option.products, gain_eur)
            highest = max(highest, gain_eur)
            if gain_eur > tolerance * potential:
                found[int(f)] = Deviation(int(f), option.products, option.pieces, option.prices, gain_eur)
                break
    return sorted(found.values(), key=lambda d: -d.gain_eur), tried, highest


def _look_at(market: BentMarket, price: np.ndarray, piece: np.ndarray) -> Look:
    packed = market.nearby.packed
    return packed.look(packed.terms_on(market.pieces, piece, market.cost), price)


def _objective(look: Look, f: int) -> float:
    """What setter f maximises, money a potential buyer."""
    return float(look.objective[int(np.searchsorted(look.packed.firm, f))])


def _near_pairs(mine: np.ndarray, which: np.ndarray, gain: np.ndarray, scale: float) -> list[tuple[int, int]]:
    """Pairs of a setter's single moves that could pay together although neither pays alone."""
    near = [int(n) for n in mine if gain[n] > -PAIR_REACH * scale]
    return [(a, b) for a, b in combinations(near, 2) if which[a] != which[b] and gain[a] + gain[b] > -PAIR_REACH * scale]


def _alternatives(market: BentMarket, now: BentPricing, wall: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every piece in another segment than its own for each product whose price is chosen: product, piece, segment. Three (n,)"""
    segment = _segments(wall)
    chosen = ~np.asarray(market.held) & np.asarray(market.tastes.available)
    real = np.concatenate([np.ones((wall.shape[0], 1), bool), np.isfinite(market.pieces.breaks)], axis=1)
    row = np.arange(wall.shape[0])
    which, target = np.nonzero(real & chosen[:, None] & (segment != segment[row, now.piece][:, None]))
    return which, target, segment[which, target]


def _best_of_each_side(which: np.ndarray, side: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Indices of the best piece of each product and segment, in order."""
    order = np.lexsort((-gain, side, which))
    first = np.ones(order.size, bool)
    first[1:] = (np.diff(which[order]) != 0) | (np.diff(side[order]) != 0)
    return order[first]


def _segments(wall: np.ndarray) -> np.ndarray:
    """Segment between walls of each product's pieces. (J, K)"""
    return np.concatenate([np.zeros((wall.shape[0], 1), int), np.cumsum(wall, axis=1)], axis=1)


def _sides(now: BentPricing, wall: np.ndarray) -> tuple[int, ...]:
    """Which segment each product is in."""
    return tuple(_segments(wall)[np.arange(wall.shape[0]), now.piece])


def _put(now: BentPricing, option: _Option) -> tuple[np.ndarray, np.ndarray]:
    price, piece = now.price.copy(), now.piece.copy()
    price[list(option.products)], piece[list(option.products)] = option.prices, option.pieces
    return price, piece


def _taken(market: BentMarket, now: _Now, wall: np.ndarray, moves: list[Deviation]) -> _Now:
    """The market once these moves are made and all prices have answered."""
    price, piece = now.prices.price.copy(), now.prices.piece.copy()
    for move in moves:
        price[list(move.products)], piece[list(move.products)] = move.prices, move.pieces
    return _Now(*settle_kinks(market, np.asarray(market.held), price, piece, wall))


def _best_response(market: BentMarket, now: _Now, wall: np.ndarray, f: int, option: _Option) -> float:
    """Gain of setter f when it takes an option and re-sets all its prices, rivals' prices given (money a potential buyer).

    To second order where that leaves the option far from paying.
    """
    price, piece = _put(now.prices, option)
    about = _from_other_prices(market, now, _look_at(market, price, piece), f, option)
    if option.gain + SURE * about < 0:
        return option.gain + about
    held = np.asarray(market.held) | (np.asarray(market.weights.setter) != f)
    _, after = settle_kinks(replace(market, options=ANSWERED, seen=market.nearby), held, price, piece, wall)
    return _objective(after, f) - _objective(now.look, f)


def _from_other_prices(market: BentMarket, now: _Now, look: Look, f: int, option: _Option) -> float:
    """What setter f gains by re-setting its other free prices once an option is taken, to second order (money a potential buyer); inf where that is not known."""
    slopes, packed = market.nearby.slopes, look.packed
    free = np.asarray(market.tastes.available) & ~np.asarray(market.held) & (np.asarray(market.weights.setter) == f)
    free[[*option.products, *(one.product for one in now.prices.stuck)]] = False
    mine = packed.place[np.flatnonzero(free)]
    if slopes is None:
        return np.inf
    step = np.linalg.solve(slopes[np.ix_(mine, mine)], -look.residual[mine])
    gained = float(look.condition[mine] @ step) / 2
    return gained if gained >= 0 else np.inf


def _try_all(market: BentMarket, now: _Now, wall: np.ndarray, potential: float, movers: list[Deviation], gain_eur: float) -> Settled:
    involved = sorted({j for move in movers for j in move.products})
    if len(involved) <= TRIED_ONE_BY_ONE:
        segments = [sorted({int(s) for s in np.concatenate([[0], np.cumsum(wall[j])])}) for j in involved]
        for choice in product(*segments):
            piece = now.prices.piece.copy()
            for j, s in zip(involved, choice, strict=True):
                piece[j] = int(np.flatnonzero(np.concatenate([[0], np.cumsum(wall[j])]) == s)[0])
            tried = _Now(*settle_kinks(market, np.asarray(market.held), now.prices.price, piece, wall))
            better, number, closest = _deviations(market, tried, wall, potential)
            if not better:
                return Settled(tried.prices, closest, number, tried.prices.rounds)
    steps = [" with ".join(f"{market.label(j)} to EUR {p:,.0f}" for j, p in zip(move.products, move.prices, strict=True)) for move in movers]
    raise NoPureEquilibrium(market.where, steps[-2 * max(len(involved), 1) :], gain_eur)
