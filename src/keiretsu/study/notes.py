"""What stops nobody but a reader should know: programmes that cover no car, fleet rules that costs were recovered without, costs below zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from keiretsu.case import Case
from keiretsu.errors import KeiretsuError, Problem
from keiretsu.market.build import middle_of
from keiretsu.market.market import rows_of
from keiretsu.market.policy.compile import all_inside
from keiretsu.market.policy.place import covers, place_of
from keiretsu.market.policy.programmes import Programme, Scope
from keiretsu.market.pools import Obligation, SalesMandate, obligations
from keiretsu.market.world import World
from keiretsu.moves.contradictions import make_moves
from keiretsu.moves.move import Move
from keiretsu.moves.scenario import Scenario
from keiretsu.outlook.case_facts import planned_launches
from keiretsu.outlook.roster import timeless

NEAR = 0.01  # of the target, or of the share of a mandate: a pool as near as this may have met it because it had to
NARROW = ("powertrains", "segments", "brands", "makers", "models", "models_except", "origins", "origins_except")
MOST_POOLS = 3  # named in a sentence


def notes_on_policy(case: Case, world: World, scenarios: Mapping[str, Scenario]) -> tuple[Problem, ...]:
    """Notes on the programmes and fleet rules of a case; `world` is its base year."""
    return (*_cover_nothing(case, world, scenarios), *(_unpriced_note(duty, pools) for duty, pools in unpriced(world)))


def notes_on_costs(world: World) -> tuple[Problem, ...]:
    """A note where costs recovered from prices lie below zero; `world` is its base year."""
    cars = _costless(world)
    if cars.empty:
        return ()
    what, wanted = (
        f"marginal costs recovered below zero for {_of_cars(cars, world)}",
        "buyers who mind prices more, weights on fewer rivals' profit, or unit_cost stated",
    )
    worst = cars.iloc[0]
    return (Problem(what, "demand and ownership", f"{worst['product']} in {worst['market']}", wanted, "see targets.csv and `keiretsu calibrate`"),)


def costs_said(world: World) -> list[str]:
    """A sentence for the results where costs recovered from prices lie below zero: margins above the price, which no maker has."""
    cars = _costless(world)
    if cars.empty:
        return []
    worst = cars.iloc[0]
    return [
        f"Marginal costs recovered from prices lie below zero for {_of_cars(cars, world)}, {worst['product']} ({worst['market']}) the furthest: "
        "the case has buyers who mind prices too little, or makers that care for too many rivals, for these prices; margins and effects are too large."
    ]


def _costless(world: World) -> pd.DataFrame:
    """Cars on sale whose cost was recovered and lies below zero, the furthest part of its price first."""
    sold = _on_sale(world)
    below = sold[(sold["cost_eur"] < 0) & ~sold["cost_given"].astype(bool)]
    return below.assign(part=below["cost_eur"] / below["price_eur"]).sort_values("part", kind="stable")


def _of_cars(cars: pd.DataFrame, world: World) -> str:
    return f"{len(cars)} of {len(_on_sale(world))} products"


def unpriced(world: World) -> list[tuple[Obligation, list[int]]]:
    """Fleet rules in force in the observed year with the pools (by index) that stood above their target then, or so near to it that the rule may have bound.

    Costs are recovered without a shadow price ([9]): where a rule bound, they hold its shadow cost, and a world under the same rule counts it twice.
    """
    sold = _on_sale(world)
    found: list[tuple[Obligation, list[int]]] = []
    for duty in obligations(world.pools, sold, middle_of(world.observed_on.year)):
        per_car = _balance_per_car(duty, sold)
        target = duty.rule.target
        size = target.share if isinstance(target, SalesMandate) else target.grams
        recovered = set(duty.pool_of(sold)[~sold["cost_given"].to_numpy(bool)].tolist())
        bound = [p for p in range(len(duty.pools)) if p in recovered and per_car[p] > -NEAR * size]
        if bound:
            found.append((duty, bound))
    return found


def unpriced_said(world: World) -> list[str]:
    """A sentence for the results on each fleet rule that costs were recovered without."""
    return [
        f"Costs of {duty.year} are recovered as if the fleet rule {duty.rule.id} were not in force, though {_standing(duty, pools, world)}: "
        f"their costs hold its shadow cost, and a scenario under the same rule counts it twice."
        for duty, pools in unpriced(world)
    ]


def _unpriced_note(duty: Obligation, pools: list[int]) -> Problem:
    names = _named([duty.pools[p].id for p in pools])
    return Problem(
        f"costs of {duty.year} are recovered as if this rule were not in force",
        duty.rule.where or f"rule {duty.rule.id}",
        f"above its target in {duty.year}, or at it: {names}",
        f"a rule that does not bind in {duty.year}",
        "let it begin later, or state unit_cost of the cars concerned: their costs hold its shadow cost",
    )


def _standing(duty: Obligation, pools: list[int], world: World) -> str:
    """``nissan (3.2 g/km a car above) and 4 more stood above its target or at it``."""
    per_car, mandate = _balance_per_car(duty, _on_sale(world)), isinstance(duty.rule.target, SalesMandate)
    said: list[str] = []
    for p in sorted(pools, key=lambda p: -per_car[p])[:MOST_POOLS]:
        off = f"{100 * per_car[p]:.1f} percentage points" if mandate else f"{per_car[p]:.1f} g/km a car"
        said.append(f"{duty.pools[p].id} ({off} above)" if per_car[p] > 0 else f"{duty.pools[p].id} (at it)")
    more = f" and {len(pools) - len(said)} more" if len(pools) > len(said) else ""
    return f"{', '.join(said)}{more} stood above its target or at it"


def _on_sale(world: World) -> pd.DataFrame:
    return world.products[world.products["available"]].reset_index(drop=True)


def _balance_per_car(duty: Obligation, sold: pd.DataFrame) -> np.ndarray:
    """Balance of each pool with the units of a product table, over its cars: grams above target, or share of electric cars missing. (P,)"""
    units = sold["units"].to_numpy(float)
    pool = duty.pool_of(sold)
    on = pool >= 0
    cars = duty.rest_cars + np.bincount(pool[on], units[on], minlength=len(duty.pools))
    return duty.balance(sold, units) / np.where(cars > 0, cars, 1.0)


def _cover_nothing(case: Case, world: World, scenarios: Mapping[str, Scenario]) -> list[Problem]:
    """Programmes that cover no car on sale, planned or launched in a scenario, in any of their markets."""
    idle = [programme for programme in world.programmes if not _covers_any(programme, world)]
    if not idle:
        return []
    later = [launch.move for launch in planned_launches(case)]
    for moves in (later, *(list(one.moves) for one in scenarios.values())):
        changed = _after(world, moves)
        if changed is not None:
            made = [p for p in changed.programmes if p not in world.programmes]  # a programme that a move copies or changes keeps its id
            idle = [p for p in idle if not any(_covers_any(one, changed) for one in (p, *(q for q in made if q.scope.id == p.scope.id)))]
    return [
        Problem(
            "the programme covers no car, on sale, planned or launched in a scenario: it changes nothing",
            p.scope.where or f"programme {p.scope.id}",
            f"{p.scope.id} in {', '.join(p.scope.markets)}: {_narrowed(p.scope)}",
            "a car that it covers",
            "widen what narrows it, or leave it out",
        )
        for p in idle
    ]


def _after(world: World, moves: Sequence[Move]) -> World | None:
    """The world with moves made whenever they begin; None where they cannot be made, which is a problem of the scenario and said as one."""
    try:
        changed, problems = make_moves(world, tuple(timeless(move) for move in moves))
    except KeiretsuError:
        return None
    return None if problems else changed


def _covers_any(programme: Programme, world: World) -> bool:
    for name in programme.scope.markets:
        rows = rows_of(world, name)
        place = place_of((), rows, world.markets[name], all_inside(rows))
        if bool(covers(programme.scope, place).any()):
            return True
    return False


def _narrowed(scope: Scope) -> str:
    """The keys that narrow a programme, as they are written."""
    said = [f"{key} {', '.join(getattr(scope, key))}" for key in NARROW if getattr(scope, key)]
    for key, unit in (("battery_min_kwh", "kWh"), ("range_min_km", "km"), ("mass_max_kg", "kg"), ("co2_max_gkm", "g/km")):
        value = getattr(scope, key)
        if value not in (0.0, float("inf")):
            said.append(f"{key} {value:g} {unit}")
    return "; ".join(said) or "no car is on sale there"


def _named(names: list[str]) -> str:
    more = f" and {len(names) - MOST_POOLS} more" if len(names) > MOST_POOLS else ""
    return ", ".join(names[:MOST_POOLS]) + more
