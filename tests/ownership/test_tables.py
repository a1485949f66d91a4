"""Tables of ownership say what the arrays say."""

# pyright: reportArgumentType=false, reportCallIssue=false
# (what a cell of a table may be is not known before it is looked at)

from __future__ import annotations

import pytest

from keiretsu.ownership import (
    Controller,
    Financial,
    Separate,
    control_before_after,
    control_table,
    direct_stakes,
    issue,
    kappa_before_after,
    kappa_table,
    look_through_stakes,
    rules_side_by_side,
    stakes_before_after,
    transfer,
)
from tests.ownership.groups import DAY, alliance

MAKERS = ("Renault", "Nissan", "Mitsubishi", "Ampere")


def test_direct_stakes_of_every_company_add_up_to_one_with_its_float():
    table = direct_stakes(alliance(), DAY)
    assert table.groupby("company")["cash_flow"].sum().tolist() == pytest.approx([1.0] * 5)
    nissan = table[table["company"] == "Nissan"].set_index("holder")
    assert nissan.loc["Renault", "votes_cast_share"] == pytest.approx(0.15 / 0.7537)
    assert nissan.loc["Trust", "votes_cast_share"] == 0


def test_owners_look_through_stakes_add_up_and_companies_are_marked_as_not_doing_so():
    table = look_through_stakes(alliance().as_of(DAY))
    assert table[table["adds_up"]].groupby("company")["look_through"].sum().tolist() == pytest.approx([1.0] * 5)
    assert not table[table["kind"] == "company"]["adds_up"].any()


def test_the_control_table_names_controller_chain_and_reason():
    table = control_table(alliance().as_of(DAY)).set_index("company")
    assert table.loc["Mitsubishi", "controller"] == "Nissan"
    assert table.loc["Mitsubishi", "chain"] == "Mitsubishi <- Nissan"
    assert "annual report" in table.loc["Mitsubishi", "reason"]


def test_a_deal_shows_in_the_tables_of_before_and_after():
    register = alliance()
    before, after = register.as_of(DAY), issue(register, "Ampere", "Nissan", 0.07, 0.07, DAY, "deal").as_of(DAY)
    kappa = kappa_before_after(before, after, Controller(), MAKERS).set_index(["prices_of", "profit_of"])
    assert kappa.loc[("Nissan", "Ampere"), "after"] > kappa.loc[("Nissan", "Ampere"), "before"] > 0  # it held some through Renault already
    stakes = stakes_before_after(before, after).set_index(["holder", "company"])
    assert stakes.loc[("Renault", "Ampere"), "change"] < 0 < stakes.loc[("Nissan", "Ampere"), "change"]
    assert control_before_after(before, after).empty
    assert stakes_before_after(before, before).empty


def test_a_change_of_control_shows_with_its_reason():
    register = alliance()
    sold = transfer(register, "Renault", "Nissan", "Ampere", 0.6, 0.6, DAY, "deal")
    row = control_before_after(register.as_of(DAY), sold.as_of(DAY)).iloc[0]
    assert (row["company"], row["before"], row["after"]) == ("Ampere", "Renault", "Nissan")
    assert "60.0% of the votes" in row["reason"]


def test_rules_stand_side_by_side_in_one_table():
    holdings = alliance().as_of(DAY)
    table = rules_side_by_side(holdings, {"separate": Separate(), "financial": Financial(), "controller": Controller()}, MAKERS)
    row = table.set_index(["prices_of", "profit_of"]).loc[("Mitsubishi", "Nissan")]
    assert (row["separate"], row["financial"]) == (0, 0)
    assert row["controller"] == pytest.approx(1 / 0.34)
    assert kappa_table(holdings, Controller(), MAKERS).loc["Mitsubishi", "Nissan"] == pytest.approx(1 / 0.34)
