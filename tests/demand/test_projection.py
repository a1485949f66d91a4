"""New products' mean utilities."""

from __future__ import annotations

import numpy as np
import pytest

from keiretsu.demand.projection import draw_xi, new_delta, project, twin_delta
from keiretsu.errors import DemandError

BRANDS, PLACES = ("nissan", "renault", "tesla"), ("DE", "FR")


def sample(noise: float = 0.5, n: int = 120):
    rng = np.random.default_rng(2)
    brand = [BRANDS[k] for k in rng.integers(0, 3, n)]
    market = [PLACES[k] for k in rng.integers(0, 2, n)]
    x = {"range": rng.normal(400, 100, n), "power": rng.normal(120, 40, n)}
    effect = {(b, m): 0.5 * i - 0.3 * j for i, b in enumerate(BRANDS) for j, m in enumerate(PLACES)}
    delta = 0.004 * x["range"] + 0.01 * x["power"] + np.array([effect[cell] for cell in zip(brand, market, strict=True)]) + noise * rng.normal(size=n)
    return delta, x, brand, market, effect


def test_the_projection_is_least_squares_with_a_dummy_for_each_brand_and_market():
    delta, x, brand, market, _ = sample()
    found = project(delta, x, brand, market)
    cells = list(found.effect)
    dummies = np.array([[cell == label for label in cells] for cell in zip(brand, market, strict=True)], dtype=float)
    full = np.column_stack([x["range"], x["power"], dummies])
    expected, residual, *_ = np.linalg.lstsq(full, delta, rcond=None)
    # The same normal equations solved two ways.
    np.testing.assert_allclose(np.r_[found.beta, list(found.effect.values())], expected, rtol=1e-9)
    assert found.spread == pytest.approx(np.sqrt(residual[0] / (120 - 8)), rel=1e-10)
    assert found.degrees_of_freedom == 112


def test_exact_deltas_leave_no_xi_and_are_predicted_exactly():
    delta, x, brand, market, _ = sample(noise=0.0)
    found = project(delta, x, brand, market)
    assert found.spread == pytest.approx(0, abs=1e-12) and found.explained == pytest.approx(1)
    again = new_delta(found, {name: column[7] for name, column in x.items()}, brand[7], market[7], xi=0.0)
    assert again == pytest.approx(delta[7], rel=1e-12)


def test_a_twin_differs_from_its_original_by_the_brands_alone_and_there_and_back_is_nothing():
    delta, x, brand, market, _ = sample()
    found = project(delta, x, brand, market)
    twin = twin_delta(found, 1.7, "renault", "nissan", "FR")
    assert twin - 1.7 == pytest.approx(found.effect["nissan", "FR"] - found.effect["renault", "FR"])
    assert twin_delta(found, twin, "nissan", "renault", "FR") == pytest.approx(1.7, rel=1e-14)


def test_a_twins_delta_is_that_of_a_new_product_with_the_originals_characteristics_and_xi():
    delta, x, brand, market, _ = sample()
    found = project(delta, x, brand, market)
    j = next(k for k in range(120) if (brand[k], market[k]) == ("renault", "FR"))
    fresh = new_delta(found, {name: column[j] for name, column in x.items()}, "tesla", "FR", float(found.xi[j]))
    assert fresh == pytest.approx(twin_delta(found, delta[j], "renault", "tesla", "FR"), rel=1e-10)


def test_drawn_xi_has_the_estimated_spread():
    delta, x, brand, market, _ = sample()
    found = project(delta, x, brand, market)
    drawn = draw_xi(found, 20_000, np.random.default_rng(1))
    # A t with 112 degrees of freedom has variance 112/110; 20,000 draws give its deviation within 2 %.
    assert drawn.std() == pytest.approx(found.spread * np.sqrt(112 / 110), rel=0.02)


def test_unknown_brands_and_dependent_characteristics_are_refused():
    delta, x, brand, market, _ = sample()
    found = project(delta, x, brand, market)
    with pytest.raises(DemandError, match="no product in this market"):
        new_delta(found, {"range": 1.0, "power": 1.0}, "byd", "FR", 0.0)
    with pytest.raises(DemandError, match="linearly dependent"):
        project(delta, x | {"both": x["range"] + x["power"]}, brand, market)
    with pytest.raises(DemandError, match="no variation"):
        project(delta, x | {"one": np.ones(120)}, brand, market)
