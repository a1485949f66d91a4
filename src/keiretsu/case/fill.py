"""Cells that a case leaves to rules: names, currencies, sources, who prices, units from shares, potential buyers.

Every rule is the `filled` text of its column in the schema. A rule that cannot be applied is a problem, never a guess.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from keiretsu.case.fill_markets import fill_markets
from keiretsu.case.read import CASE_FILE, RawCase
from keiretsu.case.rows import Row
from keiretsu.case.schema import ASSUMPTION, CONFIDENCES, OWN, TABLES
from keiretsu.errors import Problem


def fill(raw: RawCase, currency: str) -> None:
    """Fill every derived cell of `raw.tables` in place; what cannot be filled is added to its problems."""
    tables = raw.tables
    _fill_sources(raw)
    if not tables["markets"] and "markets" not in raw.stated:
        tables["markets"].append(_row_of_defaults("markets", raw))
    for row in tables["markets"]:
        _default(row, "name", lambda r: r.cells["market"])
        _default(row, "currency", lambda _: currency)
    _fill_market_ids(raw)
    _fill_owner_column(raw)
    _fill_products(raw)
    _fill_companies(raw)
    for name in ("companies", "owners"):
        for row in tables[name]:
            _default(row, "name", lambda r, key=TABLES[name].key[0]: r.cells[key])
    for row in tables["stakes"]:
        _default(row, "votes", lambda r: r.cells["cash_flow"])
    for row in (*tables["targets"], *tables["guidance"]):
        _default(row, "low", lambda r: r.cells["value"])
        _default(row, "high", lambda r: r.cells["value"])
    fill_markets(raw)
    for row in tables["markets"]:
        if not any(income.cells["market"] == row.cells["market"] for income in tables["incomes"]):
            income = row.cells["median_income_eur"] or 1.0
            tables["incomes"].append(_row_of_defaults("incomes", raw, market=row.cells["market"], group="all", weight=1.0, income_eur=income))
    incomes = {row.cells["market"]: row.cells["median_income_eur"] or 1.0 for row in tables["markets"]}
    for row in tables["draws"]:
        _default(row, "draw", lambda r: str(r.line))
        _default(row, "income_eur", lambda r: incomes.get(r.cells["market"], 1.0))
    _fill_confidence(raw)


def _default(row: Row, column: str, rule: Callable[[Row], Any]) -> None:
    if row.cells[column] is None or row.cells[column] == "":
        row.cells[column] = rule(row)
        row.filled.add(column)


def _row_of_defaults(table: str, raw: RawCase, **cells: Any) -> Row:
    """A row that the case implies without stating it; it stands at the first line of `case.toml`."""
    values: dict[str, Any] = {c.name: c.default if isinstance(c.default, str | int | float) else None for c in TABLES[table].columns}
    values.update(cells)
    if "source" in values and not values["source"]:
        values["source"] = OWN
    return Row(CASE_FILE, raw.toml.line("case"), values)


def _fill_market_ids(raw: RawCase) -> None:
    """An empty market is the only one there is; where there are several, the first such row of a table is a problem and stands for the rest."""
    markets = [str(row.cells["market"]) for row in raw.tables["markets"]]
    for name in ("products", "incomes", "draws"):
        empty = [row for row in raw.tables[name] if not row.cells["market"]]
        if empty and len(markets) != 1:
            seen = f"no market in {len(empty)} of {len(raw.tables[name])} rows, and {len(markets)} markets"
            raw.problems.append(
                Problem("market is missing", empty[0].place("market"), seen, f"one of {', '.join(markets)}" if markets else "a market")
            )
        for row in empty:
            row.cells["market"] = markets[0] if markets else "market"
            row.filled.add("market")


def _fill_sources(raw: RawCase) -> None:
    known = {row.cells["source"] for row in raw.tables["sources"]}
    with_sources = "sources" in raw.stated
    titles = {ASSUMPTION: "our own assumption", OWN: "the author of the case"}
    for source, title in titles.items():
        if source not in known:
            raw.tables["sources"].append(_row_of_defaults("sources", raw, source=source, title=title, publisher="", confidence="unstated"))
    for table in TABLES.values():
        if table.name == "sources" or "source" not in table.names:
            continue
        for row in raw.tables[table.name]:
            if row.cells["source"] == "" and not with_sources:
                row.cells["source"] = OWN
            elif row.cells["source"] == "":
                raw.problems.append(Problem("source is missing", row.place("source"), "", "an id of sources.csv",
                                            f"name the publication, or '{ASSUMPTION}' when the figure is ours"))  # fmt: skip


def _fill_owner_column(raw: RawCase) -> None:
    """The `owner` column of products as stakes of 100 %: one owner for each firm."""
    owner_of: dict[str, Row] = {}
    for row in raw.tables["products"]:
        owner, firm = row.cells["owner"], row.cells["firm"] or row.cells["priced_by"]
        if not owner or not firm:
            continue
        first = owner_of.setdefault(firm, row)
        if first.cells["owner"] != owner:
            seen = f"{firm} owned by {owner} here and by {first.cells['owner']} in row {first.line}"
            raw.problems.append(Problem("a firm has two owners", row.place("owner"), seen, "one owner", "write a stakes.csv for shared owners"))
    if owner_of and "stakes" in raw.stated:
        first = next(iter(owner_of.values()))
        raw.problems.append(Problem("owners are stated twice", first.place("owner"), "an owner column and stakes", "one of them"))
        return
    companies = set(owner_of)
    for owner in dict.fromkeys(str(row.cells["owner"]) for row in owner_of.values()):
        if owner not in companies and "companies" not in raw.stated:
            raw.tables["owners"].append(_row_of_defaults("owners", raw, owner=owner, name=owner))
    for firm, row in owner_of.items():
        if row.cells["owner"] != firm:
            stake = _row_of_defaults("stakes", raw, holder=row.cells["owner"], company=firm, cash_flow=1.0, votes=1.0, source=row.cells["source"])
            stake.cells.update({"from": dt.date.min, "to": dt.date.max})
            stake.file, stake.line = row.file, row.line
            raw.tables["stakes"].append(stake)


def _fill_products(raw: RawCase) -> None:
    maker_of = {row.cells["brand"]: row.cells["maker"] for row in raw.tables["brands"]}
    markets = {row.cells["market"]: row for row in raw.tables["markets"]}
    for row in raw.tables["products"]:
        cells = row.cells
        _default(row, "priced_by", lambda r: r.cells["firm"] or maker_of.get(r.cells["brand"]) or r.cells["owner"] or None)
        if cells["priced_by"] is None:
            raw.problems.append(
                Problem("no company sets the price", row.place("firm"), f"brand {cells['brand']!r}", "firm, priced_by or a brand of brands.csv")
            )
            continue
        _default(row, "firm", lambda r: r.cells["priced_by"])
        _default(row, "profit_to", lambda r: r.cells["priced_by"])
        cells["profit_to"] = ";".join(":".join(piece.strip() for piece in part.split(":")) for part in cells["profit_to"].split(";"))
        _default(row, "brand", lambda r: r.cells["priced_by"])
        _default(row, "model", lambda r: r.cells["product"])
        market = markets.get(cells["market"])
        if market is not None:
            _default(row, "price_currency", lambda _, m=market: m.cells["currency"])
            _default(row, "sales_tax", lambda _, m=market: m.cells["vat"])
        _default(row, "tax_in_price", lambda r: 0.0 if r.cells["price_basis"] == "net" else r.cells["sales_tax"])


def _fill_companies(raw: RawCase) -> None:
    """Companies that a case without a companies table names in its products and stakes."""
    if "companies" in raw.stated:
        return
    named: dict[str, Row] = {}
    for row in raw.tables["products"]:
        parts = [part.split(":")[0].strip() for part in str(row.cells["profit_to"] or "").split(";")]
        for name in (row.cells["priced_by"], row.cells["made_by"], *parts):
            if name:
                named.setdefault(name, row)
    for table, columns in (("brands", ("maker",)), ("stakes", ("company",))):
        for row in raw.tables[table]:
            for column in columns:
                if row.cells[column]:
                    named.setdefault(row.cells[column], row)
    for name, row in named.items():
        company = _row_of_defaults("companies", raw, company=name, name=name, source=row.cells["source"])
        company.file, company.line = row.file, row.line
        raw.tables["companies"].append(company)
    holders = {row.cells["owner"] for row in raw.tables["owners"]} | set(named)
    for row in raw.tables["stakes"]:
        holder = row.cells["holder"]
        if "owners" not in raw.stated and holder and holder not in holders:
            holders.add(holder)
            raw.tables["owners"].append(_row_of_defaults("owners", raw, owner=holder, name=holder, source=row.cells["source"]))


def _fill_confidence(raw: RawCase) -> None:
    """A row without a word on confidence has that of its least certain source."""
    confidence = {row.cells["source"]: row.cells["confidence"] for row in raw.tables["sources"]}
    for table in TABLES.values():
        if table.name == "sources" or "confidence" not in table.names:
            continue
        for row in raw.tables[table.name]:
            named = [confidence.get(source.strip()) or "unstated" for source in str(row.cells["source"] or "").split(";")]
            _default(row, "confidence", lambda _, named=named: max(named, key=CONFIDENCES.index))
