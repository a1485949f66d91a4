"""Years in which no side of a price threshold was best for everyone: counted by scenario, market and year, told as answered and never as without an answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from keiretsu.case import Case
from keiretsu.outlook.ensemble import Ensemble
from keiretsu.report.tables import Table
from keiretsu.report.years import years_sections, years_sheets
from keiretsu.study.ahead import ahead_of
from keiretsu.study.ahead_sides import left_out, sides_that_went_round
from tests.study.made_up_years import central_years, made_up_years
from tests.study.test_ahead import OUTLOOK, PROJECTIONS, UNCERTAIN
from tests.valuation.conftest import write_case

CUT, DRAW, YEAR = 2, 5, 1  # scenario "cut", future 5, 2025


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return write_case(tmp_path_factory.mktemp("sides"), projections=PROJECTIONS, outlook=OUTLOOK, uncertain=UNCERTAIN)


def went_round(data: xr.Dataset, *where: tuple[int, int, int]) -> xr.Dataset:
    """The same years with two choices left open at each (scenario, draw, year)."""
    counts = np.zeros((3, data.sizes["draw"], 3, 1), int)
    for place in where:
        counts[place] = 2
    return data.assign(unsettled_sides=(("scenario", "draw", "year", "market"), counts))


def one_future() -> Ensemble:
    """Future 5 of "cut" went round in 2025."""
    futures = made_up_years()
    return replace(futures, data=went_round(futures.data, (CUT, DRAW, YEAR)), central=went_round(futures.central))


def test_a_threshold_that_went_round_in_one_future_is_one_row_with_its_scenario_market_and_year() -> None:
    (row,) = sides_that_went_round(one_future())
    assert (row.scenario, row.market, row.year, row.models, row.futures, row.of_futures, row.central) == ("cut", "M", 2025, 2, 1, 16, False)


def test_what_it_may_matter_is_the_mean_change_without_that_future() -> None:
    futures = one_future()
    (effect,) = left_out(futures)
    profit = futures.data["firm_profit_eur"].sum("firm").mean("year")
    change = (profit.sel(scenario="cut") - profit.sel(scenario="baseline")).values
    assert effect.without_eur == pytest.approx(np.delete(change, DRAW).mean(), rel=1e-12)
    assert effect.all_eur == pytest.approx(change.mean(), rel=1e-12)


def test_futures_in_which_the_baseline_went_round_are_left_out_of_every_change() -> None:
    futures = made_up_years()
    both = replace(futures, data=went_round(futures.data, (CUT, DRAW, YEAR), (0, 7, 0)))
    effects = {one.scenario: one for one in left_out(both)}
    assert set(effects) == {"baseline", "cut"}
    assert (effects["cut"].own, effects["cut"].futures) == (1, 2)


def test_where_every_future_went_round_nothing_is_said_of_the_rest() -> None:
    futures = made_up_years()
    every = replace(futures, data=went_round(futures.data, *((CUT, d, YEAR) for d in range(16))))
    assert left_out(every)[0].without_eur is None


def test_the_page_tells_it_under_a_heading_of_its_own_with_the_scenarios_other_figures_unchanged(case: Case) -> None:
    ahead = ahead_of(case, one_future())
    (said,) = ahead.cautions
    assert "1 of 16 futures" in said and "2025" in said
    sections = {section.id: section for section in years_sections(ahead, {"cut": "A cut"})}
    tables = {block.content.id: block.content for block in sections["years"].blocks if isinstance(block.content, Table)}
    table = tables["years-went-round"]
    assert "Without" not in table.title
    assert table.rows[0][:4] == ("A cut", "M", "2025", "1 of 16")
    assert any(block.kind == "html" and said.split(";")[0][:40] in block.html for block in sections["years"].blocks)
    assert "years-went-round" in [sheet.id for sheet in years_sheets(ahead, {})]
    assert ahead.changes.rows == ahead_of(case, made_up_years()).changes.rows


def test_a_central_case_that_went_round_is_told_without_draws(case: Case) -> None:
    futures = central_years()
    central = went_round(futures.central, (0, 0, YEAR))
    (said,) = ahead_of(case, replace(futures, data=central, central=central)).cautions
    assert "the baseline" in said and "its central case" in said


def test_where_it_is_known_one_sentence_says_what_a_maker_would_gain_at_most(case: Case) -> None:
    futures = one_future()
    gains = futures.data["unsettled_sides"] * 111_000.0
    known = replace(
        futures, data=futures.data.assign(side_gain_eur=gains), central=futures.central.assign(side_gain_eur=futures.central["unsettled_sides"] * 0.0)
    )
    (row,) = sides_that_went_round(known)
    assert row.gain_eur == 222_000.0
    (said,) = ahead_of(case, known).cautions
    assert "EUR 222 thousand a year by moving one price" in said and "in 1 of 16 futures" in said
    sheet = next(sheet for sheet in years_sheets(ahead_of(case, known), {}) if sheet.id == "years-went-round")
    assert "222,000" in sheet.rows[0]


def test_a_run_without_thresholds_says_nothing_about_them(case: Case) -> None:
    ahead = ahead_of(case, made_up_years())
    assert ahead.cautions == () and ahead.went_round == ()
    assert not [sheet for sheet in years_sheets(ahead, {}) if sheet.id == "years-went-round"]


def test_a_tariff_quota_that_is_filled_is_said_with_its_worth_and_one_that_is_not_is_not(case: Case) -> None:
    futures = made_up_years()
    nothing = futures.central["surplus_eur"] * 0.0
    cars, price = (futures.data["surplus_eur"] * 0.0 for _ in range(2))
    at = {"scenario": CUT, "draw": DRAW, "year": YEAR}
    cars[at], price[at] = 1_200.0, 3_400.0
    central = futures.central.assign(cars_beyond_quotas=nothing, quota_price_eur=nothing)
    kept = replace(futures, data=futures.data.assign(cars_beyond_quotas=cars, quota_price_eur=price), central=central)
    (said,) = ahead_of(case, kept).cautions
    assert "1,200 cars" in said and "EUR 3,400" in said and "in 2025" in said and "in 1 of 16 futures" in said
    at_price = replace(kept, data=kept.data.assign(cars_beyond_quotas=cars * 0.0))
    assert "no car comes in beyond it" in ahead_of(case, at_price).cautions[0]  # filled to the car: its price holds the others back
    assert ahead_of(case, replace(at_price, data=at_price.data.assign(quota_price_eur=price * 0.0))).cautions == ()
