"""Files in, checked records out: companies, stakes, deals, products, markets, incomes, demand settings, targets, sources, scenarios.

Everything is read and checked at the door: a case that loads is usable, and one that does not says everything that is wrong with it.
"""

from __future__ import annotations

from keiretsu.case.check import CheckedCase
from keiretsu.case.document import schema_markdown
from keiretsu.case.load import check_case, embedded_cases, find_case, load_case
from keiretsu.case.new import write_new_case
from keiretsu.case.record import Case, DemandSettings, Entry, RandomSetting, ScenarioText
from keiretsu.case.schema import TABLES, Column, Table
from keiretsu.case.settings import SECTIONS, Section
from keiretsu.case.sources import sources_of

__all__ = [
    "load_case",
    "check_case",
    "find_case",
    "embedded_cases",
    "write_new_case",
    "sources_of",
    "schema_markdown",
    "Case",
    "CheckedCase",
    "DemandSettings",
    "RandomSetting",
    "ScenarioText",
    "Entry",
    "TABLES",
    "SECTIONS",
    "Table",
    "Column",
    "Section",
]
