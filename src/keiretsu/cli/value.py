"""Commands about money: what a company and a stake in it are worth, and whether to list it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from keiretsu.cli.options import CONSUMERS, DRAWS, SEED, CaseName, Consumers, Draws, Place, RuleName, Seed, Until, Workers, asked_of, case_under

if TYPE_CHECKING:
    from keiretsu.case import Case
    from keiretsu.study.futures import FuturesAsked
    from keiretsu.study.runs import Executor
    from keiretsu.valuation import Futures

CompanyName = Annotated[
    str, typer.Option("--company", metavar="COMPANY", help="Company to value.", show_default="the one with terms, else the first")
]


def value(
    case: CaseName,
    company: CompanyName = "",
    terms: Annotated[list[str] | None, typer.Option("--terms", metavar="ID", help="Only these terms of a stake; may be given several times.")] = None,
    draws: Draws = DRAWS,
    until: Until = 0,
    seed: Seed = SEED,
    consumers: Consumers = CONSUMERS,
    rule: RuleName = "",
    on: Place = "threads",
    workers: Workers = 0,
) -> None:
    """What a company is worth, and a stake in it to everybody at the table."""
    from keiretsu.cli import say
    from keiretsu.report.names import names_in
    from keiretsu.report.own_money import sentence_in, table_in
    from keiretsu.report.worth import company_tables, stake_tables, terms_said
    from keiretsu.study.beyond import refuse_terms_beyond
    from keiretsu.study.cluster import executor_of
    from keiretsu.valuation import football_field, terms_of, value_company, value_stake
    from keiretsu.valuation.finance import finance_of, finances

    loaded = case_under(case, rule)
    years, executor = asked_of(loaded, draws, until, consumers, seed), executor_of(on, workers)
    chosen = company or _company_of(loaded, "stake_terms")
    finance_of(finances(loaded), chosen)  # what cannot be valued is refused before the years are simulated
    asked = [terms_of(loaded, name) for name in terms] if terms else [terms_of(loaded, name) for name in _terms_for(loaded, chosen)]
    refuse_terms_beyond(loaded, asked, years)
    futures = _futures(loaded, tuple(dict.fromkeys(t.scenario for t in asked if t.scenario)), years, executor)
    names = dict(names_in(loaded))
    names |= {f"terms {one.name}": terms_said(one, names) for one in asked}
    found = value_company(loaded, futures, chosen)
    say.say(sentence_in(found.sentence, names))
    for table in company_tables(found, football_field(loaded, futures, chosen), names):
        say.show(table_in(table, names))
    for one in asked:
        stake = value_stake(loaded, futures, one)
        say.say(sentence_in(stake.sentence, names))
        for table in stake_tables(stake, names):
            say.show(table_in(table, names))


def list_(
    case: CaseName,
    company: CompanyName = "",
    draws: Draws = DRAWS,
    until: Until = 0,
    seed: Seed = SEED,
    consumers: Consumers = CONSUMERS,
    rule: RuleName = "",
    on: Place = "threads",
    workers: Workers = 0,
) -> None:
    """Whether to list a company: now, later or never, and at which valuation."""
    from keiretsu.cli import say
    from keiretsu.report.names import names_in
    from keiretsu.report.own_money import sentence_in, table_in
    from keiretsu.report.worth import listing_tables
    from keiretsu.study.beyond import refuse_listing_beyond
    from keiretsu.study.cluster import executor_of
    from keiretsu.valuation import value_listing
    from keiretsu.valuation.listing_terms import listing_terms_of, refuse_bad_listing

    loaded = case_under(case, rule)
    years, executor = asked_of(loaded, draws, until, consumers, seed), executor_of(on, workers)
    chosen = company or _company_of(loaded, "listing")
    listing = listing_terms_of(loaded, chosen)
    refuse_bad_listing(listing)  # before the years are simulated
    refuse_listing_beyond(loaded, listing, years)
    found = value_listing(loaded, _futures(loaded, (), years, executor), chosen)
    names = names_in(loaded)
    say.say(sentence_in(found.sentence, names))
    for table in listing_tables(found, names):
        say.show(table_in(table, names))


def _company_of(case: Case, table: str) -> str:
    """The company a command is about when none is named."""
    from keiretsu.errors import Problem, ValuationError

    for name in (table, "finance"):
        if len(case.tables[name]):
            return str(case.tables[name]["company"].iloc[0])
    raise ValuationError(
        Problem(
            "the case says nothing about money", f"case {case.name}", "no finance.csv", "a row for each company to value", "see docs/valuation.md"
        )
    )


def _terms_for(case: Case, company: str) -> list[str]:
    frame = case.tables["stake_terms"]
    return [str(name) for name in frame[frame["company"] == company]["terms"]]


def _futures(case: Case, scenarios: tuple[str, ...], asked: FuturesAsked, executor: Executor) -> Futures:
    from keiretsu.cli import say
    from keiretsu.study.futures import futures_of

    with say.progress(executor.at_once) as on_step:
        return futures_of(case, scenarios, asked, executor, on_step)
