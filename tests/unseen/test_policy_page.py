"""The page on programmes and fleet rules names everything that their files may hold."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path

import pytest

from keiretsu.market.policy.parsing import parse_programmes
from keiretsu.market.policy.parsing_pools import _KEYS, parse_pools
from keiretsu.market.policy.programmes import KINDS, Buyers, PriceWindow, Scope
from keiretsu.units import MODEL_CURRENCY, ExchangeRate

PAGE = Path(__file__).parents[2] / "docs" / "policy.md"
EUR = {MODEL_CURRENCY: ExchangeRate(MODEL_CURRENCY, 1.0, "definition")}


def _fields(record: type) -> set[str]:
    return {field.name.removesuffix("_eur") for field in dataclasses.fields(record)} - {"scope", "where"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_of_a_programme_stands_in_its_row(kind: str) -> None:
    row = next(line for line in PAGE.read_text().splitlines() if line.startswith(f"| `{kind}` |"))
    assert _fields(KINDS[kind]) <= set(re.findall(r"`(\w+)", row))


@pytest.mark.parametrize("record", [Scope, PriceWindow, Buyers])
def test_every_key_that_programmes_share_stands_on_the_page(record: type) -> None:
    assert _fields(record) <= set(re.findall(r"`(\w+)", PAGE.read_text()))


@pytest.mark.parametrize("kind", _KEYS)
def test_every_key_of_a_fleet_rule_stands_in_its_row(kind: str) -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith(f"| `{kind}` |")]
    everywhere = {"source", "confidence", "note"}
    assert _KEYS[kind] - everywhere <= set(re.findall(r"`(\w+)", rows[-1]))


def test_the_examples_of_the_page_can_be_read() -> None:
    programmes, pools = (tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL))
    assert len(parse_programmes(programmes["programmes"], EUR, "programmes.toml")) == 1
    assert len(parse_pools(pools["pools"], EUR, "pools.toml")) == 3
