"""What must be true, asked of a model whose answer is known, and of the model itself on a small case."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from keiretsu.errors import ValuationError
from keiretsu.market.build import build_world
from keiretsu.numerics.draws import sobol
from keiretsu.outlook.case_facts import facts_of, last_year
from keiretsu.outlook.ensemble import ensemble
from keiretsu.outlook.outlook import build
from keiretsu.outlook.uncertain import draws_of, uncertain_of
from keiretsu.study.decisions import question_of
from keiretsu.study.on_the_model import StakeOnTheModel, stake_must_be_true
from keiretsu.study.run import no_listener
from keiretsu.valuation.inputs import with_own_inputs
from keiretsu.valuation.must_be_true import Question
from keiretsu.valuation.on_the_model import must_be_true_on_the_model
from keiretsu.valuation.stake import net_present_value, value_stake
from keiretsu.valuation.terms import terms_of
from tests.valuation.conftest import FILES, write_case

NAMES = [f"input {k}" for k in range(50)]
FACTOR = np.linalg.cholesky(np.eye(50) + np.diag(np.full(49, 0.4), 1) + np.diag(np.full(49, 0.4), -1))
SIZE = np.array([1.0 / (1 + k) for k in range(50)])  # EUR bn for one standard deviation of each input


class Straight:
    """Fifty correlated inputs with unit deviations, and a rival whose coming costs half a billion. EUR bn."""

    def value(self, normals, events):
        return 1.0 + SIZE @ (FACTOR @ normals) - 0.5 * (events["rival"] - 1.0)

    def slope(self, normals, events):
        return FACTOR.T @ SIZE

    checked = value


def question(draws=64, level=1.0):
    z = np.concatenate([sobol(draws // 8, 50, seed).node for seed in range(8)]).reshape(8, -1, 50).transpose(1, 0, 2).reshape(draws, 50)
    comes = (np.arange(draws) % 5 < 4).astype(float)
    return Question(
        decision="The stake",
        npv_eur=level + z @ FACTOR.T @ SIZE - 0.5 * (comes - 1.0),
        normals=pd.DataFrame(z, columns=NAMES),
        in_units=lambda rows: np.atleast_2d(rows) @ FACTOR.T,
        factor=FACTOR,
        events=pd.DataFrame({"rival": comes}),
        units=dict.fromkeys(NAMES, "EUR"),
        words=dict(zip([*NAMES, "rival"], [*NAMES, "the rival"], strict=True)),
    )


def test_with_fifty_inputs_and_sixty_four_draws_the_point_is_that_of_the_closed_form() -> None:
    found = must_be_true_on_the_model(question(), Straight(), {"rival": 0.8})
    spread = np.linalg.norm(FACTOR.T @ SIZE)
    assert found.branches["beta"].to_numpy() == pytest.approx([1.0 / spread, 1.5 / spread], rel=1e-9)
    exact = 0.8 * stats.norm.sf(1.0 / spread) + 0.2 * stats.norm.sf(1.5 / spread)
    chances = found.chances.set_index("how")["loss"]
    assert chances["from the distance"] == pytest.approx(exact, rel=1e-9)
    assert chances["lines through the draws"] == pytest.approx(exact, abs=0.02)  # whether the rival comes is still drawn
    covariance = FACTOR @ FACTOR.T
    np.testing.assert_allclose(
        found.table.set_index("input").loc[NAMES, "at_point"], -covariance @ SIZE / spread**2, atol=1e-9
    )  # mean of normals given that the sum is zero
    assert found.table["importance"].sum() == pytest.approx(1.0)
    assert found.zero.evaluations == 2 and found.zero.sweeps == 2 and found.left_eur == pytest.approx(0.0, abs=1e-12)
    assert found.events["turned_eur"].tolist() == pytest.approx([0.5])
    assert "input 0" in found.sentence and "chance" in found.sentence


def test_a_decision_that_no_future_in_reach_turns_is_said_with_its_chance() -> None:
    class Far(Straight):
        def value(self, normals, events):
            return super().value(normals, events) + 99.0

    with pytest.raises(ValuationError, match="no future in reach turns the verdict"):
        must_be_true_on_the_model(question(level=100.0), Far(), {"rival": 0.8})


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    uncertain = (
        "input,distribution,central,low,high\nprice_sensitivity,lognormal,1,0.8,1.25\nrest_cost_trend,normal,0.004,0,0.008\n"
        "demand_growth,normal,0.003,-0.007,0.013\nfixed_cost,lognormal,1,0.92,1.09\n"
    )
    lean = FILES["finance.csv"].replace("Electric,0.1,0,0.25,0.5,0.5e9,0.3e9,0.3e9,1e9", "Electric,0.1,0,0.25,0.5,0.05e9,0.01e9,0.01e9,0.1e9")
    case = write_case(tmp_path_factory.mktemp("small"), uncertain=uncertain, finance=lean)
    world = build_world(case)
    outlook = build(world, {}, facts_of(case, world, last_year(case)))
    inputs, correlation = uncertain_of(case.tables, outlook.roster.launched)
    drawn = draws_of(inputs, correlation, outlook.central(), 16, 5)
    futures = ensemble(outlook, drawn, outlook.scenarios, 8, 1, False, no_listener, {})
    return case, futures, outlook, dataclasses.replace(terms_of(case, "old"), exit_year=outlook.facts.years[-1])


@pytest.mark.slow
def test_the_model_asked_again_gives_each_draw_its_value_and_its_slope_is_that_of_differences(small) -> None:
    case, futures, outlook, terms = small
    npv = net_present_value(case, with_own_inputs(futures), terms, floor=False)
    asked = question_of(case, futures, "It", npv)
    model = StakeOnTheModel(case, futures, outlook, terms, asked)
    for draw in (0, 9):
        point = asked.normals.iloc[draw].to_numpy(float)
        assert model.checked(point, {}) == pytest.approx(npv[draw], rel=1e-9)
        assert model.value(point, {}) == pytest.approx(npv[draw], rel=1e-9)  # without a scenario there is one path
    point = np.array([0.3, -0.2, 0.4, 0.1])
    slope = model.slope(point, {})
    step = 1e-2
    for k, direction in enumerate(np.eye(4) * step):
        seen = (model.value(point + direction, {}) - model.value(point - direction, {})) / (2 * step)
        assert slope[k] == pytest.approx(seen, rel=1e-3)  # prices settled to 1e-8 of a car's, over a step of a hundredth


@pytest.mark.slow
def test_the_point_found_on_the_model_is_worth_nothing_there(small) -> None:
    case, futures, outlook, terms = small
    value = value_stake(case, futures, terms).net_present_value
    even = dataclasses.replace(terms, valuation_eur=terms.valuation_eur * float((value.mean() + terms.amount_eur) / terms.amount_eur))
    found = stake_must_be_true(case, futures, outlook, even)
    spread = float(np.std(found.question.npv_eur))
    assert abs(found.left_eur) < 0.05 * spread and found.zero.settled
    assert found.loss.value == pytest.approx(float((found.question.npv_eur < 0).mean()))


@pytest.mark.slow
def test_a_commitment_in_parts_is_refused(small) -> None:
    case, futures, outlook, _ = small
    with pytest.raises(ValuationError, match="a commitment in parts has no slope"):
        stake_must_be_true(case, futures, outlook, dataclasses.replace(terms_of(case, "parts"), scenario=""))
