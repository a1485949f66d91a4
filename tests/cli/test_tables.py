"""Tables in a terminal: no column is cut off, and every part of a wide one says which row is which."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from keiretsu.cli import say
from keiretsu.report.tables import Table
from keiretsu.report.wording import Label

RULES = ("silent stakes", "owners in proportion")


def shown(table: Table, monkeypatch: pytest.MonkeyPatch) -> str:
    written = io.StringIO()
    monkeypatch.setattr(say, "console", Console(file=written, width=60))
    say.show(table)
    return written.getvalue()


def test_rows_that_differ_in_their_second_word_are_told_apart_in_every_part_of_a_wide_table(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = (Label("Scenario", kind="text"), Label("Rule", kind="text"), *(Label(f"Measure {k}", "EUR m", digits=1) for k in range(6)))
    text = shown(Table("t", "", columns, tuple(("A stake", rule, *(1.0 * k for k in range(6))) for rule in RULES), "", frozenset()), monkeypatch)
    parts = text.count("Scenario")
    assert parts > 1 and all(text.count(rule.split()[0]) == parts for rule in RULES)
    assert all(f"Measure {k}" in " ".join(text.split()) for k in range(6))


def test_one_word_is_repeated_where_it_tells_rows_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = (Label("Scenario", kind="text"), Label("Question", kind="text"), *(Label(f"Measure {k}", digits=1) for k in range(8)))
    text = shown(Table("t", "", columns, tuple((name, "why", *([1.0] * 8)) for name in "ab"), "", frozenset()), monkeypatch)
    assert text.count("Scenario") > 1 and text.count("Question") == 1


def test_words_that_are_figures_with_errors_stand_at_the_right(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = (Label("Who", kind="text"), Label("Worth", "EUR m", kind="text"))
    text = shown(Table("t", "", columns, (("a", "11,800 \u00b1 1,800"), ("b", "610 \u00b1 90")), "", frozenset()), monkeypatch)
    ends = [line.rstrip()[-3:] for line in text.splitlines() if "\u00b1" in line]
    starts = [line.index("\u00b1") for line in text.splitlines() if "\u00b1" in line]
    assert ends == ["800", " 90"] and starts[0] != starts[1] and len({len(line.rstrip()) for line in text.splitlines() if "\u00b1" in line}) == 1


def test_rows_that_differ_in_their_third_word_are_told_apart_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = (
        Label("Holder", kind="text"),
        Label("Kind", kind="text"),
        Label("Company", kind="text"),
        *(Label(f"Measure {k}", digits=1) for k in range(6)),
    )
    rows = tuple((holder, "fund", company, *([1.0] * 6)) for holder in ("Trust", "Bank") for company in ("Alpha", "Beta"))
    text = shown(Table("t", "", columns, rows, "", frozenset()), monkeypatch)
    parts = text.count("Holder")
    assert parts > 1 and text.count("Company") == parts and text.count("Beta") == 2 * parts and text.count("Kind") == 1
