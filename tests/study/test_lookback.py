"""Looking back puts what was observed beside the baseline and beside the base year, and hides nothing."""

# pyright: reportArgumentType=false, reportCallIssue=false
# (records made up for a test stand in for those of a solved world)

from types import SimpleNamespace

import pandas as pd
import pytest

from keiretsu.study.lookback import TOTAL, lookback_errors, lookback_table


def case_and_base(observed):
    columns = ["market", "brand", "powertrain", "units"]
    sold = pd.DataFrame([("DE", "A", "BEV", 100.0), ("DE", "B", "BEV", 60.0), ("DE", "A", "ICE", 900.0)], columns=columns)
    later = pd.DataFrame(observed, columns=["market", "year", "brand", "powertrain", "units"]).assign(note="")
    case = SimpleNamespace(products=sold, tables={"observed_later": later})
    return case, SimpleNamespace(products=sold.assign(units=[80.0, 40.0, 950.0]))


def test_errors_are_forecast_less_observed_for_the_model_and_for_the_base_year():
    case, base = case_and_base([("DE", 2024, "A", "BEV", 70.0), ("DE", 2024, "Newcomer", "BEV", 30.0)])
    table = lookback_table(case, base).set_index("brand")
    assert table.loc["A", ["error_cars", "persistence_error_cars"]].tolist() == [10.0, 30.0]
    assert table.loc["B", "observed_cars"] == 0.0  # sold in the base year, not seen later
    assert table.loc["Newcomer", "predicted_cars"] == 0.0  # the model launches nothing by itself
    assert table.loc[TOTAL, ["predicted_cars", "observed_cars"]].tolist() == [120.0, 100.0]


def test_brands_that_miss_in_opposite_directions_do_not_cancel():
    case, base = case_and_base([("DE", 2024, "A", "BEV", 60.0), ("DE", 2024, "B", "BEV", 60.0)])
    errors = lookback_errors(lookback_table(case, base)).set_index("forecast")
    assert errors.loc["model", "total_error_percent"] == pytest.approx(0.0)
    assert errors.loc["model", "brands_error_percent"] == pytest.approx(100 * 40 / 120)


def test_a_case_without_later_figures_looks_back_on_nothing():
    case, base = case_and_base([])
    assert lookback_errors(lookback_table(case, base)).empty
