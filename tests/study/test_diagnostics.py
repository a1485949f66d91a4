"""Second-order conditions of a solved world."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import jax.numpy as jnp
import pytest

from keiretsu.case import load_case, write_new_case
from keiretsu.market.build import build_world
from keiretsu.market.outcome import Outcome
from keiretsu.market.solve import solve
from keiretsu.study.diagnostics import second_order_table


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder: Path = write_new_case("first", tmp_path_factory.mktemp("second_order"))
    return solve(build_world(load_case(folder)))


def test_in_equilibrium_every_price_setter_is_at_a_maximum(outcome: Outcome):
    (row,) = second_order_table(outcome).to_dict("records")
    assert (row["setters"], row["at_maximum"], row["prices"], row["prices_left_out"]) == (5, 5, 8, 0)
    assert row["largest_curvature"] < 0


def test_prices_far_above_the_equilibrium_are_no_maximum(outcome: Outcome):
    name, state = next(iter(outcome.states.items()))
    high = dataclasses.replace(state, pricing=dataclasses.replace(state.pricing, price=10 * state.pricing.price))
    (row,) = second_order_table(dataclasses.replace(outcome, states={name: high})).to_dict("records")
    assert row["at_maximum"] < row["setters"]
    assert row["largest_curvature"] > 0
    assert row["firm"] in outcome.kappa.index


def test_a_price_that_is_held_is_not_asked_to_be_a_maximum(outcome: Outcome):
    name, state = next(iter(outcome.states.items()))
    epsilon = jnp.asarray([*(product == "Epsilon One" for product in state.rows["product"]), *[False] * (state.market.held.size - len(state.rows))])
    held = dataclasses.replace(state, market=dataclasses.replace(state.market, held=epsilon))
    (row,) = second_order_table(dataclasses.replace(outcome, states={name: held})).to_dict("records")
    assert (row["setters"], row["prices"], row["prices_left_out"]) == (4, 7, 1)
