"""How far a mean over draws may be from its limit, and what lies between its percentiles.

Draws come from several independent scrambles of one low-discrepancy sequence (`keiretsu.outlook.uncertain`), taken in turn. Their means differ by
the Monte-Carlo error alone, so the spread of these means is measured and not assumed; with few scrambles it is itself known roughly, which
Student's t says honestly.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import t as student

BAND = (0.1, 0.9)
SURE = 0.95


def standard_error(values: np.ndarray, replicates: int) -> np.ndarray:
    """Standard error of the mean over draws (the first axis), from the spread of the scrambles' means. NaN is never returned: one scramble is refused.

    Raises
    ------
    ValueError
        With fewer than two scrambles or draws that are no multiple of them.
    """
    if replicates < 2 or values.shape[0] % replicates:
        raise ValueError(f"{values.shape[0]} draws in {replicates} scrambles: an error needs two scrambles or more and equal parts")
    means = values.reshape(values.shape[0] // replicates, replicates, *values.shape[1:]).mean(axis=0)
    return means.std(axis=0, ddof=1) / np.sqrt(replicates)


def half_width(values: np.ndarray, replicates: int) -> np.ndarray:
    """Half of the 95 % interval of the mean: the error that is reported."""
    return student.ppf((1 + SURE) / 2, replicates - 1) * standard_error(values, replicates)


def band(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """10th and 90th percentile over draws."""
    low, high = np.quantile(values, BAND, axis=0)
    return low, high


def draws_needed(values: np.ndarray, replicates: int, target: float) -> int:
    """Draws at which the reported error of the mean is expected to fall to `target`, by the slow rate ``1 / sqrt(draws)``; a multiple of `replicates`."""
    now = float(np.max(half_width(values, replicates)))
    count = values.shape[0] if now <= target else int(np.ceil(values.shape[0] * (now / target) ** 2))
    return -(-count // replicates) * replicates
