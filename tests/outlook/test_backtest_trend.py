"""What earlier steps say about totals: closed forms of the regression, and made-up histories whose answer is known."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from keiretsu.outlook.backtest import History, forecast, tune
from keiretsu.outlook.backtest.known import known_until
from keiretsu.outlook.backtest.trend import MARKET_PRIOR, SHARE_PRIOR, estimated, past_totals, shared_shock_ridge
from keiretsu.outlook.backtest.tuning import EVEN
from tests.outlook.backtest_history import end_of, history, policy

EXACT = 1e-9  # linear algebra of a few coefficients in double precision
FLAT = {"a": (0.3, 1e4), "b": (-1.0, 1e4)}


def blocks(n: int = 3, rows: int = 7) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(11)
    return [(rng.normal(size=(rows, 2)), rng.normal(size=rows)) for _ in range(n)]


def answered_twice_as_published() -> History:
    """Country AA loses 3,000 EUR in 2022 and its log-odds fall by twice the published effect; BB stands still."""
    plain = history(policies=(policy("AA", 2019, 3000.0, dt.date(2019, 6, 1)), policy("AA", 2022, 0.0, dt.date(2021, 6, 1))))
    effect = -2.0 / 42_000 * 3000 / 0.9
    share = 1 / (1 + np.exp(-(np.log(0.1 / 0.9) + 2 * effect)))
    rows = plain.registrations.copy()
    rows.loc[(rows["country"] == "AA") & (rows["year"] >= 2022), "registrations"] *= share / 0.1
    return replace(plain, registrations=rows)


def test_without_a_shared_shock_and_with_a_flat_prior_it_is_least_squares():
    got = shared_shock_ridge(blocks(), FLAT, (0.0, 0.2))["estimate"]
    x, y = (np.concatenate(part) for part in zip(*blocks(), strict=True))
    assert got.to_numpy() == pytest.approx(np.linalg.lstsq(x, y, rcond=None)[0], rel=1e-6)  # the prior is worth one part in 1e9


def test_the_posterior_is_the_one_of_all_rows_in_one_large_normal_distribution():
    prior = {"a": (0.3, 0.5), "b": (-1.0, 0.2)}
    got = shared_shock_ridge(blocks(), prior, (0.4, 0.2))
    x, y = (np.concatenate(part) for part in zip(*blocks(), strict=True))
    errors = np.kron(np.eye(3), 0.16 * np.ones((7, 7))) + 0.04 * np.eye(21)
    mean, cover = np.array([0.3, -1.0]), np.diag([0.25, 0.04])
    gain = cover @ x.T @ np.linalg.inv(x @ cover @ x.T + errors)
    assert got["estimate"].to_numpy() == pytest.approx(mean + gain @ (y - x @ mean), rel=EXACT)
    assert got["sd"].to_numpy() == pytest.approx(np.sqrt(np.diag(cover - gain @ x @ cover)), rel=EXACT)


def test_however_many_countries_rise_together_a_year_is_one_observation():
    for rows in (1, 10, 400):
        got = shared_shock_ridge([(np.ones((rows, 1)), np.ones(rows))], {"a": (0.0, 1e4)}, (0.3, 0.2))["sd"].item()
        assert got == pytest.approx(np.hypot(0.3, 0.2 / np.sqrt(rows)), rel=1e-6)  # the prior is worth one part in 1e9


def test_rows_whose_change_is_not_known_say_nothing():
    columns, target = blocks(1)[0]
    with_gap = shared_shock_ridge([(columns, np.append(target[:-1], np.nan))], FLAT, (0.4, 0.2))
    pd.testing.assert_frame_equal(with_gap, shared_shock_ridge([(columns[:-1], target[:-1])], FLAT, (0.4, 0.2)))


def test_where_nothing_ever_changed_the_priors_stand():
    trend, table = estimated(known_until(history(), end_of(2023)))
    assert vars(trend) == pytest.approx({name: mean for name, (mean, _) in {**SHARE_PRIOR, **MARKET_PRIOR}.items()}, rel=EXACT)
    assert table["sd"].tolist() == pytest.approx(table["prior_sd"].tolist(), rel=EXACT)


def test_buyers_who_answered_twice_as_much_as_published_raise_the_answer_to_support():
    trend, table = estimated(known_until(answered_twice_as_published(), end_of(2023)))
    assert 1.0 < trend.support < 2.0
    row = table[table["name"] == "support"]
    assert row["sd"].item() < row["prior_sd"].item()


def test_an_answer_to_support_not_yet_seen_on_the_day_is_not_used():
    early = estimated(known_until(answered_twice_as_published(), end_of(2021)))[0]
    assert early == estimated(known_until(history(policies=(policy("AA", 2019, 3000.0, dt.date(2019, 6, 1)),)), end_of(2021)))[0]


def test_totals_of_earlier_years_are_forecast_with_the_trend_of_their_day():
    known = known_until(answered_twice_as_published(), end_of(2023))
    past = past_totals(known)
    assert list(past) == [2020, 2021, 2022]
    assert past[2021][0] == estimated(known.earlier(2021))[0] and past[2022][0].support > past[2021][0].support


def test_with_no_earlier_year_to_judge_models_by_half_of_the_forecast_is_the_last_year():
    known = known_until(history(), end_of(2021))
    tuning = tune(known, seed=1)
    assert tuning.settings.last_year["model"] == tuning.settings.last_year["brand"] == EVEN
    assert set(forecast(known, tuning.settings, 100, 1).levels["total"]["country"]) == {"AA", "BB"}


def test_weights_of_the_last_year_lie_between_the_best_of_earlier_years_and_one_half():
    tuning = tune(known_until(answered_twice_as_published(), end_of(2023)), seed=1)
    best = tuning.weights.loc[tuning.weights.groupby("level")["error"].idxmin()].set_index("level")["last_year"]
    for level, weight in tuning.settings.last_year.items():
        alone = float(best.to_dict()[level])
        assert min(alone, EVEN) <= weight <= max(alone, EVEN)
