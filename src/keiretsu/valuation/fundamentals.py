"""What a company brings to a listing on 1 January of each year: its worth, its revenue, what internal funding would be saved, as expected on that day.

What a draw will bring is not known on the day. What *is* known is the year before: revenue, margin, cash flow. Everything that the decision looks at
is therefore the expectation given these (a regression over draws); on the first day it is the mean.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from keiretsu.case import Case
from keiretsu.errors import Problem, ValuationError
from keiretsu.typing import Matrix, Vector
from keiretsu.valuation.cash_flow import CashFlow
from keiretsu.valuation.discounting import clock
from keiretsu.valuation.equity import Equity
from keiretsu.valuation.finance import real_rate
from keiretsu.valuation.listing_terms import ListingTerms
from keiretsu.valuation.worth import Terminal, Worth, equity_of, worth

KNOTS = 9  # money raised at which the funding saved is worked out; straight lines between them


@dataclass(frozen=True, eq=False)
class Fundamentals:
    """EUR at 2023 prices on each date, expected on that date and adjusted for risk; N draws, K dates.

    Attributes
    ----------
    equity, revenue
        Worth of the company's shares to those who know its cash flow; mean revenue of the years ahead that the multiple is of. (N, K)
    raised, saved
        Amounts of new money, and what internal funding they save from that date on. (M,), (N, K, M)
    needed
        Internal funding outstanding at the end of each year when nothing is listed, mean of draws. (K,)
    discount
        Value on the first date of one euro on each date, risk-free and real. (K,)
    net_debt
        What the market takes off the enterprise value.
    equity_now, revenue_now
        What draws bring seen from the first date, behind the mean: for Monte-Carlo errors only. (N,)
    stakes
        Worth of its stakes in others, which `equity` holds and for which the market pays beside the enterprise value. (N, K)
    risk_free
        Real, a year.
    """

    years: np.ndarray
    equity: Matrix
    revenue: Matrix
    raised: Vector
    saved: np.ndarray
    needed: Vector
    discount: Vector
    net_debt: float
    equity_now: Vector
    revenue_now: Vector
    stakes: Matrix
    risk_free: float

    def mean(self) -> Fundamentals:
        """One draw: the mean of all."""
        return dataclasses.replace(
            self,
            equity=self.equity.mean(axis=0, keepdims=True),
            revenue=self.revenue.mean(axis=0, keepdims=True),
            saved=self.saved.mean(axis=0, keepdims=True),
            stakes=self.stakes.mean(axis=0, keepdims=True),
        )

    def some(self, rows: np.ndarray) -> Fundamentals:
        """Some of the draws."""
        return dataclasses.replace(self, equity=self.equity[rows], revenue=self.revenue[rows], saved=self.saved[rows], stakes=self.stakes[rows])

    def drawn_now(self) -> Fundamentals:
        """The first date alone, each draw with what it brings."""
        return dataclasses.replace(
            self,
            years=self.years[:1],
            equity=self.equity_now[:, None],
            revenue=self.revenue_now[:, None],
            saved=np.broadcast_to(self.saved.mean(axis=0)[None, :1], (len(self.equity_now), 1, len(self.raised))),
            stakes=np.broadcast_to(self.stakes.mean(axis=0)[None, :1], (len(self.equity_now), 1)),
        )


def fundamentals(case: Case, terms: ListingTerms, worths: Mapping[str, Worth], terminal: Terminal) -> Fundamentals:
    """Fundamentals on every date on which one may list, from the worths of all companies: the listed one's shares are worth its stakes in others too.

    Raises
    ------
    ValuationError
        When the years of the listing are not all simulated.
    """
    cash, finance = worths[terms.company].cash, worths[terms.company].finance
    years = np.arange(terms.first_year, terms.last_year + 1)
    if years[0] < cash.years[0] or years[-1] > cash.years[-1]:
        raise ValuationError(
            Problem("years of the listing are not simulated", f"listing.csv, {terms.company}", f"{years[0]} to {years[-1]}",
                    f"years within {cash.years[0]} to {cash.years[-1]}")
        )  # fmt: skip
    free = real_rate(terms.risk_free_nominal, finance.inflation)
    risk = ((1 + free) / (1 + finance.rate)) ** (
        years - years[0]
    )  # what carries the company's risk loses its premium, so that it can be discounted risk-free
    at = [_on(case, worths, float(year), terminal) for year in years]
    first = int(np.flatnonzero(cash.years == years[0])[0])
    balance = _internal_funding(cash, first)
    raised = np.linspace(0.0, max(float(balance.max()), 1.0), KNOTS)
    saved = np.stack([_saved(balance[:, k:], raised, terms.funding_spread, free) for k in range(len(years))], axis=1)
    equity = np.stack([on_it.of(terms.company) for on_it in at], axis=1)
    stakes = equity - np.stack([on_it.own[:, on_it.holdings.company_index(terms.company)] for on_it in at], axis=1)
    revenue = np.stack([cash.revenue[:, first + k : first + k + terms.revenue_years].mean(axis=1) for k in range(len(years))], axis=1)
    equity_now, revenue_now = equity[:, 0].copy(), revenue[:, 0].copy()
    for k in range(len(years)):
        seen = _known(cash, first + k - 1) if k else np.ones((len(equity), 1))
        equity[:, k], saved[:, k] = _expected(seen, equity[:, k : k + 1])[:, 0], _expected(seen, saved[:, k])
        revenue[:, k], stakes[:, k] = _expected(seen, revenue[:, k : k + 1])[:, 0], _expected(seen, stakes[:, k : k + 1])[:, 0]
    return Fundamentals(
        years, equity * risk, revenue * risk, raised, saved, balance[:, : len(years)].mean(axis=0), (1 + free) ** -(years - years[0]).astype(float),
        finance.net_debt_eur, equity_now, revenue_now, stakes * risk, free,
    )  # fmt: skip


def _on(case: Case, worths: Mapping[str, Worth], day: float, terminal: Terminal) -> Equity:
    """What everybody's shares are worth on a day."""
    return equity_of(case, {name: worth(one.finance, one.cash, clock(one.cash.years, day)) for name, one in worths.items()}, terminal)


def _internal_funding(cash: CashFlow, first: int) -> Matrix:
    """Outstanding at the end of each year from the first date on: cash that had to be put in, less what came back. (N, T - first)"""
    outstanding = np.zeros(len(cash.free_cash_flow))
    balance = np.zeros_like(cash.free_cash_flow[:, first:])
    for t in range(balance.shape[1]):
        outstanding = np.maximum(outstanding - cash.free_cash_flow[:, first + t], 0.0)
        balance[:, t] = outstanding
    return balance


def _saved(balance: Matrix, raised: Vector, spread: float, rate: float) -> Matrix:
    """Value now of the spread on funding that new money replaces, for each amount raised. (N, M)"""
    ends = (1 + rate) ** -np.arange(1.0, balance.shape[1] + 1)
    return spread * (np.minimum(balance[:, :, None], raised) * ends[:, None]).sum(axis=1)


def _known(cash: CashFlow, year: int) -> Matrix:
    seen = (cash.revenue[:, year], cash.margin[:, year], cash.free_cash_flow[:, year])
    scaled = [(values - values.mean()) / values.std() for values in seen if values.std() > 0]
    return np.column_stack([np.ones(len(cash.revenue)), *scaled])


def _expected(known: Matrix, wanted: Matrix) -> Matrix:
    return known @ np.linalg.lstsq(known, wanted, rcond=1e-10)[0]
