"""Prices that a scenario holds, over years."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from numpy.typing import ArrayLike

from keiretsu.moves.scenario import parse_scenarios
from keiretsu.outlook.arrays import Year
from keiretsu.outlook.facts import steady_facts
from keiretsu.outlook.outlook import Outlook, build, run
from keiretsu.supply.pricing import PricingOptions
from tests.outlook.small import LAUNCH, YEARS, small_world

EUR = 1e-6  # prices are settled to 1e-7 EUR; a held one is not solved for at all
CHEAPER = {"learning_rate": 0.2, "rest_cost_trend": 0.02, "fx_CNY": 0.1}
CUT = {"type": "price_cut", "products": {"maker": "Chronos"}, "share": 0.1}
SCENARIOS = (
    {"name": "cut", "moves": [CUT]},
    {"name": "cut_to_2026", "moves": [CUT | {"end": np.datetime64("2026-01-01").item()}]},
    {"name": "launch_held", "moves": [LAUNCH | {"price": "held"}]},
    {"name": "cut_and_dearer", "moves": [CUT, {"type": "cost_shock", "products": {"maker": "Chronos"}, "change_share": 0.2}]},
)  # fmt: skip


@functools.cache
def outlook() -> Outlook:
    world = small_world()
    return build(world, parse_scenarios(list(SCENARIOS)), steady_facts(world, 2023, YEARS), PricingOptions())


@functools.cache
def years(scenario: str, moving: bool) -> Year:
    return run(outlook(), scenario, outlook().central() | (CHEAPER if moving else {}))[1]


def of(array: ArrayLike, product: str) -> np.ndarray:
    rows = next(iter(outlook().roster.rows.values()))
    return np.asarray(array)[:, 0, int(np.flatnonzero(rows["product"] == product)[0])]


def observed(product: str) -> float:
    rows = small_world().products
    return float(rows.loc[(rows["market"] == "north") & (rows["product"] == product), "price_eur"].iloc[0])


@pytest.mark.parametrize("product", ["chronos_one", "chronos_two", "chronos_three"])
def test_a_cut_price_keeps_its_ratio_to_what_the_car_costs_to_make(product: str) -> None:
    first = of(years("cut", False).cost, product)[0]
    moved = years("cut", True)
    cost = of(moved.cost, product)
    assert (np.diff(cost) < -50).all()  # EUR: the case must have costs that fall, or nothing is tested
    assert of(moved.price, product) == pytest.approx(0.9 * observed(product) * cost / first, abs=EUR)


def test_a_cut_price_never_crosses_to_above_what_the_maker_would_have_chosen_as_costs_fall() -> None:
    cut, free = years("cut", True), years("baseline", True)
    assert (of(cut.price, "chronos_two") < of(free.price, "chronos_two")).all()


def test_a_launch_at_a_stated_held_price_follows_its_own_cost_too() -> None:
    first, moved = of(years("launch_held", False).cost, "boreas_small")[0], years("launch_held", True)
    assert of(years("launch_held", False).price, "boreas_small") == pytest.approx(LAUNCH["price_eur"], abs=EUR)
    assert of(moved.price, "boreas_small") == pytest.approx(LAUNCH["price_eur"] * of(moved.cost, "boreas_small") / first, abs=EUR)


def test_a_cost_that_the_scenario_itself_changes_leaves_its_held_price_alone() -> None:
    assert of(years("cut_and_dearer", False).cost, "chronos_one")[0] > 1.1 * of(years("cut", False).cost, "chronos_one")[0]
    assert of(years("cut_and_dearer", False).price, "chronos_one") == pytest.approx(of(years("cut", False).price, "chronos_one"), abs=EUR)


def test_when_a_cut_ends_prices_are_the_makers_own_again() -> None:
    assert of(years("cut_to_2026", True).price, "chronos_two")[1] == pytest.approx(of(years("cut", True).price, "chronos_two")[1], abs=EUR)
    assert of(years("cut_to_2026", True).price, "chronos_two")[2] > 1.05 * of(years("cut", True).price, "chronos_two")[2]
