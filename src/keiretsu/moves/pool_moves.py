"""Moves that change fleet rules and pools: join, leave, form a pool; a rule of another year, averaged over years, or none ([10])."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

from keiretsu.errors import Problem
from keiretsu.market.pools import FleetRule, Pool, PoolRecord
from keiretsu.market.world import World
from keiretsu.moves.arguments import argument
from keiretsu.moves.move import Channel, Move


@dataclass(frozen=True, kw_only=True)
class JoinPool(Move):
    """Makers leave the pools they are in and join another."""

    type: ClassVar[str] = "join_pool"
    summary: ClassVar[str] = "makers leave the pool they are in and join another"
    usual_channel: ClassVar[Channel] = "policy"

    rule: str = argument("id of the fleet rule")
    pool: str = argument("id of the pool they join")
    makers: tuple[str, ...] = argument("makers, as the rule counts them (brands or companies)")

    def changed(self, world: World) -> World:
        """The world with the makers in the pool."""
        without = _left(records_of(world), self.rule, self.makers)
        return world.replace(
            pools=tuple(replace(r, makers=(*r.makers, *self.makers)) if isinstance(r, Pool) and r.id == self.pool else r for r in without)
        )

    def check(self, world: World) -> list[Problem]:
        """The pool must be one of the rule."""
        pools = [r.id for r in records_of(world) if isinstance(r, Pool) and r.rule == self.rule]
        wrong = [] if self.pool in pools else [Problem("no such pool", self.place, self.pool, f"one of {', '.join(pools) or 'none'}")]
        return [*unknown_rule(world, self.rule, self.place), *wrong]


@dataclass(frozen=True, kw_only=True)
class LeavePool(Move):
    """Makers meet the rule alone."""

    type: ClassVar[str] = "leave_pool"
    summary: ClassVar[str] = "makers leave the pool they are in and meet the rule alone"
    usual_channel: ClassVar[Channel] = "policy"

    rule: str = argument("id of the fleet rule")
    makers: tuple[str, ...] = argument("makers, as the rule counts them")

    def changed(self, world: World) -> World:
        """The world with the makers alone."""
        return world.replace(pools=_left(records_of(world), self.rule, self.makers))

    def check(self, world: World) -> list[Problem]:
        """Each maker must be in a pool."""
        pooled = {m for r in records_of(world) if isinstance(r, Pool) and r.rule == self.rule for m in r.makers}
        return [
            *unknown_rule(world, self.rule, self.place),
            *(Problem("a maker that leaves is in no pool", self.place, m) for m in self.makers if m not in pooled),
        ]


@dataclass(frozen=True, kw_only=True)
class FormPool(Move):
    """Makers form a new pool."""

    type: ClassVar[str] = "form_pool"
    summary: ClassVar[str] = "makers leave the pools they are in and form a new one"
    usual_channel: ClassVar[Channel] = "policy"

    rule: str = argument("id of the fleet rule")
    pool: str = argument("id of the new pool")
    makers: tuple[str, ...] = argument("makers, as the rule counts them")
    sharing: str = argument("who bears a fine", default="internal price", words=("internal price", "pro rata", "one payer"))
    payer: str = argument("maker that bears it, for one payer", default="")

    def changed(self, world: World) -> World:
        """The world with the new pool."""
        sharing: Any = self.sharing
        return world.replace(pools=(*_left(records_of(world), self.rule, self.makers), Pool(self.pool, self.rule, self.makers, sharing, self.payer)))

    def check(self, world: World) -> list[Problem]:
        """The id must be free, the payer a member."""
        problems = unknown_rule(world, self.rule, self.place)
        if any(isinstance(r, Pool) and r.id == self.pool for r in records_of(world)):
            problems.append(Problem("a pool of that id exists", self.place, self.pool, "another id"))
        if self.sharing == "one payer" and self.payer not in self.makers:
            problems.append(
                Problem("the payer of a pool is not one of its makers", self.place, self.payer or "nobody", f"one of {', '.join(self.makers)}")
            )
        return problems


@dataclass(frozen=True, kw_only=True)
class RuleOfYear(Move):
    """Target and pools of another year hold in the case's year; later years keep their own."""

    type: ClassVar[str] = "rule_of_year"
    summary: ClassVar[str] = "the rule's target and pools of another year hold in the year of the case; later years keep their own"
    usual_channel: ClassVar[Channel] = "policy"

    rule: str = argument("id of the fleet rule")
    year: int = argument("year whose target and pools hold")

    def changed(self, world: World) -> World:
        """The world with that year's rule and pools in the case's year."""
        now = world.date.year
        kept: list[PoolRecord] = []
        for r in records_of(world):
            if not ((isinstance(r, FleetRule) and r.id == self.rule) or (isinstance(r, Pool) and r.rule == self.rule)):
                kept.append(r)
                continue
            if r.from_year <= self.year <= r.to_year:
                kept.append(replace(r, from_year=now, to_year=now))
            if r.to_year > now:
                kept.append(replace(r, from_year=max(r.from_year, now + 1)))
        return world.replace(pools=tuple(kept))

    def check(self, world: World) -> list[Problem]:
        """The rule must have a target in that year."""
        problems = unknown_rule(world, self.rule, self.place)
        spans = [r for r in records_of(world) if isinstance(r, FleetRule) and r.id == self.rule]
        if not problems and not any(r.from_year <= self.year <= r.to_year for r in spans):
            stated = ", ".join(f"{r.from_year}-{r.to_year}" for r in spans)
            problems.append(Problem("the rule has no target in that year", self.place, str(self.year), f"a year of {stated}"))
        return problems


@dataclass(frozen=True, kw_only=True)
class AverageRule(Move):
    """Compliance counts on the average of several years."""

    type: ClassVar[str] = "average_rule"
    summary: ClassVar[str] = "a fleet rule is met on the average of several years (banking and borrowing); only the years ahead feel it"
    usual_channel: ClassVar[Channel] = "policy"

    rule: str = argument("id of the fleet rule")
    first_year: int = argument("first year of the window")
    last_year: int = argument("last year of the window")

    def changed(self, world: World) -> World:
        """The world with the rule averaged over the window."""
        window = (self.first_year, self.last_year)
        return world.replace(
            pools=tuple(
                replace(r, averaged=window)
                if isinstance(r, FleetRule) and r.id == self.rule and r.from_year <= self.last_year and r.to_year >= self.first_year
                else r
                for r in records_of(world)
            )
        )

    def check(self, world: World) -> list[Problem]:
        """The rule must be there, the window must have years."""
        problems = unknown_rule(world, self.rule, self.place)
        if self.last_year < self.first_year:
            problems.append(Problem("a window ends before it starts", self.place, f"{self.first_year} to {self.last_year}"))
        return problems


@dataclass(frozen=True, kw_only=True)
class EndRule(Move):
    """A fleet rule holds no longer."""

    type: ClassVar[str] = "end_rule"
    summary: ClassVar[str] = "a fleet rule holds no longer"
    usual_channel: ClassVar[Channel] = "policy"

    rule: str = argument("id of the fleet rule")

    def changed(self, world: World) -> World:
        """The world without the rule, its pools and its rest of the area."""
        return world.replace(pools=tuple(r for r in records_of(world) if (r.id if isinstance(r, FleetRule) else r.rule) != self.rule))

    def check(self, world: World) -> list[Problem]:
        """The rule must be there."""
        return unknown_rule(world, self.rule, self.place)


def records_of(world: World) -> tuple[PoolRecord, ...]:
    """The world's pool records, as what they are."""
    return cast(tuple[PoolRecord, ...], world.pools)


def unknown_rule(world: World, rule: str, place: str) -> list[Problem]:
    """The rule, where the world does not have it."""
    known = dict.fromkeys(r.id for r in records_of(world) if isinstance(r, FleetRule))
    return [] if rule in known else [Problem("no such fleet rule", place, rule, f"one of {', '.join(known) or 'none in this case'}")]


def _left(records: tuple[PoolRecord, ...], rule: str, makers: tuple[str, ...]) -> tuple[PoolRecord, ...]:
    """Records with the makers out of every pool of the rule; a pool that empties goes."""
    found: list[PoolRecord] = []
    for r in records:
        if isinstance(r, Pool) and r.rule == rule:
            rest = tuple(m for m in r.makers if m not in makers)
            if rest:
                found.append(replace(r, makers=rest))
        else:
            found.append(r)
    return tuple(found)
