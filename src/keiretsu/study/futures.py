"""Futures of a case for one question: the baseline and some scenarios under the same draws of everything that is uncertain, events among it.

What a run of the whole case draws is drawn here too (`keiretsu.study.runs.prepared`); nothing is kept on disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from keiretsu.case import Case
from keiretsu.errors import InputError, Problem
from keiretsu.market.build import build_world
from keiretsu.market.consumers import with_at_most
from keiretsu.market.world import World
from keiretsu.moves.scenario import Scenario
from keiretsu.outlook.case_facts import last_year
from keiretsu.outlook.ensemble import Ensemble, assembled, values_of
from keiretsu.outlook.outlook import Outlook
from keiretsu.outlook.uncertain import REPLICATES
from keiretsu.study.run import OnStep, chosen_scenarios, no_listener
from keiretsu.study.runs import CONSUMERS, Executor, Prepared, Threads, YearsAhead, prepared

SEED = 20240327
THREADS = 2
HERE = Threads(THREADS)


@dataclass(frozen=True)
class FuturesAsked:
    """What is asked of the years ahead of one question; the words are those of `keiretsu run`.

    Attributes
    ----------
    draws
        Futures of the baseline and of each scenario, a multiple of 8; 0 for central cases.
    until
        Last year; 0 for the one that the case states.
    consumers
        Consumer draws of each market, at most; 0 for those of the base year.
    seed
        Of the draws of what is uncertain.
    """

    draws: int = 32
    until: int = 0
    consumers: int = CONSUMERS
    seed: int = SEED

    def last(self, case: Case) -> int:
        """The last year simulated."""
        return self.until or last_year(case)

    def lean(self, case: Case) -> Case:
        """The case with no more consumers than asked for."""
        return with_at_most(case, self.consumers) if self.consumers else case

    def years(self, scenarios: Sequence[str] = ()) -> YearsAhead:
        """The same as `keiretsu.study.runs` asks for it, without the tables by product."""
        return YearsAhead(self.draws, self.seed, self.until, tuple(scenarios), products=False, consumers=self.consumers)


USUAL = FuturesAsked()


def futures_of(
    case: Case, scenarios: Sequence[str], asked: FuturesAsked = USUAL, executor: Executor = HERE, on_step: OnStep = no_listener
) -> Ensemble:
    """Years ahead of the baseline and the named scenarios, without the tables by product.

    Raises
    ------
    KeiretsuError
        Whatever part of the case cannot be used or settled, by its name; a request that cannot be meant.
    """
    return futures_and_years(case, scenarios, asked, executor, on_step)[1]


def futures_and_years(
    case: Case, scenarios: Sequence[str], asked: FuturesAsked = USUAL, executor: Executor = HERE, on_step: OnStep = no_listener
) -> tuple[Outlook, Ensemble]:
    """As `futures_of`, with the compiled years that gave them, which can be asked again."""
    refuse_bad_request(case, asked)
    fewer = asked.lean(case)
    named = chosen_scenarios(fewer, tuple(scenarios)) if scenarios else ()
    return computed(fewer, build_world(fewer), named, asked, executor, on_step)


def computed(
    case: Case, world: World, scenarios: Iterable[Scenario], asked: FuturesAsked, executor: Executor, on_step: OnStep
) -> tuple[Outlook, Ensemble]:
    """Years of the baseline and of scenarios that are already there, with the draws asked for."""
    on_step(0, 1, "years ahead: prepared; the first run compiles them, later ones do not")
    named = tuple(scenarios)
    ready = prepared(case, world, named, asked.years([one.name for one in named]))
    return ready.outlook, _in_memory(ready, executor, on_step)


def _in_memory(ready: Prepared, executor: Executor, on_step: OnStep) -> Ensemble:
    """Every piece of a prepared run, kept in memory alone."""
    work = [(piece, values_of(ready.outlook, ready.draws, piece)) for piece in ready.pieces]
    on_step(0, len(work), "years ahead")
    done = {}
    for piece, arrays in executor.compute(ready.outlook, work, ready.products):
        done[piece] = arrays
        on_step(len(done), len(work), f"years ahead: {piece.name}")
    return assembled(ready.outlook, ready.draws, done, ready.manifest)


def refuse_bad_request(case: Case, asked: FuturesAsked) -> None:
    """Refuse years, draws or consumers that cannot be meant, before anything is built.

    Raises
    ------
    InputError
        With every problem found.
    """
    problems = problems_asked(case, asked.draws, asked.consumers, asked.until)
    if asked.until == case.year:
        problems.append(Problem("the base year alone has no years ahead", "--until", str(asked.until), f"{case.year + 1} or later"))
    if problems:
        raise InputError(problems)


def problems_asked(case: Case, draws: int, consumers: int, until: int) -> list[Problem]:
    """What cannot be meant by a request for years ahead, in the words of the command line."""
    problems: list[Problem] = []
    if until and until < case.year:
        problems.append(Problem("the last year lies before the base year", "--until", str(until), f"{case.year} or later"))
    if consumers < 0:
        problems.append(Problem("consumers are counted", "--consumers", str(consumers), "0 for those of the base year, or more"))
    if draws < 0 or draws % REPLICATES:
        problems.append(Problem("draws come in equal parts from several scrambles", "--draws", str(draws), f"a multiple of {REPLICATES}"))
    return problems
