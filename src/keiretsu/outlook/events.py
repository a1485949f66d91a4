"""Things that may or may not happen whatever is decided: an alliance under talks, a duty under study, an incentive that may be prolonged ([12]).

An event is a scenario of the case with a probability: `event:NAME` in `uncertain.csv`. In draws in which it happens its moves are in force, from their dates, in the
baseline and in every scenario; the same draws in all, so differences compare like with like. A scenario that makes an event's moves itself makes them in every draw.
Each combination of events is a plan of its own, chosen before the compiled path is called.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import pandas as pd

from keiretsu.errors import CaseError, Problem
from keiretsu.moves.move import Move
from keiretsu.moves.scenario import Scenario

Branch = tuple[str, frozenset[str]]  # a scenario, and the events that happen
MOST = 4  # events: each doubles the plans


def events_of(uncertain: pd.DataFrame, every: Callable[[], Mapping[str, Scenario]]) -> dict[str, Scenario]:
    """Events that a case draws, by the scenario that says what happens; `every` reads the case's scenarios and is not asked without need.

    Raises
    ------
    CaseError
        For one that is no scenario with moves, is not drawn by a probability, or is one too many; all together.
    """
    problems: list[Problem] = []
    found: dict[str, Scenario] = {}
    if not uncertain["input"].astype(str).str.startswith("event:").any():
        return found
    scenarios = every()
    for row in uncertain.to_dict("records"):
        kind, _, name = str(row["input"]).partition(":")
        if kind != "event":
            continue
        if name not in scenarios or not scenarios[name].moves:
            problems.append(Problem("no scenario says what this event is", str(row["row"]), name, "a scenario of the case with moves"))
        elif row["distribution"] != "discrete":
            problems.append(Problem("an event happens or does not", str(row["row"]), str(row["distribution"]), "discrete"))
        else:
            found[name] = scenarios[name]
    if len(found) > MOST:
        problems.append(Problem("too many events", "uncertain.csv", f"{len(found)}", f"{MOST} at most: each doubles the plans"))
    if problems:
        raise CaseError(problems)
    return found


def branches_of(names: Sequence[str], scenarios: Mapping[str, Scenario], events: Mapping[str, Scenario]) -> dict[Branch, Scenario | str]:
    """What each scenario is when some events happen: another list of moves, or the name of a scenario that is the same.

    Events that a scenario makes itself change nothing there.
    """
    found: dict[Branch, Scenario | str] = {}
    for name in names:
        own = scenarios[name].moves if name in scenarios else ()
        for size in range(1, len(events) + 1):
            for happening in combinations(events, size):
                new = [move for event in happening for move in events[event].moves if not _made(move, own)]
                moves = tuple(move for i, move in enumerate(new) if not _made(move, new[:i]))
                base = scenarios.get(name, Scenario(name, name, "", ()))
                found[name, frozenset(happening)] = dataclasses.replace(base, moves=(*moves, *own)) if moves else name
    return found


def _made(move: Move, others: Sequence[Move]) -> bool:
    return any(move.same_as(other) for other in others)
