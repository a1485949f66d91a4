"""Tariff quotas in force inside the years: the one-year model's equilibrium in every year, as many cars inside as the quota has, and nothing at all while it is not filled."""

from __future__ import annotations

import datetime as dt
import functools
from itertools import pairwise

import jax
import numpy as np
import pytest

from keiretsu.errors import NotSettled
from keiretsu.market.policy.programmes import Duty, PriceWindow, Programme, Scope, TariffQuota
from keiretsu.market.pools import FleetRule, FleetTarget, Pool
from keiretsu.market.solve import solve
from keiretsu.market.world import World
from keiretsu.moves.scenario import parse_scenarios
from keiretsu.outlook.facts import steady_facts
from keiretsu.outlook.measures import measure_named
from keiretsu.outlook.outlook import Outlook, build, run, run_filled, solved
from keiretsu.outlook.path import nothing_to_follow
from keiretsu.outlook.pieces import CENTRAL, Piece, run_piece
from keiretsu.outlook.quota_years import Filled
from keiretsu.outlook.quotas import CARS_BEYOND, QUOTA_PRICE, any_quota, counted, enough, quotas_of
from keiretsu.outlook.regimes import SLACK, name_of, regime_at
from keiretsu.outlook.sensitivity import slopes
from keiretsu.supply.pricing import PricingOptions
from tests.outlook.bent_worlds import ceiling, pot, world_with
from tests.outlook.small import YEARS
from tests.outlook.test_fleet_years import rules

EUR = 2e-3  # a car: prices of both models are settled to EUR 1e-4, shadow prices and savings to EUR 1e-3 of each other
CARS = 1e-2  # a year, of some 30,000 of a model: what EUR 2e-3 moves
SOLD = 124_116.4  # electric cars of Ares in the north when all of them pay nothing
MOVING = {"learning_rate": 0.18, "charger_speed": 0.4, "charger_taste": 0.2, "electric_taste": 0.1}
EVERYWHERE = PriceWindow("customs")


def duties(cars: float, window: PriceWindow = EVERYWHERE, makers: tuple[str, ...] = ("Ares",), over: float = float("inf")) -> tuple[Programme, ...]:
    """All electric cars pay 40 % of half of their price in the north (60 % above a customs value `over`); of `makers` the first `cars` a year nothing."""
    more = {"over_eur": over, "rate_over": 0.6} if np.isfinite(over) else {}
    duty = Duty(Scope("duty", ("north",), dt.date(2024, 1, 1), powertrains=("BEV",)), rate=0.4, value_share=0.5, **more)
    scope = Scope("quota", ("north",), dt.date(2024, 1, 1), powertrains=("BEV",), makers=makers, known=dt.date(2023, 1, 1))
    return duty, TariffQuota(scope, 0.0, 0.5, cars, window)


def outlook_of(world: World) -> Outlook:
    return build(world, {}, steady_facts(world, 2023, YEARS), PricingOptions())  # as other tests: one compiled path serves them


@functools.cache
def outlook(share: float, makers: tuple[str, ...] = ("Ares",)) -> Outlook:
    """A quota of this share of what Ares would sell."""
    return outlook_of(world_with(*duties(share * SOLD, makers=makers)))


def filled(out: Outlook, **values: float) -> Filled:
    return run_filled(out, "baseline", out.central() | values)


def inside_is_the_quota(out: Outlook, found: Filled) -> None:
    """All cars but those beyond are as many as the quota has, in every year; one maker has one."""
    for one in quotas_of(out, "baseline"):
        beyond = counted(one, found.plan, found.years).beyond(one.cars)
        assert beyond == pytest.approx(found.beyond[one.t, one.m], abs=enough(one.cars))


def as_in_one_year(world: World, out: Outlook, found: Filled) -> None:
    """Prices, cars, profit and money of government in every year are those of the one-year model on 1 July 2024 (nothing moves in these years)."""
    one = solve(world.replace(date=dt.date(2024, 7, 1)))
    for m, (market, rows) in enumerate(out.roster.rows.items()):
        there = one.products[one.products["market"] == market]
        slots = {str(product): i for i, product in enumerate(rows["product"])}
        at = [slots[str(product)] for product in there["product"]]
        for t in range(len(YEARS)):
            assert np.asarray(found.years.price)[t, m, at] == pytest.approx(there["price_eur"].to_numpy(), abs=EUR)
            assert np.asarray(found.years.units)[t, m, at] == pytest.approx(there["units"].to_numpy(), abs=CARS)
            assert np.asarray(found.years.margin)[t, m, at] == pytest.approx(there["margin_eur"].to_numpy(), abs=EUR)
            # EUR 2e-3 on a hundred thousand cars
            assert float(np.asarray(found.years.government)[t, m]) == pytest.approx(float(there["government_eur"].sum()), abs=2e3)


@pytest.mark.parametrize("share", [0.9, 0.2])
def test_one_year_of_the_years_is_the_one_year_model_under_the_same_quota_whether_it_holds_cars_back_or_some_pay_the_duty(share: float) -> None:
    world, out = world_with(*duties(share * SOLD)), outlook(share)
    found = filled(out)
    as_in_one_year(world, out, found)
    assert len(found.binding) == len(YEARS)
    # a large quota holds cars back without one beyond it; of a small one a model leaves, and one car more inside is worth what it saves
    assert (found.beyond[:, 0] > 1000).all() if share == 0.2 else (found.beyond[:, 0] == 0).all()
    inside_is_the_quota(out, found)


def test_two_makers_fill_their_own_quotas_of_the_same_size_as_in_the_one_year_model() -> None:
    makers = "Ares", "Chronos"
    found = filled(outlook(0.2, makers))
    assert {one.maker for one in found.binding} == set(makers)
    as_in_one_year(world_with(*duties(0.2 * SOLD, makers=makers)), outlook(0.2, makers), found)


@pytest.mark.parametrize("share", [0.54, 0.12])
@pytest.mark.parametrize("how", ["floor", "bracket"])
def test_where_a_window_of_prices_or_a_duty_bracket_decides_what_a_car_saves_the_years_are_the_one_year_model(how: str, share: float) -> None:
    more = {"window": PriceWindow("customs", at_least=17_000.0)} if how == "floor" else {"over": 17_000.0}
    world = world_with(*duties(share * SOLD, **more))  # type: ignore[arg-type]
    out = outlook_of(world)
    found = filled(out)
    assert len(found.binding) == len(YEARS)
    as_in_one_year(world, out, found)


@pytest.mark.parametrize("share", [0.5])
def test_under_fleet_rules_a_filled_quota_is_that_of_the_one_year_model(share: float) -> None:
    world = world_with(*duties(share * SOLD)).replace(pools=rules(60.0, 0.5))
    out = outlook_of(world)
    found = filled(out)
    assert len(found.binding) == len(YEARS) and found.years.rules is not None and (np.asarray(found.years.rules.price) > 0).any()
    as_in_one_year(world, out, found)


@pytest.mark.slow  # compiles the years under a rule that is met on average
def test_under_a_rule_met_on_the_average_of_two_years_quotas_and_the_rules_sum_clear_together() -> None:
    targets = (FleetRule("eu", ("north", "south"), year, year, FleetTarget(grams)) for year, grams in zip(YEARS[:2], (60.0, 40.0), strict=True))
    world = world_with(*duties(0.5 * SOLD)).replace(pools=(*targets, Pool("ab", "eu", ("Ares", "Boreas"))))
    move = {"type": "average_rule", "rule": "eu", "first_year": YEARS[0], "last_year": YEARS[1]}
    out = build(world, parse_scenarios([{"name": "averaged", "moves": [move]}]), steady_facts(world, 2023, YEARS[:2]), PricingOptions())
    found = run_filled(out, "averaged", out.central())
    assert found.years.rules is not None
    price, balance = np.asarray(found.years.rules.price), np.asarray(found.years.rules.balance)
    assert 0 < price[0, 0] < 95 and price[0, 0] == pytest.approx(price[1, 0])
    # g/km and cars: a shadow price that is settled to EUR 1e-3 a car moves some tenths of the 2e5 that one year has too much
    assert balance[:, :2].sum() == pytest.approx(0.0, abs=10.0) and abs(balance[0, :2].sum()) > 1e5
    assert (found.beyond[:, 0] > 1000).all() and found.price_eur[0, 0] != pytest.approx(found.price_eur[1, 0], rel=1e-2)
    for one in quotas_of(out, "averaged"):
        assert counted(one, found.plan, found.years).beyond(one.cars) == pytest.approx(found.beyond[one.t, one.m], abs=enough(one.cars))


def test_every_year_has_its_own_shadow_price_where_years_differ() -> None:
    out = outlook(0.5)
    found = filled(out, **MOVING)
    price = found.price_eur[:, 0]
    assert (price > 0).all() and min(abs(a - b) for a, b in pairwise(price)) > 1.0
    inside_is_the_quota(out, found)


def test_a_quota_that_is_just_not_exceeded_changes_no_byte_and_one_car_less_changes_prices() -> None:
    out = outlook(1e4)
    given = out.central() | MOVING
    free = solved(out, "baseline", given, nothing_to_follow(out.plans["baseline"]))[1]
    most = max(counted(one, out.plans["baseline"], free).beyond(0.0) for one in quotas_of(out, "baseline"))
    enough_for_all = outlook_of(world_with(*duties(most)))
    found = run_filled(enough_for_all, "baseline", given)
    assert not found.binding and not found.beyond.any() and not found.price_eur.any()
    for mine, other in zip(jax.tree.leaves(found.years), jax.tree.leaves(free), strict=True):
        assert np.asarray(mine).tobytes() == np.asarray(other).tobytes()
    one_less = run_filled(outlook_of(world_with(*duties(most - 1.0))), "baseline", given)
    assert len(one_less.binding) == 1 and one_less.price_eur.max() > 0


def test_a_larger_quota_brings_more_cars_and_a_lower_shadow_price() -> None:
    found = [filled(outlook(share)) for share in (0.2, 0.5, 0.9)]
    mine = [sum(counted(one, f.plan, f.years).beyond(0.0) for one in quotas_of(outlook(0.2), "baseline")) for f in found]
    assert all(a < b for a, b in pairwise(mine)) and all(a > b for a, b in pairwise([f.price_eur.max() for f in found]))


def test_a_piece_of_a_run_has_the_bytes_of_its_draws_alone_and_carries_cars_and_prices_of_quotas() -> None:
    out = outlook(0.9)
    values = [out.central() | {"price_sensitivity": 1.0 + k} for k in (0.0, 0.2)]  # the quota is not filled in the second future
    together = run_piece(out, Piece("baseline", 0, (0, 1)), values, False)
    assert together[QUOTA_PRICE[0]].shape == (2, len(YEARS), 2) and together[QUOTA_PRICE[0]][0, :, 0].min() > 0
    for k, one in enumerate(values):
        alone = run_piece(out, Piece("baseline", k, (k,)), [one], False)
        assert all(alone[name][0].tobytes() == together[name][k].tobytes() for name in alone)
    free = world_with()
    kept = run_piece(outlook_of(free), Piece("baseline", CENTRAL, ()), [outlook_of(free).central()], False)
    assert not any_quota(outlook_of(free)) and CARS_BEYOND[0] not in kept


def test_slopes_where_a_quota_is_filled_are_refused_by_name_and_the_distance_to_that_is_cars_missing() -> None:
    out = outlook(0.5)
    with pytest.raises(NotSettled, match="quota, Ares in north, 2024: slopes where a tariff quota is filled"):
        slopes(out, "baseline", measure_named("Ares value", out, 0.05), out.central())
    wide = outlook(1.1)
    here = regime_at(wide, "baseline", wide.central(), lambda values: run(wide, "baseline", values)[1])
    assert (here.codes["quota"] == SLACK).all() and here.slacks["quota"][0, 0, 1] == pytest.approx(0.1 * SOLD, abs=1.0)
    assert name_of(wide, "baseline", "quota", (0, 0), here, 1) == "quota, Ares in north, is filled in 2024"


def test_a_quota_beside_a_pot_that_splits_the_year_is_refused_by_name() -> None:
    out = outlook_of(world_with(*duties(0.5 * SOLD), pot(5e7)))
    with pytest.raises(NotSettled, match=r"quota, Ares in north, 2024: a tariff quota that is exceeded in a year that a pot of money splits"):
        filled(out)


def test_a_quota_that_no_price_fills_because_a_car_goes_over_a_threshold_there_is_refused_by_name_in_the_years_as_in_one() -> None:
    world = world_with(*duties(0.9 * SOLD), ceiling(31_000.0))
    with pytest.raises(NotSettled, match="quota, Ares in north, 2024: a tariff quota at a shadow price of EUR"):
        filled(outlook_of(world))
    with pytest.raises(NotSettled, match="quota, Ares: a tariff quota did not settle"):
        solve(world.replace(date=dt.date(2024, 7, 1)))
