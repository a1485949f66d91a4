"""Derivatives of equilibrium prices are those of equilibria solved again a little to the side."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from keiretsu.supply.pricing import PricingOptions, equilibrium
from tests.supply.worlds import random_problem, start_of

OPTIONS = PricingOptions(tolerance_eur=1e-8, relative=1e-12)
# central differences of prices settled to 1e-8 EUR, over steps that move prices by about EUR 1, are good to 1e-7
CLOSE = 1e-6


@eqx.filter_jit
def _headline(problem, start):
    """A number that depends on all prices and shares, of the order of a price."""
    pricing = equilibrium(problem, start, OPTIONS)
    return pricing.price @ jnp.linspace(0.5, 1.5, pricing.price.size) + 1e5 * pricing.share[0]


_slope = eqx.filter_jit(eqx.filter_grad(_headline))


def test_gradient_through_prices_matches_solving_again_for_every_input():
    problem, rng = random_problem(11, level="two"), np.random.default_rng(0)
    start = start_of(problem)
    problem = eqx.tree_at(lambda p: (p.held, p.tastes.available), problem, (jnp.arange(8) == 1, jnp.arange(8) != 5))
    gradient = _slope(problem, start)
    places = {
        "delta": (lambda p: p.tastes.delta, 1e-4),
        "mu": (lambda p: p.tastes.mu, 1e-4),
        "alpha": (lambda p: p.tastes.alpha, 1e-8),
        "buyer_rate": (lambda p: p.wedges.buyer_rate, 1e-5),
        "buyer_add": (lambda p: p.wedges.buyer_add, 1.0),
        "maker_rate": (lambda p: p.wedges.maker_rate, 1e-5),
        "maker_charge": (lambda p: p.wedges.maker_charge, 1.0),
        "kappa": (lambda p: p.weights.kappa, 1e-4),
        "split": (lambda p: p.weights.split, 1e-4),
        "fee": (lambda p: p.weights.fee, 1.0),
        "cost": (lambda p: p.cost, 1.0),
        "sigma_sub": (lambda p: p.tastes.nests.sigma_sub, 1e-4),
        "sigma_group": (lambda p: p.tastes.nests.sigma_group, 1e-4),
    }
    for name, (where, step) in places.items():
        value = where(problem)
        direction = jnp.asarray(rng.standard_normal(value.shape))
        up, down = (_headline(eqx.tree_at(where, problem, value + sign * step * direction), start) for sign in (1, -1))
        expected = (up - down) / (2 * step)
        got = jnp.vdot(where(gradient), direction)
        np.testing.assert_allclose(got, expected, rtol=CLOSE, err_msg=name)


def test_a_held_price_moves_the_others_by_what_forward_differentiation_says():
    problem = eqx.tree_at(lambda p: p.held, random_problem(12), jnp.arange(8) == 2)
    start, direction = start_of(problem), (jnp.arange(8) == 2).astype(float)
    _, got = jax.jvp(lambda s: _headline(problem, s), (start,), (direction,))
    expected = (_headline(problem, start + direction) - _headline(problem, start - direction)) / 2
    np.testing.assert_allclose(got, expected, rtol=CLOSE)
