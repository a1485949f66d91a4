"""On which side of its breakpoints each price is best, inside a year ([7]).

As `keiretsu.supply.kinks` and `keiretsu.supply.notches` do for one year, in one compiled loop: prices are solved on the pieces they are on; one that runs past
a breakpoint is held there and let go on the side where moving pays; once none moves, every setter weighs each of its cars near a wall (a price
ceiling, a duty bracket) on the other side, its other prices and rivals' given, and the best of each setter moves. A market that goes round keeps the sides it
came through that leave the least to gain, and is counted with that gain, never hidden. Sides are taken as given by derivatives ([13]).

A car that crosses moves its pool's shadow price, which costs its maker ([10]). So where pools have cleared, a car that came over a wall for some gain goes back for a larger
gain only; that both are looked at, each with its pools cleared, is all that the search knows of the cost, and takes no slopes. What is to be gained in the end is worked
out after the path (`keiretsu.outlook.side_gains`).

Left out against one year: two cars that gain only if they move together, and cars beyond the `NEAREST` ones to a wall.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from keiretsu.numerics.fixed_point import anderson, no_history
from keiretsu.outlook.bent import NEAR_EUR, Pieces
from keiretsu.outlook.clearing import YearMarket, problem_of
from keiretsu.outlook.own_side import Standing, gain, standing
from keiretsu.supply.first_order import PriceProblem
from keiretsu.supply.pricing import PricingOptions, equilibrium
from keiretsu.supply.response import Rounds
from keiretsu.supply.wedges import Wedges
from keiretsu.supply.zeta import anchor, to_single, zeta_around

Solved: TypeAlias = tuple[Array, Array, Array, Array]  # prices, largest residual (EUR), evaluations, whether they are settled
Solver: TypeAlias = Callable[[PriceProblem, Array], Solved]

NEAREST = 16  # cars nearest to a wall that are weighed
CLOSELY = 4  # of these the ones that come closest to paying are searched to the cent
INSIDE = (
    0.1  # of its price further off counts a car inside the better side of a wall: one that stands at it or beyond it has more to gain by crossing
)
FAR = 0.5  # a car further from a wall than this share of its price does not jump over it
GRID = (0.0, 0.003, 0.012, 0.03, 0.07, 0.14, 0.25)  # distances from the wall that are looked at first, as shares of its price
CLOSE = 0.05  # of a car's own profit: one that comes no closer to paying is not searched
STEPS = 22  # golden-section steps: to less than an euro, a thousandth of a millionth of the setter's profit
GOLDEN = (5**0.5 - 1) / 2
TOLERANCE = 1e-9  # share of a setter's profit: gains below it are rounding
TOGETHER, ONE_BY_ONE_AFTER, LIMIT = 6, 15, 40  # turns that setters take together; rounds until kinks are let go one by one; rounds in all
CLEAR = (
    4.0  # a car that came over a wall for this many times what it would gain by going back stays: such estimates were never off by a factor of two
)
LATE = 24  # rounds after which setters that still move are taken to go round


class Sides(eqx.Module):
    """Where prices are: the price, the piece, the breakpoint a price is held at (-1 none), (J,); what each price's last jump over each breakpoint seemed to bring its
    setter, (J, K-1); how many are still to move and what the one that gains most would bring (all money a potential buyer; inf where it is not known; below zero where
    none gains once pools have their due), here and where the choice began; and there while shadow prices stand still; how prices were solved."""

    price: Float[Array, " J"]
    piece: Int[Array, " J"]
    held_at: Int[Array, " J"]
    promised: Float[Array, "J K-1"]
    unsettled: Int[Array, ""]
    to_gain: Float[Array, ""]
    began: Float[Array, ""]
    seemed: Float[Array, ""]
    evaluations: Int[Array, ""]
    residual: Float[Array, ""]
    settled: Bool[Array, ""]


class Pooled(eqx.Module):
    """Which cars weigh in a pool whose shadow price is to be found, (J,); whether pools have cleared; whether only the setter that gains most moves."""

    cars: Bool[Array, " J"]
    cleared: Bool[Array, ""]
    one_by_one: Bool[Array, ""]


class _Loop(eqx.Module):
    sides: Sides
    least: Sides | None  # of the solved sides of late rounds those that leave the least to gain
    rounds: Array
    turns: Array
    done: Array


def sides_at(m: YearMarket, pieces: Pieces, stood: Bool[Array, " J"]) -> Sides:
    """Sides of the starting prices; `stood` are prices that stood at a breakpoint the year before and still do."""
    start = jax.lax.stop_gradient(m.start)
    held_at = jnp.full(start.shape, -1, dtype=int)
    if pieces.breaks.shape[1]:
        at_break = jnp.abs(start[:, None] - pieces.breaks) <= NEAR_EUR
        held_at = jnp.where(stood & at_break.any(axis=1) & ~m.held, at_break.argmax(axis=1), -1)
    return Sides(
        start,
        pieces.at(start),
        held_at,
        jnp.zeros_like(pieces.breaks),
        jnp.array(0, int),
        jnp.array(0.0, float),
        jnp.array(0.0, float),
        jnp.array(0.0, float),
        jnp.array(0, int),
        jnp.array(jnp.inf, float),
        jnp.array(False),
    )


def choose_sides(
    m: YearMarket, pieces: Pieces, first: Sides, buyer_class: Int[Array, " I"], solver: Solver, outside: bool, pooled: Pooled | None = None
) -> Sides:
    """Sides of one market with its shadow costs given, from `first`; prices of `first` that are settled are not solved again before sides change.

    Where cars are `pooled`, whoever goes round is looked at again when pools have cleared. Once they have, at `first`, each setter crosses one wall at most.
    """
    m, pieces, first = jax.lax.stop_gradient((m, pieces, first))
    shadow = m.shadow

    def again(state: _Loop) -> _Loop:
        fresh = ~((state.rounds == 0) & first.settled)
        solved = jax.lax.cond(fresh, lambda s: _solved(m, shadow, pieces, s, buyer_class, solver, outside), lambda s: s, state.sides)
        if not pieces.breaks.shape[1]:
            return _Loop(solved, state.least, state.rounds + 1, state.turns, jnp.array(True))
        wish, sides = _at_kinks(m, shadow, pieces, solved, state.rounds, buyer_class, outside)
        moving = (wish > 0).any()
        stay = moving | ~(pieces.bent & m.on_sale).any()
        jumped, moved, most, seems = jax.lax.cond(
            stay if pooled is None else stay | (pooled.cleared & (state.rounds > 0)),
            lambda s: (s, jnp.array(0, int), jnp.array(0.0, float), jnp.array(0.0, float)),
            lambda s: _over_walls(m, shadow, pieces, s, state.turns, buyer_class, outside, pooled),
            sides,
        )
        began = jnp.where(state.rounds == 0, jnp.where(moving, jnp.inf, most), solved.began)
        seemed = jnp.where(state.rounds == 0, seems, solved.seemed)
        here = eqx.tree_at(lambda s: (s.unsettled, s.to_gain, s.began), solved, (moved, most, began))
        least = state.least
        if least is not None:
            better = ~moving & solved.settled & (state.rounds >= LATE) & (most < least.to_gain)
            least = jax.tree.map(lambda new, old: jnp.where(better, new, old), here, least)
        open_ = jnp.where(moving, (wish > 0).sum(), moved)
        left = (open_ + ~jumped.settled, jnp.where(open_ > 0, jnp.inf, 0.0), began, seemed)
        after = eqx.tree_at(lambda s: (s.unsettled, s.to_gain, s.began, s.seemed), jumped, left)
        return _Loop(after, least, state.rounds + 1, state.turns + jnp.where(moving, 0, 1), open_ == 0)

    unknown = eqx.tree_at(lambda s: s.to_gain, first, jnp.array(jnp.inf, float)) if pooled is None else None
    begin = _Loop(first, unknown, jnp.array(0, int), jnp.array(0, int), jnp.array(False))
    end = jax.lax.while_loop(lambda s: ~s.done & (s.rounds < (LIMIT if pooled is None else LATE)), again, begin)
    if end.least is None:
        return end.sides
    kept = ~end.done & jnp.isfinite(end.least.to_gain)
    return jax.tree.map(lambda least, last: jnp.where(kept, least, last), end.least, end.sides)


def with_sides(m: YearMarket, pieces: Pieces, sides: Sides, buyer_class: Int[Array, " I"]) -> YearMarket:
    """The market with the wedges of these sides, prices at a breakpoint held there."""
    price = jnp.where(m.held, m.start, _put(pieces, sides))
    parts = (pieces.wedges(sides.piece, buyer_class), m.held | (sides.held_at >= 0), price)
    return eqx.tree_at(lambda x: (x.wedges, x.held, x.start), m, parts)


def _put(pieces: Pieces, sides: Sides) -> Float[Array, " J"]:
    """Prices, those held at a breakpoint put there."""
    if not pieces.breaks.shape[1]:
        return sides.price
    row = jnp.arange(sides.piece.shape[0])
    return jax.lax.stop_gradient(jnp.where(sides.held_at >= 0, pieces.breaks[row, jnp.maximum(sides.held_at, 0)], sides.price))


def _problem(m: YearMarket, shadow: Array, pieces: Pieces, piece: Array, held: Array, buyer_class: Array, outside: bool) -> PriceProblem:
    here = eqx.tree_at(lambda x: (x.wedges, x.held), m, (pieces.wedges(piece, buyer_class), held))
    return problem_of(here, shadow, outside)


def _solved(m: YearMarket, shadow: Array, pieces: Pieces, sides: Sides, buyer_class: Array, solver: Solver, outside: bool) -> Sides:
    problem = _problem(m, shadow, pieces, sides.piece, m.held | (sides.held_at >= 0), buyer_class, outside)
    price, residual, evaluations, settled = solver(problem, _put(pieces, sides))
    after = (price, sides.evaluations + evaluations, residual, settled)
    return eqx.tree_at(lambda s: (s.price, s.evaluations, s.residual, s.settled), sides, after)


def in_full(options: PricingOptions) -> Solver:
    """Prices as everywhere else."""

    def solve(problem: PriceProblem, start: Array) -> Solved:
        found = equilibrium(problem, start, options)
        return found.price, found.largest_residual, found.iterations, found.settled

    return solve


def briefly(options: PricingOptions, tolerance: Float[Array, ""], back: Rounds) -> Solver:
    """Prices from a start that is near to `tolerance` (EUR), in one phase, by steps that are nearly Newton's: a fraction of the program for a few evaluations more."""

    def solve(problem: PriceProblem, start: Array) -> Solved:
        zeta = zeta_around(problem, anchor(problem, start))
        nothing = no_history(start.shape[0], options.window)

        def step_of(residual: Array) -> Array:
            return jnp.where(problem.chosen, back.step(residual), 0.0)

        found = anderson(lambda price: (zeta(price).implied, None), start, tolerance, history=nothing, limit=options.limit, step_of=step_of)
        return found.value, jnp.abs(found.residual).max(), found.iterations, found.settled

    return solve


def _at_kinks(
    m: YearMarket, shadow: Array, pieces: Pieces, sides: Sides, rounds: Array, buyer_class: Array, outside: bool
) -> tuple[Float[Array, " J"], Sides]:
    """How far prices want to go beyond the ends of their pieces or away from where they are held (EUR), and the sides once they have."""
    row, piece, held_at = jnp.arange(sides.piece.shape[0]), sides.piece, sides.held_at
    stuck = held_at >= 0
    free = m.on_sale & ~m.held & ~stuck
    low, high = pieces.bounds(piece)
    over, under = free & (sides.price > high + NEAR_EUR), free & (sides.price < low - NEAR_EUR)
    walled = stuck & pieces.wall[row, jnp.maximum(held_at, 0)]

    def pushes(_: Any) -> tuple[Array, Array]:
        def push(side: Array) -> Array:
            on = jnp.where(stuck & ~walled, held_at + side, piece)
            problem = _problem(m, shadow, pieces, on, m.held, buyer_class, outside)
            return jnp.where(stuck, zeta_around(problem, anchor(problem, sides.price))(sides.price).implied - sides.price, 0.0)

        found = jax.lax.map(push, jnp.arange(2))
        # at a wall only the side in force counts, and a price leaves it inwards
        return jnp.where(walled & (held_at == piece - 1), 0.0, found[0]), jnp.where(walled & (held_at == piece), 0.0, found[1])

    nothing = jnp.zeros_like(sides.price)
    below, above = jax.lax.cond(stuck.any(), pushes, lambda _: (nothing, nothing), 0)
    down = stuck & (below < -NEAR_EUR)
    up = stuck & (above > NEAR_EUR) & ~down
    beyond = jnp.where(over, sides.price - high, jnp.where(under, low - sides.price, 0.0))
    wish = beyond + jnp.where(down, -below, 0.0) + jnp.where(up, above, 0.0)
    act = (wish > 0) & ((rounds < ONE_BY_ONE_AFTER) | (row == wish.argmax()))
    new_piece = jnp.where(act & down, held_at, jnp.where(act & up, held_at + 1, piece))
    new_at = jnp.where(act & over, piece, jnp.where(act & under, piece - 1, jnp.where(act & (down | up), -1, held_at)))
    return wish, eqx.tree_at(lambda s: (s.piece, s.held_at), sides, (new_piece, new_at))


def _over_walls(
    m: YearMarket, shadow: Array, pieces: Pieces, sides: Sides, turns: Array, buyer_class: Array, outside: bool, pooled: Pooled | None
) -> tuple[Sides, Int[Array, ""], Float[Array, ""], Float[Array, ""]]:
    """The best jump of each setter that gains by one, later of the one setter that gains most; how many there are, the largest gain, and the largest while shadow prices
    stand still.

    With pools that have cleared a car that came over a wall for some gain goes back for a larger one only, and what is left of that is half of the difference: as the shadow
    price moves with the car, what it gains by a step falls in a straight line to what it loses by taking it back, and pays on average half-way. The largest gain is that of
    the steps for which this may be wrong, so below zero where they are found not to pay.
    """
    slots = sides.piece.shape[0]
    chosen = m.on_sale & ~m.held
    real = jnp.isfinite(pieces.breaks) & pieces.wall & chosen[:, None]
    distance = jnp.where(real, jnp.abs(pieces.breaks / jnp.where(sides.price > 0, sides.price, 1.0)[:, None] - 1.0), jnp.inf)
    gap = jnp.where(pieces.below_better, pieces.breaks - sides.price[:, None], sides.price[:, None] - pieces.breaks)
    distance = distance + jnp.where(gap > NEAR_EUR, INSIDE, 0.0)
    wall_of = distance.argmin(axis=1)
    nearest, which = jax.lax.top_k(-distance.min(axis=1), min(NEAREST, slots))
    wall, piece = wall_of[which], sides.piece[which]
    upwards = piece <= wall
    target = jnp.where(upwards, wall + 1, wall)
    low, high = pieces.bounds(sides.piece.at[which].set(target))
    edge, far = pieces.breaks[which, wall], jnp.where(upwards, high[which], low[which])
    valid = -nearest < FAR
    edge = jnp.where(valid, edge, sides.price[which])
    problem = _problem(m, shadow, pieces, sides.piece, m.held, buyer_class, outside)
    at = standing(problem, sides.price, which)
    there = _rows(pieces.wedges(sides.piece.at[which].set(target), buyer_class), which, m.alpha.shape[0])
    sign = jnp.where(upwards, 1.0, -1.0)
    grid = edge * (1.0 + sign * jnp.array(GRID)[:, None])
    grid = jnp.where(valid, jnp.where(upwards, jnp.minimum(grid, far), jnp.maximum(grid, far)), edge)
    # where to look is found in single precision, what pays is not
    roughly, rough_terms = to_single(at), to_single(there)
    best = jax.lax.map(lambda price: gain(roughly, rough_terms, price), grid.astype(jnp.float32)).argmax(axis=0)
    column = jnp.arange(which.shape[0])
    price = grid[best, column]
    most = gain(at, there, price)
    tolerance = TOLERANCE * jnp.abs(at.now)
    close = jnp.where(valid, most / jnp.abs(at.itself), -jnp.inf)
    ends = grid[jnp.maximum(best - 1, 0), column], grid[jnp.minimum(best + 1, len(GRID) - 1), column]
    price, most = jax.lax.cond(
        close.max() > -CLOSE, lambda found: _closely(at, there, ends, found[0], found[1], close), lambda found: found, (price, most)
    )
    setter = m.weights.setter[which]
    seems = pays = valid & (most > tolerance)
    net, together, alone = most, turns < TOGETHER, jnp.where(pays, most, 0.0).max()
    if pooled is not None:
        before = jnp.where(pooled.cleared & pooled.cars[which], sides.promised[which, wall], 0.0)
        net = jnp.where(before > 0, (most - before) / 2, most)
        seems = seems & (before < CLEAR * most)
        pays, together = seems & (net > tolerance), together & ~pooled.one_by_one
    top = jax.ops.segment_max(jnp.where(pays, net, -jnp.inf), setter, m.weights.kappa.shape[0])[setter]
    moves = pays & (net == top) & (together | (net == jnp.where(pays, net, -jnp.inf).max()))
    put = jnp.where(moves, which, slots)
    stands = jnp.abs(price - edge) <= NEAR_EUR
    after = (
        sides.price.at[put].set(price, mode="drop"),
        sides.piece.at[put].set(target, mode="drop"),
        sides.held_at.at[put].set(jnp.where(stands, wall, -1), mode="drop"),
        sides.promised.at[put, wall].set(most, mode="drop"),
    )
    gained = jnp.where(seems.any(), jnp.where(seems, net, -jnp.inf).max(), 0.0)
    return eqx.tree_at(lambda s: (s.price, s.piece, s.held_at, s.promised), sides, after), moves.sum(), gained, alone


def _closely(every: Standing, wedges: Wedges, ends: tuple[Array, Array], price: Array, most: Array, close: Array) -> tuple[Array, Array]:
    """Best price between two ends of the cars that come closest to paying, by golden section, where it is better than `price`."""
    few = jax.lax.top_k(close, min(CLOSELY, close.shape[0]))[1]
    rows = {name: getattr(every, name)[few] for name in Standing.__dataclass_fields__ if name not in ("alpha", "weight")}
    at = Standing(every.alpha, every.weight, **rows)
    there: Wedges = jax.tree.map(lambda values: values[few], wedges)
    a, b = (end[few] for end in ends)

    def step(number: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
        a, b, c, d, at_c, at_d = state
        # the first two looks are at the points inside, each later one at the point that the better half lacks
        begins, left = number < 2, jnp.where(number < 2, number == 0, at_c > at_d)
        low, high = jnp.where(begins | left, a, c), jnp.where(left & ~begins, d, b)
        fresh = jnp.where(left, high - GOLDEN * (high - low), low + GOLDEN * (high - low))
        seen, shifts = gain(at, there, fresh), ~begins
        c, at_c = jnp.where(left, fresh, jnp.where(shifts, d, c)), jnp.where(left, seen, jnp.where(shifts, at_d, at_c))
        d, at_d = jnp.where(left, jnp.where(shifts, state[2], d), fresh), jnp.where(left, jnp.where(shifts, state[4], at_d), seen)
        return low, high, c, d, at_c, at_d

    unknown = jnp.zeros_like(a)
    _, _, c, d, at_c, at_d = jax.lax.fori_loop(0, STEPS + 2, step, (a, b, a, b, unknown, unknown))
    found, value = jnp.where(at_c > at_d, c, d), jnp.maximum(at_c, at_d)
    better = value > most[few]
    return price.at[few].set(jnp.where(better, found, price[few])), most.at[few].set(jnp.where(better, value, most[few]))


def _rows(wedges: Wedges, which: Array, draws: int) -> Wedges:
    def wide(values: Array) -> Array:
        return jnp.broadcast_to(values[which], (which.shape[0], draws))

    return Wedges(wide(wedges.buyer_rate), wide(wedges.buyer_add), wedges.maker_rate[which], wide(wedges.maker_charge))
