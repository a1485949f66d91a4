"""The same market solved by PyBLP, with an asymmetric ownership matrix made of our kappa."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pyblp
import pytest

from keiretsu.demand.tastes import Nests, Tastes
from keiretsu.supply import no_wedges, one_firm_each, recover_costs, solve_prices

pyblp.options.verbose = False
J, DRAWS, F = 12, 30, 4
PRICE_TASTE, PRICE_SPREAD = 2.5, 0.3


@pytest.mark.parametrize("rho", [0.0, 0.4])
def test_prices_shares_and_costs_are_pyblps_under_asymmetric_profit_weights(rho):
    rng = np.random.default_rng(5)
    x, xi, cost = rng.uniform(0, 1, J), rng.normal(0, 0.5, J), rng.uniform(1.0, 3.0, J)
    nodes, firm, nest = rng.standard_normal((DRAWS, 3)), np.arange(J) % F, np.arange(J) % 3
    kappa = np.eye(F) + rng.uniform(0, 1.2, (F, F)) * (1 - np.eye(F))  # some weights above one, none mirrored
    simulation = pyblp.Simulation(
        product_formulations=(pyblp.Formulation("1 + prices + x"), pyblp.Formulation("1 + x + prices"), pyblp.Formulation("0 + x")),
        product_data={"market_ids": np.zeros(J), "firm_ids": firm, "x": x, "nesting_ids": nest, "ownership": kappa[np.ix_(firm, firm)]},
        agent_data={"market_ids": np.zeros(DRAWS), "weights": np.full(DRAWS, 1 / DRAWS), "nodes": nodes},
        beta=[1.0, -PRICE_TASTE, 2.0],
        sigma=np.diag([0.5, 1.0, -PRICE_SPREAD]),
        rho=rho,
        gamma=[0.0],
        xi=xi,
        omega=cost,
    )
    tight = pyblp.Iteration("simple", {"atol": 1e-13})
    theirs = simulation.replace_endogenous(costs=cost, prices=cost, iteration=tight, compute_hessians=False)
    sigma = jnp.full(3, rho)
    tastes = Tastes(
        delta=jnp.asarray(1.0 + 2.0 * x + xi),
        mu=jnp.asarray(0.5 * nodes[:, 0] + x[:, None] * nodes[:, 1]),
        alpha=jnp.asarray(PRICE_TASTE + PRICE_SPREAD * nodes[:, 2]),
        weight=jnp.full(DRAWS, 1 / DRAWS),
        available=jnp.ones(J, bool),
        nests=Nests(jnp.asarray(nest), jnp.arange(3), sigma, sigma),
    )
    weights = one_firm_each(firm, kappa)
    ours = solve_prices(tastes, no_wedges(J), weights, jnp.asarray(cost), jnp.asarray(cost), jnp.zeros(J, bool))
    np.testing.assert_allclose(ours.price, theirs.product_data.prices[:, 0], rtol=1e-8)
    np.testing.assert_allclose(ours.share, theirs.product_data.shares[:, 0], rtol=1e-8)
    recovered = recover_costs(tastes, no_wedges(J), weights, jnp.asarray(theirs.product_data.prices[:, 0]))
    np.testing.assert_allclose(recovered, cost, rtol=1e-8)
