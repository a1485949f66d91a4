"""No more digits than the error supports."""

import numpy as np
import pytest

from keiretsu.valuation.money import estimate, in_millions, plain, with_error


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (3.4321e9, 0.2123e9, "EUR 3.4 ± 0.2 bn"),
        (3.4321e9, 0.1323e9, "EUR 3.43 ± 0.13 bn"),
        (-613.4e6, 27e6, "EUR −610 ± 30 m"),
        (12.0e6, 46.0e6, "EUR 10 ± 50 m"),
        (1.5e9, 0.0, "EUR 1.500 bn"),
        (0.0, 0.0, "EUR 0"),
        (950.0, 3.0, "EUR 950 ± 3"),
        (9.97e9, 0.0996e9, "EUR 9.97 ± 0.10 bn"),
        (1234567.0, 45.0, "EUR 1.23457 ± 0.00005 m"),
    ],
)
def test_an_amount_shows_the_digits_that_its_error_supports(value: float, error: float, text: str) -> None:
    assert with_error(value, error) == text


def test_the_plain_amount_is_rounded_the_same_way() -> None:
    assert plain(3.4321e9, 0.2123e9) == "EUR 3.4 bn"
    assert plain(600e6, 0.0) == "EUR 600.0 m"


def test_the_error_of_a_mean_is_its_standard_error() -> None:
    draws = np.array([1.0, 2.0, 3.0, 4.0])
    assert estimate(draws).error == pytest.approx(np.std(draws, ddof=1) / 2)
    assert estimate(draws[:1]).error == 0.0


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [(8137e6, 1142.8e6, "8,100 ± 1,100"), (150.2e6, 11.1e6, "150 ± 11"), (-28.4e6, 3.4e6, "−28 ± 3"), (588.27e6, 0.0, "588.3"), (12345.6e6, 0.0, "12,346"),
     (298.66e6, 0.31e6, "298.7 ± 0.3"), (0.0, 0.0, "0")],
)  # fmt: skip
def test_an_amount_in_a_table_has_no_more_digits_either(value: float, error: float, text: str) -> None:
    assert in_millions(value, error) == text
