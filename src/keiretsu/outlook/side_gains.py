"""What a maker would gain by crossing a price threshold in a year of a path that is there, its pools cleared anew ([7], [10]).

Inside a compiled year a gain is what one setter would have while shadow prices stand still (`keiretsu.outlook.sides`). Where that leaves somebody a gain, or leaves it open whether
there is one, it is worked out here as in one year, by `keiretsu.market.crossing`: every car of the market on every other side, and pairs of them; where slopes could decide wrongly, with the pool
cleared anew. Setters count no cars in the rest of the area, as everywhere: to them it stays as it is.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cache

import jax
import numpy as np

from keiretsu.errors import NotSettled
from keiretsu.market.budget import Span
from keiretsu.market.cells import Cell, Cells, CellsOfYear
from keiretsu.market.crossing import crossing_cost
from keiretsu.market.frozen import Frozen, Group
from keiretsu.market.regulated import Found, Prepared
from keiretsu.market.world import MarketFacts
from keiretsu.numerics.host import host
from keiretsu.outlook.arrays import BaseYear, FleetYears, Plan, Reproduced, Year
from keiretsu.outlook.as_found import Seen, as_found, seen
from keiretsu.outlook.inputs import Values
from keiretsu.outlook.path import LaunchValues
from keiretsu.supply.kinks import walls
from keiretsu.supply.notches import Deviation, deviations
from keiretsu.supply.pricing import PricingOptions

NO_POTS: frozenset[str] = frozenset()


def with_gains(
    base: BaseYear,
    plan: Plan,
    given: tuple[Values, LaunchValues],
    path: tuple[Reproduced, Year],
    facts: Sequence[MarketFacts],
    options: PricingOptions,
) -> Year:
    """The years of a path with the choices of side that gain (`unsettled_sides`) and the most that one brings (`side_gain`, EUR a year, not below zero) as they are with
    pools cleared anew.

    What the path says stays where a year has no fleet rule or a pot of money runs out in it, or where pools do not clear after a step; of gains that it marks as open
    (below zero) what they would be while shadow prices stand still where it knows that, and not known otherwise. `facts` are those of the markets, in order; arrays of
    `path` in NumPy.
    """
    found, years = path
    gain, count = np.array(years.side_gain), np.array(years.unsettled_sides)
    for t in np.flatnonzero((gain != 0).any(axis=1)) if plan.rules is not None and years.rules is not None else ():
        if years.pot_open is not None and ((np.asarray(years.pot_open[t]) % 1.0) != 0).any():
            continue
        year = _StandingYear(base, plan, given, (found, years), int(t), facts, options)
        for m in np.flatnonzero(np.isfinite(gain[t]) & (gain[t] != 0)):
            better = year.crossings(int(m))
            if better is not None:
                gain[t, m], count[t, m] = max((one.gain_eur for one in better), default=0.0), len(better)
    open_ = gain < 0
    gain[open_] = np.where(count[open_] > 0, -gain[open_], np.inf)
    return dataclasses.replace(years, side_gain=gain, unsettled_sides=np.where(open_, np.maximum(count, 1), count))


class _StandingYear:
    """A year of a path with its pools as they cleared, in the money of the case."""

    def __init__(
        self,
        base: BaseYear,
        plan: Plan,
        given: tuple[Values, LaunchValues],
        path: tuple[Reproduced, Year],
        number: int,
        facts: Sequence[MarketFacts],
        options: PricingOptions,
    ) -> None:
        assert plan.rules is not None
        self.at: Seen = jax.device_get(seen(base, plan, *given, *path, host(number)))
        self.year: Year = jax.tree.map(lambda values: np.asarray(values)[number], path[1])
        self.rules: FleetYears = jax.tree.map(lambda values: np.asarray(values)[number], plan.rules)
        self.facts, self.options = facts, options
        rules, year = self.rules, self.year.rules
        assert year is not None
        live = np.asarray(rules.live)
        there = live < rules.cap.size
        slot = live[there]
        free = np.asarray(rules.window)[slot] < 0  # of balances that count over several years the shadow price stands
        worth = np.asarray(self.at.worth)[there]
        self.rate = np.asarray(year.price)[slot]
        whole = np.zeros(rules.cap.size)
        np.add.at(whole, np.asarray(rules.pool), np.asarray(year.balance))
        self.cap, self.balance, self.free = (np.asarray(rules.cap)[slot] * worth)[free], whole[slot][free], free
        self.weighs = np.asarray(self.at.charged)[..., there] / worth  # (M, J, P)
        self.market = cache(self._market)

    def _market(self, m: int) -> tuple[Prepared, Found] | None:
        return as_found(self.at, m, self.facts[m], self.year, self.weighs[m], self.rate, self.free, self.options)

    def crossings(self, m: int) -> list[Deviation] | None:
        """Crossings that pay in a market, the best of each setter, largest gain first; None where it cannot be told."""
        mine = (self.weighs[m][:, self.free] != 0).any(axis=0)
        near = [k for k in range(len(self.facts)) if k == m or (self.weighs[k][:, self.free][:, mine] != 0).any()]
        markets = {self.facts[k].id: self.market(k) for k in near}
        frozen = self._frozen({name: one for name, one in markets.items() if one is not None}, near)
        if len(frozen.found) < len(near):
            return None
        cell: Cell = (self.facts[m].id, NO_POTS)
        prepared, found = frozen.cells.prepared(cell), frozen.found[cell]
        cost = crossing_cost(frozen, cell, self.rate[self.free], self.balance)
        bent = prepared.bent(prepared.pieces, found.fleet, cost)
        try:
            return deviations(bent, found.settled.prices, walls(prepared.pieces), frozen.potential(cell))[0]
        except NotSettled:
            return None

    def _frozen(self, markets: Mapping[str, tuple[Prepared, Found]], near: Sequence[int]) -> Frozen:
        """These markets with everybody on the sides they are on. A euro of each counts for what it is worth, so a cell's part of the year is that."""
        names = {self.facts[k].id: k for k in near if self.facts[k].id in markets}
        burden = {name: self.weighs[k][:, self.free] for name, k in names.items()}
        weight = {name: float(self.at.money[k]) for name, k in names.items()}
        here = sum(
            (weight[name] * prepared.facts.potential * burden[name].T @ found.settled.prices.share for name, (prepared, found) in markets.items()),
            np.zeros(self.balance.size),
        )
        group = Group(
            (), Span(dt.date.min, 1.0), dict.fromkeys(names, NO_POTS), {}, burden, self.balance - here, self.cap, np.maximum(np.abs(here), 1.0)
        )
        cells = Cells(lambda cell: markets[cell[0]][0], lambda cell: markets[cell[0]][1])
        frozen = Frozen(group, cells, {(name, NO_POTS): found for name, (_, found) in markets.items()})
        frozen.year = CellsOfYear({(name, NO_POTS): weight[name] for name in names}, {})
        frozen.balance_of_year(self.rate[self.free])
        frozen.slopes_found = frozen.slopes()
        return frozen
