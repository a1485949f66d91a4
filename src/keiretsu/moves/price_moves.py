"""A maker commits to lower prices: they are cut and held there while everybody else answers.

Only a price that is known can be cut. Cars that are launched at a price still to be found keep their maker's own choice when a filter takes them along;
a filter that names such a car, or fits no other, is refused.
"""

# ruff: noqa: RUF009 (`argument` makes a dataclass field, which is what a default has to be)

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from keiretsu.errors import Problem
from keiretsu.market.world import World
from keiretsu.moves.arguments import argument
from keiretsu.moves.filter import ProductFilter
from keiretsu.moves.move import Channel, Move


@dataclass(frozen=True, kw_only=True)
class PriceCut(Move):
    """Net prices fall by a share of what they were and are held there (over years, at that ratio to cost); a negative share is a rise."""

    type: ClassVar[str] = "price_cut"
    summary: ClassVar[str] = (
        "net prices fall by a share of the world's price and are held there, over years at the same ratio to cost; everybody else answers"
    )
    usual_channel: ClassVar[Channel] = "rivals"

    products: ProductFilter = argument("products whose price is cut")
    share: float = argument("part of the net price taken off; negative is a rise", unit="share", high=1.0)

    def changed(self, world: World) -> World:
        """The world with the cut prices held."""
        products = world.products
        rows = self.products.rows(products) & ~_unpriced(products)
        price = products["price_eur"].to_numpy(float)
        return world.replace(
            products=products.assign(price_eur=np.where(rows, price * (1.0 - self.share), price), held=products["held"].to_numpy(bool) | rows)
        )

    def check(self, world: World) -> list[Problem]:
        """Products must be on sale, and their price one that was observed rather than a starting point."""
        products = world.products
        problems = self.products.unmatched(products, self.place)
        rows = self.products.rows(products)
        unpriced = rows & _unpriced(products)
        named = unpriced & np.isin(products["product"].to_numpy(str), list(self.products.product))
        for i in np.flatnonzero(named if (rows & ~unpriced).any() else unpriced):
            problems.append(
                Problem(
                    "a launched product has no price yet that could be cut",
                    self.place,
                    f"{products['product'].iloc[i]} in market {products['market'].iloc[i]}",
                    "a product of the base year",
                    'say the price in the launch, with price = "held"',
                )
            )
        return problems

    def faults(self) -> list[Problem]:
        """The whole price cannot be taken off."""
        problems = super().faults()
        if self.share >= 1:
            problems.append(Problem("a price cannot be cut to zero", self.place, f"{self.share:g}", "a share below 1 (ten per cent is 0.1)"))
        return problems


def _unpriced(products: pd.DataFrame) -> np.ndarray:
    """Launched products whose price is still to be found."""
    return (products["launched_by"].to_numpy(str) != "") & ~products["held"].to_numpy(bool)
