"""Scenario tables are read completely or refused with everything that is wrong with them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from keiretsu.errors import MoveError
from keiretsu.moves import MOVE_TYPES, PriceCut, ProductFilter, argument_table, moves_markdown, parse_move, parse_scenarios
from keiretsu.moves.move import Move


def test_a_price_cut_is_read_from_a_plain_table():
    move = parse_move(
        {"type": "price_cut", "products": {"brand": "Ares", "market": ["north", "south"]}, "share": 0.1, "start": dt.date(2024, 1, 1)}, "here"
    )
    assert isinstance(move, PriceCut)
    assert move.products == ProductFilter(brand=("Ares",), market=("north", "south"))
    assert move.share == 0.1
    assert move.start == dt.date(2024, 1, 1)


def test_every_mistake_of_every_scenario_is_reported_at_once_with_its_place():
    texts = [
        {
            "name": "one",
            "where": "one.toml",
            "moves": [{"type": "price_kut", "share": 0.1}, {"type": "price_cut", "products": {"brand": "Ares"}, "share": 10}],
        },
        {"name": "two", "where": "two.toml", "colour": "red", "moves": [{"type": "stake_purchase", "buyer": 3, "amount": 5.0, "money": "primary"}]},
    ]
    with pytest.raises(MoveError) as refused:
        parse_scenarios(texts)
    message = str(refused.value)
    wanted = (
        "one.toml, move 1: unknown type of move",
        "one.toml, move 2 (price_cut): argument share is out of range",
        "two.toml: unknown key colour",
        "two.toml, move 1 (stake_purchase): unknown argument amount",
        "two.toml, move 1 (stake_purchase): argument buyer cannot be read",
        "two.toml, move 1 (stake_purchase): missing argument company",
    )
    for text in wanted:
        assert text in message
    assert "ten per cent is 0.1" in message
    assert all(name in message for name in MOVE_TYPES)  # the vocabulary is in the message


@pytest.mark.parametrize(
    ("argument", "value", "wanted"),
    [
        ("share", "a tenth", "a number"),
        ("share", True, "a number"),
        ("share", float("nan"), "a number"),
        ("start", "2024-03-27", "without quotes"),
        ("status", "perhaps", "committed"),
        ("products", {"colour": "red"}, "keys out of market"),
        ("products", "BYD", "a table with keys"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_with_what_is_wanted(argument, value, wanted):
    given = {"type": "price_cut", "products": {"brand": "Ares"}, "share": 0.1, argument: value}
    with pytest.raises(MoveError, match=wanted):
        parse_move(given, "here")


def test_the_table_for_the_docs_lists_every_argument_of_every_move():
    text = moves_markdown()
    for kind, of in MOVE_TYPES.items():
        assert f"### `{kind}`" in text
        for argument in argument_table(of):
            assert f"| `{argument.name}` |" in text
            assert argument.meaning


def test_the_page_on_moves_says_what_the_program_reads():
    renew = "python -c \"import keiretsu.moves as m; open('docs/moves.md', 'w').write(m.moves_markdown())\""
    page = Path(__file__).parents[2] / "docs" / "moves.md"
    assert page.read_text(encoding="utf-8") == moves_markdown(), f"write it again: {renew}"


def test_moves_are_final_classes_right_below_the_abstract_one():
    assert all(of.__bases__ == (Move,) for of in MOVE_TYPES.values())
    assert all(of.type == kind for kind, of in MOVE_TYPES.items())
