"""docs/own-case.md followed step by step: every step leaves a case without problems, and the commands it names are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from keiretsu.case import check_case, load_case, write_new_case
from keiretsu.cli.app import app
from keiretsu.study.run import RunOptions, run
from keiretsu.study.soundness import soundness_of

PAGE = Path(__file__).parents[2] / "docs" / "own-case.md"
FILE = re.compile(r"^`([\w/]+\.(?:toml|csv))`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STEPS = PAGE.read_text().split("\n## ")[1:]


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder after the last step, and what was wrong after each."""
    folder = write_new_case("orion", tmp_path_factory.mktemp("page"))
    for scenario in (folder / "scenarios").iterdir():
        scenario.unlink()
    wrong: list[str] = []
    for step in STEPS:
        for name, text in FILE.findall(step):
            (folder / name).write_text(text)
        checked = check_case(folder)
        problems = checked.problems if checked.case is None else soundness_of(checked.case).problems
        wrong += [f"after step {step.splitlines()[0]}: {problem}" for problem in problems]
    return folder, wrong


def test_every_step_leaves_a_case_without_problems(followed: tuple[Path, list[str]]) -> None:
    folder, wrong = followed
    assert wrong == []
    assert {"finance.csv", "pools.toml", "stakes.csv", "uncertain.csv"} <= {path.name for path in folder.iterdir()}


def test_the_case_of_the_page_answers_its_question(followed: tuple[Path, list[str]]) -> None:
    results = run(load_case(str(followed[0])), RunOptions(starts=1))
    assert results.comparisons["stake"].price_index["price_change_percent"].abs().max() > 0
    assert "Alpha buys a fifth of Delta" in results.sentences[0]


def test_every_command_and_option_of_the_page_exists() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    named = re.findall(r"^    keiretsu (\w+) ([^#\n]*)", PAGE.read_text(), re.MULTILINE)
    assert len(named) >= 10
    for name, words in named:
        options = {option for one in commands[name].params for option in one.opts}
        assert set(re.findall(r"(?<=\s)--?[a-z]+", f" {words}")) <= options, name
