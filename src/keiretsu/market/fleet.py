"""Fleet rules and prices together: shadow prices of pools that clear while every maker stands where it is best off ([10]).

Sides of notches and prices that stick are frozen first. Balances are then smooth in the shadow prices, cost one plain equilibrium a market and
have a known slope, so a few Newton steps clear all pools. With the shadow prices found, every maker looks across its notches again; where
somebody moves, pools are cleared anew from there. It ends when nobody moves. Should sides come round again, joint states of the cycle and around it are
tried (`market.search`); where none is an equilibrium, the error shows the cycle, or the state with the least to gain is taken if that is small enough to be
accepted.
Where a pot of money runs out, all this holds over the cells of the year (`market.cells`): one shadow price for the whole year, one balance over
its parts, and the day on which the pot is empty follows from the prices they lead to.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from keiretsu.errors import NoPureEquilibrium
from keiretsu.market.budget import Span
from keiretsu.market.cells import Cell, Cells, CellsOfYear
from keiretsu.market.clearing import Cleared, clear_smooth_pools
from keiretsu.market.crossing import crossing_cost, roughly
from keiretsu.market.frozen import Frozen, Group, at_prices
from keiretsu.market.pools import Obligation
from keiretsu.market.regulated import Found, Prepared, solve_prepared
from keiretsu.market.search import State, clearing_options, has_walls, path_of, search, standing
from keiretsu.supply.notches import Deviation, cross_once

Choose: TypeAlias = Callable[[list[Deviation]], Deviation]

ROUNDS = 100  # times that sides are looked at anew
TOGETHER = 2  # rounds in which all makers move at once, before they take turns
AGAIN = 2  # the same sides this often, whoever's turn it was: a cycle


@dataclass(frozen=True)
class Tied:
    """Markets that share fleet rules or pots of money: to be solved together."""

    markets: tuple[str, ...]
    duties: tuple[Obligation, ...]


@dataclass(frozen=True)
class Settlement:
    """Shadow prices of a group, the cells its year passes through and each cell's prices."""

    cleared: Cleared
    year: CellsOfYear
    found: Mapping[Cell, Found]


def tied_markets(markets: Sequence[str], duties: Sequence[Obligation], pots: Mapping[str, frozenset[str]]) -> tuple[Tied, ...]:
    """Markets in groups that share no fleet rule and no pot; `pots` by market."""
    nowhere = tuple(Tied((), (duty,)) for duty in duties if not set(duty.rule.markets) & set(markets))
    shared = [set(duty.rule.markets) & set(markets) for duty in duties]
    shared += [{name for name in markets if pot in pots[name]} for pot in {pot for mine in pots.values() for pot in mine}]
    together: list[set[str]] = [{name} for name in markets]
    for links in shared:
        mine = [group for group in together if group & links]
        together = [group for group in together if group not in mine] + ([set().union(*mine)] if mine else [])
    ordered = sorted((tuple(name for name in markets if name in group) for group in together), key=lambda group: markets.index(group[0]))
    return *(Tied(group, tuple(duty for duty in duties if set(duty.rule.markets) & set(group))) for group in ordered), *nowhere


def clear_group(group: Group, cells: Cells, nearly_eur: float) -> Settlement:
    """Shadow prices and prices of a group's markets.

    Parameters
    ----------
    nearly_eur
        Where sides go round, a state in which nobody gains more than this by crossing is taken for an equilibrium (EUR a year), and says so
        in `Found.crossings`; zero for none.

    Raises
    ------
    PoolsNotSettled
        When pools do not clear.
    NoPureEquilibrium
        When sides of notches come round again and no joint state of them is an equilibrium; shows the cycle.
    """
    found: dict[Cell, Found] = {}
    price, evaluations = np.zeros(group.cap.size), 0
    turns = _Turns()
    together = TOGETHER
    for _ in range(ROUNDS):
        frozen = Frozen(group, cells, found)
        cleared = clear_smooth_pools(frozen.balance, frozen.newton_slopes, group.cap, price, clearing_options(group), group.name)
        price, evaluations = cleared.price, evaluations + cleared.evaluations
        if any(_looks_across(cells.prepared(cell)) for cell in frozen.year.weight):
            frozen.slopes_found = frozen.slopes()
        before, found = frozen.found, dict(frozen.found)
        changed = False
        for cell in turns.order(tuple(frozen.year.weight)):
            found[cell] = _checked(frozen, cell, price, cleared.balance, turns.chooser(cell), together > 0)
            if found[cell].sides != before[cell].sides:
                changed = True
                if not together:  # one car of one maker at a time, so that two cars of a pool do not pass each other
                    turns.current = cell
                    break
        if not changed and (not together or not any(has_walls(cells.prepared(cell)) for cell in frozen.year.weight)):
            return Settlement(replace(cleared, evaluations=evaluations), frozen.year, {cell: found[cell] for cell in frozen.year.weight})
        if not together and turns.round_again(tuple(found[cell].sides for cell in frozen.year.weight)):
            break
        together = together - 1 if changed and together else 0  # nobody moved by slopes: look again with pools cleared
    return _accepted(group, *search(group, cells, found, price), nearly_eur, evaluations)


def _accepted(group: Group, best: State, states: tuple[State, ...], nearly_eur: float, evaluations: int) -> Settlement:
    """The state with the least to gain, if it is an equilibrium or near enough to one."""
    if best.gain_eur > nearly_eur:
        raise NoPureEquilibrium(group.name, path_of(best, states), max(state.gain_eur for state in states), best.gain_eur)
    weight = best.frozen.year.weight
    would = {cell: tuple(replace(d, gain_eur=d.gain_eur / weight[cell]) for at, d in best.crossings if at == cell) for cell in weight}
    found = {cell: replace(best.found[cell], crossings=would[cell]) for cell in weight}
    return Settlement(replace(best.cleared, evaluations=evaluations + sum(s.cleared.evaluations for s in states)), best.frozen.year, found)


def nearest_alone(name: str, at: Prepared, nearly_eur: float) -> Found:
    """A market without shadow costs in which choices of side go round: the state in which nobody gains more than `nearly_eur` by crossing.

    Raises
    ------
    NoPureEquilibrium
        When there is none.
    """
    cell: Cell = (name, frozenset())
    nothing = np.zeros(0)
    group = Group((), Span(at.rules.date, 1.0), {name: cell[1]}, {}, {name: np.zeros((at.market.cost.size, 0))}, nothing, nothing, nothing)
    cells = Cells(lambda _: at, lambda _: standing(at))
    return _accepted(group, *search(group, cells, {}, nothing), nearly_eur, 0).found[cell]


class _Turns:
    """Whose turn it is to cross: cells in rotation, and in each the setter whose last crossing is longest ago."""

    def __init__(self) -> None:
        self.current: Cell | None = None
        self.moved: dict[tuple[Cell, int], int] = {}
        self.seen: dict[tuple[object, ...], int] = {}

    def order(self, cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
        first = cells.index(self.current) + 1 if self.current in cells else 0
        return cells[first:] + cells[:first]

    def chooser(self, cell: Cell) -> Choose:
        def choose(better: list[Deviation]) -> Deviation:
            chosen = min(better, key=lambda d: self.moved.get((cell, d.setter), -1))
            self.moved[cell, chosen.setter] = len(self.seen) + sum(self.seen.values())
            return chosen

        return choose

    def round_again(self, sides: tuple[object, ...]) -> bool:
        self.seen[sides] = self.seen.get(sides, 0) + 1
        return self.seen[sides] >= AGAIN


def _looks_across(at: Prepared) -> bool:
    """Whether a cell has quotas or breakpoints that makers may cross."""
    return bool(at.quotas) or at.pieces.breaks.shape[1] > 0


def _checked(frozen: Frozen, cell: Cell, price: np.ndarray, balance: np.ndarray, choose: Choose, together: bool) -> Found:
    """The cell at cleared shadow prices, everybody free to move to another side: all at once until nobody does, or one setter only."""
    at, found, fleet = frozen.cells.prepared(cell), frozen.found[cell], frozen.group.burden[cell[0]] @ price
    if not _looks_across(at):
        return at_prices(found, frozen.pricing[cell], fleet)
    start, cars, piece = frozen.price(cell), frozen.potential(cell), found.settled.prices.piece
    if together or at.quotas:
        try:
            return solve_prepared(at, fleet, start, piece, roughly(frozen, cell, price, balance), frozen.year.weight[cell])
        except NoPureEquilibrium:
            if at.quotas:
                raise  # at these shadow prices; others may come, so everybody else goes on in turns
    cost = crossing_cost(frozen, cell, price, balance)
    return replace(found, settled=cross_once(at.bent(at.pieces, fleet, cost), start, piece, cars, choose), fleet=fleet)


def group_of(tied: Tied, at: Mapping[str, Prepared], year: Span, pots: Mapping[str, frozenset[str]], budgets: Mapping[str, float]) -> Group:
    """Tied markets with the burdens of their cars. `at` are the markets, `pots` those of each of them, `budgets` the money in each (EUR)."""
    ends = np.cumsum([0, *(len(duty.pools) for duty in tied.duties)])
    burden: dict[str, np.ndarray] = {}
    cars = np.concatenate([duty.rest_cars for duty in tied.duties]).astype(float)
    for name in tied.markets:
        rows = at[name].rows
        table = np.zeros((at[name].market.cost.shape[0], int(ends[-1])))
        for duty, first in zip(tied.duties, ends[:-1], strict=True):
            pool = duty.pool_of(rows)
            on = np.flatnonzero(pool >= 0)
            table[on, first + pool[on]] = duty.burden(rows)[on]
            cars += np.bincount(first + pool[on], rows["units"].to_numpy(float)[on], minlength=cars.size)
        burden[name] = table
    rest, cap = (np.concatenate([getattr(duty, what) for duty in tied.duties]).astype(float) for what in ("rest", "cap"))
    here: Collection[str] = {pot for name in tied.markets for pot in pots[name]}
    money = {name: eur for name, eur in budgets.items() if name in here}
    return Group(tied.duties, year, {name: pots[name] for name in tied.markets}, money, burden, rest, cap, cars)
