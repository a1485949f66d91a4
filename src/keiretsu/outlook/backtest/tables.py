"""Scores as tables to read: countries down, forecasts across."""

from __future__ import annotations

import pandas as pd

from keiretsu.outlook.backtest.score import Backtest, better_than_persistence


def error_table(tested: Backtest, level: str) -> pd.DataFrame:
    """Errors of a level by country, the mean over countries last."""
    rows = tested.errors[tested.errors["level"] == level].drop(columns="level")
    mean = {"country": "mean", "cars": rows["cars"].sum(), **{name: rows[name].mean() for name in ("forecast", "persistence", "growth")}}
    return pd.concat([rows, pd.DataFrame([mean])], ignore_index=True)


def sentences(tested: Backtest) -> list[str]:
    """The score in sentences."""
    known, trend = tested.forecast.known, tested.forecast.settings.trend
    out = [
        f"Known until {known.date}: registrations to {known.year}, {len(known.launches)} announcements of models, {len(known.policy)} policy facts."
    ]
    out += [f"By {row['level']}: error below persistence in {row['better']} of {row['countries']} countries."
            for row in better_than_persistence(tested.errors).to_dict("records")]  # fmt: skip
    out += [f"{row['inside_80']:.0%} of {row['outcomes']:,} outcomes by {row['level']} inside the 80 % band, {row['inside_50']:.0%} inside the 50 % band."
            for row in tested.bands.to_dict("records")]  # fmt: skip
    settings = tested.forecast.settings
    out.append(f"Chosen on earlier years: nests {settings.sigma}, momentum {trend.momentum}, own trend {trend.own}, "
               f"return of the market {trend.reversion}, rush {trend.rush}, weight of the last year itself "
               + ", ".join(f"{level} {weight}" for level, weight in settings.last_year.items()) + ".")  # fmt: skip
    return [*out, *tested.notes]


def write_tables(tested: Backtest, folder: str) -> list[str]:
    """Every table as CSV into an existing folder; the names written."""
    tables = {"errors": tested.errors, "bands": tested.bands, "misses": tested.misses}
    tables |= {f"forecast_by_{level}": table.reset_index() for level, table in tested.compared.items()}
    for name, table in tables.items():
        table.to_csv(f"{folder}/{name}.csv", index=False, float_format="%.6g", lineterminator="\n")
    return [f"{name}.csv" for name in tables]
