"""From margins to free cash flow, year by year and draw by draw ([14]).

Margin of the simulated markets, plus the rest of the company, less fixed cost, overhead and research, less tax (losses carried forward), less capital
spending, less what revenue growth ties up in working capital. Everything is real; a loss carried forward and a tax allowance are amounts of old
money, so inflation eats them.

Overhead, research and plants follow the size of the company, and its size is that of its plans: the revenue of the baseline, or of the scenario
where this launches or withdraws cars or makes them cheaper to build. What varies with each car sold is in its marginal cost already (recovered from prices), so a change of
prices alone must not save any of the rest: else every maker would seem to gain by selling less than it chooses to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keiretsu.case import Case
from keiretsu.typing import Matrix, Vector
from keiretsu.valuation.deals import moves_of
from keiretsu.valuation.finance import Finance, records
from keiretsu.valuation.inputs import BASELINE, Prospects

CHANGES_THE_SIZE = ("launch", "twin", "entry", "withdrawal", "partnership", "cost_shock", "battery_price_shock")  # types of moves
LINES = ("margin", "rest", "synergies", "fixed_cost", "rnd", "ebitda", "depreciation", "tax", "capex", "working_capital", "free_cash_flow")


@dataclass(frozen=True, eq=False)
class CashFlow:
    """Yearly money of one company under one scenario, EUR at 2023 prices; costs are negative, so lines add up. (N, T) each.

    `fixed_cost` has the overhead that grows with revenue in it; `ebitda` is the sum of the lines before it; `free_cash_flow` is ebitda + tax + capex + working_capital. `steady` is what the last year
    would bring without old losses or allowances and growing at `growth_terminal`: the flow that is taken to go on. (N,) `units` are cars of the
    simulated markets and of the rest of the company.
    """

    company: str
    scenario: str
    years: np.ndarray
    units: Matrix
    revenue: Matrix
    margin: Matrix
    rest: Matrix
    synergies: Matrix
    fixed_cost: Matrix
    rnd: Matrix
    ebitda: Matrix
    depreciation: Matrix
    tax: Matrix
    capex: Matrix
    working_capital: Matrix
    free_cash_flow: Matrix
    losses_left: Matrix
    steady: Vector


def cash_flow(case: Case, finance: Finance, prospects: Prospects, *, with_synergies: bool) -> CashFlow:
    """Free cash flow of a company in every draw.

    Parameters
    ----------
    with_synergies
        Whether what the scenario's partners save together is in (synergies.csv, shared platforms): left out where it is to be shown apart.
    """
    years = prospects.years
    asked, (planned, planned_units, other_cost) = prospects.of(finance.company), prospects.planned(finance.company)
    built, built_as_planned = built_part(finance, asked[2], years), built_part(finance, planned_units, years)
    margin, simulated, sold = (built * values for values in asked)
    planned, not_marginal = built_as_planned * planned, built_as_planned * other_cost
    units = sold + finance.path("rest_units", years)
    shape = margin.shape
    rest = np.broadcast_to(finance.path("rest_of_company_profit_eur", years), shape)
    revenue = simulated + finance.path("rest_of_company_revenue_eur", years)
    size = planned + finance.path("rest_of_company_revenue_eur", years)
    synergies = np.broadcast_to(synergy_path(case, finance, prospects.scenario, years) * float(with_synergies), shape)
    fixed_cost = -prospects.fixed_cost[:, None] * finance.path("fixed_cost_eur", years) - finance.overhead_share * size - not_marginal
    rnd = np.broadcast_to(-finance.path("rnd_eur", years), shape)
    shared_as_in = prospects.scenario if with_synergies else BASELINE
    spent = finance.path("capex_eur", years) + platform_path(case, finance.company, shared_as_in, years) + finance.capex_share * size
    ebitda = margin + rest + synergies + fixed_cost + rnd
    allowance = _allowances(finance, spent)
    tax, losses_left = _tax(finance, ebitda - allowance)
    tied_up = np.diff(revenue, axis=1, prepend=revenue[:, :1]) * finance.working_capital_share
    lines: dict[str, Any] = {
        "margin": margin, "rest": rest, "synergies": synergies, "fixed_cost": fixed_cost, "rnd": rnd, "ebitda": ebitda,
        "depreciation": -allowance, "tax": tax, "capex": -spent, "working_capital": -tied_up,
    }  # fmt: skip
    free = ebitda + tax - spent - tied_up
    steady = steady_flow(finance, finance.growth_terminal, ebitda[:, -1] - synergies[:, -1], spent[:, -1], revenue[:, -1])
    return CashFlow(finance.company, prospects.scenario, years, units, revenue, **lines, free_cash_flow=free, losses_left=losses_left, steady=steady)


def sized_by(case: Case, scenario: str) -> str:
    """The scenario whose revenue companies are sized for under this one: itself where it launches or withdraws cars or changes what they cost, else the baseline."""
    return scenario if any(move.values.get("type") in CHANGES_THE_SIZE for move in moves_of(case, scenario)) else BASELINE


def built_part(finance: Finance, asked: Matrix, years: np.ndarray) -> Matrix:
    """Part of the cars asked for in the simulated markets that the company can build; 1 where no capacity is stated. (N, T)

    The rest of the company comes first. Who gets the sales that are lost is left out (rivals are worth a little more than shown), and so is that a maker
    who is sold out could raise its prices (it is worth a little more than shown).
    """
    capacity = finance.path("capacity_units", years)
    room = np.maximum(capacity - finance.path("rest_units", years), 0.0)
    limited = (capacity > 0) & (asked > room)
    return np.where(limited, room / np.where(asked > 0, asked, 1.0), 1.0)


def platform_path(case: Case, company: str, scenario: str, years: np.ndarray) -> Vector:
    """What the company spends on platforms each year in a scenario: its own, less what partners pay, plus its part of theirs. (T,)"""
    total = np.zeros(len(years))
    for row in records(case, "platforms"):
        if scenario in _listed(row["dropped_in"]):
            continue
        running = ((years >= row["from_year"]) & (years <= row["to_year"])) * float(row["capex_eur"])
        shared = scenario in _listed(row["shared_in"]) or _listed(row["shared_in"]) == ("all",)
        partners_part = float(row["partner_share"]) if shared and row["partner"] else 0.0
        if row["company"] == company:
            total += running * (1 - partners_part)
        elif row["partner"] == company:
            total += running * partners_part
    return total


def synergy_path(case: Case, finance: Finance, scenario: str, years: np.ndarray, kinds: Iterable[str] = ()) -> Vector:
    """What cooperation in the scenario brings the company each year before tax; only these kinds when any are named. (T,)"""
    wanted = tuple(kinds)
    units = finance.path("rest_units", years)
    total = np.zeros(len(years))
    for row in records(case, "synergies"):
        if (row["scenario"], row["company"]) == (scenario, finance.company) and (not wanted or row["kind"] in wanted):
            running = (years >= row["from_year"]) & (years <= row["to_year"])
            total += running * (float(row["eur_a_year"]) + float(row["eur_per_car"]) * units)
    return total


def steady_flow(finance: Finance, growth: float, ebitda: Vector, spent: Vector, revenue: Vector) -> Vector:
    """The year after the last one's flow when the company goes on for ever and grows: assets are replaced as they wear out, taxes are paid in full,
    growing revenue ties up working capital. (N,)

    Parameters
    ----------
    ebitda, spent, revenue
        Of the last year: profit before depreciation without synergies that end, capital spending, revenue. (N,) EUR
    """
    tax = finance.tax_rate * np.maximum(ebitda - spent, 0.0)
    return (ebitda - spent - tax) * (1 + growth) - finance.working_capital_share * revenue * growth


def _allowances(finance: Finance, spent: Matrix) -> Matrix:
    """Straight-line tax allowances of old and new assets; nominal amounts, so their real worth falls with inflation. (N, T)"""
    life, shrink = finance.asset_life_years, 1 + finance.inflation
    allowance = np.zeros_like(spent)
    for t in range(spent.shape[1]):
        if t < life:
            allowance[:, t] += finance.assets_eur / life / shrink**t
        for age in range(min(life, t + 1)):
            allowance[:, t] += spent[:, t - age] / life / shrink**age
    return allowance


def _tax(finance: Finance, taxable: Matrix) -> tuple[Matrix, Matrix]:
    """Tax (negative) and losses left at the end of each year, by draw."""
    tax, left = np.zeros_like(taxable), np.zeros_like(taxable)
    losses = np.full(len(taxable), finance.losses_eur)
    for t in range(taxable.shape[1]):
        profit = np.maximum(taxable[:, t], 0.0)
        used = np.minimum(losses, finance.loss_use_cap * profit)
        tax[:, t] = -finance.tax_rate * (profit - used)
        losses = (losses - used + np.maximum(-taxable[:, t], 0.0)) / (1 + finance.inflation)
        left[:, t] = losses
    return tax, left


def _listed(names: str) -> Sequence[str]:
    return tuple(part.strip() for part in str(names).split(";") if part.strip())
