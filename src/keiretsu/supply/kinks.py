"""Equilibrium prices where taxes and incentives bend ([7]).

At a *kink* both what the buyer pays and what the maker keeps go on without a jump, but their slopes change. A price may stick there: raising
it does not pay with the slopes above, lowering it does not pay with those below. Solved by an outer loop around prices: prices that run past
a kink are held at it, held prices are let go on the side where moving pays. A breakpoint to be *jumped* (a notch, or a kink where
moving away pays on both sides) is a wall here; `supply.notches` decides on which side of it each price should be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np

from keiretsu.demand.tastes import Tastes
from keiretsu.errors import PricesNotSettled
from keiretsu.numerics.host import host
from keiretsu.supply.nearby import Nearby, pricing_of
from keiretsu.supply.packed import Look, Packed
from keiretsu.supply.pieces import NEAR_EUR, PiecewiseWedges, notches, wedges_of
from keiretsu.supply.pricing import Pricing, PricingOptions, solve_prices
from keiretsu.supply.weights import ProfitWeights

ONE_SIDED_EUR = 1e-6  # a price wants to leave a kink when its condition implies a price further off than this
ROUNDS = 60
ONE_BY_ONE_AFTER = 20  # rounds after which only the worst violation is acted on, which breaks ties that go back and forth


CrossingCost: TypeAlias = Callable[[np.ndarray, np.ndarray, np.ndarray, Sequence[int], float], float]


def free_to_cross(price: np.ndarray, piece: np.ndarray, share: np.ndarray, products: Sequence[int], gain_eur: float) -> float:
    """Crossing a notch costs nothing beyond what the setter's profit shows."""
    return 0.0


@dataclass(frozen=True)
class BentMarket:
    """What prices of one market depend on when wedges have several pieces. `cost` in EUR (J,); `held` prices nobody chooses (J,).

    `crossing_cost` is what a setter loses on top, EUR a year, when `products` move so that prices and pieces are as given, from
    market shares as given, and gain as much as given without it: a pool's shadow price moves with a large step of one of its cars.
    `seen` is the same market as somebody packed it before: the same tastes and weights. Left out, it is packed here.
    """

    tastes: Tastes
    pieces: PiecewiseWedges
    weights: ProfitWeights
    cost: np.ndarray
    held: np.ndarray
    where: str = "the market"
    labels: Sequence[str] = ()
    options: PricingOptions = field(default_factory=PricingOptions)
    crossing_cost: CrossingCost = free_to_cross
    seen: Nearby | None = None

    def label(self, product: int) -> str:
        return self.labels[product] if len(self.labels) else f"product {product}"

    @cached_property
    def nearby(self) -> Nearby:
        """The market as it is looked at from prices that are not far off; remembers its slopes."""
        return Nearby(Packed(self.tastes, self.weights)) if self.seen is None else self.seen


@dataclass(frozen=True)
class Stuck:
    """A price that stands at a breakpoint.

    Attributes
    ----------
    kind
        "kink": it sticks; "notch": it bunches at the end of its side.
    push_below_eur, push_above_eur
        How far the first-order condition with the piece below (above) would move the price: at a kink above and below zero. At a
        notch only the side in force counts and the other one is given as zero.
    attained
        False when the breakpoint itself belongs to the other side, so the price is as close to it as money allows.
    """

    product: int
    name: str
    label: str
    price_eur: float
    kind: Literal["kink", "notch"]
    push_below_eur: float
    push_above_eur: float
    attained: bool


@dataclass(frozen=True)
class BentPricing:
    """Prices with pieces: `price` (J,) EUR, `piece` in force (J,), who is stuck where, and the last solution of the free prices."""

    pricing: Pricing
    price: np.ndarray
    share: np.ndarray
    piece: np.ndarray
    stuck: tuple[Stuck, ...]
    rounds: int


def walls(pieces: PiecewiseWedges) -> np.ndarray:
    """Breakpoints that prices jump over rather than stick to: notches, and kinks above which raising the price pays more. (J, K-1)"""
    if not pieces.breaks.shape[1]:
        return np.zeros(pieces.breaks.shape, bool)
    rate = pieces.buyer_rate[:, :, :1] if pieces.buyer_rate.strides[2] == 0 else pieces.buyer_rate  # written out for every draw, but alike
    slope = pieces.maker_rate / rate.mean(axis=2)
    rising = np.diff(slope, axis=1) > 1e-12 * slope[:, 1:]
    return notches(pieces) | (np.isfinite(pieces.breaks) & rising)


def solve_kinks(market: BentMarket, start: np.ndarray, piece: np.ndarray, wall: np.ndarray) -> BentPricing:
    """Equilibrium when every price stays on its side of the walls around ``piece``.

    Parameters
    ----------
    start, piece
        Prices (EUR) and pieces to start from, (J,).
    wall
        Breakpoints not to be crossed, (J, K-1), as from `walls`.

    Raises
    ------
    PricesNotSettled
        When the set of stuck prices keeps changing.
    """
    return settle_kinks(market, np.asarray(market.held), start, piece, wall)[0]


def settle_kinks(market: BentMarket, held: np.ndarray, start: np.ndarray, piece: np.ndarray, wall: np.ndarray) -> tuple[BentPricing, Look]:
    """As `solve_kinks` with these prices held in place of the market's, (J,), and the market as it is seen there."""
    pieces, row = market.pieces, np.arange(market.pieces.n_products)
    price, piece = np.array(start, float), np.array(piece)
    at = _standing_at(pieces, price, piece, held)  # index of the breakpoint a price is held at, or -1
    wish = np.zeros(price.size)
    for rounds in range(1, ROUNDS + 1):
        stuck = at >= 0
        if stuck.any():
            price[stuck] = pieces.breaks[row[stuck], at[stuck]]
        pricing, look = _settled(market, price, piece, held | stuck)
        price = np.array(pricing.price)
        if not wall.shape[1]:
            return BentPricing(pricing, price, np.asarray(pricing.share), piece, (), rounds), look
        free = ~stuck & ~held
        low, high = piece_bounds(pieces, piece)
        over, under = free & (price > high + NEAR_EUR), free & (price < low - NEAR_EUR)
        beyond = np.where(over, price - high, np.where(under, low - price, 0.0))
        below, above = _pushes(market, look, piece, at, wall)
        # a kink lets go on the side where moving pays; a wall only inwards
        inner_below = stuck & (at == piece) & wall[row, np.maximum(at, 0)] if wall.shape[1] else np.zeros_like(stuck)
        inner_above = stuck & (at == piece - 1) & wall[row, np.maximum(at, 0)] if wall.shape[1] else np.zeros_like(stuck)
        down = stuck & ~inner_above & (below < -ONE_SIDED_EUR)
        up = stuck & ~inner_below & (above > ONE_SIDED_EUR) & ~down
        wish = beyond + np.where(down, -below, 0.0) + np.where(up, above, 0.0)
        if not wish.any():
            found = BentPricing(pricing, price, np.asarray(pricing.share), piece, _stuck(market, price, piece, at, wall, below, above), rounds)
            return found, look
        act = wish > 0 if rounds <= ONE_BY_ONE_AFTER else np.arange(wish.size) == int(wish.argmax())
        for j in np.flatnonzero(act):
            if over[j]:
                at[j] = piece[j]
            elif under[j]:
                at[j] = piece[j] - 1
            else:  # let go: into the piece below or above the breakpoint
                piece[j] = at[j] if down[j] else at[j] + 1
                at[j] = -1
    worst = int(wish.argmax())
    raise PricesNotSettled(
        "the set of prices that stick at kinks",
        where=f"{market.where}, {market.label(worst)}",
        residual=float(wish[worst]),
        unit="EUR",
        iterations=ROUNDS,
        next_step="start from other prices, or look for programmes whose kinks lie within cents of each other",
    )


def _settled(market: BentMarket, price: np.ndarray, piece: np.ndarray, held: np.ndarray) -> tuple[Pricing, Look]:
    """Prices from `price` with those `held` standing still, and the market there."""
    near, chosen = market.nearby, np.asarray(market.tastes.available) & ~held
    terms = near.packed.terms_on(market.pieces, piece, market.cost)
    found = near.settle(terms, price, chosen, market.options)
    if found is not None:
        return pricing_of(found, near.packed, price, chosen), found.look
    wedges = wedges_of(market.pieces, piece)
    pricing = solve_prices(
        market.tastes, wedges, market.weights, host(market.cost), host(price), host(held), market.options, where=market.where, labels=market.labels
    )  # fmt: skip
    return pricing, near.packed.look(terms, np.asarray(pricing.price))


def piece_bounds(pieces: PiecewiseWedges, piece: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest price of each product's piece, -inf and inf at the ends. Two (J,)"""
    n = pieces.n_products
    padded = np.concatenate([np.full((n, 1), -np.inf), pieces.breaks, np.full((n, 1), np.inf)], axis=1)
    row = np.arange(n)
    return padded[row, piece], padded[row, piece + 1]


def _standing_at(pieces: PiecewiseWedges, price: np.ndarray, piece: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Breakpoint at an end of its piece that a starting price stands at, or -1: where an earlier solution left it."""
    low, high = piece_bounds(pieces, piece)
    at_low, at_high = np.abs(price - low) <= NEAR_EUR, np.abs(price - high) <= NEAR_EUR
    return np.where(held, -1, np.where(at_high, piece, np.where(at_low, piece - 1, -1)))


def _pushes(market: BentMarket, look: Look, piece: np.ndarray, at: np.ndarray, wall: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far stuck prices would move under the piece below and under the piece above their breakpoint (EUR). Two (J,), else zero."""
    pieces, packed = market.pieces, look.packed
    found = np.zeros((2, at.size))
    stuck = np.flatnonzero(at >= 0)
    if stuck.size:
        walled = wall[stuck, at[stuck]]
        for side in (0, 1):
            # at a wall only the side in force counts; elsewhere a product costs and brings the same on both sides of its breakpoint
            mine = stuck[~walled | (piece[stuck] == at[stuck] + side)]
            on = np.where(wall[mine, at[mine]], piece[mine], at[mine] + side)
            rate = pieces.buyer_rate[mine, on]
            rate = rate if rate.shape[1] == 1 else rate[:, packed.draws]
            found[side, mine] = look.residual_with(packed.place[mine], rate, pieces.maker_rate[mine, on])
    return found[0], found[1]


def _stuck(
    market: BentMarket, price: np.ndarray, piece: np.ndarray, at: np.ndarray, wall: np.ndarray, below: np.ndarray, above: np.ndarray
) -> tuple[Stuck, ...]:
    found: list[Stuck] = []
    for j in map(int, np.flatnonzero(at >= 0)):
        k = int(at[j])
        is_wall = bool(wall[j, k])
        in_force_below = piece[j] == k
        attained = not is_wall or bool(market.pieces.closed_below[j, k]) == bool(in_force_below)
        kind: Literal["kink", "notch"] = "notch" if is_wall else "kink"
        found.append(Stuck(j, market.label(j), market.pieces.labels[j][k], float(price[j]), kind, float(below[j]), float(above[j]), attained))
    return tuple(found)
