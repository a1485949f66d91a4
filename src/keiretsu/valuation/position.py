"""What an investor pays and gets under given terms, draw by draw: common shares, a convertible note, a commitment in parts ([15]).

One identity carries everything. Money that stays in the company, or is owed by it, earns the company's own discount rate (financing at fair prices), so
equity at a later date is ``(1 + r)^T (equity at entry + new money - value of dividends paid until then)``, whatever is paid out in between. A stake
bought at its expected value is therefore worth exactly what it costs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keiretsu.errors import Problem, ValuationError
from keiretsu.typing import Matrix, Vector
from keiretsu.units import MODEL_PRICE_YEAR
from keiretsu.valuation.discounting import Clock
from keiretsu.valuation.finance import at_model_prices, decimal_year
from keiretsu.valuation.terms import StakeTerms


@dataclass(frozen=True, eq=False)
class Target:
    """The company as the investor sees it on the day of entry, EUR at 2023 prices.

    Attributes
    ----------
    equity
        Value of all of its shares before the deal. (N,)
    dividends
        Paid out each year on all shares. (N, T)
    rate, inflation, price_year
        Real discount rate; inflation for amounts fixed in the money of the day, and the year whose prices everything else has.
    loop
        Part of a gain of the investor that comes back to the company through stakes in those who hold it; 0 without such a ring.
    """

    equity: Vector
    dividends: Matrix
    years: np.ndarray
    time: Clock
    rate: float
    inflation: float
    loop: float
    price_year: int = MODEL_PRICE_YEAR


@dataclass(frozen=True, eq=False)
class Position:
    """An investor's position, EUR at 2023 prices; N draws, K dates.

    Attributes
    ----------
    times
        Years after entry. (K,)
    paid
        Payments, negative. (N, K)
    received
        Dividends, interest, principal repaid. (N, K)
    sold
        Worth of the shares at the exit before discounts; may be below zero, see `limited_liability`. (N,)
    exit_time
        Years from entry to the exit.
    limited_liability
        Added at the exit because shares cannot be worth less than nothing. (N,)
    share
        Part of the company held at the exit. (N,)
    rate
        Real discount rate.
    """

    times: Vector
    paid: Matrix
    received: Matrix
    sold: Vector
    exit_time: float
    limited_liability: Vector
    share: Vector
    rate: float

    def now(self, amounts: Matrix) -> Vector:
        """Value at entry of yearly amounts. (N,)"""
        return amounts @ (1 + self.rate) ** -self.times

    @property
    def exit_factor(self) -> float:
        """Value at entry of one euro at the exit."""
        return (1 + self.rate) ** -self.exit_time

    @property
    def price(self) -> Vector:
        """Value at entry of what is paid. (N,)"""
        return -self.now(self.paid)

    @property
    def transfer(self) -> Vector:
        """What the investor gains and the others lose by the terms alone, before limited liability and discounts. (N,)"""
        return self.now(self.received) + self.sold * self.exit_factor - self.price

    def flows(self, kept: float) -> Matrix:
        """Payments and receipts, the exit last and worth `kept` of its full value. (N, K + 1)"""
        proceeds = (self.sold + self.limited_liability) * kept
        return np.column_stack([self.paid + self.received, proceeds])

    def net_present_value(self, kept: float) -> Vector:
        """Value at entry of all flows, limited liability in, shares worth `kept` of their full value at the exit. (N,)"""
        return self.now(self.paid + self.received) + (self.sold + self.limited_liability) * kept * self.exit_factor


def position(terms: StakeTerms, target: Target, met: Matrix) -> Position:
    """What the terms bring in every draw.

    Parameters
    ----------
    met
        Which parts of a staged commitment are paid; ignored for other instruments. (N, milestones) of 0 and 1
    """
    if target.loop and terms.instrument != "common":
        raise ValuationError(
            Problem(
                "the company holds part of those who hold it", terms.place or terms.name, terms.instrument, "common shares, where loops are followed"
            )
        )
    if terms.instrument == "convertible":
        return _note(terms, target)
    if terms.instrument == "staged":
        return _in_parts(terms, target, met)
    return _common(terms, target)


def dilution(pre_money: float, amount: float) -> tuple[float, float]:
    """Share that new money buys, and what is left of one share of the others: ``A / (pre + A)`` and ``pre / (pre + A)``."""
    return amount / (pre_money + amount), pre_money / (pre_money + amount)


def _common(terms: StakeTerms, target: Target) -> Position:
    amount = _real(terms.amount_eur, terms, target, 0.0)
    added = amount if terms.money == "primary" else 0.0
    equity = (target.equity + added - amount * target.loop) / (1 - terms.share * target.loop)
    held = np.full(len(equity), terms.share)
    return _shares(terms, target, equity, np.full((len(equity), 1), -amount), np.zeros(1), held[:, None])


def _in_parts(terms: StakeTerms, target: Target, met: Matrix) -> Position:
    """Every part is paid at the price per share agreed at the start, so the parts paid so far buy ``sum / (pre + sum)``.

    A part is paid at the end of its year; one without a condition in the year of entry on the day of entry.
    """
    entry = decimal_year(terms.date)
    at_once = [not milestone.measure and milestone.year == terms.date.year for milestone in terms.milestones]
    times = np.array([0.0 if now else milestone.year + 1.0 - entry for milestone, now in zip(terms.milestones, at_once, strict=True)])
    nominal = np.array([milestone.share * terms.amount_eur for milestone in terms.milestones])
    real = np.array([_real(amount, terms, target, time) for amount, time in zip(nominal, times, strict=True)])
    so_far = np.cumsum(met * nominal, axis=1)
    held = so_far / (terms.pre_money_eur + so_far)
    equity = target.equity + (met * real) @ (1 + target.rate) ** -times
    return _shares(terms, target, equity, -met * real, times, held)


def _shares(terms: StakeTerms, target: Target, equity: Vector, paid: Matrix, times: Vector, held: Matrix) -> Position:
    """Dividends on what is held when they are paid, and the sale at the end of the exit year. `equity` is that at entry with all new money."""
    last = int(np.flatnonzero(target.years == terms.exit_year)[0])
    middle, end = target.time.middle[: last + 1], float(target.time.end[last])
    dividends = target.dividends[:, : last + 1] * target.time.part[: last + 1]
    bought = np.searchsorted(times, middle, side="right") - 1  # the last part paid before each dividend
    share = np.where(bought >= 0, held[:, np.maximum(bought, 0)], 0.0)
    left = equity - dividends @ (1 + target.rate) ** -middle
    sold = held[:, -1] * left * (1 + target.rate) ** end
    all_times = np.concatenate([times, middle])
    order = np.argsort(all_times, kind="stable")
    nothing = np.zeros((len(equity), 1))
    paid_all = np.concatenate([paid, np.broadcast_to(nothing, (len(equity), len(middle)))], axis=1)[:, order]
    got_all = np.concatenate([np.broadcast_to(nothing, (len(equity), len(times))), share * dividends], axis=1)[:, order]
    return Position(all_times[order], paid_all, got_all, sold, end, np.maximum(-sold, 0.0), held[:, -1], target.rate)


def _note(terms: StakeTerms, target: Target) -> Position:
    """Interest each year; at the exit the better of the principal and of shares at a discount to value, or at the cap if that is lower."""
    last = int(np.flatnonzero(target.years == terms.exit_year)[0])
    times = target.time.end[: last + 1][target.time.part[: last + 1] > 0]
    end = float(target.time.end[last])
    amount, principal = _real(terms.amount_eur, terms, target, 0.0), _real(terms.amount_eur, terms, target, end)
    interest = np.array([terms.coupon * _real(terms.amount_eur, terms, target, t) for t in times]) * target.time.part[: last + 1][-len(times) :]
    paid_out = target.dividends[:, : last + 1] * target.time.part[: last + 1]
    before = target.equity + amount - paid_out @ (1 + target.rate) ** -target.time.middle[: last + 1] - interest @ (1 + target.rate) ** -times
    company = before * (1 + target.rate) ** end  # what note and shares are worth together at the exit
    price = (1 - terms.conversion_discount) * np.maximum(company - principal, 0.0)
    if terms.conversion_cap_eur > 0:
        price = np.minimum(price, _real(terms.conversion_cap_eur, terms, target, end))
    share = principal / (price + principal)
    converted, repaid = share * company, np.minimum(principal, np.maximum(company, 0.0))
    converts = converted > repaid
    flows = np.zeros((len(company), 1 + len(times)))
    flows[:, 1:] = interest
    received, sold = flows, np.where(converts, converted, 0.0)
    received[:, -1] += np.where(converts, 0.0, repaid)
    paid = np.zeros_like(flows)
    paid[:, 0] = -amount
    nobody = np.zeros(len(company))
    return Position(np.concatenate([[0.0], times]), paid, received, sold, end, nobody, np.where(converts, share, 0.0), target.rate)


def _real(amount: float, terms: StakeTerms, target: Target, later: float) -> float:
    """An amount fixed in the money of a day `later` years after entry, as EUR at 2023 prices."""
    return at_model_prices(amount, decimal_year(terms.date) + later, target.inflation, target.price_year)
