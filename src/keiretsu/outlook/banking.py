"""Fleet rules that are met on the average of several years: one shadow price for all of them ([10], [11]).

Too much in one year may be made up for in another, before or after, so the balances of a window of years are cleared as one: price zero and the sum at or
below zero, or price at the fine and the sum at or above zero, or sum zero in between, or the price at which the sum jumps through zero
(`keiretsu.outlook.jumps`). The years are run again and again with the window's prices given. Derivatives follow the implicit function theorem through all years; where
a sum jumps there is none, for its price follows the point at which a maker is indifferent.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from keiretsu.outlook.arrays import FleetYears, Year
from keiretsu.outlook.jumps import TOLERANCE_EUR, Search, begin, looked, to_spare, unsettled_eur

T = TypeVar("T")
KRYLOV_TOLERANCE, KRYLOV_STEPS = 1e-11, 60


class _Known(eqx.Module):
    """The search, and makers' own balances above and below zero, summed over each window and pool, where it stands. (W, K)"""

    search: Search
    above: Float[Array, "W K"]
    below: Float[Array, "W K"]


def averaged_over_years(years: Callable[[FleetYears], Year], rules: FleetYears) -> Year:
    """The years at shadow prices that clear every window's sum; `years` runs them under rules whose `given` is set."""
    return averaged_with_more(lambda ruled: (years(ruled), None), rules)[0]


def averaged_with_more(years: Callable[[FleetYears], tuple[Year, T]], rules: FleetYears) -> tuple[Year, T]:
    """As `averaged_over_years`, for years that bring something along.

    Where a sum jumps through zero, the pool's makers have `left_over` to spare in the window's last year, and what makers with too little emissions get is paid for as
    far as others of the pool, or they themselves in other years, need it. Years of a window that did not clear are marked as not settled.
    """
    place = jnp.arange(rules.cap.shape[1])
    inside = jax.nn.one_hot(rules.window, rules.windows, axis=0)  # (W, T, K), nothing for -1
    cap = (inside * rules.cap).max(axis=1)
    burden = jnp.abs(rules.burden).reshape(rules.burden.shape[0], -1)
    pool = jax.vmap(lambda pool, maker: pool[maker].reshape(-1))(rules.pool, rules.maker)
    size = jax.vmap(lambda b, p: jax.ops.segment_max(b, p, cap.shape[1]))(burden, pool)
    size = jnp.maximum((inside * jnp.maximum(size, 0.0)).max(axis=1), 0.0)

    def of_years(by_window: Float[Array, "W K"], else_: float) -> Float[Array, "T K"]:
        return jnp.where(rules.window >= 0, by_window[jnp.maximum(rules.window, 0), place], else_)

    def run(rate: Float[Array, "W K"], needed: Float[Array, "W K"]) -> tuple[Year, T]:
        return years(dataclasses.replace(rules, given=of_years(rate, 0.0), needed=of_years(needed, 1.0)))

    def sums(own: Float[Array, "T K"]) -> Float[Array, "W K"]:
        by_pool = jax.vmap(lambda own, pool: jax.ops.segment_sum(own, pool, cap.shape[1]))(own, rules.pool)
        return (inside * by_pool).sum(axis=1)

    def look(at: _Known) -> _Known:
        found = run(at.search.next_rate(cap), all_of_it)[0].rules
        assert found is not None
        assert found.slope is not None
        answers = jnp.einsum("wtk,tkl,wtl->wkl", inside, found.slope, inside)
        after = looked(at.search, sums(found.balance), answers, cap, size)
        kept = at.search.checking
        above, below = sums(jnp.maximum(found.balance, 0.0)), sums(jnp.maximum(-found.balance, 0.0))
        return _Known(after, jnp.where(kept, at.above, above), jnp.where(kept, at.below, below))

    weight = jnp.maximum(jnp.abs(rules.rest).sum(axis=0) + 1.0, 1.0)
    all_of_it = jnp.ones_like(cap)

    def gap(rate: Array) -> Array:
        free = (rate > 0) & (rate < cap)
        found = run(rate, all_of_it)[0].rules
        assert found is not None
        return jnp.where(free, -sums(found.balance) / weight, jnp.where(rate >= cap, cap, 0.0) - rate)

    def solve(_: Callable[[Array], Array], first: Array) -> tuple[Array, tuple[Array, Array, Array]]:
        nothing = jnp.zeros_like(first)
        end = jax.lax.while_loop(lambda at: at.search.going(), look, _Known(begin(cap), nothing, nothing))
        spare = to_spare(end.search, cap, size)
        needed = jnp.where(spare > 0, end.above / jnp.where(end.below > 0, end.below, 1.0), 1.0)
        return end.search.rate, (unsettled_eur(end.search, size), spare, needed)

    rate, (distance, spare, needed) = jax.lax.custom_root(gap, jnp.zeros_like(cap), solve, _krylov, has_aux=True)
    found, beside = run(rate, jax.lax.stop_gradient(needed))
    assert found.rules is not None
    cleared = (distance <= TOLERANCE_EUR).all(axis=1)  # (W,)
    settled = found.settled & ((inside.max(axis=2) == 0) | cleared[:, None]).all(axis=0)
    last = rules.window != jnp.concatenate([rules.window[1:], jnp.full((1, rules.window.shape[1]), -1)])
    left_over = jnp.where(last, of_years(jax.lax.stop_gradient(spare), 0.0), 0.0)
    return dataclasses.replace(found, settled=settled, rules=dataclasses.replace(found.rules, left_over=left_over)), beside


def _krylov(linear: Callable[[Array], Array], right: Array) -> Array:
    def solver(apply: Callable[[Array], Array], b: Array) -> Array:
        return jax.scipy.sparse.linalg.gmres(apply, b, tol=KRYLOV_TOLERANCE, restart=KRYLOV_STEPS, maxiter=2, solve_method="incremental")[0]

    return jax.lax.custom_linear_solve(linear, right, solver, transpose_solve=solver)
