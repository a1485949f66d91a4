"""How much people like a product that was not there: its mean utility at a price of zero ([5b]).

The observed year's utilities are projected on characteristics and brands once for each powertrain (`keiretsu.market.projection`). A
*projected* product takes x beta, its brand's standing in the market and the appeal that the move states, which is its xi; a *twin* takes
its original's characteristics and xi, and the difference between the two brands; *of_like* takes the utility of the product it is like, and the
appeal, for worlds too small to tell tastes apart. The spread of xi is written into the world's notes: it is how wrong a projection of one
product may be.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from keiretsu.demand.projection import Projection, new_delta, twin_delta
from keiretsu.errors import DemandError, MoveError, Problem
from keiretsu.market.characteristics import characteristic_matrix
from keiretsu.market.projection import observed_rows, projection_of
from keiretsu.market.world import World
from keiretsu.moves.new_products import NewProduct, rows_like


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
    originals = _originals(world, new)
    of_original, xi_of_original = originals["delta"].to_numpy(float), originals["xi"].to_numpy(float)
    appeal = rows["xi"].to_numpy(float)
    if new.utility == "of_like":
        filled = rows.assign(delta=of_original + appeal, xi=xi_of_original + appeal)
        return filled, f"utility of {new.like} plus {appeal[0]:g} utils"
    if not _needs_fit(new, originals):
        return rows.assign(delta=of_original, xi=xi_of_original), f"utility of {new.like}"
    powertrain = str(rows["powertrain"].iloc[0])
    fit = fit_utility(world, powertrain)
    brands = [_known_brand(fit, new, market) for market in new.markets]
    if new.utility == "twin":
        old_brands = originals["brand"].astype(str)
        delta = np.array([twin_delta(fit, *one) for one in zip(of_original, old_brands, brands, new.markets, strict=True)])
        gaps = ", ".join(f"{gap:+.2f} in {market}" for market, gap in zip(new.markets, delta - of_original, strict=True))
        return rows.assign(delta=delta, xi=xi_of_original), f"utility of {new.like} and the difference between the brands, {gaps} utils"
    x = [dict(zip(fit.names, values, strict=True)) for values in characteristic_matrix(rows, fit.names)]
    delta = np.array([new_delta(fit, *one) for one in zip(x, brands, new.markets, appeal, strict=True)])
    count = len(observed_rows(world, powertrain))
    note = f"utility projected from {count} products; what one car differs by has a standard deviation of {fit.spread:.2f} utils"
    return rows.assign(delta=delta), note


def utility_problems(world: World, new: NewProduct) -> list[Problem]:
    """Why no utility can be found: too few products to tell tastes apart, a brand without standing, a composite original."""
    originals = _originals(world, new)
    if (originals["n_models"].to_numpy(float) != 1).any() and new.utility != "projected":
        next_step = "name one of them, or use a launch with projected utility"
        return [Problem("a line of several models cannot be copied", new.place, new.like, "a single model", next_step)]
    if not _needs_fit(new, originals):
        return []
    powertrain = str(new.stated.get("powertrain", originals["powertrain"].iloc[0]))
    try:
        fit = fit_utility(world, powertrain)
    except DemandError as error:
        instead = f'a launch with like = "{new.like}" and utility = "of_like" in place of the twin, with an appeal'
        next_step = instead if new.utility == "twin" else 'say utility = "of_like", with an appeal'
        return [Problem(problem.what, new.place, problem.seen, problem.wanted, next_step) for problem in error.problems]
    problems = []
    for market, original in zip(originals["market"].astype(str), originals["brand"].astype(str), strict=True):
        brands = [new.brand] if new.utility == "projected" else [new.brand, original]
        for brand in brands:
            stands_in = brand == new.brand and (new.brand_like, market) in fit.effect
            if (brand, market) not in fit.effect and not stands_in:
                what = f"the brand has no {powertrain} car in this market to judge it by"
                known = ", ".join(sorted(b for b, m in fit.effect if m == market))
                problems.append(Problem(what, new.place, f"{brand} in market {market}", f"brand_like, one of {known}"))
    return problems


def fit_utility(world: World, powertrain: str) -> Projection:
    """The projection that new products of one powertrain are read off.

    Raises
    ------
    DemandError
        When there are too few products to tell characteristics from brands.
    """
    return projection_of(world, powertrain)


def _originals(world: World, new: NewProduct) -> pd.DataFrame:
    return rows_like(world.products, new.like, new.markets)


def _needs_fit(new: NewProduct, originals: pd.DataFrame) -> bool:
    return new.utility == "projected" or (new.utility == "twin" and bool((originals["brand"] != new.brand).any()))


def _known_brand(fit: Projection, new: NewProduct, market: str) -> str:
    """The brand itself where it has a standing of its own, else the one it is said to be like."""
    return new.brand if (new.brand, market) in fit.effect else new.brand_like
