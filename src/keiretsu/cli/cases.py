"""Commands about case folders: new, check, schema."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from keiretsu.cli.options import CaseName


def new(
    name: Annotated[str, typer.Argument(help="Name of the new case; becomes a folder.")],
    folder: Annotated[Path, typer.Option("--in", help="Where the folder goes.")] = Path(),
) -> None:
    """Write a small case that runs, to be changed into your own."""
    from keiretsu.case import write_new_case
    from keiretsu.cli import say

    written = write_new_case(name, folder)
    say.say(f"{written} holds a case that runs. Edit its files, then:")
    say.say(f"  keiretsu check {written}\n  keiretsu run {written}")


def check(case: CaseName) -> None:
    """Report everything that is wrong with a case, with file and row."""
    from keiretsu.case import check_case
    from keiretsu.cli import say

    found = check_case(case)
    for warning in found.warnings:
        say.say(f"note: {warning}")
    if found.unread:
        say.say(f"note: nothing reads {', '.join(found.unread)}")
    problems = found.problems
    if found.case is not None:
        with say.progress() as on_step:
            from keiretsu.study.soundness import soundness_of

            on_step(0, 1, "programmes, scenarios, years ahead, money")
            further = soundness_of(found.case)
        problems = further.problems
        for note in further.notes:
            say.say(f"note: {note}")
    if problems:
        say.complain(problems)
        raise typer.Exit(2)
    say.say("No problems.")


def schema() -> None:
    """Everything a case may contain: files, columns, units, defaults, meaning."""
    from keiretsu.case import schema_markdown

    typer.echo(schema_markdown(), nl=False)
