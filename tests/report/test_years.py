"""Sections of the years ahead: the first sentence is the one to quote, every figure has its error, no column name of the program is shown."""

import json
import re

import numpy as np
import pytest
import xarray as xr

from keiretsu.report.blocks import Section
from keiretsu.report.figures import Figure
from keiretsu.report.tables import Table
from keiretsu.report.years import years_sections, years_sheets
from keiretsu.report.years_tables import some_years
from keiretsu.study.ahead import NO_YEARS, ahead_of
from tests.study.made_up_years import SCENARIOS, central_years, made_up_years
from tests.study.test_ahead import OUTLOOK, PROJECTIONS, UNCERTAIN
from tests.valuation.conftest import write_case

NAMES = {"M": "Middle Earth", "Parent": "The parent", "stake": "A stake"}


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return write_case(tmp_path_factory.mktemp("years"), projections=PROJECTIONS, outlook=OUTLOOK, uncertain=UNCERTAIN)


@pytest.fixture(scope="module")
def ahead(case):
    return ahead_of(case, made_up_years())


@pytest.fixture(scope="module")
def sections(ahead) -> dict[str, Section]:
    return {section.id: section for section in years_sections(ahead, NAMES)}


def _tables(sections) -> list[Table]:
    return [block.content for section in sections.values() for block in section.blocks if isinstance(block.content, Table)]


def test_each_section_opens_with_a_sentence_of_the_results(ahead, sections):
    assert sections["years"].lead == ahead.sentences[0]
    assert sections["electric"].lead in ahead.sentences


def test_every_drawn_scenario_has_a_figure_and_a_table_of_its_own(sections):
    placed = {(block.scenario, block.kind) for block in sections["years"].blocks if block.scenario}
    assert placed == {(name, kind) for name in SCENARIOS[1:] for kind in ("figure", "table")}


def test_every_figure_of_a_table_with_futures_carries_its_error(sections):
    for table in _tables(sections):
        if table.id.startswith(("years-means", "years-table", "years-share")):
            for row in table.rows:
                amounts = [str(cell) for cell in row[1:] if cell is not None and " to " not in str(cell)]
                # what is the same in every future has an error of rounding alone, which is none
                assert amounts
                assert all("±" in cell or re.fullmatch(r"[+−]?[\d.,]+", cell) for cell in amounts)
    means = next(t for t in _tables(sections) if t.id == "years-means")
    # what "cut" changes is a part of what spreads over futures: all makers, Partner, buyers, government
    assert sum("±" in str(cell) for row in means.rows for cell in row) == 4


def test_no_reader_meets_a_name_of_the_program(sections):
    for table in _tables(sections):
        assert not [c.heading() for c in table.columns if "_" in c.heading()]
        for row in table.rows:
            assert not [cell for cell, column in zip(row, table.columns, strict=True) if "_" in str(cell) and column.text not in ("Source", "Note")]


def test_the_bands_of_a_panel_lie_around_its_line(sections):
    figure = next(b.content for b in sections["years"].blocks if isinstance(b.content, Figure))
    by_axis: dict[str, dict[str, dict]] = {}
    for trace in figure.data:
        by_axis.setdefault(trace["xaxis"], {})[trace["name"]] = trace
    assert len(by_axis) == 8
    for panel in by_axis.values():
        line, band = panel["mean"]["y"], panel["eight futures of ten"]["y"]
        low, high = band[: len(line)], band[: len(line) - 1 : -1]
        assert all(a <= b + 1e-9 for a, b in zip(low, high, strict=True))


def test_panels_of_a_figure_do_not_cover_each_other(sections):
    for section in sections.values():
        for block in section.blocks:
            if isinstance(block.content, Figure):
                layout = block.content.layout
                boxes = [(layout[f"xaxis{k}"]["domain"], layout[f"yaxis{k}"]["domain"]) for k in ("", *range(2, 9)) if f"xaxis{k}" in layout]
                assert all(0 <= low < high <= 1 for box in boxes for low, high in box)
                for i, (x, y) in enumerate(boxes):
                    for other_x, other_y in boxes[:i]:
                        assert x[0] >= other_x[1] or other_x[0] >= x[1] or y[0] >= other_y[1] or other_y[0] >= y[1]


def test_fleet_rules_have_a_table_of_shadow_prices_when_they_bind(case):
    futures = made_up_years()
    futures.data.coords["ruled"] = ["eu_co2: Parent"]
    dims = ("scenario", "draw", "year", "ruled")
    for name in ("fleet_price_eur", "fleet_balance", "fleet_pays_eur"):
        futures.data[name] = xr.DataArray(np.full((3, 16, 3, 1), 25.0), dims=dims, attrs={"unit": "EUR"})
    sections = {section.id: section for section in years_sections(ahead_of(case, futures), NAMES)}
    table = next(table for table in _tables(sections) if table.id == "years-rules")
    assert table.rows[0][:3] == ("The parent", "EU CO2", "25.0")


def test_a_run_without_draws_has_sections_without_errors(case):
    sections = {section.id: section for section in years_sections(ahead_of(case, central_years()), NAMES)}
    assert not any("±" in str(cell) for table in _tables(sections) for row in table.rows for cell in row)


def test_everything_can_be_written_into_the_page(case, sections):
    central = years_sections(ahead_of(case, central_years()), NAMES)
    for section in (*sections.values(), *central):
        for block in section.blocks:
            if not isinstance(block.content, str):
                json.dumps(block.content.spec(), allow_nan=False)


def test_a_run_of_one_year_has_a_section_that_says_so(case):
    (section,) = years_sections(ahead_of(case, None), NAMES)
    assert NO_YEARS in section.blocks[0].html


def test_the_spreadsheet_has_means_and_errors_as_numbers(ahead):
    sheet = next(table for table in years_sheets(ahead, NAMES) if table.id == "years ahead mean")
    heads = [column.text for column in sheet.columns]
    assert {"Mean", "Half of the 95 % interval of the mean"} <= set(heads)
    row = next(row for row in sheet.rows if row[:3] == ("Operating profit", "Electric", "A stake"))
    assert row[heads.index("Mean")] == pytest.approx(5e6)


@pytest.mark.parametrize(
    ("years", "shown"), [(range(2024, 2036), [2024, 2026, 2028, 2030, 2032, 2034, 2035]), (range(2024, 2027), [2024, 2025, 2026])]
)
def test_a_table_shows_few_years_and_always_the_last(years, shown):
    assert some_years(list(years)) == shown
