"""How far an input may move before a path changes its regime, against a search of many paths side by side."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

import numpy as np
import pytest

from keiretsu.outlook.arrays import Year
from keiretsu.outlook.facts import steady_facts
from keiretsu.outlook.outlook import Outlook, build, run
from keiretsu.outlook.regimes import BINDING, FINED, Regime, name_of, regime_at, regime_of
from keiretsu.outlook.switches import AT_MOST, CLOSE, EXACT, FIRST_ORDER, NONE, NOWHERE, SOLVED, closed_in, nearest_switch, of_launch
from keiretsu.supply.pricing import PricingOptions
from tests.outlook.bent_worlds import capped, ceiling, world_with
from tests.outlook.small import YEARS, small_scenarios, small_world
from tests.outlook.test_fleet_years import rules

CELLS = 40  # of the grid that the nearest change is searched on
PROGRAMMES = (ceiling(37_500.0), capped(0.12, 4_200.0, "south"))


@functools.cache
def outlook() -> Outlook:
    """Two price thresholds, a CO2 rule that binds and a mandate at its fine."""
    world = world_with(*PROGRAMMES).replace(pools=rules(40.0, 0.6))
    return build(world, {}, steady_facts(world, 2023, YEARS), PricingOptions(tolerance_eur=1e-6, relative=1e-10))


def years_at(values: Mapping[str, float]) -> Year:
    return run(outlook(), "baseline", values)[1]


@functools.cache
def here() -> Regime:
    return regime_at(outlook(), "baseline", outlook().central(), years_at)


def seen(name: str, at: float) -> tuple[object, ...]:
    """What an onlooker sees of a path: prices at thresholds and thresholds below prices by market and year, rules that cost nothing or as much as the fine."""
    central, plan = outlook().central(), outlook().plans["baseline"]
    years = run(outlook(), "baseline", central | {name: central[name] + at})[1]
    assert years.rules is not None and plan.bends is not None and plan.rules is not None
    price, fine = np.asarray(years.rules.price), np.asarray(plan.rules.cap)
    thresholds = np.asarray(plan.bends.breaks)[np.asarray(plan.bend_set)]  # (T, M, J, K-1)
    below = (thresholds < np.asarray(years.price)[..., None] - 1e-3).sum(axis=(2, 3))
    return (np.asarray(years.at_break).tolist(), below.tolist(), (price > 1e-6).tolist(), (price > fine - 1e-6).tolist())


def nearest_by_search(name: str, reach: float) -> float:
    """The least distance on a grid, either way, at which something is seen to differ from the central case."""
    first = seen(name, 0.0)
    return next((k * reach / CELLS for k in range(1, CELLS + 1) if any(seen(name, sign * k * reach / CELLS) != first for sign in (1, -1))), np.inf)


@pytest.mark.parametrize(("name", "deviation"), [("rest_cost_trend", 0.01), ("electric_taste", 0.1), ("incentives", 0.6), ("price_sensitivity", 0.3)])
def test_the_nearest_change_of_regime_is_where_a_search_of_many_paths_first_sees_one(name: str, deviation: float) -> None:
    out, central = outlook(), outlook().central()
    first = nearest_switch(out, "baseline", name, deviation, central, here(), years_at)
    found = closed_in(out, "baseline", name, deviation, central, here(), years_at, first)
    reach = 2 * min(found.distance, deviation)
    cell = reach / CELLS
    searched = nearest_by_search(name, reach)
    if found.how == SOLVED:
        # the search sees it within a cell beyond it; halving stops within a fiftieth of it
        assert searched - cell - CLOSE * found.distance <= found.distance <= searched + CLOSE * found.distance
        # first order is a first guess: half of it to twice
        assert first.how == NONE or 0.5 < first.distance / found.distance < 2.0
    else:
        assert searched > deviation


def test_the_small_case_changes_regime_by_a_threshold_and_the_search_can_fail() -> None:
    found = nearest_switch(outlook(), "baseline", "rest_cost_trend", 0.01, outlook().central(), here(), years_at)
    assert found.how == FIRST_ORDER and "threshold at 37,500 EUR" in found.what
    assert nearest_by_search("rest_cost_trend", 2 * found.distance) == pytest.approx(found.distance, rel=0.1)


def test_a_pool_that_binds_has_its_price_as_slack_to_nothing_and_the_rest_of_the_fine_to_the_fine() -> None:
    out = outlook()
    years = run(out, "baseline", out.central())[1]
    regime, price = regime_of(out, out.plans["baseline"], out.central(), years), np.asarray(years.rules.price)  # type: ignore[union-attr]
    binding = np.argwhere(regime.codes["pool"] == BINDING)
    assert len(binding) and (regime.codes["pool"] == FINED).any()
    for t, k in binding:
        assert regime.slacks["pool"][t, k] == pytest.approx([price[t, k], 95.0 - price[t, k]])
    t, k = (int(i) for i in binding[0])
    assert "stops binding" in name_of(out, "baseline", "pool", (t, k), regime, 0)
    assert "comes to the fine" in name_of(out, "baseline", "pool", (t, k), regime, 1)


def test_a_regime_that_is_left_within_the_first_step_either_way_is_bounded_from_above() -> None:
    far = 100.0 * nearest_switch(outlook(), "baseline", "rest_cost_trend", 0.01, outlook().central(), here(), years_at).distance
    found = nearest_switch(outlook(), "baseline", "rest_cost_trend", 100 * far, outlook().central() | {"rest_cost_trend": 0.0}, here(), years_at)
    assert found.how == AT_MOST


def test_a_launch_has_a_change_where_a_year_begins_and_where_a_models_age_begins_anew() -> None:
    world = small_world()
    facts = dataclasses.replace(steady_facts(world, 2023, tuple(range(2024, 2033))), cycle_years=6.8)
    out = build(world, {"launch": small_scenarios()["launch_later"]}, facts)  # planned for July 2025: 2025.496
    values = out.central() | {"date:boreas_small": 0.2}
    whole = of_launch(out, "launch", "date:boreas_small", values)
    at = out.stories["launch"].launch_years["boreas_small"] + 0.2
    assert (whole.how, whole.way) == (EXACT, 1) and whole.distance == pytest.approx(2026 - at)
    ageing = of_launch(out, "launch", "date:boreas_small", values | {"age_taste": 0.05})
    # renewed after 6.8 years: a launch seven tenths into 2025 is new again in the middle of 2032
    assert ageing.distance == pytest.approx(2025.7 - at, abs=1e-9) and "new again in 2032" in ageing.what and ageing.way == 1
    assert of_launch(out, "baseline", "date:boreas_small", values) == NOWHERE
