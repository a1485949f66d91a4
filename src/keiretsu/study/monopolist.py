"""The hypothetical monopolist (SSNIP) test of a set of a case's products, with the case's own demand."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from keiretsu.case import Case
from keiretsu.demand.choice import shares
from keiretsu.errors import InputError, Problem
from keiretsu.market.build import build_world
from keiretsu.market.outcome import MarketState, Outcome
from keiretsu.market.solve import solve
from keiretsu.ownership.hypothetical_monopolist import Demand, critical_loss, hypothetical_monopolist
from keiretsu.supply.wedges import paid
from keiretsu.typing import Vector

SSNIP_NOTE = (
    "All of the set under one seller, prices of all others as they are; duties and taxes stay on the bracket of today's prices, and a duty "
    "counts as cost. The set is a market when its best prices are higher by at least the rise tested; whether a uniform rise of that size pays is the other reading."
)
COLUMNS = ["market", "products_in_set", "makers_in_set", "rise_percent", "uniform_rise_pays", "uniform_profit_change_eur", "mean_best_rise_percent",
           "largest_best_rise_percent", "critical_loss_percent", "is_market"]  # fmt: skip


def monopolist_table(case: Case, products: str, market: str, rise: float) -> pd.DataFrame:
    """The test in each market (or the one named) that sells at least one of the products.

    Parameters
    ----------
    products
        ``column=value`` pairs with commas between them, columns of the product table: ``powertrain=BEV``, ``powertrain=BEV,segment=C``.
    rise
        Rise tested, a part of the price.

    Raises
    ------
    InputError
        When the words choose no product, a column or the market is unknown.
    NotSettled
        When a market or the monopolist's prices do not settle.
    """
    world = build_world(case)
    if market and market not in world.markets:
        raise InputError(Problem("no such market", "--market", market, f"one of {', '.join(world.markets)}"))
    if not chosen_products(world.products, products).any():
        raise InputError(Problem("no product is of this kind", "--ssnip", products, "column=value, such as powertrain=BEV or brand=Tesla"))
    return monopolist_of(solve(world), products, market, rise)


def monopolist_of(outcome: Outcome, products: str, market: str, rise: float) -> pd.DataFrame:
    """The same for a solved world."""
    chosen = {name: chosen_products(state.rows, products) for name, state in outcome.states.items() if name == (market or name)}
    rows = [_row(outcome, name, outcome.states[name], members, rise) for name, members in chosen.items() if members.any()]
    return pd.DataFrame(rows, columns=COLUMNS)


def demand_of(state: MarketState, potential: float) -> Demand:
    """A market's demand as functions of all makers' prices: taxes and incentives on the piece of today's prices. Cars a year."""
    n, m = len(state.rows), state.market
    padding = jnp.asarray(np.asarray(state.pricing.price)[n:])

    def sold(price: jax.Array) -> jax.Array:
        return potential * shares(m.tastes, paid(m.wedges, jnp.concatenate([price, padding])))[:n]

    quantity, slopes = jax.jit(sold), jax.jit(jax.jacfwd(sold))

    def bought(price: Vector) -> Vector:
        return np.asarray(quantity(jnp.asarray(price)))

    return Demand(bought, lambda price: np.asarray(slopes(jnp.asarray(price))))


def _row(outcome: Outcome, market: str, state: MarketState, chosen: np.ndarray, rise: float) -> dict[str, object]:
    cars = outcome.products[outcome.products["market"] == market]
    price, margin = cars["price_eur"].to_numpy(float), cars["margin_eur"].to_numpy(float)
    units = cars["units"].to_numpy(float)[chosen]
    members = [int(k) for k in np.flatnonzero(chosen)]
    found = hypothetical_monopolist(demand_of(state, outcome.world.markets[market].potential), price, price - margin, members, rise)
    lost = critical_loss(rise, float((margin[chosen] * units).sum() / (price[chosen] * units).sum()), "profit_maximising")
    return {
        "market": market,
        "products_in_set": len(members),
        "makers_in_set": int(cars["priced_by"][chosen].nunique()),
        "rise_percent": 100.0 * rise,
        "uniform_rise_pays": found.uniform_rise_pays,
        "uniform_profit_change_eur": found.uniform_profit_change,
        "mean_best_rise_percent": 100.0 * float(np.average(found.best_rise, weights=units)),
        "largest_best_rise_percent": 100.0 * float(found.best_rise.max()),
        "critical_loss_percent": 100.0 * lost,
        "is_market": found.is_market(members),
    }


def chosen_products(rows: pd.DataFrame, text: str) -> np.ndarray:
    """Rows of a product table that ``column=value`` pairs mean. (rows,)"""
    found = np.ones(len(rows), bool)
    for part in text.split(","):
        column, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or column not in rows.columns:
            wanted = "column=value with a column such as market, brand, powertrain, segment, body, priced_by"
            raise InputError(Problem("cannot tell which products are meant", "--ssnip", text, wanted))
        found &= (rows[column].astype(str) == value).to_numpy()
    return found
