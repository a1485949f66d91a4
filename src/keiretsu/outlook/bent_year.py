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
from keiretsu.outlook.fleet_clearing import Cleared, clear_with_pools
from keiretsu.outlook.implicit import known_prices
from keiretsu.outlook.inputs import Values
from keiretsu.outlook.sides import Sides, Solver, briefly, choose_sides, in_full, sides_at, with_sides
from keiretsu.supply.pricing import PricingOptions
from keiretsu.supply.wedges import paid

PASSES = 4  # times that sides are chosen anew for the shadow costs of fleet rules that they lead to
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
    that went round (M,); the share of the year that each pot was open (P,)."""

    markets: SolvedMarket
    cleared: Cleared | None
    stood: Bool[Array, "M J"]
    at_break: Int[Array, " M"]
    unsettled: Int[Array, " M"]
    open_share: Float[Array, " P"]


class _Part(eqx.Module):
    markets: SolvedMarket
    cleared: Cleared | None
    sides: Sides
    unsettled: Array
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
    """All markets of a year; `rate` are shadow prices to start from, at which the markets' starting prices should be near."""

    def part(open_: Array, start: Array, stood: Array, rate: Array) -> _Part:
        held = jnp.where(markets.held, markets.start, start)
        here = eqx.tree_at(lambda m: m.start, markets, jax.lax.stop_gradient(held) + (markets.start - jax.lax.stop_gradient(markets.start)))
        return _part(here, area, rate, eqx.tree_at(lambda b: b.stood, bent, stood), open_, potential, options, outside)

    budget = bent.rules.budget
    pots = budget.shape[0]
    if pots == 0:
        found = part(jnp.zeros(0), markets.start, bent.stood, rate)
        held = found.sides.held_at >= 0
        return BentYear(found.markets, found.cleared, held, held.sum(axis=1), found.unsettled, jnp.zeros(0))
    shape = jax.eval_shape(part, jnp.zeros(pots), markets.start, bent.stood, rate)
    nothing: _Part = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shape)

    def step(carry: tuple[Any, ...], _: None) -> tuple[tuple[Any, ...], tuple[_Part, Array, Array]]:
        left, remaining, start, stood, rate = carry
        open_ = ((left > 0) & jnp.isfinite(budget)).astype(float)
        found = jax.lax.cond(remaining > TINY, part, lambda *_: nothing, open_, start, stood, rate)
        until = jnp.where((open_ > 0) & (found.spent > 0), left / jnp.where(found.spent > 0, found.spent, 1.0), jnp.inf)
        until = jnp.where(jnp.isfinite(budget), until, jnp.inf)
        length = jnp.minimum(remaining, until.min())
        after = jnp.where(until <= length, 0.0, left - jnp.where(jnp.isfinite(budget), found.spent * length, 0.0))
        there = remaining > TINY
        start = jnp.where(there, jax.lax.stop_gradient(found.markets.price), start)
        stood = jnp.where(there, found.sides.held_at >= 0, stood)
        rest = jnp.where(length < remaining, remaining - length, 0.0)
        if found.cleared is not None:
            rate = jnp.where(there, jax.lax.stop_gradient(found.cleared.rate), rate)
        return (after, rest, start, stood, rate), (found, jnp.where(there, length, 0.0), open_)

    first = (jnp.where(jnp.isfinite(budget), budget, 0.0), jnp.array(1.0), markets.start, bent.stood, rate)
    (_, _, _, stood, _), (parts, length, open_) = jax.lax.scan(step, first, None, length=pots + 1)
    at_break = (parts.sides.held_at[0] >= 0).sum(axis=1)
    return BentYear(*_blended(parts, length), stood, at_break, parts.unsettled.sum(axis=0), length @ open_)


def _blended(parts: _Part, length: Float[Array, " S"]) -> tuple[SolvedMarket, Cleared | None]:
    """The year of its parts (a first axis S), by their share of it."""
    there = length > 0

    def mean(values: Array) -> Array:
        return jnp.tensordot(length, jnp.where(there.reshape(-1, *[1] * (values.ndim - 1)), values, 0.0), axes=1)

    m = parts.markets
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
    c = parts.cleared
    if c is None:
        return solved, None
    return solved, Cleared(
        solved, mean(c.rate), mean(c.shadow), jnp.where(there, c.gap, 0.0).max(), c.rounds.sum(), None if c.slope is None else c.slope[0]
    )


def _part(
    markets: YearMarket,
    area: Area | None,
    rate: Array,
    bent: BentRules,
    open_: Array,
    potential: Float[Array, " M"],
    options: PricingOptions,
    outside: bool,
) -> _Part:
    """All markets with these pots open."""
    pieces = pieces_in_force(bent.rules, bent.incentives, open_)

    def here(sides: Sides) -> YearMarket:
        return jax.vmap(with_sides)(markets, pieces, sides, bent.buyer_class)

    first = jax.vmap(sides_at)(markets, pieces, bent.stood)
    if area is None:
        each = (markets, pieces, first, bent.buyer_class)
        sides = jax.lax.map(lambda x: choose_sides(x[0], x[1], x[2], x[3], in_full(options), outside), each)
        solved = (here(sides), sides.price, sides.residual, sides.evaluations, sides.settled)
        found = jax.lax.map(lambda x: solved_before(x[0], x[1], x[2], x[3], x[4], outside), solved)
        return _Part(found, None, sides, sides.unsettled, _spending(markets, pieces, sides, found, bent, potential, outside))

    def cleared(sides: Sides, from_rate: Array) -> Cleared:
        return clear_with_pools(here(sides), area, from_rate, options, outside)

    shape = jax.eval_shape(cleared, first, rate)
    nothing: Cleared = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shape)

    def again(carry: tuple[Sides, Cleared, Array, Array], number: Array) -> tuple[tuple[Any, ...], None]:
        """Sides at the shadow costs known so far, then all markets and pools on them; nothing once sides stay as they are."""
        sides, found, from_rate, changed = carry
        begins = number == 0
        shadow = jax.lax.stop_gradient(jnp.where(begins, area.shadow(rate), found.shadow))
        price = jax.lax.stop_gradient(jnp.where(begins, markets.start, found.markets.price))
        known = eqx.tree_at(lambda s: (s.price, s.settled), sides, (price, found.markets.settled & ~begins))

        def weighed(_: Any) -> Sides:
            charged = eqx.tree_at(lambda m: m.shadow, markets, markets.shadow + shadow)
            # shadow costs are not known yet at first; what is chosen then is weighed again at solved prices
            near = jnp.where(begins, FIRST_EUR, options.tolerance_eur)
            solver = briefly(options, near)
            return jax.lax.map(lambda x: _weighed(x[0], x[1], x[2], x[3], solver, outside), (charged, pieces, known, bent.buyer_class))

        fresh = jax.lax.cond(changed.any(), weighed, lambda _: known, 0)
        moved = ((fresh.piece != sides.piece) | (fresh.held_at != sides.held_at)).sum(axis=1)
        found = jax.lax.cond(begins | moved.any(), cleared, lambda *_: found, fresh, from_rate)
        return (fresh, found, jax.lax.stop_gradient(found.rate), jnp.where(begins, 1, moved)), None

    start = (first, nothing, rate, jnp.ones(markets.start.shape[0], int))
    (sides, done, _, changed), _ = jax.lax.scan(again, start, jnp.arange(PASSES))
    return _Part(done.markets, done, sides, sides.unsettled + changed, _spending(markets, pieces, sides, done.markets, bent, potential, outside))


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
    markets: YearMarket, pieces: Pieces, sides: Sides, found: SolvedMarket, bent: BentRules, potential: Float[Array, " M"], outside: bool
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
        return jax.lax.map(of_market, (markets, pieces, sides, found.price, bent.buyer_class, potential, *terms)).sum(axis=0)

    return jax.lax.cond(jnp.isfinite(rules.budget).any(), counted, lambda: jnp.zeros(rules.budget.shape[0]))
