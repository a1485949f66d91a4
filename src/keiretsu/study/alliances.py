"""Alliances from one solved year: fast enough for thirty-two draws of every coalition of four."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from keiretsu.case import Case
from keiretsu.market.build import build_world
from keiretsu.market.solve import solve
from keiretsu.market.world import World
from keiretsu.study.futures import THREADS
from keiretsu.study.run import OnStep
from keiretsu.valuation.alliances import Payoffs, seatings_needed
from keiretsu.valuation.cooperation import Cooperation, Partner, partners_of
from keiretsu.valuation.static_value import YearsAlike, central_draw, drawn_worlds, static_payoffs


def world_of_years_alike(case: Case, form: Cooperation) -> World:
    """The base year without incentives, tariffs and fleet rules, costs recovered without them too; with them when the form shares CO2 pools.

    A year under every rule takes minutes to solve; coalitions are compared in hundreds of years.
    """
    return build_world(case if form.pools == "shared" else without_policy(case))


def without_policy(case: Case) -> Case:
    """The case without programmes and pools."""
    return dataclasses.replace(case, programmes=(), pools=())


def alliance_alike(
    case: Case, names: Sequence[str], form: Cooperation, years: YearsAlike, draws: int, seed: int, on_step: OnStep
) -> tuple[tuple[Partner, ...], Payoffs]:
    """Partners and the payoffs of each seating; `draws` a multiple of eight, 0 for the central case, from `seed`.

    Raises
    ------
    InputError
        When the number of draws is no multiple of eight.
    """
    on_step(0, 1, "base year")
    world = world_of_years_alike(case, form)
    partners = partners_of(world, names)
    total, done = len(seatings_needed(names)), iter(range(1_000_000))
    drawn = drawn_worlds(world, form, draws, seed) if draws else central_draw(world, form)
    return partners, static_payoffs(drawn, partners, solve, years, THREADS, lambda name: on_step(next(done), total, name))
