"""Commands that show what the answer rests on: calibrate, sources."""

from __future__ import annotations

from typing import Annotated

import typer

from keiretsu.cli.answer import CaseName


def calibrate(case: CaseName) -> None:
    """Fit the parameters of demand to the case's targets and show fitted against target."""
    from keiretsu.case import load_case
    from keiretsu.cli import say
    from keiretsu.report.tables import table_of
    from keiretsu.study.calibration import calibrate_case

    with say.progress() as on_step:
        on_step(0, 1, "fitting demand to its targets")
        fitted = calibrate_case(load_case(case))
    say.show(table_of("parameters", "Parameters", fitted.parameters, names={}), most=1000)
    say.show(table_of("fit", "Targets and fit", fitted.fit, names={}), most=1000)


def sources(
    case: CaseName,
    what: Annotated[str, typer.Argument(help="products/DE/Tesla Model Y/price, products.csv:12, or words; everything published when left out.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Show every row.")] = False,
) -> None:
    """Walk a figure back to its file, row and publication."""
    from keiretsu.case import load_case, sources_of
    from keiretsu.cli import say
    from keiretsu.report.tables import table_of
    from keiretsu.report.wording import Label

    loaded = load_case(case)
    found = sources_of(loaded, what) if what else loaded.sources
    columns = ["key", "column", "value", "unit", "row", "source", "title", "publisher", "date", "address", "confidence", "note"]
    if what:
        found = found.assign(value=[str(value) for value in found["value"]])
    table = table_of(
        "sources", what or f"Publications behind {loaded.title}", found, names={}, columns=columns, labels={"value": Label("Value", kind="text")}
    )
    say.show(table, most=len(table.rows) if every else say.LINES)
