"""From a case's tables to the facts of its years ahead; a case that says nothing about them gets a world in which nothing moves."""

from __future__ import annotations

import dataclasses
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
from keiretsu.outlook.inputs import INPUTS, POSSIBLE

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
    stated = _Stated(case)
    if rows["item"].isin(_OF_NO_FACT).all():
        facts = dataclasses.replace(
            steady_facts(world, case.year, years),
            launches=planned_launches(case),
            launch_year=_launch_years(rows),
            pace=_pace(rows),
            central=central_of(case),
        )
        stated.problems += [*_launches_of_the_past(case), *_replaced(case), *_without_a_fact(case), *_impossible(case)]
        if stated.problems:
            raise CaseError(stated.problems)
        return facts
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
        pace=_pace(rows),
        launches=planned_launches(case),
        launch_year=_launch_years(rows),
        central=central_of(case),
        rest_follows=True,
    )
    stated.problems += [*_before_the_base_year(facts), *_launches_of_the_past(case), *_replaced(case), *_impossible(case)]
    if stated.problems:
        raise CaseError(stated.problems)
    return facts


def _pace(rows: pd.DataFrame) -> dict[str, float]:
    return {str(r["market"]): float(r["value"]) for r in _records(rows[rows["item"] == "electric_pace"])}


def _launch_years(rows: pd.DataFrame) -> dict[str, float]:
    return {str(r["of"]): float(r["value"]) for r in _records(rows[rows["item"] == "launch_year"])}


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


_MONEY_ITEM = "pack_price"
_UNITS = {"battery_output": "GWh"}  # other items count things or years, and have one unit each
_ACT_ON_FACTS = (
    "learning_rate", "raw_material_early", "raw_material_late", "world_batteries", "scrappage_feedback", "life_years", "charger_taste", "charger_speed",
    "charger_power",
)  # fmt: skip
_OF_NO_FACT = ("last_year", "launch_year", "electric_pace")  # these may stand alone: they say nothing about batteries, chargers or cars on the road
_MAY_BE_ZERO = ("battery_output", "fleet", "electric_sales")


class _Stated:
    """Looks figures up, in EUR where they are money, and remembers what is missing or cannot be."""

    def __init__(self, case: Case) -> None:
        self.problems: list[Problem] = []
        self.values = {(r["item"], r["of"], r["market"], int(r["year"])): self._figure(r, case) for r in _records(case.tables["outlook"])}

    def number(self, item: str, of: str = "", market: str = "", year: int = 0) -> float:
        key = (item, of, market, year)
        if key not in self.values:
            place = ", ".join(str(part) for part in key if part)
            self.problems.append(
                Problem("the years ahead need a figure that the case does not state", "outlook.csv", place, "a row", "add it with its source")
            )
            return 1.0
        return self.values[key]

    def _figure(self, row: Mapping[str, Any], case: Case) -> float:
        """The row's value in the unit that the years ahead count in."""
        item, value, unit, where = str(row["item"]), float(row["value"]), str(row["unit"] or ""), f"{row['row']} ({row['item']})"
        if value < 0 or (value == 0 and item not in _MAY_BE_ZERO):
            self.problems.append(Problem("a figure of the years ahead is zero or negative", where, f"{value:g}", "a figure above zero"))
            return 1.0
        if unit and unit.partition("/")[0].strip() != _UNITS.get(item, unit.partition("/")[0].strip()):
            self.problems.append(Problem("a figure in the wrong unit", where, unit, _UNITS[item]))
        if item != _MONEY_ITEM or not unit:
            return value
        money, _, per = (part.strip() for part in unit.partition("/"))
        if per != "kWh" or not (money == case.currency if _own(case) else money in case.rates):
            wanted = f"{case.currency}/kWh" if _own(case) else f"one of {', '.join(f'{c}/kWh' for c in sorted(case.rates))}"
            self.problems.append(Problem("a figure in the wrong unit", where, unit, wanted, "or state the currency's rate under [rates]"))
            return value
        return value if _own(case) else value / case.rates[money].per_eur


def _before_the_base_year(facts: OutlookFacts) -> list[Problem]:
    """A learning curve needs the output it has come from: without it the first doubling would make batteries free."""
    if facts.cumulative_gwh > 0:
        return []
    seen = f"no battery_output before {facts.base_year}"
    cure = f"add rows for earlier years, or one of {facts.base_year - 1} with all that was built by then"
    return [
        Problem("the learning curve of batteries has no past", "outlook.csv", seen, f"battery output of the years before {facts.base_year}", cure)
    ]


def _launches_of_the_past(case: Case) -> list[Problem]:
    """A car planned for a year before the base year would have been sold in it."""
    rows = [row for row in _records(case.tables["planned_launches"]) if float(row["year"]) < case.year]
    what, cure = "a planned launch lies before the base year", "a car on sale in the base year is a row of products.csv"
    return [Problem(what, f"{row['row']} ({row['product']})", f"{float(row['year']):g}", f"{case.year} or later", cure) for row in rows]


def _replaced(case: Case) -> list[Problem]:
    """Cars that planned ones replace: each has to be there, and makes room for one."""
    rows = _records(case.tables["planned_launches"])
    known = {*case.products["product"].astype(str), *(str(row["product"]) for row in rows)}
    problems: list[Problem] = []
    by: dict[str, str] = {}
    for row in rows:
        new, place = str(row["product"]), f"{row['row']} ({row['product']}), column replaces"
        for name in (part.strip() for part in str(row["replaces"]).split(";") if part.strip()):
            if name not in known or name == new:
                problems.append(
                    Problem("a planned car replaces one that is not there", place, name, "a product of products.csv or another planned car")
                )
            elif name in by:
                problems.append(Problem("two planned cars replace the same one", place, name, "one that replaces it", f"the other one is {by[name]}"))
            by.setdefault(name, new)
    return problems


def _without_a_fact(case: Case) -> list[Problem]:
    """Inputs that act on batteries, chargers or cars on the road, in a case that states none of them."""
    rows = [row for row in _records(case.tables["uncertain"]) if str(row["input"]) in _ACT_ON_FACTS]
    what, wanted = (
        "an uncertain input acts on facts that the case does not state",
        "outlook.csv: pack prices, battery output, chargers, cars on the road",
    )
    return [Problem(what, str(row["row"]), str(row["input"]), wanted, "state them, or leave the input out") for row in rows]


def _impossible(case: Case) -> list[Problem]:
    """Uncertain inputs with values outside `POSSIBLE`: mostly per cent where a share is wanted."""
    problems = []
    for row in _records(case.tables["uncertain"]):
        name = str(row["input"])
        least, most = POSSIBLE.get(name, (-float("inf"), float("inf")))
        values = [float(row[key]) for key in ("low", "central", "high") if row[key] is not None and row[key] == row[key]]
        if _own(case) and name == f"fx_{case.currency}":
            what, cure = "the case's own money cannot move against itself", 'leave it out, or convert: money = "EUR 2023" with [rates]'
            problems.append(Problem(what, f"{row['row']} ({name})", f'money = "own" in {case.currency}', "another currency", cure))
        if not all(least <= value < most for value in values):
            seen, wanted = ", ".join(f"{value:g}" for value in values), f"from {least:.3g} to {most:.3g} ({INPUTS[name].unit})"
            problems.append(Problem("an input has a value that it cannot have", f"{row['row']} ({name})", seen, wanted))
    return problems


def _own(case: Case) -> bool:
    return case.money == "own"


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
