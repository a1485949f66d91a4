"""Concentration of each market before and after, in units and in revenue, at the sales of each world."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import pandas as pd

from keiretsu.market.outcome import Outcome
from keiretsu.ownership.concentration import Basis, concentration


def concentration_table(outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """HHI of firms, MHHI delta and MHHI (points) by scenario, market and basis; firms by who sets the price."""
    rows: list[dict[str, object]] = []
    for scenario, outcome in outcomes.items():
        firms = list(outcome.kappa.index)
        kappa = outcome.kappa.to_numpy(float)
        for (market, basis), sales in _sales(outcome).items():
            found = concentration(sales.reindex(firms).fillna(0.0).to_numpy(float), kappa, basis)
            rows.append(
                {
                    "scenario": scenario,
                    "market": market,
                    "basis": basis,
                    "hhi_points": found.hhi,
                    "mhhi_delta_points": found.mhhi_delta,
                    "mhhi_points": found.mhhi,
                }
            )
    return pd.DataFrame(rows)


def _sales(outcome: Outcome) -> dict[tuple[str, Basis], pd.Series]:
    """Sales by price setter for each market and basis; a firm that sells nothing in a market is absent from its series."""
    columns: dict[Basis, str] = {"units": "units", "revenue": "revenue_eur"}
    return {
        (str(market), basis): rows.groupby("priced_by")[columns[basis]].sum()
        for market, rows in outcome.products.groupby("market", sort=False)
        for basis in get_args(Basis)
    }
