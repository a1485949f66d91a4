"""Tables of the years ahead: one column for each scenario or year, figures with their errors; long ones at full precision for the spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from keiretsu.outlook.outlook import BASELINE
from keiretsu.report.blocks import Names
from keiretsu.report.errors_shown import CENTRAL, CONVENTION, amount, amount_label
from keiretsu.report.tables import Table, table_of
from keiretsu.report.wording import Label, in_money, with_digits_for
from keiretsu.study.ahead import Ahead
from keiretsu.study.ahead_measures import ALL_MAKERS, ALL_MARKETS, BASKET, PER_CAR, Summaries
from keiretsu.study.said import number_with_error

SHADOW = "Shadow price"
ACRONYM = 3  # letters of a word that is written in capitals
MOST_YEARS = 7  # shown side by side
UNITS = {
    "profit": ("EUR m a year", 1e-6), "surplus": ("EUR m a year", 1e-6), "government": ("EUR m a year", 1e-6), "co2": ("kt over lives", 1e-3),
    "electric_share": ("% points", 100.0), BASKET: ("%", 1.0), PER_CAR: ("%", 1.0),
}  # fmt: skip
SAID = {
    "surplus": "Buyers' surplus", "government": "Government's net take", "co2": "CO2 of the year's cars", "electric_share": "Electric share of sales",
    BASKET: "Makers' prices, same cars", PER_CAR: "Makers' revenue a car",
}  # fmt: skip
ALONE = SAID | {"profit": "Operating profit", "pack_price": "Battery pack price"}


def label_for(measure: str, of: str, names: Names) -> Label:
    """Heading of a change."""
    unit, scale = UNITS[measure]
    text = SAID.get(measure) or ("All makers, profit" if of == ALL_MAKERS else f"{names.get(of, of)}, profit")
    return Label(text, unit, digits=1, scale=scale, signed=True)


def averages_table(ahead: Ahead, names: Names) -> Table:
    """One column for each drawn scenario: the mean change over the years with its error."""
    lines: list[dict[str, object]] = []
    for measure, of in ahead.averages.kinds:
        label = in_money(label_for(measure, of, names), names.get("EUR", "EUR"))
        found = [ahead.averages.one(scenario, measure, of) for scenario in ahead.scenarios]
        said = {row.scenario: amount(row.mean, row.half95, label.scale, signed=True) for row in found}
        lines.append({"what": f"{label.text} ({label.unit})", **said})
    labels = {"what": Label("Change in", kind="text")} | {scenario: amount_label(names.get(scenario, scenario), "") for scenario in ahead.scenarios}
    note = f"Mean over {ahead.years[0]} to {ahead.years[-1]} of the yearly change against the baseline of the same future. {futures_said(ahead)} {CONVENTION}"
    return table_of("years-means", "What each scenario changes, on average over the years", pd.DataFrame(lines), names={}, labels=labels, note=note)


def by_year_table(scenario: str, ahead: Ahead, names: Names) -> Table:
    """One column for each of some years."""
    years = some_years(ahead.years)
    lines: list[dict[str, object]] = []
    for measure, of in ahead.changes.kinds:
        label = in_money(label_for(measure, of, names), names.get("EUR", "EUR"))
        path = {row.year: row for row in ahead.changes.path(scenario, measure, of)}
        said = {str(year): amount(path[year].mean, path[year].half95, label.scale, signed=True) for year in years}
        lines.append({"what": f"{label.text} ({label.unit})", **said})
    labels = {"what": Label("Change in", kind="text")} | {str(year): amount_label(str(year), "") for year in years}
    note = f"{futures_said(ahead)} {CONVENTION}"
    return table_of(f"years-table-{scenario}", "The same in figures", pd.DataFrame(lines), names={}, labels=labels, note=note)


def share_table(ahead: Ahead, names: Names) -> Table:
    """Electric share of the baseline by market, and its band in the last year."""
    regions = {one.region for one in ahead.projections}
    markets = [of for measure, of in ahead.baseline.kinds if measure == "electric_share" and of not in regions]
    chosen = [year for year in ahead.years if year in (ahead.years[0], ahead.years[-1]) or year % 5 == 0]
    lines: list[dict[str, object]] = []
    for of in markets:
        path = {row.year: row for row in ahead.baseline.path(BASELINE, "electric_share", of)}
        last = path[ahead.years[-1]]
        said = {str(year): amount(path[year].mean, path[year].half95, 100.0) for year in chosen}
        band = {"band": _band(last.p10, last.p90, last.half95)} if last.half95 is not None else {}
        lines.append({"market": "All markets" if of == ALL_MARKETS else names.get(of, of), **said, **band})
    labels = {"market": Label("Market", kind="text"), "band": amount_label(f"{ahead.years[-1]}, eight futures of ten", "%")}
    labels |= {str(year): amount_label(str(year), "%") for year in chosen}
    note = f"{futures_said(ahead)} {CONVENTION}"
    return table_of("years-share", "Electric share of sales by market, baseline", pd.DataFrame(lines), names={}, labels=labels, note=note)


def projections_table(ahead: Ahead) -> Table:
    """Others' electric shares beside the baseline's."""
    shown = pd.DataFrame(
        [
            {
                "region": one.region, "who": one.who, "year": str(one.year), "said": one.said, "here": amount(one.here.mean, one.here.half95, 100.0),
                "band": _band(one.here.p10, one.here.p90, one.here.half95), "source": one.source,
            }
            for one in ahead.projections
        ]
    )  # fmt: skip
    labels = {
        "region": Label("Region", kind="text"), "who": Label("Who", kind="text"), "year": Label("Year", kind="text"), "said": Label("Projected", "%", scale=100),
        "here": amount_label("Baseline", "%"), "band": amount_label("Eight futures of ten", "%"), "source": Label("Source", kind="text"),
    }  # fmt: skip
    note = f"Battery-electric cars over cars sold; the baseline counts the case's own markets of the region. {CONVENTION}"
    return table_of("years-projections", "Others' projections beside the baseline", shown, names={}, labels=labels, note=note)


def packs_table(ahead: Ahead) -> Table:
    """What packs cost beside the learning curve."""
    shown = pd.DataFrame(
        [(str(p.year), p.paid, p.curve, p.slow, p.fast, p.before_gwh, p.source, p.note) for p in ahead.packs],
        columns=["year", "paid", "curve", "slow", "fast", "before", "source", "note"],
    )
    labels = {
        "year": Label("Year", kind="text"), "paid": Label("Paid", "EUR a kWh"), "curve": Label("Learning curve", "EUR a kWh"), "slow": Label("at slow learning", "EUR a kWh"),
        "fast": Label("at fast learning", "EUR a kWh"), "before": Label("Built before", "GWh"), "source": Label("Source", kind="text"), "note": Label("Note", kind="text"),
    }  # fmt: skip
    note = "The curve goes through the price of the case's year; slow and fast are the 10th and 90th percentile of the learning rate. Nothing was fitted to the earlier prices."
    return table_of("years-packs", "What battery packs have cost, beside the learning curve", shown, names={}, labels=labels, note=note)


def rules_table(ahead: Ahead, names: Names) -> Table:
    """Shadow prices of fleet rules in the baseline by maker, some years side by side."""
    years = some_years(ahead.years)
    lines: list[dict[str, object]] = []
    for measure, of in ahead.rules.kinds:
        path = {row.year: row for row in ahead.rules.path(BASELINE, measure, of)}
        if measure == SHADOW:
            rule, _, maker = of.partition(": ")
            said = {str(year): amount(path[year].mean, path[year].half95, 1.0) for year in years}
            lines.append({"maker": names.get(maker or rule, maker or rule), "rule": _rule_said(rule) if maker else "", **said})
    labels = {"maker": Label("Maker", kind="text"), "rule": Label("Rule", kind="text")} | {
        str(year): amount_label(str(year), "EUR") for year in years
    }
    note = (
        f"EUR per gram and car above target, or per missing electric car: what one more would cost or save the maker's pool. Makers whose rule never binds are left out. "
        f"{futures_said(ahead)} {CONVENTION}"
    )
    return table_of("years-rules", "Fleet rules: shadow prices in the baseline", pd.DataFrame(lines), names={}, labels=labels, note=note)


def went_round_table(ahead: Ahead, names: Names) -> Table:
    """Scenarios, markets and years in which the last prices were kept because none were an equilibrium at a threshold."""
    shown = pd.DataFrame(
        [
            {
                "scenario": row.scenario, "market": row.market, "year": str(row.year), "futures": f"{row.futures} of {row.of_futures}" if row.of_futures else "none drawn",
                "central": "yes" if row.central else "no", "models": row.models,
                "gain": number_with_error(row.gain_eur, 0.0) if np.isfinite(row.gain_eur) else "not known",
            }
            for row in ahead.went_round
        ]
    )  # fmt: skip
    labels = {
        "scenario": Label("Scenario", kind="text"), "market": Label("Market", kind="text"), "year": Label("Year", kind="text"), "futures": Label("Futures", kind="text"),
        "central": Label("In the central case", kind="text"), "models": Label("Choices left open", "models, at most", digits=0),
        "gain": Label("To be gained", f"{names.get('EUR', 'EUR')} a year", kind="text"),
    }  # fmt: skip
    note = (
        "At a price threshold (a ceiling of a bonus, a duty bracket) makers' best responses can go round without end. These years are answered with "
        "the prices among them that leave the least to gain: what one maker would gain at most by moving one price stands beside them. Every other market and year is an "
        "equilibrium."
    )
    return table_of(
        "years-went-round", "Answered with prices only near to an equilibrium, at a price threshold", shown, names=names, labels=labels, note=note
    )


def central_table(ahead: Ahead, names: Names) -> Table:
    """One row for each scenario, its central case."""
    labels: dict[str, Label] = {"scenario": Label("Scenario", kind="text")}
    shown = pd.DataFrame({"scenario": list(ahead.central.scenarios)})
    for measure, of in ahead.central.kinds:
        values = [ahead.central.one(scenario, measure, of).mean for scenario in ahead.central.scenarios]
        label = in_money(label_for(measure, of, names), names.get("EUR", "EUR"))
        middle = sorted(abs(value) for value in values)[len(values) // 2]
        labels[f"{measure} {of}"] = with_digits_for(label, middle or max(abs(value) for value in values))
        shown[f"{measure} {of}"] = values
    note = f"Mean over {ahead.years[0]} to {ahead.years[-1]} of the yearly change against the baseline's central case. {CENTRAL}"
    return table_of("years-central", "All scenarios", shown, names=names, labels=labels, note=note)


def long_table(id: str, part: Summaries, names: Names) -> Table:
    """One row for each figure in its own unit, at full precision."""
    frame = part.table()
    shown = frame.assign(
        measure=[ALONE.get(row.measure, row.measure) for row in part.rows],
        year=["mean over the years" if row.year == 0 else str(row.year) for row in part.rows],
    )
    texts = {"measure": "What", "of": "Of", "scenario": "Scenario", "year": "Year", "unit": "Unit"}
    numbers = {"mean": "Mean", "half95": "Half of the 95 % interval of the mean", "p10": "10th percentile", "p90": "90th percentile"}
    labels = {name: Label(text, kind="text") for name, text in texts.items()} | {name: Label(text, digits=6) for name, text in numbers.items()}
    return table_of(id, id, shown, names=names, labels=labels)


def some_years(years: Sequence[int]) -> list[int]:
    """Years that a table shows side by side: all of a few, else every other one and the last."""
    if len(years) <= MOST_YEARS:
        return list(years)
    step = -(-(len(years) - 1) // (MOST_YEARS - 1))
    return sorted({*years[::step][: MOST_YEARS - 1], years[-1]})


def futures_said(ahead: Ahead) -> str:
    """How many futures stand behind a figure."""
    return f"{ahead.draws} futures." if ahead.draws else CENTRAL


def _rule_said(rule: str) -> str:
    """``eu_co2`` as "EU CO2"."""
    return " ".join(word.upper() if len(word) <= ACRONYM else word for word in rule.split("_"))


def _band(low: float, high: float, error: float | None) -> str:
    return f"{amount(low, error, 100.0, alone=True)} to {amount(high, error, 100.0, alone=True)}"
