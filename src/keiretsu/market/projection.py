"""Mean utilities of the observed year projected on characteristics and brands ([5b]): what a new product's utility is read off.

One least-squares projection for each powertrain over all markets together, with an effect for each brand in each market,

    delta_jm - (1 - sigma) ln n_j = x_j beta + brand-by-market + xi_jm;

a composite line of n models is brought to one model first. Moves that launch products, the `xi` column of the world and the table of the
report all read this one projection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.demand.projection import Projection, project
from keiretsu.errors import DemandError, Problem
from keiretsu.market.characteristics import SIZE_OF_SEGMENT, characteristic_matrix
from keiretsu.market.memory import Memory, Same, content_of
from keiretsu.market.world import World

# Characteristics that vary within a powertrain. Mass follows battery and size; body styles other than SUVs are in the brands.
PROJECTED_ON: Mapping[str, tuple[str, ...]] = {
    "BEV": ("range_100km", "power_100kw", "size", "suv"),
    "PHEV": ("power_100kw", "size", "suv"),
    "ICE": ("power_100kw", "size", "suv", "seven_seats"),
}
# Columns that a projection does not look at.
_NOT_SEEN = {"price_eur", "cost_eur", "cost_given", "held", "xi", "units", "priced_by", "profit_to", "made_by", "transfer_price_eur"}
_KNOWN = Memory()  # launches do not change the projection that each of them asks for
_CONSTANT = 1e-9  # a characteristic that varies by less within every brand and market adds nothing


def projection_of(world: World, powertrain: str) -> Projection:
    """The projection of one powertrain's mean utilities; observations in the order of `observed_rows`.

    Characteristics that do not vary within any brand and market are left out, and size where segments are not A to F.

    Raises
    ------
    DemandError
        When there are too few products to tell characteristics from brands.
    """
    rows = observed_rows(world, powertrain)
    key = (powertrain, Same(world.preferences), content_of(rows, [name for name in rows.columns if name not in _NOT_SEEN]))
    return _KNOWN.once("projection", key, lambda: _projected(world, powertrain, rows))


def _projected(world: World, powertrain: str, rows: pd.DataFrame) -> Projection:
    brand, market = (rows[column].astype(str).tolist() for column in ("brand", "market"))
    names = [name for name in PROJECTED_ON[powertrain] if name != "size" or set(rows["segment"]) <= set(SIZE_OF_SEGMENT)]
    x = pd.DataFrame(characteristic_matrix(rows, names), columns=names)
    spread = (x - x.groupby([brand, market]).transform("mean")).abs().max()
    used = {name: x[name].to_numpy() for name in names if spread[name] > _CONSTANT}
    return project(utility_of_one_model(world, rows), used, brand, market)


def observed_rows(world: World, powertrain: str) -> pd.DataFrame:
    """The products of the observed year with this powertrain."""
    products = world.products
    return products[(products["powertrain"] == powertrain) & (products["launched_by"] == "")]


@dataclass(frozen=True)
class Projections:
    """Projections by powertrain: those `found`, and why the others were `refused`. A powertrain without products is in neither."""

    found: Mapping[str, Projection]
    refused: Mapping[str, Problem]


def projections(world: World) -> Projections:
    """Every powertrain's projection, or the reason why there is none."""
    found: dict[str, Projection] = {}
    refused: dict[str, Problem] = {}
    for powertrain in PROJECTED_ON:
        if not len(observed_rows(world, powertrain)):
            continue
        try:
            found[powertrain] = projection_of(world, powertrain)
        except DemandError as error:
            refused[powertrain] = error.problems[0]
    return Projections(found, refused)


def with_xi(world: World) -> World:
    """The world with `xi` of every observed product and `World.xi_spread`.

    A powertrain that cannot be projected has no entry in `xi_spread`, and its xi stays as it is.
    """
    xi = world.products["xi"].to_numpy(float).copy()
    found = projections(world).found
    for powertrain, projection in found.items():
        xi[observed_rows(world, powertrain).index.to_numpy()] = projection.xi
    spread = {powertrain: projection.spread for powertrain, projection in found.items()}
    return world.replace(products=world.products.assign(xi=xi), xi_spread=spread)


def utility_of_one_model(world: World, rows: pd.DataFrame) -> np.ndarray:
    """Mean utility of one of the models that each row stands for (utils). (rows,)"""
    return rows["delta"].to_numpy(float) - (1.0 - inner_correlation(world, rows)) * np.log(rows["n_models"].to_numpy(float))


def inner_correlation(world: World, rows: pd.DataFrame) -> np.ndarray:
    """Correlation of tastes inside each product's innermost nest; 0 without nests. (rows,)"""
    preferences = world.preferences
    columns = preferences.nest_columns
    if not columns:
        return np.zeros(len(rows))
    sigma = preferences.sigma_group if len(columns) == 1 else preferences.sigma_sub
    if not isinstance(sigma, Mapping):
        return np.full(len(rows), float(sigma))
    labels = rows[list(columns)].astype(str)
    inner = labels[columns[-1]]
    pairs = labels.agg("/".join, axis=1)
    return np.array([float(sigma[pair] if pair in sigma else sigma[label]) for pair, label in zip(pairs, inner, strict=True)])
