"""A world built from a case reproduces the observed year and keeps its accounts."""

# pyright: reportArgumentType=false, reportCallIssue=false
# (what a cell of a table may be is not known before it is looked at)

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from keiretsu.case import Case, load_case
from keiretsu.errors import PricingError
from keiretsu.market.build import build_world, consumers_of, preferences_of, recosted
from keiretsu.market.solve import solve
from keiretsu.market.world import World
from keiretsu.ownership.weights import Financial, Joint, Separate

CENT = 0.01

CASE = """
[case]
as_of = 2024-03-27
currency = "EUR"

[demand]
price_taste = 0.08
income_power = 0.5
draws = 64
nests = ["powertrain"]
sigma_group = 0.3
single_nests = "allowed"
[[demand.random]]
characteristic = "electric"
sigma = 1.2

[[markets]]
market = "A"
vat = 0.2
potential = 900_000
private_share = 0.6
[[markets]]
market = "B"
vat = 0.0
potential = 400_000

[[incomes]]
market = "A"
group = "poor"
weight = 0.6
income_eur = 25_000
[[incomes]]
market = "A"
group = "rich"
weight = 0.4
income_eur = 70_000
[[incomes]]
market = "B"
group = "all"
weight = 1.0
income_eur = 40_000

[[stakes]]
holder = "North"
company = "South"
cash_flow = 0.3
[[stakes]]
holder = "South"
company = "North"
cash_flow = 0.1
"""

PRODUCTS = """market,product,firm,powertrain,price,price_basis,units,profit_to,made_by,transfer_price,unit_cost,co2_gkm
A,n1,North,ICE,24000,gross,60000,North,,0,,120
A,n2,North,BEV,36000,gross,20000,North,,0,,0
A,s1,South,ICE,26000,gross,50000,South,,0,,130
A,s2,South,BEV,33000,gross,15000,South:0.7;North:0.3,,0,,0
A,w1,West,BEV,31000,gross,22000,West,,0,,0
B,n1,North,ICE,20000,net,30000,North,,0,,120
B,s1,South,ICE,22000,net,25000,South,,0,,130
B,w1,West,BEV,28000,net,9000,West,,0,,0
"""


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder: Path = tmp_path_factory.mktemp("case")
    (folder / "case.toml").write_text(CASE)
    (folder / "products.csv").write_text(PRODUCTS)
    return load_case(str(folder))


@pytest.fixture(scope="module")
def world(case: Case) -> World:
    return build_world(case)


def test_the_base_year_is_reproduced(world: World) -> None:
    outcome = solve(world)
    observed = world.products.set_index(["market", "product"])
    found = outcome.products.set_index(["market", "product"])
    # prices settle to 1e-7 EUR; shares are inverted to 1e-12
    np.testing.assert_allclose(found["price_eur"], observed["price_eur"], atol=1e-6)
    np.testing.assert_allclose(found["units"], observed["units"], rtol=1e-9)


def test_a_gross_price_is_taxed_once(world: World) -> None:
    found = solve(world).products.set_index(["market", "product"])
    assert found.loc[("A", "n1"), "paid_eur"] == pytest.approx(24_000, abs=1e-6)
    assert found.loc[("A", "n1"), "price_eur"] == pytest.approx(20_000, abs=1e-6)


def test_what_buyers_pay_is_what_makers_and_government_get(world: World) -> None:
    products = solve(world).products
    spent = (products["paid_eur"] * products["units"]).sum()
    received = (products["cost_eur"] * products["units"]).sum() + products["profit_eur"].sum() + products["government_eur"].sum()
    assert spent == pytest.approx(received, abs=CENT)


def test_profit_of_products_firms_and_outside_owners_is_the_same_to_the_cent(world: World) -> None:
    outcome = solve(world)
    total = outcome.products["profit_eur"].sum()
    assert outcome.firms["profit_eur"].sum() == pytest.approx(total, abs=CENT)
    assert outcome.owners["claim_eur"].sum() == pytest.approx(total, abs=CENT)


def test_look_through_value_counts_stakes_more_than_once(world: World) -> None:
    outcome = solve(world)
    assert outcome.look_through["value_eur"].sum() > outcome.products["profit_eur"].sum() + 1e6


def with_transfer(folder: Path, unit_cost: str) -> Case:
    (folder / "case.toml").write_text(CASE)
    (folder / "products.csv").write_text(
        PRODUCTS.replace("A,w1,West,BEV,31000,gross,22000,West,,0,,0", f"A,w1,West,BEV,31000,gross,22000,West,North,21000,{unit_cost},0")
    )
    return load_case(str(folder))


def test_a_builder_earns_its_transfer_price_less_cost(tmp_path: Path) -> None:
    outcome = solve(build_world(with_transfer(tmp_path, "17000")))
    row = outcome.products.set_index(["market", "product"]).loc[("A", "w1")]
    firms = outcome.firms.set_index(["market", "firm"])["profit_eur"]
    others = outcome.products.set_index(["market", "product"])["profit_eur"]
    assert row["cost_eur"] == 17_000
    assert firms["A", "West"] == pytest.approx((row["price_eur"] - 21_000) * row["units"], abs=CENT)
    built = 4_000 * row["units"]
    assert firms["A", "North"] == pytest.approx(others["A", "n1"] + others["A", "n2"] + 0.3 * others["A", "s2"] + built, abs=CENT)


def test_a_seller_who_bears_no_cost_reveals_none(tmp_path: Path) -> None:
    with pytest.raises(PricingError, match=r"market A, w1.*give its cost"):
        build_world(with_transfer(tmp_path, ""))


def test_costs_recovered_under_another_rule_reproduce_the_same_prices(world: World) -> None:
    for rule in (Separate(), Financial(), Joint((("North", "South"),))):
        outcome = solve(recosted(world.replace(rule=rule)))
        np.testing.assert_allclose(outcome.products["price_eur"], world.products["price_eur"], atol=1e-6)


def test_joint_pricing_of_everybody_raises_every_price(world: World) -> None:
    before = solve(recosted(world.replace(rule=Separate())))
    apart = recosted(world.replace(rule=Separate()))
    together = solve(apart.replace(rule=Joint((("North", "South", "West"),))))
    assert (together.products["price_eur"] > before.products["price_eur"] + 1.0).all()


def test_a_product_off_sale_is_in_no_table(world: World) -> None:
    products = world.products.copy()
    gone = (products["market"] == "A") & (products["product"] == "n2")
    products.loc[gone, "available"] = False
    outcome = solve(world.replace(products=products))
    assert not ((outcome.products["market"] == "A") & (outcome.products["product"] == "n2")).any()
    assert np.isfinite(outcome.products.select_dtypes("number")).all().all()


def test_order_of_rows_and_names_change_nothing(world: World) -> None:
    shuffled = world.products.sample(frac=1.0, random_state=3).reset_index(drop=True)
    key = ["market", "product"]
    a = solve(world).products.set_index(key)["price_eur"]
    b = solve(world.replace(products=shuffled)).products.set_index(key)["price_eur"]
    # sums are taken in another order: the last bits differ
    pd.testing.assert_series_equal(a, b.reindex(a.index), rtol=1e-10)


def test_each_income_group_and_kind_of_buyer_has_its_weight(case: Case) -> None:
    market = case.markets.set_index("market", drop=False).loc["A"]
    draws = consumers_of(case, market, preferences_of(case))
    assert draws.weight.sum() == pytest.approx(1.0, abs=1e-12)
    poor = draws.group == draws.group_names.index("poor")
    private = draws.kind == draws.kind_names.index("private")
    assert draws.weight[poor].sum() == pytest.approx(0.6)
    assert draws.weight[poor & private].sum() == pytest.approx(0.36)


def test_a_stake_counts_from_its_first_to_its_last_day(tmp_path: Path) -> None:
    dated = CASE.replace('company = "South"\ncash_flow = 0.3', 'company = "South"\ncash_flow = 0.3\nfrom = 2023-01-01\nto = 2024-03-26')
    (tmp_path / "case.toml").write_text(dated)
    (tmp_path / "products.csv").write_text(PRODUCTS)
    register = build_world(load_case(str(tmp_path))).register
    held = [register.as_of(dt.date(2024, 3, day)).cross_holdings.max() for day in (26, 27)]
    assert held == pytest.approx([0.3, 0.1])
