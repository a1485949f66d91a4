"""Taxes, incentives and tariffs of every year: the affine piece in force for each slot, by class of buyer ([7]).

Programmes are those in force on 1 July. The piece is the one that the observed price lies on, or the planned price of a car that was not there;
how far prices are from the next break is a distance to a change of regime. Buyers of one kind and income get the same, so pieces are kept by class
of buyer and not by consumer draw.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.market.policy.compile import charger_utility, wedges_for
from keiretsu.market.policy.programmes import Incentive, Programme, in_force
from keiretsu.market.world import MarketFacts, World
from keiretsu.supply.pieces import piece_at, wedges_of


@dataclass(frozen=True)
class YearlyWedges:
    """Pieces in force on one day: buyer's rate, addition, and the part of it that is purchase incentives, (J, G); maker's rate (J,) and charge (J, G);
    utility that charger programmes add (J,)."""

    rate: np.ndarray
    add: np.ndarray
    incentive: np.ndarray
    keep: np.ndarray
    charge: np.ndarray
    utility: np.ndarray


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
    active = in_force(programmes, facts.id, day)
    plain = tuple(p for p in active if not isinstance(p, Incentive))
    every = _by_class(active, rows, facts, day, price)
    without = every if len(plain) == len(active) else _by_class(plain, rows, facts, day, price)
    same_rate = np.broadcast_to(every[0], without[0].shape) if every[0].shape[1] < without[0].shape[1] else every[0]
    incentive = every[1] - without[1]
    return YearlyWedges(same_rate, every[1] - incentive, incentive, every[2], every[3], charger_utility(programmes, rows, facts, day))


def _by_class(programmes: tuple[Programme, ...], rows: pd.DataFrame, facts: MarketFacts, day: dt.date, price: np.ndarray) -> tuple[np.ndarray, ...]:
    pieces = wedges_for(programmes, rows, facts, day)
    found = wedges_of(pieces, piece_at(pieces, price))
    first = np.unique(classes_of(facts), return_index=True)[1]

    def classed(values: object) -> np.ndarray:
        array = np.asarray(values)
        return np.broadcast_to(array, (array.shape[0], first.size)) if array.shape[1] == 1 else array[:, first]

    return classed(found.buyer_rate), classed(found.buyer_add), np.asarray(found.maker_rate), classed(found.maker_charge)
