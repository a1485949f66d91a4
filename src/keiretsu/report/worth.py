"""Tables of companies, stakes and listings as a reader reads them: money in EUR m with its Monte-Carlo error beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from keiretsu.report.errors_shown import amount
from keiretsu.report.tables import Table, table_of
from keiretsu.report.wording import MINUS, Label
from keiretsu.valuation import CompanyValuation, ListingValuation, StakeTerms, StakeValuation, in_millions
from keiretsu.valuation.money import stated_sum
from keiretsu.valuation.odds import percent

WORDS = {
    "units": "Cars a year",
    "revenue_eur": "Revenue",
    "operating_margin": "Operating margin",
    "operating_profit_eur": "Operating profit",
    "free_cash_flow_eur": "Free cash flow",
    "equity_eur": "Value of the shares",
    "cost_change": "Change in cost",
    "net_present_value_eur": "Net present value",
    "rate_of_return": "Real rate of return, a year",
    "multiple_of_money": "Multiple of money",
    "loss": "Chance of loss",
    "break_even_post_money_eur": "Break-even post-money value",
}
IN_PERCENT = ("operating_margin", "cost_change", "rate_of_return", "loss")


Pairs = Mapping[str, tuple[str, str]]  # column shown: column of amounts, column of their errors


def company_tables(found: CompanyValuation, football: pd.DataFrame, names: Mapping[str, str]) -> list[Table]:
    """Value, change against the baseline, discount rate by growth, football field, guidance, owners' claims."""
    title = f"{names.get(found.company, found.company)}: "
    pairs = {"growth": ("growth_eur", "growth_half95_eur"), "exit": ("exit_multiple_eur", "exit_multiple_half95_eur")}
    heads = {"line": _text("Line"), "growth": _amount("By growth"), "exit": _amount("By exit multiple")}
    simulated = f"Years simulated: {found.cash_flows['year'].min()} to {found.cash_flows['year'].max()}."
    missing = f" Counted as nothing, for want of finance: {', '.join(found.not_counted)}." if found.not_counted else ""
    tables = [
        _table("worth", title + "what it is worth", _joined(found.value, pairs), names, heads, simulated + missing),
        _table("football", title + "by every way of asking", football, names,
               {"bar": _text("Way"), "basis": _text("Basis"), "low_eur": _money("Low"), "middle_eur": _money("Middle"), "high_eur": _money("High")}),
        _table("wacc_growth", title + "by discount rate and growth, without its stakes in others",
               _joined(found.wacc_growth, {"equity": ("equity_eur", "half95_eur")}), names,
               {"wacc_nominal": _share("Nominal cost of capital"), "growth": _share("Real growth after the last year"), "equity": _amount("Value")}),
        _table("claims", "What outside owners hold of all companies valued", _joined(found.claims, {"claim": ("claim_eur", "half95_eur")}), names,
               {"claim": _amount("Worth")}),
    ]  # fmt: skip
    if (found.change[["growth_eur", "exit_multiple_eur"]] != 0).any(axis=None):
        tables.insert(1, _table("worth_change", title + "change against the baseline", _joined(found.change, pairs, signed=True), names, heads))
    if len(found.guidance):
        tables.append(_guidance(title, found.guidance, names))
    if len(found.stock_market):
        tables.append(_stock_market(title, found.stock_market, names))
    return tables


def _stock_market(title: str, frame: pd.DataFrame, names: Mapping[str, str]) -> Table:
    """Rows of three units as words."""
    said = {"EUR": lambda v: stated_sum(float(f"{v:.3g}")), "times": lambda v: f"{v:.1f} times", "share a year": lambda v: f"{100 * v:.0f} % a year"}
    shown = pd.DataFrame({"item": frame["item"], "value": [said[unit](float(v)) for unit, v in zip(frame["unit"], frame["value"], strict=True)]})
    return _table("stock_market", title + "beside what the stock market pays", shown, names, {"item": _text("What"), "value": _text("Value")},
                  "Means over futures, their errors beside the value of the shares; prices of the stock market are those stated.")  # fmt: skip


def stake_tables(found: StakeValuation, names: Mapping[str, str]) -> list[Table]:
    """Terms, lines, measures, who gains."""
    title = f"{terms_said(found.terms, names)}: "
    lines = {"line": _text("Line"), "party": _text("Who"), "value": _amount("Value")}
    pair = {"value": ("value_eur", "half95_eur")}
    owners = {
        "claim_eur": _money("Claim", signed=True), "own_prices_eur": _money("Own prices", signed=True), "synergies_eur": _money("Synergies", signed=True),
        "change": _amount("Together"),
    }  # fmt: skip
    left_out = "; ".join(f"{percent(share)} of futures left out of the rate of return: {why}" for why, share in
                         zip(found.no_rate["reason"], found.no_rate["share"], strict=True))  # fmt: skip
    return [
        _table("stake_lines", title + "from a share of the company to the investment", _joined(found.lines, pair, signed=True), names, lines),
        _measures(title, found.measures, names, left_out),
        _table("stake_channels", title + "the claim, own prices and synergies", _joined(found.channels, pair, signed=True), names, lines,
               "Values of companies count stakes in each other more than once: they do not add up."),
        _table("stake_own_prices", title + "where own prices come from", _joined(found.own_prices, pair, signed=True), names,
               {"from": _text("Whose profits move"), "company_gains_eur": _money("They gain", signed=True), "part": _share("Part that is the investor's"),
                "value": _amount("Value to the investor")},
               "The investor's part goes through every chain of stakes: above 100 % of its own where it holds of a company that holds of it."),
        _table("stake_owners", title + "outside owners, additive", _joined(found.owners, {"change": ("change_eur", "half95_eur")}, signed=True), names, owners),
    ]  # fmt: skip


def terms_said(terms: StakeTerms, names: Mapping[str, str]) -> str:
    """Terms of a stake in plain words, without their id: who buys what for how much, at which value, in which form."""
    form = {"common": "", "convertible": ", as a note that turns into shares", "staged": ", in parts against milestones"}[terms.instrument]
    old = f", old shares of {names.get(terms.seller, terms.seller)}" if terms.money == "secondary" else ""
    who, company = (names.get(name, name) for name in (terms.investor, terms.company))
    whose = f"{who}'" if who.endswith("s") else f"{who}'s"
    return f"{whose} {stated_sum(terms.amount_eur)} in {company} at {stated_sum(terms.pre_money_eur)}{form}{old}"


def listing_tables(found: ListingValuation, names: Mapping[str, str]) -> list[Table]:
    """Verdict, values and bounds, thresholds, timing, what waiting costs."""
    title = f"Listing {names.get(found.terms.company, found.terms.company)}: "
    frames = {
        "verdict": ("at which valuation", found.verdict),
        "values": ("value over never listing", _joined(found.values, {"value": ("value_eur", "half95_eur")}, signed=True)),
        "thresholds": ("list at or above", _joined(found.thresholds, {"valuation": ("valuation_eur", "half95_eur")})),
        "timing": ("when, in the real world", found.timing),
        "waiting": ("what waiting costs", found.waiting),
    }
    labels = {
        "who": _text("Who said it"), "valuation_eur": _money("Value of the shares"), "list_now_eur": _money("Listing now", signed=True),
        "wait_eur": _money("Waiting", signed=True), "verdict": _text("Verdict"), "item": _text("Line"), "value": _amount("Value"),
        "valuation": _amount("Value of the shares"), "year": Label("1 January", kind="text"), "multiple": Label("Multiple of revenue", digits=2), "probability": _share("Chance"),
        "cumulative": _share("Until then"), "internal_funding_eur": _money("Internal funding outstanding"), "cost_eur": _money("Costs a year"),
    }  # fmt: skip
    return [_table(f"listing_{id}", title + said, frame, names, labels) for id, (said, frame) in frames.items()]


def _joined(frame: pd.DataFrame, pairs: Pairs, *, signed: bool = False) -> pd.DataFrame:
    """Amounts and their errors as one column of words, no more digits than the error supports."""
    shown = frame.copy()
    for column, (mean, error) in pairs.items():
        both = zip(frame[mean], frame[error], strict=True)
        words = ["none is enough" if value is None else in_millions(float(value), float(spread or 0.0), signed=signed) for value, spread in both]
        shown.insert(list(shown.columns).index(mean), column, pd.Series(words, dtype=object, index=frame.index))
        shown = shown.drop(columns=[mean, error])
    return shown


def _measures(title: str, frame: pd.DataFrame, names: Mapping[str, str], note: str) -> Table:
    heads = {"mean": "Mean", "p10": "10 %", "p50": "Median", "p90": "90 %"}
    shown = _said(frame, "measure", "mean", "half95", ("p10", "p50", "p90"))
    labels = {"basis": _text("Basis"), "measure": _text("Measure"), **{column: _text(head) for column, head in heads.items()}}
    return _table("stake_measures", title + "over all futures", shown, names, labels, note)


def _guidance(title: str, frame: pd.DataFrame, names: Mapping[str, str]) -> Table:
    heads = {"said": "Said", "said_low": "Low", "said_high": "High", "model": "In the model"}
    shown = _said(frame.drop(columns=["source"]), "item", "model", "model_half95", ()).assign(year=frame["year"].astype(str))
    for column in ("said", "said_low", "said_high"):
        shown[column] = [_stated(item, value) for item, value in zip(frame["item"], frame[column], strict=True)]
    labels = {"item": _text("What"), "year": _text("For"), "who": _text("Who"), "stated": _text("Said on")}
    labels |= {column: _text(head) for column, head in heads.items()}
    return _table("guidance", title + "what was said, and what the model finds", shown, names, labels)


def _said(frame: pd.DataFrame, kind: str, mean: str, error: str, alone: Sequence[str]) -> pd.DataFrame:
    """Figures of rows that differ in unit, as words with the digits that each row's error supports; the columns `alone` have no error of their own."""
    shown = frame.drop(columns=[error])
    errors = [None if value is None else float(value) for value in frame[error]]
    for column in (mean, *alone):
        values = [
            "" if item == "loss" and column != mean else _in_words(str(item), value, spread, column != mean)
            for item, value, spread in zip(frame[kind], frame[column], errors, strict=True)
        ]
        shown[column] = pd.Series(values, dtype=object, index=frame.index)
    shown[kind] = [WORDS[item] + _unit(item) for item in frame[kind]]
    return shown


def _in_words(item: str, value: float | None, error: float | None, alone: bool) -> str:
    if value is None or value != value:
        return "not in the model"
    return amount(float(value), error, _scale(item), alone=alone)


def _stated(item: str, value: float) -> str:
    """Somebody's figure, as it was stated."""
    shown = value * _scale(item)
    return (f"{shown:,.6g}" if abs(shown) < 1e5 else f"{shown:,.0f}").replace("-", MINUS)


def _scale(item: str) -> float:
    return 100.0 if item in IN_PERCENT else 1e-6 if item.endswith("_eur") else 1.0


def _unit(item: str) -> str:
    return ", %" if item in IN_PERCENT else ", EUR m" if item.endswith("_eur") else ""


def _table(id: str, title: str, frame: pd.DataFrame, names: Mapping[str, str], labels: Mapping[str, Label], note: str = "") -> Table:
    return table_of(id, title, frame, names=names, labels=labels, note=note)


def _money(text: str, *, signed: bool = False) -> Label:
    return Label(text, "EUR m", digits=0, scale=1e-6, signed=signed)


def _amount(text: str) -> Label:
    return Label(text, "EUR m", kind="text")


def _share(text: str) -> Label:
    return Label(text, "%", digits=1, scale=100)


def _text(text: str) -> Label:
    return Label(text, kind="text")
