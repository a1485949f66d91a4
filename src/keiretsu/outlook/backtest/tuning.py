"""What earlier years say about the method: strength of nests, how trends go on, how much of the last year to keep, how wide bands have to be.

Every earlier year that can be forecast from what was known on 31 December before it is forecast, and judged with what is known now (rolling
origin). Nothing of the year to be forecast takes part. Where no earlier year can be judged the stated defaults hold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
import pandas as pd

from keiretsu.outlook.backtest.forecast import LEVELS, QUANTILES, Settings, central_shares, combined, forecast
from keiretsu.outlook.backtest.known import Known
from keiretsu.outlook.backtest.models import deltas_next, estimate
from keiretsu.outlook.backtest.panel import FEW, panel_of
from keiretsu.outlook.backtest.spread import Spread, spread_of
from keiretsu.outlook.backtest.trend import estimated, first_origin, past_totals

SIGMAS = (0.2, 0.0, 0.4)  # the first holds where no earlier year can be judged
STRETCHES = (1.5, 0.7, 0.85, 1.0, 1.15, 1.3, 1.75, 2.0, 2.5)  # so too: priors alone give bands that are too narrow
WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
EVEN, EVEN_YEARS = 0.5, 2.0  # prior weight of the last year itself, and how many judged years that prior is worth
_RESIDUALS = {"year": int, "country": str, "brand": str, "model": str, "kind": str, "log_units": float, "residual": float}
_TRIAL_DRAWS = 500
HELD = 0.80


@dataclass(frozen=True, eq=False)
class Tuning:
    """Settings and the tables they were chosen from."""

    settings: Settings
    trends: pd.DataFrame
    sigmas: pd.DataFrame
    weights: pd.DataFrame
    stretches: pd.DataFrame


def tune(known: Known, seed: int) -> Tuning:
    """Settings from rolling origins within what was known.

    The weight of the last year is the best of earlier years, pulled to one half: estimated weights of few forecasts are noisier than even ones
    are wrong (Diebold and Pauly 1990).
    """
    trend, trends = estimated(known)
    past = past_totals(known)
    means = {year: mean for year, (_, mean) in past.items()}
    totals = _total_residuals(known, means)
    tried = [(sigma, *_past_residuals(known, sigma, means)) for sigma in SIGMAS]
    sigmas = pd.DataFrame({"sigma": [one[0] for one in tried], "error": [one[2] for one in tried]})
    best = int(sigmas["error"].fillna(np.inf).to_numpy().argmin())
    sigma, residuals, _ = tried[best]
    spread = spread_of(residuals, totals)
    plain = Settings(sigma, trend, spread, dict.fromkeys(LEVELS, 0.0), dict.fromkeys(LEVELS, 1.0))
    then = {year: replace(plain, trend=trend_then) for year, (trend_then, _) in past.items()}
    chosen, stretches, tried_weights, tried_stretches = {}, {}, [], []
    tables_of = _past_tables(known, then, seed) | {"total": _past_totals(known, means, spread)}
    for level, tables in tables_of.items():
        errors = [_mean_error([combined(table, weight, 1.0) for table in tables]) for weight in WEIGHTS]
        alone = WEIGHTS[int(np.argmin(errors))]
        chosen[level] = (len(tables) * alone + EVEN_YEARS * EVEN) / (len(tables) + EVEN_YEARS)
        held = [_held([combined(table, chosen[level], stretch) for table in tables]) for stretch in STRETCHES]
        stretches[level] = STRETCHES[int(np.abs(np.array(held) - HELD).argmin())]
        tried_weights += [{"level": level, "last_year": weight, "error": error} for weight, error in zip(WEIGHTS, errors, strict=True)]
        tried_stretches += [{"level": level, "stretch": stretch, "held": share} for stretch, share in zip(STRETCHES, held, strict=True)]
    settings = replace(plain, last_year=chosen, stretch=stretches)
    return Tuning(settings, trends, sigmas, pd.DataFrame(tried_weights), pd.DataFrame(tried_stretches))


def judged_years(known: Known) -> list[int]:
    """Years whose models can be forecast for the year after, from two changes, and judged with what is known."""
    return list(range(first_origin(known) + 1, known.year))


def counted(table: pd.DataFrame) -> pd.Series:
    """Rows that are outcomes: some car came, or at least one was forecast. Rows of nothing forecast and nothing come prove nothing."""
    return (table["came"] > 0) | (table["units"] >= 1)


def inside(table: pd.DataFrame, low: str = "low_80", high: str = "high_80") -> pd.Series:
    """Whether what came lies in the band, ends rounded to whole cars, for every row counted."""
    rows = table[counted(table)]
    return (rows["came"] >= rows[low].round()) & (rows["came"] <= rows[high].round())


def beside_what_came(table: pd.DataFrame, came: pd.Series, key: list[str]) -> pd.DataFrame:
    """A forecast's table with what came; what nobody forecast has a forecast and a band of zero, indexed by the key."""
    return table.set_index(key).join(came[came > 0].groupby(level=key).sum().rename("came"), how="outer").fillna(0.0)


def weighted_error(table: pd.DataFrame, column: str) -> pd.Series:
    """Sum of absolute errors over the cars that came, by country."""
    missed = (table[column] - table["came"]).abs().groupby(level="country").sum()
    return missed / table["came"].groupby(level="country").sum()


def _past_tables(known: Known, settings: dict[int, Settings], seed: int) -> dict[str, list[pd.DataFrame]]:
    """Forecasts of earlier years beside what came, for each level."""
    now = panel_of(known)
    tables: dict[str, list[pd.DataFrame]] = {level: [] for level in LEVELS}
    for year in judged_years(known):
        made = forecast(known.earlier(year), settings[year], _TRIAL_DRAWS, seed)
        for level, key in LEVELS.items():
            tables[level].append(beside_what_came(made.levels[level], now.units[year + 1], key))
    return tables


def _past_totals(known: Known, means: dict[int, pd.Series], spread: Spread) -> list[pd.DataFrame]:
    """Totals of earlier years beside what came: one year more than models have. Bands are those of the normal shocks drawn around totals."""
    electric, width = panel_of(known).electric(), float(np.hypot(spread.of_year, spread.of_country))
    tables = []
    for year, mean in means.items():
        bands = {name: mean * np.exp(width * NormalDist().inv_cdf(q)) for name, q in QUANTILES.items()}
        tables.append(pd.DataFrame({**bands, "persistence": electric[year], "came": electric[year + 1]}).rename_axis("country"))
    return tables


def _mean_error(tables: list[pd.DataFrame]) -> float:
    """Mean error over years and countries; not stated without a year."""
    return float(np.mean([weighted_error(table, "units").mean() for table in tables])) if tables else np.nan


def _held(tables: list[pd.DataFrame]) -> float:
    """Mean over years of the share of outcomes inside the 80 % band; not stated without a year."""
    return float(np.mean([inside(table).mean() for table in tables])) if tables else np.nan


def _total_residuals(known: Known, means: dict[int, pd.Series]) -> pd.DataFrame:
    """Log of electric cars that came over those forecast, by year and country."""
    electric = panel_of(known).electric()
    residuals = pd.DataFrame({year + 1: np.log(electric[year + 1]) - np.log(mean) for year, mean in means.items()})
    return residuals.rename_axis("country").reset_index().melt(id_vars="country", var_name="year", value_name="residual")


def _past_residuals(known: Known, sigma: float, totals: dict[int, pd.Series]) -> tuple[pd.DataFrame, float]:
    """Residuals of rows in earlier years, and the mean error by model; no rows and an error not stated without a year."""
    rows, errors = [], []
    now = panel_of(known)
    for year in judged_years(known):
        panel = panel_of(known.earlier(year))
        deltas = deltas_next(panel, year, estimate(panel, sigma))
        came = now.units[year + 1]
        came_total = came.groupby(level="country").sum()
        here = deltas.seen.index.get_level_values("country")
        share = central_shares(deltas, sigma)
        seen = came.reindex(deltas.seen.index).fillna(0.0)
        meant = pd.Series(share * totals[year].reindex(here).to_numpy(), index=deltas.seen.index)
        table = pd.DataFrame({"kind": deltas.kind, "log_units": np.log(meant + 1)}, index=deltas.seen.index)
        table["residual"] = np.log((seen + FEW) / (share * came_total.reindex(here).to_numpy() + FEW))
        table["year"] = year + 1
        counted = (deltas.kind != "absent") & (seen > 0) & (deltas.listed >= 0.5)
        rows.append(table[counted].reset_index())
        missed = (meant.reindex(came.index.union(meant.index)).fillna(0.0) - came.reindex(came.index.union(meant.index)).fillna(0.0)).abs()
        errors.append(float((missed.groupby(level="country").sum() / came_total).mean()))
    if not rows:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _RESIDUALS.items()}), np.nan
    return pd.concat(rows, ignore_index=True), float(np.mean(errors))
