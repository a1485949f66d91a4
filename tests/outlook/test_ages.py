"""How old models are in a year: launched ones age and are renewed, the others stay at the mean age."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from keiretsu.outlook.base_year import reproduce
from keiretsu.outlook.facts import steady_facts
from keiretsu.outlook.outlook import build
from keiretsu.outlook.path import PER_YEAR
from keiretsu.outlook.year import Draw, part_and_age
from keiretsu.supply.pricing import PricingOptions
from tests.outlook.small import YEARS, small_scenarios, small_world


def test_over_a_whole_cycle_a_launched_model_is_on_average_as_old_as_those_whose_launch_nobody_knows() -> None:
    world, cycle = small_world(), len(YEARS)
    facts = dataclasses.replace(steady_facts(world, 2023, YEARS), cycle_years=float(cycle))
    out = build(world, {"launch": small_scenarios()["launch"]}, facts, PricingOptions())
    values, launches = out.arrays(out.central())
    found = reproduce(out.base, values)
    draw = Draw(values, launches.shift - 100.0 * cycle, launches.happens, launches.appeal, found, found.delta)  # on sale all year, in every year
    plan = out.plans["launch"]
    ages = []
    for t in range(cycle):
        here = dataclasses.replace(plan, **{name: jax.tree.map(lambda leaf, t=t: leaf[t], getattr(plan, name)) for name in PER_YEAR})
        ages.append(np.asarray(part_and_age(out.base, here, draw)[1]))
    launched = np.asarray(plan.launch) >= 0
    assert launched.any() and bool(jnp.all(out.base.cycle_years == cycle))
    assert np.ptp(np.array(ages)[:, launched], axis=0).max() == cycle - 1
    assert np.abs(np.mean(ages, axis=0)).max() < 1e-9
