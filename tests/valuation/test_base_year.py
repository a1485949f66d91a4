"""The two anchors of a company's level: reported operating profit, which is met, and the stock market's price, which is explained."""

import dataclasses

import numpy as np
import pytest

from keiretsu.case import Case, load_case
from keiretsu.market.build import build_world
from keiretsu.valuation.base_year import beside_the_market, implied_rate, market_sentence, operating_profit, own_operating_profit
from keiretsu.valuation.company import value_company
from keiretsu.valuation.finance import finances
from keiretsu.valuation.worth import equity_of, worth_of_all
from tests.valuation.conftest import FILES, MadeUp, make_ensemble, write_case

ROUNDED = 0.005  # of the profit: the case states margins and the rest of the company in millions


def test_the_embedded_companies_earned_in_the_base_year_what_they_reported() -> None:
    case = load_case("ampere")
    said = case.tables["guidance"]
    rows = said[(said["item"] == "operating_profit_eur") & (said["year"] == case.year)]
    assert set(rows["company"]) == {"Renault", "Nissan", "Mitsubishi", "Honda"}
    for row in rows.to_dict("records"):
        assert operating_profit(case, str(row["company"])) == pytest.approx(row["value"], rel=ROUNDED)


@pytest.mark.slow
def test_the_margins_of_the_base_year_are_those_of_the_embedded_markets() -> None:
    """Taxes of makers on each car are a few per cent of revenue at most, so revenue has to agree exactly and margins about."""
    case = load_case("ampere")
    products = build_world(case).products
    sold = products[products["available"].astype(bool)]
    known = finances(case)
    for company in ("Renault", "Ampere", "Nissan", "Mitsubishi", "Honda"):
        own = sold[sold["profit_to"] == company]
        revenue, margin = (own["units"] * own["price_eur"]).sum(), (own["units"] * (own["price_eur"] - own["cost_eur"])).sum()
        assert known[company].base_year_revenue_eur == pytest.approx(revenue, rel=0.001)
        assert known[company].base_year_margin_eur == pytest.approx(margin, abs=0.02 * revenue)


def test_a_group_reports_the_companies_that_it_holds_more_than_half_of(tmp_path) -> None:
    finance = (
        FILES["finance.csv"]
        .replace("company,", "company,base_year_margin_eur,")
        .replace("Parent,", "Parent,9e9,")
        .replace("Electric,", "Electric,1e9,")
    )
    case = write_case(tmp_path, finance=finance.replace("Partner,", "Partner,8e9,"))
    known = finances(case)
    own = {name: own_operating_profit(known[name], case.year) for name in known}
    assert own["Parent"] == pytest.approx(9e9 + 1e9 - 1e9 - 0.5e9 - 5e9 / 8)
    assert operating_profit(case, "Parent") == pytest.approx(own["Parent"] + own["Electric"])  # all of it, and not the 40 % of the partner
    assert operating_profit(case, "Partner") == pytest.approx(own["Partner"])


def test_no_margin_of_the_base_year_means_no_comparison(case: Case) -> None:
    assert operating_profit(case, "Parent") is None


def with_price(folder, price: float) -> Case:
    return write_case(folder, guidance=FILES["guidance.csv"] + f"Partner,equity_eur,2024,the stock market,{price:.0f},,,2024-03-27\n")


def test_at_the_rate_that_the_stock_market_implies_the_cash_is_worth_what_it_pays(tmp_path, ensemble: MadeUp) -> None:
    case = with_price(tmp_path, 9e9)
    worths = worth_of_all(case, ensemble.data, "baseline", with_synergies=True)
    table = beside_the_market(case, worths, equity_of(case, worths, "growth"), "Partner").set_index("item")["value"]
    parts = table[["of that for its stakes in others", "of that for net cash", "left for its own operations"]]
    assert parts.sum() == pytest.approx(9e9)
    rate = table["or this real discount rate for the same cash"]
    worth = worths["Partner"]
    mean = dataclasses.replace(
        worth.cash, free_cash_flow=worth.cash.free_cash_flow.mean(axis=0, keepdims=True), steady=worth.cash.steady.mean(keepdims=True)
    )
    flows = mean.free_cash_flow @ (worth.time.part * (1 + rate) ** -worth.time.middle)
    after = mean.steady / (rate - worth.finance.growth_terminal) * (1 + rate) ** (0.5 - worth.time.end[-1])
    np.testing.assert_allclose(flows + after, table["left for its own operations"], rtol=1e-5)
    assert "The stock market pays EUR 9.00 bn for Partner" in value_company(case, ensemble, "Partner").sentence


def test_a_price_below_cash_and_stakes_leaves_nothing_for_operations(tmp_path, ensemble: MadeUp) -> None:
    case = with_price(tmp_path, 1e9)
    worths = worth_of_all(case, ensemble.data, "baseline", with_synergies=True)
    table = beside_the_market(case, worths, equity_of(case, worths, "growth"), "Partner")
    assert len(table) == 6 and "nothing for its own operations" in market_sentence("Partner", table)


def test_no_discount_rate_makes_cash_worth_more_than_it_adds_up_to(case: Case) -> None:
    worths = worth_of_all(case, make_ensemble(8).data, "baseline", with_synergies=True)
    assert implied_rate(worths["Partner"], 1e15) is None
