"""Looking back with a history of one's own: what has to be there, and what may be empty."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from keiretsu.outlook.backtest.known import COLUMNS, LAUNCHES, POLICY, BacktestError, History, known_until, read_history
from keiretsu.outlook.backtest.panel import panel_of
from keiretsu.outlook.backtest.total import support_in
from tests.outlook.backtest_history import history

END = dt.date(2023, 12, 31)


def without(table: pd.DataFrame, country: str, *years: int) -> pd.DataFrame:
    """The table without a country in some years."""
    return table[~((table["country"] == country) & table["year"].isin(years))]


def said_of(changed: History) -> str:
    """What is said against a history."""
    with pytest.raises(BacktestError) as found:
        known_until(changed, END)
    return str(found.value)


@pytest.mark.parametrize("year", [2021, 2023])
def test_a_country_without_a_count_of_all_cars_is_refused_and_not_forecast_to_sell_nothing(year: int) -> None:
    whole = history()
    said = said_of(dataclasses.replace(whole, all_cars=without(whole.all_cars, "BB", year)))
    assert f"BB, {year}: 0 cars" in said
    assert "AA" not in said


def test_more_electric_cars_than_cars_are_refused() -> None:
    whole = history()
    few = whole.all_cars.assign(registrations=whole.all_cars["registrations"].where(whole.all_cars["year"] != 2022, 1.0))
    said = said_of(dataclasses.replace(whole, all_cars=few))
    assert "BB, 2022: 4 cars" in said
    assert "AA, 2022: 4 cars" in said


@pytest.mark.parametrize("year", [2021, 2023])
def test_a_country_without_electric_cars_after_it_had_some_is_refused(year: int) -> None:
    whole = history()
    gone = dataclasses.replace(whole, registrations=without(whole.registrations, "BB", year))
    zero = whole.registrations.copy()
    zero.loc[(zero["country"] == "BB") & (zero["year"] == year), "registrations"] = 0.0
    for changed in (gone, dataclasses.replace(whole, registrations=zero)):
        said = said_of(changed)
        assert f"BB, {year}" in said
        assert "no electric cars" in said


def test_a_country_may_begin_later_than_the_others() -> None:
    whole = history()
    late = dataclasses.replace(whole, registrations=without(whole.registrations, "BB", 2019))
    assert known_until(late, END).year == 2023


def test_a_history_without_launches_and_policies_is_one(tmp_path: Path) -> None:
    whole = history()
    for name, table in (("registrations.csv", whole.registrations), ("registrations_all_cars.csv", whole.all_cars)):
        table.to_csv(tmp_path / name, index=False)
    for name in (LAUNCHES, POLICY):
        (tmp_path / name).write_text(",".join(COLUMNS[name]) + "\n")
    known = known_until(read_history(tmp_path, whole.elasticities), END)
    assert list(known.launches.columns) == list(COLUMNS[LAUNCHES])
    assert support_in(known, 2024).empty
    assert len(panel_of(known).units) > 0
