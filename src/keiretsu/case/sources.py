"""Walk a figure back: from a product's price, a file's cell or a word to the row it stands in and the publication it came from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

import pandas as pd

from keiretsu.case.record import Case
from keiretsu.case.schema import TABLES, Column, Table, is_assumption
from keiretsu.errors import CaseError, Problem

COLUMNS = (
    "table", "key", "column", "value", "unit", "row", "source", "title", "publisher", "date", "address", "confidence", "note",
)  # fmt: skip
_FIGURES = ("number", "integer")
_NOT_FIGURES = ("source", "confidence", "note", "price_filled")


def sources_of(case: Case, selector: str) -> pd.DataFrame:
    """Figures that `selector` picks, each with its row and the publication behind it.

    Parameters
    ----------
    selector
        ``products/DE/Tesla Model Y/price``: table, key and column, any of them left off the end, ``*`` for any, a
        product by its id or by brand and model; ``demand/price_taste``, ``programmes/bonus`` for what stands outside the tables;
        ``products.csv:12`` or ``products.csv:12:price``: a row of a file; anything else: every row that contains these words.

    Returns
    -------
    DataFrame
        One row for each figure and source: table, key, column, value, unit, row (``file:line``), source, title, publisher, date, address,
        confidence, note (what the row says, the rule by which a price was filled, and that a figure is our own assumption).

    Raises
    ------
    CaseError
        When nothing is picked.
    """
    selector = selector.strip()
    found = [record for table in TABLES.values() if table.name != "sources" for record in _picked(case, table, selector)]
    found += _picked_outside(case, selector)
    if not found:
        raise CaseError(Problem("nothing found", selector, "", "table/key/column such as products/DE/Tesla Model Y/price, file:row[:column], or words",
                                f"tables: {', '.join(name for name in TABLES if len(case.tables[name]))}"))  # fmt: skip
    return pd.DataFrame(found, columns=list(COLUMNS))


def _picked(case: Case, table: Table, selector: str) -> Iterator[dict[str, object]]:
    frame = case.tables[table.name]
    file, _, rest = selector.partition(":")
    by_place = bool(rest) and file in {str(row).partition(":")[0] for row in frame["row"]} | {table.file}
    parts = [part.strip() for part in selector.split("/")]
    by_key = not by_place and parts[0] in (table.name, table.file)
    if (parts[0] in TABLES or parts[0].removesuffix(".csv") in TABLES) and not (by_key or by_place):
        return
    for values in frame.to_dict("records"):
        row = {str(name): value for name, value in values.items()}
        if by_place:
            line, _, column = rest.partition(":")
            # a small case derives companies from the rows of products: the same place, other columns
            if row["row"] == f"{file}:{line.strip()}" and (table.file == file or not column or column.strip() in table.names):
                yield from _figures(case, table, row, column.strip())
        elif by_key:
            keys, column = parts[1:], ""
            if len(keys) > len(table.key):
                keys, column = keys[: len(table.key)], keys[len(table.key)]
            if all(_matches(want, name, row) for want, name in zip(keys, table.key, strict=False)):
                yield from _figures(case, table, row, "" if column == "*" else column)
        elif not rest or ":" in selector:
            words = selector.lower().split()
            text = " ".join(str(value) for value in row.values()).lower()
            if words and all(word in text for word in words):
                yield from _figures(case, table, row, "")


def _picked_outside(case: Case, selector: str) -> Iterator[dict[str, object]]:
    """Figures outside the tables: ``demand/price_taste``, ``programmes/bonus``, ``case.toml:12``, or words."""
    publications = case.sources.set_index("source")
    words = selector.lower().split()
    for figure in case.figures.to_dict("records"):
        path = "/".join(str(figure[part]) for part in ("table", "name", "column") if figure[part])
        text = f"{path} {figure['value']} {figure['source']}".lower()
        by_path = f"{path}/".lower().startswith(f"{selector.rstrip('/')}/".lower())
        if by_path or figure["row"] == selector or ("/" not in selector and words and all(word in text for word in words)):
            for source in (part.strip() for part in str(figure["source"]).split(";")):
                row = {"key": figure["name"], **{str(k): v for k, v in figure.items() if k != "name"}}
                yield row | _publication(publications, source) | {"note": "our own assumption" if is_assumption(source) else ""}


def _publication(publications: pd.DataFrame, source: str) -> dict[str, object]:
    """What is known of a source."""
    return {"source": source, **{name: publications.loc[source, name] for name in ("title", "publisher", "date", "address", "confidence")}}


def _matches(want: str, column: str, row: Mapping[str, object]) -> bool:
    """Whether a part of a selector fits a key of a row, letters of either size; a product also goes by its brand and model."""
    names = [str(row[column])] + ([f"{row['brand']} {row['model']}"] if column == "product" else [])
    return want in ("*", "") or want.lower() in (name.lower() for name in names)


def _figures(case: Case, table: Table, row: Mapping[str, object], column: str) -> Iterator[dict[str, object]]:
    """The figures of a row (all that are stated, or one column of any kind), once for each source."""
    if column and column not in table.names:
        raise CaseError(Problem("no such column", f"{table.name}/{column}", column, f"one of {', '.join(table.names)}"))
    columns = [table.column(column)] if column else [c for c in table.columns if c.kind in _FIGURES and row[c.name] is not None]
    if not columns:
        columns = [c for c in table.columns if c.name not in table.key and c.name not in _NOT_FIGURES and row[c.name] not in (None, "")][:1]
    publications = case.sources.set_index("source")
    for of in columns:
        for source in (part.strip() for part in str(row["source"]).split(";")):
            about = _publication(publications, source)
            yield about | {
                "table": table.name,
                "key": " / ".join(_shown(row[name]) for name in table.key),
                "column": of.name,
                "value": row[of.name],
                "unit": _unit(of, row),
                "row": row["row"],
                "confidence": row.get("confidence", about["confidence"]),
                "note": _note(table, of, row, source),
            }


def _unit(column: Column, row: Mapping[str, object]) -> str:
    """The unit of a cell; money columns name the currency of their row."""
    for name in ("price_currency", "currency"):
        if column.unit.startswith(name) and row.get(name):
            return column.unit.replace(f"{name} column", str(row[name])).replace(name, str(row[name]))
    if "unit" in row and column.name == "value":
        return str(row["unit"])
    return column.unit


def _note(table: Table, column: Column, row: Mapping[str, object], source: str) -> str:
    notes = [str(row.get("note", ""))]
    if column.name == "price" and row.get("price_filled"):
        notes.append(f"filled: {row['price_filled']}")
    if column.name == "price" and table.name == "products" and row["price_basis"] != "net":
        notes.append(f"{row['price_basis']}, with taxes of {float(str(row['tax_in_price'])):.4g} of the net price")
    if is_assumption(source):
        notes.append("our own assumption")
    return "; ".join(note for note in notes if note)


def _shown(value: object) -> str:
    return "" if value in (dt.date.min, dt.date.max) else str(value)
