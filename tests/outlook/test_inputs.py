"""Every uncertain input moves something; what moves prices is solved for, what does not is said."""

from __future__ import annotations

import numpy as np
import pytest

from keiretsu.outlook.inputs import CURRENCIES, INPUTS
from keiretsu.outlook.outlook import run
from tests.outlook.test_programmes import taxed

# a point at which nothing stands at the value where it, or what it acts through, moves nothing
POINT = {
    "learning_rate": 0.15, "electric_taste": 0.1, "electric_taste_kept": 0.9, "charger_taste": 0.3, "charger_speed": 0.4, "charger_power": 0.8,
    "scrappage_feedback": 0.3, "demand_growth": 0.01, "age_taste": 0.05,
}  # fmt: skip
ELSEWHERE = {
    "fixed_cost",  # used by the valuation
    "chinese_cost",  # no car of the small world is built in China
    "raw_material_late",  # from 2030, after the small world's last year
    "world_batteries",  # the small world's cars hold all batteries there are
    "age_taste",  # no model of its baseline has a launch date
    *(f"fx_{currency}" for currency in CURRENCIES),  # all is made and sold in one money
}


@pytest.mark.parametrize("name", sorted(set(INPUTS) - ELSEWHERE))
def test_every_input_moves_sales_or_prices(name: str) -> None:
    at = taxed().central() | POINT
    years, moved = (run(taxed(), "baseline", values)[1] for values in (at, at | {name: at[name] + 0.02}))
    change = max(np.abs(np.asarray(getattr(moved, field)) - np.asarray(getattr(years, field))).max() for field in ("units", "price"))
    assert change > 1e-3  # cars or EUR; both are settled to less than a thousandth of that
