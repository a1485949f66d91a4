"""Everything that is wrong with a case folder, at once: with file and row, the value seen, the value wanted and what to do.

`check_case` reads, fills and compares; `load_case` is the same with an error at the end. What stops nobody (a price filled by a rule, a
figure of our own) is a warning and stays with the case.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from keiretsu.case.check_buyers import check_draws, check_kinds
from keiretsu.case.check_ownership import check_deals, check_ownership, check_rule
from keiretsu.case.check_policies import check_policies, check_uncertain
from keiretsu.case.check_products import check_incomes, check_markets, check_products, check_sigma_labels, lonely_nests
from keiretsu.case.check_rows import check_rows
from keiretsu.case.figures import figures_outside_tables
from keiretsu.case.fill import fill
from keiretsu.case.read import RawCase, read_folder
from keiretsu.case.read_sections import read_calibration, read_case_section, read_demand, read_kappa, read_rates, read_report
from keiretsu.case.record import Case, DemandSettings
from keiretsu.case.rows import Row
from keiretsu.case.schema import OWN, TABLES, Table, is_assumption
from keiretsu.case.suggest import closest
from keiretsu.errors import Problem

OWN_MONEY = "own"


@dataclass(frozen=True)
class CheckedCase:
    """What a check found. `case` is there when `problems` is empty; `unread` lists files that nothing reads."""

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    unread: tuple[str, ...]
    case: Case | None


def check_folder(folder: Path) -> CheckedCase:
    """Read a case folder and report everything that is wrong with it.

    Parameters
    ----------
    folder
        A folder that exists.
    """
    raw = read_folder(folder)
    problems = raw.problems
    section = read_case_section(raw.toml, problems)
    rates = read_rates(raw.toml, problems)
    currency = section["currency"] or "EUR"
    own_money = section["money"] == OWN_MONEY
    fill(raw, currency)
    demand = read_demand(raw.toml, _most_income_groups(raw), problems)
    kappa = read_kappa(raw.toml, _firms(raw), problems)
    calibration = read_calibration(raw.toml, problems)
    makers = read_report(raw.toml, _firms(raw), problems)
    rule = section["rule"] or ("given" if kappa else "controller")
    problems += check_rows(raw)
    problems += check_ownership(raw)
    problems += check_deals(raw, rates, own_money)
    problems += check_rule(raw, rule, bool(kappa))
    problems += check_products(raw, rates, currency if own_money else "")
    problems += check_markets(raw, _anyone_outside(raw))
    problems += check_policies(raw, currency if own_money else "")
    problems += check_uncertain(raw)
    if section["as_of"] and section["year"] and section["year"] > section["as_of"].year:
        place = f"{raw.toml.file}, line {raw.toml.line('case', 'year')}, key year"
        problems.append(
            Problem("the base year lies after the day of the case", place, f"{section['year']} and {section['as_of']}", "a year not after as_of")
        )
    figures = figures_outside_tables(raw.toml, raw.scenarios, raw.policies)
    problems += _unknown_sources(raw, figures)
    if demand is not None:
        _check_demand(raw, demand)
    ordered = tuple(sorted(dict.fromkeys(problems), key=_reading_order))
    raw.warnings += _notable(raw)
    case = None
    if not ordered and demand is not None:
        case = Case(
            name=section["name"] or raw.name, title=section["title"] or section["name"] or raw.name, as_of=section["as_of"],
            year=section["year"] or section["as_of"].year, money=section["money"], currency=currency, rule=rule, demand=demand,
            rates={} if own_money else rates, kappa=kappa, tables={name: _frame(TABLES[name], rows) for name, rows in raw.tables.items()},
            scenarios=raw.scenarios, programmes=raw.policies["programmes"], pools=raw.policies["pools"],
            calibration=calibration, makers=makers, figures=figures, folder=raw.folder, hash=raw.hash, warnings=tuple(raw.warnings), unread=raw.unread,
        )  # fmt: skip
    return CheckedCase(ordered, tuple(raw.warnings), raw.unread, case)


def _check_demand(raw: RawCase, demand: DemandSettings) -> None:
    raw.problems += check_incomes(raw, demand)
    raw.problems += check_draws(raw, demand)
    raw.problems += check_kinds(raw, demand)
    raw.problems += check_sigma_labels(raw, demand)
    refused = raw.toml.values["demand"].get("single_nests", "refused") == "refused"
    for alone, problem in lonely_nests(raw, demand):
        if alone and refused:
            raw.problems.append(problem)
        else:
            raw.warnings.append(problem)


def _unknown_sources(raw: RawCase, figures: pd.DataFrame) -> Iterator[Problem]:
    """Parameters, rates and programmes without a source, and any source outside the tables that is not in sources.csv."""
    known = {str(row.cells["source"]) for row in raw.tables["sources"]}
    need_one = {"rates", "demand", *raw.policies} if "sources" in raw.stated else set()
    places = {"rates": raw.toml.line("rates", "source"), "demand": raw.toml.line("demand", "source")}
    seen: set[tuple[str, str]] = set()
    for table, sources, row in zip(figures["table"], figures["source"], figures["row"], strict=True):
        file, _, line = str(row).partition(":")
        where = f"{file}, line {places.get(table, line)}, key source"
        if (where, sources) in seen:
            continue
        seen.add((where, sources))
        if sources == OWN and table in need_one:
            yield Problem("source is missing", where, "", "an id of sources.csv", "name the publication, or 'assumption' when the figures are ours")
        for source in (part.strip() for part in str(sources).split(";")):
            if source not in known:
                yield Problem("unknown source id", where, source, "a source id of sources.csv", closest(source, known))


def _notable(raw: RawCase) -> Iterator[Problem]:
    """What a reader of the results should know about the inputs, one line for each rule and table."""
    rules: dict[str, list[Row]] = {}
    for row in raw.tables["products"]:
        if row.cells["price_filled"]:
            rules.setdefault(re.sub(r"\d+(\.\d+)? %", "so many %", row.cells["price_filled"]), []).append(row)
    for rule, rows in rules.items():
        are = "is" if len(rows) == 1 else "are"
        yield Problem(f"{len(rows)} of {len(raw.tables['products'])} prices {are} filled by a rule", rows[0].file, rule)
    for name, table in TABLES.items():
        if "source" in table.names and name != "sources":
            counted = Counter(any(is_assumption(source) for source in _ids(row)) for row in raw.tables[name])
            if counted[True]:
                rest = "rests" if counted[True] == 1 else "rest"
                yield Problem(f"{counted[True]} of {counted.total()} rows {rest} on an assumption of our own", table.file)
    if raw.tables["excluded"]:
        yield Problem(f"{len(raw.tables['excluded'])} rows are left out, each with its reason", "excluded.csv")


def _ids(row: Row) -> list[str]:
    return [part.strip() for part in str(row.cells["source"] or "").split(";")]


def _firms(raw: RawCase) -> list[str]:
    """Companies that set a price or earn or build, in alphabetical order."""
    names: set[str] = set()
    for row in raw.tables["products"]:
        names.update(str(row.cells[column]) for column in ("priced_by", "made_by") if row.cells[column])
        names.update(part.split(":")[0].strip() for part in str(row.cells["profit_to"] or "").split(";") if part)
    return sorted(names)


def _most_income_groups(raw: RawCase) -> int:
    return max(Counter(row.cells["market"] for row in raw.tables["incomes"]).values(), default=1)


def _anyone_outside(raw: RawCase) -> bool:
    demand = raw.toml.values.get("demand", {})
    return not (isinstance(demand, Mapping) and demand.get("outside") is False)


def _reading_order(problem: Problem) -> tuple[str, int]:
    """By file, then by line as a number."""
    file, _, rest = problem.where.partition(", ")
    digits = "".join(character for character in rest.partition(",")[0] if character.isdigit())
    return file, int(digits or 0)


def _frame(table: Table, rows: list[Row]) -> pd.DataFrame:
    """The rows as a typed table; columns that may hold None (not known) keep Python objects."""
    frame = pd.DataFrame({"row": pd.Series([row.short for row in rows], dtype=object)})
    for column in table.columns:
        values = [row.cells[column.name] for row in rows]
        optional = column.default is None and not column.filled
        kind = {"number": float, "integer": "int64"}.get(column.kind, object)
        unknown = optional or any(value is None for value in values)
        frame[column.name] = pd.Series(values, dtype=object if unknown else kind)
    return frame[[*table.names, "row"]]
