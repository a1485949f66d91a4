"""A forecast of electric registrations one year ahead by country, brand and model, with bands, from what was known on a day.

Totals by country come from `total`, shares within them from the deltas of `models`, both with the innovations of `spread` drawn around them.
Every level is summed draw by draw, so that bands of a brand hold what its models do together. The median of the draws, which has the smallest
expected absolute error, is then averaged with the last year itself: two forecasts that err for different reasons are better together
(Bates and Granger 1969). Weights, and how wide bands have to be, come from earlier years.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.outlook.backtest.known import Known
from keiretsu.outlook.backtest.models import Deltas, Steps, deltas_next, estimate, shares_of
from keiretsu.outlook.backtest.panel import Panel, panel_of
from keiretsu.outlook.backtest.spread import Spread, drawn
from keiretsu.outlook.backtest.total import Trend, ground_of, total_next

QUANTILES = {"low_80": 0.10, "low_50": 0.25, "median": 0.50, "high_50": 0.75, "high_80": 0.90}
BANDS = ("low_80", "low_50", "high_50", "high_80")
LEVELS = {"model": ["country", "brand", "model"], "brand": ["country", "brand"], "total": ["country"]}


@dataclass(frozen=True)
class Settings:
    """What earlier years chose (`tuning.tune`): nest strength, how trends go on, how wide bands are."""

    sigma: float
    trend: Trend
    spread: Spread
    last_year: Mapping[str, float]  # weight of the last year itself, by level
    stretch: Mapping[str, float]  # power of the bands' ratios to the median, by level


@dataclass(frozen=True, eq=False)
class Forecast:
    """Forecast of a year. `levels` holds a table for model, brand and total: the key, units, the bands, the median before it was
    averaged with the last year, and persistence and growth beside.
    """

    year: int
    known: Known
    settings: Settings
    steps: Steps
    deltas: Deltas
    levels: dict[str, pd.DataFrame]


def forecast(known: Known, settings: Settings, draws: int, seed: int) -> Forecast:
    """The year after the last complete one known."""
    panel = panel_of(known)
    steps = estimate(panel, settings.sigma)
    deltas = deltas_next(panel, known.year, steps)
    units = _drawn_units(panel, deltas, settings, draws, seed)
    rows = deltas.rows
    levels = {}
    for level, key in LEVELS.items():
        groups = rows.to_frame(index=False).groupby(key, sort=True).ngroup().to_numpy()  # rows are sorted, so groups stand together
        sums = np.add.reduceat(units, np.flatnonzero(np.diff(groups, prepend=-1)), axis=1)
        names = rows.to_frame(index=False).drop_duplicates(key).sort_values(key)[key].reset_index(drop=True)
        table = names.assign(**{name: np.quantile(sums, q, axis=0) for name, q in QUANTILES.items()})
        levels[level] = combined(table.join(_beside(panel, known.year, key), on=key), settings.last_year[level], settings.stretch[level])
    return Forecast(known.year + 1, known, settings, steps, deltas, levels)


def combined(table: pd.DataFrame, weight: float, stretch: float) -> pd.DataFrame:
    """The table with `units`, the average of median and last year, and bands around it.

    Bands keep their ratios to the median, raised to `stretch`; one car is added on both sides so that bands of rare models have a width.
    """
    units = (1 - weight) * table["median"] + weight * table["persistence"]
    bands = {name: (units + 1) * ((table[name] + 1) / (table["median"] + 1)) ** stretch - 1 for name in BANDS}
    return table.assign(units=units, **{name: np.maximum(band, 0.0) for name, band in bands.items()})


def central_shares(deltas: Deltas, sigma: float) -> np.ndarray:
    """Shares within the country at mean deltas; arriving models more likely listed than not are in, others out. (rows,)"""
    country, nest = _places(deltas)
    delta = np.where(deltas.listed >= 0.5, deltas.delta, -np.inf)
    return shares_of(delta[None, :], country, nest, sigma)[0]


def _drawn_units(panel: Panel, deltas: Deltas, settings: Settings, n: int, seed: int) -> np.ndarray:
    """Cars of every row in every draw. (draws, rows)"""
    country, nest = _places(deltas)
    total = np.log(total_next(ground_of(panel, panel.known.year), settings.trend).to_numpy())
    middle = np.log(central_shares(deltas, settings.sigma) + 1e-6) + total[country]
    shock = drawn(settings.spread, deltas.rows, deltas.kind, middle, n, seed)
    there = shock.listed < deltas.listed[None, :]
    delta = np.where(there, deltas.delta[None, :] + shock.rows * (1 - settings.sigma), -np.inf)
    shares = shares_of(delta, country, nest, settings.sigma)
    return shares * np.exp(total[None, :] + shock.totals)[:, country]


def _places(deltas: Deltas) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of each row's country and of its brand in the country; countries in the order of totals."""
    rows = deltas.rows
    return pd.factorize(rows.get_level_values("country"), sort=True)[0], pd.factorize(rows.droplevel(2), sort=True)[0]


def _beside(panel: Panel, year: int, key: list[str]) -> pd.DataFrame:
    """Persistence: the last year again. Growth: every row grows once more as its country's electric cars just did, so that levels add up."""
    now = panel.units[year].groupby(level=key).sum()
    country = panel.electric()
    grown = (country[year] / country[year - 1]).reindex(now.index.get_level_values("country")).to_numpy()
    return pd.DataFrame({"persistence": now, "growth": now * grown})
