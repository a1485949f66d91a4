"""Prices and mean utilities that can be differentiated backwards at the cost of a few more evaluations.

A solved fixed point has derivatives by the implicit function theorem ([13]). The zeta map contracts, so its linear system is solved by a Krylov
method in about as many products with the linearised map as the solution took evaluations; the dense Jacobian (products x products,
one column at a time) is never formed.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from keiretsu.demand.choice import shares
from keiretsu.demand.inversion import delta_of
from keiretsu.demand.tastes import Tastes
from keiretsu.supply.first_order import PriceProblem, conditions
from keiretsu.supply.nested_zeta import NestedAnchor
from keiretsu.supply.pricing import PricingOptions, equilibrium
from keiretsu.supply.response import Rounds, rounds
from keiretsu.supply.zeta import anchor, slopes_around, to_single
from keiretsu.typing import BroadcastToDraws, PerProduct

_KRYLOV_TOLERANCE = 1e-11
_KRYLOV_STEPS = 60


def prices(problem: PriceProblem, start: PerProduct, options: PricingOptions) -> tuple[PerProduct, Float[Array, ""], Int[Array, ""], Bool[Array, ""]]:
    """Equilibrium prices, their largest residual (EUR), evaluations, and whether they are settled; differentiable in everything."""
    chosen = problem.chosen

    def gap(price: PerProduct) -> PerProduct:
        return jnp.where(chosen, conditions(problem, price).implied, start) - price

    def solve(_: Callable[[PerProduct], PerProduct], first: PerProduct) -> tuple[PerProduct, tuple[Array, Array, Array]]:
        found = equilibrium(problem, first, options)
        return found.price, (found.largest_residual, found.iterations.astype(float), found.settled.astype(float))  # custom_root wants floats

    price, (residual, iterations, settled) = jax.lax.custom_root(gap, start, solve, _krylov_near(problem, start), has_aux=True)
    return price, residual, iterations.astype(int), settled > 0


def known_prices(problem: PriceProblem, price: PerProduct) -> PerProduct:
    """Prices that are an equilibrium already, with the derivatives of `prices`; those nobody chooses follow `price` itself."""
    chosen = problem.chosen

    def gap(at: PerProduct) -> PerProduct:
        return jnp.where(chosen, conditions(problem, at).implied, price) - at

    return jax.lax.custom_root(gap, price, lambda _, first: first, _krylov_near(problem, price))


def utilities(share: PerProduct, tastes: Tastes, paid: BroadcastToDraws, tolerance: float, steps: int) -> tuple[PerProduct, Float[Array, ""]]:
    """Mean utilities that reproduce `share` (zero where not on sale) and the largest ``|ln S - ln s|``; differentiable in everything."""
    on = tastes.available
    target = jnp.log(jnp.where(on, share, 1.0))

    def gap(delta: PerProduct) -> PerProduct:
        here = Tastes(delta, tastes.mu, tastes.alpha, tastes.weight, on, tastes.nests, tastes.outside)
        return jnp.where(on, target - jnp.log(jnp.where(on, shares(here, paid), 1.0)), -delta)

    def solve(_: Callable[[PerProduct], PerProduct], first: PerProduct) -> tuple[PerProduct, Array]:
        end = delta_of(share, tastes, paid, tolerance, steps)
        return end.delta, jnp.max(jnp.abs(end.gap))

    return jax.lax.custom_root(gap, jnp.zeros_like(share), solve, _krylov, has_aux=True)


def _krylov(linear: Callable[[Array], Array], right: Array) -> Array:
    def solver(apply: Callable[[Array], Array], b: Array) -> Array:
        return jax.scipy.sparse.linalg.gmres(apply, b, tol=_KRYLOV_TOLERANCE, restart=_KRYLOV_STEPS, maxiter=3, solve_method="incremental")[0]

    return jax.lax.custom_linear_solve(linear, right, solver, transpose_solve=solver)


def _krylov_near(problem: PriceProblem, near: PerProduct) -> Callable[[Callable[[Array], Array], Array], Array]:
    """`_krylov` with makers' answers to each other at `near`, by the closed form, as its preconditioner: a third of the products."""

    def solve(linear: Callable[[Array], Array], right: Array) -> Array:
        given, price = jax.lax.stop_gradient((problem, near))
        base = anchor(given, price)
        if not isinstance(base, NestedAnchor):
            return _krylov(linear, right)
        forward = rounds(slopes_around(to_single(given), to_single(base), price.astype(jnp.float32)))
        backward = forward.transposed

        def solver(back: Rounds) -> Callable[[Callable[[Array], Array], Array], Array]:
            return lambda apply, b: jax.scipy.sparse.linalg.gmres(
                apply, b, tol=_KRYLOV_TOLERANCE, restart=_KRYLOV_STEPS, maxiter=3, M=lambda r: -back.step(r), solve_method="incremental"
            )[0]

        return jax.lax.custom_linear_solve(linear, right, solver(forward), transpose_solve=solver(backward))

    return solve
