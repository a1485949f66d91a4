"""Shadow prices at which a balance over several years clears, or jumps through zero ([7], [10], [11]).

A balance falls in its shadow price. Where a car crosses a price threshold at some shadow price, the balance falls there by what that car's sales are worth, and it
may be above zero just below that price and below zero just above it. That price is the equilibrium's: the maker of the car is indifferent between its two
prices there, and whatever share of it were sold at the higher one, no other shadow price would do. The side is taken on which the rule is kept; the pool then has
less to spare than that one car's jump, and what it has to spare is worth nothing to anybody.

Steps are Newton's, with slopes that each look corrects. A pool that they do not settle is closed in on by halving between the highest shadow price known to be
too low and the lowest known to be high enough, the others' steps going on; once all is still, both sides of it are looked at again with everybody else where they are.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from keiretsu.outlook.fleet import projected_step

TOLERANCE_EUR = 1e-3  # a car: how far a shadow price may be from where its balance clears or jumps
PATIENCE = 12  # looks until a pool that Newton's steps do not settle is closed in on: where nothing jumps it takes six to ten
LIMIT = 120  # looks in all
MOST_SCALED = 3.0  # slopes are not further off than this
WIDER = 4.0  # where a jump is not where it was, each look for it goes so much further than the one before


class Search(eqx.Module):
    """Where the search stands, by window of years and pool: W x K.

    Attributes
    ----------
    rate, balance, slope, step
        Shadow prices, balances there, how balances answer, and the step that is to follow.
    low, high
        Shadow prices between which the balance goes through zero: above it at `low`, not above it at `high`; infinite where there is none.
    span
        How far from the other end a missing one is looked for.
    jumps
        Pools that are closed in on.
    checking
        Whether the next look is at the other side of them, nobody else moving.
    done
        Whether every pool clears, or jumps through zero at its shadow price.
    waited, count
        Looks with everything that is closed in on in its place since a pool was last chosen for it; and looks in all.
    """

    rate: Float[Array, "W K"]
    balance: Float[Array, "W K"]
    slope: Float[Array, "W K K"]
    step: Float[Array, "W K"]
    low: Float[Array, "W K"]
    high: Float[Array, "W K"]
    span: Float[Array, "W K"]
    jumps: Bool[Array, "W K"]
    checking: Bool[Array, ""]
    done: Bool[Array, ""]
    waited: Int[Array, ""]
    count: Int[Array, ""]

    def going(self) -> Bool[Array, ""]:
        """Whether there is more to look at; after balances that are no numbers there is not."""
        return ~self.done & (self.count < LIMIT) & jnp.isfinite(self.balance).all()

    def next_rate(self, cap: Float[Array, "W K"]) -> Float[Array, "W K"]:
        """Shadow prices to look at next."""
        return jnp.clip(jnp.where(self.checking, jnp.where(self.jumps, self.low, self.rate), self.rate + self.step), 0.0, cap)


def begin(cap: Float[Array, "W K"]) -> Search:
    """Nothing known, shadow prices zero."""
    zero, far, no = jnp.zeros_like(cap), jnp.full_like(cap, jnp.inf), jnp.array(False)
    number = jnp.array(0, int)
    return Search(zero, zero, jnp.zeros((*cap.shape, cap.shape[1])), zero, -far, far, zero, jnp.zeros(cap.shape, bool), no, no, number, number)


def looked(at: Search, balance: Float[Array, "W K"], slope: Float[Array, "W K K"], cap: Float[Array, "W K"], size: Float[Array, "W K"]) -> Search:
    """The search after a look at `at.next_rate(cap)`: balances there, and nearly how they answer; `size` turns a shadow price into money a car."""
    rate, above = at.next_rate(cap), balance > 0
    main = jnp.where(at.checking, at.rate, rate)
    # an end that is contradicted is none: others have moved
    low = jnp.where(above | (rate <= 0), rate, jnp.where(at.low < rate, at.low, -jnp.inf))
    high = jnp.where(~above | (rate >= cap), rate, jnp.where(at.high > rate, at.high, jnp.inf))
    confirmed = ~at.jumps | above | (high <= 0)
    tight = (high - low) * size <= TOLERANCE_EUR
    kept = tight & (main == high)

    crossed = (at.jumps & (above != (at.balance > 0))).any(axis=1)
    better = jax.vmap(_corrected)(at.slope, rate - at.rate, balance - at.balance)
    new_slope = jnp.where(at.count == 0, slope, jnp.where(crossed[:, None, None] | at.checking, at.slope, better))
    # one after the other, and everybody else only from where all of them keep the rule: that is where the search is to end
    turn = at.jumps & ~kept & (jnp.cumsum(at.jumps & ~kept, axis=1) == 1)
    span = jnp.where(kept, TOLERANCE_EUR / jnp.where(size > 0, size, 1.0), jnp.where(turn & jnp.isinf(high - low), WIDER * at.span, at.span))
    to = jnp.where(turn, _between(low, high, span, tight, cap) - main, 0.0)
    still = at.checking | (at.jumps & above & (rate < cap)).any(axis=1, keepdims=True)
    ahead = balance + jnp.einsum("wkl,wl->wk", new_slope, to)
    newton = jax.vmap(projected_step)(rate, ahead, jnp.where(at.jumps, 0.0, cap), new_slope)
    step = jnp.where(at.jumps, to, jnp.where(still, 0.0, newton))
    there = (~at.jumps | kept).all()
    quiet = ~at.checking & there & (jnp.abs(step) * size <= TOLERANCE_EUR).all()

    waited = jnp.where(there & ~at.checking, at.waited + 1, at.waited)
    closed_in = (waited >= PATIENCE) & ~quiet & ~at.checking
    # one at a time: balances that jump make others move
    asked = jnp.where(at.jumps, 0.0, jnp.abs(newton) * size)
    newly = closed_in & (asked > TOLERANCE_EUR) & (asked >= asked.max())
    span = jnp.where(newly, jnp.abs(newton), span)
    return Search(
        rate=main,
        balance=jnp.where(at.checking, at.balance, balance),
        slope=jnp.where(closed_in, slope, new_slope),
        step=jnp.where(newly, _between(low, high, span, tight, cap) - main, step),
        low=low,
        high=high,
        span=span,
        jumps=at.jumps | newly,
        checking=quiet & at.jumps.any(),
        done=jnp.where(at.checking, confirmed.all(), quiet & ~at.jumps.any()),
        waited=jnp.where(closed_in, 0, waited),
        count=at.count + 1,
    )


def _between(low: Array, high: Array, span: Array, tight: Array, cap: Array) -> Array:
    """Where to look for a jump next: for an end that is missing, in the middle, or at the upper end once both are close."""
    inside = jnp.where(tight, high, 0.5 * (low + high))
    return jnp.where(jnp.isinf(high), jnp.minimum(low + span, cap), jnp.where(jnp.isinf(low), jnp.maximum(high - span, 0.0), inside))


def to_spare(at: Search, cap: Float[Array, "W K"], size: Float[Array, "W K"]) -> Float[Array, "W K"]:
    """How far below zero balances are at the shadow prices at which they jump through it; zero for pools that clear, are slack or fined."""
    explained = jnp.abs(jnp.diagonal(at.slope, axis1=1, axis2=2)) * MOST_SCALED * TOLERANCE_EUR / jnp.where(size > 0, size, 1.0)
    real = at.jumps & (at.rate > 0) & (at.rate < cap) & (-at.balance > explained)
    return jnp.where(real, -at.balance, 0.0)


def unsettled_eur(at: Search, size: Float[Array, "W K"]) -> Float[Array, "W K"]:
    """How far shadow prices are from settled, EUR a car."""
    return jnp.where(at.done, 0.0, jnp.where(at.jumps, jnp.inf, jnp.abs(at.step) * size))


def _corrected(slope: Array, step: Array, change: Array) -> Array:
    """Slopes with each row scaled so that they explain the last change of its balance. (K, K)"""
    expected = slope @ step
    own = jnp.abs(jnp.diagonal(slope) * step) > 0.5 * (jnp.abs(slope) @ jnp.abs(step))
    ratio = jnp.clip(change / jnp.where(expected != 0, expected, 1.0), 1 / MOST_SCALED, MOST_SCALED)
    return jnp.where((own & (expected != 0))[:, None], slope * ratio[:, None], slope)
