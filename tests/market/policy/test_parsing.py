"""Programme tables are read completely or refused with every problem named."""

from __future__ import annotations

import datetime as dt

import pytest

from keiretsu.errors import PolicyError
from keiretsu.market.policy.parsing import parse_programmes
from keiretsu.market.policy.programmes import Incentive, PriceWindow, Vat
from keiretsu.units import ExchangeRate

RATES = {"NOK": ExchangeRate("NOK", 11.0, "test")}
GOOD = {
    "type": "incentive",
    "id": "fr-bonus",
    "markets": ["FR"],
    "start": dt.date(2024, 2, 14),
    "end": dt.date(2024, 12, 31),
    "powertrains": ["BEV"],
    "currency": "EUR",
    "flat": 4000,
    "budget": 1e9,
    "window": {"basis": "gross", "at_most": 47000},
    "buyers": {"kinds": ["private"]},
}


def parse(*rows):
    return parse_programmes(rows, RATES, "programmes.toml")


def test_a_row_becomes_its_record_with_money_in_euro():
    (bonus,) = parse(GOOD)
    assert isinstance(bonus, Incentive) and bonus.budget_eur == 1e9
    assert bonus.window == PriceWindow("gross", at_most=47000) and bonus.buyers.kinds == ("private",)
    assert "programme 1 (fr-bonus)" in bonus.scope.where
    (vat,) = parse({"type": "vat", "id": "no", "markets": ["NO"], "start": dt.date(2023, 1, 1), "rate": 0.25, "currency": "NOK", "above": 500000})
    assert isinstance(vat, Vat) and vat.above_eur == pytest.approx(500000 / 11)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "gift"}, "unknown type of programme"),
        ({"flatt": 4000}, "unknown key"),
        ({"end": dt.date(2023, 1, 1)}, "ends before it starts"),
        ({"start": "2024-01-01"}, "not a date"),
        ({"currency": "SEK"}, "no exchange rate"),
        ({"origins": ["XX"]}, "unknown origin"),
        ({"powertrains": ["EV"]}, "unknown powertrain"),
        ({"share": 27}, "wrong unit"),
        ({"flat": "4000"}, "not a number"),
        ({"flat": -4000}, "negative figure"),
        ({"window": {"basis": "list", "at_most": 1}}, "unknown choice"),
        ({"buyers": {"kind": ["private"]}}, "unknown key"),
        ({"markets": "FR"}, "not a list"),
    ],
)
def test_a_bad_row_is_refused_with_file_and_row(change, message):
    with pytest.raises(PolicyError, match=message) as caught:
        parse(GOOD | change)
    assert "programmes.toml, programme 1" in str(caught.value)


def test_a_budget_without_a_currency_is_refused():
    with pytest.raises(PolicyError, match="money without a unit"):
        parse({key: value for key, value in GOOD.items() if key != "currency"})


def test_all_problems_of_a_file_come_together():
    with pytest.raises(PolicyError) as caught:
        parse(GOOD | {"share": 27}, GOOD | {"origins": ["XX"]}, {"type": "vat"})
    text = str(caught.value)
    assert "wrong unit" in text and "unknown origin" in text and "used twice" in text and "no rate" in text
