"""Commands about the years ahead: sensitivity, runs, resume."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from keiretsu.cli.options import CONSUMERS, SEED, CaseName, Consumers, Place, RuleName, Seed, Until, Workers, asked_of, case_under


def sensitivity(
    case: CaseName,
    of: Annotated[
        str, typer.Option("--of", help='What to explain: "Nissan value", "Ampere units", "electric share", "pack price", ...')
    ] = "Nissan value",
    scenario: Annotated[str, typer.Option("--scenario", "-s", help="In which scenario; the baseline when not stated.")] = "baseline",
    draws: Annotated[int, typer.Option("--draws", help="Draws for global indices, a multiple of 8; 0 leaves them out.")] = 0,
    until: Until = 0,
    rate: Annotated[float, typer.Option("--rate", help="Real discount rate of a value.")] = 0.06,
    consumers: Consumers = CONSUMERS,
    seed: Seed = SEED,
    rule: RuleName = "",
    closely: Annotated[
        int,
        typer.Option("--closely", help="Inputs, largest first, for which paths are solved again: the effect of a deviation, and changes of regime."),
    ] = 5,
    on: Place = "threads",
    workers: Workers = 0,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the draws.", show_default="runs/CASE-sensitivity")] = None,
) -> None:
    """What an output over the years depends on: exact slopes with the distance to where they end, one-deviation effects, global indices."""
    from keiretsu.cli import say
    from keiretsu.errors import InputError, Problem
    from keiretsu.numerics.polynomial import FEWEST_RUNS
    from keiretsu.outlook.measures import measure_named
    from keiretsu.outlook.sensitivity import global_indices, tornado
    from keiretsu.outlook.uncertain import uncertain_of
    from keiretsu.report.sensitivity import indices_table, tornado_table
    from keiretsu.study.cluster import executor_of
    from keiretsu.study.runs import prepare, run_years

    executor = executor_of(on, workers)
    with say.progress(executor.at_once) as on_step:
        loaded = case_under(case, rule)
        asked = asked_of(loaded, draws, until, consumers, seed)
        chosen = () if scenario == "baseline" else (scenario,)
        if loaded.tables["uncertain"].empty:
            raise InputError(
                Problem("nothing is uncertain in this case", loaded.name, "no uncertain.csv", "a row for each input that may be otherwise")
            )
        if 0 < draws < FEWEST_RUNS:
            raise InputError(Problem("too few draws for global indices", "--draws", str(draws), f"{FEWEST_RUNS} at least, or 0 to leave them out"))
        on_step(0, 1, "years ahead: prepared")
        ready = prepare(loaded, asked.years(chosen or tuple(text.name for text in loaded.scenarios[:1])))
        measure = measure_named(of, ready.outlook, rate)
        on_step(0, 1, "slopes: one sweep backwards through all years; the first run compiles it for some minutes, later ones do not")
        inputs, _ = uncertain_of(loaded.tables, ready.outlook.roster.launched)
        table = tornado(ready.outlook, scenario, measure, inputs, closely, on_step)
        fit = None
        if draws:
            every = run_years(ready, out or Path("runs") / f"{loaded.name}-sensitivity", executor, on_step)
            fit = global_indices(every, scenario, measure)
    say.show(tornado_table(loaded, of, measure.what, scenario, table, solved=closely > 0, years=ready.outlook.facts.years), most=1000)
    if fit is not None:
        say.show(indices_table(loaded, *fit, draws))


def runs(root: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder under which runs lie.")] = Path("runs")) -> None:
    """List runs over years and draws, and which of them can be resumed."""
    from keiretsu.cli import say
    from keiretsu.study.runs import list_runs

    listed = list_runs(root)
    if listed.empty:
        say.say(f"No run lies under {root}.")
    for row in listed.itertuples():
        say.say(
            f"{row.run}: {row.case} to {row.until}, {row.scenarios} scenarios, {row.draws} draws, {row.done} of {row.pieces} pieces, {row.status}"
        )


def resume(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the run, see `keiretsu runs`.")],
    on: Place = "threads",
    workers: Workers = 0,
) -> None:
    """Go on with a run that was interrupted; what is there is not computed again."""
    from keiretsu.cli import say
    from keiretsu.study.cluster import executor_of
    from keiretsu.study.runs import resume as go_on

    executor = executor_of(on, workers)
    with say.progress(executor.at_once) as on_step:
        every = go_on(folder, executor, on_step)
    say.say(
        f"Complete: {every.data.sizes['scenario'] - 1} scenarios beside the baseline, {every.data.sizes['year']} years, {len(every.inputs)} draws."
    )
