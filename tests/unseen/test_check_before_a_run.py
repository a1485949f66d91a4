"""`keiretsu check` says everything that a run would stop at: not only tables, also programmes, scenarios, the years ahead and money."""

from __future__ import annotations

from pathlib import Path

import pytest

from keiretsu.case import check_case, load_case
from keiretsu.study.soundness import problems_of_a_run

from .folders import folder
from .test_small_cases import LAUNCH, MERGER, OUTLOOK

TERMS = "terms,investor,company,amount,currency,valuation,date,exit_year\nin_toyo,Nito,Toyo,100000000,{currency},1000000000,2024-06-30,{exit}\n"


def said(path: Path) -> str:
    return "\n".join(map(str, problems_of_a_run(load_case(path))))


def test_a_sound_case_has_no_problem_that_a_run_would_find(tmp_path: Path) -> None:
    assert said(folder(tmp_path, scenarios__now=MERGER, stake_terms=TERMS.format(currency="EUR", exit=2024))) == ""


def test_everything_that_a_run_would_stop_at_is_said_at_once(tmp_path: Path) -> None:
    path = folder(
        tmp_path,
        scenarios__stranger=MERGER.replace("Toyo", "Toyota"),
        scenarios__nothing='[[moves]]\ntype = "withdrawal"\nproducts = { powertrain = "PHEV" }\n',
        stake_terms=TERMS.format(currency="EUR", exit=2020),
        outlook=OUTLOOK.format(price=120, unit="EUR/kWh"),
    )
    text = said(path)
    for words in ("scenarios/stranger.toml, line 2", "unknown company", "scenarios/nothing.toml", "an exit before entry", "has no past"):
        assert words in text, text


@pytest.mark.parametrize(
    ("changes", "files", "words"),
    [
        ({"programmes.toml": ("share = 0.15", "share = 15")}, {}, "a rate in the wrong unit"),
        ({"pools.toml": ("grams = 90", "grams = 900")}, {}, "a target in the wrong unit"),
        ({}, {"scenarios__x": '[[moves]]\ntype = "mergr"\n'}, "unknown type of move"),
        ({}, {"uncertain": "input,distribution,central,low,high\nlearning,normal,0.1,0.1,0.2\n"}, "no such input"),
    ],
)
def test_what_only_a_later_part_can_read_is_read_by_the_check(
    changes: dict[str, tuple[str, str]], files: dict[str, str], words: str, tmp_path: Path
) -> None:
    assert words in said(folder(tmp_path, changes, **files))


def test_money_of_a_stake_in_a_currency_without_a_rate_is_said_with_its_row(tmp_path: Path) -> None:
    problems = check_case(folder(tmp_path, stake_terms=TERMS.format(currency="CHF", exit=2024))).problems
    assert [problem.where for problem in problems] == ["stake_terms.csv, row 2, column currency"]


def test_a_move_of_a_later_year_and_a_planned_car_are_made_by_the_check_too(tmp_path: Path) -> None:
    later = '[[moves]]\ntype = "withdrawal"\nstart = 2024-05-01\nproducts = { powertrain = "PHEV" }\n'
    growth = "input,distribution,central,low,high\ndemand_growth,normal,0,-0.01,0.01\n"
    assert "scenarios/later.toml" in said(folder(tmp_path / "later", scenarios__later=later, uncertain=growth))
    brands = "brand,maker\nNito,Nito\nToyo,Toyo\nBydo,Bydo\n"
    stranger = folder(tmp_path / "planned", planned_launches=LAUNCH.format(year=2025.0).replace(",Leaf,2025.0", ",Lief,2025.0"), brands=brands)
    assert "Lief" in said(stranger)


def test_the_float_of_a_company_may_sell_on_stated_terms_as_it_may_in_a_scenario(tmp_path: Path) -> None:
    head = "terms,investor,company,money,seller,amount,currency,valuation,date,exit_year\n"
    row = "in_toyo,Nito,Toyo,secondary,{},100000000,EUR,1000000000,2024-06-30,2024\n"
    assert said(folder(tmp_path / "float", stake_terms=head + row.format("float of Toyo"))) == ""
    nobody = check_case(folder(tmp_path / "nobody", stake_terms=head + row.format("float of Toyota"))).problems
    assert [problem.where for problem in nobody] == ["stake_terms.csv, row 2, column seller"]
    other = said(folder(tmp_path / "other", stake_terms=head + row.format("float of Nito")))
    assert "above what is for sale" in other
