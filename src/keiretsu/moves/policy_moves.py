"""Moves that change taxes, incentives, tariffs and chargers: run, end, change, cap, copy a programme ([7]).

Programmes are named by their id in `World.programmes`. A move's own `start` and `end` are the dates from and before which the change holds; not stated, it holds
from the world's date on and in all of the years ahead, that of the world's date among them; what was in force when prices were observed stays as it was.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from keiretsu.errors import Problem
from keiretsu.market.policy.parsing import check_figure
from keiretsu.market.policy.programmes import OPEN_END, Chargers, Incentive, Programme
from keiretsu.market.policy.spending import spending_at_observed_sales
from keiretsu.market.world import World
from keiretsu.moves.arguments import argument
from keiretsu.moves.move import Channel, Move

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class RunProgramme(Move):
    """Programmes that are dormant, over or yet to come are in force."""

    type: ClassVar[str] = "run_programme"
    summary: ClassVar[str] = "programmes of the case that are dormant, over or yet to come are in force; for the makers named, where any are"
    usual_channel: ClassVar[Channel] = "policy"

    programmes: tuple[str, ...] = argument("ids of programmes of the case")
    makers: tuple[str, ...] = argument("companies that may use it; not stated leaves it as written", default=())

    def changed(self, world: World) -> World:
        """The world with the programmes in force."""
        last = self.end - _DAY if self.end else OPEN_END
        dates: dict[str, Any] = {"start": first_day(self, world), "end": last, "dormant": False}
        if self.makers:
            dates["makers"] = self.makers
        return replaced(world, {p.scope.id: (rescoped(p, **dates),) for p in named(world, self.programmes)})

    def check(self, world: World) -> list[Problem]:
        """Programmes must be there."""
        return unknown_programmes(world, self.programmes, self.place)


@dataclass(frozen=True, kw_only=True)
class EndProgramme(Move):
    """Programmes end before their time."""

    type: ClassVar[str] = "end_programme"
    summary: ClassVar[str] = "programmes are no longer in force"
    usual_channel: ClassVar[Channel] = "policy"

    programmes: tuple[str, ...] = argument("ids of programmes of the case")

    def changed(self, world: World) -> World:
        """The world without the programmes from the first day of the move."""
        return replaced(world, {p.scope.id: ended(p, first_day(self, world)) for p in named(world, self.programmes)})

    def check(self, world: World) -> list[Problem]:
        """Programmes must be there."""
        return unknown_programmes(world, self.programmes, self.place)


@dataclass(frozen=True, kw_only=True)
class ChangeProgramme(Move):
    """Figures of programmes change: amounts, rates, ceilings."""

    type: ClassVar[str] = "change_programme"
    summary: ClassVar[str] = "figures of programmes change, by the names of their fields in EUR, shares, km, kg (`window.at_most` for a ceiling)"
    usual_channel: ClassVar[Channel] = "policy"

    programmes: tuple[str, ...] = argument("ids of programmes of the case")
    figures: Mapping[str, float] = argument("new figures by field, such as flat_eur or rate")

    def changed(self, world: World) -> World:
        """The world with the new figures from the first day of the move; before it the old ones hold."""
        first = first_day(self, world)
        parts = {}
        for p in named(world, self.programmes):
            fresh = rescoped(_with_figures(p, self.figures), start=max(first, p.scope.start))
            parts[p.scope.id] = (*ended(p, first), fresh)
        return replaced(world, parts)

    def check(self, world: World) -> list[Problem]:
        """Every figure must be a number of the programme."""
        problems = unknown_programmes(world, self.programmes, self.place)
        for p in named(world, self.programmes):
            known = _figures_of(p)
            problems += [
                Problem("a programme has no such figure", self.place, f"{name} of {p.scope.id}", f"one of {', '.join(known)}")
                for name in self.figures
                if name not in known
            ]
            problems += [fault for name, value in self.figures.items() if name in known for fault in check_figure(name, value, self.place)]
        return problems


@dataclass(frozen=True, kw_only=True)
class CapProgramme(Move):
    """Incentives get a budget that may run out."""

    type: ClassVar[str] = "cap_programme"
    summary: ClassVar[str] = "incentives get a yearly budget and stop when it is spent"
    usual_channel: ClassVar[Channel] = "policy"

    programmes: tuple[str, ...] = argument("ids of programmes of the case")
    budget_eur: float = argument("money for the year", unit="EUR", low=0.0)

    def changed(self, world: World) -> World:
        """The world with the budget."""
        return replaced(
            world, {p.scope.id: (dataclasses.replace(cast(Incentive, p), budget_eur=self.budget_eur),) for p in named(world, self.programmes)}
        )

    def check(self, world: World) -> list[Problem]:
        """Only incentives have budgets."""
        wrong = [p.scope.id for p in named(world, self.programmes) if not isinstance(p, Incentive)]
        return [
            *unknown_programmes(world, self.programmes, self.place),
            *(Problem("only an incentive has a budget", self.place, name) for name in wrong),
        ]


@dataclass(frozen=True, kw_only=True)
class CopyProgramme(Move):
    """Another country does as one does."""

    type: ClassVar[str] = "copy_programme"
    summary: ClassVar[str] = "programmes are also in force in other markets, under an id with the market's added"
    usual_channel: ClassVar[Channel] = "policy"

    programmes: tuple[str, ...] = argument("ids of programmes of the case")
    markets: tuple[str, ...] = argument("markets that take them over")

    def changed(self, world: World) -> World:
        """The world with the copies."""
        copies = [
            rescoped(p, id=f"{p.scope.id}_{market}", markets=(market,), start=first_day(self, world), end=OPEN_END, dormant=False)
            for p in named(world, self.programmes)
            for market in self.markets
        ]
        return world.replace(programmes=(*world.programmes, *copies))

    def check(self, world: World) -> list[Problem]:
        """Markets must be the world's."""
        unknown = [m for m in self.markets if m not in world.markets]
        there = [(p.scope.id, m) for p in named(world, self.programmes) for m in self.markets if p.scope.in_force(m, self.start or world.date)]
        return [
            *unknown_programmes(world, self.programmes, self.place),
            *(Problem("the programme is in force there already", self.place, f"{name} in {m}", "markets without it") for name, m in there),
            *(Problem("no such market", self.place, m, f"one of {', '.join(world.markets)}") for m in unknown),
        ]


@dataclass(frozen=True, kw_only=True)
class ChargersInstead(Move):
    """Money of incentives goes into chargers."""

    type: ClassVar[str] = "chargers_instead"
    summary: ClassVar[str] = "incentives end and what they cost at observed sales is spent on chargers (a dormant charger programme of the case)"
    usual_channel: ClassVar[Channel] = "policy"

    programmes: tuple[str, ...] = argument("ids of programmes of the case")
    chargers: str = argument("id of the charger programme")

    def changed(self, world: World) -> World:
        """The world without the incentives and with chargers of the same money."""
        money = spending_at_observed_sales(world, self.programmes)
        after = replaced(world, {p.scope.id: ended(p, first_day(self, world)) for p in named(world, self.programmes)})
        built = next(p for p in programmes_of(world) if p.scope.id == self.chargers)
        running = dataclasses.replace(
            cast(Chargers, built), scope=dataclasses.replace(built.scope, start=first_day(self, world), dormant=False), money_eur=money
        )
        return replaced(after, {self.chargers: (running,)})

    def check(self, world: World) -> list[Problem]:
        """The charger programme must be one."""
        found = [p for p in programmes_of(world) if p.scope.id == self.chargers and isinstance(p, Chargers)]
        wrong = [] if found else [Problem("no such charger programme", self.place, self.chargers)]
        return [*unknown_programmes(world, self.programmes, self.place), *wrong]


def programmes_of(world: World) -> tuple[Programme, ...]:
    """The world's programmes, as what they are."""
    return cast(tuple[Programme, ...], world.programmes)


def unknown_programmes(world: World, ids: tuple[str, ...], place: str) -> list[Problem]:
    """Programmes that the world does not have."""
    known = dict.fromkeys(p.scope.id for p in programmes_of(world))
    wanted = f"one of {', '.join(known) or 'none in this case'}"
    return [Problem("no such programme", place, name, wanted) for name in ids if name not in known]


def named(world: World, ids: tuple[str, ...]) -> list[Programme]:
    """The programmes of the world with these ids."""
    return [p for p in programmes_of(world) if p.scope.id in ids]


def first_day(move: Move, world: World) -> dt.date:
    """First day of the change a move makes; one without a date begins with the first year ahead, where the world's date lies in it or later."""
    return move.start or min(world.date, dt.date(world.observed_on.year + 1, 1, 1))


def replaced(world: World, parts: Mapping[str, tuple[Programme, ...]]) -> World:
    """The world with each programme named replaced by others, in its place."""
    found = [q for p in programmes_of(world) for q in parts.get(p.scope.id, (p,))]
    return world.replace(programmes=tuple(found))


def rescoped(programme: Programme, **changes: Any) -> Programme:
    """The programme with another scope."""
    return dataclasses.replace(programme, scope=dataclasses.replace(programme.scope, **changes))


def ended(programme: Programme, first_day_without: dt.date) -> tuple[Programme, ...]:
    """The programme up to the day before, or nothing where it had not begun."""
    if programme.scope.start >= first_day_without:
        return ()
    return (rescoped(programme, end=min(programme.scope.end, first_day_without - _DAY)),)


def _figures_of(programme: Programme) -> list[str]:
    names = []
    for f in dataclasses.fields(programme):
        value = getattr(programme, f.name)
        if isinstance(value, float | int) and not isinstance(value, bool):
            names.append(f.name)
        elif dataclasses.is_dataclass(value):
            names += [f"{f.name}.{g.name}" for g in dataclasses.fields(value) if isinstance(getattr(value, g.name), float | int)]
    return [name for name in names if name != "scope.dormant"]


def _with_figures(programme: Programme, figures: Mapping[str, float]) -> Programme:
    for name, value in figures.items():
        outer, _, inner = name.partition(".")
        new: Any = dataclasses.replace(getattr(programme, outer), **{inner: value}) if inner else value
        programme = dataclasses.replace(programme, **{outer: new})
    return programme
