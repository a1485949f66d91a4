"""The years known, model by model and country by country, and what could be seen of each model at the end of a year.

A row is a model in a country. `seen_at` gives what a forecaster on 31 December of a year knows about every row: how much it sold, how long
it has been on sale, how it did elsewhere, what its brand did, and what was announced. Forecast and estimation read the same columns, so the
step from one year to the next is estimated on exactly what will be known when it is used.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.outlook.backtest.known import Known

OTHER = "other"
ALL_OTHER_BRANDS = "(all other brands)"
FEW = 5.0  # cars added before taking logarithms: below it counts are list keeping, not demand
SOMEWHERE = 30.0  # cars in a year in all countries together from which a model counts as on sale
_STOCK_MONTHS = 3.0  # cars in stock when production ends last about a quarter
_LEAST_MONTHS = 0.3  # a model whose end lies years back still sells the odd car
UNPRICED_EUR = 42_000.0  # mean list price of electric cars in the case; stands for an announcement without a price
KEY = ["country", "brand", "model"]


@dataclass(frozen=True, eq=False)
class Panel:
    """Registrations as a table: a row for each country, brand and model on sale or announced, a column for each year known."""

    known: Known
    units: pd.DataFrame
    cars: pd.DataFrame  # all cars, country x year
    brand_cars: pd.DataFrame  # all cars, (country, brand) x year

    @property
    def years(self) -> list[int]:
        """Years known, in order."""
        return [int(year) for year in self.units.columns]

    def electric(self) -> pd.DataFrame:
        """Electric cars, country x year."""
        return self.units.groupby(level="country").sum()


def panel_of(known: Known) -> Panel:
    """The panel of what was known on a day: every model in every country, without cars where it is not sold or only announced."""
    sold = known.registrations.pivot_table(index=KEY, columns="year", values="registrations", aggfunc="sum")
    countries = sorted(known.registrations["country"].unique())
    announced = known.launches[known.launches["kind"] == "launch"]
    listed = [(c, r["brand"], r["model"]) for r in announced.to_dict("records") for c in _countries(r["countries"], countries)]
    named = {(brand, model) for _, brand, model in [*sold.index, *listed]}
    models = sorted(named | {(brand, OTHER) for brand, _ in named})
    rows = pd.MultiIndex.from_tuples([(c, *one) for c in countries for one in models], names=KEY)
    units = sold.reindex(rows).fillna(0.0).sort_index()
    units.columns = [int(year) for year in units.columns]
    every = known.all_cars
    cars = every.pivot_table(index="country", columns="year", values="registrations", aggfunc="sum").reindex(index=countries, columns=units.columns)
    brand_cars = every.pivot_table(index=["country", "brand"], columns="year", values="registrations", aggfunc="sum")
    return Panel(known=known, units=units, cars=cars, brand_cars=brand_cars.reindex(columns=units.columns).fillna(0.0))


def seen_at(panel: Panel, year: int) -> pd.DataFrame:
    """What was to be seen of every row at the end of a year. (rows of the panel)

    Returns
    -------
    pandas.DataFrame
        units, before: cars in the year and the year before; total, total_before: electric cars of the country;
        years_here, years_anywhere: years since the first cars (9 when not yet);
        months, months_next: months on sale in the year and the year after, as announced;
        log_share, trend, trend_elsewhere, relative, brand_relative, brand_trend: logarithms of electric shares, see the code;
        elsewhere: share in the other countries; price_eur; dated: whether a launch date is known; renewed, ended: whether announced.
    """
    now = panel.units[year]
    before = panel.units[year - 1] if year - 1 in panel.units else now * 0.0
    seen = pd.DataFrame({"units": now, "before": before})
    for name in ("units", "before"):
        seen[f"{name}_total"] = seen[name].groupby(level="country").transform("sum")
        seen[f"{name}_model"] = seen[name].groupby(level=["brand", "model"]).transform("sum")
        seen[f"{name}_brand"] = seen[name].groupby(level=["country", "brand"]).transform("sum")
        seen[f"{name}_brand_all"] = seen[name].groupby(level="brand").transform("sum")
        seen[f"{name}_all"] = seen[name].sum()
    seen = seen.rename(columns={"units_total": "total", "before_total": "total_before"})
    seen["years_here"] = _years_since(panel.units, year, 0.0)
    seen["years_anywhere"] = _years_since(panel.units.groupby(level=["brand", "model"]).transform("sum"), year, SOMEWHERE)
    seen["log_share"] = _log_share(seen["units"], seen["total"])
    log_share_before = _log_share(seen["before"], seen["total_before"])
    seen["trend"] = np.where((seen["before"] > 0) & (seen["units"] > 0), seen["log_share"] - log_share_before, 0.0)
    elsewhere, elsewhere_before = seen["units_model"] - seen["units"], seen["before_model"] - seen["before"]
    rest, rest_before = seen["units_all"] - seen["total"], seen["before_all"] - seen["total_before"]
    seen["elsewhere"] = _log_share(elsewhere, rest)
    moved = seen["elsewhere"] - _log_share(elsewhere_before, rest_before)
    seen["trend_elsewhere"] = np.where((elsewhere > SOMEWHERE) & (elsewhere_before > SOMEWHERE), moved, 0.0)
    seen["sold_elsewhere"] = elsewhere > SOMEWHERE
    seen["brand_relative"] = _log_share(seen["units_brand"], seen["total"]) - _log_share(seen["units_brand_all"] - seen["units_brand"], rest)
    seen["relative"] = seen["log_share"] - seen["elsewhere"]
    both = (seen["units_brand"] > 0) & (seen["before_brand"] > 0)
    brand_moved = _log_share(seen["units_brand"], seen["total"]) - _log_share(seen["before_brand"], seen["total_before"])
    seen["brand_trend"] = np.where(both, brand_moved, 0.0)
    seen["brand_share"] = _log_share(seen["units_brand"], seen["total"])
    seen["brand_present"] = seen["units_brand"] > 0
    seen["all_cars_share"] = _all_cars_share(panel, seen.index, year)
    seen["is_other"] = seen.index.get_level_values("model").isin([OTHER, ALL_OTHER_BRANDS])
    return seen.join(_announced(panel, year))


def _log_share(units: pd.Series, total: pd.Series) -> pd.Series:
    """Logarithm of a share of electric cars; `FEW` cars are added so that a row without cars has one."""
    return np.log((units + FEW) / (total + FEW))


def _years_since(units: pd.DataFrame, year: int, above: float) -> pd.Series:
    """Years since a row first had more than `above` cars: 0 in its first year, 9 when it had none yet."""
    first = pd.Series(9, index=units.index)
    for known_year in sorted((int(y) for y in units.columns if int(y) <= year), reverse=True):
        first[units[known_year] > above] = year - known_year
    return first


def _all_cars_share(panel: Panel, rows: pd.Index, year: int) -> np.ndarray:
    """Logarithm of the brand's share of all cars of the country in a year; 0.02 % where the list has no such brand."""
    brands = panel.brand_cars[year]
    shares = brands / brands.groupby(level="country").transform("sum").where(lambda total: total > 0, 1.0)
    keys = pd.MultiIndex.from_arrays([rows.get_level_values("country"), rows.get_level_values("brand")])
    return np.log(shares.reindex(keys).fillna(0.0).to_numpy() + 2e-4)


def _announced(panel: Panel, year: int) -> pd.DataFrame:
    """Months on sale in this year and the next, price, and whether a renewal or an end was announced."""
    countries = sorted(panel.cars.index)
    rows = panel.units.index
    place = {key: k for k, key in enumerate(rows)}
    months, months_next, price = np.full(len(rows), 12.0), np.full(len(rows), 12.0), np.zeros(len(rows))
    dated, renewed, ended = (np.zeros(len(rows), dtype=bool) for _ in range(3))
    for row in panel.known.launches.sort_values("announced_on", kind="stable").to_dict("records"):
        middle = _middle(row["from"], row["to"])
        at = [place[key] for c in _countries(row["countries"], countries) if (key := (c, row["brand"], row["model"])) in place]
        if row["kind"] == "launch":
            months[at], months_next[at] = _months_after(middle, year), _months_after(middle, year + 1)
            dated[at], price[at] = True, row["price_eur"] or UNPRICED_EUR
        elif row["kind"] == "end":
            ended[at] = middle.year <= year + 1
            months_next[at] = (
                min(12.0, max(_LEAST_MONTHS, 12.0 - _months_after(middle, year + 1) + _STOCK_MONTHS)) if middle.year <= year + 1 else 12.0
            )
        else:
            renewed[at] = dt.date(year, 7, 1) <= middle <= dt.date(year + 1, 6, 30)
    columns = {"months": months, "months_next": months_next, "launch_price": price, "dated": dated, "renewed": renewed, "ended": ended}
    return pd.DataFrame(columns, index=rows)


def _middle(first: dt.date, last: dt.date) -> dt.date:
    """Middle of a window of months whose ends are last days of a month."""
    return first + (last - first) / 2 - dt.timedelta(days=15)


def _months_after(day: dt.date, year: int) -> float:
    """Months of a year that lie after a day, 0 to 12."""
    return float(min(12.0, max(0.0, (dt.date(year, 12, 31) - day).days / 30.4375)))


def _countries(text: str, every: list[str]) -> list[str]:
    """Countries an announcement is about: those named, or all."""
    named = [part.strip() for part in text.split(";") if part.strip()]
    return [country for country in every if not named or country in named]
