"""The iteration behind `keiretsu.demand.inversion`, for one market; `jax.vmap` makes it one for many.

The delta that reproduces shares S minimises a convex function, expected utility less ``S . delta``, whose gradient is
``s(delta) - S``. So the matrix ``ds/ddelta`` is symmetric, and Newton's system for ``ln s = ln S`` is solved by conjugate gradients
without ever forming a (J, J) array. Berry's contraction ``delta + (1 - sigma)(ln S - ln s)`` is the step to fall back on when Newton's
strays; with one number added to all of it, which makes total sales right, it is the preconditioner.

The start expands the closed form in the spread of tastes, which is exact when all draws are alike, and adds the one number to every product that
makes total sales right: where tastes have heavy tails (Berry, Levinsohn and Pakes's cars) the expansion alone lies 20 utils from the answer.

Exponentials of the (J, I) utilities are taken once, around a centre; afterwards ``exp(delta - centre)`` multiplies them, and an
evaluation, or a product with ``ds/ddelta``, is two matrix-vector products.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from keiretsu.demand.tastes import Nests
from keiretsu.typing import PerDraw, PerProduct, PerProductAndDraw, ProductMask, Scalar

LARGE = 4096  # products x draws from which on memory, not the number of small operations, is what takes time
_PATIENCE = 4  # Newton steps that may fail to improve on the best point; log-share Newton overshoots once before it converges
_LONGEST_STEP = 30.0  # utils
_ENDGAME = 1e-6  # below this residual the convex function is flat to rounding and the residual itself must fall
_LEAST_CAUTION = 1e-12
_CG_STEPS = 100
_CG_FORCING = 0.3
_LIFTS = 3
_EARLY = 2  # first steps, from so far away that the preconditioner's own serve as well as Newton's
_ALL_BUY = 1e-10  # below this part of total sales their answer to a common rise of delta is rounding


class Target(NamedTuple):
    """What has to be reproduced: logs of observed shares (zero where not on sale) and the market's utility without delta."""

    log_share: PerProduct
    available: ProductMask
    utility: PerProductAndDraw
    weight: PerDraw
    nests: Nests | None


class End(NamedTuple):
    """Where the iteration stopped: `gap` is ``ln S - ln s`` there, `reach` how far (in exponents) it lies from the centre."""

    delta: PerProduct
    gap: PerProduct
    reach: Scalar
    steps: Int[Array, ""]


class Around(NamedTuple):
    """Exponentials frozen at a centre, each draw's largest of each subgroup (without nests: of all, nothing included) taken out."""

    centre: PerProduct
    scale: PerProduct
    peak: Float[Array, "K I"]
    on_sale: Bool[Array, "K I"]
    odds: PerProductAndDraw


class Draws(NamedTuple):
    """What each draw does at some delta.

    Attributes
    ----------
    factor
        What its frozen exponentials are multiplied by. (J,)
    chosen
        Weight times probability of each subgroup over the sum of its exponentials. (K, I)
    refused
        Probability of buying nothing. (I,)
    change
        By how much `chosen` changes with the sums. (K, I) to (K, I)
    worth
        Expected utility, worked out when called. (I,)
    """

    factor: PerProduct
    chosen: Float[Array, "K I"]
    refused: PerDraw
    change: Callable[[Array], Array]
    worth: Callable[[], PerDraw]


class Seen(NamedTuple):
    """Shares at some delta and how they answer to it.

    Attributes
    ----------
    share
        Market shares. (J,)
    grown
        By how much total sales grow when every delta rises together, per util.
    answer
        The product of ``ds/ddelta`` with a change of delta. (J,) to (J,)
    worth
        Mean expected utility, whose gradient they are; worked out when called.
    """

    share: PerProduct
    grown: Scalar
    answer: Callable[[PerProduct], PerProduct]
    worth: Callable[[], Scalar]


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

    def swift(delta: PerProduct, early: Bool[Array, ""]) -> tuple[PerProduct, PerProduct]:
        seen = shares_around(target, around, delta, outside, rough)
        gap = gap_at(seen.share)
        return gap, _newton_step(seen, gap, damp, target.available, outside, tolerance, None, early)

    def careful(delta: PerProduct, caution: Scalar) -> _View:
        seen = shares_around(target, around, delta, outside, around.odds)
        gap = gap_at(seen.share)
        step = _newton_step(seen, gap, damp, target.available, outside, tolerance, caution, None)
        return _View(gap, seen.worth() - observed @ delta, step)

    start = expanded_start(target, around, closed_form)
    if outside:
        start = start + _lift(draws_around(target, around, start, outside).refused, target.weight, observed.sum())
    best, steps = _swiftly(swift, start, _EARLY if outside else 1, tolerance, max_steps)
    if not quick:
        best, steps = _carefully(careful, best, steps, tolerance, max_steps)
    reach = jnp.max(jnp.where(target.available, jnp.abs(best.delta - centre) * around.scale, 0.0))
    return End(best.delta, best.gap, reach, steps)


def _single(odds: PerProductAndDraw) -> PerProductAndDraw:
    """The same in single precision; kept apart from what computes them, which XLA would otherwise do twice."""
    return jax.lax.optimization_barrier(odds).astype(jnp.float32)


def freeze(target: Target, centre: PerProduct, outside: bool, quick: bool) -> Around:
    """Exponentials of utilities at ``delta = centre``.

    A `quick` search whose draws may buy nothing takes nothing out: an exponential that overflows makes shares that are not numbers, and ends it.
    """
    nests, available = target.nests, target.available
    scale = jnp.ones_like(centre) if nests is None else 1 / (1 - nests.sigma_sub)[nests.sub]
    scaled = jnp.where(available[:, None], (centre[:, None] + target.utility) * scale[:, None], -jnp.inf)
    if quick and outside and nests is None:
        peak = jnp.zeros_like(scaled, shape=(1, scaled.shape[1]))
    elif nests is None or nests.sigma_sub.shape[0] == 1:
        peak = jnp.max(scaled, axis=0, keepdims=True)
    else:
        peak = jax.ops.segment_max(scaled, nests.sub, num_segments=nests.sigma_sub.shape[0])
    if nests is None and outside:
        peak = jnp.maximum(peak, 0.0)
    on_sale = jnp.isfinite(peak)
    peak = jnp.where(on_sale, peak, 0.0)
    return Around(centre, scale, peak, on_sale, jnp.exp(scaled - _of_products(nests, peak)))


def expanded_start(target: Target, around: Around, closed_form: PerProduct) -> PerProduct:
    """The closed form for one draw, less each product's log mean of exponential tastes: exact when all draws are alike."""
    top = jnp.max(around.peak, axis=1, keepdims=True)
    mean = _over_draws(target.nests, around.odds, target.weight * jnp.exp(around.peak - top))
    seen = target.available & (mean > 0)
    log_mean = (_of_products(target.nests, top)[:, 0] + jnp.log(jnp.where(seen, mean, 1.0))) / around.scale
    return closed_form - jnp.where(seen, log_mean - around.centre, 0.0)


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


def draws_around(target: Target, around: Around, delta: PerProduct, outside: bool) -> Draws:
    """What each draw does at `delta`, from frozen exponentials."""
    nests = target.nests
    factor = jnp.where(target.available, jnp.exp((delta - around.centre) * around.scale), 0.0)
    total = jnp.where(around.on_sale, _over_products(nests, around.odds, factor), 1.0)
    if nests is None:
        nothing = jnp.exp(-around.peak) if outside else jnp.zeros_like(total)
        every = total + nothing
        likely = 1 / every
        chosen = target.weight * likely
        return Draws(factor, chosen, (nothing * likely)[0], lambda more: -more * (chosen * likely), lambda: (around.peak + jnp.log(every))[0])

    def chosen_at(sums: Float[Array, "K I"]) -> tuple[Float[Array, "K I"], PerDraw]:
        value = (1 - nests.sigma_sub)[:, None] * (around.peak + jnp.log(sums))
        chosen, inclusive = _probability_of_sub(value, around.on_sale, nests, outside)
        return target.weight * chosen / sums, inclusive

    chosen, change, inclusive = jax.linearize(chosen_at, total, has_aux=True)
    return Draws(factor, chosen, jnp.exp(-inclusive) if outside else jnp.zeros_like(inclusive), change, lambda: inclusive)


def shares_around(target: Target, around: Around, delta: PerProduct, outside: bool, rough: PerProductAndDraw) -> Seen:
    """Market shares at `delta` from frozen exponentials; their answers from `rough` ones, which may be in single precision."""
    nests, draws = target.nests, draws_around(target, around, delta, outside)
    share = draws.factor * _over_draws(nests, around.odds, draws.chosen)

    def answer(change: PerProduct) -> PerProduct:
        steep = change * around.scale
        moved = draws.change(_over_products(nests, rough, (draws.factor * steep).astype(rough.dtype)).astype(share.dtype))
        return share * steep + draws.factor * _over_draws(nests, rough, moved.astype(rough.dtype))

    return Seen(share, (draws.refused * (1 - draws.refused)) @ target.weight, answer, lambda: draws.worth() @ target.weight)


def _over_products(nests: Nests | None, odds: PerProductAndDraw, of: PerProduct) -> Float[Array, "K I"]:
    """Sums over each subgroup's products."""
    if nests is None or nests.sigma_sub.shape[0] == 1:
        return (of @ odds)[None, :]
    return jax.ops.segment_sum(of[:, None] * odds, nests.sub, num_segments=nests.sigma_sub.shape[0])


def _over_draws(nests: Nests | None, odds: PerProductAndDraw, of: Float[Array, "K I"]) -> PerProduct:
    """Sums over draws, each product with what its subgroup has."""
    return odds @ of[0] if of.shape[0] == 1 else jnp.sum(odds * _of_products(nests, of), axis=1)


def _of_products(nests: Nests | None, of: Float[Array, "K I"]) -> Float[Array, "#J I"]:
    """What each product's subgroup has."""
    return of if nests is None or of.shape[0] == 1 else of[nests.sub]


def _probability_of_sub(value: Float[Array, "K I"], on_sale: Bool[Array, "K I"], nests: Nests, outside: bool) -> tuple[Float[Array, "K I"], PerDraw]:
    """Probability that a draw's choice falls in each subgroup, and its expected utility, from the subgroups' expected utilities."""
    if nests.sigma_sub.shape[0] == 1:
        chosen = jax.nn.sigmoid(value) if outside else jnp.ones_like(value)
        inclusive = jax.nn.softplus(value[0]) if outside else value[0]
        return jnp.where(on_sale, chosen, 0.0), jnp.where(on_sale[0], inclusive, 0.0)
    parent, n_group = nests.group_of_sub, nests.sigma_group.shape[0]
    similar = (1 - nests.sigma_group)[:, None]
    top = jax.ops.segment_max(jnp.where(on_sale, value, -jnp.inf), parent, num_segments=n_group)
    sold = jnp.isfinite(top)
    top = jax.lax.stop_gradient(jnp.where(sold, top, 0.0))
    in_nest = jnp.where(on_sale, jnp.exp(jnp.where(on_sale, value - top[parent], 0.0) / similar[parent]), 0.0)
    total = jnp.where(sold, jax.ops.segment_sum(in_nest, parent, num_segments=n_group), 1.0)
    worth = jnp.where(sold, top + similar * jnp.log(total), -jnp.inf)
    best = jax.lax.stop_gradient(jnp.max(worth, axis=0))
    best = jnp.maximum(best, 0.0) if outside else best
    odds = jnp.where(sold, jnp.exp(jnp.where(sold, worth - best, 0.0)), 0.0)
    every = odds.sum(axis=0) + (jnp.exp(-best) if outside else 0.0)
    return in_nest * (odds / every / total)[parent], best + jnp.log(every)


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
    look: Callable[[PerProduct, Bool[Array, ""]], tuple[PerProduct, PerProduct]], start: PerProduct, early: int, tolerance: float, max_steps: int
) -> tuple[_Best, Int[Array, ""]]:
    """Newton steps, after `early` ones of the preconditioner, until the tolerance is met or they stop improving."""

    def body(state: _Swift) -> _Swift:
        gap, step = look(state.delta, state.steps < early)
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
    early: Bool[Array, ""] | None,
) -> PerProduct:
    """Newton's step for ``ln s = ln S`` by conjugate gradients: solves ``(ds/ddelta + caution s/(1 - sigma)) d = s (ln S - ln s)``.

    It is preconditioned by the contraction with one number added to all of it, so that a change common to all products comes out right: shares are
    slow to answer that one, most of all where many buy something. The `early` steps are the preconditioner's own, which cost nothing. Without
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
    free = (residual <= tolerance) if early is None else (residual <= tolerance) | early
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
    return found if early is None else jnp.where(early, start, found)


def _together(grown: Scalar, whole: Scalar, caution: Scalar | float) -> Scalar:
    """What the contraction adds to every product for each unit by which total sales are off; nothing where all buy something anyway."""
    more = 1 / (grown + caution * whole) - 1 / (whole * (1 + caution))
    return jnp.where(grown > _ALL_BUY * whole, jnp.maximum(more, 0.0), 0.0)


def _shorten(step: PerProduct) -> PerProduct:
    """The step, scaled down as a whole where its longest entry exceeds the trusted length."""
    return step * jnp.minimum(1.0, _LONGEST_STEP / jnp.maximum(jnp.max(jnp.abs(step)), _LONGEST_STEP))
