"""Tables of companies, stakes and listings as a reader reads them: money in EUR m with its Monte-Carlo error beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from keiretsu.report.tables import Table, table_of
from keiretsu.report.wording import Label
from keiretsu.valuation import CompanyValuation, ListingValuation, StakeValuation

WORDS = {
    "units": "Cars a year",
    "revenue_eur": "Revenue",
    "operating_margin": "Operating margin",
    "free_cash_flow_eur": "Free cash flow",
    "equity_eur": "Value of the shares",
    "cost_change": "Change in cost",
    "net_present_value_eur": "Net present value",
    "rate_of_return": "Rate of return, a year",
    "multiple_of_money": "Multiple of money",
    "loss": "Chance of loss",
    "break_even_post_money_eur": "Break-even post-money value",
}
IN_PERCENT = ("operating_margin", "cost_change", "rate_of_return", "loss")


def company_tables(found: CompanyValuation, football: pd.DataFrame, names: Mapping[str, str]) -> list[Table]:
    """Value, change against the baseline, discount rate by growth, football field, guidance, owners' claims."""
    title = f"{names.get(found.company, found.company)}: "
    terminals = {
        "line": _text("Line"), "growth_eur": _money("By growth"), "growth_error_eur": _error(), "exit_multiple_eur": _money("By exit multiple"),
        "exit_multiple_error_eur": _error(),
    }  # fmt: skip
    missing = f"Counted as nothing, for want of finance: {', '.join(found.not_counted)}." if found.not_counted else ""
    tables = [
        _table("worth", title + "what it is worth", found.value, names, terminals, missing),
        _table("football", title + "by every way of asking", football, names,
               {"bar": _text("Way"), "basis": _text("Basis"), "low_eur": _money("Low"), "middle_eur": _money("Middle"), "high_eur": _money("High")}),
        _table("wacc_growth", title + "by discount rate and growth, without its stakes in others", found.wacc_growth, names,
               {"wacc_nominal": _share("Nominal cost of capital"), "growth": _share("Real growth after the last year"), "equity_eur": _money("Value"),
                "error_eur": _error()}),
        _table("claims", "What outside owners hold of all companies valued", found.claims, names,
               {"claim_eur": _money("Worth"), "error_eur": _error()}),
    ]  # fmt: skip
    if (found.change[["growth_eur", "exit_multiple_eur"]] != 0).any(axis=None):
        tables.insert(1, _table("worth_change", title + "change against the baseline", found.change, names, terminals))
    if len(found.guidance):
        tables.append(_guidance(title, found.guidance, names))
    return tables


def stake_tables(found: StakeValuation, names: Mapping[str, str]) -> list[Table]:
    """Terms, lines, measures, who gains."""
    title = f"{names.get(found.terms.investor, found.terms.investor)} in {names.get(found.terms.company, found.terms.company)} ({found.terms.name}): "
    lines = {"line": _text("Line"), "party": _text("Who"), "value_eur": _money("Value", signed=True), "error_eur": _error()}
    owners = {
        "claim_eur": _money("Claim", signed=True), "own_prices_eur": _money("Own prices", signed=True), "synergies_eur": _money("Synergies", signed=True),
        "change_eur": _money("Together", signed=True), "error_eur": _error(),
    }  # fmt: skip
    left_out = "; ".join(f"{share:.0%} of futures left out of the rate of return: {why}" for why, share in
                         zip(found.no_rate["reason"], found.no_rate["share"], strict=True))  # fmt: skip
    return [
        _table("stake_lines", title + "from a share of the company to the investment", found.lines, names, lines),
        _measures(title, found.measures, names, left_out),
        _table("stake_channels", title + "the claim, own prices and synergies", found.channels, names, lines,
               "Values of companies count stakes in each other more than once: they do not add up."),
        _table("stake_owners", title + "outside owners, additive", found.owners, names, owners),
    ]  # fmt: skip


def listing_tables(found: ListingValuation, names: Mapping[str, str]) -> list[Table]:
    """Verdict, values and bounds, thresholds, timing, what waiting costs."""
    title = f"Listing {names.get(found.terms.company, found.terms.company)}: "
    frames = {
        "verdict": ("at which valuation", found.verdict),
        "values": ("value over never listing", found.values),
        "thresholds": ("list at or above", found.thresholds),
        "timing": ("when, in the real world", found.timing),
        "waiting": ("what waiting costs", found.waiting),
    }
    labels = {
        "who": _text("Who said it"), "valuation_eur": _money("Value of the shares"), "list_now_eur": _money("Listing now", signed=True),
        "wait_eur": _money("Waiting", signed=True), "verdict": _text("Verdict"), "item": _text("Line"), "value_eur": _money("Value", signed=True),
        "error_eur": _error(), "year": Label("1 January", kind="text"), "multiple": Label("Multiple of revenue", digits=2), "probability": _share("Chance"),
        "cumulative": _share("Until then"), "internal_funding_eur": _money("Internal funding outstanding"), "cost_eur": _money("Costs a year"),
    }  # fmt: skip
    return [_table(f"listing_{id}", title + said, frame, names, labels) for id, (said, frame) in frames.items()]


def _measures(title: str, frame: pd.DataFrame, names: Mapping[str, str], note: str) -> Table:
    heads = {"mean": "Mean", "error": "Error", "p10": "10 %", "p50": "Median", "p90": "90 %"}
    shown = _said(frame, "measure", tuple(heads))
    labels = {"basis": _text("Basis"), "measure": _text("Measure"), **{column: _text(head) for column, head in heads.items()}}
    return _table("stake_measures", title + "over all futures", shown, names, labels, note)


def _guidance(title: str, frame: pd.DataFrame, names: Mapping[str, str]) -> Table:
    heads = {"said": "Said", "said_low": "Low", "said_high": "High", "model": "In the model", "model_error": "Error"}
    shown = _said(frame.drop(columns=["source"]), "item", tuple(heads)).assign(year=frame["year"].astype(str))
    labels = {"item": _text("What"), "year": _text("For"), "who": _text("Who"), "stated": _text("Said on")}
    labels |= {column: _text(head) for column, head in heads.items()}
    return _table("guidance", title + "what was said, and what the model finds", shown, names, labels)


def _said(frame: pd.DataFrame, kind: str, columns: Sequence[str]) -> pd.DataFrame:
    """Figures of rows that differ in unit, as words: one column cannot have one number of digits for all of them."""
    shown = frame.copy()
    for column in columns:
        values = [_in_words(item, value) for item, value in zip(frame[kind], frame[column], strict=True)]
        shown[column] = pd.Series(values, dtype=object, index=frame.index)
    shown[kind] = [WORDS[item] + _unit(item) for item in frame[kind]]
    return shown


def _in_words(item: str, value: float | None) -> str:
    if value is None or value != value:
        return "not in the model"
    if item in IN_PERCENT:
        return Label("", digits=1, scale=100).show(value)
    return Label("", digits=0, scale=1e-6 if item.endswith("_eur") else 1.0).show(value) if item != "multiple_of_money" else f"{value:.2f}"


def _unit(item: str) -> str:
    return ", %" if item in IN_PERCENT else ", EUR m" if item.endswith("_eur") else ""


def _table(id: str, title: str, frame: pd.DataFrame, names: Mapping[str, str], labels: Mapping[str, Label], note: str = "") -> Table:
    return table_of(id, title, frame, names=names, labels=labels, note=note)


def _money(text: str, *, signed: bool = False) -> Label:
    return Label(text, "EUR m", digits=0, scale=1e-6, signed=signed)


def _error() -> Label:
    return Label("±", "EUR m", digits=1, scale=1e-6)


def _share(text: str) -> Label:
    return Label(text, "%", digits=1, scale=100)


def _text(text: str) -> Label:
    return Label(text, kind="text")
