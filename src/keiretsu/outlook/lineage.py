"""Where a launched car's utility and cost come from, as linear functions of the base year's ([5b]).

Moves put a new product's delta into the world as a number. A draw of demand parameters changes every delta of the base year, and with them that
number; so what the moves did is written down once as weights on the base year's deltas (a least-squares projection is linear in them).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.market.characteristics import characteristic_matrix
from keiretsu.market.world import World
from keiretsu.moves.move import Move
from keiretsu.moves.new_products import NewProduct
from keiretsu.moves.new_utility import fit_utility
from keiretsu.moves.product_range import Entry, Launch, Twin

Key = tuple[str, str]  # market, product


@dataclass(frozen=True)
class Lineage:
    """A launched product: weights of its delta on the base rows' deltas (n,), the base row its cost follows, and whether it copies that cost."""

    weights: np.ndarray
    source: int
    copies_cost: bool


def new_product_of(move: Move) -> NewProduct | None:
    """What a move puts on sale, or None."""
    if isinstance(move, Entry):
        return move._launch()._new()
    if isinstance(move, (Launch, Twin)):
        return move._new()
    return None


def lineages(base: World, after: World, moves: Sequence[Move], fits: Fits) -> dict[Key, Lineage]:
    """Lineage of every product that `moves` launch, in terms of the rows of `base`; `after` is the world with all of them in it, `fits` are those of `base`.

    `base` holds the base year's products only, and `moves` come in the order in which they were made.
    """
    rows = after.products
    row_of = {key: i for i, key in enumerate(zip(rows["market"], rows["product"], strict=True))}
    brand = rows["brand"].to_numpy()
    found: dict[Key, Lineage] = {}
    for move in moves:
        new = new_product_of(move)
        if new is None:
            continue
        for market in new.markets:
            key = (market, new.product)
            like = found[market, new.like] if (market, new.like) in found else fits.of_itself((market, new.like))
            old_brand = str(brand[row_of[market, new.like]])
            if new.utility == "of_like" or (new.utility == "twin" and old_brand == new.brand):
                weights = like.weights
            else:
                row = rows.take([row_of[key]])
                fit = fits.of(str(row["powertrain"].iloc[0]))
                standing = fit.standing(market, new.brand, new.brand_like)
                weights = like.weights + standing - fit.standing(market, old_brand, "") if new.utility == "twin" else fit.of(row) + standing
            found[key] = Lineage(weights, like.source, new.utility == "twin" and like.copies_cost)
    return found


class Fits:
    """Projections of one world by powertrain, each fitted when it is first asked for, and its products as their own lineages."""

    def __init__(self, base: World) -> None:
        self.base = base
        rows = base.products
        self._place = {(str(m), str(p)): i for i, (m, p) in enumerate(zip(rows["market"], rows["product"], strict=True))}
        self._own: dict[Key, Lineage] = {}
        self._known: dict[str, _Projection] = {}

    def of_itself(self, key: Key) -> Lineage:
        """A product of the world: its own delta and its own cost."""
        if key not in self._own:
            weights = np.zeros(len(self.base.products))
            weights[self._place[key]] = 1.0
            self._own[key] = Lineage(weights, self._place[key], True)
        return self._own[key]

    def of(self, powertrain: str) -> _Projection:
        """The projection for cars of that powertrain."""
        if powertrain not in self._known:
            self._known[powertrain] = _Projection(self.base, powertrain)
        return self._known[powertrain]


class _Projection:
    """`keiretsu.moves.new_utility.fit_utility` with the deltas left open: every result is a vector of weights on the rows of the base world."""

    def __init__(self, base: World, powertrain: str) -> None:
        self.names = fit_utility(base, powertrain).names
        chosen = ((base.products["powertrain"] == powertrain) & (base.products["launched_by"] == "")).to_numpy(bool)
        rows = base.products[chosen]
        self.columns, self.size = np.flatnonzero(chosen), len(base.products)
        x = characteristic_matrix(rows, self.names)
        cell = list(zip(rows["market"].astype(str), rows["brand"].astype(str), strict=True))
        self.cells = list(dict.fromkeys(cell))
        member = np.array([self.cells.index(c) for c in cell], dtype=int)
        mean = np.zeros((len(self.cells), len(rows)))
        mean[member, np.arange(len(rows))] = 1.0
        mean /= mean.sum(axis=1, keepdims=True)
        within = np.eye(len(rows)) - mean[member]
        self.taste = np.linalg.lstsq(within @ x, within, rcond=None)[0]
        self.mean = mean - mean @ x @ self.taste

    def of(self, row: pd.DataFrame) -> np.ndarray:
        return self._spread(characteristic_matrix(row, self.names)[0] @ self.taste)

    def standing(self, market: str, brand: str, brand_like: str) -> np.ndarray:
        cell = (market, brand) if (market, brand) in self.cells else (market, brand_like)
        return self._spread(self.mean[self.cells.index(cell)])

    def _spread(self, weights: np.ndarray) -> np.ndarray:
        out = np.zeros(self.size)
        out[self.columns] = weights
        return out
