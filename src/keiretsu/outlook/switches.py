"""How far each input may move before a path changes its regime: read off the path at first order, or found by solving it again ([13]).

At first order every slack moves along its slope, a difference between two paths close by; the first one to be used up is the nearest change. What has no
slack (see `keiretsu.outlook.regimes`) is not seen that way, so for the inputs that matter most paths are solved on both sides and the change is closed in on
by halving. Launch dates have changes that no path need be solved for: the first day of a year, and the days on which a model's age begins anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from keiretsu.errors import NotSettled
from keiretsu.outlook.outlook import Outlook
from keiretsu.outlook.regimes import Regime, YearsAt, name_of, regime_at, what_changed

STEP = 0.05  # of an input's deviation: the difference that slopes of slacks are taken from
MOST = 3.0  # deviations: nothing further away is reported
BEYOND = 1.1  # times the distance at first order: where the path is looked at first
DOUBLINGS, HALVINGS = 4, 7
CLOSE = 0.02  # of the distance: known well enough

EXACT, SOLVED, FIRST_ORDER, AT_MOST, NONE = "exact", "solved", "first order", "at most", "none found"


@dataclass(frozen=True)
class Switch:
    """The nearest change of regime along one input.

    Attributes
    ----------
    distance
        In the input's unit, from its central value; inf when none is known.
    way
        +1 where the input has to rise, -1 where it has to fall, 0 where either or nothing.
    what
        What changes.
    how
        How it is known: "exact" (a closed form), "solved" (paths on both sides of it), "first order", "at most" (the regime is another one there already), "none found".
    """

    distance: float
    way: int
    what: str
    how: str


NOWHERE = Switch(math.inf, 0, "", NONE)


def nearest_switch(
    outlook: Outlook, scenario: str, name: str, deviation: float, values: Mapping[str, float], here: Regime, years_at: YearsAt
) -> Switch:
    """The nearest change at first order, or by closed form; `here` is the regime at `values`."""
    closed = of_launch(outlook, scenario, name, values)
    if not deviation > 0:
        return closed
    for sign in (1, -1):
        step = sign * STEP * deviation
        there = regime_at(outlook, scenario, {**values, name: values[name] + step}, years_at)
        if here.same_as(there):
            return min(closed, _first_order(outlook, scenario, here, there, step, MOST * deviation), key=lambda one: one.distance)
    return min(closed, Switch(abs(step), -1, what_changed(outlook, here, there), AT_MOST), key=lambda one: one.distance)


def closed_in(
    outlook: Outlook, scenario: str, name: str, deviation: float, values: Mapping[str, float], here: Regime, years_at: YearsAt, first: Switch
) -> Switch:
    """The nearest change found by solving paths: outwards from the distance at first order until one is seen, then halving.

    Paths between the one still in the regime and the central case are taken to be in it as well.
    """
    if first.how == EXACT and first.distance <= STEP * deviation:
        return first

    def changed(at: float) -> str:
        """What is different there, empty when nothing is."""
        try:
            there = regime_at(outlook, scenario, {**values, name: values[name] + at}, years_at)
        except NotSettled:
            return "no path is found"
        return "" if here.same_as(there) else what_changed(outlook, here, there)

    inner, reach = 0.0, min(BEYOND * first.distance, deviation)
    for _ in range(DOUBLINGS):
        seen = {sign: what for sign in (1, -1) if (what := changed(sign * reach))}
        if seen:
            return min((_halved(changed, sign, inner, reach, what) for sign, what in seen.items()), key=lambda one: one.distance)
        if reach >= deviation:
            break
        inner, reach = reach, min(2 * reach, deviation)
    return first if first.distance > reach else Switch(reach, 0, "no change as far as this", NONE)


def of_launch(outlook: Outlook, scenario: str, name: str, values: Mapping[str, float]) -> Switch:
    """The nearest day on which a launch leaves a year or a model's age jumps; nothing for other inputs."""
    kind, _, product = name.partition(":")
    planned = outlook.stories[scenario].launch_years
    if kind != "date" or product not in planned:
        return NOWHERE
    at, years = planned[product] + values[name], outlook.facts.years
    found = [(float(round(at)), f"the launch crosses the first day of {round(at)}")]
    if values["age_taste"] != 0.0:
        cycle = float(outlook.base.cycle_years)
        renewals = int((years[-1] + 1 - at) // cycle) if at <= years[-1] + 1 else 0
        for n in range(renewals + 1):
            for year in years:
                day = year + 0.5 - n * cycle
                found.append((day, f"its age in {year} starts to count" if n == 0 else f"it is new again in {year}, or a year earlier"))
    day, what = min(found, key=lambda one: abs(at - one[0]))
    return Switch(abs(at - day), 1 if day > at else -1, what, EXACT)


def _first_order(outlook: Outlook, scenario: str, here: Regime, there: Regime, step: float, most: float) -> Switch:
    best, found = most, NOWHERE
    for kind, slack in here.slacks.items():
        known = np.isfinite(slack) & np.isfinite(there.slacks[kind])
        rate = np.where(known, np.where(known, there.slacks[kind], 0.0) - np.where(known, slack, 0.0), 0.0) / step
        distance = np.where(rate != 0, np.where(known, slack, 0.0) / np.where(rate != 0, np.abs(rate), 1.0), np.inf)
        if distance.size and distance.min() < best:
            place = tuple(int(i) for i in np.unravel_index(distance.argmin(), distance.shape))
            best = float(distance[place])
            found = Switch(best, -1 if rate[place] > 0 else 1, name_of(outlook, scenario, kind, place[:-1], here, place[-1]), FIRST_ORDER)
    return found


def _halved(changed: Callable[[float], str], sign: int, low: float, high: float, what: str) -> Switch:
    for _ in range(HALVINGS):
        if high - low <= CLOSE * high:
            break
        middle = (low + high) / 2
        seen = changed(sign * middle)
        low, high, what = (low, middle, seen) if seen else (middle, high, what)
    return Switch(high, sign, what, SOLVED)
