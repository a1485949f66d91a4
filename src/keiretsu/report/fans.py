"""Figures over years: a mean with its band in small panels side by side, each panel in its own unit; points of others beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from keiretsu.report.figures import CHANNEL_COLOURS, GAIN, GRID, INK, LOSS, MUTED, Figure
from keiretsu.report.wording import Label

PANEL_PX, TITLE_PX, TICKS_PX = 150, 30, 26
MARGIN_TOP, MARGIN_BOTTOM = 34, 8
BAND, SURE = "rgba(31,90,138,0.16)", "rgba(31,90,138,0.34)"
MARKS = ("diamond", "square", "triangle-up", "cross")


@dataclass(frozen=True)
class Path:
    """A mean over years with its error and its band; no band where `low` is empty. `half95` of zero is an error that is not known."""

    years: Sequence[int]
    mean: Sequence[float]
    half95: Sequence[float] = ()
    low: Sequence[float] = ()
    high: Sequence[float] = ()


@dataclass(frozen=True)
class Panel:
    """One panel: its title and unit (in `label`), a path, and points by who stated them."""

    label: Label
    path: Path
    points: Mapping[str, tuple[Sequence[int], Sequence[float]]] = field(default_factory=dict[str, tuple[Sequence[int], Sequence[float]]])
    zero: bool = False  # whether nothing (no change) is drawn as a line of its own
    logarithmic: bool = False
    name: str = "mean"


def fan_panels(id: str, title: str, panels: Sequence[Panel], *, columns: int = 2, note: str = "") -> Figure:
    """Panels in rows of `columns`: mean as a line, its 95 % interval and eight futures of ten as bands around it."""
    rows = -(-len(panels) // columns)
    height = rows * (PANEL_PX + TITLE_PX + TICKS_PX) + MARGIN_TOP + MARGIN_BOTTOM
    traces: list[dict[str, Any]] = []
    layout = _layout(height)
    layout["annotations"] = []
    said: dict[str, int] = {}
    others = list(dict.fromkeys(who for panel in panels for who in panel.points))
    gap = 0.09 if columns > 1 else 0.0
    wide, tall = (1.0 - gap * (columns - 1)) / columns, 1.0 / rows
    px = 1.0 / (height - MARGIN_TOP - MARGIN_BOTTOM)
    for k, panel in enumerate(panels):
        row, column = divmod(k, columns)
        number = "" if k == 0 else str(k + 1)
        x, y = f"x{number}", f"y{number}"
        left, top = column * (wide + gap), 1.0 - row * tall
        drawn = _drawn(panel, said, others)
        traces += [trace | {"xaxis": x, "yaxis": y} for trace in drawn]
        step = 5 if _span(panel) > 8 else 1
        layout[f"xaxis{number}"] = _axis() | {
            "domain": [left, left + wide],
            "anchor": y,
            "dtick": step,
            "tick0": 2000,
            "tickformat": "d",
            "separatethousands": False,
        }
        layout[f"yaxis{number}"] = _axis() | {
            "domain": [top - tall + TICKS_PX * px, top - TITLE_PX * px], "anchor": x, "zeroline": panel.zero, "zerolinecolor": MUTED, "nticks": 5,
        }  # fmt: skip
        if panel.logarithmic:
            layout[f"yaxis{number}"] |= {"type": "log", "tickvals": _decades(panel), "tickformat": ",d"}
        layout["annotations"].append(
            {
                "text": f"<b>{panel.label.text}</b>, {panel.label.unit}", "x": left, "y": top - (TITLE_PX - 6) * px, "xref": "paper", "yref": "paper", "xanchor": "left",
                "yanchor": "bottom", "showarrow": False, "font": {"size": 12, "color": INK}, "align": "left",
            }
        )  # fmt: skip
    return Figure(id, title, tuple(traces), layout, note)


def _drawn(panel: Panel, said: dict[str, int], others: Sequence[str]) -> list[dict[str, Any]]:
    """Traces of a panel; each name stands in the legend once for the whole figure."""
    path, label = panel.path, panel.label

    def trace(name: str, more: dict[str, Any], *, legend: bool = True) -> dict[str, Any]:
        first = legend and name not in said
        if legend:
            said.setdefault(name, len(said))
        return {"type": "scatter", "name": name, "legendgroup": name, "showlegend": first} | more

    scaled = {name: [float(v) * label.scale for v in getattr(path, name)] for name in ("mean", "half95", "low", "high")}
    years = list(path.years)
    found: list[dict[str, Any]] = []
    if scaled["low"]:
        found.append(trace("eight futures of ten", _region(years, scaled["low"], scaled["high"], BAND)))
    if scaled["half95"] and max(scaled["half95"]) > 0:
        low = [m - e for m, e in zip(scaled["mean"], scaled["half95"], strict=True)]
        high = [m + e for m, e in zip(scaled["mean"], scaled["half95"], strict=True)]
        found.append(trace("95 % interval of the mean", _region(years, low, high, SURE)))
    found.append(
        trace(
            panel.name,
            {"mode": "lines", "x": years, "y": scaled["mean"], "line": {"color": GAIN, "width": 2}, "hovertext": _hover(panel), "hoverinfo": "text"},
        )
    )
    for who, (when, values) in panel.points.items():
        k = others.index(who)
        look = {"symbol": MARKS[k % len(MARKS)], "size": 9, "color": (LOSS, *CHANNEL_COLOURS[1:4], INK)[k % 5]}
        shown = [float(v) * label.scale for v in values]
        text = [f"<b>{who}</b><br>{year}: {label.show(v)} {label.unit}" for year, v in zip(when, values, strict=True)]
        found.append(trace(who, {"mode": "markers", "x": list(when), "y": shown, "marker": look, "hovertext": text, "hoverinfo": "text"}))
    return found


def _region(years: list[int], low: list[float], high: list[float], colour: str) -> dict[str, Any]:
    return {
        "mode": "lines", "x": [*years, *reversed(years)], "y": [*low, *reversed(high)], "fill": "toself", "fillcolor": colour, "line": {"width": 0},
        "hoverinfo": "skip",
    }  # fmt: skip


def _hover(panel: Panel) -> list[str]:
    label, path = panel.label, panel.path
    texts = []
    for k, year in enumerate(path.years):
        text = f"<b>{label.text}, {year}</b><br>{label.show(path.mean[k])} {label.unit}"
        if path.half95 and path.half95[k] > 0:
            text += f" ± {Label('', digits=label.digits, scale=label.scale).show(path.half95[k])}"
        if path.low:
            text += f"<br>eight futures of ten: {label.show(path.low[k])} to {label.show(path.high[k])}"
        texts.append(text)
    return texts


def _span(panel: Panel) -> int:
    years = [*panel.path.years, *(year for when, _ in panel.points.values() for year in when)]
    return max(years) - min(years)


def _decades(panel: Panel) -> list[float]:
    """Ticks of a logarithmic axis: 1, 2 and 5 times powers of ten."""
    values = [v * panel.label.scale for v in [*panel.path.mean, *(v for _, own in panel.points.values() for v in own)]]
    return [m * 10.0**d for d in range(-3, 7) for m in (1, 2, 5) if min(values) / 2.5 <= m * 10.0**d <= max(values) * 2.5]


def _axis() -> dict[str, Any]:
    return {
        "gridcolor": GRID, "tickfont": {"size": 11, "color": MUTED}, "fixedrange": True, "automargin": True, "exponentformat": "none", "separatethousands": True,
        "zeroline": False,
    }  # fmt: skip


def _layout(height: int) -> dict[str, Any]:
    return {
        "height": height, "margin": {"l": 8, "r": 12, "t": MARGIN_TOP, "b": MARGIN_BOTTOM, "pad": 2}, "font": {"family": "inherit", "size": 12, "color": INK},
        "paper_bgcolor": "white", "plot_bgcolor": "white", "showlegend": True, "hoverlabel": {"bgcolor": "white", "bordercolor": MUTED, "font": {"color": INK, "size": 12}, "align": "left"},
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "top", "x": 0, "font": {"size": 11}, "yref": "container"},
    }  # fmt: skip
