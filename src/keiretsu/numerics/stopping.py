"""When to stop, by least-squares Monte Carlo and on a grid (Longstaff & Schwartz 2001).

Going back from the last date, the *advantage of stopping* (what stopping pays less what the rule found so far pays later) is regressed on what
is known that day; one stops where the fitted advantage is positive. A rule fitted on some paths and followed on *fresh* ones is worth no
more than the best rule: its mean is a lower bound, biased low only. With one random state the best rule can be found on a grid, and the value of a
decider who knows more than the real one is an upper bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keiretsu.typing import Matrix, Vector


@dataclass(frozen=True, eq=False)
class StoppingRule:
    """Coefficients of the fitted advantage of stopping, one row for each date. (T, k)"""

    coefficients: Matrix


@dataclass(frozen=True, eq=False)
class Stopped:
    """What following a rule paid, discounted to the first date, and the date index on which each path stopped (T where it never did). (N,)"""

    value: Vector
    date: np.ndarray


def fit_stopping_rule(features: np.ndarray, payoff: Matrix, discount: Vector, candidate: np.ndarray) -> StoppingRule:
    """Fit the rule back from the last date.

    Parameters
    ----------
    features
        What is known on each date, to be weighted; the payoff itself, or functions that span it, should be among them. (N, T, k)
    payoff
        What stopping pays on each date, in that date's money. (N, T)
    discount
        Value on the first date of one euro on each date. (T,)
    candidate
        Where stopping is thought of at all (a put that is in the money). (N, T) of bool
    """
    later = np.zeros(len(payoff))
    coefficients = np.zeros((payoff.shape[1], features.shape[2]))
    for t in reversed(range(payoff.shape[1])):
        rows = np.flatnonzero(candidate[:, t])
        now = discount[t] * payoff[:, t]
        if not len(rows):
            continue
        known = features[rows, t]
        coefficients[t] = _least_squares(known, now[rows] - later[rows])
        stop = rows[known @ coefficients[t] > 0]
        later[stop] = now[stop]
    return StoppingRule(coefficients)


def follow(rule: StoppingRule, features: np.ndarray, payoff: Matrix, discount: Vector, candidate: np.ndarray) -> Stopped:
    """Follow a rule along paths: arguments as in `fit_stopping_rule`, on paths that the rule was not fitted on."""
    n, dates = payoff.shape
    value, when = np.zeros(n), np.full(n, dates)
    for t in range(dates):
        stop = (when == dates) & candidate[:, t] & (features[:, t] @ rule.coefficients[t] > 0)
        value[stop], when[stop] = discount[t] * payoff[stop, t], t
    return Stopped(value, when)


def best_on_grid(payoff: Matrix, steps: np.ndarray, discount: Vector) -> tuple[Matrix, Matrix]:
    """Value of stopping at the best time, and of waiting, on a grid of one random state.

    Parameters
    ----------
    payoff
        On each date and grid point, in that date's money. (T, G)
    steps
        Probability of each grid point one date later. (G, G)
    discount
        Value on the first date of one euro on each date. (T,)

    Returns
    -------
    value, waiting
        In the money of each date. (T, G) each; waiting is worth 0 on the last date.
    """
    value, waiting = np.zeros_like(payoff), np.zeros_like(payoff)
    value[-1] = np.maximum(payoff[-1], 0.0)
    for t in reversed(range(len(payoff) - 1)):
        waiting[t] = discount[t + 1] / discount[t] * (steps @ value[t + 1])
        value[t] = np.maximum(payoff[t], waiting[t])
    return value, waiting


def normal_steps(grid: Vector, mean: Vector, deviation: float, nodes: int = 64) -> Matrix:
    """Steps of a state that is normal around `mean` (one entry for each grid point) one date later, on an even grid. (G, G)

    Gauss-Hermite nodes are shared out between the two grid points beside them, which keeps the mean; what falls outside goes to the end points,
    so the grid has to reach far enough.
    """
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    weights = weights / weights.sum()
    width = grid[1] - grid[0]
    where = (mean[:, None] + deviation * points[None, :] - grid[0]) / width
    where = np.clip(where, 0.0, len(grid) - 1.0)
    left = np.minimum(where.astype(int), len(grid) - 2)
    right_part = where - left
    steps = np.zeros((len(grid), len(grid)))
    rows = np.broadcast_to(np.arange(len(grid))[:, None], left.shape)
    np.add.at(steps, (rows, left), weights * (1 - right_part))
    np.add.at(steps, (rows, left + 1), weights * right_part)
    return steps


def _least_squares(known: Matrix, wanted: Vector) -> Vector:
    """Weights by least squares, columns brought to one size first so that small ones are not taken for noise."""
    size = np.sqrt((known**2).mean(axis=0))
    size[size == 0] = 1.0
    return np.linalg.lstsq(known / size, wanted, rcond=1e-10)[0] / size
