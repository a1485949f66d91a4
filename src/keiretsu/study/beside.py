"""The years ahead in a process beside this one, so that both processors of a small machine work from the first second.

The other process prepares the run and computes its pieces while this one solves the single year. When this one is free it takes what is left too: first
other work that nobody has begun, then pieces from the far end of the list. The path is compiled once for both (`keiretsu.numerics.kept`). Both run XLA on
one thread, so it does not matter to the numbers who computed what ([12]).
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TypeVar

from keiretsu.case import Case
from keiretsu.errors import KeiretsuError, NotSettled, Problem
from keiretsu.numerics.compiled import keep_compiled_code, one_thread_each
from keiretsu.outlook.ensemble import Ensemble, assembled, values_of
from keiretsu.outlook.outlook import BASELINE, Outlook, compiled
from keiretsu.outlook.path import nothing_to_follow
from keiretsu.outlook.pieces import CENTRAL, Piece, groups_of, run_group
from keiretsu.processes import process_beside
from keiretsu.study.runs import Prepared, YearsAhead, prepare
from keiretsu.study.storage import RunError, finished, held, load_piece, open_run, save_piece

OnStep = Callable[[int, int, str], None]
Refused = dict[str, NotSettled]  # by scenario
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Finished:
    """A run of the years ahead: what it was made from, its futures, and the scenarios without any, with the first error of each."""

    ready: Prepared
    futures: Ensemble
    failed: Mapping[str, KeiretsuError]


class _Other(Generic[T]):
    """Work beside the pieces, done once by whoever is free first."""

    def __init__(self, work: Callable[..., T], given: tuple[object, ...]) -> None:
        self.work, self.given = work, given
        self.by: Future[T] | None = None

    def take(self) -> None:
        """Do it here, unless another process has begun."""
        if self.by is not None and not self.by.cancel():
            return
        self.by = Future()
        try:
            self.by.set_result(self.work(*self.given))
        except Exception as error:  # noqa: BLE001 raised to whoever asks for the result, as from another process
            self.by.set_exception(error)

    def result(self) -> T:
        """What came of it."""
        if self.by is None:
            self.take()
        assert self.by is not None
        return _answer_of(self.by)


class YearsBeside:
    """A run of the years ahead, computed by another process from the moment it is entered; leaving it stops that process.

    Parameters
    ----------
    root
        Folder under which the run's own folder is made, named by what the run is: another case, version or question has another folder.
    cache
        Where compiled code is kept.
    process
        One that was begun before for this (`process_beside`); left out, one is begun on entering.
    """

    def __init__(self, case: Case, asked: YearsAhead, root: Path, cache: Path, process: ProcessPoolExecutor | None = None) -> None:
        self.case, self.asked, self.root, self.cache, self.process = case, asked, root, cache, process
        self._held = ExitStack()
        self._lock = threading.Lock()
        self._groups: dict[tuple[Piece, ...], Future[Refused]] = {}
        self._others: list[_Other[Any]] = []

    def __enter__(self) -> YearsBeside:
        self._pool = process_beside(__name__) if self.process is None else self.process
        self._pool.submit(_on_one_thread, self.cache)
        self._handed = threading.Event()
        self._refused: BaseException | None = None
        self._ready: Future[Prepared] = self._pool.submit(_prepared, self.case, self.asked)
        self._pool.submit(_compile, self.root)  # while this process is still taking in what was prepared
        self._ready.add_done_callback(self._hand_out)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._lock:
            waiting = [*self._groups.values(), *(other.by for other in self._others if other.by is not None)]
        for future in waiting:
            future.cancel()
        done = self._ready.done() and self._handed.is_set() and all(future.done() for future in waiting)
        self._pool.shutdown(wait=not done, cancel_futures=True)  # the piece it is at takes seconds, and is kept
        self._held.close()

    def also(self, work: Callable[..., T], *given: object) -> Callable[[], T]:
        """Other work for whichever process is free first; the answer is a function that gives the result, to be asked after `finish`."""
        other = _Other(work, given)
        with self._lock:
            self._others.append(other)
        return other.result

    @property
    def folder(self) -> Path:
        """The run's folder; known once the run is prepared."""
        return folder_of(self.root, self._prepared())

    def done(self) -> tuple[int, int]:
        """Pieces that are there, and pieces in all; (0, 0) until the run is prepared."""
        if not self._handed.is_set() or self._ready.exception() is not None:
            return 0, 0
        there = finished(self.folder)
        waiting = sum(piece.name not in there for group, future in self._groups.items() if not future.done() for piece in group)
        total = len(self._prepared().pieces)
        return total - waiting, total

    def finish(self, on_step: OnStep) -> Finished:
        """What is left of the run, computed by both processes, and everything put together.

        Raises
        ------
        KeiretsuError
            Whatever part of the case cannot be used, a path of the baseline that does not settle, or a folder that cannot be written.
        """
        ready = self._prepared()
        self._handed.wait()
        if self._refused is not None:
            raise self._refused
        for other in self._others:
            other.take()
        failed: dict[str, KeiretsuError] = {}
        started, first = time.monotonic(), self.done()[0]

        def say() -> None:
            done, total = self.done()
            on_step(done, total, f"years ahead{time_left(done - first, total - done, time.monotonic() - started)}")

        while True:
            say()
            mine = next((group for group in reversed(self._groups) if self._groups[group].cancel()), None)
            if mine is not None:
                self._groups[mine] = here = Future()
                values = values_of(ready.outlook, ready.draws, mine[0])
                here.set_result(_compute(ready.outlook, mine, values, ready.products, self.folder, say))
                _keep(failed, here.result())
                continue
            running = [future for future in self._groups.values() if not future.done()]
            if not running:
                break
            wait(running, timeout=0.5)
        for future in self._groups.values():
            _keep(failed, _answer_of(future))
        pieces = {piece: load_piece(self.folder, piece.name) for piece in ready.pieces if piece.scenario not in failed}
        return Finished(ready, assembled(ready.outlook, ready.draws, pieces, ready.manifest), failed)

    def _prepared(self) -> Prepared:
        return _answer_of(self._ready)

    def _hand_out(self, prepared: Future[Prepared]) -> None:
        """As soon as the run is prepared: its folder opened, what is missing handed to the other process."""
        if prepared.cancelled() or prepared.exception() is not None:
            self._handed.set()
            return
        ready = prepared.result()
        folder = folder_of(self.root, ready)
        try:
            self._held.enter_context(held(folder))
            open_run(folder, ready.manifest)
            there = finished(folder)
            with self._lock:
                self._pool.submit(_remember, str(folder))
                self._groups = {
                    group: self._pool.submit(_compute_here, group, values_of(ready.outlook, ready.draws, group[0]))
                    for group in small_in_the_middle([piece for piece in ready.pieces if piece.name not in there])
                }
                for other in self._others:
                    other.by = self._pool.submit(other.work, *other.given)
        except BaseException as error:  # noqa: BLE001 a callback has nobody to raise to: `finish` raises it
            self._refused = error
        finally:
            self._handed.set()


def small_in_the_middle(pieces: Sequence[Piece]) -> tuple[tuple[Piece, ...], ...]:
    """Groups of pieces, blocks of draws at both ends and central cases between them: two processes that begin at either end meet at the small ones, and end together."""
    blocks, central = ([group for group in groups_of(pieces) if (group[0].block == CENTRAL) is alone] for alone in (False, True))
    return (*blocks[::2], *central, *reversed(blocks[1::2]))


def folder_of(root: Path, ready: Prepared) -> Path:
    """A run's folder under `root`: named by the case and what the run is made from."""
    digest = hashlib.sha256(json.dumps(ready.manifest, sort_keys=True).encode()).hexdigest()
    return root / f"{ready.manifest['case']}-years-{digest[:10]}"


def time_left(done: int, left: int, seconds: float) -> str:
    """What the time left is expected to be, in words for a progress bar; nothing before there is a pace."""
    if done < 2 or not left:
        return ""
    minutes = seconds / done * left / 60
    return f", about {minutes:.0f} min left" if minutes >= 1.5 else f", about {60 * minutes:.0f} s left"


def _keep(failed: dict[str, KeiretsuError], refused: Refused) -> None:
    """Keep the first error of a scenario that has no path; without a baseline there is nothing to compare with."""
    for scenario, error in refused.items():
        if scenario == BASELINE:
            raise error
        failed.setdefault(scenario, error)


_here: dict[str, object] = {}  # what the other process keeps between tasks


def _on_one_thread(cache: Path) -> None:
    one_thread_each()
    keep_compiled_code(cache)


def _prepared(case: Case, asked: YearsAhead) -> Prepared:
    ready = prepare(case, asked)
    _here["ready"] = ready
    return ready


def _compile(root: Path) -> None:
    """The path compiled before the first piece asks for it; nothing where no piece will, or where preparing failed, which whoever asked for that hears."""
    ready = _here.get("ready")
    if isinstance(ready, Prepared) and not {piece.name for piece in ready.pieces} <= finished(folder_of(root, ready)):
        outlook, central = ready.outlook, ready.outlook.central()
        plan = outlook.plan(BASELINE, central)
        compiled.prepare(outlook.base, plan, *outlook.arrays(central), outlook.options, nothing_to_follow(plan))


def _remember(folder: str) -> None:
    _here["folder"] = Path(folder)


def _compute_here(group: tuple[Piece, ...], values: list[dict[str, float]]) -> Refused:
    ready, folder = _here["ready"], _here["folder"]
    assert isinstance(ready, Prepared) and isinstance(folder, Path)
    return _compute(ready.outlook, group, values, ready.products, folder)


def _compute(
    outlook: Outlook,
    group: tuple[Piece, ...],
    values: list[dict[str, float]],
    products: bool,
    folder: Path,
    on_piece: Callable[[], None] = lambda: None,
) -> Refused:
    """Pieces of the same draws into their folder; the errors of those that have no path, by scenario."""
    refused: Refused = {}
    for piece, found in run_group(outlook, group, values, products):
        if isinstance(found, NotSettled):
            refused[piece.scenario] = found
        else:
            save_piece(folder, piece.name, found)
        on_piece()
    return refused


def _answer_of(future: Future[T]) -> T:
    try:
        return future.result()
    except BrokenProcessPool:
        problem = Problem(
            "the process that computes the years ahead was stopped",
            "years ahead",
            "no answer from it",
            "a process that ends by itself",
            "see whether the machine has memory enough, then run again: what is done is kept",
        )
        raise RunError(problem) from None


__all__ = ["Finished", "YearsBeside", "folder_of", "time_left"]
