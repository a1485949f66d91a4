"""Nevo's cereal data as shipped with PyBLP, at the published one-step estimates, as this program's `Tastes`.

The estimates minimise the one-step GMM objective of PyBLP's cereal problem (objective 4.561514); alpha, sigma and the mean figures
are those printed in PyBLP's documentation, the demographic interactions are the same optimum to more digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pyblp

import keiretsu.numerics as _numerics  # noqa: F401  (64-bit floats before any array is made)
from keiretsu.demand.tastes import Tastes

OBJECTIVE = 4.561514
ALPHA = -62.72989585
SIGMA = np.diag([0.55809357, 3.31248889, -0.00578355, 0.09341447])
"""Spread of the tastes for: constant, price, sugar, mushy."""
PI = np.array(
    [
        [2.29197156, 0.0, 1.28443202, 0.0],
        [588.325108, -30.1920138, 0.0, 11.0546282],
        [-0.384954082, 0.0, 0.0522342729, 0.0],
        [0.748372291, 0.0, -1.35339324, 0.0],
    ]
)
"""Rows as in `SIGMA`; columns: income, income squared, age, child."""

MEAN_OWN_ELASTICITY = -3.618105
MEAN_LERNER = 0.363866
MEAN_COST = 0.082359
MERGER_MEAN_PRICE_CHANGE = 0.10155
"""Mean relative price change when firm 1 buys firm 2."""


@dataclass(frozen=True)
class NevoMarket:
    """One of the 94 markets: its rows of the product table and its tastes, delta still zero."""

    id: str
    products: pd.DataFrame
    tastes: Tastes
    price: np.ndarray
    share: np.ndarray
    firm: np.ndarray


def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Products and consumers as PyBLP ships them."""
    return pd.read_csv(pyblp.data.NEVO_PRODUCTS_LOCATION), pd.read_csv(pyblp.data.NEVO_AGENTS_LOCATION)


def markets() -> list[NevoMarket]:
    """The 94 markets at the published estimates, in PyBLP's order."""
    products, agents = tables()
    people = dict(iter(agents.groupby("market_ids")))
    return [_market(str(label), rows, people[label]) for label, rows in products.groupby("market_ids", sort=False)]


def _market(label: str, rows: pd.DataFrame, people: pd.DataFrame) -> NevoMarket:
    nodes = people[["nodes0", "nodes1", "nodes2", "nodes3"]].to_numpy()
    demographics = people[["income", "income_squared", "age", "child"]].to_numpy()
    departure = nodes @ SIGMA.T + demographics @ PI.T
    x = np.column_stack([np.ones(len(rows)), rows["sugar"], rows["mushy"]])
    mu = x @ departure[:, [0, 2, 3]].T
    tastes = Tastes(
        delta=jnp.zeros(len(rows)),
        mu=jnp.asarray(mu),
        alpha=jnp.asarray(-(ALPHA + departure[:, 1])),
        weight=jnp.asarray(people["weights"].to_numpy()),
        available=jnp.ones(len(rows), bool),
        nests=None,
    )
    return NevoMarket(label, rows, tastes, rows["prices"].to_numpy(), rows["shares"].to_numpy(), rows["firm_ids"].to_numpy())
