"""What the page says about policy, and that a case without policy has no such section."""

# pyright: reportArgumentType=false, reportCallIssue=false
# (records made up for a test stand in for those of a solved world)

import dataclasses
from types import SimpleNamespace

import pandas as pd

from keiretsu.report.governments import governments
from keiretsu.report.names import names_of
from keiretsu.report.nearly import nearly_said
from keiretsu.report.sections import answer


def blocks(results):
    return {block.id or block.title: block for block in governments(results, names_of(results)).blocks}


def test_every_policy_scenario_has_a_bar_and_its_measures(results):
    found = blocks(results)
    bars = found["policy-electric"].content.data[0]
    assert bars["x"] == [50_000.0, -900.0]
    effects = found["policy-effects"].content
    headings = [column.text for column in effects.columns]
    assert effects.rows[0][headings.index("Paid out per electric car added")] == 11_600.0
    assert effects.rows[1][headings.index("Paid out per electric car added")] is None  # not measured, not zero


def test_a_bar_of_a_scenario_that_ends_a_programme_is_named_by_what_it_ends(results):
    """“France without its bonus” adds no electric car: the bonus does."""
    found = blocks(results)
    ended, ran = found["policy-electric"].content.data[0]["y"]
    assert ended.replace("<br>", " ").startswith("What “") and ended.endswith("” ends")
    assert not ran.startswith("What")
    assert found["policy-effects"].content.rows[0][0] == ended.replace("<br>", " ")


def test_a_measure_outside_the_range_of_the_literature_is_marked(results):
    colours = blocks(results)["policy-bands"].content.data[-1]["marker"]["color"]
    assert colours[0] != colours[1]


def test_pooling_shows_the_scenarios_other_than_the_reference(results):
    found = blocks(results)
    assert "pooling-five_seater" in found and "pooling-nissan_stake" not in found


def test_looking_back_says_prediction_observation_and_both_errors(results):
    said = blocks(results)["Looking back: Germany 2024, electric cars"].html
    for number in ("390", "380", "+2.6 %", "34 %", "+31.6 %"):
        assert number in said


def test_a_pot_that_runs_out_says_for_how_much_of_the_year_it_was_open(results):
    found = [dataclasses.asdict(block) for block in governments(results, names_of(results)).blocks]
    pots = next(block for block in found if "Pots of money" in str(block["content"]))
    assert "62.5" in str(pots["content"])


def test_a_case_without_policy_has_no_section_on_it(results):
    empty = {
        name: pd.DataFrame()
        for name in ("policy_effects", "policy_bands", "policies", "stuck", "budgets", "pools", "payments", "pooling", "lookback")
    }
    assert not governments(SimpleNamespace(**{**vars(results), **empty}), names_of(results)).blocks


def test_an_answer_that_is_only_near_to_an_equilibrium_says_who_would_gain_how_much_by_crossing(results):
    (said,) = nearly_said(results, names_of(results))
    assert "nobody gains more than EUR 183,399 a year" in said
    assert "bmw_i4 (France) would gain that at EUR 43,121 in place of 39,167" in said
    found = [dataclasses.asdict(block) for block in answer(results, names_of(results), "nissan_stake").blocks]
    assert any("183,399" in str(block["content"]) for block in found)


def test_a_scenario_without_equilibrium_is_named_in_the_answer(results):
    found = [dataclasses.asdict(block) for block in answer(results, names_of(results), "nissan_stake").blocks]
    assert any("A scenario that goes round" in str(block["content"]) for block in found)
