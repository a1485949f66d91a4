"""Checks of stakes, control, deals and profit weights as the case states them."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping

from keiretsu.case.read import RawCase
from keiretsu.case.rows import Row
from keiretsu.errors import Problem
from keiretsu.units import ExchangeRate

ROUNDING = 1e-9
RULES = ("separate", "financial", "controller", "proportional", "banzhaf", "joint", "conduct", "given")


def check_ownership(raw: RawCase) -> Iterator[Problem]:
    """Stakes that add up to more than the whole, that overlap or turn on themselves; control declared twice."""
    stakes = [row for row in raw.tables["stakes"] if all(row.cells[c] is not None for c in ("company", "from", "to"))]
    for row in stakes:
        if row.cells["holder"] == row.cells["company"]:
            yield Problem("a company holds a stake in itself", row.place("holder"), row.cells["company"], "another holder",
                          "treasury shares count for nobody: divide the other stakes by what is left")  # fmt: skip
    for company in dict.fromkeys(row.cells["company"] for row in stakes):
        of_company = [row for row in stakes if row.cells["company"] == company]
        for column, what in (("cash_flow", "stakes"), ("votes", "votes")):
            yield from _above_one(company, column, what, of_company)
        yield from _overlaps(of_company, ("holder", "company"), "stake")
    companies = {row.cells["company"]: row for row in raw.tables["companies"]}
    for row in raw.tables["owners"]:
        if row.cells["owner"] in companies:
            seen = f"{row.cells['owner']}, a company in {companies[row.cells['owner']].short}"
            yield Problem("an owner has the name of a company", row.place("owner"), seen, "another id", "companies hold stakes under their own name")
    for row in raw.tables["control"]:
        if row.cells["controller"] == row.cells["company"]:
            yield Problem(
                "a company controls itself", row.place("controller"), row.cells["company"], "no row: that is what a company without a controller does"
            )
    control = [row for row in raw.tables["control"] if all(row.cells[c] is not None for c in ("company", "from", "to"))]
    yield from _overlaps(control, ("company",), "control")


def check_deals(raw: RawCase, rates: Mapping[str, ExchangeRate], own_money: bool) -> Iterator[Problem]:
    """Amounts of deals without a currency that is known."""
    for row in raw.tables["deals"]:
        amount, currency = row.cells["amount"], row.cells["currency"]
        if amount is not None and not currency:
            yield Problem("an amount without a currency", row.place("currency"), f"{amount:g}", "a currency such as EUR")
        elif amount is not None and currency not in rates and not own_money:
            yield Problem(
                "unknown currency", row.place("currency"), currency, f"one of {', '.join(sorted(rates))}", "state its rate under [rates] of case.toml"
            )


def check_rule(raw: RawCase, rule: str, has_kappa: bool) -> Iterator[Problem]:
    """The rule must be one that exists, and `given` goes with [kappa]."""
    place = f"{raw.toml.file}, line {raw.toml.line('case', 'rule')}, key rule"
    word = rule.partition(":")[0].strip().lower()
    if word not in RULES:
        yield Problem("unknown rule", place, repr(rule), f"one of {', '.join(RULES)}")
    elif (word == "given") != has_kappa:
        seen = "'given' without [kappa]" if word == "given" else f"[kappa] and the rule {rule!r}"
        yield Problem("the rule and [kappa] contradict each other", place, seen, 'rule = "given" with [kappa], another rule without it')


def _above_one(company: str, column: str, what: str, rows: list[Row]) -> Iterator[Problem]:
    """One problem for each company: the first day on which its stakes exceed the whole."""
    held = [row for row in rows if row.cells[column] is not None]
    for day in sorted({row.cells["from"] for row in held}):
        then = [row for row in held if row.cells["from"] <= day <= row.cells["to"]]
        total = sum(row.cells[column] for row in then)
        if total > 1 + ROUNDING:
            parts = ", ".join(f"{row.cells['holder']} {row.cells[column]:.4g} (row {row.line})" for row in then)
            since = "" if day == dt.date.min else f" on {day}"
            yield Problem(f"{what} above 100 %", then[-1].place(column), f"{total * 100:.4g} % of {company}{since}: {parts}", "at most 100 %",
                          "end the stakes that were sold by a date in `to`")  # fmt: skip
            return


def _overlaps(rows: list[Row], key: tuple[str, ...], what: str) -> Iterator[Problem]:
    by_key: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        by_key.setdefault(tuple(row.cells[column] for column in key), []).append(row)
    for name, group in by_key.items():
        ordered = sorted(group, key=lambda row: row.cells["from"])
        for earlier, later in itertools.pairwise(ordered):
            if earlier.cells["from"] != later.cells["from"] and later.cells["from"] <= earlier.cells["to"]:
                yield Problem(f"one {what} is stated twice for the same days", later.place("from"),
                              f"{', '.join(name)}: from {later.cells['from']} while row {earlier.line} lasts to {earlier.cells['to']}",
                              "the earlier row ended the day before")  # fmt: skip
