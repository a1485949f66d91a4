"""Money as a number and the error it carries: what a mean over draws supports, and no more digits than that.

One convention everywhere: an error is half of the 95 % interval of a mean, from the spread of the independent scrambles among the draws
(`keiretsu.outlook.error`). Columns of tables say it in their name: ``half95``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from keiretsu.outlook.error import half_width
from keiretsu.outlook.uncertain import REPLICATES

MINUS = "\N{MINUS SIGN}"
NORMAL_95 = 1.959964  # standard errors in half of a 95 % interval, where a mean is one of many independent draws
DIGITS = 3  # of a figure, at most: a mean over draws is no better known, whatever its sampling error
NOISE = 1e-12  # of the amount: an error smaller than this is rounding
_SIZES = ((1e9, "bn"), (1e6, "m"), (1e3, "thousand"), (1.0, ""))


@dataclass(frozen=True)
class Estimate:
    """A mean over draws and its error (half of its 95 % interval), in EUR at 2023 prices."""

    value: float
    error: float

    def __str__(self) -> str:
        return with_error(self.value, self.error)


def with_error(value: float, error: float, currency: str = "EUR") -> str:
    """An amount with its error, rounded to what the error supports: ``EUR 3.4 ± 0.2 bn``.

    The error keeps one digit (two when it begins with 1) and the amount the same decimals, but no more than `DIGITS` digits in all: the error is that of
    sampling alone, and is then rounded up. An error of zero (a central case) keeps as many.
    """
    if error < NOISE * abs(value):
        error = 0.0
    size, word = next((s for s in _SIZES if max(abs(value), abs(error)) >= s[0]), _SIZES[-1])
    unit = f" {word}" if word else ""
    decimals, error = digits_and_error(value / size, error / size)
    said = _fixed(value / size, decimals)
    return f"{currency} {said} ± {_fixed(error, decimals)}{unit}" if error > 0 else f"{currency} {said}{unit}"


def stated_sum(value: float, currency: str = "EUR") -> str:
    """A sum as somebody would say it: ``EUR 600 m``, ``EUR 8 bn``, ``EUR 370.4 m``; four digits at most."""
    size, word = next((s for s in _SIZES if abs(value) >= s[0]), _SIZES[-1])
    shown = f"{abs(value) / size:,.4g}" if abs(value) / size < 1000 else f"{abs(value) / size:,.0f}"
    return f"{currency} {MINUS if value < 0 else ''}{shown}{f' {word}' if word else ''}"


def in_millions(value: float, error: float, *, signed: bool = False) -> str:
    """An amount in millions with its error, rounded to what the error supports, for a table: ``8,100 ± 1,100``; see `with_error`."""
    value, error = value / 1e6, (0.0 if error < NOISE * abs(value) else error / 1e6)
    decimals, error = digits_and_error(value, error)
    decimals = decimals if error > 0 or abs(value) < 1e3 else 0  # a figure without an error keeps its units: sums of a table add up
    text = _fixed(value, min(decimals, 2))
    sign = "+" if signed and value > 0 and any(c in "123456789" for c in text) else ""
    return f"{sign}{text} ± {_fixed(error, min(decimals, 2))}" if error > 0 and decimals <= 2 else sign + text


def plain(value: float, error: float, currency: str = "EUR") -> str:
    """The amount alone, rounded to what its error supports, for sentences."""
    text = with_error(value, error, currency)
    head, _, tail = text.partition(" ± ")
    return head + (f" {tail.split(' ', 1)[1]}" if " " in tail else "")


def estimate(draws: np.ndarray, replicates: int = REPLICATES) -> Estimate:
    """Mean over draws (N,) and its error, see `half95`."""
    return Estimate(float(np.mean(draws)), float(half95(draws, replicates)))


def estimate_where(draws: np.ndarray, usable: np.ndarray, replicates: int = REPLICATES) -> Estimate:
    """Mean over the usable draws alone, `draws` and `usable` being (N,). The mean is a ratio of two sums over all draws; its error is the ratio's, linearised."""
    kept = np.asarray(usable, bool)
    mean = float(draws[kept].mean())
    return Estimate(mean, float(half95(np.where(kept, draws - mean, 0.0) / kept.mean(), replicates)))


def half95(draws: np.ndarray, replicates: int = REPLICATES) -> np.ndarray:
    """Half of the 95 % interval of the mean over draws (the first axis), from draws taken in turn from `replicates` scrambles; a single draw (a central case) has none.

    Raises
    ------
    ValueError
        When the draws are no multiple of the scrambles.
    """
    if len(draws) == 1:
        return np.zeros(np.shape(draws)[1:])
    return half_width(np.asarray(draws, float), replicates)


def _decimals(error: float) -> int:
    leading = math.floor(math.log10(error))
    first = int(f"{error:e}"[0])
    return -leading + (1 if first == 1 else 0)


def digits_and_error(value: float, error: float) -> tuple[int, float]:
    """Decimals that a figure is shown with, and its error, rounded up where `DIGITS` leave less of it than one digit."""
    largest = max(abs(value), error)
    most = 0 if largest == 0 else DIGITS - 1 - math.floor(math.log10(largest))
    if error == 0 or _decimals(error) <= most:
        return (most if error == 0 else _decimals(error)), error
    return most, math.ceil(round(error * 10.0**most, 9)) / 10.0**most


def _fixed(value: float, decimals: int) -> str:
    text = f"{abs(round(value, decimals)):,.{max(decimals, 0)}f}"
    return (MINUS if value < 0 and any(c in "123456789" for c in text) else "") + text
