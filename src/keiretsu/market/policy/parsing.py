"""Programmes from tables (TOML): every key checked, money converted, all problems reported together with file and row.

A row names its `type` (a key of `programmes.KINDS`), the keys of `Scope` and the figures of its record. A figure of money is written
without the ending of its field (``flat = 5000`` for ``flat_eur``) beside a ``currency``. Tables inside a row: ``window`` and ``buyers``.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any

from keiretsu.errors import PolicyError, Problem
from keiretsu.market.policy.origins import unknown_origins
from keiretsu.market.policy.programmes import KINDS, Buyers, PriceWindow, Programme, Scope
from keiretsu.units import MODEL_CURRENCY, ExchangeRate

_RATES = {"rate", "rate_below", "rate_over", "rate_others", "low_rate", "value_share", "share", "share_max", "share_of_net", "share_a_month",
          "marginal_tax", "low_income_share", "reach", "foreign_share"}  # fmt: skip
_CHOICES = {"basis": ("net", "gross", "customs"), "share_basis": ("net", "gross"), "payer": ("buyer", "maker"), "recipient": ("buyer", "maker"),
            "funded_by": ("government", "maker")}  # fmt: skip
_POWERTRAINS = ("BEV", "PHEV", "ICE")
_TABLES = {"window": PriceWindow, "buyers": Buyers}
_WINDOW_MONEY = ("over", "at_least", "at_most")
_MAY_BE_NEGATIVE = {"amount_eur"}  # a unit credit
_MAY_BE_ENDLESS = {
    "cap_eur",
    "share_max",
    "budget_eur",
    "over_eur",
    "income_max_eur",
    "at_most",
    "mass_max_kg",
    "co2_max_gkm",
}  # "no limit", as when left out
_ABOVE_ZERO = {"cost_each_eur", "stock"}  # chargers are counted in them


def parse_programmes(rows: Sequence[Mapping[str, Any]], rates: Mapping[str, ExchangeRate], file: str) -> tuple[Programme, ...]:
    """Programmes of one file, in its order.

    Parameters
    ----------
    rows
        The ``[[programmes]]`` tables of the file.
    rates
        Exchange rates by currency; EUR needs none.

    Raises
    ------
    PolicyError
        With every problem of the file: unknown keys or types, figures of the wrong type or unit, money without a currency, an end
        before the start, an origin that is no country, an id twice.
    """
    problems: list[Problem] = []
    found: list[Programme] = []
    seen: dict[str, str] = {}
    for number, row in enumerate(rows, start=1):
        where = f"{file}, programme {number} ({row.get('id', 'no id')})"
        programme = _parse(row, rates, where, problems)
        name = str(row.get("id", ""))
        if name and name in seen:
            problems.append(Problem("a programme id is used twice", where, name, "one programme for each id", f"also in {seen[name]}"))
        seen[name] = where
        if programme is not None:
            found.append(programme)
    if problems:
        raise PolicyError(problems)
    return tuple(found)


def _parse(row: Mapping[str, Any], rates: Mapping[str, ExchangeRate], where: str, problems: list[Problem]) -> Programme | None:
    before = len(problems)
    kind = row.get("type")
    if kind not in KINDS:
        problems.append(Problem("unknown type of programme", where, str(kind), f"one of {', '.join(KINDS)}"))
        return None
    record = KINDS[kind]
    per_eur = _per_eur(row, rates, where, problems)
    scope_keys = {f.name for f in dataclasses.fields(Scope)} - {"where"}
    own = {f.name: f for f in dataclasses.fields(record) if f.name != "scope"}
    keys = {name.removesuffix("_eur"): name for name in own}
    known = scope_keys | set(keys) | {"type", "currency"}
    problems.extend(Problem("unknown key", where, key, f"one of {', '.join(sorted(known))}") for key in row if key not in known)
    scope = _scope({k: v for k, v in row.items() if k in scope_keys}, where, problems)
    values: dict[str, Any] = {}
    for key, name in keys.items():
        if key in row:
            values[name] = _value(name, row[key], per_eur, where, problems)
        elif _required(own[name]):
            problems.append(Problem("a figure is missing", where, f"no {key}", f"{key} of a {kind}"))
    if len(problems) > before or scope is None:
        return None
    return record(scope=scope, **values)


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _scope(row: dict[str, Any], where: str, problems: list[Problem]) -> Scope | None:
    before = len(problems)
    problems.extend(Problem("a figure is missing", where, f"no {key}", key) for key in ("id", "markets", "start") if key not in row)
    values: dict[str, Any] = {"where": where}
    for field in dataclasses.fields(Scope):
        if field.name not in row:
            continue
        value = row[field.name]
        if field.name in ("start", "end", "known"):
            if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
                problems.append(Problem("not a date", f"{where}, {field.name}", repr(value), "a date such as 2024-03-27, without quotes"))
        elif field.name == "dormant":
            if not isinstance(value, bool):
                problems.append(Problem("not a yes or no", f"{where}, dormant", repr(value), "true or false"))
        elif field.name in ("id", "source", "confidence", "note"):
            value = str(value)
        elif str(field.type).startswith("tuple"):
            value = _texts(value, field.name, where, problems)
        elif isinstance(value, bool) or not isinstance(value, int | float):
            problems.append(Problem("not a number", f"{where}, {field.name}", repr(value), "a number in the unit of the key"))
        values[field.name] = value
    for name in ("origins", "origins_except"):
        wrong = unknown_origins(values.get(name, ()))
        problems.extend(Problem("unknown origin", f"{where}, {name}", code, "an ISO 3166 two-letter code, or EU") for code in wrong)
    wrong = [p for p in values.get("powertrains", ()) if p not in _POWERTRAINS]
    problems.extend(Problem("unknown powertrain", where, p, "one of " + ", ".join(_POWERTRAINS)) for p in wrong)
    if len(problems) > before:
        return None
    scope = Scope(**values)
    if scope.end < scope.start:
        problems.append(Problem("a programme ends before it starts", where, f"{scope.start} to {scope.end}", "an end on or after the start"))
        return None
    return scope


def _value(name: str, value: Any, per_eur: float | None, where: str, problems: list[Problem]) -> Any:
    place = f"{where}, {name.removesuffix('_eur')}"
    if name in _TABLES:
        return _table(name, value, per_eur, place, problems)
    if name in _CHOICES:
        if value not in _CHOICES[name]:
            problems.append(Problem("unknown choice", place, repr(value), "one of " + ", ".join(_CHOICES[name])))
        return value
    if name == "group":
        return str(value)
    if name == "kinds":
        return _texts(value, name, where, problems)
    if name == "rates":
        if not isinstance(value, Mapping):
            problems.append(Problem("not a table of rates", place, repr(value), "a table such as {BYD = 0.17, SAIC = 0.381}"))
            return ()
        return tuple((str(k), _number(name, v, f"{place}.{k}", problems)) for k, v in value.items())
    if name == "brackets":
        return _brackets(value, per_eur, place, problems)
    number = _number(name, value, place, problems)
    if name.endswith("_eur"):
        return _money(number, per_eur, place, problems)
    return number


def _brackets(value: Any, per_eur: float | None, place: str, problems: list[Problem]) -> tuple[tuple[float, float], ...]:
    """Pairs of grams and money in rising order."""
    rows = value if isinstance(value, list | tuple) else [value]
    if not all(isinstance(row, list | tuple) and len(row) == 2 for row in rows):
        problems.append(Problem("not a list of brackets", place, repr(value), "pairs of g/km and money such as [[118, 50], [123, 75]]"))
        return ()
    pairs = tuple(
        (_number("brackets", a, place, problems), _money(_number("brackets", b, place, problems), per_eur, place, problems)) for a, b in rows
    )
    if [a for a, _ in pairs] != sorted({a for a, _ in pairs}):
        problems.append(Problem("brackets out of order", place, str([a for a, _ in pairs]), "rising grams per km, each once"))
    return pairs


def _table(name: str, value: Any, per_eur: float | None, where: str, problems: list[Problem]) -> Any:
    record = _TABLES[name]
    if not isinstance(value, Mapping):
        problems.append(
            Problem("not a table of keys", where, repr(value), f"a table with keys out of {', '.join(f.name for f in dataclasses.fields(record))}")
        )
        return record()
    fields = {f.name.removesuffix("_eur"): f.name for f in dataclasses.fields(record)}
    found: dict[str, Any] = {}
    for key, item in value.items():
        if key not in fields:
            problems.append(Problem("unknown key", where, key, f"one of {', '.join(fields)}"))
        elif key in _WINDOW_MONEY:
            found[key] = _money(_number(key, item, f"{where}.{key}", problems), per_eur, where, problems)
        else:
            found[fields[key]] = _value(fields[key], item, per_eur, where, problems)
    return record(**found)


def check_figure(name: str, value: float, where: str) -> list[Problem]:
    """What keeps a number from being the figure `name` of a programme or of a table inside it (``flat_eur``, ``window.at_most``); empty when nothing does."""
    problems: list[Problem] = []
    _number(name.rpartition(".")[2], value, f"{where}, {name}", problems)
    return problems


def _number(name: str, value: Any, where: str, problems: list[Problem]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        problems.append(Problem("not a number", where, repr(value), "a number"))
        return 0.0
    number = float(value)
    if name in _RATES | {"rates"} and not 0 <= number <= (2 if name.startswith(("rate", "low")) else 1):
        problems.append(Problem("a rate in the wrong unit", where, f"{value}", "a share such as 0.19 for 19 %"))
    elif not math.isfinite(number) and not (number == math.inf and name in _MAY_BE_ENDLESS):
        problems.append(Problem("not a number", where, f"{value}", "a finite number"))
    elif number < 0 and name not in _MAY_BE_NEGATIVE:
        problems.append(Problem("a negative figure", where, f"{value}", "zero or above"))
    elif number == 0 and name in _ABOVE_ZERO:
        problems.append(Problem("a figure is zero", where, f"{value}", "a figure above zero"))
    return number


def _money(amount: float, per_eur: float | None, where: str, problems: list[Problem]) -> float:
    if per_eur is None:
        problems.append(Problem("money without a unit", where, f"{amount:g}", "a currency beside it", 'add currency = "EUR" to the row'))
        return amount
    return amount / per_eur


def _per_eur(row: Mapping[str, Any], rates: Mapping[str, ExchangeRate], where: str, problems: list[Problem]) -> float | None:
    currency = row.get("currency")
    if currency is None:
        return None
    if currency == MODEL_CURRENCY:
        return 1.0
    if currency not in rates:
        problems.append(Problem("no exchange rate stated", where, str(currency), f"one of {sorted(rates)} or EUR", "add it to [rates] of case.toml"))
        return 1.0
    return rates[currency].per_eur


def _texts(value: Any, name: str, where: str, problems: list[Problem]) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(x, str) for x in value):
        problems.append(Problem("not a list of names", f"{where}, {name}", repr(value), 'a list such as ["DE", "FR"]'))
        return ()
    return tuple(value)
