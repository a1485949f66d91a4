"""Deals as changes of the register."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keiretsu.errors import OwnershipError
from keiretsu.ownership import (
    Control,
    Controller,
    Holdings,
    Owner,
    Register,
    Stake,
    absorb,
    attribute,
    issue,
    issued_share,
    profit_weights,
    stake_held,
    transfer,
    who_controls_whom,
    with_control,
    with_stake,
)
from tests.ownership.groups import DAY, alliance, random_register, stake

LATER = dt.date(2024, 11, 7)
SALE = dt.date(2024, 6, 3)


def same_holdings(one: Holdings, other: Holdings) -> None:
    for name in ("cross_holdings", "owner_shares", "firm_votes", "owner_votes"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=0, atol=1e-15)


def dated() -> Register:
    """Nissan's stake in Mitsubishi before and after the sale of November 2024."""
    return Register(
        ("Nissan", "Mitsubishi"),
        (Owner("Fund", "fund"),),
        (
            Stake("Nissan", "Mitsubishi", 0.34, 0.34, dt.date(2016, 10, 20), LATER, "2016 deal"),
            Stake("Nissan", "Mitsubishi", 0.24, 0.24, LATER, None, "buy-back"),
        ),
    )


def test_buying_and_selling_back_is_no_change_at_all():
    before = dated()
    bought = transfer(before, "float of Mitsubishi", "Fund", "Mitsubishi", 0.1, 0.1, SALE, "deal")
    assert stake_held(bought, "Fund", "Mitsubishi", SALE) == (0.1, 0.1)
    assert transfer(bought, "Fund", "float of Mitsubishi", "Mitsubishi", 0.1, 0.1, SALE, "undone") == before


def test_selling_and_buying_back_is_no_change_on_any_day():
    before = dated()
    sold = transfer(before, "Nissan", "Fund", "Mitsubishi", 0.1, 0.1, SALE, "deal")
    assert stake_held(sold, "Nissan", "Mitsubishi", LATER)[0] == pytest.approx(0.14, abs=1e-15)
    back = transfer(sold, "Fund", "Nissan", "Mitsubishi", 0.1, 0.1, SALE, "undone")
    for day in (DAY, SALE, LATER, dt.date(2030, 1, 1)):
        same_holdings(back.as_of(day), before.as_of(day))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), part=st.floats(0.001, 1.0))
def test_any_sale_undone_leaves_holdings_as_they_were(seed: int, part: float):
    register = random_register(seed, 4, 2)
    for sold in register.stakes[:1]:
        buyer = f"float of {sold.company}"
        amount = (sold.cash_flow * part, sold.votes * part)
        there = transfer(register, sold.holder, buyer, sold.company, *amount, SALE, "there")
        back = transfer(there, buyer, sold.holder, sold.company, *amount, SALE, "back")
        same_holdings(back.as_of(LATER), register.as_of(LATER))


def test_days_before_a_deal_are_left_alone():
    before = dated()
    after = transfer(before, "Nissan", "Fund", "Mitsubishi", 0.24, 0.24, SALE, "deal")
    same_holdings(after.as_of(DAY), before.as_of(DAY))
    assert after.as_of(LATER).cross_holdings[0, 1] == 0


def test_nobody_sells_more_than_it_holds_now_or_later():
    with pytest.raises(OwnershipError, match="seller holds less than it sells"):
        transfer(dated(), "Nissan", "Fund", "Mitsubishi", 0.30, 0.30, SALE, "deal")
    with pytest.raises(OwnershipError, match="stakes above 100 %"):
        transfer(dated(), "float of Mitsubishi", "Fund", "Mitsubishi", 0.70, 0.60, SALE, "deal")


def test_new_shares_dilute_everybody_and_the_money_buys_its_part_of_the_company_after_it():
    share = issued_share(600, 8000, "pre_money")
    assert share == pytest.approx(600 / 8600, rel=1e-15)
    register = issue(alliance(), "Ampere", "Nissan", share, share, SALE, "Nissan's EUR 600 m")
    assert stake_held(register, "Nissan", "Ampere", SALE)[0] == pytest.approx(share)
    assert stake_held(register, "Renault", "Ampere", SALE)[0] == pytest.approx(1 - share)
    holdings = register.as_of(SALE)
    assert holdings.owner_shares[-1, holdings.company_index("Ampere")] == 0


def test_new_shares_sold_on_the_market_make_a_float():
    register = issue(alliance(), "Ampere", "float of Ampere", 0.25, 0.25, SALE, "listing")
    holdings = register.as_of(SALE)
    assert holdings.owner_shares[holdings.owners.index("float of Ampere"), holdings.company_index("Ampere")] == pytest.approx(0.25)


@pytest.mark.parametrize(("amount", "value", "basis"), [(9, 8, "post_money"), (-1, 8, "pre_money"), (1, 0, "pre_money"), (1, 8, "money")])
def test_money_that_buys_no_defined_part_is_refused(amount: float, value: float, basis: str):
    with pytest.raises(OwnershipError):
        issued_share(amount, value, basis)


def test_after_a_full_merger_for_cash_the_buyer_prices_the_target_as_its_own():
    merged = absorb(alliance(), "Mitsubishi", "Nissan", SALE, "merger")
    kappa = profit_weights(merged.as_of(SALE), Controller(), ("Nissan", "Mitsubishi"))
    np.testing.assert_allclose(kappa, np.ones((2, 2)), rtol=1e-12)
    assert all(line.controller == "Nissan" for line in who_controls_whom(merged.as_of(SALE)) if line.company in ("Nissan", "Mitsubishi"))


def test_in_a_merger_for_shares_the_targets_holders_own_part_of_the_buyer():
    register = Register(
        ("Buyer", "Target"),
        (
            Owner("Fund"),
            Owner("Old"),
        ),
        (stake("Fund", "Target", 0.4), stake("Old", "Buyer", 0.5)),
    )
    merged = absorb(register, "Target", "Buyer", SALE, "merger", paid_in_shares=0.3)
    assert stake_held(merged, "Fund", "Buyer", SALE)[0] == pytest.approx(0.4 * 0.3)
    assert stake_held(merged, "Old", "Buyer", SALE)[0] == pytest.approx(0.5 * 0.7)
    claims = dict(zip(merged.as_of(SALE).owners, attribute(merged.as_of(SALE), np.array([100.0, 50.0])).owner_claims, strict=True))
    assert claims["Fund"] == pytest.approx(0.12 * 150)
    assert sum(claims.values()) == pytest.approx(150, abs=0.01)


def test_a_parent_that_holds_all_of_its_subsidiary_has_nobody_to_pay_in_shares():
    with pytest.raises(OwnershipError, match="nobody to be paid in shares"):
        absorb(alliance(), "Ampere", "Renault", SALE, "merger", paid_in_shares=0.1)
    assert (
        absorb(alliance(), "Ampere", "Renault", SALE, "merger").as_of(SALE).cross_holdings.tolist() == alliance().as_of(SALE).cross_holdings.tolist()
    )


def test_a_merger_ends_control_declared_for_the_target():
    register = Register(("A", "B", "C"), stakes=(stake("A", "C", 0.3),), control=(Control("C", "A", source="press"),))
    assert who_controls_whom(absorb(register, "C", "B", SALE, "merger").as_of(SALE))[2].controllers == ("B",)


def test_declared_control_can_start_and_end():
    register = with_control(dated(), "Mitsubishi", ("Nissan",), "de_facto", SALE, "agreement")
    assert who_controls_whom(register.as_of(SALE))[1].controllers == ("Nissan",)
    ended = with_control(register, "Mitsubishi", (), "de_facto", LATER, "ended")
    assert who_controls_whom(ended.as_of(SALE))[1].controllers == ("Nissan",)
    assert who_controls_whom(ended.as_of(LATER))[1].controllers == ()


def test_a_stake_set_to_what_it_is_changes_nothing():
    assert with_stake(alliance(), "Nissan", "Mitsubishi", 0.34, 0.34, SALE, "nothing new") == alliance()


@pytest.mark.parametrize(("holder", "company"), [("Ghost", "Nissan"), ("Nissan", "Ghost"), ("Nissan", "Nissan")])
def test_stakes_of_unknown_names_and_in_oneself_are_refused(holder: str, company: str):
    with pytest.raises(OwnershipError):
        with_stake(alliance(), holder, company, 0.1, 0.1, SALE, "deal")
