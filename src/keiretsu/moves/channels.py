"""Why a scenario changes what it changes: each change split into channels that add up to it exactly (Shapley 1953).

With k channels present, v(S) is a reported number in the world that holds only the moves of the channels in S. The part of channel c is
its marginal contribution averaged over all orders in which channels can be switched on,

    phi_c = sum over S without c of |S|! (k - |S| - 1)! / k! * (v(S + c) - v(S)),

so the parts add up to v(all) - v(none) and do not depend on an order that somebody chose. It takes 2^k equilibria. A second, separate
split asks how much of the change is the movers' own and how much the rivals' answer: `keiretsu.moves.response`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.errors import MoveError, Problem
from keiretsu.market.outcome import Outcome
from keiretsu.market.world import World
from keiretsu.moves.move import CHANNELS, Channel, Move
from keiretsu.moves.reported import reported
from keiretsu.moves.scenario import Scenario

Solve = Callable[[World], Outcome]


@dataclass(frozen=True)
class ChannelSplit:
    """A change split into channels.

    Attributes
    ----------
    channels
        Channels present, in the order of `CHANNELS`.
    table
        ``measure, item, unit, base, scenario, change`` and one column for each channel; the channels add up to `change`.
    solves
        Equilibria it took, 2^k.
    """

    channels: tuple[Channel, ...]
    table: pd.DataFrame
    solves: int


def channels(world: World, scenario: Scenario, solve: Solve) -> ChannelSplit:
    """Split everything a scenario changes into the channels it acts through.

    Parameters
    ----------
    world
        The baseline.
    solve
        ``World -> Outcome``; called once for each set of channels, so a cached one saves the baseline and the scenario.

    Raises
    ------
    MoveError
        When the scenario cannot be made in this world, or a part of it cannot be made without another channel's part.
    """
    parts = parts_by_channel(scenario.moves_at(world))
    scenario.apply(world)  # refuses contradictions before anything is solved
    present: tuple[Channel, ...] = tuple(name for name in CHANNELS if any(channel == name for channel, _ in parts))
    subsets: list[frozenset[Channel]] = [frozenset(s) for size in range(len(present) + 1) for s in itertools.combinations(present, size)]
    values = {subset: reported(solve(_world_with(world, scenario, parts, subset))) for subset in subsets}
    items = list(dict.fromkeys(key for value in values.values() for key in value))
    levels = {subset: np.array([value.get(key, 0.0) for key in items]) for subset, value in values.items()}
    base, full = levels[frozenset()], levels[frozenset(present)]
    table = pd.DataFrame(items, columns=["measure", "item", "unit"])
    table["base"], table["scenario"], table["change"] = base, full, full - base
    for name in present:
        table[name] = shapley(levels, name, present)
    return ChannelSplit(present, table, len(subsets))


def parts_by_channel(moves: Sequence[Move]) -> list[tuple[Channel, Move]]:
    """Moves taken apart by channel, in the scenario's order."""
    return [(channel, part) for move in moves for channel, part in move.by_channel().items()]


def shapley(levels: Mapping[frozenset[Channel], np.ndarray], name: Channel, present: tuple[Channel, ...]) -> np.ndarray:
    """Part of one channel in every number: its marginal contribution averaged over all orders. `levels` has every set of `present`."""
    k = len(present)
    part = np.zeros_like(levels[frozenset()])
    for subset, value in levels.items():
        if name in subset:
            continue
        weight = math.factorial(len(subset)) * math.factorial(k - len(subset) - 1) / math.factorial(k)
        part += weight * (levels[subset.union((name,))] - value)
    return part


def _world_with(world: World, scenario: Scenario, parts: Sequence[tuple[Channel, Move]], subset: frozenset[Channel]) -> World:
    """The world with the moves of some channels. A move that finds none of its products, for they are launched by a channel left out, is left out too."""
    changed = world
    for channel, part in parts:
        reduced = part.narrowed(changed) if channel in subset else None
        if reduced is None:
            continue
        try:
            changed = reduced.apply(changed)
        except MoveError as error:
            alone = f"channels {', '.join(sorted(subset))} alone"
            hint = Problem(
                "a part of the scenario needs another channel's part", part.place, alone, "parts that stand alone", "give both moves the same channel"
            )
            raise MoveError([*error.problems, hint]) from error
    return changed.replace(name=f"{scenario.name} ({', '.join(sorted(subset)) or 'nothing'})")
