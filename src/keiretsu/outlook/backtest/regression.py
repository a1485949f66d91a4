"""Two small estimators that shrink to stated prior values: a robust linear one and a logistic one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_ITERATIONS = 60


@dataclass(frozen=True, eq=False)
class Fit:
    """Coefficients by name, and the residuals of the rows they were estimated on."""

    names: tuple[str, ...]
    value: np.ndarray
    residual: np.ndarray

    def of(self, columns: np.ndarray) -> np.ndarray:
        """Fitted values. (rows,)"""
        return columns @ self.value


def robust_ridge(
    columns: np.ndarray, target: np.ndarray, weight: np.ndarray, prior: np.ndarray, stiffness: np.ndarray, knee: float, names: tuple[str, ...]
) -> Fit:
    """Least squares that pulls coefficients to `prior` and counts residuals beyond `knee` by their size, not their square (Huber 1964).

    Parameters
    ----------
    columns, target, weight
        (rows, k), (rows,), (rows,) with weights of any positive scale.
    stiffness
        Rows of average weight that the prior of each coefficient is worth. (k,)
    knee
        Residual from which a row counts linearly, in units of the target.
    """
    if len(target) == 0:  # nothing was seen: the prior is all there is
        return Fit(names, prior.copy(), target)
    w = weight / weight.mean()
    off = target - columns @ prior
    inner = np.ones_like(off)
    step = np.zeros(columns.shape[1])
    for _ in range(_ITERATIONS):
        heavy = columns * (w * inner)[:, None]
        step = np.linalg.solve(heavy.T @ columns + np.diag(stiffness), heavy.T @ off)
        inner = knee / np.maximum(np.abs(off - columns @ step), knee)
    return Fit(names, prior + step, off - columns @ step)


def logistic_ridge(columns: np.ndarray, happened: np.ndarray, prior: np.ndarray, stiffness: np.ndarray, names: tuple[str, ...]) -> Fit:
    """Log-odds of an event, pulled to `prior`; `residual` holds event minus probability. Newton's method; the objective is convex."""
    value = prior.astype(float).copy()
    for _ in range(_ITERATIONS):
        chance = 1 / (1 + np.exp(-(columns @ value)))
        slope = columns.T @ (happened - chance) - stiffness * (value - prior)
        curve = (columns * (chance * (1 - chance))[:, None]).T @ columns + np.diag(stiffness)
        value = value + np.linalg.solve(curve, slope)
    return Fit(names, value, happened - 1 / (1 + np.exp(-(columns @ value))))
