"""Commands about the years ahead: sensitivity, runs, resume; and what `run` needs for its own options on them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CaseName = Annotated[str, typer.Argument(metavar="CASE", help="An embedded case (ampere) or a folder.")]
Place = Annotated[str, typer.Option("--on", help="threads of this process, local worker processes, or tcp://... of a running Dask scheduler.")]
Workers = Annotated[int, typer.Option("--workers", help="Workers; 0 is one for each processor.")]
Until = Annotated[int, typer.Option("--until", help="Last year; 0 is the one that the case states.")]


def sensitivity(
    case: CaseName,
    of: Annotated[
        str, typer.Option("--of", help='What to explain: "Nissan value", "Ampere units", "electric share", "pack price", ...')
    ] = "Nissan value",
    scenario: Annotated[str, typer.Option("--scenario", "-s", help="In which scenario; the baseline when not stated.")] = "baseline",
    draws: Annotated[int, typer.Option("--draws", help="Draws for global indices, a multiple of 8; 0 leaves them out.")] = 0,
    until: Until = 0,
    rate: Annotated[float, typer.Option("--rate", help="Real discount rate of a value.")] = 0.06,
    on: Place = "threads",
    workers: Workers = 0,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the draws.", show_default="runs/CASE-sensitivity")] = None,
) -> None:
    """What an output over the years depends on: exact slopes, one-deviation effects, global indices."""
    from keiretsu.case import load_case
    from keiretsu.cli import say
    from keiretsu.outlook.measures import UNITS, measure_named
    from keiretsu.outlook.sensitivity import global_indices, tornado
    from keiretsu.outlook.uncertain import uncertain_of
    from keiretsu.report.tables import table_of
    from keiretsu.report.wording import Label
    from keiretsu.study.cluster import executor_of
    from keiretsu.study.runs import YearsAhead, prepare, run_years

    executor = executor_of(on, workers)
    with say.progress() as on_step:
        loaded = load_case(case)
        chosen = () if scenario == "baseline" else (scenario,)
        ready = prepare(loaded, YearsAhead(draws=draws, until=until, scenarios=chosen or (loaded.scenarios[0].name,), products=False))
        measure = measure_named(of, ready.outlook, rate)
        on_step(0, 1, "slopes: one sweep backwards through all years")
        inputs, _ = uncertain_of(loaded.tables, ready.outlook.roster.launched)
        table = tornado(ready.outlook, scenario, measure, inputs)
        fit = None
        if draws:
            every = run_years(ready, out or Path("runs") / f"{loaded.name}-sensitivity", executor, on_step)
            fit = global_indices(every, scenario, measure)
    scale, unit, digits = (1e-6, "EUR m", 1) if UNITS[measure.what].startswith("EUR ") else (1.0, "", 4)
    table["to_switch"] = [f"{distance:.2f}" if distance < float("inf") else "" for distance in table["to_switch"]]
    labels = {
        "input": Label("Input", kind="text"),
        "slope": Label("Slope, for one unit of the input", unit, digits=digits, scale=scale, signed=True),
        "deviation": Label("One deviation", digits=3),
        "effect": Label("Effect of one deviation", unit, digits=digits, scale=scale, signed=True),
        "to_switch": Label("Distance to a switch", kind="text"),
        "switch": Label("which switch", kind="text"),
    }
    note = f"{of}: {table['value'].iloc[0]:,.6g} ({UNITS[measure.what]}) in {scenario}. Prices are myopic: each year is a static equilibrium."
    say.show(table_of("tornado", f"What moves {of}", table[list(labels)], names={}, labels=labels, note=note))
    if fit is not None:
        shares = {"input": Label("Input", kind="text"), "first_order": Label("First-order index", digits=3), "total": Label("Total index", digits=3)}
        say.show(
            table_of(
                "indices", "Shares of variance", fit[0], names={}, labels=shares, note=f"Polynomial's R2 on draws it has not seen: {fit[1]:.2f}."
            )
        )


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
    with say.progress() as on_step:
        every = go_on(folder, executor, on_step)
    say.say(
        f"Complete: {every.data.sizes['scenario'] - 1} scenarios beside the baseline, {every.data.sizes['year']} years, {len(every.inputs)} draws."
    )
