"""Newton's steps by the closed form: right where it claims to be exact, and no part of the answer."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from keiretsu.errors import PricesNotSettled
from keiretsu.supply.first_order import conditions
from keiretsu.supply.nested_zeta import nested_anchor
from keiretsu.supply.pricing import PricingOptions, require_settled, settle
from keiretsu.supply.response import rounds
from keiretsu.supply.zeta import slopes_around
from tests.supply.worlds import random_problem, start_of

_derivative = eqx.filter_jit(lambda problem, price: jax.jacobian(lambda p: conditions(problem, p).implied)(price))
_closed_form = eqx.filter_jit(lambda problem, price: slopes_around(problem, nested_anchor(problem, problem.tastes.nests, price), price))
_conditions = eqx.filter_jit(conditions)


@pytest.mark.parametrize("level", ["one", "two"])
def test_inside_a_nest_the_closed_form_is_the_derivative_of_the_map(level: str) -> None:
    problem = random_problem(4, level=level, wedges="products", products=12, draws=30)
    problem = eqx.tree_at(lambda p: (p.held, p.tastes.available), problem, (jnp.arange(12) == 1, jnp.arange(12) != 5))
    chosen, nests, price = np.asarray(problem.chosen), problem.tastes.nests, start_of(problem)
    assert nests is not None
    both = chosen[:, None] & chosen[None, :] & np.asarray(nests.sub[:, None] == nests.sub[None, :])
    exact, found = np.asarray(_derivative(problem, price)), np.asarray(_closed_form(problem, price))
    np.testing.assert_allclose(found[both], exact[both], rtol=1e-10, atol=1e-12)
    assert (found[~chosen] == 0).all()


@pytest.mark.parametrize(("level", "wedges"), [("one", "products"), ("two", "draws")])
def test_prices_hold_every_first_order_condition_wherever_the_search_starts(level: str, wedges: str) -> None:
    options, settled = PricingOptions(), 0
    for seed in range(6):
        problem = random_problem(seed, level=level, wedges=wedges, products=12, draws=30)
        for factor in (0.3, 1.02, 1.5, 12.0):
            found = settle(problem, factor * problem.cost, options)
            if bool(found.settled):
                settled += 1
                # the map that is iterated and the plain conditions agree to rounding, a hundredth of the tolerance
                assert float(jnp.abs(_conditions(problem, found.price).implied - found.price).max()) <= 1.01 * options.relative * 40_000
            else:
                with pytest.raises(PricesNotSettled):
                    require_settled(found, problem, "here", ())
    assert settled >= 18  # of 24: far starts may end without an answer, near ones not


def test_rounds_of_answers_add_up_to_the_solution_and_are_left_out_where_they_do_not_die_out() -> None:
    rng = np.random.default_rng(3)
    slopes, residual = rng.random((20, 20)), jnp.asarray(rng.standard_normal(20))
    slopes = 0.4 * slopes / np.abs(np.linalg.eigvals(slopes)).max()
    exact = np.linalg.solve(np.eye(20) - slopes, residual)
    # ten rounds at 0.4 each leave 0.4^10 = 1e-4 of the largest answer
    np.testing.assert_allclose(rounds(jnp.asarray(slopes)).step(residual), exact, atol=1.05e-4 * np.abs(exact).max() * 5)
    np.testing.assert_array_equal(rounds(jnp.asarray(3.0 * slopes)).step(residual), residual)


def test_last_years_prices_lead_to_this_years_in_a_few_evaluations() -> None:
    options = PricingOptions(tolerance_eur=1e-4, relative=1e-8)
    problem = random_problem(2, level="one", wedges="none", products=40, draws=60, firms=6)
    now = settle(problem, start_of(problem), options)
    dearer = eqx.tree_at(lambda p: p.cost, problem, problem.cost * 1.02)
    after = settle(dearer, now.price + 0.02 * problem.cost, options)
    assert bool(now.settled)
    assert bool(after.settled)
    assert int(after.iterations) <= 8  # the map's own steps with Anderson's acceleration take 12
    assert int(after.returns) == 0
