"""Two worlds in equilibrium side by side: levels and changes by product, brand, maker, owner, income group and market.

A product that is not on sale sells nothing, earns nothing and has no price. So tables of quantities and money hold every product
with a `status` and true zeros, and tables of prices hold only what is on sale in both worlds; no blank stands for absence. A change
in per cent of something that was zero is infinite and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.errors import MoveError, Problem
from keiretsu.market.outcome import Outcome
from keiretsu.moves.price_index import price_indices

ALL = "all"  # the row over all markets

STATUSES: Mapping[str, str] = {"both": "in both worlds", "new": "only in the scenario", "withdrawn": "only in the baseline"}

_PRODUCT = ("brand", "model", "powertrain", "segment", "priced_by")
_MONEY = ("units", "revenue_eur", "profit_eur", "government_eur")
_MARKET_SUMS = ("potential", "units", "electric_units", "surplus_eur", "profit_eur", "government_eur", "co2_t")
_MARKET_RATIOS: Mapping[str, tuple[str, str]] = {"share_sold": ("units", "potential"), "electric_share": ("electric_units", "units")}
_MARKET_MEANS = ("mean_paid_eur", "mean_price_eur", "co2_g_km")  # weighted by cars sold


@dataclass(frozen=True)
class Comparison:
    """What changes from one world to another. Every measure has four columns: ``_base``, ``_scenario``, ``_change``, ``_change_percent``.

    Attributes
    ----------
    products
        By market and product: units (cars/yr), revenue, profit and government's take (EUR/yr), with `status`.
    prices
        Products on sale in both worlds: maker's price, price paid, unit margin (EUR a car).
    price_index
        Price changes with base quantities (Laspeyres) by market, brand, maker, powertrain; see `keiretsu.moves.price_index`.
    brands, makers
        By market, and over all of them (market "all"). Makers are firms with their operating profit.
    owners
        Claims of outside owners; adds up to operating profit.
    look_through
        Value of firms with their stakes in each other; does not add up, by its nature.
    consumers
        Buyers' surplus by market, income group and kind of buyer, and over all markets.
    markets
        Each market, and all of them.
    """

    base: str
    scenario: str
    products: pd.DataFrame
    prices: pd.DataFrame
    price_index: pd.DataFrame
    brands: pd.DataFrame
    makers: pd.DataFrame
    owners: pd.DataFrame
    look_through: pd.DataFrame
    consumers: pd.DataFrame
    markets: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table by its name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, pd.DataFrame)}


def compare(base: Outcome, other: Outcome) -> Comparison:
    """Levels and changes of `other` (the scenario) against `base`.

    Raises
    ------
    MoveError
        When the two do not cover the same markets.
    """
    _refuse_different_markets(base, other)
    keys = ("market", "product")
    return Comparison(
        base=base.world.name,
        scenario=other.world.name,
        products=side_by_side(base.products, other.products, keys, _MONEY, _PRODUCT),
        prices=_prices(base.products, other.products),
        price_index=price_indices(base.products, other.products),
        brands=_with_all(base.products, other.products, ("market", "brand"), _MONEY),
        makers=_with_all(base.firms, other.firms, ("market", "firm"), ("units", "revenue_eur", "profit_eur")),
        owners=side_by_side(base.owners, other.owners, ("owner",), ("claim_eur",), ("kind",)),
        look_through=side_by_side(base.look_through, other.look_through, ("firm",), ("value_eur",), ()),
        consumers=_with_all(base.consumers, other.consumers, ("market", "group", "kind"), ("surplus_eur", "buyers")),
        markets=side_by_side(all_markets(base), all_markets(other), ("market",), (*_MARKET_SUMS, *_MARKET_RATIOS, *_MARKET_MEANS), ()),
    )


def side_by_side(base: pd.DataFrame, other: pd.DataFrame, keys: Sequence[str], measures: Sequence[str], about: Sequence[str]) -> pd.DataFrame:
    """Rows of two tables matched by `keys`, with status, and base, scenario, change and change in per cent of each measure.

    Parameters
    ----------
    measures
        Columns that are zero for what is absent: quantities and sums of money, never prices.
    about
        Columns that describe a row; taken from the scenario, or from the baseline for what was withdrawn.
    """
    left, right = base.set_index(list(keys)), other.set_index(list(keys))
    rows = left.index.append(right.index.difference(left.index, sort=False))
    in_base, in_other = rows.isin(left.index), rows.isin(right.index)
    table = rows.to_frame(index=False)
    for column in about:
        table[column] = right[column].reindex(rows).where(in_other, left[column].reindex(rows)).to_numpy()
    table["status"] = np.select([in_base & in_other, in_other], ["both", "new"], "withdrawn")
    for measure in measures:
        before = np.where(in_base, left[measure].reindex(rows), 0.0).astype(float)
        after = np.where(in_other, right[measure].reindex(rows), 0.0).astype(float)
        _add_measure(table, measure, before, after)
    return table


def all_markets(outcome: Outcome) -> pd.DataFrame:
    """The outcome's table of markets with a last row over all of them: sums, ratios of sums, and means weighted by cars sold."""
    each = outcome.markets
    sums = each[list(_MARKET_SUMS)].sum()
    row: dict[str, object] = {"market": ALL, **{name: float(sums[name]) for name in _MARKET_SUMS}}
    row |= {name: float(sums[top] / sums[bottom]) for name, (top, bottom) in _MARKET_RATIOS.items()}
    row |= {name: float((each[name] * each["units"]).sum() / sums["units"]) for name in _MARKET_MEANS}
    columns = ["market", *_MARKET_SUMS, *_MARKET_RATIOS, *_MARKET_MEANS]
    return pd.concat([each[columns], pd.DataFrame([row])[columns]], ignore_index=True)


def change_percent(before: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Change in per cent of the size of what was there; nothing of nothing is 0, something of nothing is infinite."""
    size = np.abs(before)
    of_nothing = np.where(change == 0, 0.0, np.copysign(np.inf, change))
    return np.where(size > 0, 100.0 * change / np.where(size > 0, size, 1.0), of_nothing)


def _with_all(base: pd.DataFrame, other: pd.DataFrame, keys: tuple[str, ...], measures: tuple[str, ...]) -> pd.DataFrame:
    """Summed by `keys`, whose first is the market, each market and then all of them."""

    def summed(table: pd.DataFrame) -> pd.DataFrame:
        every = pd.concat([table, table.assign(market=ALL)], ignore_index=True)
        return every.groupby(list(keys), sort=False, as_index=False)[list(measures)].sum()

    return side_by_side(summed(base), summed(other), keys, measures, ())


def _prices(base: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    keys = ["market", "product"]
    measures = ("price_eur", "paid_eur", "margin_eur")
    left, right = base.set_index(keys), other.set_index(keys)
    rows = left.index.intersection(right.index, sort=False)
    table = rows.to_frame(index=False)
    for column in _PRODUCT:
        table[column] = right.loc[rows, column].to_numpy()
    for measure in measures:
        _add_measure(table, measure, left.loc[rows, measure].to_numpy(float), right.loc[rows, measure].to_numpy(float))
    return table


def _add_measure(table: pd.DataFrame, measure: str, before: np.ndarray, after: np.ndarray) -> None:
    table[f"{measure}_base"] = before
    table[f"{measure}_scenario"] = after
    table[f"{measure}_change"] = after - before
    table[f"{measure}_change_percent"] = change_percent(before, after - before)


def _refuse_different_markets(base: Outcome, other: Outcome) -> None:
    left, right = set(base.markets["market"]), set(other.markets["market"])
    if left != right:
        only = ", ".join(sorted(left ^ right))
        raise MoveError(
            Problem("only worlds with the same markets can be compared", f"{base.world.name} and {other.world.name}", f"only in one: {only}")
        )
