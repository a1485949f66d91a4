"""Deals of a scenario that hand profit from one company's accounts to another's: joint ventures, and take-overs.

A venture is set up by the scenario, so no accounts of its own are stated for it: its parents book their parts of what it earns and sells. Stakes stay those of the
case's day, so what a company that is taken over gains has to be handed to the one that takes it over by whoever asks ([14]).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from keiretsu.case import Case, Entry
from keiretsu.moves.companies import JointVenture, Merger
from keiretsu.moves.scenario import parse_move
from keiretsu.valuation.inputs import Prospects


def moves_of(case: Case, scenario: str) -> tuple[Entry, ...]:
    """Moves of a scenario as written, those of the scenarios it extends first; none for one that the case does not state (the baseline)."""
    texts = {one.name: one for one in case.scenarios}
    found: dict[str, tuple[Entry, ...]] = {}

    def reach(name: str) -> None:
        if name in found or name not in texts:
            return
        found[name] = texts[name].moves
        extends = texts[name].more.get("extends", ())
        for other in (extends,) if isinstance(extends, str) else extends:
            reach(str(other))

    reach(scenario)
    return tuple(move for name in reversed(found) for move in found[name])


def parents_of_ventures(case: Case, scenario: str) -> Mapping[str, Mapping[str, float]]:
    """Ventures that a scenario sets up and that book their own profit, with their parents' parts."""
    made = (parse_move(one.values, one.place) for one in moves_of(case, scenario) if one.values.get("type") == JointVenture.type)
    return {move.company: dict(move.split) for move in made if isinstance(move, JointVenture) and move.booked == "venture"}


def taken_over_by(case: Case, scenario: str, company: str) -> Mapping[str, float]:
    """Companies that a company takes over in a scenario, with the part of the merged company that their other holders get."""
    made = (parse_move(one.values, one.place) for one in moves_of(case, scenario) if one.values.get("type") == Merger.type)
    return {move.target: move.paid_in_shares for move in made if isinstance(move, Merger) and move.acquirer == company}


def booked_by_parents(ahead: Prospects, ventures: Mapping[str, Mapping[str, float]]) -> Prospects:
    """Prospects in which the parents have their parts of what ventures earn and sell, and the ventures have nothing."""
    there = {venture: split for venture, split in ventures.items() if venture in ahead.firms}
    if not there:
        return ahead
    firms = (*ahead.firms, *dict.fromkeys(parent for split in there.values() for parent in split if parent not in ahead.firms))
    to = np.eye(len(ahead.firms), len(firms))
    for venture, split in there.items():
        row = ahead.firms.index(venture)
        to[row] = 0.0
        for parent, part in split.items():
            to[row, firms.index(parent)] = part
    return Prospects(
        ahead.scenario,
        firms,
        ahead.years,
        ahead.margin_eur @ to,
        ahead.revenue_eur @ to,
        ahead.units @ to,
        ahead.electric_units @ to,
        ahead.planned_revenue_eur @ to,
        ahead.planned_units @ to,
        ahead.fixed_cost,
        ahead.excess @ np.eye(len(ahead.firms), len(firms)),
    )
