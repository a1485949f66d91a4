"""All markets of a world with their taxes, incentives, tariff quotas and fleet rules in equilibrium together ([7], [8], [10]).

Each market is solved with its own pieces; pools tie the markets of an area together through their shadow prices, and a pot of money that runs out cuts the year
of its markets into parts. What comes back holds prices, who is stuck where, accounts, shadow prices and payments; tables for readers are made above.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from keiretsu.errors import NoPureEquilibrium
from keiretsu.market.budget import Span
from keiretsu.market.cells import Cell, Cells, CellsOfYear, Pot, cells_of_year, pots_in, pots_of, spending_at, totals, with_open
from keiretsu.market.clearing import Cleared
from keiretsu.market.fleet import Settlement, Tied, clear_group, group_of, nearest_alone, tied_markets
from keiretsu.market.market import Market
from keiretsu.market.memory import Content, Memory, Same
from keiretsu.market.policy.programmes import Incentive, in_force
from keiretsu.market.pools import Obligation, obligations, payments
from keiretsu.market.regulated import Found, Prepared, RegulatedMarket, Rules, finished, prepare, solve_prepared
from keiretsu.market.search import standing
from keiretsu.market.world import MarketFacts
from keiretsu.supply.pieces import piece_at
from keiretsu.supply.pricing import PricingOptions

__all__ = ["AreaEquilibrium", "Known", "PartOfYear", "RegulatedMarket", "Rules", "nothing_known", "solve_area"]


@dataclass(frozen=True)
class PartOfYear:
    """A market while certain pots of money are open in it: its share of the year, and the market as if that part were the whole year."""

    weight: float
    open: frozenset[str]
    market: RegulatedMarket


@dataclass(frozen=True)
class AreaEquilibrium:
    """All markets, each with the parts of its year: one, unless a pot of money runs out in it.

    `pots` is what becomes of each budget; `cleared` is None when no fleet rule is in force; `payments` as of `pools.payments`, empty without rules.
    """

    parts: Mapping[str, tuple[PartOfYear, ...]]
    pots: Mapping[str, Pot]
    obligations: tuple[Obligation, ...]
    cleared: Cleared | None
    payments: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def markets(self) -> Mapping[str, RegulatedMarket]:
        """Each market in the first part of its year, every pot with money in it open."""
        return {name: parts[0].market for name, parts in self.parts.items()}

    def units(self, name: str) -> np.ndarray:
        """Cars of the year by product of a market. (n,)"""
        return np.sum([part.weight * part.market.units for part in self.parts[name]], axis=0)


@dataclass(frozen=True)
class Known:
    """What other areas have been found to be, and what stands for each market in it: keys of markets that are alike in all but rules are equal."""

    memory: Memory
    keys: Mapping[str, Content]


def nothing_known(markets: Iterable[str]) -> Known:
    """No area was solved before."""
    return Known(Memory(), {name: Content(name) for name in markets})


def solve_area(
    cut: Mapping[str, tuple[Market, pd.DataFrame]],
    facts: Mapping[str, MarketFacts],
    rules: Rules,
    options: PricingOptions,
    known: Known | None = None,
    nearly_eur: float = 0.0,
) -> AreaEquilibrium:
    """Every market under its programmes and their budgets, and the pools of every fleet rule in force.

    Parameters
    ----------
    cut
        Markets (padded or not) and their product rows, by market id. Their own wedges are replaced by those of the programmes.
    known
        Areas solved before; left out, there are none.
    nearly_eur
        Where choices of side go round: a state in which nobody gains more than this by crossing is taken (EUR a year), and what is to be gained in it
        stands in `RegulatedMarket.crossings`. Zero takes none.

    Raises
    ------
    PolicyError, PricesNotSettled, NoPureEquilibrium, PoolsNotSettled
        Each naming its market, product or pool.
    """
    seen = nothing_known(cut) if known is None else known
    once = seen.memory.once
    duties = once("duties", Content(Same(rules.pools), rules.date.year, *seen.keys.values()), lambda: _duties(cut, rules)) if rules.pools else ()
    area = _Area(cut, facts, rules, options, seen, nearly_eur)
    groups = [_Group(tied, *area.settled(tied)) for tied in tied_markets(tuple(cut), duties, area.pots_by_market)]
    found = {cell: one for group in groups for cell, one in group.found.items()}
    weight = {cell: share for group in groups for cell, share in group.year.weight.items()}
    parts = {name: tuple(area.part(cell, share, found[cell]) for cell, share in weight.items() if cell[0] == name) for name in cut}
    year = {name: pot for group in groups for name, pot in group.year.pots.items()}
    solved = AreaEquilibrium(parts, {name: year[name] for name in area.pots}, duties, None)
    if not duties:
        return solved
    together = _in_order(duties, groups)
    tables, first = [], 0
    for duty in duties:
        mine = [name for name in cut if name in duty.rule.markets]
        rows = pd.concat([cut[name][1] for name in mine], ignore_index=True)
        units = np.concatenate([solved.units(name) for name in mine])
        tables.append(payments(duty, rows, units, together.price[first : first + len(duty.pools)]))
        first += len(duty.pools)
    return replace(solved, cleared=together, payments=pd.concat(tables, ignore_index=True))


@dataclass(frozen=True)
class _Group:
    """Tied markets with their fleet rules cleared (None without), the cells of their year and each cell's prices."""

    tied: Tied
    cleared: Cleared | None
    year: CellsOfYear
    found: Mapping[Cell, Found]


class _Area:
    """Cells of an area, each made once, from memory where another area had the same."""

    def __init__(
        self,
        cut: Mapping[str, tuple[Market, pd.DataFrame]],
        facts: Mapping[str, MarketFacts],
        rules: Rules,
        options: PricingOptions,
        known: Known,
        nearly_eur: float,
    ):
        self.cut, self.facts, self.rules, self.options, self.known, self.nearly_eur = cut, facts, rules, options, known, nearly_eur
        self.pots: Mapping[str, Incentive] = pots_in(rules, tuple(cut))
        self.pots_by_market = {name: pots_of(self.pots, name, rules) for name in cut}
        self.budgets = {name: pot.budget_eur for name, pot in self.pots.items()}
        self.year = Span(rules.date, 1.0)
        self.keys: dict[Cell, Content] = {}
        self.cells = Cells(self.prepared, self.first)

    def key(self, cell: Cell) -> Content:
        if cell not in self.keys:
            now = with_open(self.rules, self.pots, cell[1])
            self.keys[cell] = Content(self.known.keys[cell[0]], in_force(now.programmes, cell[0], now.date), self.options, self.nearly_eur)
        return self.keys[cell]

    def prepared(self, cell: Cell) -> Prepared:
        market, rows = self.cut[cell[0]]
        now, memory = with_open(self.rules, self.pots, cell[1]), self.known.memory
        return memory.once("prepared", self.key(cell), lambda: prepare(market, rows, self.facts[cell[0]], now, self.options, memory))

    def alone(self, cell: Cell) -> Found:
        return self.known.memory.once("alone", self.key(cell), lambda: _alone(cell[0], self.prepared(cell), self.nearly_eur))

    def first(self, cell: Cell) -> Found:
        """Where a cell under fleet rules starts from: by itself, or with everybody on the side of its own start where no equilibrium is found without them."""
        try:
            return self.alone(cell)
        except NoPureEquilibrium:
            return standing(self.prepared(cell))

    def settled(self, tied: Tied) -> tuple[Cleared | None, CellsOfYear, Mapping[Cell, Found]]:
        """Tied markets in equilibrium."""
        opened = [(name, self.pots_by_market[name]) for name in tied.markets]
        everything = tuple(self.key(cell) for cell in opened)
        if not tied.duties:
            pots = dict(opened)
            year = (
                self.known.memory.once("year", Content(tied.markets, *everything), lambda: self._year_alone(pots))
                if any(pots.values())
                else _whole(opened)
            )
            return None, year, {cell: self.alone(cell) for cell in year.weight}
        about = Content(Same(self.rules.pools), self.rules.date.year, tuple(duty.rule.id for duty in tied.duties), *everything)
        done: Settlement = self.known.memory.once("group", about, lambda: self._cleared(tied))
        return done.cleared, done.year, done.found

    def part(self, cell: Cell, weight: float, found: Found) -> PartOfYear:
        key = Content(self.key(cell), Same(found))
        one = self.known.memory.once("finished", key, lambda: finished(self.prepared(cell), found))
        return PartOfYear(weight, cell[1], replace(one, market=replace(one.market, weights=self.cut[cell[0]][0].weights)))

    def _year_alone(self, pots: Mapping[str, frozenset[str]]) -> CellsOfYear:
        def spending(cell: Cell) -> Mapping[str, float]:
            found = self.alone(cell)
            return totals(spending_at(self.prepared(cell), found, found.price, cell[1]))

        here = {pot for mine in pots.values() for pot in mine}
        return cells_of_year(pots, {name: eur for name, eur in self.budgets.items() if name in here}, self.year, spending)

    def _cleared(self, tied: Tied) -> Settlement:
        at = {name: self.prepared((name, self.pots_by_market[name])) for name in tied.markets}
        return clear_group(group_of(tied, at, self.year, self.pots_by_market, self.budgets), self.cells, self.nearly_eur)


def _whole(cells: Sequence[Cell]) -> CellsOfYear:
    """A year in which no pot of money is."""
    return CellsOfYear(dict.fromkeys(cells, 1.0), {})


def _alone(name: str, at: Prepared, nearly_eur: float) -> Found:
    """The market without shadow costs."""
    start = np.asarray(at.market.start, float)
    try:
        return solve_prepared(at, np.zeros(start.size), start, piece_at(at.pieces, start))
    except NoPureEquilibrium:
        if at.quotas or nearly_eur <= 0:
            raise
        return nearest_alone(name, at, nearly_eur)


def _duties(cut: Mapping[str, tuple[Market, pd.DataFrame]], rules: Rules) -> tuple[Obligation, ...]:
    return obligations(rules.pools, pd.concat([rows for _, rows in cut.values()], ignore_index=True), rules.date)


def _in_order(duties: Sequence[Obligation], groups: Sequence[_Group]) -> Cleared:
    """What was cleared group by group, pools in the order of `duties`."""
    where: dict[str, tuple[Cleared, slice]] = {}
    for group in groups:
        first = 0
        for duty in group.tied.duties:
            assert group.cleared is not None
            where[duty.rule.id] = group.cleared, slice(first, first + len(duty.pools))
            first += len(duty.pools)
    parts = [where[duty.rule.id] for duty in duties]
    cleared = [group.cleared for group in groups if group.cleared is not None]
    methods = [one.method for one in cleared]
    return Cleared(
        np.concatenate([one.price[part] for one, part in parts]),
        np.concatenate([one.balance[part] for one, part in parts]),
        tuple(status for one, part in parts for status in one.status[part]),
        sum(one.evaluations for one in cleared),
        "bracketed" if "bracketed" in methods else "newton" if "newton" in methods else "none needed",
    )
