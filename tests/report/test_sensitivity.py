"""What an output depends on is said in the case's money, inputs in words with their units, distances with how they are known."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from keiretsu.case import load_case
from keiretsu.report.sensitivity import distance_said, indices_table, tornado_table
from tests.unseen.folders import folder

TORNADO = pd.DataFrame(
    [
        ("learning_rate", -2.5e9, 0.03, -7.5e7, -7.1e7, 3.2345e10, 0.031, 1, "a pool stops paying", "solved"),
        ("event:duties", 1.2e8, 0.4, 4.8e7, math.nan, 3.2345e10, math.inf, 0, "", ""),
    ],
    columns=["input", "slope", "deviation", "effect", "solved", "value", "to_switch", "way", "switch", "how"],
)
EUROS = "[rates]\nJPY = 152.0\n"


def own_money(path: Path) -> Path:
    text = (path / "case.toml").read_text().replace(EUROS, "").replace("year = 2023", 'year = 2023\nmoney = "own"\ncurrency = "JPY"')
    (path / "case.toml").write_text(text)
    (path / "pools.toml").unlink()
    return path


@pytest.mark.parametrize(
    ("distance", "way", "how", "said"),
    [
        (0.0312, 1, "solved", "+0.031"),
        (0.4, -1, "exact", "\N{MINUS SIGN}0.4"),
        (0.002, 1, "first order", "about +0.002"),
        (0.05, -1, "at most", "less than \N{MINUS SIGN}0.05"),
        (0.1, 0, "none found", "more than ±0.1"),
        (math.inf, 0, "none found", ""),
    ],
)
def test_a_distance_says_its_way_and_how_it_is_known(distance: float, way: int, how: str, said: str) -> None:
    assert distance_said(distance, way, how) == said


def test_slopes_of_a_value_are_in_millions_of_euro_and_inputs_have_their_units(tmp_path: Path) -> None:
    table = tornado_table(load_case(folder(tmp_path)), "Nito value", "value", "baseline", TORNADO, solved=True)
    assert [column.unit for column in table.columns] == ["", "EUR m", "", "EUR m", "EUR m", "", ""]
    shown = [[column.show(value) for column, value in zip(table.columns, row, strict=True)] for row in table.rows]
    assert shown[0][:6] == ["learning rate of batteries", "−2,500.0", "3 % per doubling", "−75.0", "−71.0", "+0.031"]
    assert shown[1][2] == "0.4 of happening or not" and shown[1][4] == ""
    assert "Nito value at the central case of baseline: EUR 32,345 m, operating margin" in table.note


def test_slopes_in_a_case_of_its_own_money_name_no_euro(tmp_path: Path) -> None:
    case = load_case(own_money(folder(tmp_path)))
    for what in ("value", "profit", "surplus", "pack price"):
        table = tornado_table(case, "it", what, "baseline", TORNADO, solved=True)
        assert "EUR" not in " ".join([table.note, *(column.unit for column in table.columns)])
    money = tornado_table(case, "Nito value", "value", "baseline", TORNADO, solved=True)
    assert money.columns[3].unit == "money" and money.columns[3].show(-7.5e7) == "−75,000,000"


def test_an_output_that_is_no_money_keeps_its_unit_and_no_solved_column_stands_empty(tmp_path: Path) -> None:
    table = tornado_table(load_case(folder(tmp_path)), "Nito units", "units", "baseline", TORNADO, solved=False)
    assert table.columns[1].unit == "cars a year" and len(table.columns) == 6


def test_shares_of_variance_say_how_many_draws_and_how_well_they_are_known(tmp_path: Path) -> None:
    found = pd.DataFrame({"input": ["learning_rate"], "first_order": [0.412], "total": [0.5]})
    table = indices_table(load_case(folder(tmp_path)), found, 0.873, 64)
    assert "64 draws" in table.note and "87 %" in table.note
    assert table.columns[1].show(table.rows[0][1]) == "41"
