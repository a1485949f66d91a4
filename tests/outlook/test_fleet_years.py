"""Fleet rules inside the years: the one-year model's shadow prices, brute force, exact derivatives, and nothing where there is no rule."""

from __future__ import annotations

import dataclasses
import functools
import itertools

import numpy as np
import pandas as pd
import pytest

from keiretsu.errors import MoveError
from keiretsu.market.outcome import Outcome
from keiretsu.market.pools import FleetRule, FleetTarget, Pool, PoolRecord, RestOfArea, SalesMandate, obligation
from keiretsu.market.solve import solve
from keiretsu.moves.scenario import parse_scenarios
from keiretsu.outlook.arrays import FleetYear, Year
from keiretsu.outlook.facts import steady_facts
from keiretsu.outlook.measures import measure_named
from keiretsu.outlook.outlook import Outlook, build, run
from keiretsu.outlook.sensitivity import output_at, slopes
from keiretsu.supply.pricing import PricingOptions
from tests.outlook.small import YEARS, small_world

EVERYBODY = ("Ares", "Boreas", "Chronos", "Daphne")
LEVELS = ((60.0, 0.5), (40.0, 0.75), (0.0, 0.9))  # g/km and share: one pool binds; two bind; all that can be are fined
EUR = 1e-3


def rules(grams: float, share: float, first: int = 2024) -> tuple[PoolRecord, ...]:
    """A CO2 rule of both markets with one pool, and a mandate of the south that all makers meet together."""
    return (
        FleetRule("eu", ("north", "south"), first, 2040, FleetTarget(grams)),
        Pool("ab", "eu", ("Ares", "Boreas")),
        FleetRule("zev", ("south",), first, 2040, SalesMandate(share, 8000.0)),
        Pool("all", "zev", EVERYBODY),
        RestOfArea("eu", "Ares", 300.0, 110.0, 1500.0),
    )


@functools.cache
def outlook(grams: float, share: float, first: int = 2024) -> Outlook:
    scenarios = parse_scenarios(
        [
            {"name": "same", "moves": [{"type": "cost_shock", "products": {"maker": "Ares"}, "change_share": 0.0}]},
            {"name": "apart", "moves": [{"type": "leave_pool", "rule": "eu", "makers": ["Boreas"]}]},
            {"name": "ended", "moves": [{"type": "end_rule", "rule": "eu"}, {"type": "end_rule", "rule": "zev"}]},
        ]
    )
    world = small_world().replace(pools=rules(grams, share, first))
    return build(world, scenarios, steady_facts(world, 2023, YEARS), PricingOptions())


def year_of(out: Outlook, scenario: str = "baseline") -> Year:
    return run(out, scenario, out.central())[1]


def ruled(years: Year) -> FleetYear:
    assert years.rules is not None
    return years.rules


def prices_in_order(out: Outlook, years: Year, table: pd.DataFrame, t: int) -> tuple[np.ndarray, np.ndarray]:
    """Prices of a path's year and of a one-year outcome, side by side."""
    ours, theirs = [], []
    for m, (market, rows) in enumerate(out.roster.rows.items()):
        stated = table[table["market"] == market].set_index("product")["price_eur"]
        ours.append(np.asarray(years.price)[t, m, : len(rows)])
        theirs.append(stated[rows["product"]].to_numpy())
    return np.concatenate(ours), np.concatenate(theirs)


@functools.cache
def one_year(grams: float, share: float) -> Outcome:
    return solve(small_world().replace(pools=rules(grams, share)))


@pytest.mark.parametrize(("grams", "share"), LEVELS)
def test_a_paths_year_under_fleet_rules_is_the_one_year_equilibrium(grams: float, share: float) -> None:
    out, one = outlook(grams, share), one_year(grams, share)
    years = year_of(out)
    for t in range(len(YEARS)):
        ours, theirs = prices_in_order(out, years, one.products, t)
        assert ours == pytest.approx(theirs, abs=EUR)
    stated = one.regulation.payments
    for k, (rule, maker) in enumerate(out.ruled.makers):
        row = stated[(stated["rule"] == rule) & (stated["maker"] == maker)].iloc[0]
        # two ways to shadow prices; one year stops within a tenth of a gram (a thousandth of a car) of a balance of zero, some millionths of what is paid
        assert ruled(years).price[0, k] == pytest.approx(row["shadow_price_eur"], rel=1e-6, abs=EUR / 100)
        assert ruled(years).pays[0, k] == pytest.approx(row["pays_eur"], rel=1e-5, abs=1.0)
    profit = one.firms.groupby("firm")["profit_eur"].sum()
    for f, firm in enumerate(out.roster.firms):
        assert years.firm_profit[0, f] == pytest.approx(profit[firm], rel=1e-8)


@pytest.mark.parametrize(("grams", "share"), LEVELS)
def test_every_pools_price_and_balance_are_complementary_and_no_price_is_above_the_fine(grams: float, share: float) -> None:
    out = outlook(grams, share)
    found, plan = ruled(year_of(out)), out.plans["baseline"].rules
    assert plan is not None
    for t in range(len(YEARS)):
        balance = np.bincount(plan.pool[t], np.asarray(found.balance)[t], minlength=len(out.ruled.makers))
        price, cap = np.asarray(found.price)[t], np.asarray(plan.cap)[t]
        for k in np.flatnonzero(cap):
            cars = 1e-3 * 1e5  # a thousandth of a gram on each of a hundred thousand cars
            assert 0 <= price[k] <= cap[k]
            assert balance[k] <= cars if price[k] == 0 else balance[k] >= -cars if price[k] == cap[k] else abs(balance[k]) <= cars


def test_no_other_shadow_prices_on_a_grid_violate_complementary_slackness_less() -> None:
    world, year = small_world(), 2024
    records = rules(*LEVELS[1])
    duties = [obligation(records, rule, world.products, year) for rule in records if isinstance(rule, FleetRule)]
    out = outlook(*LEVELS[1])
    by_maker = dict(zip(out.ruled.makers, np.asarray(ruled(year_of(out)).price)[0], strict=True))

    def violation(price: list[np.ndarray]) -> float:
        """The largest balance that complementary slackness does not allow, in units of burden a car, when shadow prices are plain costs."""
        shadow = sum(duty.shadow(world.products, p) for duty, p in zip(duties, price, strict=True))
        charged = solve(world.replace(pools=(), products=world.products.assign(cost_eur=world.products["cost_eur"] + shadow)))
        units = charged.products["units"].to_numpy(float)
        worst = 0.0
        for duty, p in zip(duties, price, strict=True):
            b = duty.balance(world.products, units) / units.sum() / (100.0 if isinstance(duty.rule.target, FleetTarget) else 1.0)
            worst = max(worst, float(np.where(p == 0, np.maximum(b, 0.0), np.where(p == duty.cap, np.maximum(-b, 0.0), np.abs(b))).max()))
        return worst

    found = [np.array([by_maker[duty.rule.id, pool.makers[0]] for pool in duty.pools]) for duty in duties]
    assert [pool.id for pool in duties[0].pools] == ["ab", "Chronos", "Daphne"]
    grid = itertools.product(np.linspace(0.0, 95.0, 4), (0.0, 95.0), np.linspace(0.0, 8000.0, 4))
    least = min(violation([np.array([ab, 0.0, daphne]), np.array([zev])]) for ab, daphne, zev in grid)
    assert violation(found) < 1e-4 * least


def test_a_scenario_that_changes_nothing_has_exactly_no_difference_under_rules() -> None:
    out = outlook(*LEVELS[1])
    same, base = year_of(out, "same"), year_of(out)
    assert np.array_equal(same.price, base.price)
    assert np.array_equal(ruled(same).pays, ruled(base).pays)
    assert np.array_equal(same.firm_profit, base.firm_profit)


def test_makers_apart_have_prices_on_both_sides_of_their_pools() -> None:
    out = outlook(*LEVELS[1])
    together, apart = (np.asarray(ruled(year_of(out, s)).price)[0] for s in ("baseline", "apart"))
    ares, boreas = (out.ruled.labels.index(f"eu: {m}") for m in ("Ares", "Boreas"))
    assert together[ares] == together[boreas]
    low, high = sorted((apart[ares], apart[boreas]))
    assert low < together[ares] < high


def test_rules_that_a_scenario_ends_leave_the_years_without_rules() -> None:
    out, plain = outlook(*LEVELS[1]), build(small_world(), {}, steady_facts(small_world(), 2023, YEARS), PricingOptions())
    assert plain.plans["baseline"].rules is None
    ended, free = year_of(out, "ended"), year_of(plain)
    assert not np.asarray(ruled(ended).price).any() and not np.asarray(ruled(ended).firm_pays).any()
    assert np.asarray(ended.price) == pytest.approx(np.asarray(free.price)[:, :, : ended.price.shape[2]], abs=1e-6)


def test_a_rule_of_later_years_only_changes_nothing_bit_by_bit() -> None:
    later = small_world().replace(pools=rules(40.0, 0.75, first=2030))
    with_it, without = (build(w, {}, steady_facts(small_world(), 2023, YEARS), PricingOptions()) for w in (later, small_world()))
    assert with_it.plans["baseline"].rules is None
    a, b = year_of(with_it), year_of(without)
    assert np.array_equal(a.price, b.price) and np.array_equal(a.firm_profit, b.firm_profit)


def test_a_rule_holds_from_its_first_year_on() -> None:
    out = outlook(40.0, 0.75, 2025)
    price = np.asarray(ruled(year_of(out)).price)
    assert not price[0].any()
    assert (price[1:].max(axis=1) > 0).all()
    assert year_of(out).price[0] == pytest.approx(np.asarray(year_of(out, "ended").price)[0], abs=1e-6)


def test_payments_of_firms_add_up_to_those_of_makers_that_sell_here_and_those_to_the_fines() -> None:
    for level in LEVELS:
        out = outlook(*level)
        found, plan = ruled(year_of(out)), out.plans["baseline"].rules
        assert plan is not None
        assert np.asarray(found.firm_pays).sum(axis=1) == pytest.approx(np.asarray(found.pays).sum(axis=1), rel=1e-9, abs=1.0)
        balance = np.bincount(plan.pool[0], np.asarray(found.balance)[0], minlength=len(out.ruled.makers))
        fines = float((np.asarray(plan.cap)[0] * np.maximum(balance, 0.0)).sum())
        assert float(np.asarray(found.pays)[0].sum()) == pytest.approx(fines, rel=1e-6, abs=100.0)


def test_the_rest_of_the_area_goes_with_its_makers_own_sales_where_it_is_said_to() -> None:
    world = small_world().replace(pools=rules(60.0, 0.5))
    facts = steady_facts(world, 2023, YEARS)
    free = build(world.replace(pools=rules(200.0, 0.0)), {}, dataclasses.replace(facts, rest_follows=True), PricingOptions())
    years = year_of(free)  # no rule binds, so sales are the base year's and the rest is what it was
    rows = world.products[world.products["brand"] == "Ares"]
    own = float(((rows["co2_gkm"] - 200.0) * rows["units"]).sum())
    k = free.ruled.labels.index("eu: Ares")
    assert ruled(years).balance[0, k] == pytest.approx(own + 300.0 * (110.0 - 200.0), rel=1e-6)


@pytest.mark.slow
def test_derivatives_through_binding_pools_are_finite_differences() -> None:
    world = small_world().replace(pools=rules(40.0, 0.75))
    out = build(world, {}, steady_facts(world, 2023, YEARS[:2]), PricingOptions(tolerance_eur=1e-9, relative=1e-14))
    central = out.central() | {"learning_rate": 0.18, "charger_speed": 0.4, "charger_taste": 0.2}
    value = measure_named("Ares value", out, 0.05)
    _, slope = slopes(out, "baseline", value, central)
    for name, step in (
        ("learning_rate", 1e-4),
        ("price_sensitivity", 1e-4),
        ("rest_cost_trend", 1e-4),
        ("electric_spread", 1e-3),
        ("demand_growth", 1e-3),
    ):

        def at(k: int, name: str = name, step: float = step) -> float:
            return output_at(out, "baseline", value, central | {name: central[name] + k * step})

        difference = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * step)
        assert slope[name] == pytest.approx(difference, rel=1e-6)


def averaged(first: float, later: float) -> Outlook:
    """A CO2 rule whose first two years count together, and a third year by itself."""
    world = small_world().replace(
        pools=(
            *(FleetRule("eu", ("north", "south"), year, year, FleetTarget(grams)) for year, grams in zip(YEARS, (first, later, later), strict=True)),
            Pool("ab", "eu", ("Ares", "Boreas")),
        )
    )
    move = {"type": "average_rule", "rule": "eu", "first_year": YEARS[0], "last_year": YEARS[1]}
    scenario = parse_scenarios([{"name": "averaged", "moves": [move]}])
    return build(world, scenario, steady_facts(world, 2023, YEARS), PricingOptions())


@pytest.mark.slow
def test_averaging_over_years_that_are_alike_is_clearing_each_by_itself() -> None:
    price = np.asarray(ruled(year_of(averaged(45.0, 45.0), "averaged")).price)
    assert 0 < price[2, 0] < 95
    assert price[0] == pytest.approx(price[2], abs=1e-4) and price[1] == pytest.approx(price[2], abs=1e-4)


@pytest.mark.slow
def test_averaging_over_a_slack_and_a_tight_year_has_one_price_between_theirs_and_a_larger_surplus() -> None:
    out = averaged(60.0, 40.0)
    years = year_of(out, "averaged")
    found = ruled(years)
    balance = np.asarray(found.balance)[:, :2].sum(axis=1)  # Ares and Boreas
    apart = [
        solve(small_world().replace(pools=(FleetRule("eu", ("north", "south"), 2024, 2024, FleetTarget(g)), Pool("ab", "eu", ("Ares", "Boreas")))))
        for g in (60.0, 40.0)
    ]
    low, high = (one.regulation.pools.query("pool == 'ab'")["shadow_price_eur"].astype(float).sum() for one in apart)
    assert float(found.price[0, 0]) == pytest.approx(float(found.price[1, 0]), abs=1e-9)
    assert low < float(found.price[0, 0]) < high
    assert float(found.price[2, 0]) == pytest.approx(high, abs=1e-4)
    assert balance[0] < -1e6 and abs(balance[0] + balance[1]) < 100.0  # of a hundred thousand cars' grams: a thousandth of a gram each
    total = sum(float(one.markets["surplus_eur"].sum() + one.markets["government_eur"].sum() + one.firms["profit_eur"].sum()) for one in apart)
    ours = np.asarray(years.surplus).sum(axis=1) + np.asarray(years.government).sum(axis=1) + np.asarray(years.firm_profit).sum(axis=1)
    assert ours[:2].sum() > total


def test_a_window_of_years_that_ends_before_it_starts_is_refused() -> None:
    world = small_world().replace(pools=rules(60.0, 0.5))
    moves = [{"type": "average_rule", "rule": "eu", "first_year": 2027, "last_year": 2025}]
    with pytest.raises(MoveError, match="ends before it starts"):
        parse_scenarios([{"name": "wrong", "moves": moves}])["wrong"].apply(world)
