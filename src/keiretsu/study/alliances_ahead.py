"""Alliances from simulated years: every rule, programme and rival of the years ahead in force ([18])."""

from __future__ import annotations

from collections.abc import Sequence

from keiretsu.case import Case
from keiretsu.market.build import build_world
from keiretsu.study.decisions import payoffs_from
from keiretsu.study.futures import HERE, FuturesAsked, computed, refuse_bad_request
from keiretsu.study.run import OnStep, no_listener
from keiretsu.study.runs import Executor
from keiretsu.valuation.alliances import Payoffs, seatings_needed
from keiretsu.valuation.cooperation import Cooperation, Partner, partners_of, scenario_of


def alliance_ahead(
    case: Case, names: Sequence[str], form: Cooperation, asked: FuturesAsked, executor: Executor = HERE, on_step: OnStep = no_listener
) -> tuple[tuple[Partner, ...], Payoffs]:
    """Partners and the payoffs of each seating, with one scenario for each in which somebody cooperates; without draws, at the central case.

    Margins of the years simulated, each partner's at its own real rate, before tax and fixed cost.

    Raises
    ------
    KeiretsuError
        Whatever part of the case cannot be used or settled, by its name; a request that cannot be meant.
    """
    refuse_bad_request(case, asked)
    on_step(0, 1, "base year")
    fewer = asked.lean(case)
    world = build_world(fewer)
    partners = partners_of(world, names)
    scenarios = [scenario_of(world, partners, seating, form) for seating in seatings_needed([partner.name for partner in partners])]
    _, found = computed(fewer, world, [one for one in scenarios if one.moves], asked, executor, on_step)
    return partners, payoffs_from(case, found, partners)
