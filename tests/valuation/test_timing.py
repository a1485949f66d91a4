"""Launch timing: games typed in, and twins on a small world."""

import numpy as np
import pytest

from keiretsu.errors import ValuationError
from keiretsu.market.solve import solve
from keiretsu.moves.product_range import Launch
from keiretsu.moves.scenario import Scenario
from keiretsu.valuation.cooperation import partners_of
from keiretsu.valuation.static_launches import SetsOnSale, players_of, profit_of_sets, units_of_sets
from keiretsu.valuation.static_value import YearsAlike
from keiretsu.valuation.timing import LaunchOption, launch_timing, where_sales_come_from, year_by_year
from tests.valuation.small_world import small_world

A, B = LaunchOption("a", "Ann", (2025, 2026)), LaunchOption("b", "Bob", (2025, 2026))


def test_twins_that_eat_each_other_come_one_at_a_time_and_both_orders_hold():
    # each earns 10 alone, 4 less when both are there; a launch costs 7: the second to come loses
    def values(years):
        both = len(years) == 2
        return {"Ann": ("a" in years) * (3.0 - 4.0 * both) * 1e6, "Bob": ("b" in years) * (3.0 - 4.0 * both) * 1e6}

    found = launch_timing([A, B], values)
    held = found.combinations[found.combinations["equilibrium"]]
    assert len(held) == 4 and ((held["a"] == "never") ^ (held["b"] == "never")).all()
    assert found.has_equilibrium and "Nobody would change" in found.sentence


def test_a_game_without_an_equilibrium_says_so_and_names_the_joint_best():
    # matching pennies over the year: one wants the same year, the other a different one; never is worse for both
    def values(years):
        if len(years) < 2:
            return {"Ann": -9e6 * ("a" not in years), "Bob": -9e6 * ("b" not in years)}
        same = years["a"] == years["b"]
        return {"Ann": 1e6 if same else -1e6, "Bob": -1e6 if same else 1e6}

    found = launch_timing([A, B], values)
    assert not found.has_equilibrium and not found.combinations["equilibrium"].any()
    assert "No combination of years holds" in found.sentence


def test_waiting_costs_the_years_not_sold_and_an_outlay_that_falls_may_pay_for_it():
    weight = YearsAlike(2025, 2028, 0.0).weights()
    launch = LaunchOption("a", "Ann", (2025, 2026, 2027))

    def profit(on_sale):
        return {"Ann": 100e6 + 5e6 * len(on_sale)}

    at_once = launch_timing([launch], year_by_year(profit, weight, {}, {"a": "Ann"}))
    assert at_once.named == {"a": 2025}
    cost = at_once.waiting.set_index("year")["cost_of_waiting_eur"]
    assert [cost[2025], cost[2026], cost[2027], cost["never"]] == pytest.approx([0, 5e6, 10e6, 20e6])
    falling = year_by_year(profit, weight, {"a": {2025: 12e6, 2026: 3e6, 2027: 2e6}}, {"a": "Ann"})
    later = launch_timing([launch], falling)
    assert later.named == {"a": 2026}
    assert later.waiting.set_index("year")["value_eur"][2026] == pytest.approx(12e6)
    assert "a in 2026" in later.sentence and "waiting until 2027 costs" in later.sentence


def test_best_responses_are_listed_for_each_choice_of_the_others():
    def values(years):
        return {"Ann": 2027.0 - years["a"] if "a" in years else 0.0, "Bob": 5.0 * (years.get("b") == 2026)}

    found = launch_timing([A, B], lambda years: {k: v * 1e6 for k, v in values(years).items()})
    replies = found.responses.set_index(["player", "others"])["best"]
    assert replies["Ann", "b in 2025"] == "a in 2025" and replies["Bob", "no launch"] == "b in 2026"
    assert len(found.responses) == 6 and found.named == {"a": 2025, "b": 2026}


def twins():
    """One car under two brands: the same characteristics, each as liked as its brand's petrol car."""
    world = small_world()
    moves = [
        Launch(product=product, markets=("M",), brand=brand, like=like, price_eur=24_000.0, margin=0.15, seats=7, priced_by=brand, utility="of_like")
        for product, brand, like in (("new", "Ares", "ares_p"), ("twin", "Boreas", "boreas_p"))
    ]
    return world, Scenario("twins", "twins", "", tuple(moves))


def test_twins_take_sales_from_each_other_and_the_parts_add_up():
    world, scenario = twins()
    launches = [LaunchOption("new", "Ares", (2025,)), LaunchOption("twin", "Boreas", (2025,))]
    sets = SetsOnSale(world, scenario, solve, ("new", "twin"))
    partners = partners_of(world, ("Ares", "Boreas"))
    table = where_sales_come_from(launches, units_of_sets(sets, ("M",)), players_of(sets(frozenset(("new", "twin"))), partners)).set_index("launch")
    assert (table["from_partners_launches"] > 0).all()
    assert (table["sells"] < table["alone_sells"]).all()
    parts = table[[c for c in table if c.startswith("from_")]].sum(axis=1)
    np.testing.assert_allclose(parts, table["sells"], rtol=1e-12)
    assert (table["from_nothing"] > 0).all() and (table["from_rivals"] > 0).all()


def test_the_twin_is_worth_less_to_its_brand_once_the_original_is_there():
    world, scenario = twins()
    launches = [LaunchOption("new", "Ares", (2025, 2026)), LaunchOption("twin", "Boreas", (2025, 2026))]
    partners = partners_of(world, ("Ares", "Boreas"))
    profit = profit_of_sets(SetsOnSale(world, scenario, solve, ("new", "twin")), partners)
    values = year_by_year(profit, YearsAlike(2025, 2030, 0.07).weights(), {}, {"new": "Ares", "twin": "Boreas"})
    found = launch_timing(launches, values)
    alone = found.alone.set_index(["launch", "year"])["value_eur"]
    beside = found.waiting.set_index(["launch", "year"])["value_eur"]
    both = found.combinations[(found.combinations["new"] == 2025) & (found.combinations["twin"] == 2025)].iloc[0]
    only_new = found.combinations[(found.combinations["new"] == 2025) & (found.combinations["twin"] == "never")].iloc[0]
    assert both["Boreas_eur"] - only_new["Boreas_eur"] < alone["twin", 2025]
    assert found.named == {"new": 2025, "twin": 2025}  # without outlays nobody waits
    assert beside["twin", 2025] > beside["twin", 2026]


def test_launches_that_cannot_be_timed_are_refused():
    with pytest.raises(ValuationError) as error:
        launch_timing([A, A, LaunchOption("c", "Cid", ())], lambda years: {})
    assert "named twice" in str(error.value) and "without a year" in str(error.value)
    with pytest.raises(ValuationError, match="nothing to launch"):
        launch_timing([], lambda years: {})
    with pytest.raises(ValuationError, match="too many combinations"):
        launch_timing([LaunchOption(f"l{k}", "Ann", tuple(range(2025, 2035))) for k in range(6)], lambda years: {})
    world, scenario = twins()
    with pytest.raises(ValuationError, match="does not launch"):
        SetsOnSale(world, scenario, solve, ("zeppelin",))
