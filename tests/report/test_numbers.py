"""How numbers are said."""

import math

import pandas as pd
import pytest

from keiretsu.report.tables import table_of
from keiretsu.report.wording import Label, label_of


@pytest.mark.parametrize(
    ("label", "value", "said"),
    [
        (Label("x", "%", digits=2, signed=True), 1.234, "+1.23"),
        (Label("x", "%", digits=2, signed=True), -1.234, "−1.23"),
        (Label("x", "%", digits=2, signed=True), -0.0001, "0.00"),
        (Label("x", "EUR m", digits=1, scale=1e-6), 1_234_567_890.0, "1,234.6"),
        (Label("x", "%", digits=1, signed=True), math.inf, "new"),
        (Label("x", "%"), math.nan, "not known"),
        (Label("x", "%"), None, "not known"),
    ],
)
def test_a_number_is_said_with_its_sign_and_only_the_digits_it_deserves(label, value, said):
    assert label.show(value) == said


def test_the_four_columns_of_a_measure_keep_its_name_and_say_which_they_are():
    heads = [label_of(f"electric_share_{side}").heading() for side in ("base", "scenario", "change", "change_percent")]
    assert heads == [
        "Electric share of sales, before, %", "Electric share of sales, after, %",
        "Electric share of sales, change, percentage points", "Electric share of sales, change, %",
    ]  # fmt: skip


def test_a_car_that_is_new_has_no_percentage_but_says_so():
    frame = pd.DataFrame({"product": ["new"], "units_change_percent": [math.inf]})
    assert table_of("t", "T", frame, names={}).rows[0][1] == "new"
