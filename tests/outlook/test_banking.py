"""Fleet rules met on the average of several years: slopes through the window's shadow price, and a scenario that only runs when it is named."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from keiretsu.case import load_case
from keiretsu.market.pools import FleetRule, FleetTarget, Pool
from keiretsu.moves.scenario import parse_scenarios
from keiretsu.outlook.facts import steady_facts
from keiretsu.outlook.measures import measure_named
from keiretsu.outlook.outlook import build, run
from keiretsu.outlook.sensitivity import output_at, slopes
from keiretsu.study.run import chosen_scenarios
from keiretsu.supply.pricing import PricingOptions
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


def test_a_scenario_on_request_is_solved_only_when_it_is_named() -> None:
    case = load_case("ampere")
    name = "averaging_2025_2027"
    assert name not in [one.name for one in chosen_scenarios(case, ())]
    (one,) = chosen_scenarios(case, (name,))
    assert [move.type for move in one.moves] == ["average_rule"]
    asked_always = dataclasses.replace(case, scenarios=tuple(dataclasses.replace(text, on_request=False) for text in case.scenarios))
    assert name in [one.name for one in chosen_scenarios(asked_always, ())]
