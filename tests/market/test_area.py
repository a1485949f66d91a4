"""Several markets, their programmes and one area's pools together."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from keiretsu.market.area import Rules, solve_area
from keiretsu.market.market import Market
from keiretsu.market.policy.programmes import Chargers, Duty, Incentive, TariffQuota
from keiretsu.market.pools import FleetRule, FleetTarget, Pool
from keiretsu.supply.pricing import PricingOptions
from keiretsu.supply.wedges import no_wedges
from keiretsu.supply.weights import one_firm_each
from tests.market.policy.small import START, facts, rows, scope, tastes

DAY = dt.date(2025, 3, 27)
COST = np.array([20_000.0, 22_000.0, 15_000.0, 16_000.0])
EU = FleetRule("eu", ("M", "N"), 2025, 2029, FleetTarget(93.6))


def cut(names=("M", "N")):
    found = {}
    for seed, name in enumerate(names, start=1):
        table = rows(4, market=name, brand=["A", "B", "A", "B"], priced_by=["A", "B", "A", "B"], co2_gkm=[0, 0, 220, 190], units=250.0)
        market = Market(
            tastes=tastes(4, seed=seed),
            wedges=no_wedges(4),
            weights=one_firm_each([0, 1, 0, 1], np.eye(2)),
            cost=jnp.asarray(COST),
            shadow=jnp.zeros(4),
            start=jnp.asarray(1.4 * COST),
            held=jnp.zeros(4, bool),
        )
        found[name] = (market, table)
    return found


def solve(programmes=(), pools=(), names=("M", "N")):
    places = {name: replace(facts(), id=name) for name in names}
    return solve_area(cut(names), places, Rules(tuple(programmes), tuple(pools), DAY), PricingOptions())


def everywhere(name, **changes):
    return scope(name, markets=("M", "N"), start=START, **changes)


def test_one_balance_binds_both_markets_of_the_area_and_none_outside():
    free, bound = solve(), solve(pools=(EU,))
    assert bound.cleared is not None and "binding" in bound.cleared.status
    for name in ("M", "N"):
        assert bound.markets[name].units[:2].sum() > free.markets[name].units[:2].sum()
    outside = solve(pools=(replace(EU, markets=("M",)),))
    assert outside.markets["N"].price == pytest.approx(free.markets["N"].price, abs=1e-6)


def test_pooling_saves_fines_and_its_members_payments_add_up():
    apart, together = solve(pools=(EU,)), solve(pools=(EU, Pool("both", "eu", ("A", "B"))))
    assert apart.cleared is not None and together.cleared is not None
    assert together.cleared.price.max() <= apart.cleared.price.max() + 1e-9
    assert together.payments["pays_eur"].sum() == pytest.approx(together.payments["pool_fine_eur"].iloc[0], abs=1.0)


def test_a_rule_nobody_breaks_changes_nothing():
    free, slack = solve(), solve(pools=(replace(EU, target=FleetTarget(400.0)),))
    assert slack.cleared is not None and set(slack.cleared.status) == {"slack"}
    assert slack.markets["M"].price == pytest.approx(free.markets["M"].price, abs=1e-6)


def test_shadow_prices_enter_no_account():
    bound = solve(pools=(EU,))
    books = bound.markets["M"].accounts.products
    assert (bound.markets["M"].shadow_eur != 0).any()
    assert books["makers_get_eur"].to_numpy() == pytest.approx(bound.markets["M"].price * bound.markets["M"].units)


def test_chargers_and_a_bonus_both_sell_electric_cars():
    free = solve(names=("M",)).markets["M"].units[:2].sum()
    built = Chargers(scope("c", powertrains=("BEV",)), 1e6, 1000.0, 1000.0, 0.35)
    bonus = Incentive(scope("b", powertrains=("BEV",)), flat_eur=2000)
    for programme in (built, bonus):
        done = solve((programme,), names=("M",)).markets["M"]
        assert done.units[:2].sum() > free
    assert solve((built,), names=("M",)).markets["M"].accounts.fixed_eur == 1e6


def test_a_tariff_quota_is_filled_and_its_shadow_price_is_reported():
    duty = Duty(scope("d", powertrains=("BEV",)), 0.5, 0.5)
    quota = TariffQuota(scope("q", powertrains=("BEV",), makers=("A",)), 0.1, 0.5, 20.0)
    (state,) = solve((duty, quota), names=("M",)).markets["M"].quotas
    assert state.cars_inside == pytest.approx(20.0, abs=1e-2) and state.shadow_price_eur > 0
