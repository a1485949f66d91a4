"""The decision to list: closed forms, the deterministic optimum, bounds, verdicts, and terms that cannot be meant."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from keiretsu.case import Case
from keiretsu.errors import ValuationError
from keiretsu.valuation.fundamentals import Fundamentals
from keiretsu.valuation.listing import decide, payoffs, value_listing
from keiretsu.valuation.listing_terms import ListingTerms, listing_terms_of
from keiretsu.valuation.market_multiple import MarketMultiple
from tests.valuation.conftest import FILES, MadeUp, write_case

PLAIN = ListingTerms(
    company="Electric", first_year=2024, last_year=2030, revenue_years=1, multiple_now=1.0, multiple_mean=1.0, multiple_reversion=0.4, multiple_volatility=0.4,
    price_of_risk=0.3, risk_free_nominal=0.03, fee=0.0, discount=0.0, primary_share=0.0, secondary_share=0.2, later_share=0.0, lock_up_years=0.5,
    funding_spread=0.0,
)  # fmt: skip


def _brings(worth: np.ndarray, revenue: np.ndarray, rate: float, saved: float = 0.0) -> Fundamentals:
    """One draw that is known: worth and revenue by date (K,)."""
    k = len(worth)
    return Fundamentals(
        np.arange(2024, 2024 + k), worth[None, :], revenue[None, :], np.array([0.0, 1e9]), np.broadcast_to([0.0, saved], (1, k, 2)), np.zeros(k),
        (1 + rate) ** -np.arange(float(k)), 0.0, worth[:1], revenue[:1], np.zeros((1, k)), rate,
    )  # fmt: skip


def test_new_shares_pay_the_closed_form() -> None:
    """[16]: phi [(1 - fee)(1 - discount) m X - V] when all shares are new and nothing is owed."""
    terms = dataclasses.replace(PLAIN, fee=0.03, discount=0.1, primary_share=0.15, secondary_share=0.0)
    found = payoffs(terms, _brings(np.array([3e9]), np.array([4e9]), 0.02), np.array([[1.2]]))[0, 0, 0]
    assert found == pytest.approx(0.15 * (0.97 * 0.9 * 1.2 * 4e9 - 3e9), rel=1e-12)


def test_old_shares_without_a_lock_up_pay_the_same_part() -> None:
    terms = dataclasses.replace(PLAIN, fee=0.03, discount=0.1)
    found = payoffs(terms, _brings(np.array([3e9]), np.array([4e9]), 0.02), np.array([[1.2]]))[0, 0, 0]
    assert found == pytest.approx(0.2 * (0.97 * 0.9 * 1.2 * 4e9 - 3e9), rel=1e-12)


def test_locked_shares_bring_the_price_expected_when_the_lock_up_ends() -> None:
    terms = dataclasses.replace(PLAIN, secondary_share=0.0, later_share=0.1, multiple_volatility=0.0, price_of_risk=0.0, multiple_now=2.0)
    brings = _brings(np.array([3e9, 3e9]), np.array([4e9, 4e9]), 0.02)
    later = np.exp(np.log(2.0) * np.exp(-0.4 * 0.5))
    found = payoffs(terms, brings, np.array([[2.0]]))[0, 0, 0]
    assert found == pytest.approx(0.1 * (later * 4e9 * 1.02**-0.5 - 3e9), rel=1e-12)


def test_money_raised_saves_internal_funding() -> None:
    terms = dataclasses.replace(PLAIN, primary_share=0.1, secondary_share=0.0)
    without = payoffs(terms, _brings(np.array([3e9]), np.array([4e9]), 0.02), np.array([[1.0]]))[0, 0, 0]
    with_it = payoffs(terms, _brings(np.array([3e9]), np.array([4e9]), 0.02, saved=1e8), np.array([[1.0]]))[0, 0, 0]
    money = 0.1 / 0.9 * 4e9
    assert with_it - without == pytest.approx(1e8 * money / 1e9, rel=1e-9)


def test_without_volatility_the_rule_is_the_deterministic_optimum() -> None:
    terms = dataclasses.replace(PLAIN, multiple_volatility=0.0, multiple_now=0.6, multiple_mean=1.4, price_of_risk=0.0)
    worth, revenue = np.array([3.0, 3.2, 3.5, 3.9, 4.4, 5.0, 5.7]) * 1e9, np.array([3.0, 4.0, 5.0, 5.5, 5.8, 6.0, 6.1]) * 1e9
    brings = _brings(worth, revenue, 0.02)
    path = np.exp(np.log(1.4) + np.log(0.6 / 1.4) * np.exp(-0.4 * np.arange(7)))
    by_hand = 1.02 ** -np.arange(7.0) * 0.2 * (path * revenue - worth)
    found = decide(terms, brings, {})
    assert found.lower.value == pytest.approx(by_hand.max(), rel=1e-9)
    assert found.upper.value == pytest.approx(by_hand.max(), rel=2e-3)  # the grid is even in logs: straight lines between its points
    assert found.timing["probability"].iloc[int(np.argmax(by_hand))] == 1.0


def test_a_listing_that_may_wait_for_ever_is_worth_mcdonald_and_siegels_closed_form() -> None:
    """No reversion, constant worth: an option to swap a constant for a geometric Brownian motion, here once a year for eighty years."""
    rate, payout, sigma, worth = 0.05, 0.04, 0.15, 1e9
    price_of_risk = (sigma**2 / 2 - (np.log1p(rate) - payout)) / sigma  # log drift of the multiple: r - payout - sigma^2 / 2
    terms = dataclasses.replace(
        PLAIN, last_year=2103, multiple_reversion=0.0, multiple_volatility=sigma, price_of_risk=float(price_of_risk), multiple_now=1.0
    )
    brings = _brings(np.full(80, worth), np.full(80, worth), rate)
    r = np.log1p(rate)
    b = 0.5 - (r - payout) / sigma**2 + np.sqrt(((r - payout) / sigma**2 - 0.5) ** 2 + 2 * r / sigma**2)
    threshold = b / (b - 1)
    closed_form = 0.2 * worth * (threshold - 1) * (1 / threshold) ** b
    found = decide(terms, brings, {})
    assert found.upper.value == pytest.approx(closed_form, rel=0.02)  # yearly dates are worth 1 to 2 % less, the grid adds half of that
    # yearly dates stop earlier than a watch kept at every moment: by exp(-0.58 sigma) = 8 % (Broadie, Glasserman & Kou 1997)
    assert found.thresholds["multiple"].iloc[0] == pytest.approx(threshold * np.exp(-0.5826 * sigma), rel=0.03)


def test_the_lower_bound_lies_below_the_upper_one(case: Case, ensemble: MadeUp) -> None:
    found = value_listing(case, ensemble, "Electric")
    assert found.lower.value <= found.upper.value + 3 * np.hypot(found.lower.error, found.upper.error)
    assert found.lower.value > 0


def test_bounds_close_in_where_there_is_nothing_to_learn() -> None:
    brings = _brings(np.full(7, 3e9), np.full(7, 3e9), 0.02)
    found = decide(PLAIN, brings, {})
    assert found.lower.value == pytest.approx(found.upper.value, abs=4 * found.lower.error)


def test_a_higher_valuation_never_turns_listing_now_into_waiting() -> None:
    stated = {f"at {value:g}": (float(value) * 1e9, float(value) * 1e9, float(value) * 1e9) for value in np.arange(1.0, 12.0, 0.5)}
    verdict = decide(PLAIN, _brings(np.full(7, 4e9), np.full(7, 4e9), 0.02), stated).verdict.sort_values("valuation_eur")["verdict"].tolist()
    assert "list now" in verdict
    first = verdict.index("list now")
    assert set(verdict[first:]) == {"list now"}
    assert "list now" not in verdict[:first]


def test_nobody_lists_for_less_than_the_shares_are_worth() -> None:
    terms = dataclasses.replace(PLAIN, multiple_now=0.1, multiple_mean=0.1, multiple_volatility=0.05)
    found = decide(terms, _brings(np.full(7, 4e9), np.full(7, 4e9), 0.02), {})
    assert found.lower.value == 0.0
    assert found.timing.set_index("year").loc["never", "probability"] == 1.0
    assert found.verdict["verdict"].iloc[0] in ("wait", "never")


def test_when_the_market_pays_far_more_than_it_will_one_lists_at_once() -> None:
    terms = dataclasses.replace(PLAIN, multiple_now=4.0, multiple_mean=1.0)
    found = decide(terms, _brings(np.full(7, 4e9), np.full(7, 4e9), 0.02), {})
    assert found.timing["probability"].iloc[0] == 1.0
    assert found.verdict["verdict"].iloc[0] == "list now"


def test_fees_and_discounts_raise_the_valuation_that_is_needed(case: Case, ensemble: MadeUp) -> None:
    cheap = value_listing(case, ensemble, "Electric")
    dear = value_listing(case, ensemble, "Electric", terms=dataclasses.replace(cheap.terms, fee=0.07, discount=0.2))
    assert dear.thresholds["valuation_eur"].iloc[0] > cheap.thresholds["valuation_eur"].iloc[0]
    assert dear.lower.value < cheap.lower.value


def test_the_chance_of_listing_adds_up_and_the_same_seed_gives_the_same_numbers(case: Case, ensemble: MadeUp) -> None:
    one, other = value_listing(case, ensemble, "Electric"), value_listing(case, ensemble, "Electric")
    assert one.timing["probability"].sum() == pytest.approx(1.0)
    assert one.lower == other.lower
    assert "±" in one.sentence
    assert (
        "Bank (EUR 3.5 to 4 bn)" in one.sentence and "Bank (EUR 3 bn)" in one.sentence and "Parent (EUR 8 to 10 bn)" in one.sentence
    )  # each who stated values once, with the span


def test_waiting_costs_the_spread_on_internal_funding(case: Case, ensemble: MadeUp) -> None:
    table = value_listing(case, ensemble, "Electric").waiting
    np.testing.assert_allclose(table["cost_eur"], 0.04 * table["internal_funding_eur"])
    assert (table["internal_funding_eur"] > 0).all()


def test_the_multiple_moves_as_its_equation_says() -> None:
    multiple = MarketMultiple(0.8, 1.0, 0.5, 0.4, 0.0)
    shocks = np.random.default_rng(1).standard_normal((200_000, 5))
    logs = np.log(multiple.paths(shocks, 0.8))
    assert logs[:, 5].mean() == pytest.approx(np.log(0.8) * np.exp(-2.5), abs=4 * multiple.deviation(5.0) / np.sqrt(200_000))
    assert logs[:, 5].std() == pytest.approx(multiple.deviation(5.0), rel=0.01)
    assert multiple.expected(np.array([0.8]), 5.0)[0] == pytest.approx(np.exp(logs[:, 5]).mean(), rel=0.01)


def test_a_price_of_risk_lowers_where_the_multiple_is_going() -> None:
    multiple = MarketMultiple(1.0, 1.0, 0.5, 0.4, 0.3)
    assert multiple.centre(np.array([0.0]), 50.0)[0] == pytest.approx(-0.3 * 0.4 / 0.5, abs=1e-9)
    assert multiple.real_world().centre(np.array([0.0]), 50.0)[0] == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"primary_share": 0.6, "secondary_share": 0.5}, "above what is for sale"),
        ({"primary_share": 0.0, "secondary_share": 0.0, "later_share": 0.0}, "nothing is listed"),
        ({"revenue_years": 0}, "no year of revenue"),
        ({"multiple_now": 0.0}, "multiple has to be above zero"),
        ({"multiple_volatility": -0.1}, "below zero"),
        ({"fee": 1.5}, "not a part of one"),
        ({"last_year": 2020}, "last year is before the first"),
        ({"last_year": 2060}, "years of the listing are not simulated"),
    ],
)
def test_a_listing_that_cannot_be_meant_is_refused(changed: dict, what: str, case: Case, ensemble: MadeUp) -> None:
    with pytest.raises(ValuationError, match=what):
        value_listing(case, ensemble, "Electric", terms=dataclasses.replace(listing_terms_of(case, "Electric"), **changed))


def test_parameters_that_are_missing_or_unknown_are_all_named(tmp_path: Path) -> None:
    text = FILES["listing.csv"].replace("Electric,fee,0.03,\n", "").replace("discount", "discuont")
    with pytest.raises(ValuationError) as error:
        listing_terms_of(write_case(tmp_path, listing=text), "Electric")
    assert "discuont" in str(error.value)
    assert "fee, discount" in str(error.value)
