"""What a case unlike the embedded one is shown: sums of one buyer, questions whose defaults are the embedded case's own names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from keiretsu.case import load_case
from keiretsu.cli.choose import _launching, _refuse_nobody, _years_to_choose
from keiretsu.cli.outlook import sensitivity
from keiretsu.errors import InputError, ValuationError
from keiretsu.outlook.case_facts import last_year
from keiretsu.report.headline import headline_table
from keiretsu.report.names import names_of
from keiretsu.report.tables import table_of
from keiretsu.study.run import RunOptions, run
from keiretsu.valuation.discounting import clock

from .folders import folder
from .test_small_cases import MERGER


def test_changes_of_a_market_of_one_buyer_are_shown_and_not_rounded_to_nothing(tmp_path: Path) -> None:
    files = {
        "case.toml": '[case]\nas_of = 2024-01-01\nmoney = "own"\n[market]\npotential = 1\n[demand]\nprice_taste = 0.1\n',
        "products.csv": "product,firm,price,share\nA,a,20,0.1\nB,b,20,0.2\nC,c,21,0.15\n",
        "scenarios/merger.toml": MERGER.replace("Nito", "a").replace("Toyo", "b"),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    results = run(load_case(tmp_path), RunOptions(starts=0))
    table = headline_table("headline", "", results.headline, names_of(results))
    labels = {label.text: k for k, label in enumerate(table.columns)}
    shown = {text: table.columns[labels[text]].show(table.rows[0][labels[text]]) for text in ("Sales", "Buyers' surplus", "Makers' profit")}
    assert all(any(digit in "123456789" for digit in text) for text in shown.values()), shown
    lost = -1e6 * float(results.headline["surplus_change_eur_m"].iloc[0])
    assert lost > 0
    assert any(f"buyers lose {lost:.3f} a year" in sentence for sentence in results.sentences), results.sentences


def test_sums_in_euro_keep_the_digits_they_had() -> None:
    frame = pd.DataFrame({"units_change": [0.0004], "profit_change_eur_m": [0.0003]})
    assert [label.digits for label in table_of("t", "", frame, names={}).columns] == [0, 1]


def test_a_case_without_the_embedded_partners_is_asked_to_name_its_own(tmp_path: Path) -> None:
    case = load_case(folder(tmp_path))
    with pytest.raises(InputError, match=r"no partners are named.*two to eight of Nito, Toyo, Bydo"):
        _refuse_nobody(case, ())
    _refuse_nobody(case, ("Nito", "Toyo"))


def test_the_launches_timed_by_default_are_those_of_the_first_scenario_that_has_some(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no scenario launches a car"):
        _launching(load_case(folder(tmp_path / "none", scenarios__merger=MERGER)))
    launch = '[[moves]]\ntype = "launch"\nproduct = "New"\nmarkets = ["JP"]\nbrand = "Nito"\nlike = "Leaf"\nprice_eur = 20000\nmargin = 0.2\n'
    assert _launching(load_case(folder(tmp_path / "one", scenarios__a=MERGER, scenarios__b=launch))) == "b"


@pytest.mark.parametrize(("now", "said"), [(2023 + 364 / 365, "2023-12-31"), (2024 + 365 / 366, "2024-12-31"), (2030.5, "2030-07-02")])
def test_a_day_of_valuation_without_simulated_money_is_said_as_a_day_with_what_to_change(now: float, said: str) -> None:
    years = np.array([2025, 2026])
    with pytest.raises(ValuationError, match=rf"seen {said}; wanted a day of 2025 to 2026; as_of in case.toml, or year: the base year, 2024"):
        clock(years, now)


@pytest.mark.parametrize(("last", "years"), [(2025, [2025]), (2026, [2025, 2026]), (2035, [2025, 2026, 2027])])
def test_the_years_a_launch_may_come_in_by_default_are_simulated_ones(last: int, years: list[int], tmp_path: Path) -> None:
    case = load_case(folder(tmp_path, outlook=f"item,of,market,year,value,unit\nlast_year,,,0,{last},\n"))
    assert list(_years_to_choose(case.year + 2, case.year + 5, last_year(case))) == years


def test_draws_too_few_for_global_indices_are_refused_before_anything_is_solved(tmp_path: Path) -> None:
    case = folder(tmp_path, uncertain="input,distribution,central,low,high\ndemand_growth,normal,0,-0.01,0.01\n")
    with pytest.raises(InputError, match="too few draws for global indices"):
        sensitivity(str(case), "electric share", draws=8)
