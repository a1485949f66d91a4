"""The years ahead in a process beside: the same numbers, whoever computes them, and errors that travel."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keiretsu.case import load_case, write_new_case
from keiretsu.errors import InputError, KeiretsuError, NoPureEquilibrium, NotSettled, PricesNotSettled, Problem
from keiretsu.outlook.pieces import CENTRAL, pieces_of
from keiretsu.processes import process_beside
from keiretsu.study.beside import YearsBeside, folder_of, small_in_the_middle, time_left
from keiretsu.study.runs import Threads, YearsAhead, prepare, run_years


def quiet(done: int, total: int, what: str) -> None:
    """A listener that says nothing."""


def test_a_process_beside_gives_the_same_bytes_as_this_one_and_is_read_the_second_time(tmp_path: Path) -> None:
    case = load_case(str(write_new_case("mine", tmp_path)))
    asked = YearsAhead(draws=8, block=2)
    ready = prepare(case, asked)
    here = run_years(ready, folder_of(tmp_path / "here", ready), Threads(1), quiet)
    for begun in (None, process_beside("keiretsu.study.beside")):
        with YearsBeside(case, asked, tmp_path / "beside", tmp_path / "cache", begun) as years:
            beside = years.finish(quiet).futures
            assert years.done() == (len(ready.pieces), len(ready.pieces))
        assert beside.data.identical(here.data) and beside.central.identical(here.central)
    assert len(list((tmp_path / "beside").iterdir())) == 1


def double(number: int) -> int:
    """Other work, or a refusal."""
    if number < 0:
        raise InputError(Problem("too small", "number", str(number), "0 or more"))
    return 2 * number


def test_other_work_is_done_once_by_whoever_is_free_and_its_refusal_is_raised_to_who_asks(tmp_path: Path) -> None:
    case = load_case(str(write_new_case("mine", tmp_path)))
    with YearsBeside(case, YearsAhead(), tmp_path / "beside", tmp_path / "cache") as years:
        four, refused = years.also(double, 2), years.also(double, -1)
        years.finish(quiet)
        late = years.also(double, 5)
        assert four() == 4 and four() == 4 and late() == 10
        with pytest.raises(InputError, match="too small"):
            refused()


def test_two_processes_that_begin_at_either_end_meet_at_the_small_pieces() -> None:
    pieces = pieces_of(["baseline", "a", "b"], 32, 8, ["baseline", "a"])
    groups = small_in_the_middle(pieces)
    assert sorted(piece for group in groups for piece in group) == sorted(pieces) and len(pieces) == 3 + 2 * 4
    assert [group[0].block == CENTRAL for group in groups] == [False] * 2 + [True] + [False] * 2
    assert all(piece.block == CENTRAL for (piece,) in small_in_the_middle(pieces_of(["baseline"], 0, 8, ["baseline"])))


ASKER = """
import multiprocessing, sys, time
from pathlib import Path
from keiretsu.case import load_case
from keiretsu.study.beside import YearsBeside
from keiretsu.study.runs import YearsAhead
if __name__ == "__main__":
    with YearsBeside(load_case(sys.argv[1]), YearsAhead(), Path(sys.argv[2]), Path(sys.argv[2])):
        print(multiprocessing.active_children()[0].pid, flush=True)
        time.sleep(600)
"""


def test_the_process_beside_ends_when_the_one_that_asked_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "asker.py"
    script.write_text(ASKER)
    asker = subprocess.Popen([sys.executable, str(script), str(write_new_case("mine", tmp_path)), str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert asker.stdout is not None
    beside = int(asker.stdout.readline())
    asker.kill()
    asker.wait()
    until = time.monotonic() + 60
    while Path(f"/proc/{beside}").exists() and time.monotonic() < until:
        time.sleep(0.2)
    assert not Path(f"/proc/{beside}").exists()


@pytest.mark.parametrize(
    "error",
    [
        InputError([Problem("too small", "a.csv", "1", "2", "look"), Problem("too large")]),
        PricesNotSettled("prices", where="market DE", residual=1.0, unit="EUR", iterations=3, next_step="look"),
        NoPureEquilibrium("market DE", ["one", "two"], 5.0),
    ],
)
def test_an_error_comes_back_from_another_process_as_it_was_raised(error: KeiretsuError) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error) and str(back) == str(error) and back.__dict__ == error.__dict__


def test_the_time_left_is_said_once_there_is_a_pace() -> None:
    assert time_left(1, 9, 5.0) == ""
    assert time_left(5, 10, 60.0) == ", about 2 min left"
    assert time_left(5, 5, 60.0) == ", about 60 s left"
    assert isinstance(NotSettled("x", where="y", residual=1.0, unit="EUR", iterations=1, next_step="z"), KeiretsuError)
