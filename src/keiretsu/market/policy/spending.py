"""What programmes pay out: at given prices and sales, and at those a world was observed with, to compare others with before anything is solved."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from keiretsu.market.policy.accounts import accounts
from keiretsu.market.policy.compile import Compiled, all_inside, compile_programmes
from keiretsu.market.policy.terms import terms_of
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


def paid_out(compiled: Compiled, ids: Collection[str], price: np.ndarray, piece: np.ndarray, quantity: np.ndarray) -> Mapping[str, np.ndarray]:
    """Money paid out on each product (J,) under the programmes of these ids that the market has, by id (EUR a year).

    `price`, `piece` (J,) and `quantity` (J, I) as for `accounts`, with whose table the sums agree.
    """
    inner, p = compiled.inner[np.arange(compiled.place.n_products), piece], np.asarray(price, float)[:, None]
    found: dict[str, np.ndarray] = {}
    for programme in (x for x in compiled.programmes if x.scope.id in ids):
        terms = terms_of(programme, compiled.place, inner)
        take = terms.buyer_rate * p + terms.buyer_add + terms.maker_lost[:, None] * p + terms.maker_charge
        found[programme.scope.id] = -(take * quantity).sum(axis=1)
    return found
