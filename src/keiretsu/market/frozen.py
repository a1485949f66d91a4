"""Balances of pools with everybody's side of every breakpoint frozen: smooth in the shadow prices, one plain equilibrium a cell, with a known slope ([10])."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from keiretsu.demand.tastes import Tastes
from keiretsu.market.budget import Span
from keiretsu.market.cells import Cell, Cells, CellsOfYear, cells_of_year, spending_at
from keiretsu.market.pools import Obligation
from keiretsu.market.regulated import Found, solve_prepared
from keiretsu.numerics.host import host
from keiretsu.supply.chosen import choice_now
from keiretsu.supply.cost import leaving_now
from keiretsu.supply.first_order import PriceProblem
from keiretsu.supply.kinks import BentPricing, CrossingCost
from keiretsu.supply.pieces import wedges_of
from keiretsu.supply.pricing import Pricing, require_settled, settle
from keiretsu.supply.wedges import Wedges


@dataclass(frozen=True)
class Group:
    """Rules that share markets or pots, with their pools of makers one after the other.

    Attributes
    ----------
    pots, budgets
        Pots of money of each of its markets, by market, and the money in each (EUR a year).
    burden
        Burden of one car of each product in its pool's column, padded, by market. (J, P)
    rest, cap, cars
        Balance of the rest of the area, ceilings of shadow prices, cars of the base year by pool. (P,)
    """

    duties: tuple[Obligation, ...]
    year: Span
    pots: Mapping[str, frozenset[str]]
    budgets: Mapping[str, float]
    burden: Mapping[str, np.ndarray]
    rest: np.ndarray
    cap: np.ndarray
    cars: np.ndarray

    @property
    def markets(self) -> tuple[str, ...]:
        return tuple(self.pots)

    @property
    def name(self) -> str:
        return "fleet rules " + ", ".join(duty.rule.id for duty in self.duties)


class Frozen:
    """A group with everybody's side as found; keeps the last prices as the next start. `year` is the year at the last shadow prices."""

    def __init__(self, group: Group, cells: Cells, found: Mapping[Cell, Found]) -> None:
        self.group, self.cells, self.found = group, cells, dict(found)
        self.wedges: dict[Cell, Wedges] = {}
        self.held: dict[Cell, np.ndarray] = {}
        self.pricing: dict[Cell, Pricing] = {}
        self.fleet: dict[Cell, np.ndarray] = {}
        self.slopes_found = np.zeros((0, 0))
        self.year = CellsOfYear({}, {})

    def balance(self, price: np.ndarray) -> np.ndarray:
        """Balance of each pool over the year, the day on which each pot is empty that of these shadow prices. (P,)"""
        group = self.group
        self.year = cells_of_year(group.pots, group.budgets, group.year, lambda cell: self._spending(cell, price))
        total = group.rest.copy()
        for cell, weight in self.year.weight.items():
            burden = group.burden[cell[0]]
            total += weight * (burden.T @ self._units(cell, burden @ price))
        return total

    def price(self, cell: Cell) -> np.ndarray:
        """Prices at the last shadow prices. (J,)"""
        return np.asarray(self.pricing[cell].price) if cell in self.pricing else self.found[cell].price

    def share(self, cell: Cell) -> np.ndarray:
        """Market shares at the last shadow prices. (J,)"""
        return np.asarray(self.pricing[cell].share) if cell in self.pricing else np.asarray(self.found[cell].settled.prices.share)

    def _spending(self, cell: Cell, price: np.ndarray) -> Mapping[str, float]:
        self._units(cell, self.group.burden[cell[0]] @ price)
        return spending_at(self.cells.prepared(cell), self.found[cell], self.price(cell), cell[1])

    def _units(self, cell: Cell, fleet: np.ndarray) -> np.ndarray:
        at = self.cells.prepared(cell)
        if cell not in self.found:
            self.found[cell] = self.cells.alone(cell)
        found = self.found[cell]
        if at.quotas:
            if not np.array_equal(fleet, found.fleet):
                self.found[cell] = found = solve_prepared(at, fleet, found.price, found.settled.prices.piece)
            return at.facts.potential * found.settled.prices.share
        if cell not in self.fleet and np.array_equal(fleet, found.fleet):  # as it was found
            self.pricing[cell], self.fleet[cell] = found.settled.prices.pricing, fleet
        if cell not in self.fleet or not np.array_equal(fleet, self.fleet[cell]):
            wedges, held = self._side(cell)
            problem = PriceProblem(at.market.tastes, wedges, at.market.weights, host(np.asarray(at.market.cost) + fleet), host(held))
            # makers hand on about as much as they are charged
            before = self.fleet.get(cell, found.fleet)
            start = self.price(cell) + np.where(problem.chosen, (fleet - before) / np.asarray(wedges.maker_rate), 0.0)
            pricing = settle(problem, host(start, float), at.options)
            require_settled(pricing, problem, f"market {at.facts.id}", at.labels)
            self.pricing[cell], self.fleet[cell] = pricing, fleet
        return at.facts.potential * np.asarray(self.pricing[cell].share)

    def _side(self, cell: Cell) -> tuple[Wedges, np.ndarray]:
        """Wedges on the pieces in force, and prices nobody moves: those held and those that stick."""
        if cell not in self.wedges:
            found = self.found[cell]
            held = np.array(self.cells.prepared(cell).market.held)
            held[[s.product for s in found.settled.stuck]] = True
            self.wedges[cell], self.held[cell] = wedges_of(found.pieces, found.settled.prices.piece), held
        return self.wedges[cell], self.held[cell]

    def slopes(self) -> np.ndarray:
        """``d balance / d shadow price`` at the last prices if makers hand on what they are charged: the first Newton step's slope. (P, P)"""
        total = np.zeros((self.group.cap.size, self.group.cap.size))
        for cell, weight in self.year.weight.items():
            at, burden = self.cells.prepared(cell), self.group.burden[cell[0]]
            wedges, held = self._side(cell)
            handed_on = np.where(held[:, None], 0.0, burden / np.asarray(wedges.maker_rate)[:, None])
            total += weight * at.facts.potential * (burden.T @ _share_slopes(at.market.tastes, wedges, self.price(cell)) @ handed_on)
        return total

    def crossing_cost(self, cell: Cell, price: np.ndarray, balance: np.ndarray) -> CrossingCost:
        """What it costs in a cell, at cleared shadow prices, that a car's step across a notch moves its pool's shadow price (EUR).

        The step is first valued at the price before it. Where it leaves the pool with a balance x, the price moves by d towards clearing
        it, so that x is worth ``d x - d^2 slope / 2`` more: the price's rise along the way.
        """
        at, burden = self.cells.prepared(cell), self.group.burden[cell[0]]
        slope, cap = np.maximum(-np.diag(self.slopes_found), 1e-12), self.group.cap
        cleared, cars = self.share(cell), self.potential(cell)

        def worth(p: int, share: np.ndarray) -> float:
            left = float(balance[p] + cars * burden[:, p] @ (share - cleared))
            moved = np.clip(price[p] + left / slope[p], 0.0, cap[p]) - price[p]
            return float(moved * left - moved**2 * slope[p] / 2)

        def cost(moved: np.ndarray, piece: np.ndarray, share: np.ndarray, products: Sequence[int]) -> float:
            chosen = choice_now(at.market.tastes, wedges_of(at.pieces, piece), moved)
            after = np.asarray(chosen.probability) @ np.asarray(at.market.tastes.weight)
            return sum(worth(int(p), after) - worth(int(p), share) for p in np.flatnonzero((burden[list(products)] != 0).any(axis=0)))

        return cost

    def potential(self, cell: Cell) -> float:
        """Potential buyers of a cell over its share of the year."""
        return self.cells.prepared(cell).facts.potential * self.year.weight[cell]


def at_prices(found: Found, pricing: Pricing, fleet: np.ndarray) -> Found:
    """A market of one piece as solved by itself at shadow costs: there is nothing to look across."""
    old = found.settled
    prices: BentPricing = replace(old.prices, pricing=pricing, price=np.array(pricing.price), share=np.asarray(pricing.share))
    return replace(found, settled=replace(old, prices=prices, rounds=old.rounds + 1), fleet=fleet)


def _share_slopes(tastes: Tastes, wedges: Wedges, price: np.ndarray) -> np.ndarray:
    """``ds_j / dp_k``. (J, J)"""
    return -np.asarray(leaving_now(tastes, wedges, host(price))[0]).T
