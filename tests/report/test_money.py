"""Sections about money: each opens with the sentence to quote, figures have errors, words are plain, nothing stands twice."""

import dataclasses
import json
import re

import numpy as np
import pytest

from keiretsu.report.blocks import Section
from keiretsu.report.figures import Figure
from keiretsu.report.tables import Table
from keiretsu.report.value_sections import worth_sections
from keiretsu.report.value_sheets import worth_sheets
from keiretsu.study.decisions import question_of
from keiretsu.study.worth import Worth, worth_of
from keiretsu.study.worth_extras import Extras
from keiretsu.valuation.on_the_model import must_be_true_on_the_model
from tests.study.made_up_money import DEALS, HINDSIGHT, UNCERTAIN, made_up_money, only_central
from tests.valuation.conftest import write_case

NAMES = {"stake": "A stake in Electric", "Parent": "The Parent"}
FIGURE = re.compile(r"^[+−]?[\d,.]+( ± [\d,.]+)?$")


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return write_case(tmp_path_factory.mktemp("money"), uncertain=UNCERTAIN, deals=DEALS, hindsight=HINDSIGHT)


@pytest.fixture(scope="module")
def worth(case) -> Worth:
    return worth_of(case, made_up_money(32), Extras(missing={"alliances": "Nobody was asked.", "timing": "Nothing is launched."}))


@pytest.fixture(scope="module")
def sections(worth) -> list[Section]:
    return worth_sections(worth, NAMES)


def _tables(sections) -> list[Table]:
    return [block.content for section in sections for block in section.blocks if isinstance(block.content, Table)]


def test_each_section_opens_with_a_sentence_of_the_results(worth, sections):
    said = {*worth.sentences, ""}
    assert [section.id for section in sections] == ["companies", "stake", "listing", "must-be-true", "choice", "hindsight", "not-valued"]
    assert all(section.lead in said for section in sections)


def test_parts_that_are_empty_stand_in_one_section_with_their_reasons(sections):
    html = sections[-1].blocks[0].html
    assert "Nobody was asked." in html
    assert "Nothing is launched." in html
    assert html.count("<li>") == 2


def test_no_figure_and_no_table_stands_twice_on_the_page(sections):
    placed = [block.id for section in sections for block in section.blocks if block.id]
    assert sorted(set(placed)) == sorted(placed)


def test_no_reader_meets_a_name_of_the_program(sections):
    for table in _tables(sections):
        assert not [column.heading() for column in table.columns if "_" in column.heading()]
        for row in table.rows:
            assert not [cell for cell, column in zip(row, table.columns, strict=True) if "_" in str(cell) and column.text not in ("Source", "Note")]
        assert "_" not in table.title


def test_every_value_by_growth_stands_with_an_error_that_decides_its_digits(sections):
    table = next(table for table in _tables(sections) if table.id == "companies")
    for row in table.rows:
        for cell in row[1:3]:
            mean, _, error = str(cell).partition(" ± ")
            assert error
            decimals = [len(part.partition(".")[2]) for part in (mean, error)]
            assert decimals[0] == decimals[1]
            assert len(error.replace(".", "").replace(",", "").strip("0")) <= 2


def test_the_football_field_has_a_bar_for_each_way_of_asking_and_each_ends_where_the_table_says(worth, sections):
    figure = next(block.content for block in sections[0].blocks if block.id == "football-field")
    assert isinstance(figure, Figure)
    rows = worth.companies[0].football
    asked = rows[~rows["bar"].str.startswith("terms ")]
    spans = [trace["x"] for trace in figure.data if trace["mode"] == "lines"]
    assert len(spans) == len(asked) + 1  # agreed terms stand together
    for (low, high), row in zip(spans, asked.to_dict("records"), strict=False):
        assert (low, high) == pytest.approx((row["low_eur"] / 1e9, row["high_eur"] / 1e9))


def test_bars_with_an_error_have_whiskers_of_that_length(worth, sections):
    figure = next(block.content for block in sections[1].blocks if block.id == "stake-parts")
    assert isinstance(figure, Figure)
    found = worth.stakes[0].valuation
    own = found.channels[found.channels["party"] == found.terms.investor]
    bar, ends = figure.data
    assert bar["x"] == pytest.approx([v / 1e6 for v in own["value_eur"]])
    assert bar["error_x"]["array"] == pytest.approx([v / 1e6 for v in own["half95_eur"]])
    assert [abs(x) for x in ends["x"]] == pytest.approx([(abs(v) + e) / 1e6 for v, e in zip(own["value_eur"], own["half95_eur"], strict=True)])


def test_terms_that_rest_on_the_central_case_say_so_and_show_no_error(case):
    futures = made_up_money(32)
    part = dataclasses.replace(futures, data=futures.data.sel(scenario=["baseline"]))
    table = next(table for table in _tables(worth_sections(worth_of(case, part, Extras()), NAMES)) if table.id == "stake-terms-table")
    by_basis = {row[-1]: row for row in table.rows}
    assert "±" in str(by_basis["futures"][1])
    assert "±" not in str(by_basis["central case"][1])
    assert by_basis["central case"][1] == by_basis["central case"][2]  # the column of central cases, in which all terms are alike


def test_a_mean_over_futures_is_not_drawn_beside_a_central_case(case):
    """Terms at half the price looked worse than those at the full one, because the one was a central case and the other a mean."""
    futures = made_up_money(32)
    part = dataclasses.replace(futures, data=futures.data.sel(scenario=["baseline"]))
    worth = worth_of(case, part, Extras())
    figure = next(block.content for section in worth_sections(worth, NAMES) for block in section.blocks if block.id == "stake-terms")
    drawn = [one for one in worth.stakes if not one.central]
    assert 0 < len(drawn) < len(worth.stakes)
    assert figure.data[0]["x"] == pytest.approx(
        [float(one.valuation.lines.set_index("line")["value_eur"]["net present value"]) / 1e6 for one in drawn]
    )
    assert f"{len(worth.stakes) - len(drawn)} more, not drawn" in figure.note


def test_a_run_of_central_cases_has_sections_without_errors(case):
    sections = worth_sections(worth_of(case, only_central(made_up_money(32)), Extras()), NAMES)
    assert {section.id for section in sections} >= {"companies", "stake", "listing"}
    sections = [section for section in sections if section.id != "listing"]  # its paths of the market are drawn in any run
    assert not any("±" in str(cell) for table in _tables(sections) for row in table.rows for cell in row)


def test_a_run_of_one_year_has_one_section_that_says_why(case):
    undated = worth_of(case, None, Extras())
    sections = worth_sections(dataclasses.replace(undated, hindsight=None), NAMES)
    assert [section.id for section in sections] == ["not-valued"]


def test_everything_can_be_written_into_the_page(case, sections):
    central = worth_sections(worth_of(case, only_central(made_up_money(32)), Extras()), NAMES)
    for section in (*sections, *central):
        for block in section.blocks:
            if not isinstance(block.content, str):
                json.dumps(block.content.spec(), allow_nan=False)


def test_sheets_have_names_that_differ_within_what_a_spreadsheet_allows(worth):
    names = [table.id for table in worth_sheets(worth, NAMES)]
    assert len({name[:31].lower() for name in names}) == len(names)


def test_sheets_keep_numbers_as_numbers(worth):
    for table in worth_sheets(worth, NAMES):
        for k, column in enumerate(table.columns):
            if column.kind == "number":
                assert all(row[k] is None or isinstance(row[k], float) or row[k] == "unbounded" for row in table.rows)
            else:
                assert not any(FIGURE.match(str(row[k])) and "±" in str(row[k]) for row in table.rows)


class _Straight:
    """A model whose value is a straight line in its inputs' normals: its nearest zero is known."""

    middle, slopes = 100e6, np.array([60e6, 80e6, 0.0, 0.0])

    def value(self, normals, events):
        return self.middle + float(self.slopes @ normals)

    def slope(self, normals, events):
        return self.slopes

    checked = value


def test_what_must_be_true_is_shown_as_the_model_says_where_it_was_asked(case):
    futures = made_up_money(32)
    npv = _Straight.middle + futures.normals.to_numpy() @ _Straight.slopes
    asked = must_be_true_on_the_model(question_of(case, futures, "It", npv), _Straight(), {})
    worth = worth_of(case, futures, Extras(), lambda terms: asked)
    assert asked.sentence in worth.sentences
    section = next(section for section in worth_sections(worth, NAMES) if section.id == "must-be-true")
    assert section.lead == asked.sentence
    figure = next(block.content for block in section.blocks if block.id == "must-be-true-bars")
    assert isinstance(figure, Figure)
    # distance 1 along (0.6, 0.8): the parts that the two inputs carry are 0.36 and 0.64
    assert sorted(figure.data[0]["x"], reverse=True)[:2] == pytest.approx([64, 36], rel=1e-3)
    assert "must be true on the model" in [table.id for table in worth_sheets(worth, NAMES)]
