"""HHI, MHHI and MHHI delta."""

from __future__ import annotations

import numpy as np
import pytest

from keiretsu.errors import OwnershipError
from keiretsu.ownership import (
    Financial,
    by_owner,
    concentration,
    concentration_ratio,
    hhi,
    mhhi,
    mhhi_delta,
    profit_weights,
    shares_of,
    weights_from_control,
)
from tests.ownership.groups import two_firms

ROUNDING = 1e-12


def test_equal_firms_have_an_hhi_of_ten_thousand_over_their_number():
    assert hhi(np.full(8, 1 / 8)) == pytest.approx(10_000 / 8, rel=ROUNDING)


def test_without_overlap_ownership_adds_nothing():
    share = np.array([0.5, 0.3, 0.2])
    assert mhhi(share, np.eye(3)) == hhi(share)


def test_full_common_ownership_is_as_concentrated_as_a_monopoly():
    assert mhhi(np.array([0.5, 0.3, 0.2]), np.ones((3, 3))) == pytest.approx(10_000, rel=ROUNDING)


def test_a_merger_adds_twice_the_product_of_shares():
    share = np.array([0.3, 0.2, 0.5])
    kappa = np.eye(3)
    kappa[0, 1] = kappa[1, 0] = 1
    assert mhhi_delta(share, kappa) == pytest.approx(2 * 0.3 * 0.2 * 1e4, rel=ROUNDING)
    assert hhi(np.array([0.5, 0.5])) - hhi(share) == pytest.approx(mhhi_delta(share, kappa), rel=ROUNDING)


def test_a_silent_stake_from_the_register_adds_the_stake_times_the_product_of_shares():
    kappa = profit_weights(two_firms(0.25, 0.0), Financial(), ("A", "B"))
    assert mhhi_delta(np.array([0.3, 0.2]), kappa) == pytest.approx(0.25 * 0.3 * 0.2 * 1e4, rel=ROUNDING)


def test_the_basis_is_part_of_the_result():
    units, revenue = np.array([100.0, 300.0]), np.array([300.0, 300.0])
    assert concentration(units, np.eye(2), "units").hhi == pytest.approx(6250)
    assert concentration(revenue, np.eye(2), "revenue").hhi == pytest.approx(5000)
    assert concentration(revenue, np.ones((2, 2)), "revenue").mhhi == pytest.approx(10_000)
    with pytest.raises(OwnershipError, match="no such basis"):
        concentration(units, np.eye(2), "cars")  # type: ignore[arg-type]


def test_products_add_up_to_their_owners():
    labels, share = by_owner(np.array([0.15, 0.2, 0.25, 0.35, 0.05]), ["A", "A", "B", "B", "C"])
    assert labels == ("A", "B", "C")
    np.testing.assert_allclose(share, [0.35, 0.6, 0.05])
    assert concentration_ratio(share, 2) == pytest.approx(0.95)


def test_sales_and_shares_that_make_no_sense_are_refused():
    for wrong in ([-1.0, 2.0], [0.0, 0.0], [np.nan, 1.0]):
        with pytest.raises(OwnershipError):
            shares_of(np.array(wrong))
    with pytest.raises(OwnershipError):
        hhi(np.array([0.9, 0.9]))
    with pytest.raises(OwnershipError):
        mhhi_delta(np.array([0.5, 0.5]), np.eye(3))
    with pytest.raises(OwnershipError):
        weights_from_control(np.eye(2), np.array([[0.0, 1.0], [1.0, 0.0]]))
