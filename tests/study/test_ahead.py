"""The years ahead: what is certain has no band, errors decide the digits, what is missing says why."""

import numpy as np
import pytest
import xarray as xr

from keiretsu.case import load_case
from keiretsu.outlook.error import half_width
from keiretsu.study.ahead import NO_YEARS, ahead_of
from keiretsu.study.ahead_cuts import cut_sentences
from keiretsu.study.ahead_measures import ALL_MAKERS, ALL_MARKETS, BASKET, PER_CAR, changes_of
from keiretsu.study.said import number_with_error
from tests.study.made_up_years import YEARS, central_years, made_up_years
from tests.valuation.conftest import write_case

PROJECTIONS = "who,region,markets,year,value\nA bureau,Here,M,2026,0.4\nA bureau,Here,M,2035,0.8\n"
OUTLOOK = (
    "item,year,value,unit\npack_price,2023,100,EUR/kWh\npack_price,2013,540,USD/kWh\npack_price,2010,1200,EUR/kWh\n"
    "battery_output,2010,1,GWh\nbattery_output,2011,3,GWh\nbattery_output,2015,60,GWh\nbattery_output,2023,50,GWh\n"
)
UNCERTAIN = "input,distribution,central,low,high\nlearning_rate,triangular,0.2,0.1,0.3\n"


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return write_case(tmp_path_factory.mktemp("ahead"), projections=PROJECTIONS, outlook=OUTLOOK, uncertain=UNCERTAIN)


@pytest.fixture(scope="module")
def ahead(case):
    return ahead_of(case, made_up_years())


def test_a_gain_that_is_the_same_in_every_future_has_no_band_and_no_error(ahead):
    row = ahead.averages.one("stake", "profit", "Electric")
    assert row.mean == pytest.approx(5e6, rel=1e-9)
    assert row.p90 - row.p10 == pytest.approx(0.0, abs=1e-3)  # EUR; profits of 1e9 in double precision
    assert row.half95 == pytest.approx(0.0, abs=1e-3)


def test_profits_of_makers_add_up_to_that_of_all_makers_in_every_year(ahead):
    for _, rows in ahead.changes.table().query("measure == 'profit'").groupby(["scenario", "year"]):
        parts = rows[rows["of"] != ALL_MAKERS]["mean"].sum()
        assert parts == pytest.approx(float(rows[rows["of"] == ALL_MAKERS]["mean"].iloc[0]), abs=0.01)


def test_the_error_of_a_change_is_that_of_the_scrambles_means_of_the_change_itself(ahead):
    data = made_up_years().data["firm_profit_eur"]
    change = (data.sel(scenario="cut", firm="Partner") - data.sel(scenario="baseline", firm="Partner")).mean("year").values
    assert ahead.averages.one("cut", "profit", "Partner").half95 == pytest.approx(float(half_width(change, 8)), rel=1e-12)


def test_the_mean_over_the_years_is_the_mean_of_the_yearly_means(ahead):
    path = ahead.changes.path("cut", "surplus", ALL_MARKETS)
    assert sum(row.mean for row in path) / len(YEARS) == pytest.approx(ahead.averages.one("cut", "surplus", ALL_MARKETS).mean, rel=1e-12)


CUT = 'title = "A cut"\nquestion = "?"\n[[moves]]\ntype = "price_cut"\nproducts = { maker = "Partner" }\nshare = 0.1\n'


def test_a_price_cut_over_years_says_what_it_is_a_cut_of_and_other_scenarios_do_not(tmp_path, case):
    write_case(tmp_path)
    (tmp_path / "scenarios").mkdir(exist_ok=True)
    (tmp_path / "scenarios" / "cut.toml").write_text(CUT)
    (said,) = cut_sentences(load_case(str(tmp_path)), ("baseline", "cut"))
    assert said.startswith("“A cut”: prices are cut from those of 2023 and then follow what the cars cost")
    assert cut_sentences(load_case(str(tmp_path)), ("baseline", "stake")) == () == cut_sentences(case, ("cut",))


def test_prices_of_the_same_cars_leave_out_the_car_that_went_off_sale():
    found = {q.measure: q for q in changes_of(made_up_years(products=True).data, ("Parent",))}
    assert np.allclose(found[BASKET].values.sel(scenario="stake"), 1.0, atol=1e-4)  # one per cent dearer, in single precision
    assert np.allclose(found[BASKET].values.sel(scenario="cut"), 0.0, atol=1e-4)


def test_without_products_the_price_is_revenue_a_car():
    found = {q.measure: q for q in changes_of(made_up_years().data, ("Parent",))}
    assert BASKET not in found
    assert np.allclose(found[PER_CAR].values, 0.0, atol=1e-9)  # the made-up revenue is a fixed sum a car


def test_a_case_that_names_no_makers_shows_those_that_earn_most(case, ahead):
    assert not case.makers
    assert ahead.averages.kinds[1] == ("profit", "Parent")


def test_a_run_of_central_cases_has_figures_without_errors_and_bands_of_no_width(case):
    ahead = ahead_of(case, central_years())
    assert ahead.draws == 0
    assert all(row.half95 is None for row in ahead.averages.rows)
    assert all(row.p90 == row.p10 for row in ahead.averages.rows)
    assert not any("±" in sentence for sentence in ahead.sentences)


def test_a_run_of_one_year_says_why_there_is_nothing(case):
    ahead = ahead_of(case, None)
    assert ahead.why_empty == NO_YEARS
    assert ahead.sentences == (NO_YEARS,)


def test_a_projection_stands_beside_the_baseline_of_its_own_markets_and_years_not_simulated_are_left_out(ahead):
    assert [one.year for one in ahead.projections] == [2026]
    row = ahead.projections[0].here
    expected = made_up_years().data.sel(scenario="baseline", year=2026)
    assert row.mean == pytest.approx(float((expected["electric_units"] / expected["units_all"]).mean()), rel=1e-12)


def test_the_learning_curve_backwards_is_its_closed_form_and_goes_through_the_price_of_the_case_year(ahead):
    packs = {one.year: one for one in ahead.packs}
    assert packs[2023].curve == pytest.approx(100.0)
    # 64 GWh had been built before 2023 and 4 before 2013: four doublings, each taking a fifth off
    assert packs[2013].curve == pytest.approx(100.0 / 0.8**4)
    assert packs[2013].slow == pytest.approx(100.0 / 0.9**4)
    assert packs[2013].paid == pytest.approx(540 / 1.08)
    assert packs[2010].curve is None  # nothing had been built before the table begins


def test_fleet_rules_are_shown_for_makers_that_ever_meet_a_price(case, ahead):
    assert not ahead.rules.rows
    futures = made_up_years()
    price = np.zeros((3, 16, 3, 2))
    price[..., 0] = 12.0
    dims = ("scenario", "draw", "year", "ruled")
    futures.data.coords["ruled"] = ["EU: Parent", "EU: Other"]
    for name in ("fleet_price_eur", "fleet_balance", "fleet_pays_eur"):
        futures.data[name] = xr.DataArray(price, dims=dims, attrs={"unit": "EUR"})
    rules = ahead_of(case, futures).rules
    assert {row.of for row in rules.rows} == {"EU: Parent"}
    assert {row.year for row in rules.rows} == set(YEARS)
    assert all(row.mean == 12.0 for row in rules.rows)


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (12.345, 0.41, "12.3 ± 0.4"),
        (12.345, 0.12, "12.3 ± 0.2"),
        (1.2345, 0.12, "1.23 ± 0.12"),
        (28.015, 0.006, "28.0 ± 0.1"),
        (1234.0, 88.0, "1,230 ± 90"),
        (-0.004, 0.02, "0.00 ± 0.02"),
        (5.0, 0.0, "5.00"),
        (8e-14, 0.0, "0"),
        (-2e-9, 1e-9, "0"),
        (0.25, 1e-9, "0.250"),
    ],
)
def test_a_figure_has_the_digits_that_its_error_supports_and_no_more(value, error, said):
    assert number_with_error(value, error) == said
