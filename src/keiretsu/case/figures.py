"""Figures that stand outside the tables: parameters and rates of `case.toml`, programmes, pools, moves; each with its place and source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from keiretsu.case.record import Entry, ScenarioText
from keiretsu.case.schema import OWN
from keiretsu.case.settings import DEMAND, RANDOM
from keiretsu.case.toml_lines import TomlFile

FIGURE_COLUMNS = ("table", "name", "column", "value", "unit", "source", "row")
_UNITS = {"demand": {key.name: key.unit for key in (*DEMAND, *RANDOM)}, "rates": {}, "kappa": {}}
_EVERY_RATE = "units for one euro"


def figures_outside_tables(toml: TomlFile, scenarios: Sequence[ScenarioText], policies: Mapping[str, Sequence[Entry]]) -> pd.DataFrame:
    """Every number of [rates], [demand], [kappa], the policy files and the scenarios, one in each row of the table.

    Columns: table (section or file), name (of the programme or scenario; empty for a section), column (key), value, unit, source (ids), row
    (``file:line``).
    """
    rows: list[dict[str, Any]] = []
    for section, units in _UNITS.items():
        values = toml.values.get(section, {})
        if not isinstance(values, Mapping):  # reported where the section is read
            continue
        source = str(values.get("source", "")) or OWN
        for path, value in _numbers(values):
            keys = path.split("/")
            unit = _EVERY_RATE if section == "rates" else units.get(keys[-1], "")
            rows.append(_figure(section, "", path, value, unit, source, f"{toml.file}:{toml.line(section, *_line_path(keys))}"))
    for file, entries in policies.items():
        for entry in entries:
            name = str(entry.values.get("id", entry.values.get("name", f"line {entry.line}")))
            source = str(entry.values.get("source", "")) or OWN
            rows += [_figure(file, name, path, value, "", source, f"{entry.file}:{entry.line}") for path, value in _numbers(entry.values)]
    for scenario in scenarios:
        source = str(scenario.more.get("source", "")) or OWN
        for number, move in enumerate(scenario.moves, start=1):
            where = f"{move.file}:{move.line}"
            label = f"{number} {move.values.get('type', '')}".strip()
            rows += [_figure("scenarios", scenario.name, f"{label}/{path}", value, "", source, where) for path, value in _numbers(move.values)]
    return pd.DataFrame(rows, columns=list(FIGURE_COLUMNS))


def _figure(*cells: Any) -> dict[str, Any]:
    return dict(zip(FIGURE_COLUMNS, cells, strict=True))


def _line_path(keys: Sequence[str]) -> list[str]:
    """Path of keys as `TomlFile.lines` names it: ``random/2/sigma`` is ``random[1]``, ``sigma``."""
    path: list[str] = []
    for key in keys:
        if key.isdigit() and path:
            path[-1] = f"{path[-1]}[{int(key) - 1}]"
        else:
            path.append(key)
    return path


def _numbers(values: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Numbers inside nested tables and lists, each with the path of keys to it (items of a list count from 1)."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from _numbers(value, f"{path}/{key}" if path else str(key))
    elif isinstance(values, list):
        for number, value in enumerate(values, start=1):
            yield from _numbers(value, f"{path}/{number}")
    elif isinstance(values, int | float) and not isinstance(values, bool):
        yield path, values
