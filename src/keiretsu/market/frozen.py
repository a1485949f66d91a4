"""Balances of pools with everybody's side of every breakpoint frozen: smooth in the shadow prices, one plain equilibrium a cell, with a known slope ([10])."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from keiretsu.market.budget import Span
from keiretsu.market.cells import Cell, Cells, CellsOfYear, cells_of_year, spending_at, totals
from keiretsu.market.pools import Obligation
from keiretsu.market.regulated import Found, solve_prepared
from keiretsu.numerics.host import host
from keiretsu.supply.first_order import PriceProblem
from keiretsu.supply.kinks import BentPricing
from keiretsu.supply.nearby import Nearby, pricing_of
from keiretsu.supply.packed import Look
from keiretsu.supply.pieces import wedges_of
from keiretsu.supply.pricing import Pricing, require_settled, settle
from keiretsu.supply.slopes import of_shares
from keiretsu.supply.wedges import Wedges

STEP = 1e-6  # share of its ceiling by which a shadow price is moved to see what becomes of the days on which pots are empty


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
        self.nearby: dict[Cell, Nearby] = {}
        self.slopes_found = np.zeros((0, 0))
        self.year = CellsOfYear({}, {})
        self.spent: dict[Cell, Mapping[str, np.ndarray]] = {}

    def balance(self, price: np.ndarray) -> np.ndarray:
        """Balance of each pool over the year, the day on which each pot is empty that of these shadow prices. (P,)"""
        group = self.group
        self.year = cells_of_year(group.pots, group.budgets, group.year, lambda cell: totals(self._spending(cell, price)))
        return self.balance_of_year(price)

    def balance_of_year(self, price: np.ndarray) -> np.ndarray:
        """Balance of each pool, the day on which each pot is empty as it was. (P,)"""
        group = self.group
        total = group.rest.copy()
        for cell, weight in self.year.weight.items():
            burden = group.burden[cell[0]]
            total += weight * (burden.T @ self._units(cell, burden @ price))
        return total

    def answering(self, still: Mapping[Cell, np.ndarray], found: Mapping[Cell, Found]) -> Frozen:
        """The same year with other sides in some cells, and with prices that stand `still` (J,) whatever the shadow prices, from the last prices on."""
        other = Frozen(self.group, self.cells, {**self.found, **found})
        other.year = self.year
        for cell, held in still.items():
            if cell not in found and cell in self.pricing:
                other.pricing[cell], other.fleet[cell] = self.pricing[cell], self.fleet[cell]
            wedges, stuck = other._side(cell)
            other.wedges[cell], other.held[cell] = wedges, stuck | held
            other.nearby[cell] = self._nearby(cell).with_others_still()
        return other

    def price(self, cell: Cell) -> np.ndarray:
        """Prices at the last shadow prices. (J,)"""
        return np.asarray(self.pricing[cell].price) if cell in self.pricing else self.found[cell].price

    def share(self, cell: Cell) -> np.ndarray:
        """Market shares at the last shadow prices. (J,)"""
        return np.asarray(self.pricing[cell].share) if cell in self.pricing else np.asarray(self.found[cell].settled.prices.share)

    def _spending(self, cell: Cell, price: np.ndarray) -> Mapping[str, np.ndarray]:
        self._units(cell, self.group.burden[cell[0]] @ price)
        self.spent[cell] = spending_at(self.cells.prepared(cell), self.found[cell], self.price(cell), cell[1])
        return self.spent[cell]

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
            self.pricing[cell], self.fleet[cell] = self._priced(cell, fleet), fleet
        return at.facts.potential * np.asarray(self.pricing[cell].share)

    def _priced(self, cell: Cell, fleet: np.ndarray) -> Pricing:
        """Prices at shadow costs `fleet`, from those at the last ones."""
        at, near = self.cells.prepared(cell), self._nearby(cell)
        wedges, held = self._side(cell)
        cost, chosen = np.asarray(at.market.cost) + fleet, np.asarray(at.market.tastes.available) & ~held
        before, dearer = self.price(cell), fleet - self.fleet.get(cell, self.found[cell].fleet)
        start = near.expected(before, dearer)
        if start is None:  # makers hand on about as much as they are charged
            start = before + dearer / np.asarray(wedges.maker_rate)
        start = np.where(chosen, start, before)
        found = near.settle(near.packed.terms(wedges, cost), start, chosen, at.options)
        if found is not None:
            pricing = pricing_of(found, near.packed, start, chosen)
            near.learn(np.asarray(pricing.price) - before, dearer)
            return pricing
        problem = PriceProblem(at.market.tastes, wedges, at.market.weights, host(cost), host(held))
        pricing = settle(problem, host(start, float), at.options)
        require_settled(pricing, problem, f"market {at.facts.id}", at.labels)
        return pricing

    def _nearby(self, cell: Cell) -> Nearby:
        if cell not in self.nearby:
            self.nearby[cell] = Nearby(self.cells.prepared(cell).packed)
        return self.nearby[cell]

    def _side(self, cell: Cell) -> tuple[Wedges, np.ndarray]:
        """Wedges on the pieces in force, and prices nobody moves: those held and those that stick."""
        if cell not in self.wedges:
            found = self.found[cell]
            held = np.array(self.cells.prepared(cell).market.held)
            held[[s.product for s in found.settled.stuck]] = True
            self.wedges[cell], self.held[cell] = wedges_of(found.pieces, found.settled.prices.piece), held
        return self.wedges[cell], self.held[cell]

    def slopes(self) -> np.ndarray:
        """``d balance / d shadow price`` at the last prices if makers hand on what they are charged. (P, P)"""
        return self._slopes(
            lambda _, look, chosen, burden: np.where(
                chosen[:, None], burden / look.packed.spread(look.terms.keep, np.ones(chosen.size))[:, None], 0.0
            )
        )

    def newton_slopes(self) -> np.ndarray:
        """The same with what makers do hand on, everybody's answers to everybody included: what a Newton step divides by. (P, P)"""

        def handed_on(cell: Cell, look: Look, chosen: np.ndarray, burden: np.ndarray) -> np.ndarray:
            found = np.zeros(burden.shape)
            found[look.packed.order] = self._nearby(cell).passed_through(look, chosen) @ burden[look.packed.order]
            return found

        return self._slopes(handed_on)

    def _slopes(self, handed_on: Callable[[Cell, Look, np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
        total = np.zeros((self.group.cap.size, self.group.cap.size))
        units: dict[Cell, np.ndarray] = {}
        for cell, weight in self.year.weight.items():
            at, burden = self.cells.prepared(cell), self.group.burden[cell[0]]
            wedges, held = self._side(cell)
            cost = np.asarray(at.market.cost) + self.fleet.get(cell, self.found[cell].fleet)
            look = at.packed.look(at.packed.terms(wedges, cost), self.price(cell))
            moved = handed_on(cell, look, np.asarray(at.market.tastes.available) & ~held, burden)
            units[cell] = np.zeros(burden.shape)
            units[cell][at.packed.order] = at.facts.potential * (of_shares(look) @ moved[at.packed.order])
            total += weight * (burden.T @ units[cell])
        return total if len(units) == len(self.group.pots) else total + self._slopes_of_days(units)

    def _slopes_of_days(self, units: Mapping[Cell, np.ndarray]) -> np.ndarray:
        """What the days on which pots are empty add, from slopes of a whole year's `units` (J, P): a pot is empty sooner the more cars it pays for. (P, P)"""
        group, total = self.group, np.zeros((self.group.cap.size, self.group.cap.size))
        whole = {cell: group.burden[cell[0]].T @ (self.cells.prepared(cell).facts.potential * self.share(cell)) for cell in self.year.weight}
        for p, cap in enumerate(group.cap):
            step = STEP * float(cap)

            def spending(cell: Cell, p: int = p, step: float = step) -> Mapping[str, float]:
                n = len(self.cells.prepared(cell).rows)
                sold = self.cells.prepared(cell).facts.potential * self.share(cell)[:n]
                more = 1 + step * units[cell][:n, p] / np.where(sold > 0, sold, 1.0) if cell in units else np.ones(n)
                return totals({name: eur * more for name, eur in self.spent[cell].items()}) if cell in self.spent else dict.fromkeys(cell[1], 0.0)

            year = cells_of_year(group.pots, group.budgets, group.year, spending)
            total[:, p] = sum(
                ((year.weight.get(cell, 0.0) - self.year.weight[cell]) / step * whole[cell] for cell in self.year.weight), np.zeros(group.cap.size)
            )
        return total

    def potential(self, cell: Cell) -> float:
        """Potential buyers of a cell over its share of the year."""
        return self.cells.prepared(cell).facts.potential * self.year.weight[cell]


def at_prices(found: Found, pricing: Pricing, fleet: np.ndarray) -> Found:
    """A market of one piece as solved by itself at shadow costs: there is nothing to look across."""
    old = found.settled
    prices: BentPricing = replace(old.prices, pricing=pricing, price=np.array(pricing.price), share=np.asarray(pricing.share))
    return replace(found, settled=replace(old, prices=prices, rounds=old.rounds + 1), fleet=fleet)
