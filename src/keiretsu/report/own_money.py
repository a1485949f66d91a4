"""What is said in euro, in the money of a case that keeps its own: sentences, tables and figures once they are made.

What a valuation says knows of no case: its sums are in EUR, "EUR 6 m" in a sentence, "EUR m" over a column. Here they are given the name of the case's own unit;
numbers and their scale stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from keiretsu.report.blocks import Block, Section
from keiretsu.report.figures import Figure
from keiretsu.report.tables import Table
from keiretsu.study.said import in_own_money, sums_without_euro

EURO = "EUR"
_ANYWHERE = re.compile(r"\bEUR\b")


def sentence_in(text: str, names: Mapping[str, str]) -> str:
    """A sentence about sums, in the money of the case whose `names` these are."""
    return in_own_money(text) if EURO in names else text


def table_in(table: Table, names: Mapping[str, str]) -> Table:
    """A table with the case's money in its headings, words and note; those that have it already stay as they are."""
    if EURO not in names:
        return table
    money = names[EURO]
    columns = tuple(replace(label, text=_named(label.text, money), unit=_named(label.unit, money)) for label in table.columns)
    rows = tuple(tuple(_named(cell, money) if isinstance(cell, str) else cell for cell in row) for row in table.rows)
    return replace(table, title=_named(table.title, money), note=_named(table.note, money), columns=columns, rows=rows)


def section_in(section: Section, names: Mapping[str, str]) -> Section:
    """A section of the page, all of it in the case's money."""
    if EURO not in names:
        return section
    return replace(section, lead=sentence_in(section.lead, names), blocks=tuple(_block(block, names) for block in section.blocks))


def _block(block: Block, names: Mapping[str, str]) -> Block:
    money, content = names[EURO], block.content
    if isinstance(content, Table):
        shown: Figure | Table | str = table_in(content, names)
    elif isinstance(content, Figure):
        shown = replace(
            content,
            title=_named(content.title, money),
            note=_named(content.note, money),
            data=_deep(content.data, money),
            layout=_deep(content.layout, money),
        )
    else:
        shown = _named(content, money)
    return replace(block, content=shown, heading=_named(block.heading, money), remark=_named(block.remark, money))


def _deep(value: Any, money: str) -> Any:
    """The same description with every text of it in that money."""
    if isinstance(value, str):
        return _named(value, money)
    if isinstance(value, Mapping):
        return {key: _deep(one, money) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_deep(one, money) for one in value)
    return value


def _named(text: str, money: str) -> str:
    return _ANYWHERE.sub(money, sums_without_euro(text))
