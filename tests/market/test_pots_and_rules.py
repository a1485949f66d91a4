"""A pot of money that runs out in a year in which a fleet rule binds: one shadow price for the year, one balance over its parts."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from keiretsu.case import load_case
from keiretsu.market.area import AreaEquilibrium, Rules, solve_area
from keiretsu.market.build import build_world
from keiretsu.market.memory import Memory
from keiretsu.market.policy.programmes import Incentive, PriceWindow, Programme
from keiretsu.market.pools import FleetRule, FleetTarget, Pool, PoolRecord
from keiretsu.market.solve import solve
from keiretsu.supply.pricing import PricingOptions, solve_prices
from keiretsu.supply.wedges import Wedges
from tests.market.policy.small import facts, scope
from tests.market.test_area import COST, DAY, EU, cut, everywhere
from tests.market.test_parts import BONUS, CASE, PRODUCTS

MARKETS = cut()
CO2 = np.array([0.0, 0.0, 220.0, 190.0])  # g/km, as `cut` has them
TARGET = 93.6
BOTH = Pool("both", "eu", ("A", "B"))
EUR = 3_000.0
OPTIONS = PricingOptions()


def bonus(name: str = "M", money: float = float("inf"), **changes) -> Incentive:
    return Incentive(scope(f"bonus_{name}", markets=tuple(name), powertrains=("BEV",)), flat_eur=EUR, budget_eur=money, **changes)


def area(programmes: tuple[Programme, ...] = (), pools: tuple[PoolRecord, ...] = ()) -> AreaEquilibrium:
    places = {name: dataclasses.replace(facts(), id=name) for name in MARKETS}
    return solve_area(MARKETS, places, Rules(programmes, pools, DAY), OPTIONS)


@functools.cache
def sold(name: str, open_: bool, shadow: tuple[float, float], target: float = TARGET) -> np.ndarray:
    """Cars a year in one market with its bonus paid or not, makers A and B charged their pools' shadow price: solved without the policy code."""
    market, _ = MARKETS[name]
    add = np.where(np.arange(4) < 2, -EUR if open_ else 0.0, 0.0)[:, None]
    wedges = Wedges(jnp.full((4, 1), 1.19), jnp.asarray(add), jnp.ones(4), jnp.zeros((4, 1)))
    cost = jnp.asarray(COST + np.array(shadow)[[0, 1, 0, 1]] * (CO2 - target))
    return 1000.0 * np.asarray(solve_prices(market.tastes, wedges, market.weights, cost, market.start, market.held, OPTIONS).share)


def day_by_day(money: dict[str, float], shadow: tuple[float, float], days: int, target: float = TARGET) -> tuple[dict[str, float], np.ndarray]:
    """Share of the year for which each market's pot pays, and grams above target by maker, when pots are paid out day by day."""
    left, lasted, grams = dict(money), dict.fromkeys(money, 0), np.zeros(2)
    for _ in range(days):
        for name in MARKETS:
            open_ = left.get(name, 0.0) > 0
            cars = sold(name, open_, shadow, target) / days
            above = cars * (CO2 - target)
            grams += [above[0] + above[2], above[1] + above[3]]
            if open_:
                left[name] -= EUR * cars[:2].sum()
                lasted[name] += 1
    return {name: number / days for name, number in lasted.items()}, grams


def test_shadow_price_and_day_are_those_a_search_over_shadow_prices_finds_in_a_simulation_day_by_day() -> None:
    money, days = 400_000.0, 365
    found = area((bonus(money=money),), (EU, BOTH))
    assert found.cleared is not None
    assert found.cleared.status == ("binding",)
    price = float(found.cleared.price[0])
    grid = np.linspace(0.0, 95.0, 20)
    grams = np.array([day_by_day({"M": money}, (at, at), days)[1].sum() for at in grid])
    assert (np.diff(grams) < 0).all()  # one zero only
    below = int(np.flatnonzero(grams > 0)[-1])
    assert grid[below] <= price <= grid[below + 1]
    open_share = found.pots["bonus_M"].open_share
    assert 0.1 < open_share < 0.9
    # the last payment of a simulation overshoots by at most a day
    long = 50_000
    simulated, left = day_by_day({"M": money}, (price, price), long)
    assert open_share == pytest.approx(simulated["M"], abs=1.5 / long)
    assert left.sum() == pytest.approx(0.0, abs=1.5 / long * np.abs(sold("M", True, (price, price)) * (CO2 - TARGET)).sum())
    expected = open_share * sold("M", True, (price, price)) + (1 - open_share) * sold("M", False, (price, price))
    np.testing.assert_allclose(found.units("M"), expected, rtol=1e-8)  # prices settle to 1e-7 EUR


def test_two_pots_and_two_pools_clear_over_three_parts_of_one_year() -> None:
    money = {"M": 200_000.0, "N": 400_000.0}
    strict = 60.0
    found = area((bonus("M", money["M"]), bonus("N", money["N"])), (dataclasses.replace(EU, target=FleetTarget(strict)),))
    assert found.cleared is not None
    assert found.cleared.status == ("binding", "binding")
    price = tuple(float(p) for p in found.cleared.price)
    days = 50_000
    simulated, grams = day_by_day(money, (price[0], price[1]), days, strict)
    for name in money:
        assert found.pots[f"bonus_{name}"].open_share == pytest.approx(simulated[name], abs=1.5 / days)
        assert found.pots[f"bonus_{name}"].spent_eur == pytest.approx(money[name], abs=0.005)
        assert len(found.parts[name]) == 2
    assert 0 < simulated["M"] < simulated["N"] < 1
    burden = sum(np.abs(sold(name, True, (price[0], price[1]), strict) * (CO2 - strict)).sum() for name in MARKETS)
    np.testing.assert_allclose(grams, 0.0, atol=1.5 / days * burden)


def test_a_pot_too_big_to_run_out_is_no_budget_and_an_empty_one_no_programme() -> None:
    for pools in ((EU, BOTH), (EU,)):
        for pot, without in ((bonus(money=1e9), (bonus(),)), (bonus(money=0.0), ())):
            a, b = area((pot,), pools), area(without, pools)
            assert a.cleared is not None
            assert b.cleared is not None
            np.testing.assert_allclose(a.cleared.price, b.cleared.price, rtol=0, atol=1e-9)
            for name in MARKETS:
                assert len(a.parts[name]) == 1
                np.testing.assert_allclose(a.units(name), b.units(name), rtol=1e-10)


def test_a_pool_with_room_to_spare_leaves_the_pot_alone() -> None:
    pot = bonus(money=400_000.0)
    alone, slack = area((pot,)), area((pot,), (dataclasses.replace(EU, target=FleetTarget(400.0)),))
    assert slack.cleared is not None
    assert set(slack.cleared.status) == {"slack"}
    assert slack.pots["bonus_M"].open_share == pytest.approx(alone.pots["bonus_M"].open_share, abs=1e-6)
    for name in MARKETS:
        np.testing.assert_allclose(slack.units(name), alone.units(name), rtol=1e-6)


def test_a_balance_that_binds_in_one_part_of_the_year_only_can_be_slack_over_the_year() -> None:
    pot = bonus(money=400_000.0)
    grams = np.array([day_by_day({"M": money}, (0.0, 0.0), 1)[1].sum() for money in (1e9, 0.0)])
    cars = np.array([sum(sold(name, name == "M" and open_, (0.0, 0.0)).sum() for name in MARKETS) for open_ in (True, False)])
    open_share = area((pot,)).pots["bonus_M"].open_share
    weight = np.array([open_share, 1 - open_share])
    # a target between the mean of the year and that of its second part, which alone would break it
    own, year = grams[1] / cars[1] + 93.6, (weight @ grams) / (weight @ cars) + 93.6
    assert own > year
    loose = dataclasses.replace(EU, target=FleetTarget(0.5 * (own + year)))
    both = area((pot,), (loose, BOTH))
    assert both.cleared is not None
    assert both.cleared.status == ("slack",)
    np.testing.assert_allclose(both.units("M"), area((pot,)).units("M"), rtol=1e-8)


def test_a_pot_in_a_market_outside_the_rule_is_not_touched_by_it() -> None:
    here = dataclasses.replace(EU, markets=("N",))
    pot = bonus(money=400_000.0)
    found = area((pot,), (here,))
    assert found.cleared is not None
    assert "binding" in found.cleared.status
    assert found.pots["bonus_M"].open_share == pytest.approx(area((pot,)).pots["bonus_M"].open_share, rel=1e-12)


def test_one_pot_for_both_markets_ties_a_market_outside_the_rule_to_it() -> None:
    pot = Incentive(everywhere("both", powertrains=("BEV",)), flat_eur=EUR, budget_eur=600_000.0)
    found = area((pot,), (dataclasses.replace(EU, markets=("N",)),))
    assert found.cleared is not None
    assert "binding" in found.cleared.status
    assert [part.weight for part in found.parts["M"]] == [part.weight for part in found.parts["N"]]
    spent = sum(part.weight * EUR * part.market.units[:2].sum() for name in MARKETS for part in found.parts[name] if part.open)
    assert spent == pytest.approx(600_000.0, abs=0.01)
    assert found.pots["both"].open_share < area((pot,)).pots["both"].open_share  # the rule sells electric cars, which empty the pot sooner


def test_prices_bunch_at_the_ceiling_while_the_pot_pays_and_leave_it_when_it_is_empty() -> None:
    free = area((bonus(money=400_000.0),), (EU, BOTH)).markets["M"].price[0]
    ceiling = float(free) - 300.0
    found = area((bonus(money=400_000.0, window=PriceWindow("net", at_most=ceiling)),), (EU, BOTH))
    first, then = (part.market for part in found.parts["M"])
    assert 0 in [s.product for s in first.stuck]
    assert first.price[0] == ceiling
    assert not then.stuck
    assert then.price[0] != ceiling
    assert first.settled.best_deviation_eur <= 1e-6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The case of `test_parts` with a fleet rule that binds both makers."""
    folder: Path = tmp_path_factory.mktemp("both")
    (folder / "case.toml").write_text(CASE)
    co2 = [0, 0, 220, 0, 220]
    lines = PRODUCTS.strip().splitlines()
    table = "\n".join([f"{lines[0]},co2_gkm", *(f"{line},{grams}" for line, grams in zip(lines[1:], co2, strict=True))])
    (folder / "products.csv").write_text(table + "\n")
    (folder / "programmes.toml").write_text(BONUS)
    return folder


def test_accounts_of_a_year_in_parts_under_a_rule_balance_to_the_cent(folder: Path) -> None:
    world = build_world(load_case(str(folder)))
    rule = FleetRule("eu", ("A", "B"), 2024, 2029, FleetTarget(70.0))
    (open_,) = world.programmes
    assert isinstance(open_, Incentive)
    memory = Memory()
    pot = world.replace(programmes=(dataclasses.replace(open_, budget_eur=90e6),), pools=(rule, Pool("all", "eu", ("North", "South"))))
    outcome = solve(pot, memory=memory)
    assert solve(pot, memory=memory).products.equals(outcome.products)
    pools, p = outcome.regulation.pools.iloc[0], outcome.products
    assert pools["status"] == "binding"
    grams = (p["units"] * (p["co2_gkm"] - 70.0)).sum()
    assert grams == pytest.approx(pools["balance"], abs=0.01)
    assert abs(pools["balance"]) < 1.0
    budget = outcome.regulation.budgets.iloc[0]
    assert budget["spent_eur"] == pytest.approx(90e6, abs=0.005)
    assert -outcome.regulation.programmes.query("programme == 'bonus'")["eur"].sum() == pytest.approx(90e6, abs=0.01)
    assert 0.1 < budget["open_share_of_year"] < 0.9
    spent = (p["paid_eur"] * p["units"]).sum()
    assert spent == pytest.approx((p["cost_eur"] * p["units"]).sum() + p["profit_eur"].sum() + p["government_eur"].sum(), abs=0.01)
    payments, firms = outcome.regulation.payments, outcome.firms
    assert payments["pays_eur"].sum() == pytest.approx(pools["shadow_price_eur"] * pools["balance"], abs=0.01)
    assert payments["balance"].sum() == pytest.approx(grams, abs=0.01)
    assert firms["profit_eur"].sum() == pytest.approx(p["profit_eur"].sum() - payments["pays_eur"].sum(), abs=0.01)
    assert outcome.owners["claim_eur"].sum() == pytest.approx(firms["profit_eur"].sum(), abs=0.01)
    shadow = outcome.regulation.shadow.set_index("product")["shadow_eur"]
    assert shadow["a3"] == pytest.approx(pools["shadow_price_eur"] * 150.0, rel=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_in_random_worlds_money_grams_and_shares_of_the_year_add_up_over_the_parts(seed: int) -> None:
    r = np.random.default_rng(seed)
    free = area()
    programmes = tuple(
        bonus(
            name,
            money=float(r.uniform(0.1, 2.0) * EUR * free.units(name)[:2].sum()),
            window=PriceWindow("net", at_most=float(free.markets[name].price[:2].mean() - r.uniform(-500, 2500))),
        )
        for name in MARKETS
    )
    target = float(r.uniform(50, 105))
    rule = dataclasses.replace(EU, target=FleetTarget(target))
    found = area(programmes, (rule, BOTH) if r.random() < 0.5 else (rule,))
    assert found.cleared is not None
    above = np.sum([found.units(name) * (CO2 - target) for name in MARKETS], axis=0)
    assert above.sum() == pytest.approx(found.cleared.balance.sum(), abs=1e-2)
    cap = found.obligations[0].cap
    for price, balance, ceiling in zip(found.cleared.price, found.cleared.balance, cap, strict=True):
        assert balance < 0.01 or price == ceiling
        assert balance > -0.01 or price == 0
    for programme in programmes:
        name, pot = programme.scope.markets[0], found.pots[programme.scope.id]
        parts = found.parts[name]
        assert sum(part.weight for part in parts) == pytest.approx(1.0, abs=1e-12)
        tables = [part.market.accounts.programmes for part in parts]
        paid = -sum(part.weight * t.loc[t["programme"] == programme.scope.id, "eur"].sum() for part, t in zip(parts, tables, strict=True))
        assert paid == pytest.approx(pot.spent_eur, abs=0.01)
        assert pot.spent_eur <= programme.budget_eur + 1e-6
        assert pot.open_share == pytest.approx(1.0) or pot.spent_eur == pytest.approx(programme.budget_eur, abs=1e-6)
