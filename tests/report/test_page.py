"""The page a board gets: the answer first, nothing fetched from outside, no column name shown raw."""

import json
import re

import pytest

from keiretsu.report.html import page_of
from keiretsu.report.names import names_of
from keiretsu.report.sections import sections_of
from keiretsu.report.tables import Table


@pytest.fixture(scope="module")
def page(results):
    return page_of(results)


@pytest.fixture(scope="module")
def content(page):
    return json.loads(re.search(r'<script type="application/json" id="content">(.*?)</script>', page, re.S).group(1))


def test_the_page_fetches_nothing_from_anywhere(page):
    ours = page[: page.index('<script type="application/json"')]
    assert not re.search(r'(?:src|href)="(?!#)', ours)
    assert "url(" not in ours
    assert "@import" not in ours


def test_the_answer_comes_before_everything_else_and_needs_no_script(page, results):
    first = page.index('<section id="answer"')
    assert first < page.index('<section id="owners"')
    for sentence in results.sentences:
        assert first < page.index(sentence.replace("'", "&#x27;")) < page.index('<section id="owners"')
    assert page.index("+912.6") < page.index("<script")


def test_the_first_table_fits_a_page_and_makers_stand_in_a_second_one(results):
    """One table of every measure and every maker would be cut off at the right."""
    answer = next(section for section in sections_of(results, names_of(results), results.scenarios[0].name) if section.id == "answer")
    first, second = (block.html for block in answer.blocks if "<table" in block.html)
    assert first.count("<th class") <= 9 and "profit of" not in first + second
    assert [first.count("<tr data-row"), second.count("<tr data-row")] == [len(results.headline)] * 2


def test_targets_that_the_model_misses_are_named(results):
    fit = next(section for section in sections_of(results, names_of(results), results.scenarios[0].name) if section.id == "fit")
    assert "Of 4 targets 3 are met within their stated range; outside it: Margin over price (margin tesla)." in fit.lead


def test_a_bar_that_would_read_as_nothing_is_not_drawn(results):
    for section in sections_of(results, names_of(results), results.scenarios[0].name):
        for block in section.blocks:
            if block.kind == "figure" and block.id.startswith(("sales-", "profit-", "claims-")):
                assert all(any(digit in "123456789" for digit in said) for said in block.content.data[0]["text"])


def test_a_name_with_markup_in_it_cannot_leave_its_place(page):
    assert "A <five-seater>" not in page
    assert "A &lt;five-seater&gt; under each brand" in page


def test_every_figure_and_table_of_the_page_has_its_data(page, content):
    for kind, specs in (("figure", content["figures"]), ("table", content["tables"])):
        placed = re.findall(rf'data-{kind}="([^"]+)"', page)
        assert sorted(set(placed)) == sorted(spec["id"] for spec in specs)


def test_no_reader_meets_a_column_name_of_the_program(results):
    names = names_of(results)
    tables = [b.content for s in sections_of(results, names, "") for b in s.blocks if isinstance(b.content, Table)]
    headings = [column.heading() for table in tables for column in table.columns]
    assert not [heading for heading in headings if "_" in heading or re.search(r"\beur\b", heading)]


def test_our_own_assumptions_are_marked(results):
    sections = {s.id: s for s in sections_of(results, names_of(results), "")}
    cars = next(b.content for b in sections["inputs"].blocks if b.id == "input-products")
    sources = [row[-2] for row in cars.rows]
    assert {sources[k] for k in cars.marked} == {"assumption"}
    assert len(cars.marked) == sources.count("assumption") > 0


def test_an_ownership_that_stays_as_it_is_is_drawn_once(results):
    sections = {s.id: s for s in sections_of(results, names_of(results), "")}
    drawn = {b.scenario: b.html.count("<svg") for b in sections["owners"].blocks if "<svg" in b.html}
    assert drawn == {"nissan_stake": 2, "byd_cut": 1, "five_seater": 1}


def test_makers_with_stakes_in_each_other_stand_side_by_side():
    from keiretsu.report.network import arrange

    places = arrange([("state", "A"), ("A", "B"), ("B", "A"), ("A", "C")])
    assert places["A"].row == places["B"].row
    assert places["state"].row < places["A"].row < places["C"].row


def test_channels_shown_add_up_to_the_change_in_the_unit_that_is_shown(results):
    sections = {s.id: s for s in sections_of(results, names_of(results), "")}
    figure = next(b.content for b in sections["why"].blocks if b.id == "why-nissan_stake-profit_eur-maker")
    *channels, total = figure.data
    assert [trace["name"] for trace in channels] == ["ownership", "cost"]
    for k, amount in enumerate(total["x"]):
        assert sum(trace["x"][k] for trace in channels) == pytest.approx(amount, abs=1e-12)
    assert max(total["x"]) == pytest.approx(1.0)  # a change of EUR 1,000,000 is 1 in EUR m
    assert "EUR m a year" in figure.layout["xaxis"]["title"]["text"]


def test_no_cell_of_a_result_shows_a_column_name_of_the_program(results):
    sections = [s for s in sections_of(results, names_of(results), "") if s.id not in ("inputs", "made")]
    cells = [c for s in sections for b in s.blocks if isinstance(b.content, Table) for row in b.content.rows for c in row if isinstance(c, str)]
    titles = [b.title for s in sections for b in s.blocks]
    assert not [text for text in (*cells, *titles) if re.search(r"_eur\b|_units\b|_share\b", text)]
