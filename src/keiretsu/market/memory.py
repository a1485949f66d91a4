"""What was worked out before, kept by everything that it hangs on, so that equal inputs are not worked out twice.

Most scenarios leave most markets as they are. A market whose products, buyers, owners, programmes and shadow costs are exactly those of a market
solved before has the answer of that market; nothing here compares within a tolerance or guesses what a move touches.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar, cast

import numpy as np
import pandas as pd

Value = TypeVar("Value")

KEPT = 96  # entries of one kind: some ten worlds of nine markets


class Same:
    """Stands for one object in a key: equal to itself alone. The object is kept, so its identity is never given to another one."""

    __slots__ = ("thing",)

    def __init__(self, thing: object) -> None:
        self.thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.thing is self.thing

    def __hash__(self) -> int:
        return id(self.thing)


class Content:
    """A key made once and hashed once: equal when what it holds is equal."""

    __slots__ = ("held", "number")

    def __init__(self, *held: Hashable) -> None:
        self.held, self.number = held, hash(held)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Content) and other.number == self.number and other.held == self.held)

    def __hash__(self) -> int:
        return self.number


class Memory:
    """Answers by kind and key, the last `KEPT` of each kind that were asked for. One for a run: pass it to every `solve` of the run."""

    def __init__(self) -> None:
        self.kinds: dict[str, OrderedDict[Hashable, object]] = {}
        self.asked: dict[str, int] = {}
        self.made: dict[str, int] = {}

    def once(self, kind: str, key: Hashable, make: Callable[[], Value]) -> Value:
        """What `make` gives, from memory when this key was asked for before."""
        kept = self.kinds.setdefault(kind, OrderedDict())
        self.asked[kind] = self.asked.get(kind, 0) + 1
        if key in kept:
            kept.move_to_end(key)
        else:
            kept[key] = make()
            self.made[kind] = self.made.get(kind, 0) + 1
            if len(kept) > KEPT:
                kept.popitem(last=False)
        return cast(Value, kept[key])


def content_of(rows: pd.DataFrame, columns: Sequence[str] | None = None) -> Content:
    """Every figure and word of a table, or of some of its columns, to the last bit."""
    names = tuple(rows.columns) if columns is None else tuple(columns)
    return Content(names, *(_column(rows[name].to_numpy()) for name in names))


def bits(array: np.ndarray) -> tuple[tuple[int, ...], str, bytes]:
    """An array of numbers as a key."""
    return array.shape, array.dtype.str, np.ascontiguousarray(array).tobytes()


def _column(values: np.ndarray) -> Hashable:
    return tuple(values.tolist()) if values.dtype == object else bits(values)
