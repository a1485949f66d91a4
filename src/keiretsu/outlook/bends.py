"""Pieces of all storylines as arrays ([7]).

All storylines share one shape, so that one compiled path serves them all. A case without a breakpoint and without a pot has no bends at all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from keiretsu.outlook.arrays import FleetYears, Plan
from keiretsu.outlook.bent import Bends
from keiretsu.outlook.policy import Rules
from keiretsu.outlook.shared import Shared


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

    def bent(plan: Plan, mine: Bends, rules: RulesOfYears) -> Plan:
        joint = _parts_under_rules(plan.rules, rules)
        return dataclasses.replace(plan, bends=dataclasses.replace(mine, joint=joint), bend_set=shared.array(np.array(rules.of_year)))

    return {name: bent(plan, bends[name], rules) for name, (plan, rules) in plans.items()}


def _parts_under_rules(ruled: FleetYears | None, rules: RulesOfYears) -> int:
    """The most parts of a year with pots and fleet rules, where some year has both in one market; 0 where none has: parts then leave each other alone."""
    if ruled is None:
        return 0
    cap, covers = np.asarray(ruled.cap), np.asarray(ruled.covers)
    years = [(covers[t] * (cap[t] > 0).any(), rules.sets[u]) for t, u in enumerate(rules.of_year)]
    both = any(one.budgets and (inside > 0).any() for covered, of_year in years for inside, one in zip(covered, of_year, strict=True))
    return 1 + max(len({pot for one in of_year for pot in one.budgets}) for _, of_year in years) if both else 0


def bends_of(stories: Mapping[str, RulesOfYears], products: int, shared: Shared) -> dict[str, Bends] | None:
    """Arrays of every storyline in one shape; None where no price anywhere bends and no pot can run out. `products` is the padded number of slots."""
    every = [rules for story in stories.values() for one in story.sets for rules in one]
    pieces = max(rules.breaks.shape[1] for rules in every) + 1
    pots = {name: tuple(dict.fromkeys(pot for one in story.sets for rules in one for pot in rules.budgets)) for name, story in stories.items()}
    most = max(len(names) for names in pots.values())
    if pieces == 1 and most == 0:
        return None
    classes = max(rules.terms["buyer_rate"].shape[2] for rules in every)
    sets = max(len(story.sets) for story in stories.values())
    shape = (sets, most, products, pieces, classes)
    found = {id(story): _stacked(story, pots[name], shape) for name, story in {id(one): (name, one) for name, one in stories.items()}.values()}
    same = [field for field in _BY_CLASS if all((one[field] == one[field][..., :1]).all() for one in found.values())]
    made: dict[int, Bends] = {}
    for number, one in found.items():
        arrays: dict[str, Any] = {field: shared.array(values[..., :1] if field in same else values) for field, values in one.items()}
        made[number] = Bends(**arrays)
    return {name: made[id(story)] for name, story in stories.items()}


_BY_CLASS = ("buyer_rate", "maker_charge", "incentive_rate", "pot_rate", "pot_charge")  # one column where all buyers are alike: quicker to solve on


def _stacked(story: RulesOfYears, pots: tuple[str, ...], shape: tuple[int, int, int, int, int]) -> dict[str, np.ndarray]:
    sets, most, products, pieces, classes = shape
    markets = len(story.sets[0])

    def slots(values: np.ndarray, fill: float) -> np.ndarray:
        """Padded slots with `fill`; padded pieces and classes, which nothing uses, like the last real one."""
        count, own, kinds = values.shape[0], values.shape[1], values.shape[-1]
        out = np.full((products, pieces, classes)[: values.ndim], fill)
        if values.ndim == 2:
            out[:count, :own] = values
        else:
            out[:count, :own, :kinds] = values
            out[:count, :own, kinds:] = values[:, :, -1:]
        out[:count, own:] = out[:count, own - 1 : own]
        return out

    def breaks(values: np.ndarray, fill: float) -> np.ndarray:
        out = np.full((products, pieces - 1), fill)
        out[: values.shape[0], : values.shape[1]] = values
        return out

    fills = {"buyer_rate": 1.0, "maker_rate": 1.0}
    arrays: dict[str, np.ndarray] = {}
    for field in ("breaks", "wall", "below_better"):
        fill = np.inf if field == "breaks" else 0.0
        arrays[field] = np.stack([np.stack([breaks(getattr(rules, field), fill) for rules in one]) for one in story.sets])
    for field in ("buyer_rate", "buyer_add", "maker_rate", "maker_charge", "incentive_rate", "incentive_add"):
        arrays[field] = np.stack([np.stack([slots(rules.terms[field], fills.get(field, 0.0)) for rules in one]) for one in story.sets])
    for field in ("pot_rate", "pot_add", "pot_charge", "pot_lost"):
        inner = (products, pieces) if field == "pot_lost" else (products, pieces, classes)
        full = np.zeros((len(story.sets), most, markets, *inner))
        for u, one in enumerate(story.sets):
            for m, rules in enumerate(one):
                for pot, terms in rules.pots.items():
                    full[u, pots.index(pot), m] = slots(terms[field], 0.0)
        arrays[field] = full
    budget = np.full((len(story.sets), most), np.inf)
    for u, one in enumerate(story.sets):
        for rules in one:
            for pot, eur in rules.budgets.items():
                budget[u, pots.index(pot)] = eur
    arrays["budget"] = budget
    longer = {name: np.concatenate([values, np.repeat(values[-1:], sets - len(values), axis=0)]) for name, values in arrays.items()}
    kinds = {"wall": bool, "below_better": bool}
    return {name: values.astype(kinds.get(name, float)) for name, values in longer.items()}
