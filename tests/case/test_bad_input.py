"""Each thing that can be wrong with a case is refused with file, row, what was seen and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from keiretsu.case import check_case, load_case
from keiretsu.errors import CaseError

from .folder import SOUND, problems_of, sound_but, write

P, C, M = "products_csv", "case_toml", "markets_csv"

# what is broken: (file, old text, new text), then words that the only message has to contain
BAD: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "a brand of an unknown company": (
        "brands_csv",
        "BYD,BYD,study",
        "BYD,Bydd,study",
        ("brands.csv, row 4, column maker", "unknown company", "Bydd", "did you mean 'BYD'?"),
    ),
    "a stake of an unknown holder": (
        "stakes_csv",
        "State,Renault",
        "Stat,Renault",
        ("stakes.csv, row 2", "unknown company or owner", "Stat", "'State'"),
    ),
    "stakes above 100 %": (
        "stakes_csv",
        "State,Renault,0.15,0.29",
        "Nissan,Renault,0.9,0.1,,,register\nState,Renault,0.15,0.29",
        ("stakes.csv, row 3, column cash_flow", "stakes above 100 %", "105 % of Renault", "(row 2)"),
    ),
    "votes above 100 %": (
        "stakes_csv",
        "State,Renault,0.15,0.29",
        "Nissan,Renault,0.1,0.9,,,register\nState,Renault,0.15,0.29",
        ("stakes.csv, row 3, column votes", "votes above 100 %", "119 % of Renault"),
    ),
    "a share of fifteen": (
        "stakes_csv",
        "State,Renault,0.15",
        "State,Renault,15",
        ("stakes.csv, row 2, column cash_flow", "out of bounds", "15", "at most 1"),
    ),
    "a stake in itself": ("stakes_csv", "State,Renault", "Renault,Renault", ("stakes.csv, row 2", "a stake in itself", "treasury shares")),
    "the last day before the first": (
        "stakes_csv",
        "2023-11-08,,",
        "2023-11-08,2022-01-01,",
        ("stakes.csv, row 4, column to", "the last day is before the first", "2022-01-01"),
    ),
    "one stake twice at a time": (
        "stakes_csv",
        ",2023-11-07,register",
        ",2024-01-31,register",
        ("stakes.csv, row 4, column from", "stated twice for the same days", "row 3"),
    ),
    "control declared twice at a time": (
        "control_csv",
        "Nissan,Renault,pact",
        "Nissan,State,pact,2020-01-01,,register\nNissan,Renault,pact",
        ("control.csv, row 2", "one control is stated twice", "row 3"),
    ),
    "not a date": ("stakes_csv", "2023-11-08", "8.11.2023", ("stakes.csv, row 4, column from", "not a date", "'8.11.2023'", "2024-03-27")),
    "a year is not a day": ("stakes_csv", "2023-11-08", "2023", ("stakes.csv, row 4, column from", "not a date", "'2023'")),
    "sales above the potential market": (
        M,
        "41000000,10",
        "41000000,1000",
        ("markets.csv, row 2, column potential", "shares add up to one or more", "44000 sold to 41000", "outside = false"),
    ),
    "a missing price": (P, "ICE,B,19000", "ICE,B,", ("products.csv, row 4, column price", "price is missing", "price_filled", "excluded.csv")),
    "a negative price": (P, "ICE,B,19000", "ICE,B,-19000", ("products.csv, row 4, column price", "zero or negative", "-19000")),
    "a price of zero": (P, "ICE,B,19000", "ICE,B,0", ("products.csv, row 4, column price", "zero or negative")),
    "a price in words": (P, "ICE,B,19000", 'ICE,B,"19,000"', ("products.csv, row 4, column price", "not a number", "'19,000'")),
    "a price that is not finite": (P, "ICE,B,19000", "ICE,B,nan", ("products.csv, row 4, column price", "not a number", "nan")),
    "zero sales": (
        P,
        "gross,5000",
        "gross,0",
        ("products.csv, row 2, column units", "zero sales", "Leaf", "excluded.csv, merge it into a composite line"),
    ),
    "negative sales": (P, "gross,5000", "gross,-3", ("products.csv, row 2, column units", "negative", "-3")),
    "missing sales": (P, "gross,5000", "gross,", ("products.csv, row 2, column units", "sales are missing", "units, or share")),
    "a duplicate product": (
        P,
        "DE,Megane E-Tech",
        "DE,Leaf",
        ("products.csv, row 3, column product", "duplicate product", "first in products.csv:2"),
    ),
    "an unknown currency": (M, "DE,EUR", "DE,SEK", ("markets.csv, row 2, column currency", "unknown currency", "SEK", "[rates]")),
    "an unknown market": (P, "DE,Clio", "GE,Clio", ("products.csv, row 4, column market", "unknown market", "GE")),
    "an unknown powertrain": (P, "ICE,B,19000", "diesel,B,19000", ("products.csv, row 4, column powertrain", "'diesel'", "BEV, PHEV, ICE")),
    "a nest with one product in all": (
        P,
        "ICE,B,19000",
        "ICE,D,19000",
        ("products.csv, row 4, column segment", "a nest with one product", "'D' in market DE", "single_nests"),
    ),
    "a missing source": (P, "30000,statistics;study", "30000,", ("products.csv, row 4, column source", "source is missing", "assumption")),
    "an unknown source id": (
        P,
        "statistics;study",
        "statistics;studies",
        ("products.csv, row 4, column source", "unknown source id", "studies", "'study'"),
    ),
    "parameters from an unknown source": (C, '"study"', '"studies"', ("case.toml, line 14, key source", "unknown source id", "studies")),
    "an amount without a currency": (
        "deals_csv",
        "600000000,EUR",
        "600000000,",
        ("deals.csv, row 2, column currency", "an amount without a currency", "6e+08"),
    ),
    "an amount in unknown money": ("deals_csv", "600000000,EUR", "600000000,JPY", ("deals.csv, row 2, column currency", "unknown currency", "JPY")),
    "a status outside the vocabulary": (
        "deals_csv",
        "committed",
        "promised",
        ("deals.csv, row 2, column status", "'promised'", "exploring, announced, committed, completed, abandoned"),
    ),
    "a probability above one": ("deals_csv", "EUR,,", "EUR,1.2,", ("deals.csv, row 2, column probability", "out of bounds", "1.2")),
    "an unknown characteristic": (
        C,
        '"electric"',
        '"elektric"',
        ("case.toml, line 16, key characteristic", "unknown characteristic", "did you mean 'electric'?"),
    ),
    "an unknown nest column": (C, '["segment"]', '["segmnt"]', ("case.toml, line 12, key nests", "unknown column for nests", "'segment'")),
    "a nest parameter of one": (C, "sigma_group = 0.3", "sigma_group = 1.0", ("case.toml, line 13, key sigma_group", "out of bounds", "below 1")),
    "nests without sigma": (C, "sigma_group = 0.3\n", "", ("case.toml, line 12, key nests", "go together", "nests without sigma_group")),
    "a sigma for no nest": (C, "sigma_group = 0.3", "sigma_group = {B = 0.3, C = 0.2, D = 0.1}", ("case.toml, line 13", "a sigma for no nest", "D")),
    "a nest without its sigma": (C, "sigma_group = 0.3", "sigma_group = {B = 0.3}", ("case.toml, line 13", "no sigma for this nest", "C")),
    "no price taste": (C, "price_taste = 0.0002\n", "", ("case.toml, line 10, key price_taste", "price_taste is missing")),
    "a negative price taste": (C, "= 0.0002", "= -0.0002", ("case.toml, line 11, key price_taste", "out of bounds", "above 0")),
    "a number that is true": (C, "= 0.0002", "= true", ("case.toml, line 11, key price_taste", "not a number", "True")),
    "income power without incomes": (
        C,
        "price_taste = 0.0002",
        "price_taste = 0.0002\nincome_power = 0.5",
        ("markets.csv, row 2", "no incomes", "incomes.csv"),
    ),
    "an unknown rule": (C, "year = 2023", 'year = 2023\nrule = "friendly"', ("case.toml, line 5, key rule", "unknown rule", "controller")),
    "given without kappa": (C, "year = 2023", 'year = 2023\nrule = "given"', ("case.toml, line 5, key rule", "without [kappa]")),
    "an unknown key": (
        C,
        "price_taste",
        "price_tase = 1\nprice_taste",
        ("case.toml, line 11", "unknown key", "did you mean 'price_taste'?"),
    ),
    "an unknown section": (C, "[rates]", "[rules]\n[rates]", ("case.toml, line 6", "unknown section", "rules", "'rates'")),
    "a rate of nothing": (C, "GBP = 0.87", "GBP = 0", ("case.toml, line 7", "an exchange rate must be positive")),
    "a base year that has not begun": (
        C,
        "year = 2023",
        "year = 2025",
        ("case.toml, line 4, key year", "the base year lies after the day of the case"),
    ),
    "malformed TOML": (C, '"small"', '"small', ("case.toml, line 2", "not valid TOML")),
    "a column nobody knows": (P, "segment,price,", "segmant,price,", ("products.csv, row 1", "unknown column", "segmant", "did you mean 'segment'?")),
    "a missing column": ("stakes_csv", ",cash_flow,", ",,", ("stakes.csv, row 1", "a column is missing", "cash_flow")),
    "a row that is too long": (
        P,
        "30000,statistics;study",
        "30000,statistics,study",
        ("products.csv, row 4", "not as many cells", "10 cells", "9 cells"),
    ),
    "a row that is too short": (P, ",gross,30000,statistics;study", "", ("products.csv, row 4", "not as many cells", "6 cells")),
    "an open quote": ("deals_csv", "Nissan / Ampere", '"Nissan / Ampere', ("deals.csv", "not valid CSV")),
    "a split that leaves money over": (
        P,
        "segment,price,",
        "segment,profit_to,price,",
        ("products.csv, row 2, column profit_to", "does not add up to one", "Nissan:0.5;Renault:0.4"),
    ),
    "a split with a stranger": (
        P,
        "segment,price,",
        "segment,profit_to,price,",
        ("products.csv, row 2, column profit_to", "unknown company", "Ampere"),
    ),
    "a builder that is not paid": (
        P,
        "segment,price,",
        "segment,made_by,price,",
        ("products.csv, row 2, column transfer_price", "a builder without a transfer price"),
    ),
    "a split with a negative part": (
        P,
        "segment,price,",
        "segment,profit_to,price,",
        ("products.csv, row 2, column profit_to", "no share", "Renault:-0.5"),
    ),
    "a currency that is no code": (C, "GBP = 0.87", "GBP = 0.87\npounds = 0.87", ("case.toml, line 8", "not a currency", "pounds", "GBP")),
    "money of an unknown year": (
        C,
        "year = 2023",
        'year = 2023\nmoney = "EUR 2020"',
        ("case.toml, line 5, key money", "'EUR 2020'", "EUR 2023, own"),
    ),
    "an owner named like a company": (
        "owners_csv",
        "State,state,study",
        "State,state,study\nBYD,fund,study",
        ("owners.csv, row 3", "the name of a company", "companies.csv:4"),
    ),
    "control of oneself": ("control_csv", "Nissan,Renault,pact", "Nissan,Nissan,pact", ("control.csv, row 2", "a company controls itself")),
    "a company named like a split": ("companies_csv", "BYD,maker", "BYD:1,maker", ("companies.csv, row 4", "cannot be told from a split", "BYD:1")),
    "a taste stated twice": (
        C,
        "sigma = 1.0",
        'sigma = 1.0\n[[demand.random]]\ncharacteristic = "electric"\nsigma = 2',
        ("case.toml, line 19", "two random tastes for one characteristic"),
    ),
    "rates without a source": (C, 'source = "central_bank"\n', "", ("case.toml, line 6, key source", "source is missing")),
    "a market without products": (
        M,
        "UK,GBP",
        "FR,EUR,0.2,30000000,10,statistics\nUK,GBP",
        ("markets.csv, row 3", "a market without products", "FR"),
    ),
    "a market without a size": (M, "41000000,10", ",", ("markets.csv, row 2, column potential", "no potential market", "households")),
}
FIRST_CELL = {
    "a split that leaves money over": "Nissan:0.5;Renault:0.4",
    "a split with a stranger": "Nissan:0.5;Ampere:0.5",
    "a builder that is not paid": "Renault",
    "a split with a negative part": "Renault:-0.5;Nissan:1.5",
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_said_with_file_and_row(name: str, tmp_path: Path) -> None:
    key, old, new, words = BAD[name]
    changes = {key: (old, new)}
    folder = sound_but(tmp_path, **changes)
    if name in FIRST_CELL:  # a column was added: give every row a cell, the first one the bad value
        path = folder / "products.csv"
        head, *rows = path.read_text().splitlines()
        cells = [row.split(",") for row in rows]
        path.write_text("\n".join([head, *(",".join([*c[:5], FIRST_CELL[name] if i == 0 else "", *c[5:]]) for i, c in enumerate(cells))]) + "\n")
    problems = [str(problem) for problem in problems_of(folder)]
    assert any(all(word in problem for word in words) for problem in problems), problems


# things whose refusal must not drag other messages behind it
ALONE = ("a missing price", "a negative price", "zero sales", "a duplicate product", "an unknown market", "an unknown powertrain", "a missing source",
         "a status outside the vocabulary", "an unknown source id", "an amount without a currency", "a brand of an unknown company",
         "stakes above 100 %", "the last day before the first", "no price taste", "an unknown characteristic", "missing sales")  # fmt: skip


@pytest.mark.parametrize("name", ALONE)
def test_one_mistake_gives_one_message(name: str, tmp_path: Path) -> None:
    key, old, new, _ = BAD[name]
    problems = problems_of(sound_but(tmp_path, **{key: (old, new)}))
    places = {problem.where.rpartition(", column")[0] or problem.where.rpartition(", key")[0] for problem in problems}
    assert len(places) == 1, [str(problem) for problem in problems]


def test_everything_wrong_is_reported_together_in_the_order_of_the_files(tmp_path: Path) -> None:
    folder = sound_but(
        tmp_path, products_csv=("ICE,B,19000", "diesel,B,-1"), stakes_csv=("State,Renault,0.15", "Stat,Renault,1.5"), deals_csv=("committed", "promised"),
        case_toml=('"electric"', '"elektric"'), markets_csv=("UK,GBP", "UK,XXX"),
    )  # fmt: skip
    with pytest.raises(CaseError) as refused:
        load_case(folder)
    text = str(refused.value)
    assert len(refused.value.problems) >= 7
    for word in ("diesel", "negative", "Stat", "1.5", "promised", "elektric", "XXX"):
        assert word in text
    files = [problem.where.partition(",")[0] for problem in refused.value.problems]
    assert files == sorted(files)


def test_a_file_in_another_encoding_is_refused_with_its_row(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = dict(SOUND)
    files["products.csv"] = SOUND["products.csv"].replace("Megane", "Mégane").encode("latin-1")
    messages = [str(problem) for problem in problems_of(write(tmp_path, files))]
    assert any("products.csv, row 3: the file is not in UTF-8" in message and "0xe9" in message for message in messages)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = dict(SOUND)
    files["products.csv"] = b"\xef\xbb\xbf" + SOUND["products.csv"].encode()
    assert not problems_of(write(tmp_path, files))


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    messages = [str(problem) for problem in problems_of(write(tmp_path, {**SOUND, "deals.csv": "\n"}))]
    assert messages == ["deals.csv: the file is empty; wanted a heading and rows; write it or remove the file"]


def test_semicolons_between_columns_are_named_as_the_reason(tmp_path: Path) -> None:
    files = {**SOUND, "products.csv": SOUND["products.csv"].replace(";", "/").replace(",", ";")}
    assert any("columns are not separated by commas" in str(problem) for problem in problems_of(write(tmp_path, files)))


def test_a_case_needs_its_two_files(tmp_path: Path) -> None:
    messages = " ".join(str(problem) for problem in problems_of(tmp_path))
    assert "case.toml: the file is missing" in messages
    assert "products.csv: the file is missing" in messages
    assert "keiretsu new" in messages


def test_a_table_that_is_stated_twice_is_refused(tmp_path: Path) -> None:
    files = {**SOUND, "case.toml": SOUND["case.toml"] + '\n[[owners]]\nowner = "Fund"\nsource = "study"\n'}
    assert any("the same table is stated twice" in str(problem) for problem in problems_of(write(tmp_path, files)))


def test_two_scenarios_of_one_name_and_a_move_without_a_type_are_refused(tmp_path: Path) -> None:
    files = {**SOUND, "scenarios/other.toml": 'name = "nothing"\n\n[[moves]]\nacquirer = "Nissan"\n'}
    messages = [str(problem) for problem in problems_of(write(tmp_path, files))]
    assert any("two scenarios have one name" in message for message in messages)
    assert any("scenarios/other.toml, line 3: a move without a type" in message for message in messages)


def test_a_nest_alone_in_one_market_only_is_a_warning(tmp_path: Path) -> None:
    checked = check_case(write(tmp_path, SOUND))
    assert not checked.problems
    assert [warning.where for warning in checked.warnings if "nest" in warning.what] == [
        "products.csv, row 4, column segment",
        "products.csv, row 7, column segment",
    ]


def test_a_nest_of_one_product_can_be_allowed(tmp_path: Path) -> None:
    folder = sound_but(tmp_path, products_csv=("ICE,B,19000", "ICE,D,19000"), case_toml=("sigma_group", 'single_nests = "allowed"\nsigma_group'))
    assert not problems_of(folder)


def test_a_composite_line_is_no_lonely_nest(tmp_path: Path) -> None:
    folder = sound_but(tmp_path, products_csv=("ICE,B,19000", "ICE,D,19000"))
    path = folder / "products.csv"
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([f"{head},n_models", *(f"{row},{12 if ',ICE,' in row else 1}" for row in rows)]) + "\n")
    assert not problems_of(folder)


def test_a_correlation_that_no_tastes_can_have_is_refused(tmp_path: Path) -> None:
    second = '\n[[demand.random]]\ncharacteristic = "size"\nsigma = 1\n'
    files = {**SOUND, "case.toml": SOUND["case.toml"].replace("sigma_group", "correlation = [[1, 0.4], [0.5, 1]]\nsigma_group") + second}
    assert any("correlation is not a correlation matrix" in str(problem) for problem in problems_of(write(tmp_path, files)))


def test_an_unknown_case_says_which_ones_there_are() -> None:
    with pytest.raises(CaseError, match=r"no such case.*ampere"):
        load_case("amper")
