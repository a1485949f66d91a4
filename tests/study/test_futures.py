"""Futures of one question alone: the draws, events among them, that a run of the case has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from keiretsu.case import Case, load_case, write_new_case
from keiretsu.errors import InputError
from keiretsu.study.futures import FuturesAsked, futures_and_years, futures_of
from keiretsu.study.on_the_model import chances_of
from keiretsu.study.runs import Threads, prepare, run_years

TWO = "demand_growth,normal,0,-0.01,0.01\nevent:quarter,discrete,0.5,,\n"


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = write_new_case("mine", tmp_path_factory.mktemp("futures"))
    (folder / "uncertain.csv").write_text("input,distribution,central,low,high\n" + TWO)
    return load_case(str(folder))


def test_a_question_asked_alone_is_answered_from_the_futures_of_the_whole_run_with_the_events_that_happen_in_them(case: Case, tmp_path: Path) -> None:
    asked = FuturesAsked(draws=8, until=case.year + 1, seed=7)
    outlook, alone = futures_and_years(case, ("merger",), asked, Threads(1))
    whole = run_years(prepare(case, asked.years(("merger",))), tmp_path / "years", Threads(1), lambda *_: None)
    assert alone.inputs.equals(whole.inputs) and alone.data.identical(whole.data)
    assert chances_of(case, outlook) == {"event:quarter": 0.5}
    happens = alone.inputs["event:quarter"].to_numpy(float) > 0.5
    assert 0 < happens.sum() < len(happens)
    price = alone.data["firm_revenue_eur"].sel(scenario="baseline", year=case.year + 1).sum("firm") / alone.data["firm_units"].sel(
        scenario="baseline", year=case.year + 1
    ).sum("firm")
    assert price.values[happens].min() > price.values[~happens].max()  # a silent stake raises prices; how many people look for a car does not


def test_without_draws_the_central_case_stands_alone(case: Case) -> None:
    found = futures_of(case, (), FuturesAsked(draws=0, until=case.year + 1), Threads(1))
    assert len(found.inputs) == 0 and list(found.central["scenario"].values) == ["baseline"]
    assert np.isfinite(found.central["firm_profit_eur"].values).all()


def test_everything_that_cannot_be_asked_is_said_at_once(case: Case) -> None:
    with pytest.raises(InputError) as refused:
        futures_of(case, (), FuturesAsked(draws=12, until=case.year - 3, consumers=-1))
    assert len(refused.value.problems) == 3
