"""Options that several commands share: one name, one meaning, one check, whichever command they are given to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from keiretsu.case import Case
    from keiretsu.study.futures import FuturesAsked

CaseName = Annotated[str, typer.Argument(metavar="CASE", help="An embedded case (ampere) or a folder.")]
ScenarioNames = Annotated[list[str] | None, typer.Option("--scenario", "-s", help="Only this scenario; may be given several times.")]
RuleName = Annotated[str, typer.Option("--rule", help="Whose profit prices look after, in place of the case's own rule.")]

Draws = Annotated[int, typer.Option("--draws", min=1, help="Futures to draw, a multiple of 8.")]
Until = Annotated[int, typer.Option("--until", help="Last year simulated; 0 is the one that the case states.")]
Consumers = Annotated[int, typer.Option("--consumers", help="Consumer draws of a market in the years ahead, at most; 0 for the base year's.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the draws: the same seed gives the same futures.", min=0)]
Place = Annotated[str, typer.Option("--on", help="threads of this process, local worker processes, or tcp://... of a running Dask scheduler.")]
Workers = Annotated[int, typer.Option("--workers", help="Workers for threads and local; 0 is one for each processor.")]

DRAWS = 32
CONSUMERS = 80  # as `keiretsu.study.runs.CONSUMERS`, which is too heavy to load for a help text; a test compares them
SEED = 20240327  # likewise of `keiretsu.study.futures`


def case_under(name: str, rule: str) -> Case:
    """The case of that name or folder, under another ownership rule where one is given."""
    import dataclasses

    from keiretsu.case import load_case

    loaded = load_case(name)
    return dataclasses.replace(loaded, rule=rule) if rule else loaded


def asked_of(case: Case, draws: int, until: int, consumers: int, seed: int) -> FuturesAsked:
    """What a command asks of the years ahead, refused here where it cannot be meant: before anything is simulated."""
    from keiretsu.study.futures import FuturesAsked, refuse_bad_request

    asked = FuturesAsked(draws, until, consumers, seed)
    refuse_bad_request(case, asked)
    return asked
