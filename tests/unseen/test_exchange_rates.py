"""Exchange rates of a case outside Europe: whose cost, whose sums and whose fines move with a currency."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from keiretsu.case import check_case, load_case
from keiretsu.errors import CaseError
from keiretsu.market.build import build_world
from keiretsu.outlook.case_facts import facts_of
from keiretsu.outlook.inputs import CURRENCIES, INPUTS
from keiretsu.outlook.outlook import BASELINE, Outlook, build

from .folders import folder

CASE = """[case]
name = "two"
as_of = 2024-03-01
year = 2023
[rates]
USD = 1.08
BRL = 5.4
[demand]
price_taste = 0.0001
"""
MARKETS = "market,currency,potential\nUS,USD,1000000\nBR,BRL,500000\n"
PRODUCTS = (
    "market,product,brand,firm,origin,price,units,co2_gkm\n"
    "US,local,A,A,US,20000,90000,150\nUS,import,B,B,BR,18000,50000,120\nUS,nowhere,B,B,,18000,20000,120\n"
    "BR,local,A,A,BR,90000,40000,140\nBR,import,B,B,DE,120000,30000,130\nBR,nowhere,A,A,,90000,9000,120\n"
)
POOLS = """[[pools]]
type = "co2_target"
id = "rule"
markets = ["US", "BR"]
from_year = 2024
to_year = 2030
grams = 130
unit = "g/km"
fine = {fine}
currency = "{currency}"
"""


def ahead(path: Path, fine: float, currency: str) -> Outlook:
    """Both markets under one rule, its fine in some money."""
    for name, text in {
        "case.toml": CASE,
        "markets.csv": MARKETS,
        "products.csv": PRODUCTS,
        "pools.toml": POOLS.format(fine=fine, currency=currency),
    }.items():
        (path / name).write_text(text)
    assert not check_case(path).problems
    case = load_case(path)
    world = build_world(case)
    return build(world, {}, facts_of(case, world, 2024))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Outlook:
    """The fine in reais."""
    return ahead(tmp_path_factory.mktemp("two"), 500, "BRL")


def test_every_currency_has_an_input() -> None:
    assert {f"fx_{code}" for code in CURRENCIES} == {name for name in INPUTS if name.startswith("fx_")}


def test_a_cars_cost_moves_against_its_price_with_the_money_of_where_it_is_built(two: Outlook) -> None:
    exposed = {code: np.asarray(two.base.currency)[k, :, :3] for k, code in enumerate(CURRENCIES)}
    np.testing.assert_array_equal(exposed["USD"], [[0, -1, 0], [0, 0, 0]])  # the home car and the one built nowhere in particular: none
    np.testing.assert_array_equal(exposed["BRL"], [[0, 1, 0], [0, -1, 0]])
    assert not any(values.any() for code, values in exposed.items() if code not in ("USD", "BRL"))


def test_a_markets_sums_move_with_its_money(two: Outlook) -> None:
    worth = {code: np.asarray(two.base.money)[k].tolist() for k, code in enumerate(CURRENCIES)}
    assert worth["USD"] == [1, 0]
    assert worth["BRL"] == [0, 1]


@pytest.mark.parametrize(("currency", "fine", "market"), [("BRL", 500, 1), ("USD", 100, 0), ("EUR", 92.6, -1)])
def test_a_fine_moves_with_the_money_of_the_law_and_not_with_that_of_the_market(currency: str, fine: float, market: int, tmp_path: Path) -> None:
    rules = ahead(tmp_path, fine, currency).plans[BASELINE].rules
    assert rules is not None
    assert np.asarray(rules.own_market).tolist() == [[market]]
    assert float(np.asarray(rules.cap).max()) == pytest.approx(92.6, abs=0.01)


def test_the_money_of_a_case_that_converts_nothing_does_not_move_against_itself(tmp_path: Path) -> None:
    inputs = "input,distribution,central,low,high\nfx_JPY,normal,0,-0.1,0.1\n"
    own = {"case.toml": ("year = 2023\n[rates]\nJPY = 152.0\n", 'year = 2023\nmoney = "own"\ncurrency = "JPY"\n')}
    path = folder(tmp_path, own, uncertain=inputs)
    for name in ("programmes.toml", "pools.toml"):
        (path / name).unlink()
    case = load_case(path)
    with pytest.raises(CaseError, match="cannot move against itself"):
        facts_of(case, build_world(case), 2024)
