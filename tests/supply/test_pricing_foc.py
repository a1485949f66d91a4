"""The conditions are the derivatives of what setters maximise, and their solution is an equilibrium."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize

from keiretsu.supply.first_order import conditions
from keiretsu.supply.pricing import PricingOptions, solve_prices
from keiretsu.supply.zeta import anchor, zeta_around, zeta_near
from tests.supply.worlds import objectives, random_problem, start_of


@eqx.filter_jit
def _by_definition(problem, price):
    slopes = jax.jacobian(lambda p: objectives(problem, p))(price)
    return slopes[problem.weights.setter, jnp.arange(price.size)]


_conditions = eqx.filter_jit(conditions)


@pytest.mark.parametrize(("level", "wedges"), [("none", "none"), ("none", "draws"), ("one", "products"), ("two", "draws")])
def test_first_order_condition_is_the_derivative_of_the_setters_objective(level, wedges):
    problem = random_problem(1, level=level, wedges=wedges)
    price = start_of(problem)
    np.testing.assert_allclose(_conditions(problem, price).derivative(price), _by_definition(problem, price), rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("wedges", ["none", "products", "draws"])
def test_the_map_that_is_iterated_is_the_plain_one_near_its_centre_and_far_away(wedges):
    problem = random_problem(3, wedges=wedges)
    problem = eqx.tree_at(lambda p: (p.held, p.tastes.available), problem, (jnp.arange(8) == 1, jnp.arange(8) != 5))
    centre, direction = start_of(problem), jnp.linspace(-1.0, 1.0, 8)

    @jax.jit
    def both(step):
        price = centre + step * direction
        base = anchor(problem, 1.1 * centre)
        return zeta_around(problem, base)(price), zeta_near(problem, base, centre)(price), conditions(problem, price)

    # the largest price taste is about EUR 6e-4 with taxes: the series holds up to steps of EUR 17, the exponential is taken beyond
    for step in (0.0, 1e-3, 5.0, 100.0, 5_000.0):
        around, near, plain = both(step)
        for got in (around, near):
            np.testing.assert_allclose(got.implied, plain.implied, rtol=1e-12)
            np.testing.assert_allclose(got.share, plain.share, rtol=1e-12)
            np.testing.assert_allclose(got.slope, plain.slope, rtol=1e-12)


@pytest.mark.parametrize("level", ["none", "two"])
def test_no_firm_gains_by_moving_its_prices_from_the_equilibrium(level):
    problem = random_problem(2, level=level, products=5, draws=15, firms=2)
    pricing = solve_prices(problem.tastes, problem.wedges, problem.weights, problem.cost, start_of(problem), problem.held, PricingOptions())
    for firm in range(2):
        own = np.flatnonzero(np.asarray(problem.weights.setter) == firm)

        def loss(own_prices, own=own, firm=firm):
            return -objectives(problem, pricing.price.at[own].set(own_prices))[firm]

        best = minimize(jax.jit(loss), 1.2 * pricing.price[own], jac=jax.jit(jax.grad(loss)), method="BFGS", options={"gtol": 1e-10})
        # the objective is flat at its top: a price is found to the square root of what the value is known to
        np.testing.assert_allclose(best.x, pricing.price[own], rtol=1e-5)
