"""Fixed points ``x = map(x)`` by Anderson's acceleration with a safeguard.

The map itself is a good step (near a solution it contracts), so it is always what the iteration falls back to. Anderson's
combination of the last few steps is tried first; when it makes the residual clearly larger, the iteration returns to the best
point seen, forgets the history and takes a shortened plain step. The number of such returns is part of the result.
"""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

GROWTH_ALLOWED = 2.0  # a residual may double on the way (Anderson is not monotone); beyond that the step is taken back
RIDGE = 1e-14  # relative to the mean squared column of the history: keeps the small normal equations solvable
SHORTEST_STEP = 1 / 64


class FixedPoint(eqx.Module):
    """Where an iteration ended.

    Attributes
    ----------
    value
        The last point at which the map was evaluated and the residual was smallest. (n,)
    residual
        ``map(value) - value``. (n,)
    iterations
        Evaluations of the map.
    returns
        How often a step was taken back.
    settled
        Whether every ``|residual|`` is within its tolerance.
    """

    value: Float[Array, " n"]
    residual: Float[Array, " n"]
    iterations: Int[Array, ""]
    returns: Int[Array, ""]
    settled: Bool[Array, ""]


class _State(eqx.Module):
    point: Array
    image: Array
    size: Array
    best_point: Array
    best_image: Array
    best_size: Array
    moves: Array  # (m, n) differences of points, zero where there is none yet
    turns: Array  # (m, n) differences of residuals
    slot: Array
    damping: Array
    count: Array
    returns: Array


def anderson(
    image_of: Callable[[Float[Array, " n"]], Float[Array, " n"]],
    start: Float[Array, " n"],
    tolerance: Float[Array, ""] | float,
    *,
    window: int,
    limit: int,
) -> FixedPoint:
    """Iterate ``x -> image_of(x)`` until ``max |image_of(x) - x| <= tolerance`` or `limit` evaluations.

    `window` is the number of earlier differences kept (0 is the plain iteration). Never raises: look at ``settled``.
    """
    image = image_of(start)
    size = _size(image - start)
    history = jnp.zeros((max(window, 1), start.shape[0]), start.dtype)
    one = jnp.ones((), start.dtype)
    state = _State(start, image, size, start, image, size, history, history, jnp.array(0), one, jnp.array(1), jnp.array(0))

    def unfinished(state: _State) -> Bool[Array, ""]:
        return (state.best_size > tolerance) & (state.count < limit)

    def advance(state: _State) -> _State:
        residual = state.image - state.point
        point = state.point + residual - _combination(state, residual, window)
        image = image_of(point)
        size = _size(image - point)
        worse = ~(size <= GROWTH_ALLOWED * state.best_size)
        return jax.lax.cond(worse, lambda: _taken_back(state, image_of), lambda: _kept(state, point, image, size, window))

    end = jax.lax.while_loop(unfinished, advance, state)
    return FixedPoint(end.best_point, end.best_image - end.best_point, end.count, end.returns, end.best_size <= tolerance)


def _size(residual: Float[Array, " n"]) -> Float[Array, ""]:
    largest = jnp.max(jnp.abs(residual), initial=0.0)
    return jnp.where(jnp.isfinite(largest), largest, jnp.inf)


def _combination(state: _State, residual: Float[Array, " n"], window: int) -> Float[Array, " n"]:
    """What Anderson subtracts from the plain step: the part of the residual that earlier steps already explain."""
    if window == 0:
        return jnp.zeros_like(residual)
    gram = state.turns @ state.turns.T
    squares = jnp.diag(gram)
    empty = squares == 0
    scale = jnp.where(empty, 1.0, jnp.sqrt(squares))
    gram = gram / jnp.outer(scale, scale) + jnp.diag(jnp.where(empty, 1.0, RIDGE))
    weight = jnp.linalg.solve(gram, (state.turns @ residual) / scale) / scale
    return (state.moves + state.turns).T @ weight


def _kept(state: _State, point: Array, image: Array, size: Array, window: int) -> _State:
    move = point - state.point
    turn = (image - point) - (state.image - state.point)
    better = size < state.best_size
    return _State(
        point,
        image,
        size,
        jnp.where(better, point, state.best_point),
        jnp.where(better, image, state.best_image),
        jnp.where(better, size, state.best_size),
        state.moves.at[state.slot].set(move),
        state.turns.at[state.slot].set(turn),
        (state.slot + 1) % max(window, 1),
        jnp.minimum(1.0, 2 * state.damping),
        state.count + 1,
        state.returns,
    )


def _taken_back(state: _State, image_of: Callable[[Array], Array]) -> _State:
    """A shortened plain step from the best point, with an empty history."""
    damping = jnp.maximum(state.damping / 2, SHORTEST_STEP)
    point = state.best_point + damping * (state.best_image - state.best_point)
    image = image_of(point)
    size = _size(image - point)
    better = size < state.best_size
    empty = jnp.zeros_like(state.moves)
    return _State(
        point,
        image,
        size,
        jnp.where(better, point, state.best_point),
        jnp.where(better, image, state.best_image),
        jnp.where(better, size, state.best_size),
        empty,
        empty,
        jnp.array(0),
        damping,
        state.count + 2,
        state.returns + 1,
    )
