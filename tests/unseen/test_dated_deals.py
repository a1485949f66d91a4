"""Deals of a later year, in the years ahead: who holds what from the year on in which the deal is in force."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from keiretsu.case import load_case
from keiretsu.market.build import build_world
from keiretsu.moves.scenario import parse_scenarios
from keiretsu.outlook.case_facts import facts_of
from keiretsu.outlook.outlook import BASELINE, Outlook, build

from .folders import folder

DEALS = {
    "new_shares": {"type": "stake_purchase", "buyer": "Nito", "company": "Toyo", "money": "primary", "share": 0.25},
    "old_shares": {"type": "stake_purchase", "buyer": "Nito", "company": "Toyo", "money": "secondary", "share": 0.25, "sellers": ["float of Toyo"]},
    "merger": {"type": "merger", "acquirer": "Nito", "target": "Toyo"},
    "venture": {"type": "joint_venture", "company": "Both", "split": {"Nito": 0.6, "Toyo": 0.4}, "products": {"product": ["Leaf", "Prius"]}},
    "control": {"type": "pact", "company": "Toyo", "members": ["Nito"]},
}


@pytest.fixture(scope="module")
def ahead(tmp_path_factory: pytest.TempPathFactory) -> Outlook:
    """Each deal from the start, from March 2025 on, and until then."""
    case = load_case(folder(tmp_path_factory.mktemp("deals"), stakes="holder,company,cash_flow\nNito,Toyo,0.2\n"))
    world = build_world(case)
    later = {f"{name}_later": deal | {"start": dt.date(2025, 3, 1)} for name, deal in DEALS.items()}
    ended = {f"{name}_ended": deal | {"end": dt.date(2025, 3, 1)} for name, deal in DEALS.items()}
    texts = [{"name": name, "title": name, "moves": [deal]} for name, deal in (DEALS | later | ended).items()]
    return build(world, parse_scenarios(texts), facts_of(case, world, 2026))


@pytest.mark.parametrize("deal", DEALS)
def test_a_deal_of_a_later_year_changes_weights_and_claims_from_that_year_on(deal: str, ahead: Outlook) -> None:
    kappa = {name: np.asarray(plan.kappa) for name, plan in ahead.plans.items()}
    assert not np.array_equal(kappa[deal], kappa[BASELINE]), "the deal has to matter for this test to say anything"
    for found in (kappa, ahead.claims):
        before, since = slice(0, 1), slice(1, None)  # 2024; 2025 and 2026
        np.testing.assert_array_equal(found[f"{deal}_later"][before], found[BASELINE][before])
        np.testing.assert_array_equal(found[f"{deal}_later"][since], found[deal][since])
        np.testing.assert_array_equal(found[f"{deal}_ended"][before], found[deal][before])
        np.testing.assert_array_equal(found[f"{deal}_ended"][since], found[BASELINE][since])


def test_two_purchases_in_two_years_add_up(ahead: Outlook) -> None:
    first = DEALS["old_shares"] | {"share": 0.1, "start": dt.date(2025, 1, 1)}
    second = first | {"start": dt.date(2026, 1, 1)}
    both = build(ahead.world, parse_scenarios([{"name": "both", "title": "both", "moves": [first, second]}]), ahead.facts)
    nito, toyo = both.owners.index("float of Nito"), both.roster.firms.index("Toyo")
    np.testing.assert_allclose(both.claims["both"][:, nito, toyo], [0.2, 0.3, 0.4], rtol=0, atol=1e-15)
