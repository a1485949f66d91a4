"""The most likely way for something to go wrong: first-order reliability.

In independent standard normals the likeliest point at which a function g is zero is the zero nearest to the origin (Hasofer & Lind
1974). Its distance is beta, with the sign of g at the origin; where g is close to linear, the chance of g below zero is Phi(-beta), and the squared
direction cosines say how much of that chance each normal carries. The point is found by the recursion of Hasofer, Lind, Rackwitz & Fiessler with the line search
of Zhang & Der Kiureghian (1995). How far Phi(-beta) is to be believed is checked by sampling around the point.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from keiretsu.errors import KeiretsuError, NotSettled
from keiretsu.numerics.draws import sobol
from keiretsu.typing import Matrix, Vector

LimitState = Callable[[Vector], float]
Slope = Callable[[Vector], Vector]


SHORTEST = 1e-6  # of a full step: below it the merit is flat to rounding, and the step is taken as it is


class NoZero(KeiretsuError):
    """A function that stays on one side of zero as far as was looked."""


@dataclass(frozen=True)
class SearchOptions:
    """When a point counts as found: g below `tolerance` of its size at the origin, and the point straight along the slope to `tolerance`.

    `farthest` is the distance (standard deviations) beyond which a zero counts as none; `starts` are further starting points tried.
    """

    tolerance: float = 1e-6
    iterations: int = 200
    farthest: float = 8.0
    starts: int = 4
    seed: int = 0


@dataclass(frozen=True)
class DesignPoint:
    """The likeliest zero of one branch.

    Attributes
    ----------
    point
        In independent standard normals. (k,)
    beta
        Distance from the origin, negative when the origin itself is below zero.
    probability
        Phi(-beta): the first-order chance of g below zero.
    cosine
        Direction of the point from the origin for g falling; squares add up to one. (k,)
    residual
        What is left of g at the point, in its own unit.
    other
        Further zeros that are nearest in their surroundings, found from other starting points.
    """

    point: Vector
    beta: float
    probability: float
    cosine: Vector
    residual: float
    iterations: int
    other: tuple[DesignPoint, ...] = ()


@dataclass(frozen=True)
class Branch:
    """One outcome of the discrete events: its probability and g there. A branch where g never changes sign has `always` -1 or 1."""

    name: str
    probability: float
    g: LimitState
    slope: Slope


@dataclass(frozen=True)
class Sampled:
    """A probability from samples, its standard error, and how many samples."""

    probability: float
    error: float
    samples: int


def design_point(g: LimitState, slope: Slope, dimensions: int, where: str, options: SearchOptions = SearchOptions()) -> DesignPoint:
    """The zero of g nearest to the origin.

    Parameters
    ----------
    g, slope
        The function and its derivatives at a point of independent standard normals; `numerical_slope` makes the second from the first.
    where
        What is being asked about, for messages.

    Raises
    ------
    NoZero
        When no start leads to a zero within `options.farthest`.
    """
    origin = np.zeros(dimensions)
    at_origin = float(g(origin))
    starts = [
        origin,
        *(sobol(max(2, 1 << (options.starts - 1).bit_length()), dimensions, options.seed).node[: options.starts] if options.starts else ()),
    ]
    found: list[DesignPoint] = []
    last = ""
    for start in starts:
        try:
            one = _search(g, slope, np.asarray(start, float), at_origin, where, options)
        except NotSettled as error:
            last = str(error)
            continue
        if abs(one.beta) <= options.farthest:
            found.append(one)
        else:
            last = f"the nearest zero found is {abs(one.beta):.1f} standard deviations away"
    if not found:
        side = "above" if at_origin > 0 else "below"
        raise NoZero(f"{where}: stays {side} zero within {options.farthest:g} standard deviations of the middle ({at_origin:.4g} there); {last}")
    found.sort(key=lambda one: abs(one.beta))
    nearest = found[0]
    others: list[DesignPoint] = []
    for one in found[1:]:
        if all(np.linalg.norm(one.point - known.point) > 0.1 for known in (nearest, *others)):
            others.append(one)
    return dataclasses.replace(nearest, other=tuple(others))


def numerical_slope(g: LimitState, step: float = 1e-4) -> Slope:
    """Derivatives by central differences of `step` standard deviations."""

    def slope(u: Vector) -> Vector:
        around = np.eye(u.size) * step
        return np.array([(g(u + d) - g(u - d)) / (2 * step) for d in around])

    return slope


def importance(point: DesignPoint, factor: Matrix) -> Vector:
    """Part of the distance that each *input* carries when inputs are correlated; adds up to one (Der Kiureghian's gamma, squared). (k,)

    Parameters
    ----------
    factor
        Lower triangular, correlated normals are ``factor @ independent``; the identity gives the squared cosines.
    """
    direction = np.linalg.solve(np.asarray(factor, float).T, point.cosine)
    return direction**2 / float((direction**2).sum())


def sample_near(g_many: Callable[[Matrix], Vector], points: Matrix, samples: int, seed: int) -> Sampled:
    """Chance of g below zero by sampling around points, each sample weighted back to the distribution it should have come from.

    Parameters
    ----------
    g_many
        g at each row. (n, k) -> (n,)
    points
        Design points; with several, each gets its part of the samples. One left out shows in the error, not in the estimate. (m, k)
    samples
        Around each point, a power of two.
    """
    centres = np.atleast_2d(np.asarray(points, float))
    node = sobol(samples, centres.shape[1], seed).node
    u = (node[None, :, :] + centres[:, None, :]).reshape(-1, centres.shape[1])
    # density of the mixture over the normal density, at each sample
    ratio = np.exp(u @ centres.T - 0.5 * (centres**2).sum(axis=1)).mean(axis=1)
    hit = np.where(np.asarray(g_many(u)) < 0, 1.0 / ratio, 0.0)
    return Sampled(float(hit.mean()), float(hit.std(ddof=1) / np.sqrt(len(u))), len(u))


def by_branch(branches: Sequence[Branch], dimensions: int, options: SearchOptions = SearchOptions()) -> tuple[dict[str, DesignPoint], float]:
    """One design point for each branch of discrete events, and the first-order chance over all of them.

    A branch without a zero in reach counts with the side it is on; it has no design point.
    """
    points: dict[str, DesignPoint] = {}
    chance = 0.0
    for branch in branches:
        try:
            points[branch.name] = design_point(branch.g, branch.slope, dimensions, branch.name, options)
            chance += branch.probability * points[branch.name].probability
        except NoZero:
            chance += branch.probability * float(branch.g(np.zeros(dimensions)) < 0)
    return points, chance


def _search(g: LimitState, slope: Slope, start: Vector, at_origin: float, where: str, options: SearchOptions) -> DesignPoint:
    scale = abs(at_origin) or 1.0
    u = start
    value, down = float(g(u)), np.asarray(slope(u), float)
    straight = np.inf
    for iteration in range(1, options.iterations + 1):
        steep = float(np.linalg.norm(down))
        if not np.isfinite(value) or not steep > 1e-12 * scale:
            raise _lost(where, value, iteration, "the function is flat there: no input moves it")
        along = down / steep
        target = (float(down @ u) - value) / steep * along
        straight = float(np.linalg.norm(u - (along @ u) * along))
        if abs(value) <= options.tolerance * scale and straight <= options.tolerance**0.5 * max(1.0, float(np.linalg.norm(u))):
            return _point(u, at_origin, along, value, iteration)
        u, value = _step(g, u, value, target - u, steep)
        down = np.asarray(slope(u), float)
        if float(np.linalg.norm(u)) > 4 * options.farthest:
            raise _lost(where, value, iteration, f"the search went farther than {4 * options.farthest:g} standard deviations")
    raise _lost(where, value, options.iterations, "allow more iterations or look at the function near the point")


def _step(g: LimitState, u: Vector, value: float, direction: Vector, steep: float) -> tuple[Vector, float]:
    """A step that lowers the merit ``|u|^2 / 2 + c |g|``, halved until it does."""
    c = 2.0 * max(float(np.linalg.norm(u)), float(np.linalg.norm(u + direction))) / steep + 1e-12
    merit = 0.5 * float(u @ u) + c * abs(value)
    length = 1.0
    while True:
        tried = u + length * direction
        at = float(g(tried))
        if 0.5 * float(tried @ tried) + c * abs(at) < merit - 1e-4 * length * 0.5 * float(direction @ direction) or length < SHORTEST:
            return tried, at
        length *= 0.5


def _point(u: Vector, at_origin: float, along: Vector, value: float, iterations: int) -> DesignPoint:
    beta = float(np.linalg.norm(u)) * (1.0 if at_origin >= 0 else -1.0)
    return DesignPoint(u, beta, float(ndtr(-beta)), -along, value, iterations)


def _lost(where: str, value: float, iterations: int, next_step: str) -> NotSettled:
    return NotSettled(
        "the search for the likeliest zero", where=where, residual=abs(value), unit="of the function", iterations=iterations, next_step=next_step
    )
