"""How much people like a product that was not there: its mean utility at a price of zero ([5b]).

Over the products of the base year with the new one's powertrain, in all markets of the world,

    delta_jm - (1 - sigma) ln n_j = x_j beta + brand-by-market + xi_jm,

by least squares; a composite line of n models is brought to one model first. A *projected* product takes x beta, its brand's standing in
the market and the appeal that the move states; a *twin* takes its original's whole utility and the difference between the two brands; *of_like*
takes the utility of the product it is like, and the appeal, for worlds too small to tell tastes apart. The spread of xi is written into
the world's notes: it is how wrong a projection of one product may be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.errors import MoveError, Problem
from keiretsu.market.characteristics import characteristic_matrix
from keiretsu.market.world import World
from keiretsu.moves.new_products import NewProduct, row_like

# Characteristics that vary within a powertrain. Size and body are sorted out by the nest the product is put in; mass follows battery and size.
TASTES: Mapping[str, tuple[str, ...]] = {
    "BEV": ("range_100km", "power_100kw", "size", "suv"),
    "PHEV": ("power_100kw", "size", "suv"),
    "ICE": ("power_100kw", "size", "suv", "seven_seats"),
}


@dataclass(frozen=True)
class UtilityFit:
    """Mean utility by characteristics and brands, for one powertrain.

    Attributes
    ----------
    taste
        Utils per unit of each characteristic of `names`, those that vary among the products. (K,)
    standing
        Utils of a brand in a market, by (market, brand).
    spread
        Standard deviation of xi, in utils.
    products
        Product rows it rests on.
    """

    names: tuple[str, ...]
    taste: np.ndarray
    standing: Mapping[tuple[str, str], float]
    spread: float
    products: int


def utility_of_new(world: World, new: NewProduct, rows: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Rows of a new product with `delta` and `xi` filled, and one sentence that says how; `xi` holds the stated appeal on entry.

    Raises
    ------
    MoveError
        As `utility_problems`.
    """
    problems = utility_problems(world, new)
    if problems:
        raise MoveError(problems)
    originals = pd.concat([row_like(world.products, new.like, market) for market in new.markets], ignore_index=True)
    of_original = originals["delta"].to_numpy(float)
    appeal = rows["xi"].to_numpy(float)
    if new.utility == "of_like":
        return rows.assign(delta=of_original + appeal), f"utility of {new.like} plus {appeal[0]:g} utils"
    if not _needs_fit(new, originals):
        return rows.assign(delta=of_original, xi=originals["xi"].to_numpy(float)), f"utility of {new.like}"
    fit = fit_utility(world, str(rows["powertrain"].iloc[0]))
    standing = np.array([_standing(fit, new, market) for market in new.markets])
    if new.utility == "twin":
        old_standing = np.array([fit.standing[m, b] for m, b in zip(originals["market"].astype(str), originals["brand"].astype(str), strict=True)])
        gaps = ", ".join(f"{gap:+.2f} in {market}" for market, gap in zip(new.markets, standing - old_standing, strict=True))
        filled = rows.assign(delta=of_original + standing - old_standing, xi=originals["xi"].to_numpy(float))
        return filled, f"utility of {new.like} and the difference between the brands, {gaps} utils"
    delta = characteristic_matrix(rows, fit.names) @ fit.taste + standing + appeal
    return rows.assign(
        delta=delta
    ), f"utility projected from {fit.products} products; what one car differs by has a standard deviation of {fit.spread:.2f} utils"


def utility_problems(world: World, new: NewProduct) -> list[Problem]:
    """Why no utility can be found: too few products to tell tastes apart, a brand without standing, a composite original."""
    originals = pd.concat([row_like(world.products, new.like, market) for market in new.markets], ignore_index=True)
    if (originals["n_models"].to_numpy(float) != 1).any() and new.utility != "projected":
        return [
            Problem(
                "a line of several models cannot be copied",
                new.place,
                new.like,
                "a single model",
                "name one of them, or use a launch with projected utility",
            )
        ]
    if not _needs_fit(new, originals):
        return []
    powertrain = str(new.stated.get("powertrain", originals["powertrain"].iloc[0]))
    try:
        fit = fit_utility(world, powertrain)
    except MoveError as error:
        return [Problem(problem.what, new.place, problem.seen, problem.wanted, problem.next_step) for problem in error.problems]
    problems = []
    for market, original in zip(originals["market"].astype(str), originals["brand"].astype(str), strict=True):
        brands = [new.brand] if new.utility == "projected" else [new.brand, original]
        for brand in brands:
            stands_in = brand == new.brand and (market, new.brand_like) in fit.standing
            if (market, brand) not in fit.standing and not stands_in:
                known = ", ".join(sorted(b for m, b in fit.standing if m == market))
                problems.append(
                    Problem(
                        f"the brand has no {powertrain} car in this market to judge it by",
                        new.place,
                        f"{brand} in market {market}",
                        f"brand_like, one of {known}",
                    )
                )
    return problems


def fit_utility(world: World, powertrain: str) -> UtilityFit:
    """Least squares of base-year utilities on characteristics and brand-by-market, for one powertrain.

    Raises
    ------
    MoveError
        When there are too few products to tell characteristics from brands.
    """
    rows = world.products[(world.products["powertrain"] == powertrain) & (world.products["launched_by"] == "")]
    names = TASTES.get(powertrain, TASTES["ICE"])
    x = characteristic_matrix(rows, names)
    cell = list(zip(rows["market"].astype(str), rows["brand"].astype(str), strict=True))
    cells = list(dict.fromkeys(cell))
    member = np.array([cells.index(c) for c in cell], dtype=int)
    count = np.bincount(member, minlength=len(cells))

    def within(values: np.ndarray) -> np.ndarray:
        return values - (np.stack([np.bincount(member, v, len(cells)) for v in values.T], axis=1) / count[:, None])[member]

    y = rows["delta"].to_numpy(float) - (1.0 - sub_correlation(world, rows)) * np.log(rows["n_models"].to_numpy(float))
    x_within = within(x) if len(rows) else x
    varies = np.ptp(x_within, axis=0) > 1e-9 if len(rows) else np.zeros(len(names), dtype=bool)
    freedom = len(rows) - len(cells) - int(varies.sum())
    if freedom < 1 or np.linalg.matrix_rank(x_within[:, varies]) < int(varies.sum()):
        seen = f"{len(rows)} {powertrain} products of {len(cells)} brands by market, {int(varies.sum())} characteristics that vary"
        next_step = 'say utility = "of_like", with an appeal'
        raise MoveError(
            Problem(
                "too few products to tell tastes for characteristics from brands",
                "projection of utility",
                seen,
                "more products than unknowns",
                next_step,
            )
        )
    y_within = within(y[:, None])[:, 0]
    taste = np.linalg.lstsq(x_within[:, varies], y_within, rcond=None)[0]
    residual = y_within - x_within[:, varies] @ taste
    rest = y - x[:, varies] @ taste
    standing = np.bincount(member, rest, len(cells)) / count
    return UtilityFit(
        names=tuple(name for name, used in zip(names, varies, strict=True) if used),
        taste=taste,
        standing=dict(zip(cells, standing.tolist(), strict=True)),
        spread=float(np.sqrt(residual @ residual / freedom)),
        products=len(rows),
    )


def sub_correlation(world: World, rows: pd.DataFrame) -> np.ndarray:
    """Correlation of tastes inside each product's innermost nest; 0 without nests. (rows,)"""
    preferences = world.preferences
    columns = preferences.nest_columns
    if not columns:
        return np.zeros(len(rows))
    sigma = preferences.sigma_group if len(columns) == 1 else preferences.sigma_sub
    if not isinstance(sigma, Mapping):
        return np.full(len(rows), float(sigma))
    labels = rows[columns[0]].astype(str)
    if len(columns) == 2:
        labels = labels + " / " + rows[columns[1]].astype(str)
    return np.array([float(sigma[label]) for label in labels])


def _needs_fit(new: NewProduct, originals: pd.DataFrame) -> bool:
    return new.utility == "projected" or (new.utility == "twin" and bool((originals["brand"] != new.brand).any()))


def _standing(fit: UtilityFit, new: NewProduct, market: str) -> float:
    """The brand's own standing where it has one, else that of the brand it is said to be like."""
    own = fit.standing.get((market, new.brand))
    return own if own is not None else fit.standing[market, new.brand_like]
