"""The table of contents: which commands there are, in which order, under which headings."""

from __future__ import annotations

from typing import Annotated

import typer

from keiretsu import __version__
from keiretsu.cli import answer, backtest, cases, choose, evidence, outlook, owners, value

app = typer.Typer(
    name="keiretsu",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Who gains from a stake, merger, alliance, launch or policy in the car industry.\n\n"
    "CASE is the name of an embedded case (ampere) or a folder of your own.",
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"keiretsu {__version__}")
        raise typer.Exit


@app.callback()
def every_command(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")] = False,
) -> None:
    """Options that come before the command."""


for heading, commands in (
    ("The answer", (answer.run, answer.scenarios, answer.rules)),
    ("What it is worth", (value.value, value.list_, choose.whatmustbetrue, choose.alliances, choose.timing, choose.choose)),
    ("The years ahead", (outlook.sensitivity, outlook.runs, outlook.resume)),
    (
        "Behind the answer",
        (owners.owners, owners.concentration, owners.policy, evidence.calibrate, evidence.checks, backtest.backtest, evidence.sources),
    ),
    ("A case of your own", (cases.new, cases.check, cases.schema)),
):
    for command in commands:
        app.command(command.__name__.strip("_"), rich_help_panel=heading)(command)
