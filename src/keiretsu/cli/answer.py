"""Commands that answer: run, scenarios, rules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keiretsu.cli.options import CONSUMERS, DRAWS, SEED, CaseName, Consumers, RuleName, ScenarioNames, Seed

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

    from keiretsu.study.answered import Answer
    from keiretsu.study.results import Results
    from keiretsu.study.store import Draft


def run(
    case: CaseName,
    scenario: ScenarioNames = None,
    rule: RuleName = "",
    draws: Annotated[
        int, typer.Option("--draws", help="Futures of each headline scenario (of each one named), a multiple of 8; 0 for central cases.")
    ] = DRAWS,
    seed: Seed = SEED,
    consumers: Consumers = CONSUMERS,
    must_be_true: Annotated[
        bool, typer.Option("--must-be-true", help="Also ask the model itself what must be true for the headline stake: some minutes more.")
    ] = False,
    error: Annotated[
        float, typer.Option("--error", metavar="EUR_M", help="Add draws until profit changes are known to this, EUR m a year; 0 for --draws alone.")
    ] = 0.0,
    until: Annotated[int, typer.Option("--until", help="Last year; 0 is the one that the case states, the base year looks at one year alone.")] = 0,
    on: Annotated[
        str, typer.Option("--on", help="Years ahead: beside (a second process), threads, local (workers), or tcp://... of a Dask scheduler.")
    ] = "beside",
    workers: Annotated[int, typer.Option("--workers", help="Workers for threads and local; 0 is one for each processor.")] = 0,
    nearly: Annotated[
        float,
        typer.Option("--nearly", metavar="EUR_M", help="Where prices at thresholds go round: take a state if nobody gains more by crossing, EUR m."),
    ] = 0.0,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the results.", show_default="runs/CASE")] = None,
    export: Annotated[Path | None, typer.Option("--export", metavar="FILE.xlsx", help="Also write the replication pack, a spreadsheet.")] = None,
    latex: Annotated[Path | None, typer.Option("--latex", metavar="DIR", help="Also write the tables as LaTeX.")] = None,
) -> None:
    """Solve a case under each scenario, say who gains, write the report."""
    from keiretsu.case import load_case
    from keiretsu.cli import say
    from keiretsu.errors import InputError, Problem
    from keiretsu.processes import loading, processors

    if export is not None and export.suffix.lower() != ".xlsx":
        raise InputError(Problem("the replication pack is a spreadsheet", "--export", str(export), "a file that ends in .xlsx"))
    try:
        loaded = load_case(case)
        target = out or Path("runs") / loaded.name
        at_once = (workers or processors()) if on == "threads" else 1
        has_years = until > loaded.year if until else len(loaded.tables["outlook"]) > 0
        with _process_beside(on == "beside" and has_years) as other, say.progress(at_once) as on_step:
            with loading():  # heavy: the other process loads its own meanwhile
                from keiretsu.market.solve import SolveOptions
                from keiretsu.numerics.compiled import cache_folder
                from keiretsu.study.answer import AheadOptions, beside, here
                from keiretsu.study.answer import answer as answered
                from keiretsu.study.cluster import executor_of
                from keiretsu.study.run import RunOptions
                from keiretsu.study.store import draft_of, refuse_occupied

            refuse_occupied(target)
            years_by = beside(target.parent, cache_folder(), other) if on == "beside" else here(target.parent, executor_of(on, workers))
            asked = AheadOptions(draws=draws, consumers=consumers, error_eur_m=error, until=until, seed=seed, ask=must_be_true)
            options = RunOptions(scenarios=tuple(scenario or []), rule=rule, solving=SolveOptions(nearly_eur=1e6 * nearly))
            drafts: list[Draft] = []
            results = answered(loaded, options, asked, years_by, on_step, lambda solved: drafts.append(draft_of(solved)))
            on_step(0, 1, "writing tables and report")
            _write(results, target, export, latex, drafts[0] if drafts else None)
    except KeyboardInterrupt:
        say.errors.print("Stopped; nothing was written but what is done of the years ahead, and the same command goes on from there.")
        raise typer.Exit(130) from None
    _answer(results)
    say.path("Report", (target / "report.html").resolve())
    for label, written in (("Replication pack", export), ("LaTeX tables", latex)):
        if written is not None:
            say.path(label, written.resolve())


def scenarios(case: CaseName) -> None:
    """List the scenarios of a case and the question each one answers."""
    import pandas as pd

    from keiretsu.case import load_case
    from keiretsu.cli import say
    from keiretsu.report.tables import table_of
    from keiretsu.report.wording import Label

    loaded = load_case(case)
    listed = pd.DataFrame(
        [(s.name, s.title, s.question + (" (Solved only when named with -s.)" if s.on_request else "")) for s in loaded.scenarios],
        columns=["name", "title", "question"],
    )
    labels = {"name": Label("--scenario", kind="text"), "title": Label("Scenario", kind="text"), "question": Label("Question", kind="text")}
    say.show(table_of("scenarios", loaded.title, listed, names={}, labels=labels))


def rules(case: CaseName, scenario: ScenarioNames = None) -> None:
    """Results under the alternative ownership rules, side by side."""
    from keiretsu.cli import say
    from keiretsu.report.headline import headline_table
    from keiretsu.report.names import names_of

    with say.progress() as on_step:
        results = _solved(case, scenario or [], "", on_step)
    note = "Costs are recovered anew under each rule, so that every rule reproduces the observed year."
    if len(results.rules):
        say.show(headline_table("rules", results.case.title, results.rules, names_of(results), note))
    else:
        say.say(f"No scenario asked about changes who owns what on the case's day, {results.case.as_of}, so the rules cannot differ.")


def _solved(case: str, scenarios: list[str], rule: str, on_step: object) -> Results:
    from keiretsu.case import load_case
    from keiretsu.study.run import RunOptions
    from keiretsu.study.run import run as solve

    return solve(load_case(case), RunOptions(scenarios=tuple(scenarios), rule=rule), on_step)  # type: ignore[arg-type]


@contextmanager
def _process_beside(wanted: bool) -> Iterator[ProcessPoolExecutor | None]:
    """A process for the years ahead, where there are any; it is let go at the end, whatever happened."""
    from keiretsu.processes import process_beside

    other = process_beside("keiretsu.study.beside") if wanted else None
    try:
        yield other
    finally:
        if other is not None:
            other.shutdown(wait=False, cancel_futures=True)


def _write(results: Results, target: Path, export: Path | None, latex: Path | None, drafted: Draft | None) -> None:
    from keiretsu.report import write_latex, write_report, write_workbook
    from keiretsu.study.store import save_results, whole_file, whole_folder

    with whole_folder(target) as draft:
        save_results(results, draft, drafted)
        write_report(results, draft / "report.html")
    if export is not None:
        with whole_file(export) as draft:
            write_workbook(results, draft)
    if latex is not None:
        write_latex(results, latex)


def _answer(results: Answer) -> None:
    from keiretsu.cli import say
    from keiretsu.report.headline import headline_table
    from keiretsu.report.names import names_of
    from keiretsu.report.nearly import nearly_said
    from keiretsu.study.ventures import note_on_ventures

    money = "" if results.case.money == "own" else " EUR a year at 2023 prices."
    note = f"Changes against the baseline.{money} Owners' claims are on operating profit and leave out what was paid for stakes."
    note += note_on_ventures(results.scenarios)
    short = ("electric_share_change_points", "government_change_eur_m")  # in the report
    table = headline_table("headline", results.case.title, results.headline, names_of(results), note, without=short)
    say.show(table, most=1000)
    say.each(results.every_sentence)
    say.each(nearly_said(results, names_of(results)))
    say.each(f"Without an answer: “{title}”. {why}." for title, why in zip(results.unsettled["title"], results.unsettled["why"], strict=True))
    say.each([results.basis, ""])
