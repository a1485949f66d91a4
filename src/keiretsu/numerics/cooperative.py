"""Games among players who may form groups: what each player brings, splits nobody would leave, groups nobody would leave.

A game with side payments is a worth v(S) for each group S of n players. It is handed over as one array of 2^n numbers: position S, read
in binary, says who is in (bit i is player i), so position 0 is the empty group. Worth must be zero there. The Shapley value pays each player
its mean contribution over all orders of arrival. The core is the set of splits of v(N) that give every group at least its worth; the least
core is where the smallest subsidy that empties all complaints leaves off, and the nucleolus is the one split of it that makes the sorted
complaints smallest (Schmeidler 1969). A partition says who sits with whom; payoffs that depend on the whole partition
(Thrall & Lucas 1963) need `stability`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy.optimize import linprog

from keiretsu.errors import InputError, KeiretsuError, Problem
from keiretsu.typing import Matrix, Vector

MOST_PLAYERS = 16  # 2^16 worths; the linear programs take seconds there
TIGHT = 1e-9  # part of the largest worth below which a complaint counts as nothing

Partition: TypeAlias = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class LeastCore:
    """The smallest subsidy that would leave no group with a complaint.

    Attributes
    ----------
    subsidy
        What every group but the whole one would have to be charged for leaving before nobody leaves; zero or below when the core is not
        empty, in the unit of the worths.
    split
        One split that attains it; not unique. (n,)
    low, high
        Range of each player's payoff over the core; over the least core when the core is empty. (n,)
    """

    subsidy: float
    split: Vector
    low: Vector
    high: Vector

    @property
    def core_is_empty(self) -> bool:
        """Whether every split leaves some group better off on its own."""
        return self.subsidy > TIGHT * max(1.0, float(np.abs(self.split).max()))


def shapley(worth: Vector) -> Vector:
    """Mean contribution of each player over all orders of arrival; adds up to the worth of the whole group. (n,)"""
    v, n = _checked(worth)
    members = _members(n)
    size = members.sum(axis=1)
    weight = np.array([math.factorial(s) * math.factorial(n - s - 1) / math.factorial(n) if s < n else 0.0 for s in range(n + 1)])
    value = np.zeros(n)
    for player in range(n):
        without = np.flatnonzero(~members[:, player])
        value[player] = weight[size[without]] @ (v[without | (1 << player)] - v[without])
    return value


def complaints(worth: Vector, split: Vector) -> Vector:
    """What each group could gain by leaving: its worth less what the split gives it. (2^n,)"""
    v, n = _checked(worth)
    return v - _members(n) @ np.asarray(split, float)


def least_core(worth: Vector) -> LeastCore:
    """The least core by linear programming, and the range of payoffs in the core (in the least core when the core is empty)."""
    v, n = _checked(worth)
    scale = float(np.abs(v).max()) or 1.0
    groups, level = _members(n)[1:-1].astype(float), v / scale
    if n == 1:
        return LeastCore(0.0, v[1:].copy(), v[1:].copy(), v[1:].copy())
    # variables: the split and the subsidy; every proper group: split(S) + subsidy >= v(S)
    rows = np.hstack([-groups, -np.ones((len(groups), 1))])
    whole = np.append(np.ones(n), 0.0)[None, :]
    found = _solve(np.append(np.zeros(n), 1.0), rows, -level[1:-1], whole, level[-1:])
    subsidy = float(found[-1])
    room = max(subsidy, 0.0) + TIGHT
    bounds = np.empty((2, n))
    for player in range(n):
        for side, sign in enumerate((1.0, -1.0)):
            cost = np.zeros(n)
            cost[player] = sign
            bounds[side, player] = _solve(cost, -groups, room - level[1:-1], np.ones((1, n)), level[-1:])[player]
    return LeastCore(subsidy * scale, found[:n] * scale, bounds[0] * scale, bounds[1] * scale)


def nucleolus(worth: Vector) -> Vector:
    """The split whose sorted complaints are smallest, by a chain of linear programs (Maschler, Peleg & Shapley 1979). (n,)"""
    v, n = _checked(worth)
    scale = float(np.abs(v).max()) or 1.0
    level, members = v / scale, _members(n).astype(float)
    fixed, fixed_at = [members[-1]], [level[-1]]
    open_groups = list(range(1, len(v) - 1))
    while np.linalg.matrix_rank(np.array(fixed)) < n:
        rows = np.array([np.append(-members[s], -1.0) for s in open_groups])
        equal = np.array([np.append(row, 0.0) for row in fixed])
        found = _solve(np.append(np.zeros(n), 1.0), rows, -level[open_groups], equal, np.array(fixed_at))
        subsidy = found[-1]
        room = -(level[open_groups] - subsidy - TIGHT)
        still = []
        for s in open_groups:
            if level[s] - members[s] @ found[:n] < subsidy - 1e-7:
                still.append(s)
                continue
            # at its bound here; fixed only when it is there in every optimum
            most = _solve(-members[s], -members[open_groups], room, np.array(fixed), np.array(fixed_at))
            if members[s] @ most > level[s] - subsidy + 1e-7:
                still.append(s)
            elif np.linalg.matrix_rank(np.array([*fixed, members[s]])) > len(fixed):
                fixed.append(members[s])
                fixed_at.append(level[s] - subsidy)
        open_groups = still
    return np.linalg.lstsq(np.array(fixed), np.array(fixed_at), rcond=None)[0] * scale


def nash_split(worth_together: float, alone: Vector, power: Vector) -> Vector:
    """Nash's bargaining split: each keeps what it has alone, the rest is divided by bargaining power. (n,)

    Parameters
    ----------
    power
        Nonnegative, adding up to one; equal parts are Nash's symmetric solution.

    Raises
    ------
    InputError
        When there is nothing to share (together is worth less than apart), or powers do not add up to one.
    """
    alone, power = np.asarray(alone, float), np.asarray(power, float)
    if (power < 0).any() or abs(power.sum() - 1.0) > 1e-9 or power.shape != alone.shape:
        raise InputError(Problem("bargaining powers are not shares of one", "power", str(power), "one for each player, adding up to 1"))
    gain = worth_together - alone.sum()
    if gain < 0:
        raise InputError(
            Problem("nothing to share: together is worth less than apart", "Nash split", f"{gain:,.6g}", "a gain of zero or more", "leave them apart")
        )
    return alone + power * gain


def partitions(n: int) -> tuple[Partition, ...]:
    """Every way to seat n players at tables, players in order within a table and tables by their first player; 1, 2, 5, 15, 52, ... ways."""

    def grow(k: int) -> Iterator[list[list[int]]]:
        if k == 0:
            yield []
            return
        for smaller in grow(k - 1):
            for i in range(len(smaller)):
                yield [*smaller[:i], [*smaller[i], k - 1], *smaller[i + 1 :]]
            yield [*smaller, [k - 1]]

    found = (tuple(sorted(tuple(group) for group in one)) for one in grow(n))
    return tuple(sorted(found, key=lambda p: (-len(p), p)))


@dataclass(frozen=True)
class Stability:
    """Whether a partition holds together.

    Attributes
    ----------
    by_one
        Nobody gains by walking out alone.
    by_group
        No group of players, all better off, would leave where they are and sit together.
    blocked_by
        The group that would gain most in all by leaving, and its gain; empty and zero when `by_group` holds.
    """

    partition: Partition
    by_one: bool
    by_group: bool
    blocked_by: tuple[int, ...]
    gain: float


def stability(payoff: Mapping[Partition, Vector], left_behind: str, tolerance: float) -> tuple[Stability, ...]:
    """Which partitions nobody would leave, given what each partition pays each player.

    Parameters
    ----------
    payoff
        For every partition of the n players, what each gets. (n,)
    left_behind
        What those whom leavers leave behind do: "fall apart" into single players (gamma) or "stay together" (delta). Tables that nobody leaves stay.
    tolerance
        A gain has to be larger than this to count.
    """
    if left_behind not in ("fall apart", "stay together"):
        raise InputError(Problem("unknown reaction of those left behind", "left_behind", left_behind, "fall apart or stay together"))
    n = len(next(iter(payoff.values())))
    missing = [p for p in partitions(n) if p not in payoff]
    if missing:
        raise InputError(Problem("a partition has no payoff", "partition function", str(missing[0]), f"all {len(partitions(n))} partitions"))
    groups = [g for size in range(1, n + 1) for g in itertools.combinations(range(n), size)]
    return tuple(_stability(p, payoff, groups, left_behind, tolerance) for p in partitions(n))


def _stability(
    partition: Partition, payoff: Mapping[Partition, Vector], groups: Sequence[tuple[int, ...]], left_behind: str, tolerance: float
) -> Stability:
    now, by_one, best, blocked = payoff[partition], True, 0.0, ()
    for group in groups:
        if group in partition:
            continue
        members = list(group)
        gain = payoff[after_leaving(partition, group, left_behind)][members] - now[members]
        if (gain > tolerance).all():
            by_one = by_one and len(group) > 1
            if gain.sum() > best:
                best, blocked = float(gain.sum()), group
    return Stability(partition, by_one, not blocked, blocked, best)


@dataclass(frozen=True)
class Holding:
    """Whether some split of what each table earns keeps a partition together.

    Attributes
    ----------
    subsidy
        Smallest charge on leaving that keeps every group where it is under the best split; zero or below when the partition holds by itself.
    split
        That split. (n,)
    """

    partition: Partition
    subsidy: float
    split: Vector


def best_split(payoff: Mapping[Partition, Vector], partition: Partition, left_behind: str) -> Holding:
    """The split of each table's payoff under which leaving pays least, by linear programming; what leavers get together depends on the partition they make.

    Parameters are those of `stability`; `payoff` before any side payment.
    """
    n = len(payoff[partition])
    scale = max(float(np.abs(v).max()) for v in payoff.values()) or 1.0
    groups = [g for size in range(1, n + 1) for g in itertools.combinations(range(n), size) if g not in partition]
    if not groups:
        return Holding(partition, 0.0, payoff[partition].copy())

    def inside(group: Sequence[int]) -> Vector:
        return np.isin(np.arange(n), group).astype(float)

    rows = np.array([np.append(-inside(g), -1.0) for g in groups])
    wanted = np.array([payoff[after_leaving(partition, g, left_behind)][list(g)].sum() for g in groups]) / scale
    tables = np.array([np.append(inside(table), 0.0) for table in partition])
    earned = np.array([payoff[partition][list(table)].sum() for table in partition]) / scale
    found = _solve(np.append(np.zeros(n), 1.0), rows, -wanted, tables, earned)
    return Holding(partition, float(found[-1]) * scale, found[:n] * scale)


def after_leaving(partition: Partition, group: tuple[int, ...], left_behind: str) -> Partition:
    """The partition once `group` has left where it sat and sits together."""
    tables: list[tuple[int, ...]] = [tuple(sorted(group))]
    for table in partition:
        rest = tuple(p for p in table if p not in group)
        if not rest:
            continue
        broken = len(rest) < len(table) and left_behind == "fall apart"
        tables += [(p,) for p in rest] if broken else [rest]
    return tuple(sorted(tables))


def _members(n: int) -> Matrix:
    return (np.arange(2**n)[:, None] >> np.arange(n)[None, :] & 1).astype(bool)


def _checked(worth: Vector) -> tuple[Vector, int]:
    v = np.asarray(worth, float)
    n = int(v.size).bit_length() - 1
    problems = []
    if v.ndim != 1 or v.size != 2**n or not 1 <= n <= MOST_PLAYERS:
        problems.append(Problem("worths are not one for each group", "game", f"{v.size} worths", f"2^n of them, n from 1 to {MOST_PLAYERS}"))
    elif v[0] != 0:
        problems.append(Problem("the empty group has a worth", "game, position 0", f"{v[0]:g}", "0"))
    if not np.isfinite(v).all():
        problems.append(Problem("a worth is not a number", "game", f"positions {np.flatnonzero(~np.isfinite(v))[:5].tolist()}", "finite worths"))
    if problems:
        raise InputError(problems)
    return v, n


def _solve(cost: Vector, rows: Matrix, at_most: Vector, equal_rows: Matrix, equal_to: Vector) -> Vector:
    found = linprog(cost, A_ub=rows, b_ub=at_most, A_eq=equal_rows, b_eq=equal_to, bounds=(None, None), method="highs")
    if found.status != 0 or found.x is None:
        raise KeiretsuError(f"linear program of a cooperative game: {found.message}")
    return found.x
