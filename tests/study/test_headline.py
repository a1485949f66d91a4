"""Sums of money are said with three significant digits, in the unit that suits their size."""

from __future__ import annotations

import pytest

from keiretsu.study.headline import money


@pytest.mark.parametrize(
    ("eur", "said"),
    [
        (0.0, "EUR 0"),
        (12.34, "EUR 12.3"),
        (837_301.0, "EUR 837,000"),
        (999_960.0, "EUR 1.00 m"),
        (14_812_345.0, "EUR 14.8 m"),
        (999_600_000.0, "EUR 1.00 bn"),
        (-3_550_118.0, "EUR -3.55 m"),
        (2_022_927_195.0, "EUR 2.02 bn"),
    ],
)
def test_money_has_three_digits_and_a_unit(eur: float, said: str) -> None:
    assert money(eur) == said
