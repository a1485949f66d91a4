"""Tariff quotas: the first cars of a year at the low duty ([7]).

Cars inside the quota keep the low duty; what a setter sees on one car more is a shadow price between nothing (the quota is not
filled) and the full difference (it is exceeded). A maker fills its quota with the cars on which it saves most. Sorted by what they save,
the states of one maker lie on a line: quota slack, shadow price rising to the smallest saving, that car leaving the quota, shadow price
rising to the next saving, and so on. Cars inside the quota fall along it, so the state at which they fill it is a root in one number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from scipy.optimize import brentq

from keiretsu.errors import NotSettled
from keiretsu.market.policy.compile import Compiled
from keiretsu.market.policy.place import covers
from keiretsu.market.policy.programmes import Duty, TariffQuota
from keiretsu.market.policy.terms import quota_relief

# shares inside (J,) and shadow charges (J,) EUR a car -> prices (J,) EUR and cars a year (J,)
MarketSolver: TypeAlias = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

CARS = 1e-3  # cars a year by which a filled quota may be missed
PRICE_EUR = 1e-6  # savings follow prices; both are settled when no price moves more than this
PRICE_ROUNDS = 80
ORDERS = 10


@dataclass(frozen=True)
class QuotaState:
    """One maker's quota in equilibrium.

    Attributes
    ----------
    inside
        Share of each product's cars that come in at the low duty, (J,); one for products the quota does not cover.
    charge_eur
        What setters see on top per car, (J,): a shadow price, no money that anyone pays.
    shadow_price_eur
        Worth to the maker of one more car in the quota.
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


def solve_quota(saving_rate: np.ndarray, quota: TariffQuota, maker: str, solver: MarketSolver) -> QuotaState:
    """State of one maker's quota.

    Parameters
    ----------
    saving_rate
        Share of its price that a car saves inside the quota, (J,), as from `saving_rates`; zero for what it does not cover.
    solver
        Solves the market for given shares inside and shadow charges.

    Raises
    ------
    NotSettled
        When no state fills the quota: two cars of the maker keep changing order in what they save.
    """
    covered = saving_rate > 0
    everything, nothing = np.ones(saving_rate.size), np.zeros(saving_rate.size)
    price, units = solver(everything, nothing)
    if units[covered].sum() <= quota.cars:
        total = float(units[covered].sum())
        return QuotaState(quota.scope.id, maker, everything, nothing, 0.0, total, total)
    gap = np.inf
    for _ in range(ORDERS):
        order = sorted(map(int, np.flatnonzero(covered)), key=lambda j: (saving_rate[j] * price[j], j))
        line = _Line(saving_rate, tuple(order), quota.cars, solver, price)
        if line.excess(0.0) <= 0 or line.excess(2.0 * len(order)) >= 0:
            break
        gap = line.excess(float(brentq(line.excess, 0.0, 2.0 * len(order), xtol=1e-13, rtol=1e-15, maxiter=200)))
        price = line.price
        if abs(gap) <= CARS and order == sorted(order, key=lambda j: (saving_rate[j] * price[j], j)):
            total = float(line.units[covered].sum())
            return QuotaState(quota.scope.id, maker, line.inside, line.charge, line.shadow, quota.cars + gap, total)
    raise NotSettled(
        "a tariff quota",
        where=f"{quota.scope.id}, {maker}",
        residual=abs(gap),
        unit="cars a year",
        iterations=ORDERS,
        next_step="look for two cars of the maker whose savings change order",
    )


def saving_rates(compiled: Compiled, quota: TariffQuota, maker: str, piece: np.ndarray) -> np.ndarray:
    """Share of its price that each of `maker`'s cars saves inside `quota` on the pieces in force. (J,)"""
    place = compiled.place
    inner = compiled.inner[np.arange(place.n_products), piece]
    mine = covers(quota.scope, place) & (place.maker == maker)
    duties = [d for d in compiled.programmes if isinstance(d, Duty)]
    return mine * sum((quota_relief(quota, duty, place, inner) for duty in duties), np.zeros(place.n_products))


@dataclass
class _Line:
    """States of a quota along one number from 0 to 2n; keeps the last solution as the next start."""

    rate: np.ndarray
    order: tuple[int, ...]
    cars: float
    solver: MarketSolver
    price: np.ndarray
    units: np.ndarray = field(init=False)
    inside: np.ndarray = field(init=False)
    charge: np.ndarray = field(init=False)
    shadow: float = 0.0

    def excess(self, position: float) -> float:
        """Cars inside above the quota at a position."""
        for _ in range(PRICE_ROUNDS):
            self._place(position)
            before = self.price
            self.price, self.units = self.solver(self.inside, self.charge)
            if np.abs(self.price - before).max() <= PRICE_EUR:
                break
        covered = list(self.order)
        return float((self.inside * self.units)[covered].sum() - self.cars)

    def _place(self, position: float) -> None:
        """Shares inside, charges and the shadow price at a position, with what cars save at the present prices."""
        saving = self.rate * self.price
        m = min(int(position // 2), len(self.order) - 1)
        along = position - 2 * m
        inside, charge = np.ones(self.rate.size), np.zeros(self.rate.size)
        inside[list(self.order[:m])] = 0.0
        leaving = self.order[m]
        if along < 1:
            below = saving[self.order[m - 1]] if m else 0.0
            shadow = below + along * (saving[leaving] - below)
            charge[list(self.order[m:])] = shadow
        else:  # part of this car's sales is outside: on one more it pays the full duty, on average a part of it
            shadow = saving[leaving]
            charge[list(self.order[m:])] = shadow
            inside[leaving] = 2 - along
            charge[leaving] = (2 - along) * shadow
        self.inside, self.charge, self.shadow = inside, charge, float(shadow)
