"""Scores as tables and sentences to read: countries down, forecasts across."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from keiretsu.outlook.backtest.score import Backtest, better_than_persistence


def error_table(tested: Backtest, level: str) -> pd.DataFrame:
    """Errors of a level by country, the mean over countries last."""
    rows = tested.errors[tested.errors["level"] == level].drop(columns="level")
    mean = {"country": "mean", **{name: rows[name].mean() for name in ("cars", "forecast", "persistence", "growth")}}
    return pd.concat([rows, pd.DataFrame([mean])], ignore_index=True)


def misses_table(tested: Backtest) -> pd.DataFrame:
    """The worst misses with the car and its band in one column each: car, last_year, forecast, band_80, came, reason."""
    rows = tested.misses
    return pd.DataFrame({
        "car": [f"{row['brand']} {row['model']}, {row['country']}" for row in rows.to_dict("records")],
        "last_year": rows["last_year"], "forecast": rows["forecast"],
        "band_80": [f"{row['low_80']:,.0f} to {row['high_80']:,.0f}" for row in rows.to_dict("records")],
        "came": rows["came"], "reason": rows["reason"],
    })  # fmt: skip


def opening(tested: Backtest) -> list[str]:
    """What the tables show, for somebody who has read nothing."""
    known, year = tested.forecast.known, tested.forecast.year
    return [
        f"Electric registrations of {year}, forecast from what was known on {known.date}, beside what came: registrations to {known.year}, "
        f"{len(known.launches)} announcements of models, {len(known.policy)} policy facts.",
        f"Persistence is {known.year} again. Growth is {known.year} times the country's growth in {known.year}. "
        "An error of 0 is perfect; 1 means that as many cars were misplaced as came.",
    ]


def sentences(tested: Backtest) -> list[str]:
    """The score in sentences."""
    out = [f"By {row['level']}: error below persistence in {row['better']} of {row['countries']} countries."
           for row in better_than_persistence(tested.errors).to_dict("records")]  # fmt: skip
    out += [f"{100 * row['inside_80']:.0f} % of {row['outcomes']:,} outcomes by {row['level']} lie inside the 80 % band, "
            f"{100 * row['inside_50']:.0f} % inside the 50 % band." for row in tested.bands.to_dict("records")]  # fmt: skip
    return [*out, *_settings(tested), *tested.notes]


def _settings(tested: Backtest) -> list[str]:
    """What earlier years said about the method."""
    settings, trend = tested.forecast.settings, tested.forecast.settings.trend
    parts = ", ".join(f"{100 * weight:.0f} % by {level}" for level, weight in settings.last_year.items())
    first_year = trend.support + trend.rush
    out = [
        f"Estimated on earlier years: {100 * trend.momentum:.0f} % of the area's last rise of the electric share goes on, "
        f"and {100 * trend.own:.0f} % of what a country did beyond it; buyers answer to support {trend.support:.2f} times as much as published, "
        f"{first_year:.2f} times in the first year of a cut that they could come before; "
        f"the market of all cars goes {100 * trend.reversion:.0f} % of the way back to its mean since 2020.",
        f"Part of the forecast that is the last year itself: {parts}. Similarity of a brand's models to buyers (0 to 1): {settings.sigma}.",
    ]
    if tested.tuning.sigmas["error"].isna().all():
        out.append("No earlier year could be judged by model: similarity, weights and widths of bands by model and brand are stated defaults.")
    return out


def write_tables(tested: Backtest, folder: str) -> list[str]:
    """Every table as CSV and the sentences as text into an existing folder; the names written."""
    tables = {"errors": tested.errors, "bands": tested.bands, "misses": tested.misses, "trend": tested.tuning.trends}
    tables |= {f"forecast_by_{level}": table.reset_index() for level, table in tested.compared.items()}
    for name, table in tables.items():
        table.to_csv(f"{folder}/{name}.csv", index=False, float_format="%.6g", lineterminator="\n")
    text = "\n".join([*opening(tested), *sentences(tested)]) + "\n"
    Path(folder, "summary.txt").write_text(text, encoding="utf-8", newline="\n")
    return [*(f"{name}.csv" for name in tables), "summary.txt"]
