"""From preferences and consumers to the arrays of one market's `Tastes` ([3]).

``alpha_i = price_taste / income_i ** income_power``, spread further by a lognormal or normal draw and scaled by kind of buyer;
``mu_ij = sum_k x_jk (taste_ik - mean taste_k)``, normal or lognormal, correlated through a Cholesky factor, plus shifts by kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from keiretsu.demand.preferences import ConsumerDraws, Preferences
from keiretsu.demand.tastes import Nests, Tastes, nests
from keiretsu.errors import DemandError, Problem
from keiretsu.numerics.host import host
from keiretsu.typing import Matrix, Vector

CONSTANT = "constant"
_DISTRIBUTIONS = ("normal", "lognormal")
_WEIGHT_TOLERANCE = 1e-9


def tastes_of(
    preferences: Preferences,
    consumers: ConsumerDraws,
    characteristics: Mapping[str, Vector],
    nest_labels: Sequence[Sequence[str]],
    delta: Vector,
    available: np.ndarray,
) -> Tastes:
    """Tastes of one market.

    Parameters
    ----------
    characteristics
        Each one that `preferences` names, (J,); ``constant`` need not be given.
    nest_labels
        One sequence of J labels for each column of `Preferences.nest_columns`.
    delta
        Mean utility at a price of zero (utils), (J,).
    available
        Which products are on sale, (J,) bool.

    Raises
    ------
    DemandError
        With every problem found in preferences, consumers or characteristics.
    """
    check(preferences, consumers)
    return Tastes(
        delta=host(delta, float),
        mu=host(mu_of(preferences, consumers, characteristics, len(delta))),
        alpha=host(alpha_of(preferences, consumers)),
        weight=host(consumers.weight, float),
        available=host(available, bool),
        nests=nests_of(preferences, nest_labels),
        outside=preferences.outside,
    )


def alpha_of(preferences: Preferences, consumers: ConsumerDraws) -> Vector:
    """Utils that each draw loses per EUR paid. (I,)

    Raises
    ------
    DemandError
        When a draw would like to pay more (normal price taste with a wide spread).
    """
    alpha = preferences.price_taste / np.asarray(consumers.income_eur, dtype=float) ** preferences.income_power
    if preferences.price_sigma > 0:
        nu = _tastes_drawn(preferences, consumers)[:, -1]
        spread = preferences.price_sigma * nu
        alpha = alpha * np.exp(spread) if preferences.price_distribution == "lognormal" else alpha + spread
    scale = np.array([preferences.kind_price.get(kind, 1.0) for kind in consumers.kind_names])
    alpha = alpha * scale[consumers.kind]
    if not (alpha > 0).all():
        seen = f"{int((~(alpha > 0)).sum())} of {alpha.size} draws, lowest {alpha.min():.3g} utils per EUR"
        next_step = "use the lognormal distribution, or a smaller price_sigma"
        raise DemandError(Problem("some consumers would rather pay more", "price taste", seen, "alpha above zero for every draw", next_step))
    return alpha


def mu_of(preferences: Preferences, consumers: ConsumerDraws, characteristics: Mapping[str, Vector], n_products: int) -> Matrix:
    """Each draw's departure from delta, not counting price (utils). (J, I), or (J, 1) of zeros when all draws are alike.

    Raises
    ------
    DemandError
        When a characteristic is missing or not a finite number for each product.
    """
    shifts = {kind: dict(preferences.kind_taste[kind]) for kind in consumers.kind_names if kind in preferences.kind_taste}
    named = [taste.characteristic for taste in preferences.random] + [name for shift in shifts.values() for name in shift]
    table = _columns(named, characteristics, n_products)
    if not named:
        return np.zeros((n_products, 1))
    nu = _tastes_drawn(preferences, consumers)
    mu = np.zeros((n_products, len(consumers.weight)))
    for k, taste in enumerate(preferences.random):
        spread = taste.sigma * nu[:, k]
        departure = spread if taste.distribution == "normal" else taste.median * np.expm1(spread)
        mu += np.outer(table[taste.characteristic], departure)
    for kind, shift in shifts.items():
        is_kind = np.asarray(consumers.kind) == consumers.kind_names.index(kind)
        mu += np.outer(sum(value * table[name] for name, value in shift.items()), is_kind)
    return mu


def nests_of(preferences: Preferences, labels: Sequence[Sequence[str]]) -> Nests | None:
    """Nests of one market's products, or None when preferences have none.

    A subgroup is a pair of labels, so that segment B of electric cars is another subgroup than segment B of combustion cars. A
    sigma that differs by subgroup is looked up by ``group/subgroup`` and then by the subgroup's label alone.

    Raises
    ------
    DemandError
        When labels do not match `Preferences.nest_columns`, or sigmas are missing or out of order.
    """
    if len(labels) != len(preferences.nest_columns) or len(labels) > 2:
        raise DemandError(
            Problem("nest labels do not match the nest columns", "nests", f"{len(labels)} sequences", f"{len(preferences.nest_columns)}, at most two")
        )
    if not labels:
        return None
    group = [str(label) for label in labels[0]]
    sigma_group = _plain(preferences.sigma_group)
    if len(labels) == 1:
        return nests(group, sigma_group)
    pairs = [f"{g}/{s}" for g, s in zip(group, labels[1], strict=True)]
    sigma_sub = _plain(preferences.sigma_sub)
    if isinstance(sigma_sub, dict):
        by_label = {pair: label for pair, label in zip(pairs, (str(s) for s in labels[1]), strict=True) if label in sigma_sub}
        sigma_sub = {pair: sigma_sub[label] for pair, label in by_label.items()} | {pair: sigma_sub[pair] for pair in pairs if pair in sigma_sub}
    return nests(group, sigma_group, pairs, sigma_sub)


def check(preferences: Preferences, consumers: ConsumerDraws) -> None:
    """Refuse preferences and consumers that define no demand system.

    Raises
    ------
    DemandError
        With every problem found.
    """
    problems: list[Problem] = []

    def want(holds: bool, what: str, where: str, seen: object, wanted: str, next_step: str = "") -> None:
        if not holds:
            problems.append(Problem(what, where, str(seen), wanted, next_step))

    weight, income = np.asarray(consumers.weight, dtype=float), np.asarray(consumers.income_eur, dtype=float)
    columns = len(preferences.random) + (preferences.price_sigma > 0)
    want(preferences.price_taste > 0, "the price taste must be positive", "price_taste", preferences.price_taste, "above zero")
    want(preferences.price_sigma >= 0, "a spread cannot be negative", "price_sigma", preferences.price_sigma, "0 or above")
    spreads = {
        "price_distribution": preferences.price_distribution,
        **{f"random taste for {t.characteristic}": t.distribution for t in preferences.random},
    }
    for where, distribution in spreads.items():
        want(distribution in _DISTRIBUTIONS, "unknown distribution", where, distribution, " or ".join(_DISTRIBUTIONS))
    for taste in preferences.random:
        want(bool(np.isfinite(taste.sigma)), "sigma is not a finite number", f"random taste for {taste.characteristic}", taste.sigma, "a number")
    sums = bool((weight >= 0).all()) and abs(weight.sum() - 1) < _WEIGHT_TOLERANCE
    want(
        sums,
        "weights of draws must be nonnegative and add up to one",
        "consumers",
        f"sum {weight.sum():.12g}",
        "1",
        "divide the weights by their sum",
    )
    want(bool((income > 0).all()), "incomes must be positive", "consumers", f"lowest {income.min():.6g}" if income.size else "none", "above zero")
    enough = consumers.nu.ndim == 2 and consumers.nu.shape[0] == weight.size and consumers.nu.shape[1] >= columns
    next_step = "draw one column for each random taste, and one for price"
    want(enough, "too few columns of taste draws", "consumers", consumers.nu.shape, f"({weight.size}, {columns}) or more columns", next_step)
    unknown = (set(preferences.kind_price) | set(preferences.kind_taste)) - set(consumers.kind_names)
    want(not unknown, "unknown kind of buyer", "kind_price, kind_taste", sorted(unknown), f"among {list(consumers.kind_names)}")
    if preferences.correlation is not None:
        matrix = np.asarray(preferences.correlation, dtype=float)
        if matrix.shape != (columns, columns):
            want(False, "correlation matrix has the wrong shape", "correlation", matrix.shape, str((columns, columns)))
        else:
            symmetric = bool(np.allclose(matrix, matrix.T) and np.allclose(np.diag(matrix), 1))
            want(symmetric, "not a correlation matrix", "correlation", matrix.tolist(), "symmetric with ones on the diagonal")
            definite = bool(np.linalg.eigvalsh((matrix + matrix.T) / 2).min() > 0)
            want(definite, "correlations contradict each other", "correlation", matrix.tolist(), "a positive definite matrix")
    if problems:
        raise DemandError(problems)


def _tastes_drawn(preferences: Preferences, consumers: ConsumerDraws) -> Matrix:
    """Correlated standard normals, one column for each random taste and then price. (I, N)"""
    columns = len(preferences.random) + (preferences.price_sigma > 0)
    nu = np.asarray(consumers.nu, dtype=float)[:, :columns]
    return nu if preferences.correlation is None else nu @ np.linalg.cholesky(preferences.correlation).T


def _columns(named: Sequence[str], characteristics: Mapping[str, Vector], n_products: int) -> dict[str, Vector]:
    problems: list[Problem] = []
    table: dict[str, Vector] = {}
    for name in dict.fromkeys(named):
        if name == CONSTANT and name not in characteristics:
            table[name] = np.ones(n_products)
        elif name not in characteristics:
            problems.append(Problem("products have no such characteristic", name, f"{sorted(characteristics)}", "a column of the product table"))
        else:
            column = np.asarray(characteristics[name], dtype=float)
            if column.shape != (n_products,) or not np.isfinite(column).all():
                problems.append(
                    Problem(
                        "a characteristic is missing for some products",
                        name,
                        f"shape {column.shape}, {int((~np.isfinite(column)).sum())} missing",
                        f"{n_products} finite numbers",
                    )
                )
            table[name] = column
    if problems:
        raise DemandError(problems)
    return table


def _plain(sigma: float | Mapping[str, float]) -> float | dict[str, float]:
    return dict(sigma) if isinstance(sigma, Mapping) else float(sigma)
