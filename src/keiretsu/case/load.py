"""Find a case by name or path, check it, hand it over."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from keiretsu.case.check import CheckedCase, check_folder
from keiretsu.case.record import Case
from keiretsu.case.suggest import closest
from keiretsu.errors import CaseError, Problem


def load_case(path_or_name: str | Path) -> Case:
    """A checked case.

    Parameters
    ----------
    path_or_name
        Folder of a case (or its `case.toml`), or the name of an embedded one (``ampere``). A folder with a `case.toml` goes first.

    Raises
    ------
    CaseError
        With every problem of the case: file, row, value seen, value wanted, next step.
    """
    checked = check_case(path_or_name)
    if checked.case is None:
        raise CaseError(checked.problems)
    return checked.case


def check_case(path_or_name: str | Path) -> CheckedCase:
    """Problems, warnings and unread files of a case; the case itself when it has no problems.

    Raises
    ------
    CaseError
        When there is no such folder or embedded case.
    """
    return check_folder(find_case(path_or_name))


def find_case(path_or_name: str | Path) -> Path:
    """The folder of a case.

    Raises
    ------
    CaseError
        When there is no such folder or embedded case.
    """
    path = Path(path_or_name)
    if path.is_file() and path.name == "case.toml":
        return path.resolve().parent
    known = embedded_cases()
    if path.is_dir() and ((path / "case.toml").is_file() or str(path_or_name) not in known):
        return path.resolve()
    if str(path_or_name) in known:
        return _embedded() / str(path_or_name)
    raise CaseError(Problem("no such case", str(path_or_name), "neither a folder nor the name of an embedded case",
                            f"a folder, or one of {', '.join(known) or 'none'}", closest(str(path_or_name), known)))  # fmt: skip


def embedded_cases() -> tuple[str, ...]:
    """Names of the cases that come with the program."""
    return tuple(sorted(folder.name for folder in _embedded().iterdir() if (folder / "case.toml").is_file())) if _embedded().is_dir() else ()


def _embedded() -> Path:
    return Path(str(files("keiretsu.case"))) / "cases"
