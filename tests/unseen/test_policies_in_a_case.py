"""A programme or a fleet rule that names what the case lacks, or states what cannot be, is refused: it would change nothing without a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from keiretsu.case import load_case
from keiretsu.errors import MoveError
from keiretsu.market.build import build_world
from keiretsu.market.policy.origins import built_in
from keiretsu.moves.scenario import parse_scenarios

from .folders import folder, refusal

P, Q, C = "programmes.toml", "pools.toml", "case.toml"
EUR_CASE = "[rates]\nJPY = 152.0\n"
WRONG: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "a market that the case lacks": (P, '["JP"]', '["US"]', ("programme cev, markets", "unknown market", "US")),
    "a brand misspelt": (P, 'ns = ["BEV"]', 'ns = ["BEV"]\nbrands = ["Nitto"]', ("unknown brand", "did you mean 'Nito'?")),
    "a model misspelt": (P, 'ns = ["BEV"]', 'ns = ["BEV"]\nmodels = ["Nito Lief"]', ("unknown model", "did you mean 'Nito Leaf'?")),
    "a maker misspelt": (P, 'ns = ["BEV"]', 'ns = ["BEV"]\nmakers = ["Toio"]', ("unknown maker", "did you mean 'Toyo'?")),
    "a heading misspelt": (P, "[[programmes]]", "[[programs]]", ("unknown section", "[[programmes]]")),
    "a window that no price lies in": (P, "at_most = 5000000", "over = 6000000, at_most = 5000000", ("a window that no price lies in",)),
    "a window that is a number": (P, 'window = { basis = "gross", at_most = 5000000 }', "window = 5", ("not a table of keys", "window")),
    "buyers whom no market has": (P, "share = 0.15", 'share = 0.15\nbuyers = { kinds = ["company"] }', ("buyers of this kind", "private_share")),
    "an income test without incomes": (P, "share = 0.15", "share = 0.15\nbuyers = { income_max = 3000000 }", ("an income test", "JP")),
    "a figure that is not finite": (P, "cap = 650000", "flat = nan", ("not a number", "flat")),
    "a fleet rule of another market": (Q, 'markets = ["JP"]', 'markets = ["US"]', ("co2, markets", "unknown market")),
    "a pool with a stranger": (Q, '"Nito", "Bydo"', '"Nito", "BYD"', ("unknown maker", "counts cars by brand", "BYD")),
    "a fine below nothing": (Q, "fine = 95", "fine = -95", ("a negative figure", "fine")),
    "half a year": (Q, "from_year = 2025", "from_year = 2025.5", ("not a year", "2025.5")),
    "more electric cars than cars": (Q, "electric_cars = 10", "electric_cars = 5000", ("more electric cars than cars",)),
    "a fine in unknown money": (Q, 'currency = "EUR"', 'currency = "CHF"', ("row 1 (co2)", "no exchange rate stated", "CHF")),
    "years averaged outside the rule": (Q, "grams = 90", "grams = 90\naveraged = [2020, 2022]", ("years are averaged", "2020 to 2022")),
    "a fine in euro where money is the case's own": (C, EUR_CASE, "", ("pools.toml, line 1, currency", "two currencies", "EUR and JPY")),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_policy_that_could_only_do_nothing_or_harm_is_refused(name: str, tmp_path: Path) -> None:
    file, old, new, words = WRONG[name]
    path = folder(tmp_path, {file: (old, new)})
    if file == C:
        text = (path / C).read_text().replace("year = 2023", 'year = 2023\nmoney = "own"\ncurrency = "JPY"')
        (path / C).write_text(text)
    said = refusal(path)
    assert any(all(word in line for word in words) for line in said.splitlines()), said


def test_the_same_files_without_the_mistake_are_taken(tmp_path: Path) -> None:
    assert refusal(folder(tmp_path)) == ""


def test_programmes_in_the_money_of_a_case_that_converts_nothing_give_the_same_world_in_that_money(tmp_path: Path) -> None:
    converted = build_world(load_case(folder(tmp_path / "eur")))
    own = folder(tmp_path / "own", {C: (EUR_CASE, ""), Q: ('fine = 95\ncurrency = "EUR"', 'fine = 14440\ncurrency = "JPY"')})
    text = (own / C).read_text().replace("year = 2023", 'year = 2023\nmoney = "own"\ncurrency = "JPY"').replace("0.00025", repr(0.00025 / 152.0))
    (own / C).write_text(text)
    world = build_world(load_case(own))
    # money is counted in units 152 times smaller: costs are 152 times as many of them (rounding of sums of some 1e7 aside)
    assert world.products["cost_eur"].to_numpy() == pytest.approx(152.0 * converted.products["cost_eur"].to_numpy(), rel=1e-9)


def test_a_car_built_in_the_united_kingdom_is_the_same_under_both_its_codes() -> None:
    import numpy as np

    origin = np.array(["UK", "GB", "FR"])
    for code in ("UK", "GB"):
        assert built_in(origin, [code]).tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("move", "words"),
    [
        ({"type": "change_programme", "programmes": ["cev"], "figures": {"share": 15}}, "a rate in the wrong unit"),
        ({"type": "change_programme", "programmes": ["cev"], "figures": {"flat_eur": -500}}, "a negative figure"),
        ({"type": "copy_programme", "programmes": ["cev"], "markets": ["JP"]}, "the programme is in force there already"),
    ],
)
def test_a_move_cannot_make_a_programme_that_a_file_could_not_state(move: dict[str, object], words: str, tmp_path: Path) -> None:
    world = build_world(load_case(folder(tmp_path)))
    scenario = parse_scenarios([{"name": "x", "moves": [move]}])["x"]
    with pytest.raises(MoveError, match=words):
        scenario.apply(world)
