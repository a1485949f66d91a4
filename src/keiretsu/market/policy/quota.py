"""Tariff quotas: the first cars of a year at the low duty ([7]).

Cars inside the quota keep the low duty; what a setter sees on one car more is a shadow price between nothing (the quota is not
filled) and the full difference (it is exceeded). A maker fills its quota with the cars on which it saves most. Sorted by what they save,
the states of one maker lie on a line: quota slack, shadow price rising to the smallest saving, that car leaving the quota, shadow price rising to the next
saving, and so on; cars inside the quota fall along it, so the state at which they are the quota's number is found by bisection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from keiretsu.errors import NotSettled
from keiretsu.market.policy.compile import compile_programmes
from keiretsu.market.policy.place import covers, place_of
from keiretsu.market.policy.programmes import Duty, Programme, TariffQuota, in_force
from keiretsu.market.policy.terms import quota_relief

# shares inside (J,) and shadow charges (J,) EUR a car -> prices (J,) EUR and cars a year (J,)
MarketSolver: TypeAlias = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

CARS = 1e-6  # cars by which a filled quota may be missed
STEPS = 100
PRICE_EUR = 1e-7
PRICE_ROUNDS = 60


@dataclass(frozen=True)
class QuotaState:
    """One maker's quota in equilibrium.

    Attributes
    ----------
    inside
        Share of each product's cars that come in at the low duty, (J,); one for products no quota covers.
    charge_eur
        What setters see on top per car, (J,): a shadow price, no money that anyone pays.
    shadow_price_eur
        Worth of one more car in the quota to its maker.
    cars_inside, cars
        Cars a year inside, and of all products that the quota covers.
    """

    quota: str
    maker: str
    inside: np.ndarray
    charge_eur: np.ndarray
    shadow_price_eur: float
    cars_inside: float
    cars: float


def solve_quota(saving_rate: np.ndarray, cars: float, solver: MarketSolver, quota: str, maker: str) -> QuotaState:
    """State of one maker's quota.

    Parameters
    ----------
    saving_rate
        Share of its price that a car saves inside the quota, (J,); zero for products outside it.
    cars
        The quota, cars a year.
    solver
        Solves the market for given shares inside and shadow charges.

    Raises
    ------
    NotSettled
        When no state fills the quota to a millionth of a car.
    """
    covered = saving_rate > 0
    price, units = solver(np.ones(saving_rate.size), np.zeros(saving_rate.size))
    if units[covered].sum() <= cars:
        total = float(units[covered].sum())
        return QuotaState(quota, maker, np.ones(saving_rate.size), np.zeros(saving_rate.size), 0.0, total, total)
    order = _by_saving(covered, saving_rate, price)
    low, high = 0.0, 2.0 * order.size
    for _ in range(STEPS):
        position = (low + high) / 2
        state, price, units = _at(position, order, saving_rate, solver, price)
        if (fresh := _by_saving(covered, saving_rate, price)) != order:
            order, low, high = fresh, 0.0, 2.0 * fresh.size  # prices moved past each other: start over with the new order
            continue
        inside = float((state.inside * units)[covered].sum())
        if abs(inside - cars) <= CARS or high - low < 1e-13:
            break
        low, high = (position, high) if inside > cars else (low, position)
    if abs(inside - cars) > CARS:
        raise NotSettled("a tariff quota", where=f"{quota}, {maker}", residual=abs(inside - cars), unit="cars a year", iterations=STEPS, next_step="look for prices of two cars of the maker that change order")
    return QuotaState(quota, maker, state.inside, state.charge, state.shadow, inside, float(units[covered].sum()))


def savings(programmes: tuple[Programme, ...], rows: object, facts: object, date: object, price: np.ndarray, quota: TariffQuota, maker: str) -> np.ndarray:
    """Share of each product's price that `maker` saves inside `quota`, (J,); zero for what it does not cover."""
    raise NotImplementedError


class _Order(tuple[int, ...]):
    """Products of the quota, the one that saves least first."""

    @property
    def size(self) -> int:
        return len(self)


@dataclass(frozen=True)
class _State:
    inside: np.ndarray
    charge: np.ndarray
    shadow: float


def _by_saving(covered: np.ndarray, rate: np.ndarray, price: np.ndarray) -> _Order:
    return _Order(sorted(map(int, np.flatnonzero(covered)), key=lambda j: (rate[j] * price[j], j)))
