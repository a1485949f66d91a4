"""A plan of a company's moves by year under a budget, from the futures of a run ([19]).

A move made in a year brings what its scenario brings from that year on: the change of the company's own free cash flow in the years left, and of what comes
after them. A stake is bought in the year of its terms and brings its net present value too. Values of several moves are taken to add up, and every figure is the mean
over futures; what is spent counts against the budget in the year in which it is spent, as of the day of the case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from keiretsu.case import Case
from keiretsu.errors import Problem, ValuationError
from keiretsu.outlook.ensemble import Ensemble
from keiretsu.outlook.outlook import BASELINE
from keiretsu.study.decisions import stake_claims
from keiretsu.valuation.cash_flow import platform_path
from keiretsu.valuation.deals import taken_over_by
from keiretsu.valuation.finance import at_model_prices, decimal_year, finance_of, finances
from keiretsu.valuation.inputs import with_own_inputs
from keiretsu.valuation.plan import BestPlan, Budget, Candidate, best_additive_plan
from keiretsu.valuation.terms import StakeTerms, terms_of
from keiretsu.valuation.worth import Worth, equity_of, holdings_of, worth_of_all


def best_plan_of_moves(case: Case, futures: Ensemble, company: str, scenarios: Sequence[str], years: Sequence[int], budget: Budget) -> BestPlan:
    """The best moves and years that the budget allows, proven by branch and bound.

    Raises
    ------
    ValuationError
        No finance for the company, a scenario that was not simulated, a year outside those simulated.
    """
    finance = finance_of(finances(case), company)
    data = with_own_inputs(futures)
    simulated = [int(year) for year in data["year"].values]
    outside = [year for year in years if year not in simulated]
    if outside or not years:
        seen = ", ".join(map(str, outside)) or "no year"
        raise ValuationError(Problem("a year outside those simulated", f"plan of {company}", seen, f"{simulated[0]} to {simulated[-1]}"))
    base = worth_of_all(case, data, BASELINE, with_synergies=True)
    claims = stake_claims(case, futures, company, scenarios)
    terms = {name: _terms(case, company, name) for name in claims}
    candidates, value = [], {}
    for name in scenarios:
        changed = worth_of_all(case, data, name, with_synergies=True)
        brings, price = _from_year(base[company], changed[company], simulated), 0.0
        for target, of_others in _bought_whole(case, company, name).items():
            gained = _from_year(base[target], changed[target], simulated)
            brings = {year: own + of_others * gained[year] for year, own in brings.items()}
            price += of_others * float(equity_of(case, base, "growth").of(target).mean())
        if name in claims:
            bought = terms[name]
            when = bought.date.year
            cost = {when: at_model_prices(bought.amount_eur, decimal_year(bought.date), finance.inflation, finance.price_year)}
            value[name, when] = brings[when] + float(claims[name].mean())
        else:
            spent = platform_path(case, company, name, np.array(simulated)) - platform_path(case, company, BASELINE, np.array(simulated))
            more = float(np.maximum(spent, 0.0).sum()) + price
            cost = dict.fromkeys(years, more)
            value |= {(name, year): brings[year] for year in years}
        candidates.append(Candidate(name, cost, excludes=_instead(name, terms)))
    return best_additive_plan(candidates, budget, value)


def _bought_whole(case: Case, company: str, scenario: str) -> Mapping[str, float]:
    """Companies that a scenario's mergers buy, and the part of each that others held, paid for in cash at its worth without the deal.

    Raises
    ------
    ValuationError
        A company without finance, or one paid for in shares: what they are worth depends on the other moves of a plan.
    """
    found: dict[str, float] = {}
    for target, in_shares in taken_over_by(case, scenario, company).items():
        finance_of(finances(case), target)
        if in_shares > 0:
            raise ValuationError(Problem("a take-over paid in shares has no price for a budget", f"plan of {company}", scenario, "one paid in cash"))
        holdings = holdings_of(case)
        found[target] = 1.0 - float(holdings.cross_holdings[holdings.company_index(company), holdings.company_index(target)])
    return found


def _from_year(base: Worth, changed: Worth, years: Sequence[int]) -> Mapping[int, float]:
    """Mean value of a scenario's own cash over the baseline's when it begins in each of the years."""
    factor = base.time.part * (1 + base.finance.rate) ** -base.time.middle
    yearly = (changed.cash.free_cash_flow - base.cash.free_cash_flow).mean(axis=0) * factor
    after = float((changed.after["growth"] - base.after["growth"]).mean())
    return {year: float(yearly[k:].sum()) + after for k, year in enumerate(years)}


def _terms(case: Case, company: str, scenario: str) -> StakeTerms:
    """The first terms of the company for the scenario: those that `stake_claims` values."""
    rows = [row for row in case.tables["stake_terms"].to_dict("records") if row["investor"] == company and row["scenario"] == scenario]
    return terms_of(case, str(rows[0]["terms"]))


def _instead(name: str, terms: Mapping[str, StakeTerms]) -> tuple[str, ...]:
    """Stakes in the same company: one is bought or the other."""
    return tuple(other for other in terms if name in terms and other != name and terms[other].company == terms[name].company)
