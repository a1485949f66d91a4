"""How costs pass into prices where nothing stands between buyer and maker: against PyBLP, solving again, and a logit monopolist's closed form.

Convention, ours and PyBLP's (`compute_passthrough`) alike: row j, column k is ``dp_j / dc_k``, so a tax on several cars adds up columns
and no matrix is turned over. What could be turned over is who weighs whom: PyBLP's ``ownership[j, k]``, the weight in the condition of
price j on the margin of k, is our ``kappa[firm of j, firm of k]``. No pass-through compared here is
symmetric, nor are the partial weights, so a transpose of either fails.
"""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pyblp
import pytest
from scipy.special import lambertw

from keiretsu.demand.tastes import Nests, Tastes, plain_logit
from keiretsu.supply import PriceProblem, PricingOptions, no_wedges, one_firm_each, pass_through, solve_prices

pyblp.options.verbose = False
J, DRAWS, F = 8, 30, 4
FIRM, NEST = np.arange(J) % F, np.arange(J) % 3
PRICE_TASTE, PRICE_SPREAD = 2.5, 0.3
SETTLED = PricingOptions(relative=1e-13)  # prices of about 2, to a few roundings
THEIRS = 1e-8  # relative, every entry (the smallest is 2e-6); both solve for prices to about 1e-13 and differentiate exactly
STEP = 2e-3  # of cost; five points leave an error of STEP^4 (2e-11) and of rounding over STEP (1e-10)
DIFFERENCES = 1e-8  # absolute
SAME = 1e-11  # relative; two problems with the same conditions, each settled to 1e-13 of the mean price
TAX, TAXED = 0.4, 1

SEPARATE = np.eye(F)
PARTIAL = np.array([[1.0, 0.43, 0.0, 0.1], [0.15, 1.0, 0.34, 0.0], [0.0, 0.0, 1.0, 0.0], [1.2, 0.0, 0.25, 1.0]])
"""Some makers look after part of another's profit; none of it is mirrored, one weight is above one and one maker looks after nobody."""

CASES = [pytest.param(kappa, rho, id=f"{name}-{rho}") for name, kappa in [("separate", SEPARATE), ("partial", PARTIAL)] for rho in (0.0, 0.4)]


def _draw():
    """Characteristic, unobserved quality, cost and consumers' nodes."""
    rng = np.random.default_rng(11)
    return rng.uniform(0, 1, J), rng.normal(0, 0.5, J), rng.uniform(1.0, 3.0, J), rng.standard_normal((DRAWS, 3))


def _problem(kappa, rho):
    """Random coefficients on the constant, x and price, and nests that mean nothing where `rho` is zero (PyBLP's market then has none)."""
    x, xi, cost, nodes = _draw()
    sigma = jnp.full(3, rho)
    tastes = Tastes(
        delta=jnp.asarray(1.0 + 2.0 * x + xi),
        mu=jnp.asarray(0.5 * nodes[:, 0] + x[:, None] * nodes[:, 1]),
        alpha=jnp.asarray(PRICE_TASTE + PRICE_SPREAD * nodes[:, 2]),
        weight=jnp.full(DRAWS, 1 / DRAWS),
        available=jnp.ones(J, bool),
        nests=Nests(jnp.asarray(NEST), jnp.arange(3), sigma, sigma),
    )
    return PriceProblem(tastes, no_wedges(J), one_firm_each(FIRM, kappa), jnp.asarray(cost), jnp.zeros(J, bool))


def _pyblp(kappa, rho):
    """The same market, solved by PyBLP."""
    x, xi, cost, nodes = _draw()
    simulation = pyblp.Simulation(
        product_formulations=(pyblp.Formulation("1 + prices + x"), pyblp.Formulation("1 + x + prices"), pyblp.Formulation("0 + x")),
        product_data={
            "market_ids": np.zeros(J), "firm_ids": FIRM, "x": x, "ownership": kappa[np.ix_(FIRM, FIRM)], **({"nesting_ids": NEST} if rho else {}),
        },
        agent_data={"market_ids": np.zeros(DRAWS), "weights": np.full(DRAWS, 1 / DRAWS), "nodes": nodes},
        beta=[1.0, -PRICE_TASTE, 2.0],
        sigma=np.diag([0.5, 1.0, -PRICE_SPREAD]),
        rho=rho if rho else None,
        gamma=[0.0],
        xi=xi,
        omega=cost,
    )  # fmt: skip
    tight = pyblp.Iteration("simple", {"atol": 1e-13})
    return simulation.replace_endogenous(costs=cost, prices=cost, iteration=tight, compute_hessians=False)


def _prices(problem):
    return solve_prices(problem.tastes, problem.wedges, problem.weights, problem.cost, 1.5 * problem.cost, problem.held, SETTLED).price


def _dearer(problem, rise):
    """The same market with every cost raised by `rise`."""
    return eqx.tree_at(lambda p: p.cost, problem, problem.cost + rise)


def _taxed(problem, tax):
    """The same market with `tax` taken from the maker on every sale; both (J,)."""
    return eqx.tree_at(lambda p: p.wedges.maker_charge, problem, jnp.asarray(tax)[:, None])


def _slope(at):
    """Derivative at zero of `at`, from five points."""
    return np.asarray(8 * (at(STEP) - at(-STEP)) - (at(2 * STEP) - at(-2 * STEP))) / (12 * STEP)


@pytest.mark.parametrize(("kappa", "rho"), CASES)
def test_without_taxes_costs_pass_into_every_price_as_pyblp_says(kappa, rho):
    problem, theirs = _problem(kappa, rho), _pyblp(kappa, rho)
    ours = np.asarray(pass_through(problem, _prices(problem)))
    np.testing.assert_allclose(ours, theirs.compute_passthrough(), rtol=THEIRS)
    assert np.abs(ours - ours.T).max() > 1e-3  # a transpose would have shown


@pytest.mark.parametrize(("kappa", "rho"), CASES)
def test_pass_through_is_how_far_prices_move_when_one_cost_moves_and_all_are_set_again(kappa, rho):
    problem = _problem(kappa, rho)
    columns = [_slope(lambda rise, one=one: _prices(_dearer(problem, rise * one))) for one in jnp.eye(J)]
    np.testing.assert_allclose(pass_through(problem, _prices(problem)), np.column_stack(columns), rtol=0, atol=DIFFERENCES)


@pytest.mark.parametrize(("kappa", "rho"), CASES)
def test_a_tax_per_car_on_one_maker_raises_prices_like_a_cost_rise_of_as_much(kappa, rho):
    problem, his = _problem(kappa, rho), jnp.asarray(FIRM == TAXED, float)
    taxed = _prices(_taxed(problem, TAX * his))
    np.testing.assert_allclose(taxed, _prices(_dearer(problem, TAX * his)), rtol=SAME)
    assert np.all((taxed - _prices(problem))[FIRM == TAXED] > 0)
    first_euro = _slope(lambda tax: _prices(_taxed(problem, tax * his)))
    np.testing.assert_allclose(pass_through(problem, _prices(problem)) @ his, first_euro, rtol=0, atol=DIFFERENCES)


def test_a_logit_monopolist_passes_on_a_tax_less_the_share_of_the_car_taxed_whichever_car_it_prices():
    """One markup ``1 / (alpha s_0) = (1 + W(sum exp(delta - alpha (c + t) - 1))) / alpha`` on all cars, so ``dp_j/dc_k = 1[j = k] - s_k``."""
    alpha, delta, cost = 1.3, np.array([1.0, 2.5, 3.0]), jnp.array([1.0, 1.4, 0.7])
    problem = PriceProblem(plain_logit(delta, alpha), no_wedges(3), one_firm_each([0, 0, 0], np.eye(1)), cost, jnp.zeros(3, bool))
    for tax in (jnp.zeros(3), jnp.array([0.0, TAX, 0.0]), jnp.full(3, TAX)):
        dearer = cost + tax
        markup = (1 + lambertw(np.exp(delta - alpha * dearer - 1).sum()).real) / alpha
        np.testing.assert_allclose(_prices(_taxed(problem, tax)), dearer + markup, rtol=SAME)
    price = _prices(problem)
    odds = np.exp(delta - alpha * np.asarray(price))
    share = odds / (1 + odds.sum())
    np.testing.assert_allclose(pass_through(problem, price), np.eye(3) - share, rtol=1e-9)
    everywhere = _slope(lambda tax: _prices(_taxed(problem, tax * jnp.ones(3))))
    np.testing.assert_allclose(everywhere, np.full(3, 1 - share.sum()), rtol=0, atol=DIFFERENCES)


def test_pyblp_has_the_logit_monopolists_pass_through_the_same_way_up():
    delta, cost = np.array([1.0, 2.5, 3.0]), np.array([1.0, 1.4, 0.7])
    simulation = pyblp.Simulation(
        product_formulations=(pyblp.Formulation("0 + prices + x"), None, pyblp.Formulation("0 + x")),
        product_data={"market_ids": np.zeros(3), "firm_ids": np.zeros(3), "x": delta},
        beta=[-1.3, 1.0],
        gamma=[0.0],
        xi=np.zeros(3),
        omega=cost,
    )
    theirs = simulation.replace_endogenous(costs=cost, prices=cost, iteration=pyblp.Iteration("simple", {"atol": 1e-13}), compute_hessians=False)
    np.testing.assert_allclose(theirs.compute_passthrough(), np.eye(3) - theirs.product_data.shares[:, 0], rtol=THEIRS)
