"""The dated register: what it shows on a day and what it refuses."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from keiretsu.errors import OwnershipError
from keiretsu.ownership import Control, Owner, Register, Stake, independent_firms
from tests.ownership.groups import DAY, alliance, stake


def test_a_stake_counts_from_its_first_day_until_the_day_it_ends():
    register = Register(("Nissan", "Mitsubishi"), stakes=(Stake("Nissan", "Mitsubishi", 0.34, 0.34, dt.date(2016, 10, 20), dt.date(2024, 11, 7)),))
    held = [
        register.as_of(day).cross_holdings[0, 1] for day in (dt.date(2016, 10, 19), dt.date(2016, 10, 20), dt.date(2024, 11, 6), dt.date(2024, 11, 7))
    ]
    assert held == [0, 0.34, 0.34, 0]


def test_what_nobody_named_holds_is_the_companys_float():
    holdings = alliance().as_of(DAY)
    row = holdings.owners.index("float of Nissan")
    assert holdings.owner_shares[row, holdings.company_index("Nissan")] == pytest.approx(1 - 0.15 - 0.2463, abs=1e-15)
    assert holdings.owner_kinds[row] == "float"
    np.testing.assert_allclose(holdings.cross_holdings.sum(0) + holdings.owner_shares.sum(0), 1, rtol=0, atol=1e-15)


def test_neutralised_votes_shrink_the_votes_cast_and_go_to_nobody():
    holdings = alliance().as_of(DAY)
    assert holdings.castable_votes[holdings.company_index("Nissan")] == pytest.approx(1 - 0.2463, abs=1e-15)


def test_votes_above_the_shares_of_a_founder_are_taken_from_the_float():
    # Volkswagen: Porsche SE 31.9 % of the capital and 53.3 % of the votes, Lower Saxony 11.8/20.0, Qatar 10.4/17.0
    register = Register(
        ("VW",),
        (Owner("Porsche SE", "family"), Owner("Lower Saxony", "state"), Owner("Qatar", "state")),
        (stake("Porsche SE", "VW", 0.319, 0.533), stake("Lower Saxony", "VW", 0.118, 0.2), stake("Qatar", "VW", 0.104, 0.17)),
    )
    holdings = register.as_of(DAY)
    assert holdings.owner_votes[-1, 0] == pytest.approx(0.097, abs=1e-15)
    assert holdings.castable_votes[0] == pytest.approx(1, abs=1e-15)


def test_shares_that_add_up_to_one_in_decimals_leave_no_float_behind():
    register = Register(("A",), tuple(Owner(f"O{i}") for i in range(10)), tuple(stake(f"O{i}", "A", 0.1) for i in range(10)))
    assert register.as_of(DAY).owner_shares[-1, 0] == 0.0


def test_every_problem_of_a_register_is_reported_at_once():
    with pytest.raises(OwnershipError) as refused:
        Register(
            companies=("A", "B", "A"),
            owners=(Owner("float of A"),),
            stakes=(
                stake("A", "A", 0.1),
                stake("Nobody", "B", 0.2),
                stake("A", "Nowhere", 0.2),
                Stake("A", "B", 1.2, -0.1, dt.date(2024, 1, 1), dt.date(2023, 1, 1)),
            ),
            control=(Control("B", "Ghost"), Control("B", "B"), Control("Nowhere", "A", "whim")),  # type: ignore[arg-type]
        )
    text = str(refused.value)
    for part in (
        "name used twice",
        "kept for what nobody named holds",
        "holds itself",
        "unknown holder",
        "unknown company",
        "cash-flow share outside 0..1",
        "votes outside 0..1",
        "dates out of order",
        "unknown controller",
        "declared to control itself",
        "two controllers declared",
        "unknown kind of control",
    ):
        assert part in text


def test_stakes_above_all_of_the_equity_are_refused_with_the_day_and_the_holders():
    sold_late = Stake("A", "C", 0.6, 0.6, dt.date(2020, 1, 1), dt.date(2024, 2, 1))
    bought_early = Stake("B", "C", 0.6, 0.6, dt.date(2024, 1, 1))
    with pytest.raises(OwnershipError, match=r"C on 2024-01-01: stakes above 100 %; seen 120.00% \(A, B\)"):
        Register(("A", "B", "C"), stakes=(sold_late, bought_early))


def test_two_lines_for_one_stake_on_the_same_day_are_refused():
    with pytest.raises(OwnershipError, match="two lines for the same stake on the same day"):
        Register(("A", "B"), stakes=(Stake("A", "B", 0.1, 0.1, None, dt.date(2024, 1, 2)), Stake("A", "B", 0.2, 0.2, dt.date(2024, 1, 1))))


def test_a_pact_of_one_is_refused():
    with pytest.raises(OwnershipError, match="a pact of one"):
        Register(("A", "B"), control=(Control("B", "A", "pact"),))


def test_shares_that_are_no_numbers_are_refused():
    with pytest.raises(OwnershipError, match=r"outside 0\.\.1"):
        Register(("A", "B"), stakes=(stake("A", "B", float("nan")),))


def test_a_table_of_owners_makes_a_register_of_independent_firms():
    register = independent_firms(["VW", "BMW", "VW"])
    assert register.companies == ("VW", "BMW")
    assert not register.as_of(DAY).cross_holdings.any()
