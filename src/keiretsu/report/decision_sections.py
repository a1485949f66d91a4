"""Sections about decisions: what must be true, which move, which partnership, when to launch, what happened since."""

from __future__ import annotations

from dataclasses import replace
from html import escape

import pandas as pd

from keiretsu.report.blocks import Block, Names, Section
from keiretsu.report.decisions import alliance_tables, choice_tables, must_be_true_tables, on_the_model_tables, timing_tables
from keiretsu.report.errors_shown import CENTRAL, CONVENTION, amount, amount_label
from keiretsu.report.hindsight import hindsight_section
from keiretsu.report.tables import Table, table_of
from keiretsu.report.value_figures import AmountBar, amount_bars
from keiretsu.report.wording import Label
from keiretsu.study.worth import ChoicePart, MustPart, Worth
from keiretsu.study.worth_extras import TimingPart
from keiretsu.valuation.alliances import Alliance
from keiretsu.valuation.must_be_true import Question
from keiretsu.valuation.odds import in_own_unit, percent

MOST_BARS = 10
EVENT = "0 or 1"  # unit of an input that happens or does not
MILLION = Label("", "EUR m", digits=0, scale=1e-6, signed=True)


def decision_sections(worth: Worth, names: Names) -> list[Section]:
    """The parts that there are, in the order of the report."""
    found: list[Section] = []
    if worth.must:
        found.append(_must(worth.must))
    if worth.choice:
        found.append(_choice(worth.choice))
    if worth.extras.alliance:
        found.append(_alliance(worth.extras.alliance, worth.extras.alliance_sentence, names))
    if worth.extras.timing:
        found.append(_timing(worth.extras.timing))
    if worth.hindsight:
        found.append(hindsight_section(worth.hindsight))
    return found


def _must(part: MustPart) -> Section:
    blocks: list[Block] = []
    if part.on_the_model:
        blocks += [
            _border(part.on_the_model.question, part.on_the_model.table),
            *(Block("table", table) for table in on_the_model_tables(part.on_the_model) if table.rows),
        ]
    if part.found and part.found.points:
        first = next(iter(part.found.points))
        blocks.append(_border(part.found.question, part.found.table[part.found.table["branch"] == first]))
    if part.found:
        blocks += [Block("table", table) for table in must_be_true_tables(part.found)]
    if part.conditions:
        bars = [AmountBar(_first(one.words), one.difference, one.half95) for one in part.conditions[:MOST_BARS]]
        label = Label("Futures that pay less those that do not", "standard deviations of the input", digits=1, signed=True)
        note = (
            f"Inputs whose difference is larger than its error (half of a 95 % interval), of {part.looked_at} looked at: "
            f"about {max(round(0.05 * part.looked_at), 1)} would be there by chance."
        )
        blocks.append(Block("figure", amount_bars("must-be-true-conditions", "What goes with a gain", bars, label, note=note)))
        blocks.append(Block("table", _conditions(part)))
    if part.why_not:
        blocks.append(Block("html", f"<p>{escape('The likeliest future on the border is not shown: ' + part.why_not + '.')}</p>"))
    if not blocks:
        blocks.append(Block("html", "<p>No input differs between the futures that pay and the others by more than chance.</p>"))
    return Section("must-be-true", "What must be true", part.sentence, tuple(blocks))


def _border(question: Question, table: pd.DataFrame) -> Block:
    """What carries the way from the middle to the future in which a decision is worth nothing."""
    bars = []
    for row in table.head(MOST_BARS).to_dict("records"):
        there, middle = (in_own_unit(float(row[column]), str(row["unit"])) for column in ("at_point", "middle"))
        said = f"<span style='color:#6b7480'>{there} instead of {middle}</span>"
        bars.append(AmountBar(f"{_first(question.words[str(row['input'])])}<br>{said}", float(row["importance"])))
    label = Label("Part of the distance to the border", "%", digits=0, scale=100)
    return Block("figure", amount_bars("must-be-true-bars", "What it takes to get to the border between gain and loss", bars, label))


def _conditions(part: MustPart) -> Table:
    rows = [
        (
            one.words,
            _mean_said(one.where_it_pays, one.unit),
            _mean_said(one.where_it_does_not, one.unit),
            amount(one.difference, one.half95, 1.0, signed=True),
        )
        for one in part.conditions
    ]
    heads = {"input": "Input", "pays": "Mean where it pays", "not": "Mean where it does not"}
    labels = {name: Label(text, kind="text") for name, text in heads.items()} | {"difference": amount_label("Difference", "standard deviations")}
    return table_of(
        "conditions", "Futures that pay beside those that do not", pd.DataFrame(rows, columns=[*heads, "difference"]), names={}, labels=labels
    )


def _choice(part: ChoicePart) -> Section:
    found = part.choice
    moves = [
        AmountBar(part.titles.get(str(row["move"]), str(row["move"])), float(row["expected_eur"]), float(row["half95_eur"]))
        for row in found.moves.to_dict("records")
    ]
    not_drawn = (
        f" Not simulated under uncertainty, so not compared: {', '.join(part.titles[name] for name in part.not_drawn)}." if part.not_drawn else ""
    )
    note = f"Change of what the company's shares are worth, and for a stake its net present value on top. {CONVENTION}{not_drawn}"
    blocks = [Block("figure", amount_bars("choice-bars", "Expected value of each move", moves, MILLION, note=note))]
    known = [row for row in found.information.to_dict("records") if float(row["worth_eur"]) > float(row["half95_eur"])][:MOST_BARS]
    if known:
        bars = [AmountBar(_first(str(row["input"])), float(row["worth_eur"]), float(row["half95_eur"])) for row in known]
        label = replace(MILLION, text="Worth of knowing it before deciding", digits=1, signed=False)
        blocks.append(
            Block(
                "figure",
                amount_bars("information-bars", "What it is worth to know first", bars, label, note="What chance alone would show is taken off."),
            )
        )
    blocks += [Block("table", table) for table in choice_tables(found, part.titles)]
    return Section("choice", "Which move", part.sentence, tuple(blocks))


def _alliance(found: Alliance, sentence: str, names: Names) -> Section:
    rows = sorted(found.coalitions.to_dict("records"), key=lambda row: -float(row["gamma_eur"]))
    bars = [AmountBar(str(row["coalition"]), float(row["gamma_eur"]), float(row["gamma_half95_eur"])) for row in rows if int(row["members"]) > 1]
    note = f"Change for the members together against everybody alone, the others each for itself. {CENTRAL}"
    figure = amount_bars("alliance-bars", "What each coalition is worth to its members", bars, MILLION, note=note)
    return Section(
        "alliances", "Which partnership", sentence, (Block("figure", figure), *(Block("table", table) for table in alliance_tables(found, names)))
    )


def _timing(part: TimingPart) -> Section:
    rows = part.timing.waiting[part.timing.waiting["year"].astype(str) != "never"].to_dict("records")
    bars = [AmountBar(f"{row['launch']}, {row['year']}", float(row["cost_of_waiting_eur"])) for row in rows if float(row["cost_of_waiting_eur"]) > 0]
    blocks: list[Block] = []
    if bars:
        label = replace(MILLION, text="Lost against its best year", digits=1, signed=False)
        blocks.append(Block("figure", amount_bars("waiting-bars", "What waiting costs", bars, label, note=CENTRAL)))
    blocks += [Block("table", table) for table in timing_tables(part.timing, part.sources)]
    return Section("timing", "When to launch", part.sentence, tuple(blocks))


def _mean_said(value: float, unit: str) -> str:
    """A mean in its unit; of an event, how often it happens."""
    return f"happens in {percent(value)}" if unit == EVENT else in_own_unit(value, unit)


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]
