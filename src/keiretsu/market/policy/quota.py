"""Tariff quotas: the first cars of a year at the low duty ([7]).

Cars inside the quota keep the low duty; what a setter sees on one car more is a shadow price between nothing (the quota is not
filled) and the full difference (it is exceeded). A maker fills its quota with the cars on which it saves most. Sorted by what they save,
the states of one maker lie on a line: quota slack, shadow price rising to the smallest saving, that car leaving the quota, shadow price
rising to the next saving, and so on. Cars inside the quota fall along it, so the state at which they fill it is a root in one number.
What a car saves, and whether it is one of the quota's cars at all, hangs on the piece of taxes that its price lies on (a window on the customs value, a
duty bracket): pieces are those of the solved prices.
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
from keiretsu.supply.pieces import piece_at_breaks

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


@dataclass(frozen=True)
class Savings:
    """What cars of one maker save inside a quota.

    Attributes
    ----------
    relief
        Share of its price that each car saves on each piece; zero where the quota does not cover it. (J, K)
    breaks, closed_below
        Breakpoints (EUR), and whether each belongs to the piece below. (J, K-1)
    """

    relief: np.ndarray
    breaks: np.ndarray
    closed_below: np.ndarray

    def rate(self, price: np.ndarray) -> np.ndarray:
        """Share of the price saved on the piece that each price lies on. (J,)"""
        return self.relief[np.arange(price.size), piece_at_breaks(self.breaks, self.closed_below, price)]

    def coming_in(self, rate: np.ndarray, price: np.ndarray, shadow: float) -> np.ndarray:
        """Share inside of cars that save nothing where they are (`rate`): one, or what is left of the saving at their window's edge once the place is paid for. (J,)"""
        share = np.ones(price.size)
        for j in np.flatnonzero((rate == 0) & (self.relief > 0).any(axis=1) & (shadow > 0)):
            here, open_ = int((price[j] > self.breaks[j]).sum()), np.flatnonzero(self.relief[j] > 0)
            nearest = int(open_[np.abs(open_ - here).argmin()])
            edge = self.breaks[j, nearest - 1] if nearest > here else self.breaks[j, nearest] if nearest < here else price[j]
            share[j] = max(0.0, 1.0 - shadow / (self.relief[j, nearest] * edge)) if np.isfinite(edge) else 1.0
        return share


def solve_quota(savings: Savings, quota: TariffQuota, maker: str, solver: MarketSolver) -> QuotaState:
    """State of one maker's quota.

    Parameters
    ----------
    savings
        What its cars save inside the quota, as from `savings_of`.
    solver
        Solves the market for given shares inside and shadow charges.

    Raises
    ------
    NotSettled
        When no state fills the quota: two cars of the maker keep changing order in what they save, or a car goes over a threshold at the price that would fill it.
    """
    size = len(savings.relief)
    everything, nothing = np.ones(size), np.zeros(size)
    price, units = solver(everything, nothing)
    rate = savings.rate(price)
    if units[rate > 0].sum() <= quota.cars:
        total = float(units[rate > 0].sum())
        return QuotaState(quota.scope.id, maker, everything, nothing, 0.0, total, total)
    gap = np.inf
    for _ in range(ORDERS):
        order = in_order(rate, price)
        line = Line(savings, rate, order, quota.cars, solver, price)
        if line.excess(0.0) <= 0 or line.excess(2.0 * len(order)) > 0:
            break
        gap = line.excess(float(brentq(line.excess, 0.0, 2.0 * len(order), xtol=1e-13, rtol=1e-15, maxiter=200)))
        price, before, rate = line.price, rate, savings.rate(line.price)
        if abs(gap) <= CARS and (rate == before).all() and order == in_order(rate, price):
            total = float(line.units[rate > 0].sum())
            return QuotaState(quota.scope.id, maker, line.inside, line.charge, line.shadow, quota.cars + gap, total)
    raise NotSettled(
        "a tariff quota",
        where=f"{quota.scope.id}, {maker}",
        residual=abs(gap),
        unit="cars a year",
        iterations=ORDERS,
        next_step="look for two cars of the maker whose savings change order, or for one at a threshold of prices",
    )


def savings_of(compiled: Compiled, quota: TariffQuota, maker: str) -> Savings:
    """What each of `maker`'s cars saves inside `quota`."""
    place = compiled.place
    mine = covers(quota.scope, place) & (place.maker == maker)
    duties = [d for d in compiled.programmes if isinstance(d, Duty)]
    on_pieces = [mine * sum((quota_relief(quota, duty, place, price) for duty in duties), np.zeros(place.n_products)) for price in compiled.inner.T]
    return Savings(np.stack(on_pieces, axis=1), compiled.pieces.breaks, compiled.pieces.closed_below)


def in_order(rate: np.ndarray, price: np.ndarray) -> tuple[int, ...]:
    """Cars that save something, the one that saves least first."""
    return tuple(sorted(map(int, np.flatnonzero(rate)), key=lambda j: (rate[j] * price[j], j)))


@dataclass
class Line:
    """States of a quota along one number from 0 to 2n; keeps the last solution as the next start."""

    savings: Savings
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
        inside = np.minimum(inside, self.savings.coming_in(self.rate, self.price, float(shadow)))
        self.inside, self.charge, self.shadow = inside, charge, float(shadow)
