"""A year that falls into parts because a pot of money runs out in it: each part in equilibrium, the year as their weighted sum ([7], [11]).

Prices are set anew in each part. A year's sales, money and surplus are sums over its parts by their share of the year; its prices and unit
margins are means over the cars sold. Arrays of a market (for elasticities) are those of the first part, when every pot is open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from keiretsu.market.outcome import MarketTables


def blended(parts: Sequence[tuple[float, MarketTables]]) -> MarketTables:
    """The weighted sum of tables of the same market; weights add up to one. What is the same in all parts is left as it is."""
    first = parts[0][1]
    if all(tables is first for _, tables in parts):
        return first
    products = first.products.assign(
        **_sums([(w, t.products.assign(spent_eur=t.products["paid_eur"] * t.products["units"])) for w, t in parts], _PRODUCT)
    )
    products = products.assign(
        price_eur=products["revenue_eur"] / products["units"],
        paid_eur=products["spent_eur"] / products["units"],
        margin_eur=products["profit_eur"] / products["units"],
        residual_eur=np.max([np.abs(t.products["residual_eur"].to_numpy(float)) for _, t in parts], axis=0),
    )[list(first.products.columns)]
    firms = first.firms.assign(**_sums([(w, t.firms) for w, t in parts], _FIRM))
    consumers = first.consumers.assign(**_sums([(w, t.consumers) for w, t in parts], _CONSUMER))
    return MarketTables(products, firms, consumers, _market([(w, t.market) for w, t in parts]))


_PRODUCT = ["units", "share", "revenue_eur", "profit_eur", "government_eur", "spent_eur"]
_FIRM = ["units", "electric_units", "revenue_eur", "profit_eur"]
_CONSUMER = ["surplus_eur", "buyers", "potential"]
_MARKET_SUMS = ["units", "share_sold", "electric_units", "surplus_eur", "profit_eur", "government_eur", "co2_t"]
_MARKET_MEANS = ["mean_paid_eur", "mean_price_eur", "co2_g_km"]  # over cars sold
_MARKET_WORST = ["residual_eur", "iterations"]


def _sums(parts: Sequence[tuple[float, pd.DataFrame]], columns: list[str]) -> dict[str, np.ndarray]:
    """Weighted sums of columns of tables with the same rows."""
    return {name: np.sum([weight * table[name].to_numpy(float) for weight, table in parts], axis=0) for name in columns}


def _market(parts: Sequence[tuple[float, Mapping[str, object]]]) -> Mapping[str, object]:
    """A market's row of figures over the parts."""
    numbers = [(weight, {k: float(v) for k, v in row.items() if isinstance(v, (int, float))}) for weight, row in parts]
    found = {name: sum(w * row[name] for w, row in numbers) for name in _MARKET_SUMS}
    found |= {name: sum(w * row[name] * row["units"] for w, row in numbers) / found["units"] for name in _MARKET_MEANS}
    found["electric_share"] = found["electric_units"] / found["units"]
    worst = {name: max(row[name] for _, row in parts) for name in _MARKET_WORST}  # type: ignore[type-var]
    return {**parts[0][1], **found, **worst}
