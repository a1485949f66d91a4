"""Any figure is walked back to its file, row and publication."""

from __future__ import annotations

from pathlib import Path

import pytest

from keiretsu.case import Case, load_case, sources_of
from keiretsu.errors import CaseError

from .folder import SOUND, write


@pytest.fixture
def case(tmp_path: Path) -> Case:
    products = (
        SOUND["products.csv"].replace("units,source", "units,source,price_filled").replace("9000,statistics", "9000,assumption_prices,class mean")
    )
    sources = SOUND["sources.csv"] + "assumption_prices,Prices we assumed,,,,low\n"
    return load_case(write(tmp_path, {**SOUND, "products.csv": _even(products), "sources.csv": sources}))


def _even(text: str) -> str:
    width = text.splitlines()[0].count(",")
    return "".join(line + "," * (width - line.count(",")) + "\n" for line in text.splitlines())


def test_a_price_leads_to_its_publication(case: Case) -> None:
    found = sources_of(case, "products/UK/Leaf/price")
    assert len(found) == 1
    row = found.iloc[0]
    assert (row["value"], row["unit"], row["row"]) == (30000.0, "GBP per car", "products.csv:5")
    assert (row["title"], row["address"], row["confidence"]) == ("Registrations", "example.org/cars", "high")
    assert row["note"] == "gross, with taxes of 0.2 of the net price"


def test_a_figure_with_two_sources_shows_both(case: Case) -> None:
    assert sources_of(case, "products/DE/Clio/units")["source"].tolist() == ["statistics", "study"]


def test_a_product_is_also_found_by_brand_and_model(case: Case) -> None:
    assert sources_of(case, "products/de/renault clio/units")["value"].tolist() == [30000.0, 30000.0]


def test_a_filled_price_shows_its_rule_and_an_assumption_says_so(case: Case) -> None:
    note = sources_of(case, "products/DE/Megane E-Tech/price")["note"].item()
    assert "filled: class mean" in note
    assert "our own assumption" in note


def test_a_row_of_a_file_shows_all_its_figures(case: Case) -> None:
    found = sources_of(case, "stakes.csv:4")
    assert dict(zip(found["column"], found["value"], strict=True)) == {"cash_flow": 0.43, "votes": 0.15}
    assert sources_of(case, "stakes.csv:4:votes")["value"].tolist() == [0.15]


def test_words_find_rows_of_any_table(case: Case) -> None:
    assert set(sources_of(case, "nissan renault 2023-11-07")["table"]) == {"stakes", "control"}


def test_a_whole_table_can_be_asked_for(case: Case) -> None:
    assert sources_of(case, "products/*/*/price")["row"].nunique() == len(case.products)


def test_deals_are_shown_in_their_currency(case: Case) -> None:
    assert sources_of(case, "deals/1/amount")["unit"].item() == "EUR"


@pytest.mark.parametrize(
    ("selector", "words"), [("products/FR/Leaf", "nothing found"), ("products/UK/Leaf/prise", "no such column"), ("zzz", "nothing found")]
)
def test_what_cannot_be_found_is_said(case: Case, selector: str, words: str) -> None:
    with pytest.raises(CaseError, match=words):
        sources_of(case, selector)
