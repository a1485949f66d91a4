"""When to launch: the value of each year, rivals and sister brands answering, and what waiting costs.

Each player (a brand's owner) has launches, each with years in which it may come, or never. Every combination is valued, so that best responses, the
combinations that nobody would change alone (Nash equilibria in pure strategies) and the players' joint best are read off a table; none of them is
assumed to exist. Twins eat each other's sales: `where_sales_come_from` shows from whom.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from keiretsu.errors import Problem, ValuationError
from keiretsu.valuation.money import with_error
from keiretsu.valuation.odds import listed

Years: TypeAlias = Mapping[str, int]
"""Year of each launch that comes; launches left out never come."""

Values: TypeAlias = Callable[[Years], Mapping[str, float]]
"""Net present value of each player (EUR) under those years, against no launch at all."""

MOST_COMBINATIONS = 20_000
NEVER = "never"
SIDES = ("own_launches", "own_other", "partners_launches", "partners_other", "rivals")
SAME_EUR = 1.0  # values closer than this are the same


@dataclass(frozen=True)
class LaunchOption:
    """A launch, who decides on it, and the years in which it may come."""

    name: str
    player: str
    years: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class LaunchTiming:
    """The value of launching by year. Money is EUR at 2023 prices against no launch.

    Attributes
    ----------
    sentence
        For a board.
    combinations
        One row for every combination: a column for each launch (year or "never"), `<player>_eur`, `total_eur`, `equilibrium`, `joint_best`.
    responses
        ``player, others, best, value_eur``: each player's best years against each choice of the others.
    waiting
        ``launch, player, year, value_eur, total_eur, cost_of_waiting_eur``: everybody else at the combination the sentence names; "never" is a row of its own.
    alone
        ``launch, player, year, value_eur``: when nothing else is launched.
    named
        The combination the sentence names: the equilibrium with the largest total, or the joint best where no equilibrium exists.
    """

    sentence: str
    combinations: pd.DataFrame
    responses: pd.DataFrame
    waiting: pd.DataFrame
    alone: pd.DataFrame
    named: Years
    has_equilibrium: bool


def launch_timing(launches: Sequence[LaunchOption], values: Values) -> LaunchTiming:
    """Value every combination of years.

    Raises
    ------
    ValuationError
        No launch, a launch without a year or named twice, too many combinations.
    """
    _refuse(launches)
    players = tuple(dict.fromkeys(launch.player for launch in launches))
    own = {player: [launch for launch in launches if launch.player == player] for player in players}
    strategies = {player: [_years(own[player], chosen) for chosen in _choices(own[player])] for player in players}
    worth: dict[tuple[int, ...], Mapping[str, float]] = {}
    for place in itertools.product(*[range(len(strategies[player])) for player in players]):
        worth[place] = values(_together(players, strategies, place))
    equilibria = [place for place in worth if all(_best_reply(worth, place, k, players, strategies) for k in range(len(players)))]
    total = {place: sum(paid.values()) for place, paid in worth.items()}
    joint = max(worth, key=lambda place: (total[place], place))
    named = max(equilibria, key=lambda place: (total[place], place)) if equilibria else joint
    years = _together(players, strategies, named)
    rows = []
    for place, paid in worth.items():
        plan = _together(players, strategies, place)
        rows.append(
            {launch.name: plan.get(launch.name, NEVER) for launch in launches}
            | {f"{player}_eur": float(paid[player]) for player in players}
            | {"total_eur": float(total[place]), "equilibrium": place in equilibria, "joint_best": place == joint}
        )
    waiting = _waiting(launches, values, years)
    alone = _alone(launches, values)
    return LaunchTiming(
        sentence=_sentence(launches, years, worth[named], waiting, bool(equilibria), total[joint] - total[named]),
        combinations=pd.DataFrame(rows),
        responses=_responses(worth, players, strategies, launches),
        waiting=waiting,
        alone=alone,
        named=years,
        has_equilibrium=bool(equilibria),
    )


def year_by_year(
    profit: Callable[[frozenset[str]], Mapping[str, float]],
    weight: Mapping[int, float],
    outlay_eur: Mapping[str, Mapping[int, float]],
    players: Mapping[str, str],
) -> Values:
    """Values from yearly profits that depend only on what is on sale.

    Parameters
    ----------
    profit
        Profit a year of each player (EUR) with those launches on sale; called once for each set.
    weight
        Worth today of one euro in each year; a launch is on sale from its year to the last one named here.
    outlay_eur
        What a launch costs in its year, by launch and year; zero where not named.
    players
        Who pays for each launch.
    """
    known: dict[frozenset[str], Mapping[str, float]] = {}

    def of(on_sale: frozenset[str]) -> Mapping[str, float]:
        if on_sale not in known:
            known[on_sale] = profit(on_sale)
        return known[on_sale]

    def values(years: Years) -> Mapping[str, float]:
        nothing = of(frozenset())
        paid = dict.fromkeys(nothing, 0.0)
        for year, worth in weight.items():
            there = of(frozenset(name for name, from_year in years.items() if from_year <= year))
            for player in paid:
                paid[player] += worth * (there[player] - nothing[player])
        for name, year in years.items():
            paid[players[name]] -= weight.get(year, 0.0) * outlay_eur.get(name, {}).get(year, 0.0)
        return paid

    return values


def where_sales_come_from(
    launches: Sequence[LaunchOption], units: Callable[[frozenset[str]], pd.Series], player_of: Mapping[str, str]
) -> pd.DataFrame:
    """What each launch sells when it comes last, and whose cars lose what it gains.

    Parameters
    ----------
    units
        Cars a year by product with those launches on sale. Launches are products under their own names.
    player_of
        Player of each product; products not named are rivals'.

    Returns
    -------
    DataFrame
        ``launch, player, sells, alone_sells, from_own_launches, from_own_other, from_partners_launches, from_partners_other, from_rivals, from_nothing``, cars a year;
        the parts add up to `sells`. `alone_sells` is what it would sell without the other launches.
    """
    everything = frozenset(launch.name for launch in launches)
    full = units(everything)
    rows = []
    for launch in launches:
        without, only = units(everything - {launch.name}), units(frozenset((launch.name,)))
        lost = (without - full.reindex(without.index, fill_value=0.0)).astype(float)
        parts: dict[str, float] = dict.fromkeys(SIDES, 0.0)
        for product, cars in lost.items():
            player = player_of.get(str(product), "")
            kind = "launches" if product in everything else "other"
            side = "rivals" if not player else f"own_{kind}" if player == launch.player else f"partners_{kind}"
            parts[side] += float(cars)
        sells = float(full[launch.name])
        rows.append(
            {"launch": launch.name, "player": launch.player, "sells": sells, "alone_sells": float(only[launch.name])}
            | {f"from_{side}": cars for side, cars in parts.items()}
            | {"from_nothing": sells - sum(parts.values())}
        )
    return pd.DataFrame(rows)


def _choices(launches: Sequence[LaunchOption]) -> list[tuple[int | None, ...]]:
    return list(itertools.product(*[(*launch.years, None) for launch in launches]))


def _years(launches: Sequence[LaunchOption], chosen: tuple[int | None, ...]) -> dict[str, int]:
    return {launch.name: year for launch, year in zip(launches, chosen, strict=True) if year is not None}


def _together(players: Sequence[str], strategies: Mapping[str, Sequence[Years]], place: tuple[int, ...]) -> dict[str, int]:
    return {name: year for player, k in zip(players, place, strict=True) for name, year in strategies[player][k].items()}


def _best_reply(
    worth: Mapping[tuple[int, ...], Mapping[str, float]],
    place: tuple[int, ...],
    k: int,
    players: Sequence[str],
    strategies: Mapping[str, Sequence[Years]],
) -> bool:
    player = players[k]
    best = max(worth[(*place[:k], s, *place[k + 1 :])][player] for s in range(len(strategies[player])))
    return worth[place][player] >= best - SAME_EUR


def _responses(
    worth: Mapping[tuple[int, ...], Mapping[str, float]],
    players: Sequence[str],
    strategies: Mapping[str, Sequence[Years]],
    launches: Sequence[LaunchOption],
) -> pd.DataFrame:
    rows = []
    for k, player in enumerate(players):
        others = [range(len(strategies[p])) if p != player else [0] for p in players]
        for place in itertools.product(*others):
            replies = [(*place[:k], s, *place[k + 1 :]) for s in range(len(strategies[player]))]
            best = max(replies, key=lambda reply: worth[reply][player])
            rest = {
                name: year
                for name, year in _together(players, strategies, place).items()
                if name not in {x.name for x in launches if x.player == player}
            }
            rows.append((player, _said(rest), _said(strategies[player][best[k]]), float(worth[best][player])))
    return pd.DataFrame(rows, columns=["player", "others", "best", "value_eur"])


def _waiting(launches: Sequence[LaunchOption], values: Values, named: Years) -> pd.DataFrame:
    rows = []
    for launch in launches:
        others = {name: year for name, year in named.items() if name != launch.name}
        found = {year: values({**others, launch.name: year}) for year in launch.years}
        paid: dict[object, Mapping[str, float]] = {**found, NEVER: values(others)}
        best = max(float(one[launch.player]) for one in paid.values())
        rows += [
            (launch.name, launch.player, year, float(one[launch.player]), float(sum(one.values())), best - float(one[launch.player]))
            for year, one in paid.items()
        ]
    return pd.DataFrame(rows, columns=["launch", "player", "year", "value_eur", "total_eur", "cost_of_waiting_eur"])


def _alone(launches: Sequence[LaunchOption], values: Values) -> pd.DataFrame:
    rows = [(launch.name, launch.player, year, float(values({launch.name: year})[launch.player])) for launch in launches for year in launch.years]
    return pd.DataFrame(rows, columns=["launch", "player", "year", "value_eur"])


def _sentence(launches: Sequence[LaunchOption], named: Years, paid: Mapping[str, float], waiting: pd.DataFrame, stable: bool, better: float) -> str:
    players = tuple(dict.fromkeys(launch.player for launch in launches))
    worth = listed([f"{with_error(float(paid[player]), 0.0)} to {player}" for player in players])
    what = (
        f"Nobody would change the year of a launch: {_said(named)}"
        if stable
        else f"No combination of years holds when each looks after itself; together {_said(named)} is best"
    )
    parts = [f"{what}, worth {worth}"]
    costs: dict[int, list[str]] = {}
    for launch in launches:
        if launch.name not in named:
            continue
        own = waiting[(waiting["launch"] == launch.name) & (waiting["year"] != NEVER)]
        later = [(int(row["year"]), float(row["cost_of_waiting_eur"])) for row in own.to_dict("records") if int(row["year"]) > named[launch.name]]
        if later:
            year, cost = min(later)
            costs.setdefault(year, []).append(f"{launch.name} {with_error(cost, 0.0)}")
    parts += [f"waiting until {year} costs {listed(each)}" for year, each in sorted(costs.items())]
    if stable and better > SAME_EUR:
        parts.append(f"agreeing on the years would bring {with_error(better, 0.0)} more in all")
    return "; ".join(parts) + "."


def _said(years: Years) -> str:
    """``A and B in 2025 and C in 2027``."""
    by_year: dict[int, list[str]] = {}
    for name, year in sorted(years.items(), key=lambda item: (item[1], item[0])):
        by_year.setdefault(year, []).append(name)
    return listed([f"{listed(names)} in {year}" for year, names in by_year.items()]) or "no launch"


def _refuse(launches: Sequence[LaunchOption]) -> None:
    problems: list[Problem] = []
    names = [launch.name for launch in launches]
    if not launches:
        problems.append(Problem("nothing to launch", "launch timing", "no launch", "one launch at least"))
    problems += [Problem("a launch named twice", "launch timing", name, "each once") for name in dict.fromkeys(names) if names.count(name) > 1]
    problems += [Problem("a launch without a year", "launch timing", launch.name, "one year at least") for launch in launches if not launch.years]
    combinations = int(np.prod([len(launch.years) + 1 for launch in launches])) if launches else 0
    if combinations > MOST_COMBINATIONS:
        problems.append(
            Problem("too many combinations", "launch timing", f"{combinations:,}", f"at most {MOST_COMBINATIONS:,}", "name fewer years or launches")
        )
    if problems:
        raise ValuationError(problems)
