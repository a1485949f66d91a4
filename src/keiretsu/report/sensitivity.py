"""What an output over the years depends on, as tables: slopes and effects in the case's money, inputs in words, distances with how they are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from keiretsu.case import Case
from keiretsu.outlook.inputs import input_of
from keiretsu.outlook.measures import UNITS, What
from keiretsu.report.names import names_in
from keiretsu.report.tables import Table, table_of
from keiretsu.report.wording import MINUS, Label, in_money, with_digits_for
from keiretsu.study.said_inputs import input_said
from keiretsu.valuation.odds import in_own_unit

NOTE = (
    "One unit of a share is 100 %; other units stand beside the deviation. Prices are myopic: each year is a static equilibrium. "
    "A slope is exact until the regime changes. 'About' is first order and does not see prices that "
    "stand at a threshold, jumps over one, or pots that last all year; the others are found by solving paths on both sides or by a closed form."
)


def tornado_table(case: Case, of: str, what: What, scenario: str, tornado: pd.DataFrame, *, solved: bool, years: Sequence[int] = ()) -> Table:
    """Slopes of one output over `years`, see `keiretsu.outlook.sensitivity.tornado`; `solved`: paths were solved again for some inputs.

    Money is in millions of euro, or in the case's own unit where it keeps one. Columns about changes of regime are left out where none is known.
    """
    money = names_in(case).get("EUR", "EUR")
    unit, _, about = UNITS[what].partition(", ")
    in_eur = unit.startswith("EUR ")
    plain = Label("", unit.replace("EUR ", "EUR m ", 1).removesuffix(" of 2023") if in_eur else unit, scale=1e-6 if in_eur else 1.0)
    plain = in_money(plain, money)
    effect = replace(with_digits_for(plain, float(tornado["effect"].abs().max())), text="Slope times one deviation", signed=True)
    shown = pd.DataFrame(
        {
            "input": [input_said(case, str(name)) for name in tornado["input"]],
            "slope": tornado["slope"],
            "deviation": [_deviation(str(name), float(value)) for name, value in zip(tornado["input"], tornado["deviation"], strict=True)],
            "effect": tornado["effect"],
            "solved": ["" if value != value else effect.show(value) for value in tornado["solved"]],
            "to_switch": [distance_said(*row) for row in zip(tornado["to_switch"], tornado["way"], tornado["how"], strict=True)],
            "switch": tornado["switch"],
        }
    )
    labels = {
        "input": Label("Input", kind="text"),
        "slope": replace(effect, text="Slope, for one unit of the input"),
        "deviation": Label("One deviation", kind="text"),
        "effect": effect,
        "solved": Label("Effect of one deviation, solved again", effect.unit, kind="text"),
        "to_switch": Label("Input may move before the regime changes by", kind="text"),
        "switch": Label("what changes then", kind="text"),
    }
    left_out = ([] if solved else ["solved"]) + ([] if (tornado["to_switch"] < float("inf")).any() else ["to_switch", "switch"])
    labels = {name: label for name, label in labels.items() if name not in left_out}
    value = with_digits_for(plain, float(tornado["value"].iloc[0])).show(tornado["value"].iloc[0])
    said = f"EUR {value} m{plain.unit.removeprefix('EUR m')}" if plain.unit.startswith("EUR m") else f"{value} {plain.unit}"
    note = f"{of} at the central case of {scenario}: {said}{', ' + about if about else ''}. {NOTE}"
    title = f"What moves {of}{f', {years[0]} to {years[-1]}' if len(years) > 1 else f', {years[0]}' if years else ''}"
    note += " No change of regime is known for any of these inputs." if "to_switch" in left_out else ""
    return table_of("tornado", title, shown[list(labels)], names={}, labels=labels, note=note)


def indices_table(case: Case, indices: pd.DataFrame, held_out_r2: float, draws: int) -> Table:
    """Shares of the output's variance, see `keiretsu.outlook.sensitivity.global_indices`."""
    labels = {"input": Label("Input", kind="text"), "first_order": Label("By itself", "%", digits=0, scale=100), "total": Label("With others", "%", digits=0, scale=100)}  # fmt: skip
    shown = indices.assign(input=[input_said(case, str(name)) for name in indices["input"]])
    note = f"First-order and total index of a polynomial fitted to {draws} draws, which explains {100 * held_out_r2:.0f} % of the variance of draws it has not seen."
    return table_of("indices", "Shares of variance", shown, names={}, labels=labels, note=note)


def distance_said(distance: float, way: int, how: str) -> str:
    """``about +0.031``, ``-0.4``; nothing where no change is known."""
    if distance == float("inf"):
        return ""
    sign = {1: "+", -1: MINUS, 0: "±"}[way]
    return {"first order": "about ", "at most": "less than ", "none found": "more than "}.get(how, "") + f"{sign}{distance:.2g}"


def _deviation(name: str, value: float) -> str:
    """One deviation of an input with its unit; an event either happens or not."""
    if name.startswith(("happens:", "event:")):
        return f"{value:.2g} of happening or not"
    known = input_of(name)
    return in_own_unit(value, known.unit if known else "")
