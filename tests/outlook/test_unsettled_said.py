"""A path that is none says what did not settle: prices, or the shadow price that they were found at."""

# pyright: reportArgumentType=false, reportCallIssue=false
# (records made up for a test stand in for those of a solved world)

from types import SimpleNamespace

import numpy as np
import pytest

from keiretsu.errors import NotSettled
from keiretsu.outlook.outlook import PRICING, require_settled


@pytest.mark.parametrize(
    ("residual", "said"), [(PRICING.tolerance_eur / 100, "the shadow price of a fleet rule"), (3.0, "2026: prices did not settle")]
)
def test_prices_that_meet_their_tolerance_are_not_blamed_for_a_rule_that_does_not_clear(residual: float, said: str) -> None:
    years = SimpleNamespace(settled=np.array([True, False]), residual=np.array([0.0, residual]), iterations=np.array([[3], [4]]))
    with pytest.raises(NotSettled, match=said):
        require_settled(SimpleNamespace(gap=np.zeros(2)), years, "scenario x, draw 1", (2025, 2026))
