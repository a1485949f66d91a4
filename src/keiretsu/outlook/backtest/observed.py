"""What came: registrations that judge a forecast and never feed one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from keiretsu.errors import Problem
from keiretsu.outlook.backtest.known import REGISTRATIONS, BacktestError, History

KEY = ["country", "brand", "model"]
WANTED = ("country", "year", "brand", "model", "registrations")


def observed_in(history: History, year: int) -> pd.Series:
    """Registrations of a year in the history, by country, brand and model.

    Raises
    ------
    BacktestError
        When the history has none of that year.
    """
    rows = history.registrations[history.registrations["year"] == year]
    if rows.empty:
        raise BacktestError(Problem("no registrations of the year to judge", REGISTRATIONS, f"none of {year}", f"rows of {year}",
                                    "give them with --observed FILE.csv, columns " + ", ".join(WANTED)))  # fmt: skip
    return rows.set_index(KEY)["registrations"].astype(float).sort_index()


def read_observed(path: Path, year: int) -> pd.Series:
    """Registrations of a year from a file with the columns country, year, brand, model, registrations; further columns are not read.

    Raises
    ------
    BacktestError
        With every problem: no such file, missing columns, numbers that cannot be read, rows given twice, no row of the year.
    """
    if not path.is_file():
        raise BacktestError(Problem("no such file", str(path), "nothing", "a CSV file with columns " + ", ".join(WANTED)))
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    if missing := [column for column in WANTED if column not in table.columns]:
        raise BacktestError(Problem("columns are missing", path.name, ", ".join(table.columns), ", ".join(missing)))
    numbers = {column: pd.to_numeric(table[column], errors="coerce") for column in ("year", "registrations")}
    problems = [
        Problem(f"{column} cannot be read", f"{path.name}:{k + 2}", table[column][k] or "nothing", "a number, not below 0")
        for column, values in numbers.items()
        for k in np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    ]
    rows = table.assign(**numbers)[numbers["year"] == year]
    names = [" ".join(str(row[name]) for name in KEY) for row in rows.to_dict("records")]
    twice = np.flatnonzero(rows.duplicated(KEY).to_numpy())
    problems += [Problem("given twice", path.name, names[k], "one row for a country, year, brand and model") for k in twice]
    if rows.empty and not problems:
        seen = ", ".join(sorted(set(table["year"]))) or "no rows"
        problems.append(Problem("no registrations of the year to judge", path.name, seen, f"rows of {year}"))
    if problems:
        raise BacktestError(problems)
    return rows.set_index(KEY)["registrations"].astype(float).sort_index()
