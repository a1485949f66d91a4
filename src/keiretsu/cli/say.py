"""What the terminal shows: tables a board could read, sentences, complaints, progress."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from keiretsu.report.tables import Table

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

LINES = 40  # rows of a table shown unless all are asked for


def complain(problems: Iterable[object]) -> None:
    """Every problem as a sentence of its own, on standard error."""
    listed = list(problems)
    for problem in listed:
        errors.print(f"[bold red]·[/] {escape(str(problem))}", soft_wrap=True)
    if len(listed) > 1:
        errors.print(f"{len(listed)} problems.")


def say(sentence: str) -> None:
    """A sentence, wrapped to the terminal."""
    console.print(escape(sentence))


def path(label: str, where: object) -> None:
    """A path on a line of its own, never broken."""
    console.print(f"[dim]{escape(label)}[/] {escape(str(where))}", soft_wrap=True)


def show(table: Table, *, most: int = LINES) -> None:
    """A table, signs coloured, units under the headings; rows beyond `most` are counted, not shown."""
    from rich import box
    from rich.table import Table as RichTable

    drawn = RichTable(title=escape(table.title) or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in table.columns:
        heading = escape(column.text) + (f"\n[dim]{escape(column.unit)}[/]" if column.unit else "")
        drawn.add_column(heading, justify="left" if column.kind == "text" else "right", vertical="top")
    for row in table.rows[:most]:
        drawn.add_row(*("" if value is None and c.kind == "text" else escape(c.show(value)) for value, c in zip(row, table.columns, strict=True)))
    console.print(drawn)
    if len(table.rows) > most:
        console.print(f"[dim]and {len(table.rows) - most:,} more rows: --all shows them[/]")
    if table.note:
        console.print(f"[dim]{escape(table.note)}[/]")


@contextmanager
def progress() -> Iterator[Callable[[int, int, str], None]]:
    """A bar that says what is being solved; a listener for `keiretsu.study.run`. It goes away when the work is done."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task("reading the case", total=None)

        def on_step(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=escape(what))

        yield on_step
