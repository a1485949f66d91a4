"""Tariff quotas of the years ahead: whose cars each of them lets in, and what they save there ([7]).

A quota's cars are counted on a path's own sales and prices: those that save something on the piece of taxes that their price lies on. A path on which every maker
keeps within its quotas is what it is; one on which a maker exceeds one is run again with the quota in force (`keiretsu.outlook.quota_years`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from keiretsu.market.policy.compile import Compiled, all_inside, compile_programmes
from keiretsu.market.policy.place import covers
from keiretsu.market.policy.programmes import TariffQuota, in_force
from keiretsu.market.policy.quota import CARS, Savings, savings_of
from keiretsu.market.world import World
from keiretsu.outlook.arrays import Plan, Year
from keiretsu.outlook.bent import NEAR_EUR
from keiretsu.supply.pieces import PiecewiseWedges

if TYPE_CHECKING:  # an outlook runs its paths with their quotas in force
    from keiretsu.outlook.outlook import Outlook
    from keiretsu.outlook.roster import Storyline

# What is kept of quotas, by market and year: the name outside and the unit.
CARS_BEYOND: tuple[str, str] = ("cars_beyond_quotas", "cars/yr")
QUOTA_PRICE: tuple[str, str] = ("quota_price_eur", "EUR/car")
OF_QUOTA = 1e-7  # of its cars: what prices that are settled to a hundred-millionth leave open, a few times over


@dataclass(frozen=True, eq=False)
class MakersQuota:
    """One maker's tariff quota in one market and year.

    Attributes
    ----------
    quota, maker, market
        What it is called; `cars` is what may come in at the low duty, a year.
    t, m
        Places of the year and the market.
    slots
        Slots of the maker's cars that save something on any piece. (n,)
    savings
        What each saves inside the quota.
    pieces
        All pieces of these cars, every car inside.
    """

    quota: str
    maker: str
    market: str
    cars: float
    t: int
    m: int
    slots: np.ndarray
    savings: Savings
    pieces: PiecewiseWedges


@dataclass(frozen=True)
class Counted:
    """The cars of one quota on a path: price (EUR), cars a year, piece, share of the price saved there (zero outside a window of prices, or not on sale), all (n,)."""

    price: np.ndarray
    units: np.ndarray
    piece: np.ndarray
    rate: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """Cars that the quota is about where their prices are. (n,) bool"""
        return self.rate > 0

    def beyond(self, cars: float) -> float:
        """Cars a year above the quota."""
        return float(self.units[self.counts].sum()) - cars


def enough(cars: float) -> float:
    """Cars a year by which a filled quota of so many may be missed."""
    return max(CARS, OF_QUOTA * cars)


def any_quota(outlook: Outlook) -> bool:
    """Whether a tariff quota is in force in any year of any storyline."""
    return any(
        quota.scope.in_force(market, dt.date(year, 7, 1))
        for story in outlook.stories.values()
        for year, u in zip(outlook.facts.years, story.world_of_year, strict=True)
        for quota in _quotas(story.worlds[u])
        for market in quota.scope.markets
    )


def quotas_of(outlook: Outlook, name: str) -> tuple[MakersQuota, ...]:
    """Every maker's quotas in a storyline, by year and market; found once for each outlook."""
    known = _known.setdefault(outlook, {})
    if name not in known:
        known[name] = tuple(_found(outlook, outlook.stories[name]))
    return known[name]


_known: WeakKeyDictionary[Outlook, dict[str, tuple[MakersQuota, ...]]] = WeakKeyDictionary()


def counted(quota: MakersQuota, plan: Plan, years: Year) -> Counted:
    """The quota's cars on a path that `plan` led to."""
    price, units = (np.asarray(values)[quota.t, quota.m, quota.slots] for values in (years.price, years.units))
    piece = np.zeros(quota.slots.size, int)
    if plan.bends is not None and plan.bend_set is not None and plan.keeps is not None:
        breaks = np.asarray(plan.bends.breaks)[int(plan.bend_set[quota.t]), quota.m, quota.slots]
        wall, below_better = (np.asarray(values)[quota.t, quota.m, quota.slots] for values in (plan.keeps.wall, plan.keeps.below_better))
        at = np.abs(price[:, None] - breaks) <= NEAR_EUR
        piece = np.where(at, wall & ~below_better, price[:, None] > breaks).sum(axis=1)
    relief = quota.savings.relief
    rate = relief[np.arange(piece.size), np.minimum(piece, relief.shape[1] - 1)]
    return Counted(price, units, piece, np.where(units > 0, rate, 0.0))


def _found(outlook: Outlook, story: Storyline) -> Iterator[MakersQuota]:
    slots = None
    ready: dict[tuple[object, ...], Compiled] = {}
    for t, (year, u) in enumerate(zip(outlook.facts.years, story.world_of_year, strict=True)):
        world, day = story.worlds[u], dt.date(year, 7, 1)
        for m, market in enumerate(outlook.roster.rows):
            if not any(quota.scope.in_force(market, day) for quota in _quotas(world)):
                continue
            slots = outlook.roster.slots(story) if slots is None else slots
            key = (id(world.products), market, *map(id, in_force(world.programmes, market, day)))
            if key not in ready:
                rows = world.products[world.products["market"] == market]
                ready[key] = compile_programmes(world.programmes, rows, world.markets[market], day, all_inside(rows))
            yield from _of_market(ready[key], t, m, market, slots)


def _of_market(compiled: Compiled, t: int, m: int, market: str, slots: Mapping[tuple[str, str], int]) -> Iterator[MakersQuota]:
    place = compiled.place
    for quota in (p for p in compiled.programmes if isinstance(p, TariffQuota)):
        for maker in dict.fromkeys(place.maker[covers(quota.scope, place)]):
            of_all = savings_of(compiled, quota, str(maker))
            mine = np.flatnonzero((of_all.relief > 0).any(axis=1))
            if mine.size:
                at = np.array([slots[market, place.product[j]] for j in mine])
                savings = Savings(of_all.relief[mine], of_all.breaks[mine], of_all.closed_below[mine])
                yield MakersQuota(quota.scope.id, str(maker), market, quota.cars, t, m, at, savings, _rows(compiled.pieces, mine))


def _rows(pieces: PiecewiseWedges, rows: np.ndarray) -> PiecewiseWedges:
    return PiecewiseWedges(
        pieces.breaks[rows],
        pieces.closed_below[rows],
        tuple(pieces.labels[j] for j in rows),
        pieces.buyer_rate[rows],
        pieces.buyer_add[rows],
        pieces.maker_rate[rows],
        pieces.maker_charge[rows],
    )


def _quotas(world: World) -> list[TariffQuota]:
    """Tariff quotas of a world that are not dormant."""
    return [p for p in world.programmes if isinstance(p, TariffQuota) and not p.scope.dormant]
