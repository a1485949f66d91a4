"""The first case that `keiretsu new` writes, the page that the schema writes, and the embedded case."""

from __future__ import annotations

from pathlib import Path

import pytest

from keiretsu.case import TABLES, check_case, embedded_cases, find_case, load_case, schema_markdown, write_new_case
from keiretsu.case.settings import CHARACTERISTICS
from keiretsu.errors import CaseError
from keiretsu.market.characteristics import CHARACTERISTICS as COMPUTED

PAGE = Path(__file__).parents[2] / "docs" / "case.md"


def test_a_new_case_checks_clean_and_carries_two_scenarios(tmp_path: Path) -> None:
    checked = check_case(write_new_case("first", tmp_path))
    assert not checked.problems
    assert not checked.warnings
    assert checked.case is not None
    assert checked.case.name == "first"
    assert [scenario.name for scenario in checked.case.scenarios] == ["merger", "quarter"]
    assert set(checked.case.companies["company"]) == {"Alpha", "Beta", "Gamma", "Delta", "Epsilon"}


def test_a_new_case_is_never_written_over_another_one(tmp_path: Path) -> None:
    folder = write_new_case("first", tmp_path)
    (folder / "products.csv").write_text("mine")
    with pytest.raises(CaseError, match="exists already"):
        write_new_case("first", tmp_path)
    assert (folder / "products.csv").read_text() == "mine"


@pytest.mark.parametrize("name", ["", "../elsewhere", "a/b", ".hidden", "with space"])
def test_a_new_case_has_a_name_that_can_be_a_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="not a name for a case"):
        write_new_case(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_case_is_found_by_its_folder_and_by_its_file(tmp_path: Path) -> None:
    folder = write_new_case("first", tmp_path)
    assert load_case(folder).hash == load_case(str(folder / "case.toml")).hash


def test_an_empty_folder_does_not_hide_an_embedded_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ampere").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_case("ampere") != (tmp_path / "ampere").resolve()


def test_the_page_on_case_folders_says_what_the_program_reads() -> None:
    renew = "python -c \"import keiretsu.case as c; open('docs/case.md', 'w').write(c.schema_markdown())\""
    assert PAGE.read_text(encoding="utf-8") == schema_markdown(), f"write it again: {renew}"


def test_every_column_has_a_meaning_and_stands_once() -> None:
    for table in TABLES.values():
        assert len(set(table.names)) == len(table.names)
        assert all(column.meaning for column in table.columns)
        assert set(table.key) <= set(table.names)
        for column in table.columns:
            assert all(name in TABLES for name in column.refers)


def test_characteristics_a_case_may_name_are_those_that_the_market_computes() -> None:
    assert tuple(COMPUTED) == CHARACTERISTICS


def test_the_embedded_case_has_no_problems() -> None:
    assert "ampere" in embedded_cases()
    assert [str(problem) for problem in check_case("ampere").problems] == []


def test_every_figure_of_the_embedded_case_has_a_source_and_a_confidence() -> None:
    case = load_case("ampere")
    for name, table in TABLES.items():
        if "confidence" in table.names and name != "sources":
            assert "unstated" not in set(case.tables[name]["confidence"]), name
            assert (case.tables[name]["source"] != "").all(), name
