"""How far outcomes fell from earlier forecasts, and draws that fall as far.

The residual of a row is the log of what came over what was forecast. It has three parts: one shared by a model in all countries (the car was
late, or better than its rivals), one shared by a brand's models in a country, and its own. How wide the whole is depends on the number of cars
and on whether the model is on sale or arrives; how it divides is read from how often two residuals of a model, or of a brand in a country, have
the same sign, which a few extreme rows cannot sway.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.outlook.backtest.regression import robust_ridge

_MEDIAN_KNEE = 0.01  # so small that the robust fit is a median regression
_MIDDLE = 6.0  # log of the cars of a typical row: level and slope are estimated around it
_SMALL = 0.02  # log points below which a residual is as good as none
_MEDIAN_LOG_ABS = -0.394  # log of the third quartile of the normal distribution, 0.6745
_YEAR_SD, _COUNTRY_SD = 0.12, 0.16  # prior spread of log totals: all countries together, and each country
_PRIOR_YEARS, _PRIOR_COUNTRIES = 3.0, 10.0  # how many observations those priors are worth
LEAST_CORRELATION, MOST_CORRELATION = 0.0, 0.45


@dataclass(frozen=True)
class Spread:
    """Standard widths of forecasts.

    Attributes
    ----------
    staying, arriving
        Log widths of a row's residual, below and above the forecast: level and slope in log cars, each.
    of_model, of_brand
        Part of a row's variance shared by the model in all countries, and by the brand's models in the country.
    of_year, of_country
        Standard deviation of log totals shared by all countries, and of each.
    """

    staying: tuple[tuple[float, float], tuple[float, float]]
    arriving: tuple[tuple[float, float], tuple[float, float]]
    of_model: float
    of_brand: float
    of_year: float
    of_country: float


@dataclass(frozen=True, eq=False)
class Draws:
    """Draws of residuals: of rows (draws, rows) and of log totals (draws, countries)."""

    rows: np.ndarray
    totals: np.ndarray
    listed: np.ndarray  # uniform numbers that decide whether an arriving model is listed


def spread_of(residuals: pd.DataFrame, totals: pd.DataFrame) -> Spread:
    """Widths from residuals of earlier forecasts.

    Parameters
    ----------
    residuals
        year, country, brand, model, kind, log_units (forecast), residual.
    totals
        year, country, residual: log of electric cars that came over those forecast.
    """
    of_model = _shared(residuals, ["year", "brand", "model"])
    of_brand = _shared(residuals, ["year", "country", "brand"])
    years = totals.groupby("year")["residual"].mean()
    own = totals["residual"] - totals.groupby("year")["residual"].transform("mean")
    of_year = np.sqrt((_PRIOR_YEARS * _YEAR_SD**2 + float((years**2).sum())) / (_PRIOR_YEARS + len(years)))
    of_country = np.sqrt((_PRIOR_COUNTRIES * _COUNTRY_SD**2 + float((own**2).sum())) / (_PRIOR_COUNTRIES + len(own)))
    widths = {kind: _widths(residuals[residuals["kind"] == kind]) for kind in ("staying", "arriving")}
    return Spread(widths["staying"], widths["arriving"], of_model, of_brand, float(of_year), float(of_country))


def drawn(spread: Spread, rows: pd.MultiIndex, kind: np.ndarray, log_units: np.ndarray, n: int, seed: int) -> Draws:
    """Draws of what rows and totals will do; streams are spawned from the seed, one for each part."""
    streams = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(5)]
    country = pd.factorize(rows.get_level_values("country"))[0]
    model = pd.factorize(rows.droplevel("country"))[0]
    brand = pd.factorize(rows.droplevel("model"))[0]
    own = 1 - spread.of_model - spread.of_brand
    z = np.sqrt(spread.of_model) * streams[0].standard_normal((n, int(model.max()) + 1))[:, model]
    z += np.sqrt(spread.of_brand) * streams[1].standard_normal((n, int(brand.max()) + 1))[:, brand]
    z += np.sqrt(own) * streams[2].standard_normal((n, len(rows)))
    level = {"staying": spread.staying, "arriving": spread.arriving, "absent": spread.staying}
    below, above = (np.exp([level[k][side][0] + level[k][side][1] * u for k, u in zip(kind, log_units, strict=True)]) for side in (0, 1))
    totals = spread.of_year * streams[3].standard_normal((n, 1)) + spread.of_country * streams[3].standard_normal((n, int(country.max()) + 1))
    return Draws(rows=z * np.where(z < 0, below, above), totals=totals, listed=streams[4].uniform(size=(n, len(rows))))


def _widths(residuals: pd.DataFrame) -> tuple[tuple[float, float], tuple[float, float]]:
    """Level and slope in log cars of the log width, of residuals below and above zero: cars are late more often than early."""
    return _width(residuals[residuals["residual"] < 0]), _width(residuals[residuals["residual"] >= 0])


def _width(residuals: pd.DataFrame) -> tuple[float, float]:
    size = np.log(np.abs(residuals["residual"].to_numpy()) + _SMALL) - _MEDIAN_LOG_ABS
    columns = np.column_stack([np.ones(len(residuals)), residuals["log_units"].to_numpy() - _MIDDLE])
    prior, stiffness = np.array([-0.4, -0.1]), np.array([0.03, 1.0])
    level, slope = robust_ridge(columns, size, np.ones(len(size)), prior, stiffness, _MEDIAN_KNEE, ("level", "slope")).value
    return float(level - slope * _MIDDLE), float(slope)


def _shared(residuals: pd.DataFrame, group: list[str]) -> float:
    """Correlation of two residuals of a group, from how often their signs agree: sin(pi/2 times the excess of agreement)."""
    above = residuals["residual"] - residuals.groupby("year")["residual"].transform("median")
    sign = pd.Series(np.sign(above.to_numpy()), index=residuals.index)
    by = sign.groupby([residuals[name] for name in group])
    total, count = by.sum(), by.count()
    pairs = float((count * (count - 1)).sum())
    if pairs == 0:
        return LEAST_CORRELATION
    agreement = float((total**2 - by.apply(lambda s: (s**2).sum())).sum()) / pairs
    return float(min(MOST_CORRELATION, max(LEAST_CORRELATION, np.sin(np.pi / 2 * agreement))))
