"""Price changes of many products as one number: Laspeyres, weighted by what was sold in the baseline.

``sum_j p1_j q0_j / sum_j p0_j q0_j - 1`` over products on sale in both worlds. Base quantities keep the index a matter of prices: a buyer
who moves to a dearer car does not raise it. The share of base sales that the products stand for is shown beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
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
    there = places(base, other, _KEYS)
    kept = np.flatnonzero(there >= 0)
    units = base["units"].to_numpy(float)
    sums: dict[str, np.ndarray] = {"units": units[kept]}
    for column in ("price_eur", "paid_eur"):
        sums[f"{column}_x"] = other[column].to_numpy(float)[there[kept]] * units[kept]
        sums[f"{column}_0"] = base[column].to_numpy(float)[kept] * units[kept]
    markets, market_names = pd.factorize(base["market"])
    parts = [_index("all", np.zeros(len(base), int), ["all"], ["all"], kept, sums, units)]
    for level, column in LEVELS.items():
        label, names = pd.factorize(base[column])
        of_market = list(names) if level == "market" else ["all"] * len(names)
        parts.append(_index(level, label, of_market, list(names), kept, sums, units))
        if level != "market":
            pairs = markets * len(names) + label
            by_market = [m for m in market_names for _ in names], list(names) * len(market_names)
            parts.append(_index(level, pairs, *by_market, kept, sums, units))
    return pd.concat(parts, ignore_index=True)


def places(rows: pd.DataFrame, table: pd.DataFrame, keys: Sequence[str]) -> np.ndarray:
    """Where each of `rows` stands in `table` by these keys, which are different in every row; -1 where it is not there. (rows,)"""
    if len(rows) == len(table) and all(np.array_equal(rows[key].to_numpy(), table[key].to_numpy()) for key in keys):
        return np.arange(len(rows))  # most scenarios have the products of the baseline
    wanted, there = (pd.MultiIndex.from_frame(one[list(keys)]) for one in (rows, table))
    return there.get_indexer(wanted)


def _index(
    level: str, label: np.ndarray, market: list[str], name: list[str], kept: np.ndarray, sums: Mapping[str, np.ndarray], units: np.ndarray
) -> pd.DataFrame:
    """One level's index. `label` of each product of the baseline points into `market` and `name`; rows come in the order of the products compared."""
    own, count = label[kept], len(name)
    every, first = np.unique(own, return_index=True)
    shown = every[np.argsort(first, kind="stable")]
    total = {key: np.bincount(own, weights=values, minlength=count)[shown] for key, values in sums.items()}
    return pd.DataFrame(
        {
            "level": level,
            "market": [market[k] for k in shown],
            "name": [name[k] for k in shown],
            "price_change_percent": 100.0 * (total["price_eur_x"] / total["price_eur_0"] - 1.0),
            "paid_change_percent": 100.0 * (total["paid_eur_x"] / total["paid_eur_0"] - 1.0),
            "products": np.bincount(own, minlength=count)[shown],
            "base_units_covered_share": total["units"] / np.bincount(label, weights=units, minlength=count)[shown],
        }
    )
