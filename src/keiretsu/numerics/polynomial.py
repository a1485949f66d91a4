"""A polynomial that stands in for a slow model of independent standard normals, fitted to runs that exist anyway.

The output is written as a sum of products of Hermite polynomials, which are orthogonal under the normal distribution, so the mean is the first
coefficient, the variance is the sum of squares of the others, and Sobol's indices are parts of that sum (Sudret 2008). With fewer runs than
terms, terms are taken up one at a time, the one that explains most of what is left first, up to the number with the smallest
leave-one-out error (Blatman & Sudret 2011, with orthogonal matching pursuit in place of least angles). How well the polynomial predicts runs
it has not seen is measured by leaving out one part of the runs after the other and choosing terms anew each time: the held-out R2. By it one of three
families is taken: straight lines, sums of functions of one input, and products of two as well.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from keiretsu.errors import InputError, Problem
from keiretsu.typing import Matrix, Vector

FEWEST_RUNS = 16


@dataclass(frozen=True)
class PolynomialOptions:
    """Which polynomials are tried.

    Attributes
    ----------
    degree
        Largest degree of one input.
    interaction
        Largest total degree of a product of two inputs; below 2 there are none.
    folds
        Parts the runs are cut into for the held-out R2.
    seed
        Of the cut into parts.
    patience
        Terms taken up without a smaller leave-one-out error before the search for more ends.
    """

    degree: int = 3
    interaction: int = 2
    folds: int = 5
    seed: int = 0
    patience: int = 20


@dataclass(frozen=True)
class Surrogate:
    """A polynomial in standard normals.

    Attributes
    ----------
    powers
        Degree of each input in each term, the constant first. (terms, inputs)
    coefficient
        Of the orthonormal terms, in the output's unit. (terms,)
    held_out_r2
        Part of the variance of runs not seen that it explains; one is perfect, zero is no better than the mean.
    runs
        Number of runs it was fitted to.
    """

    powers: np.ndarray
    coefficient: Vector
    held_out_r2: float
    runs: int
    options: PolynomialOptions = field(default_factory=PolynomialOptions)

    def value(self, normals: Matrix) -> Vector:
        """The polynomial at each row of normals. (n,)"""
        return _basis(np.atleast_2d(np.asarray(normals, float)), self.powers) @ self.coefficient

    def gradient(self, normals: Vector) -> Vector:
        """Derivatives at one point. (inputs,)"""
        z = np.asarray(normals, float)
        one_dimensional = _hermite(z[None, :], int(self.powers.max(initial=0)))[:, 0, :]  # (degree + 1, inputs)
        slope = np.zeros_like(z)
        columns = np.arange(z.size)
        factors = one_dimensional[self.powers, columns]  # (terms, inputs)
        for i in range(z.size):
            degree = self.powers[:, i]
            # derivative of the orthonormal polynomial of degree k is sqrt(k) times that of degree k - 1
            own = np.sqrt(degree) * one_dimensional[np.maximum(degree - 1, 0), i]
            slope[i] = self.coefficient @ (own * np.delete(factors, i, axis=1).prod(axis=1))
        return slope

    @property
    def mean(self) -> float:
        """Mean of the polynomial."""
        return float(self.coefficient[0])

    @property
    def variance(self) -> float:
        """Variance of the polynomial."""
        return float((self.coefficient[1:] ** 2).sum())


@dataclass(frozen=True)
class SobolIndices:
    """Parts of the variance: each input alone, and with everything it takes part in. (inputs,)"""

    first_order: Vector
    total: Vector


def fit_polynomial(normals: Matrix, output: Vector, options: PolynomialOptions = PolynomialOptions(), two_valued: Sequence[int] = ()) -> Surrogate:
    """Fit a polynomial to runs.

    Parameters
    ----------
    normals
        Independent standard normals of each run. (n, inputs)
    output
        What each run came to. (n,)
    two_valued
        Columns that are no normals but events, scaled to mean zero and variance one: they enter with degree one, alone and in products.

    Raises
    ------
    InputError
        With fewer than `FEWEST_RUNS` runs, shapes that do not match, or numbers that are not finite.
    """
    z, y = _checked(normals, output)
    powers = _terms(z.shape[1], options, frozenset(two_valued))
    basis = _basis(z, powers)
    families = _families(powers)
    r2 = [_held_out(basis[:, family], y, options) for family in families]
    # the plainest family that predicts as well as the best: few runs cannot tell thousands of terms apart
    best = families[next(k for k, one in enumerate(r2) if one >= max(r2) - 1e-6)]
    chosen, coefficient = _pursuit(basis[:, best], y, options.patience)
    return Surrogate(powers[best][chosen], coefficient, max(r2), len(y), options)


def sobol_indices(surrogate: Surrogate) -> SobolIndices:
    """First-order and total indices of each input; all zero when the output does not vary."""
    part = surrogate.coefficient**2 / (surrogate.variance or 1.0)
    takes_part = surrogate.powers > 0
    alone = takes_part & (takes_part.sum(axis=1) == 1)[:, None]
    return SobolIndices(part @ alone, part @ takes_part)


def _terms(inputs: int, options: PolynomialOptions, two_valued: frozenset[int]) -> np.ndarray:
    """Degrees of every term tried, the constant first. (terms, inputs)"""
    rows = [np.zeros(inputs, int)]
    for i, degree in itertools.product(range(inputs), range(1, options.degree + 1)):
        if degree == 1 or i not in two_valued:
            rows.append(np.bincount([i], minlength=inputs) * degree)
    for i, j in itertools.combinations(range(inputs), 2):
        for a, b in itertools.product(range(1, options.interaction), repeat=2):
            if a + b <= options.interaction and (a == 1 or i not in two_valued) and (b == 1 or j not in two_valued):
                rows.append(np.bincount([i] * a + [j] * b, minlength=inputs))
    return np.array(rows)


def _families(powers: np.ndarray) -> list[np.ndarray]:
    """Positions of the terms of each family tried: straight lines, sums of functions of one input, everything."""
    inputs = (powers > 0).sum(axis=1)
    found = [np.flatnonzero(powers.sum(axis=1) <= 1), np.flatnonzero(inputs <= 1), np.arange(len(powers))]
    return [family for k, family in enumerate(found) if k == 0 or len(family) > len(found[k - 1])]


def _hermite(z: Matrix, degree: int) -> np.ndarray:
    """Orthonormal Hermite polynomials of every entry. (degree + 1, n, inputs)"""
    found = [np.ones_like(z), z]
    for k in range(1, degree):
        found.append((z * found[k] - np.sqrt(k) * found[k - 1]) / np.sqrt(k + 1))
    return np.array(found[: degree + 1])


def _basis(z: Matrix, powers: np.ndarray) -> Matrix:
    one_dimensional = _hermite(z, int(powers.max(initial=0)))
    basis = np.ones((len(z), len(powers)))
    for i in range(z.shape[1]):
        touched = np.flatnonzero(powers[:, i])
        basis[:, touched] *= one_dimensional[powers[touched, i], :, i].T
    return basis


def _pursuit(basis: Matrix, y: Vector, patience: int) -> tuple[np.ndarray, Vector]:
    """Terms taken up greedily, as many as make the leave-one-out error smallest; the constant always. Positions and coefficients."""
    n = len(y)
    q = np.empty((n, 0))
    chosen: list[int] = []
    left = y.astype(float)
    leverage = np.zeros(n)
    rest = basis.copy()  # terms with what is taken up projected out
    size = np.sqrt((basis**2).sum(axis=0))
    best, best_error = 1, np.inf
    for step in range(min(basis.shape[1], max(2, n // 2))):
        norm = np.sqrt((rest**2).sum(axis=0))
        usable = norm > 1e-8 * size
        score = np.where(usable, np.abs(rest.T @ left) / np.where(usable, norm, 1.0), -1.0)
        take = 0 if step == 0 else int(score.argmax())
        if not usable[take]:
            break
        direction = rest[:, take] / norm[take]
        q = np.column_stack([q, direction])
        chosen.append(take)
        left = left - direction * (direction @ left)
        rest = rest - np.outer(direction, direction @ rest)
        rest[:, take] = 0.0
        leverage += direction**2
        error = float(((left / np.maximum(1.0 - leverage, 1e-9)) ** 2).mean()) * n / (n - len(chosen))
        if error < best_error:
            best, best_error = len(chosen), error
        elif len(chosen) - best >= patience:
            break
        if float(left @ left) <= 1e-24 * max(float(y @ y), 1e-300):
            break
    picked = np.array(chosen[:best])
    return picked, np.linalg.lstsq(basis[:, picked], y, rcond=None)[0]


def _held_out(basis: Matrix, y: Vector, options: PolynomialOptions) -> float:
    """One less the squared error on parts left out over the squared distance from the mean; one when the output does not vary."""
    spread = float(((y - y.mean()) ** 2).sum())
    if spread <= 1e-24 * max(float(y @ y), 1e-300):
        return 1.0
    part = np.random.default_rng(options.seed).permutation(len(y)) % options.folds
    missed = 0.0
    for k in range(options.folds):
        seen = part != k
        chosen, coefficient = _pursuit(basis[seen], y[seen], options.patience)
        missed += float(((y[~seen] - basis[~seen][:, chosen] @ coefficient) ** 2).sum())
    return 1.0 - missed / spread


def _checked(normals: Matrix, output: Vector) -> tuple[Matrix, Vector]:
    z, y = np.asarray(normals, float), np.asarray(output, float)
    problems = []
    if z.ndim != 2 or y.shape != z.shape[:1] or not z.shape[-1]:
        problems.append(Problem("runs and outputs do not match", "surrogate", f"{z.shape} and {y.shape}", "(n, inputs) and (n,)"))
    elif len(y) < FEWEST_RUNS:
        problems.append(Problem("too few runs for a surrogate", "surrogate", str(len(y)), f"{FEWEST_RUNS} at least", "use more draws"))
    if not (np.isfinite(z).all() and np.isfinite(y).all()):
        problems.append(Problem("a run is not a finite number", "surrogate", f"{int((~np.isfinite(y)).sum())} outputs", "finite numbers"))
    if problems:
        raise InputError(problems)
    return z, y
