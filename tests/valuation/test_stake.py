"""Stakes: fair price, closed forms of dilution, who gains, distributions, parts and notes, and terms that cannot be meant."""

import dataclasses
import datetime as dt
from pathlib import Path

import numpy as np
import pytest
import pyxirr

from keiretsu.case import Case
from keiretsu.errors import CaseError, NegativeEquity, ValuationError
from keiretsu.market.build import register_of
from keiretsu.numerics.irr import internal_rates
from keiretsu.ownership import issue
from keiretsu.valuation.discounting import clock
from keiretsu.valuation.equity import equity_through_network
from keiretsu.valuation.finance import at_model_prices, decimal_year, finances
from keiretsu.valuation.inputs import observed
from keiretsu.valuation.milestones import parts_due
from keiretsu.valuation.position import Target, dilution, position
from keiretsu.valuation.stake import StakeValuation, kept_at_exit, value_stake
from keiretsu.valuation.terms import Milestone, StakeTerms, terms_of
from keiretsu.valuation.worth import equity_of, holdings_of, worth_of_all
from tests.valuation.conftest import FILES, MadeUp, make_ensemble, write_case

FREE = {"control_premium": 0.0, "minority_discount": 0.0, "illiquidity_discount": 0.0}


def _line(found: StakeValuation, line: str) -> float:
    return float(found.lines.set_index("line")["value_eur"][line])


def _fair(case: Case, ensemble: MadeUp, terms: StakeTerms) -> StakeTerms:
    """The same terms at the value the model finds: what all of the shares are worth, in money of the day of entry."""
    found = value_stake(case, ensemble, terms)
    even = found.measures[(found.measures["basis"] == "pro rata") & (found.measures["measure"] == "break_even_post_money_eur")]["mean"].iloc[0]
    basis = "post_money" if terms.money == "primary" else "pre_money"
    return dataclasses.replace(terms, valuation_eur=float(even), valuation_basis=basis)


@pytest.mark.parametrize("name", ["new", "old"])
def test_a_stake_bought_at_fair_value_has_no_net_present_value(name: str, case: Case, ensemble: MadeUp) -> None:
    fair = _fair(case, ensemble, dataclasses.replace(terms_of(case, name), **FREE))
    found = value_stake(case, ensemble, fair)
    assert _line(found, "net present value, pro rata") == pytest.approx(0.0, abs=1.0)  # a euro on 600 million


@pytest.mark.parametrize("payout", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("exit_year", [2026, 2030, 2035])
def test_neither_dividends_nor_the_day_of_the_exit_change_a_fair_price(payout: float, exit_year: int, case: Case) -> None:
    """Modigliani & Miller: with financing at fair prices the value of the stake is its part of the equity, whatever is paid out when."""
    terms = dataclasses.replace(terms_of(case, "new"), exit_year=exit_year, **FREE)
    years = np.arange(2024, 2036)
    dividends = payout * np.random.default_rng(3).uniform(0, 3e8, (8, len(years)))
    target = Target(np.linspace(3e9, 9e9, 8), dividends, years, clock(years, decimal_year(terms.date)), 0.08, 0.02, 0.0)
    held = position(terms, target, np.ones((8, 0)))
    amount = at_model_prices(terms.amount_eur, decimal_year(terms.date), 0.02)
    np.testing.assert_allclose(held.transfer, terms.share * (target.equity + amount) - amount, rtol=1e-9)


def test_pre_money_plus_money_is_post_money(case: Case) -> None:
    new, old = terms_of(case, "new"), terms_of(case, "old")
    assert new.post_money_eur == new.pre_money_eur + new.amount_eur == 8.6e9
    assert old.post_money_eur == old.pre_money_eur == 8e9
    assert dataclasses.replace(new, valuation_eur=8.6e9, valuation_basis="post_money").pre_money_eur == pytest.approx(8e9)


def test_dilution_is_that_of_the_closed_form() -> None:
    share, left = dilution(8e9, 600e6)
    assert share == pytest.approx(600 / 8600, rel=1e-12)
    assert share + left == pytest.approx(1.0, rel=1e-12)


def test_money_in_parts_at_one_price_buys_what_the_whole_would(case: Case, ensemble: MadeUp) -> None:
    parts = terms_of(case, "parts")
    unconditional = tuple(dataclasses.replace(m, measure="", year=2024) for m in parts.milestones)  # the year of entry: paid on the day
    staged = value_stake(case, ensemble, dataclasses.replace(parts, milestones=unconditional, walk_away=False))
    at_once = value_stake(case, ensemble, dataclasses.replace(parts, instrument="common", milestones=(), walk_away=False))
    assert _line(staged, "net present value") == pytest.approx(_line(at_once, "net present value"), rel=1e-9)
    assert staged.terms_table.set_index("item").loc["share at the exit, mean", "value"] == pytest.approx(600 / 8600, rel=1e-9)


def test_parts_are_paid_where_the_milestone_is_seen(case: Case, ensemble: MadeUp) -> None:
    due = parts_due(terms_of(case, "parts"), ensemble.data, "stake")
    cars = observed(ensemble.data, "stake", "firm_electric_units", "Electric", 2027)
    assert (due[:, 0] == 1).all()
    np.testing.assert_array_equal(due[:, 1], cars >= 120000)
    assert 0 < due[:, 1].mean() < 1


def test_the_right_to_walk_away_is_worth_something_when_the_price_is_high(case: Case, ensemble: MadeUp) -> None:
    found = value_stake(case, ensemble, "parts")
    row = found.lines.set_index("line").loc["of which from the right to walk away"]
    assert row["value_eur"] > 3 * row["half95_eur"] > 0


def test_a_note_with_no_terms_of_its_own_is_worth_what_it_costs(case: Case) -> None:
    """Without interest, discount or cap a note converts into shares worth its principal; discounting it at the inflation rate leaves its price."""
    terms = dataclasses.replace(terms_of(case, "note"), coupon=0.0, conversion_discount=0.0, conversion_cap_eur=0.0)
    years = np.arange(2024, 2036)
    target = Target(np.array([6e9]), np.zeros((1, 12)), years, clock(years, decimal_year(terms.date)), 0.0, 0.02, 0.0)
    held = position(terms, target, np.ones((1, 0)))
    worth = float(held.sold[0] + held.received.sum())
    principal = at_model_prices(terms.amount_eur, 2029.0, 0.02)  # end of 2028
    assert worth == pytest.approx(principal, rel=1e-12)


def test_a_note_converts_at_its_discount_by_the_closed_form(case: Case) -> None:
    terms = dataclasses.replace(terms_of(case, "note"), coupon=0.0, conversion_discount=0.2, conversion_cap_eur=0.0)
    years = np.arange(2024, 2036)
    target = Target(np.array([6e9]), np.zeros((1, 12)), years, clock(years, decimal_year(terms.date)), 0.05, 0.0, 0.0)
    held = position(terms, target, np.ones((1, 0)))
    company = (6e9 + 600e6) * 1.05**4.5
    share = 600e6 / (0.8 * (company - 600e6) + 600e6)
    assert held.share[0] == pytest.approx(share, rel=2e-3)  # 1 July is day 182 of 366: entry is 4.5027 years before the exit
    assert held.sold[0] == pytest.approx(share * company, rel=2e-3)
    assert held.sold[0] > 600e6


def test_a_note_is_repaid_only_from_what_is_there(case: Case) -> None:
    terms = dataclasses.replace(terms_of(case, "note"), coupon=0.0)
    years = np.arange(2024, 2036)
    target = Target(np.array([-500e6, -5e9]), np.zeros((2, 12)), years, clock(years, decimal_year(terms.date)), 0.0, 0.0, 0.0)
    held = position(terms, target, np.ones((2, 0)))
    assert held.received[:, -1] == pytest.approx([100e6, 0.0])


def test_the_rate_of_return_of_a_stake_is_that_of_pyxirr(case: Case) -> None:
    """Entry on 1 January, dividends in the middle of years, exit at the end: half-years are whole periods for pyxirr."""
    terms = dataclasses.replace(terms_of(case, "new"), date=dt.date(2024, 1, 1), exit_year=2028)
    years = np.arange(2024, 2036)
    rng = np.random.default_rng(5)
    target = Target(rng.uniform(4e9, 12e9, 6), rng.uniform(0, 5e8, (6, 12)), years, clock(years, 2024.0), 0.08, 0.02, 0.0)
    held = position(terms, target, np.ones((6, 0)))
    times = np.append(held.times, held.exit_time)
    rates = internal_rates(held.flows(1.0), times)
    for flows, rate in zip(held.flows(1.0), rates.rate, strict=True):
        by_half = np.zeros(int(2 * times[-1]) + 1)
        np.add.at(by_half, np.rint(2 * times).astype(int), flows)
        assert rate == pytest.approx((1 + pyxirr.irr(by_half)) ** 2 - 1, abs=1e-9)


def test_a_purchase_below_value_earns_more_than_the_discount_rate_and_above_value_less(case: Case, ensemble: MadeUp) -> None:
    rate = finances(case)["Electric"].rate
    central = MadeUp(ensemble.central, ensemble.central)
    terms = dataclasses.replace(terms_of(case, "new"), **FREE)
    fair = _fair(case, central, terms)

    def earned(valuation: float) -> float:
        found = value_stake(case, central, dataclasses.replace(fair, valuation_eur=valuation))
        table = found.measures.set_index(["basis", "measure"])["mean"]
        return float(table.loc[("pro rata", "rate_of_return")])

    assert earned(fair.valuation_eur) == pytest.approx(rate, abs=1e-9)
    assert earned(fair.valuation_eur * 1.2) < rate < earned(fair.valuation_eur * 0.8)


def test_claims_of_owners_change_by_nothing_in_sum_when_only_the_claim_moves(case: Case, ensemble: MadeUp) -> None:
    for name in ("new", "old", "note", "parts"):
        owners = value_stake(case, ensemble, name).owners
        assert owners["claim_eur"].sum() == pytest.approx(0.0, abs=0.01)  # a cent


def test_owners_changes_add_up_to_what_operations_gain(case: Case, ensemble: MadeUp) -> None:
    found = value_stake(case, ensemble, "new")
    base = worth_of_all(case, ensemble.data, "baseline", with_synergies=False)
    deal = worth_of_all(case, ensemble.data, "stake", with_synergies=True)
    gained = sum(float((deal[name].own("growth") - base[name].own("growth")).mean()) for name in base)
    assert found.owners["change_eur"].sum() == pytest.approx(gained, abs=0.01)  # a cent
    parts = found.owners[["claim_eur", "own_prices_eur", "synergies_eur"]].sum(axis=1)
    np.testing.assert_allclose(parts, found.owners["change_eur"], rtol=0, atol=0.01)


def test_who_gains_is_what_the_new_register_says(case: Case, ensemble: MadeUp) -> None:
    """The same deal done in the register: new shares issued, money moved from the investor to the company, equity solved anew."""
    terms = dataclasses.replace(terms_of(case, "new"), scenario="", date=case.as_of, **FREE)
    found = value_stake(case, ensemble, terms).parties.set_index("party")["change_eur"]
    worths = worth_of_all(case, ensemble.data, "baseline", with_synergies=False)
    before = equity_of(case, worths, "growth")
    amount = at_model_prices(terms.amount_eur, decimal_year(case.as_of), 0.02)
    own = {name: worth.own("growth") for name, worth in worths.items()}
    own["Electric"] = own["Electric"] + amount
    own["Partner"] = own["Partner"] - amount
    register = issue(register_of(case), "Electric", "Partner", terms.share, terms.share, case.as_of, "test")
    after = equity_through_network(register.as_of(case.as_of), own)
    for name in ("Parent", "Partner"):
        assert found[name] == pytest.approx(float((after.of(name) - before.of(name)).mean()), rel=1e-9)


def test_a_ring_between_buyer_and_company_is_followed(case: Case, ensemble: MadeUp) -> None:
    """Parent buys new shares of Partner, which holds a part of Parent: the register solved anew gives the same."""
    terms = dataclasses.replace(terms_of(case, "new"), investor="Parent", company="Partner", scenario="", date=case.as_of, valuation_eur=9e9, **FREE)
    found = value_stake(case, ensemble, terms).parties.set_index("party")["change_eur"]
    worths = worth_of_all(case, ensemble.data, "baseline", with_synergies=False)
    before = equity_of(case, worths, "growth")
    amount = at_model_prices(terms.amount_eur, decimal_year(case.as_of), 0.02)
    own = {name: worth.own("growth") for name, worth in worths.items()}
    own["Partner"] = own["Partner"] + amount
    own["Parent"] = own["Parent"] - amount
    register = issue(register_of(case), "Partner", "Parent", terms.share, terms.share, case.as_of, "test")
    after = equity_through_network(register.as_of(case.as_of), own)
    assert found["Parent"] == pytest.approx(float((after.of("Parent") - before.of("Parent")).mean()), rel=1e-9)


def test_premium_and_discounts_are_lines_of_their_own(case: Case, ensemble: MadeUp) -> None:
    terms = terms_of(case, "new")
    found = value_stake(case, ensemble, terms)
    total = sum(
        _line(found, line)
        for line in (
            "net present value, pro rata", "discount for a minority", "discount for shares that cannot be sold", "board rights",
        )
    )  # fmt: skip
    assert _line(found, "net present value") == pytest.approx(total, rel=1e-9)
    assert _line(found, "net present value") == pytest.approx(float(found.net_present_value.mean()), rel=1e-9)
    assert kept_at_exit(terms) == pytest.approx(0.9 * 0.85 + 0.03)


def test_the_claim_own_prices_and_synergies_are_three_lines(case: Case, ensemble: MadeUp) -> None:
    table = value_stake(case, ensemble, "new").channels.set_index(["party", "line"])["value_eur"]
    for party in ("Partner", "Electric", "Parent"):
        parts = table.loc[(party, "claim")] + table.loc[(party, "own prices")] + table.loc[(party, "synergies")]
        assert table.loc[(party, "total")] == pytest.approx(parts, rel=1e-9)
    assert table.loc[("Partner", "synergies")] > 0


@pytest.mark.parametrize("name", ["new", "old", "parts"])
def test_own_prices_of_the_investor_are_those_of_every_company_by_the_part_of_it_that_is_the_investors(
    case: Case, ensemble: MadeUp, name: str
) -> None:
    found = value_stake(case, ensemble, name)
    said = found.channels.set_index(["party", "line"])["value_eur"].loc[("Partner", "own prices")]
    assert found.own_prices["value_eur"].sum() == pytest.approx(said, abs=0.01)  # cents
    direct = found.own_prices.set_index("from").drop(index="Electric, through the stake bought")
    np.testing.assert_allclose(direct["value_eur"], direct["company_gains_eur"] * direct["part"], rtol=1e-9)


def test_a_seller_of_old_shares_gets_what_the_buyer_loses(case: Case, ensemble: MadeUp) -> None:
    table = value_stake(case, ensemble, "old").owners
    assert table["claim_eur"].sum() == pytest.approx(0.0, abs=0.01)
    channels = value_stake(case, ensemble, "old").channels.set_index(["party", "line"])["value_eur"]
    assert channels.loc[("Partner", "claim")] < 0 < channels.loc[("Parent", "claim")]


def test_the_sentence_carries_the_error(case: Case, ensemble: MadeUp) -> None:
    sentence = value_stake(case, ensemble, "new").sentence
    assert "EUR 600 m in Electric at EUR 8 bn" in sentence
    assert "±" in sentence


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"exit_year": 2023}, "an exit before entry"),
        ({"exit_year": 2050}, "outside the years simulated"),
        ({"valuation_eur": 500e6, "valuation_basis": "post_money"}, "no share follows"),
        ({"money": "secondary"}, "seller does not fit"),
        ({"money": "secondary", "seller": "Parent", "amount_eur": 9e9}, "share above what is for sale"),
        ({"investor": "Electric"}, "are the same"),
        ({"investor": "Nobody"}, "party unknown"),
        ({"company": "Nobody"}, "company unknown"),
        ({"walk_away": True}, "nothing is left to refuse"),
        ({"instrument": "staged"}, "milestones do not fit"),
        (
            {"instrument": "staged", "milestones": (Milestone("m", 2027, 1.0, "mood of the board", "", 1.0, "milestones.csv:2"),)},
            "nobody can observe",
        ),
        ({"instrument": "staged", "milestones": (Milestone("m", 2027, 1.5, "", "", 0.0),)}, "more than the whole"),
        ({"instrument": "staged", "milestones": (Milestone("m", 2020, 1.0, "", "", 0.0),)}, "outside the time of the stake"),
        ({"date": dt.date(2024, 1, 1)}, "before the case's day"),
    ],
)
def test_terms_that_cannot_be_meant_are_refused_by_name(changed: dict, what: str, case: Case, ensemble: MadeUp) -> None:
    with pytest.raises(ValuationError, match=what):
        value_stake(case, ensemble, dataclasses.replace(terms_of(case, "new"), **changed))


def test_all_problems_of_the_terms_are_told_together(case: Case, ensemble: MadeUp) -> None:
    bad = dataclasses.replace(terms_of(case, "new"), exit_year=2023, investor="Electric", walk_away=True)
    with pytest.raises(ValuationError) as error:
        value_stake(case, ensemble, bad)
    assert len(error.value.problems) == 3
    assert all("stake_terms.csv:2" in problem.where for problem in error.value.problems)


def test_a_share_of_a_company_worth_less_than_it_owes_is_refused(case: Case) -> None:
    data = make_ensemble(draws=8).data.copy()
    data["firm_profit_eur"] = data["firm_profit_eur"] * 0.3
    with pytest.raises(NegativeEquity, match="Electric"):
        value_stake(case, MadeUp(data, data), "new")


def test_an_amount_without_a_currency_is_refused_with_its_row(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=r"stake_terms.csv, row 2, column currency"):
        write_case(
            tmp_path,
            stake_terms=FILES["stake_terms.csv"].replace("600e6,EUR,8e9,pre_money,2024-07-01,2031,0.03", "600e6,,8e9,pre_money,2024-07-01,2031,0.03"),
        )


def test_amounts_in_other_money_come_in_at_the_rate_of_the_case(tmp_path: Path) -> None:
    case = write_case(tmp_path, stake_terms=FILES["stake_terms.csv"].replace("600e6,EUR,8e9", "648e6,USD,8.64e9"))
    assert terms_of(case, "new").amount_eur == pytest.approx(600e6)
    assert terms_of(case, "new").share == pytest.approx(600 / 8600)


def test_the_share_bought_is_held_in_the_register_of_the_day(case: Case) -> None:
    assert holdings_of(case).date == case.as_of
