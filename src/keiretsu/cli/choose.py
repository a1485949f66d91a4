"""Commands about decisions: what must be true, alliances, launch timing, choosing among moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from keiretsu.cli.options import (
    CONSUMERS,
    DRAWS,
    SEED,
    CaseName,
    Consumers,
    Draws,
    Place,
    RuleName,
    ScenarioNames,
    Seed,
    Until,
    Workers,
    asked_of,
    case_under,
)

if TYPE_CHECKING:
    import pandas as pd

    from keiretsu.case import Case
    from keiretsu.outlook.ensemble import Ensemble
    from keiretsu.study.futures import FuturesAsked
    from keiretsu.study.runs import Executor
    from keiretsu.valuation.alliances import Alliance
    from keiretsu.valuation.cooperation import Cooperation

Terms = Annotated[str, typer.Option("--terms", metavar="ID", help="Terms of the stake.", show_default="the first of stake_terms.csv")]
PartnerNames = Annotated[list[str] | None, typer.Option("--partner", "-p", metavar="COMPANY", help="A partner; two to eight.", show_default="Renault, Nissan, Mitsubishi, Honda")]  # fmt: skip
Rate = Annotated[float | None, typer.Option("--rate", help="Real discount rate a year, where every year is taken to be alike.", show_default="0.07")]
ALIKE_RATE = 0.07
ALIKE_YEARS = 12  # counted where every year is taken to be alike and the case states no last one


def whatmustbetrue(
    case: CaseName,
    terms: Terms = "",
    draws: Draws = DRAWS,
    until: Until = 0,
    seed: Seed = SEED,
    consumers: Consumers = CONSUMERS,
    rule: RuleName = "",
    on: Place = "threads",
    workers: Workers = 0,
) -> None:
    """The likeliest future in which a stake is worth nothing, found on the model itself, and how likely a loss is."""
    from keiretsu.cli import say
    from keiretsu.report.decisions import on_the_model_tables
    from keiretsu.report.names import names_in
    from keiretsu.report.own_money import sentence_in, table_in
    from keiretsu.study.beyond import refuse_terms_beyond
    from keiretsu.study.cluster import executor_of
    from keiretsu.study.futures import futures_and_years
    from keiretsu.study.on_the_model import stake_must_be_true
    from keiretsu.valuation import terms_of

    loaded = case_under(case, rule)
    years, executor = asked_of(loaded, draws, until, consumers, seed), executor_of(on, workers)
    asked = terms_of(loaded, terms or _first_terms(loaded))
    refuse_terms_beyond(loaded, [asked], years)
    with say.progress(executor.at_once) as on_step:
        outlook, futures = futures_and_years(loaded, (asked.scenario,) if asked.scenario else (), years, executor, on_step)
        on_step(0, 1, "the nearest future in which it is worth nothing; the first run compiles exact slopes for some minutes")
        found = stake_must_be_true(loaded, futures, outlook, asked)
    names = names_in(loaded)
    say.say(sentence_in(found.sentence, names))
    for table in on_the_model_tables(found):
        say.show(table_in(table, names))


def alliances(
    case: CaseName,
    partner: PartnerNames = None,
    savings: Annotated[str, typer.Option(help="flat: the same for every group. by-volume: for each doubling of volume.")] = "flat",
    pricing: Annotated[str, typer.Option(help="separate or joint.")] = "separate",
    pools: Annotated[str, typer.Option(help="CO2 pools: own or shared.")] = "own",
    years: Annotated[
        str, typer.Option(help="alike: every year like the base year, policy left out. ahead: years simulated to the case's last one.")
    ] = "ahead",
    draws: Annotated[int, typer.Option("--draws", min=0, help="Futures to draw, a multiple of 8; 0 is the central case.")] = 0,
    until: Until = 0,
    seed: Seed = SEED,
    consumers: Consumers = CONSUMERS,
    rule: RuleName = "",
    rate: Rate = None,
    on: Place = "threads",
    workers: Workers = 0,
) -> None:
    """Every coalition among partners: what it is worth, how to split it, which one nobody would leave."""
    from keiretsu.cli import say
    from keiretsu.report.decisions import alliance_tables
    from keiretsu.report.names import names_in
    from keiretsu.report.own_money import sentence_in, table_in
    from keiretsu.study.cluster import executor_of

    real = _rate(years, rate)
    loaded = case_under(case, rule)
    asked, executor = asked_of(loaded, draws, until, consumers, seed), executor_of(on, workers)
    form = _form(savings, pricing, pools)
    _refuse_nobody(loaded, tuple(partner or ()))
    found = _alliance(loaded, tuple(partner or ()), form, years, asked, real, executor)
    names = names_in(loaded)
    say.say(sentence_in(found.sentence, names))
    for table in alliance_tables(found, names):
        say.show(table_in(table, names))


def timing(
    case: CaseName,
    scenario: Annotated[
        str, typer.Option("--scenario", "-s", help="Scenario whose launches are timed.", show_default="the first one that launches cars")
    ] = "",
    year: Annotated[
        list[int] | None, typer.Option("--year", help="A year in which they may come.", show_default="the three after the base year's next")
    ] = None,
    years: Annotated[
        str, typer.Option(help="ahead: years simulated to the case's last one. alike: every year like the base year, policy left out.")
    ] = "ahead",
    until: Until = 0,
    consumers: Consumers = CONSUMERS,
    rule: RuleName = "",
    rate: Rate = None,
) -> None:
    """The best year of each launch, given the others; what waiting costs; whose sales a twin takes."""
    from keiretsu.cli import say
    from keiretsu.report.decisions import AHEAD, ALIKE, timing_tables
    from keiretsu.report.names import names_in
    from keiretsu.report.own_money import sentence_in, table_in
    from keiretsu.study.launches import time_launches
    from keiretsu.study.launches_ahead import time_launches_ahead

    real = _rate(years, rate)
    loaded = case_under(case, rule)
    asked_years = asked_of(loaded, 0, until, consumers, SEED)
    last = asked_years.last(loaded) if years == "ahead" else _last_alike(loaded, until)
    asked = tuple(year or _years_to_choose(loaded.year + 2, loaded.year + 5, last))
    scenario = scenario or _launching(loaded)
    with say.progress() as on_step:
        if years == "ahead":
            found, sources = time_launches_ahead(loaded, scenario, asked, asked_years, on_step)
        else:
            found, sources = time_launches(loaded, scenario, asked, last, real, on_step)
    names = names_in(loaded)
    say.say(sentence_in(found.sentence, names))
    for table in timing_tables(found, sources, AHEAD if years == "ahead" else ALIKE):
        say.show(table_in(table, names))


def choose(
    case: CaseName,
    company: Annotated[str, typer.Option("--for", metavar="COMPANY", help="Who chooses.", show_default="the investor of stake_terms.csv")] = "",
    scenario: ScenarioNames = None,
    draws: Draws = DRAWS,
    until: Until = 0,
    seed: Seed = SEED,
    consumers: Consumers = CONSUMERS,
    rule: RuleName = "",
    on: Place = "threads",
    workers: Workers = 0,
    budget: Annotated[
        float, typer.Option("--budget", metavar="EUR", help="Search a plan of several moves by year that costs no more; 0 for none.", min=0)
    ] = 0.0,
    year: Annotated[
        list[int] | None, typer.Option("--year", help="A year in which a move of the plan may begin.", show_default="the four after the base year")
    ] = None,
) -> None:
    """Moves of a company side by side: expected value, chance of being best, regret, and what it is worth to know more first."""
    from keiretsu.cli import say
    from keiretsu.report.decisions import choice_tables, plan_tables
    from keiretsu.report.names import names_in
    from keiretsu.report.own_money import sentence_in, table_in
    from keiretsu.study.cluster import executor_of
    from keiretsu.study.plans import best_plan_of_moves
    from keiretsu.study.worth_choice import ChoicePart
    from keiretsu.valuation.choosing import choose as choose_among
    from keiretsu.valuation.plan import Budget

    loaded = case_under(case, rule)
    asked = asked_of(loaded, draws, until, consumers, seed)
    chooser, chosen, futures = _futures_of_moves(loaded, company, tuple(scenario or ()), asked, executor_of(on, workers))
    found = choose_among(*_values_of_moves(loaded, chooser, chosen, futures))
    titles = {one.name: one.title for one in loaded.scenarios} | {"nothing": "Do nothing"}
    names, part = names_in(loaded), ChoicePart(chooser, found, {name: titles[name] for name in ("nothing", *chosen)}, ())
    say.say(sentence_in(part.sentence, names))
    for table in choice_tables(found, titles):
        say.show(table_in(table, names))
    if budget > 0:
        years = tuple(year or _years_to_choose(loaded.year + 1, loaded.year + 5, asked.last(loaded)))
        plan = best_plan_of_moves(loaded, futures, chooser, chosen, years, Budget(total_eur=budget))
        say.say(sentence_in(plan.sentence, names))
        for table in plan_tables(plan, titles):
            say.show(table_in(table, names))


def _years_to_choose(first: int, end: int, last: int) -> range:
    """The years from `first` up to, not including, `end`, none after the `last` one simulated, one at least."""
    return range(first, max(min(end, last + 1), first + 1))


def _rate(years: str, rate: float | None) -> float:
    """The rate at which years alike are discounted; simulated ones are at each maker's own, so that one given for them is refused and not left out."""
    from keiretsu.errors import InputError, Problem

    _one_of("--years", years, ("alike", "ahead"))
    if years == "ahead" and rate is not None:
        what = "simulated years are discounted at each maker's own rate"
        raise InputError(Problem(what, "--rate", f"{rate:g}", "no --rate, or --years alike", "wacc_nominal in finance.csv states a maker's rate"))
    return ALIKE_RATE if rate is None else rate


def _last_alike(case: Case, until: int) -> int:
    """The last year counted where every year is taken to be alike: the one asked for, else the case's, else so many years after the base year."""
    from keiretsu.outlook.case_facts import last_year

    return until or (last_year(case) if len(case.tables["outlook"]) else case.year + ALIKE_YEARS)


def _alliance(case: Case, names: tuple[str, ...], form: Cooperation, years: str, asked: FuturesAsked, rate: float, executor: Executor) -> Alliance:
    from keiretsu.cli import say
    from keiretsu.study.alliances import alliance_alike
    from keiretsu.study.alliances_ahead import alliance_ahead
    from keiretsu.valuation.alliances import alliance
    from keiretsu.valuation.cooperation import DEFAULT_PARTNERS
    from keiretsu.valuation.static_value import YearsAlike

    named = names or DEFAULT_PARTNERS
    with say.progress(executor.at_once) as on_step:
        if years == "alike":
            counted = YearsAlike(case.year + 1, _last_alike(case, asked.until), rate)
            partners, payoffs = alliance_alike(case, named, form, counted, asked.draws, asked.seed, on_step)
        else:
            partners, payoffs = alliance_ahead(case, named, form, asked, executor, on_step)
        return alliance(partners, form, payoffs)


def _form(savings: str, pricing: str, pools: str) -> Cooperation:
    from keiretsu.valuation.cooperation import Cooperation, FlatSaving, SavingPerDoubling

    _one_of("--savings", savings, ("flat", "by-volume"))
    _one_of("--pricing", pricing, ("separate", "joint"))
    _one_of("--pools", pools, ("own", "shared"))
    saving = FlatSaving() if savings == "flat" else SavingPerDoubling()
    return Cooperation(saving, pricing="joint" if pricing == "joint" else "separate", pools="shared" if pools == "shared" else "own")


def _futures_of_moves(
    case: Case, company: str, scenarios: tuple[str, ...], asked: FuturesAsked, executor: Executor
) -> tuple[str, tuple[str, ...], Ensemble]:
    from keiretsu.cli import say
    from keiretsu.errors import InputError, Problem
    from keiretsu.outlook.uncertain import REPLICATES
    from keiretsu.study.beyond import refuse_terms_beyond
    from keiretsu.study.decisions import moves_open_to
    from keiretsu.study.futures import futures_of
    from keiretsu.valuation import terms_of
    from keiretsu.valuation.choosing import NEEDED

    if not company and case.tables["stake_terms"].empty:
        what, seen = "nobody is named who chooses", "no --for, and no stake_terms.csv whose investor would"
        raise InputError(Problem(what, "--for", seen, f"one of {', '.join(sorted(set(case.products['priced_by'].astype(str))))}"))
    if asked.draws < NEEDED:
        raise InputError(Problem("too few draws to choose by", "--draws", str(asked.draws), f"{NEEDED} at least, and a multiple of {REPLICATES}"))
    chooser = company or str(_terms_frame(case)["investor"].iloc[0])
    chosen = scenarios or moves_open_to(case, chooser)
    rows = _rows_of(case, chooser, chosen)
    refuse_terms_beyond(case, [terms_of(case, name) for name in rows], asked)
    with say.progress(executor.at_once) as on_step:
        return chooser, chosen, futures_of(case, chosen, asked, executor, on_step)


def _rows_of(case: Case, chooser: str, scenarios: tuple[str, ...]) -> list[str]:
    """Terms of the chooser's stakes in these scenarios."""
    frame = case.tables["stake_terms"]
    return [str(name) for name in frame.loc[(frame["investor"] == chooser) & frame["scenario"].isin(scenarios), "terms"]]


def _values_of_moves(case: Case, chooser: str, chosen: tuple[str, ...], futures: Ensemble) -> tuple[pd.DataFrame, pd.DataFrame]:
    from keiretsu.study.decisions import choice_values, knowable, stake_claims
    from keiretsu.study.said_inputs import input_said

    claims = stake_claims(case, futures, chooser, chosen)
    return choice_values(case, futures, chosen, chooser, (chooser,), claims), knowable(futures).rename(
        columns=lambda name: input_said(case, str(name))
    )


def _first_terms(case: Case) -> str:
    return str(_terms_frame(case)["terms"].iloc[0])


def _terms_frame(case: Case) -> pd.DataFrame:
    from keiretsu.errors import Problem, ValuationError

    frame = case.tables["stake_terms"]
    if frame.empty:
        raise ValuationError(
            Problem("the case states no terms of a stake", f"case {case.name}", "no stake_terms.csv", "a row of terms", "see docs/valuation.md")
        )
    return frame


def _one_of(option: str, given: str, words: tuple[str, ...]) -> None:
    from keiretsu.errors import InputError, Problem

    if given not in words:
        raise InputError(Problem("not a choice", option, given, f"one of {', '.join(words)}"))


def _refuse_nobody(case: Case, named: tuple[str, ...]) -> None:
    """Without partners named, those of the embedded case are meant; another case has to name its own."""
    from keiretsu.errors import InputError, Problem
    from keiretsu.valuation.cooperation import DEFAULT_PARTNERS

    companies = [str(company) for company in case.companies["company"]]
    if not named and not set(DEFAULT_PARTNERS) <= set(companies):
        raise InputError(Problem("no partners are named", "--partner", "nobody", f"two to eight of {', '.join(companies)}", "such as -p A -p B"))


def _launching(case: Case) -> str:
    """The first scenario that launches cars, the embedded case's question about its twins before others."""
    from keiretsu.errors import InputError, Problem

    names = [text.name for text in case.scenarios if any(move.values.get("type") in ("launch", "twin") for move in text.moves)]
    if not names:
        raise InputError(Problem("no scenario launches a car", "--scenario", "nothing to time", "a scenario with a move of type launch or twin"))
    return "india_twins" if "india_twins" in names else names[0]
