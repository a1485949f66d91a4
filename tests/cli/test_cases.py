"""Commands about case folders, as typed."""

import pytest


def test_a_new_case_has_no_problems(keiretsu, tmp_path):
    assert keiretsu("new", "mine").returncode == 0
    checked = keiretsu("check", "mine")
    assert checked.returncode == 0, checked.stderr
    assert "No problems." in checked.stdout


def test_all_problems_of_a_case_are_said_at_once_with_their_rows_and_without_a_traceback(keiretsu, tmp_path):
    keiretsu("new", "mine")
    products = tmp_path / "mine" / "products.csv"
    lines = products.read_text().splitlines()
    lines[1] = lines[1].replace("18.5", "-18.5")
    lines[3] = lines[3].replace("55000", "many")
    products.write_text("\n".join(lines) + "\n")
    for command in ("check", "run"):
        done = keiretsu(command, "mine")
        assert done.returncode == 2
        assert "products.csv" in done.stderr and "-18.5" in done.stderr and "many" in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "nowhere"), "no such case"),
        (("owners", "mine", "--as-of", "yesterday"), "not a date"),
        (("concentration", "mine", "--pair", "Alpha"), "not a pair of companies"),
        (("run", "mine", "--export", "pack.csv"), ".xlsx"),
        (("run", "mine", "--scenario", "none"), "no such scenario"),
        (("run", "mine", "--scenario", "merge"), "did you mean merger?"),
        (("run", "mine", "--consumers", "-5", "--until", "2026"), "consumers are counted"),
        (("sensitivity", "mine", "--of", "Alpha profit"), "nothing is uncertain"),
        (("alliances", "mine"), "no partners are named"),
        (("timing", "mine"), "no scenario launches a car"),
    ],
)
def test_a_wrong_request_is_answered_in_a_sentence_with_status_two(keiretsu, words, said):
    keiretsu("new", "mine")
    done = keiretsu(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_scenarios_of_a_case_are_listed_with_their_questions(keiretsu, tmp_path):
    keiretsu("new", "mine")
    listed = keiretsu("scenarios", "mine").stdout
    assert "merger" in listed and "Alpha takes over Delta" in listed


def test_any_figure_can_be_walked_back_to_its_row(keiretsu, tmp_path):
    keiretsu("new", "mine")
    found = keiretsu("sources", "mine", "products.csv:2:price")
    assert found.returncode == 0, found.stderr
    assert "18.5" in found.stdout


def test_the_schema_is_printed_from_the_table_that_reads_cases(keiretsu, tmp_path):
    assert "products.csv" in keiretsu("schema").stdout
