"""Everything wrong with a case that its tables alone do not show: programmes, pools, scenarios, the years ahead, money.

`keiretsu.case.check_case` compares files with each other. What a programme, a move or the terms of a stake must be is known further up; here all of it is
asked at once, so that a case is put right before a run and not in the middle of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from keiretsu.case import Case
from keiretsu.errors import InputError, KeiretsuError, Problem
from keiretsu.market.build import build_world
from keiretsu.market.market import kappa_of
from keiretsu.market.policy.parsing import parse_programmes
from keiretsu.market.policy.parsing_pools import parse_pools
from keiretsu.market.world import World
from keiretsu.moves.scenario import Scenario, parse_scenarios
from keiretsu.outlook.case_facts import facts_of, last_year
from keiretsu.outlook.facts import OutlookFacts
from keiretsu.outlook.roster import beginning, storyline
from keiretsu.outlook.uncertain import uncertain_of
from keiretsu.study.notes import notes_on_costs, notes_on_policy
from keiretsu.valuation.finance import finances
from keiretsu.valuation.listing_terms import listing_terms_of, refuse_bad_listing
from keiretsu.valuation.terms import refuse_bad_terms, terms_of

T = TypeVar("T")


@dataclass(frozen=True)
class Soundness:
    """Problems that a run would stop at, and notes: what stops nobody but a reader of the results should know."""

    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]


def problems_of_a_run(case: Case) -> tuple[Problem, ...]:
    """Every problem that a run of the case would stop at, see `soundness_of`."""
    return soundness_of(case).problems


def soundness_of(case: Case) -> Soundness:
    """Every problem that a run of the case would stop at, with file and row, and notes on its policy; both empty for a sound one. Nothing is solved.

    Parameters
    ----------
    case
        A case without problems of its own tables (`keiretsu.case.check_case`).
    """
    found = _Found()
    found.of(lambda: parse_programmes([entry.values for entry in case.programmes], case.money_rates, "programmes.toml"))
    found.of(lambda: parse_pools([entry.values for entry in case.pools], case.money_rates, "pools.toml"))
    scenarios = found.of(lambda: parse_scenarios(case.scenarios)) or {}
    found.of(lambda: uncertain_of(case.tables, ()))
    world = None if found.problems else found.of(lambda: build_world(case))
    if world is not None:
        _beyond_the_base_year(case, world, scenarios, found)
    notes = (*notes_on_costs(world), *notes_on_policy(case, world, scenarios)) if world is not None and not found.problems else ()
    return Soundness(tuple(dict.fromkeys(found.problems)), notes)


class _Found:
    """Collects problems of one part after another."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def of(self, part: Callable[[], T]) -> T | None:
        """What a part gives; None, and its problems kept, where it refuses."""
        try:
            return part()
        except InputError as error:
            self.problems += error.problems
        except KeiretsuError as error:
            self.problems.append(Problem(str(error)))
        return None


def _beyond_the_base_year(case: Case, world: World, scenarios: dict[str, Scenario], found: _Found) -> None:
    """Scenarios made in the world and in the years in which more of them is in force, what the years start from, and the terms of money."""
    for scenario in scenarios.values():
        problems = scenario.problems(world)
        found.problems += problems
        if not problems and scenario.moves_at(world):
            found.of(lambda scenario=scenario: _weights(scenario.apply(world)))
    last = last_year(case)
    if any(len(case.tables[name]) for name in ("outlook", "planned_launches", "uncertain")):
        facts = found.of(lambda: facts_of(case, world, last))
        if facts is not None:
            _in_later_years(world, scenarios, facts, found)
    if len(case.tables["finance"]):
        found.of(lambda: finances(case))
    holdings = world.register.as_of(world.date)
    for name in case.tables["stake_terms"]["terms"]:
        terms = found.of(lambda name=name: terms_of(case, str(name)))
        if terms is not None:
            found.of(lambda terms=terms: refuse_bad_terms(terms, holdings, (case.year + 1, last)))
    for company in dict.fromkeys(case.tables["listing"]["company"]):
        listing = found.of(lambda company=company: listing_terms_of(case, str(company)))
        if listing is not None:
            found.of(lambda listing=listing: refuse_bad_listing(listing))


def _in_later_years(world: World, scenarios: dict[str, Scenario], facts: OutlookFacts, found: _Found) -> None:
    """Planned cars, and scenarios with moves that begin after the case's day: these are made in no base year."""
    begins_later = {name: one for name, one in scenarios.items() if any(move.start and move.start > world.date for move in one.moves)}
    if not facts.launches and not begins_later:
        return
    begun = found.of(lambda: beginning(world, facts))
    if begun is None:
        return
    found.problems += begun.planned.problems()
    if not found.problems:
        for name, scenario in begins_later.items():
            story = found.of(lambda name=name, scenario=scenario: storyline(begun, name, scenario, facts))
            for later in story.worlds if story is not None else ():
                found.of(lambda later=later: _weights(later))


def _weights(world: World) -> None:
    """Refuse a world in which the ownership rule gives some firm no aim: who sets its prices gets nothing of its profit, say."""
    kappa_of(world, world.firms())
