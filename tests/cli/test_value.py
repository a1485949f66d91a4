"""Money on the command line, with a made-up ensemble in place of the years ahead."""

import pytest

from tests.valuation.conftest import make_ensemble, write_case


@pytest.fixture
def futures(monkeypatch):
    import keiretsu.study.futures as study

    monkeypatch.setattr(study, "futures_of", lambda case, scenarios, asked, executor, on_step: make_ensemble(asked.draws))


def test_a_company_and_the_stakes_in_it_are_valued(keiretsu, tmp_path, futures):
    write_case(tmp_path)
    done = keiretsu("value", str(tmp_path), "--draws", "32", "--until", "2035")
    assert done.returncode == 0, done.stderr
    assert "Electric's shares are worth EUR" in done.stdout
    assert "±" in done.stdout
    assert " ".join(done.stdout.split()).count("before the money has a net present value") == 4  # all terms of the case
    assert "what was said, and what the model finds" in done.stdout
    assert "not in the model" in done.stdout


def test_one_set_of_terms_may_be_asked_for(keiretsu, tmp_path, futures):
    write_case(tmp_path)
    done = keiretsu("value", str(tmp_path), "--terms", "note", "--draws", "32", "--until", "2035")
    assert " ".join(done.stdout.split()).count("before the money has a net present value") == 1


def test_listing_says_from_which_valuation_on(keiretsu, tmp_path, futures):
    write_case(tmp_path)
    done = keiretsu("list", str(tmp_path), "--draws", "32", "--until", "2035")
    assert done.returncode == 0, done.stderr
    assert "In January 2024 listing Electric would have been right from a valuation of EUR" in " ".join(done.stdout.split())


def test_terms_that_do_not_exist_are_named(keiretsu, tmp_path, futures):
    write_case(tmp_path)
    done = keiretsu("value", str(tmp_path), "--terms", "gift")
    assert done.returncode != 0
    assert "no such terms" in done.stderr
    assert "new, old, note, parts" in " ".join(done.stderr.split())


def test_a_case_without_money_says_so(keiretsu, tmp_path):
    write_case(tmp_path)
    for name in ("finance", "synergies", "platforms", "listing"):
        (tmp_path / f"{name}.csv").unlink()
    done = keiretsu("list", str(tmp_path))
    assert done.returncode != 0
    assert "says nothing about money" in done.stderr
