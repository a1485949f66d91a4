"""From a folder to typed rows: every file of the case, with everything that cannot be read reported and the rest kept.

Nothing here compares one file with another; that is the work of `fill` and of the `check_*` modules, which see what could be read.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keiretsu.case.record import Entry, ScenarioText
from keiretsu.case.rows import Row, type_cells
from keiretsu.case.schema import TABLES, Required, Table
from keiretsu.case.suggest import closest
from keiretsu.case.toml_lines import TomlFile, decoded, parse_toml
from keiretsu.errors import Problem

CASE_FILE = "case.toml"
POLICY_FILES = ("programmes.toml", "pools.toml")
HISTORY_FILES = ("registrations.csv", "registrations_all_cars.csv", "launches.csv", "policy_history.csv")  # read by keiretsu.outlook.backtest
SCENARIO_FOLDER = "scenarios"
MARKET_SECTION = "market"
SECTION_NAMES = ("case", "rates", "demand", MARKET_SECTION, "kappa", "calibration", "report", SCENARIO_FOLDER)


@dataclass
class RawCase:
    """A case folder as read: typed rows of every table (absent tables are empty), the parsed `case.toml`, and what was wrong."""

    name: str
    folder: str
    toml: TomlFile
    tables: dict[str, list[Row]]
    stated: set[str]  # tables that the case carries, as a file or in case.toml
    scenarios: tuple[ScenarioText, ...]
    policies: dict[str, tuple[Entry, ...]]
    hash: str
    unread: tuple[str, ...]
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def read_folder(folder: Path) -> RawCase:
    """Read every file of a case folder; what is wrong stands in `problems` of the result."""
    problems: list[Problem] = []
    toml = TomlFile(CASE_FILE, {}, {})
    if (folder / CASE_FILE).is_file():
        toml = parse_toml(CASE_FILE, (folder / CASE_FILE).read_bytes(), problems)
        problems += _unknown_sections(toml)
    else:
        problems.append(
            Problem("the file is missing", CASE_FILE, "nothing", "a file that starts with [case]", "`keiretsu new NAME` writes a case that runs")
        )
    tables, stated = _read_tables(folder, toml, problems)
    used = {CASE_FILE, *POLICY_FILES, *HISTORY_FILES, *(table.file for table in TABLES.values())}
    present = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and not _hidden(p, folder))
    scenario_files = [p for p in present if p.startswith(f"{SCENARIO_FOLDER}/") and p.endswith(".toml") and p.count("/") == 1]
    return RawCase(
        name=folder.name,
        folder=str(folder),
        toml=toml,
        tables=tables,
        stated=stated,
        scenarios=_read_scenarios(folder, scenario_files, toml, problems),
        policies={file.removesuffix(".toml"): _read_entries(folder, file, problems) for file in POLICY_FILES},
        hash=_hash(folder, present),
        unread=tuple(p for p in present if p not in used and p not in scenario_files and not p.endswith(".md")),
        problems=problems,
    )


def read_csv(table: Table, content: bytes, problems: list[Problem]) -> list[Row]:
    """Rows of one CSV file as text cells, None under columns that the heading lacks; a file without a usable heading gives none."""
    if (text := decoded(table.file, content, problems)) is None:
        return []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    try:
        header = [name.strip() for name in next(reader)]
        if not _readable(header, table, problems):
            return []
        missing = [column.name for column in table.columns if isinstance(column.default, Required) and column.name not in header]
        problems += _heading_problems(header, missing, table)
        line = reader.line_num + 1
        for cells in reader:
            row = Row(table.file, line, {**dict(zip(header, cells, strict=False)), **dict.fromkeys(missing)})
            line = reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            rows.append(row)
            if len(cells) != len(header):
                problems.append(Problem("the row has not as many cells as the heading", row.place(), f"{len(cells)} cells", f"{len(header)} cells",
                                        "put text that contains a comma in double quotes"))  # fmt: skip
    except csv.Error as error:
        problems.append(Problem("not valid CSV", f"{table.file}, row {reader.line_num}", str(error), "cells separated by commas, quotes closed"))
    return rows


def _readable(header: Sequence[str], table: Table, problems: list[Problem]) -> bool:
    """Whether the heading is separated by commas at all."""
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        problems.append(
            Problem("columns are not separated by commas", f"{table.file}, row 1", header[0][:60], "commas", "export it again as comma-separated")
        )
        return False
    return True


def _heading_problems(header: Sequence[str], missing: Sequence[str], table: Table) -> Iterator[Problem]:
    place, known = f"{table.file}, row 1", set(table.names)
    for name in header:
        if name not in known:
            yield Problem("unknown column", place, name or "an empty name", f"columns of {table.name} in docs/case.md", closest(name, known))
    for name in sorted({name for name in header if header.count(name) > 1}):
        yield Problem("the column stands twice", place, name, "each column once")
    for name in missing:
        yield Problem("a column is missing", place, ", ".join(header), name, f"{name}: {table.column(name).meaning}")


def _read_tables(folder: Path, toml: TomlFile, problems: list[Problem]) -> tuple[dict[str, list[Row]], set[str]]:
    tables: dict[str, list[Row]] = {}
    stated: set[str] = set()
    for table in TABLES.values():
        path = folder / table.file
        rows: list[Row] = []
        in_toml = table.name in toml.values or (table.name == "markets" and MARKET_SECTION in toml.values)
        if path.is_file():
            rows = read_csv(table, path.read_bytes(), problems)
            stated.add(table.name)
        if in_toml:
            rows += _rows_of_toml(table, toml, problems)
            stated.add(table.name)
        if in_toml and path.is_file():
            problems.append(Problem("the same table is stated twice", CASE_FILE, f"{table.name} in {CASE_FILE} and {table.file}", "one of them"))
        if table.name == "products" and table.name not in stated:
            problems.append(Problem("the file is missing", table.file, "nothing", "product, firm, price and units or share"))
        tables[table.name] = type_cells(rows, table.columns, problems)
    return tables, stated


def _rows_of_toml(table: Table, toml: TomlFile, problems: list[Problem]) -> list[Row]:
    rows: list[Row] = []
    if table.name == "markets" and MARKET_SECTION in toml.values:
        rows += _toml_row(table, toml, MARKET_SECTION, toml.values[MARKET_SECTION], problems)
    items = toml.values.get(table.name, [])
    if not isinstance(items, list):
        problems.append(Problem("not an array of tables", f"{CASE_FILE}, line {toml.line(table.name)}", f"[{table.name}]", f"[[{table.name}]]"))
        return rows
    for position, item in enumerate(items):
        rows += _toml_row(table, toml, f"{table.name}[{position}]", item, problems)
    return rows


def _toml_row(table: Table, toml: TomlFile, path: str, item: Any, problems: list[Problem]) -> list[Row]:
    row = Row(CASE_FILE, toml.line(path))
    if not isinstance(item, dict):
        problems.append(Problem("not a table of keys", row.place(), repr(item), f"[[{table.name}]] and its keys"))
        return []
    wanted = f"columns of {table.name} in docs/case.md"
    problems += [Problem("unknown key", row.place(key), key, wanted, closest(key, table.names)) for key in item if key not in table.names]
    row.cells = dict(item)
    return [row]


def _read_scenarios(folder: Path, files: Sequence[str], toml: TomlFile, problems: list[Problem]) -> tuple[ScenarioText, ...]:
    found: list[ScenarioText] = []
    typed_in = toml.values.get(SCENARIO_FOLDER, [])
    for position, item in enumerate(typed_in if isinstance(typed_in, list) else []):
        path = f"{SCENARIO_FOLDER}[{position}]"
        found += _scenario(item, f"scenario {position + 1}", toml, path, problems)
    for file in files:
        parsed = parse_toml(file, (folder / file).read_bytes(), problems)
        if parsed.values:
            found += _scenario(parsed.values, Path(file).stem, parsed, "", problems)
    first: dict[str, ScenarioText] = {}
    for scenario in found:
        if scenario.name in first:
            problems.append(Problem("two scenarios have one name", f"{scenario.file}, line {scenario.line}", scenario.name, "another name",
                                    f"the first is {first[scenario.name].file}, line {first[scenario.name].line}"))  # fmt: skip
        first.setdefault(scenario.name, scenario)
    return tuple(sorted(found, key=lambda scenario: scenario.order))


def _scenario(item: Any, name: str, toml: TomlFile, path: str, problems: list[Problem]) -> list[ScenarioText]:
    prefix = f"{path}." if path else ""
    place = f"{toml.file}, line {toml.line(path) if path else 1}"
    if not isinstance(item, dict):
        problems.append(Problem("not a table of keys", place, repr(item), "title, question and [[moves]]"))
        return []
    texts = {key: item.get(key, fallback) for key, fallback in (("name", name), ("title", item.get("name", name)), ("question", ""))}
    for key, value in texts.items():
        if not isinstance(value, str):
            problems.append(Problem(f"{key} is not text", f"{toml.file}, line {toml.lines.get(prefix + key, 1)}", repr(value), "text in quotes"))
            return []
    moves = item.get("moves", [])
    if not (isinstance(moves, list) and all(isinstance(move, dict) for move in moves)):
        problems.append(Problem("moves are not an array of tables", place, repr(moves)[:60], "[[moves]] headings, each with a type"))
        return []
    entries: list[Entry] = []
    for position, move in enumerate(moves):
        line = toml.lines.get(f"{prefix}moves[{position}]", toml.lines.get(f"{prefix}moves", 1))
        entries.append(Entry("moves", move, toml.file, line))
        if not isinstance(move.get("type"), str):
            problems.append(Problem("a move without a type", entries[-1].place, ", ".join(move) or "nothing", 'type = "..."', "see docs/moves.md"))
    order, headline, on_request = item.get("order", 1000), item.get("headline", False), item.get("on_request", False)
    for key, value, kind in (("order", order, int), ("headline", headline, bool), ("on_request", on_request, bool)):
        if type(value) is not kind:
            wanted = "a whole number" if kind is int else "true or false"
            problems.append(Problem(f"{key} is not {wanted}", f"{toml.file}, line {toml.lines.get(prefix + key, 1)}", repr(value), wanted))
            return []
    own = ("name", "title", "question", "moves", "order", "headline", "on_request")
    more = {key: value for key, value in item.items() if key not in own}
    line = toml.line(path) if path else 1
    return [ScenarioText(texts["name"], texts["title"], texts["question"], tuple(entries), more, toml.file, line, order, headline, on_request)]


def _read_entries(folder: Path, file: str, problems: list[Problem]) -> tuple[Entry, ...]:
    if not (folder / file).is_file():
        return ()
    toml = parse_toml(file, (folder / file).read_bytes(), problems)
    entries: list[Entry] = []
    for key, value in toml.values.items():
        items = value if isinstance(value, list) and all(isinstance(item, dict) for item in value) else [value]
        for position, item in enumerate(items):
            line = toml.lines.get(f"{key}[{position}]", toml.line(key))
            entries.append(Entry(key, item if isinstance(item, dict) else {key: item}, file, line))
    return tuple(entries)


def _unknown_sections(toml: TomlFile) -> list[Problem]:
    known = (*SECTION_NAMES, *TABLES)
    return [
        Problem("unknown section", f"{CASE_FILE}, line {toml.line(name)}", name, "a section or a table of docs/case.md", closest(name, known))
        for name in toml.values
        if name not in known
    ]


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith((".", "__")) for part in path.relative_to(folder).parts)


def _hash(folder: Path, present: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for name in present:
        if name.endswith((".toml", ".csv")):
            digest.update(name.encode() + b"\0" + (folder / name).read_bytes() + b"\0")
    return digest.hexdigest()
