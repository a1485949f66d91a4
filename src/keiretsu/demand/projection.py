"""Where a new product's mean utility comes from ([5b]).

Inverted deltas are projected on characteristics and an effect for each brand and market: ``delta_jm = x_j beta + effect_bm + xi_jm``.
The residual xi is what characteristics do not explain; its spread says how uncertain a product's appeal is before anyone has driven
it, and is reported and drawn, never set to zero. A twin under another brand takes its original's characteristics *and* xi, plus the
difference between the two brands' effects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from keiretsu.errors import DemandError, Problem
from keiretsu.typing import Matrix, Vector

_DEPENDENT = 1e-10  # singular value, relative to the largest, below which a characteristic adds nothing


@dataclass(frozen=True)
class Projection:
    """Fitted projection.

    Attributes
    ----------
    names, beta
        Characteristics and their coefficients (utils per unit). (K,)
    covariance
        Of beta, homoskedastic. (K, K)
    effect
        By (brand, market), in utils.
    xi
        Residual of each observation, in the order given; adds up to zero within each brand and market. (N,)
    spread
        Standard deviation of xi with `degrees_of_freedom` = N - K - number of effects.
    explained
        Share of the variance of delta within brand and market that characteristics explain.
    """

    names: tuple[str, ...]
    beta: Vector
    covariance: Matrix
    effect: Mapping[tuple[str, str], float]
    xi: Vector
    spread: float
    degrees_of_freedom: int
    explained: float


def project(delta: Vector, characteristics: Mapping[str, Vector], brand: Sequence[str], market: Sequence[str]) -> Projection:
    """Least squares of inverted deltas on characteristics, with an effect for each brand and market.

    Parameters
    ----------
    delta
        Inverted mean utilities of products on sale, all markets below each other. (N,)
    characteristics
        One column each, (N,); none may be constant within every brand and market.

    Raises
    ------
    DemandError
        When characteristics are linearly dependent within brand and market, or no degree of freedom is left.
    """
    y, names = np.asarray(delta, dtype=float), tuple(characteristics)
    x = np.column_stack([np.asarray(characteristics[name], dtype=float) for name in names]) if names else np.zeros((y.size, 0))
    cells = list(zip(brand, market, strict=True))
    labels = list(dict.fromkeys(cells))
    where = np.array([labels.index(cell) for cell in cells], int)
    freedom = y.size - len(names) - len(labels)
    inner_x, inner_y = _within(x, where), _within(y[:, None], where)[:, 0]
    _check(inner_x, names, freedom, y.size, len(labels))
    inverse = np.linalg.inv(inner_x.T @ inner_x) if names else np.zeros((0, 0))
    beta = inverse @ (inner_x.T @ inner_y)
    xi = inner_y - inner_x @ beta
    spread = float(np.sqrt(xi @ xi / freedom))
    left = y - x @ beta
    effect = {label: float(left[where == k].mean()) for k, label in enumerate(labels)}
    total = float(inner_y @ inner_y)
    return Projection(names, beta, spread**2 * inverse, effect, xi, spread, freedom, 1 - float(xi @ xi) / total if total > 0 else 0.0)


def new_delta(projection: Projection, characteristics: Mapping[str, float], brand: str, market: str, xi: float) -> float:
    """Mean utility of a new product with a stated xi: zero is the middle, draws from ``N(0, spread)`` say how uncertain it is.

    Raises
    ------
    DemandError
        When a characteristic or the brand's effect in that market is unknown.
    """
    problems = [
        Problem("a characteristic of the new product is missing", name, f"{sorted(characteristics)}", "a number")
        for name in projection.names
        if name not in characteristics
    ]
    problems += _unknown(projection, brand, market)
    if problems:
        raise DemandError(problems)
    x = np.array([characteristics[name] for name in projection.names])
    return float(x @ projection.beta) + projection.effect[brand, market] + xi


def twin_delta(projection: Projection, original: float, original_brand: str, brand: str, market: str) -> float:
    """Mean utility of a twin of a product with mean utility `original`: same characteristics and xi, another brand.

    Raises
    ------
    DemandError
        When one of the brands has no effect in that market.
    """
    problems = _unknown(projection, original_brand, market) + _unknown(projection, brand, market)
    if problems:
        raise DemandError(problems)
    return original + projection.effect[brand, market] - projection.effect[original_brand, market]


def draw_xi(projection: Projection, count: int, rng: np.random.Generator) -> Vector:
    """Draws of a new product's xi, ``t`` with the projection's degrees of freedom times its spread. (count,)"""
    return projection.spread * rng.standard_t(projection.degrees_of_freedom, count)


def _within(values: Matrix, where: np.ndarray) -> Matrix:
    """Deviations from the mean of each cell."""
    size = np.bincount(where)
    means = np.column_stack([np.bincount(where, weights=column) / size for column in values.T]) if values.shape[1] else np.zeros((size.size, 0))
    return values - means[where]


def _check(inner: Matrix, names: Sequence[str], freedom: int, rows: int, effects: int) -> None:
    problems: list[Problem] = []
    if freedom < 1:
        seen = f"{rows} products, {len(names)} characteristics, {effects} effects"
        problems.append(
            Problem("too few products for this projection", "projection of delta", seen, "more products than parameters", "drop characteristics")
        )
    scale = np.sqrt((inner**2).sum(axis=0))
    flat = [name for name, size in zip(names, scale, strict=True) if not size > 0]
    if flat:
        problems.append(
            Problem(
                "no variation within any brand and market", f"characteristics {flat}", "constant", "variation", "drop them: the effects hold them"
            )
        )
    elif names and freedom >= 1:
        singular = np.linalg.svd(inner / scale, compute_uv=False)
        if singular[-1] < _DEPENDENT * singular[0]:
            seen = f"smallest singular value {singular[-1]:.1e}"
            problems.append(Problem("characteristics are linearly dependent", f"{list(names)}", seen, "independent columns", "drop one of them"))
    if problems:
        raise DemandError(problems)


def _unknown(projection: Projection, brand: str, market: str) -> list[Problem]:
    if (brand, market) in projection.effect:
        return []
    known = sorted({b for b, m in projection.effect if m == market})
    next_step = "state the product's delta, or name a brand that is sold there to take the effect from"
    return [
        Problem(
            "this brand has no product in this market to learn its effect from", f"{brand} in {market}", f"{known}", "a brand sold there", next_step
        )
    ]
