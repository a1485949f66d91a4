"""What stops nobody is said before a run: a programme that covers no car, and a fleet rule that costs were recovered without."""

from __future__ import annotations

from pathlib import Path

import pytest

from keiretsu.case import load_case
from keiretsu.market.build import build_world
from keiretsu.market.solve import solve
from keiretsu.study.notes import costs_said, unpriced, unpriced_said
from keiretsu.study.soundness import soundness_of

from .folders import folder

P, Q = "programmes.toml", "pools.toml"
IN_FORCE = {Q: ("from_year = 2025", "from_year = 2020")}
LAUNCH = (
    '[[moves]]\ntype = "launch"\nproduct = "Serena"\nbrand = "Nito"\npriced_by = "Nito"\nlike = "Roomy"\nmarkets = ["JP"]\nprice_eur = 20000\n'
    'powertrain = "PHEV"\nbattery_kwh = 14\nmargin = 0.2\nutility = "of_like"\n'
)


def notes(path: Path) -> list[str]:
    found = soundness_of(load_case(path))
    assert not found.problems, found.problems
    return [str(note) for note in found.notes]


def test_a_sound_case_has_no_note(tmp_path: Path) -> None:
    assert notes(folder(tmp_path)) == []


@pytest.mark.parametrize("narrowed", ['powertrains = ["PHEV"]', 'powertrains = ["BEV"]\nbattery_min_kwh = 70', 'segments = ["K"]\norigins = ["CN"]'])
def test_a_programme_that_covers_no_car_is_said_with_what_narrows_it(narrowed: str, tmp_path: Path) -> None:
    (said,) = notes(folder(tmp_path, {P: ('powertrains = ["BEV"]', narrowed)}))
    assert "covers no car" in said and "programmes.toml" in said and "cev" in said
    assert all(value.strip("\"[] '") in said for value in narrowed.replace("\n", " = ").split(" = ")[1::2])


def test_a_programme_for_cars_that_a_scenario_launches_covers_a_car(tmp_path: Path) -> None:
    path = folder(tmp_path, {P: ('powertrains = ["BEV"]', 'powertrains = ["PHEV"]')}, scenarios__hybrid=LAUNCH)
    assert notes(path) == []


def test_a_car_of_a_powertrain_that_nobody_sells_cannot_be_projected_and_that_is_said_in_a_sentence(tmp_path: Path) -> None:
    path = folder(tmp_path, scenarios__hybrid=LAUNCH.replace("of_like", "projected"))
    (problem,) = soundness_of(load_case(path)).problems
    assert "hybrid.toml" in str(problem) and "0 products" in str(problem) and "of_like" in str(problem)


def test_a_fleet_rule_in_force_in_the_base_year_is_said_with_the_pools_that_it_bound(tmp_path: Path) -> None:
    """Nito and Bydo together stood at 91.6 g/km against 90; Toyo, at 75 and 100 elsewhere, had room to spare: its costs hold no shadow cost."""
    path = folder(tmp_path, IN_FORCE)
    (said,) = notes(path)
    assert "costs of 2023 are recovered as if this rule were not in force" in said and "two" in said and "Toyo" not in said
    (sentence,) = unpriced_said(build_world(load_case(path)))
    assert "two (1.6 g/km a car above)" in sentence


def test_costs_that_are_stated_hold_no_shadow_cost_of_a_rule(tmp_path: Path) -> None:
    path = folder(tmp_path, IN_FORCE)
    rows = (path / "products.csv").read_text().splitlines()
    costs = {"Sakura": 1_500_000, "Roomy": 1_000_000, "Leaf": 2_500_000, "Atto": 2_800_000}
    stated = [f"{row},{costs.get(row.split(',')[0], '')}" for row in rows[1:]]
    (path / "products.csv").write_text("\n".join([f"{rows[0]},unit_cost", *stated]) + "\n")
    assert unpriced(build_world(load_case(path))) == []


def test_a_rule_that_bound_in_the_base_year_is_counted_twice_in_a_baseline_under_it(tmp_path: Path) -> None:
    """Recovered costs hold its shadow cost already: the same rule raises the price of the car above target once more, and lowers the electric one's."""
    world = build_world(load_case(folder(tmp_path, IN_FORCE)))
    price = solve(world).products.set_index("product")["price_eur"] / world.products.set_index("product")["price_eur"]
    assert price["Roomy"] > 1.001 and price["Sakura"] < 0.999


def test_costs_recovered_below_zero_are_said_and_costs_that_are_not_are_not(tmp_path: Path) -> None:
    sound = load_case(folder(tmp_path / "sound"))
    assert costs_said(build_world(sound)) == []
    careless = folder(tmp_path / "careless", {"case.toml": ("price_taste = 0.00025", "price_taste = 0.00004")})
    case = load_case(careless)
    world = build_world(case)
    below = int((world.products["cost_eur"] < 0).sum())
    assert below > 0
    (sentence,) = costs_said(world)
    assert f"below zero for {below} of 5 products" in sentence
    assert any(f"below zero for {below} of 5 products" in str(note) for note in soundness_of(case).notes)
