"""`docs/case.md`, written from the schema so that it cannot say anything else than what the program reads."""

from __future__ import annotations

from collections.abc import Sequence

from keiretsu.case.new import FILES as FIRST_CASE
from keiretsu.case.rows import wanted
from keiretsu.case.schema import ASSUMPTION, OPEN_FROM, OPEN_TO, OWN, TABLES, Column, Required
from keiretsu.case.settings import SCENARIO_SECTION, SECTIONS

_INTRODUCTION = f"""# What a case folder contains

This page is written by `keiretsu.case.schema_markdown()` from the table that the program itself reads; a test compares them.

A case is a folder with `case.toml` and CSV files (UTF-8, commas, one heading). The smallest one is two files: `case.toml` and `products.csv` with
the columns product, firm, price, and units or share. `keiretsu new NAME` writes one that runs, `keiretsu check CASE` reports everything that is
wrong with it at once, `keiretsu sources CASE` walks any figure back to its file, row and source.

- Any table below may instead be typed into `case.toml` as an array of tables with its name: `[[stakes]]` in place of `stakes.csv`.
- An empty cell means the default. Where a rule fills it, the rule is stated. "not known" is a fact of its own and never zero.
- Sources: with a `sources.csv`, every row of every table names one, and an id that begins with `{ASSUMPTION}` marks a figure of our own. Without it, everything is
  from `{OWN}`, the author of the case.
- Money is converted to euro by `[rates]`; with `money = "own"` the case keeps its own unit and nothing is converted.
- Ownership in a small case: an `owner` column in `products.csv`, or `[[stakes]]`, or `[kappa]`; otherwise every firm is on its own.
- `programmes.toml` and `pools.toml` hold taxes, incentives, tariffs and fleet-CO2 pools; see `docs/policy.md`.
"""


def schema_markdown() -> str:
    """The whole page, ending in a newline."""
    parts = [_INTRODUCTION, "## A first case\n\nWhat `keiretsu new first` writes:\n"]
    parts += [f"`{file}`\n\n```{file.rpartition('.')[2]}\n{text.replace('{name}', 'first')}```\n" for file, text in FIRST_CASE.items()]
    parts.append("## case.toml\n")
    for section in SECTIONS.values():
        parts.append(f"### `{section.heading}`\n\n{_sentence(section.says)}\n")
        if section.keys:
            parts.append(_columns(section.keys, "key"))
        if section.more:
            parts.append(f"Also: {section.more}.\n")
    parts.append(f"## `{SCENARIO_SECTION.heading}`\n\n{_sentence(SCENARIO_SECTION.says)}\n")
    parts.append(_columns(SCENARIO_SECTION.keys, "key"))
    parts.append("## Tables\n")
    for table in TABLES.values():
        parts.append(f"### `{table.file}`\n\nA row is {table.row_is}. No two rows share {_and(table.key)}.\n")
        parts.append(_columns(table.columns, "column"))
    return "\n".join(parts)


def _columns(columns: Sequence[Column], heading: str) -> str:
    lines = [f"| {heading} | what it must be | when empty | meaning |", "|---|---|---|---|"]
    lines += [f"| `{column.name}` | {wanted(column)} | {_when_empty(column)} | {_meaning(column)} |" for column in columns]
    return "\n".join(lines) + "\n"


def _when_empty(column: Column) -> str:
    if isinstance(column.default, Required):
        return "an error"
    if column.filled:
        return column.filled
    if column.default is None:
        return "not known"
    if column.default in (OPEN_FROM, OPEN_TO):
        return "open"
    return f"`{column.default}`" if column.default != "" else "nothing"


def _meaning(column: Column) -> str:
    known = f"; must stand in {' or '.join(TABLES[name].file for name in column.refers)}" if column.refers else ""
    return (column.meaning + known).replace("|", "\\|")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}." if text[0].isalpha() else f"{text}."


def _and(names: Sequence[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)
