"""Inversion finds the mean utilities behind shares, always, or says where it could not."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.demand.worlds import random_world, shares

from keiretsu.demand.inversion import Settings, invert, invert_many
from keiretsu.demand.tastes import nests, plain_logit
from keiretsu.errors import DemandError, InversionNotSettled


def with_delta(tastes, delta):
    return eqx.tree_at(lambda t: t.delta, tastes, jnp.asarray(delta))


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    structure=st.sampled_from(("plain", "two levels")),
    outside=st.booleans(),
    spread=st.sampled_from([0.0, 1.0, 5.0, 20.0]),
)
def test_every_world_is_reproduced_or_ends_in_a_named_error(seed, structure, outside, spread):
    tastes, paid = random_world(seed, structure, spread=spread, outside=outside)
    observed = np.asarray(shares(tastes, paid))
    sold = np.asarray(tastes.available)
    if (observed[sold] <= 0).any() or (outside and observed.sum() >= 1):  # a share that underflowed is refused, and rightly so
        with pytest.raises(DemandError):
            invert(observed, tastes, paid)
        return
    try:
        found = invert(observed, tastes, paid)
    except InversionNotSettled as refusal:
        assert spread == 20.0 and "product" in str(refusal)  # only where choices are all but certain
        return
    # Shares are sums of a few hundred terms with exponents up to a hundred: rounding of 1e-11 in logs, ten times the tolerance.
    again = np.asarray(shares(with_delta(tastes, found.delta), paid))
    np.testing.assert_allclose(np.log(again[sold]), np.log(observed[sold]), atol=1e-11)
    assert found.residual <= Settings().tolerance


def test_plain_logit_is_inverted_by_berrys_formula():
    tastes, observed = plain_logit(np.zeros(3), 2.0), np.array([0.1, 0.2, 0.3])
    price = jnp.array([[1.0], [2.0], [3.0]])
    found = invert(observed, tastes, price)
    # Closed form: rounding only.
    np.testing.assert_allclose(found.delta, np.log(observed / 0.4) + 2.0 * price[:, 0], rtol=1e-13)
    assert found.steps == 1


def test_two_level_nested_logit_without_random_tastes_needs_no_iteration():
    tastes, paid = random_world(3, "two levels", draws=1)
    found = invert(np.asarray(shares(tastes, paid)), tastes, paid)
    assert found.steps == 1
    np.testing.assert_allclose(found.delta, tastes.delta, atol=1e-12)


def test_without_an_outside_good_delta_of_the_first_product_on_sale_is_zero():
    tastes, paid = random_world(4, "one level", outside=False)
    found = invert(np.asarray(shares(tastes, paid)), tastes, paid)
    first = int(np.argmax(np.asarray(tastes.available)))
    true = np.where(tastes.available, np.asarray(tastes.delta) - float(tastes.delta[first]), 0)
    assert found.delta[first] == 0
    np.testing.assert_allclose(found.delta, true, atol=1e-9)  # 1e-12 in log shares, times the conditioning of thin shares


def test_a_batch_of_ragged_markets_gives_what_each_market_gives_alone():
    worlds = [random_world(seed, "two levels", n=n, draws=d) for seed, n, d in ((1, 4, 20), (2, 9, 35), (3, 6, 1))]
    observed = [np.asarray(shares(t, p)) for t, p in worlds]
    together = invert_many(observed, [t for t, _ in worlds], [p for _, p in worlds], ["a", "b", "c"])
    assert [found.delta.size for found in together] == [4, 9, 6]
    for (tastes, _), found in zip(worlds, together, strict=True):
        # Shares came from these deltas; 1e-12 in log shares times the conditioning of thin shares.
        np.testing.assert_allclose(found.delta, tastes.delta, atol=1e-9)
    (tastes, paid), share = worlds[0], observed[0]
    np.testing.assert_allclose(together[0].delta, invert(share, tastes, paid).delta, atol=1e-9)


@pytest.mark.parametrize(("structure", "sizes"), [("plain", (80, 48, 50, 79)), ("two levels", (48, 47))])
def test_large_markets_of_unequal_size_are_inverted_as_if_each_were_alone(structure, sizes):
    # With 90 draws: one after the other, conjugate gradients in single precision.
    worlds = [random_world(seed, structure, n=n, draws=90) for seed, n in enumerate(sizes)]
    observed = [np.asarray(shares(t, p)) for t, p in worlds]
    together = invert_many(observed, [t for t, _ in worlds], [p for _, p in worlds], list("abcd"[: len(sizes)]))
    assert [found.delta.size for found in together] == list(sizes)
    for (tastes, _), found in zip(worlds, together, strict=True):
        assert found.residual <= Settings().tolerance
        # Shares came from these deltas; 1e-12 in log shares times the conditioning of thin shares.
        np.testing.assert_allclose(found.delta, tastes.delta, atol=1e-9)


@pytest.mark.parametrize("pull", [1.0, 4.0])
def test_few_buyers_who_want_a_car_far_more_than_the_others_do_not_spoil_the_search(pull):
    tastes, paid = random_world(9, n=12, draws=200)
    keen = jnp.where(jnp.arange(200) < 4, 6.0 * pull, 0.0)
    tastes = eqx.tree_at(lambda t: (t.mu, t.delta), tastes, (tastes.mu + keen, jnp.where(tastes.available, tastes.delta - 5.0, 0.0)))
    found = invert(np.asarray(shares(tastes, paid)), tastes, paid)
    np.testing.assert_allclose(found.delta, tastes.delta, atol=1e-9)  # as above
    assert found.steps < 20  # the logarithm of their mean taste alone would begin utils too low, where Newton's steps stray


def test_zero_shares_and_full_markets_are_refused_with_what_to_do():
    tastes = plain_logit(np.zeros(3), 1.0)
    price = jnp.ones((3, 1))
    with pytest.raises(DemandError) as caught:
        invert_many(
            [np.array([0.0, 0.2, 0.3]), np.array([0.5, 0.3, 0.3])], [tastes, tastes], [price, price], ["north", "south"], [["a", "b", "c"]] * 2
        )
    text = str(caught.value)
    assert "market north, a" in text and "leave the product out" in text
    assert "market south" in text and "enlarge the potential market" in text
    with pytest.raises(DemandError, match="add up to one"):
        invert(np.array([0.2, 0.2, 0.2]), _without_outside(tastes), price)


def _without_outside(tastes):
    return type(tastes)(tastes.delta, tastes.mu, tastes.alpha, tastes.weight, tastes.available, tastes.nests, False)


def test_an_inversion_cut_short_names_market_and_product():
    tastes, paid = random_world(5, spread=3.0)
    with pytest.raises(InversionNotSettled, match="market Norway, product"):
        invert(np.asarray(shares(tastes, paid)), tastes, paid, market="Norway", settings=Settings(max_steps=1))


def test_nests_with_zero_sigma_invert_as_plain_logit():
    tastes, paid = random_world(6)
    observed = np.asarray(shares(tastes, paid))
    nested = type(tastes)(tastes.delta, tastes.mu, tastes.alpha, tastes.weight, tastes.available, nests(["x", "y"] * 3, 0.0), True)
    np.testing.assert_allclose(invert(observed, nested, paid).delta, invert(observed, tastes, paid).delta, atol=1e-10)
