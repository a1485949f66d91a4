"""Balances over averaged years that jump through zero are said with the futures in which they do and with what is to spare."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from keiretsu.outlook.ensemble import Ensemble
from keiretsu.study.ahead_jumps import jump_sentences
from tests.study.made_up_years import made_up_years

DIMS = ("scenario", "draw", "year", "ruled")


def with_left_over(data: xr.Dataset, *where: tuple[int, int, float]) -> xr.Dataset:
    """What the second maker's pool has to spare in the last year, by scenario and draw."""
    left = np.zeros((data.sizes["scenario"], data.sizes["draw"], data.sizes["year"], 2))
    for scenario, draw, amount in where:
        left[scenario, draw, -1, 1] = amount
    return data.assign_coords(ruled=["eu: Parent", "eu: Other"]).assign(fleet_left_over=(DIMS, left))


def futures_with(*where: tuple[int, int, float]) -> Ensemble:
    futures = made_up_years()
    return replace(futures, data=with_left_over(futures.data, *where), central=with_left_over(futures.central))


def test_a_balance_that_jumps_is_said_with_its_futures_its_pool_and_the_most_that_is_to_spare() -> None:
    (said,) = jump_sentences(futures_with((2, 5, 1_234.4), (2, 7, 96_889.2)), {"cut": "A price cut"})
    assert "In “A price cut”" in said and "in 2 of 16 futures" in said and "central" not in said
    assert "96,889" in said and "eu, the pool with Other" in said


def test_where_every_balance_clears_nothing_is_said() -> None:
    assert jump_sentences(futures_with(), {}) == ()
    assert jump_sentences(made_up_years(), {}) == ()
