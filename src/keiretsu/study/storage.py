"""A run on disk: a folder that grows by completed pieces, and nothing half-written ever counts.

Each piece is written under another name, forced to the disk and then renamed, so that a process killed at any moment leaves whole pieces and at
most one file that nothing reads. `run.json` says what the pieces belong to; a folder that says something else is refused.
"""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from keiretsu.errors import InputError, Problem

MANIFEST, PIECES, LOCK = "run.json", "pieces", "lock"
_UNFINISHED = ".part"


_DIFFERS = {
    "case_hash": "the case has changed since it began",
    "program": "the program has changed since it began",
    "asked": "another question was asked",
}


class RunError(InputError):
    """A run folder that cannot be written, read, or continued."""


def open_run(folder: Path, manifest: Mapping[str, object]) -> None:
    """Make a run folder, or make sure that the one there is this very run.

    Raises
    ------
    RunError
        When the folder holds another run, naming everything that differs, or cannot be written.
    """
    with named_disk_errors(folder):
        (folder / PIECES).mkdir(parents=True, exist_ok=True)
        for left in (folder / PIECES).glob(f"*{_UNFINISHED}"):
            left.unlink()
    if (folder / MANIFEST).exists():
        refuse_other_run(folder, manifest)
    else:
        _write(folder / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())


def refuse_other_run(folder: Path, manifest: Mapping[str, object]) -> None:
    """Raise when the folder's manifest is not this one.

    Raises
    ------
    RunError
        With one problem for each key that differs.
    """
    there = read_manifest(folder)
    here = json.loads(json.dumps(manifest))
    next_step = "run into another folder, or delete this one"
    differ = [key for key in sorted({*there, *here}) if there.get(key) != here.get(key)]
    if differ:
        raise RunError(
            [
                Problem(
                    f"the folder holds another run: {_DIFFERS.get(key, f'{key} differs')}",
                    str(folder),
                    _short(there.get(key)),
                    _short(here.get(key)),
                    next_step,
                )
                for key in differ
            ]
        )


def read_manifest(folder: Path) -> dict[str, object]:
    """What a run folder says it is.

    Raises
    ------
    RunError
        When it is no run folder.
    """
    try:
        return dict(json.loads((folder / MANIFEST).read_text()))
    except FileNotFoundError:
        raise RunError(Problem("not a run folder", str(folder), f"no {MANIFEST}", "a folder that keiretsu made", "see `keiretsu runs`")) from None
    except (json.JSONDecodeError, ValueError):
        raise RunError(
            Problem("the run's manifest cannot be read", str(folder / MANIFEST), "no JSON", "", "delete the folder and run again")
        ) from None


def save_piece(folder: Path, name: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Put a piece into the folder, whole or not at all; the same arrays give the same bytes.

    Raises
    ------
    RunError
        When the disk is full or the folder cannot be written.
    """
    buffer = io.BytesIO()
    np.savez(buffer, **{key: arrays[key] for key in sorted(arrays)})  # type: ignore[arg-type]
    _write(folder / PIECES / f"{name}.npz", buffer.getvalue())


def load_piece(folder: Path, name: str) -> dict[str, np.ndarray]:
    """Arrays of a piece.

    Raises
    ------
    RunError
        When its file is damaged.
    """
    path = folder / PIECES / f"{name}.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise RunError(
            Problem("a piece of the run cannot be read", str(path), str(error), "a file that keiretsu wrote", "delete the file and resume the run")
        ) from None


def finished(folder: Path) -> frozenset[str]:
    """Names of the pieces that are there."""
    return frozenset(path.stem for path in (folder / PIECES).glob("*.npz"))


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """The folder for one process alone; let go by the system when that process ends, however it ends.

    Raises
    ------
    RunError
        When another process works on it.
    """
    with named_disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / LOCK).open("w")
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RunError(
                Problem("another process is working on this run", str(folder), "its lock is held", "one process", "wait for it, or stop it")
            ) from None
        yield


def _write(path: Path, content: bytes) -> None:
    unfinished = path.with_name(path.name + _UNFINISHED)
    with named_disk_errors(path):
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


@contextmanager
def named_disk_errors(path: Path, when_full: str = "make room, then `keiretsu resume` goes on from the last whole piece") -> Iterator[None]:
    """What a disk refuses, as an error that says where and what to do; `when_full` is the next step where there is no room.

    Raises
    ------
    RunError
        When the disk is full, a file may not grow, or the place cannot be written or is no folder.
    """
    try:
        yield
    except OSError as error:
        seen = str(error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RunError(Problem("the disk is full", str(path), seen, "room for the run", when_full)) from None
        if error.errno == errno.EFBIG:
            raise RunError(
                Problem("a file may not grow as large as this run needs", str(path), seen, "a higher limit (ulimit -f)", when_full)
            ) from None
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise RunError(
                Problem("the folder cannot be written", str(path), seen, "a folder you may write to", "name another one with --out")
            ) from None
        if error.errno in (errno.ENOTDIR, errno.EEXIST):
            raise RunError(
                Problem("there is a file where the run's folder should be", str(path), seen, "a folder", "name another one with --out")
            ) from None
        raise


def _short(value: object) -> str:
    text = "nothing" if value is None else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
