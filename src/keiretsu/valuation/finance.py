"""What a company's money looks like beyond its margins, as the case states it: one frozen record for each company.

Everything is real (EUR at 2023 prices). Costs of capital are stated in nominal terms and turned into real ones once, here:
``1 + real = (1 + nominal + country premium) / (1 + inflation)`` ([14]).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from keiretsu.case import Case
from keiretsu.errors import Problem, ValuationError
from keiretsu.market.memory import Same
from keiretsu.typing import Vector
from keiretsu.units import MODEL_PRICE_YEAR, to_eur

OWN_MONEY = "own"  # `Case.money` of a case that converts nothing: its unit has the prices of its base year


@dataclass(frozen=True)
class Finance:
    """A row of finance.csv with its paths over the years; money in EUR at 2023 prices, rates as parts of one a year.

    Attributes
    ----------
    paths
        Figures that change over the years: name, then year and value.
    place
        ``finance.csv:2``, for errors and for walking a figure back.
    price_year
        Year at whose prices the case counts: the model's, or the base year of a case in its own money.
    """

    company: str
    wacc_nominal: float
    country_premium: float
    inflation: float
    tax_rate: float
    loss_use_cap: float
    losses_eur: float
    fixed_cost_eur: float
    overhead_share: float
    rnd_eur: float
    capex_eur: float
    capex_share: float
    assets_eur: float
    asset_life_years: int
    working_capital_share: float
    net_debt_eur: float
    base_year_margin_eur: float
    base_year_revenue_eur: float
    rest_of_company_profit_eur: float
    rest_of_company_revenue_eur: float
    rest_units: float
    capacity_units: float
    growth_terminal: float
    exit_multiple: float
    payout: float
    place: str
    paths: Mapping[str, Mapping[int, float]]
    price_year: int = MODEL_PRICE_YEAR

    @property
    def rate(self) -> float:
        """Real cost of capital with the country premium."""
        return real_rate(self.wacc_nominal + self.country_premium, self.inflation)

    def path(self, item: str, years: np.ndarray) -> Vector:
        """A figure over the years: straight lines between stated years, level outside them, or one level throughout. (T,)"""
        stated = self.paths.get(item)
        if not stated:
            return np.full(len(years), float(getattr(self, item)))
        known = sorted(stated)
        return np.interp(years, known, [stated[year] for year in known])


def real_rate(nominal: float, inflation: float) -> float:
    """Real rate behind a nominal one."""
    return (1 + nominal) / (1 + inflation) - 1


def at_model_prices(amount: float, when: float, inflation: float, price_year: int = MODEL_PRICE_YEAR) -> float:
    """Money of a day (decimal year) at the prices of the year that the case counts in, the model's or a base year of its own; a year's prices are those of its middle."""
    return amount / (1 + inflation) ** (when - (price_year + 0.5))


def decimal_year(day: dt.date) -> float:
    """27 March 2024 is 2024.235."""
    start = dt.date(day.year, 1, 1)
    return day.year + (day - start).days / (dt.date(day.year + 1, 1, 1) - start).days


def finances(case: Case) -> dict[str, Finance]:
    """Every company of finance.csv.

    Raises
    ------
    ValuationError
        When a discount rate is not above growth, with every row that is wrong.
    """
    paths: dict[str, dict[str, dict[int, float]]] = {}
    for row in records(case, "finance_path"):
        paths.setdefault(row["company"], {}).setdefault(row["item"], {})[int(row["year"])] = float(row["value"])
    names = [field for field in Finance.__dataclass_fields__ if field not in ("paths", "place", "price_year")]
    price_year = case.year if case.money == OWN_MONEY else MODEL_PRICE_YEAR
    found = [
        Finance(**{name: row[name] for name in names}, place=row["row"], paths=paths.get(row["company"], {}), price_year=price_year)
        for row in records(case, "finance")
    ]
    problems = [problem for finance in found for problem in rate_problems(finance.rate, finance.growth_terminal, finance.place, finance.company)]
    if problems:
        raise ValuationError(problems)
    return {finance.company: finance for finance in found}


def finance_of(known: Mapping[str, Finance], company: str) -> Finance:
    """The finance of a company.

    Raises
    ------
    ValuationError
        When the case states none.
    """
    if company not in known:
        seen, wanted = (company, f"one of {', '.join(known)}") if known else (f"{company}, and no finance.csv", "a row for each company to value")
        raise ValuationError(Problem("no finance is stated for this company", "finance.csv", seen, wanted, "add a row for it"))
    return known[company]


def rate_problems(rate: float, growth: float, where: str, what: str) -> list[Problem]:
    """A perpetuity has a value only while it grows more slowly than it is discounted."""
    if rate > growth:
        return []
    return [
        Problem(
            "the discount rate is not above growth, so the value has no bound",
            where,
            f"{what}: real rate {rate:.2%}, real growth {growth:.2%}",
            "a real rate above growth",
            "raise wacc_nominal or lower growth_terminal",
        )
    ]


def records(case: Case, table: str) -> list[dict[str, Any]]:
    """Rows of a table as dicts with text keys; empty where the case lacks the table."""
    return [dict(row) for row in _records_of(Same(case.tables[table]))] if table in case.tables else []


@lru_cache(maxsize=64)
def _records_of(table: Same) -> tuple[dict[str, Any], ...]:
    """A valuation reads the same few tables hundreds of times."""
    assert isinstance(table.thing, pd.DataFrame)
    return tuple({str(key): value for key, value in row.items()} for row in table.thing.to_dict("records"))


def money_of_the_case(case: Case, amount: float, currency: str) -> float:
    """An amount of some currency in EUR, at the case's rates."""
    return to_eur(amount, currency, dict(case.rates)) if case.rates else amount
