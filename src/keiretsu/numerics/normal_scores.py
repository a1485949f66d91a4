"""From uncertain inputs to independent standard normals and back: the Nataf transformation.

Inputs have their own distributions and a correlation matrix. Each input is its distribution's quantile at the probability of a standard normal; those
normals are correlated, by a little more than the inputs are (Nataf 1962; Der Kiureghian & Liu 1986), and are a triangular mix of independent ones.
Tails are taken from the near side, so that a point eight standard deviations out is still a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from keiretsu.errors import InputError, Problem
from keiretsu.typing import Matrix, Vector

NODES = 48  # Gauss-Hermite nodes a dimension: correlations of smooth inputs to 1e-8
TOLERANCE = 1e-10


class Marginal(Protocol):
    """A distribution as SciPy freezes it."""

    def ppf(self, q: Any) -> Any: ...
    def isf(self, q: Any) -> Any: ...
    def cdf(self, x: Any) -> Any: ...
    def sf(self, x: Any) -> Any: ...
    def mean(self) -> Any: ...
    def std(self) -> Any: ...


@dataclass(frozen=True)
class Nataf:
    """Inputs as functions of independent standard normals.

    Attributes
    ----------
    marginals
        One distribution for each input.
    factor
        Lower triangular; correlated normals are ``factor @ independent``. (k, k)
    """

    marginals: tuple[Marginal, ...]
    factor: Matrix

    def inputs(self, normals: Matrix) -> Matrix:
        """Inputs, in their own units, at independent normals. (n, k) or (k,)"""
        z = np.asarray(normals, float) @ self.factor.T
        return np.stack([_quantile(marginal, z[..., i]) for i, marginal in enumerate(self.marginals)], axis=-1)

    def normals(self, inputs: Matrix) -> Matrix:
        """Independent normals at inputs. (n, k) or (k,)"""
        x = np.asarray(inputs, float)
        z = np.stack([_score(marginal, x[..., i]) for i, marginal in enumerate(self.marginals)], axis=-1)
        return np.linalg.solve(self.factor, z[..., None])[..., 0] if z.ndim > 1 else np.linalg.solve(self.factor, z)


def nataf(marginals: Sequence[Marginal], correlation: Matrix) -> Nataf:
    """The transformation for inputs with these distributions and correlations.

    Parameters
    ----------
    correlation
        Of the inputs themselves (Pearson), not of their normal scores. (k, k)

    Raises
    ------
    InputError
        When the matrix is no correlation matrix, a pair of distributions cannot be correlated that much, or the normals' matrix is not positive definite.
    """
    wanted, k = np.asarray(correlation, float), len(marginals)
    if wanted.shape != (k, k) or not np.allclose(wanted, wanted.T) or not np.allclose(np.diag(wanted), 1.0) or (np.abs(wanted) > 1).any():
        raise InputError(
            Problem("not a correlation matrix", "correlation of inputs", str(wanted.shape), f"symmetric, ones on the diagonal, {k} x {k}")
        )
    normal = np.eye(k)
    problems: list[Problem] = []
    for i in range(k):
        for j in range(i):
            if wanted[i, j] != 0:
                normal[i, j] = normal[j, i] = _normal_correlation(marginals[i], marginals[j], float(wanted[i, j]), f"inputs {j} and {i}", problems)
    if not problems and np.linalg.eigvalsh(normal).min() <= 0:
        problems.append(
            Problem("correlations contradict each other", "correlation of inputs", "a matrix that is not positive definite", "weaker correlations")
        )
    if problems:
        raise InputError(problems)
    return Nataf(tuple(marginals), np.linalg.cholesky(normal))


def _quantile(marginal: Marginal, z: Vector) -> Vector:
    return np.where(z > 0, marginal.isf(ndtr(-np.abs(z))), marginal.ppf(ndtr(-np.abs(z))))


def _score(marginal: Marginal, x: Vector) -> Vector:
    below, above = marginal.cdf(x), marginal.sf(x)
    return np.where(below < above, ndtri(np.minimum(below, 0.5)), -ndtri(np.minimum(above, 0.5)))


def _normal_correlation(a: Marginal, b: Marginal, wanted: float, where: str, problems: list[Problem]) -> float:
    """Correlation of the normals that gives the inputs theirs."""
    node, weight = np.polynomial.hermite_e.hermegauss(NODES)
    weight = weight / weight.sum()
    first, mean_a, mean_b, spread = _quantile(a, node), float(a.mean()), float(b.mean()), float(a.std() * b.std())

    def missed(rho: float) -> float:
        second = _quantile(b, rho * node[:, None] + np.sqrt(1 - rho**2) * node[None, :])
        return float(weight @ ((first[:, None] - mean_a) * (second - mean_b)) @ weight) / spread - wanted

    edge = 1 - 1e-9
    if missed(-edge) > 0 or missed(edge) < 0:
        problems.append(
            Problem(
                "two distributions cannot be correlated that much",
                where,
                f"{wanted:g}",
                f"between {missed(-edge) + wanted:.3f} and {missed(edge) + wanted:.3f}",
            )
        )
        return 0.0
    return float(brentq(missed, -edge, edge, xtol=TOLERANCE))
