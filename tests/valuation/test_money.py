"""No more digits than the error supports."""

import numpy as np
import pytest
import scipy.stats

from keiretsu.valuation.money import estimate, estimate_where, in_millions, plain, with_error


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (3.4321e9, 0.2123e9, "EUR 3.4 ± 0.2 bn"),
        (3.4321e9, 0.1323e9, "EUR 3.43 ± 0.13 bn"),
        (-613.4e6, 27e6, "EUR −610 ± 30 m"),
        (12.0e6, 46.0e6, "EUR 10 ± 50 m"),
        (1.5e9, 0.0, "EUR 1.50 bn"),
        (0.0, 0.0, "EUR 0"),
        (950.0, 3.0, "EUR 950 ± 3"),
        (9.97e9, 0.0996e9, "EUR 9.97 ± 0.10 bn"),
        (1234567.0, 45.0, "EUR 1.23 ± 0.01 m"),
        (112.43e9, 0.58e9, "EUR 112 ± 1 bn"),
    ],
)
def test_an_amount_shows_the_digits_that_its_error_supports(value: float, error: float, text: str) -> None:
    assert with_error(value, error) == text


def test_the_plain_amount_is_rounded_the_same_way() -> None:
    assert plain(3.4321e9, 0.2123e9) == "EUR 3.4 bn"
    assert plain(600e6, 0.0) == "EUR 600 m"


def test_the_error_of_a_mean_is_half_of_its_95_percent_interval_from_the_spread_of_the_scrambles() -> None:
    draws = np.random.default_rng(3).standard_normal(64)
    means = [draws[r::8].mean() for r in range(8)]
    low, high = scipy.stats.t.interval(0.95, 7, np.mean(means), scipy.stats.sem(means))
    assert estimate(draws).error == pytest.approx((high - low) / 2)
    assert estimate(draws[:1]).error == 0.0


def test_the_interval_of_a_mean_over_some_of_the_draws_holds_the_truth_in_nineteen_cases_of_twenty() -> None:
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(400):
        draws = rng.standard_normal(256)
        found = estimate_where(draws, draws > 0)
        held += abs(found.value - np.sqrt(2 / np.pi)) < found.error
    assert 0.92 < held / 400 < 0.98  # a share of 0.95 from 400 cases has a standard deviation of 0.011


def test_a_mean_over_all_draws_is_the_same_by_either_way() -> None:
    draws = np.random.default_rng(5).standard_normal(64)
    assert estimate_where(draws, np.ones(64, bool)).error == pytest.approx(estimate(draws).error, rel=1e-12)


def test_draws_that_are_no_multiple_of_the_scrambles_have_no_error_that_could_be_shown() -> None:
    with pytest.raises(ValueError, match="equal parts"):
        estimate(np.arange(12.0))


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [(8137e6, 1142.8e6, "8,100 ± 1,100"), (150.2e6, 11.1e6, "150 ± 11"), (-28.4e6, 3.4e6, "−28 ± 3"), (588.27e6, 0.0, "588"), (12345.6e6, 0.0, "12,346"),
     (298.66e6, 0.31e6, "299 ± 1"), (0.0, 0.0, "0")],
)  # fmt: skip
def test_an_amount_in_a_table_has_no_more_digits_either(value: float, error: float, text: str) -> None:
    assert in_millions(value, error) == text
