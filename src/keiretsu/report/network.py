"""The network of owners as a drawing: holders above, what they hold below, a line for each stake.

Only the part around the companies in question is drawn: those whose stakes differ between the two worlds, everybody within one step of
them, and the chains above. Companies that hold each other stand side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import pandas as pd

from keiretsu.valuation.odds import percent

ROW, BOX, TALL, STEP = 116, 108, 38, 122
NARROWEST = 500  # px
HELD, NEW, GONE = "#8a94a0", "#1f5a8a", "#b8432f"

Stakes = Mapping[tuple[str, str], float]


@dataclass(frozen=True)
class Placed:
    """Where a box stands: its centre, and its row counted from the top."""

    x: float
    y: float
    row: int


def stakes_of(direct: pd.DataFrame, share: str = "cash_flow") -> dict[tuple[str, str], float]:
    """Stakes (holder, company) -> share of profit, from a table of direct stakes."""
    return {(str(h), str(c)): float(s) for h, c, s in zip(direct["holder"], direct["company"], direct[share], strict=True) if float(s) > 0}


def changed_companies(before: Stakes, after: Stakes) -> set[str]:
    """Companies somebody's stake in which differs between two worlds, and those holders."""
    return {name for pair in before.keys() | after.keys() if abs(before.get(pair, 0.0) - after.get(pair, 0.0)) > 1e-12 for name in pair}


def around(companies: set[str], before: Stakes, after: Stakes, *, at_least: float = 0.02) -> dict[str, list[tuple[str, str]]]:
    """Stakes worth drawing, before and after: those in or of the companies, from a share of `at_least` upwards."""
    near = set(companies)
    for holder, company in before.keys() | after.keys():
        if holder in companies:
            near.add(company)
    return {
        when: [pair for pair, share in stakes.items() if pair[1] in near and (share >= at_least or pair[0] in companies)]
        for when, stakes in (("before", before), ("after", after))
    }


def draw(title: str, pairs: Sequence[tuple[str, str]], stakes: Stakes, other: Stakes, names: Mapping[str, str], places: Mapping[str, Placed]) -> str:
    """One SVG drawing; stakes that differ from the `other` world are coloured and heavier."""
    height = max((p.y for p in places.values()), default=0.0) + TALL / 2 + 26  # room for the arc of a ring
    lines, labels = [], []
    taken: list[tuple[float, float]] = []
    for holder, company in pairs:
        share, was = stakes[(holder, company)], other.get((holder, company), 0.0)
        differs = abs(share - was) > 1e-12
        line, at = _line(
            places[holder], places[company], f"{names.get(holder, holder)} holds {percent(share, 1)} of {names.get(company, company)}", share, differs
        )
        lines.append(line)
        while any(abs(at[0] - x) < 38 and abs(at[1] - y) < 13 for x, y in taken):
            at = (at[0], at[1] + 13)
        taken.append(at)
        colour, weight = (NEW, 700) if differs else ("#4a5562", 400)
        labels.append(
            f'<text x="{at[0]:.0f}" y="{at[1]:.0f}" class="share" fill="{colour}" font-weight="{weight}" text-anchor="middle">{_per_cent(share)}</text>'
        )
    in_drawing = {name for pair in pairs for name in pair}
    width = width_of(places)
    companies = {company for _, company in pairs}
    boxes = [_box(place, names.get(name, name), name in companies) for name, place in places.items() if name in in_drawing]
    return (
        f'<svg viewBox="0 0 {width} {height:.0f}" role="img" aria-label="{escape(title)}" class="network">'
        + "".join(lines)
        + "".join(boxes)
        + "".join(labels)
        + "</svg>"
    )


def arrange(pairs: Sequence[tuple[str, str]]) -> dict[str, Placed]:
    """Rows by the longest chain of holders above; companies in a ring share a row; order within a row follows the holders' middle."""
    nodes = list(dict.fromkeys(name for pair in sorted(pairs) for name in pair))
    reach = {n: _below(n, pairs) for n in nodes}
    ring = {n: frozenset({n} | {m for m in reach[n] if n in reach[m]}) for n in nodes}
    row: dict[frozenset[str], int] = {}

    def depth(group: frozenset[str]) -> int:
        if group not in row:
            above = {ring[h] for h, c in pairs if c in group and h not in group}
            row[group] = 1 + max((depth(g) for g in above), default=-1)
        return row[group]

    rows: dict[int, list[str]] = {}
    for n in nodes:
        rows.setdefault(depth(ring[n]), []).append(n)
    # a holder with nothing above stands right over what it holds, not at the very top
    for n in list(rows.get(0, [])):
        below = [depth(ring[c]) for h, c in pairs if h == n]
        if len(ring[n]) == 1 and below and min(below) - 1 > 0:
            rows[0].remove(n)
            rows.setdefault(min(below) - 1, []).append(n)
    placed: dict[str, Placed] = {}
    order = {n: k / max(len(nodes), 1) for k, n in enumerate(nodes)}
    for _ in range(6):
        for level in sorted(rows):
            rows[level].sort(key=lambda n: (_middle(n, pairs, order), n))
            for k, n in enumerate(rows[level]):
                order[n] = (k + 0.5) / len(rows[level])
    width = max([NARROWEST, *(STEP * len(members) for members in rows.values())])
    for line, level in enumerate(sorted(k for k in rows if rows[k])):
        for k, n in enumerate(rows[level]):
            placed[n] = Placed(width * (k + 0.5) / len(rows[level]), 28 + ROW * line, line)
    return placed


def width_of(places: Mapping[str, Placed]) -> int:
    """Width of the drawing in px."""
    rows = [place.row for place in places.values()]
    return max([NARROWEST, *(STEP * rows.count(row) for row in set(rows))])


def _below(name: str, pairs: Sequence[tuple[str, str]]) -> set[str]:
    seen: set[str] = set()
    todo = [name]
    while todo:
        here = todo.pop()
        for holder, company in pairs:
            if holder == here and company not in seen:
                seen.add(company)
                todo.append(company)
    return seen


def _middle(name: str, pairs: Sequence[tuple[str, str]], order: Mapping[str, float]) -> float:
    near = [order[h] for h, c in pairs if c == name and h != name] + [order[c] for h, c in pairs if h == name and c != name]
    return sum(near) / len(near) if near else order[name]


def _line(a: Placed, b: Placed, said: str, share: float, differs: bool) -> tuple[str, tuple[float, float]]:
    colour = NEW if differs else HELD
    width = 1.2 + 5.0 * share
    if a.row == b.row:  # side by side: an arc above for one direction, below for the other
        lift = -1 if a.x < b.x else 1
        x1, x2 = a.x + BOX / 2 * (1 if a.x < b.x else -1), b.x - BOX / 2 * (1 if a.x < b.x else -1)
        y = a.y + 8 * lift
        path = f"M{x1:.0f},{y:.0f} C{x1 + (x2 - x1) * 0.25:.0f},{y + 30 * lift:.0f} {x1 + (x2 - x1) * 0.75:.0f},{y + 30 * lift:.0f} {x2:.0f},{y:.0f}"
        at = ((x1 + x2) / 2, y + 23 * lift + 4)
    else:
        down = 1 if a.y < b.y else -1
        y1, y2 = a.y + down * TALL / 2, b.y - down * TALL / 2
        bend = (y2 - y1) * 0.45
        path = f"M{a.x:.0f},{y1:.0f} C{a.x:.0f},{y1 + bend:.0f} {b.x:.0f},{y2 - bend:.0f} {b.x:.0f},{y2:.0f}"
        t = 0.42
        at = (a.x + (b.x - a.x) * (3 * t * t - 2 * t**3), y1 + (y2 - y1) * t + 4)
    drawn = f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width:.1f}" stroke-opacity="{0.9 if differs else 0.55}">'
    return drawn + f"<title>{escape(said)}</title></path>", at


def _box(place: Placed, name: str, is_company: bool) -> str:
    style = 'fill="#ffffff" stroke="#1b2330"' if is_company else 'fill="#f1f3f6" stroke="#c3cad3"'
    x, y = place.x - BOX / 2, place.y - TALL / 2
    box = f'<g><title>{escape(name)}</title><rect x="{x:.0f}" y="{y:.0f}" width="{BOX}" height="{TALL}" rx="4" {style}/>'
    lines = _wrap(name)
    first = place.y + 4 - 6.5 * (len(lines) - 1)
    texts = [
        f'<text x="{place.x:.0f}" y="{first + 13 * k:.0f}" text-anchor="middle" class="who" font-weight="{600 if is_company else 400}">{escape(line)}</text>'
        for k, line in enumerate(lines)
    ]
    return box + "".join(texts) + "</g>"


def _wrap(name: str, most: int = 17) -> list[str]:
    lines = [""]
    for word in name.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > most:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    if len(lines) > 2:
        lines = [lines[0], lines[1][: most - 1].rstrip() + "…"]
    return [line if len(line) <= most else line[: most - 1] + "…" for line in lines]


def _per_cent(share: float) -> str:
    return percent(share, 1) if share < 0.9995 else "100 %"
