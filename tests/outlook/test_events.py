"""Events that may happen whatever is decided: drawn by their probability, the same in every scenario."""

from __future__ import annotations

import datetime as dt
import functools

import numpy as np
import pandas as pd
import pytest

from keiretsu.case import load_case
from keiretsu.errors import CaseError
from keiretsu.market.build import build_world
from keiretsu.market.policy.programmes import CountervailingDuty, in_force
from keiretsu.moves.scenario import Scenario, parse_scenarios
from keiretsu.outlook.ensemble import Ensemble, ensemble
from keiretsu.outlook.events import branches_of, events_of
from keiretsu.outlook.facts import steady_facts
from keiretsu.outlook.outlook import BASELINE, Outlook, build
from keiretsu.outlook.uncertain import Uncertain, draws_of
from tests.outlook.small import YEARS, small_scenarios, small_world

EVENT = "event:stake"


@functools.cache
def outlook() -> Outlook:
    scenarios = {name: small_scenarios()[name] for name in ("cheaper", "stake")}
    world = small_world()
    return build(world, scenarios, steady_facts(world, 2023, YEARS), events={"stake": scenarios["stake"]})


@functools.cache
def sampled() -> Ensemble:
    inputs = (Uncertain(EVENT, "discrete", 0.4, 0.4, 0.4), Uncertain("demand_growth", "normal", 0.0, -0.01, 0.01))
    draws = draws_of(inputs, np.eye(2), outlook().central(), 16, 3)
    return ensemble(outlook(), draws, outlook().scenarios, 8, 1, False, lambda *_: None, {})


def happens() -> np.ndarray:
    return sampled().inputs[EVENT].to_numpy() > 0


def test_a_deal_happens_in_about_as_many_draws_as_its_probability_says() -> None:
    assert happens().sum() == pytest.approx(0.4 * 16, abs=2)  # Sobol points in eight scrambles of two: each is off by less than one


def test_where_the_deal_happens_the_baseline_is_the_scenario_of_the_deal() -> None:
    change = np.abs(sampled().change("firm_profit_eur").sel(scenario="stake").values).max(axis=(1, 2))
    assert (change[happens()] == 0.0).all()
    assert (change[~happens()] > 1.0).all()
    claims = sampled().change("owner_claim_eur").sel(scenario="stake").values
    assert (claims[happens()] == 0.0).all()
    assert (np.abs(claims[~happens()]).max(axis=(1, 2)) > 1.0).all()


def test_owners_claims_add_up_to_profit_whether_or_not_the_deal_happens() -> None:
    claims, profit = sampled().data["owner_claim_eur"].sum("owner"), sampled().data["firm_profit_eur"].sum("firm")
    assert claims.values == pytest.approx(profit.values, rel=1e-12)


def test_other_scenarios_have_the_deal_in_the_same_draws_as_the_baseline() -> None:
    cheaper = sampled().data["firm_profit_eur"].sel(scenario="cheaper")
    central = sampled().central["firm_profit_eur"].sel(scenario="cheaper")
    same = draws_of((), np.eye(0), outlook().central(), 8, 3)
    certain = ensemble(outlook(), same, ("baseline", "cheaper"), 8, 1, False, lambda *_: None, {}).data["firm_profit_eur"].sel(scenario="cheaper")
    assert certain.values[0] == pytest.approx(central.values[0], rel=1e-12)  # in the central case it does not happen
    with_it = outlook().plan("cheaper", outlook().central() | {EVENT: 1.0})
    assert np.asarray(with_it.kappa)[0] == pytest.approx(np.asarray(outlook().plans["stake"].kappa)[0])
    assert np.abs(np.asarray(with_it.cost_slope) - np.asarray(outlook().plans["stake"].cost_slope)).max() > 0.05  # and what the scenario itself does
    assert cheaper.shape[0] == 16


def test_a_scenario_that_makes_the_deal_itself_ignores_its_draw() -> None:
    assert outlook().branch("stake", outlook().central() | {EVENT: 1.0}) == "stake"
    assert outlook().branch(BASELINE, outlook().central() | {EVENT: 1.0}) != BASELINE
    assert outlook().branch(BASELINE, outlook().central()) == BASELINE


def test_an_event_that_nobody_describes_or_that_has_no_probability_is_refused_with_its_row() -> None:
    rows = pd.DataFrame(
        [
            {"input": "event:nothing", "distribution": "discrete", "central": 0.5, "row": "uncertain.csv, row 2"},
            {"input": "event:stake", "distribution": "normal", "central": 0.5, "row": "uncertain.csv, row 3"},
        ]
    )
    with pytest.raises(CaseError) as error:
        events_of(rows, small_scenarios)
    assert {problem.where for problem in error.value.problems} == {"uncertain.csv, row 2", "uncertain.csv, row 3"}


def test_two_events_have_four_combinations_and_no_move_is_made_twice() -> None:
    scenarios = small_scenarios()
    found = branches_of((BASELINE, "cheaper"), scenarios, {"stake": scenarios["stake"], "cheaper": scenarios["cheaper"]})
    assert len(found) == 6  # three combinations with something happening, for each
    assert found["cheaper", frozenset({"cheaper"})] == "cheaper"
    both = found["cheaper", frozenset({"stake", "cheaper"})]
    assert not isinstance(both, str)
    assert len(both.moves) == 2


def test_the_embedded_cases_event_is_a_scenario_on_request_that_begins_after_its_day_and_that_the_duties_that_came_replace() -> None:
    case = load_case("ampere")
    scenarios = parse_scenarios(case.scenarios)
    events = events_of(case.tables["uncertain"], lambda: scenarios)
    texts = {text.name: text for text in case.scenarios}
    assert list(events) == ["eu_duties_expected"]
    for name, event in events.items():
        assert texts[name].on_request and not texts[name].headline
        assert all(move.start is not None and move.start > case.as_of for move in event.moves)
    branch = branches_of(["eu_countervailing_duties"], scenarios, events)["eu_countervailing_duties", frozenset(events)]
    assert isinstance(branch, Scenario)
    programmes = branch.apply(build_world(case)).programmes
    electric = [p.scope.id for market in ("DE",) for p in in_force(programmes, market, dt.date(2026, 7, 1)) if isinstance(p, CountervailingDuty)]
    assert electric == ["eu_countervailing"]
