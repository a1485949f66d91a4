"""Checks of buyers: kinds that some market has, and a case's own draws, complete and adding up to one."""

from __future__ import annotations

from collections.abc import Iterator

from keiretsu.case.read import RawCase
from keiretsu.case.record import DemandSettings
from keiretsu.case.rows import Row
from keiretsu.case.schema import MOST_TASTES
from keiretsu.case.settings import BUYER_KINDS
from keiretsu.errors import Problem

SUM_ROUNDING = 1e-6  # weights printed with six digits may miss one by this much


def check_kinds(raw: RawCase, demand: DemandSettings) -> Iterator[Problem]:
    """A taste of a kind of buyer that no market has would change nothing."""
    drawn = {str(row.cells["market"]) for row in raw.tables["draws"]}
    shares = [row.cells["private_share"] for row in raw.tables["markets"] if str(row.cells["market"]) not in drawn]
    present = {str(row.cells["kind"]) for row in raw.tables["draws"]}
    present |= {kind for kind, weights in zip(BUYER_KINDS, (shares, [1 - s for s in shares if s is not None]), strict=True) if any(weights)}
    for key, kinds in (("kind_price", demand.kind_price), ("kind_taste", demand.kind_taste)):
        for kind in kinds:
            if kind not in present:
                place = f"{raw.toml.file}, line {raw.toml.line('demand', key, kind)}, key {key}.{kind}"
                cure = "set private_share in markets.csv" if kind != BUYER_KINDS[0] else "remove it"
                yield Problem("no market has buyers of this kind", place, kind, "a kind that some market has", cure)


def check_draws(raw: RawCase, demand: DemandSettings) -> Iterator[Problem]:
    """A market's own draws: weights that add up to one, a number for each random taste and no more, incomes stated once."""
    by_market: dict[str, list[Row]] = {}
    for row in raw.tables["draws"]:
        by_market.setdefault(str(row.cells["market"]), []).append(row)
        yield from _tastes(row, demand)
        if demand.income_power > 0 and "income_eur" in row.filled and row.cells["income_eur"] == 1.0:
            seen = f"income_power {demand.income_power:g} and no income"
            yield Problem("a draw lacks an income", row.place("income_eur"), seen, "EUR/yr", "or state median_income_eur of the market")
    for market, rows in by_market.items():
        weights = [row.cells["weight"] for row in rows]
        if None not in weights and abs(sum(weights) - 1) > SUM_ROUNDING:
            yield Problem("weights of draws do not add up to one", rows[0].place("weight"), f"{sum(weights):.6g} in market {market}", "1",
                          "divide the weights by their sum")  # fmt: skip
        implied = (raw.toml.file, raw.toml.line("case"))  # where a row stands that the case does not state
        stated = [row for row in raw.tables["incomes"] if row.cells["market"] == market and (row.file, row.line) != implied]
        if stated:
            yield Problem("incomes are stated twice", stated[0].place("market"), f"{market} in incomes and in draws", "one of them",
                          "the draws carry incomes and income groups of their own")  # fmt: skip


def _tastes(row: Row, demand: DemandSettings) -> Iterator[Problem]:
    wanted = demand.taste_columns
    if wanted > MOST_TASTES:
        yield Problem("more random tastes than a draw has columns for", row.place(f"nu_{MOST_TASTES}"), f"{wanted} tastes", f"at most {MOST_TASTES}")
        return
    for k in range(1, MOST_TASTES + 1):
        value = row.cells[f"nu_{k}"]
        if k <= wanted and value is None:
            yield Problem("a draw lacks a random taste", row.place(f"nu_{k}"), "nothing", f"a number: there are {wanted} random tastes")
        if k > wanted and value is not None:
            yield Problem("a draw has a taste that nothing uses", row.place(f"nu_{k}"), f"{value:g}", f"{wanted} random tastes",
                          "add [[demand.random]] or price_sigma, or leave the column out")  # fmt: skip
