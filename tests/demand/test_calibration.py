"""Calibration finds the parameters behind moments, and reports how well it did."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from tests.demand.worlds import STRUCTURES, random_world

from keiretsu.demand import substitution as sub
from keiretsu.demand.calibration import Free, ObservedMarket, Trial, calibrate, moments_at, spread
from keiretsu.demand.moments import Seen, Target, diversion_to, second_choice_in
from keiretsu.demand.preferences import ConsumerDraws, Preferences, RandomTaste
from keiretsu.demand.tastes import Tastes
from keiretsu.errors import DemandError
from keiretsu.numerics.draws import sobol

TRUTH = Preferences(
    40.0, 0.7, (RandomTaste("electric", 1.2),), nest_columns=("power", "segment"), sigma_group=0.3, sigma_sub=0.6
)  # income in thousand EUR, prices in thousand EUR


def observed(name: str, seed: int, n: int) -> ObservedMarket:
    rng = np.random.default_rng(seed)
    sample = sobol(64, 2, seed)
    people = ConsumerDraws(
        sample.weight, np.exp(3.5 + 0.4 * sample.node[:, 1]), np.zeros(64, int), np.zeros(64, int), sample.node[:, :1], ("all",), ("private",)
    )
    electric = np.arange(n) % 2
    price = rng.uniform(20, 45, n)
    share = rng.uniform(0.2, 1, n)
    return ObservedMarket(
        id=name,
        products=tuple(f"{name}{j}" for j in range(n)),
        share=0.3 * share / share.sum(),
        potential=1e6 * seed,
        price=price,
        paid=1.2 * price[:, None],
        buyer_rate=np.full((n, 1), 1.2),
        n_models=np.where(np.arange(n) == 1, 5.0, 1.0),
        available=np.ones(n, bool),
        characteristics={"electric": electric.astype(float)},
        nest_labels=(tuple("bev" if e else "ice" for e in electric), tuple("AB"[j // 2 % 2] for j in range(n))),
        consumers=people,
    )


MARKETS = (observed("north", 1, 8), observed("south", 2, 11))
ALL = {m.id: np.ones(len(m.share), bool) for m in MARKETS}
ELECTRIC = {m.id: m.characteristics["electric"] > 0 for m in MARKETS}


def margins(market: ObservedMarket, tastes: Tastes) -> np.ndarray:
    """Single-product firms: the margin is minus one over the own elasticity."""
    own = jnp.diag(sub.elasticities(tastes, jnp.asarray(market.paid), jnp.asarray(market.price), jnp.asarray(market.buyer_rate)))
    return np.asarray(-1 / own)


def targets() -> list[Target]:
    blank = [
        Target("own", "own_elasticity", 0.0, 0.0, 0.0, ALL, source="a"),
        Target("market", "market_elasticity", 0.0, 0.0, 0.0, ALL, source="b"),
        Target("electric", "subset_elasticity", 0.0, 0.0, 0.0, ELECTRIC, source="c"),
        Target("second", "second_choice", 0.0, 0.0, 0.0, ELECTRIC, source="d"),
        Target("outside", "diversion_outside", 0.0, 0.0, 0.0, {"south": ELECTRIC["south"]}, source="e"),
        Target("to", "diversion", 0.0, 0.0, 0.0, ELECTRIC, ELECTRIC, source="f"),
        Target("margin", "margin", 0.0, 0.0, 0.0, ALL, source="g"),
        Target("sold", "share", 0.0, 0.0, 0.0, ALL, source="h"),
    ]
    at_truth = moments_at(MARKETS, blank, Trial(TRUTH, 1.3), margins)
    width = [0.05 * abs(x) for x in at_truth]
    return [dataclasses.replace(t, value=float(x), low=float(x) - w, high=float(x) + w) for t, x, w in zip(blank, at_truth, width, strict=True)]


FREE = (
    Free("price_taste", 20.0, 5.0, 100.0, lambda t, x: dataclasses.replace(t, preferences=dataclasses.replace(t.preferences, price_taste=x))),
    Free("sigma_group", 0.1, 0.0, 0.5, lambda t, x: dataclasses.replace(t, preferences=dataclasses.replace(t.preferences, sigma_group=x))),
    Free("sigma_sub", 0.7, 0.5, 0.95, lambda t, x: dataclasses.replace(t, preferences=dataclasses.replace(t.preferences, sigma_sub=x))),
    Free(
        "spread",
        0.5,
        0.0,
        4.0,
        lambda t, x: dataclasses.replace(t, preferences=dataclasses.replace(t.preferences, random=(RandomTaste("electric", x),))),
    ),
    Free("potential", 1.0, 0.8, 2.0, lambda t, x: dataclasses.replace(t, potential_scale=x)),
)


def test_moments_made_by_known_parameters_give_these_parameters_back():
    fit = calibrate(MARKETS, targets(), FREE, Trial(TRUTH), margins)
    truth = {"price_taste": 40.0, "sigma_group": 0.3, "sigma_sub": 0.6, "spread": 1.2, "potential": 1.3}
    # Eight smooth moments pin five parameters down; the optimiser stops at relative steps of 1e-8.
    assert fit.parameters == pytest.approx(truth, rel=1e-4)
    assert fit.table["within_range"].all() and list(fit.table["source"]) == list("abcdefgh")
    assert fit.objective == pytest.approx(0, abs=1e-6)
    assert not fit.at_bound


def test_parameters_refitted_to_drawn_targets_surround_the_fit():
    exact = [t for t in targets() if t.id in ("own", "market")]
    fit = calibrate(MARKETS, exact, FREE[:2], Trial(TRUTH, 1.3), None)
    sample = spread(MARKETS, exact, FREE[:2], fit, None, count=4, seed=1)
    assert sample.shape == (4, 2)
    assert sample["price_taste"].min() < fit.parameters["price_taste"] < sample["price_taste"].max()


def test_contradictory_inputs_are_all_reported():
    bad = [
        Target("a", "elasticity", 1.0, 0.0, 2.0, ALL),
        Target("b", "margin", 0.2, 0.3, 0.4, {"east": np.ones(3, bool)}),
    ]
    with pytest.raises(DemandError) as caught:
        calibrate(MARKETS, bad, (dataclasses.replace(FREE[0], start=500.0),), Trial(TRUTH), None)
    text = str(caught.value)
    for part in ("unknown kind of moment", "outside its own range", "unknown market", "start outside its bounds", "margins=None"):
        assert part in text


@pytest.mark.parametrize("structure", STRUCTURES)
def test_second_choices_in_one_pass_equal_withdrawing_each_model(structure):
    tastes, paid = random_world(31, structure)
    models = jnp.array([3.0, 1.0, 1.0, 2.0, 1.0, 1.0])
    then = jnp.array([True, False, True, False, True, False])
    every = sub.second_choices(tastes, paid, models).to_product
    found = second_choice_in(tastes, paid, models, then & tastes.available)
    # Withdrawal subtracts nearly equal shares: 1e-16 over shares of 1e-3.
    np.testing.assert_allclose(found, jnp.where(then, every, 0.0).sum(axis=1), atol=1e-12)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_diversion_to_a_subset_is_the_sum_of_diversion_ratios(structure):
    tastes, paid = random_world(32, structure)
    one = jnp.ones(6)
    then = jnp.array([True, False, True, False, True, False])
    found = diversion_to(tastes, Seen(paid, jnp.ones((6, 1)), paid[:, 0], one), then)
    every = sub.diversion(tastes, paid).to_product
    np.testing.assert_allclose(found, jnp.where(then, every, 0.0).sum(axis=1), atol=1e-13)
