"""Commands about decisions: what must be true, alliances, launch timing, choosing among moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from keiretsu.cli.answer import CaseName, ScenarioNames
from keiretsu.cli.value import Draws

if TYPE_CHECKING:
    import pandas as pd

    from keiretsu.case import Case
    from keiretsu.outlook.ensemble import Ensemble
    from keiretsu.valuation.alliances import Alliance
    from keiretsu.valuation.cooperation import Cooperation

Terms = Annotated[str, typer.Option("--terms", metavar="ID", help="Terms of the stake.", show_default="the first of stake_terms.csv")]
PartnerNames = Annotated[list[str] | None, typer.Option("--partner", "-p", metavar="COMPANY", help="A partner; two to eight.", show_default="Renault, Nissan, Mitsubishi, Honda")]  # fmt: skip
Rate = Annotated[float, typer.Option("--rate", help="Real discount rate a year, where every year is taken to be alike.")]
LastYear = Annotated[int, typer.Option("--until", help="Last year counted, where every year is taken to be alike.")]
EURO_M = 1e-6


def whatmustbetrue(case: CaseName, terms: Terms = "", draws: Draws = 32) -> None:
    """The likeliest future in which a stake is worth nothing, found on the model itself, and how likely a loss is."""
    from keiretsu.case import load_case
    from keiretsu.cli import say
    from keiretsu.report.decisions import on_the_model_tables
    from keiretsu.report.names import names_in
    from keiretsu.report.own_money import sentence_in, table_in
    from keiretsu.study.futures import futures_and_years
    from keiretsu.study.on_the_model import stake_must_be_true
    from keiretsu.valuation import terms_of

    loaded = load_case(case)
    asked = terms_of(loaded, terms or _first_terms(loaded))
    with say.progress() as on_step:
        outlook, futures = futures_and_years(loaded, (asked.scenario,) if asked.scenario else (), draws, on_step)
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
    until: LastYear = 2035,
    rate: Rate = 0.07,
) -> None:
    """Every coalition among partners: what it is worth, how to split it, which one nobody would leave."""
    from keiretsu.case import load_case
    from keiretsu.cli import say
    from keiretsu.report.decisions import alliance_tables
    from keiretsu.report.names import names_in
    from keiretsu.report.own_money import sentence_in, table_in

    loaded = load_case(case)
    form = _form(savings, pricing, pools)
    _refuse_nobody(loaded, tuple(partner or ()))
    found = _alliance(loaded, tuple(partner or ()), form, years, draws, until, rate)
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
    until: LastYear = 2035,
    rate: Rate = 0.07,
) -> None:
    """The best year of each launch, given the others; what waiting costs; whose sales a twin takes."""
    from keiretsu.case import load_case
    from keiretsu.cli import say
    from keiretsu.report.decisions import AHEAD, ALIKE, timing_tables
    from keiretsu.report.names import names_in
    from keiretsu.report.own_money import sentence_in, table_in
    from keiretsu.study.launches import time_launches
    from keiretsu.study.launches_ahead import time_launches_ahead

    _one_of("--years", years, ("alike", "ahead"))
    loaded = load_case(case)
    asked = tuple(
        year or (_years_to_choose(loaded, loaded.year + 2, loaded.year + 5) if years == "ahead" else range(loaded.year + 2, loaded.year + 5))
    )
    scenario = scenario or _launching(loaded)
    with say.progress() as on_step:
        if years == "ahead":
            found, sources = time_launches_ahead(loaded, scenario, asked, on_step)
        else:
            found, sources = time_launches(loaded, scenario, asked, until, rate, on_step)
    names = names_in(loaded)
    say.say(sentence_in(found.sentence, names))
    for table in timing_tables(found, sources, AHEAD if years == "ahead" else ALIKE):
        say.show(table_in(table, names))


def choose(
    case: CaseName,
    company: Annotated[str, typer.Option("--for", metavar="COMPANY", help="Who chooses.", show_default="the investor of stake_terms.csv")] = "",
    scenario: ScenarioNames = None,
    draws: Draws = 32,
    budget: Annotated[
        float, typer.Option("--budget", metavar="EUR", help="Search a plan of several moves by year that costs no more; 0 for none.", min=0)
    ] = 0.0,
    year: Annotated[
        list[int] | None, typer.Option("--year", help="A year in which a move of the plan may begin.", show_default="the four after the base year")
    ] = None,
) -> None:
    """Moves of a company side by side: expected value, chance of being best, regret, and what it is worth to know more first."""
    from keiretsu.case import load_case
    from keiretsu.cli import say
    from keiretsu.report.decisions import choice_tables, plan_tables
    from keiretsu.report.names import names_in
    from keiretsu.report.own_money import sentence_in, table_in
    from keiretsu.study.plans import best_plan_of_moves
    from keiretsu.study.worth_choice import ChoicePart
    from keiretsu.valuation.choosing import choose as choose_among
    from keiretsu.valuation.plan import Budget

    loaded = load_case(case)
    chooser, chosen, futures = _futures_of_moves(loaded, company, tuple(scenario or ()), draws)
    found = choose_among(*_values_of_moves(loaded, chooser, chosen, futures))
    titles = {one.name: one.title for one in loaded.scenarios} | {"nothing": "Do nothing"}
    names, part = names_in(loaded), ChoicePart(chooser, found, {name: titles[name] for name in ("nothing", *chosen)}, ())
    say.say(sentence_in(part.sentence, names))
    for table in choice_tables(found, titles):
        say.show(table_in(table, names))
    if budget > 0:
        years = tuple(year or _years_to_choose(loaded, loaded.year + 1, loaded.year + 5))
        plan = best_plan_of_moves(loaded, futures, chooser, chosen, years, Budget(total_eur=budget))
        say.say(sentence_in(plan.sentence, names))
        for table in plan_tables(plan, titles):
            say.show(table_in(table, names))


def _years_to_choose(case: Case, first: int, end: int) -> range:
    """The years from `first` up to, not including, `end` that the case simulates, one at least."""
    from keiretsu.outlook.case_facts import last_year

    return range(first, max(min(end, last_year(case) + 1), first + 1))


def _alliance(case: Case, names: tuple[str, ...], form: Cooperation, years: str, draws: int, until: int, rate: float) -> Alliance:
    from keiretsu.cli import say
    from keiretsu.study.alliances import alliance_alike
    from keiretsu.study.decisions import alliance_ahead
    from keiretsu.valuation.alliances import alliance
    from keiretsu.valuation.cooperation import DEFAULT_PARTNERS
    from keiretsu.valuation.static_value import YearsAlike

    _one_of("--years", years, ("alike", "ahead"))
    named = names or DEFAULT_PARTNERS
    with say.progress() as on_step:
        if years == "alike":
            partners, payoffs = alliance_alike(case, named, form, YearsAlike(case.year + 1, until, rate), draws, on_step)
        else:
            partners, payoffs = alliance_ahead(case, named, form, draws, on_step)
        return alliance(partners, form, payoffs)


def _form(savings: str, pricing: str, pools: str) -> Cooperation:
    from keiretsu.valuation.cooperation import Cooperation, FlatSaving, SavingPerDoubling

    _one_of("--savings", savings, ("flat", "by-volume"))
    _one_of("--pricing", pricing, ("separate", "joint"))
    _one_of("--pools", pools, ("own", "shared"))
    saving = FlatSaving() if savings == "flat" else SavingPerDoubling()
    return Cooperation(saving, pricing="joint" if pricing == "joint" else "separate", pools="shared" if pools == "shared" else "own")


def _futures_of_moves(case: Case, company: str, scenarios: tuple[str, ...], draws: int) -> tuple[str, tuple[str, ...], Ensemble]:
    from keiretsu.cli import say
    from keiretsu.errors import InputError, Problem
    from keiretsu.outlook.uncertain import REPLICATES
    from keiretsu.study.decisions import moves_open_to
    from keiretsu.study.futures import futures_of
    from keiretsu.valuation.choosing import NEEDED

    if not company and case.tables["stake_terms"].empty:
        what, seen = "nobody is named who chooses", "no --for, and no stake_terms.csv whose investor would"
        raise InputError(Problem(what, "--for", seen, f"one of {', '.join(sorted(set(case.products['priced_by'].astype(str))))}"))
    if draws < NEEDED or draws % REPLICATES:
        raise InputError(Problem("too few draws to choose by", "--draws", str(draws), f"{NEEDED} at least, and a multiple of {REPLICATES}"))
    chooser = company or str(_terms_frame(case)["investor"].iloc[0])
    chosen = scenarios or moves_open_to(case, chooser)
    with say.progress() as on_step:
        return chooser, chosen, futures_of(case, chosen, draws, on_step)


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
