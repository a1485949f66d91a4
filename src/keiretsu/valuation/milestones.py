"""Which parts of a staged commitment are paid: those whose milestone is seen to be met and, with an option to walk away, look worth their price.

The option is decided on what can be seen when a part is due, never on what a draw will bring: the gain from paying is regressed on what is observed,
on one half of the draws, and the fitted rule decides for the other half. Any rule that can be followed is worth no more than the best one, so the value of
walking away shown is a lower bound.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from keiretsu.typing import Matrix
from keiretsu.valuation.inputs import observed
from keiretsu.valuation.position import Target, position
from keiretsu.valuation.terms import StakeTerms

SEEN = ("firm_profit_eur", "firm_units", "pack_price_eur_kwh")


def parts_due(terms: StakeTerms, data: xr.Dataset, scenario: str) -> Matrix:
    """Parts whose milestone is met; a part without a measure is always due. (N, milestones) of 0 and 1"""
    draws = data.sizes["draw"]
    due = np.ones((draws, len(terms.milestones)))
    for k, milestone in enumerate(terms.milestones):
        if milestone.measure:
            due[:, k] = observed(data, scenario, milestone.measure, milestone.of, milestone.year) >= milestone.at_least
    return due


def parts_worth_paying(terms: StakeTerms, target: Target, due: Matrix, data: xr.Dataset, scenario: str) -> Matrix:
    """Parts paid by an investor who may refuse any part that has a milestone. (N, milestones) of 0 and 1"""
    paid = due.copy()
    paid[:, [k for k, milestone in enumerate(terms.milestones) if milestone.measure]] = 0.0
    for k, milestone in enumerate(terms.milestones):
        if not milestone.measure:
            continue
        with_it = paid.copy()
        with_it[:, k] = due[:, k]
        gain = position(terms, target, with_it).net_present_value(1.0) - position(terms, target, paid).net_present_value(1.0)
        expected = _expected_from(_seen(data, scenario, terms.company, milestone.year), gain, due[:, k] > 0)
        paid[:, k] = due[:, k] * (expected > 0)
    return paid


def _expected_from(seen: Matrix, gain: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Gain expected from what is seen, each half of the draws judged by a rule fitted on the other half. (N,)"""
    expected = np.zeros(len(gain))
    halves = np.arange(len(gain)) % 2
    for half in (0, 1):
        fit, judge = rows & (halves != half), rows & (halves == half)
        if fit.sum() <= seen.shape[1]:
            expected[judge] = gain[rows].mean() if rows.any() else 0.0
            continue
        weights = np.linalg.lstsq(seen[fit], gain[fit], rcond=1e-10)[0]
        expected[judge] = seen[judge] @ weights
    return expected


def _seen(data: xr.Dataset, scenario: str, company: str, year: int) -> Matrix:
    columns = [np.ones(data.sizes["draw"])]
    for measure in SEEN:
        values = observed(data, scenario, measure, company, year)
        if values.std() > 0:
            columns.append((values - values.mean()) / values.std())
    return np.column_stack(columns)
