"""The sections of `case.toml` as typed settings: [case], [rates], [demand], [kappa]."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keiretsu.case.record import DemandSettings, RandomSetting
from keiretsu.case.rows import Row, type_cell
from keiretsu.case.schema import Column
from keiretsu.case.settings import BUYER_KINDS, CASE, CHARACTERISTICS, DEMAND, NEST_COLUMNS, RANDOM
from keiretsu.case.suggest import closest
from keiretsu.case.toml_lines import TomlFile
from keiretsu.errors import InputError, Problem
from keiretsu.units import MODEL_CURRENCY, ExchangeRate

DRAWS_WITH_RANDOM_TASTES = 256
_DEMAND_EXTRA = ("outside", "nests", "sigma_group", "sigma_sub", "random", "correlation", "kind_price", "kind_taste")


def read_case_section(toml: TomlFile, problems: list[Problem]) -> dict[str, Any]:
    """Typed keys of [case]; None where a key was refused or is filled later."""
    return _section(toml, "case", CASE, (), problems)


def read_rates(toml: TomlFile, problems: list[Problem]) -> dict[str, ExchangeRate]:
    """Exchange rates of [rates]; EUR itself is one."""
    section = _table(toml, "rates", problems)
    source = str(section.get("source", ""))
    rates = {MODEL_CURRENCY: ExchangeRate(MODEL_CURRENCY, 1.0, "definition")}
    for currency, value in section.items():
        place = f"{toml.file}, line {toml.line('rates', currency)}"
        if currency == "source":
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            problems.append(Problem("a rate is not a number", place, repr(value), f"units of {currency} for one euro"))
            continue
        if not re.fullmatch(r"[A-Z]{3}", currency):
            problems.append(Problem("not a currency", place, currency, "three capital letters such as GBP (ISO 4217)"))
            continue
        if currency == MODEL_CURRENCY and value != 1:
            problems.append(Problem("the euro's rate against itself is one", place, str(value), "1", "rates are units of a currency for one euro"))
            continue
        try:
            rates[currency] = ExchangeRate(currency, float(value), source)
        except InputError as error:
            problems += [Problem(p.what, place, p.seen, p.wanted) for p in error.problems]
    return rates


def read_demand(toml: TomlFile, income_groups: int, problems: list[Problem]) -> DemandSettings | None:
    """Settings of [demand]; None when one of them was refused. `income_groups` is the most that a market has."""
    before = len(problems)
    keys = _section(toml, "demand", DEMAND, _DEMAND_EXTRA, problems)
    section = _table(toml, "demand", [])
    nests = _nests(section.get("nests", []), toml, problems)
    outside = section.get("outside", True)
    if not isinstance(outside, bool):
        problems.append(Problem("outside is not true or false", _at(toml, "outside"), repr(outside), "true or false"))
    sigma_group = _sigma("sigma_group", section, toml, problems)
    sigma_sub = _sigma("sigma_sub", section, toml, problems) if "sigma_sub" in section else sigma_group
    _go_together("nests", "sigma_group", bool(nests), "sigma_group" in section, toml, problems)
    _go_together("two nests", "sigma_sub", len(nests) > 1, "sigma_sub" in section, toml, problems)
    random = _random(section.get("random", []), toml, problems)
    correlation = _correlation(section.get("correlation", []), len(random), toml, problems)
    kind_price = _kind_price(toml, section, problems)
    kind_taste = _kind_taste(toml, section, problems)
    if len(problems) > before:
        return None
    uneven = bool(random) or keys["price_sigma"] > 0
    return DemandSettings(
        price_taste=keys["price_taste"], income_power=keys["income_power"], price_sigma=keys["price_sigma"], outside=outside,
        draws=keys["draws"] or (DRAWS_WITH_RANDOM_TASTES if uneven else income_groups), seed=keys["seed"],
        nests=nests, sigma_group=sigma_group, sigma_sub=sigma_sub, random=random, correlation=correlation, source=keys["source"],
        kind_price=kind_price, kind_taste=kind_taste,
    )  # fmt: skip


def read_kappa(toml: TomlFile, firms: Sequence[str], problems: list[Problem]) -> dict[str, dict[str, float]]:
    """Profit weights of [kappa], by setter and earner; firms that are not named keep their own profit only."""
    kappa: dict[str, dict[str, float]] = {}
    for setter, weights in _table(toml, "kappa", problems).items():
        place = f"{toml.file}, line {toml.line('kappa', setter)}"
        _known_firm(setter, firms, place, problems)
        if not isinstance(weights, dict):
            problems.append(Problem("not a table of weights", place, repr(weights), f"[kappa.{setter}] and keys such as B = 0.3"))
            continue
        kappa[setter] = {}
        for earner, value in weights.items():
            at = f"{toml.file}, line {toml.line('kappa', setter, earner)}"
            _known_firm(earner, firms, at, problems)
            if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) == float("inf"):
                problems.append(Problem("a profit weight is not a number", at, repr(value), f"the weight of {earner}'s profit in {setter}'s prices"))
            elif setter == earner and value != 1:
                problems.append(Problem("a firm's weight on itself is one", at, str(value), "1", "divide the row by it: only ratios matter"))
            else:
                kappa[setter][earner] = float(value)
    return kappa


def read_calibration(toml: TomlFile, problems: list[Problem]) -> Mapping[str, Any]:
    """Section [calibration] as it stands, for the part that calibrates."""
    return _table(toml, "calibration", problems)


def read_report(toml: TomlFile, firms: Sequence[str], problems: list[Problem]) -> tuple[str, ...]:
    """Makers of section [report]: those that headline tables give a column of their own."""
    makers = _table(toml, "report", problems).get("makers", [])
    at = f"{toml.file}, line {toml.line('report', 'makers')}"
    if not isinstance(makers, list) or not all(isinstance(name, str) for name in makers):
        problems.append(Problem("makers are not a list of companies", at, repr(makers)[:60], '["A", "B"]'))
        return ()
    for name in makers:
        _known_firm(name, firms, at, problems)
    return tuple(makers)


def _known_firm(name: str, firms: Sequence[str], place: str, problems: list[Problem]) -> None:
    if name not in firms:
        problems.append(Problem("unknown company", place, name, "a company that prices or earns in products", closest(name, firms)))


def _table(toml: TomlFile, name: str, problems: list[Problem]) -> Mapping[str, Any]:
    section = toml.values.get(name, {})
    if isinstance(section, dict):
        return section
    problems.append(Problem("not a section", f"{toml.file}, line {toml.line(name)}", repr(section)[:60], f"[{name}] and its keys"))
    return {}


def _section(toml: TomlFile, name: str, keys: Sequence[Column], extra: Sequence[str], problems: list[Problem]) -> dict[str, Any]:
    section = _table(toml, name, problems)
    known = (*(key.name for key in keys), *extra)
    for key in section:
        if key not in known:
            place = f"{toml.file}, line {toml.line(name, key)}"
            problems.append(Problem("unknown key", place, key, f"keys of [{name}] in docs/case.md", closest(key, known)))
    return {key.name: type_cell(section.get(key.name, ""), key, Row(toml.file, toml.line(name, key.name)), problems) for key in keys}


def _at(toml: TomlFile, key: str) -> str:
    return f"{toml.file}, line {toml.line('demand', key)}, key {key}"


def _nests(value: Any, toml: TomlFile, problems: list[Problem]) -> tuple[str, ...]:
    if not (isinstance(value, list) and len(value) <= 2 and len(set(map(str, value))) == len(value)):
        problems.append(Problem("nests are not a list of at most two columns", _at(toml, "nests"), repr(value), 'such as ["segment", "powertrain"]'))
        return ()
    for name in value:
        if name not in NEST_COLUMNS:
            next_step = closest(str(name), NEST_COLUMNS)
            problems.append(Problem("unknown column for nests", _at(toml, "nests"), repr(name), f"one of {', '.join(NEST_COLUMNS)}", next_step))
    return tuple(name for name in value if name in NEST_COLUMNS)


def _sigma(key: str, section: Mapping[str, Any], toml: TomlFile, problems: list[Problem]) -> float | dict[str, float]:
    value = section.get(key, 0.0)
    by_nest = value if isinstance(value, dict) else {"": value}
    for nest, sigma in by_nest.items():
        if isinstance(sigma, bool) or not isinstance(sigma, int | float) or not 0 <= sigma < 1:
            seen = f"{nest} = {sigma!r}" if nest else repr(sigma)
            problems.append(Problem(f"{key} is out of bounds", _at(toml, key), seen, "a number at least 0 and below 1"))
            return 0.0
    return {str(nest): float(sigma) for nest, sigma in by_nest.items()} if isinstance(value, dict) else float(value)


def _go_together(what: str, sigma: str, has_nests: bool, has_sigma: bool, toml: TomlFile, problems: list[Problem]) -> None:
    if has_nests != has_sigma:
        seen = f"{what} without {sigma}" if has_nests else f"{sigma} without {what}"
        problems.append(
            Problem("nests and their sigma go together", _at(toml, sigma if has_sigma else "nests"), seen, f"{what} and {sigma}, or neither")
        )


def _random(value: Any, toml: TomlFile, problems: list[Problem]) -> tuple[RandomSetting, ...]:
    if not (isinstance(value, list) and all(isinstance(item, dict) for item in value)):
        problems.append(Problem("random tastes are not an array of tables", _at(toml, "random"), repr(value)[:60], "[[demand.random]] headings"))
        return ()
    tastes: list[RandomSetting] = []
    for position, item in enumerate(value):
        row = Row(toml.file, toml.line(f"demand.random[{position}]"))
        keys = {key.name: type_cell(item.get(key.name, ""), key, row, problems) for key in RANDOM}
        wanted = "characteristic, sigma, distribution, median"
        problems += [Problem("unknown key", row.place(key), key, wanted, closest(key, keys)) for key in item if key not in keys]
        name = keys["characteristic"]
        if name is not None and name not in CHARACTERISTICS:
            next_step = closest(name, CHARACTERISTICS)
            problems.append(Problem("unknown characteristic", row.place("characteristic"), name, f"one of {', '.join(CHARACTERISTICS)}", next_step))
        if name is not None and any(name == taste.characteristic for taste in tastes):
            problems.append(Problem("two random tastes for one characteristic", row.place("characteristic"), name, "one, with the variance of both"))
        lognormal, median = keys["distribution"] == "lognormal", keys["median"]
        if median is not None and (not lognormal or median == 0):
            wanted = "a number other than zero" if lognormal else 'distribution = "lognormal", or no median'
            what = "a lognormal taste with a median of zero is no taste" if lognormal else "a normal taste has no median here: delta holds its mean"
            problems.append(Problem(what, row.place("median"), f"{median:g}", wanted))
        if None not in (keys["characteristic"], keys["sigma"], keys["distribution"]):
            tastes.append(RandomSetting(keys["characteristic"], keys["sigma"], keys["distribution"], 1.0 if median is None else median))
    return tuple(tastes)


def _kind_price(toml: TomlFile, section: Mapping[str, Any], problems: list[Problem]) -> dict[str, float]:
    """Multiples of the price taste by kind of buyer."""
    found: dict[str, float] = {}
    for kind, value in _by_kind("kind_price", section, toml, problems).items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
            wanted = "a multiple of the price taste, above zero"
            problems.append(Problem("price taste of a kind of buyer is out of bounds", _at(toml, f"kind_price.{kind}"), repr(value), wanted))
        else:
            found[kind] = float(value)
    return found


def _kind_taste(toml: TomlFile, section: Mapping[str, Any], problems: list[Problem]) -> dict[str, dict[str, float]]:
    """Shifts of tastes by kind of buyer and characteristic, utils per unit."""
    found: dict[str, dict[str, float]] = {}
    for kind, shifts in _by_kind("kind_taste", section, toml, problems).items():
        if not isinstance(shifts, dict):
            wanted = f"[demand.kind_taste.{kind}] and keys such as electric = 0.4"
            problems.append(Problem("not a table of tastes", _at(toml, f"kind_taste.{kind}"), repr(shifts)[:60], wanted))
            continue
        found[kind] = {}
        for name, value in shifts.items():
            place = _at(toml, f"kind_taste.{kind}.{name}")
            if name not in CHARACTERISTICS:
                wanted = f"one of {', '.join(CHARACTERISTICS)}"
                problems.append(Problem("unknown characteristic", place, name, wanted, closest(name, CHARACTERISTICS)))
            elif isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
                problems.append(Problem("a taste is not a number", place, repr(value), "utils per unit of the characteristic"))
            else:
                found[kind][name] = float(value)
    return found


def _by_kind(key: str, section: Mapping[str, Any], toml: TomlFile, problems: list[Problem]) -> Mapping[str, Any]:
    """What a table says about kinds of buyer that are known."""
    table = section.get(key, {})
    if not isinstance(table, dict):
        problems.append(Problem("not a table of kinds of buyer", _at(toml, key), repr(table)[:60], f"[demand.{key}]"))
        return {}
    for kind in table:
        if kind not in BUYER_KINDS:
            wanted = f"one of {', '.join(BUYER_KINDS)}"
            problems.append(Problem("unknown kind of buyer", _at(toml, f"{key}.{kind}"), kind, wanted, closest(kind, BUYER_KINDS)))
    return {kind: value for kind, value in table.items() if kind in BUYER_KINDS}


def _correlation(value: Any, size: int, toml: TomlFile, problems: list[Problem]) -> tuple[tuple[float, ...], ...]:
    if value == []:
        return ()
    wanted = f"a symmetric {size} x {size} matrix with ones on its diagonal and numbers from -1 to 1, for the random tastes in their order"
    square = isinstance(value, list) and len(value) == size and all(isinstance(row, list) and len(row) == size for row in value)
    numbers = square and all(not isinstance(x, bool) and isinstance(x, int | float) and -1 <= x <= 1 for row in value for x in row)
    if not numbers or any(value[i][i] != 1 or value[i][j] != value[j][i] for i in range(size) for j in range(size)):
        problems.append(Problem("correlation is not a correlation matrix", _at(toml, "correlation"), repr(value)[:80], wanted))
        return ()
    if (least := float(np.linalg.eigvalsh(np.array(value, dtype=float))[0])) < -1e-10:
        seen = f"smallest eigenvalue {least:.3g}"
        problems.append(Problem("correlation is not a correlation matrix", _at(toml, "correlation"), seen, "no negative eigenvalue"))
        return ()
    return tuple(tuple(float(x) for x in row) for row in value)
