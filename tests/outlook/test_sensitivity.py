"""Exact slopes against finite differences, through equilibria and years; global indices where they are known."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest

from keiretsu.errors import InputError
from keiretsu.outlook.ensemble import ensemble
from keiretsu.outlook.facts import steady_facts
from keiretsu.outlook.measures import measure_named
from keiretsu.outlook.outlook import Outlook, build
from keiretsu.outlook.sensitivity import global_indices, output_at, slopes, tornado
from keiretsu.outlook.uncertain import Uncertain, draws_of
from keiretsu.supply.pricing import PricingOptions
from tests.outlook.small import small_scenarios, small_world

AT = {
    "learning_rate": 0.18, "demand_growth": 0.01, "price_sensitivity": 1.1, "electric_taste": 0.1, "electric_taste_kept": 0.8, "charger_taste": 0.3,
    "charger_speed": 0.3, "charger_power": 0.8, "age_taste": 0.02, "electric_spread": 1.2, "scrappage_feedback": 0.3, "life_years": 0.05,
    "rest_cost_trend": 0.01, "raw_material_early": 0.1, "date:boreas_small": 0.3,
}  # fmt: skip
INPUTS = (
    Uncertain("price_sensitivity", "lognormal", 1.0, 0.8, 1.25),
    Uncertain("electric_taste", "normal", 0.1, 0.0, 0.2),
    Uncertain("demand_growth", "normal", 0.0, -0.01, 0.01),
    Uncertain("date:boreas_small", "normal", 0.3, 0.1, 0.5),
)


@functools.cache
def outlook() -> Outlook:
    world = small_world()
    exact = PricingOptions(tolerance_eur=1e-9, relative=1e-13)
    facts = dataclasses.replace(steady_facts(world, 2023, (2024, 2025)), central={u.name: u.central for u in INPUTS})
    return build(world, {"twin": small_scenarios()["twin"]}, facts, exact)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_slopes_are_finite_differences_to_a_millionth_in_random_cases(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = outlook().central() | {name: value * rng.uniform(0.7, 1.3) for name, value in AT.items()}
    direction = {name: value * rng.standard_normal() for name, value in AT.items()}
    measure = measure_named("Boreas value", outlook(), 0.06)
    slope = slopes(outlook(), "twin", measure, values)[1]
    step = 1e-3

    def along(t: float) -> float:
        return output_at(outlook(), "twin", measure, values | {name: values[name] + t * d for name, d in direction.items()})

    # fourth-order central difference: its own error is far below a millionth at this step
    seen = (8 * (along(step) - along(-step)) - (along(2 * step) - along(-2 * step))) / (12 * step)
    assert sum(slope[name] * d for name, d in direction.items()) == pytest.approx(seen, rel=1e-6)


@pytest.mark.slow  # compiles the backward sweep once more
def test_the_slope_of_the_pack_price_by_the_swing_of_raw_materials_is_the_pack_price() -> None:
    measure = measure_named("pack price", outlook(), 0.06)
    value, slope = slopes(outlook(), "baseline", measure, outlook().central())
    assert slope["raw_material_early"] == pytest.approx(value, rel=1e-12)


def test_the_tornado_has_the_largest_effect_on_top_and_says_where_slopes_end() -> None:
    measure = measure_named("Boreas value", outlook(), 0.06)
    table = tornado(outlook(), "twin", measure, INPUTS, closely=1)
    assert (np.diff(table["effect"].abs()) <= 0).all()
    date = table.set_index("input").to_dict("index")["date:boreas_small"]
    assert date["to_switch"] == pytest.approx(0.3)
    assert (date["way"], date["how"]) == (-1, "exact")
    assert "2024" in date["switch"]
    first = table.to_dict("records")[0]  # the only one whose effect is solved again
    ends = [
        output_at(outlook(), "twin", measure, outlook().central() | {first["input"]: outlook().central()[first["input"]] + d})
        for d in (0.0, first["deviation"])
    ]
    assert first["solved"] == pytest.approx(ends[1] - ends[0], rel=1e-6) and table["solved"].isna().sum() == len(table) - 1
    assert date["effect"] < 0  # coming later earns less


def test_an_output_that_follows_one_input_alone_has_all_its_variance_from_it() -> None:
    draws = draws_of(INPUTS, np.eye(4), outlook().central(), 32, 3)
    every = ensemble(outlook(), draws, ["baseline"], 8, 2, False, lambda *_: None, {})
    table, r2 = global_indices(every, "baseline", measure_named("Ares value", outlook(), 0.06))
    assert r2 > 0.9
    assert table["input"].iloc[0] == "price_sensitivity"
    assert table.set_index("input")["total"]["date:boreas_small"] == pytest.approx(0.0, abs=0.02)  # nobody launches it in the baseline


def test_an_unknown_output_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="electric share"):
        measure_named("luck", outlook(), 0.06)
