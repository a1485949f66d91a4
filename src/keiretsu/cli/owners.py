"""Commands about who owns whom and what that means for competition and policy: owners, concentration, policy."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from keiretsu.cli.answer import CaseName, RuleName

Every = Annotated[bool, typer.Option("--all", help="Show every row.")]


def owners(
    case: CaseName,
    as_of: Annotated[str, typer.Option("--as-of", metavar="DATE", help="Day to look at, such as 2024-03-27.", show_default="the case's day")] = "",
    after: Annotated[str, typer.Option("--after", metavar="SCENARIO", help="Also show what this scenario changes.")] = "",
    rule: RuleName = "",
    every: Every = False,
) -> None:
    """Direct and look-through stakes, who controls whom, and profit weights, before and after a deal."""
    from keiretsu.case import load_case
    from keiretsu.cli import say
    from keiretsu.report.names import names_in
    from keiretsu.report.sections import weights_table
    from keiretsu.report.tables import table_of
    from keiretsu.study.owners import owners_tables
    from keiretsu.study.owners_changed import owners_changed, world_of_owners

    loaded = load_case(case)
    names = names_in(loaded)
    world = world_of_owners(loaded, as_of=_day(as_of, loaded.as_of), rule=rule)
    most = 100_000 if every else say.LINES
    tables = owners_tables(world)
    say.show(table_of("direct", f"Direct stakes on {world.date}", tables.direct, names=names), most=most)
    say.show(table_of("through", "Look-through stakes, loops followed", tables.look_through, names=names), most=most)
    say.show(table_of("control", "Who controls whom", tables.control, names=names), most=most)
    say.show(weights_table("kappa", tables.kappa, names), most=most)
    if after:
        for title, frame in owners_changed(loaded, world, after).items():
            if len(frame):
                say.show(table_of("changed", title, frame, names=names), most=most)
            else:
                say.say(f"{title}: nothing changes.")


def concentration(
    case: CaseName,
    pair: Annotated[list[str] | None, typer.Option("--pair", metavar="A:B", help="Two companies as if they were one: GUPPI, UPP, CMCR.")] = None,
    after: Annotated[list[str] | None, typer.Option("--after", metavar="SCENARIO", help="The same for the stakes of this scenario.")] = None,
    every: Every = False,
) -> None:
    """HHI, MHHI and, for a merger or a stake, GUPPI, UPP and compensating cost reductions."""
    from keiretsu.case import load_case
    from keiretsu.cli import say
    from keiretsu.report.names import names_in
    from keiretsu.report.tables import table_of
    from keiretsu.study.screens import screens

    pairs = tuple(_pair(text) for text in pair or ())
    loaded = load_case(case)
    with say.progress() as on_step:
        on_step(0, 1, "base year")
        tables = screens(loaded, pairs, tuple(after or ()))
    for title, frame in tables.items():
        say.show(table_of("screen", title, frame, names=names_in(loaded)), most=100_000 if every else say.LINES)


def policy(
    case: CaseName,
    on: Annotated[str, typer.Option("--on", metavar="DATE", help="Day to look at.", show_default="the case's day")] = "",
    every: Every = False,
) -> None:
    """Taxes, incentives, tariffs and CO2 rules in force on a day."""
    from keiretsu.case import load_case
    from keiretsu.cli import say
    from keiretsu.report.names import names_in
    from keiretsu.report.tables import table_of
    from keiretsu.study.policy import policy_tables

    loaded = load_case(case)
    for title, frame in policy_tables(loaded, _day(on, loaded.as_of)).items():
        say.show(table_of("policy", title, frame, names=names_in(loaded)), most=100_000 if every else say.LINES)


def _day(text: str, otherwise: dt.date) -> dt.date:
    from keiretsu.errors import InputError, Problem

    if not text:
        return otherwise
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise InputError(Problem("not a date", "the date asked for", text, "year-month-day, such as 2024-03-27")) from None


def _pair(text: str) -> tuple[str, str]:
    from keiretsu.errors import InputError, Problem

    first, colon, second = text.partition(":")
    if not (colon and first and second):
        raise InputError(Problem("not a pair of companies", "--pair", text, "two company ids with a colon between them, such as Nissan:Honda"))
    return first, second
