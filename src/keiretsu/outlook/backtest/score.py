"""A forecast against what came: errors beside persistence and growth, what the bands held, and the worst misses with the likely reason."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from keiretsu.errors import Problem
from keiretsu.outlook.backtest.forecast import LEVELS, Forecast, forecast
from keiretsu.outlook.backtest.known import BacktestError, History, dated_elasticities, known_until, read_history
from keiretsu.outlook.backtest.reasons import reason_of
from keiretsu.outlook.backtest.tuning import Tuning, beside_what_came, counted, inside, tune, weighted_error

if TYPE_CHECKING:
    from keiretsu.case import Case

FORECASTS = ("units", "persistence", "growth")
WORST = 10


@dataclass(frozen=True, eq=False)
class Backtest:
    """A forecast judged.

    Attributes
    ----------
    errors
        level, country, cars, forecast, persistence, growth: sum of absolute errors over the cars that came. `growth` is the last year times
        its country's growth over the year before.
    bands
        level, outcomes, inside_50, inside_80: shares of outcomes in the bands.
    misses
        The ten rows by country and model with the largest errors in cars, and the likely reason.
    compared
        For each level every row: forecast, bands, persistence, growth, came.
    notes
        What a reader of the scores should know.
    """

    forecast: Forecast
    tuning: Tuning
    errors: pd.DataFrame
    bands: pd.DataFrame
    misses: pd.DataFrame
    compared: dict[str, pd.DataFrame]
    notes: tuple[str, ...]


def history_of(case: Case) -> History:
    """The history files of a case's folder, with the elasticities among its targets.

    Raises
    ------
    BacktestError
        With every problem of the files.
    """
    return read_history(Path(case.folder), dated_elasticities(case.targets, case.sources))


def backtest(history: History, known_on: dt.date, came: pd.Series, year: int, draws: int, seed: int) -> Backtest:
    """Forecast a year from what was known on a day and judge it.

    Parameters
    ----------
    came
        Registrations of the year, indexed by country, brand, model. They are looked at only after the forecast is made.
    year
        Must be the year after the last complete one known.

    Raises
    ------
    BacktestError
        When the year is not the next one, too little was known, or nothing that came is of a country with a history.
    """
    known = known_until(history, known_on)
    if year != known.year + 1:
        raise BacktestError(Problem("forecasts are one year ahead", "--judge", str(year), str(known.year + 1),
                                    f"the last complete year known on {known_on} is {known.year}: judge the one after, or add later registrations to registrations.csv of the case"))  # fmt: skip
    tuning = tune(known, seed)
    return judged(forecast(known, tuning.settings, draws, seed), tuning, came)


def judged(made: Forecast, tuning: Tuning, came: pd.Series) -> Backtest:
    """Scores of a forecast; countries that were not forecast, or of which nothing came, are left out and noted."""
    ours, theirs = set(made.levels["total"]["country"]), set(came.index.get_level_values("country"))
    if not ours & theirs:
        raise BacktestError(Problem("no country in common", "observed registrations", ", ".join(sorted(theirs)), ", ".join(sorted(ours))))
    notes = [f"{', '.join(sorted(names))}: {text}, left out" for names, text in (
        (theirs - ours, "no history"), (ours - theirs, "nothing observed")) if names]  # fmt: skip
    both = sorted(ours & theirs)
    came = came[came.index.get_level_values("country").isin(both)]
    compared: dict[str, pd.DataFrame] = {}
    for level, key in LEVELS.items():
        table = made.levels[level]
        compared[level] = beside_what_came(table[table["country"].isin(both)], came, key)
    errors = pd.concat([_errors(level, table) for level, table in compared.items()], ignore_index=True)
    bands = pd.DataFrame([_bands(level, table) for level, table in compared.items()])
    return Backtest(made, tuning, errors, bands, _misses(made, compared), compared, tuple(notes))


def better_than_persistence(errors: pd.DataFrame) -> pd.DataFrame:
    """In how many countries the forecast's error is below persistence's, by level."""
    won = errors.assign(won=errors["forecast"] < errors["persistence"]).groupby("level", sort=False)["won"]
    return pd.DataFrame({"better": won.sum(), "countries": won.size()}).reset_index()


def _errors(level: str, table: pd.DataFrame) -> pd.DataFrame:
    columns = {"forecast" if name == "units" else name: weighted_error(table, name) for name in FORECASTS}
    cars = table["came"].groupby(level="country").sum()
    return pd.DataFrame({"cars": cars, **columns}).reset_index().assign(level=level)[["level", "country", "cars", *columns]]


def _bands(level: str, table: pd.DataFrame) -> dict[str, object]:
    return {
        "level": level,
        "outcomes": int(counted(table).sum()),
        "inside_50": float(inside(table, "low_50", "high_50").mean()),
        "inside_80": float(inside(table).mean()),
    }


def _misses(made: Forecast, compared: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Rows by model with the largest errors in cars."""
    table = compared["model"].assign(error=lambda t: t["units"] - t["came"])
    worst = table.reindex(table["error"].abs().sort_values(ascending=False, kind="stable").index[:WORST])
    rows = []
    for key, row in worst.iterrows():
        country, brand, model = (str(part) for part in key)  # type: ignore[union-attr]
        rows.append({
            "country": country, "brand": brand, "model": model, "forecast": row["units"], "low_80": row["low_80"], "high_80": row["high_80"],
            "came": row["came"], "last_year": row["persistence"], "reason": reason_of(made, compared, (country, brand, model)),
        })  # fmt: skip
    return pd.DataFrame(rows)
