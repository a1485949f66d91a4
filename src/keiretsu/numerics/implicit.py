"""Derivatives through a solved fixed point by the implicit function theorem.

The Jacobian of one market's conditions is small (products x products), so it is formed column by column from the linearised map, which
keeps memory at one evaluation, and solved directly: no second tolerance, no iteration that could fail.
"""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

REFUSED_ABOVE = 1e-8  # relative residual of the linear solve at which a derivative is an error rather than a number


def matrix_of(matvec: Callable[[Float[Array, " n"]], Float[Array, " n"]], size: int) -> Float[Array, "n n"]:
    """The matrix of a linear map, one column at a time."""
    return jax.lax.map(matvec, jnp.eye(size)).T


def solve_linear(matvec: Callable[[Float[Array, " n"]], Float[Array, " n"]], right: Float[Array, " n"]) -> Float[Array, " n"]:
    """Solve ``matvec(x) = right``; works forwards, backwards (transposed) and mapped over right sides.

    Raises
    ------
    RuntimeError
        From inside compiled code, when the system is singular to working precision: the solution has no derivative there.
    """

    def direct(apply: Callable[[Array], Array], b: Array) -> Array:
        matrix = matrix_of(apply, b.shape[0])
        x = jnp.linalg.solve(matrix, b)
        off = ~(jnp.linalg.norm(matrix @ x - b) <= REFUSED_ABOVE * jnp.linalg.norm(b))
        return eqx.error_if(x, off, "the equilibrium has no derivative here: its linearised conditions are singular")

    return jax.lax.custom_linear_solve(matvec, right, direct, transpose_solve=direct)
