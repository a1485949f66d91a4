"""Fleet rules, pools and the rest of the area from tables (TOML), every problem reported together with file and row.

Types: ``co2_target`` (grams, unit "g/km"), ``mandate`` (share), ``pool``, ``rest_of_area``. Fines are money beside a ``currency``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from keiretsu.errors import PolicyError, Problem
from keiretsu.market.pools import FleetRule, FleetTarget, Pool, PoolRecord, RestOfArea, SalesMandate, check_pools
from keiretsu.units import MODEL_CURRENCY, ExchangeRate, to_eur

_RULE_KEYS = ("id", "markets", "from_year", "to_year", "counted_by", "averaged", "source", "confidence", "note")
_TARGET_KEYS = {"grams", "mass_slope", "reference_mass_kg", "super_credit_below", "super_credit"}
_KEYS: Mapping[str, set[str]] = {
    "co2_target": {*_RULE_KEYS, *_TARGET_KEYS, "unit", "fine", "currency"},
    "mandate": {*_RULE_KEYS, "share", "powertrain", "fine", "currency"},
    "pool": {f.name for f in dataclasses.fields(Pool)} - {"where"},
    "rest_of_area": {f.name for f in dataclasses.fields(RestOfArea)} - {"where"},
}
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "co2_target": ("id", "markets", "from_year", "to_year", "grams", "unit", "fine", "currency"),
    "mandate": ("id", "markets", "from_year", "to_year", "share", "fine", "currency"),
    "pool": ("id", "rule", "makers"),
    "rest_of_area": ("rule", "maker", "cars", "co2_gkm", "mass_kg"),
}
_WORDS = {"counted_by": ("brand", "priced_by"), "sharing": ("internal price", "pro rata", "one payer")}
_NUMBERS = {"from_year", "to_year", "grams", "mass_slope", "reference_mass_kg", "super_credit_below", "super_credit", "share", "fine", "cars",
            "co2_gkm", "mass_kg", "electric_cars"}  # fmt: skip
_POWERTRAINS = ("BEV", "PHEV", "ICE")
_MOST_GRAMS = 500.0  # no fleet target or fleet mean is near this; above it the unit is wrong


def parse_pools(rows: Sequence[Mapping[str, Any]], rates: Mapping[str, ExchangeRate], file: str) -> tuple[PoolRecord, ...]:
    """Records of one file, in its order, checked against each other.

    Raises
    ------
    PolicyError
        With every problem: unknown types or keys, missing figures, a target in another unit, a maker in two pools.
    """
    problems: list[Problem] = []
    found: list[PoolRecord] = []
    for number, row in enumerate(rows, start=1):
        where = f"{file}, row {number} ({row.get('id', row.get('maker', 'no id'))})"
        before = len(problems)
        _check(row, rates, where, problems)
        if len(problems) == before:
            found.append(_record(row, rates, where))
    if problems:
        raise PolicyError(problems)
    check_pools(found)
    return tuple(found)


def _check(row: Mapping[str, Any], rates: Mapping[str, ExchangeRate], where: str, problems: list[Problem]) -> None:
    kind = row.get("type")
    if kind not in _KEYS:
        problems.append(Problem("unknown type of pool record", where, str(kind), f"one of {', '.join(_KEYS)}"))
        return
    known = _KEYS[str(kind)]
    problems.extend(Problem("unknown key", where, key, f"one of {', '.join(sorted(known))}") for key in row if key not in known | {"type"})
    problems.extend(Problem("a figure is missing", where, f"no {key}", key) for key in _NEEDED[str(kind)] if key not in row)
    choices = ((key, words) for key, words in _WORDS.items() if key in row and row[key] not in words)
    problems.extend(Problem("unknown choice", f"{where}, {key}", repr(row[key]), f"one of {', '.join(words)}") for key, words in choices)
    lists = [key for key in ("markets", "makers") if key in row]
    bad = [key for key in lists if not isinstance(row[key], list) or not all(isinstance(x, str) for x in row[key])]
    problems.extend(Problem("not a list of names", f"{where}, {key}", repr(row[key]), 'a list such as ["Renault", "Dacia"]') for key in bad)
    if "averaged" in row and not (isinstance(row["averaged"], list) and all(isinstance(x, int) and not isinstance(x, bool) for x in row["averaged"])):
        problems.append(Problem("not a window of years", f"{where}, averaged", repr(row["averaged"]), "first and last year, such as [2025, 2027]"))
    numbers = {key: row[key] for key in row if key in _NUMBERS}
    wrong = {key for key, value in numbers.items() if isinstance(value, bool) or not isinstance(value, int | float)}
    problems.extend(Problem("not a number", f"{where}, {key}", repr(row[key]), "a number") for key in sorted(wrong))
    if row.get("unit", "g/km") != "g/km":
        problems.append(Problem("a target in the wrong unit", where, repr(row["unit"]), "g/km (WLTP)"))
    off = (key for key in ("grams", "co2_gkm") if key in numbers and key not in wrong and not 0 <= float(numbers[key]) <= _MOST_GRAMS)
    between = f"g/km between 0 and {_MOST_GRAMS:g}"
    problems.extend(Problem("a target in the wrong unit", f"{where}, {key}", f"{numbers[key]}", between) for key in off)
    fine = {key: float(value) for key, value in numbers.items() if key not in wrong}
    below = (key for key in ("fine", "cars", "electric_cars", "super_credit_below") if fine.get(key, 0.0) < 0)
    problems.extend(Problem("a negative figure", f"{where}, {key}", f"{numbers[key]}", "zero or above") for key in below)
    broken = (key for key in ("from_year", "to_year") if fine.get(key, 0.0) % 1)
    problems.extend(Problem("not a year", f"{where}, {key}", f"{numbers[key]}", "a whole number such as 2025") for key in broken)
    if fine.get("electric_cars", 0.0) > fine.get("cars", 0.0):
        problems.append(
            Problem("more electric cars than cars", f"{where}, electric_cars", f"{numbers['electric_cars']}", f"at most {numbers.get('cars')}")
        )
    if not fine.get("super_credit", 1.0) >= 1:
        problems.append(
            Problem(
                "a super-credit below one", f"{where}, super_credit", f"{numbers['super_credit']}", "1 or above: cars that each such car counts as"
            )
        )
    if row.get("powertrain", "BEV") not in _POWERTRAINS:
        problems.append(Problem("unknown powertrain", f"{where}, powertrain", repr(row["powertrain"]), f"one of {', '.join(_POWERTRAINS)}"))
    if "currency" in row and row["currency"] != MODEL_CURRENCY and row["currency"] not in rates:
        known = ", ".join(sorted({*rates, MODEL_CURRENCY}))
        problems.append(Problem("no exchange rate stated", where, str(row["currency"]), f"one of {known}", "add it to [rates] of case.toml"))
    if "share" in numbers and "share" not in wrong and not 0 <= float(numbers["share"]) <= 1:
        problems.append(Problem("a target in the wrong unit", f"{where}, share", f"{numbers['share']}", "a share such as 0.22 for 22 %"))


def _record(row: Mapping[str, Any], rates: Mapping[str, ExchangeRate], where: str) -> PoolRecord:
    kind = row["type"]
    plain: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in row.items() if key not in ("type", "unit", "currency")
    }
    if kind == "pool":
        return Pool(**plain, where=where)
    if kind == "rest_of_area":
        return RestOfArea(**plain, where=where)
    fine = to_eur(float(row["fine"]), str(row["currency"]), dict(rates))
    shared: dict[str, Any] = {"currency": str(row["currency"])} | {key: value for key, value in plain.items() if key in _RULE_KEYS}
    if kind == "mandate":
        return FleetRule(**shared, target=SalesMandate(float(row["share"]), fine, str(row.get("powertrain", "BEV"))), where=where)
    target: dict[str, Any] = {key: float(value) for key, value in plain.items() if key in _TARGET_KEYS}
    return FleetRule(**shared, target=FleetTarget(**target, fine_eur=fine), where=where)
