"""What must be true, on a decision whose answer is known: a value that is linear in normal inputs."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from keiretsu.errors import ValuationError
from keiretsu.numerics.draws import sobol
from keiretsu.numerics.normal_scores import nataf
from keiretsu.valuation.must_be_true import MustBeTrueOptions, Question, simulated_again, what_must_be_true
from keiretsu.valuation.odds import chance_in_words, in_own_unit, listed

INPUTS = ("learning_rate", "pack_price")
TO = nataf([stats.norm(0.18, 0.03), stats.norm(110, 20)], np.eye(2))


def worth(learning, pack):
    """EUR: 2 billion for each point of learning above 12 per cent... a straight line that is zero at a known place."""
    return 2e10 * (learning - 0.18) - 1e7 * (pack - 110) + 9e8


def question(draws=256, value=worth, events=None, seed=1):
    z = sobol(draws, 2, seed).node
    x = TO.inputs(z)
    npv = value(x[:, 0], x[:, 1])
    return Question(
        decision="The stake",
        npv_eur=npv,
        normals=pd.DataFrame(z, columns=list(INPUTS)),
        in_units=TO.inputs,
        factor=TO.factor,
        events=pd.DataFrame(index=range(draws)) if events is None else events,
        units={"learning_rate": "share", "pack_price": "EUR/kWh"},
        words={"learning_rate": "learning rate", "pack_price": "pack price", "launch": "the launch"},
    )


def test_for_a_straight_line_the_point_is_the_closed_form_and_the_sentence_says_it_in_own_units():
    found = what_must_be_true(question())
    spread = np.hypot(2e10 * 0.03, 1e7 * 20)  # EUR
    beta = 9e8 / spread
    assert found.branches["beta"].iloc[0] == pytest.approx(beta, rel=1e-5)
    at = found.table.set_index("input")
    assert at.loc["learning_rate", "at_point"] == pytest.approx(0.18 - 0.03 * beta * 6e8 / spread, rel=1e-4)
    assert at.loc["pack_price", "at_point"] == pytest.approx(110 + 20 * beta * 2e8 / spread, rel=1e-4)
    assert at.loc["learning_rate", "importance"] == pytest.approx(0.9, abs=1e-4)
    assert worth(at.loc["learning_rate", "at_point"], at.loc["pack_price", "at_point"]) == pytest.approx(0, abs=1e-4 * spread)
    assert "most likely where the learning rate is 14 % instead of 18 %" in found.sentence
    assert "one chance in" in found.sentence


def test_the_chance_from_the_distance_stands_beside_the_sampled_one_and_they_agree_for_a_straight_line():
    found = what_must_be_true(question(draws=1024))
    exact = stats.norm.sf(9e8 / np.hypot(6e8, 2e8))
    assert found.first_order == pytest.approx(exact, rel=1e-4)
    assert abs(found.near.probability - exact) < 4 * found.near.error
    assert abs(found.sampled.probability - exact) < 4 * found.sampled.error
    assert found.held_out_r2 == pytest.approx(1.0, abs=1e-9)


def test_a_launch_that_may_not_happen_gets_a_point_of_its_own():
    happens = np.random.default_rng(0).uniform(size=512) < 0.75
    asked = question(draws=512, events=pd.DataFrame({"launch": happens.astype(float)}))
    asked = dataclasses.replace(asked, npv_eur=asked.npv_eur + np.where(happens, 0.0, -5e8))
    found = what_must_be_true(asked)
    beta = found.branches.set_index("branch")["beta"]
    spread = np.hypot(6e8, 2e8)
    assert beta["with the launch"] == pytest.approx(9e8 / spread, rel=1e-4)
    assert beta["without the launch"] == pytest.approx(4e8 / spread, rel=1e-4)
    share = happens.mean()
    assert found.first_order == pytest.approx(share * stats.norm.sf(9e8 / spread) + (1 - share) * stats.norm.sf(4e8 / spread), rel=1e-4)
    assert abs(found.near.probability - found.first_order) < 4 * found.near.error + 1e-4


def test_an_event_that_changes_what_an_input_is_worth_is_seen():
    happens = (np.random.default_rng(0).uniform(size=512) < 0.5).astype(float)
    asked = question(draws=512, events=pd.DataFrame({"launch": happens}))
    z = asked.normals.to_numpy()
    asked = dataclasses.replace(asked, npv_eur=1e9 + (4e8 + 4e8 * happens) * z[:, 0])
    found = what_must_be_true(asked)
    beta = found.branches.set_index("branch")["beta"]
    assert beta["with the launch"] == pytest.approx(1.25, rel=1e-4) and beta["without the launch"] == pytest.approx(2.5, rel=1e-4)


def test_simulating_the_point_again_finds_where_the_model_itself_is_zero():
    def curved(learning, pack):
        return worth(learning, pack) + 4e8 * ((pack - 110) / 20) ** 3 / 20

    found = what_must_be_true(question(value=worth))
    again = simulated_again(found, lambda x, branch: curved(x["learning_rate"], x["pack_price"]))
    assert abs(again["npv_left_eur"].iloc[0]) < 0.01 * again["spread_eur"].iloc[0]
    exact = simulated_again(found, lambda x, branch: worth(x["learning_rate"], x["pack_price"]))
    assert exact["simulations"].iloc[0] == 1  # the stand-in was right: one look is enough
    assert exact["beta_simulated"].iloc[0] == pytest.approx(found.branches["beta"].iloc[0])


def test_a_decision_that_cannot_lose_says_so():
    found = what_must_be_true(question(value=lambda a, b: worth(a, b) + 1e11))
    assert found.first_order == 0 and found.branches["status"].iloc[0] == "never loses"
    assert "no future in reach" in found.sentence and "no chance seen in 256 draws" in found.sentence


def test_a_decision_that_loses_in_the_middle_says_what_would_make_it_pay():
    found = what_must_be_true(question(value=lambda a, b: worth(a, b) - 1.2e9))
    assert found.branches["beta"].iloc[0] < 0 and found.first_order > 0.5
    assert "starts to pay" in found.sentence
    assert abs(found.near.probability - found.first_order) < 0.03


def test_values_that_no_polynomial_predicts_and_draws_that_do_not_match_are_refused():
    asked = question(draws=64)
    noise = np.random.default_rng(1).normal(size=64)
    with pytest.raises(ValuationError, match="held-out R2"):
        what_must_be_true(dataclasses.replace(asked, npv_eur=noise), MustBeTrueOptions(least_r2=0.7))
    with pytest.raises(ValuationError, match="draws do not match"):
        what_must_be_true(dataclasses.replace(asked, npv_eur=noise[:10]))
    with pytest.raises(ValuationError, match="too few draws"):
        what_must_be_true(question(draws=8))


def test_chances_and_units_are_said_as_a_board_would():
    assert chance_in_words(0.11, 256) == "one chance in nine"
    assert chance_in_words(0.0021, 4096) == "one chance in 480"
    assert chance_in_words(0.7, 256) == "seven chances in ten"
    assert chance_in_words(0.0, 256) == "no chance seen in 256 draws"
    assert in_own_unit(0.123, "share per doubling") == "12.3 % per doubling"
    assert in_own_unit(-2300.4, "EUR") == "\N{MINUS SIGN}2,300 EUR"
    assert listed(["a", "b", "c"]) == "a, b and c"
