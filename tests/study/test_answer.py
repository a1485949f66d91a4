"""The whole answer: which years are simulated, which scenarios are drawn, how many draws an error takes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from keiretsu.case import Case, load_case, write_new_case
from keiretsu.errors import CaseError, InputError
from keiretsu.study.answer import AheadOptions, answer, drawn_scenarios, draws_for_error, here, years_asked
from keiretsu.study.run import RunOptions, run
from keiretsu.study.runs import Threads
from tests.study.made_up_years import central_years, made_up_years


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return load_case(str(write_new_case("mine", tmp_path_factory.mktemp("answer"))))


def test_a_case_that_states_nothing_about_the_years_ahead_is_asked_about_one_year(case: Case) -> None:
    assert years_asked(case, AheadOptions()) == 0
    assert years_asked(case, AheadOptions(until=case.year)) == 0
    assert years_asked(case, AheadOptions(until=case.year + 3)) == case.year + 3
    assert years_asked(load_case("ampere"), AheadOptions()) == 2035


@pytest.mark.parametrize(("asked", "says"), [(AheadOptions(until=1999), "before the base year"), (AheadOptions(draws=12), "equal parts")])
def test_years_and_draws_that_cannot_be_are_refused(case: Case, asked: AheadOptions, says: str) -> None:
    with pytest.raises(InputError, match=says):
        years_asked(case, asked)


def test_headlines_are_drawn_unless_scenarios_are_named(case: Case) -> None:
    ampere = load_case("ampere")
    assert drawn_scenarios(ampere, RunOptions()) == tuple(one.name for one in ampere.scenarios if one.headline)
    assert drawn_scenarios(ampere, RunOptions(scenarios=("no_deal",))) == ("no_deal",)
    assert drawn_scenarios(case, RunOptions()) == ("merger", "quarter")  # this case marks no headline


def test_nothing_uncertain_and_nothing_moving_each_year_is_the_base_year(case: Case, tmp_path: Path) -> None:
    asked = AheadOptions(draws=8, until=case.year + 2)
    found = answer(case, RunOptions(), asked, here(tmp_path, Threads(1)))
    assert found.futures is not None
    alone = run(case)
    for name in ("merger", "quarter"):
        change = alone.outcomes[name].firms["profit_eur"].sum() - alone.base.firms["profit_eur"].sum()
        ahead = found.futures.change("firm_profit_eur").sel(scenario=name).sum("firm").values
        # prices of the base year settle to 1e-6 EUR, those of the years to 1e-4 EUR on cars that cost 20,000
        np.testing.assert_allclose(ahead, change, rtol=1e-6)
    assert found.headline.equals(alone.headline)


def test_twice_the_accuracy_takes_four_times_the_draws_and_an_exact_change_takes_no_more() -> None:
    futures = made_up_years()
    profit = futures.data["firm_profit_eur"].sum("firm").mean("year") / 1e6
    now = float(futures.error(profit.sel(scenario="cut") - profit.sel(scenario="baseline")))
    assert draws_for_error(futures, 1.001 * now) == 16
    assert draws_for_error(futures, now / 2) == pytest.approx(64, abs=8)
    exact = dataclasses.replace(futures, data=futures.data.sel(scenario=["baseline", "stake"]))
    assert draws_for_error(exact, 0.01) == 16
    with pytest.raises(InputError, match="more draws than are reasonable"):
        draws_for_error(futures, now / 100)
    with pytest.raises(CaseError, match="reached by draws"):
        draws_for_error(central_years(), 1.0)
