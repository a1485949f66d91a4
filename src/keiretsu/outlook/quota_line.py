"""Where one maker's quota stands on its line, closed in on by looks at whole paths ([7]).

The line is that of `keiretsu.market.policy.quota`: shadow price up to the smallest saving, that car leaving the quota, shadow price up to the next, and so on. A path is
looked at with every year's quotas somewhere on their lines. Between looks the line is solved on what is known nearby: each car asks the price that its
first-order condition at the last look asks, its sales fall with its own price; how much either answers is learned from one look to the next. At the end nothing of that is
left: cars inside are the quota's, what leaving cars save is the shadow price, on the path itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq

from keiretsu.market.policy.quota import Line, Savings, in_order
from keiretsu.outlook.quotas import Counted, enough

SHADOW_EUR = 1e-3  # a car: ten times what prices of a year are settled to
LEARNED_EUR = 1.0  # a price that moved less between looks teaches nothing
STEEPER, SLACKER = 5.0, 0.2  # answers are not further than these from those of a maker with this one car
LEAST_KEPT = 0.05  # of the price: under a duty that takes more a car's price has no bounds to speak of
ORDERS = 6
A_CAR_EUR = 1e4  # what a model that has left the quota counts for beside a shadow price: about what one saves
HALVINGS = 50
TRUSTED = 3  # halvings towards an end that is not reached


@dataclass(frozen=True)
class Place:
    """Where a quota stands.

    Attributes
    ----------
    inside
        Share of each car's sales that is inside the quota; of a car outside its window of prices, the part of the saving that coming in is worth. (n,)
    charge
        What setters see on top of each car's cost, EUR, (n,): a shadow price, no money that anyone pays.
    shadow
        Worth of one more car in the quota, EUR.
    order
        Cars on the line, the one that saves least first; nobody while the quota is not filled.
    """

    inside: np.ndarray
    charge: np.ndarray
    shadow: float = 0.0
    order: tuple[int, ...] = ()

    @property
    def tight(self) -> float:
        """How far along the line, whatever cars save just now: the shadow price, and `A_CAR_EUR` for each model outside."""
        return self.shadow + A_CAR_EUR * float((1 - self.inside)[list(self.order)].sum())


@dataclass(frozen=True)
class Look:
    """What a path shows: the cars, the share of the price each maker keeps with the car inside (n,), cost (EUR, n)."""

    cars: Counted
    keeps: np.ndarray
    cost: np.ndarray


@dataclass(frozen=True)
class Search:
    """Where the search for one quota's place stands: the place to look at next, what it came from, and whether that was it.

    `steep` and `follows` are how sales fall (log points a euro) and how far prices follow what one car alone would ask, (n,); `low`, `high` are how tight the
    same line was where too many and too few cars were inside; `gap` is cars inside above the quota at the last look, `apart` how far shadow price and savings
    are from each other there (EUR); `halved` how often in a row the place to look at next was the middle; `inside_sold` what cars outside their window of prices sold when they were
    last inside, nan where they never were.
    """

    limit: float
    at: Place
    seen: Look | None = None
    came_from: Place | None = None
    steep: np.ndarray | None = None
    follows: np.ndarray | None = None
    low: float = 0.0
    high: float = np.inf
    gap: float = np.inf
    apart: float = np.inf
    halved: int = 0
    inside_sold: np.ndarray | None = None
    done: bool = False


def begin(limit: float, cars: int) -> Search:
    """Every car inside."""
    return Search(limit, Place(np.ones(cars), np.zeros(cars)))


def looked(search: Search, look: Look, savings: Savings) -> Search:
    """The search after a look at `search.at`."""
    at, counts = search.at, look.cars.counts
    gap = float((at.inside * look.cars.units)[counts].sum()) - search.limit
    apart = _apart(at, look.cars)
    missed = enough(search.limit)
    filled = at.shadow > 0
    if apart <= SHADOW_EUR and gap <= missed and (gap >= -missed or not filled):
        return replace(search, seen=look, came_from=at, gap=gap, apart=apart, done=True)
    steep, follows = _learned(search, look)
    nearby = _Nearby(look, at, steep, follows)
    sold = np.where(counts, look.cars.units, np.nan if search.inside_sold is None else search.inside_sold)
    fresh, low, high, halved = _next(search, look, savings, gap, nearby)
    if not fresh.order:
        fresh = _with_places_left(fresh, search.limit, look.cars, nearby, sold)
    return Search(search.limit, fresh, look, at, steep, follows, low, high, gap, apart, halved, sold)


def _apart(at: Place, cars: Counted) -> float:
    """How far from complementary shadow price and savings are (EUR): who saves more is inside, who saves less is not."""
    saving, sold = cars.rate * cars.price, cars.units > 0
    short = np.where(at.inside < 1, saving - at.shadow, 0.0), np.where(at.inside > 0, at.shadow - saving, 0.0)
    of_those = np.where(cars.counts, np.maximum(*short), 0.0)
    # what is charged must use the quota, and what uses it must be charged
    owed = np.where(cars.counts, at.inside * at.shadow, 0.0)
    return float(max(of_those.max(initial=0.0), np.where(sold, np.abs(at.charge - owed), 0.0).max(initial=0.0)))


def _next(search: Search, look: Look, savings: Savings, gap: float, nearby: _Nearby) -> tuple[Place, float, float, int]:
    """The place that what is known nearby asks for, how tight the line is on either side of it, and how often in a row it was the middle."""
    cars, everybody = look.cars, Place(np.ones(look.cost.size), np.zeros(look.cost.size))
    price, order, line, position = cars.price, tuple[int, ...](), None, 0.0
    for _ in range(ORDERS):
        before = order
        order = in_order(cars.rate, price)
        if order == before:
            break
        line = Line(savings, cars.rate, order, search.limit, nearby, cars.price)
        if line.excess(0.0) <= 0:
            return everybody, 0.0, np.inf, 0
        position = float(brentq(line.excess, 0.0, 2.0 * len(order), xtol=1e-12, rtol=1e-12))
        price = line.price
    if line is None:
        return everybody, 0.0, np.inf, 0
    low, high = _between(search, order, gap)
    asked = _placed(line, position)
    stalled = bool(search.at.order) and abs(gap) > 0.5 * abs(search.gap)
    if not stalled or (low < asked.tight < high and gap * search.gap < 0):
        return asked, low, high, 0
    if not np.isfinite(high):  # prices may stand at a threshold: there only cars that leave make fewer inside
        stands = Line(savings, cars.rate, order, search.limit, replace(nearby, follows=np.zeros_like(nearby.follows)), cars.price)
        return _placed(stands, float(brentq(stands.excess, 0.0, 2.0 * len(order), xtol=1e-12, rtol=1e-12))), low, high, 0
    ends, middle = [0.0, 2.0 * len(order)], 0.5 * (low + high)
    for _ in range(HALVINGS):
        asked = _placed(line, sum(ends) / 2)
        ends[asked.tight > middle] = sum(ends) / 2
    return asked, low, high, search.halved + 1


def _with_places_left(place: Place, limit: float, cars: Counted, nearby: _Nearby, sold: np.ndarray) -> Place:
    """Of a car that came inside its window of prices only as many would be inside as there are places left, where it is known how many it would sell there."""
    left = limit - float(nearby(place.inside, place.charge)[1][cars.counts].sum())
    known = ~cars.counts & np.isfinite(sold) & (sold > 0)
    share = np.clip(left / np.where(known, sold, 1.0), 0.0, 1.0)
    return replace(place, inside=np.where(known, share, place.inside))


def _placed(line: Line, position: float) -> Place:
    line.excess(position)
    return Place(line.inside, line.charge, line.shadow, line.order)


def _between(search: Search, order: tuple[int, ...], gap: float) -> tuple[float, float]:
    """How tight this line was where too many and too few cars were inside; an end that is contradicted, or that halving does not reach, is none: others have moved."""
    at = search.at
    if at.order and order != at.order:
        return 0.0, np.inf
    again = search.halved >= TRUSTED and gap * search.gap > 0
    low = at.tight if gap > enough(search.limit) else search.low if search.low < at.tight and not again else 0.0
    high = at.tight if gap < -enough(search.limit) else search.high if search.high > at.tight and not again else np.inf
    return low, high


def _learned(search: Search, look: Look) -> tuple[np.ndarray, np.ndarray]:
    """How sales fall with prices and how far prices follow what one car alone would ask, as the last two looks say."""
    cars, at = look.cars, search.at
    margin = look.keeps * cars.price - cars.rate * (1 - at.inside) * cars.price - look.cost - at.charge
    kept = np.maximum(look.keeps - cars.rate * (1 - at.inside), LEAST_KEPT)
    alone = kept / np.where(margin > 0.02 * cars.price, margin, np.maximum(0.1 * cars.price, 1.0))
    if search.seen is None or search.came_from is None or search.steep is None or search.follows is None:
        return alone, np.ones_like(alone)
    before, steep, follows = search.seen.cars, search.steep, search.follows
    there = (before.units > 0) & (cars.units > 0)
    moved = np.where(there, cars.price - before.price, 0.0)
    teaches = np.abs(moved) > LEARNED_EUR
    fell = np.log(np.where(there, before.units, 1.0) / np.where(there, cars.units, 1.0)) / np.where(teaches, moved, 1.0)
    steep = np.where(teaches, np.clip(fell, SLACKER * alone, STEEPER * alone), steep)
    plain = _Nearby(search.seen, search.came_from, steep, np.ones_like(follows))
    asked = plain.prices(at.inside, at.charge) - before.price
    teaches = there & (np.abs(asked) > LEARNED_EUR)
    follows = np.where(teaches, np.clip(moved / np.where(teaches, asked, 1.0), SLACKER, STEEPER), follows)
    return steep, follows


@dataclass(frozen=True)
class _Nearby:
    """A maker's cars near a look at `at`: the market solver that a line is solved on."""

    look: Look
    at: Place
    steep: np.ndarray
    follows: np.ndarray

    def __call__(self, inside: np.ndarray, charge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        price = self.prices(inside, charge)
        fall = np.clip(self.steep * (price - self.look.cars.price), -20.0, 20.0)
        return price, self.look.cars.units * np.exp(-fall)

    def prices(self, inside: np.ndarray, charge: np.ndarray) -> np.ndarray:
        """What first-order conditions ask: cost and charge over what is kept, and a markup that stays."""

        def asked(inside: np.ndarray, charge: np.ndarray) -> np.ndarray:
            kept = self.look.keeps - self.look.cars.rate * (1 - inside)
            return (self.look.cost + charge) / np.maximum(kept, LEAST_KEPT)

        return self.look.cars.price + self.follows * (asked(inside, charge) - asked(self.at.inside, self.at.charge))
