"""Companies of a run: what each is worth in the baseline, what scenarios change of it, what companies' stakes in each other are worth ([14])."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.case import Case
from keiretsu.errors import NegativeEquity
from keiretsu.outlook.ensemble import Ensemble
from keiretsu.outlook.outlook import BASELINE
from keiretsu.study.nothing import NothingStated
from keiretsu.valuation.company import CompanyValuation, value_company
from keiretsu.valuation.finance import finances
from keiretsu.valuation.football import football_field
from keiretsu.valuation.inputs import with_own_inputs
from keiretsu.valuation.money import Estimate, estimate
from keiretsu.valuation.worth import TERMINALS, Terminal, equity_of, holdings_of, worth_of_all


@dataclass(frozen=True, eq=False)
class CompanyPart:
    """A company in the baseline, and its equity by every way of asking (bar, basis, low_eur, middle_eur, high_eur)."""

    valuation: CompanyValuation
    football: pd.DataFrame


@dataclass(frozen=True)
class ValueChange:
    """Change of a company's equity in a scenario against the baseline of the same future, stakes as on the case's day; EUR at 2023 prices.

    `growth` and `exit_multiple` are the two terminal values; `p10` and `p90` belong to the first.
    """

    company: str
    scenario: str
    growth: Estimate
    exit_multiple: Estimate
    p10: float
    p90: float


@dataclass(frozen=True)
class StakeHeld:
    """What a company's stake in another is worth in the baseline, EUR at 2023 prices; `share` is its part of the cash flow."""

    holder: str
    company: str
    share: float
    worth: Estimate
    p10: float
    p90: float


def companies_of(case: Case, futures: Ensemble) -> tuple[tuple[CompanyPart, ...], str]:
    """Every company of finance.csv that has a value, the one that stakes are about first; and why others have none (empty when all have).

    Raises
    ------
    NothingStated
        When the case has no finance, or no company has a value.
    ValuationError
        As `value_company`, for anything but a company worth less than it owes.
    """
    _require_finance(case)
    first = focal_company(case)
    found, refused = [], []
    for name in sorted(finances(case), key=lambda name: name != first):
        try:
            found.append(CompanyPart(value_company(case, futures, name), football_field(case, futures, name)))
        except NegativeEquity as error:
            refused.append(str(error))
    if not found:
        raise NothingStated("; ".join(refused))
    return tuple(found), "; ".join(refused)


def focal_company(case: Case) -> str:
    """The company that terms of a stake are about, else the first with finance; empty when there is neither."""
    for table in ("stake_terms", "listing", "finance"):
        if len(case.tables[table]):
            return str(case.tables[table]["company"].iloc[0])
    return ""


def value_changes(case: Case, futures: Ensemble) -> tuple[ValueChange, ...]:
    """Change of every company's equity in every drawn scenario, through all stakes.

    Raises
    ------
    NothingStated
        When the case has no finance.
    """
    _require_finance(case)
    companies = tuple(finances(case))
    scenarios = [str(name) for name in futures.data["scenario"].values]
    equity = {name: _equities(case, futures, name, companies) for name in scenarios}
    found = []
    for scenario in scenarios:
        if scenario == BASELINE:
            continue
        for company in companies:
            by_terminal = {terminal: equity[scenario][terminal][company] - equity[BASELINE][terminal][company] for terminal in TERMINALS}
            low, high = np.quantile(by_terminal["growth"], (0.1, 0.9))
            found.append(
                ValueChange(company, scenario, estimate(by_terminal["growth"]), estimate(by_terminal["exit_multiple"]), float(low), float(high))
            )
    return tuple(found)


def stakes_held(case: Case, futures: Ensemble) -> tuple[StakeHeld, ...]:
    """Direct stakes of companies valued in each other at the model's values, largest first.

    Raises
    ------
    NothingStated
        When the case has no finance.
    """
    _require_finance(case)
    known = finances(case)
    holdings = holdings_of(case)
    equity = equity_of(case, worth_of_all(case, with_own_inputs(futures), BASELINE, with_synergies=True), "growth")
    found = []
    for f, holder in enumerate(holdings.companies):
        for g, company in enumerate(holdings.companies):
            share = float(holdings.cross_holdings[f, g])
            if share > 0 and holder in known and company in known:
                draws = share * equity.of(company)
                low, high = np.quantile(draws, (0.1, 0.9))
                found.append(StakeHeld(holder, company, share, estimate(draws), float(low), float(high)))
    return tuple(sorted(found, key=lambda one: -abs(one.worth.value)))


def _equities(case: Case, futures: Ensemble, scenario: str, companies: tuple[str, ...]) -> dict[Terminal, dict[str, np.ndarray]]:
    worths = worth_of_all(case, with_own_inputs(futures), scenario, with_synergies=True)
    found: dict[Terminal, dict[str, np.ndarray]] = {}
    for terminal in TERMINALS:
        equity = equity_of(case, worths, terminal)
        found[terminal] = {company: equity.of(company) for company in companies}
    return found


def _require_finance(case: Case) -> None:
    if case.tables["finance"].empty:
        raise NothingStated("The case states no company's finance (finance.csv), so nothing in it can be valued.")
