"""What holds for every case that a user might type: from its files through the base year to prices under another rule."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import HealthCheck, given, settings

from keiretsu.errors import KeiretsuError
from keiretsu.market.outcome import Outcome
from keiretsu.market.solve import solve
from keiretsu.ownership.weights import Joint
from tests.properties.worlds import FIRMS, Sketch, sketches, world_of

RESIDUAL_EUR = 1e-6  # of first-order conditions: what the issue asks for
CENT = 0.01
LAST_BITS = 1e-7  # two paths to one equilibrium, each settled to a millionth of a euro in prices of ten thousand and more

few = settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def settled_or_named(sketch: Sketch, **changes: object) -> tuple[Outcome, Outcome] | None:
    """The base year, and everybody pricing jointly at the same costs; None when refused in words that name the market or the company."""
    try:
        world = world_of(sketch, **changes)
        return solve(world), solve(world.replace(rule=Joint((tuple(world.firms()),))))
    except KeiretsuError as refusal:
        assert any(name in str(refusal) for name in ("market north", "market south", *world_names(changes))), refusal
        return None


def world_names(changes: dict[str, object]) -> tuple[str, ...]:
    names = changes.get("names", {})
    assert isinstance(names, dict)
    return tuple(str(names.get(firm, firm)) for firm in FIRMS)


@few
@given(sketch=sketches)
def test_every_case_settles_to_a_millionth_of_a_euro_or_is_refused_by_name(sketch: Sketch):
    found = settled_or_named(sketch)
    for outcome in found or ():
        assert outcome.products["residual_eur"].abs().max() < RESIDUAL_EUR
        assert np.isfinite(outcome.products[["price_eur", "units", "profit_eur"]].to_numpy(float)).all()
    if found:
        before, together = (outcome.products for outcome in found)
        assert together["profit_eur"].sum() >= before["profit_eur"].sum() - CENT  # joint pricing is at least as profitable


@few
@given(sketch=sketches)
def test_profit_of_products_firms_and_outside_owners_is_the_same_to_the_cent(sketch: Sketch):
    for outcome in settled_or_named(sketch) or ():
        total = outcome.products["profit_eur"].sum()
        assert abs(outcome.firms["profit_eur"].sum() - total) < CENT
        assert abs(outcome.owners["claim_eur"].sum() - total) < CENT


@few
@given(sketch=sketches)
def test_counting_money_in_thousandths_changes_nothing_but_the_scale(sketch: Sketch):
    # the smaller unit comes second: a millionth of it is a finer tolerance
    one, other = settled_or_named(sketch), settled_or_named(sketch, unit=1000.0)
    assert (one is None) == (other is None)
    for mine, theirs in zip(one or (), other or (), strict=True):
        np.testing.assert_allclose(theirs.products["units"], mine.products["units"], rtol=LAST_BITS)
        for column in ("price_eur", "cost_eur", "profit_eur"):
            np.testing.assert_allclose(theirs.products[column], 1000.0 * mine.products[column], rtol=LAST_BITS)
        np.testing.assert_allclose(theirs.consumers["surplus_eur"], 1000.0 * mine.consumers["surplus_eur"], rtol=LAST_BITS)


@few
@given(sketch=sketches)
def test_names_and_the_order_of_rows_change_nothing(sketch: Sketch):
    names = {"Ares": "Zephyr", "Boreas": "Aura", "Chronos": "Mentor"}  # another alphabetical order
    one, other = settled_or_named(sketch), settled_or_named(sketch, names=names, backwards=True)
    assert (one is None) == (other is None)
    for mine, theirs in zip(one or (), other or (), strict=True):
        renamed = mine.products.assign(product=mine.products["product"].replace(names, regex=True)).set_index(["market", "product"])
        again = theirs.products.set_index(["market", "product"]).reindex(renamed.index)
        for column in ("price_eur", "units", "profit_eur"):
            np.testing.assert_allclose(again[column], renamed[column], rtol=LAST_BITS)


def test_a_sketch_is_a_case_that_settles():
    """The properties above are not met because every sketch is refused."""
    plain = Sketch(seed=1, margin=0.2, inside=0.4, sigma=0.3, spread=1.0, stake=0.3, rule="financial")
    assert settled_or_named(plain) is not None
    assert settled_or_named(dataclasses.replace(plain, rule="separate", sigma=0.0)) is not None
