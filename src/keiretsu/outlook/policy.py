"""Taxes, incentives and tariffs of every year: the affine piece in force for each slot, by class of buyer ([7]).

Programmes are those in force on 1 July. The piece is the one that the observed price lies on, or the planned price of a car that was not there;
how far prices are from the next break is a distance to a change of regime. Buyers of one kind and income get the same, so pieces are kept by class
of buyer and not by consumer draw.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.market.policy.compile import all_inside, charger_utility, compile_programmes, each_term
from keiretsu.market.policy.programmes import Incentive, Programme
from keiretsu.market.world import MarketFacts, World
from keiretsu.supply.kinks import walls
from keiretsu.supply.pieces import NEAR_EUR, jumps


@dataclass(frozen=True)
class Rules:
    """All pieces of one market on one day, K pieces and G classes of buyers.

    Attributes
    ----------
    breaks, closed_below, wall, below_better
        Breakpoints (EUR), whether each belongs to the piece below, whether prices jump over it, which side of it is the better one. (J, K-1)
    terms
        buyer_rate, buyer_add, maker_charge, incentive_rate, incentive_add (J, K, G) and maker_rate (J, K); programmes with a pot left out.
    pots, budgets
        By programme id what each pot pays, pot_rate, pot_add, pot_charge (J, K, G) and pot_lost (J, K), and its money (EUR a year).
    """

    breaks: np.ndarray
    closed_below: np.ndarray
    wall: np.ndarray
    below_better: np.ndarray
    terms: Mapping[str, np.ndarray]
    pots: Mapping[str, Mapping[str, np.ndarray]]
    budgets: Mapping[str, float]


@dataclass(frozen=True)
class YearlyWedges:
    """Pieces in force on one day: buyer's rate, addition, and the part of it that is purchase incentives, (J, G); maker's rate (J,) and charge (J, G);
    utility that charger programmes add (J,); all pieces."""

    rate: np.ndarray
    add: np.ndarray
    incentive: np.ndarray
    keep: np.ndarray
    charge: np.ndarray
    utility: np.ndarray
    rules: Rules


def as_known(world: World) -> World:
    """The world with every programme that its date did not know of left to moves: dormant unless a scenario runs it."""

    def marked(programme: Programme) -> Programme:
        scope = programme.scope
        return (
            programme
            if (scope.known or scope.start) <= world.date
            else dataclasses.replace(programme, scope=dataclasses.replace(scope, dormant=True))
        )

    return world.replace(programmes=tuple(marked(programme) for programme in world.programmes))


def classes_of(facts: MarketFacts) -> np.ndarray:
    """Class of each draw: buyers of one kind and one income are alike to every programme. (I,)"""
    consumers = facts.consumers  # G is the same whether or not a programme looks at the buyer: one shape for all years
    pairs = np.column_stack([np.asarray(consumers.kind, dtype=float), np.asarray(consumers.income_eur, dtype=float)])
    return np.unique(pairs, axis=0, return_inverse=True)[1].reshape(-1)


def wedges_on(programmes: tuple[Programme, ...], rows: pd.DataFrame, facts: MarketFacts, day: dt.date, price: np.ndarray) -> YearlyWedges:
    """What stands between buyers and makers on a day, on the piece that `price` (J,) lies on.

    Raises
    ------
    PolicyError
        When programmes contradict each other.
    """
    rules = rules_on(programmes, rows, facts, day)
    row, piece = np.arange(len(price)), piece_at_breaks(rules.breaks, rules.closed_below, price)
    at = {name: values[row, piece] for name, values in rules.terms.items()}
    pots = [{name: values[row, piece] for name, values in pot.items()} for pot in rules.pots.values()]
    return YearlyWedges(
        rate=at["buyer_rate"] + at["incentive_rate"] + sum((pot["pot_rate"] for pot in pots), 0.0),
        add=at["buyer_add"],
        incentive=at["incentive_add"] + sum((pot["pot_add"] for pot in pots), 0.0),
        keep=at["maker_rate"] - sum((pot["pot_lost"] for pot in pots), 0.0),
        charge=at["maker_charge"] + sum((pot["pot_charge"] for pot in pots), 0.0),
        utility=charger_utility(programmes, rows, facts, day),
        rules=rules,
    )


def rules_on(programmes: tuple[Programme, ...], rows: pd.DataFrame, facts: MarketFacts, day: dt.date) -> Rules:
    """One market's pieces on one day, incentives and pots apart from the rest.

    Raises
    ------
    PolicyError
        When programmes contradict each other.
    """
    done = compile_programmes(programmes, rows, facts, day, all_inside(rows))
    pieces, inner = done.pieces, done.inner
    first = np.unique(classes_of(facts), return_index=True)[1]
    incentives = {p.scope.id: p for p in done.programmes if isinstance(p, Incentive)}
    budgets = {name: p.budget_eur for name, p in incentives.items() if p.budget_eur < float("inf")}
    shape = (*inner.shape, first.size)

    def classed(values: np.ndarray) -> np.ndarray:
        return np.broadcast_to(values, (values.shape[0], first.size)) if values.shape[1] == 1 else values[:, first]

    found = {name: np.zeros(shape) for name in ("buyer_rate", "buyer_add", "maker_charge", "incentive_rate", "incentive_add")}
    found |= {"buyer_rate": np.ones(shape), "maker_rate": np.ones(inner.shape)}
    pots = {
        name: {f"pot_{term}": np.zeros(shape if term != "lost" else inner.shape) for term in ("rate", "add", "charge", "lost")} for name in budgets
    }
    for k in range(inner.shape[1]):
        for name, terms in each_term(done.programmes, done.place, inner[:, k]):
            rate, add, charge = (classed(values) for values in (terms.buyer_rate, terms.buyer_add, terms.maker_charge))
            if name in pots:
                for term, values in (("rate", rate), ("add", add), ("charge", charge), ("lost", terms.maker_lost)):
                    pots[name][f"pot_{term}"][:, k] += values
                continue
            kind = "incentive" if name in incentives else "buyer"
            found[f"{kind}_rate"][:, k] += rate
            found[f"{kind}_add"][:, k] += add
            found["maker_charge"][:, k] += charge
            found["maker_rate"][:, k] -= terms.maker_lost
    paid, kept = jumps(pieces)
    return Rules(pieces.breaks, pieces.closed_below, walls(pieces), paid - kept > 0, found, pots, budgets)


def piece_at_breaks(breaks: np.ndarray, closed_below: np.ndarray, price: np.ndarray) -> np.ndarray:
    """Which piece is in force at each price, as `keiretsu.supply.pieces.piece_at`. (J,)"""
    at = np.abs(price[:, None] - breaks) <= NEAR_EUR
    return np.where(at, ~closed_below, price[:, None] > breaks).sum(axis=1)
