"""A case that keeps its own money: no sum of a valuation is said in euro, and none is a millionth of what its heading says."""

from __future__ import annotations

import dataclasses

import pytest

from keiretsu.report.blocks import Block, Section
from keiretsu.report.figures import change_bars
from keiretsu.report.own_money import section_in, sentence_in, table_in
from keiretsu.report.tables import Table
from keiretsu.report.value_tables import MILLION, amount
from keiretsu.report.wording import Label, in_money
from keiretsu.study.said import in_own_money
from keiretsu.valuation.money import stated_sum

NAMES = {"EUR": "money"}
TABLE = Table(
    "t", "Worth of EUR 6 m", (Label("Value", "EUR m", kind="text"), Label("Gain", "EUR m", scale=1e-6)), (("+6.4 ± 0.5", 2.5e6),), "At least EUR 2 m."
)


def test_a_sum_in_words_keeps_its_millions_in_the_heading() -> None:
    words = in_money(Label("Value", "EUR m", kind="text"), "money")
    number = in_money(Label("Value", "EUR m", scale=1e-6), "money")
    assert (amount(6.4e6, 0.5e6, MILLION), words.unit) == ("6.4 ± 0.5", "money m")
    assert (number.show(6.4e6), number.unit) == ("6,400,000", "money")


@pytest.mark.parametrize(
    ("value", "said"), [(600e6, "EUR 600 m"), (8e9, "EUR 8 bn"), (370370370.0, "EUR 370.4 m"), (6.0, "EUR 6"), (1250e9, "EUR 1,250 bn")]
)
def test_a_stated_sum_is_said_in_its_own_size(value: float, said: str) -> None:
    assert stated_sum(value) == said


def test_a_sentence_of_a_valuation_says_that_its_sums_are_in_the_cases_own_money() -> None:
    said = "A's EUR 6 m in B has a value of EUR −2.1 ± 0.3 m."
    assert in_own_money(said) == sentence_in(said, NAMES) == "A's 6 m in B has a value of −2.1 ± 0.3 m, in the case's own money."
    assert sentence_in(said, {}) == said
    assert in_own_money("Nothing is worth knowing first.") == "Nothing is worth knowing first."


def test_no_euro_is_left_on_a_page_of_a_case_in_its_own_money() -> None:
    figure = change_bars("f", "Change, EUR m", ["A"], [2e6], Label("Change", "EUR m", scale=1e-6))
    page = Section("s", "Worth", "It is worth EUR 3 m.", (Block("table", TABLE), Block("figure", figure), Block("html", "<p>EUR 5 m a year</p>")))
    shown = section_in(page, NAMES)
    assert "EUR" not in repr(dataclasses.astuple(shown))
    assert "EUR" in repr(dataclasses.astuple(section_in(page, {})))
    assert [column.heading() for column in table_in(TABLE, NAMES).columns] == ["Value, money m", "Gain, money m"]
    assert shown.blocks[1].content.data[0]["x"] == [2.0]  # type: ignore[union-attr]
