"""Pots that run out: the parts of the year against a simulation day by day."""

from __future__ import annotations

import datetime as dt

import pytest

from keiretsu.errors import PolicyError
from keiretsu.market.budget import Span, run_out, spans
from keiretsu.market.policy.programmes import Incentive
from tests.market.policy.small import scope

YEAR = (Span(dt.date(2024, 1, 1), 1.0),)


def yearly_rate(date: dt.date, open_: frozenset[str]) -> tuple[float, dict[str, float]]:
    """A market that sells more while pots are open: sales a year, and spending at that rate."""
    units = 1000.0 + 500.0 * ("a" in open_) + 200.0 * ("b" in open_)
    return units, {"a": 4000.0 * units, "b": 1000.0 * units}


def day_by_day(budgets: dict[str, float], days: int) -> dict[str, float]:
    """Sales with each pot paid out day by day, closed from the day it cannot pay; days of each pot."""
    left, sold, lasted = dict(budgets), 0.0, dict.fromkeys(budgets, 0)
    for _ in range(days):
        open_ = frozenset(name for name, money in left.items() if money > 0)
        units, spending = yearly_rate(dt.date(2024, 1, 1), open_)
        sold += units / days
        for name in open_:
            left[name] -= spending[name] / days
            lasted[name] += 1
    return {"sold": sold} | lasted


def test_a_pot_that_lasts_the_year_leaves_one_part():
    parts = run_out({"a": 1e9}, YEAR, yearly_rate)
    assert len(parts) == 1 and parts[0].weight == 1.0 and parts[0].spent_eur["a"] == pytest.approx(6e6)


def test_the_year_splits_on_the_day_a_pot_is_empty_as_day_by_day():
    budgets = {"a": 2.5e6, "b": 1.2e6}
    parts = run_out(budgets, YEAR, yearly_rate)
    days = 20_000  # short days, so that the simulation's last payment overshoots by little
    simulated = day_by_day(budgets, days)
    assert sum(p.weight for p in parts) == pytest.approx(1.0)
    for name, budget in budgets.items():
        assert sum(p.weight for p in parts if name in p.open) == pytest.approx(simulated[name] / days, abs=2 / days)
        assert sum(p.spent_eur.get(name, 0.0) for p in parts) == pytest.approx(budget)
    assert sum(p.weight * p.result for p in parts) == pytest.approx(simulated["sold"], abs=2 * 700 / days)


def test_programmes_that_start_or_end_within_the_year_cut_it_there():
    ended = Incentive(scope("a", end=dt.date(2024, 3, 31)), flat_eur=1)
    started = Incentive(scope("b", start=dt.date(2024, 10, 30)), flat_eur=1)
    cut = spans((ended, started), ("M",), 2024)
    assert [s.date for s in cut] == [dt.date(2024, 1, 1), dt.date(2024, 4, 1), dt.date(2024, 10, 30)]
    assert sum(s.weight for s in cut) == pytest.approx(1.0) and cut[0].weight == pytest.approx(91 / 366)
    assert len(spans((ended, started), ("elsewhere",), 2024)) == 1


def test_a_pot_that_fills_itself_is_refused():
    with pytest.raises(PolicyError, match="spending below zero"):
        run_out({"a": 1.0}, YEAR, lambda date, open_: (0.0, {"a": -1.0}))
