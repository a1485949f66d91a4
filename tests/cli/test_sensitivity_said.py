"""How a distance to a change of regime is said."""

import math

import pytest

from keiretsu.cli.outlook import distance_said


@pytest.mark.parametrize(
    ("distance", "way", "how", "said"),
    [
        (0.0312, 1, "solved", "+0.031"),
        (0.4, -1, "exact", "\N{MINUS SIGN}0.4"),
        (0.002, 1, "first order", "about +0.002"),
        (0.05, -1, "at most", "less than \N{MINUS SIGN}0.05"),
        (0.1, 0, "none found", "more than ±0.1"),
        (math.inf, 0, "none found", ""),
    ],
)
def test_a_distance_says_its_way_and_how_it_is_known(distance: float, way: int, how: str, said: str) -> None:
    assert distance_said(distance, way, how) == said
