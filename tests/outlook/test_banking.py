"""Fleet rules met on the average of several years: a sum that jumps, slopes through the window's shadow price, and a scenario that only runs when it is named."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

import keiretsu.outlook.path
from keiretsu.case import load_case
from keiretsu.market.pools import FleetRule, FleetTarget, Pool
from keiretsu.moves.scenario import parse_scenarios
from keiretsu.outlook.arrays import FleetYears, Guide, Year
from keiretsu.outlook.facts import steady_facts
from keiretsu.outlook.measures import measure_named
from keiretsu.outlook.outlook import Outlook, build, guide_of, run
from keiretsu.outlook.sensitivity import output_at, slopes
from keiretsu.study.run import chosen_scenarios
from keiretsu.supply.pricing import PricingOptions
from tests.outlook.bent_worlds import BEFORE, ceiling
from tests.outlook.small import YEARS, small_world


@pytest.mark.slow  # compiles two sweeps through a program that runs the years several times over
def test_slopes_through_a_price_for_two_years_are_finite_differences() -> None:
    world = small_world().replace(
        pools=(
            *(FleetRule("eu", ("north", "south"), year, year, FleetTarget(grams)) for year, grams in zip(YEARS[:2], (60.0, 40.0), strict=True)),
            Pool("ab", "eu", ("Ares", "Boreas")),
        )
    )
    move = {"type": "average_rule", "rule": "eu", "first_year": YEARS[0], "last_year": YEARS[1]}
    exact = PricingOptions(tolerance_eur=1e-9, relative=1e-14)
    out = build(world, parse_scenarios([{"name": "averaged", "moves": [move]}]), steady_facts(world, 2023, YEARS[:2]), exact)
    central = out.central() | {"learning_rate": 0.18, "charger_speed": 0.4, "charger_taste": 0.2}
    rules = run(out, "averaged", central)[1].rules
    assert rules is not None
    price = np.asarray(rules.price)
    assert 0 < price[0, 0] < 95 and price[0, 0] == pytest.approx(price[1, 0])  # one price, and it is neither free nor the fine
    value = measure_named("Ares value", out, 0.05)
    slope = slopes(out, "averaged", value, central)[1]
    for name, step in (("learning_rate", 1e-3), ("rest_cost_trend", 1e-3), ("price_sensitivity", 1e-2)):

        def at(k: int, name: str = name, step: float = step) -> float:
            return output_at(out, "averaged", value, central | {name: central[name] + k * step})

        difference = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * step)
        # the window's price is settled to a tenth of a cent a car; over the step that is some 1e-5 of what profit changes by
        assert slope[name] == pytest.approx(difference, rel=1e-4)


def averaged_with_a_ceiling(grams: tuple[float, float]) -> Outlook:
    """Two years averaged, with a bonus in the north for electric cars of at most EUR 30,000, under which a car of the pool comes as its shadow price rises."""
    rules = (FleetRule("eu", ("north", "south"), year, year, FleetTarget(target)) for year, target in zip(YEARS[:2], grams, strict=True))
    world = small_world().replace(programmes=(ceiling(30_000.0),), observed_on=BEFORE, pools=(*rules, Pool("ab", "eu", ("Ares", "Boreas"))))
    move = {"type": "average_rule", "rule": "eu", "first_year": YEARS[0], "last_year": YEARS[1]}
    return build(world, parse_scenarios([{"name": "averaged", "moves": [move]}]), steady_facts(world, 2023, YEARS[:2]))


@pytest.mark.slow  # compiles the years twice: searched, and at shadow prices that are given
def test_a_market_in_which_a_car_comes_under_a_price_ceiling_has_the_only_shadow_price_at_which_its_pools_sum_changes_sign(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = averaged_with_a_ceiling((66.0, 46.0))
    central, plan = out.central(), out.plan("averaged", out.central())
    rules = run(out, "averaged", central)[1].rules
    assert rules is not None
    assert plan.rules is not None
    price, left, pool = np.asarray(rules.price)[0], np.asarray(rules.left_over), np.asarray(plan.rules.pool)[0]
    assert 0 < price[0] < 95 and price[0] == price[1]  # of Ares and Boreas
    assert left[0, 0] == 0 and left[1, 0] > 1e5 and not left[:, 1:].any()

    def given(years: Callable[[FleetYears], tuple[Year, Guide]], ruled: FleetYears) -> tuple[Year, Guide]:
        return years(dataclasses.replace(ruled, given=jnp.where(ruled.window >= 0, rate, 0.0), needed=jnp.ones_like(ruled.cap)))

    monkeypatch.setattr(keiretsu.outlook.path, "averaged_with_more", given)
    rate = jnp.zeros(4)  # what is traced below
    guide = guide_of(out, "averaged", central)  # as the run's own years

    @eqx.filter_jit
    def years_at(at: Array) -> Year:
        nonlocal rate
        rate = at
        return keiretsu.outlook.path.path(out.base, plan, *out.arrays(central), out.options, guide)[1]

    def sums(of_ab: float) -> np.ndarray:
        own = years_at(jnp.asarray(np.where(np.arange(4) == 0, of_ab, np.where(pool == np.arange(4), price, 0.0)))).rules
        assert own is not None
        return np.array([np.asarray(own.balance)[:, pool == k].sum() for k in (0, 2, 3)])

    here, before = sums(float(price[0])), sums(float(price[0]) - 1e-4)
    assert here[0] == pytest.approx(-left[1, 0], rel=1e-6) and before[0] > 1e5
    assert here[1] < 0 == price[2] and here[2] > 0 and price[3] == 95  # the others are slack and fined
    every = np.array([sums(x)[0] for x in np.linspace(0.0, 95.0, 39)])
    crossings = np.flatnonzero((every[:-1] > 0) & (every[1:] <= 0))
    assert crossings.tolist() == [int(price[0] / 2.5)] and (np.sign(every[:-1]) >= np.sign(every[1:])).all()
    assert np.abs(every).min() > 1e5  # no price on the grid comes near to clearing it


def test_a_scenario_on_request_is_solved_only_when_it_is_named() -> None:
    case = load_case("ampere")
    name = "averaging_2025_2027"
    assert name not in [one.name for one in chosen_scenarios(case, ())]
    (one,) = chosen_scenarios(case, (name,))
    assert [move.type for move in one.moves] == ["average_rule"]
    asked_always = dataclasses.replace(case, scenarios=tuple(dataclasses.replace(text, on_request=False) for text in case.scenarios))
    assert name in [one.name for one in chosen_scenarios(asked_always, ())]
