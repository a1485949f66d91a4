"""SSNIP test against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import lambertw

from keiretsu.errors import NotSettled, OwnershipError
from keiretsu.ownership import (
    Demand,
    best_prices,
    constant_elasticity_demand,
    critical_loss,
    grow_market,
    hypothetical_monopolist,
    linear_demand,
    logit_demand,
    profit_change,
    slopes_from_elasticities,
)

# Best prices come out of a root search to a relative 1e-13 and a few more digits lost in the slopes.
SEARCH = 1e-9


def logit(delta: np.ndarray, alpha: float) -> Demand:
    """Plain logit from mean utilities, by way of its shares at prices of zero."""
    e = np.exp(delta)
    return logit_demand(np.zeros(len(delta)), e / (1 + e.sum()), alpha)


def test_a_monopolist_of_all_logit_products_charges_the_lambert_w_markup():
    delta, alpha, cost = np.array([2.0, 1.5, 1.0]), 1.2, np.array([1.0, 0.8, 0.9])
    best, residual = best_prices(logit(delta, alpha), cost + 1.0, cost, [0, 1, 2])
    markup = (1 + lambertw(np.exp(delta - alpha * cost).sum() * np.exp(-1)).real) / alpha
    np.testing.assert_allclose(best, cost + markup, rtol=SEARCH)
    assert residual < SEARCH


def test_with_linear_demand_the_best_price_is_halfway_between_cost_and_choke_price():
    price, quantity, slope, cost = np.array([10.0]), np.array([50.0]), np.array([[-4.0]]), np.array([6.0])
    best, _ = best_prices(linear_demand(price, quantity, slope), price, cost, [0])
    np.testing.assert_allclose(best, (cost + price + quantity / 4) / 2, rtol=SEARCH)


def test_with_constant_elasticity_the_best_price_is_the_lerner_markup():
    best, _ = best_prices(constant_elasticity_demand(np.array([10.0]), np.array([50.0]), np.array([[-3.0]])), np.array([10.0]), np.array([6.0]), [0])
    np.testing.assert_allclose(best, 9.0, rtol=SEARCH)


def test_close_substitutes_are_a_market_together_but_not_apart():
    price, quantity, cost = np.full(2, 10.0), np.full(2, 100.0), np.full(2, 8.0)
    elasticity = np.array([[-5.0, 4.0], [4.0, -5.0]])
    demand = linear_demand(price, quantity, slopes_from_elasticities(elasticity, price, quantity))
    alone = hypothetical_monopolist(demand, price, cost, [0], 0.05)
    together = hypothetical_monopolist(demand, price, cost, [0, 1], 0.05)
    assert not alone.is_market([0]) and not alone.uniform_rise_pays
    assert together.is_market([0, 1]) and together.uniform_rise_pays
    # one elasticity of -1 together: the best price is (8 + 10 + 10) / 2
    np.testing.assert_allclose(together.best_rise, 0.4, rtol=SEARCH)


def test_a_rise_that_loses_exactly_the_critical_loss_leaves_profit_as_it_was():
    price, quantity, cost, rise = np.array([10.0]), np.array([100.0]), np.array([6.0]), 0.05
    lost = critical_loss(rise, margin=0.4, criterion="break_even")
    slope = np.array([[-lost * 100 / (rise * 10)]])
    assert profit_change(linear_demand(price, quantity, slope), price, cost, [0], rise) == pytest.approx(0, abs=1e-10)


def test_the_profit_maximising_critical_loss_makes_the_rise_the_best_one():
    price, quantity, cost, rise = np.array([10.0]), np.array([100.0]), np.array([6.0]), 0.05
    lost = critical_loss(rise, margin=0.4, criterion="profit_maximising")
    slope = np.array([[-lost * 100 / (rise * 10)]])
    verdict = hypothetical_monopolist(linear_demand(price, quantity, slope), price, cost, [0], rise)
    np.testing.assert_allclose(verdict.best_rise, rise, rtol=SEARCH)


def test_a_market_grows_by_the_closest_substitute_until_a_rise_pays():
    price, quantity, cost = np.full(3, 10.0), np.full(3, 100.0), np.full(3, 8.0)
    elasticity = np.array([[-5.0, 0.5, 4.0], [0.5, -5.0, 0.5], [4.0, 0.5, -5.0]])
    demand = linear_demand(price, quantity, slopes_from_elasticities(elasticity, price, quantity))
    steps = grow_market(demand, price, cost, [0], 0.05)
    assert [step.members for step in steps] == [(0,), (0, 2)]
    assert steps[-1].is_market([0])


def test_slopes_of_the_ready_made_demands_are_their_derivatives():
    price, quantity = np.array([10.0, 12.0]), np.array([0.3, 0.2])
    elasticity = np.array([[-3.0, 1.0], [0.5, -2.0]])
    for demand in (logit_demand(price, quantity, 0.4), constant_elasticity_demand(price, quantity, elasticity)):
        at, step = price * 1.1, 1e-5
        moved = [(demand.quantity(at + step * e) - demand.quantity(at - step * e)) / (2 * step) for e in np.eye(2)]
        np.testing.assert_allclose(demand.slopes(at), np.array(moved).T, rtol=1e-7)  # central differences are right to step squared
        np.testing.assert_allclose(demand.quantity(price), quantity, rtol=SEARCH)


def test_only_the_merging_firms_products_count_where_they_are_asked_for():
    demand = logit(np.array([2.0, 1.0]), 1.0)
    verdict = hypothetical_monopolist(demand, np.array([2.0, 2.0]), np.array([1.0, 1.0]), [0, 1], 0.05)
    assert verdict.is_market([0]) and not verdict.is_market([7])


def test_profit_without_a_maximum_is_an_error_and_never_a_number():
    demand = constant_elasticity_demand(np.array([10.0]), np.array([50.0]), np.array([[-0.5]]))
    with pytest.raises(NotSettled):
        best_prices(demand, np.array([10.0]), np.array([6.0]), [0])


def test_sets_and_rises_that_make_no_test_are_refused():
    demand = logit(np.array([2.0, 1.0]), 1.0)
    for members, rise in (([], 0.05), ([0, 0], 0.05), ([2], 0.05), ([0], 0.0)):
        with pytest.raises(OwnershipError):
            hypothetical_monopolist(demand, np.ones(2), np.zeros(2), members, rise)
    with pytest.raises(OwnershipError):
        critical_loss(0.05, 0.0, "break_even")
    with pytest.raises(OwnershipError):
        logit_demand(np.ones(2), np.array([0.6, 0.4]), 1.0)
