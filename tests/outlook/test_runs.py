"""Runs that survive: whole pieces or none, the same bytes after any interruption, nothing mixed."""

from __future__ import annotations

import dataclasses
import errno
import functools
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from keiretsu.errors import InputError
from keiretsu.outlook.ensemble import Ensemble, assembled
from keiretsu.outlook.facts import steady_facts
from keiretsu.outlook.outlook import Outlook, build
from keiretsu.outlook.pieces import Piece, pieces_of
from keiretsu.outlook.uncertain import Uncertain, draws_of
from keiretsu.study import storage
from keiretsu.study.cluster import LocalWorkers, computed, executor_of
from keiretsu.study.runs import Prepared, RunError, Threads, Work, drawn_of, list_runs, run_years
from tests.outlook import killed
from tests.outlook.small import small_scenarios, small_world

INPUTS = (Uncertain("electric_taste", "normal", 0.1, 0.0, 0.2), Uncertain("price_sensitivity", "lognormal", 1.0, 0.8, 1.25))


def quiet(done: int, total: int, what: str) -> None:
    """A listener that says nothing."""


@functools.cache
def ready() -> Prepared:
    world = small_world()
    outlook = build(world, {"cheaper": small_scenarios()["cheaper"]}, steady_facts(world, 2023, (2024, 2025)))
    draws = draws_of(INPUTS, np.eye(2), outlook.central(), 16, 5)
    manifest = {
        "case": "small", "years": [2024, 2025], "scenarios": ["baseline", "cheaper"], "asked": {"draws": 16, "block": 2}, "program": "test", "case_hash": "a"
    }  # fmt: skip
    return Prepared(outlook, draws, pieces_of(outlook.scenarios, 16, 2, outlook.scenarios), True, manifest)


def digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != storage.LOCK:
            found.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return found.hexdigest()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ensemble]:
    folder = tmp_path_factory.mktemp("whole") / "run"
    return folder, run_years(ready(), folder, Threads(1), quiet)


class Dying:
    """Computes a few pieces and then fails, as a process that is stopped does."""

    at_once = 1

    def __init__(self, after: int) -> None:
        self.after = after

    def compute(self, outlook: Outlook, work: Sequence[Work], products: bool) -> Iterator[tuple[Piece, Mapping[str, np.ndarray]]]:
        for number, done in enumerate(Threads(1).compute(outlook, work, products)):
            if number == self.after:
                raise KeyboardInterrupt
            yield done


def test_killed_at_twenty_random_moments_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    killed.work(tmp_path / "whole")
    root = Path(__file__).parents[2]
    paths = os.pathsep.join([str(root), str(root / "src")])
    run = subprocess.run(
        [sys.executable, "-m", "tests.outlook.killed", str(tmp_path / "killed")], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths}, check=True
    )  # fmt: skip
    kills, before, pieces = map(int, run.stdout.split())
    assert kills == 20
    assert 0 < before < pieces  # killed in the middle of it, not before or after
    assert digest(tmp_path / "killed") == digest(tmp_path / "whole")


def test_stopped_twice_and_continued_gives_the_same_numbers_and_bytes(tmp_path: Path, whole: tuple[Path, Ensemble]) -> None:
    for after in (3, 5):
        with pytest.raises(KeyboardInterrupt):
            run_years(ready(), tmp_path / "run", Dying(after), quiet)
    again = run_years(ready(), tmp_path / "run", Threads(2), quiet)
    assert digest(tmp_path / "run") == digest(whole[0])
    for name in again.data:
        assert again.data[name].values.tobytes() == whole[1].data[name].values.tobytes()


def test_a_finished_run_is_read_and_not_computed_again(whole: tuple[Path, Ensemble]) -> None:
    steps: list[tuple[int, int]] = []
    again = run_years(ready(), whole[0], Dying(0), lambda done, total, _: steps.append((done, total)))
    assert steps == [(len(ready().pieces), len(ready().pieces))]
    assert again.data.identical(whole[1].data)


def test_what_comes_back_from_disk_is_what_was_computed(whole: tuple[Path, Ensemble]) -> None:
    work = [(p, [ready().outlook.central()] if not p.draws else [ready().draws.row(d) for d in p.draws]) for p in ready().pieces]
    direct = assembled(ready().outlook, ready().draws, dict(Threads(1).compute(ready().outlook, work, True)), ready().manifest)
    assert direct.data.identical(whole[1].data)


def test_a_scenario_that_is_not_drawn_has_its_central_case_and_changes_no_other(tmp_path: Path, whole: tuple[Path, Ensemble]) -> None:
    made = {**ready().manifest, "asked": {"draws": 16, "block": 2, "drawn": ["baseline"]}}
    fewer = dataclasses.replace(
        ready(), pieces=pieces_of(["baseline", "cheaper"], 16, 2, drawn_of(["baseline", "cheaper"], ["baseline"])), manifest=made
    )
    found = run_years(fewer, tmp_path / "run", Threads(1), quiet)
    assert found.central.identical(whole[1].central)
    assert found.data.identical(whole[1].data.sel(scenario=["baseline"]))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("case_hash", "b", "the case has changed"),
        ("program", "another", "the program has changed"),
        ("asked", {"draws": 16, "block": 4}, "another question was asked"),
    ],
)
def test_a_changed_case_version_or_question_refuses_to_mix(whole: tuple[Path, Ensemble], key: str, value: object, said: str) -> None:
    other = dataclasses.replace(ready(), manifest={**ready().manifest, key: value})
    with pytest.raises(RunError, match=f"holds another run: {said}"):
        run_years(other, whole[0], Threads(1), quiet)


def test_a_full_disk_is_a_named_error_and_what_was_there_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    storage.open_run(tmp_path, {"case": "x"})
    storage.save_piece(tmp_path, "one", {"x": np.zeros(3)})
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="the disk is full"):
        storage.save_piece(tmp_path, "two", {"x": np.zeros(3)})
    assert storage.finished(tmp_path) == {"one"}


def test_a_folder_that_cannot_be_written_is_a_named_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="file where the run's folder should be"):
        run_years(ready(), tmp_path / "file", Threads(1), quiet)

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(RunError, match="cannot be written"):
        run_years(ready(), tmp_path / "locked", Threads(1), quiet)


def test_a_damaged_piece_is_named_and_never_read_as_numbers(tmp_path: Path) -> None:
    storage.open_run(tmp_path, {"case": "x"})
    storage.save_piece(tmp_path, "one", {"x": np.arange(100.0)})
    path = tmp_path / "pieces" / "one.npz"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(RunError, match="delete the file and resume"):
        storage.load_piece(tmp_path, "one")


def test_two_processes_cannot_work_on_one_run(tmp_path: Path) -> None:
    with storage.held(tmp_path), pytest.raises(RunError, match="another process"), storage.held(tmp_path):
        pass


def test_runs_are_listed_with_what_is_left_to_do(tmp_path: Path, whole: tuple[Path, Ensemble]) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_years(ready(), tmp_path / "half", Dying(4), quiet)
    listed = list_runs(tmp_path)
    assert listed["done"].tolist() == [4]
    assert listed["status"].tolist() == ["to be resumed, by another version"]
    assert list_runs(whole[0].parent)["done"].tolist() == [len(ready().pieces)]


def test_a_folder_that_is_no_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a run folder"):
        storage.read_manifest(tmp_path)


def test_places_to_compute_are_checked() -> None:
    with pytest.raises(InputError, match="no such place"):
        executor_of("moon", 1)
    with pytest.raises(InputError, match="needs workers"):
        executor_of("local", -1)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_any_number_of_workers_gives_the_same_bytes(tmp_path: Path, whole: tuple[Path, Ensemble], workers: int) -> None:
    run_years(ready(), tmp_path / "run", LocalWorkers(workers), quiet)
    assert digest(tmp_path / "run") == digest(whole[0])


class LosingOne:
    """Three workers, one of which is killed when a quarter of the pieces are there."""

    at_once = 1

    def compute(self, outlook: Outlook, work: Sequence[Work], products: bool) -> Iterator[tuple[Piece, Mapping[str, np.ndarray]]]:
        with LocalWorkers(3).client() as client:
            pids = client.run(os.getpid)
            for number, done in enumerate(computed(client, outlook, work, products)):
                if number == len(work) // 4:
                    os.kill(next(iter(pids.values())), signal.SIGKILL)
                yield done


@pytest.mark.slow
def test_a_worker_killed_half_way_changes_nothing(tmp_path: Path, whole: tuple[Path, Ensemble]) -> None:
    run_years(ready(), tmp_path / "run", LosingOne(), quiet)
    assert digest(tmp_path / "run") == digest(whole[0])
