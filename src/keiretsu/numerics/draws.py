"""Points and weights that stand for a normal distribution.

Scrambled Sobol and Halton points fill the unit cube more evenly than random ones and are pushed through the inverse normal
distribution; product Gauss-Hermite nodes integrate polynomials exactly; or the user brings points and weights of their own. The
seed is an argument, never a global state, and the same seed gives the same draws on every machine.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from keiretsu.errors import InputError, Problem
from keiretsu.typing import Matrix, Vector

_SOBOL_BITS = 30
_WEIGHT_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Draws:
    """Draws of K independent standard normals.

    Attributes
    ----------
    node
        One row for each draw. (I, K)
    weight
        Adds up to one; Gauss-Hermite weights are all positive. (I,)
    """

    node: Matrix
    weight: Vector


def sobol(count: int, dimensions: int, seed: int) -> Draws:
    """Scrambled Sobol normals; `count` is a power of two, for only then are the points balanced.

    Raises
    ------
    InputError
        When `count` is no power of two.
    """
    _check_size(count, dimensions)
    if count & (count - 1):
        below = 1 << (count.bit_length() - 1)
        raise InputError(
            Problem(
                "the number of Sobol draws is no power of two",
                "draws",
                str(count),
                "a power of two",
                f"ask for {below} or {2 * below}, or use Halton draws",
            )
        )
    points = qmc.Sobol(dimensions, scramble=True, bits=_SOBOL_BITS, rng=np.random.default_rng(seed)).random_base2(count.bit_length() - 1)
    # Points are lower corners of cells of width 2^-30 and may be exactly zero, whose normal is minus infinity; cell centres are not.
    return Draws(ndtri(points + 0.5 * 2.0**-_SOBOL_BITS), np.full(count, 1 / count))


def halton(count: int, dimensions: int, seed: int) -> Draws:
    """Scrambled Halton normals, for any `count`.

    Raises
    ------
    InputError
        When a point falls on the edge of the unit cube, where no normal exists (a matter of the seed, and very unlikely).
    """
    _check_size(count, dimensions)
    points = qmc.Halton(dimensions, scramble=True, rng=np.random.default_rng(seed)).random(count)
    if not ((points > 0) & (points < 1)).all():
        raise InputError(
            Problem("a Halton point lies on the edge of the unit cube", "draws", f"seed {seed}", "points strictly inside", "use another seed")
        )
    return Draws(ndtri(points), np.full(count, 1 / count))


def gauss_hermite(nodes_per_dimension: int, dimensions: int) -> Draws:
    """Product Gauss-Hermite rule: exact for polynomials up to degree ``2 nodes_per_dimension - 1`` in each dimension."""
    _check_size(nodes_per_dimension, dimensions)
    node, weight = np.polynomial.hermite_e.hermegauss(nodes_per_dimension)
    weight = weight / weight.sum()
    grid = np.array(list(itertools.product(node, repeat=dimensions)))
    weights = np.array(list(itertools.product(weight, repeat=dimensions))).prod(axis=1)
    return Draws(grid, weights)


def own(node: Matrix, weight: Vector) -> Draws:
    """Draws the user brings, checked: finite nodes (I, K), nonnegative weights (I,) that add up to one.

    Raises
    ------
    InputError
        With every problem found.
    """
    nodes, weights = np.asarray(node, dtype=float), np.asarray(weight, dtype=float)
    problems: list[Problem] = []
    if nodes.ndim != 2 or weights.shape != nodes.shape[:1]:
        problems.append(Problem("draws and weights do not match", "draws", f"nodes {nodes.shape}, weights {weights.shape}", "(I, K) and (I,)"))
    if not np.isfinite(nodes).all():
        problems.append(Problem("a draw is not a finite number", "draws", f"{int((~np.isfinite(nodes)).sum())} such entries", "finite numbers"))
    if not (weights >= 0).all():
        problems.append(Problem("a weight is negative or missing", "draws", f"{int((~(weights >= 0)).sum())} such weights", "nonnegative weights"))
    elif abs(weights.sum() - 1) > _WEIGHT_TOLERANCE:
        problems.append(Problem("weights do not add up to one", "draws", f"{weights.sum():.12g}", "1", "divide the weights by their sum"))
    if problems:
        raise InputError(problems)
    return Draws(nodes, weights)


def _check_size(count: int, dimensions: int) -> None:
    if count < 1 or dimensions < 1:
        raise InputError(Problem("no draws asked for", "draws", f"count {count}, dimensions {dimensions}", "both at least 1"))
