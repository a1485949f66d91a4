"""What a company is worth, and where that comes from ([14]): lines of the value, years of cash, how it moves with the discount rate and with
growth, and what the company said of itself beside what the model finds. Headlines are changes in value against the baseline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from keiretsu.case import Case
from keiretsu.valuation.base_year import MARKET, beside_the_market, market_sentence, operating_profit
from keiretsu.valuation.cash_flow import LINES, CashFlow, steady_flow
from keiretsu.valuation.discounting import value_of_flows, value_of_growth
from keiretsu.valuation.equity import Equity, refuse_negative
from keiretsu.valuation.finance import finance_of, finances, real_rate, records
from keiretsu.valuation.inputs import BASELINE, Futures, with_own_inputs
from keiretsu.valuation.money import estimate, with_error
from keiretsu.valuation.odds import in_futures
from keiretsu.valuation.worth import Terminal, Worth, equity_of, not_valued, worth_of_all

WACC_STEPS = (-0.02, -0.01, 0.0, 0.01, 0.02)
GROWTH_STEPS = (-0.01, 0.0, 0.01)
QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, eq=False)
class CompanyValuation:
    """A company's value under one scenario. Money is EUR at 2023 prices on the case's day; `half95` columns are half of the 95 % interval of a mean.

    Attributes
    ----------
    sentence
        What a board would quote.
    value
        line, growth_eur, growth_half95_eur, exit_multiple_eur, exit_multiple_half95_eur: both terminal values side by side.
    change
        The same lines, scenario less baseline, draw by draw; zero in the baseline.
    cash_flows
        year, line, value_eur, half95_eur.
    wacc_growth
        wacc_nominal, growth, equity_eur, half95_eur; pairs whose value has no bound are left out.
    guidance
        item, year, who, stated, said, said_low, said_high, model, model_half95 (None where the model has no such figure).
    distribution
        terminal, p10_eur, p50_eur, p90_eur, below_zero (share of draws).
    stock_market
        item, value, unit: what the stock market pays, and what would have to hold for both values to be right; empty where no price is stated.
    claims
        owner, kind, claim_eur, half95_eur: what outside owners hold of all companies valued; adds up to their operating values less net debt.
    not_counted
        Companies it holds a part of that the case has no finance for.
    """

    company: str
    scenario: str
    sentence: str
    value: pd.DataFrame
    change: pd.DataFrame
    cash_flows: pd.DataFrame
    wacc_growth: pd.DataFrame
    guidance: pd.DataFrame
    distribution: pd.DataFrame
    stock_market: pd.DataFrame
    claims: pd.DataFrame
    not_counted: tuple[str, ...]


def value_company(case: Case, futures: Futures, company: str, *, scenario: str = BASELINE) -> CompanyValuation:
    """Value a company in every draw of an ensemble.

    Raises
    ------
    ValuationError
        When the case has no finance for it, the ensemble no such scenario, or the discount rate is not above growth.
    NegativeEquity
        When it is expected to be worth less than it owes.
    """
    finance = finance_of(finances(case), company)
    worths = worth_of_all(case, with_own_inputs(futures), scenario, with_synergies=True)
    equities: dict[Terminal, Equity] = {t: equity_of(case, worths, t) for t in ("growth", "exit_multiple")}
    refuse_negative(equities["growth"], [company], {company: finance.place})
    lines = _lines(worths[company], equities)
    before = lines
    if scenario != BASELINE:
        base = worth_of_all(case, with_own_inputs(futures), BASELINE, with_synergies=True)
        before = _lines(base[company], {t: equity_of(case, base, t) for t in ("growth", "exit_multiple")})
    stated = guidance_beside_model(case, company, worths[company], equities["growth"])
    market = beside_the_market(case, worths, equities["growth"], company)
    return CompanyValuation(
        company,
        scenario,
        " ".join(filter(None, (_sentence(company, equities, stated), market_sentence(company, market)))),
        _table(lines),
        _table({line: {t: lines[line][t] - before[line][t] for t in lines[line]} for line in lines}),
        cash_table(worths[company].cash),
        wacc_growth_table(worths[company]),
        stated,
        _distribution(company, equities),
        market,
        claims_table(equities["growth"]),
        not_valued(case, worths, company),
    )


def wacc_growth_table(worth: Worth) -> pd.DataFrame:
    """Operating value less net debt by nominal cost of capital and real growth after the last year; its stakes in others are not in it."""
    finance, cash, time = worth.finance, worth.cash, worth.time
    rows = []
    for wacc in WACC_STEPS:
        for step in GROWTH_STEPS:
            nominal, growth = finance.wacc_nominal + wacc, finance.growth_terminal + step
            rate = real_rate(nominal + finance.country_premium, finance.inflation)
            if not rate > growth:
                continue
            steady = steady_flow(finance, growth, (cash.ebitda - cash.synergies)[:, -1], -cash.capex[:, -1], cash.revenue[:, -1])
            found = estimate(value_of_flows(cash.free_cash_flow, rate, time) + value_of_growth(steady, rate, growth, time) - finance.net_debt_eur)
            rows.append({"wacc_nominal": nominal, "growth": growth, "equity_eur": found.value, "half95_eur": found.error})
    return pd.DataFrame(rows)


def guidance_beside_model(case: Case, company: str, worth: Worth, equity: Equity) -> pd.DataFrame:
    """What was said about the company, and the same figure in the model; for a value, the equity on the case's day."""
    rows = []
    for row in records(case, "guidance"):
        if row["company"] != company:
            continue
        draws = _in_the_model(case, row["item"], int(row["year"]), worth, equity)
        found = None if draws is None else estimate(draws)
        rows.append(
            {
                "item": row["item"], "year": int(row["year"]), "who": row["who"], "stated": str(row["stated"]), "said": float(row["value"]),
                "said_low": float(row["low"]), "said_high": float(row["high"]), "model": None if found is None else found.value,
                "model_half95": None if found is None else found.error, "source": row["source"],
            }
        )  # fmt: skip
    columns = ["item", "year", "who", "stated", "said", "said_low", "said_high", "model", "model_half95", "source"]
    table = pd.DataFrame(rows, columns=columns)
    for column in ("model", "model_half95"):  # None says that the model has no such figure; a float column would turn it into a NaN
        table[column] = pd.Series([row[column] for row in rows], dtype=object, index=table.index)
    return table


def cash_table(cash: CashFlow) -> pd.DataFrame:
    """Means over draws of every line of the cash flow, by year, with their errors."""
    rows: list[dict[str, Any]] = []
    for k, year in enumerate(cash.years):
        for line in ("revenue", *LINES):
            found = estimate(np.asarray(getattr(cash, line))[:, k])
            rows.append({"year": int(year), "line": line, "value_eur": found.value, "half95_eur": found.error})
    return pd.DataFrame(rows)


def claims_table(equity: Equity) -> pd.DataFrame:
    """What the shares of every outside owner are worth; adds up to the operating value less net debt of all companies valued."""
    rows = []
    for k, owner in enumerate(equity.holdings.owners):
        if np.any(equity.claims[:, k]):
            found = estimate(equity.claims[:, k])
            rows.append({"owner": owner, "kind": equity.holdings.owner_kinds[k], "claim_eur": found.value, "half95_eur": found.error})
    return pd.DataFrame(rows, columns=["owner", "kind", "claim_eur", "half95_eur"])


def _lines(worth: Worth, equities: Mapping[Terminal, Equity]) -> dict[str, dict[Terminal, np.ndarray]]:
    owed = np.full(len(worth.flows), worth.finance.net_debt_eur)
    lines: dict[str, dict[Terminal, np.ndarray]] = {
        "cash of the years simulated": dict.fromkeys(equities, worth.flows),
        "value after them": {t: worth.after[t] for t in equities},
        "operating value": {t: worth.operating(t) for t in equities},
        "less net debt": dict.fromkeys(equities, -owed),
        "stakes in others": {t: equity.of(worth.finance.company) - worth.own(t) for t, equity in equities.items()},
        "equity": {t: equity.of(worth.finance.company) for t, equity in equities.items()},
    }
    return lines


def _table(lines: Mapping[str, Mapping[Terminal, np.ndarray]]) -> pd.DataFrame:
    rows = []
    for line, by_terminal in lines.items():
        row: dict[str, Any] = {"line": line}
        for terminal, draws in by_terminal.items():
            found = estimate(draws)
            row |= {f"{terminal}_eur": found.value, f"{terminal}_half95_eur": found.error}
        rows.append(row)
    return pd.DataFrame(rows)


def _distribution(company: str, equities: Mapping[Terminal, Equity]) -> pd.DataFrame:
    rows = []
    for terminal, equity in equities.items():
        draws = equity.of(company)
        low, middle, high = np.quantile(draws, QUANTILES)
        rows.append({"terminal": terminal, "p10_eur": low, "p50_eur": middle, "p90_eur": high, "below_zero": float(np.mean(draws < 0))})
    return pd.DataFrame(rows)


def _in_the_model(case: Case, item: str, year: int, worth: Worth, equity: Equity) -> np.ndarray | None:
    """Draws of a guided figure; None where the model has no such figure or year."""
    cash = worth.cash
    if item == "equity_eur":
        return equity.of(cash.company)
    if item == "operating_profit_eur" and year == case.year:
        profit = operating_profit(case, cash.company)
        return None if profit is None else np.array([profit])
    if year not in cash.years:
        return None
    k = int(np.flatnonzero(cash.years == year)[0])
    if item == "units":
        return cash.units[:, k]
    if item == "revenue_eur":
        return cash.revenue[:, k]
    if item == "operating_margin":
        return (cash.ebitda + cash.depreciation)[:, k] / cash.revenue[:, k]
    if item == "operating_profit_eur":
        return (cash.ebitda + cash.depreciation)[:, k]
    if item == "free_cash_flow_eur":
        return cash.free_cash_flow[:, k]
    return None


def _sentence(company: str, equities: Mapping[Terminal, Equity], stated: pd.DataFrame) -> str:
    draws = equities["growth"].of(company)
    found, other = estimate(draws), estimate(equities["exit_multiple"].of(company))
    said = stated[(stated["item"] == "equity_eur") & (stated["who"] != MARKET)]
    beside = "; ".join(
        f"{who}: {_span(float(low), float(high))}" for who, low, high in zip(said["who"], said["said_low"], said["said_high"], strict=True)
    )
    below = float(np.mean(draws < 0))
    text = (
        f"{company}'s shares are worth {with_error(found.value, found.error)} by growth and {with_error(other.value, other.error)} by exit multiple"
    )
    text += f", and less than nothing in {in_futures(below, len(draws))}" if below > 0 else ""
    return text + (f". Stated: {beside}." if beside else ".")


def _span(low: float, high: float) -> str:
    return f"EUR {low / 1e9:g} bn" if low == high else f"EUR {low / 1e9:g} to {high / 1e9:g} bn"
