"""What must be equal, and what must balance, whatever the figures."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from scipy.special import lambertw

from keiretsu.demand.choice import choose
from keiretsu.demand.tastes import plain_logit
from keiretsu.errors import PolicyError
from keiretsu.market.policy.accounts import accounts
from keiretsu.market.policy.compile import all_inside, compile_programmes
from keiretsu.market.policy.effects import policy_effects
from keiretsu.market.policy.programmes import (
    BenefitInKind,
    Buyers,
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
from keiretsu.supply.kinks import BentMarket
from keiretsu.supply.notches import solve_piecewise
from keiretsu.supply.pieces import check_paid, piece_at, wedges_of
from keiretsu.supply.pricing import solve_prices
from keiretsu.supply.wedges import paid
from keiretsu.supply.weights import one_firm_each
from tests.market.policy.small import DAY, facts, rows, scope, tastes

COST = np.array([20_000.0, 18_000.0, 16_000.0, 15_000.0])
SAME_EUR = 1e-5  # prices are settled to 1e-7; sums of four of them to a little more


def solved(programmes, *, likes=None, cost=COST, products=None):
    products = rows(len(cost)) if products is None else products
    likes = tastes(len(cost)) if likes is None else likes
    place = facts(likes.weight.shape[0])
    done = compile_programmes(tuple(programmes), products, place, DAY, all_inside(products))
    market = BentMarket(likes, done.pieces, one_firm_each(np.arange(len(cost)), np.eye(len(cost))), cost, np.zeros(len(cost), bool))
    found = solve_piecewise(market, 1.4 * cost, 1e6)
    wedges = wedges_of(done.pieces, found.prices.piece)
    q = np.asarray(paid(wedges, jnp.asarray(found.prices.price)))
    quantity = 1e6 * np.asarray(choose(likes, jnp.asarray(q)).probability * likes.weight)
    return done, found, q, quantity, accounts(done, found.prices.price, found.prices.piece, quantity)


def test_a_flat_bonus_to_the_buyer_is_r_b_over_a_to_the_maker():
    """Under VAT of 19 % and a duty of 10 % on 70 % of the price: same paid prices, sales, profits and public money."""
    duty = Duty(scope("duty"), 0.10, 0.7)
    to_buyer = solved([duty, Incentive(scope("b"), flat_eur=3000)])
    to_maker = solved([duty, UnitTax(scope("b"), -3000 * 0.93 / 1.19, "maker")])
    assert to_buyer[2] == pytest.approx(to_maker[2], abs=SAME_EUR)
    assert to_buyer[3] == pytest.approx(to_maker[3], rel=1e-8)
    one, other = to_buyer[4].products, to_maker[4].products
    assert one["makers_get_eur"].to_numpy() == pytest.approx(other["makers_get_eur"].to_numpy(), rel=1e-8)
    assert one["government_eur"].to_numpy() == pytest.approx(other["government_eur"].to_numpy(), rel=1e-7)


def logit_monopoly(delta: float, alpha: float, cost: float, rate: float, kept: float, tax: float) -> float:
    """Closed form: buyer pays rate p + tax, maker keeps kept p; best price by Lambert's W. EUR"""
    x = np.exp(delta - alpha * (rate * cost / kept + tax) - 1)
    return cost / kept + (1 + float(np.real(lambertw(x)))) / (alpha * rate)


@pytest.mark.parametrize("level", [0.0, 0.2, 0.5])
def test_unit_and_ad_valorem_taxes_on_a_logit_monopoly_have_their_closed_forms(level):
    likes, alone = plain_logit(np.array([2.0]), 1e-4), rows(1, sales_tax=0.0)
    cost = np.array([15_000.0])
    unit = solved([UnitTax(scope(), 1e4 * level)], likes=likes, cost=cost, products=alone)
    ad_valorem = solved([RegistrationTax(scope(), share_of_net=level)], likes=likes, cost=cost, products=alone)
    assert unit[1].prices.price[0] == pytest.approx(logit_monopoly(2, 1e-4, 15_000, 1, 1, 1e4 * level), abs=SAME_EUR)
    assert ad_valorem[1].prices.price[0] == pytest.approx(logit_monopoly(2, 1e-4, 15_000, 1 + level, 1, 0), abs=SAME_EUR)
    duty = solved([Duty(scope(), level, 1.0)], likes=likes, cost=cost, products=alone)
    assert duty[1].prices.price[0] == pytest.approx(logit_monopoly(2, 1e-4, 15_000, 1, 1 - level, 0), abs=SAME_EUR)


def test_an_ad_valorem_tax_that_raises_as_much_costs_buyers_less_than_a_unit_tax():
    likes, alone, cost = plain_logit(np.array([2.0]), 1e-4), rows(1, sales_tax=0.0), np.array([15_000.0])
    ad_valorem = solved([RegistrationTax(scope(), share_of_net=0.3)], likes=likes, cost=cost, products=alone)
    raised = ad_valorem[4].products["take_eur"][0]
    unit = solved([UnitTax(scope(), float(raised))], likes=likes, cost=cost, products=alone)
    assert ad_valorem[2][0, 0] < unit[2][0, 0]


def test_a_duty_of_nothing_changes_nothing():
    plain, zero = solved([]), solved([Duty(scope("d"), 0.0, 0.7), CountervailingDuty(scope("c"), (("B0", 0.0),), 0.0, 0.7)])
    assert (plain[1].prices.price == zero[1].prices.price).all()


def test_without_kinks_pieces_give_the_plain_equilibrium():
    done = solved([Incentive(scope(), flat_eur=1000, low_income_flat_eur=3000, low_income_share=0.5)])
    likes = tastes(4)
    wedges = wedges_of(done[0].pieces, np.zeros(4, int))
    plain = solve_prices(likes, wedges, one_firm_each(np.arange(4), np.eye(4)), jnp.asarray(COST), jnp.asarray(1.4 * COST), jnp.zeros(4, bool))
    assert done[1].prices.price == pytest.approx(np.asarray(plain.price), abs=SAME_EUR)


def test_a_bonus_above_the_price_is_refused():
    done = compile_programmes((Incentive(scope(), flat_eur=50_000),), rows(), facts(), DAY, all_inside(rows()))
    with pytest.raises(PolicyError, match="incentives exceed the price"):
        check_paid(done.pieces, np.full(4, 30_000.0), ("a", "b", "c", "d"), "market M")


amount = st.floats(0, 5000)
share = st.floats(0, 0.3)
limit = st.floats(8000, 60_000)


@st.composite
def programme_sets(draw):
    """A random mix of every kind of programme that moves money on a sale."""
    some = [
        Vat(scope("vat", powertrains=("BEV",)), draw(share), draw(share), draw(limit)),
        RegistrationTax(scope("reg"), draw(amount), draw(share), 90, ((100, draw(amount)),), draw(share), 1000, draw(share), 5000 + draw(amount)),
        UnitTax(scope("unit"), draw(st.floats(-2000, 2000)), draw(st.sampled_from(["buyer", "maker"]))),
        Duty(scope("duty", origins_except=("EU",)), 0.2 + draw(share), 0.5, draw(limit), 0.8),
        CountervailingDuty(scope("cvd"), (("B0", draw(share)),), draw(share), 0.5),
        PartsDuty(scope("parts"), draw(share), 0.4, 0.5),
        TariffQuota(scope("quota", makers=("F1",)), 0.1, 0.5, 100, PriceWindow("customs", at_least=draw(limit))),
        Incentive(scope("pct"), draw(amount), draw(share), low_income_flat_eur=draw(amount), low_income_share=0.5, cap_eur=draw(limit) / 5),
        Incentive(scope("win"), draw(amount), window=PriceWindow("gross", at_most=draw(limit)), buyers=Buyers(("private",), 50_000, 0.7)),
        Incentive(scope("maker"), draw(amount), recipient="maker"),
        BenefitInKind(scope("bik"), 0.003, 0.4, 3, Buyers(("company",)), draw(limit), 0.006),
    ]
    return tuple(x for x in some if draw(st.booleans()))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(programmes=programme_sets(), seed=st.integers(0, 1000))
def test_what_buyers_pay_is_what_makers_and_government_get_in_every_random_world(programmes, seed):
    rng = np.random.default_rng(seed)
    products = rows(4, origin=list(rng.choice(["DE", "CN", "US"], 4)), battery_kwh=list(rng.uniform(0, 90, 4)))
    market = facts(4, kinds=("private", "company"))
    try:
        done = compile_programmes(programmes, products, market, DAY, rng.uniform(0, 1, 4))
    except PolicyError as error:  # a floor and a ceiling drawn at one price contradict each other, by name
        assert "each claims it" in str(error)
        reject()
    price = rng.uniform(8000, 80_000, 4)
    table = accounts(done, price, piece_at(done.pieces, price), rng.uniform(0, 1e5, (4, 4)))
    assert table.imbalance_eur < 0.01
    by_programme = table.programmes.groupby("product")["eur"].sum().reindex(table.products["product"]).fillna(0.0)
    assert by_programme.to_numpy() == pytest.approx(table.products["government_eur"].to_numpy(), rel=1e-9, abs=0.01)


def test_effects_of_a_bonus_lie_where_theory_puts_them():
    def table(result):
        _, found, _, _, books = result
        return books.products.assign(market="M", powertrain=rows()["powertrain"], co2_gkm=rows()["co2_gkm"], price_eur=found.prices.price)

    bonus = Incentive(scope("b", powertrains=("BEV",)), flat_eur=4000)
    on, off = solved([bonus]), solved([])
    support = on[4].programmes.query("programme == 'b'").assign(market="M", eur=lambda t: -t["eur"])
    found = policy_effects(table(on), table(off), support, 0.0, 200_000).measures
    assert found["electric_sales_gained"] > 0 and found["tonnes_avoided"] > 0
    assert 0 < found["reaches_buyers"] < 1.2 and 0 < found["inframarginal"] < 1
    extra = on[4].products["units"][:2].sum() - off[4].products["units"][:2].sum()
    assert found["eur_per_extra_electric_car"] == pytest.approx(4000 * on[4].products["units"][:2].sum() / extra)
