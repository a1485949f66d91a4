"""Sides of price thresholds inside a year where no state is an equilibrium: which one is kept, and what is to be gained there."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from keiretsu.outlook.bent import Pieces
from keiretsu.outlook.clearing import YearMarket
from keiretsu.outlook.sides import Sides, choose_sides, in_full, sides_at
from keiretsu.supply.kinks import BentMarket, BentPricing, walls
from keiretsu.supply.pricing import PricingOptions
from tests.supply.test_kinks_and_notches import bent, best_single_gain, plain_prices
from tests.supply.worlds import random_problem


def market_that_goes_round() -> tuple[BentMarket, np.ndarray]:
    """The one of `tests.supply.test_kinks_and_notches` in which every combination of sides leaves somebody a gain, and its prices without thresholds."""
    rng = np.random.default_rng(154)
    problem = random_problem(154, products=5, draws=15, firms=3)
    kappa = rng.uniform(-1.5, 1.5, (3, 3))
    np.fill_diagonal(kappa, 1.0)
    problem = replace(problem, weights=replace(problem.weights, kappa=jnp.asarray(kappa)))
    free = plain_prices(problem)
    breaks = np.where(rng.random(5) < 0.9, free - rng.uniform(-300, 3000, 5), np.inf)
    return bent(problem, breaks, bonus=float(rng.uniform(1000, 6000))), free


def chosen(market: BentMarket, start: np.ndarray) -> Sides:
    tastes, w = market.tastes, market.pieces
    pieces = Pieces(
        jnp.asarray(w.breaks),
        jnp.asarray(walls(w)),
        jnp.ones(w.breaks.shape, bool),
        *(jnp.asarray(part) for part in (w.buyer_rate, w.buyer_add, w.maker_rate, w.maker_charge)),
    )
    classes = jnp.arange(tastes.alpha.shape[0]) if pieces.buyer_rate.shape[-1] > 1 else jnp.zeros(tastes.alpha.shape[0], int)
    nothing, wedges = jnp.zeros(5), pieces.wedges(jnp.zeros(5, int), classes)
    m = YearMarket(
        tastes.delta, tastes.mu, tastes.alpha, tastes.weight, tastes.nests, tastes.available, wedges, market.weights,
        jnp.asarray(market.cost), nothing, jnp.zeros(5, bool), jnp.asarray(start),
    )  # fmt: skip
    solver = in_full(PricingOptions())
    return eqx.filter_jit(lambda: choose_sides(m, pieces, sides_at(m, pieces, jnp.zeros(5, bool)), classes, solver, tastes.outside))()


def test_where_sides_go_round_the_state_kept_is_solved_and_says_what_one_setter_would_gain_in_it() -> None:
    market, free = market_that_goes_round()
    kept = chosen(market, free)
    assert int(kept.unsettled) > 0 and bool(kept.settled)
    state = SimpleNamespace(price=np.asarray(kept.price), piece=np.asarray(kept.piece))
    # a grid of a fifteenth of a per cent finds the best price to the second order: some millionths of the profit, a hundredth of the gain
    seen = best_single_gain(market, cast(BentPricing, state), steps=1_501)
    assert float(kept.to_gain) == pytest.approx(seen, rel=0.02)


def test_where_an_equilibrium_is_found_nothing_is_to_be_gained() -> None:
    market, free = market_that_goes_round()
    far = replace(market.pieces, breaks=np.full_like(market.pieces.breaks, np.inf))
    kept = chosen(replace(market, pieces=far), free)
    assert (int(kept.unsettled), float(kept.to_gain)) == (0, 0.0)
