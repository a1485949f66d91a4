"""What a scenario makes impossible is said with the scenario's name, and before the run; what a case need not state is not asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from keiretsu.case import load_case
from keiretsu.errors import OwnershipError
from keiretsu.market.build import build_world
from keiretsu.outlook.case_facts import facts_of, last_year
from keiretsu.study.decisions import moves_open_to
from keiretsu.study.run import RunOptions, run
from keiretsu.study.soundness import problems_of_a_run

from .folders import folder

STAKES = "holder,company,cash_flow,votes\nTrust,Nito,0,0.6\nTrust,Toyo,0.4,0.4\nToyo,Nito,0.3,0\n"
MERGER = 'title = "Bydo takes Toyo"\n[[moves]]\ntype = "merger"\nacquirer = "Bydo"\ntarget = "Toyo"\n{}'
VENTURE = 'title = "v"\n[[moves]]\ntype = "joint_venture"\ncompany = "Both"\nsplit = { Nito = 0.6, Toyo = 0.4 }\nproducts = { product = ["Leaf", "Prius"] }\n'
PLAN = "outlook.csv", "item,of,market,year,value,unit\nlast_year,,,0,2026,\nelectric_pace,,JP,0,0.5,\n"


def with_trust(path: Path, dated: str = "") -> Path:
    """A trust sets a maker's prices and gets something of it only through its part of another maker, which a scenario sells."""
    owners = "owner,kind\nTrust,trust\n"
    return folder(path, stakes=STAKES, owners=owners, scenarios__sold=MERGER.format(dated), scenarios__venture=VENTURE)


def test_a_scenario_in_which_a_price_setter_gets_nothing_is_named_by_the_check_and_by_the_run(tmp_path: Path) -> None:
    case = load_case(with_trust(tmp_path))
    (problem,) = problems_of_a_run(case)
    assert "sold, Nito: whoever sets its prices gets nothing of its profit" in str(problem)
    with pytest.raises(OwnershipError, match="sold, Nito: whoever"):
        run(case, RunOptions(scenarios=("sold",), starts=0))


def test_a_scenario_of_a_later_year_is_looked_at_too(tmp_path: Path) -> None:
    path = with_trust(tmp_path, "start = 2026-01-01\n")
    (path / PLAN[0]).write_text(PLAN[1])
    (problem,) = problems_of_a_run(load_case(path))
    assert "sold, Nito: whoever sets its prices gets nothing of its profit" in str(problem)


def test_a_last_year_may_be_stated_without_batteries_chargers_and_cars_on_the_road(tmp_path: Path) -> None:
    path = folder(tmp_path)
    (path / PLAN[0]).write_text(PLAN[1])
    case = load_case(path)
    world = build_world(case)
    facts, steady = facts_of(case, world, last_year(case)), facts_of(load_case(folder(tmp_path / "without")), world, 2026)
    assert facts.years == (2024, 2025, 2026)
    assert facts.pace == {"JP": 0.5}
    assert (facts.pack_price_eur_kwh, facts.world_gwh) == (steady.pack_price_eur_kwh, steady.world_gwh)


def test_a_joint_venture_and_a_take_over_are_moves_of_those_who_make_them(tmp_path: Path) -> None:
    case = load_case(with_trust(tmp_path))
    assert moves_open_to(case, "Nito") == ("venture",)
    assert moves_open_to(case, "Bydo") == ("sold",)
