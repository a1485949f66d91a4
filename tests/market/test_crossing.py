"""Crossing a price ceiling when the step moves the pool's own shadow price, and years in which nobody's choice of side is the last word."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar

from keiretsu.errors import NoPureEquilibrium, PricesNotSettled
from keiretsu.market.area import AreaEquilibrium, Rules, solve_area
from keiretsu.market.fleet import nearest_alone
from keiretsu.market.market import Market
from keiretsu.market.policy.programmes import Incentive, PriceWindow
from keiretsu.market.pools import FleetRule, FleetTarget
from keiretsu.market.regulated import prepare
from keiretsu.supply.kinks import solve_kinks, walls
from keiretsu.supply.notches import deviations
from keiretsu.supply.pricing import PricingOptions
from keiretsu.supply.wedges import no_wedges
from keiretsu.supply.weights import one_firm_each
from tests.market.policy.small import START, facts, rows, scope, tastes
from tests.market.test_area import DAY
from tests.supply.test_kinks_and_notches import BUYERS, bent, plain_prices
from tests.supply.worlds import random_problem

COST = np.array([30_000.0, 30_500.0, 15_000.0, 16_000.0])
CO2 = np.array([0.0, 0.0, 220.0, 190.0])
SEED = 623  # found by search among 2,500 random worlds: one of the few in which sides go round


class Small:
    """Two makers, each alone under the rule with an electric and a combustion car, and a bonus up to a price ceiling near what they ask without one."""

    def __init__(self, seed: int) -> None:
        r = np.random.default_rng(seed)
        alpha, value, spread = float(r.uniform(2, 8)) * 1e-4, float(r.uniform(4, 16)), float(r.uniform(0, 1.5))
        self.likes = tastes(4, seed=seed, alpha=alpha, value=value, spread=spread)
        self.target = float(r.uniform(20, 110))
        below, self.bonus = float(r.uniform(-200, 3500)), float(r.uniform(1500, 4500))
        self.ceiling = np.inf
        self.ceiling = float(self.solved(3000.0).markets["M"].price[:2].mean()) - below

    def solved(self, bonus: float, nearly_eur: float = 0.0) -> AreaEquilibrium:
        makers = ["A", "B", "A", "B"]
        table = rows(4, brand=makers, priced_by=makers, co2_gkm=CO2, units=250.0)
        market = Market(
            tastes=self.likes,
            wedges=no_wedges(4),
            weights=one_firm_each([0, 1, 0, 1], np.eye(2)),
            cost=jnp.asarray(COST),
            shadow=jnp.zeros(4),
            start=jnp.asarray(1.2 * COST),
            held=jnp.zeros(4, bool),
        )
        rule = FleetRule("eu", ("M",), 2025, 2029, FleetTarget(self.target))
        paid = Incentive(scope("b", powertrains=("BEV",), start=START), flat_eur=bonus, window=PriceWindow("net", at_most=self.ceiling))
        return solve_area({"M": (market, table)}, {"M": facts()}, Rules((paid,), (rule,), DAY), PricingOptions(), nearly_eur=nearly_eur)

    def cars(self, price: np.ndarray, inside: np.ndarray) -> np.ndarray:
        """Cars a year with the bonus on the electric cars `inside` the ceiling: a mixed logit written out."""
        paid = 1.19 * price - np.where(inside, self.bonus, 0.0)
        likes = self.likes
        utility = np.asarray(likes.delta)[:, None] + np.asarray(likes.mu) - np.asarray(likes.alpha) * paid[:, None]
        odds = np.exp(utility)
        return 1000.0 * (odds / (1.0 + odds.sum(axis=0))) @ np.asarray(likes.weight)

    def best_profit(self, price: np.ndarray, maker: int, inside: bool) -> float:
        """The most that a maker earns with its electric car on this side of the ceiling and its target met, the rival's prices given: by search."""
        eligible = np.append(price[:2] <= self.ceiling + 1e-6, [False, False])
        eligible[maker] = inside
        own = [maker, maker + 2]

        def at(electric: float, combustion: float) -> tuple[np.ndarray, np.ndarray]:
            now = price.copy()
            now[own] = electric, combustion
            return now, self.cars(now, eligible)

        def above(combustion: float, electric: float) -> float:
            return float(((CO2 - self.target) * at(electric, combustion)[1])[own].sum())

        def loss(electric: float) -> float:
            now, cars = at(
                electric, float(brentq(above, 5e3, 4e5, args=(electric,), xtol=1e-9))
            )  # the price of the other car that just meets the target
            return -float(((now - COST) * cars)[own].sum())

        low, high = (20_000.0, self.ceiling) if inside else (self.ceiling, 60_000.0)
        grid = np.linspace(low, high, 60)
        best = int(np.argmin([loss(p) for p in grid]))
        around = (grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)])
        inner = minimize_scalar(loss, bounds=around, method="bounded", options={"xatol": 1e-6})
        return -min(float(inner.fun), loss(low), loss(high))


@pytest.fixture(scope="module")
def small() -> Small:
    return Small(SEED)


@pytest.fixture(scope="module")
def near(small: Small) -> AreaEquilibrium:
    return small.solved(small.bonus, nearly_eur=400_000.0)


def test_a_lone_maker_gains_from_crossing_what_its_best_profit_under_its_target_changes_by(small: Small, near: AreaEquilibrium) -> None:
    market = near.markets["M"]
    profit = (market.price - COST) * market.units
    gains = {crossing.setter: crossing.gain_eur for crossing in market.crossings}
    for maker in (0, 1):
        inside = bool(market.price[maker] <= small.ceiling + 1e-6)
        stays, crosses = (small.best_profit(market.price, maker, side) for side in (inside, not inside))
        now = profit[maker] + profit[maker + 2]
        # pools clear to 1e-6 g a car and prices to 1e-6 EUR: cents
        assert stays == pytest.approx(now, abs=1.0)
        # Simpson's rule on eight parts of a way over which the shadow price rises fourfold
        if maker in gains:
            assert gains[maker] == pytest.approx(crosses - now, rel=1e-3)
        else:
            assert crosses < now
    assert set(gains) == {1}


def test_where_no_state_is_an_equilibrium_the_error_shows_the_cycle_and_the_least_to_gain(small: Small, near: AreaEquilibrium) -> None:
    with pytest.raises(NoPureEquilibrium) as raised:
        small.solved(small.bonus)
    least = max(crossing.gain_eur for crossing in near.markets["M"].crossings)
    assert raised.value.least_eur == pytest.approx(least, rel=1e-6)
    assert raised.value.gain_eur > least
    assert len(raised.value.cycle) == 2
    assert all("car1 in M to EUR" in step for step in raised.value.cycle)
    assert "--nearly" in str(raised.value)


def test_a_state_near_to_an_equilibrium_is_taken_only_when_asked_for_and_only_up_to_the_gain_stated(small: Small, near: AreaEquilibrium) -> None:
    least = max(crossing.gain_eur for crossing in near.markets["M"].crossings)
    with pytest.raises(NoPureEquilibrium):
        small.solved(small.bonus, nearly_eur=0.99 * least)
    taken = small.solved(small.bonus, nearly_eur=1.01 * least)
    np.testing.assert_allclose(taken.markets["M"].price, near.markets["M"].price, rtol=1e-9)
    assert taken.cleared is not None
    assert taken.cleared.status == ("binding", "binding")
    assert np.abs(taken.cleared.balance).max() < 1e-2


def test_an_equilibrium_is_not_put_aside_for_one_that_is_only_near(small: Small) -> None:
    exact, asked = small.solved(0.2 * small.bonus), small.solved(0.2 * small.bonus, nearly_eur=1e6)
    assert not asked.markets["M"].crossings
    np.testing.assert_array_equal(exact.markets["M"].price, asked.markets["M"].price)


def test_without_a_rule_too_the_state_taken_is_the_one_of_all_combinations_of_sides_with_the_least_to_gain() -> None:
    rng = np.random.default_rng(
        154
    )  # the market of `tests/supply/test_kinks_and_notches.py` in which every combination of sides leaves somebody a gain
    problem = random_problem(154, products=5, draws=15, firms=3)
    kappa = rng.uniform(-1.5, 1.5, (3, 3))
    np.fill_diagonal(kappa, 1.0)
    problem = dataclasses.replace(problem, weights=dataclasses.replace(problem.weights, kappa=jnp.asarray(kappa)))
    free = plain_prices(problem)
    market = bent(problem, np.where(rng.random(5) < 0.9, free - rng.uniform(-300, 3000, 5), np.inf), bonus=float(rng.uniform(1000, 6000)))
    wall = walls(market.pieces)
    left: list[float] = []
    for sides in np.ndindex(*(2 if one.any() else 1 for one in wall)):
        try:
            settled = solve_kinks(market, free, np.array(sides), wall)
        except PricesNotSettled:  # no prices at all with these sides
            continue
        left.append(max((d.gain_eur for d in deviations(market, settled, wall, BUYERS)[0]), default=0.0))
    arrays = Market(problem.tastes, problem.wedges, problem.weights, problem.cost, jnp.zeros(5), jnp.asarray(free), jnp.zeros(5, bool))
    at = prepare(arrays, rows(5), dataclasses.replace(facts(), potential=BUYERS), Rules((), (), DAY), PricingOptions())
    at = dataclasses.replace(at, pieces=market.pieces)
    with pytest.raises(NoPureEquilibrium) as raised:
        nearest_alone("M", at, 0.0)
    assert raised.value.least_eur == pytest.approx(min(left), rel=1e-6)
    taken = nearest_alone("M", at, 1.01 * min(left))
    assert max(crossing.gain_eur for crossing in taken.crossings) == pytest.approx(min(left), rel=1e-6)
