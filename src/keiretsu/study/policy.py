"""Taxes, incentives and tariffs of a case on a day, as tables by kind."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pandas as pd

from keiretsu.case import Case
from keiretsu.market.policy.parsing import parse_programmes
from keiretsu.market.policy.programmes import KINDS, Programme


def policy_tables(case: Case, on: dt.date) -> dict[str, pd.DataFrame]:
    """Programmes in force on a day by title: a table for each kind, one row for each market and programme, figures with units in their names.

    VAT of the markets comes first. A case without programmes has that table only.

    Raises
    ------
    PolicyError
        With every problem of the case's programmes.
    """
    vat = case.markets[["market", "vat", "source"]]
    tables = {f"Value-added tax on {on}": vat}
    programmes = parse_programmes([entry.values for entry in case.programmes], case.rates, "programmes.toml")
    for name, kind in KINDS.items():
        rows = [
            _row(p, str(market)) for market in case.markets["market"] for p in programmes if isinstance(p, kind) and p.scope.in_force(str(market), on)
        ]
        if rows:
            table = pd.DataFrame(rows)
            limits = [column for column in table.columns if (table[column] != "").any()]  # a column without a figure limits nothing
            tables[f"{name.replace('_', ' ').capitalize()} on {on}"] = table[limits]
    return tables


def _row(programme: Programme, market: str) -> dict[str, object]:
    scope = {f.name: getattr(programme.scope, f.name) for f in dataclasses.fields(programme.scope)}
    figures = {f.name: getattr(programme, f.name) for f in dataclasses.fields(programme) if f.name != "scope"}
    chosen = {"programme": scope.pop("id", ""), "market": market}
    scope = {key: value for key, value in scope.items() if key not in ("market", "markets", "start", "end")}
    return {**chosen, **{key: _said(value) for key, value in (figures | scope).items()}}


def _said(value: object) -> str:
    """A figure, a list or a nested record in words; nothing for what is not limited."""
    if value is None or value == () or value == "" or value == {}:
        return ""
    if dataclasses.is_dataclass(value):
        parts = [f"{f.name.replace('_', ' ')} {_said(getattr(value, f.name))}" for f in dataclasses.fields(value) if _said(getattr(value, f.name))]
        return ", ".join(parts)
    if isinstance(value, tuple):
        return "; ".join(_said(item) for item in value)
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) != float("inf") else ""
    return str(value)
