"""What it is worth, in the run: sums to the cent, what is certain has no error, what a case does not state says why, hindsight matches its keys."""

# pyright: reportArgumentType=false, reportCallIssue=false
# (what a cell of a table may be is not known before it is looked at)

import dataclasses

import numpy as np
import pytest

from keiretsu.errors import Problem, ValuationError
from keiretsu.report.value_sheets import worth_sheets
from keiretsu.study.ahead import NO_YEARS
from keiretsu.study.worth import PARTS, worth_of
from keiretsu.study.worth_extras import Extras, extras_of
from keiretsu.study.worth_stakes import conditions_of, zero_kept
from keiretsu.valuation.hindsight import SAID_NOTHING
from keiretsu.valuation.money import with_error
from tests.study.made_up_money import DEALS, HINDSIGHT, UNCERTAIN, made_up_money, only_central
from tests.valuation.conftest import FILES, write_case

CENT = 0.01
MANY = 128  # futures, so that several of them pay


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return write_case(tmp_path_factory.mktemp("worth"), uncertain=UNCERTAIN, deals=DEALS, hindsight=HINDSIGHT)


@pytest.fixture(scope="module")
def worth(case):
    return worth_of(case, made_up_money(MANY), Extras())


def _sheet(worth, id):
    sheet = next(table for table in worth_sheets(worth, {}) if table.id == id)
    heads = [column.text for column in sheet.columns]
    return [dict(zip(heads, row, strict=True)) for row in sheet.rows]


def test_what_owners_hold_adds_up_to_what_all_companies_own_to_the_cent(worth):
    own = sum(row["Growth"] for row in _sheet(worth, "worth") if row["Line"] in ("operating value", "less net debt"))
    assert abs(sum(row["Claim"] for row in _sheet(worth, "owners claims")) - own) < CENT


def test_what_a_stake_moves_between_owners_adds_up_to_nothing_to_the_cent(worth):
    for terms in {row["Terms"] for row in _sheet(worth, "stake owners")}:
        assert abs(sum(row["Claim"] for row in _sheet(worth, "stake owners") if row["Terms"] == terms)) < CENT


def test_owners_gains_are_their_three_lines_to_the_cent(worth):
    for row in _sheet(worth, "stake owners"):
        assert abs(row["Claim"] + row["Own prices"] + row["Synergies"] - row["Change"]) < CENT


def test_a_scenario_that_changes_no_margin_and_saves_nothing_changes_no_value_and_has_no_band(tmp_path):
    quiet = write_case(tmp_path, synergies=FILES["synergies.csv"].splitlines()[0] + "\n", platforms=FILES["platforms.csv"].splitlines()[0] + "\n")
    changes = worth_of(quiet, made_up_money(stake_gain=0.0), Extras()).changes
    assert len(changes) == 3
    for one in changes:
        assert (one.growth.value, one.growth.error, one.p10, one.p90, one.exit_multiple.value) == (0.0, 0.0, 0.0, 0.0, 0.0)


def test_a_change_of_value_is_the_difference_of_two_values(case, worth):
    from keiretsu.valuation import value_company

    futures = made_up_money(MANY)
    before, after = (
        value_company(case, futures, "Electric", scenario=name).value.set_index("line")["growth_eur"]["equity"] for name in ("baseline", "stake")
    )
    found = next(one for one in worth.changes if one.company == "Electric")
    assert found.growth.value == pytest.approx(after - before, abs=CENT)


def test_a_stake_held_is_its_share_of_the_whole(worth):
    equity = {part.valuation.company: part.valuation.value.set_index("line")["growth_eur"]["equity"] for part in worth.companies}
    assert {(one.holder, one.company, one.share) for one in worth.held} == {
        ("Parent", "Electric", 1.0),
        ("Parent", "Partner", 0.4),
        ("Partner", "Parent", 0.15),
    }
    for one in worth.held:
        assert one.worth.value == pytest.approx(one.share * equity[one.company], rel=1e-12)


def test_all_terms_are_valued_and_the_company_they_are_about_comes_first(worth):
    assert [part.valuation.terms.name for part in worth.stakes] == ["new", "old", "note", "parts"]
    assert worth.focal == worth.companies[0].valuation.company == "Electric"
    assert not worth.missing.keys() & {"companies", "stakes", "listing", "choice", "hindsight"}


def test_terms_whose_scenario_was_not_drawn_rest_on_its_central_case_and_have_no_error(case):
    futures = made_up_money()
    part_drawn = dataclasses.replace(futures, data=futures.data.sel(scenario=["baseline"]))
    stakes = {part.valuation.terms.name: part for part in worth_of(case, part_drawn, Extras()).stakes}
    assert {name for name, part in stakes.items() if part.central} == {"new", "note", "parts"}
    assert (stakes["new"].valuation.lines["half95_eur"] == 0).all()
    assert "Central case only" in stakes["new"].sentence
    assert (stakes["old"].valuation.lines["half95_eur"] > 0).any()


def test_a_run_of_central_cases_is_valued_without_errors_and_says_what_needs_futures(case):
    worth = worth_of(case, only_central(made_up_money()), Extras())
    assert worth.draws == 0
    assert all("±" not in part.valuation.sentence for part in worth.companies)
    assert set(worth.missing) == {"must be true", "choice"}
    assert all(worth.missing.values())


def test_a_run_of_one_year_values_nothing_and_still_shows_what_happened(case):
    worth = worth_of(case, None, Extras())
    assert {worth.missing[part] for part in PARTS[:5]} == {NO_YEARS}
    assert worth.hindsight is not None
    assert set(worth.hindsight.table["said"]) == {SAID_NOTHING}


def test_a_case_without_money_says_for_each_part_what_it_does_not_state(tmp_path):
    empty = {
        name: text.splitlines()[0] + "\n"
        for name, text in FILES.items()
        if name not in ("companies.csv", "owners.csv", "stakes.csv", "products.csv", "markets.csv")
    }
    bare = write_case(tmp_path, **{name.removesuffix(".csv"): text for name, text in empty.items()})
    worth = worth_of(bare, made_up_money(), extras_of(bare))
    assert set(worth.missing) == set(PARTS)
    for part, file in (("companies", "finance.csv"), ("stakes", "stake_terms.csv"), ("listing", "listing.csv"), ("hindsight", "hindsight.csv")):
        assert file in worth.missing[part]
    assert "Renault" in worth.missing["alliances"]
    assert "launches" in worth.missing["timing"]
    assert worth.sentences == ()


def test_a_company_that_owes_more_than_it_is_worth_has_no_price_and_others_keep_theirs(tmp_path):
    rows = FILES["finance.csv"].splitlines()
    owing = "\n".join(row.replace("-0.05,0,0,0,0,0.01,4,0.3", "-0.05,5e9,0,0,0,0.01,4,0.3") for row in rows) + "\n"
    worth = worth_of(write_case(tmp_path, finance=owing), made_up_money(), Extras())
    for part in ("companies", "stakes", "listing"):
        assert "worth less than it owes" in worth.missing[part]
    assert "Electric" in worth.missing["companies"]
    assert {part.valuation.company for part in worth.companies} == {"Parent", "Partner"}
    assert worth.changes  # changes need no price


def test_hindsight_puts_the_runs_own_sentence_beside_the_topic_that_asks_for_it(worth):
    said = worth.hindsight.table.set_index("topic")["said"]
    assert said["The stake"] == worth.stakes[0].sentence
    assert said["The listing"] == worth.listings[0].sentence
    assert "Parent's 40.0 % of Partner" in said["The old stake"]
    assert said["The plant"] == SAID_NOTHING
    assert list(worth.hindsight.rest["deal"]) == ["d5"]


def test_the_sentence_on_a_stake_says_what_it_comes_to_for_the_buyer_before_its_parts(worth):
    found = worth.stakes[0].valuation
    lines = found.channels[found.channels["party"] == found.terms.investor].set_index("line")
    together = with_error(float(lines["value_eur"]["total"]), float(lines["half95_eur"]["total"]))
    assert f"as a whole it comes to {together}: " in found.sentence


def test_what_goes_with_a_gain_finds_the_input_that_drives_the_company(case, worth):
    first = worth.must.conditions[0]
    assert first.words == "yearly rise of the taste for electric cars"
    assert first.difference > 0
    assert worth.must.loss.value == pytest.approx(float((worth.stakes[0].valuation.net_present_value <= 0).mean()))


def test_a_model_that_sees_no_turn_in_reach_is_quoted_and_no_polynomial_put_in_its_place(case):
    def ask(terms):
        raise ValuationError(Problem("no future in reach turns the verdict", terms.name, "", ""))

    must = worth_of(case, made_up_money(), Extras(), ask).must
    assert must.found is None
    assert "no future in reach turns the verdict" in must.why_not
    assert "takes more futures" not in must.sentence


def test_too_few_futures_on_one_side_have_no_conditions(case):
    futures = made_up_money()
    pays = np.zeros(len(futures.inputs), bool)
    pays[:3] = True
    assert conditions_of(case, futures, pays) == ()


def test_an_input_that_has_nothing_to_do_with_a_gain_is_named_about_once_in_twenty(case):
    futures = made_up_money()
    rng = np.random.default_rng(5)
    named = sum(len(conditions_of(case, futures, rng.random(len(futures.inputs)) < 0.4)) for _ in range(200))
    # 800 looks at 5 %: 40 expected, standard deviation 6.2; four of them either way (Welch's t is near its level, not at it)
    assert 15 <= named <= 65


def test_the_border_between_gain_and_loss_stays_where_it_is(case, worth):
    stake = worth.stakes[0].valuation
    kept = zero_kept(case, made_up_money(MANY), stake)
    assert np.mean((kept > 0) != (stake.net_present_value > 0)) <= 0.02
    assert len(np.unique(kept)) == len(kept)  # flat nowhere, unlike the value of a share that cannot fall below nothing


def test_sentences_name_scenarios_by_their_titles_and_have_errors(worth):
    assert all("_" not in sentence for sentence in worth.sentences)
    assert all("±" in part.sentence for part in worth.stakes)


def test_every_part_says_what_it_cost(worth):
    assert set(worth.cpu_s) >= {"companies", "stakes", "listing", "must be true", "choice", "hindsight"}
    assert all(seconds >= 0 for seconds in worth.cpu_s.values())
