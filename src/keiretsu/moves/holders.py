"""Moves of who holds a company at large: a part of it goes to the public, or the register of another day is used ([1])."""

# ruff: noqa: RUF009 (`argument` makes a dataclass field, which is what a default has to be)

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from keiretsu.errors import Problem
from keiretsu.market.world import World
from keiretsu.moves.arguments import argument
from keiretsu.moves.company_edits import unknown_companies, unknown_holders
from keiretsu.moves.move import Channel, Move
from keiretsu.moves.stakes import passed_on, too_little_for_sale
from keiretsu.ownership.holdings import FLOAT_PREFIX
from keiretsu.ownership.register import Control, Stake
from keiretsu.ownership.register_changes import issue


@dataclass(frozen=True, kw_only=True)
class Listing(Move):
    """A part of a company goes to the public: ownership side only, the money is for the valuation of listings."""

    type: ClassVar[str] = "listing"
    summary: ClassVar[str] = "a part of a company is floated, as new shares (primary) or shares of present holders (secondary)"
    usual_channel: ClassVar[Channel] = "ownership"

    company: str = argument("company that is listed")
    share: float = argument("part of the equity that the public holds more of afterwards", unit="share", low=0.0, high=1.0)
    money: str = argument("primary: new shares; secondary: shares of the sellers", words=("primary", "secondary"))
    sellers: tuple[str, ...] = argument("who sells, when secondary, in proportion to what they hold", default=())

    def changed(self, world: World) -> World:
        """The world with a larger float."""
        date, source, public = world.date, f"move {self.label}", FLOAT_PREFIX + self.company
        if self.money == "primary":
            return world.replace(register=issue(world.register, self.company, public, self.share, self.share, date, source))
        return world.replace(register=passed_on(world.register, self.sellers, public, self.company, self.share, date, source))

    def check(self, world: World) -> list[Problem]:
        """Parties must be known and sellers hold enough."""
        problems = unknown_companies(world, (self.company,), self.place) + unknown_holders(world, self.sellers, self.place)
        if problems or self.faults() or self.money == "primary":
            return problems
        return too_little_for_sale(world, self, self.sellers, self.company, self.share)

    def faults(self) -> list[Problem]:
        """Sellers when secondary; less than all when primary."""
        problems = super().faults()
        if (self.money == "secondary") != bool(self.sellers):
            problems.append(Problem("sellers do not fit the money", self.place, f"money {self.money}", "sellers when secondary, none when primary"))
        if self.money == "primary" and self.share >= 1:
            problems.append(Problem("new shares cannot be all of a company", self.place, f"{self.share:g}", "a share below 1"))
        return problems

    def buys(self) -> tuple[tuple[str, str], ...]:
        """The public and the company."""
        return ((FLOAT_PREFIX + self.company, self.company),)

    def parties(self) -> tuple[str, ...]:
        """Company and sellers."""
        return (self.company, *self.sellers)


@dataclass(frozen=True, kw_only=True)
class RegisterDate(Move):
    """Ownership as it was, or will be, on another date; everything else as in the world."""

    type: ClassVar[str] = "register_date"
    summary: ClassVar[str] = "stakes and declared control as of another date, everything else as in the world"
    usual_channel: ClassVar[Channel] = "ownership"

    date: dt.date = argument("the day whose register is used")

    def changed(self, world: World) -> World:
        """The world with that day's stakes and control, and no others."""
        stakes = tuple(dataclasses.replace(s, start=None, end=None) for s in world.register.stakes if s.in_force(self.date))
        control = tuple(dataclasses.replace(c, start=None, end=None) for c in world.register.control if c.in_force(self.date))
        return world.replace(register=dataclasses.replace(world.register, stakes=stakes, control=control))

    def check(self, world: World) -> list[Problem]:
        """A firm that has holders on the world's date must have some on the other one, or it would quietly become its own."""

        def held(day: dt.date) -> set[str]:
            lines: Sequence[Stake | Control] = (*world.register.stakes, *world.register.control)
            return {line.company for line in lines if line.in_force(day)}

        lost = sorted((held(world.date) - held(self.date)) & set(world.firms()))
        next_step = "give the stakes an earlier start, or state who held it then"
        return [
            Problem("the register has no holder for this company on that date", self.place, f"{name} on {self.date}", "a stake", next_step)
            for name in lost
        ]
