"""Where buyers go: derivatives against differences, limits and adding-up."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.demand.worlds import STRUCTURES, random_world, shares

from keiretsu.demand import substitution as sub
from keiretsu.demand.tastes import Tastes, nests, plain_logit

jacobian = eqx.filter_jit(sub.share_jacobian)
automatic = eqx.filter_jit(lambda tastes, price, rate: jax.jacfwd(lambda p: shares(tastes, rate * p[:, None]))(price))


def nested(tastes: Tastes, structure) -> Tastes:
    return Tastes(tastes.delta, tastes.mu, tastes.alpha, tastes.weight, tastes.available, structure, tastes.outside)


@pytest.mark.parametrize("outside", [True, False])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_the_closed_form_jacobian_is_the_derivative_of_shares(structure, outside):
    tastes, paid = random_world(11, structure, outside=outside)
    rate = jnp.asarray(np.random.default_rng(0).uniform(0.8, 1.3, tastes.mu.shape))
    # Both are exact formulas; only rounding differs.
    np.testing.assert_allclose(jacobian(tastes, rate * paid, rate), automatic(tastes, paid[:, 0], rate), atol=1e-14)


def test_the_jacobian_agrees_with_finite_differences():
    tastes, paid = random_world(12, "two levels")
    step = 1e-5
    for k in range(3):
        up, down = (shares(tastes, paid.at[k, 0].add(sign * step)) for sign in (1, -1))
        # Central differences err by step squared, 1e-10, and rounding over the step, 1e-11.
        np.testing.assert_allclose(jacobian(tastes, paid)[:, k], (up - down) / (2 * step), atol=1e-9)


def test_plain_logit_elasticities_are_the_textbook_ones():
    tastes, price = plain_logit(np.array([0.5, 0.2]), 2.0), jnp.array([1.0, 1.5])
    share = np.asarray(shares(tastes, price[:, None]))
    found = np.asarray(sub.elasticities(tastes, price[:, None], price))
    np.testing.assert_allclose(np.diag(found), -2.0 * price * (1 - share), rtol=1e-13)
    assert found[0, 1] == pytest.approx(2.0 * 1.5 * share[1], rel=1e-13)


def test_nests_of_zero_sigma_and_a_single_draw_are_plain_logit():
    tastes, paid = random_world(13, spread=0.0)
    flat = nested(tastes, nests(["x", "y"] * 3, 0.0))
    one = Tastes(tastes.delta, tastes.mu[:, :1], tastes.alpha[:1], jnp.ones(1), tastes.available, None)
    np.testing.assert_allclose(jacobian(flat, paid), jacobian(one, paid), atol=1e-15)
    np.testing.assert_allclose(jacobian(tastes, paid), jacobian(one, paid), atol=1e-15)


def test_two_levels_with_each_subgroup_its_own_group_are_one_level():
    tastes, paid = random_world(14)
    group = ["x", "y", "x", "y", "x", "y"]
    one, two = nests(group, 0.6), nests(group, 0.2, group, 0.6)
    # A group with one subgroup keeps only the correlation inside the subgroup.
    np.testing.assert_allclose(shares(nested(tastes, one), paid), shares(nested(tastes, two), paid), atol=1e-15)
    np.testing.assert_allclose(jacobian(nested(tastes, one), paid), jacobian(nested(tastes, two), paid), atol=1e-14)


@pytest.mark.parametrize("outside", [True, False])
def test_lost_sales_all_go_somewhere(outside):
    tastes, paid = random_world(15, "two levels", outside=outside)
    on_sale = np.asarray(tastes.available)
    for found in (sub.diversion(tastes, paid), sub.second_choices(tastes, paid, jnp.ones(6))):
        total = np.asarray(found.to_product.sum(axis=1) + found.to_outside)
        np.testing.assert_allclose(total, on_sale.astype(float), atol=1e-12)
        assert (np.asarray(found.to_product) >= -1e-15).all()
        assert np.abs(np.diag(found.to_product)).max() < 1e-12


def test_in_plain_logit_diversion_and_second_choices_are_proportional_to_shares():
    tastes, paid = plain_logit(np.array([0.5, 0.2, -0.3]), 1.0), jnp.ones((3, 1))
    share = np.asarray(shares(tastes, paid))
    expected = share[None, :] / (1 - share)[:, None] * (1 - np.eye(3))
    np.testing.assert_allclose(sub.diversion(tastes, paid).to_product, expected, rtol=1e-13, atol=1e-16)
    np.testing.assert_allclose(sub.second_choices(tastes, paid, jnp.ones(3)).to_product, expected, rtol=1e-12, atol=1e-15)


def split_line(tastes: Tastes, paid, n: int) -> tuple[Tastes, jnp.ndarray]:
    """The same world with product 0, a line of n models, written out model by model at the front."""
    nest = tastes.nests
    assert nest is not None
    ease = 1 - nest.sigma_sub[nest.sub[0]]
    rows = np.r_[np.zeros(n, int), np.arange(1, tastes.delta.shape[0])]
    delta = tastes.delta[rows].at[:n].add(-ease * jnp.log(n))
    written = eqx.tree_at(lambda x: x.sub, nest, nest.sub[rows])
    return Tastes(delta, tastes.mu[rows], tastes.alpha, tastes.weight, tastes.available[rows], written), paid[rows]


def test_one_model_of_a_composite_line_has_the_elasticity_and_second_choices_it_has_when_written_out():
    tastes, paid = random_world(16, "two levels", n=3)
    models = jnp.array([4.0, 1.0, 1.0])
    out, out_paid = split_line(tastes, paid, 4)
    composite = sub.model_elasticities(tastes, paid, paid[:, 0], models)
    written = jnp.diag(sub.elasticities(out, out_paid, out_paid[:, 0]))
    np.testing.assert_allclose(composite, written[jnp.array([0, 4, 5])], rtol=1e-12)
    line, models_out = sub.second_choices(tastes, paid, models), sub.second_choices(out, out_paid, jnp.ones(6))
    assert float(line.to_product[0, 0]) == pytest.approx(float(models_out.to_product[0, 1:4].sum()), rel=1e-10)
    np.testing.assert_allclose(line.to_product[0, 1:], models_out.to_product[0, 4:], rtol=1e-10)


def test_subset_elasticities_are_sums_of_the_jacobian():
    tastes, paid = random_world(17, "two levels")
    subset = jnp.array([True, False, True, False, True, False])
    share, found = np.asarray(shares(tastes, paid)), np.asarray(jacobian(tastes, paid))
    chosen = np.asarray(subset)
    by_hand = (found[np.ix_(chosen, chosen)] @ np.asarray(paid[chosen, 0])).sum() / share[chosen].sum()
    assert float(sub.subset_elasticity(tastes, paid, subset)) == pytest.approx(by_hand, rel=1e-12)
    bonus = -found[np.ix_(chosen, chosen)].sum() / share[chosen].sum()
    assert float(sub.subset_semi_elasticity(tastes, paid, subset)) == pytest.approx(bonus, rel=1e-12)
    whole = (found @ np.asarray(paid[:, 0])).sum() / share.sum()
    assert float(sub.market_elasticity(tastes, paid)) == pytest.approx(whole, rel=1e-12)


def test_electric_buyers_stay_electric_more_often_when_electric_cars_are_a_closer_nest():
    tastes, paid = random_world(18)
    electric = jnp.array([True, True, True, False, False, False])
    kept = []
    for sigma in (0.0, 0.4, 0.8):
        world = nested(tastes, nests(["bev"] * 3 + ["ice"] * 3, {"bev": sigma, "ice": 0.0}))
        second = sub.second_choices(world, paid, jnp.ones(6))
        kept.append(float(sub.second_choice_share(second, shares(world, paid), electric, electric)))
    assert kept[0] < kept[1] < kept[2] <= 1
