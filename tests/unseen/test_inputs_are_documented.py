"""A user types `uncertain.csv` and `outlook.csv` from the documentation: every name is in it, with its unit and what it moves."""

from __future__ import annotations

from pathlib import Path

from keiretsu.case.schema import TABLES
from keiretsu.outlook.inputs import CURRENCIES, INPUTS, LAUNCH_INPUTS

PAGE = (Path(__file__).parents[2] / "docs" / "outlook.md").read_text()


def test_every_uncertain_input_stands_in_the_documentation_with_its_unit_and_its_neutral_value() -> None:
    for name, one in INPUTS.items():
        if not name.startswith("fx_"):
            assert f"| `{name}` | {one.unit} | {one.neutral:g} | {one.moves} |" in PAGE
    for kind, one in LAUNCH_INPUTS.items():
        assert f"| `{kind}:PRODUCT` | {one.unit} | {one.neutral:g} |" in PAGE
    assert ", ".join(CURRENCIES) in PAGE


def test_every_item_of_the_years_stands_in_the_documentation() -> None:
    items = next(column for column in TABLES["outlook"].columns if column.name == "item").choices
    assert items
    for item in items:
        assert f"`{item}`" in PAGE
