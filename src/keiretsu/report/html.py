"""One self-contained page: style, script, figures and tables inside; nothing is fetched when it is opened."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keiretsu.report.figures import Figure
from keiretsu.report.names import names_of
from keiretsu.report.sections import Section, sections_of
from keiretsu.report.tables import Table

if TYPE_CHECKING:
    from keiretsu.study.results import Results

PAGE = files("keiretsu.report") / "page"


def write_report(results: Results, path: Path) -> Path:
    """Write the page of a run.

    Parameters
    ----------
    path
        File to write; its folder must exist.
    """
    path.write_text(page_of(results), encoding="utf-8")
    return path


def page_of(results: Results) -> str:
    """The page as text."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    names = names_of(results)
    shown = first_shown(results)
    sections = sections_of(results, names, shown)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((PAGE / "report.html.j2").read_text("utf-8"))
    plain = [_without_autoescape(section) for section in sections]
    return template.render(
        title=results.case.title,
        kicker="keiretsu report",
        as_of=f"Seen from {results.case.as_of:%d %B %Y}; prices and sales of {results.case.year}.".replace("from 0", "from "),
        sections=plain,
        scenarios=results.scenarios,
        shown=shown,
        footer="Each year is a static equilibrium: makers set prices knowing each other's and do not look ahead.",
        style=Markup((PAGE / "style.css").read_text("utf-8")),
        script=Markup((PAGE / "page.js").read_text("utf-8")),
        plotly=Markup(get_plotlyjs()),
        content=Markup(_content(sections)),
    )


def first_shown(results: Results) -> str:
    """The scenario the page opens with: the one the manifest calls the headline, else the first that has a comparison."""
    named = str(results.manifest.get("headline_scenario", ""))
    compared = [scenario.name for scenario in results.scenarios if scenario.name in results.comparisons]
    return named if named in compared else compared[0] if compared else ""


def _content(sections: Sequence[Section]) -> str:
    contents = {block.id: block.content for section in sections for block in section.blocks}.values()
    tables = [c.spec() for c in contents if isinstance(c, Table)]
    words: dict[str, int] = {}
    for table in tables:
        _number_words(table, words)
    specs = {
        "tables": tables,
        "words": list(words),
        "figures": [c.spec() for c in contents if isinstance(c, Figure)],
    }
    # "<" would let a name in the data close the script element
    return json.dumps(specs, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _number_words(table: dict[str, Any], words: dict[str, int]) -> None:
    """Words in columns of words become their place in one list for the whole page, which says each of them once."""
    texts = [j for j, column in enumerate(table["columns"]) if column["kind"] == "text"]
    for row in table["rows"]:
        for j in texts:
            if isinstance(row[j], str):
                row[j] = words.setdefault(row[j], len(words))


def _without_autoescape(section: Section) -> dict[str, object]:
    from markupsafe import Markup

    blocks = [
        {
            "kind": b.kind,
            "id": b.id,
            "title": b.title,
            "note": b.note,
            "height": b.height,
            "rows": b.rows,
            "scenario": b.scenario,
            "html": Markup(b.html),
        }
        for b in section.blocks
    ]
    return {"id": section.id, "title": section.title, "lead": section.lead, "by_scenario": section.by_scenario, "blocks": blocks}
