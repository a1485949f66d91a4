"""Tariff quotas against a search over prices."""

from __future__ import annotations

from itertools import pairwise

import jax.numpy as jnp
import numpy as np
import pytest

from keiretsu.demand.choice import shares
from keiretsu.market.policy.accounts import accounts
from keiretsu.market.policy.compile import all_inside, compile_programmes
from keiretsu.market.policy.programmes import Duty, TariffQuota
from keiretsu.market.policy.quota import savings_of, solve_quota
from keiretsu.supply.pieces import piece_at, wedges_of
from keiretsu.supply.pricing import solve_prices
from keiretsu.supply.weights import one_firm_each
from tests.market.policy.small import DAY, facts, rows, scope, tastes

BUYERS = 1e5
LOW, HIGH, VALUE = 0.15, 0.70, 0.5
COST = np.array([18_000.0, 12_000.0, 15_000.0])


def market(n_importers: int, cars: float):
    """One importer with `n_importers` of three cars under a quota; the rest are home cars of another maker."""
    products = rows(3, priced_by=["F0"] * n_importers + ["F1"] * (3 - n_importers), origin=["US"] * n_importers + ["IN"] * (3 - n_importers))
    duty = Duty(scope("duty", origins_except=("IN",)), HIGH, VALUE)
    quota = TariffQuota(scope("quota", makers=("F0",), origins_except=("IN",)), LOW, VALUE, cars)
    likes = tastes(3, 3, spread=0.2)
    firms = one_firm_each([0] * n_importers + [1] * (3 - n_importers), np.eye(2))

    def solver(inside: np.ndarray, charge: np.ndarray):
        pieces = compile_programmes((duty, quota), products, facts(3), DAY, inside).pieces
        wedges = wedges_of(pieces, np.zeros(3, int))
        wedges = type(wedges)(wedges.buyer_rate, wedges.buyer_add, wedges.maker_rate, wedges.maker_charge + jnp.asarray(charge)[:, None])
        done = solve_prices(likes, wedges, firms, jnp.asarray(COST), jnp.asarray(2.2 * COST), jnp.zeros(3, bool))
        return np.asarray(done.price), BUYERS * np.asarray(done.share)

    first = compile_programmes((duty, quota), products, facts(3), DAY, all_inside(products))
    state = solve_quota(savings_of(first, quota, "F0"), quota, "F0", solver)
    price, units = solver(state.inside, state.charge_eur)
    return products, likes, (duty, quota), state, price, units


def importers_profit(likes, products, price, cars, mine):
    """The importer's profit from its definition: its quota filled with the cars that save most."""
    q = jnp.asarray(1.19 * price)[:, None]
    units = BUYERS * np.asarray(shares(likes, q))
    saving = (HIGH - LOW) * VALUE * price
    left, saved = cars, 0.0
    for j in sorted(mine, key=lambda j: -saving[j]):
        inside = min(units[j], left)
        left, saved = left - inside, saved + inside * saving[j]
    return sum(units[j] * ((1 - HIGH * VALUE) * price[j] - COST[j]) for j in mine) + saved


@pytest.mark.parametrize("cars", [500.0, 6000.0, 1e6])
def test_no_other_price_of_the_importer_earns_more_whether_the_quota_is_exceeded_met_or_open(cars):
    products, likes, _, state, price, units = market(1, cars)
    now = importers_profit(likes, products, price, cars, [0])
    for factor in np.linspace(0.7, 1.6, 181):
        other = price.copy()
        other[0] *= factor
        assert importers_profit(likes, products, other, cars, [0]) <= now * (1 + 1e-9)
    if cars == 1e6:
        assert state.shadow_price_eur == 0.0 and state.cars < cars
    else:
        assert state.cars_inside == pytest.approx(cars, abs=1e-2)
        assert 0 < state.shadow_price_eur <= (HIGH - LOW) * VALUE * price[0] + 1e-6
    if cars == 500.0:
        assert units[0] > cars and state.inside[0] == pytest.approx(cars / units[0], rel=1e-5)
        assert state.shadow_price_eur == pytest.approx((HIGH - LOW) * VALUE * price[0])


def test_two_cars_share_a_quota_and_the_one_that_saves_more_comes_first():
    products, likes, _, state, price, _ = market(2, 3000.0)
    saving = price[:2]
    assert state.inside[int(saving.argmax())] >= state.inside[int(saving.argmin())]
    now = importers_profit(likes, products, price, 3000.0, [0, 1])
    for a, b in np.ndindex(21, 21):
        other = price * np.array([0.9 + 0.01 * a, 0.9 + 0.01 * b, 1.0])
        assert importers_profit(likes, products, other, 3000.0, [0, 1]) <= now * (1 + 1e-9)


def test_the_shadow_price_falls_as_the_quota_grows():
    worth = [market(1, cars)[3].shadow_price_eur for cars in (2000.0, 6000.0, 9000.0, 20_000.0)]
    assert all(a >= b for a, b in pairwise(worth))


def test_only_the_cars_inside_pay_the_low_duty_in_the_accounts():
    products, _, programmes, state, price, units = market(1, 500.0)
    done = compile_programmes(programmes, products, facts(3), DAY, state.inside)
    piece = piece_at(done.pieces, price)
    probability = units[:, None] * np.ones((1, 3)) / 3
    table = accounts(done, price, piece, probability).programmes
    duty = table[(table["product"] == "car0")].groupby("programme")["eur"].sum()
    assert duty["duty"] + duty["quota"] == pytest.approx(VALUE * price[0] * (LOW * 500 + HIGH * (units[0] - 500)), rel=1e-5)
