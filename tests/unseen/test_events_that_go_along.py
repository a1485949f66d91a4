"""Correlations of an event: it goes along with what it is said to go along with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from keiretsu.case import load_case
from keiretsu.outlook.uncertain import draws_of, uncertain_of
from tests.unseen.test_a_bonus_that_is_raised import CASE, PRODUCTS

UNCERTAIN = "input,distribution,central,low,high\nelectric_taste,normal,0.1,0,0.2\nhappens:x,discrete,0.5,,\nhappens:y,discrete,0.5,,\n"
DRAWS = 4096


@pytest.mark.parametrize("correlation", [0.6, -0.6])
def test_an_event_is_likelier_where_what_it_goes_along_with_is_high(correlation: float, tmp_path: Path) -> None:
    rows = f"input_a,input_b,correlation\nelectric_taste,happens:x,{correlation}\nhappens:x,happens:y,{correlation}\n"
    scenario = "".join(
        f'[[moves]]\ntype = "launch"\nproduct = "{name}"\nmarkets = ["FR"]\nbrand = "A"\nlike = "b"\nprice_eur = 30000\nmargin = 0.2\nutility = "of_like"\n'
        for name in "xy"
    )
    (tmp_path / "scenarios").mkdir()
    files = {
        "case.toml": CASE,
        "products.csv": PRODUCTS,
        "uncertain.csv": UNCERTAIN,
        "correlations.csv": rows,
        "scenarios/two.toml": 'title = "two"\n' + scenario,
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    case = load_case(tmp_path)
    inputs, factor = uncertain_of(case.tables, ("x", "y"))
    values = draws_of(inputs, factor, {}, DRAWS, 1).values
    high = values["electric_taste"] > 0.1
    quadrant = multivariate_normal([0, 0], [[1, correlation], [correlation, 1]]).cdf([0, 0])  # of two correlated normals
    tolerance = 4 / np.sqrt(DRAWS)  # far above the error of Sobol points, far below the difference
    assert np.mean(high & (values["happens:x"] == 1)) == pytest.approx(quadrant, abs=tolerance)
    assert np.mean((values["happens:x"] == 1) & (values["happens:y"] == 1)) == pytest.approx(quadrant, abs=tolerance)
    assert values["happens:x"].mean() == pytest.approx(0.5, abs=tolerance)
