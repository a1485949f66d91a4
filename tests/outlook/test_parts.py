"""Fleet rules over a year that pots of money split: one shadow price and one balance for the year, as the one-year model finds them by other means."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

from keiretsu.market.outcome import Outcome
from keiretsu.market.pools import PoolRecord
from keiretsu.market.solve import solve
from keiretsu.market.world import World
from keiretsu.outlook.arrays import FleetYear, Year
from keiretsu.outlook.facts import steady_facts
from keiretsu.outlook.measures import measure_named
from keiretsu.outlook.outlook import Outlook, build, run
from keiretsu.outlook.parts import Lengths, in_order
from keiretsu.outlook.sensitivity import output_at, slopes
from keiretsu.supply.pricing import PricingOptions
from tests.outlook.bent_worlds import capped, ceiling, pot, world_with
from tests.outlook.small import YEARS
from tests.outlook.test_fleet_years import rules

EUR = 1e-3  # prices of two ways to one equilibrium
LASTING, FAR = 1e12, 1e6  # EUR a year that no pot spends; a price that no car has
RULES = rules(40.0, 0.6)


def world(
    budgets: tuple[float, float],
    pools: tuple[PoolRecord, ...] = RULES,
    ceiling_eur: float = FAR,
    cap_eur: float = FAR,
    flat_eur: tuple[float, float] = (3_000.0, 3_000.0),
) -> World:
    """A pot in the north and one in the south, a ceiling and a capped percentage that are out of reach unless said: arrays of one shape, so one program for all."""
    pots = (pot(budgets[0], "north", name="a", flat_eur=flat_eur[0]), pot(budgets[1], "south", name="b", flat_eur=flat_eur[1]))
    return world_with(ceiling(ceiling_eur), capped(0.12, cap_eur, "south"), *pots).replace(pools=pools)


def outlook(of: World) -> Outlook:
    return build(of, {}, steady_facts(of, 2023, YEARS), PricingOptions())


def ruled(years: Year) -> FleetYear:
    assert years.rules is not None
    return years.rules


def differences(out: Outlook, years: Year, one: Outcome, t: int = 0) -> tuple[float, float]:
    """Largest difference of prices (EUR) and of sales (share) from a one-year outcome."""
    price, units = [0.0], [0.0]
    for m, (market, rows) in enumerate(out.roster.rows.items()):
        expected = one.products[one.products["market"] == market].set_index("product").loc[rows["product"]]
        price.append(float(np.abs(np.asarray(years.price)[t, m, : len(rows)] - expected["price_eur"].to_numpy()).max()))
        units.append(float(np.abs(np.asarray(years.units)[t, m, : len(rows)] / expected["units"].to_numpy() - 1).max()))
    return max(price), max(units)


@functools.cache
def split() -> tuple[Outlook, Year, Outcome]:
    of = world((300e6, 400e6))
    out = outlook(of)
    return out, run(out, "baseline", out.central())[1], solve(of)


def test_a_year_that_two_pots_split_under_fleet_rules_is_the_one_year_equilibrium() -> None:
    out, years, one = split()
    budgets = one.regulation.budgets["open_share_of_year"].to_numpy()
    assert (budgets > 0.1).all() and (budgets < 0.9).all() and budgets[0] != budgets[1]  # three parts, or nothing is tested
    assert {"slack", "binding", "fined"} == set(one.regulation.pools["status"])
    for t in range(len(YEARS)):
        price, units = differences(out, years, one, t)
        assert price < EUR
        assert units < 1e-7
        assert np.asarray(years.pot_open)[t] == pytest.approx(budgets, rel=1e-7)
    stated = one.regulation.payments
    for k, (rule, maker) in enumerate(out.ruled.makers):
        row = stated[(stated["rule"] == rule) & (stated["maker"] == maker)].iloc[0]
        assert ruled(years).price[0, k] == pytest.approx(row["shadow_price_eur"], rel=1e-6, abs=EUR / 100)
        # one year stops within a tenth of a gram of a balance of zero: some EUR 10 of fines
        assert ruled(years).pays[0, k] == pytest.approx(row["pays_eur"], rel=1e-5, abs=100.0)
    profit = one.firms.groupby("firm")["profit_eur"].sum()
    for f, firm in enumerate(out.roster.firms):
        assert years.firm_profit[0, f] == pytest.approx(profit[firm], rel=1e-7)
    assert np.asarray(years.government)[0] == pytest.approx(one.markets["government_eur"].to_numpy(), rel=1e-6)
    assert np.asarray(years.surplus)[0] == pytest.approx(one.markets["surplus_eur"].to_numpy(), rel=1e-7)


def test_a_shadow_price_between_zero_and_the_fine_leaves_no_balance_over_the_year_and_pots_spend_what_is_in_them() -> None:
    out, years, _ = split()
    plan, found = out.plans["baseline"].rules, ruled(years)
    assert plan is not None
    balance = np.bincount(plan.pool[0], np.asarray(found.balance)[0], minlength=len(out.ruled.makers))
    cap, price = np.asarray(plan.cap)[0], np.asarray(found.price)[0]
    inside = (price > 0) & (price < cap)
    assert inside.any()
    gross = np.bincount(plan.pool[0], np.abs(np.asarray(found.balance)[0]), minlength=len(out.ruled.makers))
    # prices within 1e-7 EUR of some 30,000 move cars by less than 1e-10 of 1e5, each of a hundred grams
    assert np.abs(balance[inside]).max() <= 1e-2 + 1e-8 * gross[inside].max()
    electric = np.asarray(out.base.powertrain)[0]
    for m, (open_, budget) in enumerate(zip(np.asarray(years.pot_open)[0], (300e6, 400e6), strict=True)):
        # cars are sold at another rate once the pot is empty: less than the year's rate then, more while it pays
        assert 3_000.0 * (np.asarray(years.units)[0, m] * electric[m]).sum() * open_ < budget


def test_under_price_ceilings_pots_that_last_and_fleet_rules_one_year_is_the_equilibrium_of_that_world() -> None:
    of = world((LASTING, LASTING), ceiling_eur=37_500.0, cap_eur=4_200.0, flat_eur=(500.0, 500.0))
    one, out = solve(of), outlook(of)
    assert "binding" in set(one.regulation.pools["status"])
    assert len(one.regulation.stuck) > 0
    years = run(out, "baseline", out.central())[1]
    assert not np.asarray(years.unsettled_sides).any()
    for t in (0, 2):
        # two ways to shadow prices: each stops when a shadow cost is within a tenth of a cent or so of settled
        assert differences(out, years, one, t)[0] < 0.02


@pytest.mark.parametrize("seed", range(8))
def test_in_random_worlds_pots_and_fleet_rules_come_to_what_they_come_to_in_one_year(seed: int) -> None:
    r = np.random.default_rng(seed)
    budgets = tuple(10 ** r.uniform(8.0, 9.6, 2))
    near = {"ceiling_eur": float(r.uniform(30_000, 40_000)), "cap_eur": 4_200.0} if seed % 2 else {}
    of = world(budgets, rules(float(r.uniform(10, 120)), float(r.uniform(0.2, 0.95))), flat_eur=tuple(r.uniform(1_000, 9_000, 2)), **near)
    one, out = solve(of), outlook(of)
    years = run(out, "baseline", out.central())[1]
    assert not np.asarray(years.unsettled_sides).any()
    assert np.asarray(years.pot_open)[0] == pytest.approx(one.regulation.budgets["open_share_of_year"].to_numpy(), rel=1e-6)
    # one year stops at a thousandth of a car of a mandate's balance, which a fine of EUR 8,000 a car turns into a cent or two
    assert differences(out, years, one)[0] < 0.02


@pytest.mark.parametrize(("money", "paid"), [(LASTING, 3_000.0), (0.0, 0.0)])
def test_pots_that_outlast_the_year_are_no_budgets_and_empty_ones_no_programmes(money: float, paid: float) -> None:
    out = outlook(world((money, money)))
    years = run(out, "baseline", out.central())[1]
    assert np.asarray(years.pot_open).tolist() == [[float(money > 0)] * 2] * len(YEARS)
    without = (pot(float("inf"), "north", "south", flat_eur=paid),) if paid else ()
    one = solve(world_with(capped(0.12, FAR, "south"), ceiling(FAR), *without).replace(pools=RULES))
    assert differences(out, years, one)[0] < EUR


def test_a_rule_that_nobody_breaks_leaves_the_pots_alone() -> None:
    out = outlook(world((300e6, 400e6), rules(400.0, 0.01)))
    years = run(out, "baseline", out.central())[1]
    assert not np.asarray(ruled(years).price).any()
    one = solve(world((300e6, 400e6), ()))
    assert np.asarray(years.pot_open)[0] == pytest.approx(one.regulation.budgets["open_share_of_year"].to_numpy(), rel=1e-7)
    assert differences(out, years, one)[0] < EUR


def test_years_are_solved_in_parts_together_only_where_a_pot_is_in_a_market_of_a_rule() -> None:
    def parts(of: World) -> int:
        bends = outlook(of).plans["baseline"].bends
        assert bends is not None
        return bends.joint

    south = tuple(record for record in RULES if getattr(record, "id", "") in ("zev", "all"))  # the mandate of the south and its pool
    north = world_with(pot(300e6, "north", name="a")).replace(pools=south)
    assert parts(world((300e6, 400e6))) == 3
    assert parts(world((300e6, 400e6), ())) == 0
    assert parts(north) == 0
    assert parts(north.replace(pools=RULES)) == 2
    assert parts(world_with(pot(300e6, "north", name="a")).replace(pools=rules(40.0, 0.6, first=2027))) == 0  # after the last year


def test_pots_are_empty_in_the_order_in_which_their_money_lasts() -> None:
    budget = jnp.array([4.0, 3.0, jnp.inf, 0.0, 5.0])
    spent = jnp.tile(jnp.array([8.0, 1.0, 7.0, 2.0, 0.0]), (4, 1))  # the first is empty after half a year, the second after three, the last never
    assert in_order(budget, spent).tolist() == [[1, 1, 0, 0, 1], [0, 1, 0, 0, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1]]


def test_lengths_of_parts_and_their_slopes_are_those_of_money_over_spending() -> None:
    budget, rate = jnp.array([2.0, 3.0]), jnp.array([[5.0, 4.0], [0.0, 6.0], [0.0, 0.0]])

    def of_parts(spent: Array) -> Array:
        spending: Any = lambda price: price  # noqa: E731  # prices stand for what is spent: one market in three parts
        return Lengths(spending, jnp.array([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]), budget).of_parts(spent)

    first = 2.0 / 5.0
    second = (3.0 - 4.0 * first) / 6.0
    assert of_parts(rate) == pytest.approx([first, second, 1 - first - second], rel=1e-14)
    slope = jax.jacrev(of_parts)(rate)
    by_first = -2.0 / 5.0**2  # the first pot is empty sooner; the second has then paid less and lasts longer
    assert slope[:, 0, 0] == pytest.approx([by_first, -4.0 / 6.0 * by_first, -(1 - 4.0 / 6.0) * by_first], rel=1e-14)
    assert slope[:, 0, 1] == pytest.approx([0.0, -first / 6.0, first / 6.0], rel=1e-14)
    assert slope[:, 1, 1] == pytest.approx([0.0, -second / 6.0, second / 6.0], rel=1e-14)
    assert not slope[:, 1:, 0].any() and not slope[:, 2].any()  # what an empty pot would pay does not count


@pytest.mark.slow
def test_slopes_through_parts_and_shadow_prices_are_those_of_the_path() -> None:
    of = world((300e6, 400e6), ceiling_eur=37_500.0, cap_eur=4_200.0)
    out = outlook(of)
    central = out.central()
    years = run(out, "baseline", central)[1]
    assert ((np.asarray(years.pot_open) > 0.1) & (np.asarray(years.pot_open) < 0.9)).all()
    measure = measure_named("Ares value", out, 0.06)
    slope = slopes(out, "baseline", measure, central)[1]
    for name, step in (("price_sensitivity", 1e-5), ("incentives", 1e-5), ("rest_cost_trend", 1e-6), ("demand_growth", 1e-5)):
        ends = [output_at(out, "baseline", measure, central | {name: central[name] + sign * step}) for sign in (1, -1)]
        assert slope[name] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6)
