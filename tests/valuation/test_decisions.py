"""From a case and an ensemble to the questions of a board: inputs in their own units, values by move, payoffs by seating."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from keiretsu.errors import ValuationError
from keiretsu.outlook.ensemble import Ensemble
from keiretsu.outlook.inputs import INPUTS
from keiretsu.outlook.uncertain import draws_of, uncertain_of
from keiretsu.study.decisions import NOTHING, choice_values, operating_change, payoffs_from, question_of
from keiretsu.study.said_inputs import WORDS, in_words
from keiretsu.valuation.alliances import alliance
from keiretsu.valuation.choosing import choose
from keiretsu.valuation.cooperation import Cooperation, Partner, name_of
from keiretsu.valuation.discounting import clock, value_of_flows
from keiretsu.valuation.finance import decimal_year, finances
from keiretsu.valuation.must_be_true import what_must_be_true
from tests.valuation.conftest import make_ensemble

UNCERTAIN = pd.DataFrame(
    [
        ("learning_rate", "normal", 0.18, 0.14, 0.22),
        ("price_sensitivity", "lognormal", 1.0, 0.8, 1.25),
        ("happens:rival", "discrete", 0.7, None, None),
    ],
    columns=["input", "distribution", "central", "low", "high"],
).assign(source="own", row="uncertain.csv:2")
CORRELATIONS = pd.DataFrame([("learning_rate", "price_sensitivity", 0.5)], columns=["input_a", "input_b", "correlation"])
DRAWS = 256


def with_inputs(case):
    return dataclasses.replace(case, tables={**case.tables, "uncertain": UNCERTAIN, "correlations": CORRELATIONS})


def futures(case, data=None):
    inputs, correlation = uncertain_of(case.tables, ("rival",))
    drawn = draws_of(inputs, correlation, {one.name: one.central for one in inputs}, DRAWS, 3)
    made = make_ensemble(DRAWS)
    return Ensemble(made.data if data is None else data, drawn.values, drawn.normals, made.central, {"replicates": 8})


def test_the_point_is_in_the_inputs_own_units_and_an_event_is_no_input(case):
    case = with_inputs(case)
    ahead = futures(case)
    npv = 5e8 * (ahead.inputs["learning_rate"] - 0.15) / 0.03 - 4e8 * ahead.inputs["happens:rival"] + 1e8 * (ahead.inputs["price_sensitivity"] - 1)
    found = what_must_be_true(question_of(case, ahead, "It", npv.to_numpy(float)))
    assert set(found.branches["branch"]) == {"with rival", "without rival"}
    assert set(found.table["input"]) == {"learning_rate", "price_sensitivity"}
    at = found.table.set_index(["branch", "input"])["at_point"]
    for branch, rival in (("with rival", 1.0), ("without rival", 0.0)):
        left = 5e8 * (at[branch, "learning_rate"] - 0.15) / 0.03 - 4e8 * rival + 1e8 * (at[branch, "price_sensitivity"] - 1)
        assert abs(left) < 2e-3 * 5e8  # a polynomial of degree three for a lognormal: parts in a thousand
    assert found.table.set_index(["branch", "input"])["middle"]["with rival", "learning_rate"] == pytest.approx(0.18)
    assert found.held_out_r2 > 0.999


def test_events_correlated_with_inputs_are_refused(case):
    tied = CORRELATIONS.assign(input_b="happens:rival")
    other = dataclasses.replace(case, tables={**case.tables, "uncertain": UNCERTAIN, "correlations": tied})
    with pytest.raises(ValuationError, match="event is correlated"):
        question_of(other, futures(other), "It", np.zeros(DRAWS))


def test_choosing_counts_margins_at_the_companys_rate_and_nothing_is_worth_nothing(case):
    ahead = futures(with_inputs(case))
    change = operating_change(case, ahead, "stake", "Electric", ("Electric",))
    time = clock(ahead.data["year"].values, decimal_year(case.as_of))
    yearly = (ahead.data["firm_profit_eur"].sel(scenario="stake") - ahead.data["firm_profit_eur"].sel(scenario="baseline")).sel(firm="Electric")
    np.testing.assert_allclose(change, value_of_flows(yearly.values, finances(case)["Electric"].rate, time), rtol=1e-9)
    values = choice_values(case, ahead, ("stake",), "Electric", ("Electric",), {"stake": np.full(DRAWS, -1e9)})
    assert (values[NOTHING] == 0).all()
    found = choose(values, ahead.inputs)
    assert found.best == NOTHING  # the claim costs more than the markets bring


def test_seatings_are_read_from_scenarios_by_their_names_and_nobody_cooperating_is_the_baseline(case):
    partners = (Partner("Parent", ("Parent", "Electric")), Partner("Partner", ("Partner",)))
    data = make_ensemble(8).data
    together = data.sel(scenario=["stake"]).assign_coords(scenario=[name_of((("Parent", "Partner"),))])
    ahead = futures(with_inputs(case), xr.concat([data.sel(scenario=["baseline"]), together], "scenario"))
    found = alliance(partners, Cooperation(), payoffs_from(case, ahead, partners))
    worth = found.coalitions.set_index("coalition")["gamma_eur"]
    assert worth["Parent"] == 0 == worth["Partner"]
    own = [
        operating_change(case, _renamed(ahead), "stake", company, firms)
        for company, firms in (("Parent", ("Parent", "Electric")), ("Partner", ("Partner",)))
    ]
    assert worth["Parent + Partner"] == pytest.approx(sum(one.mean() for one in own))


def _renamed(ahead):
    return dataclasses.replace(ahead, data=ahead.data.assign_coords(scenario=["baseline", "stake"]))


def test_inputs_have_plain_names():
    assert in_words("appeal:renault_5_e_tech") == "appeal of renault 5 e tech"
    assert in_words("learning_rate") == "learning rate of batteries"
    assert {name for name in INPUTS if not name.startswith("fx_")} <= set(WORDS) <= set(INPUTS)  # every input has a name of its own
    assert in_words("fx_JPY") == "value of the yen" and in_words("fx_THB") == "value of THB"
    assert in_words("happens:tesla_low_cost") == "tesla low cost"
