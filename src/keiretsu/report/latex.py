"""Tables as LaTeX, for a filing or a paper: booktabs, units under the headings, one file for each table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from keiretsu.report.headline import headline_table
from keiretsu.report.names import names_of
from keiretsu.report.sections import sections_of
from keiretsu.report.tables import Table
from keiretsu.report.wording import MINUS

if TYPE_CHECKING:
    from keiretsu.study.results import Results

_ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
        "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", MINUS: r"$-$",
    }
)  # fmt: skip


def write_latex(results: Results, folder: Path) -> list[Path]:
    """Write the headline and every result table that fits a page as .tex files.

    Parameters
    ----------
    folder
        Made when missing. Each file is a `table` environment; the document needs the package booktabs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = names_of(results)
    tables = [headline_table("headline", results.case.title, results.headline, names)]
    for section in sections_of(results, names, ""):
        if section.id != "inputs":
            tables += [block.content for block in section.blocks if isinstance(block.content, Table)]
    written: list[Path] = []
    for table in tables:
        path = folder / f"{table.id}.tex"
        path.write_text(latex_of(table), encoding="utf-8")
        written.append(path)
    return written


def latex_of(table: Table) -> str:
    """One table as LaTeX."""
    align = "".join("l" if column.kind == "text" else "r" for column in table.columns)
    heads = " & ".join(_tex(column.text) for column in table.columns)
    units = " & ".join(_tex(f"({column.unit})") if column.unit else "" for column in table.columns)
    rows = [
        " & ".join(
            "" if value is None and column.kind == "text" else _tex(column.show(value)) for value, column in zip(row, table.columns, strict=True)
        )
        for row in table.rows
    ]
    body = " \\\\\n".join(rows)
    note = f"\n\\par\\smallskip\\footnotesize {_tex(table.note)}" if table.note else ""
    return (
        f"\\begin{{table}}\n\\centering\n\\caption{{{_tex(table.title)}}}\n\\label{{tab:{table.id}}}\n"
        f"\\begin{{tabular}}{{{align}}}\n\\toprule\n{heads} \\\\\n{units} \\\\\n\\midrule\n{body} \\\\\n\\bottomrule\n\\end{{tabular}}{note}\n\\end{{table}}\n"
    )


def _tex(text: str) -> str:
    return text.translate(_ESCAPES)
