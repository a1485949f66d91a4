"""What was known on a day, and nothing else: the only door through which facts reach a forecast.

A history is what a case folder says about the past: registrations by country, year, brand and model, all cars by brand, launches and
policies. Every row carries the day from which it counts. `known_until` drops the rows that came later, and everything behind it
(`panel`, `total`, `models`, `forecast`) sees a `Known` and never a `History`.

A count of a calendar year counts from the last day of that year: monthly figures stand until November by then and December follows within
days. Everything else counts from the day it was published.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from keiretsu.errors import InputError, Problem

REGISTRATIONS, ALL_CARS, LAUNCHES, POLICY = "registrations.csv", "registrations_all_cars.csv", "launches.csv", "policy_history.csv"
COLUMNS: Mapping[str, tuple[str, ...]] = {
    REGISTRATIONS: ("country", "year", "brand", "model", "registrations", "known_on", "source"),
    ALL_CARS: ("country", "year", "brand", "registrations", "known_on", "source"),
    LAUNCHES: ("brand", "model", "kind", "from", "to", "announced_on", "countries", "price_eur", "replaces", "source", "confidence", "note"),
    POLICY: ("country", "brand", "model", "year", "kind", "value", "unit", "known_on", "source", "confidence", "note"),
}
LAUNCH_KINDS = ("launch", "end", "renewal")
POLICY_KINDS = ("support", "support_change", "share_target", "share_lift")
_NUMBERS = ("year", "registrations", "value", "price_eur")
_DATES = ("known_on", "announced_on")
CARS_FROM = 2020  # all cars are needed from then on: the market returns to its mean since


class BacktestError(InputError):
    """A history, a date or observed figures from which no forecast can be made or judged."""


@dataclass(frozen=True, eq=False)
class History:
    """Everything a case says about the past, later facts included: never read by a forecast.

    `elasticities` holds dated estimates of what a rise of all electric prices by one per cent does to electric sales (per cent).
    """

    registrations: pd.DataFrame
    all_cars: pd.DataFrame
    launches: pd.DataFrame
    policy: pd.DataFrame
    elasticities: pd.DataFrame  # value, weight, known_on


@dataclass(frozen=True, eq=False)
class Known:
    """What was known on `date`; `year` is the last calendar year that was complete."""

    date: dt.date
    year: int
    registrations: pd.DataFrame
    all_cars: pd.DataFrame
    launches: pd.DataFrame
    policy: pd.DataFrame
    elasticities: pd.DataFrame

    def earlier(self, year: int) -> Known:
        """What was known on the last day of an earlier year, for steps and forecasts that can be judged with what is known now.

        Published elasticities stay: a price response measured later is no fact about a year's registrations.
        """
        date = dt.date(year, 12, 31)
        return Known(
            date=date,
            year=year,
            registrations=_before(self.registrations, "known_on", date),
            all_cars=_before(self.all_cars, "known_on", date),
            launches=_before(self.launches, "announced_on", date),
            policy=_before(self.policy, "known_on", date),
            elasticities=self.elasticities,
        )


def known_until(history: History, date: dt.date) -> Known:
    """The part of a history that was known on a day.

    Raises
    ------
    BacktestError
        When fewer than three complete years of registrations were known: a trend needs two changes. When a country lacks a year in between.
    """
    by_day = {
        "registrations": _before(history.registrations, "known_on", date),
        "all_cars": _before(history.all_cars, "known_on", date),
        "launches": _before(history.launches, "announced_on", date),
        "policy": _before(history.policy, "known_on", date),
        "elasticities": _before(history.elasticities, "known_on", date),
    }
    years = sorted(by_day["registrations"]["year"].unique())
    if len(years) < 3:
        raise BacktestError(Problem("too little was known", f"{REGISTRATIONS} until {date}", f"years {', '.join(map(str, years)) or 'none'}",
                                    "three complete years or more", "choose a later --known-until or add earlier years"))  # fmt: skip
    if problems := list(_gaps(by_day["registrations"], by_day["all_cars"], [int(year) for year in years])):
        raise BacktestError(problems)
    return Known(date=date, year=int(years[-1]), **by_day)


def _gaps(electric: pd.DataFrame, every: pd.DataFrame, years: list[int]) -> Iterator[Problem]:
    """Countries and years without which no share of electric cars is known: from a country's first electric car on it needs both counts in every year.

    A forecast carries shares of all countries on together, so one gap would be a gap everywhere.
    """
    cars = {name: table.groupby(["country", "year"])["registrations"].sum() for name, table in ((REGISTRATIONS, electric), (ALL_CARS, every))}
    for country in sorted(electric["country"].unique()):
        of = {name: [float(counted.get((country, year), 0.0)) for year in years] for name, counted in cars.items()}
        begun = next((k for k, sold in enumerate(of[REGISTRATIONS]) if sold > 0), 0)
        for k, year in enumerate(years):
            sold, all_of_them, place = of[REGISTRATIONS][k], of[ALL_CARS][k], f"{country}, {year}"
            if sold <= 0 and k >= begun:
                cure = "add the year, or leave the country out"
                yield Problem("no electric cars of a country in a year", REGISTRATIONS, place, "a count in every year from the first one on", cure)
            if all_of_them <= sold and (k >= begun or year >= CARS_FROM):
                seen = f"{place}: {all_of_them:,.0f} cars, {sold:,.0f} of them electric"
                yield Problem(
                    "no count of all cars beside the electric ones", ALL_CARS, seen, "more cars than electric ones", "add rows of all cars, by brand"
                )


def read_history(folder: Path, elasticities: pd.DataFrame) -> History:
    """The history files of a case folder, checked.

    Raises
    ------
    BacktestError
        With every problem: missing files and columns, values that cannot be read, rows given twice.
    """
    problems: list[Problem] = []
    tables = {name: _read(folder / name, name, problems) for name in COLUMNS}
    if problems:
        raise BacktestError(problems)
    return History(tables[REGISTRATIONS], tables[ALL_CARS], tables[LAUNCHES], tables[POLICY], elasticities)


def dated_elasticities(targets: pd.DataFrame, sources: pd.DataFrame) -> pd.DataFrame:
    """Estimates of how electric sales answer to all electric prices, each with the day its publication counts from.

    Parameters
    ----------
    targets, sources
        Tables of a case. A target counts from the latest of its sources; one without a dated source is left out.
    """
    days = {row["source"]: last_day(str(row["date"])) for row in sources.to_dict("records") if re.search(r"\d{4}", str(row["date"]))}
    chosen = targets[(targets["kind"] == "subset_elasticity") & (targets["of"] == "powertrain=BEV")]
    rows = []
    for row in chosen.to_dict("records"):
        cited = [days.get(part.strip()) for part in str(row["source"]).split(";")]
        if all(day is not None for day in cited):
            rows.append({"value": float(row["value"]), "weight": float(row["weight"]), "known_on": max(day for day in cited if day)})
    return pd.DataFrame(rows, columns=["value", "weight", "known_on"])


def last_day(text: str) -> dt.date:
    """Day from which a fact dated to a day, a month or a year counts: ``2023`` is 2023-12-31, ``2022 to 2024`` is 2024-12-31.

    Raises
    ------
    ValueError
        When the text holds no date, or one that does not exist.
    """
    days = []
    for year, month, day in re.findall(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?", text):
        y, m = int(year), int(month or 12)
        days.append(dt.date(y, m, int(day) if day else calendar.monthrange(y, m)[1]))
    if not days:
        raise ValueError(f"no date: {text}")
    return max(days)


def _before(table: pd.DataFrame, column: str, date: dt.date) -> pd.DataFrame:
    """Rows known on the day, in an order that rows known later cannot change."""
    kept = table[np.array([day <= date for day in table[column]], dtype=bool)]  # of a file with a heading alone: no row, all columns
    order = [name for name in ("country", "brand", "model", "year", "kind", column) if name in kept.columns]
    return kept.sort_values(order, kind="stable").reset_index(drop=True)


def _read(path: Path, name: str, problems: list[Problem]) -> pd.DataFrame:
    """One file, typed; what is wrong goes to `problems`."""
    if not path.is_file():
        problems.append(Problem("the file is missing", name, "nothing", f"columns {', '.join(COLUMNS[name])}", "docs/backtest.md says what it holds"))
        return pd.DataFrame()
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    if missing := [column for column in COLUMNS[name] if column not in table.columns]:
        problems.append(Problem("columns are missing", name, ", ".join(table.columns), ", ".join(missing)))
        return pd.DataFrame()
    for column in [name for name in _NUMBERS if name in table.columns]:
        table[column] = [_number(text, f"{name}:{k + 2}", column, problems) for k, text in enumerate(table[column])]
    for column in [name for name in (*_DATES, "from", "to") if name in table.columns]:
        table[column] = [_date(text, f"{name}:{k + 2}", column, problems) for k, text in enumerate(table[column])]
    for column, wanted in (("kind", LAUNCH_KINDS if name == LAUNCHES else POLICY_KINDS),):
        for k, seen in enumerate(table.get(column, pd.Series(dtype=str))):
            if seen not in wanted:
                problems.append(Problem(f"{column} is not known", f"{name}:{k + 2}", seen, " or ".join(wanted)))
    if name in (REGISTRATIONS, ALL_CARS) and not problems:
        table["year"] = table["year"].astype(int)
        key = [column for column in ("country", "year", "brand", "model") if column in table.columns]
        twice = np.flatnonzero(table.duplicated(key).to_numpy())
        early = [k for k, (year, day) in enumerate(zip(table["year"], table["known_on"], strict=True)) if day < dt.date(year, 12, 31)]
        problems += [Problem("a year cannot be counted before it is over", f"{name}:{k + 2}", str(table["known_on"][k]),
                             f"{table['year'][k]}-12-31 or later") for k in early]  # fmt: skip
        problems += [Problem("given twice", f"{name}:{k + 2}", " ".join(str(v) for v in table.loc[k, key]), "one row") for k in twice]
    return table


def _number(text: str, where: str, column: str, problems: list[Problem]) -> float:
    """A number; 0 for an empty price, which then counts as not stated."""
    if text == "" and column == "price_eur":
        return 0.0
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value) or (column == "registrations" and value < 0):
        problems.append(Problem(f"{column} cannot be read", where, text or "nothing", "a number, not below 0 for registrations"))
        return 0.0
    return value


def _date(text: str, where: str, column: str, problems: list[Problem]) -> dt.date:
    try:
        return last_day(text)
    except ValueError:
        problems.append(Problem(f"{column} is no date", where, text or "nothing", "2023-12-31, 2023-12 or 2023"))
        return dt.date.min
