"""`keiretsu` as typed, in this process, in an empty folder."""

import sys
from dataclasses import dataclass

import pytest

from keiretsu.cli import main


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def keiretsu(tmp_path, monkeypatch, capsys):
    """Call with the words after `keiretsu`; the working folder is `tmp_path`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["keiretsu", *words])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        said = capsys.readouterr()
        return Done(int(code), said.out, said.err)

    return run
