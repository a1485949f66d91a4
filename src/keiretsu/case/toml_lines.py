"""TOML with line numbers: the standard reader gives values only, and a refusal has to say where."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keiretsu.errors import Problem

_HEADING = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_-]+|\"[^\"]+\"|'[^']+')\s*(?:=|\.)")


@dataclass(frozen=True)
class TomlFile:
    """A parsed TOML file and the lines on which its headings and keys stand.

    `lines` maps ``demand`` (a section), ``moves[2]`` (third item of an array of tables) and ``demand.price_taste`` (a key) to line numbers.
    """

    file: str
    values: Mapping[str, Any]
    lines: Mapping[str, int]

    def line(self, *path: str) -> int:
        """Line of the innermost part of `path` that is found in the file; 1 when none is."""
        for length in range(len(path), 0, -1):
            if (found := self.lines.get(".".join(path[:length]))) is not None:
                return found
        return 1


def parse_toml(file: str, content: bytes, problems: list[Problem]) -> TomlFile:
    """Parse a TOML file; what cannot be read is added to `problems` and comes back empty."""
    if (text := decoded(file, content, problems)) is None:
        return TomlFile(file, {}, {})
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        place = f"{file}, line {found[1]}" if found else file
        problems.append(Problem("not valid TOML", place, str(error), "", "see toml.io; text stands in quotes, dates do not"))
        values = {}
    return TomlFile(file, values, _positions(text))


def decoded(file: str, content: bytes, problems: list[Problem]) -> str | None:
    """The text of a file; None after adding a problem when it is empty or not UTF-8."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        problems.append(Problem("the file is not in UTF-8", f"{file}, row {line}", f"byte {content[error.start]:#04x}", "UTF-8",
                                "save it again with the encoding UTF-8 ('CSV UTF-8' in a spreadsheet)"))  # fmt: skip
        return None
    if not text.strip():
        problems.append(Problem("the file is empty", file, "", "a heading and rows", "write it or remove the file"))
        return None
    return text


def _positions(text: str) -> dict[str, int]:
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if heading := _HEADING.match(line):
            section = _numbered(heading[2], counts)
            if heading[1] == "[[":
                name = section
                counts[name] = counts.get(name, -1) + 1
                lines.setdefault(name, number)
                section = f"{name}[{counts[name]}]"
            lines.setdefault(section, number)
        elif key := _KEY.match(line):
            name = key[1].strip("\"'")
            lines.setdefault(f"{section}.{name}" if section else name, number)
    return lines


def _numbered(heading: str, counts: Mapping[str, int]) -> str:
    """``scenarios.moves`` under the third [[scenarios]] becomes ``scenarios[2].moves``."""
    parts = [part.strip().strip("\"'") for part in heading.split(".")]
    path = ""
    for position, part in enumerate(parts):
        path = f"{path}.{part}" if path else part
        if position < len(parts) - 1 and path in counts:
            path = f"{path}[{counts[path]}]"
    return path
