"""All markets of a year and the shadow prices of all pools in equilibrium together ([8], [10]).

Unknown are the prices of every market and the shadow price of every pool: price zero and balance at or below zero, or price at the fine and balance at or
above zero, or balance zero in between. Markets are solved at given shadow prices; a projected Newton step, from slopes that Broyden's updates keep up,
gives the next ones; markets whose shadow costs did not move are left alone.

Derivatives follow the implicit function theorem for prices and shadow prices jointly ([13]), on the pools that are between zero and the fine; the others
stay where they are. The residual of a shadow price is the Newton step at the prices that the first-order conditions *imply*, so that the linear system
is close to minus the identity and a Krylov method takes about as many products as the markets by themselves.
"""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from keiretsu.demand.choice import shares
from keiretsu.outlook.clearing import SolvedMarket, YearMarket, at_prices, problem_of
from keiretsu.outlook.fleet import Area, masked_solve, projected_step, slopes
from keiretsu.supply.first_order import PriceProblem, conditions
from keiretsu.supply.pricing import PricingOptions, equilibrium
from keiretsu.supply.wedges import paid

SHADOW_TOLERANCE = 10.0  # a shadow cost is settled within this many times the tolerance of prices
LIMIT = 40  # times that all markets are solved
KRYLOV_TOLERANCE, KRYLOV_STEPS = 1e-11, 80

Unknown = tuple[Array, Array]  # prices (M, J) and shadow prices of pools (K,)


class Cleared(eqx.Module):
    """Solved markets, shadow prices of pools (K,), shadow costs (M, J) in EUR a car, how far the latter are from settled (EUR a car), times markets were solved."""

    markets: SolvedMarket
    rate: Array
    shadow: Array
    gap: Array
    rounds: Array


class _At(eqx.Module):
    """Markets solved at `rate`, what that leaves of balances, and where to go next."""

    rate: Array
    price: Array
    share: Array
    shadow: Array
    balance: Array
    slope: Array
    step: Array
    residual: Array
    evaluations: Array
    settled: Array
    count: Array


def clear_with_pools(markets: YearMarket, area: Area, start: Float[Array, " K"], options: PricingOptions, outside: bool) -> Cleared:
    """Prices and shadow prices; `start` are shadow prices to start from, at which the markets' own starting prices should be near."""
    cap, size = area.rules.cap, area.size()
    start = jnp.clip(jax.lax.stop_gradient(start), 0.0, cap)
    tolerance = SHADOW_TOLERANCE * options.tolerance_eur

    def problems(rate: Array) -> PriceProblem:
        return jax.vmap(lambda m, shadow: problem_of(m, shadow, outside))(markets, markets.shadow + area.shadow(rate))

    first_slope = jax.lax.stop_gradient(slopes(area, problems(start), markets.start))

    def gap(unknown: Unknown) -> Unknown:
        price, rate = unknown
        at = problems(rate)
        implied, share = jax.lax.map(lambda given: _implied(*given), (at, price))
        inside = (rate > 0) & (rate < cap)
        newton = masked_solve(first_slope, inside, -area.balance(share))
        held = jnp.where(rate >= cap, cap, 0.0) - rate
        return jnp.where(at.chosen, implied, markets.start) - price, jnp.where(inside, newton, held)

    def solve(_: Callable[[Unknown], Unknown], first: Unknown) -> tuple[Unknown, tuple[Array, ...]]:
        end = _iterate(markets, area, problems, first, first_slope, tolerance / jnp.where(size > 0, size, jnp.inf), options)
        distance = jnp.max(jnp.abs(end.step) * size)
        settled = jnp.all(end.settled) & (distance <= tolerance)
        return (end.price, end.rate), (end.residual, end.evaluations.astype(float), settled.astype(float), distance, end.count.astype(float))

    (price, rate), aux = jax.lax.custom_root(gap, (markets.start, start), solve, _krylov, has_aux=True)
    residual, evaluations, settled, distance, count = aux
    found = jax.lax.map(
        lambda x: at_prices(x[0], x[1], x[2], x[3], x[4], outside),
        (markets, price, residual, evaluations.astype(int), jnp.full(price.shape[:1], settled > 0)),
    )
    return Cleared(found, rate, area.shadow(rate), distance, count.astype(int))


def _implied(problem: PriceProblem, price: Array) -> tuple[Array, Array]:
    """Prices that first-order conditions answer, and shares there."""
    implied = conditions(problem, price).implied
    return implied, shares(problem.tastes, paid(problem.wedges, jnp.where(problem.chosen, implied, price)))


def _iterate(
    markets: YearMarket,
    area: Area,
    problems: Callable[[Array], PriceProblem],
    first: Unknown,
    slope: Array,
    near: Array,
    options: PricingOptions,
) -> _At:
    """Newton steps of shadow prices around solved markets, until every step is within `near` (K,)."""
    cap = area.rules.cap
    count_m, zero = markets.start.shape[0], jnp.zeros(())
    nothing = _At(
        rate=first[1],
        price=first[0],
        share=jnp.zeros_like(first[0]),
        shadow=jnp.full_like(first[0], jnp.inf),
        balance=jnp.zeros_like(cap),
        slope=slope,
        step=jnp.zeros_like(cap),
        residual=jnp.full(count_m, jnp.inf),
        evaluations=jnp.zeros(count_m, int),
        settled=jnp.zeros(count_m, bool),
        count=jnp.array(0),
    )

    def solved(at: _At, rate: Array) -> _At:
        shadow = area.shadow(rate)
        given = problems(rate)
        moved = jnp.any(shadow != at.shadow, axis=1)
        before = jnp.where(jnp.isfinite(at.shadow), at.shadow, shadow)
        start = at.price + jnp.where(given.chosen, (shadow - before) / markets.wedges.maker_rate, 0.0)

        def one(args: tuple[Array, PriceProblem, Array, Array, Array, Array, Array]) -> tuple[Array, ...]:
            moved, problem, start, price, share, residual, settled = args

            def again() -> tuple[Array, ...]:
                found = equilibrium(problem, start, options)
                return found.price, found.share, found.largest_residual, found.settled, found.iterations

            return jax.lax.cond(moved, again, lambda: (price, share, residual, settled, jnp.array(0)))

        price, share, residual, settled, evaluations = jax.lax.map(one, (moved, given, start, at.price, at.share, at.residual, at.settled))
        balance = area.balance(share)
        known = at.count > 0
        step = (rate - at.rate) / jnp.where(cap > 0, cap, 1.0)  # as shares of the fine, so that grams and missing cars weigh alike
        missed = balance - at.balance - at.slope @ (rate - at.rate)
        update = jnp.outer(missed, step / jnp.where(cap > 0, cap, 1.0)) / jnp.maximum(step @ step, 1e-300)
        slope = at.slope + jnp.where(known & (step @ step > 0), update, zero)
        following = projected_step(rate, balance, cap, slope)
        return _At(rate, price, share, shadow, balance, slope, following, residual, at.evaluations + evaluations, settled, at.count + 1)

    def unfinished(at: _At) -> Array:
        return (at.count == 0) | (jnp.any(jnp.abs(at.step) > near) & jnp.all(at.settled) & (at.count < LIMIT))

    return jax.lax.while_loop(unfinished, lambda at: solved(at, jnp.clip(at.rate + at.step, 0.0, cap)), nothing)


def _krylov(linear: Callable[[Unknown], Unknown], right: Unknown) -> Unknown:
    def solver(apply: Callable[[Unknown], Unknown], b: Unknown) -> Unknown:
        return jax.scipy.sparse.linalg.gmres(apply, b, tol=KRYLOV_TOLERANCE, restart=KRYLOV_STEPS, maxiter=3, solve_method="incremental")[0]

    return jax.lax.custom_linear_solve(linear, right, solver, transpose_solve=solver)
