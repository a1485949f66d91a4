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
from keiretsu.moves.price_index import places, price_indices

ALL = "all"  # the row over all markets

STATUSES: Mapping[str, str] = {"both": "in both worlds", "new": "only in the scenario", "withdrawn": "only in the baseline"}

_PRODUCT = ("brand", "model", "powertrain", "segment", "priced_by")
_MONEY = ("units", "revenue_eur", "profit_eur", "government_eur")
_MARKET_SUMS = ("potential", "units", "electric_units", "surplus_eur", "profit_eur", "government_eur", "co2_t")
_MARKET_RATIOS: Mapping[str, tuple[str, str]] = {"share_sold": ("units", "potential"), "electric_share": ("electric_units", "units")}
_MARKET_MEANS = ("mean_paid_eur", "mean_price_eur", "co2_g_km")  # weighted by cars sold
_SUMMED: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # table: keys, measures
    "brands": (("market", "brand"), _MONEY),
    "makers": (("market", "firm"), ("units", "revenue_eur", "profit_eur")),
    "consumers": (("market", "group", "kind"), ("surplus_eur", "buyers")),
    "markets": (("market",), (*_MARKET_SUMS, *_MARKET_RATIOS, *_MARKET_MEANS)),
}


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
    return Against(base).compare(other)


class Against:
    """One world that many others are compared with: what is summed of it is summed once."""

    def __init__(self, base: Outcome) -> None:
        self.base, self.sums = base, _sums(base)

    def compare(self, other: Outcome) -> Comparison:
        """As `keiretsu.moves.comparison.compare`."""
        _refuse_different_markets(self.base, other)
        base, before, after = self.base, self.sums, _sums(other)
        keys = ("market", "product")

        def of_sums(table: str) -> pd.DataFrame:
            return side_by_side(before[table], after[table], *_SUMMED[table], ())

        return Comparison(
            base=base.world.name,
            scenario=other.world.name,
            products=side_by_side(base.products, other.products, keys, _MONEY, _PRODUCT),
            prices=_prices(base.products, other.products),
            price_index=price_indices(base.products, other.products),
            brands=of_sums("brands"),
            makers=of_sums("makers"),
            owners=side_by_side(base.owners, other.owners, ("owner",), ("claim_eur",), ("kind",)),
            look_through=side_by_side(base.look_through, other.look_through, ("firm",), ("value_eur",), ()),
            consumers=of_sums("consumers"),
            markets=of_sums("markets"),
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
    new = np.flatnonzero(places(other, base, keys) < 0)
    at_left = np.concatenate([np.arange(len(base)), np.full(new.size, -1)])
    at_right = np.concatenate([places(base, other, keys), new])
    in_base, in_other = at_left >= 0, at_right >= 0
    columns: dict[str, object] = {}
    for column in keys:
        columns[column] = _of_either(base[column], other[column], at_left, at_right)
    for column in about:
        columns[column] = _of_either(other[column], base[column], at_right, at_left).to_numpy()
    columns["status"] = np.select([in_base & in_other, in_other], ["both", "new"], "withdrawn")
    for measure in measures:
        before, after = (
            np.where(at >= 0, table[measure].to_numpy(float)[at] if len(table) else 0.0, 0.0) for table, at in ((base, at_left), (other, at_right))
        )
        columns |= _measure(measure, before, after)
    return pd.DataFrame(columns)


def _of_either(first: pd.Series, second: pd.Series, at_first: np.ndarray, at_second: np.ndarray) -> pd.Series:
    """A column of words, taken from one table and, for rows that it lacks (place -1), from the other one."""
    both = pd.concat([first, second], ignore_index=True)
    return both.take(np.where(at_first >= 0, at_first, len(first) + at_second)).reset_index(drop=True)


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


def _sums(outcome: Outcome) -> dict[str, pd.DataFrame]:
    """Tables of `_SUMMED`: summed by their keys, whose first is the market, each market and then all of them."""
    tables = {"brands": outcome.products, "makers": outcome.firms, "consumers": outcome.consumers}
    found = {"markets": all_markets(outcome)}
    for name, table in tables.items():
        keys, measures = _SUMMED[name]
        every = pd.concat([table, table.assign(market=ALL)], ignore_index=True)
        found[name] = every.groupby(list(keys), sort=False, as_index=False)[list(measures)].sum()
    return found


def _prices(base: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    keys = ["market", "product"]
    measures = ("price_eur", "paid_eur", "margin_eur")
    there = places(base, other, keys)
    kept = np.flatnonzero(there >= 0)
    columns: dict[str, object] = {key: base[key].take(kept).reset_index(drop=True) for key in keys}
    columns |= {name: other[name].take(there[kept]).to_numpy() for name in _PRODUCT}
    for measure in measures:
        columns |= _measure(measure, base[measure].to_numpy(float)[kept], other[measure].to_numpy(float)[there[kept]])
    return pd.DataFrame(columns)


def _measure(measure: str, before: np.ndarray, after: np.ndarray) -> dict[str, np.ndarray]:
    """The four columns of a measure."""
    change = after - before
    return {
        f"{measure}_base": before,
        f"{measure}_scenario": after,
        f"{measure}_change": change,
        f"{measure}_change_percent": change_percent(before, change),
    }


def _refuse_different_markets(base: Outcome, other: Outcome) -> None:
    left, right = set(base.markets["market"]), set(other.markets["market"])
    if left != right:
        only = ", ".join(sorted(left ^ right))
        raise MoveError(
            Problem("only worlds with the same markets can be compared", f"{base.world.name} and {other.world.name}", f"only in one: {only}")
        )
