"""The nearest zero of a function that is dear to evaluate and dearer to differentiate: first-order reliability with a handful of looks.

The recursion of Hasofer, Lind, Rackwitz & Fiessler needs the function and its slope at every point. Here the slope is taken exactly at the middle and at the
zero that is found; in between it is carried along by rank-one corrections that make it agree with what was just seen (Broyden 1965). Draws that
exist anyway then say how likely it is to be on the other side: every draw is moved along the one direction that counts until the function is zero
(line sampling), which uses its distance from zero and not only its sign.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from keiretsu.numerics.reliability import NoZero
from keiretsu.typing import Vector

BENDS = tuple(np.round(np.arange(-1.0, 1.51, 0.05), 2).tolist())  # tried, in units of one over the spread of the values


@dataclass(frozen=True)
class DearOptions:
    """When a zero counts as found, and how much may be spent on it.

    Attributes
    ----------
    tolerance
        What may be left of the function, as a part of its spread over draws.
    straight
        How far the zero may lie from the line along the slope through the middle, as a part of its distance.
    evaluations, sweeps
        Most evaluations of the function and of its exact slope.
    longest
        Longest step, in standard deviations.
    farthest
        Distance beyond which a zero counts as none.
    """

    tolerance: float = 0.03
    straight: float = 0.1
    evaluations: int = 12
    sweeps: int = 2
    longest: float = 2.0
    farthest: float = 6.0


@dataclass(frozen=True, eq=False)
class DearZero:
    """The nearest zero found.

    Attributes
    ----------
    point
        In independent standard normals. (k,)
    beta
        Its distance from the middle, below zero when the function is below zero in the middle.
    slope
        Slope there: the exact one last taken, corrected by what was seen since. (k,)
    middle, residual
        The function in the middle, and what is left of it at the point.
    off_line
        How far the point lies from the line along the slope through the middle, as a part of its distance: 0 for the nearest zero.
    evaluations, sweeps
        Evaluations of the function and of its exact slope.
    settled
        Whether both tolerances are met.
    """

    point: Vector
    beta: float
    slope: Vector
    middle: float
    residual: float
    off_line: float
    evaluations: int
    sweeps: int
    settled: bool


def nearest_zero(
    value: Callable[[Vector], float],
    slope: Callable[[Vector], Vector],
    dimensions: int,
    spread: float,
    where: str,
    options: DearOptions = DearOptions(),
) -> DearZero:
    """The zero nearest to the origin.

    Parameters
    ----------
    value, slope
        The function and its exact derivatives at a point of independent standard normals.
    spread
        Standard deviation of the function over draws: its scale.
    where
        What is asked about, for messages.

    Raises
    ------
    NoZero
        When the function is flat in the middle, or no zero lies within `options.farthest`.
    """
    u = np.zeros(dimensions)
    g, down = float(value(u)), np.asarray(slope(u), float)
    middle, evaluations, sweeps = g, 1, 1
    while True:
        steep = float(np.linalg.norm(down))
        if not steep > 1e-6 * spread:
            raise NoZero(f"{where}: no input moves the value ({middle:.4g} in the middle, spread {spread:.4g} over draws)")
        step = (float(down @ u) - g) / steep**2 * down - u
        step *= min(1.0, options.longest / max(float(np.linalg.norm(step)), 1e-300))
        if float(np.linalg.norm(u + step)) > options.farthest:
            side = "above" if middle > 0 else "below"
            raise NoZero(f"{where}: stays {side} zero within {options.farthest:g} standard deviations of the middle ({middle:.4g} there)")
        ahead = float(value(u + step))
        evaluations += 1
        down = down + (ahead - g - float(down @ step)) / max(float(step @ step), 1e-300) * step
        u, g = u + step, ahead
        spent, near = evaluations >= options.evaluations, abs(g) <= options.tolerance * spread
        if not (near or spent):
            continue
        looked_again = sweeps < options.sweeps
        if looked_again:
            down = np.asarray(slope(u), float)
            sweeps += 1
        off = _off_line(u, down)
        if spent or off <= options.straight or not looked_again:
            beta = float(np.linalg.norm(u)) * (1.0 if middle >= 0 else -1.0)
            return DearZero(u, beta, down, middle, g, off, evaluations, sweeps, near and off <= options.straight)


@dataclass(frozen=True, eq=False)
class OtherSide:
    """How likely a value below zero is, from draws.

    Attributes
    ----------
    chance
        On the line through each draw along the zero's slope, everything else as in that draw. (N,)
    bend
        How much the value bends along the slope, as found from the draws: 0 for a straight line, above zero where it rises faster the higher it is.
    explained
        Part of the variance of the straightened values that the straight line through the zero explains.
    """

    chance: Vector
    bend: float
    explained: float


def on_the_other_side(values: Vector, normals: np.ndarray, zero: DearZero) -> OtherSide:
    """Chance of a value below zero from lines through draws.

    Moving a draw by one standard deviation along the slope changes its value by the slope's length where the value is near zero, so a straight line would meet zero at a known
    place, and where along the line a draw stands is standard normal. Far from zero the value bends; it is straightened by ``(1 - exp(-b g)) / b``, which leaves zero and the
    slope there alone, with the b for which least is left of the draws' variance beside the line. What bends across the slope is in the draws.
    """
    steep, spread = float(np.linalg.norm(zero.slope)), float(np.std(values))
    line = (normals - zero.point) @ zero.slope
    explained, bend = max((_explained(_straightened(values, bend / spread), line), bend) for bend in BENDS)
    chance = ndtr(normals @ zero.slope / steep - _straightened(values, bend / spread) / steep)
    return OtherSide(chance, bend, explained)


def _straightened(values: Vector, bend: float) -> Vector:
    return values if bend == 0 else -np.expm1(-bend * values) / bend


def _explained(values: Vector, line: Vector) -> float:
    return 1.0 - float((values - line).var() / values.var())


def _off_line(point: Vector, slope: Vector) -> float:
    distance = float(np.linalg.norm(point))
    if distance == 0:
        return 0.0
    along = slope / float(np.linalg.norm(slope))
    return float(np.linalg.norm(point - (along @ point) * along)) / distance
