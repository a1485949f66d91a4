"""Figures as plain Plotly descriptions (dictionaries), drawn by the script that ships inside the page.

One look for all of them: thin grid, no boxes, gains in blue, losses in red, numbers on hover in full sentences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from keiretsu.report.wording import Label

GAIN, LOSS, INK, MUTED, GRID = "#1f5a8a", "#b8432f", "#1b2330", "#6b7480", "#e6e9ed"
CHANNEL_COLOURS = ("#1f5a8a", "#d98e2b", "#4f8f6b", "#8a5a8f", "#b8432f", "#7d8894", "#5ea6c9", "#a7a13a")
ROW_PX = 24


@dataclass(frozen=True)
class Figure:
    """One figure: its anchor, the sentence above it, and the Plotly description."""

    id: str
    title: str
    data: tuple[dict[str, Any], ...]
    layout: dict[str, Any]
    note: str = ""

    def spec(self) -> dict[str, Any]:
        """What the page's script needs to draw the figure."""
        return {"id": self.id, "data": list(self.data), "layout": self.layout}


def change_bars(id: str, title: str, names: Sequence[str], values: Sequence[float], label: Label, *, note: str = "") -> Figure:
    """Horizontal bars of signed changes, largest at the top, gains and losses in their colours."""
    shown = [float(v) * label.scale for v in values]
    text = [f"<b>{name}</b><br>{label.text}: {label.show(v)} {label.unit}" for name, v in zip(names, values, strict=True)]
    bar = {
        "type": "bar",
        "orientation": "h",
        "y": list(names),
        "x": shown,
        "marker": {"color": [GAIN if v >= 0 else LOSS for v in shown]},
        "text": [label.show(v) for v in values],
        "textposition": "outside",
        "cliponaxis": False,
        "textfont": {"size": 11, "color": INK},
        "hovertext": text,
        "hoverinfo": "text",
    }
    more_lines = sum(name.count("<br>") for name in names)
    layout = _layout(height=70 + ROW_PX * max(len(shown), 2) + 14 * more_lines, x_title=f"{label.text}, {label.unit}")
    layout["yaxis"] |= {"autorange": "reversed"}
    low, high = min([0.0, *shown]), max([0.0, *shown])
    room = 0.18 * (high - low or 1.0)  # for the numbers at the ends of the bars
    layout["xaxis"]["range"] = [low - (room if low < 0 else 0), high + (room if high > 0 else 0)]
    return Figure(id, title, (bar,), layout, note)


def stacked_channels(id: str, title: str, parts: pd.DataFrame, *, category: str, value: str, names: Mapping[str, str], unit: str) -> Figure:
    """Stacked bars: each category split into channels that add up to its total, which is marked by a diamond."""
    categories = list(dict.fromkeys(parts[category]))
    shown = [names.get(str(c), str(c)) for c in categories]
    bars: list[dict[str, Any]] = []
    for k, channel in enumerate(dict.fromkeys(parts["channel"])):
        found = parts.loc[parts["channel"] == channel].set_index(category)[value]
        amounts = [float(found.get(c, 0.0)) for c in categories]  # a channel without a move changes nothing
        said = names.get(str(channel), str(channel).replace("_", " "))
        bars.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": said,
                "y": shown,
                "x": amounts,
                "marker": {"color": CHANNEL_COLOURS[k % len(CHANNEL_COLOURS)]},
                "hovertemplate": f"<b>%{{y}}</b><br>{said}: %{{x:+,.2f}} {unit}<extra></extra>",
            }
        )
    totals = parts.groupby(category, sort=False)[value].sum()
    diamond = {
        "type": "scatter",
        "mode": "markers",
        "name": "total",
        "y": shown,
        "x": [float(totals[c]) for c in categories],
        "marker": {"symbol": "diamond", "size": 9, "color": INK},
        "hovertemplate": f"<b>%{{y}}</b><br>total: %{{x:+,.2f}} {unit}<extra></extra>",
    }
    layout = _layout(height=130 + 30 * max(len(categories), 2), x_title=unit)
    layout |= {"barmode": "relative", "showlegend": True, "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}}
    layout["yaxis"] |= {"autorange": "reversed"}
    return Figure(id, title, (*bars, diamond), layout)


def heat(id: str, title: str, table: pd.DataFrame, label: Label, *, names: Mapping[str, str], note: str = "") -> Figure:
    """A map of signed changes: makers down, markets across. A maker that sells nothing in a market leaves its cell white."""
    scaled = table * label.scale
    largest = float(scaled.abs().max().max()) or 1.0
    rows, columns = [names.get(str(x), str(x)) for x in table.index], [names.get(str(x), str(x)) for x in table.columns]
    cells = [[None if pd.isna(v) else float(v) for v in row] for row in scaled.to_numpy()]
    text = [["" if v is None else label.show(v / label.scale) for v in row] for row in cells]
    trace = {
        "type": "heatmap",
        "z": cells,
        "x": columns,
        "y": rows,
        "text": text,
        "texttemplate": "%{text}",
        "textfont": {"size": 10},
        "zmin": -largest,
        "zmax": largest,
        "colorscale": [[0, "#b8432f"], [0.25, "#e6b3a8"], [0.5, "#ffffff"], [0.75, "#a9c6dd"], [1, "#1f5a8a"]],
        "xgap": 1,
        "ygap": 1,
        "showscale": False,
        "hoverongaps": False,
        "hovertemplate": f"<b>%{{y}}</b> in %{{x}}<br>{label.text}: %{{text}} {label.unit}<extra></extra>",
    }
    layout = _layout(height=92 + ROW_PX * len(rows), x_title="")
    layout["xaxis"] = {"side": "top", "tickfont": {"size": 11}, "fixedrange": True, "tickangle": -35, "showgrid": False, "ticks": ""}
    layout["yaxis"] = {"autorange": "reversed", "automargin": True, "tickfont": {"size": 12}, "fixedrange": True, "showgrid": False, "ticks": ""}
    layout["margin"] |= {"t": 84, "b": 6}
    return Figure(id, title, (trace,), layout, note)


def fit_dots(id: str, title: str, fit: pd.DataFrame, names: Sequence[str]) -> Figure:
    """Target (ring), its stated range (line) and what the model gives (dot), each as a share of its target."""
    scale = fit["value"].abs().where(fit["value"] != 0, 1.0)
    low, high, fitted = ((fit[c] / scale).tolist() for c in ("low", "high", "fitted"))
    target = (fit["value"] / scale).tolist()
    numbers = [
        f"<b>{n}</b><br>target {v:.3g}, range {lo:.3g} to {hi:.3g}<br>the model gives {f:.3g}"
        for n, v, lo, hi, f in zip(names, fit["value"], fit["low"], fit["high"], fit["fitted"], strict=True)
    ]
    ranges = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [lo, hi],
            "y": [name, name],
            "line": {"color": "#b9c0c9", "width": 5},
            "hoverinfo": "skip",
            "showlegend": k == 0,
            "name": "stated range",
        }
        for k, (name, lo, hi) in enumerate(zip(names, low, high, strict=True))
        if lo == lo and hi == hi
    ]
    ring = {
        "type": "scatter", "mode": "markers", "name": "target", "x": target, "y": list(names),
        "marker": {"symbol": "circle-open", "size": 11, "color": INK, "line": {"width": 2}}, "hovertext": numbers, "hoverinfo": "text",
    }  # fmt: skip
    dot = {
        "type": "scatter", "mode": "markers", "name": "the model", "x": fitted, "y": list(names),
        "marker": {"size": 9, "color": LOSS}, "hovertext": numbers, "hoverinfo": "text",
    }  # fmt: skip
    layout = _layout(height=130 + ROW_PX * len(names), x_title="relative to the size of the target")
    layout |= {"showlegend": True, "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}}
    layout["yaxis"] |= {"autorange": "reversed"}
    return Figure(id, title, (*ranges, ring, dot), layout)


def value_in_range(id: str, title: str, rows: pd.DataFrame, names: Sequence[str], *, note: str = "") -> Figure:
    """A stated range (line) and the model's value (dot; red outside the range) for each row of `value`, `low`, `high`, `within_range`."""
    ranges = [
        {
            "type": "scatter", "mode": "lines", "x": [float(lo), float(hi)], "y": [name, name], "line": {"color": "#b9c0c9", "width": 6},
            "hoverinfo": "skip", "showlegend": k == 0, "name": "range in the literature",
        }
        for k, (name, lo, hi) in enumerate(zip(names, rows["low"], rows["high"], strict=True))
    ]  # fmt: skip
    said = [
        f"<b>{name}</b><br>the model {v:.1f} %, literature {lo:g} to {hi:g} %<br>{source}"
        for name, v, lo, hi, source in zip(names, rows["value"], rows["low"], rows["high"], rows["source"], strict=True)
    ]
    dot = {
        "type": "scatter", "mode": "markers", "name": "the model (red: outside)", "x": [float(v) for v in rows["value"]], "y": list(names),
        "marker": {"size": 10, "color": [GAIN if inside else LOSS for inside in rows["within_range"]]}, "hovertext": said, "hoverinfo": "text",
    }  # fmt: skip
    lines = max((name.count("<br>") + 1 for name in names), default=1)  # rows stand at even distances: the longest name needs its room in every one
    layout = _layout(height=130 + (14 * lines + 10) * len(names), x_title="%")
    layout |= {"showlegend": True, "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}}
    layout["yaxis"] |= {"autorange": "reversed"}
    return Figure(id, title, (*ranges, dot), layout, note)


def three_dots(id: str, title: str, names: Sequence[str], series: Mapping[str, Sequence[float]], *, unit: str) -> Figure:
    """Three numbers for each name on one line: before (ring), the model (red dot), observed (dark dot)."""
    looks = (
        {"symbol": "circle-open", "size": 10, "color": MUTED, "line": {"width": 2}},
        {"size": 9, "color": LOSS},
        {"symbol": "diamond", "size": 9, "color": INK},
    )
    traces = [
        {
            "type": "scatter", "mode": "markers", "name": said, "x": list(values), "y": list(names), "marker": look,
            "hovertemplate": f"<b>%{{y}}</b><br>{said}: %{{x:,.0f}} {unit}<extra></extra>",
        }
        for (said, values), look in zip(series.items(), looks, strict=True)
    ]  # fmt: skip
    layout = _layout(height=130 + ROW_PX * len(names), x_title=unit)
    layout |= {"showlegend": True, "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}}
    layout["yaxis"] |= {"autorange": "reversed", "gridcolor": GRID}
    return Figure(id, title, tuple(traces), layout)


def _layout(*, height: int, x_title: str) -> dict[str, Any]:
    return {
        "height": height,
        "margin": {"l": 8, "r": 16, "t": 12, "b": 44, "pad": 4},
        "font": {"family": "inherit", "size": 12, "color": INK},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "bargap": 0.32,
        "showlegend": False,
        "hoverlabel": {"bgcolor": "white", "bordercolor": MUTED, "font": {"color": INK, "size": 12}, "align": "left"},
        "xaxis": {
            "title": {"text": x_title, "font": {"size": 11, "color": MUTED}},
            "gridcolor": GRID,
            "zerolinecolor": MUTED,
            "tickfont": {"size": 11, "color": MUTED},
            "automargin": True,
            "fixedrange": True,
            "exponentformat": "none",
            "separatethousands": True,
            "nticks": 7,
        },
        "yaxis": {"automargin": True, "tickfont": {"size": 12}, "fixedrange": True, "gridcolor": "white"},
    }
