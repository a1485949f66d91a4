"""Targets of an own case against closed forms: one market's share among several, and demand in which companies like electric cars and mind prices less."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import root

from keiretsu.case import load_case
from keiretsu.market.build import build_world
from keiretsu.study.calibration import calibrate_case, calibration_table

MARKETS = "market,currency,vat,potential,private_share\nNO,EUR,0.25,900000,0.5\nSE,EUR,0.2,2500000,1\n"
PRODUCTS = (
    "market,product,firm,powertrain,price,units\nNO,a,A,ICE,21000,30000\nNO,b,B,BEV,30000,60000\nSE,a,A,ICE,20000,120000\nSE,b,B,BEV,31000,40000\n"
)
TASTE = 0.00018
CASE = (
    '[case]\nname = "own"\nas_of = 2024-03-01\nyear = 2023\n[demand]\nprice_taste = {taste}\n[demand.kind_price]\ncompany = 0.6\n'
    "[demand.kind_taste.company]\nelectric = 0.5\n[calibration.free]\nprice_taste = [0.00005, 0.0009]\n"
)


def folder(path: Path, targets: str, taste: float = TASTE) -> Path:
    """The case with these targets."""
    for name, text in {"case.toml": CASE.format(taste=taste), "markets.csv": MARKETS, "products.csv": PRODUCTS, "targets.csv": targets}.items():
        (path / name).write_text(text)
    return path


def own_elasticity_in_norway(taste: float) -> float:
    """Sales-weighted mean over the two cars, from the definition: half of the buyers are companies."""
    price, share = np.array([21000.0, 30000.0]), np.array([30000.0, 60000.0]) / 900000
    alpha, shift = taste * np.array([1.0, 0.6]), np.outer([0.0, 1.0], [0.0, 0.5])

    def chosen(delta: np.ndarray) -> np.ndarray:
        odds = np.exp(delta[:, None] + shift - alpha * 1.25 * price[:, None])
        return odds / (1 + odds.sum(axis=0))

    start = np.log(share / (1 - share.sum())) + alpha.mean() * 1.25 * price
    delta = root(lambda d: np.log(chosen(d).mean(axis=1) / share), start, tol=1e-14).x
    s = chosen(delta)
    own = -(0.5 * alpha * 1.25 * s * (1 - s)).sum(axis=1) * price / share
    return float(own @ share / share.sum())


def test_the_share_of_one_market_is_of_that_markets_buyers(tmp_path: Path) -> None:
    case = load_case(folder(tmp_path, "id,kind,market,of,value\nno,share,NO,,0.1\nboth,share,,,0.1\nelectric,share,SE,powertrain=BEV,0.1\n"))
    fitted = calibration_table(case, build_world(case)).set_index("target")["fitted"]
    assert fitted["no"] == pytest.approx(90000 / 900000, rel=1e-9)
    assert fitted["both"] == pytest.approx(250000 / 3400000, rel=1e-9)
    assert fitted["electric"] == pytest.approx(40000 / 2500000, rel=1e-9)


def test_a_price_taste_is_found_again_where_kinds_of_buyer_like_cars_differently(tmp_path: Path) -> None:
    """The taste by kind of buyer is about a characteristic that no random taste is about."""
    value = own_elasticity_in_norway(TASTE)
    found = calibrate_case(load_case(folder(tmp_path, f"id,kind,market,of,value\nown,own_elasticity,NO,,{value}\n", taste=0.0004)))
    assert found.parameters["fitted"].iloc[0] == pytest.approx(TASTE, rel=1e-6)
