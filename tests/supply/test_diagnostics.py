"""Diagnostics of an equilibrium say what solving again, or looking sideways, would show."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from keiretsu.demand.tastes import plain_logit
from keiretsu.supply.diagnostics import check_second_order, first_order, pass_through, search_starts
from keiretsu.supply.first_order import PriceProblem
from keiretsu.supply.pricing import solve_prices
from keiretsu.supply.wedges import no_wedges
from keiretsu.supply.weights import one_firm_each
from tests.supply.worlds import random_problem, start_of


def test_every_firm_is_at_a_strict_maximum_in_equilibrium_and_not_at_prices_far_too_high():
    problem = random_problem(31)
    price = solve_prices(problem.tastes, problem.wedges, problem.weights, problem.cost, start_of(problem), problem.held).price
    assert np.abs(first_order(problem, price).residual_eur).max() < 1e-6
    at = check_second_order(problem, price)
    assert at.firms == (0, 1, 2)
    assert at.holds
    assert max(at.curvature) < 0
    assert not check_second_order(problem, 10 * price).holds  # far out in the tail profit is convex


def test_pass_through_of_a_logit_monopolist_is_the_share_of_the_outside_good():
    problem = PriceProblem(plain_logit(np.array([3.0]), 1.0), no_wedges(1), one_firm_each([0], np.eye(1)), jnp.array([1.0]), jnp.zeros(1, bool))
    pricing = solve_prices(problem.tastes, problem.wedges, problem.weights, problem.cost, jnp.array([2.0]), problem.held)
    # p = c + 1/(alpha (1-s)) differentiated: dp/dc = 1 - s
    np.testing.assert_allclose(pass_through(problem, pricing.price), 1 - pricing.share[None, :], rtol=1e-8)


def test_all_starting_points_lead_to_the_one_equilibrium_of_a_logit_market():
    rng = np.random.default_rng(0)
    tastes = plain_logit(rng.normal(2, 1, 5), 2e-4)
    weights = one_firm_each([0, 0, 1, 1, 2], np.eye(3))
    cost = jnp.asarray(rng.uniform(5_000, 9_000, 5))
    problem = PriceProblem(tastes, no_wedges(5), weights, cost, jnp.zeros(5, bool))
    found = search_starts(problem, 1.3 * cost, count=4, seed=1)
    assert (found.tried, found.settled, found.distinct, found.spread_eur) == (4, 4, 1, 0.0)
