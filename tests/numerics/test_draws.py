"""Draws reproduce the normal distribution they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from keiretsu.errors import InputError
from keiretsu.numerics import draws


@pytest.mark.parametrize("make", [draws.sobol, draws.halton])
def test_quasi_random_draws_have_the_moments_of_the_standard_normal(make):
    sample = make(1024, 3, seed=5)
    # Scrambled nets of 1,024 points integrate smooth functions to about 1/1024; 0.02 leaves room for the fourth moment's tails.
    np.testing.assert_allclose(sample.weight @ sample.node, 0, atol=0.01)
    np.testing.assert_allclose(sample.node.T @ (sample.weight[:, None] * sample.node), np.eye(3), atol=0.02)
    assert sample.weight.sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("make", [draws.sobol, draws.halton])
def test_the_same_seed_gives_the_same_draws_and_another_seed_gives_others(make):
    np.testing.assert_array_equal(make(64, 2, seed=1).node, make(64, 2, seed=1).node)
    assert not np.array_equal(make(64, 2, seed=1).node, make(64, 2, seed=2).node)


def test_gauss_hermite_integrates_polynomials_exactly():
    rule = draws.gauss_hermite(5, 2)
    x, y = rule.node.T
    assert rule.weight @ x**8 == pytest.approx(105, rel=1e-12)  # E x^8, the highest even power a five-node rule integrates
    assert rule.weight @ (x**2 * y**4) == pytest.approx(3, rel=1e-12)
    assert rule.weight.sum() == pytest.approx(1, rel=1e-14)


def test_sobol_draws_that_are_no_power_of_two_are_refused_with_the_nearest_ones():
    with pytest.raises(InputError, match="ask for 64 or 128"):
        draws.sobol(100, 2, seed=0)


def test_own_draws_report_every_problem_at_once():
    with pytest.raises(InputError) as caught:
        draws.own(np.array([[np.inf], [0.0]]), np.array([0.5, 0.6]))
    assert len(caught.value.problems) == 2
    kept = draws.own(np.array([[-1.0], [1.0]]), np.array([0.5, 0.5]))
    assert kept.node.shape == (2, 1)
