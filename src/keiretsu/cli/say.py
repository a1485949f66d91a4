"""What the terminal shows: tables a board could read, sentences, complaints, progress."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from keiretsu.report.tables import Table

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

AMOUNT = re.compile("[+\N{MINUS SIGN}]?[\\d,]+(\\.\\d+)?( \N{PLUS-MINUS SIGN} [\\d,.]+)?|not known")
PAUSE = 20.0  # seconds between lines of progress where there is no bar
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


def each(sentences: Iterable[str]) -> None:
    """Sentences that each stand for themselves: a line of space before each."""
    for sentence in sentences:
        console.print()
        say(sentence)


def path(label: str, where: object) -> None:
    """A path on a line of its own, never broken."""
    console.print(f"[dim]{escape(label)}[/] {escape(str(where))}", soft_wrap=True)


def show(table: Table, *, most: int = LINES) -> None:
    """A table, units under the headings; rows beyond `most` are counted, not shown.

    A table wider than the terminal is shown in parts under each other, each with the first columns, as many as tell rows apart: no column is ever cut off.
    """
    from rich import box
    from rich.table import Table as RichTable

    cells = [["" if v is None and c.kind == "text" else c.show(v) for v, c in zip(row, table.columns, strict=True)] for row in table.rows[:most]]
    heads = [[*_narrow(column.text), _short(column.unit)] for column in table.columns]
    widths = [_width(table.columns[k].kind, heads[k], [row[k] for row in cells]) for k in range(len(heads))]
    if table.title:
        console.print(f"\n[bold]{escape(table.title)}[/]", soft_wrap=True)
    for part in _parts(widths, console.width, _leading(cells, [column.kind == "text" for column in table.columns])):
        drawn = RichTable(box=box.SIMPLE_HEAD, pad_edge=False)
        for k in part:
            *lines, unit = heads[k]
            heading = "\n".join(escape(line) for line in lines) + (f"\n[dim]{escape(unit)}[/]" if unit else "")
            is_number = table.columns[k].kind == "number" or _are_amounts([row[k] for row in cells], table.columns[k].unit)
            drawn.add_column(heading, justify="right" if is_number else "left", vertical="top", no_wrap=is_number, min_width=min(widths[k], 30))
        for row in cells:
            drawn.add_row(*(escape(row[k]) for k in part))
        console.print(drawn)
    if len(table.rows) > most:
        console.print(f"[dim]and {len(table.rows) - most:,} more rows: --all shows them[/]")
    if table.note:
        console.print(f"[dim]{escape(table.note)}[/]")


def _are_amounts(column: list[str], unit: str) -> bool:
    """Whether words are figures: ``+5 ± 3``, ``1,200``; some with an error, or in a unit."""
    figures = any("\N{PLUS-MINUS SIGN}" in said or (unit and any(c.isdigit() for c in said)) for said in column)
    return figures and all(AMOUNT.fullmatch(said) for said in column if said)


def _width(kind: str, heading: list[str], column: list[str]) -> int:
    """Room a column needs: numbers all of it, words up to thirty letters and then another line."""
    longest = max((len(cell) for cell in column), default=0)
    return max(max(len(line) for line in heading), longest if kind == "number" else min(longest, 30))


def _leading(cells: list[list[str]], words: list[bool]) -> list[int]:
    """Columns of words that tell rows apart: a scenario alone, a scenario and a rule, a holder and (two columns on) a company; the first two where no pair does."""
    beside = [k for k in range(1, len(words)) if words[k]]
    for columns in ([0], *([0, k] for k in beside)):
        if len({tuple(row[k] for k in columns) for row in cells}) == len(cells):
            return columns
    return [0, *beside[:1]] if beside[:1] == [1] else [0]


def _parts(widths: list[int], room: int, leading: list[int]) -> list[list[int]]:
    """Columns that fit side by side, the `leading` ones in front of each part."""
    if sum(widths) + 3 * len(widths) <= room:
        return [list(range(len(widths)))]
    parts: list[list[int]] = [[*leading]]
    for k in (k for k in range(len(widths)) if k not in leading):
        if sum(widths[j] + 3 for j in [*parts[-1], k]) > room and len(parts[-1]) > len(leading):
            parts.append([*leading])
        parts[-1].append(k)
    return parts


def _narrow(heading: str, widest: int = 12) -> list[str]:
    """A heading broken into lines no wider than its column needs to be."""
    lines = [""]
    for word in heading.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > widest:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _short(unit: str) -> str:
    return unit.removesuffix(" a year")


@contextmanager
def progress(at_once: int = 1) -> Iterator[Callable[[int, int, str], None]]:
    """A bar that says what is being solved; a listener for `keiretsu.study.run`. It goes away when the work is done.

    `at_once` says how much of the work this process computes at the same time, in threads.

    Where standard error is no terminal, a line every `PAUSE` seconds says the same: no log is silent for minutes.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from keiretsu.numerics.compiled import cache_folder, keep_compiled_code, one_thread_each

    one_thread_each(at_once)
    keep_compiled_code(cache_folder())  # where that folder cannot be written, work compiles anew and is slower, no more
    columns = (BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=errors, transient=True) as bar, _lines(PAUSE) as now:
        task = bar.add_task(now.what, total=None)

        def on_step(done: int, total: int, what: str) -> None:
            now.what = f"{what} ({done} of {total})" if total > 1 else what
            bar.update(task, completed=done, total=total, description=escape(what))

        yield on_step


@dataclass
class _Now:
    """What is being done."""

    what: str = "reading the case"


@contextmanager
def _lines(pause: float) -> Iterator[_Now]:
    """What is being done, as a line on standard error every so many seconds, unless that is a terminal, which has a bar."""
    now, over, begun = _Now(), threading.Event(), time.monotonic()

    def tell() -> None:
        while not over.wait(pause):
            errors.print(f"{time.monotonic() - begun:.0f} s: {escape(now.what)}", soft_wrap=True)

    teller = threading.Thread(target=tell, daemon=True)
    if not errors.is_terminal:
        teller.start()
    try:
        yield now
    finally:
        over.set()
        if teller.ident is not None:
            teller.join()
