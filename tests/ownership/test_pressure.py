"""GUPPI, UPP and compensating cost reductions against closed forms and first-order conditions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keiretsu.errors import OwnershipError
from keiretsu.ownership import (
    Prices,
    cmcr,
    compensating_margins,
    diversion_by_share,
    diversion_from_slopes,
    guppi,
    upp,
    weights_from_shares,
    weights_of,
    weights_under,
)

ROUNDING = 1e-12
PRICE = np.array([20_000.0, 25_000.0, 30_000.0])
MARGIN = np.array([4_000.0, 6_000.0, 9_000.0])
DIVERSION = np.array([[0, 0.3, 0.2], [0.25, 0, 0.1], [0.15, 0.2, 0]])
NOW = Prices(PRICE, MARGIN, DIVERSION)
APART = weights_of(["A", "B", "C"])
MERGED = weights_of(["A", "A", "C"])


def silent(stake: float) -> np.ndarray:
    """A silent stake of A in B."""
    kappa = np.eye(3)
    kappa[0, 1] = stake
    return kappa


def test_guppi_of_a_merger_is_diversion_times_the_partners_margin_over_the_price():
    np.testing.assert_allclose(guppi(NOW, APART, MERGED), [0.3 * 6000 / 20000, 0.25 * 4000 / 25000, 0], rtol=ROUNDING, atol=ROUNDING)


def test_guppi_of_a_silent_stake_is_the_mergers_times_the_stake_and_only_for_the_holder():
    np.testing.assert_allclose(guppi(NOW, APART, silent(0.2)), [0.2 * guppi(NOW, APART, MERGED)[0], 0, 0], rtol=ROUNDING, atol=ROUNDING)


def test_upp_sets_the_saving_on_the_product_itself_against_the_pressure():
    saved = np.array([0.1, 0.1, 0.0])
    expected = np.array([0.3 * 6000 - 0.1 * 16000, 0.25 * 4000 - 0.1 * 19000, 0])
    np.testing.assert_allclose(upp(NOW, APART, MERGED, saved, "own"), expected, rtol=ROUNDING, atol=1e-9)


def test_a_saving_at_the_partner_raises_pressure_where_it_is_credited():
    saved = np.array([0.0, 0.1, 0.0])
    more = upp(NOW, APART, MERGED, saved, "all") - upp(NOW, APART, MERGED, saved, "own")
    np.testing.assert_allclose(more, [0.3 * 1900, 0, 0], rtol=ROUNDING, atol=1e-9)


def test_compensating_cost_reductions_of_two_products_are_werdens_closed_form():
    m1, m2, d12, d21, p1, p2 = 0.2, 0.24, 0.3, 0.25, 20_000.0, 25_000.0
    together = 1 - d12 * d21
    expected = [(m1 * d12 * d21 + m2 * d12 * p2 / p1) / ((1 - m1) * together), (m2 * d12 * d21 + m1 * d21 * p1 / p2) / ((1 - m2) * together)]
    now = Prices(PRICE[:2], MARGIN[:2], DIVERSION[:2, :2])
    np.testing.assert_allclose(cmcr(now, np.eye(2), np.ones((2, 2)), "cost"), expected, rtol=ROUNDING)


def test_a_silent_stake_is_compensated_by_the_stake_times_diversion_times_margin():
    # the rival's margin does not move, so nothing feeds back
    np.testing.assert_allclose(compensating_margins(NOW, APART, silent(0.2)) - MARGIN, [0.2 * 0.3 * 6000, 0, 0], rtol=ROUNDING, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(2, 5))
def test_at_compensated_costs_no_first_order_condition_moves(seed: int, n: int):
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.ones(n + 1))[:n]
    slopes = -10 * (np.diag(share) - np.outer(share, share))  # plain logit, utility of money 10
    firm = rng.integers(0, n, n).tolist()
    kappas = [np.where(np.eye(n, dtype=bool), 1.0, rng.uniform(0, 1.5, (n, n)) * (rng.random((n, n)) < 0.5)) for _ in range(2)]
    before, after = (weights_under(kappa, firm) for kappa in kappas)
    margin = np.linalg.solve(-(slopes.T * before), share)  # prices are best before
    price = np.abs(margin) + rng.uniform(0.1, 2, n)
    now = Prices(price, margin, diversion_from_slopes(slopes))
    new = compensating_margins(now, before, after)
    residual = share + (slopes.T * after) @ new
    np.testing.assert_allclose(residual, 0, atol=1e-9 * max(1.0, float(np.abs(new).max())))


def test_when_nothing_changes_nothing_is_to_be_compensated():
    np.testing.assert_allclose(cmcr(NOW, MERGED, MERGED, "price"), 0, atol=ROUNDING)


def test_logit_diversion_goes_by_share_and_agrees_with_its_slopes():
    share = np.array([0.2, 0.3, 0.1])
    slopes = -2 * (np.diag(share) - np.outer(share, share))
    np.testing.assert_allclose(diversion_from_slopes(slopes), diversion_by_share(share), rtol=ROUNDING)


def test_shares_of_profit_become_weights_by_the_setters_own_share():
    np.testing.assert_allclose(weights_from_shares(np.array([[0.5, 0.1], [0.2, 0.4]])), [[1, 0.2], [0.5, 1]], rtol=ROUNDING)


def test_inputs_that_make_no_screen_are_refused():
    with pytest.raises(OwnershipError):
        Prices(PRICE, MARGIN[:2], DIVERSION)
    with pytest.raises(OwnershipError):
        guppi(NOW, APART, np.eye(2))
    with pytest.raises(OwnershipError):
        diversion_from_slopes(np.ones((2, 2)))
    with pytest.raises(OwnershipError, match="no margin compensates"):
        compensating_margins(Prices(PRICE[:2], MARGIN[:2], np.array([[0, 1.0], [1.0, 0]])), np.eye(2), np.ones((2, 2)))
