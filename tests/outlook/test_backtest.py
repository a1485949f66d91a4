"""The method of looking back, on closed forms and made-up histories."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from keiretsu.outlook.backtest.forecast import LEVELS, Settings, combined, forecast
from keiretsu.outlook.backtest.known import BacktestError, known_until, last_day
from keiretsu.outlook.backtest.models import shares_of
from keiretsu.outlook.backtest.panel import UNPRICED_EUR, panel_of, seen_at
from keiretsu.outlook.backtest.regression import logistic_ridge, robust_ridge
from keiretsu.outlook.backtest.spread import Spread
from keiretsu.outlook.backtest.total import Trend, ground_of, support_rate, total_next
from tests.outlook.backtest_history import CARS, ELASTICITY, SOLD, end_of, history, launch, policy

TREND = Trend(momentum=0.6, own=0.3, support=1.2, rush=0.5, reversion=0.5)
SETTINGS = Settings(
    sigma=0.2,
    trend=TREND,
    spread=Spread(((-0.5, -0.05), (-0.5, -0.05)), ((0.0, -0.05), (0.0, -0.05)), 0.3, 0.1, 0.1, 0.1),
    last_year=dict.fromkeys(LEVELS, 0.0),
    stretch=dict.fromkeys(LEVELS, 1.0),
)
EXACT = 1e-12  # closed forms evaluated in double precision


def totals(known_history, year=2023, trend=TREND):
    known = known_until(known_history, end_of(year))
    return total_next(ground_of(panel_of(known), year), trend)


def log_odds(share):
    return np.log(share / (1 - share))


def test_a_country_where_nothing_changes_is_forecast_to_stay_as_it_is():
    expected = {country: sum(SOLD.values()) * cars / 100_000 for country, cars in CARS.items()}
    assert totals(history()).to_dict() == pytest.approx(expected, rel=EXACT)


def test_support_that_ends_lowers_the_log_odds_by_the_price_response_and_the_rush_before_it():
    got = totals(history(policies=(policy("AA", 2019, 3000.0, dt.date(2019, 6, 1)), policy("AA", 2024, 0.0, dt.date(2023, 12, 17)))))
    shares = {country: got[country] / CARS[country] for country in CARS}
    before = sum(SOLD.values()) / 100_000
    response = ELASTICITY / UNPRICED_EUR * 3000 / 0.9  # measured where a tenth of cars were electric
    assert log_odds(shares["AA"]) - log_odds(before) == pytest.approx(response * (TREND.support + TREND.rush), rel=EXACT)
    assert shares["BB"] == pytest.approx(before, rel=EXACT)


def test_an_end_of_support_decided_after_the_day_changes_nothing():
    late = history(policies=(policy("AA", 2024, -3000.0, dt.date(2024, 1, 5)),))
    assert totals(late).equals(totals(history()))


def test_a_legal_share_pulls_the_share_half_of_the_way():
    got = totals(history(policies=(policy("AA", 2024, 0.3, dt.date(2023, 9, 28), kind="share_target"),)))
    assert log_odds(got["AA"] / CARS["AA"]) == pytest.approx((log_odds(0.1) + log_odds(0.3)) / 2, rel=EXACT)


def test_a_legal_share_below_the_trend_binds_nobody():
    assert totals(history(policies=(policy("AA", 2024, 0.05, dt.date(2023, 9, 28), kind="share_target"),))).equals(totals(history()))


def test_growth_is_carried_on_by_less_than_all_of_it():
    grown = history()
    rows = grown.registrations.copy()
    rows.loc[rows["year"] == 2023, "registrations"] *= 1.5
    got = totals(replace(grown, registrations=rows))
    for country, cars in CARS.items():
        moved = log_odds(0.15) - log_odds(0.1)
        assert log_odds(got[country] / cars) == pytest.approx(log_odds(0.15) + TREND.momentum * moved, rel=EXACT)


def test_a_country_that_outgrew_the_area_keeps_part_of_the_difference():
    grown = history()
    rows = grown.registrations.copy()
    rows.loc[(rows["year"] == 2023) & (rows["country"] == "AA"), "registrations"] *= 1.5
    got = totals(replace(grown, registrations=rows))
    moved = log_odds(0.15) - log_odds(0.1)
    weight = np.sqrt(1.5 * 10_000) / (np.sqrt(1.5 * 10_000) + np.sqrt(5_000))  # root of cars
    area = weight * moved
    ahead = {"AA": log_odds(0.15) + TREND.momentum * area + TREND.own * (moved - area), "BB": log_odds(0.1) + (TREND.momentum - TREND.own) * area}
    for country, cars in CARS.items():
        assert log_odds(got[country] / cars) == pytest.approx(ahead[country], rel=EXACT)


def test_a_market_above_its_mean_since_2020_returns_part_of_the_way():
    more = history()
    cars = more.all_cars.copy()
    cars.loc[cars["year"] == 2023, "registrations"] *= 1.2
    rows = more.registrations.copy()
    rows.loc[rows["year"] == 2023, "registrations"] *= 1.2  # the share stays
    got = totals(replace(more, all_cars=cars, registrations=rows))
    expected = {country: 0.1 * cars * np.exp(np.log(1.2) * (1 - TREND.reversion * 3 / 4)) for country, cars in CARS.items()}  # one of four years
    assert got.to_dict() == pytest.approx(expected, rel=EXACT)


def test_shares_of_brands_as_nests_are_the_textbook_nested_logit():
    delta = np.array([[0.3, -0.2, 0.1, 0.7]])
    country, nest, sigma = np.array([0, 0, 0, 0]), np.array([0, 0, 1, 2]), 0.4
    inside = [np.exp(delta[0, :2] / 0.6), np.exp(delta[0, 2:3] / 0.6), np.exp(delta[0, 3:] / 0.6)]
    value = np.array([part.sum() ** 0.6 for part in inside])
    expected = np.concatenate([part / part.sum() * v / value.sum() for part, v in zip(inside, value, strict=True)])
    assert shares_of(delta, country, nest, sigma)[0] == pytest.approx(expected, rel=EXACT)


def test_shares_add_to_one_in_every_country_and_a_model_that_is_not_listed_has_none():
    delta = np.array([[0.0, -np.inf, 1.0, -np.inf, 2.0]])
    shares = shares_of(delta, np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 2, 3]), 0.2)[0]
    assert shares[[1, 3]].tolist() == [0.0, 0.0]
    assert [shares[:3].sum(), shares[3:].sum()] == pytest.approx([1.0, 1.0], rel=EXACT)


def test_a_model_announced_for_next_year_gets_cars_and_one_announced_later_none():
    known = known_until(history(launches=(launch("Ada", "New", dt.date(2024, 2, 29), dt.date(2023, 9, 1)),
                                          launch("Bob", "Late", dt.date(2024, 2, 29), dt.date(2024, 1, 2)))), end_of(2023))  # fmt: skip
    made = forecast(known, SETTINGS, draws=200, seed=1).levels["model"].set_index(["country", "brand", "model"])
    assert (made.loc[(slice(None), "Ada", "New"), "high_80"] > 10).all()
    assert "Late" not in made.index.get_level_values("model")


def test_a_model_whose_end_was_announced_is_forecast_below_the_others():
    plain = forecast(known_until(history(), end_of(2023)), SETTINGS, 200, 1)
    ends = history(launches=(launch("Ada", "Two", dt.date(2024, 1, 31), dt.date(2023, 10, 1), kind="end"),))
    ended = forecast(known_until(ends, end_of(2023)), SETTINGS, 200, 1)
    two = [made.levels["model"].set_index(["country", "brand", "model"])["units"].to_dict()["AA", "Ada", "Two"] for made in (plain, ended)]
    assert two[1] < 0.7 * two[0]  # four of twelve months on sale, stock included


def test_a_model_that_loses_its_bonus_loses_delta_by_its_own_price_response():
    lost = history(policies=(policy("AA", 2024, -4000.0, dt.date(2023, 12, 15), kind="support_change", brand="Ada", model="Two"),))
    made = [forecast(known_until(one, end_of(2023)), SETTINGS, 100, 1) for one in (history(), lost)]
    at = list(made[0].deltas.rows).index(("AA", "Ada", "Two"))
    change = made[1].deltas.delta[at] - made[0].deltas.delta[at]
    assert change == pytest.approx(-4000 * support_rate(made[0].known) * 2.5, rel=1e-9)  # its elasticity is 2.5 times that of all


def test_bands_of_a_level_lie_around_the_median_in_order():
    made = forecast(known_until(history(), end_of(2023)), SETTINGS, 300, 1)
    for table in made.levels.values():
        ordered = table[["low_80", "low_50", "median", "high_50", "high_80"]].to_numpy()
        assert (np.diff(ordered, axis=1) >= -1e-9).all()  # rounding of quantiles


def test_averaging_with_the_last_year_keeps_the_ratios_of_the_bands():
    table = pd.DataFrame({"low_80": [49.0], "low_50": [74.0], "median": [99.0], "high_50": [149.0], "high_80": [199.0], "persistence": [199.0]})
    got = combined(table, 0.5, 1.0)
    assert got["units"].tolist() == pytest.approx([149.0])
    assert (got["high_80"] + 1).tolist() == pytest.approx([300.0]) and (got["low_80"] + 1).tolist() == pytest.approx([75.0])


def test_the_same_seed_gives_the_same_bytes_and_another_seed_nearly_the_same_totals():
    known = known_until(history(), end_of(2023))
    first, again, other = (forecast(known, SETTINGS, 2000, seed).levels["total"] for seed in (1, 1, 2))
    assert first.equals(again)
    # the median of 2000 draws of a lognormal with sd 0.14 has a standard error of 0.4 per cent
    assert (other["units"] / first["units"]).tolist() == pytest.approx([1.0, 1.0], abs=0.02)


def test_a_forecast_needs_two_changes():
    with pytest.raises(BacktestError, match="three complete years"):
        known_until(history(), end_of(2020))


def test_what_is_seen_at_the_end_of_a_year_does_not_depend_on_later_years():
    early, late = (panel_of(known_until(history(), end_of(year))) for year in (2022, 2024))
    pd.testing.assert_frame_equal(seen_at(early, 2022), seen_at(late, 2022).reindex(early.units.index))


def test_a_year_a_month_and_a_range_count_from_their_last_day():
    assert [last_day(text) for text in ("2023", "2023-02", "2023-02-05", "2022 to 2024")] == [
        dt.date(2023, 12, 31), dt.date(2023, 2, 28), dt.date(2023, 2, 5), dt.date(2024, 12, 31)]  # fmt: skip


def test_without_a_prior_and_with_a_far_knee_the_robust_fit_is_least_squares():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(50, 3)), rng.normal(size=50)
    fit = robust_ridge(x, y, np.ones(50), np.zeros(3), np.zeros(3), 1e6, ("a", "b", "c"))
    assert fit.value == pytest.approx(np.linalg.lstsq(x, y, rcond=None)[0], rel=1e-9)


def test_one_outlier_moves_the_robust_fit_by_its_place_and_not_by_its_size():
    y = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    fits = [robust_ridge(np.ones((6, 1)), np.append(y, far), np.ones(6), np.zeros(1), np.zeros(1), 0.1, ("mean",)).value[0] for far in (1e3, 1e6)]
    assert fits[0] == pytest.approx(fits[1], abs=1e-6)


def test_with_a_constant_alone_the_logistic_fit_is_the_share():
    happened = np.array([1.0, 0.0, 0.0, 0.0])
    fit = logistic_ridge(np.ones((4, 1)), happened, np.zeros(1), np.zeros(1), ("constant",))
    assert fit.value[0] == pytest.approx(np.log(1 / 3), rel=1e-9)
