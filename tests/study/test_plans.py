"""Plans of moves by year: what a later start loses, what a budget forbids, one stake or the other."""

# pyright: reportArgumentType=false, reportCallIssue=false
# (records made up for a test stand in for those of a solved world)

import numpy as np
import pytest

from keiretsu.errors import ValuationError
from keiretsu.study.plans import best_plan_of_moves
from keiretsu.valuation.plan import Budget
from keiretsu.valuation.stake import value_stake
from keiretsu.valuation.worth import worth_of_all
from tests.valuation.conftest import FILES, make_ensemble, write_case

YEARS = (2024, 2025, 2026)


def gain(case, ensemble, company, scenario):
    base, changed = (worth_of_all(case, ensemble.data, name, with_synergies=True)[company] for name in ("baseline", scenario))
    return base, changed


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return write_case(tmp_path_factory.mktemp("small"))


def test_a_move_that_brings_money_every_year_begins_at_once_and_waiting_loses_the_years_between(case):
    ensemble = make_ensemble(64, stake_gain=50e6)
    found = best_plan_of_moves(case, ensemble, "Electric", ("stake",), YEARS, Budget())
    assert found.plan == {"stake": 2024} and found.proof == "branch and bound"
    base, changed = gain(case, ensemble, "Electric", "stake")
    assert found.value_eur == pytest.approx(float((changed.operating("growth") - base.operating("growth")).mean()), rel=1e-9)
    later = best_plan_of_moves(case, ensemble, "Electric", ("stake",), (2026,), Budget())
    missed = (changed.cash.free_cash_flow - base.cash.free_cash_flow)[:, :2].mean(axis=0)
    factor = (base.time.part * (1 + base.finance.rate) ** -base.time.middle)[:2]
    assert found.value_eur - later.value_eur == pytest.approx(float(missed @ factor), rel=1e-9)


def test_a_stake_is_bought_in_the_year_of_its_terms_and_not_beyond_the_budget(tmp_path):
    cheap = write_case(tmp_path, stake_terms=FILES["stake_terms.csv"].replace("600e6,EUR,8e9,pre_money", "600e6,EUR,0.4e9,pre_money"))
    ensemble = make_ensemble(64)
    found = best_plan_of_moves(cheap, ensemble, "Partner", ("stake",), YEARS, Budget())
    assert value_stake(cheap, ensemble, "new").net_present_value.mean() > 0
    assert found.plan == {"stake": 2024} and 550e6 < found.cost_eur < 600e6  # 600 million of the day at prices of 2023
    assert best_plan_of_moves(cheap, ensemble, "Partner", ("stake",), YEARS, Budget(total_eur=500e6)).plan == {}


def test_what_is_not_simulated_is_refused(case):
    ensemble = make_ensemble(16)
    with pytest.raises(ValuationError, match="a year outside those simulated"):
        best_plan_of_moves(case, ensemble, "Electric", ("stake",), (2050,), Budget())
    with pytest.raises(ValuationError, match="no such scenario"):
        best_plan_of_moves(case, ensemble, "Electric", ("merger",), YEARS, Budget())
    assert np.isfinite(best_plan_of_moves(case, ensemble, "Electric", (), YEARS, Budget()).value_eur)
