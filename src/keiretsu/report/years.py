"""Sections of the years ahead: what each scenario changes year by year, electric cars without any deal beside others' projections, every central case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape

from keiretsu.outlook.outlook import BASELINE
from keiretsu.report.blocks import Block, Names, Section
from keiretsu.report.fans import Panel, Path, fan_panels
from keiretsu.report.figures import Figure
from keiretsu.report.tables import Table
from keiretsu.report.wording import Label, in_money, with_digits_for
from keiretsu.report.years_tables import (  # fmt: skip
    averages_table,
    by_year_table,
    central_table,
    futures_said,
    label_for,
    long_table,
    packs_table,
    projections_table,
    rules_table,
    share_table,
    went_round_table,
)
from keiretsu.study.ahead import Ahead
from keiretsu.study.ahead_measures import ALL_MAKERS, ALL_MARKETS, BASKET, PER_CAR, Summary

FIRST_MAKERS = 3  # of the case, whose profit is drawn beside the one that a scenario moves most


def years_sections(ahead: Ahead, names: Names) -> list[Section]:
    """The years ahead, electric cars without any deal, and every central case; one section with the reason where there is nothing."""
    if ahead.why_empty:
        return [Section("years", "The years ahead", "", (Block("html", f"<p>{escape(ahead.why_empty)}</p>"),))]
    return [section for section in (_changes(ahead, names), _electric(ahead, names), _central(ahead, names)) if section.blocks]


def years_sheets(ahead: Ahead, names: Names) -> list[Table]:
    """Tables for the spreadsheet: every figure at full precision, mean and error in columns of their own."""
    parts = {
        "years ahead": ahead.changes, "years ahead mean": ahead.averages, "years baseline": ahead.baseline, "years central cases": ahead.central, "years fleet rules": ahead.rules
    }  # fmt: skip
    found = [long_table(id, part, names) for id, part in parts.items() if part.rows]
    found += [went_round_table(ahead, names)] if ahead.went_round else []
    return [*found, *([projections_table(ahead)] if ahead.projections else []), *([packs_table(ahead)] if ahead.packs else [])]


def paragraphs(sentences: Sequence[str]) -> tuple[Block, ...]:
    """Sentences under a section's first one, as one block of text."""
    return (Block("html", "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)),) if sentences else ()


def _changes(ahead: Ahead, names: Names) -> Section:
    blocks: list[Block] = []
    if ahead.scenarios:
        blocks.append(Block("table", averages_table(ahead, names)))
    for scenario in ahead.scenarios:
        blocks.append(Block("figure", _fan(scenario, ahead, names), scenario))
        blocks.append(Block("table", by_year_table(scenario, ahead, names), scenario))
    said = "<p>Only the central case of this scenario was simulated; it stands in the table of all scenarios below.</p>"
    blocks += [Block("html", said, scenario) for scenario in ahead.central.scenarios if scenario not in ahead.scenarios]
    if ahead.rules.rows:
        blocks.append(Block("table", rules_table(ahead, names)))
    blocks += paragraphs(ahead.cautions)
    if ahead.went_round:
        blocks.append(Block("table", went_round_table(ahead, names)))
    about = [sentence for sentence in ahead.sentences if sentence.startswith("“")]
    lead = about[0] if about else f"{ahead.years[0]} to {ahead.years[-1]}. {futures_said(ahead)}"
    return Section("years", "The years ahead", lead, (*paragraphs(about[1:]), *blocks))


def _fan(scenario: str, ahead: Ahead, names: Names) -> Figure:
    """Profit of the case's first makers and of the other one that moves most, prices, electric share, buyers' surplus, emissions."""
    own = [row for row in ahead.averages.rows if row.scenario == scenario and row.measure == "profit" and row.of != ALL_MAKERS]
    others = sorted(own[FIRST_MAKERS:], key=lambda row: -abs(row.mean))
    makers = [row.of for row in (*own[:FIRST_MAKERS], *others[:1])]
    price = BASKET if (BASKET, ALL_MARKETS) in ahead.changes.kinds else PER_CAR
    panels = []
    for measure, of in [*(("profit", maker) for maker in makers), *((m, ALL_MARKETS) for m in (price, "electric_share", "surplus", "co2"))]:
        path = ahead.changes.path(scenario, measure, of)
        label = in_money(label_for(measure, of, names), names.get("EUR", "EUR"))
        panels.append(Panel(with_digits_for(label, max(abs(v) for row in path for v in (row.mean, row.p10, row.p90))), _path(path), zero=True))
    note = f"{futures_said(ahead)} Makers: the case's first {FIRST_MAKERS} and the other one whose profit changes most."
    if ahead.draws:
        note += " Where the interval of the mean is wider than the band of eight futures of ten, a few futures far out make the mean."
    return fan_panels(f"years-{scenario}", "Change against the baseline, year by year", panels, note=note)


def _electric(ahead: Ahead, names: Names) -> Section:
    share = Label("", "% of cars sold", digits=0, scale=100)
    panels = [Panel(replace(share, text="All markets"), _path(ahead.baseline.path(BASELINE, "electric_share", ALL_MARKETS)))]
    for region in dict.fromkeys(one.region for one in ahead.projections):
        own = [one for one in ahead.projections if one.region == region]
        points = {who: ([o.year for o in own if o.who == who], [o.said for o in own if o.who == who]) for who in dict.fromkeys(o.who for o in own)}
        panels.append(Panel(replace(share, text=region), _path(ahead.baseline.path(BASELINE, "electric_share", region)), points))
    if ahead.packs:
        curve = [(one.year, one.curve) for one in ahead.packs if one.curve is not None]
        beside = {
            "paid": ([one.year for one in ahead.packs], [one.paid for one in ahead.packs]),
            "learning curve run backwards": ([year for year, _ in curve], [value for _, value in curve]),
        }
        panels.append(Panel(Label("Battery pack", "EUR a kWh"), _path(ahead.baseline.path(BASELINE, "pack_price", "")), beside, logarithmic=True))
    note = f"{futures_said(ahead)} Others' projections and past prices enter no run; electric means battery-electric."
    blocks = [
        Block("figure", fan_panels("years-electric", "Electric share of sales, and what batteries cost", panels, note=note)),
        Block("table", share_table(ahead, names)),
    ]
    if ahead.projections:
        blocks.append(Block("table", projections_table(ahead)))
    if ahead.packs:
        blocks.append(Block("table", packs_table(ahead)))
    said = [sentence for sentence in ahead.sentences if not sentence.startswith("“")]
    return Section("electric", "Electric cars without any deal", said[0], (*paragraphs(said[1:]), *blocks))


def _central(ahead: Ahead, names: Names) -> Section:
    if not ahead.central.rows:
        return Section("central", "Every scenario's central case", "", ())
    lead = (
        f"What all {len(ahead.central.scenarios)} scenarios change over {ahead.years[0]} to {ahead.years[-1]} "
        "when every uncertain input is at its central value."
    )
    return Section("central", "Every scenario's central case", lead, (Block("table", central_table(ahead, names)),))


def _path(rows: Sequence[Summary]) -> Path:
    years, mean = [row.year for row in rows], [row.mean for row in rows]
    if not rows or rows[0].half95 is None:
        return Path(years, mean)
    return Path(years, mean, [row.error for row in rows], [row.p10 for row in rows], [row.p90 for row in rows])
