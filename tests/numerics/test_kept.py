"""Functions compiled once for all processes: the same answers wherever the code comes from, and nothing read that is not whole."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from keiretsu.numerics import kept
from keiretsu.numerics.kept import MOST, Kept

made: list[str] = []


def demand(given: dict[str, jax.Array], curve: str) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Units at a price; notes each time it is traced."""
    made.append(curve)
    return given["size"] * jnp.exp(-given["price"]), {"price": given["price"], "twice": 2 * given["size"]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made.clear()
    monkeypatch.setattr(kept, "kept_in", lambda: tmp_path / "whole")
    return tmp_path / "whole"


GIVEN = {"size": jnp.arange(3.0), "price": jnp.asarray(0.5)}


def same(answer: tuple[jax.Array, dict[str, jax.Array]], given: dict[str, jax.Array]) -> bool:
    units, rest = answer
    return np.array_equal(units, np.asarray(demand(given, "")[0])) and np.array_equal(rest["twice"], 2 * given["size"])


def test_a_second_process_gets_the_same_answer_without_tracing_again(folder: Path) -> None:
    assert same(Kept(demand)(GIVEN, "log"), GIVEN) and len(list(folder.glob("*.xla"))) == 1
    made.clear()
    again = Kept(demand)  # as another process would have it: it knows nothing but the folder
    assert again(GIVEN, "log")[1]["price"] == 0.5 and made == []
    assert same(again(GIVEN, "log"), GIVEN)


def test_what_was_prepared_is_not_traced_when_it_is_asked_for(folder: Path) -> None:
    function = Kept(demand)
    function.prepare(GIVEN, "log")
    assert made == ["log"] and len(list(folder.glob("*.xla"))) == 1
    assert same(function(GIVEN, "log"), GIVEN) and made == ["log", ""]  # the empty one is asked by `same` itself


def test_another_shape_or_another_question_is_compiled_by_itself(folder: Path) -> None:
    function = Kept(demand)
    function(GIVEN, "log")
    function(GIVEN, "linear")
    function({**GIVEN, "size": jnp.arange(4.0)}, "log")
    assert made == ["log", "linear", "log"] and len(list(folder.glob("*.xla"))) == 3


def test_code_that_is_not_whole_is_compiled_again(folder: Path) -> None:
    Kept(demand)(GIVEN, "log")
    (path,) = folder.glob("*.xla")
    for damaged in (path.read_bytes()[:-1], b"something else", b""):
        path.write_bytes(damaged)
        made.clear()
        assert same(Kept(demand)(GIVEN, "log"), GIVEN) and "log" in made
        assert path.read_bytes() != damaged


def test_code_of_another_version_of_the_program_is_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Kept(demand)(GIVEN, "log")
    monkeypatch.setattr(kept, "_made_from", lambda: "another version")
    made.clear()
    Kept(demand)(GIVEN, "log")
    assert made == ["log"]


def test_the_folder_keeps_the_latest_and_lets_the_oldest_go(folder: Path) -> None:
    function = Kept(demand)
    for number in range(MOST + 2):
        function(GIVEN, f"curve {number}")
        for place, path in enumerate(sorted(folder.glob("*.xla"), key=lambda one: one.stat().st_mtime)):
            os.utime(path, (1000.0 + place, 1000.0 + place))  # as if each were made some time after the one before
    assert len(list(folder.glob("*.xla"))) == MOST
    made.clear()
    Kept(demand)(GIVEN, "curve 0")
    assert made == ["curve 0"]


def test_a_folder_that_cannot_be_written_keeps_nothing_and_answers_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(kept, "kept_in", lambda: tmp_path / "file" / "whole")
    assert same(Kept(demand)(GIVEN, "log"), GIVEN)
    monkeypatch.setattr(kept, "kept_in", lambda: None)
    assert same(Kept(demand)(GIVEN, "log"), GIVEN)


def test_whoever_wants_what_another_compiles_waits_for_it(folder: Path) -> None:
    folder.mkdir()
    order: list[str] = []
    inside, go_on = threading.Event(), threading.Event()

    def hold(name: str) -> None:
        with kept._alone(folder / "one.xla"):  # each opens the lock by itself, as processes do
            order.append(f"{name} begins")
            inside.set()
            assert go_on.wait(30)
            order.append(f"{name} ends")

    first, second = (threading.Thread(target=hold, args=(name,)) for name in ("first", "second"))
    first.start()
    assert inside.wait(30)
    second.start()
    second.join(0.2)
    assert order == ["first begins"]
    go_on.set()
    first.join(30)
    second.join(30)
    assert order == ["first begins", "first ends", "second begins", "second ends"]


SOLVES = """
import sys
from pathlib import Path
import jax.numpy as jnp
from keiretsu.numerics import kept

kept.kept_in = lambda: Path(sys.argv[1])
print(kept.Kept(jnp.linalg.solve)(jnp.array([[2.0, 1.0], [1.0, 3.0]]), jnp.array([3.0, 5.0])))
print(len(list(Path(sys.argv[1]).glob("*.xla"))))
"""


def test_code_that_calls_linear_algebra_runs_in_a_process_that_only_read_it(tmp_path: Path) -> None:
    for _ in range(2):  # the first process compiles, the second reads
        done = subprocess.run([sys.executable, "-c", SOLVES, str(tmp_path)], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.split()) == (0, ["[0.8", "1.4]", "1"]), done.stderr
