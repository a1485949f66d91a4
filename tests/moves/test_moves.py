"""Each move changes what it says and nothing else."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keiretsu.errors import MoveError
from keiretsu.market.market import kappa_of
from keiretsu.market.solve import solve
from keiretsu.moves import (
    BatteryPriceShock,
    CostShock,
    JointVenture,
    Listing,
    Merger,
    Pact,
    Partnership,
    PriceCut,
    ProductFilter,
    RegisterDate,
    StakePurchase,
    StakeSale,
    Supply,
    Withdrawal,
)
from keiretsu.ownership.register_changes import stake_held
from keiretsu.ownership.weights import Controller, Financial, Proportional, Separate

FIRMS = ("Ares", "Boreas", "Chronos", "Daphne")

# Prices are settled to 1e-7 EUR, so two solutions of the same world may differ by about that much, on prices of 1e4.
SETTLED_EUR = 1e-5


def same_world(one, other):
    """Everything that prices depend on is the same to the last bit."""
    pd.testing.assert_frame_equal(one.products, other.products, check_exact=True)
    for day in (one.date, one.date - dt.timedelta(days=1), one.date + dt.timedelta(days=400)):
        left, right = one.register.as_of(day), other.register.as_of(day)
        for array in ("cross_holdings", "owner_shares", "firm_votes", "owner_votes"):
            np.testing.assert_array_equal(getattr(left, array), getattr(right, array))
    np.testing.assert_array_equal(kappa_of(one, FIRMS), kappa_of(other, FIRMS))


def others_untouched(before, after, columns):
    """All columns but those named are as they were."""
    rest = [c for c in before.products.columns if c not in columns]
    pd.testing.assert_frame_equal(before.products[rest], after.products[rest], check_exact=True)


@pytest.mark.parametrize("money", ["primary", "secondary"])
def test_a_stake_of_zero_changes_nothing(world, money):
    sellers = ("Fund",) if money == "secondary" else ()
    move = StakePurchase(buyer="Boreas", company="Ares", money=money, share=0.0, sellers=sellers)
    same_world(world, move.apply(world))


def test_buying_and_selling_back_changes_nothing(world):
    bought = StakePurchase(buyer="Boreas", company="Daphne", money="secondary", share=0.25, sellers=("Fund",)).apply(world)
    assert stake_held(bought.register, "Boreas", "Daphne", world.date) == (0.25, 0.25)
    back = StakeSale(seller="Boreas", company="Daphne", buyer="Fund", share=0.25).apply(bought)
    same_world(world, back)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0.0, 0.6), buyer=st.sampled_from(["Ares", "Boreas", "Chronos", "State"]))
def test_any_stake_bought_and_sold_back_changes_nothing(world, share, buyer):
    bought = StakePurchase(buyer=buyer, company="Daphne", money="secondary", share=share, sellers=("Fund",)).apply(world)
    same_world(world, StakeSale(seller=buyer, company="Daphne", buyer="Fund", share=share).apply(bought))


def test_primary_money_buys_amount_over_post_money_and_dilutes_everybody_else(world):
    move = StakePurchase(buyer="Chronos", company="Ares", money="primary", amount_eur=600e6, valuation_eur=8e9, valuation_basis="pre_money")
    after = move.apply(world)
    part = 0.6 / 8.6
    assert stake_held(after.register, "Chronos", "Ares", world.date) == pytest.approx((part, part), rel=1e-14)
    assert stake_held(after.register, "Fund", "Ares", world.date)[0] == pytest.approx(0.30 * (1 - part), rel=1e-14)
    post = dataclasses.replace(move, valuation_basis="post_money").apply(world)
    assert stake_held(post.register, "Chronos", "Ares", world.date)[0] == pytest.approx(0.6 / 8.0, rel=1e-14)


def test_secondary_money_takes_from_the_sellers_in_proportion_and_dilutes_nobody(world):
    sellers = ("State", "Ares")  # 10 % and 15 % of Boreas on the day
    after = StakePurchase(buyer="Chronos", company="Boreas", money="secondary", amount_eur=100e6, valuation_eur=1e9, sellers=sellers).apply(world)
    held = {name: stake_held(after.register, name, "Boreas", world.date)[0] for name in (*sellers, "Chronos")}
    assert held == pytest.approx({"State": 0.06, "Ares": 0.09, "Chronos": 0.10}, rel=1e-12)


def test_the_float_may_sell_what_it_holds(world):
    after = StakePurchase(buyer="Ares", company="Chronos", money="secondary", share=0.4, sellers=("float of Chronos",)).apply(world)
    assert after.register.as_of(world.date).cross_holdings[0, 2] == 0.4
    assert after.register.as_of(world.date).owner_shares[:, 2].sum() == pytest.approx(0.6)


def test_the_float_of_another_company_holds_nothing_to_sell(world):
    with pytest.raises(MoveError, match="unknown company or owner; seen float of Ares"):
        StakePurchase(buyer="Ares", company="Chronos", money="secondary", share=0.4, sellers=("float of Ares",)).apply(world)


def test_a_listing_makes_the_float_larger_by_the_part_floated(world):
    column = FIRMS.index("Daphne")
    before = world.register.as_of(world.date).owner_shares[-1, column]
    assert before == pytest.approx(0.4)
    secondary = Listing(company="Daphne", share=0.2, money="secondary", sellers=("Fund",)).apply(world)
    assert secondary.register.as_of(world.date).owner_shares[-1, column] == pytest.approx(0.6)
    primary = Listing(company="Daphne", share=0.2, money="primary").apply(world)
    assert primary.register.as_of(world.date).owner_shares[-1, column] == pytest.approx(0.2 + 0.8 * 0.4)


def test_ownership_of_another_day_is_used_and_nothing_else_changes(world):
    day = world.date - dt.timedelta(days=30)
    after = RegisterDate(date=day).apply(world)
    assert stake_held(after.register, "State", "Boreas", world.date)[0] == 0.20
    assert after.date == world.date
    others_untouched(world, after, ())


@pytest.mark.parametrize("rule", [Separate(), Financial(), Controller(), Proportional()], ids=str)
def test_merged_firms_put_weight_one_on_each_other_under_every_rule(world, rule):
    after = Merger(acquirer="Boreas", target="Chronos").apply(world.replace(rule=rule))
    kappa = kappa_of(after, FIRMS)
    np.testing.assert_allclose(kappa[1:3, 1:3], 1.0, rtol=0, atol=1e-12)


def test_a_merger_under_separate_firms_prices_like_one_firm_with_both_ranges(world):
    separate = world.replace(rule=Separate())
    merged = solve(Merger(acquirer="Boreas", target="Chronos").apply(separate))
    p = separate.products
    one_firm = separate.replace(
        products=p.assign(priced_by=p["priced_by"].replace("Chronos", "Boreas"), profit_to=p["profit_to"].replace("Chronos", "Boreas"))
    )
    np.testing.assert_allclose(merged.products["price_eur"], solve(one_firm).products["price_eur"], rtol=0, atol=SETTLED_EUR)


def test_holders_of_a_company_taken_over_for_shares_get_the_part_stated(world):
    after = Merger(acquirer="Chronos", target="Daphne", paid_in_shares=0.25).apply(world)
    assert stake_held(after.register, "Fund", "Chronos", world.date)[0] == pytest.approx(0.25 * 0.60)
    claims = solve(after).owners["claim_eur"].sum()
    assert claims == pytest.approx(solve(after).firms["profit_eur"].sum(), rel=1e-12)


def test_parts_of_a_joint_venture_add_up_to_its_profit(world, base):
    products = ProductFilter(product=("ares_one", "boreas_one"))
    venture = JointVenture(company="Eos", split={"Ares": 0.7, "Boreas": 0.3}, products=products)
    outcome = solve(venture.apply(world))
    of_cars = outcome.products.loc[outcome.products["product"].isin(products.product), "profit_eur"].sum()
    profit = outcome.firms.groupby("firm")["profit_eur"].sum()
    assert profit["Eos"] == pytest.approx(of_cars, rel=1e-12)
    booked = dataclasses.replace(venture, booked="parents", priced_by="Ares")
    outcome = solve(booked.apply(world))
    cars = outcome.products.set_index(["market", "product"])["profit_eur"]
    shared = cars[cars.index.isin(products.product, level="product")].sum()
    own = cars.drop(cars.index[cars.index.isin(products.product, level="product")])
    profit = outcome.firms.groupby("firm")["profit_eur"].sum()
    own_ares = own[own.index.get_level_values("product").str.startswith("ares")].sum()
    own_boreas = own[own.index.get_level_values("product").str.startswith("boreas")].sum()
    assert profit["Ares"] - own_ares == pytest.approx(0.7 * shared, rel=1e-10)
    assert profit["Boreas"] - own_boreas == pytest.approx(0.3 * shared, rel=1e-10)
    assert outcome.owners["claim_eur"].sum() == pytest.approx(outcome.firms["profit_eur"].sum(), rel=1e-12)


def test_a_pact_makes_its_members_run_the_company(world):
    after = Pact(company="Boreas", members=("Ares",)).apply(world)
    kappa = kappa_of(after, FIRMS)
    # Ares holds 15 % of Boreas and counts a euro at home 1 / 0.15 times as much
    assert kappa[1, 0] == pytest.approx(1 / 0.15)


def test_a_supplier_is_paid_the_transfer_price_and_profit_adds_up(world):
    move = Supply(products=ProductFilter(product=("boreas_one",), market=("north",)), builder="Ares", transfer_price_eur=24_000.0)
    outcome = solve(move.apply(world))
    car = outcome.products.query("product == 'boreas_one' and market == 'north'").iloc[0]
    ares_own = outcome.products.query("priced_by == 'Ares' and market == 'north'")["profit_eur"].sum()
    ares = outcome.firms.query("firm == 'Ares' and market == 'north'")["profit_eur"].iloc[0]
    assert ares - ares_own == pytest.approx((24_000.0 - car["cost_eur"]) * car["units"], rel=1e-9)
    assert outcome.firms["profit_eur"].sum() == pytest.approx(outcome.products["profit_eur"].sum(), rel=1e-12)


def test_a_partnership_saves_on_shared_platforms_and_on_everything_bought(world):
    platform = ProductFilter(powertrain=("BEV",))
    move = Partnership(partners=("Ares", "Boreas"), platform_saving=0.05, platform_products=platform, purchasing_saving=0.01)
    after = move.apply(world)
    ratio = (after.products["cost_eur"] / world.products["cost_eur"]).to_numpy()
    theirs = world.products["priced_by"].isin(["Ares", "Boreas"])
    electric = world.products["powertrain"] == "BEV"
    np.testing.assert_allclose(ratio, np.select([theirs & electric, theirs], [0.94, 0.99], 1.0), rtol=1e-14)
    assert after.alliances == (("Ares", "Boreas"),)
    np.testing.assert_array_equal(kappa_of(after, FIRMS), kappa_of(world, FIRMS))
    joint = dataclasses.replace(move, pricing="joint").apply(world)
    np.testing.assert_array_equal(kappa_of(joint, FIRMS)[:2, :2], 1.0)


def test_a_battery_price_shock_moves_cost_by_kwh_times_the_change(world):
    after = BatteryPriceShock(change_eur_per_kwh=-30.0).apply(world)
    change = (after.products["cost_eur"] - world.products["cost_eur"]).to_numpy()
    np.testing.assert_allclose(change, -30.0 * world.products["battery_kwh"], rtol=0, atol=1e-9)
    others_untouched(world, after, ("cost_eur",))


def test_a_cost_shock_is_confined_to_its_products(world):
    after = CostShock(products=ProductFilter(brand=("Ares",), market=("south",)), change_share=0.1, change_eur=100.0).apply(world)
    hit = (world.products["brand"] == "Ares") & (world.products["market"] == "south")
    expected = np.where(hit, world.products["cost_eur"] * 1.1 + 100.0, world.products["cost_eur"])
    np.testing.assert_allclose(after.products["cost_eur"], expected, rtol=1e-15)
    with pytest.raises(MoveError, match="marginal cost of zero or less"):
        CostShock(change_eur=-20_000.0).apply(world)


def test_a_cut_price_is_held_while_rivals_answer(world, base):
    after = solve(PriceCut(products=ProductFilter(maker=("Chronos",)), share=0.1).apply(world))
    cut = base.products["priced_by"] == "Chronos"
    np.testing.assert_allclose(after.products["price_eur"][cut], 0.9 * base.products["price_eur"][cut], rtol=1e-12)
    moved = (after.products["price_eur"] - base.products["price_eur"])[~cut]
    assert (moved.abs() > SETTLED_EUR).all()
    assert after.products["units"][cut].sum() > base.products["units"][cut].sum()


def test_a_withdrawn_product_is_not_sold_and_the_rest_sells_more(world, base):
    after = solve(Withdrawal(products=ProductFilter(product=("ares_one",))).apply(world))
    assert "ares_one" not in set(after.products["product"])
    rest = base.products[base.products["product"] != "ares_one"]
    assert after.products["units"].sum() > rest["units"].sum()
    with pytest.raises(MoveError, match="nothing is left on sale"):
        Withdrawal(products=ProductFilter(market=("north",))).apply(world)


def test_a_filter_value_that_no_product_has_is_refused_with_the_names_there_are(world):
    with pytest.raises(MoveError, match=r"no product has this brand; seen Aress; wanted one of Ares, Boreas"):
        PriceCut(products=ProductFilter(brand=("Aress",)), share=0.1).apply(world)
    with pytest.raises(MoveError, match="no product fits the filter"):
        PriceCut(products=ProductFilter(brand=("Daphne",), powertrain=("BEV",)), share=0.1).apply(world)


def test_moves_leave_the_world_they_were_given_as_it_was(world):
    before = world.products.copy(deep=True)
    PriceCut(products=ProductFilter(maker=("Chronos",)), share=0.1).apply(world)
    BatteryPriceShock(change_eur_per_kwh=-30.0).apply(world)
    pd.testing.assert_frame_equal(world.products, before)
    assert world.changed_by == ()
