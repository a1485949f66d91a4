"""All markets of a year and the shadow prices of all pools in equilibrium together ([8], [10]).

Unknown are the prices of every market and the shadow price of every pool: price zero and balance at or below zero, or price at the fine and balance at or
above zero, or balance zero in between. Every evaluation of all markets' first-order conditions gives one step of prices and shadow prices together: a
Newton step with nearly the right derivatives (`keiretsu.outlook.fleet_newton`), shadow prices kept between zero and the fine, combined with earlier steps by
Anderson's acceleration.

Derivatives follow the implicit function theorem for prices and shadow prices jointly ([13]), on the pools that are between zero and the fine; the others
stay where they are. The residual of a shadow price is the Newton step that its balance asks for, and the same slopes that find the solution precondition its
linear system, so that a Krylov method takes about as many products as the solution took evaluations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from keiretsu.numerics.fixed_point import FixedPoint, anderson, no_history
from keiretsu.numerics.implicit import Inverse, gmres, kept_backwards, root
from keiretsu.outlook.clearing import SolvedMarket, YearMarket, at_prices, problem_of
from keiretsu.outlook.fleet import Area, masked_solve, projected_step
from keiretsu.outlook.fleet_newton import Answers, Known, answers
from keiretsu.supply.first_order import PriceProblem
from keiretsu.supply.pricing import PricingOptions
from keiretsu.supply.zeta import ZetaMap, anchor, zeta_around

Counts: TypeAlias = Callable[[Array], Array]  # prices (N, J) -> for how much of the year each market counts in balances (N,), a pytree

LIMIT = 100  # evaluations of all markets
NEAR_EUR, BRIEF = 20.0, 8  # how near, and in how many evaluations, answers from elsewhere may lead
PATIENCE = 10  # evaluations until answers are taken anew
KRYLOV_TOLERANCE, KRYLOV_STEPS = 1e-11, 40


class Cleared(eqx.Module):
    """Solved markets, shadow prices of pools (K,), shadow costs (M, J) in EUR a car, how far the latter are from settled (EUR a car), evaluations;
    nearly how balances answer to shadow prices (K, K)."""

    markets: SolvedMarket
    rate: Array
    shadow: Array
    gap: Array
    rounds: Array
    slope: Array | None = None


class Solution(eqx.Module):
    """Prices (M, J) and shadow prices of pools with a fine (P,) as they were found, without derivatives; largest residuals of markets (M,) and of shadow costs (EUR a
    car), whether all are settled, evaluations, nearly how balances answer to shadow prices (P, P)."""

    price: Array
    rate: Array
    residual: Array
    distance: Array
    settled: Array
    count: Array
    slope: Array


def clear_with_pools(
    markets: YearMarket, area: Area, start: Float[Array, " K"], known: Known, options: PricingOptions, outside: bool, led: Bool[Array, ""]
) -> tuple[Cleared, Known]:
    """Prices and shadow prices, and answers for the next year; `start` are shadow prices to start from, at which the markets' own starting prices should be near. Where
    these are `led` by another path's, answers known from there lead to the solution as well."""
    before, enough = known.for_pools(area, markets.on_sale)
    begin = unsolved(markets, area, start)

    def step(number: Array, so_far: tuple[Solution, Answers]) -> tuple[Solution, Answers]:
        found, at = so_far
        here = eqx.tree_at(lambda m: m.start, markets, found.price)
        anew = jnp.full(markets.start.shape[0], ((number > 0) & ~led) | ((number == 0) & ~enough))
        return solve_with_pools(here, area, found.rate, at, anew, (number == 0) & ~led, options, outside)

    solution, there = jax.lax.fori_loop(0, 2, step, jax.lax.stop_gradient((begin, before)))
    return cleared_at(markets, area, kept_backwards(solution), outside), Known(there, area.rules.live)


def unsolved(markets: YearMarket, area: Area, start: Float[Array, " K"]) -> Solution:
    """Where a search begins."""
    pools, far = pools_of(area), jnp.array(jnp.inf, float)
    rate = jnp.clip(area.of_live(start), 0.0, pools.cap)
    never = jnp.full(markets.start.shape[0], far)
    return Solution(markets.start, rate, never, far, jnp.array(False), jnp.array(0, int), jnp.zeros((rate.shape[0], rate.shape[0])))


def solve_with_pools(
    markets: YearMarket,
    area: Area,
    rate: Float[Array, " P"],
    before: Answers,
    anew: Bool[Array, " M"],
    nearly: Bool[Array, ""],
    options: PricingOptions,
    outside: bool,
    counts: Counts | None = None,
) -> tuple[Solution, Answers]:
    """The search of `clear_with_pools`, and the answers that led to its end; nothing of it is differentiated. `before` are answers of the markets that are not to be
    looked at `anew`.

    `nearly`: no further than near the solution, by one set of answers (those of the year before, or those where the year starts when it brings pools that the year
    before says nothing of). Otherwise to the solution; where answers do not lead there, they are taken once more where the search has come to. With `counts`, markets
    are parts of a year that count for as long as they last.
    """
    markets, area, rate, before, counts = jax.lax.stop_gradient((markets, area, rate, before, counts))
    steps = _Steps(_Given(markets, area, pools_of(area), counts), rate, options, outside)
    tolerance = jnp.where(nearly, NEAR_EUR, jnp.minimum(options.tolerance_eur, options.relative * _mean_price(markets)))
    limit = jnp.where(nearly, BRIEF, PATIENCE)

    def on(at: _At) -> _At:
        near = steps.answers_at(at.point, at.near, at.anew)
        end = steps.by(near, at.point, tolerance, limit)
        residual, distance = end.kept
        settled = end.settled & ~nearly
        point = jnp.where(settled, end.value, end.value + end.residual)
        return _At(point, near, jnp.ones_like(at.anew), residual, distance, settled, at.count + end.iterations)

    def unfinished(at: _At) -> Array:
        return (at.count == 0) | (~nearly & ~at.settled & (at.count < LIMIT))

    far = jnp.array(jnp.inf, float)
    point = steps.together(markets.start, steps.first_rate)
    first = _At(point, before, anew, jnp.full(markets.start.shape[0], far), far, jnp.array(False), jnp.array(0, int))
    end = jax.lax.while_loop(unfinished, on, first)
    return Solution(*steps.parted(end.point), end.residual, end.distance, end.settled, end.count, end.near.slope), end.near


def cleared_at(markets: YearMarket, area: Area, solution: Solution, outside: bool, counts: Counts | None = None) -> Cleared:
    """Markets and pools at their solution, with its derivatives."""
    given = _Given(markets, area, pools_of(area), counts)
    found, _ = root(
        lambda g, unknown: _gap(g, unknown, outside),
        lambda g, known: (_together(jnp.where(g.markets.held, g.markets.start, g.parted(known)[0]), g.parted(known)[1]), None),
        lambda g, known: _inverse(g, known, outside),
        given,
        _together(solution.price, solution.rate),
    )
    price, rate = given.parted(found)
    times, settled = (jnp.full(price.shape[:1], value) for value in (solution.count, solution.settled))
    solved = jax.lax.map(lambda x: at_prices(x[0], x[1], x[2], x[3], x[4], outside), (markets, price, solution.residual, times, settled))
    live, slots = area.rules.live, area.rules.cap.shape[0]
    slope = jnp.zeros((slots, slots)).at[live[:, None], live[None, :]].set(solution.slope, mode="drop")
    return Cleared(solved, area.at_slots(given.pools.every(rate)), given.pools.shadow(rate), solution.distance, solution.count, slope)


class Pools(eqx.Module):
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

    @property
    def large(self) -> Float[Array, " P"]:
        """A large balance: if one buyer in a thousand took the heaviest car everywhere."""
        return 1e-3 * jnp.abs(self.weighed).max(axis=1).sum(axis=0) + 1.0


def pools_of(area: Area) -> Pools:
    """Pools with a fine in a year."""
    cap, given = area.rules.cap, area.rules.given
    return Pools(
        cap=area.of_live(jnp.where(area.averaged, 0.0, cap)),  # what is given is not solved for
        given=area.of_live(jnp.zeros_like(cap) if given is None else jnp.where(area.averaged, given, 0.0)),
        averaged=area.of_live(area.averaged.astype(float)) > 0,
        charged=area.charged,
        weighed=area.weighed * area.potential[:, None, None],
        fixed=area.fixed,
        size=area.of_live(area.size()),
    )


class _Given(eqx.Module):
    """What prices and shadow prices depend on."""

    markets: YearMarket
    area: Area
    pools: Pools
    counts: Counts | None = None

    def balance(self, price: Float[Array, "M J"], share: Float[Array, "M J"]) -> Float[Array, " P"]:
        """Balance of each pool."""
        return self.pools.balance(share if self.counts is None else share * self.counts(price)[:, None])

    def counted_at(self, price: Float[Array, "M J"]) -> Area:
        """The area with as many buyers as count in balances."""
        return self.area if self.counts is None else eqx.tree_at(lambda a: a.potential, self.area, self.area.potential * self.counts(price))

    def problems(self, rate: Float[Array, " P"], outside: bool) -> PriceProblem:
        """All markets' problems at these shadow prices, with a first axis M."""
        return jax.vmap(lambda m, shadow: problem_of(m, shadow, outside))(self.markets, self.markets.shadow + self.pools.shadow(rate))

    def parted(self, unknown: Array) -> tuple[Float[Array, "M J"], Float[Array, " P"]]:
        """Prices and shadow prices out of one vector."""
        many = self.markets.start.size
        return unknown[:many].reshape(self.markets.start.shape), unknown[many:]


def _together(price: Array, rate: Array) -> Array:
    return jnp.concatenate([price.reshape(-1), rate])


def _gap(given: _Given, unknown: Array, outside: bool) -> Array:
    """Zero where all conditions hold; balances count as a share of what is weighed."""
    price, rate = given.parted(unknown)
    at, pools = given.problems(rate, outside), given.pools

    def conditions(x: tuple[PriceProblem, Array]) -> tuple[Array, Array]:
        problem, price = x
        return _evaluated((zeta_around(problem, anchor(problem, jax.lax.stop_gradient(price))), price))

    implied, share = jax.lax.map(conditions, (at, price))
    inside = (rate > 0) & (rate < pools.cap)
    held = jnp.where(rate >= pools.cap, pools.cap, 0.0) - rate
    return _together(
        jnp.where(at.chosen, implied, given.markets.start) - price,
        jnp.where(inside, -given.balance(price, share) / jax.lax.stop_gradient(pools.large), held),
    )


def _inverse(given: _Given, known: Array, outside: bool) -> tuple[Inverse, Inverse]:
    """Solvers of linear systems with the derivative of `_gap` and its transpose, by Krylov's method with `Answers` as preconditioner.

    With B makers' answers to each other, W and H how balances answer to prices and prices to shadow prices, S = W H and v what balances are divided by: residuals (r,
    q) ask for shadow prices ``u = S^-1 (W B r - v q)`` of the pools inside and the prices ``H u - B r``.
    """
    given, known = jax.lax.stop_gradient((given, known))
    pools, (price, rate) = given.pools, given.parted(known)
    near = answers(given.counted_at(price), given.problems(rate, outside), price)
    inside = (rate > 0) & (rate < pools.cap)
    slope = _falling(near.slope)
    back = jax.vmap(lambda rounds, right: rounds.step(right))
    transposed = jax.vmap(lambda rounds: rounds.transposed)(near.back)

    def forwards(residual: Array) -> Array:
        r, q = given.parted(residual)
        answered = back(near.back, r)
        moved = jnp.einsum("mpj,mj->p", near.weighs, answered) - jnp.where(inside, pools.large * q, 0.0)
        asked = masked_solve(slope, inside, moved) - jnp.where(inside, 0.0, q)
        return _together(jnp.einsum("mjp,p->mj", near.handed_on, asked) - answered, asked)

    def backwards(residual: Array) -> Array:
        r, q = given.parted(residual)
        asked = jnp.einsum("mjp,mj->p", near.handed_on, r) + q
        solved = masked_solve(slope.T, inside, asked)
        through = jnp.einsum("mpj,p->mj", near.weighs, solved)
        return _together(back(transposed, through - r), -jnp.where(inside, pools.large * solved, asked))

    return gmres(KRYLOV_TOLERANCE, KRYLOV_STEPS, forwards), gmres(KRYLOV_TOLERANCE, KRYLOV_STEPS, backwards)


def _falling(slope: Array) -> Array:
    """Slopes with which a pool whose balance is not seen to fall in its own price can be solved for all the same. (P, P)"""
    own = jnp.diagonal(slope)
    return slope + jnp.diag(jnp.where(own < 0, 0.0, -1.0 - own))


class _At(eqx.Module):
    """Where a search stands: prices and shadow prices in one vector, answers there and of which markets they are to be taken anew, residuals."""

    point: Array
    near: Answers
    anew: Array
    residual: Array
    distance: Array
    settled: Array
    count: Array


class _Steps:
    """Steps of prices and shadow prices together; a shadow price is handled as money a car."""

    def __init__(self, given: _Given, rate: Float[Array, " P"], options: PricingOptions, outside: bool) -> None:
        self.given = given
        self.first_rate = jnp.clip(rate, 0.0, self.given.pools.cap)
        size = self.given.pools.size
        self.scale = jnp.where(size > 0, size, 1.0)
        self.options, self.outside = options, outside
        self.zeta = jax.lax.map(lambda x: zeta_around(x[0], anchor(x[0], x[1])), (given.problems(self.first_rate, outside), given.markets.start))

    def together(self, price: Float[Array, "M J"], rate: Float[Array, " P"]) -> Array:
        """Prices and shadow prices in one vector."""
        return _together(price, rate * self.scale)

    def parted(self, point: Array) -> tuple[Float[Array, "M J"], Float[Array, " P"]]:
        """Prices and shadow prices at a point."""
        price, rate = self.given.parted(point)
        return price, jnp.clip(rate / self.scale, 0.0, self.given.pools.cap)

    def answers_at(self, point: Array, before: Answers, anew: Array) -> Answers:
        """Answers at a point; of markets that are not to be looked at anew those before."""
        price, rate = self.parted(point)
        return answers(self.given.counted_at(price), self.given.problems(rate, self.outside), price, before, anew)

    def by(self, near: Answers, point: Array, tolerance: Array, limit: Array) -> FixedPoint:
        """As far as these answers lead until every step is within the tolerance (EUR a car)."""
        history, slope = no_history(point.size, self.options.window), near.slope
        return anderson(lambda at: self._image(at, near, slope), point, tolerance, history=history, limit=limit)

    def _image(self, point: Array, near: Answers, slope: Float[Array, "P P"]) -> tuple[Array, tuple[Array, Array]]:
        given, pools = self.given, self.given.pools
        chosen, cost = given.markets.on_sale & ~given.markets.held, given.markets.cost + given.markets.shadow
        price, rate = self.parted(point)
        here = eqx.tree_at(lambda zeta: zeta.problem.cost, self.zeta, cost + pools.shadow(rate))
        implied, share = jax.lax.map(_evaluated, (here, price))
        residual = jnp.where(chosen, implied - price, 0.0)
        # answers may be of other sides: what was free then may be held now
        moved = jnp.where(chosen, near.price_step(residual), 0.0)
        step = projected_step(rate, given.balance(price, share) + jnp.einsum("mkj,mj->k", near.weighs, moved), pools.cap, slope)
        price = price + moved + jnp.where(chosen, near.handed_on @ step, 0.0)
        return self.together(price, rate + step), (jnp.abs(residual).max(axis=1), jnp.max(jnp.abs(step) * pools.size, initial=0.0))


def _mean_price(markets: YearMarket) -> Array:
    available = markets.on_sale
    return jnp.where(available, jnp.abs(markets.start), 0.0).sum() / jnp.maximum(available.sum(), 1)


def _evaluated(given: tuple[ZetaMap, Array]) -> tuple[Array, Array]:
    zeta, price = given
    at = zeta(price)
    return at.implied, at.share
