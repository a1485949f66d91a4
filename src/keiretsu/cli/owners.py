"""Commands about who owns whom and what that means for competition and policy: owners, concentration, policy."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from keiretsu.cli.options import CaseName, RuleName

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
    changed = owners_changed(loaded, world, after) if after else {}
    most = 100_000 if every else say.LINES
    tables = owners_tables(world)
    say.show(table_of("direct", f"Direct stakes on {world.date}", tables.direct, names=names), most=most)
    say.show(table_of("through", "Look-through stakes, loops followed", tables.look_through, names=names), most=most)
    say.show(table_of("control", "Who controls whom", tables.control, names=names), most=most)
    say.show(weights_table("kappa", tables.kappa, names), most=most)
    for title, frame in changed.items():
        if len(frame):
            say.show(table_of("changed", title, frame, names=names), most=most)
        else:
            say.say(f"{title}: nothing changes.")


def concentration(
    case: CaseName,
    pair: Annotated[list[str] | None, typer.Option("--pair", metavar="A:B", help="Two companies as if they were one: GUPPI, UPP, CMCR.")] = None,
    after: Annotated[list[str] | None, typer.Option("--after", metavar="SCENARIO", help="The same for the stakes of this scenario.")] = None,
    ssnip: Annotated[
        str, typer.Option("--ssnip", metavar="PRODUCTS", help="Would one seller of these raise prices? column=value, such as powertrain=BEV.")
    ] = "",
    market: Annotated[str, typer.Option("--market", metavar="ID", help="Only this market, for --ssnip.", show_default="every market")] = "",
    rise: Annotated[float, typer.Option("--rise", help="Size of the rise that --ssnip tests, a part of the price.")] = 0.05,
    every: Every = False,
) -> None:
    """HHI, MHHI; for a merger or a stake GUPPI, UPP and compensating cost reductions; the hypothetical monopolist (SSNIP) test."""
    from keiretsu.case import load_case
    from keiretsu.cli import say
    from keiretsu.report.names import names_in
    from keiretsu.report.tables import table_of
    from keiretsu.study.monopolist import SSNIP_NOTE, monopolist_table
    from keiretsu.study.screens import screens

    pairs = tuple(_pair(text) for text in pair or ())
    loaded = load_case(case)
    most = 100_000 if every else say.LINES
    with say.progress() as on_step:
        on_step(0, 1, "base year")
        tested = monopolist_table(loaded, ssnip, market, rise) if ssnip else None
        tables = screens(loaded, pairs, tuple(after or ()))
    for title, frame in tables.items():
        say.show(table_of("screen", title, frame, names=names_in(loaded)), most=most)
    if tested is not None:
        title = f"One seller of all products with {ssnip}, others' prices as they are"
        say.show(table_of("ssnip", title, tested, names=names_in(loaded), note=SSNIP_NOTE), most=most)


def policy(
    case: CaseName,
    on: Annotated[str, typer.Option("--on", metavar="DATE", help="Day to look at.", show_default="the case's day")] = "",
    market: Annotated[str, typer.Option("--market", metavar="ID", help="Only this market, car by car.")] = "",
    product: Annotated[str, typer.Option("--product", metavar="WORDS", help="Only cars whose brand, model or id holds these words.")] = "",
    every: Every = False,
) -> None:
    """Taxes, incentives, tariffs and CO2 rules in force on a day, and what they come to for each car."""
    from keiretsu.case import load_case
    from keiretsu.cli import say
    from keiretsu.report.names import names_in
    from keiretsu.report.tables import table_of
    from keiretsu.report.wording import Label
    from keiretsu.study.policy import fleet_rules_on, policy_by_car, policy_tables

    loaded = load_case(case)
    day, most = _day(on, loaded.as_of), 100_000 if every else say.LINES
    names = names_in(loaded)
    cars = policy_by_car(loaded, day, market, product)
    for title, frame in policy_tables(loaded, day).items():
        shown = frame[frame["market"] == market] if market else frame
        if len(shown):
            say.show(table_of("policy", title, shown, names=names), most=most)
    rules = fleet_rules_on(loaded, day)
    if len(rules):
        words = {"rule": Label("Fleet rule", kind="text")}
        say.show(table_of("rules", f"Fleet rules and pools on {day}", rules, names=names, labels=words), most=most)
    note = "Government's take at observed prices, mean over the buyers of the base year; below zero is money given. VAT is on the list price."
    what = " ".join(x for x in (names.get(market, market), product) if x) or "every market"
    table = table_of("cars", f"What each programme comes to for a car on {day}: {what}", cars, names=names, note=note)
    if len(cars):
        say.show(table, most=most)
    else:
        say.say("No tax, incentive or tariff touches these cars on that day.")


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
