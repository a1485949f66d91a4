"""Checks of programmes and fleet rules against the rest of the case: names that it has, money it knows, buyers and incomes that are there.

What a programme or a pool must itself look like is checked where it is read (`keiretsu.market.policy`). Here is what would otherwise change nothing
without a word: a brand misspelt, a market that the case lacks, an income test where no incomes are stated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from keiretsu.case.read import RawCase
from keiretsu.case.record import Entry
from keiretsu.case.suggest import closest
from keiretsu.errors import Problem

_ORIGIN = re.compile(r"[A-Z]{2}")
_INCOME_KEYS = ("low_income_share", "low_income_max")
_NAMES_A_CAR = ("brand", "priced_by", "model", "product", "company", "segment")  # arguments of moves that bring new names into a case


def check_policies(raw: RawCase, own_currency: str) -> Iterator[Problem]:
    """Problems of `programmes.toml` and `pools.toml` that only the whole case shows.

    `own_currency` is the case's currency where it keeps its own money, else empty.
    """
    for file in ("programmes", "pools"):
        for entry in raw.policies[file]:
            yield from _heading(entry, file)
            yield from _currency(entry, own_currency)
    known = _Known(raw)
    for entry in raw.policies["programmes"]:
        yield from _programme(entry, known)
    yield from _quotas(raw.policies["programmes"])
    yield from _origins(raw)
    yield from _pools(raw.policies["pools"], known)


def check_uncertain(raw: RawCase) -> Iterator[Problem]:
    """Inputs about a launch that is neither planned nor made by a scenario would be drawn and move nothing."""
    launched = {str(row.cells["product"]) for row in raw.tables["planned_launches"]}
    launched |= {str(move.values["product"]) for scenario in raw.scenarios for move in scenario.moves if "product" in move.values}
    for row in raw.tables["uncertain"]:
        about, _, product = str(row.cells["input"]).partition(":")
        if about in ("date", "happens", "appeal") and product not in launched:
            yield Problem("no such launch", row.place("input"), product, "a product of planned_launches.csv or of a launch in scenarios/",
                          closest(product, launched))  # fmt: skip


class _Known:
    """Names that a case has: those of its tables and those that its scenarios bring in."""

    def __init__(self, raw: RawCase) -> None:
        moves = [move.values for scenario in raw.scenarios for move in scenario.moves]
        new = {key: {str(move[key]) for move in moves if isinstance(move.get(key), str)} for key in _NAMES_A_CAR}
        cars = [row.cells for table in ("products", "planned_launches") for row in raw.tables[table]]
        self.markets = {str(row.cells["market"]) for row in raw.tables["markets"]}
        self.brands = {str(row.cells["brand"]) for row in raw.tables["brands"]} | {str(c["brand"]) for c in cars} | new["brand"]
        self.makers = {str(row.cells["company"]) for row in raw.tables["companies"]} | new["priced_by"] | new["company"]
        self.segments = {str(c["segment"]) for c in cars} | new["segment"]
        self.models = {f"{c['brand']} {c['model'] or c['product']}" for c in cars}
        self.models |= {f"{m.get('brand', '')} {m.get('model') or m.get('product', '')}" for m in moves}
        self.twins = {str(m["brand"]) for m in moves if isinstance(m.get("brand"), str)}
        drawn = {str(row.cells["market"]) for row in raw.tables["draws"]}
        self.kinds = _kinds_by_market(raw, drawn)
        self.with_incomes = {
            str(r.cells["market"]) for r in raw.tables["incomes"] if r.cells["group"] != "all" or r.cells["income_eur"] != 1.0
        } | drawn

    def model(self, name: str) -> bool:
        """Whether a model exists; one of a brand that a scenario launches cars under may be of a twin."""
        return name in self.models or any(name.startswith(f"{brand} ") for brand in self.twins)


def _kinds_by_market(raw: RawCase, drawn: set[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in raw.tables["markets"]:
        market, private = str(row.cells["market"]), row.cells["private_share"]
        if market in drawn:
            found[market] = {str(r.cells["kind"]) for r in raw.tables["draws"] if r.cells["market"] == market}
        else:
            found[market] = {kind for kind, share in (("private", private), ("company", 1 - (private if private is not None else 1))) if share}
    return found


def _heading(entry: Entry, file: str) -> Iterator[Problem]:
    if entry.table != file:
        yield Problem("unknown section", entry.place, f"[[{entry.table}]]", f"[[{file}]]", "each item of the file stands under this heading")


def _currency(entry: Entry, own_currency: str) -> Iterator[Problem]:
    stated = entry.values.get("currency")
    if own_currency and isinstance(stated, str) and stated != own_currency:
        yield Problem("two currencies in a case of its own money", f"{entry.place}, currency", f"{stated} and {own_currency}", own_currency,
                      'write money = "EUR 2023" and [rates] to convert')  # fmt: skip


def _programme(entry: Entry, known: _Known) -> Iterator[Problem]:
    values = entry.values
    place = f"{entry.place}, programme {values.get('id', 'no id')}"
    for key, names in (("markets", known.markets), ("brands", known.brands), ("makers", known.makers), ("segments", known.segments)):
        yield from _unknown(_list(values, key), names, key.removesuffix("s"), f"{place}, {key}")
    for key in ("models", "models_except"):
        unknown = [name for name in _list(values, key) if not known.model(name)]
        yield from (
            Problem("unknown model", f"{place}, {key}", name, "brand and model of a row of products.csv", closest(name, known.models))
            for name in unknown
        )
    rates = values.get("rates")
    if values.get("type") == "countervailing_duty" and isinstance(rates, Mapping):
        yield from _unknown(map(str, rates), known.brands | known.makers, "brand or company", f"{place}, rates")
    markets = [m for m in _list(values, "markets") if m in known.markets]
    yield from _buyers(values, markets, known, place)
    window = values.get("window")
    if isinstance(window, Mapping):
        least, most = [_number(window.get(key)) for key in ("over", "at_least")], _number(window.get("at_most"))
        low = max((value for value in least if value is not None), default=None)
        if low is not None and most is not None and low >= most:
            yield Problem("a window that no price lies in", f"{place}, window", f"from {low:g} to {most:g}", "at_most above over or at_least")


def _buyers(values: Mapping[str, Any], markets: list[str], known: _Known, place: str) -> Iterator[Problem]:
    """Tests of buyers that a market cannot make."""
    buyers = values.get("buyers")
    tests = dict(buyers) if isinstance(buyers, Mapping) else {}
    here = {kind for market in markets for kind in known.kinds[market]}
    for kind in _list(tests, "kinds"):
        if kind in ("private", "company") and markets and kind not in here:
            yield Problem("no market of the programme has buyers of this kind", f"{place}, buyers", kind, ", ".join(sorted(here)),
                          "set private_share in markets.csv")  # fmt: skip
    income_tests = [key for key in _INCOME_KEYS if values.get(key)] + (["buyers.income_max"] if "income_max" in tests else [])
    for market in (m for m in markets if income_tests and m not in known.with_incomes):
        yield Problem(
            "an income test where no incomes are stated", f"{place}, {income_tests[0]}", market, "median_income_eur, or rows of incomes.csv"
        )


def _quotas(entries: Iterable[Entry]) -> Iterator[Problem]:
    """A tariff quota is relief from a duty: without one it changes nothing."""
    entries = list(entries)
    duties = {market for entry in entries if entry.values.get("type") == "duty" for market in _list(entry.values, "markets")}
    for entry in entries:
        if entry.values.get("type") == "tariff_quota":
            for market in _list(entry.values, "markets"):
                if market not in duties:
                    place = f"{entry.place}, programme {entry.values.get('id', 'no id')}"
                    yield Problem("a tariff quota without a duty", place, market, "a programme of type duty in the same market")


def _origins(raw: RawCase) -> Iterator[Problem]:
    """Where programmes look at where a car is built, products say it by code."""
    asked = [e for e in raw.policies["programmes"] if e.values.get("origins") or e.values.get("origins_except")]
    markets = {market for entry in asked for market in _list(entry.values, "markets")}
    for row in raw.tables["products"]:
        origin = str(row.cells["origin"] or "")
        if row.cells["market"] in markets and origin and not _ORIGIN.fullmatch(origin):
            yield Problem(
                "unknown origin", row.place("origin"), origin, "an ISO 3166 two-letter code, or EU", "programmes look at where a car is built"
            )


def _pools(entries: Iterable[Entry], known: _Known) -> Iterator[Problem]:
    entries = list(entries)
    counted = {
        str(e.values.get("id")): str(e.values.get("counted_by", "brand")) for e in entries if e.values.get("type") in ("co2_target", "mandate")
    }
    elsewhere: dict[str, set[str]] = {}
    for entry in entries:
        if entry.values.get("type") == "rest_of_area":
            elsewhere.setdefault(str(entry.values.get("rule")), set()).add(str(entry.values.get("maker")))
    for entry in entries:
        values, place = entry.values, f"{entry.place}, {entry.values.get('id', entry.values.get('maker', 'no id'))}"
        yield from _unknown(_list(values, "markets"), known.markets, "market", f"{place}, markets")
        rule = str(values.get("rule"))
        if values.get("type") == "pool" and rule in counted:
            names = (known.brands if counted[rule] == "brand" else known.makers) | elsewhere.get(rule, set())
            yield from _unknown(_list(values, "makers"), names, f"maker (rule {rule} counts cars by {counted[rule]})", f"{place}, makers")


def _unknown(names: Iterable[str], known: set[str], noun: str, place: str) -> Iterator[Problem]:
    for name in names:
        if name not in known:
            yield Problem(f"unknown {noun}", place, name, f"one of {_few(known)}", closest(name, known))


def _few(known: set[str], most: int = 12) -> str:
    names = sorted(known)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _list(values: Mapping[str, Any], key: str) -> list[str]:
    value = values.get(key)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
