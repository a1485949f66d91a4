"""From a case and its futures to the questions a board asks: what must be true, which coalition, which move ([17]-[19])."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from keiretsu.case import Case
from keiretsu.errors import Problem, ValuationError
from keiretsu.moves.companies import JointVenture, Merger
from keiretsu.moves.cost_moves import Partnership
from keiretsu.moves.move import Move
from keiretsu.outlook.ensemble import Ensemble
from keiretsu.outlook.inputs import input_of
from keiretsu.outlook.outlook import BASELINE
from keiretsu.outlook.uncertain import Uncertain, uncertain_of
from keiretsu.study.run import chosen_scenarios
from keiretsu.study.said_inputs import input_said
from keiretsu.typing import Matrix, Vector
from keiretsu.valuation.alliances import Payoffs
from keiretsu.valuation.cooperation import Partner, Seating, name_of
from keiretsu.valuation.deals import taken_over_by
from keiretsu.valuation.discounting import clock, value_of_flows
from keiretsu.valuation.finance import decimal_year, finance_of, finances
from keiretsu.valuation.inputs import Futures, prospects, with_own_inputs
from keiretsu.valuation.must_be_true import Question
from keiretsu.valuation.stake import value_stake
from keiretsu.valuation.worth import equity_of, worth_of_all

NOTHING = "nothing"


def question_of(case: Case, futures: Ensemble, decision: str, npv_eur: Vector) -> Question:
    """What is uncertain in an ensemble, as `keiretsu.valuation.must_be_true` asks for it; discrete inputs become events."""
    launched = tuple(name.split(":", 1)[1] for name in futures.inputs.columns if ":" in str(name))
    inputs, correlation = uncertain_of(case.tables, launched)
    known = {one.name: one for one in inputs}
    missing = [name for name in futures.normals.columns if name not in known]
    if missing:
        raise ValuationError(
            [Problem("the futures come from other inputs than the case's", "uncertain.csv", str(name), "the same case") for name in missing]
        )
    ordered = [known[str(name)] for name in futures.normals.columns]
    place = [inputs.index(one) for one in ordered]
    factor = np.linalg.cholesky(correlation[np.ix_(place, place)])
    smooth = [k for k, one in enumerate(ordered) if one.distribution != "discrete"]
    events = [k for k, one in enumerate(ordered) if one.distribution == "discrete"]
    tied = [
        ordered[k].name
        for k in events
        if np.abs(np.delete(factor[k], k)).max(initial=0.0) > 0 or np.abs(np.delete(factor[:, k], k)).max(initial=0.0) > 0
    ]
    if tied:
        raise ValuationError([Problem("an event is correlated with an input", "correlations.csv", name, "events on their own") for name in tied])
    own = factor[np.ix_(smooth, smooth)]
    chosen = [ordered[k] for k in smooth]
    return Question(
        decision=decision,
        npv_eur=npv_eur,
        normals=futures.normals.iloc[:, smooth],
        in_units=_in_units(chosen, own),
        factor=own,
        events=futures.inputs[[ordered[k].name for k in events]],
        units={one.name: _unit(one.name) for one in chosen},
        words={one.name: input_said(case, one.name) for one in ordered},
    )


def operating_change(case: Case, futures: Ensemble, scenario: str, company: str, firms: Sequence[str]) -> Vector:
    """Change of the operating value of some firms in a scenario, by draw: margins of the years simulated at the company's real rate, before tax. (N,) EUR"""
    rate = finance_of(finances(case), company).rate
    time = clock(np.asarray(futures.data["year"].values, int), decimal_year(case.as_of))

    def worth(name: str) -> Vector:
        ahead = prospects(futures.data, name)
        return sum((value_of_flows(ahead.of(firm)[0], rate, time) for firm in firms), np.zeros(ahead.draws))

    return worth(scenario) - worth(BASELINE)


def equity_change(case: Case, futures: Ensemble, scenario: str, company: str) -> Vector:
    """Change of what a company's shares are worth in a scenario, by draw: its own cash flow with synergies and after tax, and its stakes of the case's day in others'. (N,) EUR

    A company that it takes over is its own afterwards, at the price that the shares of others are worth without the deal; where they are paid in shares, its present holders
    keep the rest of both.

    Raises
    ------
    ValuationError
        When the case states no finance for a company that is taken over.
    """
    data = with_own_inputs(futures)
    before, after = (equity_of(case, worth_of_all(case, data, name, with_synergies=True), "growth") for name in (BASELINE, scenario))
    whole, kept, price = after.of(company), 1.0, np.zeros(data.sizes["draw"])
    for target, paid_in_shares in taken_over_by(case, scenario, company).items():
        finance_of(finances(case), target)
        of_others = 1.0 - float(after.holdings.cross_holdings[after.holdings.company_index(company), after.holdings.company_index(target)])
        whole = whole + of_others * after.of(target)
        kept *= 1.0 - paid_in_shares
        price = price + (of_others * before.of(target) if paid_in_shares == 0 else 0.0)
    return kept * (whole - price) - before.of(company)


def choice_values(
    case: Case, futures: Ensemble, scenarios: Sequence[str], company: str, firms: Sequence[str], more: Mapping[str, Vector]
) -> pd.DataFrame:
    """Net present value of each scenario to a company, draw by move, doing nothing among them: the change of what its shares are worth, or of the operating value of `firms`
    where the case states no finance for it.

    Parameters
    ----------
    more
        What comes on top of the operating value by scenario and draw: the claim a stake buys, less what is paid for it.
    """
    found = {NOTHING: np.zeros(futures.data.sizes["draw"])}
    valued = company in finances(case)
    for name in scenarios:
        found[name] = (equity_change(case, futures, name, company) if valued else operating_change(case, futures, name, company, firms)) + more.get(
            name, 0.0
        )
    return pd.DataFrame(found)


def knowable(futures: Ensemble) -> pd.DataFrame:
    """What might be known before deciding, draw by column: every uncertain input, and the pack price of each year (EUR/kWh), which many inputs make together."""
    price = futures.data["pack_price_eur_kwh"].sel(scenario=BASELINE)
    by_year = {f"pack price of {int(year)}": price.sel(year=year).values for year in price["year"].values}
    inputs = futures.inputs[list(futures.normals.columns)]
    return pd.concat([inputs, pd.DataFrame(by_year, index=inputs.index)], axis=1)


def moves_open_to(case: Case, company: str) -> tuple[str, ...]:
    """Scenarios that are this company's own move: the first stake it has terms for, partnerships and joint ventures it takes part in, and mergers by which it takes over.

    Raises
    ------
    ValuationError
        When there is none.
    """
    terms = case.tables["stake_terms"]
    stakes = [str(row["scenario"]) for row in terms.to_dict("records") if row["investor"] == company and row["scenario"]][:1]
    known = chosen_scenarios(case, ())
    partnerships = [one.name for one in known if any(company in _partners(move) for move in one.moves)]
    found = tuple(dict.fromkeys([*stakes, *partnerships]))
    if not found:
        raise ValuationError(
            Problem(
                "no scenario is a move of this company",
                "choosing",
                company,
                "a stake, partnership, joint venture or take-over of its own",
                "name scenarios with -s",
            )
        )
    return found


def _partners(move: Move) -> tuple[str, ...]:
    """Whose own move it is."""
    if isinstance(move, Partnership):
        return tuple(move.partners)
    if isinstance(move, JointVenture):
        return tuple(move.split)
    return (move.acquirer,) if isinstance(move, Merger) else ()


def stake_claims(case: Case, futures: Futures, company: str, scenarios: Sequence[str]) -> dict[str, Vector]:
    """What the stake of each scenario brings its buyer beyond own prices, on the case's day, by draw: its net present value under the first terms stated for it, less the
    part of what the others lose by them that is the buyer's own.
    """
    found: dict[str, Vector] = {}
    for row in case.tables["stake_terms"].to_dict("records"):
        scenario = str(row["scenario"])
        if row["investor"] == company and scenario in scenarios and scenario not in found:
            found[scenario] = value_stake(case, futures, str(row["terms"])).to_investor
    return found


def payoffs_from(case: Case, futures: Ensemble, partners: Sequence[Partner]) -> Payoffs:
    """Payoffs of seatings from an ensemble whose scenarios go by the seatings' names; nobody cooperating is the baseline."""
    rates = finances(case)
    data = futures.data if len(futures.inputs) else futures.central
    time = clock(np.asarray(data["year"].values, int), decimal_year(case.as_of))

    def payoffs(seating: Seating) -> Mapping[str, Vector]:
        name = BASELINE if all(len(group) == 1 for group in seating) else name_of(seating)
        ahead = prospects(data, name)
        return {firm: value_of_flows(ahead.of(firm)[0], finance_of(rates, partner.name).rate, time) for partner in partners for firm in partner.firms}

    return payoffs


def _unit(name: str) -> str:
    found = input_of(name)
    return "" if found is None else found.unit


def _in_units(inputs: Sequence[Uncertain], factor: Matrix) -> Callable[[Matrix], Matrix]:
    def in_units(normals: Matrix) -> Matrix:
        joint = np.asarray(normals, float) @ factor.T
        return np.stack([one.value(joint[..., k]) for k, one in enumerate(inputs)], axis=-1)

    return in_units
