"""Looking back: keiretsu backtest."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from keiretsu.cli.options import CaseName


def backtest(
    case: CaseName,
    known_until: Annotated[dt.datetime, typer.Option("--known-until", formats=["%Y-%m-%d"], help="Last day whose facts may be used.")],
    judge: Annotated[int, typer.Option("--judge", help="Year to forecast and to judge: the one after the last complete year known.")],
    observed: Annotated[Path | None, typer.Option(help="CSV with country, year, brand, model, registrations; the case's own without it.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the tables as CSV.")] = None,
    draws: Annotated[int, typer.Option(min=100, help="Draws behind the bands.")] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 2023,
) -> None:
    """Forecast electric registrations from what was known on a day and score them against what came."""
    from keiretsu.case import load_case
    from keiretsu.cli import say
    from keiretsu.outlook import backtest as looking_back
    from keiretsu.report.tables import table_of
    from keiretsu.report.wording import Label

    history = looking_back.history_of(load_case(case))
    came = looking_back.read_observed(observed, judge) if observed else looking_back.observed_in(history, judge)
    with say.progress() as on_step:
        on_step(0, 1, "forecasting earlier years, then the year asked for")
        tested = looking_back.backtest(history, known_until.date(), came, judge, draws, seed)
    for sentence in looking_back.opening(tested):
        say.say(sentence)
    labels = {name: Label(name, digits=2) for name in ("forecast", "persistence", "growth")} | {"cars": Label("cars that came", "cars")}
    for level in tested.compared:
        title = f"Error by {level}: sum of absolute errors over the cars that came, {judge}"
        say.show(table_of(f"errors_{level}", title, looking_back.error_table(tested, level), names={}, labels=labels))
    in_cars = {name: Label(name.replace("_", " "), "cars") for name in ("last_year", "forecast", "came")} | {"band_80": Label("80 % band", "cars")}
    say.show(table_of("misses", "Ten worst misses", looking_back.misses_table(tested), names={}, labels=in_cars))
    for sentence in looking_back.sentences(tested):
        say.say(sentence)
    if out:
        out.mkdir(parents=True, exist_ok=True)
        looking_back.write_tables(tested, str(out))
        say.path("tables", out)
