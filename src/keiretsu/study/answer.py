"""The whole answer to a case: the year as it is under every scenario, the years ahead with their bands, and what that is worth."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, TypeVar

import pandas as pd

from keiretsu.case import Case
from keiretsu.errors import CaseError, InputError, Problem
from keiretsu.market.consumers import consumers_in, with_at_most
from keiretsu.outlook.case_facts import last_year
from keiretsu.outlook.ensemble import Ensemble
from keiretsu.outlook.error import draws_needed
from keiretsu.outlook.outlook import BASELINE
from keiretsu.study.ahead import ahead_of
from keiretsu.study.answered import Answer, answered
from keiretsu.study.beside import Finished, YearsBeside, folder_of
from keiretsu.study.futures import problems_asked
from keiretsu.study.on_the_model import stake_must_be_true
from keiretsu.study.results import Results
from keiretsu.study.run import OnStep, RunOptions, chosen_scenarios, manifest, no_listener, run
from keiretsu.study.runs import CONSUMERS, Executor, YearsAhead, prepare, run_years, seating_scenarios
from keiretsu.study.worth import worth_of
from keiretsu.study.worth_extras import Extras, extras_of, partners_asked, with_coalitions
from keiretsu.valuation.on_the_model import OnTheModel
from keiretsu.valuation.terms import StakeTerms

T = TypeVar("T")
DRAWS = 32  # of each headline scenario, when nobody says how many
NOT_ASKED = Extras(
    missing={
        "alliances": "Not asked in this run; `keiretsu alliances` answers by itself.",
        "timing": "Not asked in this run; `keiretsu timing` answers by itself.",
    }
)
MOST_DRAWS = 4096  # that an error target may ask for


@dataclass(frozen=True)
class AheadOptions:
    """What is asked of the years ahead.

    Attributes
    ----------
    draws
        Futures of the baseline and of each scenario that is drawn, a multiple of 8.
    consumers
        Consumer draws of each market in the years ahead, at most; 0 for those of the base year.
    error_eur_m
        Draws are added until the error (half of a 95 % interval, EUR m a year) of each drawn scenario's change in all makers' profit is below this;
        0 for the draws as they are.
    until
        Last year; 0 for the one that the case states. The base year, or a case that states nothing about the years ahead: none are simulated.
    ask
        Whether the model itself is asked what must be true for the headline stake: minutes, see `keiretsu.study.on_the_model`.
    """

    draws: int = DRAWS
    consumers: int = CONSUMERS
    error_eur_m: float = 0.0
    until: int = 0
    seed: int = 20240327
    ask: bool = False


class Years(Protocol):
    """A run of the years ahead that may have begun already; entered before anything else is solved."""

    def __enter__(self) -> Years: ...
    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...
    def finish(self, on_step: OnStep) -> Finished:
        """What the years ahead are made from, and the futures."""
        ...

    def also(self, work: Callable[..., T], *given: object) -> Callable[[], T]:
        """Other work for wherever the years are computed; the answer is a function that gives the result."""
        ...


@dataclass(frozen=True)
class YearsHere:
    """The years ahead by an executor of this process, when the rest is done."""

    case: Case
    asked: YearsAhead
    root: Path
    executor: Executor

    def __enter__(self) -> YearsHere:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        pass

    def finish(self, on_step: OnStep) -> Finished:
        """See `Years`; the first path that does not settle is an error here."""
        ready = prepare(self.case, self.asked)
        return Finished(ready, run_years(ready, folder_of(self.root, ready), self.executor, on_step), {})

    def also(self, work: Callable[..., T], *given: object) -> Callable[[], T]:
        """See `Years`; done when it is asked for."""
        return lambda: work(*given)


YearsBy = Callable[[Case, YearsAhead], Years]


def beside(root: Path, cache: Path, process: ProcessPoolExecutor | None = None) -> YearsBy:
    """Years in a process beside this one (the first run's may have begun), their pieces under `root`, compiled code in `cache`."""
    begun = [process]
    return lambda case, asked: YearsBeside(case, asked, root, cache, begun.pop() if begun else None)


def here(root: Path, executor: Executor) -> YearsBy:
    """Years by an executor, their pieces under `root`."""
    return lambda case, asked: YearsHere(case, asked, root, executor)


def nothing_yet(results: Results) -> None:
    """Nothing is made of the base year's results before the years ahead are there."""


def answer(
    case: Case,
    options: RunOptions,
    ahead: AheadOptions,
    years_by: YearsBy,
    on_step: OnStep = no_listener,
    meanwhile: Callable[[Results], object] = nothing_yet,
) -> Answer:
    """Solve a case's base year and its years ahead, and say what they mean.

    `meanwhile` is called with the base year's results while the years may be under way elsewhere, for whatever can be made of them already.

    Raises
    ------
    KeiretsuError
        Whatever part of the case cannot be used, a baseline that does not settle in the base year or later, a run folder that cannot be written.
    """
    until = years_asked(case, ahead)
    if options.rule:
        case = dataclasses.replace(case, rule=options.rule)
    if not until:
        return answered(run(case, options, on_step), None, ahead_of(case, None), worth_of(case, None, NOT_ASKED))
    fewer = ahead.consumers if ahead.consumers and with_at_most(case, ahead.consumers) is not case else 0
    asked = YearsAhead(ahead.draws, ahead.seed, until, options.scenarios, drawn_scenarios(case, options), products=False, consumers=fewer)
    partners = () if options.scenarios else partners_asked(case)
    asked = dataclasses.replace(asked, partners=partners)
    with years_by(case, asked) as years:
        extras_there = years.also(extras_of, case) if not options.scenarios else (lambda: NOT_ASKED)
        results = run(case, options, on_step)
        meanwhile(results)
        found = years.finish(on_step)
        extras = extras_there()
    if not options.scenarios:
        extras = with_coalitions(extras, case, found.ready.outlook.world, found.futures)
    more = draws_for_error(found.futures, ahead.error_eur_m) if ahead.error_eur_m else 0
    if more > ahead.draws:
        with years_by(case, dataclasses.replace(asked, draws=more)) as years:
            found = years.finish(on_step)
    futures = found.futures.without(seat.name for seat in seating_scenarios(found.ready.outlook.world, partners))
    told = {
        **results.manifest,
        "years_ahead": {
            **dataclasses.asdict(asked),
            "draws": len(futures.inputs),
            "program": found.ready.manifest["program"],
            **_consumers(case, fewer),
        },
    }

    def ask(terms: StakeTerms) -> OnTheModel:
        on_step(0, 1, "what must be true, asked of the model; the first run compiles exact slopes for some minutes")
        return stake_must_be_true(case, futures, found.ready.outlook, terms)

    on_step(0, 1, "what it is worth")
    whole = dataclasses.replace(results, manifest=told, unsettled=pd.concat([results.unsettled, _without_years(results, found)]))
    return answered(whole, futures, ahead_of(case, futures), worth_of(case, futures, extras, ask if ahead.ask else None))


def _consumers(case: Case, fewer: int) -> dict[str, str]:
    """Consumer draws of a market, used in the base year and in the years ahead: powers of two for each group of buyers, whatever was asked for."""
    here, ahead = (sorted(set(consumers_in(one).values())) for one in (case, with_at_most(case, fewer) if fewer else case))
    said = {"consumers_of_base_year": here, "consumers_used": ahead}
    return {key: f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}" for key, counts in said.items()}


def _without_years(results: Results, found: Finished) -> pd.DataFrame:
    """Scenarios without an answer in the years ahead, a row each as in `Results.unsettled`."""
    titles = {one.name: one.title for one in results.scenarios}
    rows = [(name, f"{titles.get(name, name)}, years ahead", str(error)) for name, error in found.failed.items()]
    return pd.DataFrame(rows, columns=list(results.unsettled.columns))


def years_asked(case: Case, ahead: AheadOptions) -> int:
    """Last year to be simulated, 0 for none.

    Raises
    ------
    InputError
        When the last year lies before the base year, draws are no multiple of 8, or consumers below zero; all together.
    """
    problems = problems_asked(case, ahead.draws, ahead.consumers, ahead.until)
    if problems:
        raise InputError(problems)
    if not ahead.until:
        return last_year(case) if len(case.tables["outlook"]) else 0
    return ahead.until if ahead.until > case.year else 0


def drawn_scenarios(case: Case, options: RunOptions) -> tuple[str, ...]:
    """Scenarios with draws: those asked for by name, else the case's headlines, else all."""
    headlines = tuple(text.name for text in case.scenarios if text.headline)
    return options.scenarios or headlines or tuple(one.name for one in chosen_scenarios(case, ()))


def draws_for_error(futures: Ensemble, error_eur_m: float) -> int:
    """Draws at which every drawn scenario's change in all makers' profit, a mean over the years, is expected to be known to `error_eur_m`.

    Raises
    ------
    InputError
        When that takes more draws than are reasonable; says what can be reached.
    """
    if not len(futures.inputs):
        raise CaseError(Problem("an error is reached by draws", "--error", f"{error_eur_m:g} EUR m", "draws", "say --draws 32 or more"))
    profit = futures.data["firm_profit_eur"].sum("firm").mean("year") / 1e6
    change = (profit - profit.sel(scenario=BASELINE, drop=True)).transpose("draw", "scenario").values
    needed = draws_needed(change, futures.replicates, error_eur_m)
    if needed > MOST_DRAWS:
        worst = float(futures.error(futures.change("firm_profit_eur").sum("firm").mean("year") / 1e6).max())
        reachable = worst * (len(futures.inputs) / MOST_DRAWS) ** 0.5
        raise InputError(
            Problem(
                "the error asked for takes more draws than are reasonable",
                "--error",
                f"{error_eur_m:g} EUR m a year: {needed:,} draws",
                f"{reachable:.2g} EUR m or more ({MOST_DRAWS:,} draws)",
            )
        )
    return needed


__all__ = [
    "AheadOptions",
    "Years",
    "YearsBy",
    "YearsHere",
    "answer",
    "beside",
    "draws_for_error",
    "drawn_scenarios",
    "here",
    "manifest",
    "years_asked",
]
