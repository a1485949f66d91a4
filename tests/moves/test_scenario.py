"""Scenarios compose, hold on dates, and are refused with every contradiction at once."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from keiretsu.errors import MoveError
from keiretsu.moves import parse_scenarios

ARES_CUT = {"type": "price_cut", "name": "cut", "products": {"brand": "Ares"}, "share": 0.1}


def scenario(*moves, **more):
    """One scenario read from plain tables."""
    return parse_scenarios([{"name": "test", "where": "test.toml", "moves": list(moves), **more}])["test"]


def refusal(world, *moves):
    """What a scenario is refused with, on reading or on applying."""
    with pytest.raises(MoveError) as refused:
        scenario(*moves).apply(world)
    return str(refused.value)


def test_a_scenario_without_moves_is_the_world_under_another_name(world):
    after = scenario().apply(world)
    assert after.products is world.products
    assert after.name == "test"


def test_moves_are_recorded_in_the_order_they_were_made(world):
    after = scenario(ARES_CUT, {"type": "battery_price_shock", "change_eur_per_kwh": -20}).apply(world)
    assert after.changed_by == ("cut", "battery_price_shock")


def test_a_scenario_that_extends_others_makes_their_moves_first_and_each_once(world):
    texts: list[dict[str, object]] = [
        {"name": "a", "moves": [ARES_CUT]},
        {"name": "b", "extends": ["a"], "moves": [{"type": "battery_price_shock", "change_eur_per_kwh": -20}]},
        {"name": "c", "extends": ["b", "a"], "moves": [{"type": "withdrawal", "products": {"product": "chronos_one"}}]},
    ]
    parsed = parse_scenarios(texts)
    assert [move.label for move in parsed["c"].moves] == ["cut", "battery_price_shock", "withdrawal"]
    texts[0]["extends"] = ["c", "nowhere"]
    with pytest.raises(MoveError, match=r"(?s)extends an unknown scenario.*extends itself"):
        parse_scenarios(texts)


def test_moves_that_do_not_hold_on_the_worlds_date_are_left_out_and_noted(world):
    later = {"type": "battery_price_shock", "name": "cheap cells", "change_eur_per_kwh": -20, "start": dt.date(2026, 1, 1)}
    after = scenario(ARES_CUT, later).apply(world)
    np.testing.assert_array_equal(after.products["cost_eur"], world.products["cost_eur"])
    assert after.notes == ("test: cheap cells does not hold on 2024-03-27 and is left out",)
    assert "no move of the scenario holds" in refusal(world, later)


def test_an_uncertain_move_happens_as_often_as_its_probability_says():
    unsure = scenario({**ARES_CUT, "probability": 0.3})
    rng = np.random.default_rng(1)
    happened = sum(len(unsure.drawn(rng).moves) for _ in range(4_000))
    # four standard deviations of a binomial with 4000 draws
    assert abs(happened / 4_000 - 0.3) < 4 * np.sqrt(0.3 * 0.7 / 4_000)
    assert unsure.certain().moves == ()


def test_two_moves_cannot_hold_one_price_at_two_levels(world):
    message = refusal(world, ARES_CUT, {"type": "price_cut", "products": {"product": "ares_one"}, "share": 0.2})
    assert "price of ares_one in market north held at two levels" in message
    assert "the other move is cut at test.toml, move 1 (price_cut)" in message


def test_the_same_move_twice_is_refused(world):
    shock = {"type": "battery_price_shock", "change_eur_per_kwh": -20}
    assert "the same move twice" in refusal(world, shock, {**shock, "name": "again"})


def test_a_launch_of_what_exists_is_refused(world):
    twin = {"type": "twin", "product": "boreas_one", "original": "ares_one", "brand": "Boreas", "markets": ["north"]}
    assert "launch of a product that exists" in refusal(world, twin)


@pytest.mark.parametrize("cut_first", [True, False])
def test_a_product_cannot_be_withdrawn_and_cut_at_once(world, cut_first):
    moves = [{"type": "withdrawal", "products": {"product": "ares_one"}}, {"type": "price_cut", "products": {"product": "ares_one"}, "share": 0.1}]
    assert "ares_one in market north is withdrawn and changed at once" in refusal(world, *(moves[::-1] if cut_first else moves))


def test_a_shock_to_all_cars_does_not_contradict_a_withdrawal(world):
    scenario({"type": "withdrawal", "products": {"product": "ares_one"}}, {"type": "battery_price_shock", "change_eur_per_kwh": -20}).apply(world)


def test_more_than_is_for_sale_cannot_be_bought(world):
    buy = {"type": "stake_purchase", "buyer": "Chronos", "company": "Boreas", "money": "secondary", "share": 0.11, "sellers": ["State"]}
    assert "more is bought than is for sale" in refusal(world, buy)
    first = {**buy, "share": 0.06}
    assert "at most 4.00%" in refusal(world, first, {**first, "buyer": "Daphne"})


def test_a_firm_that_was_taken_over_takes_no_further_part(world):
    merger = {"type": "merger", "acquirer": "Ares", "target": "Daphne"}
    assert "Daphne is no longer there" in refusal(world, merger, {"type": "merger", "acquirer": "Chronos", "target": "Daphne"})
    assert "Daphne is no longer there" in refusal(
        world, merger, {"type": "stake_purchase", "buyer": "Daphne", "company": "Boreas", "money": "primary", "share": 0.1}
    )


def test_a_buyer_cannot_be_taken_over_by_what_it_buys(world):
    buy = {"type": "stake_purchase", "buyer": "Chronos", "company": "Ares", "money": "primary", "share": 0.1}
    assert "Chronos buys Ares while Ares takes Chronos over" in refusal(world, buy, {"type": "merger", "acquirer": "Ares", "target": "Chronos"})


def test_deals_in_a_company_come_in_the_order_of_their_dates(world):
    buy = {
        "type": "stake_purchase",
        "buyer": "Chronos",
        "company": "Daphne",
        "money": "secondary",
        "share": 0.1,
        "sellers": ["Fund"],
        "start": dt.date(2024, 2, 1),
    }
    sell = {"type": "stake_sale", "seller": "Chronos", "company": "Daphne", "buyer": "Ares", "share": 0.1, "start": dt.date(2024, 1, 1)}
    assert "listed in another order than their dates" in refusal(world, buy, sell)
    scenario(buy, {**sell, "start": dt.date(2024, 3, 1)}).apply(world)


def test_all_contradictions_are_reported_together(world):
    message = refusal(
        world,
        ARES_CUT,
        {"type": "price_cut", "products": {"product": "ares_two"}, "share": 0.3},
        {"type": "withdrawal", "products": {"product": "chronos_one"}},
        {"type": "cost_shock", "products": {"product": "chronos_one"}, "change_share": 0.1},
        {"type": "cost_shock", "products": {"brand": "Nobody"}, "change_share": 0.1},
        {"type": "stake_sale", "seller": "Fund", "company": "Daphne", "buyer": "Ares", "share": 0.9},
    )
    for text in (
        "ares_two in market north held at two levels",
        "chronos_one in market south is withdrawn",
        "no product has this brand",
        "more is bought than is for sale",
    ):
        assert text in message


def test_a_stake_must_be_sized_in_one_way():
    with pytest.raises(MoveError, match="either share, or amount_eur and valuation_eur"):
        scenario({"type": "stake_purchase", "buyer": "A", "company": "B", "money": "primary", "share": 0.1, "amount_eur": 1e6})
    with pytest.raises(MoveError, match="sellers when secondary, none when primary"):
        scenario({"type": "stake_purchase", "buyer": "A", "company": "B", "money": "secondary", "share": 0.1})
