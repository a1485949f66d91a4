"""What moves of one scenario may not say together, found before anything is solved and reported all at once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from keiretsu.errors import KeiretsuError, MoveError, Problem
from keiretsu.market.world import World
from keiretsu.moves.move import Move

Row = tuple[str, str]  # market, product


@dataclass(frozen=True)
class Made:
    """Moves made one after the other: the world after them and what those that follow are checked against."""

    world: World
    moves: tuple[Move, ...] = ()
    found: tuple[Problem, ...] = ()
    held: Mapping[Row, tuple[Move, float]] = field(default_factory=lambda: dict[Row, tuple[Move, float]]())
    withdrawn: Mapping[Row, Move] = field(default_factory=lambda: dict[Row, Move]())
    about: tuple[tuple[Move, set[Row], set[Row]], ...] = ()

    def problems(self) -> list[Problem]:
        """Every problem of the moves so far."""
        return [*between(self.moves), *self.found, *_about_withdrawn(list(self.about), dict(self.withdrawn))]


def make_moves(world: World, moves: Sequence[Move]) -> tuple[World, list[Problem]]:
    """The world after the moves, in order, and every problem; a move with a problem is left out so that later ones are still checked."""
    made = make_more(Made(world), moves)
    return made.world, made.problems()


def make_more(made: Made, moves: Sequence[Move]) -> Made:
    """Further moves, after those that `made` has; what many scenarios begin with is then made once."""
    world, problems = made.world, list(made.found)
    held, withdrawn, about = dict(made.held), dict(made.withdrawn), list(made.about)
    for move in moves:
        found = [*move.faults(), *move.check(world)]
        if found:
            problems += found
            continue
        rows = _rows(world, move.touched(world))
        about.append((move, rows, {row for row in rows if row[1] in _named(move)}))
        try:
            after = move.made(world)
        except MoveError as error:
            problems += error.problems
            continue
        except KeiretsuError as error:
            problems.append(Problem(f"the move cannot be made: {error}", move.place))
            continue
        problems += _prices_held_twice(world, after, move, held)
        withdrawn |= dict.fromkeys(_rows(world, _went(world, after)), move)
        world = after
    return Made(world, (*made.moves, *moves), tuple(problems), held, withdrawn, tuple(about))


def between(moves: Sequence[Move]) -> Iterator[Problem]:
    """Contradictions that show without a world: said twice, dates in the wrong order, firms that are no more."""
    for first, second in itertools.combinations(moves, 2):
        if first.same_as(second):
            yield Problem("the same move twice", second.place, second.type, "each move once", f"the first is at {first.place}")
        elif first.name and first.name == second.name:
            yield Problem("two moves with one name", second.place, second.name, "another name", f"the first is at {first.place}")
        yield from _swallow_each_other(first, second)
    yield from _gone_firms(moves)
    yield from _dates_out_of_order(moves)


def _swallow_each_other(first: Move, second: Move) -> Iterator[Problem]:
    """A buys into B, or takes B over, while B takes A over."""
    for x, y in ((first, second), (second, first)):
        for buyer, company in x.buys():
            if (company, buyer) in y.absorbs():
                what = f"{buyer} buys {company} while {company} takes {buyer} over"
                yield Problem(what, second.place, f"{first.label}, {second.label}", "one direction", f"the other move is at {first.place}")
                return


def _gone_firms(moves: Sequence[Move]) -> Iterator[Problem]:
    absorbed: dict[str, Move] = {}
    for move in moves:
        for name in move.parties():
            if name in absorbed:
                by = absorbed[name]
                yield Problem(
                    f"{name} is no longer there to take part",
                    move.place,
                    move.label,
                    "a firm that still stands alone",
                    f"it was taken over by {by.label} at {by.place}",
                )
        absorbed |= {target: move for _, target in move.absorbs()}


def _dates_out_of_order(moves: Sequence[Move]) -> Iterator[Problem]:
    latest: dict[str, Move] = {}
    for move in moves:
        for company in dict.fromkeys(company for _, company in (*move.buys(), *move.absorbs())):
            before = latest.get(company)
            if before and before.start and move.start and move.start < before.start:
                yield Problem(
                    f"deals in {company} are listed in another order than their dates",
                    move.place,
                    f"{move.label} on {move.start} after {before.label} on {before.start}",
                    "a sale before the purchase of what was sold, by date and by place in the list",
                    "put the moves in the order of their dates",
                )
            latest[company] = move


def _prices_held_twice(world: World, after: World, move: Move, held: dict[Row, tuple[Move, float]]) -> list[Problem]:
    """Rows whose price this move holds; a problem where another move of the scenario holds it already."""
    products = after.products
    price = products["price_eur"].to_numpy(float)
    was_held = np.zeros(len(products), dtype=bool)
    was_price = np.full(len(products), np.nan)
    n = len(world.products)  # moves append rows and keep the order of those there were
    was_held[:n], was_price[:n] = world.products["held"].to_numpy(bool), world.products["price_eur"].to_numpy(float)
    now = products["held"].to_numpy(bool) & ~(was_held & (was_price == price))
    problems = []
    for i in np.flatnonzero(now):
        row = (str(products["market"].iloc[i]), str(products["product"].iloc[i]))
        if row in held:
            other, level = held[row]
            what = f"price of {row[1]} in market {row[0]} held at two levels"
            problems.append(
                Problem(
                    what, move.place, f"EUR {level:,.0f} and EUR {price[i]:,.0f}", "one level", f"the other move is {other.label} at {other.place}"
                )
            )
        held[row] = (move, float(price[i]))
    return problems


def _about_withdrawn(about: Sequence[tuple[Move, set[Row], set[Row]]], withdrawn: dict[Row, Move]) -> list[Problem]:
    """Moves that name a product which another move takes off sale, or whose products are all taken off sale."""
    problems = []
    for move, rows, named in about:
        gone = {row for row in rows if row in withdrawn and withdrawn[row] is not move}
        lost = gone if rows and gone == rows else gone & named
        for market, product in sorted(lost):
            by = withdrawn[market, product]
            what = f"{product} in market {market} is withdrawn and changed at once"
            problems.append(Problem(what, move.place, f"{move.label} and {by.label}", "one of the two", f"the withdrawal is at {by.place}"))
    return problems


def _rows(world: World, chosen: np.ndarray) -> set[Row]:
    if not chosen.any():
        return set()
    rows = world.products[chosen]
    return set(zip(rows["market"].astype(str), rows["product"].astype(str), strict=True))


def _went(world: World, after: World) -> np.ndarray:
    n = len(world.products)
    return world.products["available"].to_numpy(bool) & ~after.products["available"].to_numpy(bool)[:n]


def _named(move: Move) -> set[str]:
    """Product ids that a move names one by one."""
    return {name for chosen in move.filters().values() for name in chosen.product}
