"""Fixed points ``x = map(x)`` by Anderson's acceleration with a safeguard.

The map itself is a good step (near a solution it contracts), so it is always what the iteration falls back to. Anderson's
combination of the last few steps is tried first; when it makes the residual clearly larger, the iteration returns to the best
point seen, forgets the history and takes a shortened plain step. The number of such returns is part of the result.

A fixed point may be approached by a cheap version of the map (in single precision, say) and finished by the exact one: the history of
the first iteration is handed to the second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PyTree

Point: TypeAlias = Float[Array, " n"]
Map: TypeAlias = Callable[[Point], tuple[Point, PyTree]]  # the image of a point, and anything else worth keeping

GROWTH_ALLOWED = 2.0  # a residual may double on the way (Anderson is not monotone); beyond that the step is taken back
RIDGE = 1e-14  # relative to the squared columns of the history: keeps the small normal equations solvable
SHORTEST_STEP = 1 / 64


class History(eqx.Module):
    """Differences of earlier points and of their residuals, zero where there is none yet. Both (m, n)"""

    moves: Float[Array, "m n"]
    turns: Float[Array, "m n"]
    slot: Int[Array, ""]


class FixedPoint(eqx.Module):
    """Where an iteration ended.

    Attributes
    ----------
    value
        The point with the smallest residual. (n,)
    residual
        ``map(value) - value``. (n,)
    iterations
        Evaluations of the map.
    returns
        How often a step was taken back.
    settled
        Whether every ``|residual|`` is within the tolerance.
    kept
        What the map said beside the image, at `value`.
    history
        For an iteration that goes on from here.
    """

    value: Point
    residual: Point
    iterations: Int[Array, ""]
    returns: Int[Array, ""]
    settled: Bool[Array, ""]
    kept: PyTree
    history: History


class _State(eqx.Module):
    point: Point
    residual: Point
    size: Float[Array, ""]
    best: Point
    best_residual: Point
    best_size: Float[Array, ""]
    best_kept: PyTree
    history: History
    damping: Float[Array, ""]
    count: Int[Array, ""]
    returns: Int[Array, ""]


def no_history(unknowns: int, window: int) -> History:
    """An empty history of `window` (at least one) earlier steps."""
    empty = jnp.zeros((max(window, 1), unknowns))
    return History(empty, empty, jnp.array(0))


def anderson(image_of: Map, start: Point, tolerance: Float[Array, ""] | float, *, history: History, limit: int) -> FixedPoint:
    """Iterate ``x -> image_of(x)[0]`` until ``max |image_of(x)[0] - x| <= tolerance`` or `limit` evaluations.

    `history` is `no_history` or that of an earlier, rougher iteration. Never raises: look at ``settled``.
    """
    image, kept = image_of(start)
    residual = image - start
    size = _size(residual)
    first = _State(start, residual, size, start, residual, size, kept, history, jnp.array(1.0), jnp.array(1), jnp.array(0))

    def unfinished(state: _State) -> Bool[Array, ""]:
        return (state.best_size > tolerance) & (state.count < limit)

    end = jax.lax.while_loop(unfinished, lambda state: _advance(state, image_of), first)
    return FixedPoint(end.best, end.best_residual, end.count, end.returns, end.best_size <= tolerance, end.best_kept, end.history)


def _advance(state: _State, image_of: Map) -> _State:
    back = ~(state.size <= GROWTH_ALLOWED * state.best_size)
    damping = jnp.where(back, jnp.maximum(state.damping / 2, SHORTEST_STEP), jnp.minimum(2 * state.damping, 1.0))
    ahead = state.point + state.residual - _explained(state.history, state.residual)
    point = jnp.where(back, state.best + damping * jnp.nan_to_num(state.best_residual), ahead)
    before, before_residual = jnp.where(back, state.best, state.point), jnp.where(back, state.best_residual, state.residual)
    image, kept = image_of(point)
    residual = image - point
    size = _size(residual)
    better = size < state.best_size
    history = jax.tree.map(lambda old: jnp.where(back, jnp.zeros_like(old), old), state.history)
    return _State(
        point=point,
        residual=residual,
        size=size,
        best=jnp.where(better, point, state.best),
        best_residual=jnp.where(better, residual, state.best_residual),
        best_size=jnp.where(better, size, state.best_size),
        best_kept=jax.tree.map(lambda new, old: jnp.where(better, new, old), kept, state.best_kept),
        history=_remember(history, point - before, residual - before_residual),
        damping=damping,
        count=state.count + 1,
        returns=state.returns + back,
    )


def _size(residual: Point) -> Float[Array, ""]:
    """Largest residual; infinite when the map gave something that is not a number."""
    largest = jnp.max(jnp.abs(residual), initial=0.0)
    return jnp.where(jnp.isfinite(largest), largest, jnp.inf)


def _remember(history: History, move: Point, turn: Point) -> History:
    usable = jnp.isfinite(turn).all() & jnp.isfinite(move).all()
    move, turn = jnp.where(usable, move, 0.0), jnp.where(usable, turn, 0.0)
    slots = history.moves.shape[0]
    return History(history.moves.at[history.slot].set(move), history.turns.at[history.slot].set(turn), (history.slot + 1) % slots)


def _explained(history: History, residual: Point) -> Point:
    """What Anderson subtracts from the plain step: the part of the residual that earlier steps already explain."""
    squares = (history.turns**2).sum(axis=1)
    empty = squares == 0
    scale = jnp.where(empty, 1.0, jnp.sqrt(squares))
    turns = history.turns / scale[:, None]
    gram = turns @ turns.T + jnp.diag(jnp.where(empty, 1.0, RIDGE))
    weight = jnp.linalg.solve(gram, turns @ residual) / scale
    return weight @ (history.moves + history.turns)
