"""Fleet rules and pools: balances by hand, shadow prices against a search over all of them."""

from __future__ import annotations

import itertools
from typing import Literal

import jax.numpy as jnp
import numpy as np
import pytest

from keiretsu.errors import PolicyError
from keiretsu.market.clearing import ClearingOptions, PoolsNotSettled, clear_pools
from keiretsu.market.pools import FleetRule, FleetTarget, Pool, RestOfArea, SalesMandate, check_pools, obligation, payments
from keiretsu.supply.pricing import solve_prices
from keiretsu.supply.wedges import no_wedges
from keiretsu.supply.weights import one_firm_each
from tests.market.policy.small import rows, tastes

RULE = FleetRule("eu", ("M",), 2025, 2029, FleetTarget(93.6))
GRAM = 1e-3  # grams times cars (per potential buyer, times a million): far below any balance here


def market_balance(records, products, *, rule=RULE, value=3.0, seed=1):
    """Balance of each pool at given shadow prices, every maker alone in its prices, a million potential buyers."""
    duty = obligation(records, rule, products, rule.from_year)
    likes = tastes(len(products), 3, seed=seed, value=value)
    firms = one_firm_each(np.arange(len(products)), np.eye(len(products)))
    cost = jnp.full(len(products), 15_000.0)

    def balance(price: np.ndarray) -> np.ndarray:
        shadow = duty.shadow(products, price)
        solved = solve_prices(likes, no_wedges(len(products)), firms, cost + shadow, cost * 1.4, jnp.zeros(len(products), bool))
        return duty.balance(products, 1e6 * np.asarray(solved.share))

    return duty, balance


def test_the_balance_counts_grams_above_target_over_all_cars_and_the_rest_of_the_area():
    products = rows(4, brand=["A", "B", "A", "B"], co2_gkm=[0, 0, 130, 120])
    rest = RestOfArea("eu", "A", 1000, 110, 1500)
    duty = obligation((RULE, rest), RULE, products, 2025)
    assert [p.id for p in duty.pools] == ["A", "B"]
    units = np.array([10.0, 20.0, 30.0, 40.0])
    assert duty.balance(products, units) == pytest.approx([-936 + 30 * 36.4 + 1000 * 16.4, -1872 + 40 * 26.4])


def test_the_mass_term_gives_heavy_cars_more_and_super_credits_count_clean_cars_twice():
    target = FleetTarget(95.0, mass_slope=0.03, reference_mass_kg=1400, super_credit_below=50, super_credit=2.0)
    products = rows(2, brand=["A", "A"], co2_gkm=[0.0, 130.0], mass_kg=[2000.0, 1400.0])
    duty = obligation((), FleetRule("eu", ("M",), 2020, 2024, target), products, 2020)
    assert duty.burden(products) == pytest.approx([2 * -(95 + 18), 35])


@pytest.mark.parametrize("value", [2.0, 3.0, 4.5])
@pytest.mark.parametrize("pools", [(("A",), ("B",)), (("A", "B"),)])
def test_shadow_prices_are_those_a_search_over_all_prices_finds(value, pools):
    products = rows(4, brand=["A", "B", "A", "B"], co2_gkm=[0, 0, 250, 290])
    records = (RULE, *(Pool(f"pool{n}", "eu", makers) for n, makers in enumerate(pools)))
    duty, balance = market_balance(records, products, value=value)
    cleared = clear_pools(balance, duty.cap, np.zeros(len(pools)), ClearingOptions(GRAM), "test")
    _check_complementary(cleared, duty.cap)
    grid = np.linspace(0, 95, 9)

    def violation(price):
        b = balance(np.array(price))
        return max(abs(b_) if 0 < p < 95 else max(b_, 0) if p == 0 else max(-b_, 0) for p, b_ in zip(price, b, strict=True))

    nearest = min(itertools.product(grid, repeat=len(pools)), key=violation)
    assert np.abs(np.array(nearest) - cleared.price).max() <= 95 / 8 + 1e-9
    assert violation(tuple(cleared.price)) <= violation(nearest)


def test_a_pool_that_cannot_meet_the_target_pays_the_fine_and_one_that_exceeds_it_has_no_price():
    products = rows(3, brand=["clean", "dirty", "dirty"], co2_gkm=[0, 300, 300])
    duty, balance = market_balance((RULE,), products)
    cleared = clear_pools(balance, duty.cap, np.zeros(2), ClearingOptions(GRAM), "test")
    assert cleared.status == ("slack", "fined") and cleared.price == pytest.approx([0, 95])


def test_several_pools_settle_together_in_few_solutions_of_the_markets():
    rng = np.random.default_rng(5)
    names = [f"maker{n}" for n in range(6)]
    products = rows(12, brand=names * 2, co2_gkm=[0.0] * 6 + list(rng.uniform(120, 300, 6)))
    duty, balance = market_balance((RULE,), products, seed=2)
    cleared = clear_pools(balance, duty.cap, np.zeros(6), ClearingOptions(GRAM), "test")
    _check_complementary(cleared, duty.cap)
    assert "binding" in cleared.status and cleared.method == "newton"


def test_bracketing_reaches_the_same_prices_when_newton_is_given_no_steps():
    products = rows(4, brand=["A", "B", "A", "B"], co2_gkm=[0, 0, 250, 290])
    duty, balance = market_balance((RULE,), products)
    newton = clear_pools(balance, duty.cap, np.zeros(2), ClearingOptions(GRAM), "test")
    slow = clear_pools(balance, duty.cap, np.zeros(2), ClearingOptions(1.0, limit=0), "test")
    assert slow.method == "bracketed" and slow.price == pytest.approx(newton.price, abs=1e-3)


def test_unsettled_pools_are_an_error_with_a_name():
    with pytest.raises(PoolsNotSettled, match="pool 0"):
        clear_pools(lambda p: np.where(p < 50, 1.0, -1.0), np.array([95.0]), np.zeros(1), ClearingOptions(1e-6, bracket_limit=100), "jump")


def test_payments_at_the_pools_own_price_add_up_to_its_fine():
    products = rows(4, brand=["A", "B", "A", "B"], co2_gkm=[0, 0, 200, 250])
    units = np.array([5.0, 1.0, 10.0, 20.0])
    ways: tuple[tuple[Literal["internal price", "pro rata", "one payer"], str], ...] = (("internal price", ""), ("pro rata", ""), ("one payer", "B"))
    for sharing, payer in ways:
        duty = obligation((RULE, Pool("p", "eu", ("A", "B"), sharing, payer)), RULE, products, 2025)
        table = payments(duty, products, units, np.array([95.0]))
        assert table["pays_eur"].sum() == pytest.approx(table["pool_fine_eur"][0])
        assert table["pool_fine_eur"][0] == pytest.approx(95 * table["balance"].sum())
    inside = payments(
        obligation((RULE, Pool("p", "eu", ("A", "B"))), RULE, products, 2025), products, np.array([5.0, 60.0, 10.0, 20.0]), np.array([30.0])
    )
    assert inside.set_index("maker").loc["B", "pays_eur"] < 0  # a maker with a surplus is paid for it


def test_a_mandate_is_the_same_mechanism_with_a_fine_for_each_missing_car():
    mandate = FleetRule("zev", ("M",), 2024, 2030, SalesMandate(0.22, 17_500.0))
    products = rows(4, brand=["A", "B", "A", "B"])
    duty = obligation((mandate,), mandate, products, 2024)
    assert duty.burden(products) == pytest.approx([-0.78, -0.78, 0.22, 0.22])
    assert duty.balance(products, np.array([10.0, 30.0, 90.0, 70.0])) == pytest.approx([12.0, -8.0])
    _, balance = market_balance((mandate,), products, rule=mandate)
    cleared = clear_pools(balance, duty.cap, np.zeros(2), ClearingOptions(GRAM), "test")
    _check_complementary(cleared, duty.cap)


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ((RULE, Pool("p", "eu", ("A", "B")), Pool("q", "eu", ("B",))), "in two pools"),
        ((RULE, Pool("p", "usa", ("A",))), "no such fleet rule"),
        ((RULE, Pool("p", "eu", ("A",), "one payer", "B")), "payer"),
        ((RULE, FleetRule("eu", ("M",), 2028, 2030, FleetTarget(50.0))), "two targets in one year"),
    ],
)
def test_pools_that_contradict_each_other_are_refused(records, message):
    with pytest.raises(PolicyError, match=message):
        check_pools(records)


def _check_complementary(cleared, cap):
    for price, balance, ceiling in zip(cleared.price, cleared.balance, cap, strict=True):
        assert 0 <= price <= ceiling
        assert balance <= GRAM or price == ceiling
        assert balance >= -GRAM or price == 0
