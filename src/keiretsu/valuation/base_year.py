"""Two anchors for the level of a company's value: the operating profit it reported for the base year, and what the stock market pays for it.

The first is met: the profit of the rest of the company is set in finance.csv so that the base year's operating profit is the reported one, in the same
perimeter. The second is not: it is shown beside the value by cash flow, with what one would have to believe for both to be right ([14]).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from keiretsu.case import Case
from keiretsu.valuation.discounting import value_of_flows, value_of_growth
from keiretsu.valuation.equity import Equity
from keiretsu.valuation.finance import Finance, finances, records
from keiretsu.valuation.money import plain
from keiretsu.valuation.odds import percent
from keiretsu.valuation.worth import Worth, holdings_of

MARKET = "the stock market"  # who says a price in guidance.csv
MAJORITY = 0.5
HIGHEST_RATE = 2.0  # of the rates looked at: nobody asks for more a year


def own_operating_profit(finance: Finance, year: int) -> float:
    """Operating profit of a company's own operations in the base year, after straight-line depreciation of what it then had. EUR"""
    at = np.array([year])

    def said(item: str) -> float:
        return float(finance.path(item, at)[0])

    revenue = finance.base_year_revenue_eur + said("rest_of_company_revenue_eur")
    costs = said("fixed_cost_eur") + finance.overhead_share * revenue + said("rnd_eur") + finance.assets_eur / finance.asset_life_years
    return finance.base_year_margin_eur + said("rest_of_company_profit_eur") - costs


def operating_profit(case: Case, company: str) -> float | None:
    """Operating profit of the base year with those companies of which it holds more than half, as accounts have it; None where the case states no margin of that year. EUR"""
    known = finances(case)
    if company not in known or not known[company].base_year_margin_eur:
        return None
    holdings = holdings_of(case)
    inside, found = {company}, [company]
    while found:
        held = holdings.cross_holdings[holdings.company_index(found.pop())]
        more = [name for name, part in zip(holdings.companies, held, strict=True) if part > MAJORITY and name not in inside]
        inside |= set(more)
        found += more
    return sum(own_operating_profit(known[name], case.year) for name in inside if name in known)


def stock_market(case: Case) -> Mapping[str, float]:
    """What the stock market paid for all shares of a company, EUR of the day, for those for which guidance.csv says it."""
    return {row["company"]: float(row["value"]) for row in records(case, "guidance") if row["item"] == "equity_eur" and row["who"] == MARKET}


def beside_the_market(case: Case, worths: Mapping[str, Worth], equity: Equity, company: str) -> pd.DataFrame:
    """The value by cash flow beside what the stock market pays, and what would have to hold for both to be right; empty where no price is stated.

    Columns: item, value, unit. What the market pays for the operations alone is its price less net cash and less the stakes in others, these at the market's prices where
    there is one and by cash flow where there is none. The last two rows are left out where that is not above zero.
    """
    prices = stock_market(case)
    if company not in prices:
        return pd.DataFrame({"item": [], "value": [], "unit": []})
    worth, holdings = worths[company], equity.holdings
    held = holdings.cross_holdings[holdings.company_index(company)]
    by_cash = {name: float(equity.of(name).mean()) for name in holdings.companies}
    stakes = sum(part * prices.get(name, by_cash[name]) for name, part in zip(holdings.companies, held, strict=True) if part > 0)
    operations = prices[company] + worth.finance.net_debt_eur - stakes
    first = int(np.argmax(worth.time.part > 0))
    rows: list[tuple[str, float, str]] = [
        ("value by cash flow", by_cash[company], "EUR"),
        ("what the stock market pays", prices[company], "EUR"),
        ("of that for its stakes in others", stakes, "EUR"),
        ("of that for net cash", -worth.finance.net_debt_eur, "EUR"),
        ("left for its own operations", operations, "EUR"),
        ("its own operations by cash flow", float(worth.operating("growth").mean()), "EUR"),
    ]
    if operations > 0:
        rows.append(("that is so many times this year's profit before depreciation", operations / float(worth.cash.ebitda[:, first].mean()), "times"))
        rate = implied_rate(worth, operations)
        if rate is not None:
            rows.append(("or this real discount rate for the same cash", rate, "share a year"))
    return pd.DataFrame(rows, columns=["item", "value", "unit"])


def implied_rate(worth: Worth, value_eur: float) -> float | None:
    """Real discount rate at which the mean cash flow, grown after the last year, is worth a value; None when no rate up to `HIGHEST_RATE` does it."""
    finance, cash, time = worth.finance, worth.cash, worth.time
    flows, steady = cash.free_cash_flow.mean(axis=0), float(cash.steady.mean())

    def gap(rate: float) -> float:
        return float(value_of_flows(flows, rate, time) + value_of_growth(np.array(steady), rate, finance.growth_terminal, time)) - value_eur

    low = finance.growth_terminal + 1e-4
    if gap(low) * gap(HIGHEST_RATE) > 0:
        return None
    return float(brentq(gap, low, HIGHEST_RATE, xtol=1e-8))


def market_sentence(company: str, table: pd.DataFrame) -> str:
    """Why the two values differ, in a sentence; empty for an empty table."""
    if table.empty:
        return ""
    value = table.set_index("item")["value"]
    paid, own = float(value["what the stock market pays"]), float(value["left for its own operations"])
    text = f"The stock market pays {plain(paid, 0.0)} for {company}"
    if own <= 0:
        return f"{text}: nothing for its own operations once cash and stakes are taken off. It expects worse years than the base year, which the cash flow carries on."
    rate = value.get("or this real discount rate for the same cash")
    said = f", as if the same cash were discounted at {percent(float(rate))} a year" if rate is not None else ""
    return f"{text}, {plain(own, 0.0)} of it for its own operations{said}. It expects worse years than the base year, which the cash flow carries on."
