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
    point: Point  # to be evaluated next
    before: Point  # evaluated point it was reached from, and the residual there
    before_residual: Point
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
    zero, empty = jnp.zeros_like(start), jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), eqx.filter_eval_shape(image_of, start)[1])
    first = _State(start, start, zero, start, zero, jnp.array(jnp.inf), empty, history, jnp.array(1.0), jnp.array(0), jnp.array(0))

    def unfinished(state: _State) -> Bool[Array, ""]:
        hopeless = ~jnp.isfinite(state.best_size)  # not even the start can be evaluated
        return (state.count == 0) | ((state.best_size > tolerance) & (state.count < limit) & ~hopeless)

    end = jax.lax.while_loop(unfinished, lambda state: _advance(state, image_of), first)
    return FixedPoint(end.best, end.best_residual, end.count, end.returns, end.best_size <= tolerance, end.best_kept, end.history)


def _advance(state: _State, image_of: Map) -> _State:
    """Evaluate the point at hand, then choose the next one."""
    image, kept = image_of(state.point)
    residual = image - state.point
    size = _size(residual)
    back = ~(size <= GROWTH_ALLOWED * state.best_size) | ~jnp.isfinite(size)
    better = size < state.best_size

    def better_of(new: PyTree, old: PyTree) -> PyTree:
        return jax.tree.map(lambda n, o: jnp.where(better, n, o), new, old)

    best, best_residual, best_kept = better_of(state.point, state.best), better_of(residual, state.best_residual), better_of(kept, state.best_kept)
    seen = _remember(state.history, state.point - state.before, residual - state.before_residual, (state.count > 0) & ~back)
    history = jax.tree.map(lambda old: jnp.where(back, jnp.zeros_like(old), old), seen)
    damping = jnp.where(back, jnp.maximum(state.damping / 2, SHORTEST_STEP), jnp.minimum(2 * state.damping, 1.0))
    ahead = state.point + residual - _explained(history, residual)
    return _State(
        point=jnp.where(back, best + damping * best_residual, ahead),
        before=jnp.where(back, best, state.point),
        before_residual=jnp.where(back, best_residual, residual),
        best=best,
        best_residual=best_residual,
        best_size=jnp.where(better, size, state.best_size),
        best_kept=best_kept,
        history=history,
        damping=damping,
        count=state.count + 1,
        returns=state.returns + back,
    )


def _size(residual: Point) -> Float[Array, ""]:
    """Largest residual; infinite when the map gave something that is not a number."""
    largest = jnp.max(jnp.abs(residual), initial=0.0)
    return jnp.where(jnp.isfinite(largest), largest, jnp.inf)


def _remember(history: History, move: Point, turn: Point, usable: Bool[Array, ""]) -> History:
    slots = history.moves.shape[0]
    moves = history.moves.at[history.slot].set(jnp.where(usable, move, 0.0))
    turns = history.turns.at[history.slot].set(jnp.where(usable, turn, 0.0))
    return History(moves, turns, jnp.where(usable, (history.slot + 1) % slots, history.slot))


def _explained(history: History, residual: Point) -> Point:
    """What Anderson subtracts from the plain step: the part of the residual that earlier steps already explain."""
    squares = (history.turns**2).sum(axis=1)
    empty = squares == 0
    scale = jnp.where(empty, 1.0, jnp.sqrt(squares))
    turns = history.turns / scale[:, None]
    gram = turns @ turns.T + jnp.diag(jnp.where(empty, 1.0, RIDGE))
    weight = jnp.linalg.solve(gram, turns @ residual) / scale
    return weight @ (history.moves + history.turns)
