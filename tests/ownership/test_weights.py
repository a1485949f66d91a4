"""[2]: profit weights under every rule."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from keiretsu.errors import OwnershipError
from keiretsu.ownership import (
    Banzhaf,
    Conduct,
    Control,
    Controller,
    Financial,
    Given,
    Joint,
    Owner,
    Proportional,
    Register,
    Rule,
    Separate,
    banzhaf_power,
    profit_weights,
    rule_named,
)
from tests.ownership.groups import DAY, alliance, hyundai_kia, random_register, stake, two_firms

ROUNDING = 1e-12
VOTING_RULES: list[Rule] = [Controller(), Proportional(), Proportional("one_block"), Banzhaf()]
OWNERSHIP_RULES: list[Rule] = [Separate(), Financial(), *VOTING_RULES]


def test_a_silent_stake_weighs_the_rivals_profit_by_the_stake():
    kappa = profit_weights(two_firms(0.25, 0.0), Financial(), ("A", "B"))
    np.testing.assert_allclose(kappa, [[1, 0.25], [0, 1]], rtol=ROUNDING)


def test_silent_stakes_in_each_other_weigh_as_if_there_were_no_loop():
    # A[f, g] / A[f, f] of two firms: the loop scales both alike
    kappa = profit_weights(two_firms(0.3, 0.2), Financial(), ("A", "B"))
    np.testing.assert_allclose(kappa, [[1, 0.3], [0.2, 1]], rtol=ROUNDING)


def test_a_parent_with_92_percent_cares_more_for_a_euro_at_home_than_at_its_subsidiary():
    register = Register(("Parent", "Sub"), stakes=(stake("Parent", "Sub", 0.92),))
    kappa = profit_weights(register.as_of(DAY), Controller(), ("Parent", "Sub"))
    np.testing.assert_allclose(kappa, [[1, 0.92], [1 / 0.92, 1]], rtol=ROUNDING)


def test_hyundai_prices_kia_though_it_holds_only_34_percent():
    kappa = profit_weights(hyundai_kia().as_of(DAY), Controller(), ("Hyundai", "Kia"))
    np.testing.assert_allclose(kappa, [[1, 0.34], [1 / 0.34, 1]], rtol=ROUNDING)


def test_an_owner_who_controls_two_makers_weighs_them_by_its_shares_of_both():
    register = Register(("A", "B"), (Owner("Family", "family"),), (stake("Family", "A", 0.6), stake("Family", "B", 0.8)))
    kappa = profit_weights(register.as_of(DAY), Controller(), ("A", "B"))
    np.testing.assert_allclose(kappa, [[1, 0.8 / 0.6], [0.6 / 0.8, 1]], rtol=ROUNDING)


def test_renault_and_nissan_each_look_after_their_own_look_through_value():
    holdings = alliance().as_of(DAY)
    kappa = profit_weights(holdings, Controller(), ("Renault", "Nissan", "Mitsubishi", "Ampere"))
    assert kappa[0, 1] == pytest.approx(0.3963, rel=ROUNDING)  # through the trust as well
    assert kappa[1, 0] == pytest.approx(0.15, rel=ROUNDING)
    assert kappa[1, 2] == pytest.approx(0.34, rel=ROUNDING)
    assert kappa[3, 0] == pytest.approx(1.0, rel=ROUNDING)  # Ampere is all Renault's
    assert kappa[2, 1] == pytest.approx(1 / 0.34, rel=ROUNDING)


def test_a_pact_weighs_firms_by_what_its_members_get_together():
    register = Register(
        ("A", "B", "C"), stakes=(stake("A", "C", 0.3), stake("B", "C", 0.2)), control=(Control("C", "A", "pact"), Control("C", "B", "pact"))
    )
    kappa = profit_weights(register.as_of(DAY), Controller(), ("A", "B", "C"))
    np.testing.assert_allclose(kappa[2], [2, 2, 1], rtol=ROUNDING)


def test_a_controller_without_a_share_is_refused_by_name():
    register = Register(("A", "B"), control=(Control("B", "A", source="press"),))
    with pytest.raises(OwnershipError, match=r"B: whoever sets its prices gets nothing of its profit; seen price setter A"):
        profit_weights(register.as_of(DAY), Controller(), ("A", "B"))


@pytest.mark.parametrize("rule", OWNERSHIP_RULES, ids=str)
def test_firms_without_stakes_look_after_themselves_under_every_rule(rule: Rule):
    holdings = Register(("A", "B", "C"), (Owner("Fund"),), (stake("Fund", "A", 0.2),)).as_of(DAY)
    np.testing.assert_array_equal(profit_weights(holdings, rule, ("A", "B", "C")), np.eye(3))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), rule=st.sampled_from(OWNERSHIP_RULES), n=st.integers(2, 6))
def test_renaming_and_reordering_firms_changes_no_weight(seed: int, rule: Rule, n: int):
    register = random_register(seed, n, 3)
    order = np.random.default_rng(seed + 1).permutation(n)
    new_name = {old: f"Z{9 - i}" for i, old in enumerate(register.companies)}
    renamed = Register(
        tuple(new_name[register.companies[i]] for i in order),
        register.owners[::-1],
        tuple(dataclasses.replace(s, holder=new_name.get(s.holder, s.holder), company=new_name[s.company]) for s in reversed(register.stakes)),
    )
    try:
        before = profit_weights(register.as_of(DAY), rule, register.companies)
    except OwnershipError as refusal:
        with pytest.raises(OwnershipError):
            profit_weights(renamed.as_of(DAY), rule, renamed.companies)
        assert refusal.problems
        return
    after = profit_weights(renamed.as_of(DAY), rule, tuple(new_name[name] for name in register.companies))
    np.testing.assert_allclose(after, before, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(np.diag(before), 1.0)


def test_proportional_control_is_the_sum_over_owners_that_obrien_and_salop_write_down():
    register = random_register(7, 4, 3)
    register = dataclasses.replace(register, stakes=tuple(dataclasses.replace(s, votes=s.cash_flow) for s in register.stakes))
    holdings = register.as_of(DAY)
    n = len(register.companies)
    beta = holdings.owner_shares.copy()  # owners' look-through shares by following chains of stakes
    for _ in range(500):
        beta = holdings.owner_shares + beta @ holdings.cross_holdings
    named = [i for i, kind in enumerate(holdings.owner_kinds) if kind != "float"]
    expected = np.zeros((n, n))
    for f in range(n):
        for g in range(n):
            expected[f, g] = sum(beta[o, f] * beta[o, g] for o in named) / sum(beta[o, f] ** 2 for o in named)
    np.testing.assert_allclose(profit_weights(holdings, Proportional(), register.companies), expected, rtol=1e-10)


def test_a_wholly_held_subsidiary_of_a_widely_held_parent_is_priced_for_the_parent_under_proportional_control():
    holdings = Register(("Parent", "Sub", "Other"), stakes=(stake("Parent", "Sub", 1.0), stake("Parent", "Other", 0.2))).as_of(DAY)
    np.testing.assert_allclose(profit_weights(holdings, Proportional(), ("Sub", "Parent", "Other"))[0], [1, 1, 0.2], rtol=ROUNDING)


def test_the_float_as_one_block_changes_weights_a_great_deal():
    holdings = Register(("A", "B"), (Owner("Fund", "fund"),), (stake("Fund", "A", 0.05), stake("Fund", "B", 0.05))).as_of(DAY)
    small = profit_weights(holdings, Proportional(), ("A", "B"))[0, 1]
    block = profit_weights(holdings, Proportional("one_block"), ("A", "B"))[0, 1]
    assert small == pytest.approx(1.0, rel=ROUNDING)
    assert block == pytest.approx(0.05**2 / (0.05**2 + 0.95**2), rel=ROUNDING)


def test_beside_an_ocean_the_largest_holder_decides_alone():
    # one holder of 15 % among countless small ones: their votes cancel, its do not
    np.testing.assert_array_equal(banzhaf_power(np.array([0.15]), ocean=0.85), [1.0])
    np.testing.assert_array_equal(banzhaf_power(np.array([0.2, 0.1, 0.05]), ocean=0.65), [1.0, 0.0, 0.0])


def test_equal_holders_have_equal_power():
    np.testing.assert_allclose(banzhaf_power(np.full(4, 0.25), ocean=0.0), 0.25, rtol=ROUNDING)
    np.testing.assert_allclose(banzhaf_power(np.full(4, 0.1), ocean=0.6), 0.25, rtol=ROUNDING)


def test_the_ocean_is_the_limit_of_many_small_voters():
    # swings counted over all coalitions of named holders, with the binomial of 40,001 small ones
    named, small = np.array([0.15, 0.1, 0.1]), 40_001
    weight = 0.65 / small

    def wins(cast: float) -> float:
        return float(binom.sf(np.floor((0.5 - cast) / weight), small, 0.5))

    swings = []
    for i in range(3):
        others = [x for j, x in enumerate(named) if j != i]
        cast = [sum(x for b, x in zip((m & 1, m >> 1), others, strict=True) if b) for m in range(4)]
        swings.append(sum(wins(c + named[i]) - wins(c) for c in cast))
    # the small ones' votes spread by 0.0016 of all votes; no coalition of named ones is closer to half than 0.025, fifteen times that
    np.testing.assert_allclose(banzhaf_power(named, ocean=0.65), np.array(swings) / sum(swings), atol=1e-9)


def test_banzhaf_passes_votes_held_by_a_firm_to_its_controller():
    register = Register(
        ("Sub", "Target"), (Owner("Family", "family"),), (stake("Family", "Sub", 0.6), stake("Sub", "Target", 0.3), stake("Family", "Target", 0.1))
    )
    kappa = profit_weights(register.as_of(DAY), Banzhaf(), ("Sub", "Target"))
    got_of_target, got_of_sub = 0.1 + 0.6 * 0.3, 0.6
    assert kappa[1, 0] == pytest.approx(got_of_sub / got_of_target, rel=ROUNDING)


def test_too_many_named_voters_are_refused_for_banzhaf():
    with pytest.raises(OwnershipError, match="too many named voters"):
        banzhaf_power(np.full(21, 0.01), ocean=0.5)


def test_joint_firms_weigh_each_other_fully_and_others_as_before():
    holdings = two_firms(0.3, 0.0)
    np.testing.assert_array_equal(profit_weights(holdings, Joint((("A", "B"),)), ("A", "B")), np.ones((2, 2)))
    three = Register(("A", "B", "C"), stakes=(stake("A", "C", 0.1),)).as_of(DAY)
    kappa = profit_weights(three, Joint((("A", "B"),), base=Financial()), ("A", "B", "C"))
    np.testing.assert_allclose(kappa, [[1, 1, 0.1], [1, 1, 0], [0, 0, 1]], rtol=ROUNDING)


def test_conduct_runs_from_rivalry_to_joint_profit():
    holdings = Register(("A", "B", "C")).as_of(DAY)
    np.testing.assert_array_equal(profit_weights(holdings, Conduct(0.0, ("A", "B")), "ABC"), np.eye(3))
    np.testing.assert_array_equal(profit_weights(holdings, Conduct(1.0, ("A", "B")), "ABC"), profit_weights(holdings, Joint((("A", "B"),)), "ABC"))
    assert profit_weights(holdings, Conduct(0.4, ("A", "C")), "ABC")[0].tolist() == [1.0, 0.0, 0.4]


def test_a_typed_in_matrix_is_used_as_it_stands_in_any_order_of_firms():
    rule = Given(((1, 0.3), (1.7, 1)), ("A", "B"))
    holdings = Register(("A", "B")).as_of(DAY)
    np.testing.assert_array_equal(profit_weights(holdings, rule, ("B", "A")), [[1, 1.7], [0.3, 1]])


def test_typed_in_matrices_that_are_no_weights_are_refused():
    with pytest.raises(OwnershipError, match="not square"):
        Given(((1, 0.3),), ("A", "B"))
    with pytest.raises(OwnershipError, match="weight on its own profit is one"):
        Given(((2, 0.3), (0, 1)), ("A", "B"))
    with pytest.raises(OwnershipError, match="without a row"):
        profit_weights(Register(("A", "C")).as_of(DAY), Given(((1,),), ("A",)), ("A", "C"))


@pytest.mark.parametrize("firms", [("A", "X"), ("A", "A")])
def test_unknown_and_doubled_firms_are_refused(firms: tuple[str, ...]):
    with pytest.raises(OwnershipError):
        profit_weights(two_firms(0.1, 0.1), Separate(), firms)


def test_rules_are_read_from_the_text_that_they_print():
    rules: list[Rule] = [*OWNERSHIP_RULES, Joint((("A", "B"), ("C", "D"))), Conduct(0.3, ("A", "B"))]
    assert [rule_named(str(rule)) for rule in rules] == rules
    assert rule_named(" Controller ") == Controller()
    for wrong in ("monopoly", "given", "conduct:much:A+B", "conduct:0.3:A", "joint:A+A", "controller:twice"):
        with pytest.raises(OwnershipError):
            rule_named(wrong)
