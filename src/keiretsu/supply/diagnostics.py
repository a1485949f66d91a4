"""How good an equilibrium is: residuals, second-order conditions, other starting points, and how costs pass into prices ([8])."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from keiretsu.numerics.implicit import matrix_of
from keiretsu.supply.first_order import PriceProblem, conditions
from keiretsu.supply.nearby import Nearby
from keiretsu.supply.packed import Packed
from keiretsu.supply.pricing import DEFAULT_OPTIONS, PricingOptions, check_problem, settle
from keiretsu.typing import PerProduct, ProductByProduct, Vector

SAME_EUR_SHARE = 1e-6  # two ends are the same equilibrium when no price differs by more than this share of the mean price
WIDEST_MARKUP = 2.0  # random starting prices lie between cost and cost plus this many mean prices


@dataclass(frozen=True)
class FirstOrder:
    """First-order conditions at some prices: distance to the price implied (EUR), and the objective's derivative (EUR a buyer per EUR). (J,)"""

    residual_eur: Vector
    derivative: Vector


@dataclass(frozen=True)
class SecondOrder:
    """Curvature of each setter's objective in its own prices.

    Attributes
    ----------
    firms
        Index of every firm that sets a price.
    curvature
        Largest eigenvalue of its Hessian, rows and columns scaled to a diagonal of one in size: negative at a strict local maximum,
        and free of units.
    concave
        Whether the diagonal and that eigenvalue are negative, firm by firm.
    """

    firms: tuple[int, ...]
    curvature: tuple[float, ...]
    concave: tuple[bool, ...]

    @property
    def holds(self) -> bool:
        """Whether every firm is at a strict local maximum."""
        return all(self.concave)


@dataclass(frozen=True)
class Starts:
    """Where several starting points ended.

    Attributes
    ----------
    tried, settled
        Starting points, and how many of them reached an equilibrium.
    ends
        Distinct equilibria found, one row of prices each, in the order found.
    end_of
        For every starting point its row in `ends`, -1 where it did not settle.
    spread_eur
        Largest difference between any product's prices in two of the equilibria.
    """

    tried: int
    settled: int
    ends: np.ndarray
    end_of: tuple[int, ...]
    spread_eur: float

    @property
    def distinct(self) -> int:
        """How many different equilibria were found."""
        return self.ends.shape[0]


def first_order(problem: PriceProblem, price: PerProduct) -> FirstOrder:
    """First-order conditions of every product at `price`; zero for prices that nobody chooses."""
    at = _conditions(problem, price)
    return FirstOrder(np.asarray(at.implied - price), np.asarray(at.derivative(price)))


def check_second_order(problem: PriceProblem, price: PerProduct) -> SecondOrder:
    """Whether each setter's objective is locally concave in the prices it sets, others' prices given."""
    hessian = np.asarray(_own_slopes(problem, price))
    chosen, setter = np.asarray(problem.chosen), np.asarray(problem.weights.setter)
    firms, curvature, concave = [], [], []
    for firm in np.unique(setter[chosen]):
        own = np.flatnonzero(chosen & (setter == firm))
        block = hessian[np.ix_(own, own)]
        diagonal = np.diagonal(block)
        scale = np.sqrt(np.where(diagonal == 0, 1.0, np.abs(diagonal)))
        largest = float(np.linalg.eigvalsh((block + block.T) / 2 / np.outer(scale, scale))[-1])
        firms.append(int(firm))
        curvature.append(largest)
        concave.append(bool(largest < 0 and (diagonal < 0).all()))
    return SecondOrder(tuple(firms), tuple(curvature), tuple(concave))


def pass_through(problem: PriceProblem, price: PerProduct) -> ProductByProduct:
    """``dp_j / dc_k`` at an equilibrium, by the implicit function theorem; zero for prices that nobody chooses. (J, J)

    Raises
    ------
    numpy.linalg.LinAlgError
        When the equilibrium is degenerate, so that prices have no derivative.
    """
    by_price, by_cost = _linearised(problem, price)
    chosen = np.asarray(problem.chosen)[:, None]
    left = np.eye(price.shape[0]) - np.where(chosen, by_price, 0.0)
    return jnp.asarray(np.linalg.solve(left, np.where(chosen, by_cost, 0.0)))


def search_starts(
    problem: PriceProblem,
    start: PerProduct,
    *,
    count: int,
    seed: int,
    options: PricingOptions = DEFAULT_OPTIONS,
    where: str = "the market",
    labels: Sequence[str] = (),
) -> Starts:
    """Solve from `start` (EUR; the prices themselves where held) and from ``count - 1`` random prices between cost and cost plus two mean prices.

    Raises
    ------
    PricingError
        When some price has no first-order condition.
    """
    check_problem(problem, where, labels)
    rng, chosen, cost = np.random.default_rng(seed), np.asarray(problem.chosen), np.asarray(problem.cost)
    scale = float(np.abs(np.asarray(start))[np.asarray(problem.tastes.available)].mean())
    near = Nearby(Packed(problem.tastes, problem.weights))
    ends: list[np.ndarray] = []
    end_of: list[int] = []
    for trial in range(count):
        random = cost + scale * WIDEST_MARKUP * rng.random(len(cost))
        price = _settled(problem, near, np.asarray(start if trial == 0 else np.where(chosen, random, start), float), options)
        if price is None:
            end_of.append(-1)
            continue
        same = [row for row, end in enumerate(ends) if np.abs(end - price).max() <= SAME_EUR_SHARE * scale]
        if not same:
            ends.append(price)
        end_of.append(same[0] if same else len(ends) - 1)
    table = np.array(ends).reshape(len(ends), len(cost))
    spread = float(np.ptp(table, axis=0).max()) if len(ends) > 1 else 0.0
    return Starts(count, sum(end >= 0 for end in end_of), table, tuple(end_of), spread)


def _settled(problem: PriceProblem, near: Nearby, start: np.ndarray, options: PricingOptions) -> np.ndarray | None:
    """Prices found from a start (EUR), None where none are: by Newton's steps in NumPy, else by the compiled program, which takes seconds to make. (J,)"""
    found = near.settle(near.packed.terms(problem.wedges, np.asarray(problem.cost)), start, np.asarray(problem.chosen), options)
    if found is not None:
        return near.packed.spread(found.look.price, start)
    pricing = settle(problem, jnp.asarray(start), options)
    return np.asarray(pricing.price) if bool(pricing.settled) else None


_conditions = eqx.filter_jit(conditions)


@eqx.filter_jit
def _own_slopes(problem: PriceProblem, price: PerProduct) -> ProductByProduct:
    """Derivative of each product's first-order condition by every price."""
    _, push = jax.linearize(lambda p: conditions(problem, p).derivative(p), price)
    return matrix_of(push, price.shape[0])


@eqx.filter_jit
def _linearised(problem: PriceProblem, price: PerProduct) -> tuple[ProductByProduct, ProductByProduct]:
    """Derivatives of the prices that the zeta map answers, by prices and by costs."""

    def implied(price: PerProduct, cost: PerProduct) -> PerProduct:
        return conditions(eqx.tree_at(lambda p: p.cost, problem, cost), price).implied

    count = price.shape[0]
    _, push = jax.linearize(implied, price, problem.cost)
    zero = jnp.zeros(count)
    return matrix_of(lambda v: push(v, zero), count), matrix_of(lambda v: push(zero, v), count)
