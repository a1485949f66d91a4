"""What the years ahead are asked about: yearly changes against the baseline in the same future, and their mean, error and band over futures ([12])."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr

from keiretsu.outlook.ensemble import Ensemble
from keiretsu.outlook.error import band
from keiretsu.outlook.outlook import BASELINE

ALL_MAKERS = "all makers"
ALL_MARKETS = "all markets"
BASKET, PER_CAR = "price", "revenue_a_car"
SUMMED = (("surplus", "surplus_eur", "EUR/yr"), ("government", "government_eur", "EUR/yr"), ("co2", "co2_t", "t"))


@dataclass(frozen=True, eq=False)
class Quantity:
    """One measure in every scenario, future and year.

    Attributes
    ----------
    measure, of
        ``profit`` of ``Nissan``; ``electric_share`` of ``FR``.
    unit
        EUR/yr, share (a part of one), % or t.
    values
        Dimensions scenario, draw, year.
    """

    measure: str
    of: str
    unit: str
    values: xr.DataArray


@dataclass(frozen=True)
class Summary:
    """One figure over futures: mean, its error (half of a 95 % interval; None for a single future), 10th and 90th percentile."""

    measure: str
    of: str
    scenario: str
    year: int
    unit: str
    mean: float
    half95: float | None
    p10: float
    p90: float

    @property
    def error(self) -> float:
        """The error as a number: zero where there is none to know."""
        return self.half95 or 0.0


@dataclass(frozen=True)
class Summaries:
    """Figures over futures that can be looked up by what they are of."""

    rows: tuple[Summary, ...] = ()

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Scenarios in their order."""
        return tuple(dict.fromkeys(row.scenario for row in self.rows))

    @property
    def kinds(self) -> tuple[tuple[str, str], ...]:
        """Measure and what it is of, in their order."""
        return tuple(dict.fromkeys((row.measure, row.of) for row in self.rows))

    @cached_property
    def _paths(self) -> dict[tuple[str, str, str], tuple[Summary, ...]]:
        found: dict[tuple[str, str, str], list[Summary]] = {}
        for row in self.rows:
            found.setdefault((row.scenario, row.measure, row.of), []).append(row)
        return {key: tuple(sorted(rows, key=lambda row: row.year)) for key, rows in found.items()}

    def path(self, scenario: str, measure: str, of: str) -> tuple[Summary, ...]:
        """One measure over the years; nothing where there is none."""
        return self._paths.get((scenario, measure, of), ())

    def one(self, scenario: str, measure: str, of: str, year: int = 0) -> Summary:
        """One figure; KeyError when there is none."""
        for row in self.path(scenario, measure, of):
            if row.year == year:
                return row
        raise KeyError((scenario, measure, of, year))

    def table(self) -> pd.DataFrame:
        """Columns measure, of, scenario, year, unit, mean, half95, p10, p90."""
        frame = pd.DataFrame([astuple(row) for row in self.rows], columns=[f.name for f in fields(Summary)])
        return frame.assign(half95=pd.Series([row.half95 for row in self.rows], dtype=object))


def changes_of(data: xr.Dataset, makers: Sequence[str]) -> list[Quantity]:
    """Changes of every scenario against the baseline, future by future: makers' profit, prices, electric share, buyers' surplus, government, CO2.

    Prices are those of the same basket, the baseline's sales of the same future and year, where the ensemble keeps products; elsewhere makers' revenue a car, in
    which buyers who move to dearer cars count as well.
    """
    profit = data["firm_profit_eur"]
    found = [Quantity("profit", ALL_MAKERS, "EUR/yr", _less_baseline(profit.sum("firm")))]
    found += [Quantity("profit", maker, "EUR/yr", _less_baseline(profit.sel(firm=maker, drop=True))) for maker in makers]
    found.append(_prices(data))
    found.append(Quantity("electric_share", ALL_MARKETS, "share", _less_baseline(electric_share(data))))
    found += [Quantity(measure, ALL_MARKETS, unit, _less_baseline(data[name].sum("market"))) for measure, name, unit in SUMMED]
    return found


def electric_share(data: xr.Dataset, markets: Sequence[str] = ()) -> xr.DataArray:
    """Battery-electric cars over cars sold in some markets, all of them when none is named. (scenario, draw, year)"""
    chosen = data.sel(market=list(markets)) if markets else data
    return chosen["electric_units"].sum("market") / chosen["units_all"].sum("market")


def makers_among(shown: Sequence[str], data: xr.Dataset) -> tuple[str, ...]:
    """Makers that a case shows and that sell in the years ahead; the eight that earn most in the baseline where it names none."""
    firms = [str(name) for name in data["firm"].values]
    named = tuple(name for name in shown if name in firms)
    if named:
        return named
    earned = data["firm_profit_eur"].sel(scenario=BASELINE).mean(["draw", "year"]).to_series().sort_values(ascending=False, kind="stable")
    return tuple(str(name) for name in earned.index[:8])


def summaries(futures: Ensemble, quantities: Sequence[Quantity], *, by_year: bool) -> Summaries:
    """Mean, error and 10th to 90th percentile over futures, by year or of the mean over the years (`year` 0).

    A run without draws has one future, the central case: its error is not known and its band has no width.
    """
    found: list[Summary] = []
    for one in quantities:
        values = (one.values if by_year else one.values.mean("year").expand_dims(year=[0])).transpose("draw", "scenario", "year")
        low, high = band(values.values)
        error = futures.error(values).values if values.sizes["draw"] > 1 else None
        mean = values.mean("draw").values
        for k, scenario in enumerate(values["scenario"].values):
            for t, year in enumerate(values["year"].values):
                half95 = None if error is None else float(error[k, t])
                spread = (float(low[k, t]), float(high[k, t]))
                found.append(Summary(one.measure, one.of, str(scenario), int(year), one.unit, float(mean[k, t]), half95, *spread))
    return Summaries(tuple(found))


def _less_baseline(values: xr.DataArray) -> xr.DataArray:
    return values.sel(scenario=_others(values)) - values.sel(scenario=BASELINE, drop=True)


def _others(values: xr.DataArray | xr.Dataset) -> list[str]:
    return [str(name) for name in values["scenario"].values if name != BASELINE]


def _prices(data: xr.Dataset) -> Quantity:
    if "price_eur" in data and "units" in data:
        base_units, base_price = (np.asarray(data[name].sel(scenario=BASELINE).values, float) for name in ("units", "price_eur"))
        rows = []
        for name in _others(data):
            there = data.sel(scenario=name)
            basket = base_units * (there["units"].values > 0)
            paid = (basket * there["price_eur"].values).sum(axis=(-2, -1))
            rows.append(100.0 * (paid / (basket * base_price).sum(axis=(-2, -1)) - 1.0))
        like = _less_baseline(data["firm_profit_eur"].sum("firm"))
        return Quantity(BASKET, ALL_MARKETS, "%", like.copy(data=np.stack(rows)) if rows else like)
    a_car = data["firm_revenue_eur"].sum("firm") / data["firm_units"].sum("firm")
    return Quantity(PER_CAR, ALL_MARKETS, "%", 100.0 * (a_car.sel(scenario=_others(data)) / a_car.sel(scenario=BASELINE, drop=True) - 1.0))
