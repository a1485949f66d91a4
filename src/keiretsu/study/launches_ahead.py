"""When the launches of a scenario should come, from simulated years: every rule, programme and rival of the years ahead in force ([11], [18]).

What a maker earns in a year depends on which of the launches are on sale in it, and hardly on when they came: prices are set year by year, and what years
hand on to each other (batteries made, cars on the road, chargers) is moved little by four cars. So each *set* of launches is simulated once, on sale from the
first year in question, and the value of any combination of years is read off: year by year the profit with what is then on sale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from keiretsu.case import Case
from keiretsu.errors import Problem, ValuationError
from keiretsu.market.build import build_world
from keiretsu.outlook.arrays import Year
from keiretsu.outlook.case_facts import facts_of
from keiretsu.outlook.outlook import Outlook, build, run
from keiretsu.study.futures import FuturesAsked, refuse_bad_request
from keiretsu.study.launches import names_of
from keiretsu.study.run import OnStep, chosen_scenarios
from keiretsu.typing import Vector
from keiretsu.valuation.discounting import clock
from keiretsu.valuation.finance import decimal_year, finances
from keiretsu.valuation.timing import LaunchOption, LaunchTiming, Values, Years, launch_timing, where_sales_come_from

OTHERS_RATE = 0.07  # real, a year, for a maker whose cost of capital the case does not state


def time_launches_ahead(case: Case, scenario: str, years: Sequence[int], asked: FuturesAsked, on_step: OnStep) -> tuple[LaunchTiming, pd.DataFrame]:
    """The value of each launch by year at the central case, and whose sales each takes in the last of the years asked about.

    Margins of the years simulated, each maker's at its own real rate, before tax, fixed cost and what the launch itself costs.

    Raises
    ------
    InputError, ValuationError
        A request that cannot be meant; when the scenario launches nothing, or a year is not simulated.
    """
    refuse_bad_request(case, asked)
    chosen = chosen_scenarios(case, (scenario,))[0]
    launched = [product for move in chosen.moves for product in move.launches()]
    until = asked.last(case)
    problems = [] if launched else [Problem("the scenario launches nothing", "launch timing", scenario, "a scenario with launches or twins")]
    problems += [
        Problem("a year outside the years simulated", "launch timing", str(y), f"{case.year + 1} to {until}")
        for y in years
        if not case.year < y <= until
    ]
    if problems:
        raise ValuationError(problems)
    sets = 2 ** len(launched)
    on_step(0, sets, "years ahead: prepared; the first run compiles them, later ones do not")
    world = build_world(asked.lean(case))
    outlook = build(world, {chosen.name: chosen}, facts_of(case, world, until))
    rows = pd.concat(list(outlook.roster.rows.values()))
    first = rows[rows["product"].isin(launched)].drop_duplicates("product").to_dict("records")
    name_of = names_of(first)
    firm_of = {name_of[str(row["product"])]: str(row["priced_by"]) for row in first}
    product_of = {name: product for product, name in name_of.items()}
    solved = SetsAhead(outlook, chosen.name, tuple(launched), min(years), on_step, sets)

    def named(on_sale: frozenset[str]) -> Year:
        return solved(frozenset(product_of[name] for name in on_sale))

    players = tuple(dict.fromkeys(firm_of.values()))
    weight = {player: weights_of(case, outlook, player) for player in players}
    launches = [LaunchOption(name, firm, tuple(years)) for name, firm in firm_of.items()]
    found = launch_timing(launches, values_by_year(named, outlook, players, weight))
    at = list(outlook.facts.years).index(max(years))
    sources = where_sales_come_from(
        launches, lambda on_sale: _units(outlook, named(on_sale), at, name_of, launched), _player_of(rows, firm_of, players)
    )
    return found, sources


class SetsAhead:
    """Simulated years with each set of a scenario's launches on sale from the first day of a year; each set is simulated once."""

    def __init__(self, outlook: Outlook, scenario: str, launched: tuple[str, ...], first: int, on_step: OnStep, sets: int) -> None:
        self.outlook, self.scenario, self.launched, self.on_step, self.sets = outlook, scenario, launched, on_step, sets
        planned = outlook.stories[scenario].launch_years
        self.shift = {f"date:{product}": first - planned[product] for product in launched}
        self.known: dict[frozenset[str], Year] = {}

    def __call__(self, on_sale: frozenset[str]) -> Year:
        if on_sale not in self.known:
            self.on_step(len(self.known), self.sets, "which launches are on sale")
            happens = {f"happens:{product}": float(product in on_sale) for product in self.launched}
            self.known[on_sale] = run(self.outlook, self.scenario, self.outlook.central() | self.shift | happens)[1]
        return self.known[on_sale]


def values_by_year(solved: Callable[[frozenset[str]], Year], outlook: Outlook, players: Sequence[str], weight: Mapping[str, Vector]) -> Values:
    """Value of any combination of years from the sets that are then on sale, year by year, over no launch at all."""
    labels, index = list(outlook.facts.years), {player: outlook.roster.firms.index(player) for player in players}

    def values(years: Years) -> Mapping[str, float]:
        paid = dict.fromkeys(players, 0.0)
        nothing = np.asarray(solved(frozenset()).firm_profit)
        for t, year in enumerate(labels):
            there = np.asarray(solved(frozenset(name for name, from_year in years.items() if from_year <= year)).firm_profit)
            for player, k in index.items():
                paid[player] += float(weight[player][t] * (there[t, k] - nothing[t, k]))
        return paid

    return values


def weights_of(case: Case, outlook: Outlook, player: str) -> Vector:
    """Worth on the case's day of one euro in the middle of each simulated year, at the player's own real rate. (T,)"""
    known = finances(case)
    rate = known[player].rate if player in known else OTHERS_RATE
    time = clock(np.asarray(outlook.facts.years), decimal_year(case.as_of))
    return time.part * (1 + rate) ** -time.middle


def _units(outlook: Outlook, years: Year, at: int, name_of: Mapping[str, str], launched: Sequence[str]) -> pd.Series:
    """Cars by product in that year, in the markets where something is launched."""
    units = np.asarray(years.units)
    parts = []
    for m, rows in enumerate(outlook.roster.rows.values()):
        if rows["product"].isin(list(launched)).any():
            parts.append(pd.Series(units[at, m, : len(rows)], index=rows["product"].astype(str).to_numpy()))
    return pd.concat(parts).groupby(level=0, sort=False).sum().rename(index=dict(name_of))


def _player_of(rows: pd.DataFrame, firm_of: Mapping[str, str], players: Sequence[str]) -> dict[str, str]:
    own = rows[rows["priced_by"].isin(list(players))].drop_duplicates("product")
    return {str(product): str(firm) for product, firm in zip(own["product"], own["priced_by"], strict=True)} | dict(firm_of)
