"""What is written to disk: LaTeX, the replication pack, arrays and tables; whole or not at all."""

import dataclasses
import json

import openpyxl
import pandas as pd
import pytest
import xarray as xr

from keiretsu.errors import InputError
from keiretsu.report import latex, workbook
from keiretsu.study import store
from keiretsu.study.results import Results


def test_the_replication_pack_recomputes_profit_from_price_cost_and_sales(results, tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "matrices", lambda results: [])  # needs solved markets, which the made-up run has not
    book = openpyxl.load_workbook(workbook.write_workbook(results, tmp_path / "pack.xlsx"))
    sheet = book["cars baseline"]
    head = [cell.value for cell in sheet[1]]
    row = dict(zip(head, (cell.value for cell in sheet[2]), strict=True))
    assert row["price less cost, EUR a car"] == "=G2-H2"
    assert row["price less cost x sales, EUR a year"] == "=L2*I2"
    assert [head[6], head[7], head[8], head[11]] == ["net price, EUR", "marginal cost, EUR", "sales, cars a year", "price less cost, EUR a car"]
    by_hand = (row["net price, EUR"] - row["marginal cost, EUR"]) * row["sales, cars a year"]
    assert by_hand == pytest.approx(row["profit of the run, EUR a year"], rel=1e-12)  # the made-up run has no splits
    assert {"kappa baseline", "HHI", "input products", "headline", "diagnostics"} <= set(book.sheetnames)


def test_a_text_that_begins_like_a_formula_stays_a_text(results, tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "matrices", lambda results: [])
    headline = results.headline.assign(note="=1+1")
    book = openpyxl.load_workbook(workbook.write_workbook(type(results)(**{**vars(results), "headline": headline}), tmp_path / "pack.xlsx"))
    assert [cell.data_type for cell in book["headline"][2] if cell.value == "=1+1"] == ["s"]


def test_the_first_sheet_lists_every_other_one_with_a_link(results, tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "matrices", lambda results: [])
    book = openpyxl.load_workbook(workbook.write_workbook(results, tmp_path / "pack.xlsx"))
    links = {cell.value: cell.hyperlink.location for cell in book["read me"]["A"] if cell.hyperlink}
    assert list(links) == book.sheetnames[1:]
    assert links["cars baseline"].replace("'", "") == "cars baseline!A1"


def test_figures_are_shown_with_the_digits_of_the_page_and_kept_with_all_of_theirs(results, tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "matrices", lambda results: [])
    book = openpyxl.load_workbook(workbook.write_workbook(results, tmp_path / "pack.xlsx"))
    sheet = book["headline"]
    column = next(k for k, cell in enumerate(sheet[1]) if cell.value == "Buyers' surplus, EUR m a year")
    cell = sheet[2][column]
    assert cell.number_format == "#,##0.0"
    assert cell.value == pytest.approx(results.headline["surplus_change_eur_m"].iloc[0], rel=1e-7)  # eight digits are written


def test_latex_says_what_the_page_says(results, tmp_path):
    written = {path.name: path.read_text("utf-8") for path in latex.write_latex(results, tmp_path / "tex")}
    assert "headline.tex" in written
    assert r"A \textless{}five-seater\textgreater{} under each brand" in written["headline.tex"]
    assert "+912.6" in written["headline.tex"] and "$-$0.42" in written["headline.tex"]


def test_results_read_back_from_disk_are_the_results(results, tmp_path):
    store.save_results(results, tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text("utf-8"))
    assert manifest["case_hash"] == "0" * 64
    for name in manifest["files"]:
        assert (tmp_path / name).is_file()
    cars = pd.read_csv(tmp_path / "tables" / "baseline" / "products.csv")
    assert cars["sales_cars_per_year"].sum() == pytest.approx(results.base.products["units"].sum(), rel=1e-12)
    with xr.open_dataset(tmp_path / "arrays.nc", engine="scipy") as arrays:
        for name, outcome in results.outcomes.items():
            one = arrays["operating_profit_eur"].sel(scenario=name)
            assert float(one.sum()) == pytest.approx(outcome.firms["profit_eur"].sum(), rel=1e-12)
        assert bool(arrays["on_sale"].all())
        assert arrays["price_eur"].attrs["units"] == "EUR"


def test_tables_drafted_early_are_those_written_late_but_for_one_that_has_changed_since(results, tmp_path):
    def changed(**fields):  # the made-up run has not every field of one
        return type(results)(**{**dict.fromkeys(one.name for one in dataclasses.fields(Results)), **vars(results), **fields})

    drafted = store.draft_of(changed())

    late = changed(manifest={**results.manifest, "late": True}, unsettled=results.unsettled.assign(more=1))
    for name, draft in (("anew", None), ("drafted", drafted)):
        (tmp_path / name).mkdir()
        store.save_results(late, tmp_path / name, draft)
    files = [path.relative_to(tmp_path / "anew") for path in sorted((tmp_path / "anew").rglob("*.*"))]
    assert len(files) > 20
    assert all((tmp_path / "anew" / path).read_bytes() == (tmp_path / "drafted" / path).read_bytes() for path in files)
    assert drafted.serves("headline", late) and not drafted.serves("unsettled", late)
    assert not drafted.serves("headline", changed(headline=results.headline.copy()))


def test_every_column_of_numbers_on_disk_says_its_unit():
    assert store.column_on_disk("units_change") == "sales_cars_per_year_change"
    assert store.column_on_disk("units_change_percent") == "sales_cars_per_year_change_percent"
    assert store.column_on_disk("price_eur") == "price_eur"


def test_an_interrupted_run_leaves_the_earlier_results_and_nothing_else(tmp_path):
    target = tmp_path / "ampere"
    with store.whole_folder(target) as draft:
        (draft / store.MANIFEST).write_text("first")
    with pytest.raises(KeyboardInterrupt), store.whole_folder(target) as draft:
        (draft / store.MANIFEST).write_text("second")
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["ampere"]
    assert (target / store.MANIFEST).read_text() == "first"


def test_later_results_replace_earlier_ones_whole(tmp_path):
    target = tmp_path / "ampere"
    for text in ("first", "second"):
        with store.whole_folder(target) as draft:
            (draft / store.MANIFEST).write_text(text)
            (draft / text).touch()
    assert sorted(path.name for path in target.iterdir()) == [store.MANIFEST, "second"]
    assert [path.name for path in tmp_path.iterdir()] == ["ampere"]


def test_a_folder_with_something_else_in_it_is_never_written_over(tmp_path):
    (tmp_path / "thesis.tex").write_text("ten years of work")
    with pytest.raises(InputError, match="something else"), store.whole_folder(tmp_path):
        pass
    assert (tmp_path / "thesis.tex").read_text() == "ten years of work"
