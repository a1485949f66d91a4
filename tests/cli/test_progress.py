"""Work of minutes is never silent: where there is no bar, lines say what is being done."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from keiretsu.cli import say


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    written = io.StringIO()
    monkeypatch.setattr(say, "errors", Console(file=written, force_terminal=False, width=80))
    return written


def test_a_phase_that_takes_longer_than_the_pause_is_named_in_a_log_while_it_lasts(log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(say, "PAUSE", 0.02)
    with say.progress() as on_step:
        on_step(3, 10, "[slopes] of the years")
        end = time.monotonic() + 30.0  # the other thread has its turn long before
        while "slopes" not in log.getvalue() and time.monotonic() < end:
            time.sleep(0.01)
    assert "s: [slopes] of the years (3 of 10)" in log.getvalue()
    written = log.getvalue()
    time.sleep(0.1)
    assert log.getvalue() == written  # nothing is said when the work is done


def test_work_of_seconds_leaves_nothing_in_a_log(log: io.StringIO) -> None:
    with say.progress() as on_step:
        on_step(0, 1, "a moment")
    assert log.getvalue().strip() == ""
