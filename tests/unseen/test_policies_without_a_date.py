"""A case seen from the autumn: the year that is running is judged on 1 July, and a change without a date holds in it like everything else in its scenario."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from keiretsu.case import load_case
from keiretsu.market.build import build_world
from keiretsu.market.solve import solve
from keiretsu.moves.scenario import parse_scenarios
from keiretsu.outlook.case_facts import facts_of
from keiretsu.outlook.outlook import build, run
from tests.unseen.test_a_bonus_that_is_raised import BONUS, CASE, PRODUCTS

OTHER = BONUS.replace('id = "bonus"', 'id = "later"\ndormant = true').replace("4000", "2500")
MOVES = {
    "ends": {"type": "end_programme", "programmes": ["bonus"]},
    "more": {"type": "change_programme", "programmes": ["bonus"], "figures": {"flat_eur": 5500}},
    "runs": {"type": "run_programme", "programmes": ["later"]},
}


@pytest.mark.parametrize("day", ["2024-03-01", "2024-09-15"])
def test_a_change_of_policy_without_a_date_holds_in_the_year_of_the_case_from_whatever_day_it_is_seen(day: str, tmp_path: Path) -> None:
    """Nothing else moves from 2023 to 2024 in this case, so that the first year ahead is the base year under the same policies."""
    for name, text in {"case.toml": CASE.replace("2024-03-01", day), "products.csv": PRODUCTS, "programmes.toml": BONUS + OTHER}.items():
        (tmp_path / name).write_text(text)
    case = load_case(tmp_path)
    world = build_world(case)
    scenarios = parse_scenarios([{"name": name, "title": name, "moves": [move]} for name, move in MOVES.items()])
    ahead = build(world, scenarios, facts_of(case, world, 2024))
    for name, scenario in scenarios.items():
        units = np.asarray(run(ahead, name, ahead.central())[1].units)[0, 0, :4]
        np.testing.assert_allclose(units, solve(scenario.apply(world)).products["units"], rtol=1e-6, err_msg=name)
        assert abs(units[1] - 40000) > 1000  # an electric car whose bonus has changed
