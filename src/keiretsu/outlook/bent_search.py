"""Sides, prices and shadow prices of one part of a bent year, searched for without derivatives ([7], [11]).

Sides of breakpoints hang on shadow prices and shadow prices on sides, so both are looked at in turn: everything is solved on the sides known so far, then every market's sides
are weighed at what was found. What still moves in the end stays in the pass that leaves the least to gain, and is said.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from keiretsu.outlook.bent import Bends, Keeps, Pieces, pieces_in_force
from keiretsu.outlook.clearing import YearMarket
from keiretsu.outlook.fleet import Area
from keiretsu.outlook.fleet_clearing import Solution, pools_of, solve_with_pools, unsolved
from keiretsu.outlook.fleet_newton import Answers, Known
from keiretsu.outlook.parts import Lengths, spending_of
from keiretsu.outlook.sides import Pooled, Sides, Solver, briefly, choose_sides, in_full, sides_at, with_sides
from keiretsu.supply.pricing import PricingOptions

PASSES, TOGETHER = 8, 4  # times that sides are weighed for the shadow costs of fleet rules that they lead to; those in which every setter may move
FIRST_EUR = 1.0  # how near prices are solved when sides are chosen for the first time
AS_MUCH = 1.1  # of what there was to gain on another path's sides: with no more than that, here they go round as they did there


class BentRules(eqx.Module):
    """What a bent year is solved under: its rules, what makers keep, incentives as a multiple of those planned, class of each draw, whether prices stood at a breakpoint."""

    rules: Bends
    keeps: Keeps
    incentives: Float[Array, ""]
    buyer_class: Int[Array, "M I"]
    stood: Bool[Array, "M J"]


class Led(eqx.Module):
    """Which parts of a year start from the same parts of another path (S,): from what prices, of which some stood at a breakpoint (S, M, J), and shadow prices (S, K); what
    a setter had to gain there (money a potential buyer) (M,)."""

    follow: Bool[Array, " S"]
    start: Float[Array, "S M J"]
    stood: Bool[Array, "S M J"]
    rate: Float[Array, "S K"]
    to_gain: Float[Array, " M"]


class Given(eqx.Module):
    """A year to be solved: its markets with prices to start from, fleet rules with shadow prices to start from (at which those should be near) and answers known from
    before, rules that bend, potential buyers; or the same of every part of a year, one after the other (N = S x M in place of M)."""

    markets: YearMarket
    area: Area | None
    rate: Float[Array, " K"]
    known: Known | None
    bent: BentRules
    potential: Float[Array, " M"]
    led: Led | None
    options: PricingOptions = eqx.field(static=True)
    outside: bool = eqx.field(static=True)

    def starting(self, price: Float[Array, "M J"], stood: Bool[Array, "M J"], rate: Float[Array, " K"], known: Known | None) -> Given:
        """The same from other prices, of which those that `stood` at a breakpoint are held there, and from other shadow prices and answers."""
        markets = eqx.tree_at(lambda m: m.start, self.markets, jnp.where(self.markets.held, self.markets.start, price))
        bent = eqx.tree_at(lambda b: b.stood, self.bent, stood)
        return Given(markets, self.area, rate, known, bent, self.potential, self.led, self.options, self.outside)


class Found(eqx.Module):
    """A part of the year as it was found, without derivatives: sides, prices and shadow prices, choices of side that went round and what is to
    be gained there (money a potential buyer) (M,), what each pot would pay in each market, EUR a year (M, P)."""

    sides: Sides
    solution: Solution | None
    unsettled: Array
    to_gain: Array
    spent: Array


class _Pass(eqx.Module):
    """A pass of the search for sides and shadow prices: sides, prices and shadow prices on them, what one setter would gain there (EUR a year; inf where it is
    not known)."""

    sides: Sides
    found: Solution
    gain: Array


def find_part(given: Given, open_: Array, follows: Array | None = None, gained: Float[Array, " M"] | None = None) -> tuple[Found, Known | None]:
    """Sides and prices of all markets with these pots open, or of all markets of all parts of a year with the pots open in each; and answers there.

    Where it `follows` another path, everything is solved at once on the sides that that came to, and sides are weighed from there. Where somebody seemed to have `gained` as much by
    leaving those sides there as here, they stay.
    """
    markets, area, bent, options, outside = given.markets, given.area, given.bent, given.options, given.outside
    pieces = pieces_in_force(bent.rules, bent.keeps, bent.incentives, open_)
    stood = jax.vmap(sides_at)(markets, pieces, bent.stood)
    if area is None:
        each = (markets, pieces, stood, bent.buyer_class)
        sides = jax.lax.map(lambda x: choose_sides(x[0], x[1], x[2], x[3], in_full(options), outside), each)
        here = jax.vmap(with_sides)(markets, pieces, sides, bent.buyer_class)
        return Found(sides, None, sides.unsettled, sides.to_gain, spending_in(given, here, sides, sides.price)), None
    assert given.known is not None
    pools = pools_of(area)

    def on(sides: Sides) -> tuple[YearMarket, Lengths | None]:
        here = jax.vmap(with_sides)(markets, pieces, sides, bent.buyer_class)
        return here, lengths_of(given, here, sides, open_) if open_.ndim == 2 else None

    weighing = ((pools.charged != 0) & (pools.cap > 0)).any(axis=-1)
    before, enough = given.known.for_pools(area, markets.on_sale)
    follows = jnp.array(False) if follows is None else follows
    going_round = jnp.zeros(markets.start.shape[0]) if gained is None else AS_MUCH * gained

    def solved(sides: Sides, found: Solution, before: Answers, anew: Array, nearly: Array) -> tuple[Solution, Answers]:
        here, counts = on(sides)
        here = eqx.tree_at(lambda m: m.start, here, jnp.where(here.held | ~nearly, here.start, found.price))
        return solve_with_pools(here, area, found.rate, before, anew, nearly, options, outside, counts)

    def again(carry: tuple[_Pass, Answers, Array, Array, _Pass]) -> tuple[_Pass, Answers, Array, Array, _Pass]:
        """At first near the solution on the sides of the starting prices; then sides at the prices and shadow costs known so far, and all markets and pools on them, where
        sides are not as they were."""
        now, at, _, number, least = carry
        sides, found = now.sides, now.found
        first, begins = number == 0, (number <= 1) & ~follows
        known = (found.price, jnp.broadcast_to(found.settled & ~begins, sides.settled.shape))
        here = eqx.tree_at(lambda s: (s.price, s.settled), sides, known)

        def weighed() -> Sides:
            charged = eqx.tree_at(lambda m: m.shadow, markets, markets.shadow + pools.shadow(found.rate))
            # what is chosen at first is weighed again at solved prices
            tolerance = jnp.where(begins, FIRST_EUR, options.tolerance_eur)
            each = (charged, pieces, here, bent.buyer_class, at.back, weighing)

            def one(x: tuple[Any, ...]) -> Sides:
                return _weighed(x[0], x[1], x[2], x[3], briefly(options, tolerance, x[4]), outside, Pooled(x[5], number > 1, number > TOGETHER))

            return jax.lax.map(one, each)

        fresh = jax.lax.cond(first, lambda: here, weighed)
        moved = ((fresh.piece != sides.piece) | (fresh.held_at != sides.held_at)).sum(axis=1)
        stays = follows & (fresh.seemed <= going_round) & jnp.isfinite(fresh.began) & (moved > 0)
        left = (moved, jnp.where(stays, -fresh.seemed, fresh.began), fresh.seemed)
        as_solved = eqx.tree_at(lambda s: (s.unsettled, s.to_gain, s.seemed), here, left)
        fresh = jax.tree.map(lambda a, b: jnp.where(stays.reshape(-1, *[1] * (b.ndim - 1)), a, b), as_solved, fresh)
        moved = jnp.where(stays, 0, moved)
        gain = jnp.where(first | begins, jnp.inf, jnp.max(jnp.where(moved > 0, fresh.began, 0.0) * given.potential))
        better = (gain < least.gain) | jnp.isinf(least.gain)
        least = jax.tree.map(lambda new, old: jnp.where(better, new, old), _Pass(as_solved, found, gain), least)
        anew = jnp.where(first, ~enough, begins | (moved > 0))
        on_with = first | begins | (moved.any() & (number < PASSES))
        found, at = jax.lax.cond(on_with, solved, lambda *_: (found, at), fresh, found, at, anew, first & ~follows)
        return _Pass(fresh, found, gain), at, jnp.where(first | begins, 1, moved), number + 1, least

    def unfinished(carry: tuple[_Pass, Answers, Array, Array, _Pass]) -> Array:
        return (carry[2] > 0).any() & (carry[3] <= PASSES)

    begin = _Pass(stood, unsolved(markets, area, given.rate), jnp.array(jnp.inf, float))
    _, at, _, _, end = jax.lax.while_loop(unfinished, again, (begin, before, jnp.ones(markets.start.shape[0], int), jnp.array(0, int), begin))
    sides, done = end.sides, end.found
    spent = spending_in(given, on(sides)[0], sides, done.price)
    return Found(sides, done, sides.unsettled, sides.to_gain, spent), Known(at, area.rules.live)


def lengths_of(given: Given, here: YearMarket, sides: Sides, open_: Float[Array, "S P"]) -> Lengths:
    """How long the parts of a year last when its markets are on these sides (`here`)."""
    bent = given.bent
    spending = spending_of(here, sides.piece, bent.rules, bent.incentives, bent.buyer_class, given.potential, given.outside)
    return Lengths(spending, open_, bent.rules.budget)


def _weighed(m: YearMarket, pieces: Pieces, known: Sides, buyer_class: Array, solver: Solver, outside: bool, pooled: Pooled) -> Sides:
    """Sides of one market at solved prices; one without a breakpoint has none to choose."""
    if pieces.breaks.shape[1] == 0:
        return known
    bent = (pieces.bent & m.on_sale).any()
    return jax.lax.cond(bent, lambda x: choose_sides(m, pieces, x, buyer_class, solver, outside, pooled), lambda x: x, known)


def spending_in(given: Given, here: YearMarket, sides: Sides, price: Float[Array, "M J"]) -> Float[Array, "M P"]:
    """What each pot would pay out in each market in a whole year at these prices, EUR; nothing to count where no pot can be empty."""
    bent, rules = given.bent, given.bent.rules
    if rules.budget.shape[0] == 0:
        return jnp.zeros((price.shape[0], 0))

    def counted() -> Array:
        return spending_of(here, sides.piece, rules, bent.incentives, bent.buyer_class, given.potential, given.outside)(price)

    return jax.lax.cond(jnp.isfinite(rules.budget).any(), counted, lambda: jnp.zeros((price.shape[0], rules.budget.shape[0])))
