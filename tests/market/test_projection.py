"""Mean utilities of the observed year projected on characteristics and brands ([5b])."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from keiretsu.case import load_case
from keiretsu.market.build import build_world
from keiretsu.market.projection import projection_of, utility_of_one_model
from keiretsu.market.world import World
from keiretsu.study.projection import projection_table, unprojected_table

ROUNDING = 1e-9  # utils

CASE = """
[case]
as_of = 2024-01-01
[demand]
price_taste = 0.0002
nests = ["powertrain"]
sigma_group = 0.4
[[markets]]
market = "A"
potential = 500_000
[[markets]]
market = "B"
potential = 300_000
"""
HEAD = "market,product,firm,powertrain,segment,body,n_models,price,units,range_km,power_kw\n"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder: Path = tmp_path_factory.mktemp("projected")
    rng = np.random.default_rng(3)
    lines = [
        f"{market},{firm}{k},{firm},BEV,{'BCD'[k % 3]},{'SUV' if k % 2 else 'hatchback'},1,{30_000 + 2_000 * k},{units},{range_km},{power}"
        for market, firm, k in itertools.product("AB", ("Ares", "Boreas", "Chronos"), range(5))
        for units, range_km, power in [(rng.integers(500, 3000), rng.integers(250, 600), rng.integers(80, 220))]
    ]
    lines += [
        f"{market},{firm} petrol,{firm},ICE,C,car,{8 if firm == 'Ares' else 5},25000,9000,0,90"
        for market, firm in itertools.product("AB", ("Ares", "Boreas"))
    ]
    (folder / "case.toml").write_text(CASE)
    (folder / "products.csv").write_text(HEAD + "\n".join(lines) + "\n")
    return build_world(load_case(folder))


def test_utility_is_tastes_for_characteristics_and_the_brands_standing_and_xi(world: World):
    """Dummy-variable least squares over all markets gives the same numbers as the projection that sweeps brands out."""
    rows = world.products[world.products["powertrain"] == "BEV"]
    cells = (rows["brand"] + "|" + rows["market"]).to_numpy()
    size = rows["segment"].map({"B": 2.0, "C": 3.0, "D": 4.0})
    suv = (rows["body"] == "SUV").astype(float)
    x = np.column_stack([rows["range_km"] / 100, rows["power_kw"] / 100, size, suv])
    dummies = (cells[:, None] == np.unique(cells)).astype(float)
    y = rows["delta"].to_numpy(float)
    beta, *_ = np.linalg.lstsq(np.column_stack([x, dummies]), y, rcond=None)
    found = projection_of(world, "BEV")
    np.testing.assert_allclose(found.beta, beta[:4], atol=ROUNDING)
    np.testing.assert_allclose(rows["xi"], y - np.column_stack([x, dummies]) @ beta, atol=ROUNDING)
    assert world.xi_spread["BEV"] == pytest.approx(np.sqrt((rows["xi"] ** 2).sum() / (len(rows) - 4 - dummies.shape[1])), rel=1e-9)


def test_what_characteristics_leave_unexplained_adds_up_to_nothing_within_a_brand_and_market(world: World):
    electric = world.products[world.products["powertrain"] == "BEV"]
    assert electric.groupby(["market", "brand"])["xi"].sum().abs().max() < ROUNDING
    assert electric["xi"].abs().min() > 0


def test_powertrains_with_one_car_a_brand_have_no_spread_and_the_table_says_why(world: World):
    assert set(world.xi_spread) == {"BEV"}
    assert (world.products.loc[world.products["powertrain"] == "ICE", "xi"] == 0).all()
    table = unprojected_table(world)
    assert list(table["powertrain"]) == ["ICE"]
    assert table["reason"].str.contains("too few products").all()


def test_a_line_of_several_models_is_brought_to_one_model_before_it_is_projected(world: World):
    lines = world.products[world.products["powertrain"] == "ICE"]
    gap = lines["delta"].to_numpy(float) - utility_of_one_model(world, lines)
    np.testing.assert_allclose(gap, (1 - 0.4) * np.log(lines["n_models"].to_numpy(float)), atol=ROUNDING)


def test_the_table_shows_coefficients_with_standard_errors_and_the_spread_of_xi(world: World):
    table = projection_table(world)
    assert list(table["characteristic"]) == ["range_100km", "power_100kw", "size", "suv"]
    assert (table["standard_error_utils"] > 0).all()
    assert table["explained_within"].between(0, 1).all()
    assert (table["xi_spread_utils"] == world.xi_spread["BEV"]).all()
    assert (table["degrees_of_freedom"] == 30 - 6 - 4).all()
