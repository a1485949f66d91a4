"""Products that were not there: twins, projected launches, entry."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from keiretsu.errors import MoveError
from keiretsu.market.characteristics import characteristic_matrix
from keiretsu.market.market import kappa_of
from keiretsu.market.projection import with_xi
from keiretsu.market.solve import solve
from keiretsu.moves import Entry, Launch, PriceCut, ProductFilter, Twin
from keiretsu.moves.new_utility import fit_utility
from keiretsu.ownership.weights import Given

TWIN = Twin(product="boreas_twin", original="ares_one", brand="Boreas", markets=("north", "south"))


def test_a_twin_eats_into_its_originals_sales_most_of_all(world, base):
    nested = world.replace(preferences=dataclasses.replace(world.preferences, nest_columns=("powertrain", "segment"), sigma_group=0.3, sigma_sub=0.7))
    settled = nested.replace(products=nested.products.assign(price_eur=solve(nested).products["price_eur"].to_numpy()))
    before, after = solve(settled), solve(TWIN.apply(settled))
    both = before.products.merge(after.products, on=["market", "product"], suffixes=("", "_after"))
    loss = (both["units_after"] / both["units"] - 1).groupby(both["segment"] + both["powertrain"]).mean()
    assert (both["units_after"] < both["units"]).all()
    assert loss["CBEV"] == loss.min()
    assert after.products["units"].sum() > before.products["units"].sum()


def test_a_twin_under_the_same_brand_has_its_originals_utility_and_cost(world):
    after = dataclasses.replace(TWIN, brand="Ares", product="ares_again").apply(world).products.set_index(["market", "product"])
    for column in ("delta", "cost_eur", "price_eur", "battery_kwh", "segment", "seats"):
        assert after.loc[("north", "ares_again"), column] == after.loc[("north", "ares_one"), column]
    assert after.loc[("north", "ares_again"), "launched_by"] == "twin"


def test_a_twin_differs_from_its_original_by_the_difference_between_the_brands(world):
    fit = fit_utility(world, "BEV")
    after = TWIN.apply(world).products.set_index(["market", "product"])
    for market in ("north", "south"):
        gap = after.loc[(market, "boreas_twin"), "delta"] - after.loc[(market, "ares_one"), "delta"]
        assert gap == pytest.approx(fit.effect["Boreas", market] - fit.effect["Ares", market], abs=1e-12)


def test_a_twin_takes_its_originals_xi_and_a_projected_car_the_appeal_that_is_stated(world):
    known = with_xi(world)
    twin = TWIN.apply(known).products.set_index(["market", "product"])
    assert twin.loc[("north", "boreas_twin"), "xi"] == twin.loc[("north", "ares_one"), "xi"] != 0
    launch = Launch(product="new", markets=("north",), brand="Boreas", like="boreas_one", price_eur=30_000.0, margin=0.2, appeal=0.05)
    assert launch.apply(known).products.iloc[-1]["xi"] == 0.05
    like = dataclasses.replace(launch, utility="of_like").apply(known).products.set_index(["market", "product"])
    assert like.loc[("north", "new"), "xi"] == pytest.approx(like.loc[("north", "boreas_one"), "xi"] + 0.05, abs=1e-12)


def test_projection_finds_the_tastes_and_brands_that_made_the_utilities(world):
    """Utilities without an unexplained part are projected exactly."""
    rows = world.products
    electric = (rows["powertrain"] == "BEV").to_numpy()
    x = characteristic_matrix(rows, ("range_100km", "power_100kw"))
    standing = {
        ("north", "Ares"): 0.3,
        ("north", "Boreas"): -0.2,
        ("north", "Chronos"): 0.1,
        ("south", "Ares"): 0.0,
        ("south", "Boreas"): 0.4,
        ("south", "Chronos"): -0.5,
    }
    made = np.array([standing.get((m, b), 0.0) for m, b in zip(rows["market"], rows["brand"], strict=True)]) + x @ np.array([0.6, 0.8])
    exact = world.replace(products=rows.assign(delta=np.where(electric, made, rows["delta"]), segment="C", body="hatchback"))
    fit = fit_utility(exact, "BEV")
    assert fit.names == ("range_100km", "power_100kw")
    np.testing.assert_allclose(fit.beta, [0.6, 0.8], rtol=1e-9)
    assert fit.effect == pytest.approx({(brand, market): value for (market, brand), value in standing.items()}, abs=1e-9)
    assert fit.spread < 1e-9
    launch = Launch(
        product="new",
        markets=("south",),
        brand="Boreas",
        like="boreas_one",
        price_eur=30_000.0,
        margin=0.2,
        range_km=500.0,
        power_kw=200.0,
        appeal=0.05,
    )
    new = launch.apply(exact).products.iloc[-1]
    assert new["delta"] == pytest.approx(0.4 + 0.6 * 5.0 + 0.8 * 2.0 + 0.05, abs=1e-9)
    assert new["cost_eur"] == pytest.approx(24_000.0)
    assert (new["units"], new["priced_by"], new["segment"]) == (0.0, "Boreas", "C")


def test_a_newcomer_is_added_to_the_register_and_sells(world, base):
    entry = Entry(
        product="nyx", markets=("north",), brand="Nyx", priced_by="Nyx", like="chronos_one", brand_like="Chronos", price_eur=19_000.0, margin=0.12
    )
    after = solve(entry.apply(world))
    assert "Nyx" in after.world.register.companies
    car = after.products.query("product == 'nyx'").iloc[0]
    assert car["units"] > 0
    assert after.owners.set_index("owner").loc["float of Nyx", "claim_eur"] == pytest.approx(car["profit_eur"], rel=1e-12)
    with pytest.raises(MoveError, match="the brand has no BEV car in this market"):
        dataclasses.replace(entry, brand_like="").apply(world)


def test_a_newcomer_prices_apart_under_a_typed_in_kappa(world):
    kappa = ((1.0, 0.3, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 1.2), (0.0, 0.0, 0.0, 1.0))
    given = world.replace(rule=Given(kappa, ("Ares", "Boreas", "Chronos", "Daphne")))
    entry = Entry(
        product="nyx", markets=("north",), brand="Nyx", priced_by="Nyx", like="chronos_one", brand_like="Chronos", price_eur=19_000.0, margin=0.12
    )
    after = kappa_of(entry.apply(given), ("Ares", "Boreas", "Chronos", "Daphne", "Nyx"))
    np.testing.assert_array_equal(after[:4, :4], kappa)
    np.testing.assert_array_equal(after[4], [0, 0, 0, 0, 1])
    np.testing.assert_array_equal(after[:, 4], [0, 0, 0, 0, 1])


def test_a_world_too_small_to_tell_tastes_from_brands_says_so(world):
    small = world.replace(products=world.products[world.products["product"].isin(["ares_one", "boreas_one"])].reset_index(drop=True))
    launch = Launch(product="new", markets=("north",), brand="Ares", like="ares_one", price_eur=30_000.0, margin=0.2)
    with pytest.raises(MoveError, match="of_like"):
        launch.apply(small)
    new = dataclasses.replace(launch, utility="of_like", appeal=0.2).apply(small).products.iloc[-1]
    assert new["delta"] == pytest.approx(small.products["delta"].iloc[0] + 0.2)


def test_everything_wrong_with_a_launch_is_said_at_once(world):
    launch = Launch(product="ares_one", markets=("north", "west"), brand="Nyx", like="nothing", price_eur=0.0)
    with pytest.raises(MoveError) as refused:
        launch.apply(world)
    message = str(refused.value)
    for text in (
        "price must be above zero",
        "marginal cost must be stated",
        "launch of a product that exists",
        "unknown market",
        "not on sale there",
        "nobody prices Nyx",
    ):
        assert text in message


def test_two_launches_in_one_scenario_may_build_on_each_other(world):
    first = Launch(
        product="seven", markets=("north",), brand="Ares", like="boreas_petrol", price_eur=30_000.0, margin=0.2, seats=7, utility="of_like"
    )
    after = Twin(product="seven_twin", original="seven", brand="Ares", markets=("north",)).apply(first.apply(world))
    assert ProductFilter(product=("seven", "seven_twin")).rows(after.products).sum() == 2


def test_a_makers_price_cut_leaves_its_car_to_come_to_the_maker_and_one_that_names_it_is_refused(world):
    after = TWIN.apply(world)
    maker = after.products.loc[after.products["product"] == "boreas_twin", "priced_by"].iloc[0]
    cut = PriceCut(products=ProductFilter(maker=(maker,)), share=0.1)
    held = cut.apply(after).products.set_index(["market", "product"])["held"]
    assert not held["north", "boreas_twin"] and held["north", "boreas_one"]
    with pytest.raises(MoveError, match="no price yet"):
        dataclasses.replace(cut, products=ProductFilter(product=("boreas_twin",))).apply(after)
