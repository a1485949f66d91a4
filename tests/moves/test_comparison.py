"""Comparisons add up, know what is new and what went, and split into channels without a rest."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from keiretsu.errors import MoveError
from keiretsu.market.solve import solve
from keiretsu.moves import channels, compare, direct_and_response, parse_scenarios
from keiretsu.moves.channels import shapley
from keiretsu.moves.comparison import change_percent
from keiretsu.moves.move import Channel

MOVES = [
    {"type": "battery_price_shock", "change_eur_per_kwh": -20},
    {"type": "stake_purchase", "buyer": "Chronos", "company": "Boreas", "money": "primary", "share": 0.2},
    {"type": "twin", "product": "boreas_twin", "original": "ares_one", "brand": "Boreas", "markets": ["north", "south"]},
    {"type": "withdrawal", "products": {"product": "chronos_one", "market": "south"}},
    {"type": "cost_shock", "name": "cheaper twin", "products": {"product": "boreas_twin"}, "change_eur": -500},
    {"type": "price_cut", "products": {"maker": "Daphne"}, "share": 0.1},
]


@pytest.fixture(scope="module")
def scenario():
    """A scenario that acts through four channels."""
    return parse_scenarios([{"name": "all at once", "where": "x.toml", "moves": MOVES}])["all at once"]


def test_a_world_compared_with_itself_has_not_changed(base):
    same = compare(base, base)
    for table in same.tables().values():
        changes = [c for c in table.columns if "_change" in c]
        # an index is a ratio of equal sums
        np.testing.assert_allclose(table[changes].to_numpy(float), 0.0, atol=1e-12)
    assert set(same.products["status"]) == {"both"}


def test_new_and_withdrawn_products_have_a_status_and_no_blanks(world, base, scenario):
    compared = compare(base, solve(scenario.apply(world)))
    status = compared.products.set_index(["market", "product"])["status"]
    assert status["north", "boreas_twin"] == "new"
    assert status["south", "chronos_one"] == "withdrawn"
    assert (status == "both").sum() == len(base.products) - 1
    twin = compared.products[compared.products["product"] == "boreas_twin"].iloc[0]
    assert (twin["units_base"], twin["brand"], twin["units_change_percent"]) == (0.0, "Boreas", np.inf)
    assert "boreas_twin" not in set(compared.prices["product"])
    for name, table in compared.tables().items():
        assert not table.isna().any().any(), name


def test_changes_add_up_over_products_brands_makers_owners_and_markets(world, base, scenario):
    compared = compare(base, solve(scenario.apply(world)))
    profit = compared.products["profit_eur_change"].sum()
    # sums of the same numbers in another order
    assert compared.brands.query("market == 'all'")["profit_eur_change"].sum() == pytest.approx(profit, rel=1e-9)
    assert compared.makers.query("market == 'all'")["profit_eur_change"].sum() == pytest.approx(profit, rel=1e-9)
    assert compared.makers.query("market != 'all'")["profit_eur_change"].sum() == pytest.approx(profit, rel=1e-9)
    assert compared.owners["claim_eur_change"].sum() == pytest.approx(profit, rel=1e-9)
    markets = compared.markets.set_index("market")
    assert markets.loc["all", "profit_eur_change"] == pytest.approx(profit, rel=1e-9)
    surplus = compared.consumers.query("market == 'all'")["surplus_eur_change"].sum()
    assert surplus == pytest.approx(markets.loc["all", "surplus_eur_change"], rel=1e-9)
    sold = markets["electric_units_scenario"] / markets["units_scenario"]
    np.testing.assert_allclose(markets["electric_share_scenario"], sold, rtol=1e-12)


def test_the_price_index_weighs_with_base_quantities(base):
    """Prices of one brand a tenth up and quantities upside down: the index is that brand's base share of spending times a tenth."""
    ares = (base.products["brand"] == "Ares").to_numpy()
    later = base.products.assign(price_eur=base.products["price_eur"] * np.where(ares, 1.1, 1.0), units=base.products["units"][::-1].to_numpy())
    index = compare(base, dataclasses.replace(base, products=later)).price_index
    spending = base.products["price_eur"] * base.products["units"]
    everything = index[index["level"] == "all"].iloc[0]
    assert everything["price_change_percent"] == pytest.approx(10.0 * spending[ares].sum() / spending.sum(), rel=1e-9)
    brand = index[(index["level"] == "brand") & (index["market"] == "all")].set_index("name")["price_change_percent"]
    assert brand["Ares"] == pytest.approx(10.0, rel=1e-9)
    assert brand["Boreas"] == pytest.approx(0.0, abs=1e-9)
    assert (index["base_units_covered_share"] == 1.0).all()


def test_a_change_of_nothing_is_infinite_and_no_change_of_nothing_is_zero():
    np.testing.assert_array_equal(change_percent(np.array([0.0, 0.0, -2.0, 4.0]), np.array([0.0, -1.0, 1.0, 1.0])), [0.0, -np.inf, 50.0, 25.0])


def test_worlds_with_other_markets_are_not_compared(base):
    only_north = dataclasses.replace(base, markets=base.markets.iloc[:1])
    with pytest.raises(MoveError, match="only in one: south"):
        compare(base, only_north)


def test_channels_add_up_to_every_change(world, scenario):
    split = channels(world, scenario, solve)
    assert split.channels == ("ownership", "cost", "product_range", "rivals")
    assert split.solves == 16
    table = split.table
    parts = table[list(split.channels)].sum(axis=1)
    scale = table[["base", "scenario"]].abs().max(axis=1)
    # sixteen weighted terms of the size of the level, in floats
    assert ((parts - table["change"]).abs() <= 1e-12 * scale).all()
    units = table.query("measure == 'units' and item == 'all markets'").iloc[0]
    assert units["cost"] > 0  # cheaper batteries sell cars
    claims = table.query("measure == 'claim_eur'")["change"].sum()
    assert claims == pytest.approx(table.query("measure == 'profit_eur' and item == 'all markets'")["change"].iloc[0], rel=1e-9)


def test_a_channels_part_is_its_average_over_all_orders():
    """Against the definition: switch channels on in every order and average what each adds."""
    names: tuple[Channel, ...] = ("ownership", "cost", "product_range", "rivals")
    rng = np.random.default_rng(7)
    value: dict[frozenset[Channel], np.ndarray] = {frozenset(s): rng.normal(size=3) for k in range(5) for s in itertools.combinations(names, k)}
    orders = list(itertools.permutations(names))
    for name in names:
        added = [value[frozenset(o[: o.index(name) + 1])] - value[frozenset(o[: o.index(name)])] for o in orders]
        np.testing.assert_allclose(shapley(value, name, names), np.mean(added, axis=0), rtol=0, atol=1e-14)


def test_one_channel_takes_the_whole_change(world, base):
    only = parse_scenarios([{"name": "one", "moves": [MOVES[0]]}])["one"]
    calls = []

    def counted(changed):
        calls.append(changed.name)
        return solve(changed)

    split = channels(world, only, counted)
    assert calls == ["one (nothing)", "one (cost)"]
    np.testing.assert_array_equal(split.table["cost"], split.table["change"])


def test_a_partnership_with_joint_pricing_is_split_into_cost_and_ownership(world):
    move = {"type": "partnership", "partners": ["Ares", "Chronos"], "purchasing_saving": 0.02, "pricing": "joint"}
    split = channels(world, parse_scenarios([{"name": "p", "moves": [move]}])["p"], solve)
    price = split.table.query("measure == 'mean_price_eur' and item == 'all markets'").iloc[0]
    assert split.channels == ("ownership", "cost")
    assert price["cost"] < 0 < price["ownership"]


def test_rivals_answer_a_price_cut_with_cuts_of_their_own_and_take_sales_back(world, base):
    cut = parse_scenarios([{"name": "cut", "moves": [{"type": "price_cut", "products": {"maker": "Ares"}, "share": 0.1}]}])["cut"]
    after = solve(cut.apply(world))
    split = direct_and_response(base, after, ("Ares",), solve).table
    np.testing.assert_allclose(split["direct"] + split["rivals_response"], split["change"], rtol=0, atol=1e-9 * split["base"].abs().max())
    units = split.query("measure == 'units' and item == 'firm Ares'").iloc[0]
    assert units["direct"] > 0 > units["rivals_response"]
    with pytest.raises(MoveError, match="sets no price"):
        direct_and_response(base, after, ("Nobody",), solve)
