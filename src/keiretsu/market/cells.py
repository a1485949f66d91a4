"""Parts of a year in which pots of money are open or empty, market by market ([7], [10], [11]).

A *cell* is one market while certain pots are open in it: a market of its own, with its own taxes and incentives, for a share of the year. Makers set prices anew
in each cell and take the day on which a pot is empty as given. A market whose pots last, or that has none, is one cell for the whole year.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from keiretsu.market.budget import Span, run_out
from keiretsu.market.policy.programmes import Incentive
from keiretsu.market.policy.spending import paid_out
from keiretsu.market.regulated import Found, Prepared, Rules
from keiretsu.supply.chosen import choice_now
from keiretsu.supply.pieces import wedges_of

Cell: TypeAlias = tuple[str, frozenset[str]]
"""A market, and the pots that are open in it."""

Spending: TypeAlias = Callable[[Cell], Mapping[str, float]]
"""What each pot that is open in a cell would pay out in a whole year of it, EUR."""


@dataclass(frozen=True)
class Pot:
    """A budget in a year: what is spent of it (EUR) and the share of the year on which it is open."""

    spent_eur: float
    open_share: float


@dataclass(frozen=True)
class CellsOfYear:
    """Cells that a year passes through, in order, with their share of it; and what becomes of each pot."""

    weight: Mapping[Cell, float]
    pots: Mapping[str, Pot]


@dataclass(frozen=True)
class Cells:
    """Where cells come from: prepared, and solved without shadow costs."""

    prepared: Callable[[Cell], Prepared]
    alone: Callable[[Cell], Found]


def pots_in(rules: Rules, markets: Sequence[str]) -> dict[str, Incentive]:
    """Incentives with a yearly budget that some market has on the rules' date, by id."""
    return {
        p.scope.id: p
        for p in rules.programmes
        if isinstance(p, Incentive) and p.budget_eur < float("inf") and any(p.scope.in_force(m, rules.date) for m in markets)
    }


def pots_of(pots: Mapping[str, Incentive], market: str, rules: Rules) -> frozenset[str]:
    """Pots that pay in one market."""
    return frozenset(name for name, pot in pots.items() if pot.scope.in_force(market, rules.date))


def with_open(rules: Rules, pots: Mapping[str, Incentive], open_: frozenset[str]) -> Rules:
    """The rules while these pots are open and the others empty."""
    return Rules(tuple(p for p in rules.programmes if p.scope.id not in pots or p.scope.id in open_), rules.pools, rules.date)


def cells_of_year(pots: Mapping[str, frozenset[str]], budgets_eur: Mapping[str, float], year: Span, spending: Spending) -> CellsOfYear:
    """The year with each pot closed from the moment it is empty.

    Parameters
    ----------
    pots
        Pots of each market, by market.
    budgets_eur
        Money in each pot at the start of the year.

    Raises
    ------
    PolicyError
        When a pot would be filled rather than spent.
    """

    def at(_: object, open_: frozenset[str]) -> tuple[None, Mapping[str, float]]:
        rate = dict.fromkeys(open_, 0.0)
        for market, mine in pots.items():
            for name, eur in spending((market, mine & open_)).items() if mine & open_ else ():
                rate[name] += eur
        return None, rate

    parts = run_out(budgets_eur, (year,), at)
    weight: dict[Cell, float] = {}
    for part in parts:
        for market, mine in pots.items():
            cell = market, mine & part.open
            weight[cell] = weight.get(cell, 0.0) + part.weight
    spent = {name: sum(part.spent_eur.get(name, 0.0) for part in parts) for name in budgets_eur}
    return CellsOfYear(weight, {name: Pot(eur, sum(part.weight for part in parts if name in part.open)) for name, eur in spent.items()})


def spending_at(at: Prepared, found: Found, price: np.ndarray, open_: frozenset[str]) -> Mapping[str, np.ndarray]:
    """What the pots open in a cell pay out on each of its products in a whole year of it, at prices (J,), padded, on the pieces found (EUR). (n,)"""
    n, draws = len(at.rows), at.facts.consumers.weight.size
    piece = found.settled.prices.piece
    probability = np.asarray(choice_now(at.market.tastes, wedges_of(found.pieces, piece), price).probability)
    quantity = at.facts.potential * (probability * np.asarray(at.market.tastes.weight))[:n, :draws]
    return paid_out(found.compiled, open_, np.asarray(price)[:n], np.asarray(piece)[:n], quantity)


def totals(by_product: Mapping[str, np.ndarray]) -> Mapping[str, float]:
    """Sums over products of what each pot pays out."""
    return {name: float(eur.sum()) for name, eur in by_product.items()}
