"""Products go off sale."""

# ruff: noqa: RUF009 (`argument` makes a dataclass field, which is what a default has to be)

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from keiretsu.errors import Problem
from keiretsu.market.world import World
from keiretsu.moves.arguments import argument
from keiretsu.moves.filter import ProductFilter
from keiretsu.moves.move import Channel, Move


@dataclass(frozen=True, kw_only=True)
class Withdrawal(Move):
    """Products go off sale."""

    type: ClassVar[str] = "withdrawal"
    summary: ClassVar[str] = "products go off sale"
    usual_channel: ClassVar[Channel] = "product_range"

    products: ProductFilter = argument("products that go off sale")

    def changed(self, world: World) -> World:
        """The world without them on sale."""
        available = world.products["available"].to_numpy(bool) & ~self.products.rows(world.products)
        return world.replace(products=world.products.assign(available=available))

    def check(self, world: World) -> list[Problem]:
        """Products must be on sale, and something must be left in every market."""
        products = world.products
        problems = self.products.unmatched(products, self.place)
        rows = self.products.rows(products)
        on_sale = products["available"].to_numpy(bool)
        for i in np.flatnonzero(rows & ~on_sale):
            problems.append(
                Problem(
                    "a product that is not on sale cannot be withdrawn",
                    self.place,
                    f"{products['product'].iloc[i]} in market {products['market'].iloc[i]}",
                )
            )
        left = set(products["market"][on_sale & ~rows])
        problems += [
            Problem("nothing is left on sale in a market", self.place, market, "one product at least")
            for market in sorted(set(products["market"][on_sale]) - left)
        ]
        return problems
