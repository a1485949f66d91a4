"""Costs recovered from prices are the costs that the prices came from."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from keiretsu.errors import PricingError
from keiretsu.supply.cost import Transfer, recover_costs, with_transfers
from keiretsu.supply.pricing import solve_prices
from tests.supply.worlds import random_problem, start_of

SETTLED = 1e-10  # relative: prices are settled to 1e-7 EUR at EUR 20,000, and costs follow prices nearly one to one


@pytest.mark.parametrize("level", ["none", "two"])
def test_costs_recovered_at_equilibrium_prices_are_the_true_ones(level):
    world = random_problem(3, level=level)
    pricing = solve_prices(world.tastes, world.wedges, world.weights, world.cost, start_of(world), world.held)
    recovered = recover_costs(world.tastes, world.wedges, world.weights, pricing.price)
    np.testing.assert_allclose(recovered, world.cost, rtol=10 * SETTLED)


def test_costs_are_recovered_through_a_transfer_price_that_depends_on_them():
    world = random_problem(4)
    deals = (Transfer(product=2, builder=0, seller=2, price_eur=16_000.0), Transfer(product=5, builder=1, seller=2, price_eur=18_000.0))
    weights = with_transfers(world.weights, deals, world.cost)
    pricing = solve_prices(world.tastes, world.wedges, weights, world.cost, start_of(world), world.held)
    recovered = recover_costs(world.tastes, world.wedges, world.weights, pricing.price, transfers=deals)
    np.testing.assert_allclose(recovered, world.cost, rtol=10 * SETTLED)


def test_a_shadow_cost_that_setters_bear_is_left_out_of_recovered_costs():
    world = random_problem(5)
    shadow = jnp.linspace(-500.0, 3000.0, world.cost.size)
    pricing = solve_prices(world.tastes, world.wedges, world.weights, world.cost + shadow, start_of(world), world.held)
    recovered = recover_costs(world.tastes, world.wedges, world.weights, pricing.price, shadow=shadow)
    np.testing.assert_allclose(recovered, world.cost, rtol=10 * SETTLED)


def test_a_held_price_reveals_no_cost_and_the_others_are_recovered_given_it():
    world = random_problem(6)
    held = jnp.arange(world.cost.size) == 1
    pricing = solve_prices(world.tastes, world.wedges, world.weights, world.cost, start_of(world), held)
    recovered = recover_costs(world.tastes, world.wedges, world.weights, pricing.price, known=held, known_cost=world.cost)
    np.testing.assert_allclose(recovered, world.cost, rtol=10 * SETTLED)


def test_a_price_set_by_a_firm_that_bears_none_of_the_cost_is_refused_by_name():
    world = random_problem(7, firms=2)
    weights = world.weights.__class__(world.weights.setter, jnp.eye(2), world.weights.split.at[:, 3].set(jnp.array([1.0, 0.0])), world.weights.fee)
    with pytest.raises(PricingError, match="Zoe"):
        recover_costs(world.tastes, world.wedges, weights, start_of(world), labels=["a", "b", "c", "Zoe", "e", "f", "g", "h"])
