"""In which regime a path is, and how far each part of it is from the next one ([7], [10], [13]).

A regime is: which pools' rules are slack, binding or fined in which year; which tariff quotas are filled; between which breakpoints of taxes and incentives each price lies, or at which one it
stands; which pots are empty before the year is over; what is on sale. Inside one regime a path is smooth and its slopes are exact. Where a distance to the
next regime can be read off a path it is a *slack*: a pool's shadow price or balance, the distance of a free price to the breakpoints around it, the part of a
year in which a pot is empty. A price that stands at a breakpoint, a jump over a wall and a pot that lasts all the year have none: they show
when the path is solved elsewhere and the regime there is another one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from keiretsu.outlook.arrays import FleetYears, Plan, Year
from keiretsu.outlook.bent import NEAR_EUR, Bends
from keiretsu.outlook.fleet_years import Slots
from keiretsu.outlook.inputs import CURRENCIES
from keiretsu.outlook.outlook import Outlook
from keiretsu.outlook.quotas import counted, enough, quotas_of

YearsAt: TypeAlias = Callable[[Mapping[str, float]], Year]  # the years of one scenario under given values

SLACK, BINDING, FINED = 0, 1, 2
NOT_WATCHED = -1
FREE_OF_CHARGE = 1e-9  # a shadow price below this is none


@dataclass(frozen=True, eq=False)
class Regime:
    """Where a path is.

    Attributes
    ----------
    codes
        What each part is doing, by kind: ``pool`` (T, K), ``price`` (T, M, J), ``pot`` (T, P), ``quota`` (T, Q); -1 where there is nothing to watch.
    slacks
        Distances to the next regime in each part's own unit, the same kinds with a last axis of two (towards the lower and the upper end); inf where
        there is none to read.
    breaks
        Breakpoints below and above each price, EUR, (T, M, J, 2).
    pools
        What each pool is called, by year and place: its rule and the member with the largest balance.
    quotas
        What each of the Q tariff quotas is called: quota, maker and market.
    """

    codes: Mapping[str, np.ndarray]
    slacks: Mapping[str, np.ndarray]
    breaks: np.ndarray
    pools: Mapping[tuple[int, int], str]
    quotas: tuple[str, ...] = ()

    def same_as(self, other: Regime) -> bool:
        """Whether everything is in the same regime."""
        return all((self.codes[kind] == other.codes[kind]).all() for kind in self.codes)


def regime_at(outlook: Outlook, scenario: str, values: Mapping[str, float], years_at: YearsAt) -> Regime:
    """The regime of a scenario's path at `values`; `years_at` solves it, and raises `NotSettled` where there is none."""
    plan, years = outlook.plan(scenario, values), years_at(values)
    found = regime_of(outlook, plan, values, years)
    codes, slack, names = _quotas(outlook, outlook.branch(scenario, values), plan, years)
    return Regime({**found.codes, "quota": codes}, {**found.slacks, "quota": slack}, found.breaks, found.pools, names)


def regime_of(outlook: Outlook, plan: Plan, values: Mapping[str, float], years: Year) -> Regime:
    """The regime of a path that is there."""
    count = len(outlook.facts.years)
    codes = {"pool": np.zeros((count, 0), int), "pot": np.zeros((count, 0), int)}
    slacks = {"pool": np.zeros((count, 0, 2)), "pot": np.zeros((count, 0, 2))}
    names: dict[tuple[int, int], str] = {}
    if plan.rules is not None and years.rules is not None:
        worth = _worth(outlook, values, plan.rules)
        balance = np.asarray(years.rules.balance)
        codes["pool"], slacks["pool"] = _pools(plan.rules, np.asarray(years.rules.price), balance, worth)
        names = _pool_names(outlook.ruled, np.asarray(plan.rules.pool), balance)
    if years.pot_open is not None and plan.bends is not None and plan.bend_set is not None:
        budget = np.asarray(plan.bends.budget)[np.asarray(plan.bend_set)]
        codes["pot"], slacks["pot"] = _pots(np.asarray(years.pot_open), budget)
    codes["price"], slacks["price"], breaks = _prices(plan, years)
    return Regime(codes, slacks, breaks, names)


def name_of(outlook: Outlook, scenario: str, kind: str, place: tuple[int, ...], before: Regime, end: int) -> str:
    """What happens when the part at `place` reaches its lower (`end` 0) or upper (1) end."""
    year = outlook.facts.years[place[0]]
    if kind == "pool":
        said = {(SLACK, 0): "starts to bind", (BINDING, 0): "stops binding", (BINDING, 1): "comes to the fine", (FINED, 0): "comes off the fine"}
        return f"{before.pools[place[0], place[1]]}, {said[int(before.codes['pool'][place]), end]} in {year}"
    if kind == "pot":
        return f"pot {place[1] + 1} of incentives lasts all of {year}"
    if kind == "quota":
        return f"{before.quotas[place[1]]}, is filled in {year}"
    market = list(outlook.roster.rows)[place[1]]
    product = str(outlook.roster.rows[market]["product"].iloc[place[2]])
    return f"{product} in {market} comes to the threshold at {before.breaks[(*place, end)]:,.0f} EUR in {year}"


def what_changed(outlook: Outlook, before: Regime, after: Regime) -> str:
    """The first thing that differs between two regimes, and how many there are in all."""
    found: list[str] = []
    for kind in ("pool", "pot", "quota", "price"):
        if kind not in before.codes:
            continue
        for at in np.argwhere(before.codes[kind] != after.codes[kind]):
            place = tuple(int(i) for i in at)
            found.append(_changed(outlook, before, kind, place, int(before.codes[kind][place]), int(after.codes[kind][place])))
    return found[0] + (f", and {len(found) - 1} more" if len(found) > 1 else "")


def _changed(outlook: Outlook, before: Regime, kind: str, place: tuple[int, ...], old: int, new: int) -> str:
    year = outlook.facts.years[place[0]]
    if kind == "pool":
        said = {
            (SLACK, BINDING): "starts to bind",
            (BINDING, SLACK): "stops binding",
            (BINDING, FINED): "comes to the fine",
            (FINED, BINDING): "comes off the fine",
        }
        return f"{before.pools[place[0], place[1]]}, {said.get((old, new), 'changes')} in {year}"
    if kind == "pot":
        return f"pot {place[1] + 1} of incentives {'lasts all of' if new == 0 else 'runs out in'} {year}"
    if kind == "quota":
        return f"{before.quotas[place[1]]}, {'is filled' if new == BINDING else 'is not filled'} in {year}"
    market = list(outlook.roster.rows)[place[1]]
    product = str(outlook.roster.rows[market]["product"].iloc[place[2]])
    if NOT_WATCHED in (old, new):
        return f"{product} in {market} {'goes off sale' if new == NOT_WATCHED else 'is on sale'} in {year}"
    stands, stood = new % 2 == 1, old % 2 == 1
    did = "comes to a threshold" if stands and not stood else "leaves a threshold" if stood and not stands else "jumps over a threshold"
    return f"{product} in {market} {did} in {year}"


def _pools(rules: FleetYears, price: np.ndarray, balance: np.ndarray, worth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    pool, cap = np.asarray(rules.pool), np.asarray(rules.cap) * worth
    whole = np.zeros_like(balance)
    for t in range(len(pool)):
        np.add.at(whole[t], pool[t], balance[t])
    window = np.asarray(rules.window)
    for number in range(rules.windows):
        inside = window == number
        whole = np.where(inside, np.where(inside, whole, 0.0).sum(axis=0), whole)
    there = cap > 0
    status = np.where(price <= FREE_OF_CHARGE, SLACK, np.where(price >= cap * (1 - FREE_OF_CHARGE), FINED, BINDING))
    slack = np.full((*status.shape, 2), np.inf)
    slack[..., 0] = np.select([~there, status == BINDING], [np.inf, price], np.abs(whole))
    slack[..., 1] = np.where(there & (status == BINDING), cap - price, np.inf)
    return np.where(there, status, NOT_WATCHED), slack


def _pool_names(ruled: Slots, pool: np.ndarray, balance: np.ndarray) -> dict[tuple[int, int], str]:
    """``eu_co2, pool of Nissan and 1 more``, by year and place of the pool."""
    found: dict[tuple[int, int], str] = {}
    for t, of_slot in enumerate(pool):
        for place in np.unique(of_slot):
            members = np.flatnonzero(of_slot == place)
            rule, _, maker = ruled.labels[members[np.abs(balance[t, members]).argmax()]].partition(": ")
            found[t, int(place)] = f"{rule}, pool of {maker}" + (f" and {len(members) - 1} more" if len(members) > 1 else "")
    return found


def _quotas(outlook: Outlook, branch: str, plan: Plan, years: Year) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Tariff quotas that are filled or not (T, Q), how many cars are missing until they are (T, Q, 2), and their names."""
    quotas = quotas_of(outlook, branch)
    names = tuple(dict.fromkeys(f"{one.quota}, {one.maker} in {one.market}" for one in quotas))
    codes = np.full((len(outlook.facts.years), len(names)), NOT_WATCHED)
    slack = np.full((*codes.shape, 2), np.inf)
    for one in quotas:
        place = one.t, names.index(f"{one.quota}, {one.maker} in {one.market}")
        beyond = counted(one, plan, years).beyond(one.cars)
        codes[place] = BINDING if beyond >= -enough(one.cars) else SLACK
        if codes[place] == SLACK:
            slack[(*place, 1)] = -beyond
    return codes, slack, names


def _worth(outlook: Outlook, values: Mapping[str, float], rules: FleetYears) -> np.ndarray:
    """What a unit of the money of each slot's rule is worth in EUR of the case. (T, K)"""
    money = 1.0 + np.array([values[f"fx_{currency}"] for currency in CURRENCIES]) @ np.asarray(outlook.base.money)
    own = np.asarray(rules.own_market)
    by_rule = np.where(own >= 0, money[np.maximum(own, 0)], 1.0)
    return np.take_along_axis(by_rule, np.asarray(rules.rule_of), axis=1)


def _pots(open_: np.ndarray, budget: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A pot that is empty before the year is over (1), that lasts (0); the part of the year without it is its slack."""
    there, empties = np.isfinite(budget), open_ < 1.0
    slack = np.full((*open_.shape, 2), np.inf)
    slack[..., 0] = np.where(there & empties, 1.0 - open_, np.inf)
    return np.where(there, empties.astype(int), NOT_WATCHED), slack


def _prices(plan: Plan, years: Year) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    price, on_sale = np.asarray(years.price), np.asarray(years.on_sale) > 0
    nothing = np.full((*price.shape, 2), np.inf)
    if plan.bends is None or plan.bend_set is None:
        return np.where(on_sale, 0, NOT_WATCHED), nothing, nothing
    points = np.asarray(plan.bends.breaks)[np.asarray(plan.bend_set)]
    watched = on_sale & ~np.asarray(plan.held) & ~_split(plan.bends, np.asarray(plan.bend_set), years)[..., None]
    below = points < price[..., None] - NEAR_EUR
    stands = (np.abs(points - price[..., None]) <= NEAR_EUR).any(axis=-1)
    ends = np.stack(
        [np.where(below, points, -np.inf).max(axis=-1, initial=-np.inf), np.where(below, np.inf, points).min(axis=-1, initial=np.inf)], -1
    )
    free = (watched & ~stands)[..., None]
    slack = np.where(free, np.abs(ends - price[..., None]), np.inf)
    # a price that is not watched counts as on sale or not
    return np.where(watched, 2 * below.sum(axis=-1) + stands, np.where(on_sale, 0, NOT_WATCHED)), slack, ends


def _split(bends: Bends, bend_set: np.ndarray, years: Year) -> np.ndarray:
    """Markets and years that a pot splits: prices are means over parts there and say nothing about breakpoints. (T, M)"""
    shape = (len(bend_set), np.asarray(years.units_all).shape[1])
    if years.pot_open is None or np.asarray(years.pot_open).shape[1] == 0:
        return np.zeros(shape, bool)
    pays = sum(
        np.abs(np.asarray(terms)).reshape(*np.asarray(terms).shape[:3], -1).sum(axis=-1)
        for terms in (bends.pot_rate, bends.pot_add, bends.pot_charge)
    )
    pays = pays + np.abs(np.asarray(bends.pot_lost)).reshape(*np.asarray(bends.pot_lost).shape[:3], -1).sum(axis=-1)
    open_ = np.asarray(years.pot_open)
    empties = np.isfinite(np.asarray(bends.budget)[bend_set]) & (open_ > 0) & (open_ < 1)
    return (empties[..., None] & (pays[bend_set] > 0)).any(axis=1)
