"""What earlier steps say about how totals move: a damped trend, the answer to support, a market that returns to its mean.

Two regressions, of the change of log-odds of the electric share (`steps_from`) and of the change of the market of all cars, over every step
between two years known. A shock shared by all countries in a year is part of both (generalised least squares): thirteen countries that rise
together are one observation of the trend, not thirteen, while countries whose support changed differently in one year say much about support.
There is no drift: growth that is not carried on dies out (Gardner and McKenzie 1985). Priors are stated below; the answer to support starts
from the published elasticity.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from keiretsu.outlook.backtest.known import Known
from keiretsu.outlook.backtest.panel import panel_of
from keiretsu.outlook.backtest.total import Trend, ground_of, steps_from, total_next

# Mean and standard deviation of the priors. Support: published elasticities lie between -1.3 and -3 around -1.8.
SHARE_PRIOR: Mapping[str, tuple[float, float]] = {"momentum": (0.5, 0.15), "own": (0.3, 0.2), "support": (1.0, 0.5), "rush": (0.5, 0.5)}
MARKET_PRIOR: Mapping[str, tuple[float, float]] = {"reversion": (0.3, 0.2)}  # 0 is a random walk, 1 a market that forgets
SHARE_SHOCKS = (0.25, 0.22)  # standard deviations of a step of log-odds: of all countries in a year, and of each; assumptions
MARKET_SHOCKS = (0.15, 0.10)  # the same of the log of all cars


def estimated(known: Known) -> tuple[Trend, pd.DataFrame]:
    """The trend that every step between two years known, together with the priors, makes most likely.

    Returns
    -------
    Trend
        Posterior means.
    pandas.DataFrame
        name, prior, prior_sd, estimate, sd of every part.
    """
    panel = panel_of(known)
    grounds = {year: ground_of(panel, year) for year in range(first_origin(known), known.year + 1)}
    steps = [(before, grounds[year + 1]) for year, before in grounds.items() if year < known.year]
    share = shared_shock_ridge([(steps_from(before), after.moved - before.lift) for before, after in steps], SHARE_PRIOR, SHARE_SHOCKS)
    gaps = [((before.cars_mean - before.cars)[:, None], after.cars - before.cars) for before, after in steps]
    table = pd.concat([share, shared_shock_ridge(gaps, MARKET_PRIOR, MARKET_SHOCKS)], ignore_index=True)
    return Trend(**{str(name): float(value) for name, value in zip(table["name"], table["estimate"], strict=True)}), table


def shared_shock_ridge(
    blocks: list[tuple[np.ndarray, np.ndarray]], prior: Mapping[str, tuple[float, float]], shocks: tuple[float, float]
) -> pd.DataFrame:
    """Posterior of coefficients with normal priors when an error is a shock of the block plus one of the row.

    Parameters
    ----------
    blocks
        Columns (rows, k) and target (rows,) of every block; rows whose target is not known (NaN) are left out.
    prior
        Mean and standard deviation of each coefficient. (k)
    shocks
        Standard deviations of the shock of a block and of a row.

    Returns
    -------
    pandas.DataFrame
        name, prior, prior_sd, estimate, sd.
    """
    mean, sd = np.array(list(prior.values())).T
    curve, slope = np.diag(sd**-2.0), mean / sd**2
    for columns, target in blocks:
        known = ~np.isnan(target)
        x, y = columns[known], target[known]
        weighted = np.linalg.solve(shocks[0] ** 2 * np.ones((len(y), len(y))) + shocks[1] ** 2 * np.eye(len(y)), x)
        curve, slope = curve + x.T @ weighted, slope + weighted.T @ y
    spread = np.sqrt(np.diag(np.linalg.inv(curve)))
    return pd.DataFrame({"name": list(prior), "prior": mean, "prior_sd": sd, "estimate": np.linalg.solve(curve, slope), "sd": spread})


def past_totals(known: Known) -> dict[int, tuple[Trend, pd.Series]]:
    """Trend and totals forecast at the end of every earlier year whose next one can be judged, all as known and estimated then."""
    made = {}
    for year in range(first_origin(known), known.year):
        then = known.earlier(year)
        trend, _ = estimated(then)
        made[year] = (trend, total_next(ground_of(panel_of(then), year), trend))
    return made


def first_origin(known: Known) -> int:
    """First year with a change before it."""
    return int(known.registrations["year"].min()) + 1
