"""Operating values of every company that the case has finance for, under one scenario: the numbers that companies, stakes and listings share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import xarray as xr

from keiretsu.case import Case
from keiretsu.market.build import register_of
from keiretsu.market.memory import Same
from keiretsu.ownership import Holdings
from keiretsu.valuation.cash_flow import CashFlow, cash_flow, sized_by
from keiretsu.valuation.deals import booked_by_parents, parents_of_ventures
from keiretsu.valuation.discounting import Clock, clock, value_of_exit, value_of_flows, value_of_growth
from keiretsu.valuation.equity import Equity, equity_through_network
from keiretsu.valuation.finance import Finance, decimal_year, finances
from keiretsu.valuation.inputs import prospects

Terminal = Literal["growth", "exit_multiple"]
TERMINALS: tuple[Terminal, ...] = ("growth", "exit_multiple")


@dataclass(frozen=True, eq=False)
class Worth:
    """Money of one company seen from one day, EUR at 2023 prices. (N,) each.

    Attributes
    ----------
    flows
        Value of the free cash flow of the years simulated.
    after
        Value of what comes after them, by `Terminal`.
    """

    finance: Finance
    cash: CashFlow
    time: Clock
    flows: np.ndarray
    after: Mapping[Terminal, np.ndarray]

    def operating(self, terminal: Terminal) -> np.ndarray:
        """Operating value: flows of the years simulated and what comes after. (N,)"""
        return self.flows + self.after[terminal]

    def own(self, terminal: Terminal) -> np.ndarray:
        """Operating value less net debt. (N,)"""
        return self.operating(terminal) - self.finance.net_debt_eur


def worth_of_all(case: Case, data: xr.Dataset, scenario: str, *, with_synergies: bool, now: float | None = None) -> dict[str, Worth]:
    """Every company of finance.csv under a scenario, on the case's day or another decimal year; what a scenario's ventures earn is in their parents' accounts."""
    ahead = booked_by_parents(prospects(data, scenario, sized_by(case, scenario)), parents_of_ventures(case, scenario))
    time = clock(ahead.years, decimal_year(case.as_of) if now is None else now)
    return {name: worth(finance, cash_flow(case, finance, ahead, with_synergies=with_synergies), time) for name, finance in finances(case).items()}


def worth(finance: Finance, cash: CashFlow, time: Clock) -> Worth:
    """Value of a company's free cash flow and of what comes after it, by growth and by multiple ([14])."""
    rate = finance.rate
    after: dict[Terminal, np.ndarray] = {
        "growth": value_of_growth(cash.steady, rate, finance.growth_terminal, time),
        "exit_multiple": value_of_exit(cash.ebitda[:, -1] - cash.synergies[:, -1], finance.exit_multiple, rate, time),
    }
    return Worth(finance, cash, time, value_of_flows(cash.free_cash_flow, rate, time), after)


def equity_of(case: Case, worths: Mapping[str, Worth], terminal: Terminal) -> Equity:
    """Equity of all companies through the stakes of the case's day."""
    return equity_through_network(holdings_of(case), {name: worth.own(terminal) for name, worth in worths.items()})


def holdings_of(case: Case) -> Holdings:
    """Who holds what on the case's day."""
    return _holdings_of(Same(case))


@lru_cache(maxsize=8)
def _holdings_of(case: Same) -> Holdings:
    assert isinstance(case.thing, Case)
    return register_of(case.thing).as_of(case.thing.as_of)


def not_valued(case: Case, worths: Mapping[str, Worth], company: str) -> tuple[str, ...]:
    """Companies that this one holds a part of, through any chain, and for which the case states no finance: counted as nothing."""
    holdings = holdings_of(case)
    reached = {holdings.company_index(company)}
    while True:
        further = reached | {int(g) for f in reached for g in np.flatnonzero(holdings.cross_holdings[f] > 0)}
        if further == reached:
            break
        reached = further
    return tuple(sorted(holdings.companies[k] for k in reached if holdings.companies[k] not in worths and holdings.companies[k] != company))
