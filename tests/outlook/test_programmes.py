"""Taxes and incentives inside the years: one year with programmes is the equilibrium of that world, and nothing is in force that was not known."""

from __future__ import annotations

import datetime as dt
import functools

import numpy as np
import pytest

from keiretsu.market.policy.programmes import Incentive, Programme, Scope, UnitTax
from keiretsu.market.solve import solve
from keiretsu.market.world import World
from keiretsu.moves.scenario import parse_scenarios
from keiretsu.outlook.facts import steady_facts
from keiretsu.outlook.outlook import Outlook, build, run
from keiretsu.supply.pricing import PricingOptions
from tests.outlook.small import YEARS, small_world

EUR = 1e-6  # prices are settled to 1e-7 EUR
BEFORE = dt.date(2023, 7, 1)  # the base year, without programmes
FLAT = Incentive(Scope("flat", ("north",), dt.date(2024, 1, 1), dt.date(2025, 12, 31), ("BEV",)), flat_eur=3_000.0)
LATER = UnitTax(Scope("later", ("south",), dt.date(2025, 1, 1), powertrains=("BEV",)), 2_000.0)
SAID = UnitTax(Scope("said", ("south",), dt.date(2025, 1, 1), powertrains=("ICE",), known=dt.date(2024, 2, 1)), 1_000.0)


def world_with(*programmes: Programme) -> World:
    return small_world().replace(programmes=programmes, observed_on=BEFORE)


def outlook_of(world: World, scenarios: list[dict[str, object]]) -> Outlook:
    return build(world, parse_scenarios(scenarios), steady_facts(world, 2023, YEARS), PricingOptions())


def prices_of(outlook: Outlook, scenario: str) -> dict[tuple[str, str], np.ndarray]:
    """Prices of the base year's cars by market and car, (T,)."""
    price = np.asarray(run(outlook, scenario, outlook.central())[1].price)
    return {(m, str(p)): price[:, i, j] for i, (m, rows) in enumerate(outlook.roster.rows.items()) for j, p in enumerate(rows["product"])}


@functools.cache
def taxed() -> Outlook:
    return outlook_of(world_with(FLAT, LATER, SAID), [{"name": "runs_it", "moves": [{"type": "run_programme", "programmes": ["later"]}]}])


def test_one_year_under_a_bonus_is_the_equilibrium_of_that_world() -> None:
    one = solve(world_with(FLAT))
    price = prices_of(taxed(), "baseline")
    for market, product, expected in zip(one.products["market"], one.products["product"], one.products["price_eur"], strict=True):
        assert price[market, product][0] == pytest.approx(expected, abs=EUR)
    years = run(taxed(), "baseline", taxed().central())[1]
    assert np.asarray(years.government)[0] == pytest.approx(one.markets["government_eur"].to_numpy(), rel=1e-9)
    assert np.asarray(years.surplus)[0] == pytest.approx(one.markets["surplus_eur"].to_numpy(), rel=1e-9)


def test_a_programme_that_begins_after_the_cases_day_is_not_foreseen_unless_it_was_announced() -> None:
    price, never = prices_of(taxed(), "baseline"), prices_of(outlook_of(world_with(FLAT, SAID), []), "baseline")
    for key, path in price.items():
        assert path == pytest.approx(never[key], abs=EUR)
    assert abs(price["south", "boreas_petrol"][1] - price["south", "boreas_petrol"][0]) > 10.0


def test_a_scenario_may_run_what_was_not_known() -> None:
    with_it, without = prices_of(taxed(), "runs_it"), prices_of(taxed(), "baseline")
    assert abs(with_it["south", "boreas_two"][2] - without["south", "boreas_two"][2]) > 10.0


def test_a_bonus_that_ends_leaves_the_years_after_it_as_if_it_had_never_been() -> None:
    price, base = prices_of(taxed(), "baseline"), solve(world_with()).products
    for market, product, expected in zip(base["market"], base["product"], base["price_eur"], strict=True):
        if market == "north":
            assert price[market, product][2] == pytest.approx(expected, abs=EUR)
    assert abs(price["north", "ares_one"][0] - price["north", "ares_one"][2]) > 10.0
