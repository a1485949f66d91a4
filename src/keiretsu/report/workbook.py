"""The replication pack: one spreadsheet with inputs, weights, costs, elasticities, diversion and results, for an opposing expert.

Where a number follows from others on the same sheet it is a formula, so that the auditor's spreadsheet recomputes it: margin is price
less cost, profit is margin times sales, revenue is price times sales, totals are sums, HHI is the sum of squared shares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from keiretsu.report.headline import headline_table
from keiretsu.report.names import BASELINE, names_of
from keiretsu.report.sections import said_of
from keiretsu.report.tables import Table, table_of
from keiretsu.report.value_sheets import worth_sheets
from keiretsu.report.years import years_sheets
from keiretsu.study.answered import Answer
from keiretsu.study.store import POLICY_TABLES

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

    from keiretsu.study.results import Results

EXCEL_SHEET_NAME = 31  # characters Excel allows
FEW = 100.0  # a figure below it is not rounded where its column has no unit
LARGEST_MATRIX = 150  # products of a market whose elasticities fit on a sheet one can read
_PRODUCT = ("market", "product", "brand", "powertrain", "priced_by", "profit_to")


def write_workbook(results: Results, path: Path) -> Path:
    """Write the replication pack.

    Parameters
    ----------
    path
        An .xlsx file; its folder must exist.
    """
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    names = names_of(results)
    _contents(book, results)
    _plain(book, "headline", headline_table("headline", results.case.title, results.headline, names))
    for name, outcome in results.outcomes.items():
        _products(book, f"cars {name}", outcome.products)
        _firms(book, f"makers {name}", outcome.firms)
    for name, tables in results.owners.items():
        _matrix(book, f"kappa {name}", tables.kappa, "weight that the row's price setter puts on the column's profit")
    for title, matrix, meaning in matrices(results):
        _matrix(book, title, matrix, meaning)
    _hhi(book, results.outcomes[BASELINE].products)
    for name in ("rules", "concentration", "calibration", "diagnostics", *POLICY_TABLES):
        frame: pd.DataFrame = getattr(results, name)
        if len(frame):
            _plain(book, name, table_of(name, name, frame, names=names))
    ahead = (*years_sheets(results.ahead, names), *worth_sheets(results.worth, names)) if isinstance(results, Answer) else ()
    for table in ahead:
        _plain(book, table.id, table)
    for name, frame in results.case.tables.items():
        if len(frame):
            _plain(book, f"input {name}", table_of(name, name, frame, names={}))
    _list_sheets(book)
    book.save(path)
    return path


def matrices(results: Results) -> list[tuple[str, pd.DataFrame, str]]:
    """Elasticities and diversion of each market of the baseline, as title, matrix and meaning."""
    from keiretsu.study.substitution import substitution_tables

    found: list[tuple[str, pd.DataFrame, str]] = []
    for market, tables in substitution_tables(results.base, LARGEST_MATRIX).items():
        found.append((f"elasticity {market}", tables.elasticity, "change in the row's sales in % when the column's price to the buyer rises by 1 %"))
        found.append((f"diversion {market}", tables.diversion, "share of the row's lost buyers who go to the column (outside: who buy nothing)"))
    return found


def _contents(book: Workbook, results: Results) -> None:
    from openpyxl.styles import Alignment

    sheet = book.create_sheet("read me")
    said = (*results.every_sentence, results.basis) if isinstance(results, Answer) else results.sentences
    lines = [
        (results.case.title, ""),
        ("Replication pack", "Sums, margins, profits and HHI are formulas; the rest are values of the run described below, at full precision."),
        *(("", sentence) for sentence in said),
        *((key.replace("_", " "), said_of(value)) for key, value in results.manifest.items()),
    ]
    for line in lines:
        sheet.append(line)
    _head(sheet, 1)
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 34, 110
    for cell in sheet["B"]:
        cell.alignment = Alignment(wrap_text=True, vertical="top")


def _list_sheets(book: Workbook) -> None:
    """Every other sheet by name with a link, below what the first sheet says."""
    from openpyxl.styles import Alignment
    from openpyxl.worksheet.hyperlink import Hyperlink

    sheet = book["read me"]
    sheet.append(("", ""))
    sheet.append(("Sheets", "Rows below the heading"))
    _head(sheet, sheet.max_row)
    for name in book.sheetnames[1:]:
        sheet.append((name, book[name].max_row - 1))
        cell = sheet.cell(sheet.max_row, 1)
        cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"'{name}'!A1")
        cell.style = "Hyperlink"
        sheet.cell(sheet.max_row, 2).alignment = Alignment(horizontal="left")


def _products(book: Workbook, title: str, products: pd.DataFrame) -> None:
    """Cars of one world; margin, revenue and profit are formulas where one firm keeps the plain margin, see the last column."""
    sheet = book.create_sheet(_sheet_name(book, title))
    heads = ["net price, EUR", "marginal cost, EUR", "sales, cars a year", "buyer pays, EUR", "government's take, EUR a year"]
    formulas = ["price less cost, EUR a car", "revenue, EUR a year", "price less cost x sales, EUR a year"]
    solved = ["margin of the run, EUR a car", "profit of the run, EUR a year", "difference, EUR a year", "first-order residual, EUR"]
    sheet.append([*(column.replace("_", " ") for column in _PRODUCT), *heads, *formulas, *solved])
    for number, row in enumerate(products.to_dict("records"), start=2):
        sheet.append(
            [
                *(str(row[column]) for column in _PRODUCT),
                *(float(row[column]) for column in ("price_eur", "cost_eur", "units", "paid_eur", "government_eur")),
                f"=G{number}-H{number}",
                f"=G{number}*I{number}",
                f"=L{number}*I{number}",
                float(row["margin_eur"]),
                float(row["profit_eur"]),
                f"=P{number}-N{number}",
                float(row["residual_eur"]),
            ]
        )
    last = len(products) + 1
    added = set("IKMNPQ")  # prices and unit margins do not add up
    sheet.append(["total", *(f"=SUM({letter}2:{letter}{last})" if letter in added else None for letter in "BCDEFGHIJKLMNOPQ")])
    _format(sheet, {**dict.fromkeys("GHIJKLMNOPQ", "#,##0.00"), "R": "0.0E+00"})


def _firms(book: Workbook, title: str, firms: pd.DataFrame) -> None:
    sheet = book.create_sheet(_sheet_name(book, title))
    sheet.append(["maker", "market", "sales, cars a year", "revenue, EUR a year", "operating profit after splits and fees, EUR a year"])
    for row in firms.to_dict("records"):
        sheet.append([str(row["firm"]), str(row["market"]), *(float(row[c]) for c in ("units", "revenue_eur", "profit_eur"))])
    last = len(firms) + 1
    sheet.append(["total", None, *(f"=SUM({c}2:{c}{last})" for c in "CDE")])
    _format(sheet, dict.fromkeys("CDE", "#,##0.00"))


def _hhi(book: Workbook, products: pd.DataFrame) -> None:
    """HHI in units by market, by formula."""
    sheet = book.create_sheet(_sheet_name(book, "HHI"))
    sheet.append(["market", "price setter", "sales, cars a year", "share of sales", "squared, points"])
    row = 2
    for market, rows in products.groupby("market", sort=False):
        by_firm = rows.groupby("priced_by", sort=True)["units"].sum()
        first, last = row, row + len(by_firm) - 1
        for firm, units in by_firm.items():
            sheet.append([str(market), str(firm), float(units), f"=C{row}/SUM(C${first}:C${last})", f"=10000*D{row}^2"])
            row += 1
        sheet.append([f"HHI {market}", None, f"=SUM(C{first}:C{last})", None, f"=SUM(E{first}:E{last})"])
        row += 1
    _format(sheet, {"C": "#,##0.00", "D": "0.0000", "E": "#,##0.0"})


def _matrix(book: Workbook, title: str, matrix: pd.DataFrame, meaning: str) -> None:
    sheet = book.create_sheet(_sheet_name(book, title))
    sheet.append([meaning, *(str(column) for column in matrix.columns)])
    for label, row in zip(matrix.index, matrix.to_numpy(float), strict=True):
        sheet.append([str(label), *(float(v) for v in row)])
    _format(sheet, {}, first_width=34)
    sheet.freeze_panes = "B2"


def _plain(book: Workbook, title: str, table: Table) -> None:
    """Values as a reader sees them, at full precision and in the unit of the heading."""
    sheet = book.create_sheet(_sheet_name(book, title))
    sheet.append([column.heading() for column in table.columns])
    for row in table.rows:
        sheet.append([value * column.scale if isinstance(value, float) else value for value, column in zip(row, table.columns, strict=True)])
    for row in sheet.iter_rows():
        for cell in row:
            if cell.data_type == "f":  # a text that begins like a formula stays a text
                cell.data_type = "s"
    for column, cells in zip(table.columns, sheet.iter_cols(min_row=2), strict=True):
        shown = "#,##0" + ("." + "0" * column.digits if column.digits else "")
        for cell in cells:
            # a column without a unit may hold figures of several: small ones keep all their digits
            if isinstance(cell.value, float) and (column.unit or abs(cell.value) >= FEW):
                cell.number_format = shown
    if table.note:
        sheet.append([table.note])
    _format(sheet, {})


def _format(sheet: Worksheet, formats: Mapping[str, str], first_width: int = 22) -> None:
    from openpyxl.utils import get_column_letter

    _head(sheet, 1)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    for k in range(1, sheet.max_column + 1):
        letter = get_column_letter(k)
        sheet.column_dimensions[letter].width = first_width if k == 1 else 18
        if letter in formats:
            for cell in sheet[letter][1:]:
                cell.number_format = formats[letter]


def _head(sheet: Worksheet, row: int) -> None:
    from openpyxl.styles import Alignment, Font

    for cell in sheet[row]:
        cell.font = Font(bold=True)
        cell.alignment = Alignment(wrap_text=True, vertical="bottom")


def _sheet_name(book: Workbook, title: str, taken: Sequence[str] = ()) -> str:
    """A name Excel accepts: no punctuation it refuses, 31 characters, not used twice."""
    clean = "".join("-" if c in "[]:*?/\\" else c for c in title)[:EXCEL_SHEET_NAME]
    used = {name.lower() for name in (*book.sheetnames, *taken)}
    number = 2
    name = clean
    while name.lower() in used:
        name = f"{clean[: EXCEL_SHEET_NAME - len(str(number)) - 1]} {number}"
        number += 1
    return name
