"""What governments take from a car, as a mean over the cars sold: rows of a car add up to what its buyers pay over the maker's price."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from keiretsu.case import load_case
from keiretsu.report.wording import label_of
from keiretsu.study.policy import policy_by_car
from tests.unseen.test_a_bonus_that_is_raised import BONUS, CASE, PRODUCTS


def test_a_bonus_for_some_buyers_counts_at_its_mean_over_all_of_them(tmp_path: Path) -> None:
    files = {
        "case.toml": CASE + "private_share = 0.25\n",
        "products.csv": PRODUCTS,
        "programmes.toml": BONUS + 'buyers = { kinds = ["private"], reach = 0.8 }\n',
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    cars = policy_by_car(load_case(tmp_path), dt.date(2024, 3, 1), "FR", "")
    rows = cars[cars["model"] == "b"].set_index("programme")
    assert rows.loc["bonus", "take_a_car_eur"] == pytest.approx(-4000 * 0.8 * 0.25)
    assert rows.loc["bonus", "cars_touched_share"] == pytest.approx(0.25)
    assert rows["take_a_car_eur"].sum() == pytest.approx(rows.loc["vat", "paid_eur"] - 30000)
    assert "sold" in label_of("take_a_car_eur").text
