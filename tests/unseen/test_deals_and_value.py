"""Joint ventures, take-overs and extended scenarios in what companies are worth: nobody's profit is lost because a deal gave it another name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from keiretsu.case import Case
from keiretsu.outlook.ensemble import Ensemble
from keiretsu.study.decisions import choice_values
from keiretsu.study.plans import best_plan_of_moves
from keiretsu.valuation.cash_flow import sized_by
from keiretsu.valuation.plan import Budget
from keiretsu.valuation.worth import equity_of, worth_of_all
from tests.valuation.conftest import MadeUp, make_ensemble, write_case

VENTURE = '[[moves]]\ntype = "joint_venture"\ncompany = "Other"\nsplit = { Parent = 0.6, Partner = 0.4 }\nproducts = { product = ["d"] }\n'
MERGER = '[[moves]]\ntype = "merger"\nacquirer = "Parent"\ntarget = "Partner"\npaid_in_shares = {shares}\n'
LAUNCH = '[[moves]]\ntype = "launch"\nproduct = "n"\nmarkets = ["M"]\nbrand = "Parent"\nlike = "a"\nprice_eur = 20000\nmargin = 0.2\n'


@pytest.fixture(scope="module")
def drawn() -> MadeUp:
    return make_ensemble(draws=16, stake_gain=3e7)


def written(path: Path, scenarios: Mapping[str, str]) -> Case:
    """The small case without synergies, with these scenarios."""
    (path / "scenarios").mkdir()
    for name, text in scenarios.items():
        (path / "scenarios" / f"{name}.toml").write_text(f'title = "{name}"\n{text}')
    head = "scenario,company,kind,from_year,to_year,eur_a_year,eur_per_car\n"
    platforms = "platform,company,from_year,to_year,capex_eur,partner,partner_share,shared_in,dropped_in\n"
    return write_case(path, synergies=head, platforms=platforms)


def equity(case: Case, drawn: MadeUp, scenario: str, company: str) -> np.ndarray:
    return equity_of(case, worth_of_all(case, drawn.data, scenario, with_synergies=True), "growth").of(company)


def test_parents_book_their_parts_of_a_venture(tmp_path: Path, drawn: MadeUp) -> None:
    """By hand: the same data with the venture's figures put to its parents, and no venture."""
    case = written(tmp_path, {"stake": VENTURE})
    found = worth_of_all(case, drawn.data, "stake", with_synergies=True)
    by_hand = drawn.data.copy(deep=True)
    for name in ("firm_profit_eur", "firm_revenue_eur", "firm_units"):
        values = by_hand[name].sel(scenario="stake")
        for parent, part in (("Parent", 0.6), ("Partner", 0.4)):
            by_hand[name].loc[{"scenario": "stake", "firm": parent}] = values.sel(firm=parent) + part * values.sel(firm="Other")
    without = dataclasses.replace(case, scenarios=())
    hand = worth_of_all(without, by_hand, "stake", with_synergies=True)
    for parent in ("Parent", "Partner"):
        before = worth_of_all(case, drawn.data, "baseline", with_synergies=True)[parent].own("growth")
        assert (found[parent].own("growth") > before).all()
        np.testing.assert_allclose(found[parent].cash.margin, hand[parent].cash.margin, rtol=1e-12)
        np.testing.assert_allclose(found[parent].cash.revenue, hand[parent].cash.revenue, rtol=1e-12)


@pytest.mark.parametrize("shares", [0.0, 0.3])
def test_who_takes_over_gains_what_both_gain_over_what_it_pays(shares: float, tmp_path: Path, drawn: MadeUp) -> None:
    case = written(tmp_path, {"stake": MERGER.format(shares=shares)})
    futures = Ensemble(drawn.data, pd.DataFrame(index=range(16)), pd.DataFrame(index=range(16)), drawn.central, {"replicates": 8})
    found = choice_values(case, futures, ("stake",), "Parent", ("Parent",), {})["stake"]
    before, after = (
        {name: equity(case, drawn, scenario, name) for name in ("Parent", "Partner")} for scenario in ("baseline", "stake")
    )  # Parent holds four tenths of Partner
    if shares == 0.0:
        hand = after["Parent"] - before["Parent"] + 0.6 * (after["Partner"] - before["Partner"])
    else:
        hand = 0.7 * (after["Parent"] + 0.6 * after["Partner"]) - before["Parent"]
    np.testing.assert_allclose(found, hand, rtol=1e-12)


def test_a_take_over_counts_against_a_budget_at_its_price(tmp_path: Path, drawn: MadeUp) -> None:
    case = written(tmp_path, {"stake": MERGER.format(shares=0)})
    data = drawn.data.assign(firm_profit_eur=drawn.data["firm_profit_eur"].copy(deep=True))
    data["firm_profit_eur"].loc[{"scenario": "stake", "firm": "Partner"}] += 2e8
    futures = Ensemble(data, pd.DataFrame(index=range(16)), pd.DataFrame(index=range(16)), drawn.central, {"replicates": 8})
    price = 0.6 * float(equity(case, drawn, "baseline", "Partner").mean())
    assert best_plan_of_moves(case, futures, "Parent", ("stake",), (2025,), Budget(0.99 * price)).plan == {}
    found = best_plan_of_moves(case, futures, "Parent", ("stake",), (2025,), Budget(1.01 * price))
    assert found.plan == {"stake": 2025} and found.cost_eur == pytest.approx(price, rel=1e-9)


def test_a_scenario_that_extends_a_launch_needs_the_company_for_it_too(tmp_path: Path) -> None:
    case = written(tmp_path, {"car": LAUNCH, "stake": 'extends = ["car"]\n[[moves]]\ntype = "pact"\ncompany = "Other"\nmembers = ["Parent"]\n'})
    assert [sized_by(case, name) for name in ("baseline", "car", "stake")] == ["baseline", "car", "stake"]
