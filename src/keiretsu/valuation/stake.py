"""A stake in a company, for everybody at the table ([15]).

Three values are kept apart. *The claim*: what the share of the company is worth less what is paid for it, markets as without the deal; one party's gain is
another's loss. *Own prices*: what changes because the investor prices its own cars with an eye to the company. *Synergies*: what both save together
(platform access, supply at cost, a CO2 pool). Premiums and discounts for control, for a minority and for shares that cannot be sold are lines of
their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from keiretsu.case import Case
from keiretsu.errors import Problem, ValuationError
from keiretsu.numerics.irr import internal_rates
from keiretsu.valuation.discounting import clock, value_of_flows_between
from keiretsu.valuation.equity import Equity, refuse_negative
from keiretsu.valuation.finance import decimal_year, finance_of, finances
from keiretsu.valuation.inputs import BASELINE, Futures, with_own_inputs
from keiretsu.valuation.milestones import parts_due, parts_worth_paying
from keiretsu.valuation.money import estimate, estimate_where, stated_sum, with_error
from keiretsu.valuation.odds import in_futures
from keiretsu.valuation.parties import Deal, handed_on, own_prices_table, parties_tables
from keiretsu.valuation.position import Position, Target, position
from keiretsu.valuation.terms import StakeTerms, refuse_bad_terms, terms_of
from keiretsu.valuation.worth import Terminal, Worth, equity_of, holdings_of, worth_of_all

PRO_RATA, DISCOUNTED = "pro rata", "after premium and discounts"


@dataclass(frozen=True, eq=False)
class StakeValuation:
    """A stake under given terms. Money is EUR at 2023 prices on the day of entry, parties' changes on the case's day; `half95` columns are half of the 95 % interval of a mean.

    Attributes
    ----------
    sentence
        What a board would quote.
    terms_table
        item, value, unit: share, pre- and post-money, dilution, as agreed.
    lines
        line, value_eur, half95_eur: from the pro-rata value to the net present value after premium and discounts.
    measures
        basis, measure, mean, half95, p10, p50, p90: net present value, rate of return, multiple of money, chance of loss, break-even post-money.
    channels
        party, line, value_eur, half95_eur: the claim, own prices and synergies for the parties at the table.
    own_prices
        from, company_gains_eur, part, value_eur, half95_eur: where the investor's line "own prices" comes from, by company; adds up to it.
    parties
        party, kind, change_eur, half95_eur: companies through all stakes, *not additive*.
    owners
        owner, kind, claim_eur, own_prices_eur, synergies_eur, change_eur, half95_eur: additive; the claim column adds up to zero.
    no_rate
        Share of draws without a single rate of return (left out of it), with the reason.
    net_present_value
        By draw, after premium and discounts. (N,)
    to_investor
        The same on the case's day for the investor as a whole: less the part of what the others lose that is its own, through stakes held before and rings. (N,)
    """

    terms: StakeTerms
    sentence: str
    terms_table: pd.DataFrame
    lines: pd.DataFrame
    measures: pd.DataFrame
    channels: pd.DataFrame
    own_prices: pd.DataFrame
    parties: pd.DataFrame
    owners: pd.DataFrame
    no_rate: pd.DataFrame
    net_present_value: np.ndarray
    to_investor: np.ndarray


def value_stake(case: Case, futures: Futures, terms: StakeTerms | str, *, terminal: Terminal = "growth") -> StakeValuation:
    """Value a stake in every draw.

    Parameters
    ----------
    terms
        Terms, or the id of a row of stake_terms.csv.

    Raises
    ------
    ValuationError
        Terms that cannot be meant, with every problem; no finance for the company.
    NegativeEquity
        When the company is expected to be worth less than it owes.
    """
    asked = terms_of(case, terms) if isinstance(terms, str) else terms
    data = with_own_inputs(futures)
    scenario = asked.scenario or BASELINE
    years = np.asarray(data["year"].values, dtype=int)
    worths = {
        "baseline": worth_of_all(case, data, BASELINE, with_synergies=False),
        "own prices": worth_of_all(case, data, scenario, with_synergies=False),
        "synergies": worth_of_all(case, data, scenario, with_synergies=True),
    }
    equities = {name: equity_of(case, found, terminal) for name, found in worths.items()}
    holdings = equities["baseline"].holdings
    refuse_bad_terms(asked, holdings, (int(years[0]), int(years[-1])))
    finance_of(finances(case), asked.company)
    refuse_negative(equities["baseline"], [asked.company], {asked.company: worths["baseline"][asked.company].finance.place})
    targets = {name: _target(case, asked, equities[name], worths[name]) for name in worths}
    met = np.ones((len(equities["baseline"].own), 0))
    walked = ()
    if asked.instrument == "staged":
        due = parts_due(asked, data, scenario)
        met = parts_worth_paying(asked, targets["synergies"], due, data, scenario) if asked.walk_away else due
        walked = (position(asked, targets["synergies"], due),) if asked.walk_away else ()
    positions = {name: position(asked, target, met) for name, target in targets.items()}
    held = positions["synergies"]
    rolled = _rolled(case, asked, worths["baseline"])
    deal = Deal(asked, equities, {name: p.transfer / rolled for name, p in positions.items()})
    parties, owners, channels = parties_tables(deal)
    lines = _lines(asked, held, walked)
    measures, no_rate = _measures(asked, held)
    bought = held.net_present_value(kept_at_exit(asked))
    return StakeValuation(
        asked, _sentence(asked, measures, channels, len(met)), _terms_table(asked, held), lines, measures, channels, own_prices_table(deal), parties, owners, no_rate,
        bought, bought / rolled + handed_on(deal),
    )  # fmt: skip


def net_present_value(case: Case, data: xr.Dataset, terms: StakeTerms, *, floor: bool, terminal: Terminal = "growth") -> np.ndarray:
    """Net present value of a stake in every draw, after premium and discounts, as in `value_stake` and nothing else. (N,) EUR

    Parameters
    ----------
    floor
        Whether shares are worth nothing where they would be worth less. Without it the value is as large as before where it is near zero or above, and has a slope
        everywhere, which a search for its zero needs.

    Raises
    ------
    ValuationError
        For a commitment in parts: what is paid then jumps from draw to draw; for terms that cannot be meant.
    """
    if terms.instrument == "staged":
        raise ValuationError(
            Problem(
                "a commitment in parts has no slope", terms.place or terms.name, "staged", "shares or a note", "ask about terms that are paid at once"
            )
        )
    years = np.asarray(data["year"].values, dtype=int)
    refuse_bad_terms(terms, holdings_of(case), (int(years[0]), int(years[-1])))
    worths = worth_of_all(case, data, terms.scenario or BASELINE, with_synergies=True)
    held = position(terms, _target(case, terms, equity_of(case, worths, terminal), worths), np.ones((data.sizes["draw"], 0)))
    kept = kept_at_exit(terms)
    return held.net_present_value(kept) - (0.0 if floor else held.limited_liability * kept * held.exit_factor)


def kept_at_exit(terms: StakeTerms) -> float:
    """What is left of the value of shares after the discounts, and with the premium for board rights."""
    return (1 - terms.minority_discount) * (1 - terms.illiquidity_discount) + terms.control_premium


def _target(case: Case, terms: StakeTerms, equity: Equity, worths: Mapping[str, Worth]) -> Target:
    worth = worths[terms.company]
    finance, cash = worth.finance, worth.cash
    time = clock(cash.years, decimal_year(terms.date))
    dividends = finance.payout * np.maximum(cash.free_cash_flow, 0.0)
    paid_before = value_of_flows_between(dividends, finance.rate, worth.time, time)
    at_entry = (equity.of(terms.company) - paid_before) * _rolled(case, terms, worths)
    return Target(at_entry, dividends, cash.years, time, finance.rate, finance.inflation, _loop(terms, equity), finance.price_year)


def _rolled(case: Case, terms: StakeTerms, worths: Mapping[str, Worth]) -> float:
    """Value on the day of entry of one euro on the case's day."""
    elapsed = decimal_year(terms.date) - decimal_year(case.as_of)
    if elapsed < 0:
        raise ValuationError(Problem("the stake is paid before the case's day", terms.place or terms.name, str(terms.date), f"from {case.as_of} on"))
    return (1 + worths[terms.company].finance.rate) ** elapsed


def _loop(terms: StakeTerms, equity: Equity) -> float:
    holdings, multiplier = equity.holdings, equity.multiplier
    column = holdings.company_index(terms.company)

    def through(party: str) -> float:
        return float(multiplier[column, holdings.companies.index(party)]) if party in holdings.companies else 0.0

    loop = through(terms.investor) + (1 - multiplier[column, column] if terms.money == "primary" else -through(terms.seller))
    return loop if abs(loop) > 1e-12 else 0.0  # rounding of the inverse is no loop


def _lines(terms: StakeTerms, held: Position, walked: tuple[Position, ...]) -> pd.DataFrame:
    factor = held.exit_factor
    limited = held.limited_liability * factor
    shares = (held.sold + held.limited_liability) * factor
    minority = -terms.minority_discount * shares
    illiquid = -(1 - terms.minority_discount) * terms.illiquidity_discount * shares
    pro_rata = held.now(held.received) + held.sold * factor
    rows = {
        "pro-rata value": pro_rata,
        "shares cannot be worth less than nothing": limited,
        "price paid": -held.price,
        "net present value, pro rata": pro_rata + limited - held.price,
        "discount for a minority": minority,
        "discount for shares that cannot be sold": illiquid,
        "board rights": terms.control_premium * shares,
        "net present value": pro_rata + limited - held.price + minority + illiquid + terms.control_premium * shares,
    }
    if walked:
        rows["of which from the right to walk away"] = held.net_present_value(1.0) - walked[0].net_present_value(1.0)
    return pd.DataFrame([{"line": line, "value_eur": estimate(d).value, "half95_eur": estimate(d).error} for line, d in rows.items()])


def _measures(terms: StakeTerms, held: Position) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows, missing = [], []
    times = np.append(held.times, held.exit_time)
    for basis, kept in ((PRO_RATA, 1.0), (DISCOUNTED, kept_at_exit(terms))):
        flows = held.flows(kept)
        order = np.argsort(times, kind="stable")
        rates = internal_rates(flows[:, order], times[order])
        missing += [
            {"basis": basis, "reason": reason, "share": float(np.mean(rates.status == reason))}
            for reason in ("no change of sign", "several changes of sign")
            if np.any(rates.status == reason)
        ]
        npv = held.net_present_value(kept)
        spent = -held.paid.sum(axis=1)
        multiple = (held.received.sum(axis=1) + (held.sold + held.limited_liability) * kept) / spent
        found = {"net_present_value_eur": npv, "rate_of_return": rates.rate, "multiple_of_money": multiple, "loss": (npv < 0) * 1.0}
        if terms.instrument == "common":
            found["break_even_post_money_eur"] = _money_of_the_day(terms, held, npv + held.price) / terms.share
        for measure, draws in found.items():
            usable = rates.usable if measure == "rate_of_return" else np.ones(len(draws), bool)
            if not usable.any():
                continue
            mean, (low, middle, high) = estimate_where(draws, usable), np.quantile(draws[usable], (0.1, 0.5, 0.9))
            rows.append({"basis": basis, "measure": measure, "mean": mean.value, "half95": mean.error, "p10": low, "p50": middle, "p90": high})
    return pd.DataFrame(rows), pd.DataFrame(missing, columns=["basis", "reason", "share"])


def _money_of_the_day(terms: StakeTerms, held: Position, amounts: np.ndarray) -> np.ndarray:
    """Amounts at entry in the money in which valuations are stated."""
    return amounts * terms.amount_eur / held.price


def _terms_table(terms: StakeTerms, held: Position) -> pd.DataFrame:
    rows = [
        ("amount", terms.amount_eur, "EUR of the day"),
        ("pre-money value agreed", terms.pre_money_eur, "EUR of the day"),
        ("post-money value agreed", terms.post_money_eur, "EUR of the day"),
        ("share when all is paid", terms.share, "share"),
        ("share at the exit, mean", float(held.share.mean()), "share"),
        ("left of one share of the others", 1 - terms.share if terms.money == "primary" else 1.0, "share"),
    ]
    return pd.DataFrame(rows, columns=["item", "value", "unit"])


def _sentence(terms: StakeTerms, measures: pd.DataFrame, channels: pd.DataFrame, draws: int) -> str:
    def of(measure: str) -> pd.Series:
        return measures[(measures["basis"] == DISCOUNTED) & (measures["measure"] == measure)].iloc[0]

    npv, loss = of("net_present_value_eur"), of("loss")
    own = channels[channels["party"] == terms.investor]
    text = (
        f"{terms.investor}'s {stated_sum(terms.amount_eur)} in {terms.company} at {stated_sum(terms.pre_money_eur)} before the money has a "
        f"net present value, after premium and discounts, of {with_error(float(npv['mean']), float(npv['half95']))} and loses money in {in_futures(float(loss['mean']), draws)}"
    )
    said = zip(own["line"], own["value_eur"], own["half95_eur"], strict=True)
    beside = ", ".join(f"{line} {with_error(float(value), float(error))}" for line, value, error in said if line != "total")
    if terms.instrument == "common":
        even = of("break_even_post_money_eur")
        text += f"; it breaks even at {with_error(float(even['mean']), float(even['half95']))} post-money"
    whole = own[own["line"] == "total"].iloc[0]
    together = with_error(float(whole["value_eur"]), float(whole["half95_eur"]))
    return f"{text}. For {terms.investor} as a whole it comes to {together}: {beside}."
