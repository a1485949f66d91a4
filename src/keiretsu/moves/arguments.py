"""What a move may be told: one declaration of each argument drives reading, checking and the documentation.

A move declares its arguments as dataclass fields made by `argument`, with unit, meaning and limits. `read_arguments` turns a table
of a scenario file into keyword arguments and reports every problem at once; `argument_table` gives the same facts to the docs.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keiretsu.errors import Problem
from keiretsu.moves.filter import ProductFilter, read_filter

_KEY = "keiretsu.argument"


@dataclass(frozen=True)
class Argument:
    """One argument of a move, as the file, the checks and the docs see it."""

    name: str
    kind: str
    unit: str
    meaning: str
    required: bool
    default: str
    low: float | None
    high: float | None
    words: tuple[str, ...]

    @property
    def wanted(self) -> str:
        """What a value must be, in words."""
        if self.words:
            return f"one of {', '.join(word for word in self.words if word)}"
        limits = [f"at least {self.low:g}" if self.low is not None else "", f"at most {self.high:g}" if self.high is not None else ""]
        text = " and ".join(part for part in limits if part)
        hint = " (ten per cent is 0.1)" if self.unit == "share" else ""
        unit = f" in {self.unit}" if self.unit and self.unit != "share" else ""
        return f"{self.kind}{unit}{', ' + text if text else ''}{hint}"


def argument(
    meaning: str,
    *,
    unit: str = "",
    default: object = dataclasses.MISSING,
    low: float | None = None,
    high: float | None = None,
    words: Sequence[str] = (),
) -> Any:
    """A dataclass field that is an argument of a move. Without `default` it must be given."""
    metadata = {_KEY: {"meaning": meaning, "unit": unit, "low": low, "high": high, "words": tuple(words)}}
    if default is dataclasses.MISSING:
        return dataclasses.field(metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def argument_table(of: type) -> tuple[Argument, ...]:
    """Arguments a move type takes, in order, those of the type itself before those all moves share."""
    hints = typing.get_type_hints(of)
    found = [
        Argument(
            name=f.name,
            kind=_kind_in_words(hints[f.name]),
            unit=f.metadata[_KEY]["unit"],
            meaning=f.metadata[_KEY]["meaning"],
            required=f.default is dataclasses.MISSING,
            default=_default_in_words(f.default),
            low=f.metadata[_KEY]["low"],
            high=f.metadata[_KEY]["high"],
            words=f.metadata[_KEY]["words"],
        )
        for f in dataclasses.fields(of)
        if _KEY in f.metadata
    ]
    own = set(vars(of).get("__annotations__", {}))
    return tuple([a for a in found if a.name in own] + [a for a in found if a.name not in own])


def read_arguments(of: type, given: Mapping[str, object], place: str) -> tuple[dict[str, Any], list[Problem]]:
    """Keyword arguments for a move type from a table of a file, and everything wrong with the table.

    Parameters
    ----------
    given
        The table without its ``type``.
    place
        File and position, for the problems.
    """
    table = {a.name: a for a in argument_table(of)}
    hints = typing.get_type_hints(of)
    problems = [Problem(f"unknown argument {name}", place, repr(given[name]), f"one of {', '.join(table)}") for name in given if name not in table]
    read: dict[str, Any] = {}
    for name, a in table.items():
        if name not in given:
            if a.required:
                problems.append(Problem(f"missing argument {name}", place, "nothing", a.wanted, a.meaning))
            continue
        try:
            value = _reader_of(hints[name])(given[name])
        except _Unreadable as unreadable:
            wanted = unreadable.wanted or a.wanted
            problems.append(Problem(f"argument {name} cannot be read", place, repr(given[name]), wanted))
            continue
        fault = _outside(value, a)
        if fault:
            problems.append(Problem(f"argument {name} is out of range", place, fault, a.wanted))
        read[name] = value
    return read, problems


class _Unreadable(Exception):
    """A value of the wrong kind; never leaves this module."""

    def __init__(self, wanted: str = "") -> None:
        self.wanted = wanted
        super().__init__(wanted)


def _outside(value: object, a: Argument) -> str:
    if a.words and value is not None and value not in a.words:
        return repr(value)
    numbers = list(value.values()) if isinstance(value, Mapping) else [value]
    for number in numbers:
        if isinstance(number, float) and ((a.low is not None and number < a.low) or (a.high is not None and number > a.high)):
            return f"{number:g}"
    return ""


def _read_text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Unreadable
    return value


def _read_number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value or value in (float("inf"), float("-inf")):
        raise _Unreadable
    return float(value)


def _read_whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Unreadable
    return value


def _read_date(value: object) -> dt.date:
    if isinstance(value, dt.datetime) or not isinstance(value, dt.date):
        raise _Unreadable("a date such as 2024-03-27, without quotes")
    return value


def _read_list(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (_read_text(value),)
    if not isinstance(value, (list, tuple)) or not value:
        raise _Unreadable
    return tuple(_read_text(item) for item in value)


def _read_shares(value: object) -> Mapping[str, float]:
    if not isinstance(value, Mapping) or not value:
        raise _Unreadable("a table of name = number")
    return {_read_text(name): _read_number(number) for name, number in value.items()}


def _read_filter(value: object) -> ProductFilter:
    read, fault = read_filter(value)
    if fault:
        raise _Unreadable(fault)
    return read


_READERS: Mapping[object, tuple[str, Callable[[object], object]]] = {
    str: ("text", _read_text),
    float: ("a number", _read_number),
    int: ("a whole number", _read_whole),
    dt.date: ("a date", _read_date),
    tuple[str, ...]: ("a list of texts", _read_list),
    Mapping[str, float]: ("a table of name = number", _read_shares),
    ProductFilter: ("a product filter", _read_filter),
}


def _bare(hint: object) -> object:
    """The hint without ``| None``: an argument that may stay unsaid is still of one kind when it is said."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        kinds = [part for part in typing.get_args(hint) if part is not type(None)]
        return kinds[0]
    return hint


def _reader_of(hint: object) -> Callable[[object], object]:
    return _READERS[_bare(hint)][1]


def _kind_in_words(hint: object) -> str:
    return _READERS[_bare(hint)][0]


def _default_in_words(default: object) -> str:
    if default is dataclasses.MISSING:
        return "required"
    if default is None or default == () or default == "":
        return "not stated"
    if default == ProductFilter():
        return "every product"
    if isinstance(default, float):
        return f"{default:g}"
    return str(default)
