"""Futures of a case for a question about money: the baseline and some scenarios under the same draws of everything that is uncertain."""

from __future__ import annotations

from collections.abc import Sequence

from keiretsu.case import Case
from keiretsu.market.build import build_world
from keiretsu.market.consumers import with_at_most
from keiretsu.outlook.case_facts import facts_of, last_year
from keiretsu.outlook.ensemble import Ensemble, ensemble
from keiretsu.outlook.outlook import Outlook, build
from keiretsu.outlook.uncertain import draws_of, uncertain_of
from keiretsu.study.run import OnStep, chosen_scenarios, no_listener
from keiretsu.study.runs import CONSUMERS

SEED = 20240327
BLOCK = 8
THREADS = 2


def futures_of(case: Case, scenarios: Sequence[str], draws: int, on_step: OnStep = no_listener) -> Ensemble:
    """Years ahead of the baseline and the named scenarios, without the tables by product.

    Raises
    ------
    KeiretsuError
        Whatever part of the case cannot be used or settled, by its name.
    """
    return futures_and_years(case, scenarios, draws, on_step)[1]


def futures_and_years(case: Case, scenarios: Sequence[str], draws: int, on_step: OnStep = no_listener) -> tuple[Outlook, Ensemble]:
    """As `futures_of`, with the compiled years that gave them, which can be asked again."""
    named = chosen_scenarios(case, tuple(scenarios)) if scenarios else ()
    world = build_world(with_at_most(case, CONSUMERS))
    on_step(0, 1, "years ahead: prepared; the first run compiles them, later ones do not")
    outlook = build(world, {scenario.name: scenario for scenario in named}, facts_of(case, world, last_year(case)))
    inputs, correlation = uncertain_of(case.tables, outlook.roster.launched)
    drawn = draws_of(inputs, correlation, outlook.central(), draws, SEED)
    return outlook, ensemble(outlook, drawn, outlook.scenarios, BLOCK, THREADS, False, on_step, {"case": case.hash, "seed": SEED})
