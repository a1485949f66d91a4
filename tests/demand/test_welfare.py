"""Consumer surplus in money."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from tests.demand.worlds import random_world, shares

from keiretsu.demand.tastes import plain_logit
from keiretsu.demand.welfare import Cells, surplus, surplus_change
from keiretsu.errors import DemandError


def cells(draws: int = 30) -> Cells:
    return Cells(np.arange(draws) % 3, np.arange(draws) % 2, 3, 2)


def test_plain_logit_surplus_is_the_log_sum_over_the_price_taste():
    tastes = plain_logit(np.array([1.0, 0.5]), 0.5)
    paid = jnp.array([[1.0], [2.0]])
    expected = 1000 * np.log(1 + np.exp(0.5) + np.exp(-0.5)) / 0.5
    found = surplus(tastes, paid, 1000, Cells(np.zeros(1, int), np.zeros(1, int), 1, 1))
    assert found.total == pytest.approx(expected, rel=1e-14)


def test_surplus_falls_with_a_price_by_the_quantity_sold():
    tastes, paid = random_world(21, "two levels")
    step = 1e-5
    up, down = (surplus(tastes, paid.at[1, 0].add(sign * step), 500.0, cells()).total for sign in (1, -1))
    # Roy's identity; central differences err by about 1e-10 of the surplus over the step.
    assert (up - down) / (2 * step) == pytest.approx(-500.0 * float(shares(tastes, paid)[1]), rel=1e-6)


def test_groups_and_kinds_add_up_to_the_total():
    tastes, paid = random_world(22)
    found = surplus(tastes, paid, 10.0, cells())
    assert found.by_group.sum() == pytest.approx(found.total, rel=1e-14)
    assert found.by_kind.sum() == pytest.approx(found.total, rel=1e-14)


def test_without_an_outside_good_only_differences_exist_and_an_equal_price_rise_costs_everyone_that_rise():
    tastes, paid = random_world(23, "one level", outside=False)
    with pytest.raises(DemandError, match="surplus_change"):
        surplus(tastes, paid, 10.0, cells())
    change = surplus_change(tastes, paid, tastes, paid + 2.0, 10.0, cells())
    assert change.total == pytest.approx(-20.0, rel=1e-12)


def test_situations_with_different_consumers_are_not_compared():
    (one, paid), (two, _) = random_world(24), random_world(25)
    with pytest.raises(DemandError, match="different consumers"):
        surplus_change(one, paid, two, paid, 1.0, cells())
