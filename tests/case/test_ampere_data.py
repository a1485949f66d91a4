"""The embedded case's figures against the published totals, typed in here a second time."""

from __future__ import annotations

import datetime as dt
from functools import cache

import pandas as pd
import pytest

from keiretsu.case import load_case
from keiretsu.case.record import Case
from keiretsu.moves import parse_scenarios

ALL_CARS_2023 = {"DE": 2844609, "FR": 1774723, "UK": 1911808, "IT": 1565763, "ES": 959797, "NL": 372237, "SE": 289665, "NO": 126955}
ELECTRIC_CARS_2023 = {"DE": 524219, "FR": 298219, "UK": 314146, "IT": 66664, "ES": 54800, "NL": 114455, "SE": 112084, "NO": 104589}
INDIA_2023 = 4_108_000
GROUPS_IN_EUROPE_2023 = {"Tesla": 366326, "Honda": 60606, "Nissan": 293476, "Mazda": 182532}  # EU, EFTA and UK, makers' association
INSIDE_OTHER_LINES = "of these, "  # items of excluded.csv that are contained in other lines


@cache
def ampere() -> Case:
    return load_case("ampere")


def in_market(table: pd.DataFrame, market: str) -> pd.DataFrame:
    return table[table["market"] == market]


@pytest.mark.parametrize("market", ALL_CARS_2023)
def test_cars_sold_and_cars_left_out_add_up_to_the_countrys_registrations(market: str) -> None:
    case = ampere()
    left_out = in_market(case.excluded, market)
    counted = left_out[~left_out["item"].str.startswith(INSIDE_OTHER_LINES)]
    assert in_market(case.products, market)["units"].sum() + counted["value"].astype(float).sum() == ALL_CARS_2023[market]


@pytest.mark.parametrize("market", ELECTRIC_CARS_2023)
def test_electric_cars_sold_and_left_out_add_up_to_the_countrys_electric_registrations(market: str) -> None:
    case = ampere()
    products, left_out = in_market(case.products, market), in_market(case.excluded, market)
    electric = left_out[(left_out["item"] == "other electric models") | left_out["item"].str.startswith(INSIDE_OTHER_LINES)]
    assert products.loc[products["powertrain"] == "BEV", "units"].sum() + electric["value"].astype(float).sum() == ELECTRIC_CARS_2023[market]


@pytest.mark.parametrize("market", ALL_CARS_2023)
def test_lines_left_out_are_a_small_part_of_a_country(market: str) -> None:
    # Italy is the worst: brands that its statistics do not name (Alfa Romeo, Lancia, DR and others) are 8 % of its cars.
    assert in_market(ampere().products, market)["units"].sum() > 0.91 * ALL_CARS_2023[market]


def test_a_brand_whose_electric_cars_exceed_its_total_is_listed_and_has_no_combustion_line() -> None:
    case = ampere()
    negative = case.excluded[case.excluded["value"].astype(float) < 0]
    assert {("NO", "BYD"), ("NO", "Nio"), ("NO", "Cupra")} <= set(zip(negative["market"], negative["brand"], strict=True))
    lines = case.products[case.products["powertrain"] != "BEV"]
    assert not set(zip(negative["market"], negative["brand"], strict=True)) & set(zip(lines["market"], lines["brand"], strict=True))


def test_india_sells_as_many_cars_as_its_makers_reported() -> None:
    # Models without a 2023 figure are scaled so that the market total comes out; lines below 100 cars are left out (97 cars).
    assert in_market(ampere().products, "IN")["units"].sum() == pytest.approx(INDIA_2023, abs=150)


def test_india_sells_as_many_electric_cars_as_were_registered() -> None:
    products = in_market(ampere().products, "IN")
    electric = products.loc[products["powertrain"] == "BEV", "units"].sum()
    assert 78_000 < electric < 82_546  # 81,870 to 82,546 registered; luxury and other makers are not in the list


@pytest.mark.parametrize(
    ("market", "product", "units", "net_price"),
    [
        ("DE", "tesla_model_y", 45818, 59017 / 1.19),
        ("DE", "volkswagen_id_4", 25533, 46335 / 1.19),
        ("DE", "renault_megane_e_tech", 5796, 46600 / 1.19),
        ("FR", "dacia_spring", 29761, 22550 / 1.19),
        ("FR", "renault_megane_e_tech", 17623, 46600 / 1.19),
        ("UK", "mg_mg4", 20852, 39990 / 1.19),
        ("UK", "nissan_leaf", 5167, 33400 / 1.19),
        ("IT", "fiat_500e", 4732, 34990 / 1.19),
        ("NO", "nissan_ariya", 2520, 47490 / 1.19),
        ("NO", "tesla_model_y", 23065, 59017 / 1.19),
        ("SE", "byd_atto_3", 3213, 44625 / 1.19),
        ("IN", "in_maruti_suzuki_swift", 203469, (5.92 + 8.85) / 2 * 1e5 / 1.29 / 89.30),
        ("IN", "in_mahindra_xuv400", 4201, (15.49 + 19.39) / 2 * 1e5 / 1.05 / 89.30),
    ],
)
def test_a_cars_units_and_net_price_are_those_of_its_source(market: str, product: str, units: int, net_price: float) -> None:
    case = ampere()
    row = (case.products["market"] == market) & (case.products["product"] == product)
    assert case.products.loc[row, "units"].tolist() == [units]
    # list prices are typed to the euro (Europe) or to the rupee (India): half a euro at most
    assert case.net_price_eur()[row].to_numpy() == pytest.approx([net_price], abs=0.5)


def test_renaults_own_combustion_cars_are_its_total_less_its_electric_models() -> None:
    products = in_market(ampere().products, "DE")
    lines = products[(products["brand"] == "Renault") & (products["powertrain"] == "ICE")]
    assert lines["units"].sum() == 68312 - (5796 + 5838 + 2856 + 1005)


def test_prices_are_plausible_for_new_cars() -> None:
    case = ampere()
    price = case.net_price_eur()
    europe = case.products["market"] != "IN"
    assert price[europe].between(10_000, 110_000).all()
    assert price[~europe].between(3_500, 110_000).all()


@pytest.mark.parametrize(
    ("market", "makers"),
    [
        *((m, {"Renault", "Ampere", "Nissan", "Mitsubishi", "Honda", "BYD", "Tesla"}) for m in ("DE", "UK", "IT", "ES", "NL", "SE")),
        ("FR", {"Renault", "Ampere", "Nissan", "Mitsubishi", "Honda", "Tesla"}),  # BYD is not named in French statistics
        ("NO", {"Ampere", "Nissan", "Honda", "BYD", "Tesla"}),  # Renault and Mitsubishi totals are not named in Norwegian statistics
        ("IN", {"Renault", "Nissan", "Honda", "BYD"}),  # no Ampere, Mitsubishi or Tesla cars there in 2023
    ],
)
def test_every_maker_of_the_story_is_present_where_it_sold(market: str, makers: set[str]) -> None:
    case = ampere()
    if market == "UK":
        makers = makers - {"Mitsubishi"}  # left the British market; 80 cars, listed as left out
    assert makers <= set(in_market(case.products, market)["priced_by"])


def test_ampere_prices_and_earns_renaults_electric_cars_and_nothing_else() -> None:
    products = ampere().products
    ampere_cars = products[products["priced_by"] == "Ampere"]
    assert set(ampere_cars["brand"]) == {"Renault"} and set(ampere_cars["powertrain"]) == {"BEV"}
    assert set(ampere_cars["profit_to"]) == {"Ampere"}
    spring = products[products["product"] == "dacia_spring"]
    assert set(spring["priced_by"]) == {"Renault"}


def test_potential_buyers_exceed_sales_in_every_market() -> None:
    case = ampere()
    sold = case.products.groupby("market")["units"].sum()
    potential = case.markets.set_index("market")["potential"].astype(float)
    assert (sold < 0.6 * potential.loc[sold.index]).all()


def test_incomes_of_a_market_rise_and_weights_add_up_to_one() -> None:
    for _, groups in ampere().incomes.groupby("market"):
        assert groups["weight"].sum() == pytest.approx(1.0, abs=1e-12)
        assert groups["income_eur"].is_monotonic_increasing


def test_renault_holds_fifteen_per_cent_of_nissan_with_votes_and_a_quarter_in_trust_on_the_day_of_the_case() -> None:
    case = ampere()
    stakes = case.stakes
    on_the_day = (stakes["from"] <= case.as_of) & (stakes["to"] >= case.as_of)
    one = stakes[on_the_day & (stakes["holder"] == "Renault") & (stakes["company"] == "Nissan")]
    assert one["cash_flow"].tolist() == [pytest.approx(0.15 + 0.2463)]
    assert one["votes"].tolist() == [0.15]
    back = stakes[on_the_day & (stakes["holder"] == "Nissan") & (stakes["company"] == "Renault")]
    assert back["votes"].tolist() == [0.15]


def test_what_happened_after_the_day_of_the_case_is_dated_after_it() -> None:
    case = ampere()
    assert case.as_of == dt.date(2024, 3, 27)
    stakes = case.stakes
    later = stakes[(stakes["from"] > case.as_of)]
    assert {("Renault", "Nissan"), ("Nissan", "Mitsubishi"), ("Renault", "RNAIPL")} <= set(zip(later["holder"], later["company"], strict=True))


def test_every_scenario_of_the_story_is_there_with_a_question() -> None:
    wanted = {
        "no_deal", "nissan_stake", "nissan_stake_3_5bn", "nissan_stake_7bn", "nissan_stake_10bn", "nissan_and_mitsubishi", "ampere_listed",
        "alliance_before_nov_2023", "nissan_honda_platform", "nissan_honda_merger", "india_twins", "byd_cuts_10", "tesla_cuts_10",
        "new_low_price_rival",
        "france_without_bonus", "germany_bonus_back", "eu_countervailing_duties", "india_scheme_tesla", "india_scheme_byd",
        "india_bonus_like_france", "france_chargers_instead", "nissan_pool_alliance", "nissan_pool_byd", "nissan_pool_alone", "no_co2_rule",
        "averaging_2025_2027", "eu_duties_expected",
    }  # fmt: skip
    scenarios = {scenario.name: scenario for scenario in ampere().scenarios}
    assert set(scenarios) == wanted
    assert all("?" in scenario.question for scenario in scenarios.values())


def test_scenarios_say_nothing_that_moves_do_not_understand() -> None:
    assert len(parse_scenarios(ampere().scenarios)) == len(ampere().scenarios)


@pytest.mark.parametrize(("maker", "europe"), GROUPS_IN_EUROPE_2023.items())
def test_eight_countries_carry_most_of_a_makers_european_sales(maker: str, europe: int) -> None:
    products = ampere().products
    sold = products[(products["priced_by"] == maker) & (products["market"] != "IN")]["units"].sum()
    assert 0.70 * europe < sold < europe


def test_no_probability_is_given_to_what_happened_after_the_day_of_the_case() -> None:
    case = ampere()
    later = case.deals[case.deals["date"] > case.as_of]
    assert len(later) == 31 and later["probability"].isna().all()
    assert len(case.deals) == 66
