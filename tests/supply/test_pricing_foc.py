"""The conditions are the derivatives of what setters maximise, and their solution is an equilibrium."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize

from keiretsu.supply.first_order import conditions
from keiretsu.supply.pricing import PricingOptions, solve_prices
from tests.supply.worlds import LEVELS, objectives, random_problem, start_of


@pytest.mark.parametrize("wedges", ["none", "products", "draws"])
@pytest.mark.parametrize("level", LEVELS)
def test_first_order_condition_is_the_derivative_of_the_setters_objective(level, wedges):
    problem = random_problem(1, level=level, wedges=wedges)
    price = start_of(problem)
    slopes = jax.jacobian(lambda p: objectives(problem, p))(price)
    own = slopes[problem.weights.setter, jnp.arange(price.size)]
    np.testing.assert_allclose(conditions(problem, price).derivative(price), own, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("level", LEVELS)
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
