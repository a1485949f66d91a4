"""What a joint venture changes in who weighs whose profit, before any market is solved."""

from __future__ import annotations

from pathlib import Path

import pytest

from keiretsu.case import load_case
from keiretsu.study.owners_changed import owners_changed, world_of_owners
from tests.unseen.test_a_bonus_that_is_raised import CASE, PRODUCTS

VENTURE = (
    'title = "venture"\n[[moves]]\ntype = "joint_venture"\ncompany = "V"\nsplit = { A = 0.6, B = 0.4 }\nproducts = { product = ["b", "c", "d"] }\n'
)


def test_weights_on_a_company_that_a_scenario_sets_up_are_new(tmp_path: Path) -> None:
    """A holds six tenths of V and sets its prices: a euro of V's is worth 0.6 of its own to A; at V's desk one of A's is worth 1 / 0.6. B is left with its part."""
    (tmp_path / "scenarios").mkdir()
    for name, text in {"case.toml": CASE, "products.csv": PRODUCTS, "scenarios/venture.toml": VENTURE}.items():
        (tmp_path / name).write_text(text)
    case = load_case(tmp_path)
    found = owners_changed(case, world_of_owners(case, as_of=case.as_of, rule=""), "venture")
    weights = found["Weights on others' profit that change"].set_index(["prices_of", "profit_of"])
    assert (weights["weight_before"] == 0).all()
    after = {pair: float(value) for pair, value in weights["weight_after"].items()}
    assert after == {("A", "V"): pytest.approx(0.6), ("V", "A"): pytest.approx(1 / 0.6), ("B", "V"): pytest.approx(0.4)}
    assert found["Control that changes hands"].set_index("company").loc["V", "after"] == "A"
