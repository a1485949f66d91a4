"""Programmes become the affine pieces their rules describe."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from keiretsu.errors import PolicyError
from keiretsu.market.policy.accounts import accounts
from keiretsu.market.policy.compile import all_inside, charger_utility, compile_programmes, wedges_for
from keiretsu.market.policy.programmes import (
    BenefitInKind,
    Buyers,
    Chargers,
    CountervailingDuty,
    Duty,
    Incentive,
    PartsDuty,
    PriceWindow,
    RegistrationTax,
    TariffQuota,
    UnitTax,
    Vat,
)
from keiretsu.supply.pieces import notches, piece_at, wedges_of
from keiretsu.supply.wedges import paid
from tests.market.policy.small import DAY, START, facts, rows, scope

EXACT = 1e-9


def pays(programmes, price, products=None, market=None):
    products, market = rows() if products is None else products, facts() if market is None else market
    pieces = wedges_for(tuple(programmes), products, market, DAY)
    p = jnp.full(len(products), float(price))
    return np.asarray(paid(wedges_of(pieces, piece_at(pieces, np.asarray(p))), p))


def keeps(programmes, price, products=None):
    products = rows() if products is None else products
    pieces = wedges_for(tuple(programmes), products, facts(), DAY)
    p = np.full(len(products), float(price))
    w = wedges_of(pieces, piece_at(pieces, p))
    return np.asarray(w.maker_rate * p)[:, None] - np.asarray(w.maker_charge)


def test_without_programmes_the_buyer_pays_vat_and_nothing_else():
    assert pays([], 10_000.0) == pytest.approx(11_900.0, rel=EXACT)


def test_a_bonus_with_a_gross_price_ceiling_is_a_notch_at_the_ceiling_less_vat():
    bonus = Incentive(scope(powertrains=("BEV",)), flat_eur=4000, window=PriceWindow("gross", at_most=47_000))
    pieces = wedges_for((bonus,), rows(), facts(), DAY)
    assert pieces.breaks[:2, 0] == pytest.approx(47_000 / 1.19) and np.isinf(pieces.breaks[2:]).all()
    assert notches(pieces)[:2, 0].all()
    at = 47_000 / 1.19
    assert pays([bonus], at)[0, 0] == pytest.approx(43_000)  # the ceiling itself still qualifies
    assert pays([bonus], at + 1)[0, 0] == pytest.approx(1.19 * (at + 1))
    assert pays([bonus], at)[3, 0] == pytest.approx(47_000)  # a combustion car gets nothing


def test_a_percentage_bonus_with_a_cap_is_a_kink():
    bonus = Incentive(scope(), share=0.27, cap_eur=5000)
    pieces = wedges_for((bonus,), rows(), facts(), DAY)
    assert pieces.breaks[:, 0] == pytest.approx(5000 / 0.27 / 1.19)
    assert not notches(pieces).any()
    assert pays([bonus], 10_000)[0, 0] == pytest.approx(11_900 * 0.73)
    assert pays([bonus], 30_000)[0, 0] == pytest.approx(35_700 - 5000)


def test_norways_vat_falls_only_on_the_part_above_the_threshold():
    vat = Vat(scope(powertrains=("BEV",)), rate=0.25, above_eur=43_000)
    assert not notches(wedges_for((vat,), rows(sales_tax=0.25), facts(), DAY)).any()
    paid_ = pays([vat], 50_000, rows(sales_tax=0.25))
    assert paid_[0, 0] == pytest.approx(50_000 + 0.25 * 7000) and paid_[3, 0] == pytest.approx(62_500)


def test_a_price_ceiling_above_a_vat_threshold_is_found_on_the_right_piece():
    vat = Vat(scope("v"), rate=0.25, above_eur=40_000)
    bonus = Incentive(scope("b"), flat_eur=1000, window=PriceWindow("gross", at_most=52_500))
    pieces = wedges_for((vat, bonus), rows(), facts(), DAY)
    assert pieces.breaks[0] == pytest.approx([40_000, 50_000])
    assert notches(pieces)[0].tolist() == [False, True]


def test_low_incomes_get_the_higher_amount_draw_by_draw():
    bonus = Incentive(scope(), flat_eur=4000, low_income_flat_eur=7000, low_income_share=0.5)
    assert pays([bonus], 20_000)[0] == pytest.approx([16_800, 16_800, 19_800, 19_800])
    by_income = Incentive(scope(), flat_eur=4000, low_income_flat_eur=7000, low_income_max_eur=40_000)
    assert pays([by_income], 20_000)[0] == pytest.approx([16_800, 16_800, 19_800, 19_800])


def test_a_rule_for_private_buyers_acts_on_their_draws_only():
    bonus = Incentive(scope(), flat_eur=4500, buyers=Buyers(kinds=("private",)))
    assert pays([bonus], 20_000, market=facts(kinds=("private", "company")))[0] == pytest.approx([19_300, 23_800, 19_300, 23_800])
    with pytest.raises(PolicyError, match="unknown kind of buyer"):
        pays([Incentive(scope(), flat_eur=1, buyers=Buyers(kinds=("taxi",)))], 20_000)


def test_benefit_in_kind_is_a_price_for_company_buyers_that_jumps_above_the_list_price_limit():
    tax = BenefitInKind(scope(powertrains=("BEV",)), 0.0025, 0.4, 3, Buyers(kinds=("company",)), over_eur=59_500, share_over=0.005)
    market = facts(kinds=("private", "company"))
    assert pays([tax], 50_000, market=market)[0, 1] - 59_500 == pytest.approx(59_500 * 0.0025 * 36 * 0.4)
    assert pays([tax], 50_001, market=market)[0, 1] / 1.19 - 50_001 == pytest.approx(50_001 * 0.005 * 36 * 0.4)
    assert pays([tax], 50_000, market=market)[0, 0] == pytest.approx(59_500)


def test_registration_tax_by_co2_by_mass_and_flat():
    by_gram = RegistrationTax(scope(), flat_eur=100, per_gram_eur=10, above_gkm=100)
    assert pays([by_gram], 10_000)[[0, 3], 0] == pytest.approx([12_000, 12_300])
    by_mass = RegistrationTax(scope(), per_kg_eur=12.5 / 11, above_kg=500)
    assert pays([by_mass], 10_000)[0, 0] == pytest.approx(11_900 + 1100 * 12.5 / 11)
    table = RegistrationTax(scope(), brackets=((123, 50), (130, 240), (150, 1900)))
    assert pays([table], 10_000)[[0, 3], 0] == pytest.approx([11_900, 12_140])


def test_unit_taxes_fall_on_the_side_that_pays_them():
    assert pays([UnitTax(scope(), 500, "buyer")], 10_000)[0, 0] == pytest.approx(12_400)
    assert keeps([UnitTax(scope(), 500, "maker")], 10_000)[0, 0] == pytest.approx(9500)
    assert keeps([UnitTax(scope(), -500, "maker")], 10_000)[0, 0] == pytest.approx(10_500)


def test_duty_falls_on_customs_value_by_origin():
    products = rows(origin=["CN", "DE", "CN", "US"])
    duty = Duty(scope(origins_except=("EU",)), rate=0.10, value_share=0.7)
    assert keeps([duty], 10_000, products)[:, 0] == pytest.approx([9300, 10_000, 9300, 9300])


def test_indias_duty_bracket_is_a_notch_on_the_makers_side():
    duty = Duty(scope(origins_except=("IN",)), rate=0.70, value_share=0.4, over_eur=37_000, rate_over=1.0)
    pieces = wedges_for((duty,), rows(), facts(), DAY)
    assert pieces.breaks[0, 0] == pytest.approx(37_000 / 0.4) and notches(pieces)[0, 0] and pieces.closed_below[0, 0]
    assert keeps([duty], 37_000 / 0.4)[0, 0] == pytest.approx(92_500 - 0.7 * 37_000)
    assert keeps([duty], 100_000)[0, 0] == pytest.approx(60_000)


def test_countervailing_duty_is_by_maker_on_top_of_the_duty():
    products = rows(origin="CN", brand=["BYD", "MG", "Nio", "Dacia"], priced_by=["BYD", "SAIC", "Nio", "Renault"])
    duty = Duty(scope("mfn"), 0.10, 1.0)
    extra = CountervailingDuty(scope("cvd", origins=("CN",)), (("BYD", 0.17), ("SAIC", 0.353)), 0.207, 1.0)
    assert keeps([duty, extra], 10_000, products)[:, 0] == pytest.approx([7300, 5470, 6930, 6930])


def test_parts_duty_falls_on_the_foreign_share():
    assert keeps([PartsDuty(scope(), 0.15, 0.4, 0.6)], 10_000)[0, 0] == pytest.approx(10_000 * (1 - 0.15 * 0.4 * 0.6))


def test_inside_a_tariff_quota_the_low_rate_holds_and_its_window_starts_at_the_floor():
    duty = Duty(scope("duty"), 0.70, 0.5)
    quota = TariffQuota(scope("quota", makers=("F0",)), 0.15, 0.5, 8000, PriceWindow("customs", at_least=32_000))
    assert keeps([duty, quota], 64_000)[[0, 1], 0] == pytest.approx([64_000 * (1 - 0.075), 64_000 * 0.65])
    assert keeps([duty, quota], 63_999)[0, 0] == pytest.approx(63_999 * 0.65)


def test_a_makers_own_share_lowers_the_vat_base_and_is_kept_apart():
    own = Incentive(scope(), flat_eur=2250, funded_by="maker")
    done = compile_programmes((own,), rows(), facts(), DAY, all_inside(rows()))
    price, quantity = np.full(4, 30_000.0), np.full((4, 4), 10.0)
    table = accounts(done, price, piece_at(done.pieces, price), quantity).products
    assert table["paid_eur"][0] == pytest.approx((30_000 - 2250) * 1.19)
    assert table["received_eur"][0] == pytest.approx(30_000 - 2250)
    assert table["maker_added_eur"][0] == pytest.approx(2250 * 40)


def test_chargers_have_decreasing_returns_and_splitting_a_programme_changes_nothing():
    whole = Chargers(scope("a", powertrains=("BEV",)), 2e6, 1000, 5000, 0.35)
    half = [Chargers(scope(n, powertrains=("BEV",)), 1e6, 1000, 5000, 0.35) for n in "ab"]
    one = charger_utility((whole,), rows(), facts(), DAY)
    assert one == pytest.approx([0.35 * np.log(1.4)] * 2 + [0, 0])
    assert charger_utility(tuple(half), rows(), facts(), DAY) == pytest.approx(one)
    assert charger_utility((half[0],), rows(), facts(), DAY)[0] > one[0] / 2


def test_a_programme_holds_from_its_first_to_its_last_day():
    ended = Incentive(scope(end=START), flat_eur=4000)
    assert pays([ended], 10_000)[0, 0] == pytest.approx(11_900)


@pytest.mark.parametrize(
    ("programmes", "message"),
    [
        ((Vat(scope("a"), 0.2), Vat(scope("b"), 0.1)), "two VAT rates"),
        ((Duty(scope("a"), 0.1, 1), Duty(scope("b"), 0.1, 1)), "two duties"),
        ((Incentive(scope("a"), flat_eur=1, group="g"), Incentive(scope("b"), flat_eur=2, group="g")), "two incentives of group g"),
        ((Incentive(scope("a"), flat_eur=1), UnitTax(scope("a"), 1)), "in force twice"),
        ((Duty(scope("a"), 0.1, 1), TariffQuota(scope("b"), 0.15, 1.0, 100)), "dearer than the duty"),
        (
            (Incentive(scope("a"), flat_eur=1, window=PriceWindow(at_most=9)), Incentive(scope("b"), flat_eur=2, window=PriceWindow(at_least=9))),
            "each claims it",
        ),
    ],
)
def test_programmes_that_contradict_each_other_are_refused(programmes, message):
    with pytest.raises(PolicyError, match=message):
        wedges_for(programmes, rows(), facts(), DAY)


def test_two_price_tiers_of_one_scheme_do_not_contradict_each_other():
    low = Incentive(scope("low"), flat_eur=4500, window=PriceWindow(at_most=40_000), group="g")
    high = Incentive(scope("high"), flat_eur=3000, window=PriceWindow(over=40_000, at_most=65_000), group="g")
    assert pays([low, high], 40_000)[0, 0] == pytest.approx(47_600 - 4500)
    assert pays([low, high], 40_001)[0, 0] == pytest.approx(1.19 * 40_001 - 3000)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("share", [5e-324, 1e-307, 3e-305, 1e-14])
def test_a_share_next_to_nothing_is_no_share_and_makes_no_threshold(share: float) -> None:
    """The price at which a cap is reached lies beyond what any car costs, or beyond what a number can hold: the programme is its flat part."""
    bonus = Incentive(scope("a"), flat_eur=1000, share=share, share_max=2 * share + 0.5, cap_eur=5000, window=PriceWindow("customs", at_most=1e300))
    tax = RegistrationTax(scope("b"), share_of_net=share, cap_eur=9000)
    duty = Duty(scope("c"), rate=0.1, value_share=share, over_eur=5000, rate_over=0.2)
    done = compile_programmes((bonus, tax, duty), rows(), facts(), DAY, all_inside(rows()))
    # what is left are the two ends of the limit of one half: 1000 = 0.5 of the gross price, and 5000 = 0.5 of it, which 1000 flat never reaches
    assert done.pieces.breaks[0][np.isfinite(done.pieces.breaks[0])] == pytest.approx([2000 / 1.19, 10_000 / 1.19])
    assert np.isfinite(done.inner).all() and (done.inner < 1e6).all()
    assert pays([bonus, tax], 30_000)[0, 0] == pytest.approx(1.19 * 30_000 - 1000)


def test_a_duty_on_no_part_of_the_price_has_no_bracket() -> None:
    duty = Duty(scope(), rate=0.1, value_share=0.0, over_eur=5000, rate_over=0.2)
    pieces = wedges_for((duty,), rows(), facts(), DAY)
    assert not np.isfinite(pieces.breaks).any()
    assert keeps([duty], 10_000)[0, 0] == pytest.approx(10_000)
