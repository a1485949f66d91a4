"""What programmes would cost at the sales and prices a world was observed with: a sum to compare others with, before anything is solved."""

from __future__ import annotations

import numpy as np

from keiretsu.market.policy.accounts import accounts
from keiretsu.market.policy.compile import all_inside, compile_programmes
from keiretsu.market.world import World
from keiretsu.supply.pieces import piece_at


def spending_at_observed_sales(world: World, ids: tuple[str, ...]) -> float:
    """Money paid out under programmes at the product table's prices and units, spread over buyers by their weight (EUR a year)."""
    total = 0.0
    for name, facts in world.markets.items():
        rows = world.products[(world.products["market"] == name) & world.products["available"]].reset_index(drop=True)
        done = compile_programmes(world.programmes, rows, facts, world.date, all_inside(rows))  # type: ignore[arg-type]
        price = rows["price_eur"].to_numpy(float)
        quantity = rows["units"].to_numpy(float)[:, None] * np.asarray(facts.consumers.weight)[None, :]
        table = accounts(done, price, piece_at(done.pieces, price), quantity).programmes
        total -= float(table.loc[table["programme"].isin(ids), "eur"].sum())
    return total
