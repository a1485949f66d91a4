"""Pool tables are read completely or refused with every problem named."""

from __future__ import annotations

import pytest

from keiretsu.errors import PolicyError
from keiretsu.market.policy.parsing_pools import parse_pools
from keiretsu.market.pools import FleetRule, SalesMandate
from keiretsu.units import ExchangeRate

TARGET = {
    "type": "co2_target",
    "id": "eu",
    "markets": ["DE"],
    "from_year": 2025,
    "to_year": 2029,
    "grams": 93.6,
    "unit": "g/km",
    "fine": 95,
    "currency": "EUR",
}
POOL = {"type": "pool", "id": "alliance", "rule": "eu", "makers": ["Renault", "Nissan"]}
RATES = {"GBP": ExchangeRate("GBP", 0.87, "test")}


def test_rows_become_records_with_the_fine_in_euro():
    mandate = {"type": "mandate", "id": "zev", "markets": ["UK"], "from_year": 2024, "to_year": 2024, "share": 0.22, "fine": 15000, "currency": "GBP"}
    rest = {"type": "rest_of_area", "rule": "eu", "maker": "Renault", "cars": 1e5, "co2_gkm": 105, "mass_kg": 1400}
    records = parse_pools([TARGET, POOL, mandate, rest], RATES, "pools.toml")
    assert len(records) == 4
    rule = records[2]
    assert isinstance(rule, FleetRule) and rule.target == SalesMandate(0.22, 15000 / 0.87)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([TARGET | {"unit": "l/100km"}], "wrong unit"),
        ([TARGET | {"grams": 9360}], "wrong unit"),
        ([TARGET, POOL, POOL | {"id": "other"}], "in two pools"),
        ([TARGET, POOL | {"rule": "us"}], "no such fleet rule"),
        ([TARGET | {"type": "cap"}], "unknown type"),
        ([TARGET | {"gram": 1}], "unknown key"),
        ([{k: v for k, v in TARGET.items() if k != "currency"}], "no currency"),
        ([TARGET, POOL | {"makers": "Renault"}], "not a list"),
        ([TARGET, POOL | {"sharing": "by weight"}], "unknown choice"),
    ],
)
def test_bad_rows_are_refused(rows, message):
    with pytest.raises(PolicyError, match=message):
        parse_pools(rows, RATES, "pools.toml")
