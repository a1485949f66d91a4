"""Programmes whose money runs out within the year, and programmes that start or end in it.

A year falls into parts between which something changes: a date, or a pot that is empty. Prices are set anew in each part, so spending runs at a
constant rate inside it and the day a pot is empty follows from what is left. The weights of the parts are the fixed point at which each pot's
spending over the parts is its budget; going forward through the year finds it without iterating, because what comes later moves nothing before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

from keiretsu.errors import PolicyError, Problem
from keiretsu.market.policy.programmes import Programme

Result = TypeVar("Result")


@dataclass(frozen=True)
class Span:
    """Days of a year on which the same programmes are in force: a day of them, and their share of the year."""

    date: dt.date
    weight: float


@dataclass(frozen=True)
class Part(Generic[Result]):
    """A part of the year: its weight (share of the year), the pots still open, what each spent in it (EUR), and the market's result."""

    date: dt.date
    weight: float
    open: frozenset[str]
    spent_eur: Mapping[str, float]
    result: Result


def spans(programmes: Sequence[Programme], markets: Sequence[str], year: int) -> tuple[Span, ...]:
    """The year cut where a programme of one of the markets starts or ends."""
    first, last = dt.date(year, 1, 1), dt.date(year, 12, 31)
    cuts = {first}
    for programme in programmes:
        scope = programme.scope
        if not set(scope.markets) & set(markets):
            continue
        if first < scope.start <= last:
            cuts.add(scope.start)
        if first <= scope.end < last:
            cuts.add(scope.end + dt.timedelta(days=1))
    days = (last - first).days + 1
    edges = [*sorted(cuts), last + dt.timedelta(days=1)]
    return tuple(Span(a, (b - a).days / days) for a, b in pairwise(edges))


def run_out(
    budgets_eur: Mapping[str, float],
    year: Sequence[Span],
    solve: Callable[[dt.date, frozenset[str]], tuple[Result, Mapping[str, float]]],
) -> tuple[Part[Result], ...]:
    """Parts of the year, with each pot closed from the moment it is empty.

    Parameters
    ----------
    budgets_eur
        Money in each pot at the start of the year, by programme id.
    solve
        Markets on a day with these pots open: a result, and spending by pot at a yearly rate (EUR a year).

    Raises
    ------
    PolicyError
        When a pot would be filled rather than spent.
    """
    left = dict(budgets_eur)
    found: list[Part[Result]] = []
    for span in year:
        remaining = span.weight
        while remaining > 0:
            open_ = frozenset(name for name, money in left.items() if money > 0)
            result, rate = solve(span.date, open_)
            wrong = [name for name in open_ if rate.get(name, 0.0) < 0]
            if wrong:
                raise PolicyError(Problem("spending below zero", ", ".join(sorted(wrong)), f"EUR {rate[wrong[0]]:,.0f} a year", "zero or above"))
            until = {name: left[name] / rate[name] for name in open_ if rate.get(name, 0.0) > 0}
            step = min([remaining, *until.values()])
            emptied = {name for name, time in until.items() if time <= step}
            spent = {name: left[name] if name in emptied else rate.get(name, 0.0) * step for name in open_}
            for name, money in spent.items():
                left[name] = 0.0 if name in emptied else left[name] - money
            found.append(Part(span.date, step, open_, spent, result))
            remaining = remaining - step if step < remaining else 0.0
    return tuple(found)
