"""Prices against closed forms, limits that must meet, and changes that must not matter."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import lambertw

from keiretsu.demand.tastes import Nests, plain_logit
from keiretsu.errors import PricesNotSettled, PricingError
from keiretsu.supply.cost import Transfer, with_transfers
from keiretsu.supply.pricing import DEFAULT_OPTIONS, PricingOptions, solve_prices
from keiretsu.supply.wedges import Wedges, no_wedges
from keiretsu.supply.weights import ProfitWeights, one_firm_each
from tests.supply.worlds import random_problem, start_of

CLOSE = 1e-10  # relative; prices are settled to 1e-7 EUR or 1e-10 of their mean


def _prices(problem, start=None, options=DEFAULT_OPTIONS):
    first = start_of(problem) if start is None else start
    return solve_prices(problem.tastes, problem.wedges, problem.weights, problem.cost, first, problem.held, options).price


def test_a_logit_monopolist_charges_what_lambert_w_says():
    delta, alpha, cost = 1.3, 2.5e-4, 9_000.0
    tastes = plain_logit(np.array([delta]), alpha)
    got = solve_prices(tastes, no_wedges(1), one_firm_each([0], np.eye(1)), jnp.array([cost]), jnp.array([20_000.0]), jnp.zeros(1, bool)).price
    expected = cost + (1 + lambertw(np.exp(delta - alpha * cost - 1)).real) / alpha
    np.testing.assert_allclose(got, [expected], rtol=CLOSE)


def test_a_taxed_logit_monopolist_charges_what_lambert_w_says():
    """VAT of 19 %, a bonus of 4,000 to the buyer, and a fee of 5 % and 300 on the maker: the same problem in what the buyer pays."""
    delta, alpha, cost, rate, bonus, keep, charge = 1.3, 2.5e-4, 9_000.0, 1.19, 4_000.0, 0.95, 300.0
    wedges = Wedges(jnp.array([[rate]]), jnp.array([[-bonus]]), jnp.array([keep]), jnp.array([[charge]]))
    tastes = plain_logit(np.array([delta]), alpha)
    got = solve_prices(tastes, wedges, one_firm_each([0], np.eye(1)), jnp.array([cost]), jnp.array([20_000.0]), jnp.zeros(1, bool)).price
    effective = (cost + charge) * rate / keep - bonus  # the cost at which an untaxed monopolist asks what the buyer pays
    paid = effective + (1 + lambertw(np.exp(delta - alpha * effective - 1)).real) / alpha
    np.testing.assert_allclose(got, [(paid + bonus) / rate], rtol=CLOSE)


@pytest.mark.parametrize("kappa", [0.0, 0.3, 1.0])
def test_symmetric_duopolists_with_a_stake_in_each_other_meet_the_one_equation_of_their_price(kappa):
    delta, alpha, cost = 2.0, 3e-4, 8_000.0
    tastes = plain_logit(np.full(2, delta), alpha)
    weights = one_firm_each([0, 1], np.array([[1.0, kappa], [kappa, 1.0]]))
    got = solve_prices(tastes, no_wedges(2), weights, jnp.full(2, cost), jnp.full(2, 12_000.0), jnp.zeros(2, bool)).price

    def excess(price):
        odds = np.exp(delta - alpha * price)
        share = odds / (1 + 2 * odds)
        return 1 - alpha * (price - cost) * (1 - (1 + kappa) * share)

    np.testing.assert_allclose(got, np.full(2, brentq(excess, cost, 1e5, xtol=1e-9)), rtol=CLOSE)


def test_one_nested_duopoly_meets_the_one_equation_of_its_price():
    delta, alpha, cost, sigma = 2.0, 3e-4, 8_000.0, 0.6
    tastes = eqx.tree_at(lambda t: t.nests, plain_logit(np.full(2, delta), alpha), _one_nest(2, sigma), is_leaf=lambda x: x is None)
    got = solve_prices(tastes, no_wedges(2), one_firm_each([0, 1], np.eye(2)), jnp.full(2, cost), jnp.full(2, 12_000.0), jnp.zeros(2, bool)).price

    def excess(price):
        nest = (2 * np.exp((delta - alpha * price) / (1 - sigma))) ** (1 - sigma)
        share, inside = nest / (1 + nest) / 2, 0.5
        return 1 - alpha * (price - cost) * (1 / (1 - sigma) - sigma / (1 - sigma) * inside - share)

    np.testing.assert_allclose(got, np.full(2, brentq(excess, cost, 1e5, xtol=1e-9)), rtol=CLOSE)


def test_weights_of_one_on_everybody_are_a_merger_of_all():
    problem = _untangled(random_problem(41))
    everybody = eqx.tree_at(lambda p: p.weights.kappa, problem, jnp.ones((3, 3)))
    merged = eqx.tree_at(lambda p: p.weights, problem, one_firm_each(np.zeros(8, int), np.eye(1)))
    np.testing.assert_allclose(_prices(everybody), _prices(merged), rtol=CLOSE)


def test_who_sets_a_price_does_not_matter_once_weights_are_one():
    problem = _untangled(random_problem(42))
    ones = eqx.tree_at(lambda p: p.weights.kappa, problem, jnp.ones((3, 3)))
    swapped = eqx.tree_at(lambda p: p.weights.setter, ones, (problem.weights.setter + 1) % 3)
    np.testing.assert_allclose(_prices(ones), _prices(swapped), rtol=CLOSE)


def test_nest_parameters_of_zero_are_no_nests():
    nested = random_problem(43, level="two")
    zero = eqx.tree_at(lambda p: (p.tastes.nests.sigma_sub, p.tastes.nests.sigma_group), nested, (jnp.zeros(4), jnp.zeros(2)))
    plain = eqx.tree_at(lambda p: p.tastes.nests, nested, None)
    np.testing.assert_allclose(_prices(zero), _prices(plain), rtol=CLOSE)


def test_draws_without_variance_are_one_representative_buyer():
    problem = random_problem(44, wedges="products")
    tastes = problem.tastes
    alike = eqx.tree_at(lambda p: (p.tastes.mu, p.tastes.alpha), problem, (jnp.zeros_like(tastes.mu), jnp.full_like(tastes.alpha, 3e-4)))
    single = eqx.tree_at(lambda p: p.tastes, problem, plain_logit(np.asarray(tastes.delta), 3e-4))
    np.testing.assert_allclose(_prices(alike), _prices(single), rtol=CLOSE)


def test_order_of_products_and_names_of_firms_do_not_matter():
    problem, rng = random_problem(45, level="two"), np.random.default_rng(1)
    order, firms = rng.permutation(8), rng.permutation(3)
    t, w, g = problem.tastes, problem.wedges, problem.weights
    tastes = eqx.tree_at(
        lambda t: (t.delta, t.mu, t.available, t.nests.sub), t, (t.delta[order], t.mu[order], t.available[order], t.nests.sub[order])
    )
    wedges = Wedges(w.buyer_rate[order], w.buyer_add[order], w.maker_rate[order], w.maker_charge[order])
    place = jnp.asarray(np.argsort(firms))
    weights = ProfitWeights(place[g.setter][order], g.kappa[np.ix_(firms, firms)], g.split[firms][:, order], g.fee[firms][:, order])
    shuffled = solve_prices(tastes, wedges, weights, problem.cost[order], start_of(problem)[order], problem.held)
    np.testing.assert_allclose(shuffled.price, _prices(problem)[order], rtol=CLOSE)


def test_another_money_unit_changes_the_numbers_of_prices_only():
    problem, unit = random_problem(46), 1e-4
    moved = eqx.tree_at(
        lambda p: (p.tastes.alpha, p.wedges.buyer_add, p.wedges.maker_charge, p.weights.fee, p.cost),
        problem,
        (
            problem.tastes.alpha / unit,
            problem.wedges.buyer_add * unit,
            problem.wedges.maker_charge * unit,
            problem.weights.fee * unit,
            problem.cost * unit,
        ),
    )
    np.testing.assert_allclose(_prices(moved) / unit, _prices(problem), rtol=CLOSE)


def test_held_prices_stay_and_prices_of_the_equilibrium_held_change_nothing():
    problem = random_problem(47)
    free = _prices(problem)
    held = eqx.tree_at(lambda p: p.held, problem, jnp.arange(8) < 3)
    np.testing.assert_allclose(_prices(held, jnp.where(jnp.arange(8) < 3, free, 9_000.0)), free, rtol=CLOSE)
    elsewhere = _prices(held, free.at[0].add(3_000.0))
    assert elsewhere[0] == free[0] + 3_000.0
    assert elsewhere[1] == free[1]
    assert not np.allclose(elsewhere[3:], free[3:], rtol=1e-6)


def test_a_product_that_is_not_on_sale_is_as_good_as_absent():
    problem = random_problem(48, products=6, level="one")
    gone = eqx.tree_at(lambda p: p.tastes.available, problem, jnp.arange(6) != 5)
    t, w, g = problem.tastes, problem.wedges, problem.weights
    tastes = eqx.tree_at(lambda t: (t.delta, t.mu, t.available, t.nests.sub), t, (t.delta[:5], t.mu[:5], t.available[:5], t.nests.sub[:5]))
    wedges = Wedges(w.buyer_rate[:5], w.buyer_add[:5], w.maker_rate[:5], w.maker_charge[:5])
    absent = solve_prices(
        tastes, wedges, ProfitWeights(g.setter[:5], g.kappa, g.split[:, :5], g.fee[:, :5]), problem.cost[:5], start_of(problem)[:5], problem.held[:5]
    )
    np.testing.assert_allclose(_prices(gone)[:5], absent.price, rtol=CLOSE)


def test_a_seller_who_buys_at_a_transfer_price_prices_as_if_it_were_the_cost():
    problem = _untangled(random_problem(49, firms=2))
    separate = eqx.tree_at(lambda p: p.weights.kappa, problem, jnp.eye(2))
    deal = (Transfer(product=1, builder=0, seller=1, price_eur=15_000.0),)
    supplied = eqx.tree_at(lambda p: p.weights, separate, with_transfers(separate.weights, deal, problem.cost))
    got = _prices(supplied)
    # the builder's fee makes it softer on that product, so only prices of the seller, given the builder's, are as with the cost
    as_cost = eqx.tree_at(lambda p: (p.cost, p.held), separate, (problem.cost.at[1].set(15_000.0), problem.weights.setter == 0))
    np.testing.assert_allclose(_prices(as_cost, jnp.where(problem.weights.setter == 0, got, start_of(problem))), got, rtol=CLOSE)


def test_a_setter_who_keeps_no_margin_is_refused_and_all_such_products_are_named():
    problem = random_problem(50, firms=2)
    weights = eqx.tree_at(lambda w: (w.split, w.kappa), problem.weights, (jnp.zeros((2, 8)).at[0].set(1.0), jnp.eye(2)))
    with pytest.raises(PricingError) as refusal:
        solve_prices(
            problem.tastes, problem.wedges, weights, problem.cost, start_of(problem), problem.held, labels=list("abcdefgh"), where="market X"
        )
    assert [p.where for p in refusal.value.problems] == [f"market X, {name}" for name in "bdfh"]


def test_a_product_that_nobody_can_want_is_refused_by_name():
    problem = random_problem(51)
    hopeless = eqx.tree_at(lambda p: p.tastes.delta, problem, problem.tastes.delta.at[4].set(-1e4))
    with pytest.raises(PricingError, match="product 4"):
        _prices(hopeless)


def test_an_iteration_cut_short_is_an_error_that_names_the_market_and_the_worst_product():
    problem = random_problem(52)
    with pytest.raises(PricesNotSettled, match=r"market X, [a-h]: prices did not settle"):
        solve_prices(
            problem.tastes, problem.wedges, problem.weights, problem.cost, start_of(problem), problem.held,
            PricingOptions(limit=1, limit_single=1), where="market X", labels=list("abcdefgh"),
        )  # fmt: skip


def _one_nest(products, sigma):
    return Nests(jnp.zeros(products, int), jnp.zeros(1, int), jnp.array([sigma]), jnp.array([sigma]))


def _untangled(problem):
    """The same market with every margin kept whole by its price setter and no fees."""
    return eqx.tree_at(lambda p: p.weights, problem, one_firm_each(np.asarray(problem.weights.setter), np.asarray(problem.weights.kappa)))
