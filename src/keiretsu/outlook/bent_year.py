"""A year whose taxes and incentives bend: sides of breakpoints first, then all markets; parts of the year where a pot of money runs out ([7], [11]).

A pot that is empty before the year is over splits it: prices are set anew without its programme, spending runs at a constant rate within each part, and
the day a pot is empty follows from what is left (as `keiretsu.market.budget.run_out`). Sales, money and surplus are sums over the parts by their share of the year;
prices and margins are means over the cars sold. Within a part fleet rules hold as if the part were the year.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from keiretsu.demand.choice import choose
from keiretsu.outlook.arrays import BaseYear, Plan, State
from keiretsu.outlook.bent import Bends, Pieces, pieces_in_force, rules_of_year
from keiretsu.outlook.clearing import SolvedMarket, YearMarket, at_prices, problem_of
from keiretsu.outlook.fleet import Area
from keiretsu.outlook.fleet_clearing import Cleared, Solution, cleared_at, pools_of, solve_with_pools
from keiretsu.outlook.implicit import known_prices
from keiretsu.outlook.inputs import Values
from keiretsu.outlook.sides import Sides, Solver, briefly, choose_sides, in_full, sides_at, with_sides
from keiretsu.supply.pricing import PricingOptions
from keiretsu.supply.wedges import paid

PASSES = 4  # times that sides are weighed for the shadow costs of fleet rules that they lead to
FIRST_EUR = 1.0  # how near prices are solved when sides are chosen for the first time
TINY = 1e-9  # of a year: a part shorter than this is none


class BentRules(eqx.Module):
    """What a bent year is solved under: its rules, incentives as a multiple of those planned, class of each draw, whether prices stood at a breakpoint."""

    rules: Bends
    incentives: Float[Array, ""]
    buyer_class: Int[Array, "M I"]
    stood: Bool[Array, "M J"]


class BentYear(eqx.Module):
    """Markets over the year; `cleared` with fleet rules. Prices that stand at a breakpoint at its end, (M, J), and how many in its first part (M,); choices of side
    that went round (M,) and what moving one price would bring its setter there (EUR a year, inf where it is not known); the share of the year that each pot was open (P,)."""

    markets: SolvedMarket
    cleared: Cleared | None
    stood: Bool[Array, "M J"]
    at_break: Int[Array, " M"]
    unsettled: Int[Array, " M"]
    to_gain: Float[Array, " M"]
    open_share: Float[Array, " P"]


class _Found(eqx.Module):
    """A part of the year as it was found, without derivatives: sides, prices and shadow prices, choices of side that went round and what is to
    be gained there (money a potential buyer) (M,), what each pot would pay (P,)."""

    sides: Sides
    solution: Solution | None
    unsettled: Array
    to_gain: Array
    spent: Array


def bent_rules(base: BaseYear, plan: Plan, values: Values, state: State) -> BentRules:
    """What a year of a plan with bends is solved under."""
    assert plan.bends is not None
    assert plan.bend_set is not None
    return BentRules(rules_of_year(plan.bends, plan.bend_set), values["incentives"], base.buyer_class, stood_at_break(state))


def stood_at_break(state: State) -> Bool[Array, "M J"]:
    """Prices that stood at a breakpoint the year before."""
    return jnp.zeros(state.price.shape, bool) if state.stood is None else state.stood


def clear_bent(
    markets: YearMarket, area: Area | None, rate: Array, bent: BentRules, potential: Float[Array, " M"], options: PricingOptions, outside: bool
) -> BentYear:
    """All markets of a year; `rate` are shadow prices to start from, at which the markets' starting prices should be near.

    Parts of the year, sides and prices are searched for first, without derivatives; what they come to is worked out once from there, with them.
    """
    found, lengths, open_ = _search(*jax.lax.stop_gradient((markets, area, rate, bent, potential)), options, outside)

    def at(part: _Found, pots: Array) -> tuple[SolvedMarket, Cleared | None, Array]:
        return _worked_out(markets, area, part, bent, pots, potential, outside)

    def first(values: Any) -> Any:
        return jax.tree.map(lambda value: value[0], values)

    def whole(_: Any) -> tuple[SolvedMarket, Cleared | None, Array]:
        solved, cleared, _ = at(first(found), open_[0])
        return solved, cleared, open_[0]

    def split(_: Any) -> tuple[SolvedMarket, Cleared | None, Array]:
        nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(at, first(found), open_[0]))

        def step(carry: tuple[Array, Array], part: tuple[_Found, Array, Array]) -> tuple[tuple[Array, Array], tuple[Any, ...]]:
            (left, remaining), (here, pots, there) = carry, part
            solved, cleared, spent = jax.lax.cond(there > 0, at, lambda *_: nothing, here, pots)
            after, rest, length = _runs(bent.rules.budget, left, remaining, spent, pots)
            return (after, rest), (solved, cleared, jnp.where(there > 0, length, 0.0))

        _, (solved, cleared, length) = jax.lax.scan(step, _begins(bent.rules.budget), (found, open_, lengths))
        return *_blended(solved, cleared, length), length @ open_

    solved, cleared, open_share = whole(0) if open_.shape[0] == 1 else jax.lax.cond(lengths[1] > 0, split, whole, 0)
    last = jnp.maximum((lengths > 0).sum() - 1, 0)
    held = found.sides.held_at >= 0
    there = (lengths > 0)[:, None]
    to_gain = jnp.where(there & (found.unsettled > 0), found.to_gain, 0.0).max(axis=0) * jax.lax.stop_gradient(potential)
    return BentYear(solved, cleared, held[last], held[0].sum(axis=1), found.unsettled.sum(axis=0), to_gain, open_share)


def _search(
    markets: YearMarket,
    area: Area | None,
    rate: Array,
    bent: BentRules,
    potential: Float[Array, " M"],
    options: PricingOptions,
    outside: bool,
) -> tuple[_Found, Float[Array, " S"], Float[Array, "S P"]]:
    """Parts of the year (a first axis S), how long each is (a share of the year; zero where there is none) and which pots are open in it."""
    budget = bent.rules.budget

    def part(pots: Array, start: Array, stood: Array, rate: Array) -> _Found:
        here = eqx.tree_at(lambda m: m.start, markets, jnp.where(markets.held, markets.start, start))
        return _find(here, area, rate, eqx.tree_at(lambda b: b.stood, bent, stood), pots, potential, options, outside)

    if budget.shape[0] == 0:
        found = part(jnp.zeros(0), markets.start, bent.stood, rate)
        return jax.tree.map(lambda value: value[None], found), jnp.ones(1), jnp.zeros((1, 0))
    shape = jax.eval_shape(part, jnp.zeros(budget.shape), markets.start, bent.stood, rate)
    nothing: _Found = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shape)

    def step(carry: tuple[Any, ...], _: None) -> tuple[tuple[Any, ...], tuple[_Found, Array, Array]]:
        left, remaining, start, stood, rate = carry
        there = remaining > TINY
        pots = ((left > 0) & jnp.isfinite(budget)).astype(float)
        found = jax.lax.cond(there, part, lambda *_: nothing, pots, start, stood, rate)
        after, rest, length = _runs(budget, left, remaining, found.spent, pots)
        if found.solution is not None and area is not None:
            rate = jnp.where(there, area.at_slots(pools_of(area).every(found.solution.rate)), rate)
        price = found.sides.price if found.solution is None else found.solution.price
        start, stood = jnp.where(there, price, start), jnp.where(there, found.sides.held_at >= 0, stood)
        return (after, rest, start, stood, rate), (found, jnp.where(there, length, 0.0), pots)

    first = (*_begins(budget), markets.start, bent.stood, rate)
    return jax.lax.scan(step, first, None, length=budget.shape[0] + 1)[1]


def _begins(budget: Float[Array, " P"]) -> tuple[Array, Array]:
    """What is in each pot, and the whole year."""
    return jnp.where(jnp.isfinite(budget), budget, 0.0), jnp.array(1.0, dtype=float)


def _runs(budget: Array, left: Array, remaining: Array, spent: Array, open_: Array) -> tuple[Array, Array, Array]:
    """What is left in each pot and of the year after a part in which pots pay at the rate `spent`, and how long it is: until one is empty or the year over."""
    until = jnp.where((open_ > 0) & (spent > 0), left / jnp.where(spent > 0, spent, 1.0), jnp.inf)
    until = jnp.where(jnp.isfinite(budget), until, jnp.inf)
    length = jnp.minimum(remaining, until.min())
    after = jnp.where(until <= length, 0.0, left - jnp.where(jnp.isfinite(budget), spent * length, 0.0))
    return after, jnp.where(length < remaining, remaining - length, 0.0), length


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


def _find(
    markets: YearMarket,
    area: Area | None,
    rate: Array,
    bent: BentRules,
    open_: Array,
    potential: Float[Array, " M"],
    options: PricingOptions,
    outside: bool,
) -> _Found:
    """Sides and prices of all markets with these pots open."""
    pieces = pieces_in_force(bent.rules, bent.incentives, open_)
    first = jax.vmap(sides_at)(markets, pieces, bent.stood)
    if area is None:
        each = (markets, pieces, first, bent.buyer_class)
        sides = jax.lax.map(lambda x: choose_sides(x[0], x[1], x[2], x[3], in_full(options), outside), each)
        return _Found(sides, None, sides.unsettled, sides.to_gain, _spending(markets, pieces, sides, sides.price, bent, potential, outside))
    pools = pools_of(area)

    def solved(sides: Sides, from_rate: Array) -> Solution:
        here = jax.vmap(with_sides)(markets, pieces, sides, bent.buyer_class)
        return solve_with_pools(here, area, from_rate, options, outside)

    shape = jax.eval_shape(solved, first, rate)
    nothing: Solution = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shape)

    def again(carry: tuple[Sides, Solution, Array, Array]) -> tuple[Sides, Solution, Array, Array]:
        """Sides at the shadow costs known so far, then all markets and pools on them, where sides are not as they were."""
        sides, found, _, number = carry
        begins = number == 0
        shadow = jnp.where(begins, area.shadow(rate), pools.shadow(found.rate))
        price = jnp.where(begins, markets.start, found.price)
        known = eqx.tree_at(lambda s: (s.price, s.settled), sides, (price, jnp.broadcast_to(found.settled & ~begins, sides.settled.shape)))
        charged = eqx.tree_at(lambda m: m.shadow, markets, markets.shadow + shadow)
        # shadow costs are not known yet at first; what is chosen then is weighed again at solved prices
        solver = briefly(options, jnp.where(begins, FIRST_EUR, options.tolerance_eur))
        fresh = jax.lax.map(lambda x: _weighed(x[0], x[1], x[2], x[3], solver, outside), (charged, pieces, known, bent.buyer_class))
        moved = ((fresh.piece != sides.piece) | (fresh.held_at != sides.held_at)).sum(axis=1)
        # what still moves at the end stays where it was solved, with what it would gain
        stays = (number == PASSES - 1) & (moved > 0)
        as_solved = eqx.tree_at(lambda s: (s.unsettled, s.to_gain), known, (moved, fresh.began))
        fresh = jax.tree.map(lambda a, b: jnp.where(stays.reshape(-1, *[1] * (b.ndim - 1)), a, b), as_solved, fresh)
        moved = jnp.where(stays, 0, moved)
        from_rate = jnp.where(begins, rate, area.at_slots(pools.every(found.rate)))
        found = jax.lax.cond(begins | moved.any(), solved, lambda *_: found, fresh, from_rate)
        return fresh, found, jnp.where(begins, 1, moved), number + 1

    def unfinished(carry: tuple[Sides, Solution, Array, Array]) -> Array:
        return (carry[2] > 0).any() & (carry[3] < PASSES)

    start = (first, nothing, jnp.ones(markets.start.shape[0], int), jnp.array(0, int))
    sides, done, _, _ = jax.lax.while_loop(unfinished, again, start)
    return _Found(sides, done, sides.unsettled, sides.to_gain, _spending(markets, pieces, sides, done.price, bent, potential, outside))


def _worked_out(
    markets: YearMarket, area: Area | None, part: _Found, bent: BentRules, open_: Array, potential: Float[Array, " M"], outside: bool
) -> tuple[SolvedMarket, Cleared | None, Array]:
    """What a part of the year comes to in a whole year, with derivatives, and what each pot pays."""
    pieces, sides = pieces_in_force(bent.rules, bent.incentives, open_), part.sides
    here = jax.vmap(with_sides)(markets, pieces, sides, bent.buyer_class)
    if area is None or part.solution is None:
        solved = (here, sides.price, sides.residual, sides.evaluations, sides.settled)
        found, cleared = jax.lax.map(lambda x: solved_before(x[0], x[1], x[2], x[3], x[4], outside), solved), None
    else:
        cleared = cleared_at(here, area, part.solution, outside)
        found = cleared.markets
    return found, cleared, _spending(markets, pieces, sides, found.price, bent, potential, outside)


def solved_before(m: YearMarket, price: Array, residual: Array, evaluations: Array, settled: Array, outside: bool) -> SolvedMarket:
    """A market at prices that were solved while sides were chosen, with their derivatives."""
    held = jnp.where(m.held, m.start, price)
    return at_prices(m, known_prices(problem_of(m, m.shadow, outside), held), residual, evaluations, settled, outside)


def _weighed(m: YearMarket, pieces: Pieces, known: Sides, buyer_class: Array, solver: Solver, outside: bool) -> Sides:
    """Sides of one market at solved prices; one without a breakpoint has none to choose."""
    if pieces.breaks.shape[1] == 0:
        return known
    bent = (pieces.bent & m.on_sale).any()
    return jax.lax.cond(bent, lambda x: choose_sides(m, pieces, x, buyer_class, solver, outside), lambda x: x, known)


def _spending(
    markets: YearMarket, pieces: Pieces, sides: Sides, price: Float[Array, "M J"], bent: BentRules, potential: Float[Array, " M"], outside: bool
) -> Float[Array, " P"]:
    """What each pot would pay out in a whole year at these prices, EUR."""
    rules = bent.rules
    if rules.budget.shape[0] == 0:
        return jnp.zeros(0)

    def of_market(x: tuple[Any, ...]) -> Array:
        m, mine, side, price, buyer_class, buyers, rate, add, lost, charge = x
        here = with_sides(m, mine, side, buyer_class)
        sold = choose(problem_of(here, m.shadow, outside).tastes, paid(here.wedges, price)).probability * m.weight
        by_class = jax.ops.segment_sum(sold.T, buyer_class, add.shape[-1]).T  # (J, G)
        row = jnp.arange(price.shape[0])
        take = bent.incentives * (rate[:, row, side.piece] * price[:, None] + add[:, row, side.piece])
        take = take + (lost[:, row, side.piece] * price)[..., None] + charge[:, row, side.piece]
        return -buyers * (take * by_class).sum(axis=(1, 2))

    def by_market(values: Array) -> Array:
        return jnp.moveaxis(values, 1, 0)

    terms = [by_market(values) for values in (rules.pot_rate, rules.pot_add, rules.pot_lost, rules.pot_charge)]

    def counted() -> Array:
        return jax.lax.map(of_market, (markets, pieces, sides, price, bent.buyer_class, potential, *terms)).sum(axis=0)

    return jax.lax.cond(jnp.isfinite(rules.budget).any(), counted, lambda: jnp.zeros(rules.budget.shape[0]))
