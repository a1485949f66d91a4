"""Money for the spreadsheet: every figure at full precision, means and their errors in columns of their own, one sheet for each kind of table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

import pandas as pd

from keiretsu.report.blocks import Names
from keiretsu.report.tables import Cell, Table
from keiretsu.report.wording import Label, holds_numbers
from keiretsu.report.worth import IN_PERCENT, WORDS, terms_said
from keiretsu.study.worth import Worth

HALF95 = "half of the 95 % interval"


def worth_sheets(worth: Worth, names: Names) -> list[Table]:
    """Companies, changes, stakes, listings and decisions; parts that are empty have no sheet."""
    companies = {"company": [(part.valuation.company, part.valuation) for part in worth.companies]}
    stakes = {"terms": [(part.valuation.terms.name, part.valuation) for part in worth.stakes]}
    listings = {"company": [(found.terms.company, found) for found in worth.listings]}
    frames = {
        "worth": _under(companies, "value"), "cash flows": _under(companies, "cash_flows"), "wacc growth": _under(companies, "wacc_growth"),
        "guidance": _under(companies, "guidance"), "stock market": _under(companies, "stock_market"), "worth spread": _under(companies, "distribution"),
        "football field": _joined(("company", part.valuation.company, part.football) for part in worth.companies),
        "owners claims": worth.companies[0].valuation.claims if worth.companies else pd.DataFrame(), "worth changes": _changes(worth), "stakes held": _held(worth),
        "stake terms": _under(stakes, "terms_table"), "stake lines": _under(stakes, "lines"), "stake measures": _under(stakes, "measures"),
        "stake channels": _under(stakes, "channels"), "stake owners": _under(stakes, "owners"), "listing values": _under(listings, "values"),
        "listing thresholds": _under(listings, "thresholds"), "listing timing": _under(listings, "timing"), "listing verdict": _under(listings, "verdict"),
        **_decisions(worth),
    }  # fmt: skip
    measures = {id: f"{text}, EUR" if id.endswith("_eur") else f"{text}, part of one" if id in IN_PERCENT else text for id, text in WORDS.items()}
    said = {**names, **measures, **{part.valuation.terms.name: terms_said(part.valuation.terms, names) for part in worth.stakes}}
    return [_sheet(id, frame, said) for id, frame in frames.items() if len(frame)]


def _decisions(worth: Worth) -> dict[str, pd.DataFrame]:
    found: dict[str, pd.DataFrame] = {}
    if worth.must:
        found["what goes with a gain"] = pd.DataFrame([asdict(one) for one in worth.must.conditions]).drop(columns="input", errors="ignore")
    if worth.must and worth.must.found:
        found |= {"must be true": worth.must.found.table, "must be true chances": worth.must.found.branches}
    if worth.must and worth.must.on_the_model:
        one = worth.must.on_the_model
        found |= {
            "must be true on the model": one.table,
            "must be true loss": one.chances,
            "must be true events": one.events,
            "must be true branches": one.branches,
        }
    if worth.choice:
        found |= {"choice": worth.choice.choice.moves, "information": worth.choice.choice.information}
    if worth.extras.alliance:
        one = worth.extras.alliance
        found |= {"coalitions": one.coalitions, "coalition splits": one.splits, "partners bring": one.brings, "seatings": one.seatings}
    if worth.extras.timing:
        timing = worth.extras.timing
        found |= {"launch timing": timing.timing.waiting, "best answers": timing.timing.responses, "launch sales from": timing.sources}
    if worth.hindsight:
        found |= {"hindsight": worth.hindsight.table, "hindsight rest": worth.hindsight.rest}
    return found


def _under(parts: Mapping[str, Sequence[tuple[str, object]]], table: str) -> pd.DataFrame:
    return _joined((column, key, getattr(found, table)) for column, pairs in parts.items() for key, found in pairs)


def _joined(parts: Iterable[tuple[str, str, pd.DataFrame]]) -> pd.DataFrame:
    """Tables under each other, with what each is of in the first column."""
    frames = []
    for column, key, frame in parts:
        own = frame.drop(columns=[column]) if column in frame else frame.copy()
        own.insert(0, column, key)
        frames.append(own.astype(object))  # a column may be empty in one table and not in the next
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _changes(worth: Worth) -> pd.DataFrame:
    rows = [
        (one.company, one.scenario, one.growth.value, one.growth.error, one.exit_multiple.value, one.exit_multiple.error, one.p10, one.p90)
        for one in worth.changes
    ]
    columns = ["company", "scenario", "growth_eur", "growth_half95_eur", "exit_multiple_eur", "exit_multiple_half95_eur", "p10_eur", "p90_eur"]
    return pd.DataFrame(rows, columns=columns)


def _held(worth: Worth) -> pd.DataFrame:
    rows = [(one.holder, one.company, one.share, one.worth.value, one.worth.error, one.p10, one.p90) for one in worth.held]
    return pd.DataFrame(rows, columns=["holder", "company", "part_of_cash_flow", "worth_eur", "half95_eur", "p10_eur", "p90_eur"])


def _sheet(id: str, frame: pd.DataFrame, names: Names) -> Table:
    labels = [_label(str(column), frame[column]) for column in frame.columns]
    rows = tuple(
        tuple(_cell(value, label, names) for value, label in zip(row, labels, strict=True)) for row in frame.itertuples(index=False, name=None)
    )
    return Table(id, id, tuple(labels), rows)


def _cell(value: object, label: Label, names: Names) -> Cell:
    """A value as it is, ids by their names; sums that add up to the cent do so in the sheet."""
    if value is None or value != value:
        return None
    if label.kind == "text":
        text = ("yes" if value else "no") if isinstance(value, bool) else str(value)
        return names.get(text, text)
    number = float(value)  # type: ignore[arg-type]
    return number if math.isfinite(number) else "unbounded"


def _label(column: str, values: pd.Series) -> Label:
    """A column by its own name: its unit is its suffix, and nothing is rounded."""
    stem, unit = (column.removesuffix("_eur"), "EUR") if column.endswith("_eur") else (column, "")
    words = [HALF95 if word == "half95" else word for word in stem.split("_") if word]
    text = " ".join(words) or "amount"
    kind = "number" if holds_numbers(values) else "text"
    return Label(text[:1].upper() + text[1:], unit, kind=kind, digits=6)
