"""The iteration behind `keiretsu.demand.inversion`, for one market; `jax.vmap` makes it one for many.

The delta that reproduces shares S minimises a convex function, expected utility less ``S . delta``, whose gradient is
``s(delta) - S``. So the matrix ``ds/ddelta`` is symmetric, and Newton's system for ``ln s = ln S`` is solved by conjugate gradients
without ever forming a (J, J) array. Berry's contraction ``delta + (1 - sigma)(ln S - ln s)`` is the step to fall back on when Newton's
strays; with one number added to all of it, which makes total sales right, it is the preconditioner.

The start expands the closed form in the spread of tastes, which is exact when all draws are alike, and adds the one number to every product that
makes total sales right: where tastes have heavy tails (Berry, Levinsohn and Pakes's cars) the expansion alone lies 20 utils from the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from keiretsu.demand.inversion_shares import Seen, Target, draws_around, expanded_start, freeze, shares_around
from keiretsu.typing import PerDraw, PerProduct, PerProductAndDraw, ProductMask, Scalar

LARGE = 4096  # products x draws from which on memory, not the number of small operations, is what takes time
_PATIENCE = 4  # Newton steps that may fail to improve on the best point; log-share Newton overshoots once before it converges
_LONGEST_STEP = 30.0  # utils
_ENDGAME = 1e-6  # below this residual the convex function is flat to rounding and the residual itself must fall
_LEAST_CAUTION = 1e-12
_CG_STEPS = 100
_CG_FORCING = 0.1
_LIFTS = 3
_ALL_BUY = 1e-10  # below this part of total sales their answer to a common rise of delta is rounding


class End(NamedTuple):
    """Where the iteration stopped: `gap` is ``ln S - ln s`` there, `reach` how far (in exponents) it lies from the centre."""

    delta: PerProduct
    gap: PerProduct
    reach: Scalar
    steps: Int[Array, ""]


def find_delta(
    target: Target, closed_form: PerProduct, centre: PerProduct, outside: bool, tolerance: float, max_steps: int, quick: bool = False
) -> End:
    """The delta at which ``|ln S - ln s| <= tolerance``, or the best one found within `max_steps`.

    `closed_form` is the answer if every draw had zero utility apart from delta; exponentials are frozen at `centre`. With `quick` the search ends
    where Newton steps stop improving, and in large markets conjugate gradients use exponentials in single precision: Newton takes as many steps.
    """
    around = freeze(target, centre, outside, quick)
    rough = _single(around.odds) if quick and around.odds.size > LARGE else around.odds
    damp = 1 / around.scale
    observed = jnp.where(target.available, jnp.exp(target.log_share), 0.0)

    def gap_at(share: PerProduct) -> PerProduct:
        return jnp.where(target.available, target.log_share - jnp.log(jnp.where(target.available, share, 1.0)), 0.0)

    def swift(delta: PerProduct, first: Bool[Array, ""]) -> tuple[PerProduct, PerProduct]:
        seen = shares_around(target, around, delta, outside, rough)
        gap = gap_at(seen.share)
        return gap, _newton_step(seen, gap, damp, target.available, outside, tolerance, None, first)

    def careful(delta: PerProduct, caution: Scalar) -> _View:
        seen = shares_around(target, around, delta, outside, around.odds)
        gap = gap_at(seen.share)
        step = _newton_step(seen, gap, damp, target.available, outside, tolerance, caution, None)
        return _View(gap, seen.worth() - observed @ delta, step)

    start = expanded_start(target, around, closed_form)
    if outside:
        start = start + _lift(draws_around(target, around, start, outside).refused, target.weight, observed.sum())
    best, steps = _swiftly(swift, start, tolerance, max_steps)
    if not quick:
        best, steps = _carefully(careful, best, steps, tolerance, max_steps)
    reach = jnp.max(jnp.where(target.available, jnp.abs(best.delta - centre) * around.scale, 0.0))
    return End(best.delta, best.gap, reach, steps)


def _single(odds: PerProductAndDraw) -> PerProductAndDraw:
    """The same in single precision; kept apart from what computes them, which XLA would otherwise do twice."""
    return jax.lax.optimization_barrier(odds).astype(jnp.float32)


def _lift(refused: PerDraw, weight: PerDraw, total: Scalar) -> Scalar:
    """How many utils every product has to gain for total sales to be `total`, as nearly as a start needs it: Newton's method in logs, kept in bounds by bisection."""
    odds = refused / (1 - refused)  # of buying nothing; may be infinite

    def body(_: int, state: tuple[Scalar, Scalar, Scalar]) -> tuple[Scalar, Scalar, Scalar]:
        lift, low, high = state
        buys = 1 / (1 + odds * jnp.exp(-lift))
        sold = weight @ buys
        low, high = jnp.where(sold < total, lift, low), jnp.where(sold < total, high, lift)
        newton = lift + jnp.log(total / sold) * sold / (weight @ (buys * (1 - buys)))
        return jnp.where((newton >= low) & (newton <= high), newton, (low + high) / 2), low, high

    zero, bound = jnp.zeros_like(total), jnp.full_like(total, _LONGEST_STEP)
    return jax.lax.fori_loop(0, _LIFTS, body, (zero, -bound, bound))[0]


class _View(NamedTuple):
    """What a careful evaluation shows: ``ln S - ln s``, the convex function that delta minimises, and the next step."""

    gap: PerProduct
    value: Scalar
    step: PerProduct


class _Best(NamedTuple):
    """The best point so far, ``ln S - ln s`` there, and the largest of it."""

    delta: PerProduct
    gap: PerProduct
    residual: Scalar

    def or_better(self, better: Bool[Array, ""], delta: PerProduct, gap: PerProduct, residual: Scalar) -> _Best:
        return _Best(jnp.where(better, delta, self.delta), jnp.where(better, gap, self.gap), jnp.where(better, residual, self.residual))


class _Swift(NamedTuple):
    delta: PerProduct
    best: _Best
    failures: Int[Array, ""]
    steps: Int[Array, ""]


class _Careful(NamedTuple):
    delta: PerProduct
    best: _Best
    value: Scalar
    again: Bool[Array, ""]
    caution: Scalar
    steps: Int[Array, ""]


def _swiftly(
    look: Callable[[PerProduct, Bool[Array, ""]], tuple[PerProduct, PerProduct]], start: PerProduct, tolerance: float, max_steps: int
) -> tuple[_Best, Int[Array, ""]]:
    """Newton steps, after a first one of the preconditioner, until the tolerance is met or they stop improving."""

    def body(state: _Swift) -> _Swift:
        gap, step = look(state.delta, state.steps == 0)
        residual = jnp.max(jnp.abs(gap))
        better = residual < state.best.residual
        failures = jnp.where(better, 0, jnp.where(jnp.isfinite(residual), state.failures + 1, _PATIENCE))
        return _Swift(state.delta + _shorten(step), state.best.or_better(better, state.delta, gap, residual), failures, state.steps + 1)

    def go_on(state: _Swift) -> Bool[Array, ""]:
        return (state.best.residual > tolerance) & (state.failures < _PATIENCE) & (state.steps < max_steps)

    nothing = _Best(start, jnp.zeros_like(start), jnp.asarray(jnp.inf, dtype=float))
    none = jnp.asarray(0, dtype=int)
    last = jax.lax.while_loop(go_on, body, _Swift(start, nothing, none, none))
    return last.best, last.steps


def _carefully(
    look: Callable[[PerProduct, Scalar], _View], best: _Best, steps: Int[Array, ""], tolerance: float, max_steps: int
) -> tuple[_Best, Int[Array, ""]]:
    """From where Newton steps stopped improving: steps that must lower the convex function.

    Caution above zero leans the step towards a short contraction, whose every component points downhill, so that some caution
    always succeeds; it falls after success and rises after failure. ``again`` marks a second look at the best point.
    """

    def body(state: _Careful) -> _Careful:
        view = look(state.delta, state.caution)
        residual = jnp.max(jnp.abs(view.gap))
        lower = (view.value < state.value) | ((state.best.residual < _ENDGAME) & (residual < state.best.residual))
        better = state.again | (jnp.isfinite(residual) & lower)
        best = state.best.or_better(better, state.delta, view.gap, residual)
        eased = jnp.where(state.again, state.caution, jnp.maximum(state.caution / 4, _LEAST_CAUTION))
        return _Careful(
            delta=jnp.where(better, state.delta + _shorten(view.step), best.delta),
            best=best,
            value=jnp.where(better, view.value, state.value),
            again=~better,
            caution=jnp.where(better, eased, state.caution * 4),
            steps=state.steps + 1,
        )

    def go_on(state: _Careful) -> Bool[Array, ""]:
        return (state.best.residual > tolerance) & (state.steps < max_steps)

    far, one = jnp.asarray(jnp.inf, dtype=float), jnp.asarray(1.0, dtype=float)
    last = jax.lax.while_loop(go_on, body, _Careful(best.delta, best, far, jnp.asarray(True), one, steps))
    return last.best, last.steps


def _newton_step(
    seen: Seen,
    gap: PerProduct,
    damp: PerProduct,
    available: ProductMask,
    outside: bool,
    tolerance: float,
    caution: Scalar | None,
    first: Bool[Array, ""] | None,
) -> PerProduct:
    """Newton's step for ``ln s = ln S`` by conjugate gradients: solves ``(ds/ddelta + caution s/(1 - sigma)) d = s (ln S - ln s)``.

    It is preconditioned by the contraction with one number added to all of it, so that a change common to all products comes out right: shares are
    slow to answer that one, most of all where many buy something. The `first` step is the preconditioner's own, which costs nothing. Without
    an outside good the matrix has the constant vector in its kernel and the right side is made orthogonal to it.
    """
    share = seen.share
    wanted = share * gap
    if not outside:
        wanted = wanted - share * (wanted.sum() / share.sum())
    own = share / damp
    extra = 0.0 if caution is None else caution
    alone = jnp.where(available, 1 / (jnp.where(available, own, 1.0) * (1 + extra)), 0.0)
    together = _together(seen.grown, own.sum(), extra) if outside else 0.0

    def precondition(left: PerProduct) -> PerProduct:
        return alone * left + jnp.where(available, together * left.sum(), 0.0) if outside else alone * left

    start = precondition(wanted)
    size = wanted @ start
    # Newton converges fast only when the linear system is solved better as the residual falls, and not beyond what is asked for.
    residual = jnp.max(jnp.abs(gap))
    forcing = jnp.maximum(jnp.minimum(_CG_FORCING, residual), _CG_FORCING * tolerance / residual)
    free = (residual <= tolerance) if first is None else (residual <= tolerance) | first
    goal = jnp.where(free, jnp.inf, size * forcing**2)

    def body(state: tuple[Array, Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array, Array]:
        found, left, direction, energy, count = state
        image = seen.answer(direction)
        image = image if caution is None else image + caution * own * direction
        length = energy / (direction @ image)
        found = found + length * direction
        left = left - length * image
        pulled = precondition(left)
        next_energy = left @ pulled
        direction = pulled + (next_energy / energy) * direction
        return found, left, direction, next_energy, count + 1

    def go_on(state: tuple[Array, Array, Array, Array, Array]) -> Bool[Array, ""]:
        return (state[3] > goal) & (state[4] < _CG_STEPS)

    found = jax.lax.while_loop(go_on, body, (jnp.zeros_like(wanted), wanted, start, size, jnp.asarray(0)))[0]
    return found if first is None else jnp.where(first, start, found)


def _together(grown: Scalar, whole: Scalar, caution: Scalar | float) -> Scalar:
    """What the contraction adds to every product for each unit by which total sales are off; nothing where all buy something anyway."""
    more = 1 / (grown + caution * whole) - 1 / (whole * (1 + caution))
    return jnp.where(grown > _ALL_BUY * whole, jnp.maximum(more, 0.0), 0.0)


def _shorten(step: PerProduct) -> PerProduct:
    """The step, scaled down as a whole where its longest entry exceeds the trusted length."""
    return step * jnp.minimum(1.0, _LONGEST_STEP / jnp.maximum(jnp.max(jnp.abs(step)), _LONGEST_STEP))
