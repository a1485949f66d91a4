"""Consumer draws come in powers of two for each group of buyers: how many were asked for and how many are used is known."""

from __future__ import annotations

import dataclasses

import pytest

from keiretsu.case import Case, load_case
from keiretsu.market.build import preferences_of
from keiretsu.market.consumers import consumers_in, consumers_of, with_at_most


@pytest.fixture(scope="module")
def ampere() -> Case:
    return load_case("ampere")


def drawn(case: Case) -> dict[str, int]:
    """Draws of each market, counted."""
    preferences = preferences_of(case)
    return {str(row.market): len(consumers_of(case, row, preferences).weight) for _, row in case.markets.iterrows()}


@pytest.mark.parametrize("asked", [1, 7, 80, 81, 255, 256, 300])
def test_what_is_said_of_the_draws_is_what_comes_out(asked: int, ampere: Case) -> None:
    case = dataclasses.replace(ampere, demand=dataclasses.replace(ampere.demand, draws=asked))
    assert dict(consumers_in(case)) == drawn(case)
    assert min(drawn(case).values()) >= asked


@pytest.mark.parametrize("most", [10, 79, 80, 100, 159, 160, 319])
def test_at_most_is_at_most_and_more_than_half_of_it(most: int, ampere: Case) -> None:
    """Ten groups of buyers in each market, each with a power of two: the next one up would be too many."""
    used = drawn(with_at_most(ampere, most))
    assert max(used.values()) <= most < 2 * min(used.values())


def test_a_case_that_has_no_more_is_left_as_it_is(ampere: Case) -> None:
    assert with_at_most(ampere, max(drawn(ampere).values())) is ampere


def test_each_group_of_buyers_keeps_one_draw_however_few_are_asked_for(ampere: Case) -> None:
    assert set(drawn(with_at_most(ampere, 3)).values()) == {10}
