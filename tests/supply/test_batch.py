"""Markets solved in one batch have the prices they have alone."""

from __future__ import annotations

import numpy as np
import pytest

from keiretsu.numerics.batching import one_by_one, side_by_side
from keiretsu.supply.batch import BatchOptions, solve_many
from keiretsu.supply.pricing import PricingOptions, solve_prices
from tests.supply.worlds import random_problem, start_of


@pytest.mark.parametrize(("level", "across"), [("none", one_by_one), ("two", side_by_side)])
def test_padding_to_the_largest_market_changes_no_price(level, across):
    problems = [
        random_problem(21, products=5, draws=12, firms=2, level=level, wedges="products"),
        random_problem(22, products=9, draws=7, firms=4, level=level),
        random_problem(23, products=3, draws=20, firms=3, level=level),
    ]
    starts = [start_of(problem) for problem in problems]
    together = solve_many(problems, starts, PricingOptions(), BatchOptions(budget_bytes=40_000, across=across), ["a", "b", "c"])
    for problem, start, pricing in zip(problems, starts, together, strict=True):
        alone = solve_prices(problem.tastes, problem.wedges, problem.weights, problem.cost, start, problem.held)
        assert pricing.price.shape == alone.price.shape
        np.testing.assert_allclose(pricing.price, alone.price, rtol=1e-10)
        np.testing.assert_allclose(pricing.share, alone.share, rtol=1e-8)
