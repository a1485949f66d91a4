"""What was solved before is used again for markets that are exactly the same, and for no others."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from keiretsu.case import load_case
from keiretsu.market.build import build_world
from keiretsu.market.memory import KEPT, Memory, content_of
from keiretsu.market.outcome import Outcome
from keiretsu.market.policy.programmes import Incentive
from keiretsu.market.solve import solve
from keiretsu.market.world import World
from keiretsu.ownership.weights import Joint
from tests.market.test_parts import BONUS, CASE, PRODUCTS


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two markets; the bonus is in market A alone."""
    folder: Path = tmp_path_factory.mktemp("memory")
    (folder / "case.toml").write_text(CASE)
    (folder / "products.csv").write_text(PRODUCTS)
    (folder / "programmes.toml").write_text(BONUS)
    return build_world(load_case(str(folder)))


def dearer(world: World, product: str, factor: float) -> World:
    """The cost of one product multiplied."""
    cost = world.products["cost_eur"].where(world.products["product"] != product, world.products["cost_eur"] * factor)
    return world.replace(products=world.products.assign(cost_eur=cost))


def solved_markets(memory: Memory, world: World) -> tuple[Outcome, int]:
    """The outcome, and how many markets had to be solved for it."""
    before = memory.made.get("alone", 0)
    outcome = solve(world, memory=memory)
    return outcome, memory.made["alone"] - before


def same(a: Outcome, b: Outcome) -> None:
    for table in ("products", "firms", "owners", "consumers", "markets"):
        pd.testing.assert_frame_equal(getattr(a, table), getattr(b, table), check_exact=True)


def test_a_scenario_for_one_market_leaves_the_other_one_solved_and_has_the_numbers_of_a_world_solved_by_itself(world: World) -> None:
    memory = Memory()
    _, first = solved_markets(memory, world)
    changed = dearer(world, "a3", 1.05)
    found, again = solved_markets(memory, changed)
    assert (first, again) == (2, 1)
    same(found, solve(changed))


def test_an_end_of_the_bonus_changes_the_market_that_has_it_and_no_other(world: World) -> None:
    memory = Memory()
    solve(world, memory=memory)
    bonus = world.programmes[0]
    assert isinstance(bonus, Incentive)
    smaller = world.replace(programmes=(dataclasses.replace(bonus, flat_eur=2_999.0),))
    found, again = solved_markets(memory, smaller)
    assert again == 1
    same(found, solve(smaller))


def test_a_cost_that_differs_in_its_last_bit_is_another_market(world: World) -> None:
    memory = Memory()
    solve(world, memory=memory)
    changed = dearer(world, "b1", float(np.nextafter(1.0, 2.0)))
    assert solved_markets(memory, changed)[1] == 1


def test_owners_who_weigh_each_other_are_solved_anew_wherever_both_sell(world: World) -> None:
    memory = Memory()
    solve(world, memory=memory)
    together = world.replace(rule=Joint((("North", "South"),)))
    found, again = solved_markets(memory, together)
    assert again == 2
    same(found, solve(together))


def test_no_more_than_a_stated_number_of_answers_is_kept() -> None:
    memory = Memory()
    for k in range(KEPT + 5):
        memory.once("square", k, lambda k=k: k * k)
    assert len(memory.kinds["square"]) == KEPT
    assert memory.once("square", 0, lambda: -1) == -1  # forgotten, so made anew


def test_tables_that_hold_the_same_figures_have_the_same_key_and_others_have_not() -> None:
    table = pd.DataFrame({"car": ["x", "y"], "price": [1.0, 2.0]})
    assert content_of(table) == content_of(table.copy())
    assert content_of(table) != content_of(table.assign(price=[1.0, 2.0 + 1e-15]))
    assert content_of(table) != content_of(table.rename(columns={"car": "brand"}))
    assert content_of(table) != content_of(table.iloc[::-1])
