"""Tariff quotas in the years ahead: nothing to say while they are not filled, the cars beyond them counted and told where they are."""

from __future__ import annotations

import datetime as dt
import functools

import numpy as np
import pytest

from keiretsu.market.policy.programmes import Duty, Scope, TariffQuota
from keiretsu.outlook.facts import steady_facts
from keiretsu.outlook.outlook import Outlook, build, run
from keiretsu.outlook.pieces import CENTRAL, Piece, run_piece
from keiretsu.outlook.quotas import CARS_BEYOND, any_quota, cars_beyond_quotas
from tests.outlook.bent_worlds import world_with
from tests.outlook.small import YEARS

FROM, TO = dt.date(2025, 1, 1), dt.date(2025, 12, 31)  # the quota; the duty stands from 2024 on


@functools.cache
def outlook(cars: float) -> Outlook:
    """All electric cars pay 10 % of half of their price in the north; those of Ares nothing on the first `cars` of 2025."""
    duty = Duty(Scope("duty", ("north",), dt.date(2024, 1, 1), powertrains=("BEV",)), rate=0.1, value_share=0.5)
    quota = TariffQuota(Scope("quota", ("north",), FROM, TO, powertrains=("BEV",), makers=("Ares",), known=dt.date(2023, 1, 1)), 0.0, 0.5, cars)
    world = world_with(duty, quota)
    return build(world, {}, steady_facts(world, 2023, YEARS))


def test_a_quota_that_is_not_filled_leaves_nothing_to_say_and_one_car_less_leaves_one() -> None:
    out = outlook(1e9)
    assert any_quota(out)
    years = run(out, "baseline", out.central())[1]
    assert not cars_beyond_quotas(out, "baseline", out.central(), years).any()
    rows = out.roster.rows["north"]
    mine = ((rows["priced_by"] == "Ares") & (rows["powertrain"] == "BEV")).to_numpy()
    sold = float(np.asarray(years.units)[YEARS.index(2025), 0, : len(rows)][mine].sum())
    assert sold > 10
    beyond = cars_beyond_quotas(outlook(sold - 1.0), "baseline", out.central(), years)
    assert beyond[YEARS.index(2025)] == pytest.approx([1.0, 0.0]) and beyond.sum() == pytest.approx(1.0)


def test_a_piece_of_a_run_carries_the_count_where_a_quota_is_in_force_and_only_there() -> None:
    out = outlook(1.0)
    kept = run_piece(out, Piece("baseline", CENTRAL, ()), [out.central()], False)
    assert kept[CARS_BEYOND[0]].shape == (1, len(YEARS), 2) and kept[CARS_BEYOND[0]][0, YEARS.index(2025), 0] > 1
    world = world_with()
    free = build(world, {}, steady_facts(world, 2023, YEARS))
    assert not any_quota(free)
