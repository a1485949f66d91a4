"""Accelerated fixed points are fixed points, found in fewer steps, and the iteration says when it failed."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from keiretsu.numerics.fixed_point import anderson, no_history
from keiretsu.numerics.implicit import solve_linear

MATRIX = jnp.asarray(np.random.default_rng(0).normal(size=(6, 6))) * 0.25
TARGET = jnp.arange(6.0)


def _solve(image_of, start, window, limit=200):
    return anderson(lambda x: (image_of(x), x.sum()), start, 1e-12, history=no_history(start.size, window), limit=limit)


def test_a_linear_map_of_six_unknowns_is_solved_in_about_as_many_steps():
    found = _solve(lambda x: MATRIX @ x + TARGET, jnp.zeros(6), window=6)
    np.testing.assert_allclose(found.value, jnp.linalg.solve(jnp.eye(6) - MATRIX, TARGET), rtol=1e-10)
    assert found.settled
    assert found.iterations <= 10
    assert float(found.kept) == float(found.value.sum())  # what is kept belongs to the point returned


def test_a_map_that_acceleration_misleads_is_still_followed_to_its_end():
    """Far out the map is flat and kinked, so that secants point nowhere; its own steps contract."""
    found = _solve(lambda x: 0.5 * jnp.tanh(x) + 0.4 * jnp.sin(3 * x) / 3 + 1.0, jnp.linspace(-40.0, 60.0, 9), window=6)
    assert found.settled
    np.testing.assert_allclose(found.residual, 0.0, atol=1e-12)


def test_a_map_without_a_fixed_point_is_reported_as_unsettled():
    found = _solve(lambda x: x + 1.0, jnp.zeros(2), window=3, limit=30)
    assert not found.settled
    assert int(found.iterations) == 30


def test_a_start_where_the_map_is_not_a_number_ends_at_once_and_unsettled():
    found = _solve(lambda x: x * jnp.nan, jnp.ones(2), window=3)
    assert not found.settled
    assert int(found.iterations) == 1


def test_linear_solve_is_differentiated_both_ways():
    def of(right):
        return solve_linear(lambda v: v - MATRIX @ v, right)

    inverse = np.linalg.inv(np.eye(6) - np.asarray(MATRIX))
    np.testing.assert_allclose(jax.jacfwd(of)(TARGET), inverse, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(jax.jacrev(of)(TARGET), inverse, rtol=1e-9, atol=1e-12)
