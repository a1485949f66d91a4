"""Substitution and pricing screens against the closed forms of plain logit."""

# pyright: reportArgumentType=false, reportCallIssue=false
# (records made up for a test stand in for those of a solved world)

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from keiretsu.demand.choice import shares
from keiretsu.demand.tastes import plain_logit
from keiretsu.errors import OwnershipError
from keiretsu.study.screens import _refuse_unknown, merged, pressure_table
from keiretsu.study.substitution import OUTSIDE, substitution_of, substitution_tables
from keiretsu.supply.wedges import no_wedges

ALPHA = 0.2
PRICE = np.array([18.0, 24.0, 31.0])
CARS = ["a", "b", "c"]
# the same arithmetic in another order, at double precision
EXACT = 1e-12


@pytest.fixture(scope="module")
def state():
    tastes = plain_logit(np.array([2.0, 3.5, 5.0]), ALPHA)
    rows = pd.DataFrame({"product": CARS})
    return SimpleNamespace(
        market=SimpleNamespace(tastes=tastes, wedges=no_wedges(3)),
        pricing=SimpleNamespace(price=PRICE, share=shares(tastes, PRICE[:, None])),
        rows=rows,
    )


def test_in_plain_logit_buyers_leave_in_proportion_to_shares(state):
    s = np.asarray(state.pricing.share)
    found = substitution_of(state).diversion
    expected = s[None, :] / (1 - s[:, None])
    np.fill_diagonal(expected, 0.0)
    assert found[CARS].to_numpy() == pytest.approx(expected, rel=EXACT)
    assert found[OUTSIDE].to_numpy() == pytest.approx((1 - s.sum()) / (1 - s), rel=EXACT)


def test_in_plain_logit_elasticities_are_those_of_the_textbook(state):
    s = np.asarray(state.pricing.share)
    expected = np.tile(ALPHA * PRICE * s, (3, 1))
    np.fill_diagonal(expected, -ALPHA * PRICE * (1 - s))
    assert substitution_of(state).elasticity.to_numpy() == pytest.approx(expected, rel=EXACT)


def test_leaving_cars_out_of_the_table_changes_no_number_that_is_shown(state):
    whole = substitution_of(state).elasticity
    part = substitution_tables(SimpleNamespace(states={"m": state}), 2)["m"].elasticity
    assert part.equals(whole.loc[part.index, part.columns])
    assert part.shape == (2, 2)


def test_guppi_of_a_merger_of_single_product_firms_is_diversion_times_margin_over_price(state):
    s = np.asarray(state.pricing.share)
    margin = np.array([4.0, 5.0, 6.0])
    products = pd.DataFrame(
        {"market": "m", "product": CARS, "priced_by": ["A", "B", "C"], "price_eur": PRICE, "margin_eur": margin, "units": 1e6 * s}
    )
    firms = ["A", "B", "C"]
    outcome = SimpleNamespace(products=products, states={"m": state}, kappa=pd.DataFrame(np.eye(3), index=firms, columns=firms))
    table = pressure_table(outcome, np.eye(3), merged(np.eye(3), firms, ("A", "B"))).set_index("firm")
    assert list(table.index) == ["A", "B"]  # nothing pushes C's price at first
    assert table.loc["A", "guppi"] == pytest.approx(s[1] / (1 - s[0]) * margin[1] / PRICE[0], rel=EXACT)
    assert table.loc["B", "upp_eur"] == pytest.approx(s[0] / (1 - s[1]) * margin[0], rel=EXACT)


def test_a_company_that_earns_nothing_here_is_refused_by_name():
    with pytest.raises(OwnershipError, match="Delta"):
        _refuse_unknown([("A", "Delta")], ["A", "B"])
