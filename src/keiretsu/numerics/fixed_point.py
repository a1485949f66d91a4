"""Fixed points ``x = map(x)`` by Anderson's acceleration with a safeguard.

The map's own step is a good one (near a solution it contracts), so it is always what the iteration falls back to; a caller that knows how the
map answers may hand in a better one made of the residual (a Newton step, say), which then takes its place. Anderson's
combination of the last few steps is tried first; where it makes the residual larger, the iteration returns, forgets the
history and takes the map's own steps, twice as many after each such return; they are accepted even if the residual grows on the way, and
shortened only where the map cannot be evaluated. The number of returns is part of the result.

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
StepOf: TypeAlias = Callable[[Point], Point]  # the step that a residual asks for, linear in it

LONGEST_PENALTY = 64
RIDGE = 1e-13  # relative to the squared columns of the history: keeps the small normal equations positive definite after rounding


class History(eqx.Module):
    """Differences of earlier points and of the steps their residuals ask for, zero where there is none yet. Both (m, n)"""

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
    plain: Bool[Array, ""]  # whether it is the map's own step from `before`
    before: Point  # the last point accepted, the step its residual asks for and the size of the residual
    before_step: Point
    before_size: Float[Array, ""]
    best: Point
    best_residual: Point
    best_size: Float[Array, ""]
    best_kept: PyTree
    history: History
    damping: Float[Array, ""]
    patience: Int[Array, ""]  # the map's own steps still to take before Anderson is tried again
    penalty: Int[Array, ""]
    count: Int[Array, ""]
    returns: Int[Array, ""]


def no_history(unknowns: int, window: int) -> History:
    """An empty history of `window` (at least one) earlier steps."""
    empty = jnp.zeros((max(window, 1), unknowns))
    return History(empty, empty, jnp.array(0, int))


def anderson(
    image_of: Map, start: Point, tolerance: Float[Array, ""] | float, *, history: History, limit: int | Int[Array, ""], step_of: StepOf | None = None
) -> FixedPoint:
    """Iterate ``x -> image_of(x)[0]`` until ``max |image_of(x)[0] - x| <= tolerance`` or `limit` evaluations.

    `history` is `no_history` or that of an earlier, rougher iteration with the same `step_of`: the step that a residual asks for, the residual itself
    where not given. Never raises: look at ``settled``.
    """
    step_of = step_of or (lambda residual: residual)
    zero, empty = jnp.zeros_like(start), jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), eqx.filter_eval_shape(image_of, start)[1])
    infinite, whole = jnp.array(jnp.inf, float), jnp.array(1.0, float)
    none = jnp.array(0, int)
    first = _State(
        start,
        jnp.array(True),
        start,
        zero,
        infinite,
        start,
        zero,
        infinite,
        empty,
        history,
        whole,
        none,
        jnp.array(1, int),
        none,
        none,
    )

    def unfinished(state: _State) -> Bool[Array, ""]:
        hopeless = ~jnp.isfinite(state.best_size)  # not even the start can be evaluated
        return (state.count == 0) | ((state.best_size > tolerance) & (state.count < limit) & ~hopeless)

    end = jax.lax.while_loop(unfinished, lambda state: _advance(state, image_of, step_of), first)
    return FixedPoint(end.best, end.best_residual, end.count, end.returns, end.best_size <= tolerance, end.best_kept, end.history)


def _advance(state: _State, image_of: Map, step_of: StepOf) -> _State:
    """Evaluate the point at hand, accept or refuse it, then choose the next one."""
    image, kept = image_of(state.point)
    residual = image - state.point
    size = _size(residual)
    finite = jnp.isfinite(size)
    accepted = finite & (state.plain | (size <= state.before_size))
    better = size < state.best_size
    step = step_of(residual)
    history = _remember(state.history, state.point - state.before, step - state.before_step, accepted & (state.count > 0))
    history = jax.tree.map(lambda old: jnp.where(accepted, old, jnp.zeros_like(old)), history)
    before, before_step, before_size = _either(accepted, (state.point, step, size), (state.before, state.before_step, state.before_size))
    damping = jnp.where(finite, jnp.minimum(2 * state.damping, 1.0), state.damping / 2)
    patience = jnp.where(accepted, jnp.maximum(state.patience - 1, 0), state.penalty)
    own_step = patience > 0
    forward = before_step - jnp.where(own_step, 0.0, _explained(history, before_step))
    best, best_residual, best_size, best_kept = _either(
        better, (state.point, residual, size, kept), (state.best, state.best_residual, state.best_size, state.best_kept)
    )
    return _State(
        point=before + damping * forward,
        plain=own_step,
        before=before,
        before_step=before_step,
        before_size=before_size,
        best=best,
        best_residual=best_residual,
        best_size=best_size,
        best_kept=best_kept,
        history=history,
        damping=damping,
        patience=patience,
        penalty=jnp.where(accepted, state.penalty, jnp.minimum(2 * state.penalty, LONGEST_PENALTY)),
        count=state.count + 1,
        returns=state.returns + ~accepted,
    )


def _either(condition: Bool[Array, ""], yes: PyTree, no: PyTree) -> PyTree:
    return jax.tree.map(lambda y, n: jnp.where(condition, y, n), yes, no)


def _size(residual: Point) -> Float[Array, ""]:
    """Largest residual; infinite when the map gave something that is not a number."""
    largest = jnp.max(jnp.abs(residual), initial=0.0)
    return jnp.where(jnp.isfinite(largest), largest, jnp.inf)


def _remember(history: History, move: Point, turn: Point, usable: Bool[Array, ""]) -> History:
    slots = history.moves.shape[0]
    moves = history.moves.at[history.slot].set(jnp.where(usable, move, 0.0))
    turns = history.turns.at[history.slot].set(jnp.where(usable, turn, 0.0))
    return History(moves, turns, jnp.where(usable, (history.slot + 1) % slots, history.slot))


def _explained(history: History, step: Point) -> Point:
    """What Anderson subtracts from the plain step: the part of it that earlier steps already explain."""
    squares = (history.turns**2).sum(axis=1)
    empty = squares == 0
    scale = jnp.where(empty, 1.0, jnp.sqrt(squares))
    turns = history.turns / scale[:, None]
    gram = turns @ turns.T + jnp.diag(jnp.where(empty, 1.0, RIDGE))
    # Cholesky's factors: XLA turns the pivots of a general solution into a loop that takes longer than all else here
    weight = jax.scipy.linalg.cho_solve((jnp.linalg.cholesky(gram), True), turns @ step) / scale
    return weight @ (history.moves + history.turns)
