"""Two small files are a case, in any money; whatever they leave out is filled by the rules that the schema states."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from keiretsu.case import TABLES, Case, load_case
from keiretsu.errors import CaseError

from .folder import SOUND, problems_of, write

TOML = """[case]
as_of = 2024-01-01
money = "own"
currency = "USD"

[market]
potential = 1000

[demand]
price_taste = 0.1
"""
PRODUCTS = "product,firm,price,units\nA1,Alpha,20,100\nB1,Beta,25,50\nC1,Gamma,30,50\n"


def small(folder: Path, toml: str = TOML, products: str = PRODUCTS, **more: str) -> Path:
    return write(folder, {"case.toml": toml, "products.csv": products, **more})


def load(folder: Path, toml: str = TOML, products: str = PRODUCTS) -> Case:
    return load_case(small(folder, toml, products))


def test_two_files_make_a_case_with_every_column_of_the_schema(tmp_path: Path) -> None:
    case = load(tmp_path)
    for name, table in TABLES.items():
        assert tuple(case.tables[name].columns) == (*table.names, "row")
    assert case.year == 2024
    assert case.rule == "controller"
    assert list(case.products["priced_by"]) == list(case.products["profit_to"]) == list(case.products["brand"]) == ["Alpha", "Beta", "Gamma"]
    assert list(case.companies["company"]) == ["Alpha", "Beta", "Gamma"]
    assert set(case.products["powertrain"]) == {"ICE"}
    assert case.demand.draws == 1
    assert case.demand.outside
    assert list(case.incomes["weight"]) == [1.0]


def test_the_smallest_case_is_a_dozen_lines(tmp_path: Path) -> None:
    assert len(TOML.splitlines()) <= 12
    assert load(tmp_path).markets["market"].tolist() == ["market"]


def test_nothing_but_what_is_not_known_is_none(tmp_path: Path) -> None:
    case = load(tmp_path)
    for name, table in TABLES.items():
        for column in table.columns:
            if column.default is not None or column.filled:
                assert case.tables[name][column.name].notna().all(), f"{name}.{column.name}"


def test_shares_of_potential_buyers_and_units_are_the_same_case(tmp_path: Path) -> None:
    units = load(tmp_path / "units")
    shares = load(tmp_path / "shares", products="product,firm,price,share\nA1,Alpha,20,0.1\nB1,Beta,25,0.05\nC1,Gamma,30,0.05\n")
    assert shares.products["units"].tolist() == pytest.approx(units.products["units"].tolist(), rel=1e-12)
    assert units.products["share"].tolist() == pytest.approx([0.1, 0.05, 0.05], rel=1e-12)
    assert units.markets["outside_share"].item() == pytest.approx(0.8, rel=1e-12)


def test_shares_of_sales_and_an_outside_share_are_the_same_case(tmp_path: Path) -> None:
    toml = TOML.replace("potential = 1000", 'potential = 1000\noutside_share = 0.8\nshare_of = "sales"')
    case = load(tmp_path, toml, "product,firm,price,share\nA1,Alpha,20,0.5\nB1,Beta,25,0.25\nC1,Gamma,30,0.25\n")
    assert case.products["units"].tolist() == pytest.approx([100, 50, 50], rel=1e-12)


def test_an_outside_share_stands_in_for_the_potential_market(tmp_path: Path) -> None:
    case = load(tmp_path, TOML.replace("potential = 1000", "outside_share = 0.8"))
    assert case.markets["potential"].item() == pytest.approx(1000, rel=1e-12)


def test_shares_alone_are_the_shares_of_one_potential_buyer_and_the_case_says_so(tmp_path: Path) -> None:
    toml = TOML.replace("[market]\npotential = 1000\n", "")
    case = load(tmp_path, toml, "product,firm,price,share\nA1,Alpha,20,0.1\nB1,Beta,25,0.05\n")
    assert case.markets["potential"].item() == 1.0
    assert any("one potential buyer" in warning.what for warning in case.warnings)


def test_without_an_outside_good_sales_are_the_market(tmp_path: Path) -> None:
    toml = TOML.replace("[market]\npotential = 1000\n", "") + "outside = false\n"
    case = load(tmp_path, toml)
    assert case.markets["potential"].item() == 200
    assert case.products["share"].sum() == pytest.approx(1.0, abs=1e-15)
    assert case.markets["outside_share"].item() == 0.0


@pytest.mark.parametrize(
    ("market", "column", "cells", "words"),
    [
        ("potential = 1000", "share", "0.7 0.2 0.2", ("shares add up to one or more", "potential")),
        ("potential = 100", "units", "70 20 20", ("shares add up to one or more", "110 sold to 100")),
        ('outside_share = 0.5\nshare_of = "sales"', "share", "0.7 0.2 0.2", ("shares of sales do not add up to one", "1.1")),
        ("potential = 1000\noutside_share = 0.5", "units", "70 20 20", ("the outside share contradicts", "0.89")),
        ("households = 1000", "units", "70 20 20", ("no potential market", "households_per_buyer")),
        ("potential = -5", "units", "70 20 20", ("potential is out of bounds", "above 0")),
    ],
)  # fmt: skip
def test_shares_and_sizes_that_contradict_each_other_are_refused(
    market: str, column: str, cells: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    rows = "\n".join(f"P{i},Firm{i},20,{cell}" for i, cell in enumerate(cells.split()))
    folder = small(tmp_path, TOML.replace("potential = 1000", market), f"product,firm,price,{column}\n{rows}\n")
    messages = [str(problem) for problem in problems_of(folder)]
    assert any(all(word in message for word in words) for message in messages), messages


def test_units_and_shares_cannot_be_mixed(tmp_path: Path) -> None:
    messages = [str(p) for p in problems_of(small(tmp_path, products="product,firm,price,units,share\nA,Alpha,20,100,\nB,Beta,20,,0.1\n"))]
    assert any("units in some rows and shares in others" in message for message in messages)


def test_an_owner_column_gives_each_owner_all_of_its_firms(tmp_path: Path) -> None:
    case = load(tmp_path, products="product,firm,owner,price,units\nA1,Alpha,Group,20,100\nB1,Beta,Group,25,50\nC1,Gamma,Other,30,50\n")
    stakes = case.stakes
    assert list(zip(stakes["holder"], stakes["company"], stakes["cash_flow"], stakes["votes"], strict=True)) == [
        ("Group", "Alpha", 1.0, 1.0), ("Group", "Beta", 1.0, 1.0), ("Other", "Gamma", 1.0, 1.0),
    ]  # fmt: skip
    assert list(case.owners["owner"]) == ["Group", "Other"]
    assert stakes["from"].tolist() == [dt.date.min] * 3
    assert stakes["row"].tolist() == ["products.csv:2", "products.csv:3", "products.csv:4"]


def test_a_firm_with_two_owners_needs_stakes(tmp_path: Path) -> None:
    products = "product,firm,owner,price,units\nA1,Alpha,Group,20,100\nA2,Alpha,Other,25,50\n"
    messages = [str(problem) for problem in problems_of(small(tmp_path, products=products))]
    assert any("products.csv, row 3, column owner: a firm has two owners" in message and "stakes.csv" in message for message in messages)


def test_stakes_can_be_typed_into_the_case_file(tmp_path: Path) -> None:
    case = load(
        tmp_path,
        TOML
        + '\n[[stakes]]\nholder = "Alpha"\ncompany = "Beta"\ncash_flow = 0.25\n\n[[stakes]]\nholder = "Fund"\ncompany = "Beta"\ncash_flow = 0.1\n',
    )
    assert case.stakes["votes"].tolist() == [0.25, 0.1]
    assert case.stakes["row"].tolist() == ["case.toml:12", "case.toml:17"]
    assert case.owners["owner"].tolist() == ["Fund"]


def test_profit_weights_can_be_typed_in_asymmetric_and_above_one(tmp_path: Path) -> None:
    case = load(tmp_path, TOML + "\n[kappa]\nBeta.Alpha = 1.3\n\n[kappa.Gamma]\nAlpha = 0.2\nGamma = 1\n")
    assert case.rule == "given"
    assert case.kappa == {"Beta": {"Alpha": 1.3}, "Gamma": {"Alpha": 0.2, "Gamma": 1.0}}


def test_profit_weights_of_strangers_and_of_a_firm_on_itself_are_refused(tmp_path: Path) -> None:
    messages = " ".join(str(p) for p in problems_of(small(tmp_path, TOML + "\n[kappa.Beta]\nAlfa = 0.2\nBeta = 2\nGamma = nan\n")))
    assert "case.toml, line 13: unknown company; seen Alfa" in messages
    assert "case.toml, line 14: a firm's weight on itself is one" in messages
    assert "case.toml, line 15: a profit weight is not a number" in messages


def test_own_money_keeps_prices_and_refuses_a_second_currency(tmp_path: Path) -> None:
    case = load(tmp_path / "one")
    assert case.net_price_eur().tolist() == [20.0, 25.0, 30.0]
    assert case.rates == {}
    products = "product,firm,price,price_currency,units\nA1,Alpha,20,USD,100\nB1,Beta,25,GBP,50\n"
    messages = [str(problem) for problem in problems_of(small(tmp_path / "two", products=products))]
    assert any("products.csv, row 3, column price_currency: two currencies" in message for message in messages)


def test_prices_are_converted_to_euro_net_of_tax(tmp_path: Path) -> None:
    case = load_case(write(tmp_path, SOUND))
    price = dict(zip(zip(case.products["market"], case.products["product"], strict=True), case.net_price_eur(), strict=True))
    assert price["DE", "Leaf"] == pytest.approx(35000 / 1.19, rel=1e-12)
    assert price["UK", "Leaf"] == pytest.approx(30000 / 1.2 / 0.87, rel=1e-12)
    assert case.products["sales_tax"].tolist() == [0.19] * 3 + [0.2] * 3
    assert case.rates["GBP"].source == "central_bank"


def test_a_month_in_the_ledger_counts_from_its_last_day_so_that_no_run_knows_it_before(tmp_path: Path) -> None:
    case = load_case(write(tmp_path, SOUND))
    assert case.deals["date"].tolist() == [dt.date(2023, 7, 31)]
    assert case.deals["probability"].tolist() == [None]


def test_a_row_takes_the_least_confidence_of_its_sources(tmp_path: Path) -> None:
    case = load_case(write(tmp_path, {**SOUND, "products.csv": SOUND["products.csv"].replace("statistics;study", "statistics;register")}))
    assert case.products["confidence"].tolist() == ["high", "high", "medium", "high", "high", "high"]


def test_scenarios_and_policies_keep_their_place(tmp_path: Path) -> None:
    scenario = 'title = "Merger"\n\n[[moves]]\ntype = "merger"\nacquirer = "Nissan"\n\n[[moves]]\ntype = "withdrawal"\n'
    files = {
        **SOUND,
        "scenarios/merger.toml": scenario,
        "programmes.toml": '[[programmes]]\nid = "bonus"\n\n[[programmes]]\nid = "duty"\n',
        "prospectus.csv": "a\n1\n",
    }
    case = load_case(write(tmp_path, files))
    assert [s.name for s in case.scenarios] == ["merger", "nothing"]
    assert [move.place for move in case.scenarios[0].moves] == ["scenarios/merger.toml, line 3", "scenarios/merger.toml, line 7"]
    assert case.scenarios[0].as_dict()["moves"][0]["type"] == "merger"
    assert [(entry.values["id"], entry.line) for entry in case.programmes] == [("bonus", 1), ("duty", 4)]
    assert case.unread == ("prospectus.csv",)


def test_the_hash_changes_with_any_figure_and_with_nothing_else(tmp_path: Path) -> None:
    first = load(tmp_path / "a").hash
    assert load(tmp_path / "b").hash == first
    assert load(tmp_path / "c", products=PRODUCTS.replace("25", "26")).hash != first


def test_a_case_that_is_wrong_never_loads(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="price is missing"):
        load(tmp_path, products=PRODUCTS.replace("20", ""))
