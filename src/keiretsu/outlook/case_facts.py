"""From a case's tables to the facts of its years ahead; a case that says nothing about them gets a world in which nothing moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from keiretsu.case import Case
from keiretsu.errors import CaseError, Problem
from keiretsu.market.world import World
from keiretsu.moves.move import Move
from keiretsu.moves.scenario import parse_move
from keiretsu.outlook.arrays import POWERTRAINS
from keiretsu.outlook.facts import AGES, OutlookFacts, PlannedLaunch, stationary_fleet, steady_facts

_LAUNCH_COLUMNS = (
    "product", "model", "brand", "like", "brand_like", "priced_by", "price_eur", "margin", "powertrain", "segment", "body", "origin", "seats",
    "battery_kwh", "range_km", "power_kw", "mass_kg",
)  # fmt: skip


def facts_of(case: Case, world: World, until: int) -> OutlookFacts:
    """Facts of the years from the one after the base year to `until`.

    Raises
    ------
    CaseError
        When the case states some of what the years start from and not the rest; every gap is named.
    """
    years = tuple(range(case.year + 1, until + 1))
    if not years:
        raise CaseError(Problem("no year lies ahead", "--until", str(until), f"a year after {case.year}"))
    rows = case.tables["outlook"]
    if rows.empty:
        return steady_facts(world, case.year, years)
    stated = _Stated(rows)
    output = {year: stated.number("battery_output", year=year) for year in _years_of(rows, "battery_output") | set(years) | {case.year}}
    life, shape = stated.number("life_years"), stated.number("life_shape")
    facts = OutlookFacts(
        base_year=case.year,
        years=years,
        pack_price_eur_kwh=stated.number("pack_price", year=case.year),
        cumulative_gwh=sum(gwh for year, gwh in output.items() if year < case.year),
        base_year_gwh=output[case.year],
        world_gwh=tuple(output[year] for year in years),
        chargers={market: stated.number("chargers", market=market, year=case.year) for market in world.markets},
        fleet={market: _fleet(stated, rows, market, case.year, life, shape) for market in world.markets},
        life_years=life,
        life_shape=shape,
        cycle_years=stated.number("cycle_years"),
        pace={str(r["market"]): float(r["value"]) for r in _records(rows[rows["item"] == "electric_pace"])},
        launches=planned_launches(case),
        launch_year={str(r["of"]): float(r["value"]) for r in _records(rows[rows["item"] == "launch_year"])},
        central=central_of(case),
        rest_follows=True,
    )
    if stated.problems:
        raise CaseError(stated.problems)
    return facts


def last_year(case: Case) -> int:
    """The last year that a case wants to see; the base year's next one when it does not say."""
    rows = case.tables["outlook"]
    said = rows.loc[rows["item"] == "last_year", "value"]
    return int(said.iloc[0]) if len(said) else case.year + 1


def planned_launches(case: Case) -> tuple[PlannedLaunch, ...]:
    """Launches of the baseline, in the order of `planned_launches.csv`."""
    launches = []
    for row in case.tables["planned_launches"].to_dict("records"):
        given = {column: row[column] for column in _LAUNCH_COLUMNS if row[column] not in ("", None)}
        given |= {
            "type": "launch",
            "name": f"planned: {row['product']}",
            "markets": [m.strip() for m in str(row["markets"]).split(";")],
            "co2_gkm": 0.0,
            "utility": "of_like",
        }
        if row["powertrain"] != "BEV":
            del given["co2_gkm"]  # that of the car it is like
        move: Move = parse_move(given, str(row["row"]))
        replaces = tuple(name.strip() for name in str(row["replaces"]).split(";") if name.strip())
        launches.append(PlannedLaunch(move, float(row["year"]), float(row["expected_units"]), replaces))
    return tuple(launches)


def central_of(case: Case) -> Mapping[str, float]:
    """Central values of the inputs that the case names; a launch happens when that is at least as likely as not, an event never does in the central case."""
    rows = _records(case.tables["uncertain"])
    named = [r for r in rows if not str(r["input"]).startswith("event:")]
    return {str(r["input"]): (float(r["central"] >= 0.5) if r["distribution"] == "discrete" else float(r["central"])) for r in named}


class _Stated:
    """Looks figures up and remembers what is missing."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self.values = {(r["item"], r["of"], r["market"], int(r["year"])): float(r["value"]) for _, r in rows.iterrows()}
        self.problems: list[Problem] = []

    def number(self, item: str, of: str = "", market: str = "", year: int = 0) -> float:
        key = (item, of, market, year)
        if key not in self.values:
            place = ", ".join(str(part) for part in key if part)
            self.problems.append(
                Problem("the years ahead need a figure that the case does not state", "outlook.csv", place, "a row", "add it with its source")
            )
            return 1.0
        return self.values[key]


def _years_of(rows: pd.DataFrame, item: str) -> set[int]:
    return {int(year) for year in rows.loc[rows["item"] == item, "year"]}


def _fleet(stated: _Stated, rows: pd.DataFrame, market: str, year: int, life: float, shape: float) -> np.ndarray:
    """Cars by powertrain and age: electric ones by their sales of earlier years, others as if sales had been the same for ever; scaled to the stock."""
    fleet = np.zeros((len(POWERTRAINS), AGES))
    past = rows[(rows["item"] == "electric_sales") & (rows["market"] == market)]
    survives = stationary_fleet(np.ones(1), life, shape)[0]
    for p, powertrain in enumerate(POWERTRAINS):
        stock = stated.number("fleet", powertrain, market, year)
        sold = np.zeros(AGES)
        for r in past[past["of"] == ("BEV" if powertrain == "PHEV" else powertrain)].to_dict("records"):
            if 0 <= year - int(r["year"]) < AGES:
                sold[year - int(r["year"])] = float(r["value"])
        profile = (sold if sold.any() else np.ones(AGES)) * survives
        fleet[p] = stock * profile / profile.sum()
    return fleet


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in record.items()} for record in rows.to_dict("records")]
