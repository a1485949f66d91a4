"""Alliances on a small world, and on payoffs typed in."""

import numpy as np
import pytest

from keiretsu.errors import ValuationError
from keiretsu.market.solve import solve
from keiretsu.numerics.cooperative import partitions
from keiretsu.valuation.alliances import alliance, nash_payoffs, seatings_needed
from keiretsu.valuation.cooperation import Cooperation, FlatSaving, Partner, SavingPerDoubling, SharedPool, name_of, partners_of, scenario_of
from keiretsu.valuation.static_value import YearsAlike, central_draw, drawn_worlds, profit_by_firm, static_payoffs
from tests.valuation.small_world import small_world

YEARS = YearsAlike(2024, 2035, 0.07)
CENT = 0.01  # EUR


def typed(values, alone=0.0):
    """Payoffs from a table: members of a group share v(group) equally; spread over eight draws around it."""

    def payoffs(seating):
        found = {}
        for group in seating:
            for name in group:
                found[name] = (alone + values.get(frozenset(group), 0.0) / len(group)) * np.tile([0.9, 1.1], 4)
        return found

    return payoffs


def players(*names):
    return tuple(Partner(name, (name,)) for name in names)


def test_in_the_glove_game_the_table_shows_the_shapley_value_the_core_and_who_would_break_up_what():
    gloves = {frozenset("LR"): 1.0, frozenset("LQ"): 1.0, frozenset("LRQ"): 1.0}
    found = alliance(players("L", "R", "Q"), Cooperation(), typed(gloves))
    np.testing.assert_allclose(found.splits["shapley_eur"], [2 / 3, 1 / 6, 1 / 6])
    np.testing.assert_allclose(found.splits["core_low_eur"], [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(found.splits["core_high_eur"], [1, 0, 0], atol=1e-6)
    assert found.coalitions["gamma_eur"].max() == pytest.approx(1.0)
    whole = found.seatings[found.seatings["seating"] == "L + R + Q"].iloc[0]
    assert not whole["nash_gamma"] and whole["nash_blocked_by"] in ("L + R", "L + Q")  # a third is less than the half each has as a pair
    assert whole["stable_gamma"] and whole["split_L_eur"] == pytest.approx(1.0, abs=1e-6)  # all to the rare glove, and nobody can do better
    pair = found.seatings[found.seatings["seating"].isin(["L + R | Q", "L + Q | R"])]
    assert pair["nash_gamma"].all()
    assert "Nobody would leave L with " in found.sentence and "in 8 of 8 futures" in found.sentence


def test_groupings_that_are_worth_the_same_are_counted_and_the_total_carries_its_error():
    """Every pair is worth one, whoever it is: no grouping is the one that is worth most, and whoever is left out tempts another away."""
    pairs = {frozenset(pair): 1.0 for pair in ("AB", "AC", "BC")}
    found = alliance(players("A", "B", "C"), Cooperation(), typed(pairs))
    assert "worth most are 3 of 5 groupings, among them " in found.sentence and "alone (EUR 1.00 ± 0.09)" in found.sentence
    best = found.seatings.iloc[0]
    assert best["total_half95_eur"] == pytest.approx(2.364624 * 0.1 * np.sqrt(8 / 7) / np.sqrt(8))  # eight scrambles of one draw, 0.9 or 1.1


def test_value_is_the_change_against_everybody_alone_and_splits_add_up_to_it():
    v = {frozenset("AB"): 3.0, frozenset("AC"): 2.0, frozenset("BC"): 1.0, frozenset("ABC"): 6.0}
    found = alliance(players("A", "B", "C"), Cooperation(), typed(v, alone=100.0))
    for column in ("shapley_eur", "least_core_eur", "nucleolus_eur", "nash_eur", "own_eur"):
        assert found.splits[column].sum() == pytest.approx(6.0, abs=1e-6)
    pair = found.coalitions.set_index("coalition").to_dict("index")["A + B"]
    assert pair["gamma_eur"] == pytest.approx(3.0)
    assert pair["gamma_half95_eur"] == pytest.approx(
        2.364624 * 0.3 * np.sqrt(8 / 7) / np.sqrt(8)
    )  # eight scrambles of one draw, 2.7 or 3.3: Student's t of 7
    adds = found.brings.set_index(["partner", "joins"])["adds_eur"]
    assert adds["C", "A + B"] == pytest.approx(3.0)


def test_what_outsiders_do_makes_the_difference_between_gamma_and_delta():
    # C and D together take two from each of A and B
    def payoffs(seating):
        groups = [frozenset(g) for g in seating]
        hurt = -2.0 * (frozenset("CD") in groups)
        gain = 3.0 * (frozenset("AB") in groups)
        return {name: np.array([hurt + gain / 2 if name in "AB" else -hurt]) for name in "ABCD"}

    found = alliance(players(*"ABCD"), Cooperation(), payoffs)
    pair = found.coalitions.set_index("coalition").to_dict("index")["A + B"]
    assert pair["gamma_eur"] == pytest.approx(3.0) and pair["delta_eur"] == pytest.approx(-1.0)


def test_a_group_splits_its_gain_over_falling_apart_equally():
    change = {p: np.zeros(3) for p in partitions(3)}
    change[(0, 1), (2,)] = np.array([5.0, 1.0, -1.0])
    paid = nash_payoffs(change)[(0, 1), (2,)]
    np.testing.assert_allclose(paid, [3.0, 3.0, -1.0])


def test_a_partner_brings_the_firms_it_runs_and_not_those_it_has_a_silent_stake_in():
    found = partners_of(small_world(), ("Ares", "Boreas"))
    assert found == (Partner("Ares", ("Ares", "Eos")), Partner("Boreas", ("Boreas",)))


def test_sharing_a_platform_is_worth_something_and_nobody_cooperating_changes_nothing():
    world = small_world()
    partners = partners_of(world, ("Ares", "Boreas", "Chronos"))
    form = Cooperation(FlatSaving(0.05, 0.01))
    found = alliance(partners, form, static_payoffs(central_draw(world, form), partners, solve, YEARS, 1, lambda name: None))
    values = found.coalitions.set_index("coalition")["gamma_eur"]
    np.testing.assert_allclose(values[["Ares", "Boreas", "Chronos"]], 0.0, atol=CENT)
    assert values["Ares + Boreas"] > 0 and values["Ares + Boreas + Chronos"] > 0
    pair = scenario_of(world, partners, (("Ares", "Boreas"), ("Chronos",)), form)
    base, other = profit_by_firm(solve(world)), profit_by_firm(solve(pair.apply(world)))
    direct = YEARS.annuity * sum(other[f] - base[f] for f in ("Ares", "Eos", "Boreas"))
    assert values["Ares + Boreas"] == pytest.approx(direct, abs=1.0)  # the solver stops within a cent a car
    # savings that everybody has are competed away: the pair earns more as a pair than inside the whole, so no split keeps the whole together
    whole = found.splits.set_index("partner")["own_eur"]
    assert values["Ares + Boreas"] > whole[["Ares", "Boreas"]].sum()
    assert found.core.core_is_empty


def test_with_savings_by_volume_the_smaller_partner_saves_more_and_a_larger_partner_brings_more():
    world = small_world()
    partners = partners_of(world, ("Boreas", "Chronos", "Ares"))
    form = Cooperation(SavingPerDoubling(0.03, 0.0))
    pair = scenario_of(world, partners, (("Boreas", "Chronos"), ("Ares",)), form)
    saved = {move.products.maker[0]: -move.change_share for move in pair.moves}
    assert saved["Boreas"] == pytest.approx(1 - 0.97 ** np.log2(5))  # 0.01 of 0.05 of buyers: volume grows fivefold
    assert saved["Chronos"] == pytest.approx(1 - 0.97 ** np.log2(1.25))
    found = alliance(partners, form, static_payoffs(central_draw(world, form), partners, solve, YEARS, 1, lambda name: None))
    own = found.coalitions.set_index("coalition")["Boreas_eur"]
    assert own["Boreas + Chronos"] > own["Boreas + Ares"] * 0.999 > 0


def test_joint_pricing_is_worth_at_least_what_prices_set_apart_are_to_the_pair():
    world = small_world()
    partners = partners_of(world, ("Ares", "Chronos"))
    value = {}
    for pricing in ("separate", "joint"):
        form = Cooperation(FlatSaving(0.05, 0.01), pricing=pricing)
        found = alliance(partners, form, static_payoffs(central_draw(world, form), partners, solve, YEARS, 1, lambda name: None))
        value[pricing] = found.coalitions["gamma_eur"].iloc[-1]
    assert value["joint"] > value["separate"]


def test_any_number_of_workers_gives_the_same_numbers_and_draws_carry_an_error():
    world = small_world()
    form = Cooperation()
    partners = partners_of(world, ("Ares", "Boreas"))
    draws = drawn_worlds(world, form, 8, seed=1)
    one, two = (alliance(partners, form, static_payoffs(draws, partners, solve, YEARS, workers, lambda name: None)) for workers in (1, 2))
    np.testing.assert_array_equal(one.coalitions["gamma_eur"], two.coalitions["gamma_eur"])
    assert one.draws == 8 and one.coalitions["gamma_half95_eur"].iloc[-1] > 0


def test_all_seatings_of_five_are_solved_and_only_those_of_the_conjectures_for_six():
    assert len(seatings_needed("ABCDE")) == 52
    six = seatings_needed("ABCDEF")
    assert len(six) == len(set(six)) < 203
    found = alliance(players(*"ABCDEF"), Cooperation(), typed({frozenset("ABCDEF"): 6.0}))
    assert len(found.coalitions) == 63 and found.seatings.empty
    assert name_of((("A",), ("B", "C"))) == "B + C | A"


def test_bad_alliances_are_refused_by_name():
    world = small_world()
    with pytest.raises(ValuationError, match="coalition of one"):
        partners_of(world, ("Ares",))
    with pytest.raises(ValuationError) as error:
        partners_of(world, ("Ares", "Ares", "Zeus"))
    assert "named twice" in str(error.value) and "unknown partner" in str(error.value)
    with pytest.raises(ValuationError, match="too many partners"):
        partners_of(world, tuple("ABCDEFGHI"))
    with pytest.raises(ValuationError, match="no such partner"):
        alliance(players("A", "B"), Cooperation(), typed({}), newcomer="C")
    with pytest.raises(ValuationError, match="exit before entry"):
        YearsAlike(2030, 2024, 0.07)
    problems = SharedPool(brands=("Ares",)).check(world)
    assert problems and "no partner is in a CO2 pool" in str(problems[0])
