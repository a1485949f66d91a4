"""The iteration behind `keiretsu.demand.inversion`, for one market; `jax.vmap` makes it one for many.

The delta that reproduces shares S minimises a convex function, expected utility less ``S . delta``, whose gradient is
``s(delta) - S``. So the matrix ``ds/ddelta`` is symmetric, and Newton's system for ``ln s = ln S`` is solved by conjugate gradients
without ever forming a (J, J) array; Berry's contraction ``delta + (1 - sigma)(ln S - ln s)`` is both the preconditioner and the
step to fall back on when Newton's strays. The start expands the closed form in the spread of tastes, which is exact when all
draws are alike, and takes one contraction: on Nevo's cereals that leaves four Newton steps instead of the seven from the usual
logit start, and where tastes have heavy tails (Berry, Levinsohn and Pakes's cars) the contraction keeps the expansion from overshooting.

Exponentials of the (J, I) utilities are taken once, around a centre; afterwards ``exp(delta - centre)`` multiplies them, and an
evaluation is two matrix-vector products.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from keiretsu.demand.tastes import Nests
from keiretsu.typing import PerDraw, PerProduct, PerProductAndDraw, ProductMask, Scalar

_PATIENCE = 4  # Newton steps that may fail to improve on the best point; log-share Newton overshoots once before it converges
_LONGEST_STEP = 30.0  # utils
_ENDGAME = 1e-6  # below this residual the convex function is flat to rounding and the residual itself must fall
_LEAST_CAUTION = 1e-12
_CG_STEPS = 100
_CG_FORCING = 0.1


class Target(NamedTuple):
    """What has to be reproduced: logs of observed shares (zero where not on sale) and the market's utility without delta."""

    log_share: PerProduct
    available: ProductMask
    utility: PerProductAndDraw
    weight: PerDraw
    nests: Nests


class End(NamedTuple):
    """Where the iteration stopped: `gap` is ``ln S - ln s`` there, `reach` how far (in exponents) it lies from the centre."""

    delta: PerProduct
    gap: PerProduct
    reach: Scalar
    steps: Int[Array, ""]


class Around(NamedTuple):
    """Exponentials frozen at a centre."""

    centre: PerProduct
    scale: PerProduct
    peak: Float[Array, "K I"]
    on_sale: Bool[Array, "K I"]
    odds: PerProductAndDraw


def find_delta(target: Target, closed_form: PerProduct, centre: PerProduct, outside: bool, tolerance: float, max_steps: int) -> End:
    """The delta at which ``|ln S - ln s| <= tolerance``, or the best one found within `max_steps`.

    `closed_form` is the answer if every draw had zero utility apart from delta; exponentials are frozen at `centre`.
    """
    around = freeze(target, centre)
    damp = (1 - target.nests.sigma_sub)[target.nests.sub]
    observed = jnp.where(target.available, jnp.exp(target.log_share), 0.0)

    def gap_at(share: PerProduct) -> PerProduct:
        return jnp.where(target.available, target.log_share - jnp.log(jnp.where(target.available, share, 1.0)), 0.0)

    def look(delta: PerProduct, caution: Scalar) -> _View:
        share, differential, value = jax.linearize(lambda d: shares_around(target, around, d, outside), delta, has_aux=True)
        gap = gap_at(share)
        step = _newton_step(differential, share, gap, damp, target.available, outside, tolerance, caution)
        return _View(gap, value - observed @ delta, step)

    expanded = expanded_start(target, around, closed_form)
    pull = damp * gap_at(shares_around(target, around, expanded, outside)[0])
    start = jnp.where(jnp.all(jnp.isfinite(pull)), expanded + _shorten(pull), expanded)
    delta, gap, steps = _iterate(look, start, tolerance, max_steps)
    return End(delta, gap, jnp.max(jnp.where(target.available, jnp.abs(delta - centre) * around.scale, 0.0)), steps)


def freeze(target: Target, centre: PerProduct) -> Around:
    """Exponentials of utilities at ``delta = centre``, each subgroup's largest taken out."""
    nests, available = target.nests, target.available
    n_sub = nests.sigma_sub.shape[0]
    scale = 1 / (1 - nests.sigma_sub)[nests.sub]
    scaled = jnp.where(available[:, None], (centre[:, None] + target.utility) * scale[:, None], -jnp.inf)
    peak = jnp.max(scaled, axis=0, keepdims=True) if n_sub == 1 else jax.ops.segment_max(scaled, nests.sub, num_segments=n_sub)
    on_sale = jnp.isfinite(peak)
    peak = jnp.where(on_sale, peak, 0.0)
    return Around(centre, scale, peak, on_sale, jnp.exp(scaled - (peak if n_sub == 1 else peak[nests.sub])))


def expanded_start(target: Target, around: Around, closed_form: PerProduct) -> PerProduct:
    """The closed form for one draw, less each product's log mean of exponential tastes: exact when all draws are alike."""
    sub = target.nests.sub
    top = jnp.max(around.peak, axis=1)
    lifted = target.weight * jnp.exp(around.peak - top[:, None])
    mean = around.odds @ lifted[0] if top.shape[0] == 1 else jnp.sum(around.odds * lifted[sub], axis=1)
    seen = target.available & (mean > 0)
    log_mean = jnp.where(seen, top[sub] + jnp.log(jnp.where(seen, mean, 1.0)), 0.0) / around.scale - jnp.where(seen, around.centre, 0.0)
    return closed_form - log_mean


def shares_around(target: Target, around: Around, delta: PerProduct, outside: bool) -> tuple[PerProduct, Scalar]:
    """Market shares (J,) at `delta` from frozen exponentials, and the mean expected utility whose gradient they are."""
    nests = target.nests
    sub, n_sub = nests.sub, nests.sigma_sub.shape[0]
    factor = jnp.where(target.available, jnp.exp((delta - around.centre) * around.scale), 0.0)
    if n_sub == 1:
        total = (factor @ around.odds)[None, :]
    else:
        total = jax.ops.segment_sum(factor[:, None] * around.odds, sub, num_segments=n_sub)
    filled = jnp.where(around.on_sale, total, 1.0)
    value = (1 - nests.sigma_sub)[:, None] * (around.peak + jnp.log(filled))
    chosen, inclusive = _probability_of_sub(value, around.on_sale, nests, outside)
    reach = target.weight * chosen / filled
    share = factor * (around.odds @ reach[0] if n_sub == 1 else jnp.sum(around.odds * reach[sub], axis=1))
    return share, jax.lax.stop_gradient(inclusive @ target.weight)


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
    """What an evaluation shows: ``ln S - ln s``, the convex function that delta minimises, and the next step."""

    gap: PerProduct
    value: Scalar
    step: PerProduct


class _State(NamedTuple):
    delta: PerProduct
    best: PerProduct
    best_gap: PerProduct
    best_residual: Scalar
    best_value: Scalar
    failures: Int[Array, ""]
    caution: Scalar
    steps: Int[Array, ""]


def _iterate(
    look: Callable[[PerProduct, Scalar], _View], start: PerProduct, tolerance: float, max_steps: int
) -> tuple[PerProduct, PerProduct, Int[Array, ""]]:
    """Newton steps at zero caution; once these stop improving, steps that must lower the convex function.

    Caution above zero leans the step towards a short contraction, whose every component points downhill, so that some caution
    always succeeds; it falls after success and rises after failure. ``failures < 0`` marks a second look at the best point.
    """

    def body(state: _State) -> _State:
        view = look(state.delta, state.caution)
        residual = jnp.max(jnp.abs(view.gap))
        careful, again = state.caution > 0, state.failures < 0
        lower = jnp.isfinite(residual) & ((view.value < state.best_value) | ((state.best_residual < _ENDGAME) & (residual < state.best_residual)))
        better = jnp.where(careful, lower | again, residual < state.best_residual)
        failures = jnp.where(better, 0, state.failures + 1)
        usable = jnp.isfinite(residual) & jnp.all(jnp.isfinite(view.step))
        retreat = ~better & (careful | (failures >= _PATIENCE) | ~usable)
        best = jnp.where(better, state.delta, state.best)
        eased = jnp.where(careful & better & ~again, jnp.maximum(state.caution / 4, _LEAST_CAUTION), state.caution)
        raised = jnp.where(careful, state.caution * 4, 1.0)
        return _State(
            delta=jnp.where(retreat, best, state.delta + _shorten(view.step)),
            best=best,
            best_gap=jnp.where(better, view.gap, state.best_gap),
            best_residual=jnp.where(better, residual, state.best_residual),
            best_value=jnp.where(better, view.value, state.best_value),
            failures=jnp.where(retreat, -1, failures),
            caution=jnp.where(retreat, raised, eased),
            steps=state.steps + 1,
        )

    def go_on(state: _State) -> Bool[Array, ""]:
        return (state.best_residual > tolerance) & (state.steps < max_steps)

    far, none = jnp.asarray(jnp.inf, dtype=float), jnp.asarray(0, dtype=int)
    last = jax.lax.while_loop(go_on, body, _State(start, start, jnp.zeros_like(start), far, far, none, jnp.asarray(0.0, dtype=float), none))
    return last.best, last.best_gap, last.steps


def _newton_step(
    differential: Callable[[PerProduct], PerProduct],
    share: PerProduct,
    gap: PerProduct,
    damp: PerProduct,
    available: ProductMask,
    outside: bool,
    tolerance: float,
    caution: Scalar,
) -> PerProduct:
    """Newton's step for ``ln s = ln S`` by conjugate gradients: solves ``(ds/ddelta + caution s/(1 - sigma)) d = s (ln S - ln s)``, preconditioned by the contraction.

    Without an outside good the matrix has the constant vector in its kernel and the right side is made orthogonal to it.
    """
    wanted = jnp.where(available, share * gap, 0.0)
    if not outside:
        wanted = wanted - share * (wanted.sum() / share.sum())
    own = jnp.where(available, share / damp, 0.0)
    precondition = jnp.where(available, 1 / (jnp.where(available, own, 1.0) * (1 + caution)), 0.0)
    start = precondition * wanted
    size = wanted @ start
    # Newton converges fast only when the linear system is solved better as the residual falls, and not beyond what is asked for.
    residual = jnp.max(jnp.abs(gap))
    forcing = jnp.maximum(jnp.minimum(_CG_FORCING, residual), _CG_FORCING * tolerance / residual)
    goal = jnp.where(residual > tolerance, size * forcing**2, jnp.inf)

    def body(state: tuple[Array, Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array, Array]:
        found, left, direction, energy, count = state
        image = differential(direction) + caution * own * direction
        length = energy / (direction @ image)
        found = found + length * direction
        left = left - length * image
        next_energy = left @ (precondition * left)
        direction = precondition * left + (next_energy / energy) * direction
        return found, left, direction, next_energy, count + 1

    def go_on(state: tuple[Array, Array, Array, Array, Array]) -> Bool[Array, ""]:
        return (state[3] > goal) & (state[4] < _CG_STEPS)

    return jax.lax.while_loop(go_on, body, (jnp.zeros_like(wanted), wanted, start, size, jnp.asarray(0)))[0]


def _shorten(step: PerProduct) -> PerProduct:
    """The step, scaled down as a whole where its longest entry exceeds the trusted length."""
    return step * jnp.minimum(1.0, _LONGEST_STEP / jnp.maximum(jnp.max(jnp.abs(step)), _LONGEST_STEP))
