"""What storylines have in common is made once: equal arrays are one array, and sharing changes none of them."""

from __future__ import annotations

import jax
import numpy as np

from keiretsu.outlook.facts import steady_facts
from keiretsu.outlook.outlook import BASELINE, build
from keiretsu.outlook.shared import Shared, same
from tests.outlook.small import small_scenarios, small_world


def test_equal_arrays_are_one_array_and_others_are_not() -> None:
    shared = Shared()
    zeros = shared.array(np.zeros(3))
    assert shared.array(np.zeros(3)) is zeros
    for other in (np.zeros((3, 1)), np.zeros(3, int), np.zeros(4), np.array([0.0, -0.0, 0.0])):
        assert shared.array(other) is not zeros and np.array_equal(shared.array(other), other)
    assert shared.array(np.zeros((0, 2))).shape == (0, 2)


def test_years_show_the_world_they_are_in() -> None:
    shared, worlds = Shared(), [np.array([1.0, 2.0]), np.array([3.0, 4.0])]
    found = shared.by_year(worlds, (0, 0, 1))
    assert np.array_equal(found, [[1.0, 2.0], [1.0, 2.0], [3.0, 4.0]])
    assert shared.by_year([one.copy() for one in worlds], (0, 0, 1)) is found
    assert shared.by_year(worlds, (0, 1, 1)) is not found
    assert shared.by_year(worlds, (0, 0, 1), bool).dtype == bool


def test_an_object_stands_for_itself_and_not_for_its_equal() -> None:
    one, other = [1], [1]
    assert same(one) == same(one) and same(one) != same(other)


def test_a_plan_is_the_same_beside_other_scenarios_as_alone_and_shares_what_it_leaves_as_it_is() -> None:
    world = small_world()
    facts, scenarios = steady_facts(world, 2023, (2024, 2025)), small_scenarios()
    together = build(world, scenarios, facts)
    base = jax.tree.leaves(together.plans[BASELINE])
    for name, scenario in scenarios.items():
        alone = build(world, {name: scenario}, facts)
        if jax.tree.map(np.shape, alone.plans[name]) != jax.tree.map(np.shape, together.plans[name]):
            continue  # another scenario's launches need more room
        for mine, by_itself in zip(jax.tree.leaves(together.plans[name]), jax.tree.leaves(alone.plans[name]), strict=True):
            assert np.array_equal(mine, by_itself)
    # who owns whom changes nothing but the profit weights
    stake = jax.tree.leaves(together.plans["stake"]) if "stake" in together.plans else base
    assert sum(mine is not its for mine, its in zip(stake, base, strict=True)) <= 2
