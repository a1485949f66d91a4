"""Moves on taxes, incentives, chargers and pools change the world's records and nothing else."""

from __future__ import annotations

import datetime as dt

import pytest

from keiretsu.errors import MoveError
from keiretsu.market.policy.programmes import Chargers, Incentive, Scope, in_force
from keiretsu.market.policy.spending import spending_at_observed_sales
from keiretsu.market.pools import FleetRule, FleetTarget, Pool, RestOfArea
from keiretsu.moves.policy_moves import CapProgramme, ChangeProgramme, ChargersInstead, CopyProgramme, EndProgramme, RunProgramme
from keiretsu.moves.pool_moves import EndRule, FormPool, JoinPool, LeavePool, RuleOfYear

SINCE = dt.date(2023, 1, 1)
BONUS = Incentive(Scope("bonus", ("north",), SINCE, powertrains=("BEV",)), flat_eur=4000)
CHARGERS = Chargers(Scope("chargers", ("north",), SINCE, powertrains=("BEV",), dormant=True), 1.0, 1000.0, 10_000.0, 0.35)
OLD = Incentive(Scope("old", ("south",), SINCE, dt.date(2023, 12, 31)), flat_eur=500)
POOLS = (
    FleetRule("eu", ("north", "south"), 2020, 2024, FleetTarget(115.1)),
    FleetRule("eu", ("north", "south"), 2025, 2029, FleetTarget(93.6)),
    Pool("ab", "eu", ("Ares", "Boreas"), to_year=2024),
    Pool("bc", "eu", ("Boreas", "Chronos"), from_year=2025),
    RestOfArea("eu", "Ares", 100.0, 110.0, 1500.0),
)


@pytest.fixture
def ruled(world):
    return world.replace(programmes=(BONUS, CHARGERS, OLD), pools=POOLS)


def now(world, market):
    return {p.scope.id: p for p in in_force(world.programmes, market, world.date)}


def test_an_ended_programme_is_gone_from_the_day_of_the_world_and_kept_before(ruled):
    after = EndProgramme(programmes=("bonus",)).apply(ruled)
    assert not now(after, "north") and in_force(after.programmes, "north", dt.date(2023, 6, 1))
    assert now(ruled, "north")  # nothing was changed in place


def test_a_programme_that_is_over_runs_again(ruled):
    assert set(now(RunProgramme(programmes=("old",)).apply(ruled), "south")) == {"old"}


def test_a_changed_figure_holds_from_the_day_of_the_change(ruled):
    after = ChangeProgramme(programmes=("bonus",), figures={"flat_eur": 6000.0, "window.at_most": 30_000.0}).apply(ruled)
    changed = now(after, "north")["bonus"]
    assert isinstance(changed, Incentive) and changed.flat_eur == 6000 and changed.window.at_most == 30_000
    assert in_force(after.programmes, "north", dt.date(2023, 6, 1)) != ()
    with pytest.raises(MoveError, match="no such figure"):
        ChangeProgramme(programmes=("bonus",), figures={"flat": 1.0}).apply(ruled)


def test_a_cap_is_a_budget_and_only_incentives_have_one(ruled):
    capped = now(CapProgramme(programmes=("bonus",), budget_eur=1e6).apply(ruled), "north")["bonus"]
    assert isinstance(capped, Incentive) and capped.budget_eur == 1e6
    with pytest.raises(MoveError, match="only an incentive"):
        CapProgramme(programmes=("chargers",), budget_eur=1e6).apply(ruled)


def test_another_market_copies_a_bonus(ruled):
    assert set(now(CopyProgramme(programmes=("bonus",), markets=("south",)).apply(ruled), "south")) == {"bonus_south"}


def test_chargers_get_the_money_that_the_bonus_cost(ruled):
    after = ChargersInstead(programmes=("bonus",), chargers="chargers").apply(ruled)
    built = now(after, "north")
    cost = spending_at_observed_sales(ruled, ("bonus",))
    electric = ruled.products.query("market == 'north' and powertrain == 'BEV'")["units"].sum()
    assert set(built) == {"chargers"} and built["chargers"].money_eur == pytest.approx(cost)
    assert cost == pytest.approx(4000 * electric)


def test_unknown_programmes_and_rules_are_named(ruled):
    with pytest.raises(MoveError, match="no such programme"):
        EndProgramme(programmes=("prize",)).apply(ruled)
    with pytest.raises(MoveError, match="no such fleet rule"):
        EndRule(rule="us").apply(ruled)


def pools_of(world):
    return {p.id: p.makers for p in world.pools if isinstance(p, Pool)}


def test_makers_join_leave_and_form_pools(ruled):
    held = RuleOfYear(rule="eu", year=2025).apply(ruled)
    assert pools_of(held) == {"bc": ("Boreas", "Chronos")}
    in_years = {year: [r.target.grams for r in held.pools if isinstance(r, FleetRule) and r.from_year <= year <= r.to_year] for year in (2024, 2025)}
    assert in_years == {2024: [93.6], 2025: [93.6]}
    assert pools_of(JoinPool(rule="eu", pool="bc", makers=("Ares",)).apply(held)) == {"bc": ("Boreas", "Chronos", "Ares")}
    assert pools_of(LeavePool(rule="eu", makers=("Boreas", "Chronos")).apply(held)) == {}
    assert pools_of(FormPool(rule="eu", pool="new", makers=("Ares", "Boreas")).apply(held)) == {"bc": ("Chronos",), "new": ("Ares", "Boreas")}
    assert EndRule(rule="eu").apply(held).pools == ()
    with pytest.raises(MoveError, match="no target in that year"):
        RuleOfYear(rule="eu", year=2050).apply(ruled)
