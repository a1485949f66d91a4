"""Parts of a run's worth that need equilibria of their own, at the central case alone: coalitions of partners and the timing of launches ([18])."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pandas as pd

from keiretsu.case import Case
from keiretsu.errors import KeiretsuError
from keiretsu.market.world import World
from keiretsu.outlook.case_facts import last_year
from keiretsu.outlook.ensemble import Ensemble
from keiretsu.study.decisions import payoffs_from
from keiretsu.study.launches import time_launches
from keiretsu.study.nothing import NothingStated
from keiretsu.study.run import OnStep, chosen_scenarios, no_listener
from keiretsu.valuation.alliances import Alliance, alliance, seatings_needed
from keiretsu.valuation.cooperation import DEFAULT_PARTNERS, Cooperation, name_of, partners_of
from keiretsu.valuation.timing import LaunchTiming

T = TypeVar("T")
RATE = 0.07  # real, a year
CHOICE_OF_YEARS = 3  # years in which a launch may come, from the second after the case's
ALIKE = "Central case: every year like the base year; policy and what the launches themselves cost are left out."
OF_MARGINS = "Central case: margins of the markets and years simulated, before tax; savings elsewhere and later are not in them."
NO_PARTNERS = f"Coalitions are asked of {', '.join(DEFAULT_PARTNERS)}, which the case does not have. `keiretsu alliances` takes others."
MOST_LAUNCHES = 4  # of a scenario that is timed by itself: every set of them is an equilibrium of its own


@dataclass(frozen=True, eq=False)
class TimingPart:
    """Launch timing of a scenario and whose sales each launch takes."""

    scenario: str
    timing: LaunchTiming
    sources: pd.DataFrame

    @property
    def sentence(self) -> str:
        """What a board would quote."""
        return f"{self.timing.sentence} {ALIKE}"


@dataclass(frozen=True, eq=False)
class Extras:
    """Alliances and launch timing at the central case; `missing` says why one is empty, `cpu_s` what each cost in processor seconds."""

    alliance: Alliance | None = None
    timing: TimingPart | None = None
    missing: Mapping[str, str] = field(default_factory=dict[str, str])
    cpu_s: Mapping[str, float] = field(default_factory=dict[str, float])

    @property
    def alliance_sentence(self) -> str:
        """What a board would quote of the coalitions; empty when there are none."""
        return f"{self.alliance.sentence} {OF_MARGINS}" if self.alliance else ""


def extras_of(case: Case, on_step: OnStep = no_listener) -> Extras:
    """Launch timing, or why there is none; coalitions come from the years, see `with_coalitions`."""
    missing: dict[str, str] = {}
    cpu_s: dict[str, float] = {}

    def part(name: str, make: Callable[[], T]) -> T | None:
        start = time.process_time()
        try:
            return make()
        except KeiretsuError as error:
            missing[name] = str(error)
            return None
        finally:
            cpu_s[name] = time.process_time() - start

    if not partners_asked(case):
        missing["alliances"] = NO_PARTNERS
    timing = part("timing", lambda: timing_of(case, on_step))
    return Extras(None, timing, missing, cpu_s)


def partners_asked(case: Case) -> tuple[str, ...]:
    """The default partners where the case has them all and asks about stakes between companies, else nobody."""
    known = set(case.companies["company"].astype(str)) & set(case.tables["finance"]["company"].astype(str))
    return tuple(DEFAULT_PARTNERS) if set(DEFAULT_PARTNERS) <= known else ()


def with_coalitions(extras: Extras, case: Case, world: World, futures: Ensemble) -> Extras:
    """The extras with every coalition of the default partners, from years that simulated their seatings."""
    start = time.process_time()
    missing = dict(extras.missing)
    found: Alliance | None = None
    try:
        found = coalitions_of(case, world, futures)
    except KeiretsuError as error:
        missing["alliances"] = str(error)
    return replace(extras, alliance=found, missing=missing, cpu_s={**extras.cpu_s, "alliances": time.process_time() - start})


def coalitions_of(case: Case, world: World, futures: Ensemble) -> Alliance:
    """Every coalition of the default partners at the central case of the years ahead.

    Raises
    ------
    NothingStated
        When the case does not have those partners, or a seating has no path.
    """
    if not partners_asked(case):
        raise NothingStated(NO_PARTNERS)
    partners = partners_of(world, DEFAULT_PARTNERS)
    there = {str(name) for name in futures.central["scenario"].values}
    wanted = [name_of(seating) for seating in seatings_needed([one.name for one in partners]) if any(len(group) > 1 for group in seating)]
    absent = [name for name in wanted if name not in there]
    if absent:
        raise NothingStated(f"No path was found for {', '.join(absent)}; `keiretsu alliances` asks again by itself.")
    central = replace(futures, data=futures.central, inputs=futures.inputs.iloc[:0], normals=futures.normals.iloc[:0])
    return alliance(partners, Cooperation(), payoffs_from(case, central, partners))


def timing_of(case: Case, on_step: OnStep) -> TimingPart:
    """The first scenario, headlines before others, that launches between one and `MOST_LAUNCHES` cars.

    Raises
    ------
    NothingStated
        When there is none.
    """
    headline = {one.name for one in case.scenarios if one.headline}
    launching = {one.name: sum(len(move.launches()) for move in one.moves) for one in chosen_scenarios(case, ())} if case.scenarios else {}
    ordered = sorted((name for name, count in launching.items() if 0 < count <= MOST_LAUNCHES), key=lambda name: name not in headline)
    if not ordered:
        raise NothingStated(f"No scenario of the case launches between one and {MOST_LAUNCHES} cars whose years could be chosen.")
    first = case.year + 2
    until = max(last_year(case), first + CHOICE_OF_YEARS - 1)
    timing, sources = time_launches(case, ordered[0], tuple(range(first, first + CHOICE_OF_YEARS)), until, RATE, on_step)
    return TimingPart(ordered[0], timing, sources)
