"""Cars beyond tariff quotas in the years ahead ([7]).

Inside a year every car of a maker keeps the low duty of its quota: exact while the quota is not filled, too cheap for cars beyond it. How many those are is
counted afterwards, on the path's own sales and prices, so that a path on which a quota binds says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from keiretsu.market.policy.compile import all_inside
from keiretsu.market.policy.place import covers, place_of
from keiretsu.market.policy.programmes import Duty, Programme, TariffQuota, in_force
from keiretsu.market.policy.terms import quota_relief
from keiretsu.market.world import MarketFacts, World
from keiretsu.outlook.arrays import Year
from keiretsu.outlook.outlook import Outlook
from keiretsu.outlook.roster import Storyline

CARS_BEYOND: tuple[str, str] = ("cars_beyond_quotas", "cars/yr")  # what the count is known by outside, and its unit


def any_quota(outlook: Outlook) -> bool:
    """Whether a tariff quota is in force in any year of any storyline."""
    return any(
        quota.scope.in_force(market, dt.date(year, 7, 1))
        for story in outlook.stories.values()
        for year, u in zip(outlook.facts.years, story.world_of_year, strict=True)
        for quota in _quotas(story.worlds[u])
        for market in quota.scope.markets
    )


def cars_beyond_quotas(outlook: Outlook, scenario: str, values: Mapping[str, float], years: Year) -> np.ndarray:
    """Cars a year, of all makers and quotas of a market, that keep a low duty beyond their quota. (T, M)"""
    story = outlook.stories[outlook.branch(scenario, values)]
    slots = _slots(outlook, story)
    markets = list(outlook.roster.rows)
    found = np.zeros((len(outlook.facts.years), len(markets)))
    units, price = np.asarray(years.units), np.asarray(years.price)
    for t, (year, u) in enumerate(zip(outlook.facts.years, story.world_of_year, strict=True)):
        world = story.worlds[u]
        day = dt.date(year, 7, 1)
        for m, market in enumerate(markets):
            if not any(quota.scope.in_force(market, day) for quota in _quotas(world)):
                continue
            active = in_force(world.programmes, market, day)
            rows = world.products[world.products["market"] == market]
            place = [slots[market, str(product)] for product in rows["product"]]
            found[t, m] = _beyond(active, rows, world.markets[market], price[t, m, place], units[t, m, place])
    return found


def _slots(outlook: Outlook, story: Storyline) -> Mapping[tuple[str, str], int]:
    """Slot in its market of every product of a storyline, looked for once: storylines that change no product have them in common."""
    known, products = _slots_known.setdefault(outlook, {}), story.worlds[0].products
    if id(products) not in known:  # tables of an outlook live as long as it does
        known[id(products)] = outlook.roster.slots(story)
    return known[id(products)]


_slots_known: WeakKeyDictionary[Outlook, dict[int, Mapping[tuple[str, str], int]]] = WeakKeyDictionary()


def _quotas(world: World) -> list[TariffQuota]:
    """Tariff quotas of a world that are not dormant."""
    return [p for p in world.programmes if isinstance(p, TariffQuota) and not p.scope.dormant]


def _beyond(active: tuple[Programme, ...], rows: pd.DataFrame, facts: MarketFacts, price: np.ndarray, units: np.ndarray) -> float:
    """Cars of one market and year beyond the quotas in force. `price` and `units` (J,) as `rows`."""
    place = place_of(active, rows, facts, all_inside(rows))
    duties = [p for p in active if isinstance(p, Duty)]
    total = 0.0
    for quota in (p for p in active if isinstance(p, TariffQuota)):
        saves = np.any([quota_relief(quota, duty, place, price) > 0 for duty in duties], axis=0) if duties else np.zeros(len(rows), bool)
        for maker in dict.fromkeys(place.maker[covers(quota.scope, place)]):
            total += max(float(units[saves & (place.maker == maker)].sum()) - quota.cars, 0.0)
    return total
