"""Rows of a case while it is being read: cells with the place they came from, and cells turned into typed values by pydantic."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from keiretsu.case.schema import Column, Required
from keiretsu.errors import Problem


@dataclass
class Row:
    """One row of a file: `line` counts from 1 with the heading, as editors and spreadsheets show it; `filled` cells were derived."""

    file: str
    line: int
    cells: dict[str, Any] = field(default_factory=dict)
    filled: set[str] = field(default_factory=set)

    def place(self, column: str = "") -> str:
        """``products.csv, row 12, column price``; in TOML files ``case.toml, line 12, key price``."""
        toml = self.file.endswith(".toml")
        where = f"{self.file}, {'line' if toml else 'row'} {self.line}"
        return f"{where}, {'key' if toml else 'column'} {column}" if column else where

    @property
    def short(self) -> str:
        """``products.csv:12``, kept in the `row` column of every table."""
        return f"{self.file}:{self.line}"


def type_cells(rows: Sequence[Row], columns: Sequence[Column], problems: list[Problem]) -> list[Row]:
    """Rows with typed cells: defaults put in, None where a cell is derived later, not known, or was refused (a problem is added)."""
    typed = [Row(row.file, row.line) for row in rows]
    for column in columns:
        for new, old in zip(typed, rows, strict=True):
            new.cells[column.name] = type_cell(old.cells.get(column.name, ""), column, old, problems)
    return typed


def type_cell(value: Any, column: Column, row: Row, problems: list[Problem]) -> Any:
    """The typed value of one cell, or None after adding a problem; None stays None (its column was reported as missing)."""
    if value is None:
        return None
    if isinstance(value, str):
        value = value.strip()
    if value == "":
        if isinstance(column.default, Required):
            problems.append(Problem(f"{column.name} is missing", row.place(column.name), "", wanted(column), column.advice))
            return None
        if column.default is None or column.default == "":
            return column.default
        value = column.default
    try:
        return _adapter(column).validate_python(value)
    except ValidationError as error:
        problems.append(Problem(_complaint(column, error), row.place(column.name), repr(value), wanted(column), column.advice))
        return None


def wanted(column: Column) -> str:
    """What a cell of the column has to be, in words."""
    if column.choices:
        return f"one of {', '.join(column.choices)}"
    words = {"text": "text", "number": "a number", "integer": "a whole number", "date": "a date such as 2024-03-27",
             "period": "a date such as 2024-03-27, 2024-03 or 2024"}[column.kind]  # fmt: skip
    bounds = [f"above {column.above:g}" if column.above is not None else "", f"at least {column.low:g}" if column.low is not None else "",
              f"at most {column.high:g}" if column.high is not None else ""]  # fmt: skip
    unit = f" ({column.unit})" if column.unit and column.unit != "date" else ""
    return " ".join([words, " and ".join(b for b in bounds if b)]).strip() + unit


_NUMBER_TYPES = {"float_parsing", "float_type", "int_parsing", "int_type", "finite_number", "int_from_float"}


def _complaint(column: Column, error: ValidationError) -> str:
    kind = error.errors()[0]["type"]
    if column.choices:
        return f"{column.name} is not a word of the vocabulary"
    if kind in _NUMBER_TYPES or (column.kind in ("number", "integer") and kind == "value_error"):
        return f"{column.name} is not a {'whole ' if column.kind == 'integer' else ''}number"
    if column.kind in ("date", "period"):
        return f"{column.name} is not a date"
    if kind in ("greater_than", "greater_than_equal") and column.name in ("price", "units", "amount"):
        return f"{column.name} is {'zero or ' if kind == 'greater_than' else ''}negative"
    if kind in ("greater_than", "greater_than_equal", "less_than_equal"):
        return f"{column.name} is out of bounds"
    return f"{column.name} is not {column.kind}"


@cache
def _adapter(column: Column) -> TypeAdapter[Any]:
    if column.choices:
        words: Any = Literal[column.choices]
        return TypeAdapter(words)
    bounds = Field(gt=column.above, ge=column.low, le=column.high)
    kinds: dict[str, Any] = {
        "text": str,
        "number": Annotated[float, BeforeValidator(_no_bool), Field(allow_inf_nan=False), bounds],
        "integer": Annotated[int, BeforeValidator(_no_bool), bounds],
        "date": Annotated[dt.date, BeforeValidator(_iso_day)],
        "period": Annotated[dt.date, BeforeValidator(_last_day)],
    }
    return TypeAdapter(kinds[column.kind])


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("true and false are not numbers")
    return value


def _iso_day(value: Any) -> dt.date:
    """A day, and nothing that merely could be read as one (pydantic takes 2024 for seconds since 1970)."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    if not (isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value)):
        raise ValueError("not an ISO date")
    return dt.date.fromisoformat(value)


def _last_day(value: Any) -> dt.date:
    """A day, or the last day of a month or of a year, so that a fact is never known before it happened."""
    text = str(value)
    if re.fullmatch(r"\d{4}", text):
        return dt.date(int(text), 12, 31)
    if re.fullmatch(r"\d{4}-\d\d", text):
        year, month = int(text[:4]), int(text[5:])
        return dt.date(year, month, calendar.monthrange(year, month)[1])
    return _iso_day(value)
