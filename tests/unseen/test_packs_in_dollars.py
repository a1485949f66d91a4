"""Battery prices stated in dollars: the curve that stands beside them is in the same money as they are shown in."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from keiretsu.case import load_case
from keiretsu.study.ahead_beside import pack_history
from tests.unseen.test_a_bonus_that_is_raised import CASE, PRODUCTS

OUTPUT = {2021: 300.0, 2022: 450.0, 2023: 700.0, 2024: 900.0}
OUTLOOK = (
    "item,of,market,year,value,unit\npack_price,,,2023,128,USD/kWh\npack_price,,,2022,150,USD/kWh\nchargers,,FR,2023,1000,\nlife_years,,,0,16,\nlife_shape,,,0,2.8,\n"
    "cycle_years,,,0,7,\nlast_year,,,0,2024,\nfleet,BEV,FR,2023,100000,\nfleet,PHEV,FR,2023,0,\nfleet,ICE,FR,2023,5000000,\n"
    + "".join(f"battery_output,,,{year},{gwh},GWh\n" for year, gwh in OUTPUT.items())
)


def test_the_learning_curve_beside_dollar_prices_is_in_euro_as_they_are(tmp_path: Path) -> None:
    files = {
        "case.toml": CASE.replace("[demand]", "[rates]\nUSD = 1.25\n[demand]"),
        "products.csv": PRODUCTS,
        "outlook.csv": OUTLOOK,
        "uncertain.csv": "input,distribution,central,low,high\nlearning_rate,normal,0.18,0.12,0.24\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    found = {one.year: one for one in pack_history(load_case(tmp_path))}
    assert (found[2023].paid, found[2022].paid) == (pytest.approx(128 / 1.25), pytest.approx(150 / 1.25))
    assert found[2023].curve == pytest.approx(found[2023].paid)  # the curve starts from the case's own year
    assert found[2022].curve == pytest.approx(128 / 1.25 * (300 / 750) ** math.log2(1 - 0.18))
