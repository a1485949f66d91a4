"""What mean utilities are explained by, and how much of them is left: the table behind every new product's utility ([5b])."""

from __future__ import annotations

import numpy as np
import pandas as pd

from keiretsu.market.projection import observed_rows, projections
from keiretsu.market.world import World

COLUMNS = (
    "powertrain",
    "characteristic",
    "coefficient_utils",
    "standard_error_utils",
    "products",
    "brand_market_effects",
    "degrees_of_freedom",
    "explained_within",
    "xi_spread_utils",
)


def projection_table(world: World) -> pd.DataFrame:
    """Coefficients with standard errors, one row for each powertrain and characteristic.

    `explained_within` is the share of the variance of utilities inside brand and market that characteristics explain (R2), `xi_spread_utils` the
    standard deviation of what they leave. `unprojected_table` says which powertrains have no projection and why.
    """
    rows: list[tuple[object, ...]] = []
    for powertrain, found in projections(world).found.items():
        shared = (len(observed_rows(world, powertrain)), len(found.effect), found.degrees_of_freedom, found.explained, found.spread)
        errors = np.sqrt(np.diag(found.covariance))
        rows += [(powertrain, name, float(b), float(error), *shared) for name, b, error in zip(found.names, found.beta, errors, strict=True)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def unprojected_table(world: World) -> pd.DataFrame:
    """Powertrains whose utilities cannot be projected, with the reason."""
    refused = projections(world).refused
    return pd.DataFrame(
        [(powertrain, problem.what, problem.seen) for powertrain, problem in refused.items()], columns=["powertrain", "reason", "seen"]
    )
