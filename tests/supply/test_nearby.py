"""A market looked at in NumPy: the same conditions, exact slopes, and the same prices as the compiled search from afar."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from keiretsu.supply.first_order import PriceProblem, conditions
from keiretsu.supply.nearby import Nearby, pricing_of
from keiretsu.supply.packed import Look, Packed
from keiretsu.supply.pricing import PricingOptions, solve_prices
from keiretsu.supply.slopes import by_cost, of_residuals, of_shares
from tests.supply.worlds import LEVELS, objectives, random_problem, start_of

SIZE: dict[str, Any] = {"products": 5, "draws": 15, "firms": 3}  # that of other tests: each other size compiles anew
SINGLE = 3e-6  # rounding of single precision in sums of a hundred terms of either sign

_conditions = eqx.filter_jit(conditions)


def with_gaps(level: str) -> PriceProblem:
    """A market with a product that is not on sale, a draw without weight and a firm that prices nothing."""
    problem = random_problem(4, level=level, **SIZE)
    weight = problem.tastes.weight.at[3].set(0.0)
    gaps = (jnp.arange(5) != 3, weight / weight.sum(), problem.weights.setter % 2)
    return eqx.tree_at(lambda p: (p.tastes.available, p.tastes.weight, p.weights.setter), problem, gaps)


def seen(problem: PriceProblem, price: np.ndarray, cost: np.ndarray | None = None) -> Look:
    packed = Packed(problem.tastes, problem.weights)
    return packed.look(packed.terms(problem.wedges, np.asarray(problem.cost if cost is None else cost)), price)


@pytest.mark.parametrize("level", LEVELS)
def test_every_maker_sees_the_same_first_order_conditions_outside_compiled_code(level: str) -> None:
    problem = with_gaps(level)
    price = np.asarray(start_of(problem))
    look, exact = seen(problem, price), _conditions(problem, jnp.asarray(price))
    order = look.packed.order
    np.testing.assert_allclose(look.residual, (np.asarray(exact.implied) - price)[order], rtol=1e-11, atol=1e-8)  # prices of 2e4: twelve digits
    np.testing.assert_allclose(look.share, np.asarray(exact.share)[order], rtol=1e-12)
    np.testing.assert_allclose(look.slope, np.asarray(exact.slope)[order], rtol=1e-12)
    np.testing.assert_allclose(look.objective, np.asarray(objectives(problem, jnp.asarray(price)))[look.packed.firm], rtol=1e-12)


@pytest.mark.parametrize("level", LEVELS)
def test_slopes_of_conditions_and_shares_are_their_derivatives(level: str) -> None:
    problem = with_gaps(level)
    price = np.asarray(start_of(problem))
    look = seen(problem, price)
    order = look.packed.order

    def along(of, at: np.ndarray) -> np.ndarray:
        step = 0.05  # EUR: third-order terms are 1e-9 of the slopes, rounding of a residual of 1e3 EUR 1e-11
        moved = [(of(at + step * unit) - of(at - step * unit)) / (2 * step) for unit in np.eye(5)[order]]
        return np.stack(moved, axis=1)

    by_price = along(lambda p: seen(problem, p).residual, price)
    np.testing.assert_allclose(of_residuals(look), by_price, atol=SINGLE * np.abs(by_price).max())
    shares = along(lambda p: seen(problem, p).share, price)
    np.testing.assert_allclose(of_shares(look), shares, atol=SINGLE * np.abs(shares).max())
    costs = along(lambda c: seen(problem, price, c).residual, np.asarray(problem.cost))
    np.testing.assert_allclose(by_cost(look), costs, atol=SINGLE * np.abs(costs).max())


@pytest.mark.parametrize("level", LEVELS)
def test_prices_found_from_nearby_are_those_found_from_afar(level: str) -> None:
    problem = with_gaps(level)
    m, options = problem, PricingOptions()
    held = np.arange(5) == 2
    start = np.asarray(start_of(problem))
    far = solve_prices(m.tastes, m.wedges, m.weights, m.cost, jnp.asarray(start), held, options)
    near, chosen = Nearby(Packed(m.tastes, m.weights)), np.asarray(m.tastes.available) & ~held
    before = np.where(held, start, 1.02 * np.asarray(far.price))
    found = near.settle(near.packed.terms(m.wedges, np.asarray(m.cost)), before, chosen, options)
    assert found is not None and found.looks <= 8
    pricing = pricing_of(found, near.packed, before, chosen)
    assert np.abs(pricing.residual).max() <= options.tolerance_eur
    # two residuals of up to the tolerance, each passed on among makers a few times
    np.testing.assert_allclose(pricing.price[chosen], np.asarray(far.price)[chosen], atol=10 * options.tolerance_eur)
    assert pricing.price[2] == start[2] and pricing.price[3] == before[3] and pricing.share[3] == 0


def test_a_start_from_which_steps_do_not_lead_anywhere_is_not_an_answer() -> None:
    problem = random_problem(4, level="two", **SIZE)
    near, options = Nearby(Packed(problem.tastes, problem.weights)), PricingOptions()
    terms = near.packed.terms(problem.wedges, np.asarray(problem.cost))
    assert near.settle(terms, np.full(5, 1e9), np.ones(5, bool), options) is None  # nobody buys: no condition says anything
    unpaid = eqx.tree_at(lambda p: p.weights.kappa, problem, jnp.zeros((3, 3)))  # setters that look after no profit
    assert Nearby(Packed(unpaid.tastes, unpaid.weights)).settle(terms, np.asarray(start_of(problem)), np.ones(5, bool), options) is None


def test_slopes_kept_from_one_solution_serve_the_next() -> None:
    problem = random_problem(6, level="one", **SIZE)
    near, options, everything = Nearby(Packed(problem.tastes, problem.weights)), PricingOptions(), np.ones(5, bool)
    terms = near.packed.terms(problem.wedges, np.asarray(problem.cost))
    first = near.settle(terms, np.asarray(start_of(problem)), everything, options)
    assert first is not None
    price = near.packed.spread(first.look.price, np.zeros(5))
    dearer = near.packed.terms(problem.wedges, np.asarray(problem.cost) + 50.0)
    again = near.settle(dearer, price + 45.0, everything, options)
    assert again is not None and again.looks < first.looks
    residual = jax.device_get(
        _conditions(eqx.tree_at(lambda p: p.cost, problem, problem.cost + 50.0), jnp.asarray(near.packed.spread(again.look.price, price)))
    )
    assert np.abs(residual.implied - near.packed.spread(again.look.price, price)).max() <= 1.01 * options.tolerance_eur
