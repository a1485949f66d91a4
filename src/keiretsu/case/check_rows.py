"""Checks that follow from the schema alone: no row twice, every name known, every date after the one before it."""

from __future__ import annotations

from collections.abc import Iterator

from keiretsu.case.read import RawCase
from keiretsu.case.rows import Row
from keiretsu.case.schema import TABLES, Column, Table
from keiretsu.case.suggest import closest
from keiretsu.errors import Problem

_NOUN = {"companies": "company", "owners": "owner", "markets": "market", "sources": "source id", "finance": "company", "stake_terms": "terms"}


def check_rows(raw: RawCase) -> Iterator[Problem]:
    """Problems inside the rows of every table."""
    for table in TABLES.values():
        yield from _duplicates(table, raw.tables[table.name])
        yield from _unknown_names(table, raw)
        if "from" in table.names:
            yield from _dates(raw.tables[table.name])


def _duplicates(table: Table, rows: list[Row]) -> Iterator[Problem]:
    first: dict[tuple[object, ...], Row] = {}
    what = {"products": "duplicate product", "stakes": "duplicate stake"}.get(table.name, f"duplicate row in {table.name}")
    for row in rows:
        key = tuple(row.cells[column] for column in table.key)
        if None in key:
            continue
        if key in first:
            seen = f"{', '.join(str(part) for part in key)}; first in {first[key].short}"
            yield Problem(what, row.place(table.key[-1]), seen, f"each {' and '.join(table.key)} once", "remove one of the two rows, or add them up")
        first.setdefault(key, row)


def _unknown_names(table: Table, raw: RawCase) -> Iterator[Problem]:
    for column in table.columns:
        if not column.refers:
            continue
        known = {str(row.cells[TABLES[name].key[0]]) for name in column.refers for row in raw.tables[name]}
        if column.floats:
            known |= {f"float of {row.cells['company']}" for row in raw.tables["companies"]}
        noun = " or ".join(_NOUN.get(name, name) for name in column.refers)
        for row in raw.tables[table.name]:
            if column.name in row.filled:  # what it was filled from is checked where it stands
                continue
            for name in _names(row.cells[column.name], column):
                if name not in known:
                    wanted = f"a {noun} of {' or '.join(TABLES[name].file for name in column.refers)}"
                    yield Problem(f"unknown {noun}", row.place(column.name), name, wanted, closest(name, known))


def _names(value: object, column: Column) -> list[str]:
    if value is None or value == "":
        return []
    return [part.strip() for part in str(value).split(";") if part.strip()] if column.many else [str(value)]


def _dates(rows: list[Row]) -> Iterator[Problem]:
    for row in rows:
        start, end = row.cells["from"], row.cells["to"]
        if start is not None and end is not None and end < start:
            yield Problem("the last day is before the first", row.place("to"), f"from {start} to {end}", "a date not before `from`, or an empty cell")
