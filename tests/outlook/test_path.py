"""What every path must do, whatever the case: closed forms, accounts, and the one-year model it grew from."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest
from numpy.typing import ArrayLike

from keiretsu.market.solve import solve
from keiretsu.outlook.arrays import Year
from keiretsu.outlook.facts import steady_facts
from keiretsu.outlook.outlook import Outlook, build, run
from keiretsu.supply.pricing import PricingOptions
from tests.outlook.small import YEARS, small_scenarios, small_world

CARS = 1e-5  # cars a year; prices are settled to 1e-7 EUR
EUR = 1e-6


@functools.cache
def outlook() -> Outlook:
    world = small_world()
    facts = steady_facts(world, 2023, YEARS)
    return build(world, small_scenarios(), facts, PricingOptions())


def years_of(scenario: str, **values: float) -> Year:
    return run(outlook(), scenario, outlook().central() | {name.replace("__", ":"): value for name, value in values.items()})[1]


def by_product(array: ArrayLike, market: int, product: str) -> np.ndarray:
    rows = list(outlook().roster.rows.values())[market]
    slots = np.flatnonzero(rows["product"] == product)
    return np.asarray(array)[:, market, slots].sum(axis=1)


@pytest.mark.parametrize("name", ["cheaper", "stake", "cut", "launch", "twin"])
def test_one_year_with_nothing_moving_is_the_one_year_equilibrium(name: str) -> None:
    world = small_world()
    one = solve(small_scenarios()[name].apply(world))
    years = years_of(name)
    for m, market in enumerate(world.markets):
        rows = one.products[one.products["market"] == market]
        for product, units, price in zip(rows["product"], rows["units"], rows["price_eur"], strict=True):
            assert by_product(years.units, m, product)[0] == pytest.approx(units, rel=1e-9, abs=CARS)
            assert by_product(years.price, m, product)[0] == pytest.approx(price, abs=EUR)
    profit = one.firms.groupby("firm")["profit_eur"].sum()
    for f, firm in enumerate(outlook().roster.firms):
        assert np.asarray(years.firm_profit)[0, f] == pytest.approx(profit[firm], rel=1e-9)
    assert np.asarray(years.surplus)[0] == pytest.approx(one.markets["surplus_eur"].to_numpy(), rel=1e-9)
    assert np.asarray(years.government)[0] == pytest.approx(one.markets["government_eur"].to_numpy(), rel=1e-9)
    assert np.asarray(years.co2_t)[0] == pytest.approx(one.markets["co2_t"].to_numpy(), rel=1e-9)


def test_constant_inputs_give_constant_years() -> None:
    years = years_of("baseline")
    for quantity in (years.units, years.price, years.firm_profit, years.pack_price, years.chargers, years.stock, years.scrapped):
        array = np.asarray(quantity)
        assert array[1:] == pytest.approx(np.broadcast_to(array[:1], array[1:].shape), rel=1e-8, abs=CARS)


def test_the_base_year_is_reproduced_whatever_buyers_care_for() -> None:
    for values in ({"price_sensitivity": 1.3}, {"electric_spread": 0.4}, {"price_sensitivity": 0.8, "electric_spread": 1.7}):
        years = years_of("baseline", **values)
        for m, market in enumerate(small_world().markets):
            rows = small_world().products[small_world().products["market"] == market]
            for product, units, price in zip(rows["product"], rows["units"], rows["price_eur"], strict=True):
                assert by_product(years.units, m, product)[0] == pytest.approx(units, rel=1e-8)
                assert by_product(years.price, m, product)[0] == pytest.approx(price, abs=1e-4)


def test_costlier_to_buyers_means_smaller_margins_revealed() -> None:
    loose, tight = years_of("baseline", price_sensitivity=0.9), years_of("baseline", price_sensitivity=1.1)
    sold = slice(0, len(outlook().roster.firms))
    assert (np.asarray(tight.firm_profit)[0, sold] < np.asarray(loose.firm_profit)[0, sold]).all()


def test_the_pack_price_follows_the_learning_curve_in_closed_form() -> None:
    rate = 0.18
    years = years_of("baseline", learning_rate=rate, raw_material_early=0.1)
    facts = outlook().facts
    own = np.asarray(years.battery_gwh)
    world = np.array(facts.world_gwh) * (1 - facts.base_year_gwh / facts.base_year_gwh)  # in a steady world nobody else builds
    cumulative = facts.cumulative_gwh + facts.base_year_gwh + np.concatenate([[0.0], np.cumsum(own + world)[:-1]])
    expected = facts.pack_price_eur_kwh * (cumulative / facts.cumulative_gwh) ** np.log2(1 - rate) * np.exp(0.1)
    assert np.asarray(years.pack_price) == pytest.approx(expected, rel=1e-12)


def test_a_doubling_of_output_takes_exactly_the_learning_rate_off() -> None:
    facts = dataclasses.replace(outlook().facts, cumulative_gwh=1e-9 + outlook().facts.base_year_gwh)
    out = build(small_world(), {}, facts)
    years = run(out, "baseline", out.central() | {"learning_rate": 0.2})[1]
    assert np.asarray(years.pack_price)[0] == pytest.approx(0.8 * facts.pack_price_eur_kwh, rel=1e-9)


def test_stock_is_stock_before_plus_sales_less_scrapped() -> None:
    years = years_of("cheaper", demand_growth=0.03, electric_taste=0.2)
    base = np.asarray(outlook().base.fleet).sum(axis=-1)
    sales = np.einsum("pmj,tmj->tmp", np.asarray(outlook().base.powertrain), np.asarray(years.units))
    stock, scrapped = np.asarray(years.stock), np.asarray(years.scrapped)
    before = np.concatenate([base[None], stock[:-1]])
    assert stock == pytest.approx(before + sales - scrapped, rel=1e-12)


def test_demand_grows_by_the_stated_rate_and_nothing_else_changes() -> None:
    grown, flat = years_of("baseline", demand_growth=0.05), years_of("baseline")
    factor = 1.05 ** np.arange(1, len(YEARS) + 1)
    assert np.asarray(grown.units_all) == pytest.approx(np.asarray(flat.units_all) * factor[:, None], rel=1e-9)


def test_a_launch_in_mid_year_sells_in_part_of_that_year_and_not_before() -> None:
    years, whole = years_of("launch_later"), years_of("launch")
    sold, in_full = by_product(years.units, 0, "boreas_small"), by_product(whole.units, 0, "boreas_small")
    assert sold[0] == 0.0
    assert 0.4 * in_full[1] < sold[1] < 0.7 * in_full[1]
    assert sold[2] == pytest.approx(in_full[2], rel=1e-9)


def test_a_launch_that_does_not_happen_is_the_baseline() -> None:
    years, base = years_of("launch", happens__boreas_small=0.0), years_of("baseline")
    assert np.asarray(years.firm_profit) == pytest.approx(np.asarray(base.firm_profit), rel=1e-9)


def test_a_part_year_is_close_to_the_mean_of_a_year_with_and_a_year_without() -> None:
    half = years_of("launch", date__boreas_small=0.5)
    mean = (np.asarray(years_of("launch").firm_profit)[0] + np.asarray(years_of("baseline").firm_profit)[0]) / 2
    change = np.asarray(years_of("launch").firm_profit)[0] - np.asarray(years_of("baseline").firm_profit)[0]
    # counting half a model inside its nest is not the mean of two markets; it is within a tenth of what the launch changes
    assert np.abs(np.asarray(half.firm_profit)[0] - mean).max() < 0.1 * np.abs(change).max()


def test_taste_for_electric_cars_rises_by_the_sum_of_its_yearly_steps() -> None:
    fading = years_of("baseline", electric_taste=0.3, electric_taste_kept=0.5)
    at_once = years_of("baseline", electric_taste=0.3 * (1 - 0.5**3) / (1 - 0.5) / 3)
    assert np.asarray(fading.electric_units)[2] == pytest.approx(np.asarray(at_once.electric_units)[2], rel=1e-6)


def test_chargers_close_the_stated_part_of_the_gap_to_what_the_fleet_supports() -> None:
    years = years_of("baseline", electric_taste=0.4, charger_speed=0.5, charger_power=0.8, charger_taste=0.3)
    first = np.asarray(outlook().base.fleet)[:, 0].sum(axis=-1)
    c0 = np.asarray(outlook().base.chargers)
    expected = c0 + 0.5 * (c0 * (np.asarray(years.stock)[0, :, 0] / first) ** 0.8 - c0)
    assert np.asarray(years.chargers)[0] == pytest.approx(c0)
    assert np.asarray(years.chargers)[1] == pytest.approx(expected, rel=1e-12)


def test_owners_claims_add_up_to_operating_profit() -> None:
    years = years_of("stake")
    claims = np.einsum("tof,tf->to", outlook().claims["stake"], np.asarray(years.firm_profit))
    assert claims.sum(axis=1) == pytest.approx(np.asarray(years.firm_profit).sum(axis=1), rel=1e-12)
