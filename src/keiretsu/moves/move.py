"""What every move has in common: a name, how certain it is, when it holds, the channel it acts through, and ``World -> World``."""

# ruff: noqa: RUF009 (`argument` makes a dataclass field, which is what a default has to be)

from __future__ import annotations

import dataclasses
import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias, cast

import numpy as np

from keiretsu.errors import MoveError, Problem
from keiretsu.market.world import World
from keiretsu.moves.arguments import argument
from keiretsu.moves.filter import ProductFilter

Channel: TypeAlias = Literal["ownership", "cost", "product_range", "policy", "rivals"]

CHANNELS: Mapping[Channel, str] = {
    "ownership": "who owns, controls and earns what",
    "cost": "what cars cost to make",
    "product_range": "which cars are on sale",
    "policy": "taxes, incentives, tariffs, CO2 rules, chargers",
    "rivals": "what rivals do of their own accord: price cuts, entry",
}

STATUSES: Mapping[str, str] = {
    "exploring": "being talked about",
    "announced": "said in public, not binding",
    "committed": "binding, not carried out",
    "completed": "carried out",
    "abandoned": "given up",
}


@dataclass(frozen=True, kw_only=True)
class Move(ABC):
    """A change of the world and of nothing else. Concrete moves are final classes that list their own arguments.

    Attributes
    ----------
    type
        What scenario files call it.
    usual_channel
        Channel of comparison that the move acts through unless told otherwise.
    place
        File and position it was read from, for messages.
    """

    type: ClassVar[str]
    summary: ClassVar[str]
    usual_channel: ClassVar[Channel]

    name: str = argument("name, for the record of what changed the world", default="")
    status: str = argument("how far it has got", default="announced", words=tuple(STATUSES))
    probability: float = argument("probability that it happens", unit="share", default=1.0, low=0.0, high=1.0)
    start: dt.date | None = argument("first day it holds; not stated is always", default=None)
    end: dt.date | None = argument("first day it no longer holds; not stated is never", default=None)
    channel: str = argument("channel of comparison, when it is not the usual one of its type", default="", words=("", *CHANNELS))
    place: str = "a move made in Python"

    def apply(self, world: World) -> World:
        """The world with the move in it, whatever the date (see `Scenario.apply` for dates).

        Raises
        ------
        MoveError
            When the move cannot be made in this world; carries every problem.
        """
        problems = [*self.faults(), *self.check(world)]
        if problems:
            raise MoveError(problems)
        return self.made(world)

    def made(self, world: World) -> World:
        """As `apply`, where the caller has made sure that `check` finds nothing."""
        changed = self.changed(world)
        return changed.replace(changed_by=(*changed.changed_by, self.label))

    @abstractmethod
    def changed(self, world: World) -> World:
        """The world with the move in it; the caller has made sure that `check` finds nothing."""

    def check(self, world: World) -> list[Problem]:
        """Why the move cannot be made in this world; empty when it can."""
        del world
        return []

    def faults(self) -> list[Problem]:
        """What is wrong with the arguments by themselves; concrete moves add to it."""
        if self.start and self.end and not self.start < self.end:
            return [Problem("dates out of order", self.place, f"start {self.start}, end {self.end}", "an end after the start")]
        return []

    def by_channel(self) -> Mapping[Channel, Move]:
        """The move taken apart by the channels it acts through; parts applied one after the other are the move."""
        return {cast(Channel, self.channel) if self.channel else self.usual_channel: self}

    def touched(self, world: World) -> np.ndarray:
        """True for rows of the product table that the move is about; all False for a move that names no products. (rows,)"""
        filters = self.filters().values()
        everything = np.full(len(world.products), bool(filters))
        return np.logical_and.reduce([everything, *(chosen.rows(world.products) for chosen in filters)])

    def buys(self) -> tuple[tuple[str, str], ...]:
        """Pairs of a buyer and the company it buys a part of."""
        return ()

    def absorbs(self) -> tuple[tuple[str, str], ...]:
        """Pairs of an acquirer and the company that ceases to stand alone."""
        return ()

    def parties(self) -> tuple[str, ...]:
        """Companies and owners that take part as actors or as what is bought."""
        return ()

    def launches(self) -> tuple[str, ...]:
        """Ids of products that the move puts on sale."""
        return ()

    def narrowed(self, world: World) -> Move | None:
        """The move as far as it finds products in a world that lacks some of its scenario's launches; None when it finds nothing."""
        kept = {name: chosen.narrowed(world.products) for name, chosen in self.filters().items()}
        return None if None in kept.values() else dataclasses.replace(self, **kept)

    def in_force(self, date: dt.date) -> bool:
        """Whether the move holds on a day."""
        return (self.start is None or self.start <= date) and (self.end is None or date < self.end)

    @property
    def label(self) -> str:
        """The name, or the type where none was given."""
        return self.name or self.type

    def same_as(self, other: Move) -> bool:
        """Whether two moves say the same thing: names, places and how certain they are aside."""
        if type(self) is not type(other):
            return False
        said = [field.name for field in dataclasses.fields(self) if field.name not in ("name", "place", "status", "probability")]
        return all(getattr(self, name) == getattr(other, name) for name in said)

    def filters(self) -> dict[str, ProductFilter]:
        """Arguments of the move that choose products, by name."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, ProductFilter)}
