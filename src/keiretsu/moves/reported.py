"""The numbers of an outcome that a decomposition splits, as one flat table of measure, item and unit."""

from __future__ import annotations

import numpy as np
import pandas as pd

from keiretsu.market.outcome import Outcome
from keiretsu.moves.comparison import ALL, all_markets

Item = tuple[str, str, str]  # measure, item, unit

_MARKET_UNITS = {
    "units": "cars/yr",
    "electric_units": "cars/yr",
    "electric_share": "share",
    "mean_price_eur": "EUR a car",
    "mean_paid_eur": "EUR a car",
    "surplus_eur": "EUR/yr",
    "profit_eur": "EUR/yr",
    "government_eur": "EUR/yr",
    "co2_t": "t",
}


def reported(outcome: Outcome) -> dict[Item, float]:
    """Markets (each and all), profit and sales by firm, claims by owner, sales by brand, surplus by income group.

    A firm, owner or brand that is not there has no entry; its value is zero. Profit over all markets is that of all firms: fines of fleet rules, which are no market's,
    are off it.
    """
    values: dict[Item, float] = {}
    for row in all_markets(outcome).to_dict("records"):
        name = "all markets" if row["market"] == ALL else f"market {row['market']}"
        values |= {(measure, name, unit): float(row[measure]) for measure, unit in _MARKET_UNITS.items()}
    values["profit_eur", "all markets", "EUR/yr"] = float(outcome.firms["profit_eur"].sum())
    for measure, table, column, what, unit in _SUMS:
        values |= {(measure, f"{what} {name}", unit): total for name, total in _sums(getattr(outcome, table), column, measure)}
    return values


_SUMS = (
    ("profit_eur", "firms", "firm", "firm", "EUR/yr"),
    ("units", "firms", "firm", "firm", "cars/yr"),
    ("claim_eur", "owners", "owner", "owner", "EUR/yr"),
    ("units", "products", "brand", "brand", "cars/yr"),
    ("surplus_eur", "consumers", "group", "income group", "EUR/yr"),
)


def _sums(table: pd.DataFrame, column: str, measure: str) -> list[tuple[str, float]]:
    """Sums by name, in the order in which names come first."""
    label, names = pd.factorize(table[column])
    totals = np.bincount(label, weights=table[measure].to_numpy(float), minlength=len(names))
    return [(str(name), float(total)) for name, total in zip(names, totals, strict=True)]
