"""Makers pay fines out of their profit: the headline, the channels and the owners all count it after them."""

from __future__ import annotations

from pathlib import Path

import pytest

from keiretsu.case import load_case
from keiretsu.study.run import run
from tests.unseen.test_a_bonus_that_is_raised import CASE, PRODUCTS

RULE = '[[pools]]\ntype = "co2_target"\nid = "co2"\nmarkets = ["FR"]\nfrom_year = 2024\nto_year = 2030\ngrams = 60\nunit = "g/km"\nfine = 40\ncurrency = "EUR"\n'
CUT = 'title = "cut"\n[[moves]]\ntype = "price_cut"\nproducts = { product = "c" }\nshare = 0.1\n[[moves]]\ntype = "cost_shock"\nchange_eur = 300\n'


def test_makers_lose_their_fines_and_so_do_their_owners(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    for name, text in {"case.toml": CASE, "products.csv": PRODUCTS, "pools.toml": RULE, "scenarios/cut.toml": CUT}.items():
        (tmp_path / name).write_text(text)
    found = run(load_case(tmp_path))
    before, after = (found.outcomes[name] for name in ("baseline", "cut"))
    fines = [float(one.regulation.payments["pays_eur"].sum()) for one in (before, after)]
    assert abs(fines[1] - fines[0]) > 1e6
    margins = [float(one.products["profit_eur"].sum()) for one in (before, after)]
    change = (margins[1] - fines[1]) - (margins[0] - fines[0])
    assert float(found.headline["profit_change_eur_m"].iloc[0]) == pytest.approx(change / 1e6, rel=1e-9)
    assert float(after.owners["claim_eur"].sum() - before.owners["claim_eur"].sum()) == pytest.approx(change, rel=1e-9)
    split = found.channels["cut"].query("measure == 'profit_eur' and item == 'all markets'")
    assert float(split["change"].sum()) == pytest.approx(change, rel=1e-9)
    assert float(split[["cost", "rivals"]].to_numpy(float).sum()) == pytest.approx(change, rel=1e-9)
