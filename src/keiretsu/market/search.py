"""Where choices of side go round: joint states of sides, tried one by one for one that nobody leaves ([7], [10]).

A state says on which side of its thresholds every price is. Pools clear in it, and every setter weighs each crossing with its pool cleared anew. Whoever gains leads to another
state. From the states of a cycle on, and from those with the cars of the cycle on any of the sides that they took, the state with the least to gain is looked at next; one in
which nobody gains is an equilibrium. Where none is found, the state with the least to gain is what comes nearest to one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from keiretsu.errors import NotSettled, PricesNotSettled
from keiretsu.market.cells import Cell, Cells
from keiretsu.market.clearing import Cleared, ClearingOptions, clear_smooth_pools
from keiretsu.market.crossing import crossing_cost, roughly
from keiretsu.market.frozen import Frozen, Group, at_prices
from keiretsu.market.regulated import Found, Prepared, solve_prepared
from keiretsu.supply.kinks import BentPricing, solve_kinks, walls
from keiretsu.supply.notches import Deviation, Settled, deviations
from keiretsu.supply.pieces import piece_at

FLEET_GRAMS = 1e-6  # a pool's balance counts as zero within this many grams (or mandate cars) per car sold
STATES = 32  # joint states looked at
CORNERS = 6  # cars of a cycle up to which every combination of their sides is tried
STICKS = 12  # times that pools are cleared anew because other prices stick at a kink


@dataclass(frozen=True, eq=False)
class State:
    """A joint state of sides with pools cleared, and the crossings that pay in it (EUR a year)."""

    frozen: Frozen
    cleared: Cleared
    found: Mapping[Cell, Found]
    crossings: tuple[tuple[Cell, Deviation], ...]

    @property
    def gain_eur(self) -> float:
        """The most that a setter gains by crossing, EUR a year; zero in an equilibrium."""
        return max((crossing.gain_eur for _, crossing in self.crossings), default=0.0)

    @property
    def sides(self) -> tuple[object, ...]:
        return tuple(self.found[cell].sides for cell in self.frozen.year.weight)


def clearing_options(group: Group) -> ClearingOptions:
    """How closely a group's pools are cleared."""
    return ClearingOptions(FLEET_GRAMS * np.maximum(group.cars, 1.0))


def search(group: Group, cells: Cells, start: Mapping[Cell, Found], price: np.ndarray) -> tuple[State, tuple[State, ...]]:
    """The state with the least to gain from crossing, an equilibrium where one was found; and all states looked at.

    Parameters
    ----------
    start
        Each cell's prices in a state of the cycle.
    price
        Shadow prices to start from. (P,)

    Raises
    ------
    PricesNotSettled, PoolsNotSettled
        When no state has prices.
    """
    seen: dict[tuple[object, ...], State] = {}
    tried: set[tuple[object, ...]] = set()
    waiting: list[tuple[float, Mapping[Cell, Found]]] = [(0.0, start)]
    nowhere: NotSettled | None = None
    while waiting and len(seen) < STATES:
        waiting.sort(key=lambda entry: entry[0])
        _, found = waiting.pop(0)
        try:
            state = settled_state(group, cells, found, price)
        except NotSettled as error:  # no prices, or no shadow prices, with these sides: nobody can be there
            nowhere = nowhere or error
            continue
        if not state.crossings:
            return state, (*seen.values(), state)
        if state.sides not in seen:
            seen[state.sides] = state
            waiting += [(state.gain_eur, after) for crossing in state.crossings for after in _after(state, *crossing)]
        if not waiting:
            waiting += [(0.0, corner) for corner in _corners(tuple(seen.values()), tried)]
        waiting = [entry for entry in waiting if _known(entry[1]) not in tried]
        tried.update(_known(entry[1]) for entry in waiting)
    if nowhere and not seen:
        raise nowhere
    return min(seen.values(), key=lambda state: state.gain_eur), tuple(seen.values())


def settled_state(group: Group, cells: Cells, found: Mapping[Cell, Found], price: np.ndarray) -> State:
    """Pools cleared with prices on the sides as found, and what crossings would bring."""
    frozen, cleared, now = _cleared(group, cells, found, price)
    for _ in range(STICKS):
        if all(now[cell].sides == frozen.found[cell].sides for cell in frozen.year.weight):
            break
        frozen, cleared, now = _cleared(group, cells, now, cleared.price)
    crossings = [(cell, one) for cell in frozen.year.weight for one in _crossings(frozen, cell, now[cell], cleared)]
    return State(frozen, cleared, now, tuple(crossings))


def _cleared(group: Group, cells: Cells, found: Mapping[Cell, Found], price: np.ndarray) -> tuple[Frozen, Cleared, Mapping[Cell, Found]]:
    """Pools cleared with prices sticking where they are found to, and where they come to stick there."""
    frozen = Frozen(group, cells, found)
    cleared = clear_smooth_pools(frozen.balance, frozen.newton_slopes, group.cap, price, clearing_options(group), group.name)
    frozen.slopes_found = frozen.slopes()
    now = {cell: _where_they_stand(frozen, cell, cleared.price, cleared.balance) for cell in frozen.year.weight}
    return frozen, cleared, {**frozen.found, **now}


def has_walls(at: Prepared) -> bool:
    """Whether some price has a threshold to cross."""
    return bool(walls(at.pieces).any())


def standing(at: Prepared) -> Found:
    """A market without shadow costs, every price on the side of its thresholds that it starts on."""
    start, fleet = np.asarray(at.market.start, float), np.zeros(at.market.cost.size)
    prices = solve_kinks(at.bent(at.pieces, fleet), start, piece_at(at.pieces, start), walls(at.pieces))
    return Found(at.compiled, at.pieces, Settled(prices, -np.inf, 0, prices.rounds), fleet, np.zeros(len(at.rows)))


def path_of(best: State, states: Sequence[State]) -> list[str]:
    """Who crosses to which price, state after state from the one with the least to gain, until a state comes again."""
    known = {_pieces(state.found): state for state in states}
    state, steps, passed = best, list[str](), list[State]()
    while state not in passed:
        passed.append(state)
        cell, crossing = max(state.crossings, key=lambda one: one[1].gain_eur)
        labels = state.frozen.cells.prepared(cell).labels
        steps.append(" with ".join(f"{labels[j]} in {cell[0]} to EUR {p:,.0f}" for j, p in zip(crossing.products, crossing.prices, strict=True)))
        state = next((known.get(_pieces(after), state) for after in _after(state, cell, crossing)), state)
    return steps


def _pieces(found: Mapping[Cell, Found]) -> tuple[object, ...]:
    return tuple((cell, np.asarray(one.settled.prices.piece, int).tobytes()) for cell, one in found.items())


def _where_they_stand(frozen: Frozen, cell: Cell, price: np.ndarray, balance: np.ndarray) -> Found:
    """A cell at cleared shadow prices, nobody crossing: prices may come to stick, or let go."""
    at, found, fleet = frozen.cells.prepared(cell), frozen.found[cell], frozen.group.burden[cell[0]] @ price
    if at.quotas:
        cost = roughly(frozen, cell, price, balance)
        return solve_prepared(at, fleet, frozen.price(cell), found.settled.prices.piece, cost, frozen.year.weight[cell])
    if not at.pieces.breaks.shape[1]:
        return at_prices(found, frozen.pricing[cell], fleet)
    prices = solve_kinks(at.bent(at.pieces, fleet), frozen.price(cell), found.settled.prices.piece, walls(at.pieces))
    return _with(found, prices, fleet)


def _crossings(frozen: Frozen, cell: Cell, found: Found, cleared: Cleared) -> list[Deviation]:
    at, fleet = frozen.cells.prepared(cell), frozen.group.burden[cell[0]] @ cleared.price
    wall = walls(at.pieces)
    if at.quotas or not wall.any():
        return []
    market = at.bent(at.pieces, fleet, crossing_cost(frozen, cell, cleared.price, cleared.balance))
    return deviations(market, found.settled.prices, wall, frozen.potential(cell))[0]


def _after(state: State, cell: Cell, crossing: Deviation) -> tuple[Mapping[Cell, Found], ...]:
    return _put(
        state.found, state, cell, [(j, piece, price) for j, piece, price in zip(crossing.products, crossing.pieces, crossing.prices, strict=True)]
    )


def _put(others: Mapping[Cell, Found], state: State, cell: Cell, moves: Sequence[tuple[int, int, float]]) -> tuple[Mapping[Cell, Found], ...]:
    """A state with some of a cell's cars on other pieces and everybody's price in the cell set anew, other cells as given; none where it has no prices."""
    at, found, fleet = state.frozen.cells.prepared(cell), state.found[cell], state.frozen.group.burden[cell[0]] @ state.cleared.price
    price, piece = found.price.copy(), found.settled.prices.piece.copy()
    for j, on, eur in moves:
        piece[j], price[j] = on, eur
    try:
        return ({**others, cell: _with(found, solve_kinks(at.bent(at.pieces, fleet), price, piece, walls(at.pieces)), fleet)},)
    except PricesNotSettled:
        return ()


def _corners(states: Sequence[State], tried: set[tuple[object, ...]]) -> Iterator[Mapping[Cell, Found]]:
    """Every combination of the sides that cars took which crossed in some state."""
    took: dict[tuple[Cell, int], dict[int, float]] = {}
    for state in states:
        for cell, crossing in state.crossings:
            for j, piece, price in zip(crossing.products, crossing.pieces, crossing.prices, strict=True):
                here = state.found[cell]
                took.setdefault((cell, j), {}).update({piece: price, int(here.settled.prices.piece[j]): float(here.price[j])})
    if len(took) > CORNERS:
        return
    best = min(states, key=lambda state: state.gain_eur)
    for chosen in product(*(sides.items() for sides in took.values())):
        moves: dict[Cell, list[tuple[int, int, float]]] = {}
        for (cell, j), (piece, price) in zip(took, chosen, strict=True):
            moves.setdefault(cell, []).append((j, piece, price))
        corners: tuple[Mapping[Cell, Found], ...] = (best.found,)
        for cell in moves.keys() & best.frozen.year.weight.keys():
            corners = tuple(put for corner in corners for put in _put(corner, best, cell, moves[cell]))
        yield from (corner for corner in corners if _known(corner) not in tried)


def _known(found: Mapping[Cell, Found]) -> tuple[object, ...]:
    return tuple((cell, one.sides) for cell, one in found.items())


def _with(found: Found, prices: BentPricing, fleet: np.ndarray) -> Found:
    old = found.settled
    return replace(found, settled=Settled(prices, old.best_deviation_eur, old.tried, old.rounds + prices.rounds), fleet=fleet)
