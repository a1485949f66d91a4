"""Who controls whom: majorities of castable votes along chains, and declarations."""

from __future__ import annotations

import pytest

from keiretsu.errors import OwnershipError
from keiretsu.ownership import Control, Owner, Register, castable_share, who_controls_whom
from tests.ownership.groups import DAY, alliance, hyundai_kia, stake


def controllers(register: Register) -> dict[str, str]:
    return {line.company: line.controller for line in who_controls_whom(register.as_of(DAY))}


def test_control_follows_a_chain_of_majorities_to_its_top():
    register = Register(
        ("Holding", "Maker", "Plant"),
        (Owner("Family", "family"),),
        (stake("Family", "Holding", 0.51), stake("Holding", "Maker", 0.6), stake("Maker", "Plant", 0.7)),
    )
    lines = {line.company: line for line in who_controls_whom(register.as_of(DAY))}
    assert {line.controller for line in lines.values()} == {"Family"}
    assert lines["Plant"].chain == ("Plant", "Maker", "Holding", "Family")


def test_votes_of_controlled_companies_are_cast_together():
    register = Register(("P", "S", "T"), stakes=(stake("P", "S", 0.6), stake("P", "T", 0.3), stake("S", "T", 0.25)))
    assert controllers(register)["T"] == "P"
    assert "55.0% of the votes that can be cast (P 30.0%, S 25.0%)" in who_controls_whom(register.as_of(DAY))[2].reason


def test_exactly_half_of_the_votes_is_no_majority():
    register = Register(("A", "B", "JV"), stakes=(stake("A", "JV", 0.5), stake("B", "JV", 0.5)))
    assert controllers(register)["JV"] == "JV"


def test_neutralised_votes_of_others_can_make_a_majority():
    trust = (stake("A", "C", 0.4), stake("T", "C", 0.25, 0.0))
    assert controllers(Register(("A", "C"), (Owner("T", "trust"),), trust))["C"] == "A"
    assert controllers(Register(("A", "C"), (Owner("T", "trust"),), (stake("A", "C", 0.4), stake("T", "C", 0.25))))["C"] == "C"


def test_nissan_runs_itself_because_the_trusts_votes_are_neutralised():
    register = alliance()
    assert controllers(register) == {"Renault": "Renault", "Trust": "Renault", "Nissan": "Nissan", "Mitsubishi": "Nissan", "Ampere": "Renault"}
    assert castable_share(("Renault", "Trust"), "Nissan", register.as_of(DAY)) == pytest.approx(0.15 / (1 - 0.2463), rel=1e-14)


def test_declared_control_needs_no_majority_and_names_its_source():
    line = who_controls_whom(hyundai_kia().as_of(DAY))[1]
    assert line.controllers == ("Hyundai",)
    assert line.reason == "de facto control by Hyundai (group accounts)"


def test_a_pact_controls_together():
    register = Register(
        ("A", "B", "C", "D"),
        stakes=(stake("A", "C", 0.3), stake("B", "C", 0.3), stake("C", "D", 0.8)),
        control=(Control("C", "A", "pact"), Control("C", "B", "pact")),
    )
    lines = who_controls_whom(register.as_of(DAY))
    assert lines[2].controllers == ("A", "B")
    assert lines[2].votes == pytest.approx(0.6)
    assert lines[3].controllers == ("A", "B")
    assert lines[3].chain == ("D", "C", "A + B")


def test_the_float_never_controls():
    assert controllers(Register(("A",), (Owner("free float", "float"),), (stake("free float", "A", 0.9),)))["A"] == "A"


def test_a_company_held_by_its_own_subsidiaries_runs_itself():
    register = Register(("F", "G", "H"), stakes=(stake("F", "G", 0.6), stake("F", "H", 0.6), stake("G", "F", 0.3), stake("H", "F", 0.3)))
    assert controllers(register) == {"F": "F", "G": "F", "H": "F"}


def test_a_ring_of_majorities_without_anybody_above_is_refused_by_name():
    register = Register(("A", "B"), stakes=(stake("A", "B", 0.6), stake("B", "A", 0.6)))
    with pytest.raises(OwnershipError, match="in a ring with nobody above it"):
        controllers(register)


def test_a_declaration_settles_a_ring():
    register = Register(
        ("A", "B"),
        (Owner("Family"),),
        (stake("A", "B", 0.6), stake("B", "A", 0.6), stake("Family", "A", 0.2)),
        (Control("A", "Family", source="press"),),
    )
    assert controllers(register) == {"A": "Family", "B": "Family"}


def test_a_majority_that_votes_do_not_bear_out_is_said_to_be_none():
    stakes = (stake("A", "B", 0.6), stake("A", "C", 0.4))
    lines = who_controls_whom(
        Register(("A", "B", "C"), stakes=stakes, control=(Control("B", "A", "majority"), Control("C", "A", "majority"))).as_of(DAY)
    )
    assert "bear out" not in lines[1].reason
    assert lines[2].controllers == () and "votes do not bear out the majority said to be A's" in lines[2].reason
