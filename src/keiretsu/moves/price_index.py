"""Price changes of many products as one number: Laspeyres, weighted by what was sold in the baseline.

``sum_j p1_j q0_j / sum_j p0_j q0_j - 1`` over products on sale in both worlds. Base quantities keep the index a matter of prices: a buyer
who moves to a dearer car does not raise it. The share of base sales that the products stand for is shown beside it.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

LEVELS: Mapping[str, str] = {"market": "market", "brand": "brand", "maker": "priced_by", "powertrain": "powertrain"}
_KEYS = ["market", "product"]


def price_indices(base: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Index changes by market, brand, maker and powertrain, in each market and over all of them, and of everything.

    Parameters
    ----------
    base, other
        Product tables of two outcomes.

    Returns
    -------
    pd.DataFrame
        ``level, market, name, price_change_percent`` (maker's prices), ``paid_change_percent`` (buyers'), ``products`` compared and
        ``base_units_covered_share``. What has no product on sale in both worlds has no row.
    """
    columns = ["price_eur", "paid_eur"]
    matched = base.merge(other[[*_KEYS, *columns]], on=_KEYS, suffixes=("", "_scenario"))
    for column in columns:
        matched[f"{column}_x"] = matched[f"{column}_scenario"] * matched["units"]
        matched[f"{column}_0"] = matched[column] * matched["units"]
    parts = [_index(base, matched, "all", [])]
    for level, column in LEVELS.items():
        parts.append(_index(base, matched, level, [column]))
        if level != "market":
            parts.append(_index(base, matched, level, ["market", column]))
    return pd.concat(parts, ignore_index=True)


def _index(base: pd.DataFrame, matched: pd.DataFrame, level: str, by: list[str]) -> pd.DataFrame:
    keys = by or [pd.Series("all", index=matched.index, name="everything")]
    keys_base = by or [pd.Series("all", index=base.index, name="everything")]
    groups = matched.groupby(keys, sort=False)
    sums = groups[["price_eur_x", "price_eur_0", "paid_eur_x", "paid_eur_0", "units"]].sum()
    before = base.groupby(keys_base, sort=False)["units"].sum()
    labels = sums.index.to_frame(index=False)
    return pd.DataFrame(
        {
            "level": level,
            "market": labels["market"].to_numpy() if "market" in by else "all",
            "name": labels.iloc[:, -1].to_numpy(),
            "price_change_percent": 100.0 * (sums["price_eur_x"] / sums["price_eur_0"] - 1.0).to_numpy(),
            "paid_change_percent": 100.0 * (sums["paid_eur_x"] / sums["paid_eur_0"] - 1.0).to_numpy(),
            "products": groups.size().to_numpy(),
            "base_units_covered_share": (sums["units"] / before.reindex(sums.index)).to_numpy(),
        }
    )
