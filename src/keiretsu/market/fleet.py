"""Fleet rules and prices together: shadow prices of pools that clear while every maker stands where it is best off ([10]).

Sides of notches and prices that stick are frozen first. Balances are then smooth in the shadow prices, cost one plain equilibrium a market and
have a known slope, so a few Newton steps clear all pools. With the shadow prices found, every maker looks across its notches again; where
somebody moves, pools are cleared anew from there. It ends when nobody moves. Should sides come round again, the error names who keeps moving.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from keiretsu.demand.tastes import Tastes
from keiretsu.market.clearing import Cleared, ClearingOptions, PoolsNotSettled, clear_smooth_pools
from keiretsu.market.pools import Obligation
from keiretsu.market.regulated import Found, Prepared, solve_prepared
from keiretsu.numerics.host import host
from keiretsu.supply.chosen import choice_now
from keiretsu.supply.cost import leaving_now
from keiretsu.supply.first_order import PriceProblem
from keiretsu.supply.kinks import BentPricing, CrossingCost
from keiretsu.supply.notches import Deviation, Settled, cross_once
from keiretsu.supply.pieces import wedges_of
from keiretsu.supply.pricing import Pricing, require_settled, settle
from keiretsu.supply.wedges import Wedges

Choose: TypeAlias = Callable[[list[Deviation]], Deviation]

FLEET_GRAMS = 1e-6  # a pool's balance counts as zero within this many grams (or mandate cars) per car sold
ROUNDS = 100  # times that sides are looked at anew
TOGETHER = 2  # rounds in which all makers move at once, before they take turns
AGAIN = 3  # the same sides this often, whoever's turn it was: a cycle


@dataclass(frozen=True)
class Group:
    """Rules that share markets, with their pools one after the other.

    Attributes
    ----------
    markets
        Names of the markets they cover.
    burden
        Burden of one car of each product in its pool's column, padded, by market. (J, P)
    rest, cap, cars
        Balance of the rest of the area, ceilings of shadow prices, cars of the base year by pool. (P,)
    """

    duties: tuple[Obligation, ...]
    markets: tuple[str, ...]
    burden: Mapping[str, np.ndarray]
    rest: np.ndarray
    cap: np.ndarray
    cars: np.ndarray

    @property
    def name(self) -> str:
        return "fleet rules " + ", ".join(duty.rule.id for duty in self.duties)


def sharing_markets(duties: tuple[Obligation, ...]) -> tuple[tuple[Obligation, ...], ...]:
    """Obligations in groups that have no market in common."""
    together: list[list[Obligation]] = []
    for duty in duties:
        mine = [g for g in together if any(set(duty.rule.markets) & set(other.rule.markets) for other in g)]
        together = [g for g in together if g not in mine] + [[*(other for g in mine for other in g), duty]]
    return tuple(tuple(sorted(g, key=duties.index)) for g in together)


def clear_group(group: Group, at: Mapping[str, Prepared], start: Mapping[str, Found]) -> tuple[Cleared, Mapping[str, Found]]:
    """Shadow prices and prices of a group's markets. `start` holds each market's solution without shadow costs.

    Raises
    ------
    PoolsNotSettled
        When pools do not clear, or sides of notches come round again; names the pools or products.
    """
    found, price, evaluations = dict(start), np.zeros(group.cap.size), 0
    options = ClearingOptions(FLEET_GRAMS * np.maximum(group.cars, 1.0))
    turns = _Turns(group.markets)
    count = 0
    for rounds in range(ROUNDS):
        count += 1
        smooth = _Smooth(group, at, found)
        cleared = clear_smooth_pools(smooth.balance, smooth.slopes, group.cap, price, options, group.name)
        price, evaluations = cleared.price, evaluations + cleared.evaluations
        smooth.slopes_found = smooth.slopes()
        checked: dict[str, Found] = {}
        changed: list[str] = []
        for name in turns.order():
            choose = None if rounds < TOGETHER else turns.chooser(name)
            checked[name] = _checked(at[name], smooth, name, price, cleared.balance, choose)
            if checked[name].sides != found[name].sides:
                changed.append(name)
                if rounds >= TOGETHER:  # one car of one maker at a time, so that two cars of a pool do not pass each other
                    turns.current = name
                    break
        found.update(checked)
        if not changed:
            return replace(cleared, evaluations=evaluations), found
        if rounds >= TOGETHER and turns.round_again(tuple(found[name].sides for name in group.markets)):
            break
    raise PoolsNotSettled(
        "sides of notches under the shadow prices they lead to",
        where=f"{group.name}, {turns.movers(at)}",
        residual=max(turns.gains.values(), default=0.0),
        unit="EUR a year to gain from moving",
        iterations=count,
        next_step="no equilibrium in pure strategies was found: put these cars' prices on one side of their thresholds, or solve without the rule",
    )


class _Turns:
    """Whose turn it is to cross: markets in rotation, and in each the setter whose last crossing is longest ago."""

    def __init__(self, markets: Sequence[str]) -> None:
        self.markets, self.current = tuple(markets), markets[-1]
        self.moved: dict[tuple[str, int], int] = {}
        self.gains: dict[tuple[str, int], float] = {}
        self.seen: dict[tuple[object, ...], int] = {}

    def order(self) -> tuple[str, ...]:
        first = self.markets.index(self.current) + 1
        return self.markets[first:] + self.markets[:first]

    def chooser(self, market: str) -> Choose:
        def choose(better: list[Deviation]) -> Deviation:
            chosen = min(better, key=lambda d: self.moved.get((market, d.setter), -1))
            self.moved[market, chosen.setter] = len(self.seen) + sum(self.seen.values())
            self.gains.update({(market, j): chosen.gain_eur for j in chosen.products})
            return chosen

        return choose

    def round_again(self, sides: tuple[object, ...]) -> bool:
        self.seen[sides] = self.seen.get(sides, 0) + 1
        return self.seen[sides] >= AGAIN

    def movers(self, at: Mapping[str, Prepared]) -> str:
        return ", ".join(f"{at[name].labels[j]} in {name}" for name, j in self.gains)


class _Smooth:
    """Balances of a group with everybody's side frozen; keeps the last prices as the next start."""

    def __init__(self, group: Group, at: Mapping[str, Prepared], found: Mapping[str, Found]) -> None:
        self.group, self.at, self.found = group, at, dict(found)
        self.wedges = {name: wedges_of(found[name].pieces, found[name].settled.prices.piece) for name in group.markets}
        self.held = {name: _held(at[name], found[name]) for name in group.markets}
        self.pricing: dict[str, Pricing] = {}
        self.fleet: dict[str, np.ndarray] = {}
        self.slopes_found = np.zeros((0, 0))

    def balance(self, price: np.ndarray) -> np.ndarray:
        total = self.group.rest.copy()
        for name in self.group.markets:
            total += self.group.burden[name].T @ self._units(name, self.group.burden[name] @ price)
        return total

    def _units(self, name: str, fleet: np.ndarray) -> np.ndarray:
        at, found = self.at[name], self.found[name]
        if at.quotas:
            now = solve_prepared(at, fleet, found.price, found.settled.prices.piece)
            self.found[name] = now
            return at.facts.potential * now.settled.prices.share
        if name not in self.fleet and np.array_equal(fleet, found.fleet):  # as it was found
            self.pricing[name], self.fleet[name] = found.settled.prices.pricing, fleet
        if name not in self.fleet or not np.array_equal(fleet, self.fleet[name]):
            cost = host(np.asarray(at.market.cost) + fleet)
            problem = PriceProblem(at.market.tastes, self.wedges[name], at.market.weights, cost, host(self.held[name]))
            start = self.pricing[name].price if name in self.pricing else found.price
            # makers hand on about as much as they are charged
            before = self.fleet.get(name, found.fleet)
            start = np.asarray(start) + np.where(problem.chosen, (fleet - before) / np.asarray(self.wedges[name].maker_rate), 0.0)
            pricing = settle(problem, host(start, float), at.options)
            require_settled(pricing, problem, f"market {at.facts.id}", at.labels)
            self.pricing[name], self.fleet[name] = pricing, fleet
        return at.facts.potential * np.asarray(self.pricing[name].share)

    def slopes(self) -> np.ndarray:
        """``d balance / d shadow price`` at the last prices if makers hand on what they are charged: the first Newton step's slope. (P, P)"""
        total = np.zeros((self.group.cap.size, self.group.cap.size))
        for name in self.group.markets:
            at, weigh = self.at[name], self.group.burden[name]
            price = np.asarray(self.pricing[name].price if name in self.pricing else self.found[name].price)
            handed_on = np.where(np.asarray(self.held[name])[:, None], 0.0, weigh / np.asarray(self.wedges[name].maker_rate)[:, None])
            total += at.facts.potential * weigh.T @ _share_slopes(at.market.tastes, self.wedges[name], price) @ handed_on
        return total

    def crossing_cost(self, name: str, price: np.ndarray, balance: np.ndarray) -> CrossingCost:
        """What it costs in a market, at cleared shadow prices, that a car's step across a notch moves its pool's shadow price (EUR a year).

        The step is first valued at the price before it. Where it leaves the pool with a balance x, the price moves by d towards clearing
        it, so that x is worth ``d x - d^2 slope / 2`` more: the price's rise along the way.
        """
        at, weigh = self.at[name], self.group.burden[name]
        slope, cap = np.maximum(-np.diag(self.slopes_found), 1e-12), self.group.cap
        cleared = np.asarray(self.pricing[name].share) if name in self.pricing else np.asarray(self.found[name].settled.prices.share)

        def worth(p: int, share: np.ndarray) -> float:
            left = float(balance[p] + at.facts.potential * weigh[:, p] @ (share - cleared))
            moved = np.clip(price[p] + left / slope[p], 0.0, cap[p]) - price[p]
            return float(moved * left - moved**2 * slope[p] / 2)

        def cost(moved: np.ndarray, piece: np.ndarray, share: np.ndarray, products: Sequence[int]) -> float:
            chosen = choice_now(at.market.tastes, wedges_of(at.pieces, piece), moved)
            after = np.asarray(chosen.probability) @ np.asarray(at.market.tastes.weight)
            return sum(worth(int(p), after) - worth(int(p), share) for p in np.flatnonzero((weigh[list(products)] != 0).any(axis=0)))

        return cost


def _share_slopes(tastes: Tastes, wedges: Wedges, price: np.ndarray) -> np.ndarray:
    """``ds_j / dp_k``. (J, J)"""
    return -np.asarray(leaving_now(tastes, wedges, host(price))[0]).T


def _held(at: Prepared, found: Found) -> np.ndarray:
    held = np.array(at.market.held)
    held[[s.product for s in found.settled.stuck]] = True
    return held


def _checked(at: Prepared, smooth: _Smooth, name: str, price: np.ndarray, balance: np.ndarray, choose: Choose | None) -> Found:
    """The market at cleared shadow prices, everybody free to move to another side."""
    found, fleet = smooth.found[name], smooth.group.burden[name] @ price
    if not at.quotas and not at.pieces.breaks.shape[1]:  # one piece: nothing to look across
        pricing, old = smooth.pricing[name], found.settled
        settled = Settled(_with(old.prices, pricing), old.best_deviation_eur, old.tried, old.rounds + 1)
        return replace(found, settled=settled, fleet=fleet)
    start = np.asarray(smooth.pricing[name].price) if name in smooth.pricing else found.price
    cost, piece = smooth.crossing_cost(name, price, balance), found.settled.prices.piece
    if choose is None or at.quotas:
        return solve_prepared(at, fleet, start, piece, cost)
    return replace(found, settled=cross_once(at.bent(at.pieces, fleet, cost), start, piece, at.facts.potential, choose), fleet=fleet)


def _with(prices: BentPricing, pricing: Pricing) -> BentPricing:
    return replace(prices, pricing=pricing, price=np.array(pricing.price), share=np.asarray(pricing.share))


def group_of(duties: tuple[Obligation, ...], at: Mapping[str, Prepared]) -> Group:
    """Obligations that share markets, with the burdens of those markets' cars."""
    markets = tuple(name for name in at if any(name in duty.rule.markets for duty in duties))
    ends = np.cumsum([0, *(len(duty.pools) for duty in duties)])
    burden: dict[str, np.ndarray] = {}
    cars = np.concatenate([duty.rest_cars for duty in duties]).astype(float)
    for name in markets:
        rows = at[name].rows
        table = np.zeros((at[name].market.cost.shape[0], int(ends[-1])))
        for duty, first in zip(duties, ends[:-1], strict=True):
            pool = duty.pool_of(rows)
            on = np.flatnonzero(pool >= 0)
            table[on, first + pool[on]] = duty.burden(rows)[on]
            cars += np.bincount(first + pool[on], rows["units"].to_numpy(float)[on], minlength=cars.size)
        burden[name] = table
    rest, cap = (np.concatenate([getattr(duty, what) for duty in duties]).astype(float) for what in ("rest", "cap"))
    return Group(duties, markets, burden, rest, cap, cars)
