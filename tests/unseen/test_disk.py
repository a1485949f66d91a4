"""Disks that are full, folders that hold something else: said in words, before the work where it can be, and nothing is left behind."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from keiretsu.errors import InputError
from keiretsu.study.storage import RunError, save_piece
from keiretsu.study.store import MANIFEST, refuse_occupied, whole_file, whole_folder


@contextmanager
def small_files(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_results_that_do_not_fit_are_an_error_with_a_next_step_and_leave_no_half_folder(tmp_path: Path) -> None:
    target = tmp_path / "results"
    with (
        small_files(1000),
        pytest.raises(RunError, match=r"may not grow.*run it again: years ahead that are done are kept"),
        whole_folder(target) as draft,
    ):
        (draft / "report.html").write_text("x" * 5000)
    with pytest.raises(RunError, match="the disk is full"), whole_file(target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert not list(tmp_path.iterdir())


def test_a_piece_of_a_run_that_may_not_be_written_is_said_as_what_can_be_resumed(tmp_path: Path) -> None:
    import numpy as np

    (tmp_path / "pieces").mkdir()
    with small_files(1000), pytest.raises(RunError, match="keiretsu resume"):
        save_piece(tmp_path, "merger-0000", {"units": np.arange(1000.0)})


def test_results_replace_earlier_ones_and_nothing_else(tmp_path: Path) -> None:
    occupied, earlier, new = (tmp_path / name for name in ("occupied", "earlier", "new"))
    for folder, file in ((occupied, "letter.txt"), (earlier, MANIFEST)):
        folder.mkdir()
        (folder / file).write_text("{}")
    (tmp_path / "file").write_text("")
    for place in (occupied, tmp_path / "file"):
        with pytest.raises(InputError, match="holds something else"):
            refuse_occupied(place)
    for place in (earlier, new):
        refuse_occupied(place)
    with pytest.raises(RunError, match="where the run's folder should be"), whole_folder(tmp_path / "file" / "below"):
        pass
