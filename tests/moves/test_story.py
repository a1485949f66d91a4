"""The story's scenarios of the embedded case can be made in its world."""

from __future__ import annotations

import pytest

from keiretsu.case import load_case
from keiretsu.market.build import preferences_of, rule_of, uncalibrated
from keiretsu.moves import parse_scenarios
from keiretsu.ownership.register_changes import stake_held

CASE = load_case("ampere")
SCENARIOS = parse_scenarios(CASE.scenarios)


@pytest.fixture(scope="module")
def story():
    """The embedded world before utilities and costs are known, which moves do not ask for."""
    return uncalibrated(CASE, preferences_of(CASE), rule_of(CASE))


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_of_the_story_can_be_made(story, name):
    moves = SCENARIOS[name].moves
    begun = max([story.date, *(move.start or story.date for move in moves)])  # a scenario may begin later
    after = SCENARIOS[name].apply(story.replace(date=begun))
    assert len(after.changed_by) == len(moves)


def test_the_price_of_nissans_stake_decides_its_size(story):
    """EUR 600 m of new money at 8 and at 10 billion before the money."""
    parts = {
        name: stake_held(SCENARIOS[name].apply(story).register, "Nissan", "Ampere", story.date)[0] for name in ("nissan_stake", "nissan_stake_10bn")
    }
    assert parts == pytest.approx({"nissan_stake": 0.6 / 8.6, "nissan_stake_10bn": 0.6 / 10.6}, rel=1e-12)
