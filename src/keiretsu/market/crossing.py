"""What it is worth to a setter to cross a notch when the step moves its pool's shadow price ([7], [10]).

A first-order condition takes the shadow price as given. A car that jumps over a price ceiling moves its pool's balance by thousands of cars, and the pool has to make up for it
at a price that changes on the way. The setter is charged what that costs: with balance B(l) of the pool after the step at shadow price l, and l' the price that clears it,
the integral of B from the old price to l', on top of B at the old price. For a maker alone in its pool that is exactly what its profit changes by when it crosses, keeps to its
target and sets all its own prices anew, prices of everybody outside the pool given. The day on which a pot of money is empty is given too.

Far from the margin slopes decide; where they could decide wrongly, the pool is cleared anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from keiretsu.market.cells import Cell
from keiretsu.market.clearing import Balance, ClearingOptions, clear_smooth_pools
from keiretsu.market.frozen import Frozen
from keiretsu.market.regulated import Found, Prepared
from keiretsu.supply.chosen import choice_now
from keiretsu.supply.kinks import BentMarket, BentPricing, CrossingCost, solve_kinks, walls
from keiretsu.supply.own_price import objective
from keiretsu.supply.pieces import wedges_of

CLEAR = 4.0  # a gain this many times the cost that slopes give, or this much below it, is beyond doubt: slopes were never off by a factor of two
BENDS = 0.05  # share of a gain that a balance's bend may make up for three points on its way to be enough: what they miss is a small part of that
PART_OF_BALANCE = 1e-3  # of the step's balance: how closely a pool is cleared for a step that is only weighed


def crossing_cost(frozen: Frozen, cell: Cell, price: np.ndarray, balance: np.ndarray) -> CrossingCost:
    """What a crossing in a cell costs at cleared shadow prices and balances (P,), beyond its burden at those prices (EUR over the cell's share of the year)."""
    at = frozen.cells.prepared(cell)
    by_slopes = roughly(frozen, cell, price, balance)

    def cost(moved: np.ndarray, piece: np.ndarray, share: np.ndarray, products: Sequence[int], gain_eur: float) -> float:
        rough = by_slopes(moved, piece, share, products, gain_eur)
        if at.quotas or rough <= 0 or not rough / CLEAR < gain_eur < rough * CLEAR:
            return rough
        return gain_eur - gain_with_pool_cleared(frozen, cell, price, moved, piece, products)

    return cost


def roughly(frozen: Frozen, cell: Cell, price: np.ndarray, balance: np.ndarray) -> CrossingCost:
    """The same by slopes, for a balance that falls in a straight line: a step that leaves a pool with x moves its price by d, and costs ``d x - d^2 slope / 2``."""
    at, burden = frozen.cells.prepared(cell), frozen.group.burden[cell[0]]
    slope, cap = np.maximum(-np.diag(frozen.slopes_found), 1e-12), frozen.group.cap
    cleared, cars = frozen.share(cell), frozen.potential(cell)

    def worth(p: int, share: np.ndarray) -> float:
        left = float(balance[p] + cars * burden[:, p] @ (share - cleared))
        moved = np.clip(price[p] + left / slope[p], 0.0, cap[p]) - price[p]
        return float(moved * left - moved**2 * slope[p] / 2)

    def cost(moved: np.ndarray, piece: np.ndarray, share: np.ndarray, products: Sequence[int], gain_eur: float) -> float:
        chosen = choice_now(at.market.tastes, wedges_of(at.pieces, piece), moved)
        after = np.asarray(chosen.probability) @ np.asarray(at.market.tastes.weight)
        return sum(worth(int(p), after) - worth(int(p), share) for p in np.flatnonzero((burden[list(products)] != 0).any(axis=0)))

    return cost


def gain_with_pool_cleared(frozen: Frozen, cell: Cell, price: np.ndarray, moved: np.ndarray, piece: np.ndarray, products: Sequence[int]) -> float:
    """Gain of the setter of `products` from prices and pieces as given (J,), with its pool cleared anew (EUR over the cell's share of the year).

    All prices of the pool's makers and of the setter are set anew at each shadow price; those of everybody else, in all cells, stand still.
    """
    at, group = frozen.cells.prepared(cell), frozen.group
    setter = int(np.asarray(at.market.weights.setter)[products[0]])
    pools = np.flatnonzero((group.burden[cell[0]][list(products)] != 0).any(axis=0))
    still = {other: _not_answering(frozen, other, pools, setter) for other in frozen.year.weight}
    here = _market(at, group.burden[cell[0]] @ price)
    answer = solve_kinks(replace(here, held=still[cell]), moved, piece, walls(at.pieces))
    after = frozen.answering(still, {cell: _as_found(frozen.found[cell], answer, group.burden[cell[0]] @ price)})

    def left(part: np.ndarray) -> np.ndarray:
        full = price.copy()
        full[pools] = part
        return after.balance_of_year(full)[pools]

    before = price[pools]
    begins = left(before)
    slopes = frozen.slopes_found[np.ix_(pools, pools)]
    gain = (objective(here, answer.price, answer.piece, setter) - _now(frozen, cell, here, setter)) * frozen.potential(cell)
    tolerance = np.maximum(PART_OF_BALANCE * np.abs(begins), 1e-9 * np.maximum(group.cars[pools], 1.0))
    cleared = clear_smooth_pools(
        left, lambda: slopes, group.cap[pools], before, ClearingOptions(tolerance), f"{group.name}, a step weighed in {cell[0]}"
    )
    return gain - _between(left, before, begins, cleared.price, cleared.balance, gain)


def _between(left: Balance, before: np.ndarray, begins: np.ndarray, after: np.ndarray, ends: np.ndarray, gain: float) -> float:
    """The integral of a balance over the way from one shadow price to another, by Simpson's rule: on the whole way, or where it bends on parts of it."""
    step = after - before
    middle = left(before + step / 2)
    straight, whole = float(step @ (begins + ends)) / 2, float(step @ (begins + 4 * middle + ends)) / 6
    if abs(whole - straight) <= BENDS * abs(gain - whole):
        return whole
    weight = np.array([1.0, 4.0, 2.0, 4.0, 2.0, 4.0, 2.0, 4.0, 1.0]) / 24
    inner = [left(before + step * k / 8) for k in (1, 2, 3, 5, 6, 7)]
    return float(sum(w * (step @ b) for w, b in zip(weight, [begins, *inner[:3], middle, *inner[3:], ends], strict=True)))


def _now(frozen: Frozen, cell: Cell, here: BentMarket, setter: int) -> float:
    return objective(here, frozen.price(cell), frozen.found[cell].settled.prices.piece, setter)


def _market(at: Prepared, fleet: np.ndarray) -> BentMarket:
    return at.bent(at.pieces, fleet)


def _not_answering(frozen: Frozen, cell: Cell, pools: np.ndarray, setter: int) -> np.ndarray:
    """Prices that stand still when a setter crosses in these pools: all but those of the pools' cars and of the setter. (J,)"""
    market, burden = frozen.cells.prepared(cell).market, frozen.group.burden[cell[0]]
    answers = (burden[:, pools] != 0).any(axis=1)
    answers = answers | ((np.asarray(market.weights.setter) == setter) & np.asarray(market.tastes.available) & answers.any())
    return np.asarray(market.held) | ~answers


def _as_found(found: Found, answer: BentPricing, fleet: np.ndarray) -> Found:
    return replace(found, settled=replace(found.settled, prices=answer), fleet=fleet)
