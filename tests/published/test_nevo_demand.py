"""Nevo's cereals at the published estimates, and PyBLP beside it: mean utilities, elasticities, diversion, surplus."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pyblp
import pytest
from tests.published import nevo

from keiretsu.demand.choice import choose
from keiretsu.demand.inversion import invert_many
from keiretsu.demand.substitution import diversion, elasticities
from keiretsu.demand.tastes import Nests

FEW = 6  # markets for the nested comparison, which PyBLP has to invert with its own contraction


@pytest.fixture(scope="module", autouse=True)
def quiet():
    before = pyblp.options.verbose
    pyblp.options.verbose = False
    yield
    pyblp.options.verbose = before


@pytest.fixture(scope="module")
def theirs():
    return _solve(*nevo.tables())


@pytest.fixture(scope="module")
def ours():
    """Markets with their inverted delta."""
    markets = nevo.markets()
    found = invert_many(
        [m.share for m in markets], [m.tastes for m in markets], [jnp.asarray(m.price[:, None]) for m in markets], [m.id for m in markets]
    )
    return markets, [eqx.tree_at(lambda t: t.delta, m.tastes, jnp.asarray(f.delta)) for m, f in zip(markets, found, strict=True)]


def _solve(products, agents, rho=None):
    problem = pyblp.Problem(
        (pyblp.Formulation("0 + prices", absorb="C(product_ids)"), pyblp.Formulation("1 + prices + sugar + mushy")),
        products,
        pyblp.Formulation("0 + income + income_squared + age + child"),
        agents,
    )
    return problem.solve(
        nevo.SIGMA,
        nevo.PI,
        rho=rho,
        beta=nevo.ALPHA,
        optimization=pyblp.Optimization("return"),
        method="1s",
        check_optimality="gradient",
        iteration=pyblp.Iteration("squarem", {"atol": 1e-14}),
    )


def stacked(ours, function):
    markets, tastes = ours
    compiled = eqx.filter_jit(function)
    return [np.asarray(compiled(t, jnp.asarray(m.price))) for m, t in zip(markets, tastes, strict=True)]


def test_the_parameters_are_the_published_optimum(theirs):
    assert float(theirs.objective) == pytest.approx(nevo.OBJECTIVE, abs=5e-7)


def test_mean_utilities_equal_pyblps(ours, theirs):
    markets, tastes = ours
    # PyBLP's delta holds the mean price taste, ours stands at a price of zero.
    found = np.concatenate([np.asarray(t.delta) + nevo.ALPHA * m.price for m, t in zip(markets, tastes, strict=True)])
    # Both stop at about 1e-13; delta amplifies that by at most the inverse of the outside share.
    np.testing.assert_allclose(found, theirs.delta[:, 0], atol=1e-10)


def test_mean_own_elasticity_is_the_printed_one(ours):
    own = np.concatenate([np.diag(e) for e in stacked(ours, lambda t, p: elasticities(t, p[:, None], p))])
    assert own.mean() == pytest.approx(nevo.MEAN_OWN_ELASTICITY, abs=5e-7)  # all printed digits


def test_elasticities_and_diversion_equal_pyblps(ours, theirs):
    found = np.vstack(stacked(ours, lambda t, p: elasticities(t, p[:, None], p)))
    np.testing.assert_allclose(found, theirs.compute_elasticities(), rtol=1e-8, atol=1e-11)
    ratios = stacked(ours, lambda t, p: jax.tree.leaves(diversion(t, p[:, None]))[0])
    outside = stacked(ours, lambda t, p: diversion(t, p[:, None]).to_outside)
    # PyBLP keeps diversion to the outside good on the diagonal.
    whole = np.vstack([r + np.diag(o) for r, o in zip(ratios, outside, strict=True)])
    np.testing.assert_allclose(whole, theirs.compute_diversion_ratios(), rtol=1e-8, atol=1e-11)


def test_consumer_surplus_equals_pyblps(ours, theirs):
    found = stacked(ours, lambda t, p: t.weight @ (choose(t, p[:, None]).inclusive / t.alpha))
    theirs_by_id = dict(zip(theirs.problem.unique_market_ids, theirs.compute_consumer_surpluses()[:, 0], strict=True))
    np.testing.assert_allclose(found, [theirs_by_id[m.id] for m in ours[0]], rtol=1e-9)


def test_random_coefficients_with_nests_equal_pyblps():
    products, agents = nevo.tables()
    kept = list(dict.fromkeys(products["market_ids"]))[:FEW]
    products, agents = (table[table["market_ids"].isin(kept)].reset_index(drop=True) for table in (products, agents))
    theirs = _solve(products.assign(nesting_ids=products["mushy"]), agents, rho=0.4)
    markets = nevo.markets()[:FEW]
    nested = [_with_nests(m.tastes, m.products["mushy"].to_numpy()) for m in markets]
    found = invert_many([m.share for m in markets], nested, [jnp.asarray(m.price[:, None]) for m in markets], [m.id for m in markets])
    delta = np.concatenate([f.delta + nevo.ALPHA * m.price for m, f in zip(markets, found, strict=True)])
    np.testing.assert_allclose(delta, theirs.delta[:, 0], atol=1e-9)
    compiled = eqx.filter_jit(lambda t, p: elasticities(t, p[:, None], p))
    settled = [eqx.tree_at(lambda t: t.delta, t, jnp.asarray(f.delta)) for t, f in zip(nested, found, strict=True)]
    ours = np.vstack([np.asarray(compiled(t, jnp.asarray(m.price))) for m, t in zip(markets, settled, strict=True)])
    np.testing.assert_allclose(ours, theirs.compute_elasticities(), rtol=1e-7, atol=1e-9)


def _with_nests(tastes, label):
    structure = Nests(jnp.asarray(label), jnp.arange(2), jnp.full(2, 0.4), jnp.full(2, 0.4))
    return eqx.tree_at(lambda t: t.nests, tastes, structure, is_leaf=lambda x: x is None)
