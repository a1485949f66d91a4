"""A football field: what a company's equity is worth by every way of asking, one bar for each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from keiretsu.case import Case
from keiretsu.valuation.company import wacc_growth_table
from keiretsu.valuation.finance import finance_of, finances, money_of_the_case, records
from keiretsu.valuation.inputs import BASELINE, Futures, with_own_inputs
from keiretsu.valuation.worth import TERMINALS, equity_of, worth_of_all


def football_field(case: Case, futures: Futures, company: str, *, scenario: str = BASELINE) -> pd.DataFrame:
    """Low, middle and high of a company's equity, EUR at 2023 prices: bar, basis, low_eur, middle_eur, high_eur.

    Model bars run from the 10th to the 90th percentile of draws; the discount-rate bar over its means; stated bars are as stated.
    """
    finance_of(finances(case), company)
    worths = worth_of_all(case, with_own_inputs(futures), scenario, with_synergies=True)
    rows: list[dict[str, Any]] = []
    for terminal in TERMINALS:
        name = "cash flow, growth after the last year" if terminal == "growth" else "cash flow, sold for a multiple"
        low, middle, high = np.quantile(equity_of(case, worths, terminal).of(company), (0.1, 0.5, 0.9))
        rows.append({"bar": name, "basis": "draws, 10 to 90 %", "low_eur": low, "middle_eur": middle, "high_eur": high})
    table = wacc_growth_table(worths[company])
    stakes = float((equity_of(case, worths, "growth").of(company) - worths[company].own("growth")).mean())
    own = worths[company].finance
    table = table[np.isclose(table["growth"], own.growth_terminal)]
    at_growth = table["equity_eur"] + stakes
    rows.append(
        {
            "bar": "discount rate two points either way", "basis": "means", "low_eur": float(at_growth.min()),
            "middle_eur": float(at_growth[np.isclose(table["wacc_nominal"], own.wacc_nominal)].iloc[0]), "high_eur": float(at_growth.max()),
        }
    )  # fmt: skip
    ahead = int(np.argmax(worths[company].time.part > 0))  # the year that is running
    rows += _listed(case, company, worths[company].cash.revenue[:, ahead:], stakes - worths[company].finance.net_debt_eur)
    rows += [
        {"bar": row["who"], "basis": f"stated {row['stated']}", "low_eur": row["low"], "middle_eur": row["value"], "high_eur": row["high"]}
        for row in records(case, "guidance")
        if row["company"] == company and row["item"] == "equity_eur"
    ]
    for row in records(case, "stake_terms"):
        if row["company"] == company:
            agreed = money_of_the_case(case, float(row["valuation"]), row["currency"])
            rows.append(
                {
                    "bar": f"terms {row['terms']}", "basis": f"agreed, {row['valuation_basis'].replace('_', '-')}", "low_eur": agreed,
                    "middle_eur": agreed, "high_eur": agreed,
                }
            )  # fmt: skip
    return pd.DataFrame(rows, columns=["bar", "basis", "low_eur", "middle_eur", "high_eur"])


def _listed(case: Case, company: str, revenue: np.ndarray, beside: float) -> list[dict[str, Any]]:
    """What a market would pay at the multiple of the day, and one yearly standard deviation either way; `beside` is what stakes in others are worth, less net debt."""
    stated = {row["parameter"]: float(row["value"]) for row in records(case, "listing") if row["company"] == company}
    if not {"multiple_now", "multiple_volatility", "revenue_years"} <= set(stated):
        return []
    now, spread = stated["multiple_now"], np.exp(stated["multiple_volatility"])
    low, middle, high = (
        multiple * float(revenue[:, : int(stated["revenue_years"])].mean()) + beside for multiple in (now / spread, now, now * spread)
    )
    return [{"bar": "listed electric makers", "basis": "multiple of revenue", "low_eur": low, "middle_eur": middle, "high_eur": high}]
