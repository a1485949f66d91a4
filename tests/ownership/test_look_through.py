"""[1]: look-through value with loops, and claims of outside owners that add up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keiretsu.errors import OwnershipError
from keiretsu.ownership import Register, attribute, attribute_named, look_through, owners_look_through
from tests.ownership.groups import DAY, alliance, random_register, stake, two_firms

ROUNDING = 1e-12  # relative: a few sums and one linear solve in double precision


def test_two_firms_that_hold_each_other_are_worth_what_the_closed_form_says():
    a, b = 0.3, 0.2  # A holds 30 % of B, B holds 20 % of A
    expected = np.array([[1, a], [b, 1]]) / (1 - a * b)
    np.testing.assert_allclose(look_through(two_firms(a, b)), expected, rtol=ROUNDING)


def test_a_euro_round_a_ring_comes_back_as_the_geometric_series_says():
    d, n = 0.6, 5
    firms = tuple(f"F{i}" for i in range(n))
    ring = Register(firms, stakes=tuple(stake(firms[i], firms[(i + 1) % n], d) for i in range(n))).as_of(DAY)
    through = look_through(ring)
    expected = [[d ** ((g - f) % n) / (1 - d**n) for g in range(n)] for f in range(n)]
    np.testing.assert_allclose(through, expected, rtol=ROUNDING)


@pytest.mark.parametrize("seed", range(3))
def test_look_through_is_the_sum_of_all_chains_of_stakes(seed: int):
    holdings = random_register(seed, n_firms=6, n_owners=3).as_of(DAY)
    total, chain = np.zeros((6, 6)), np.eye(6)
    for _ in range(2000):
        total, chain = total + chain, chain @ holdings.cross_holdings
    np.testing.assert_allclose(look_through(holdings), total, rtol=1e-10)


def test_dividends_of_the_trust_reach_renault_though_its_votes_do_not():
    holdings = alliance().as_of(DAY)
    r, n = holdings.company_index("Renault"), holdings.company_index("Nissan")
    loop = 0.3963 * 0.15  # Renault -> Nissan directly and through the trust, and back
    assert look_through(holdings)[r, n] == pytest.approx(0.3963 / (1 - loop), rel=ROUNDING)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n_firms=st.integers(1, 8), n_owners=st.integers(0, 4), scale=st.floats(1, 1e11))
def test_what_owners_may_claim_adds_up_to_operating_profit_to_the_cent(seed: int, n_firms: int, n_owners: int, scale: float):
    holdings = random_register(seed, n_firms, n_owners).as_of(DAY)
    profit = np.random.default_rng(seed).normal(size=n_firms) * scale
    claims = attribute(holdings, profit).owner_claims
    cent = 0.01 + 1e-13 * np.abs(profit).sum()  # above a hundred billion euro the last digits of a double are themselves near a cent
    assert abs(claims.sum() - profit.sum()) <= cent
    np.testing.assert_allclose(owners_look_through(holdings).sum(axis=0), 1, rtol=0, atol=ROUNDING)


def test_look_through_values_of_firms_add_up_to_more_than_there_is():
    seen = attribute(two_firms(0.3, 0.2), np.array([100.0, 50.0]))
    assert seen.look_through_value.sum() > seen.operating_profit.sum()
    assert seen.owner_claims.sum() == pytest.approx(150, abs=0.01)


def test_companies_that_own_each_other_entirely_are_refused_by_name():
    closed = Register(("A", "B", "C"), stakes=(stake("A", "B", 1.0), stake("B", "A", 1.0), stake("A", "C", 0.5)))
    with pytest.raises(OwnershipError, match=r"no outside owner.*seen A, B;"):
        look_through(closed.as_of(DAY))


def test_profits_by_name_reach_the_same_owners_and_unknown_firms_are_refused():
    holdings = alliance().as_of(DAY)
    named = attribute_named(holdings, {"Nissan": 100.0, "Ampere": -20.0})
    np.testing.assert_array_equal(named.owner_claims, attribute(holdings, np.array([0, 0, 100.0, 0, -20.0])).owner_claims)
    with pytest.raises(OwnershipError, match="unknown to the register"):
        attribute_named(holdings, {"Ghost": 1.0})


def test_profits_in_another_shape_are_refused():
    with pytest.raises(OwnershipError, match="profits do not match"):
        attribute(two_firms(0.1, 0.0), np.ones(3))
