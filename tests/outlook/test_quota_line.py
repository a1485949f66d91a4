"""The search for a quota's place on a market in closed form: a car whose sales fall with its price, and whose price may stand at a threshold."""

from __future__ import annotations

import numpy as np
import pytest

from keiretsu.market.policy.quota import Savings
from keiretsu.outlook.quota_line import Look, Search, begin, looked
from keiretsu.outlook.quotas import Counted

COST, STEEP, KEEPS, RELIEF = 20_000.0, 2e-4, 0.9, 0.25
SAVINGS = Savings(np.array([[RELIEF]]), np.zeros((1, 0)), np.zeros((1, 0), bool))


def market(inside: float, charge: float, floor: float) -> tuple[float, float]:
    """Price of a maker of one car, not below `floor`, and its sales: its markup on marginal earnings is that of exponential demand."""
    kept = KEEPS - RELIEF * (1 - inside)
    price = max((COST + charge) / kept + 1 / STEEP, floor)
    return price, 1e6 * np.exp(-STEEP * price)


def search_of(cars: float, floor: float) -> tuple[Search, int]:
    search, price, units = begin(cars, 1), 0.0, 0.0
    for looks in range(40):
        price, units = market(float(search.at.inside[0]), float(search.at.charge[0]), floor)
        rate = np.array([RELIEF])
        look = Look(Counted(np.array([price]), np.array([units]), np.array([0]), rate), np.array([KEEPS]), np.array([COST]))
        search = looked(search, look, SAVINGS)
        if search.done:
            return search, looks
    raise AssertionError(f"not found: {search}")


@pytest.mark.parametrize("cars", [3_000.0, 1_000.0, 200.0])
@pytest.mark.parametrize("floor", [0.0, 29_000.0])
def test_the_quota_is_filled_at_the_shadow_price_that_asks_for_as_many_cars_also_where_the_price_first_stands_at_a_threshold(
    cars: float, floor: float
) -> None:
    search, looks = search_of(cars, floor)
    at = search.at
    price, units = market(float(at.inside[0]), float(at.charge[0]), floor)
    assert at.inside[0] * units == pytest.approx(cars, abs=2e-3)
    if at.inside[0] == 1:  # it holds cars back: by closed form the price at which so many are sold, and the cost that asks for it
        asked = np.log(1e6 / cars) / STEEP
        assert at.shadow == pytest.approx(KEEPS * (asked - 1 / STEEP) - COST, abs=0.1)
        assert 0 < at.shadow <= RELIEF * price
    else:  # it leaves: one more car inside saves what it saves
        assert at.shadow == pytest.approx(RELIEF * price, abs=1e-3)
    assert looks <= 25


def test_a_quota_that_is_not_exceeded_is_done_at_the_first_look() -> None:
    search, looks = search_of(1e6, 0.0)
    assert looks == 0 and search.at.shadow == 0.0
