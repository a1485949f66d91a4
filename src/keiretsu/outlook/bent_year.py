"""A year whose taxes and incentives bend: sides of breakpoints first, then all markets; parts of the year where a pot of money runs out ([7], [11]).

A pot that is empty before the year is over splits it: prices are set anew without its programme (`keiretsu.outlook.parts`). Sales, money and surplus are sums over
the parts by their share of the year; prices and margins are means over the cars sold. Parts are found one after the other; in a year in which a fleet rule holds in a
market of a pot they are solved together, with one shadow price of each pool and one balance for the year.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from keiretsu.numerics.implicit import kept_backwards
from keiretsu.outlook.arrays import BaseYear, Parts, Plan, State
from keiretsu.outlook.bent import pieces_in_force, rules_of_year
from keiretsu.outlook.bent_search import BentRules, Found, Given, find_part, lengths_of, spending_in
from keiretsu.outlook.clearing import SolvedMarket, YearMarket, at_prices, problem_of
from keiretsu.outlook.fleet_clearing import Cleared, cleared_at, pools_of
from keiretsu.outlook.fleet_newton import Known, nothing_known
from keiretsu.outlook.implicit import known_prices
from keiretsu.outlook.inputs import Values
from keiretsu.outlook.parts import area_of_parts, begins, by_part, in_order, repeated, runs
from keiretsu.outlook.sides import Sides, with_sides

TINY = 1e-9  # of a year: a part shorter than this is none


class BentYear(eqx.Module):
    """Markets over the year; `cleared` with fleet rules. Prices that stand at a breakpoint at its end, (M, J), and how many in its first part (M,); choices of side
    that went round (M,) and what moving one price would bring its setter there (EUR a year, inf where it is not known), with pools' due and without; the share of the year that each pot was
    open (P,); answers for the next year; its parts, for other paths to start from."""

    markets: SolvedMarket
    cleared: Cleared | None
    stood: Bool[Array, "M J"]
    at_break: Int[Array, " M"]
    unsettled: Int[Array, " M"]
    to_gain: Float[Array, " M"]
    seemed: Float[Array, " M"]
    open_share: Float[Array, " P"]
    known: Known | None
    parts: Parts


def bent_rules(base: BaseYear, plan: Plan, values: Values, state: State) -> BentRules:
    """What a year of a plan with bends is solved under."""
    assert plan.bends is not None
    assert plan.bend_set is not None
    assert plan.keeps is not None
    return BentRules(rules_of_year(plan.bends, plan.bend_set), plan.keeps, values["incentives"], base.buyer_class, stood_at_break(state))


def stood_at_break(state: State) -> Bool[Array, "M J"]:
    """Prices that stood at a breakpoint the year before."""
    return jnp.zeros(state.price.shape, bool) if state.stood is None else state.stood


def clear_bent(given: Given) -> BentYear:
    """All markets of a year.

    Parts of the year, sides and prices are searched for first, without derivatives; what they come to is worked out once from there, with them.
    """
    if given.area is None or not given.bent.rules.joint:
        return _in_turn(given)
    return jax.lax.cond(jnp.isfinite(given.bent.rules.budget).any(), lambda _: _together(given), lambda _: _in_turn(given), 0)


def _in_turn(given: Given) -> BentYear:
    """Parts of the year one after the other; one part where years with pots are solved together."""
    bent = given.bent
    *searched, after = _search(jax.lax.stop_gradient(given))
    found, lengths, open_ = kept_backwards(tuple(searched))

    def at(part: Found, pots: Array) -> tuple[SolvedMarket, Cleared | None, Array]:
        return _worked_out(given, part, pots)

    def first(values: Any) -> Any:
        return jax.tree.map(lambda value: value[0], values)

    def whole(_: Any) -> tuple[SolvedMarket, Cleared | None, Array]:
        solved, cleared, _ = at(first(found), open_[0])
        return solved, cleared, open_[0]

    def split(_: Any) -> tuple[SolvedMarket, Cleared | None, Array]:
        nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(at, first(found), open_[0]))

        def step(carry: tuple[Array, Array], part: tuple[Found, Array, Array]) -> tuple[tuple[Array, Array], tuple[Any, ...]]:
            (left, remaining), (here, pots, there) = carry, part
            solved, cleared, spent = jax.lax.cond(there > 0, at, lambda *_: nothing, here, pots)
            after, rest, length = runs(bent.rules.budget, left, remaining, spent, pots)
            return (after, rest), (solved, cleared, jnp.where(there > 0, length, 0.0))

        _, (solved, cleared, length) = jax.lax.scan(step, begins(bent.rules.budget), (found, open_, lengths))
        return *_blended(solved, cleared, length), length @ open_

    solved, cleared, open_share = whole(0) if open_.shape[0] == 1 else jax.lax.cond(lengths[1] > 0, split, whole, 0)
    return _as_year(solved, cleared, found.sides, lengths, given.potential, open_share, after, _parts(given, found, lengths))


def _parts(given: Given, found: Found, lengths: Float[Array, " S"]) -> Parts:
    """Parts of the year for other paths to start from."""
    held, there, on_sale = found.sides.held_at >= 0, lengths > 0, given.markets.on_sale
    if found.solution is None or given.area is None:
        return Parts(there, jnp.where(on_sale, found.sides.price, 0.0), held)
    pools, area = pools_of(given.area), given.area
    every = jax.vmap(pools.every)(found.solution.rate)
    return Parts(
        there, jnp.where(on_sale, found.solution.price, 0.0), held, jax.vmap(area.at_slots)(every), jnp.einsum("mjp,sp->smj", pools.charged, every)
    )


def _no_parts(given: Given) -> Parts:
    """Of a year solved all at once: none that another path might start from."""
    shape = (1, *given.markets.start.shape)
    rate, shadow = (None, None) if given.area is None else (given.rate[None], jnp.zeros(shape))
    return Parts(jnp.zeros(1, bool), jnp.zeros(shape), jnp.zeros(shape, bool), rate, shadow)


def _as_year(
    solved: SolvedMarket,
    cleared: Cleared | None,
    sides: Sides,
    lengths: Float[Array, " S"],
    potential: Float[Array, " M"],
    open_share: Array,
    known: Known | None,
    parts: Parts,
) -> BentYear:
    """The year with what is said of its sides (with a first axis S)."""
    last = jnp.maximum((lengths > 0).sum() - 1, 0)
    held = sides.held_at >= 0
    unsettled = jnp.where((lengths > 0)[:, None], sides.unsettled, 0)
    each = jnp.where((lengths > 0)[:, None], sides.to_gain, 0.0)
    to_gain = each[jnp.abs(each).argmax(axis=0), jnp.arange(potential.shape[0])] * jax.lax.stop_gradient(potential)
    seemed = jnp.where((lengths > 0)[:, None], sides.seemed, 0.0).max(axis=0) * jax.lax.stop_gradient(potential)
    return BentYear(solved, cleared, held[last], held[0].sum(axis=1), unsettled.sum(axis=0), to_gain, seemed, open_share, known, parts)


def _together(given: Given) -> BentYear:
    """Parts of a year under fleet rules, as markets of their own that count in balances for as long as they last; answers of the year before are handed on."""
    every = _of_parts(given)
    bent, parts, rows = every.bent, every.bent.rules.joint, given.potential.shape[0]
    found, open_ = kept_backwards(_found_together(jax.lax.stop_gradient(every)))
    assert every.area is not None
    assert found.solution is not None
    here = jax.vmap(with_sides)(every.markets, pieces_in_force(bent.rules, bent.keeps, bent.incentives, open_), found.sides, bent.buyer_class)
    counts = lengths_of(every, here, found.sides, open_)
    cleared = cleared_at(here, every.area, found.solution, given.outside, counts)
    length = counts.of_parts(cleared.markets.price)
    each, sides = jax.tree.map(lambda leaf: leaf.reshape(parts, rows, *leaf.shape[1:]), (cleared.markets, found.sides))
    solved, _ = _blended(each, None, length)
    whole = Cleared(solved, cleared.rate, cleared.shadow[:rows], cleared.gap, cleared.rounds, cleared.slope)
    return _as_year(solved, whole, sides, jax.lax.stop_gradient(length), given.potential, length @ open_, given.known, _no_parts(given))


def _of_parts(given: Given) -> Given:
    """The same for all parts of the year that may be, one after the other, with nothing known from before."""
    parts, bent, area = given.bent.rules.joint, given.bent, given.area
    assert area is not None
    markets, buyers = repeated((given.markets, given.potential), parts)
    bent = eqx.tree_at(lambda b: (b.buyer_class, b.stood), bent, repeated((bent.buyer_class, bent.stood), parts))
    none = nothing_known(area.rules.live.shape[0], *markets.start.shape)
    return Given(markets, area_of_parts(area, parts), given.rate, none, bent, buyers, None, given.options, given.outside)


def _found_together(given: Given) -> tuple[Found, Float[Array, "S P"]]:
    """Sides, prices and shadow prices of all parts (N = S x M), and which pots are open in them: found anew while pots are empty in another order."""
    markets, area, bent = given.markets, given.area, given.bent
    budget, parts = bent.rules.budget, bent.rules.joint
    assert area is not None

    def part(open_: Array, start: Array, stood: Array, rate: Array) -> Found:
        return find_part(given.starting(start, stood, rate, given.known), open_)[0]

    first = in_order(budget, jnp.ones((parts, budget.shape[0])))
    shape = jax.eval_shape(part, first, markets.start, bent.stood, given.rate)
    nothing: Found = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shape)

    def again(carry: tuple[Array, Array, Found, Array, Array]) -> tuple[Array, Array, Found, Array, Array]:
        _, open_, before, _, number = carry
        begun = number > 0
        assert before.solution is not None
        start = jnp.where(begun, before.solution.price, markets.start)
        stood = jnp.where(begun, before.sides.held_at >= 0, bent.stood)
        found = part(open_, start, stood, jnp.where(begun, area.at_slots(pools_of(area).every(before.solution.rate)), given.rate))
        following = in_order(budget, by_part(found.spent, parts))
        return open_, following, found, (following != open_).any(), number + 1

    def unfinished(carry: tuple[Array, Array, Found, Array, Array]) -> Array:
        return carry[3] & (carry[4] < parts + 2)

    end = jax.lax.while_loop(unfinished, again, (first, first, nothing, jnp.array(True), jnp.array(0, int)))
    open_, _, found, changed, _ = end
    return eqx.tree_at(lambda f: f.solution.settled, found, found.solution.settled & ~changed), open_  # type: ignore[union-attr]


def _search(given: Given) -> tuple[Found, Float[Array, " S"], Float[Array, "S P"], Known | None]:
    """Parts of the year (a first axis S), how long each is (a share of the year; zero where there is none), which pots are open in it, and answers at its end."""
    markets, area, bent = given.markets, given.area, given.bent
    budget = bent.rules.budget

    def part(number: Array, pots: Array, start: Array, stood: Array, rate: Array, known: Known | None) -> tuple[Found, Known | None]:
        led, here = given.led, (start, stood, rate)
        if led is None:
            return find_part(given.starting(*here, known), pots)
        follows = led.follow[number]
        start, stood, rate = jax.tree.map(lambda its, mine: jnp.where(follows, its[number], mine), (led.start, led.stood, led.rate), here)
        return find_part(given.starting(start, stood, rate, known), pots, follows, led.to_gain)

    once = jnp.array(0, int)
    if budget.shape[0] == 0 or bent.rules.joint:
        found, known = part(once, jnp.zeros(budget.shape), markets.start, bent.stood, given.rate, given.known)
        return jax.tree.map(lambda value: value[None], found), jnp.ones(1), jnp.zeros((1, *budget.shape)), known
    parts = budget.shape[0] + 1
    one = jax.eval_shape(part, once, jnp.zeros(budget.shape), markets.start, bent.stood, given.rate, given.known)[0]
    none = (jax.tree.map(lambda leaf: jnp.zeros((parts, *leaf.shape), leaf.dtype), one), jnp.zeros(parts), jnp.zeros((parts, *budget.shape)))

    def step(carry: tuple[Any, ...]) -> tuple[Any, ...]:
        number, left, remaining, start, stood, rate, known, so_far = carry
        pots = ((left > 0) & jnp.isfinite(budget)).astype(float)
        found, known = part(number, pots, start, stood, rate, known)
        after, rest, length = runs(budget, left, remaining, found.spent.sum(axis=0), pots)
        if found.solution is not None and area is not None:
            rate = area.at_slots(pools_of(area).every(found.solution.rate))
        price = found.sides.price if found.solution is None else found.solution.price
        so_far = jax.tree.map(lambda values, value: values.at[number].set(value), so_far, (found, length, pots))
        return number + 1, after, rest, price, found.sides.held_at >= 0, rate, known, so_far

    first = (once, *begins(budget), markets.start, bent.stood, given.rate, given.known, none)
    end = jax.lax.while_loop(lambda carry: (carry[0] < parts) & (carry[2] > TINY), step, first)
    return *end[-1], end[-2]


def _blended(m: SolvedMarket, c: Cleared | None, length: Float[Array, " S"]) -> tuple[SolvedMarket, Cleared | None]:
    """The year of its parts (a first axis S), by their share of it."""
    there = length > 0

    def mean(values: Array) -> Array:
        return jnp.tensordot(length, jnp.where(there.reshape(-1, *[1] * (values.ndim - 1)), values, 0.0), axes=1)

    share, worth = mean(m.share), mean(m.worth)
    sold = jnp.where(share > 0, share, 1.0)
    price = jnp.where(share > 0, mean(m.share * m.price) / sold, m.price[0])
    solved = SolvedMarket(
        price=price,
        share=share,
        margin=worth / sold,
        worth=worth,
        to_government=mean(m.to_government),
        surplus=mean(m.surplus),
        residual=jnp.where(there[:, None], m.residual, 0.0).max(axis=0),
        iterations=m.iterations.sum(axis=0),
        settled=(m.settled | ~there[:, None]).all(axis=0),
    )
    if c is None:
        return solved, None
    return solved, Cleared(
        solved, mean(c.rate), mean(c.shadow), jnp.where(there, c.gap, 0.0).max(), c.rounds.sum(), None if c.slope is None else c.slope[0]
    )


def _worked_out(given: Given, part: Found, open_: Array) -> tuple[SolvedMarket, Cleared | None, Array]:
    """What a part of the year comes to in a whole year, with derivatives, and what each pot pays."""
    bent, area, outside = given.bent, given.area, given.outside
    pieces, sides = pieces_in_force(bent.rules, bent.keeps, bent.incentives, open_), part.sides
    here = jax.vmap(with_sides)(given.markets, pieces, sides, bent.buyer_class)
    if area is None or part.solution is None:
        solved = (here, sides.price, sides.residual, sides.evaluations, sides.settled)
        found, cleared = jax.lax.map(lambda x: solved_before(x[0], x[1], x[2], x[3], x[4], outside), solved), None
    else:
        cleared = cleared_at(here, area, part.solution, outside)
        found = cleared.markets
    return found, cleared, spending_in(given, here, sides, found.price).sum(axis=0)


def solved_before(m: YearMarket, price: Array, residual: Array, evaluations: Array, settled: Array, outside: bool) -> SolvedMarket:
    """A market at prices that were solved while sides were chosen, with their derivatives."""
    held = jnp.where(m.held, m.start, price)
    return at_prices(m, known_prices(problem_of(m, m.shadow, outside), held), residual, evaluations, settled, outside)
