"""Prices at kinks and notches against searches over all prices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from keiretsu.errors import NoPureEquilibrium, PricesNotSettled
from keiretsu.supply.kinks import BentMarket, BentPricing, solve_kinks, walls
from keiretsu.supply.notches import deviations, solve_piecewise
from keiretsu.supply.own_price import gains, objective, objective_after, profile_of
from keiretsu.supply.pieces import PiecewiseWedges, notches, one_piece, piece_at
from keiretsu.supply.pricing import solve_prices
from tests.supply.worlds import LEVELS, random_problem, start_of

BUYERS = 1e6
SIZE: dict[str, Any] = {"products": 5, "draws": 15, "firms": 3}  # one size for all: each other size compiles anew
SMALL = 1e-7  # EUR a potential buyer, where profits are about 1e3: the grid's own error is larger


def bent(problem, breaks, *, bonus=0.0, rate_jump=0.0, kept_jump=0.0, closed_below=True) -> BentMarket:
    """The problem's wedges below a breakpoint of each product; above it a bonus is lost, rates change, or the maker pays a sum more.

    `rate_jump` changes the buyer's rate above the breakpoint without a jump of what is paid (a kink).
    """
    w = problem.wedges
    n = w.buyer_rate.shape[0]
    breaks = np.broadcast_to(np.asarray(breaks, float), (n,))[:, None]
    rate, add = np.asarray(w.buyer_rate), np.asarray(w.buyer_add)
    charge = np.asarray(w.maker_charge)
    finite = np.where(np.isfinite(breaks), breaks, 0.0)
    pieces = PiecewiseWedges(
        breaks=breaks,
        closed_below=np.full((n, 1), closed_below),
        labels=(("ceiling",),) * n,
        buyer_rate=np.stack([rate, rate + rate_jump], axis=1),
        buyer_add=np.stack([add, add + bonus - rate_jump * finite], axis=1),
        maker_rate=np.stack([np.asarray(w.maker_rate)] * 2, axis=1),
        maker_charge=np.stack([charge, charge + kept_jump], axis=1),
    )
    return BentMarket(problem.tastes, pieces, problem.weights, np.asarray(problem.cost), np.zeros(n, bool))


def best_single_gain(market: BentMarket, prices: BentPricing, steps: int = 121) -> float:
    """Largest gain any setter finds by moving one price over a fine grid with the breakpoints in it, from the definition of profit."""
    best = -np.inf
    setter = np.asarray(market.weights.setter)
    for j in range(prices.price.size):
        now = objective(market, prices.price, prices.piece, int(setter[j]))
        grid = np.concatenate([np.linspace(0.6, 1.6, steps) * prices.price[j], market.pieces.breaks[j]])
        for p in grid[np.isfinite(grid)]:
            price = prices.price.copy()
            price[j] = p
            piece = prices.piece.copy()
            piece[j] = piece_at(market.pieces, price)[j]
            best = max(best, objective(market, price, piece, int(setter[j])) - now)
    return best


def plain_prices(problem) -> np.ndarray:
    return np.asarray(solve_prices(problem.tastes, problem.wedges, problem.weights, problem.cost, start_of(problem), problem.held).price)


def test_one_piece_gives_the_same_prices_as_without_pieces():
    problem = random_problem(1, **SIZE)
    market = BentMarket(problem.tastes, one_piece(problem.wedges), problem.weights, np.asarray(problem.cost), np.zeros(5, bool))
    done = solve_piecewise(market, np.asarray(start_of(problem)), BUYERS)
    assert done.prices.price == pytest.approx(plain_prices(problem), abs=1e-6) and not done.stuck


@pytest.mark.parametrize("level", LEVELS)
def test_moving_one_price_changes_profit_as_a_whole_new_market_says(level):
    problem = random_problem(3, level=level, **SIZE)
    market = bent(problem, 25_000.0, bonus=2000.0)
    price = plain_prices(problem)
    piece = piece_at(market.pieces, price)
    which = np.array([0, 3, 4])
    moved = price[which] + np.array([-2500.0, 1500.0, 400.0])
    to = np.array([0, 1, 1])
    quick = gains(market, profile_of(market, price, piece, which), moved, to)
    for n, j in enumerate(which):
        f = int(problem.weights.setter[j])
        other_price, other_piece = price.copy(), piece.copy()
        other_price[j], other_piece[j] = moved[n], to[n]
        slow = objective(market, other_price, other_piece, f) - objective(market, price, piece, f)
        assert quick[n] == pytest.approx(slow, rel=1e-9, abs=1e-10)


@pytest.mark.parametrize("level", LEVELS)
def test_moving_two_prices_of_one_maker_changes_its_profit_as_a_whole_new_market_says(level):
    problem = random_problem(3, level=level, **SIZE)
    market = bent(problem, 25_000.0, bonus=2000.0)
    price = plain_prices(problem)
    piece = piece_at(market.pieces, price)
    packed = market.nearby.packed
    look = packed.look(packed.terms_on(market.pieces, piece, market.cost), price)
    which, to = np.array([0, 3]), np.array([1, 0])  # makers price every third car
    moved = price[which] + np.array([900.0, -2000.0])
    other_price, other_piece = price.copy(), piece.copy()
    other_price[which], other_piece[which] = moved, to
    slow = objective(market, other_price, other_piece, int(problem.weights.setter[0]))
    assert objective_after(market, look, which, to, moved) == pytest.approx(slow, rel=1e-12)


def test_a_price_sticks_at_a_kink_where_the_buyers_rate_rises():
    problem = random_problem(2, **SIZE)
    free = plain_prices(problem)
    breaks = only(0, free[0] - 200.0)
    market = bent(problem, breaks, rate_jump=0.3)
    assert not notches(market.pieces).any() and not walls(market.pieces).any()
    done = solve_piecewise(market, np.asarray(start_of(problem)), BUYERS)
    (stuck,) = done.stuck
    assert stuck.kind == "kink" and stuck.product == 0 and done.prices.price[0] == pytest.approx(breaks[0])
    assert stuck.push_below_eur > 0 > stuck.push_above_eur
    assert best_single_gain(market, done.prices) < SMALL


def test_a_kink_far_below_the_price_only_changes_the_slope():
    problem = random_problem(2, **SIZE)
    market = bent(problem, np.full(5, 5000.0), rate_jump=0.1)
    done = solve_piecewise(market, np.asarray(start_of(problem)), BUYERS)
    assert not done.stuck and (done.prices.piece == 1).all()
    assert best_single_gain(market, done.prices) < SMALL


def test_a_maker_bunches_at_a_price_ceiling_that_is_near_and_stays_above_one_that_is_far():
    problem = random_problem(4, **SIZE)
    free = plain_prices(problem)
    near = bent(problem, only(0, free[0] - 150.0), bonus=1500.0)
    done = solve_piecewise(near, free, BUYERS)
    (stuck,) = done.stuck
    assert stuck.kind == "notch" and stuck.attained and done.prices.piece[0] == 0
    assert best_single_gain(near, done.prices) < SMALL
    far = bent(problem, only(0, free[0] - 6000.0), bonus=300.0)
    done = solve_piecewise(far, free, BUYERS)
    assert not done.stuck and done.prices.piece[0] == 1
    assert best_single_gain(far, done.prices) < SMALL


def test_a_duty_that_jumps_on_the_makers_side_makes_prices_bunch_below_it():
    problem = random_problem(6, **SIZE)
    free = plain_prices(problem)
    market = bent(problem, only(0, free[0] - 100.0), kept_jump=2500.0)
    done = solve_piecewise(market, free, BUYERS)
    assert [s.product for s in done.stuck] == [0]
    assert best_single_gain(market, done.prices) < SMALL


@pytest.mark.parametrize("seed", range(10, 22))
def test_in_random_markets_nobody_gains_from_any_other_price_of_one_car(seed):
    rng = np.random.default_rng(seed)
    problem = random_problem(seed, level=LEVELS[seed % 3], **SIZE)
    free = plain_prices(problem)
    breaks = np.where(rng.random(5) < 0.7, free * rng.uniform(0.9, 1.1, 5), np.inf)
    market = bent(problem, breaks, bonus=float(rng.uniform(500, 3000)), rate_jump=float(rng.choice([0.0, 0.1])))
    try:
        done = solve_piecewise(market, free, BUYERS)
    except NoPureEquilibrium as none:
        assert none.gain_eur > 0 and len(none.cycle) >= 1
        return
    assert best_single_gain(market, done.prices) < 1e-6 * objective(market, done.prices.price, done.prices.piece, 0)


def test_a_firms_two_cars_are_also_moved_together():
    problem = random_problem(7, **SIZE)
    together = replace(problem.weights, kappa=jnp.ones((3, 3)))  # all cars are priced as one firm would
    free = plain_prices(replace(problem, weights=together))
    market = replace(bent(problem, np.where(np.arange(5) < 2, free - 900.0, np.inf), bonus=2500.0), weights=together)
    done = solve_piecewise(market, free, BUYERS)
    reached = objective(market, done.prices.price, done.prices.piece, 0)
    for sides in np.ndindex(2, 2):  # every combination of sides, all prices free
        other = solve_kinks(market, free, np.array([*sides, 0, 0, 0]), walls(market.pieces))
        assert objective(market, other.price, other.piece, 0) <= reached + SMALL


def test_where_every_combination_of_sides_leaves_somebody_a_gain_the_error_shows_who_goes_round_and_how_much_is_to_gain():
    rng = np.random.default_rng(154)  # found by search: firms that wish some rivals ill and others well, and a bonus of EUR 1,000 to 6,000
    problem = random_problem(154, **SIZE)
    kappa = rng.uniform(-1.5, 1.5, (3, 3))
    np.fill_diagonal(kappa, 1.0)
    problem = replace(problem, weights=replace(problem.weights, kappa=jnp.asarray(kappa)))
    free = plain_prices(problem)
    breaks = np.where(rng.random(5) < 0.9, free - rng.uniform(-300, 3000, 5), np.inf)
    market = bent(problem, breaks, bonus=float(rng.uniform(1000, 6000)))
    with pytest.raises(NoPureEquilibrium) as raised:
        solve_piecewise(market, free, BUYERS)
    assert len(raised.value.cycle) >= 2 and all("product 4 to EUR" in step for step in raised.value.cycle)
    wall = walls(market.pieces)
    left_to_gain = []
    for sides in np.ndindex(*(2 if np.isfinite(b) else 1 for b in breaks)):
        try:
            settled = solve_kinks(market, free, np.array(sides), wall)
        except PricesNotSettled:  # no prices at all with these sides
            continue
        better, _, _ = deviations(market, settled, wall, BUYERS)
        left_to_gain.append(max((d.gain_eur for d in better), default=0.0))
    assert left_to_gain and min(left_to_gain) > 0
    assert raised.value.gain_eur > 0


def only(product: int, price: float) -> np.ndarray:
    """A breakpoint for one product."""
    return np.where(np.arange(5) == product, price, np.inf)
