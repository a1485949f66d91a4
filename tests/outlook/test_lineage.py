"""A launched car's utility follows the base year's utilities exactly as the move would have projected it from them."""

from __future__ import annotations

import numpy as np
import pytest

from keiretsu.outlook.facts import steady_facts
from keiretsu.outlook.roster import beginning, storyline
from tests.outlook.small import YEARS, small_scenarios, small_world


@pytest.mark.parametrize("name", ["launch", "twin"])
def test_weights_give_what_the_move_projects_from_any_utilities(name: str) -> None:
    world = small_world()
    facts = steady_facts(world, 2023, YEARS)
    story = storyline(beginning(world, facts), name, small_scenarios()[name], facts)
    before = world.products["delta"].to_numpy(float)
    other = before + np.random.default_rng(1).standard_normal(before.size)
    moved = small_scenarios()[name].apply(world.replace(products=world.products.assign(delta=other))).products
    first = story.worlds[0].products
    for (market, product), line in story.lineage.items():
        here = (first["market"] == market) & (first["product"] == product)
        there = (moved["market"] == market) & (moved["product"] == product)
        change = float(moved.loc[there, "delta"].iloc[0]) - float(first.loc[here, "delta"].iloc[0])
        assert change == pytest.approx(float(line.weights @ (other - before)), abs=1e-9)
