"""A stranger's first hour: a new case, its check, its run, what lies on disk afterwards, and an interrupted run."""

# pyright: reportArgumentType=false, reportCallIssue=false
# (what a cell of a table may be is not known before it is looked at)

import json
import re
import sys

import openpyxl
import pandas as pd
import pytest

from keiretsu.cli import main


def typed(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["keiretsu", *words])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("journey")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder)
        assert typed(monkeypatch, "new", "mine") == 0
        assert typed(monkeypatch, "check", "mine") == 0
        assert typed(monkeypatch, "run", "mine", "--export", "pack.xlsx", "--latex", "tex") == 0
    return folder


def test_the_report_answers_the_question_of_the_new_case(ran):
    page = (ran / "runs" / "mine" / "report.html").read_text("utf-8")
    assert "Alpha takes over Delta" in page
    assert page.index('id="answer"') < page.index('id="owners"')


def test_a_merger_raises_the_prices_of_both_merging_firms(ran):
    tables = ran / "runs" / "mine" / "tables"
    prices = pd.read_csv(tables / "merger" / "change_prices.csv")
    merging = prices[prices["priced_by"].isin(["Alpha", "Delta"])]
    assert len(merging) == 4
    assert (merging["price_eur_change"] > 0).all()


def test_the_baseline_on_disk_sells_what_was_observed(ran):
    solved = pd.read_csv(ran / "runs" / "mine" / "tables" / "baseline" / "products.csv").set_index("product")
    observed = pd.read_csv(ran / "mine" / "products.csv").set_index("product")
    # shares are inverted to 1e-12 or so and prices solved to far below a cent; a car in a million is generous to both
    assert solved["sales_cars_per_year"].to_numpy() == pytest.approx(observed["units"].reindex(solved.index).to_numpy(), rel=1e-6)


def test_claims_of_owners_on_disk_add_up_to_operating_profit(ran):
    tables = ran / "runs" / "mine" / "tables"
    for scenario in ("baseline", "merger", "quarter"):
        claims = pd.read_csv(tables / scenario / "owners.csv")["claim_eur"].sum()
        profit = pd.read_csv(tables / scenario / "firms.csv")["profit_eur"].sum()
        assert claims == pytest.approx(profit, rel=1e-10)  # the same sum in another order


def test_every_file_the_manifest_names_is_there_with_its_columns(ran):
    folder = ran / "runs" / "mine"
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert re.fullmatch("[0-9a-f]{64}", manifest["case_hash"])
    for name, about in manifest["files"].items():
        assert (folder / name).is_file()
        if name.endswith(".csv"):
            assert list(pd.read_csv(folder / name, nrows=0).columns) == about["columns"]


def test_elasticities_in_the_pack_say_that_demand_falls_in_its_own_price_and_diversion_adds_up(ran):
    book = openpyxl.load_workbook(ran / "pack.xlsx")
    elasticity = [[cell.value for cell in row[1:]] for row in book["elasticity market"].iter_rows(min_row=2)]
    assert all(row[k] < -1 for k, row in enumerate(elasticity))  # a firm prices where demand is elastic
    assert all(value > 0 for k, row in enumerate(elasticity) for j, value in enumerate(row) if j != k)
    diversion = [[cell.value for cell in row[1:]] for row in book["diversion market"].iter_rows(min_row=2)]
    assert [sum(row) for row in diversion] == pytest.approx([1.0] * len(diversion), abs=1e-12)


def test_latex_tables_are_written(ran):
    assert "Alpha takes over Delta" in (ran / "tex" / "headline.tex").read_text("utf-8")


def test_ctrl_c_leaves_nothing_half_written(ran, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("keiretsu.study.store.save_results", interrupted)
    assert typed(monkeypatch, "run", str(ran / "mine"), "--out", "results") == 130
    assert "nothing was written" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_owners_before_and_after_a_deal_are_shown_without_solving_a_market(ran, monkeypatch, capsys):
    monkeypatch.chdir(ran)
    monkeypatch.setenv("COLUMNS", "160")
    assert typed(monkeypatch, "owners", "mine", "--after", "quarter") == 0
    said = capsys.readouterr().out
    line = next(line for line in said.splitlines() if line.split()[:3] == ["Alpha", "company", "Delta"] and "+25.00" in line)
    assert "25.00" in line


def test_a_merger_and_a_quarter_stake_push_prices_in_proportion(ran, monkeypatch, capsys):
    monkeypatch.chdir(ran)
    monkeypatch.setenv("COLUMNS", "160")
    assert typed(monkeypatch, "concentration", "mine", "--pair", "Alpha:Delta", "--after", "quarter") == 0
    said = capsys.readouterr().out
    whole, part = said.split("Pressure on prices: Alpha buys")
    pressure = [
        float(next(line for line in text.splitlines() if "Alpha  " in line and "market" in line).split()[2])
        for text in (whole.split("were one")[1], part)
    ]
    assert pressure[1] == pytest.approx(pressure[0] / 4, abs=0.006)  # two digits are shown
