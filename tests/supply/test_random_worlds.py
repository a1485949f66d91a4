"""Every random market settles to a millionth of a euro or ends in a named error."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from keiretsu.errors import KeiretsuError
from keiretsu.supply.first_order import conditions
from keiretsu.supply.pricing import solve_prices
from tests.supply.worlds import random_problem

_conditions = eqx.filter_jit(conditions)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    level=st.sampled_from(["none", "two"]),
    weight=st.floats(0.0, 1.5),
    steepness=st.floats(0.2, 5.0),
    appeal=st.floats(-10.0, 10.0),
    start=st.floats(0.01, 30.0),
    missing=st.integers(0, 7),
    held=st.integers(0, 7),
)
def test_every_random_market_settles_or_is_refused_by_name(seed, level, weight, steepness, appeal, start, missing, held):
    world = random_problem(seed, level=level)
    kappa = jnp.where(jnp.eye(3) == 1, 1.0, weight * world.weights.kappa)
    world = eqx.tree_at(
        lambda p: (p.tastes.alpha, p.tastes.delta, p.tastes.available, p.weights.kappa, p.held),
        world,
        (steepness * world.tastes.alpha, world.tastes.delta + appeal, jnp.arange(8) != missing, kappa, jnp.arange(8) == held),
    )
    try:
        pricing = solve_prices(world.tastes, world.wedges, world.weights, world.cost, start * world.cost, world.held)
    except KeiretsuError as refusal:
        assert "the market, product" in str(refusal)
        return
    assert np.isfinite(pricing.price).all()
    at = _conditions(world, pricing.price)  # by the plain formulas, not by the ones that were iterated
    assert np.abs(at.implied - pricing.price).max() < 1e-6
    np.testing.assert_allclose(at.share, pricing.share, rtol=1e-9, atol=1e-300)
    assert pricing.share[missing] == 0
