"""A plan of several moves by year under a budget.

Each move may be made once, in one of its years, or not at all; moves may need or exclude one another; what is spent in a year, and over all years, has a
limit. When values simply add up, the best plan is found by branch and bound and proven. When they do not (twins that eat each other's sales), a callback values
whole plans, and every plan that can be paid for is valued; when those are too many, the search improves one move at a time and says that it proves nothing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import pandas as pd

from keiretsu.errors import Problem, ValuationError
from keiretsu.valuation.money import with_error
from keiretsu.valuation.odds import listed

Plan: TypeAlias = Mapping[str, int]
"""Year in which each chosen move is made; moves left out are not in it."""


@dataclass(frozen=True)
class Candidate:
    """A move that a plan may hold.

    Attributes
    ----------
    cost_eur
        Paid in the year of the move, by year: its keys are the years in which it may be made.
    needs, excludes
        Moves that must be made in the same year or before; moves that must not be in the plan.
    """

    name: str
    cost_eur: Mapping[int, float]
    needs: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Budget:
    """Most that may be spent: in each year named, and in all. EUR."""

    total_eur: float = math.inf
    by_year_eur: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class BestPlan:
    """The best plan found.

    Attributes
    ----------
    table
        ``move, year, cost_eur``, by year.
    proof
        "branch and bound" or "every plan valued" when nothing can be better; "local search" when that is not known.
    valued
        Plans looked at.
    """

    plan: Plan
    value_eur: float
    cost_eur: float
    proof: str
    valued: int
    table: pd.DataFrame
    sentence: str


def best_additive_plan(candidates: Sequence[Candidate], budget: Budget, value_eur: Mapping[tuple[str, int], float]) -> BestPlan:
    """The best plan when values add up, proven by branch and bound.

    Parameters
    ----------
    value_eur
        Net present value of each move in each of its years, its own cost already taken off.
    """
    _refuse(candidates, budget)
    missing = [(c.name, year) for c in candidates for year in c.cost_eur if (c.name, year) not in value_eur]
    if missing:
        raise ValuationError([Problem("a move has no value for a year", f"plan, {name}", "nothing", f"a value for {year}") for name, year in missing])
    order = sorted(candidates, key=lambda c: -max(value_eur[c.name, year] for year in c.cost_eur))
    hope = [max(0.0, *(value_eur[c.name, year] for year in c.cost_eur)) for c in order]
    ahead = [sum(hope[k:]) for k in range(len(hope) + 1)]  # the most that moves from the k-th on could add
    best: tuple[float, dict[str, int]] = (0.0, {})
    looked = 0

    def branch(k: int, plan: dict[str, int], value: float) -> None:
        nonlocal best, looked
        looked += 1
        if k == len(order):
            if value > best[0] and _allowed(plan, candidates, budget):
                best = (value, dict(plan))
            return
        if value + ahead[k] <= best[0]:
            return
        candidate = order[k]
        for year in sorted(candidate.cost_eur, key=lambda y: -value_eur[candidate.name, y]):
            plan[candidate.name] = year
            if _payable(plan, candidates, budget):
                branch(k + 1, plan, value + value_eur[candidate.name, year])
            del plan[candidate.name]
        branch(k + 1, plan, value)

    branch(0, {}, 0.0)
    return _found(best[1], best[0], candidates, "branch and bound", looked)


def best_plan(candidates: Sequence[Candidate], budget: Budget, value: Callable[[Plan], float], limit: int) -> BestPlan:
    """The best plan when plans have to be valued as a whole.

    Parameters
    ----------
    value
        Net present value of a plan (EUR), costs taken off; the empty plan is worth `value({})`.
    limit
        Most plans valued. When more could be paid for, one move at a time is added, dropped or moved to another year while that pays, and
        `BestPlan.proof` is "local search".
    """
    _refuse(candidates, budget)
    plans = list(itertools.islice(_plans(candidates, budget), limit + 1))
    if len(plans) <= limit:
        values = [value(plan) for plan in plans]
        k = max(range(len(plans)), key=values.__getitem__)
        return _found(plans[k], values[k], candidates, "every plan valued", len(plans))
    known: dict[tuple[tuple[str, int], ...], float] = {}

    def valued(plan: Plan) -> float:
        key = tuple(sorted(plan.items()))
        if key not in known:
            known[key] = value(plan)
        return known[key]

    now: dict[str, int] = {}
    while len(known) < limit:
        near = [plan for plan in _neighbours(now, candidates) if _allowed(plan, candidates, budget)]
        better = max(near, key=valued, default=now)
        if valued(better) <= valued(now):
            break
        now = better
    return _found(now, valued(now), candidates, "local search", len(known))


def _plans(candidates: Sequence[Candidate], budget: Budget) -> Iterator[dict[str, int]]:
    choices = [[None, *candidate.cost_eur] for candidate in candidates]
    for years in itertools.product(*choices):
        plan = {candidate.name: year for candidate, year in zip(candidates, years, strict=True) if year is not None}
        if _allowed(plan, candidates, budget):
            yield plan


def _neighbours(plan: Mapping[str, int], candidates: Sequence[Candidate]) -> Iterator[dict[str, int]]:
    for candidate in candidates:
        rest = {name: year for name, year in plan.items() if name != candidate.name}
        if candidate.name in plan:
            yield rest
        for year in candidate.cost_eur:
            if plan.get(candidate.name) != year:
                needed = {name: year for name in candidate.needs if name not in plan}
                yield {**rest, **needed, candidate.name: year}


def _allowed(plan: Plan, candidates: Sequence[Candidate], budget: Budget) -> bool:
    for candidate in candidates:
        if candidate.name not in plan:
            continue
        if any(name not in plan or plan[name] > plan[candidate.name] for name in candidate.needs):
            return False
        if any(name in plan for name in candidate.excludes):
            return False
    return _payable(plan, candidates, budget)


def _payable(plan: Plan, candidates: Sequence[Candidate], budget: Budget) -> bool:
    spent: dict[int, float] = {}
    for candidate in candidates:
        if candidate.name in plan:
            year = plan[candidate.name]
            if year not in candidate.cost_eur:
                return False
            spent[year] = spent.get(year, 0.0) + candidate.cost_eur[year]
    cent = 0.005
    return sum(spent.values()) <= budget.total_eur + cent and all(
        amount <= budget.by_year_eur.get(year, math.inf) + cent for year, amount in spent.items()
    )


def _found(plan: Plan, value: float, candidates: Sequence[Candidate], proof: str, valued: int) -> BestPlan:
    cost = {candidate.name: candidate.cost_eur for candidate in candidates}
    rows = sorted(((name, year, cost[name][year]) for name, year in plan.items()), key=lambda row: (row[1], row[0]))
    said = listed([f"{name} in {year}" for name, year, _ in rows]) or "doing nothing"
    table = pd.DataFrame(rows, columns=["move", "year", "cost_eur"])
    spent = float(table["cost_eur"].sum())
    note = "" if proof != "local search" else " (the best found; not every plan was valued)"
    return BestPlan(dict(plan), value, spent, proof, valued, table, f"The best plan is {said}, worth {with_error(value, 0.0)}{note}.")


def _refuse(candidates: Sequence[Candidate], budget: Budget) -> None:
    names = [candidate.name for candidate in candidates]
    problems = [Problem("a move named twice", "plan", name, "each once") for name in dict.fromkeys(names) if names.count(name) > 1]
    for candidate in candidates:
        if not candidate.cost_eur:
            problems.append(Problem("a move without a year", f"plan, {candidate.name}", "no years", "at least one year with its cost"))
        unknown = [name for name in (*candidate.needs, *candidate.excludes) if name not in names]
        problems += [Problem("needs or excludes an unknown move", f"plan, {candidate.name}", name, f"one of {', '.join(names)}") for name in unknown]
        if candidate.name in (*candidate.needs, *candidate.excludes):
            problems.append(Problem("a move needs or excludes itself", f"plan, {candidate.name}", candidate.name, "other moves"))
    if budget.total_eur < 0 or any(amount < 0 for amount in budget.by_year_eur.values()):
        problems.append(Problem("a budget below zero", "plan", f"{budget.total_eur:,.0f} in all", "zero or more"))
    if problems:
        raise ValuationError(problems)
