"""Derivatives through a solved fixed point by the implicit function theorem.

The Jacobian of one market's conditions is small (products x products), so it is formed column by column from the linearised map, which
keeps memory at one evaluation, and solved directly: no second tolerance, no iteration that could fail.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.ad_checkpoint import checkpoint_name
from jaxtyping import Array, Float, PyTree

Linear: TypeAlias = Callable[[Array], Array]
Inverse: TypeAlias = Callable[[Linear, Array], Array]  # (A, b) -> x with A(x) = b

SEARCHED = "searched"  # the name under which what a search found is kept for the way back
REFUSED_ABOVE = 1e-8  # relative residual of the linear solve at which a derivative is an error rather than a number


def kept_backwards(found: PyTree) -> PyTree:
    """`found`, kept where `jax.checkpoint` with the policy `save_only_these_names(SEARCHED)` computes all else again: derivatives never search a second time."""
    return jax.tree.map(lambda leaf: checkpoint_name(leaf, SEARCHED), found)


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


def root(
    gap: Callable[[PyTree, Array], Array],
    solve: Callable[[PyTree, Array], tuple[Array, PyTree]],
    inverse: Callable[[PyTree, Array], tuple[Inverse, Inverse]],
    given: PyTree,
    start: Array,
) -> tuple[Array, PyTree]:
    """``x`` with ``gap(given, x) = 0`` as `solve(given, start)` finds it, with what `solve` says beside it, which has no derivative.

    `x` follows `given` by the implicit function theorem, forwards and backwards; ``inverse(given, x)`` says how a linear system with gap's derivative by `x`, and
    one with its transpose, are solved. Nothing of that is traced where nothing is differentiated. The three functions may not hold
    arrays that are differentiated: those go through `given`.
    """
    return _root(given, jax.lax.stop_gradient(start), gap=gap, solve=solve, inverse=inverse)


@eqx.filter_custom_jvp
def _root(
    given: PyTree, start: Array, *, gap: Callable[..., Array], solve: Callable[..., tuple[Array, PyTree]], inverse: Callable[..., object]
) -> tuple[Array, PyTree]:
    return solve(given, start)


@_root.def_jvp
def _tangent(
    primals: tuple[PyTree, Array],
    tangents: tuple[PyTree, PyTree],
    *,
    gap: Callable[..., Array],
    solve: Callable[..., tuple[Array, PyTree]],
    inverse: Callable[..., tuple[Inverse, Inverse]],
) -> tuple[tuple[Array, PyTree], tuple[Array, PyTree]]:
    (given, start), (given_dot, _) = primals, tangents
    found, beside = solve(given, start)
    _, pushed = eqx.filter_jvp(lambda g: gap(g, found), (given,), (given_dot,))
    _, push = jax.linearize(lambda x: gap(given, x), found)
    forwards, backwards = inverse(given, found)
    right = jnp.zeros_like(found) if pushed is None else -pushed
    return (found, beside), (jax.lax.custom_linear_solve(push, right, forwards, transpose_solve=backwards), jax.tree.map(lambda _: None, beside))


def gmres(tolerance: float, steps: int, preconditioner: Linear | None = None) -> Inverse:
    """Krylov's method to a relative residual of `tolerance` in at most three rounds of `steps` products."""

    def solver(apply: Linear, b: Array) -> Array:
        return jax.scipy.sparse.linalg.gmres(apply, b, tol=tolerance, restart=steps, maxiter=3, M=preconditioner, solve_method="incremental")[0]

    return solver
