"""Figures of money: football field, value by discount rate and growth, bars with their errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from keiretsu.report.errors_shown import amount
from keiretsu.report.figures import GAIN, GRID, INK, LOSS, MUTED, Figure
from keiretsu.report.wording import Label

ROW_PX = 30
STATED, MODEL = "#8a97a6", GAIN


@dataclass(frozen=True)
class FieldBar:
    """A bar of a football field: from `low` to `high` with its middle; `model` where it comes from the model and not from somebody's words."""

    name: str
    low: float
    middle: float
    high: float
    model: bool


@dataclass(frozen=True)
class AmountBar:
    """A bar from zero to an amount with its error."""

    name: str
    amount: float
    half95: float = 0.0


@dataclass(frozen=True)
class Cells:
    """Figures of a map and how they are said, row by row; `axes` name rows and columns. None is a figure without a bound."""

    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[float | None]]
    said: Sequence[Sequence[str]]
    axes: tuple[str, str]


def field_bars(id: str, title: str, bars: Sequence[FieldBar], label: Label, *, note: str = "") -> Figure:
    """One bar for each way of asking, what the model says in blue and what others said in grey, the middle as a line across."""
    names = [bar.name for bar in bars]
    scale = label.scale

    def span(bar: FieldBar) -> dict[str, Any]:
        text = f"<b>{bar.name}</b><br>{label.show(bar.low)} to {label.show(bar.high)} {label.unit}, middle {label.show(bar.middle)}"
        colour = MODEL if bar.model else STATED
        return {
            "type": "scatter", "mode": "lines", "x": [bar.low * scale, bar.high * scale], "y": [bar.name, bar.name], "line": {"color": colour, "width": 14},
            "hovertext": text, "hoverinfo": "text", "showlegend": False,
        }  # fmt: skip

    middle = {
        "type": "scatter", "mode": "markers+text", "x": [bar.middle * scale for bar in bars], "y": names, "text": [label.show(bar.middle) for bar in bars], "textposition": "top center",
        "textfont": {"size": 11, "color": INK}, "marker": {"symbol": "line-ns", "size": 14, "line": {"width": 2, "color": INK}}, "hoverinfo": "skip", "cliponaxis": False,
        "showlegend": False,
    }  # fmt: skip
    layout = _layout(90 + 38 * len(bars), f"{label.text}, {label.unit}")
    layout["yaxis"] |= {"autorange": "reversed", "categoryorder": "array", "categoryarray": names}
    ends = [bar.low * scale for bar in bars] + [bar.high * scale for bar in bars] + [0.0]
    room = 0.06 * (max(ends) - min(ends) or 1.0)
    layout["xaxis"] |= {"range": [min(ends) - room, max(ends) + room], "zeroline": True}
    return Figure(id, title, (*(span(bar) for bar in bars), middle), layout, note)


def amount_bars(id: str, title: str, bars: Sequence[AmountBar], label: Label, *, note: str = "") -> Figure:
    """Bars of amounts with their errors as whiskers, gains in blue and losses in red."""
    names, scale = [bar.name for bar in bars], label.scale
    shown = [bar.amount * scale for bar in bars]
    bar_trace: dict[str, Any] = {
        "type": "bar", "orientation": "h", "y": names, "x": shown, "marker": {"color": [GAIN if v >= 0 else LOSS for v in shown]}, "showlegend": False,
        "hovertext": [f"<b>{b.name}</b><br>{label.show(b.amount)} ± {Label('', digits=label.digits, scale=scale).show(b.half95)} {label.unit}" for b in bars], "hoverinfo": "text",
    }  # fmt: skip
    if any(bar.half95 > 0 for bar in bars):
        bar_trace["error_x"] = {"type": "data", "array": [bar.half95 * scale for bar in bars], "color": INK, "thickness": 1.2, "width": 5}
    traces = [bar_trace]
    traces.append(_ends(bars, label))
    more_lines = sum(name.count("<br>") for name in names)
    layout = _layout(84 + ROW_PX * max(len(bars), 2) + 12 * more_lines, f"{label.text}, {label.unit}" if label.text else label.unit)
    layout["yaxis"] |= {"autorange": "reversed", "categoryorder": "array", "categoryarray": names}
    low, high = (
        min([0.0, *(v - b.half95 * scale for v, b in zip(shown, bars, strict=True))]),
        max([0.0, *(v + b.half95 * scale for v, b in zip(shown, bars, strict=True))]),
    )
    room = 0.2 * (high - low or 1.0)  # for the figures at the ends of the bars
    layout["xaxis"]["range"] = [low - (room if low < 0 else 0), high + (room if high > 0 else 0)]
    return Figure(id, title, tuple(traces), layout, note)


def _ends(bars: Sequence[AmountBar], label: Label) -> dict[str, Any]:
    """What each bar says, beyond the end of its whisker."""
    scale = label.scale
    at = [(bar.amount + (bar.half95 if bar.amount >= 0 else -bar.half95)) * scale for bar in bars]
    return {
        "type": "scatter", "mode": "text", "y": [bar.name for bar in bars], "x": at, "text": [f" {amount(b.amount, b.half95, scale, signed=label.signed)} " for b in bars],
        "textposition": ["middle right" if bar.amount >= 0 else "middle left" for bar in bars], "textfont": {"size": 11, "color": INK}, "hoverinfo": "skip",
        "cliponaxis": False, "showlegend": False,
    }  # fmt: skip


def value_map(id: str, title: str, cells: Cells, *, note: str = "") -> Figure:
    """A map of levels: figures in their cells, darker where there is more."""
    rows, columns, values, said, axes = cells.rows, cells.columns, cells.values, cells.said, cells.axes
    trace = {
        "type": "heatmap", "z": [list(row) for row in values], "x": list(columns), "y": list(rows), "text": [list(row) for row in said], "texttemplate": "%{text}",
        "textfont": {"size": 12}, "colorscale": [[0, "#ffffff"], [1, "#a9c6dd"]], "xgap": 2, "ygap": 2, "showscale": False, "hoverongaps": False,
        "hovertemplate": f"{axes[0]} %{{y}}, {axes[1]} %{{x}}<br>%{{text}}<extra></extra>",
    }  # fmt: skip
    layout = _layout(110 + 30 * len(rows), "")
    plain = {"fixedrange": True, "showgrid": False, "ticks": "", "automargin": True, "type": "category"}
    layout["xaxis"] = plain | {"side": "top", "title": {"text": axes[1], "font": {"size": 11, "color": MUTED}}}
    layout["yaxis"] = plain | {"autorange": "reversed", "title": {"text": axes[0], "font": {"size": 11, "color": MUTED}}}
    layout["margin"] |= {"t": 56, "b": 6}
    return Figure(id, title, (trace,), layout, note)


def _layout(height: int, x_title: str) -> dict[str, Any]:
    return {
        "height": height, "margin": {"l": 8, "r": 16, "t": 14, "b": 44, "pad": 4}, "font": {"family": "inherit", "size": 12, "color": INK},
        "paper_bgcolor": "white", "plot_bgcolor": "white", "bargap": 0.4, "showlegend": False,
        "hoverlabel": {"bgcolor": "white", "bordercolor": MUTED, "font": {"color": INK, "size": 12}, "align": "left"},
        "xaxis": {
            "title": {"text": x_title, "font": {"size": 11, "color": MUTED}}, "gridcolor": GRID, "zerolinecolor": MUTED, "tickfont": {"size": 11, "color": MUTED},
            "automargin": True, "fixedrange": True, "exponentformat": "none", "separatethousands": True, "nticks": 7,
        },
        "yaxis": {"automargin": True, "tickfont": {"size": 12}, "fixedrange": True, "gridcolor": "white"},
    }  # fmt: skip
