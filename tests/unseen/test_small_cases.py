"""Things that a small case does and a large one does not: one market without saying so twice, one maker of every car, scenarios that begin later."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from keiretsu.case import load_case
from keiretsu.errors import CaseError, PricingError
from keiretsu.market.build import build_world
from keiretsu.outlook.case_facts import facts_of
from keiretsu.outlook.uncertain import Uncertain
from keiretsu.study.run import RunOptions, run

from .folders import folder, refusal

MERGER = 'title = "Merger"\n[[moves]]\ntype = "merger"\nacquirer = "Nito"\ntarget = "Toyo"\n'
OUTLOOK = "item,of,market,year,value,unit\npack_price,,,2023,{price},{unit}\n" + "".join(
    f"{item},{of},{market},{year},{value},\n"
    for item, of, market, year, value in (
        ("battery_output", "", "", 2023, 700), ("battery_output", "", "", 2024, 900), ("chargers", "", "JP", 2023, 30000), ("life_years", "", "", 0, 15),
        ("life_shape", "", "", 0, 3), ("cycle_years", "", "", 0, 7), ("last_year", "", "", 0, 2024), ("fleet", "BEV", "JP", 2023, 200000),
        ("fleet", "PHEV", "JP", 2023, 0), ("fleet", "ICE", "JP", 2023, 4000000),
    )
)  # fmt: skip
PAST = "battery_output,,,2022,1500,GWh\n"
LAUNCH = (
    "product,brand,markets,like,year,price_eur,margin,segment,body,origin,battery_kwh,range_km,power_kw,mass_kg,expected_units\n"
    "Leaf 3,Nito,JP,Leaf,{year},20000,0.1,C,car,JP,50,400,110,1500,5000\n"
)


def test_products_of_a_case_with_one_market_are_that_markets(tmp_path: Path) -> None:
    assert set(load_case(folder(tmp_path)).products["market"]) == {"JP"}


def test_products_without_a_market_in_a_case_with_several_are_one_problem(tmp_path: Path) -> None:
    second = '[market]\nmarket = "JP"', '[[markets]]\nmarket = "US"\npotential = 5\n[[markets]]\nmarket = "JP"'
    said = refusal(folder(tmp_path, {"case.toml": second}))
    assert said.count("market is missing") == 1
    assert "one of US, JP" in said


def test_one_maker_of_every_car_where_nobody_can_stay_outside_has_no_price(tmp_path: Path) -> None:
    files = {
        "case.toml": '[case]\nas_of = 2024-01-01\nmoney = "own"\n[demand]\nprice_taste = 0.1\noutside = false\n',
        "products.csv": "product,firm,price,units\nA,a,20,100\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(PricingError, match="outside = false"):
        build_world(load_case(tmp_path))


def test_a_scenario_that_begins_later_changes_nothing_in_the_base_year_and_says_so(tmp_path: Path) -> None:
    later = MERGER.replace("target", "start = 2026-01-01\ntarget")
    mixed = MERGER + '[[moves]]\ntype = "end_programme"\nprogrammes = ["cev"]\nstart = 2027-01-01\n'
    case = load_case(folder(tmp_path, scenarios__later=later.replace("Merger", "Later"), scenarios__mixed=mixed, scenarios__now=MERGER))
    results = run(case, RunOptions(starts=0))
    profit = results.headline.set_index("scenario")["profit_change_eur_m"]
    assert profit["later"] == 0.0
    assert profit["mixed"] == profit["now"] != 0.0
    assert any("“Later” begins on 2026-01-01" in said for said in results.sentences)
    assert any("without end_programme, in force from 2027-01-01" in said for said in results.sentences)


def test_a_learning_curve_without_a_past_is_refused_and_not_a_free_battery(tmp_path: Path) -> None:
    case = load_case(folder(tmp_path, outlook=OUTLOOK.format(price=120, unit="EUR/kWh")))
    with pytest.raises(CaseError, match="the learning curve of batteries has no past"):
        facts_of(case, build_world(case), 2024)


def test_the_price_of_batteries_is_in_the_money_that_its_row_states(tmp_path: Path) -> None:
    case = load_case(folder(tmp_path, outlook=OUTLOOK.format(price=18240, unit="JPY/kWh") + PAST))
    facts = facts_of(case, build_world(case), 2024)
    assert facts.pack_price_eur_kwh == pytest.approx(120.0, rel=1e-12)
    assert facts.cumulative_gwh == 1500.0


@pytest.mark.parametrize(
    ("unit", "price", "words"), [("USD/kWh", 120, "wrong unit"), ("EUR/kWh", -5, "zero or negative"), ("EUR", 120, "wrong unit")]
)
def test_a_price_of_batteries_that_cannot_be_read_is_refused(unit: str, price: float, words: str, tmp_path: Path) -> None:
    case = load_case(folder(tmp_path, outlook=OUTLOOK.format(price=price, unit=unit) + PAST))
    with pytest.raises(CaseError, match=words):
        facts_of(case, build_world(case), 2024)


def test_planned_cars_count_in_a_case_without_an_outlook_too(tmp_path: Path) -> None:
    case = load_case(folder(tmp_path, planned_launches=LAUNCH.format(year=2025.0), brands="brand,maker\nNito,Nito\n"))
    assert [launch.year for launch in facts_of(case, build_world(case), 2026).launches] == [2025.0]


def test_a_car_planned_for_the_past_is_refused(tmp_path: Path) -> None:
    case = load_case(folder(tmp_path, planned_launches=LAUNCH.format(year=2019.0), brands="brand,maker\nNito,Nito\n"))
    with pytest.raises(CaseError, match=r"Leaf 3.*2019"):
        facts_of(case, build_world(case), 2026)


def test_an_input_about_a_car_that_nobody_launches_is_refused(tmp_path: Path) -> None:
    said = refusal(folder(tmp_path, uncertain="input,distribution,central,low,high\nappeal:Lief,normal,0,-1,1\n"))
    assert "no such launch" in said


def test_an_input_in_per_cent_where_a_share_is_wanted_is_refused(tmp_path: Path) -> None:
    inputs = "input,distribution,central,low,high\nlearning_rate,normal,18,12,24\n"
    case = load_case(folder(tmp_path, uncertain=inputs, outlook=OUTLOOK.format(price=120, unit="EUR/kWh") + PAST))
    with pytest.raises(CaseError, match="a value that it cannot have"):
        facts_of(case, build_world(case), 2024)


def test_a_lognormal_input_has_the_percentiles_it_states_also_when_they_lie_unevenly() -> None:
    one = Uncertain("price_sensitivity", "lognormal", 1.0, 0.5, 4.0)
    tenth = 1.2815515655446004
    np.testing.assert_allclose(one.value(np.array([-tenth, 0.0, tenth])), [0.5, 1.0, 4.0], rtol=1e-12)


def test_a_stated_cost_that_does_not_go_with_the_observed_price_is_said(tmp_path: Path) -> None:
    def sentences(cost: str, where: Path) -> str:
        files = {
            "case.toml": '[case]\nas_of = 2024-01-01\nmoney = "own"\n[market]\npotential = 1000\n[demand]\nprice_taste = 0.1\n',
            "products.csv": f"product,firm,price,units,unit_cost\nA,a,20,100,\nB,b,20,100,{cost}\n",
            "scenarios/merger.toml": MERGER.replace("Nito", "a").replace("Toyo", "b"),
        }
        for name, text in files.items():
            (where / name).parent.mkdir(parents=True, exist_ok=True)
            (where / name).write_text(text)
        return " ".join(run(load_case(where), RunOptions(starts=0)).sentences)

    right = 20 - 1 / (0.1 * 0.9)  # plain logit: margin 1 / (alpha (1 - share))
    assert "cost is stated" not in sentences(repr(right), tmp_path / "right")
    assert "B (market), whose cost is stated, is not at its observed price" in sentences(repr(right + 5), tmp_path / "wrong")
