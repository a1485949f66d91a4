"""A bonus whose money runs out: the year is the weighted sum of its part with the bonus and its part without."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from keiretsu.case import load_case
from keiretsu.market.build import build_world
from keiretsu.market.outcome import Outcome
from keiretsu.market.policy.programmes import Incentive
from keiretsu.market.solve import solve

CASE = """
[case]
as_of = 2024-03-27
[demand]
price_taste = 0.0001
[[markets]]
market = "A"
vat = 0.2
potential = 500_000
[[markets]]
market = "B"
vat = 0.1
potential = 300_000
"""
PRODUCTS = """market,product,firm,powertrain,price,units
A,a1,North,BEV,30000,40000
A,a2,South,BEV,28000,30000
A,a3,South,ICE,25000,60000
B,b1,North,BEV,31000,20000
B,b2,South,ICE,24000,50000
"""
BONUS = """[[programmes]]
type = "incentive"
id = "bonus"
markets = ["A"]
start = 2024-01-01
end = 2024-12-31
powertrains = ["BEV"]
currency = "EUR"
flat = 3000
"""


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """One world (its mean utilities found with the bonus in force), with the bonus, without it, and with two sizes of pot."""
    folder: Path = tmp_path_factory.mktemp("pots")
    (folder / "case.toml").write_text(CASE)
    (folder / "products.csv").write_text(PRODUCTS)
    (folder / "programmes.toml").write_text(BONUS)
    world = build_world(load_case(str(folder)))
    bonus = world.programmes[0]
    assert isinstance(bonus, Incentive)
    pots = {name: world.replace(programmes=(dataclasses.replace(bonus, budget_eur=eur),)) for name, eur in (("pot", 90e6), ("enough", 900e6))}
    worlds = {"open": world, "without": world.replace(programmes=()), **pots}
    return {name: solve(one) for name, one in worlds.items()}


def units(outcome: Outcome) -> np.ndarray:
    return outcome.products.set_index(["market", "product"])["units"].sort_index().to_numpy()


def test_the_pot_is_spent_to_the_cent_and_says_for_how_long_it_lasted(years: dict[str, Outcome]) -> None:
    pot = years["pot"].regulation.budgets.iloc[0]
    rate = -years["open"].regulation.programmes.set_index("programme").loc["bonus", "eur"].sum()
    assert pot["spent_eur"] == pytest.approx(90e6, abs=0.01)
    assert pot["open_share_of_year"] == pytest.approx(90e6 / rate, rel=1e-9)
    assert 0.1 < pot["open_share_of_year"] < 0.9


def test_the_year_is_the_weighted_sum_of_its_parts(years: dict[str, Outcome]) -> None:
    part = years["pot"].regulation.budgets.iloc[0]["open_share_of_year"]
    expected = part * units(years["open"]) + (1 - part) * units(years["without"])
    # prices settle to 1e-7 EUR from different starting points
    np.testing.assert_allclose(units(years["pot"]), expected, rtol=1e-8)
    surplus = [years[name].markets["surplus_eur"].sum() for name in ("open", "without", "pot")]
    assert surplus[2] == pytest.approx(part * surplus[0] + (1 - part) * surplus[1], rel=1e-8)


def test_a_pot_that_lasts_is_no_pot(years: dict[str, Outcome]) -> None:
    np.testing.assert_array_equal(units(years["enough"]), units(years["open"]))
    assert years["enough"].regulation.budgets.iloc[0]["open_share_of_year"] == 1.0


def test_accounts_of_a_year_in_parts_balance_to_the_cent(years: dict[str, Outcome]) -> None:
    outcome = years["pot"]
    p = outcome.products
    spent = (p["paid_eur"] * p["units"]).sum()
    assert spent == pytest.approx((p["cost_eur"] * p["units"]).sum() + p["profit_eur"].sum() + p["government_eur"].sum(), abs=0.01)
    assert outcome.firms["profit_eur"].sum() == pytest.approx(p["profit_eur"].sum(), abs=0.01)
    assert outcome.owners["claim_eur"].sum() == pytest.approx(p["profit_eur"].sum(), abs=0.01)
    market = outcome.markets.set_index("market")
    assert market.loc["A", "units"] == pytest.approx(p[p["market"] == "A"]["units"].sum(), rel=1e-12)
    assert market["government_eur"].sum() == pytest.approx(p["government_eur"].sum(), abs=0.01)
