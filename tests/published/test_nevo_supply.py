"""Costs, margins and a merger in Nevo's cereal data, against the figures printed in PyBLP's documentation (post-estimation tutorial)."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.published import nevo

from keiretsu.demand.choice import shares
from keiretsu.supply import BatchOptions, PriceProblem, PricingOptions, no_wedges, one_firm_each, recover_costs, solve_many

DIGITS = 5e-7  # figures are printed to six decimals
FIRMS = [1, 2, 3, 4, 6]


@pytest.fixture(scope="module")
def markets():
    """The 94 markets (24 products and 20 draws each) with the delta that reproduces their shares, by plain contraction."""
    found = nevo.markets()
    tastes = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(market.tastes for market in found))
    observed = jnp.asarray(np.stack([market.share for market in found]))
    price = jnp.asarray(np.stack([market.price for market in found]))[:, :, None]

    @jax.jit
    @jax.vmap
    def invert(tastes, observed, price):
        def closer(_, delta):
            return delta + jnp.log(observed / shares(eqx.tree_at(lambda t: t.delta, tastes, delta), price))

        return jax.lax.fori_loop(0, 1500, closer, jnp.zeros_like(observed))

    deltas = invert(tastes, observed, price)
    return [(eqx.tree_at(lambda t: t.delta, market.tastes, delta), market) for market, delta in zip(found, deltas, strict=True)]


def _weights(market, bought):
    """Separate firms, or the one called 2 bought by the one called 1."""
    owner = [1 if bought and firm == 2 else firm for firm in market.firm]
    return one_firm_each([FIRMS.index(firm) for firm in owner], np.eye(len(FIRMS)))


@pytest.fixture(scope="module")
def costs(markets):
    wedges = no_wedges(24)
    return [np.asarray(recover_costs(tastes, wedges, _weights(market, False), jnp.asarray(market.price))) for tastes, market in markets]


def test_mean_cost_and_mean_lerner_index_have_the_printed_digits(markets, costs):
    price = np.concatenate([market.price for _, market in markets])
    cost = np.concatenate(costs)
    assert abs(cost.mean() - nevo.MEAN_COST) < DIGITS
    assert abs(((price - cost) / price).mean() - nevo.MEAN_LERNER) < DIGITS


def test_firm_1_buying_firm_2_raises_prices_by_the_printed_mean(markets, costs):
    problems = [
        PriceProblem(tastes, no_wedges(24), _weights(market, True), jnp.asarray(cost), jnp.zeros(24, bool))
        for (tastes, market), cost in zip(markets, costs, strict=True)
    ]
    starts = [jnp.asarray(market.price) for _, market in markets]
    after = solve_many(problems, starts, PricingOptions(), BatchOptions(), [market.id for _, market in markets])
    change = np.concatenate([pricing.price / market.price - 1 for pricing, (_, market) in zip(after, markets, strict=True)])
    assert abs(change.mean() - nevo.MERGER_MEAN_PRICE_CHANGE) < 5e-6  # +10.155 %
