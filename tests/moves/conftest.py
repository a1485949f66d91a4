"""A tiny world in equilibrium: two markets, four makers, a handful of cars; every number typed in."""

from __future__ import annotations

import datetime as dt
import functools

import numpy as np
import pandas as pd
import pytest

from keiretsu.demand.preferences import ConsumerDraws, Preferences
from keiretsu.market.outcome import Outcome
from keiretsu.market.solve import solve
from keiretsu.market.world import PRODUCT_COLUMNS, MarketFacts, World
from keiretsu.ownership.register import Owner, Register, Stake
from keiretsu.ownership.weights import Controller

DATE = dt.date(2024, 3, 27)

# product, brand, maker, powertrain, segment, body, seats, battery kWh, range km, power kW, delta (utils), cost (EUR)
_CARS = (
    ("ares_one", "Ares", "Ares", "BEV", "C", "hatchback", 5, 60.0, 400.0, 110.0, 2.2, 24_000.0),
    ("ares_two", "Ares", "Ares", "BEV", "D", "SUV", 5, 80.0, 480.0, 160.0, 2.7, 33_000.0),
    ("ares_petrol", "Ares", "Ares", "ICE", "C", "hatchback", 5, 0.0, 0.0, 90.0, 2.4, 18_000.0),
    ("boreas_one", "Boreas", "Boreas", "BEV", "C", "hatchback", 5, 50.0, 350.0, 100.0, 2.0, 22_000.0),
    ("boreas_two", "Boreas", "Boreas", "BEV", "C", "SUV", 5, 70.0, 450.0, 150.0, 2.5, 27_000.0),
    ("boreas_petrol", "Boreas", "Boreas", "ICE", "D", "SUV", 7, 0.0, 0.0, 120.0, 2.6, 23_000.0),
    ("chronos_one", "Chronos", "Chronos", "BEV", "B", "hatchback", 5, 45.0, 320.0, 90.0, 1.6, 17_000.0),
    ("chronos_two", "Chronos", "Chronos", "BEV", "C", "hatchback", 5, 58.0, 430.0, 140.0, 2.3, 21_000.0),
    ("ares_three", "Ares", "Ares", "BEV", "B", "hatchback", 5, 42.0, 300.0, 85.0, 1.5, 18_000.0),
    ("chronos_three", "Chronos", "Chronos", "BEV", "D", "SUV", 5, 75.0, 440.0, 170.0, 2.6, 29_000.0),
    ("daphne_petrol", "Daphne", "Daphne", "ICE", "B", "hatchback", 5, 0.0, 0.0, 70.0, 1.9, 14_000.0),
)

REGISTER = Register(
    companies=("Ares", "Boreas", "Chronos", "Daphne"),
    owners=(Owner("Fund", "fund"), Owner("State", "state")),
    stakes=(
        Stake("Fund", "Ares", 0.30, 0.30),
        Stake("State", "Boreas", 0.20, 0.20, None, DATE),
        Stake("State", "Boreas", 0.10, 0.10, DATE, None),
        Stake("Ares", "Boreas", 0.15, 0.15),
        Stake("Fund", "Daphne", 0.60, 0.60),
    ),
)


def _products() -> pd.DataFrame:
    rows = []
    for k, market in enumerate(("north", "south")):
        for n, (product, brand, maker, powertrain, segment, body, seats, battery, range_km, power, delta, cost) in enumerate(_CARS):
            rows.append(
                {
                    "market": market,
                    "product": product,
                    "brand": brand,
                    "model": product,
                    "powertrain": powertrain,
                    "segment": segment,
                    "body": body,
                    "seats": seats,
                    "powertrain_group": "electric" if powertrain == "BEV" else "other",
                    "nest": "all",
                    "sub_nest": "all",
                    "n_models": 1.0,
                    "origin": "EU",
                    "priced_by": maker,
                    "profit_to": maker,
                    "made_by": "",
                    "transfer_price_eur": 0.0,
                    "sales_tax": 0.2,
                    "price_eur": cost + 12_000.0,
                    "units": 1_000.0,
                    "battery_kwh": battery,
                    "range_km": range_km,
                    "power_kw": power,
                    "mass_kg": 1_500.0,
                    "co2_gkm": 0.0 if powertrain == "BEV" else 120.0,
                    # a spread that characteristics do not explain, differing by market
                    "delta": delta + 0.1 * np.sin(3.0 * n + k) - 0.3 * k,
                    "xi": 0.0,
                    "cost_eur": cost,
                    "cost_given": False,
                    "held": False,
                    "available": True,
                    "launched_by": "",
                }
            )
    return pd.DataFrame(rows)[list(PRODUCT_COLUMNS)]


def _market(name: str, potential: float) -> MarketFacts:
    draws = ConsumerDraws(
        np.array([0.5, 0.5]), np.array([30_000.0, 60_000.0]), np.array([0, 1]), np.array([0, 0]), np.zeros((2, 0)), ("low", "high"), ("private",)
    )
    return MarketFacts(name, name, "union", potential, 0.2, draws)


def _raw_world() -> World:
    return World(
        name="base",
        date=DATE,
        observed_on=DATE,
        register=REGISTER,
        rule=Controller(),
        preferences=Preferences(price_taste=0.02, income_power=0.5),
        markets={"north": _market("north", 1_000_000.0), "south": _market("south", 400_000.0)},
        products=_products(),
    )


@functools.cache
def _settled() -> tuple[World, Outcome]:
    """The world with its equilibrium prices as observed ones, and its outcome."""
    raw = _raw_world()
    world = raw.replace(products=raw.products.assign(price_eur=solve(raw).products["price_eur"].to_numpy()))
    return world, solve(world)


@pytest.fixture
def world() -> World:
    """The tiny world, its prices those of its equilibrium."""
    return _settled()[0]


@pytest.fixture
def base() -> Outcome:
    """The tiny world in equilibrium."""
    return _settled()[1]
