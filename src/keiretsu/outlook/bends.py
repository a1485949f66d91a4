"""Pieces of all storylines as arrays ([7]).

All storylines share one shape, so that one compiled path serves them all. A case without a breakpoint and without a pot has no bends at all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from keiretsu.market.memory import Content
from keiretsu.outlook.arrays import FleetYears, Plan
from keiretsu.outlook.bent import Bends, Keeps
from keiretsu.outlook.policy import Rules
from keiretsu.outlook.shared import Shared, content_of_array, same


@dataclass(frozen=True)
class RulesOfYears:
    """A storyline's distinct sets of rules, markets in order, and which of them each year has."""

    sets: tuple[tuple[Rules, ...], ...]
    of_year: tuple[int, ...]


def with_bends(plans: Mapping[str, tuple[Plan, RulesOfYears]], shared: Shared) -> dict[str, Plan]:
    """Plans with their pieces, where any of them bends; `shared` is what they have in common."""
    bends = bends_of({name: rules for name, (_, rules) in plans.items()}, next(iter(plans.values()))[0].start.shape[2], shared)
    if bends is None:
        return {name: plan for name, (plan, _) in plans.items()}

    def bent(plan: Plan, mine: Bends, keeps: Keeps, rules: RulesOfYears) -> Plan:
        joint = _parts_under_rules(plan.rules, rules)
        return dataclasses.replace(plan, bends=dataclasses.replace(mine, joint=joint), bend_set=shared.array(np.array(rules.of_year)), keeps=keeps)

    return {name: bent(plan, *bends[name], rules) for name, (plan, rules) in plans.items()}


def _parts_under_rules(ruled: FleetYears | None, rules: RulesOfYears) -> int:
    """The most parts of a year with pots and fleet rules, where some year has both in one market; 0 where none has: parts then leave each other alone."""
    if ruled is None:
        return 0
    cap, covers = np.asarray(ruled.cap), np.asarray(ruled.covers)
    years = [(covers[t] * (cap[t] > 0).any(), rules.sets[u]) for t, u in enumerate(rules.of_year)]
    both = any(one.budgets and (inside > 0).any() for covered, of_year in years for inside, one in zip(covered, of_year, strict=True))
    return 1 + max(len({pot for one in of_year for pot in one.budgets}) for _, of_year in years) if both else 0


def bends_of(stories: Mapping[str, RulesOfYears], products: int, shared: Shared) -> dict[str, tuple[Bends, Keeps]] | None:
    """Arrays of every storyline in one shape; None where no price anywhere bends and no pot can run out. `products` is the padded number of slots."""
    every = [rules for story in stories.values() for one in story.sets for rules in one]
    pieces = max(rules.breaks.shape[1] for rules in every) + 1
    pots = {name: tuple(dict.fromkeys(pot for one in story.sets for rules in one for pot in rules.budgets)) for name, story in stories.items()}
    most = max(len(names) for names in pots.values())
    if pieces == 1 and most == 0:
        return None
    classes = max(rules.terms["buyer_rate"].shape[2] for rules in every)
    sizes = _Sizes(max(len(story.sets) for story in stories.values()), most, products, pieces, classes, _alike(every))
    return {
        name: shared.once(("bends", *same(story)), lambda name=name, story=story: _made(story, pots[name], sizes, shared))
        for name, story in stories.items()
    }


@dataclass(frozen=True)
class _Sizes:
    """What all storylines are laid out to: sets of rules, pots, slots, pieces and classes; terms named in `alike` have one column for all classes."""

    sets: int
    pots: int
    products: int
    pieces: int
    classes: int
    alike: frozenset[str]

    def of(self, term: str) -> tuple[int, ...]:
        """Shape of a term in one market."""
        if term in _AT_BREAKS:
            return self.products, self.pieces - 1
        of_piece = self.products, self.pieces
        return of_piece if term in _ONE_FOR_ALL else (*of_piece, 1 if term in self.alike else self.classes)


_AT_BREAKS = {"breaks": np.inf, "wall": False, "below_better": False}  # and what an empty place holds
_BY_YEAR = ("wall", "below_better", "maker_rate")
_ON_PIECES = {"buyer_rate": 1.0, "buyer_add": 0.0, "maker_rate": 1.0, "maker_charge": 0.0, "incentive_rate": 0.0, "incentive_add": 0.0}
_OF_POTS = ("pot_rate", "pot_add", "pot_charge", "pot_lost")
_ONE_FOR_ALL = ("maker_rate", "pot_lost")
_BY_CLASS = ("buyer_rate", "maker_charge", "incentive_rate", "pot_rate", "pot_charge")  # one column where all buyers are alike: quicker to solve on


def _alike(every: Sequence[Rules]) -> frozenset[str]:
    """Terms by class that are the same for all classes wherever they stand."""
    found = {
        term: [rules.terms[term] for rules in every] if term in _ON_PIECES else [pot[term] for rules in every for pot in rules.pots.values()]
        for term in _BY_CLASS
    }
    return frozenset(term for term, arrays in found.items() if all((values == values[..., :1]).all() for values in arrays))


def _made(story: RulesOfYears, pots: tuple[str, ...], sizes: _Sizes, shared: Shared) -> tuple[Bends, Keeps]:
    sets = [story.sets[min(u, len(story.sets) - 1)] for u in range(sizes.sets)]  # the last one again where another storyline has more
    cells = [(u, m, rules) for u, one in enumerate(sets) for m, rules in enumerate(one)]
    yearly = [(t, m, rules) for t, u in enumerate(story.of_year) for m, rules in enumerate(story.sets[u])]
    markets = len(sets[0])
    by_pot = (sizes.sets, sizes.pots, markets)
    arrays: dict[str, Any] = {}
    for term, empty in (*_AT_BREAKS.items(), *_ON_PIECES.items()):
        count, places = (len(story.of_year), yearly) if term in _BY_YEAR else (sizes.sets, cells)
        parts = [((at, m), getattr(rules, term) if term in _AT_BREAKS else rules.terms[term]) for at, m, rules in places]
        arrays[term] = _laid_out(term, (count, markets), empty, parts, sizes, shared)
    wall, below_better, rate = (arrays.pop(term) for term in _BY_YEAR)
    for term in _OF_POTS:
        parts = [((u, pots.index(pot), m), terms[term]) for u, m, rules in cells for pot, terms in rules.pots.items() if terms[term].any()]
        arrays[term] = _laid_out(term, by_pot, 0.0, parts, sizes, shared)
    budget = np.full((sizes.sets, sizes.pots), np.inf)
    for u, _, rules in cells:
        for pot, eur in rules.budgets.items():
            budget[u, pots.index(pot)] = eur
    return Bends(**arrays, budget=shared.array(budget)), Keeps(rate, wall, below_better)


def _laid_out(
    term: str, outer: tuple[int, ...], empty: float, parts: Sequence[tuple[tuple[int, ...], np.ndarray]], sizes: _Sizes, shared: Shared
) -> jax.Array:
    """A term's values at their places, laid out once for all storylines where they are the same."""
    inner = sizes.of(term)

    def placed(values: np.ndarray) -> np.ndarray:
        out = np.full(inner, empty)
        _fill(out, values[..., :1] if term in sizes.alike else values, term in _AT_BREAKS)
        return out

    def make() -> jax.Array:
        out = np.full((*outer, *inner), empty)
        for place, values in parts:
            out[place] = placed(values)
        return jax.device_put(out)

    def content(values: np.ndarray) -> Content:
        return shared.once(("placed", term, inner, *same(values)), lambda: content_of_array(placed(values)))

    return shared.once(("bends", term, outer, inner, tuple((place, content(values)) for place, values in parts)), make)


def _fill(out: np.ndarray, values: np.ndarray, at_breaks: bool) -> None:
    """Values in the first slots; padded pieces and classes, which nothing uses, are like the last real one."""
    count, own = values.shape[:2]
    if at_breaks or values.ndim == 2:
        out[:count, :own] = values
    else:
        out[:count, :own, : values.shape[2]] = values
        out[:count, :own, values.shape[2] :] = values[:, :, -1:]
    if not at_breaks:
        out[:count, own:] = out[:count, own - 1 : own]
