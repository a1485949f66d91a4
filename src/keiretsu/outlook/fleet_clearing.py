"""All markets of a year and the shadow prices of all pools in equilibrium together ([8], [10]).

Unknown are the prices of every market and the shadow price of every pool: price zero and balance at or below zero, or price at the fine and balance at or
above zero, or balance zero in between. Every evaluation of all markets' first-order conditions gives one step of prices and shadow prices together: a
Newton step with nearly the right derivatives (`keiretsu.outlook.fleet_newton`), shadow prices kept between zero and the fine, combined with earlier steps by
Anderson's acceleration.

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
from keiretsu.numerics.fixed_point import anderson, no_history
from keiretsu.outlook.clearing import SolvedMarket, YearMarket, at_prices, problem_of
from keiretsu.outlook.fleet import Area, masked_solve, projected_step
from keiretsu.outlook.fleet_newton import Answers, answers
from keiretsu.supply.first_order import PriceProblem, conditions
from keiretsu.supply.pricing import PricingOptions
from keiretsu.supply.wedges import paid
from keiretsu.supply.zeta import ZetaMap

LIMIT = 100  # evaluations of all markets
KRYLOV_TOLERANCE, KRYLOV_STEPS = 1e-11, 80


class Cleared(eqx.Module):
    """Solved markets, shadow prices of pools (K,), shadow costs (M, J) in EUR a car, how far the latter are from settled (EUR a car), evaluations;
    nearly how balances answer to shadow prices (K, K)."""

    markets: SolvedMarket
    rate: Array
    shadow: Array
    gap: Array
    rounds: Array
    slope: Array | None = None


class _End(eqx.Module):
    price: Array
    rate: Array
    residual: Array
    distance: Array
    settled: Array
    count: Array


def clear_with_pools(markets: YearMarket, area: Area, start: Float[Array, " K"], options: PricingOptions, outside: bool) -> Cleared:
    """Prices and shadow prices; `start` are shadow prices to start from, at which the markets' own starting prices should be near."""
    pools = _Pools(
        cap=area.of_live(jnp.where(area.averaged, 0.0, area.rules.cap)),  # what is given is not solved for
        given=area.of_live(jnp.zeros_like(area.rules.cap) if area.rules.given is None else jnp.where(area.averaged, area.rules.given, 0.0)),
        averaged=area.of_live(area.averaged.astype(float)) > 0,
        charged=area.charged,
        weighed=area.weighed * area.potential[:, None, None],
        fixed=area.fixed,
        size=area.of_live(area.size()),
    )
    begin = jnp.clip(jax.lax.stop_gradient(area.of_live(start)), 0.0, pools.cap)

    def problems(rate: Array) -> PriceProblem:
        return jax.vmap(lambda m, shadow: problem_of(m, shadow, outside))(markets, markets.shadow + pools.shadow(rate))

    near = jax.lax.stop_gradient(answers(area, problems(begin), markets.start))
    shape, many = markets.start.shape, markets.start.size

    def parted(unknown: Array) -> tuple[Array, Array]:
        return unknown[:many].reshape(shape), unknown[many:]

    def gap(unknown: Array) -> Array:
        price, rate = parted(unknown)
        at = problems(rate)
        implied, share = jax.lax.map(lambda given: _implied(*given), (at, price))
        inside = (rate > 0) & (rate < pools.cap)
        newton = masked_solve(_falling(near.slope), inside, -pools.balance(share))
        held = jnp.where(rate >= pools.cap, pools.cap, 0.0) - rate
        return _together(jnp.where(at.chosen, implied, markets.start) - price, jnp.where(inside, newton, held))

    def solve(_: Callable[[Array], Array], first: Array) -> tuple[Array, tuple[Array, ...]]:
        price, rate = parted(first)
        end = _iterate(pools, markets.cost + markets.shadow, price, rate, near, options)
        return _together(end.price, end.rate), (end.residual, end.settled.astype(float), end.distance, end.count.astype(float))

    found, (residual, settled, distance, count) = jax.lax.custom_root(gap, _together(markets.start, begin), solve, _krylov, has_aux=True)
    price, rate = parted(found)
    times = jnp.full(price.shape[:1], count.astype(int))
    solved = jax.lax.map(
        lambda x: at_prices(x[0], x[1], x[2], x[3], x[4], outside), (markets, price, residual, times, jnp.full(price.shape[:1], settled > 0))
    )
    count_of = area.rules.cap.shape[0]
    live = area.rules.live
    slope = jnp.zeros((count_of, count_of)).at[live[:, None], live[None, :]].set(near.slope, mode="drop")
    return Cleared(solved, area.at_slots(pools.every(rate)), pools.shadow(rate), distance, count.astype(int), slope)


class _Pools(eqx.Module):
    """Pools with a fine (P): fine or zero where the shadow price is given, what is given, what cars weigh (M, J, P) in shadow costs and in balances, the part of each
    balance that stays, the largest burden of a car."""

    cap: Array
    given: Array
    averaged: Array
    charged: Array
    weighed: Array
    fixed: Array
    size: Array

    def every(self, rate: Float[Array, " P"]) -> Float[Array, " P"]:
        """Shadow prices with those that are given in their places."""
        return jnp.where(self.averaged, self.given, rate)

    def shadow(self, rate: Float[Array, " P"]) -> Float[Array, "M J"]:
        """Shadow cost of each car, in its market's money."""
        return self.charged @ self.every(rate)

    def balance(self, share: Float[Array, "M J"]) -> Float[Array, " P"]:
        """Balance of each pool at these shares of potential buyers; above zero is fined."""
        return self.fixed + jnp.tensordot(share, self.weighed, axes=2)


def _together(price: Array, rate: Array) -> Array:
    return jnp.concatenate([price.reshape(-1), rate])


def _implied(problem: PriceProblem, price: Array) -> tuple[Array, Array]:
    """Prices that first-order conditions answer, and shares there."""
    implied = conditions(problem, price).implied
    return implied, shares(problem.tastes, paid(problem.wedges, jnp.where(problem.chosen, implied, price)))


def _falling(slope: Array) -> Array:
    """Slopes with which a pool whose balance is not seen to fall in its own price can be solved for all the same. (P, P)"""
    own = jnp.diagonal(slope)
    return slope + jnp.diag(jnp.where(own < 0, 0.0, -1.0 - own))


def _iterate(
    pools: _Pools, cost: Float[Array, "M J"], first: Float[Array, "M J"], first_rate: Float[Array, " P"], near: Answers, options: PricingOptions
) -> _End:
    """Steps of prices and shadow prices together until every one is within the tolerance (EUR a car); `cost` without fleet rules."""
    scale = jnp.where(pools.size > 0, pools.size, 1.0)  # a shadow price is handled as money a car
    shape, many, cap = first.shape, first.size, pools.cap
    problem: PriceProblem = near.zeta.problem  # type: ignore[attr-defined]
    chosen, available = problem.chosen, problem.tastes.available
    mean = jnp.where(available, jnp.abs(first), 0.0).sum() / jnp.maximum(available.sum(), 1)
    tolerance = jnp.minimum(options.tolerance_eur, options.relative * mean)

    def image_of(point: Array) -> tuple[Array, tuple[Array, Array]]:
        price, rate = point[:many].reshape(shape), jnp.clip(point[many:] / scale, 0.0, cap)
        here = eqx.tree_at(lambda zeta: zeta.problem.cost, near.zeta, cost + pools.shadow(rate))
        implied, share = jax.lax.map(_evaluated, (here, price))
        residual = jnp.where(chosen, implied - price, 0.0)
        moved = near.price_step(residual)
        step = projected_step(rate, pools.balance(share) + jnp.einsum("mkj,mj->k", near.weighs, moved), cap, near.slope)
        price = price + moved + near.handed_on @ step
        return _together(price, (rate + step) * scale), (jnp.abs(residual).max(axis=1), jnp.max(jnp.abs(step) * pools.size, initial=0.0))

    begin = _together(first, first_rate * scale)
    end = anderson(image_of, begin, tolerance, history=no_history(begin.size, options.window), limit=LIMIT)
    residual, distance = end.kept
    price, rate = end.value[:many].reshape(shape), jnp.clip(end.value[many:] / scale, 0.0, cap)
    return _End(price, rate, residual, distance, end.settled, end.iterations)


def _evaluated(given: tuple[ZetaMap, Array]) -> tuple[Array, Array]:
    zeta, price = given
    at = zeta(price)
    return at.implied, at.share


def _krylov(linear: Callable[[Array], Array], right: Array) -> Array:
    def solver(apply: Callable[[Array], Array], b: Array) -> Array:
        return jax.scipy.sparse.linalg.gmres(apply, b, tol=KRYLOV_TOLERANCE, restart=KRYLOV_STEPS, maxiter=3, solve_method="incremental")[0]

    return jax.lax.custom_linear_solve(linear, right, solver, transpose_solve=solver)
