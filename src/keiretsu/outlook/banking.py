"""Fleet rules that are met on the average of several years: one shadow price for all of them ([10], [11]).

Too much in one year may be made up for in another, before or after, so the balances of a window of years are cleared as one: price zero and the sum at or
below zero, or price at the fine and the sum at or above zero, or sum zero in between. The years are run again and again with the window's prices given, by
projected Newton steps whose slopes each run corrects. Derivatives follow the implicit function theorem through all years.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from keiretsu.outlook.arrays import FleetYears, Year
from keiretsu.outlook.fleet import projected_step

TOLERANCE_EUR = 1e-3  # a car
LIMIT = 25  # times that all years are run
MOST_SCALED = 3.0  # slopes are not further off than this
KRYLOV_TOLERANCE, KRYLOV_STEPS = 1e-11, 60


class _At(eqx.Module):
    rate: Array
    balance: Array
    slope: Array
    step: Array
    count: Array


def averaged_over_years(years: Callable[[FleetYears], Year], rules: FleetYears) -> Year:
    """The years at shadow prices that clear every window's sum; `years` runs them under rules whose `given` is set.

    Years of a window that did not clear are marked as not settled.
    """
    place = jnp.arange(rules.cap.shape[1])
    inside = jax.nn.one_hot(rules.window, rules.windows, axis=0)  # (W, T, K), nothing for -1
    cap = (inside * rules.cap).max(axis=1)
    burden = jnp.abs(rules.burden).reshape(rules.burden.shape[0], -1)
    pool = jax.vmap(lambda pool, maker: pool[maker].reshape(-1))(rules.pool, rules.maker)
    size = jax.vmap(lambda b, p: jax.ops.segment_max(b, p, cap.shape[1]))(burden, pool)
    size = jnp.maximum((inside * jnp.maximum(size, 0.0)).max(axis=1), 0.0)

    def run(rate: Float[Array, "W K"]) -> Year:
        given = jnp.where(rules.window >= 0, rate[jnp.maximum(rules.window, 0), place], 0.0)
        return years(dataclasses.replace(rules, given=given))

    def sums(found: Year) -> Float[Array, "W K"]:
        assert found.rules is not None
        by_pool = jax.vmap(lambda own, pool: jax.ops.segment_sum(own, pool, cap.shape[1]))(found.rules.balance, rules.pool)
        return (inside * by_pool).sum(axis=1)

    def answers(found: Year) -> Float[Array, "W K K"]:
        assert found.rules is not None
        assert found.rules.slope is not None
        return jnp.einsum("wtk,tkl,wtl->wkl", inside, found.rules.slope, inside)

    def looked_at(at: _At) -> _At:
        rate = jnp.clip(at.rate + at.step, 0.0, cap)
        found = run(rate)
        balance = sums(found)
        slope = jnp.where(at.count == 0, answers(found), jax.vmap(_corrected)(at.slope, rate - at.rate, balance - at.balance))
        return _At(rate, balance, slope, jax.vmap(projected_step)(rate, balance, cap, slope), at.count + 1)

    def unsettled(at: _At) -> Array:
        return (at.count == 0) | ((jnp.abs(at.step) * size > TOLERANCE_EUR).any() & (at.count < LIMIT))

    weight = jnp.maximum(jnp.abs(rules.rest).sum(axis=0) + 1.0, 1.0)

    def gap(rate: Array) -> Array:
        free = (rate > 0) & (rate < cap)
        return jnp.where(free, -sums(run(rate)) / weight, jnp.where(rate >= cap, cap, 0.0) - rate)

    def solve(_: Callable[[Array], Array], first: Array) -> tuple[Array, Array]:
        zero = jnp.zeros_like(first)
        end = jax.lax.while_loop(unsettled, looked_at, _At(first, zero, jnp.zeros((*first.shape, first.shape[1])), zero, jnp.array(0)))
        return end.rate, jnp.abs(end.step) * size

    rate, distance = jax.lax.custom_root(gap, jnp.zeros_like(cap), solve, _krylov, has_aux=True)
    found = run(rate)
    cleared = (distance <= TOLERANCE_EUR).all(axis=1)  # (W,)
    settled = found.settled & ((inside.max(axis=2) == 0) | cleared[:, None]).all(axis=0)
    return dataclasses.replace(found, settled=settled)


def _corrected(slope: Array, step: Array, change: Array) -> Array:
    """Slopes with each row scaled so that they explain the last change of its balance. (K, K)"""
    expected = slope @ step
    own = jnp.abs(jnp.diagonal(slope) * step) > 0.5 * (jnp.abs(slope) @ jnp.abs(step))
    ratio = jnp.clip(change / jnp.where(expected != 0, expected, 1.0), 1 / MOST_SCALED, MOST_SCALED)
    return jnp.where((own & (expected != 0))[:, None], slope * ratio[:, None], slope)


def _krylov(linear: Callable[[Array], Array], right: Array) -> Array:
    def solver(apply: Callable[[Array], Array], b: Array) -> Array:
        return jax.scipy.sparse.linalg.gmres(apply, b, tol=KRYLOV_TOLERANCE, restart=KRYLOV_STEPS, maxiter=2, solve_method="incremental")[0]

    return jax.lax.custom_linear_solve(linear, right, solver, transpose_solve=solver)
