"""Newton's method in NumPy finds the mean utilities behind shares, and leaves to others what it cannot settle."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.demand.worlds import STRUCTURES, random_world, shares

from keiretsu.demand.choice import choose_now
from keiretsu.demand.inversion import EXACT, invert
from keiretsu.demand.newton import invert_now, with_shares
from keiretsu.demand.tastes import Tastes, plain_logit
from keiretsu.errors import DemandError, InversionNotSettled


def at(tastes, delta):
    return Tastes(delta, tastes.mu, tastes.alpha, tastes.weight, tastes.available, tastes.nests, tastes.outside)


def one(observed, tastes, paid):
    return invert_now([observed], [tastes], [paid], ["here"], [[f"product {j}" for j in range(len(observed))]])[0]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), structure=st.sampled_from(STRUCTURES), outside=st.booleans(), spread=st.sampled_from([0.0, 1.0, 5.0]))
def test_shares_come_back_from_the_mean_utilities_found_for_them(seed, structure, outside, spread):
    tastes, paid = random_world(seed, structure, spread=spread, outside=outside)
    observed, sold = np.asarray(shares(tastes, paid)), np.asarray(tastes.available)
    if (observed[sold] <= 0).any() or (outside and observed.sum() >= 1):
        with pytest.raises(DemandError):
            one(observed, tastes, paid)
        return
    found = one(observed, tastes, paid)
    again = choose_now(at(tastes, found.delta), paid).probability @ np.asarray(tastes.weight)
    # The tolerance asked for, and the rounding of exponents up to a hundred.
    np.testing.assert_allclose(np.log(again[sold]), np.log(observed[sold]), atol=1e-11)
    assert found.settled and found.residual <= EXACT.tolerance and (found.delta[~sold] == 0).all()
    assert outside or found.delta[np.argmax(sold)] == 0


@pytest.mark.parametrize("structure", STRUCTURES)
def test_without_an_outside_good_or_with_one_the_answer_is_that_of_the_careful_iteration(structure):
    for outside in (True, False):
        tastes, paid = random_world(11, structure, n=9, outside=outside)
        observed = np.asarray(shares(tastes, paid))
        # 1e-12 in log shares each, times the conditioning of thin shares.
        np.testing.assert_allclose(one(observed, tastes, paid).delta, invert(observed, tastes, paid).delta, atol=1e-9)


def test_nested_logit_without_random_tastes_needs_no_step_from_the_closed_form():
    tastes, paid = random_world(3, "two levels", draws=1)
    found = one(np.asarray(shares(tastes, paid)), tastes, paid)
    assert found.steps == 1
    np.testing.assert_allclose(found.delta, tastes.delta, atol=1e-12)  # rounding


def test_a_market_that_newton_does_not_settle_is_settled_all_the_same_beside_those_that_it_does():
    worlds = [random_world(seed, spread=spread) for seed, spread in ((1, 1.0), (8, 20.0), (2, 1.0))]
    observed = [np.asarray(shares(*world)) for world in worlds]
    labels = [[f"product {j}" for j in range(6)]] * 3
    found = invert_now(observed, [t for t, _ in worlds], [p for _, p in worlds], ["a", "b", "c"], labels)
    for (tastes, paid), share, here in zip(worlds, observed, found, strict=True):
        assert here.settled
        np.testing.assert_allclose(here.delta, invert(share, tastes, paid).delta, atol=1e-8)


def test_shares_that_no_iteration_reaches_end_in_an_error_that_names_the_market():
    tastes, paid = random_world(5, spread=3.0)
    with pytest.raises(InversionNotSettled, match="market there"):
        invert_now([np.asarray(shares(tastes, paid))], [tastes], [paid], ["there"], [list("abcdef")], type(EXACT)(max_steps=1))


def test_a_new_car_gets_the_share_asked_for_while_what_people_think_of_the_others_stays():
    tastes, paid = random_world(7, "two levels", n=8)
    tastes = jax.tree.map(np.asarray, tastes)
    new = np.zeros(8, bool)
    new[np.flatnonzero(tastes.available)[:2]] = True
    asked = np.where(new, [0.05, 0.02, 0.01, 0.03, 0.04, 0.05, 0.06, 0.07], 0.0)
    found = with_shares(asked, new, tastes, paid, 1e-12, 100)
    got = choose_now(at(tastes, found.delta), paid).probability @ tastes.weight
    np.testing.assert_allclose(got[new], asked[new], rtol=1e-11)  # the tolerance asked for, in logs
    np.testing.assert_array_equal(found.delta[~new], np.asarray(tastes.delta)[~new])
    assert np.abs(found.gap).max() <= 1e-12


def test_plain_logit_gives_berrys_formula():
    tastes, observed = plain_logit(np.zeros(3), 2.0), np.array([0.1, 0.2, 0.3])
    price = np.array([[1.0], [2.0], [3.0]])
    np.testing.assert_allclose(one(observed, tastes, price).delta, np.log(observed / 0.4) + 2.0 * price[:, 0], rtol=1e-13)  # rounding
