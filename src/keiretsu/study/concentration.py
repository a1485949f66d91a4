"""Concentration of each market before and after, in units and in revenue, at the sales of each world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np
import pandas as pd

from keiretsu.market.outcome import Outcome
from keiretsu.ownership.concentration import Basis, concentration


def concentration_table(outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """HHI of firms, MHHI delta and MHHI (points) by scenario, market and basis; firms by who sets the price."""
    rows: list[dict[str, object]] = []
    for scenario, outcome in outcomes.items():
        firms = list(outcome.kappa.index)
        kappa = outcome.kappa.to_numpy(float)
        for (market, basis), sales in _sales(outcome, firms).items():
            found = concentration(sales, kappa, basis)
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


def _sales(outcome: Outcome, firms: Sequence[str]) -> dict[tuple[str, Basis], np.ndarray]:
    """Sales of each of `firms` as a price setter, for each market and basis. (F,)"""
    columns: dict[Basis, str] = {"units": "units", "revenue": "revenue_eur"}
    setter = pd.Index(firms).get_indexer(pd.Index(outcome.products["priced_by"]))
    at, markets = pd.factorize(outcome.products["market"])
    sold = {basis: outcome.products[column].to_numpy(float) for basis, column in columns.items()}
    return {
        (str(market), basis): np.bincount(setter[at == m], weights=sold[basis][at == m], minlength=len(firms))
        for m, market in enumerate(markets)
        for basis in get_args(Basis)
    }
