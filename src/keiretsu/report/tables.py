"""A table as the page, the spreadsheet and LaTeX need it: columns with labels, rows of plain values.

The page draws tables from these specifications in the reader's browser (sort, search, download), so that a page with thousands of rows
still opens at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from keiretsu.report.wording import Label, holds_numbers, in_money, label_of, with_digits_for

Cell = str | float | None


@dataclass(frozen=True)
class Table:
    """A titled table.

    Attributes
    ----------
    id
        Name of the downloaded file and anchor on the page.
    note
        A sentence under the table: basis, what does not add up, what is assumed.
    marked
        Positions of rows that are our own assumptions; the page marks them.
    """

    id: str
    title: str
    columns: tuple[Label, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    marked: frozenset[int] = field(default_factory=frozenset)

    def spec(self) -> dict[str, Any]:
        """What the page's script needs to draw the table."""
        return {
            "id": self.id,
            "title": self.title,
            "note": self.note,
            "columns": [
                {"label": c.text, "unit": c.unit, "kind": c.kind, "digits": c.digits, "scale": c.scale, "signed": c.signed} for c in self.columns
            ],
            "rows": [list(row) for row in self.rows],
            "marked": sorted(self.marked),
        }


def table_of(
    id: str,
    title: str,
    frame: pd.DataFrame,
    *,
    names: Mapping[str, str],
    columns: Sequence[str] = (),
    labels: Mapping[str, Label] | None = None,
    note: str = "",
) -> Table:
    """Turn a data frame into a table a reader can read.

    Parameters
    ----------
    names
        What ids (companies, owners, markets, scenarios) are called; applied to every column of words. "EUR" is there when the case has
        money of its own.
    columns
        Columns to show, in that order, those that the frame lacks left out; all of them when empty.
    labels
        Labels that differ from those of `keiretsu.report.wording`.
    """
    chosen = [column for column in columns if column in frame.columns] if columns else [str(column) for column in frame.columns]
    given = labels or {}
    shown = {column: in_money(given.get(column) or label_of(column, frame[column]), names.get("EUR", "EUR")) for column in chosen}
    shown = {column: of_small_sums(label, frame[column], names) for column, label in shown.items()}
    # a figure that is already in words, such as "43,763.7; 50,000 from 2025", is shown as it is
    shown = {column: label if holds_numbers(frame[column]) else replace(label, kind="text") for column, label in shown.items()}
    rows: list[tuple[Cell, ...]] = [
        tuple(_cell(value, shown[column], {} if column == "brand" else names) for column, value in zip(chosen, row, strict=True))
        for row in frame[chosen].itertuples(index=False, name=None)
    ]
    words = [k for k, column in enumerate(chosen) if column in ("source", "sources", "confidence", "price_filled")]
    marked = frozenset(i for i, row in enumerate(rows) if any("assumption" in str(row[k]) for k in words))
    return Table(id, title, tuple(shown.values()), tuple(rows), note, marked)


FEW = 10.0  # a sum below it has too few digits in whole units


def of_small_sums(label: Label, values: pd.Series, names: Mapping[str, str]) -> Label:
    """In a case's own money sums and sales may be those of one buyer: such a column shows three digits of its largest figure, not zeros."""
    if names.get("EUR", "EUR") == "EUR" or label.kind == "text" or label.digits or not holds_numbers(values):
        return label
    sizes = [abs(float(v)) for v in values if v is not None and math.isfinite(float(v))]
    largest = max(sizes, default=0.0)
    return with_digits_for(label, largest) if 0 < largest * abs(label.scale) < FEW else label


def _cell(value: object, label: Label, names: Mapping[str, str]) -> Cell:
    if value is None or (isinstance(value, float) and value != value):
        return None
    if label.kind == "text":
        text = ("yes" if value else "no") if isinstance(value, bool) else f"{value:.10g}" if isinstance(value, float) else str(value)
        return names.get(text, text)
    number = float(value)  # type: ignore[arg-type]
    if math.isinf(number):
        return label.show(number)
    # eight significant digits, and none that are a thousandth of what is shown: few enough to keep the page small
    return round(float(f"{number:.8g}"), max(0, label.digits + 3 + round(math.log10(label.scale))))
