"""What the storylines of a run have in common, made once and kept once.

Most scenarios leave most of the world as it is: who owns whom changes, the products do not; one car costs less, every tax stays. Storylines then have the same
arrays to the last bit, and dozens of plans of twelve years would otherwise be dozens of copies of them, in memory and on their way to another process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar, cast

import jax
import numpy as np
import pandas as pd

from keiretsu.market.memory import Content, Same, content_of

T = TypeVar("T")
NOT_ABOUT_POLICY = ("cost_eur",)  # columns that no programme and no fleet rule looks at


class Shared:
    """Answers by key, and arrays by what is in them; one for a run."""

    def __init__(self) -> None:
        self._known: dict[Hashable, object] = {}

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives; from memory when the key was asked for before."""
        if key not in self._known:
            self._known[key] = make()
        return cast(T, self._known[key])

    def array(self, values: np.ndarray) -> jax.Array:
        """`values` for compiled code: one array for all that are equal. They must not change afterwards."""
        return self.once(("array", self.content(values)), lambda: jax.device_put(np.ascontiguousarray(values)))

    def content(self, values: np.ndarray) -> Content:
        """What is in an array, as a key. The array must not change afterwards."""
        return self.once(("content", *same(values)), lambda: content_of_array(values))

    def by_year(self, of_world: Sequence[np.ndarray], of_year: tuple[int, ...], as_type: type | None = None) -> jax.Array:
        """Arrays of a storyline's worlds laid out over its years, for compiled code. (T, ...)"""

        def make() -> jax.Array:
            stacked = np.stack([of_world[u] for u in of_year])
            return jax.device_put(stacked if as_type is None else stacked.astype(as_type))

        contents = [self.content(values) for values in of_world]
        return self.once(("by year", tuple(contents[u] for u in of_year), as_type), make)

    def looks(self, rows: Mapping[str, pd.DataFrame]) -> dict[str, Content]:
        """What tells one table of products from another where taxes, incentives and fleet rules are concerned, by market."""
        columns = list(NOT_ABOUT_POLICY)
        return self.once(("look", *same(rows)), lambda: {market: content_of(table.drop(columns=columns)) for market, table in rows.items()})


def same(*things: object) -> tuple[Same, ...]:
    """A key that stands for these very objects."""
    return tuple(Same(thing) for thing in things)


def content_of_array(values: np.ndarray) -> Content:
    """What is in an array, as a key."""
    whole = np.ascontiguousarray(values)
    return Content(whole.shape, whole.dtype.str, hashlib.blake2b(whole.view(np.uint8).data if whole.size else b"", digest_size=16).digest())
