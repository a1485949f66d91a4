"""A tiny world in equilibrium with nests and a spread of tastes: two markets, four makers, six consumers each."""

from __future__ import annotations

import datetime as dt
import functools

import numpy as np

from keiretsu.demand.preferences import ConsumerDraws, Preferences, RandomTaste
from keiretsu.market.build import calibrated
from keiretsu.market.solve import solve
from keiretsu.market.world import MarketFacts, World
from keiretsu.moves.scenario import Scenario, parse_scenarios
from tests.moves.conftest import _raw_world

YEARS = (2024, 2025, 2026)

LAUNCH = {
    "type": "launch", "product": "boreas_small", "markets": ["north", "south"], "brand": "Boreas", "like": "chronos_one", "price_eur": 24_000,
    "margin": 0.2, "range_km": 360, "power_kw": 95,
}  # fmt: skip
SCENARIOS = (
    {"name": "cheaper", "moves": [{"type": "cost_shock", "products": {"maker": "Ares"}, "change_share": -0.1}]},
    {"name": "launch", "moves": [LAUNCH]},
    {"name": "launch_later", "moves": [LAUNCH | {"start": dt.date(2025, 7, 1)}]},
    {"name": "stake", "moves": [{"type": "stake_purchase", "buyer": "Chronos", "company": "Boreas", "share": 0.3, "money": "secondary", "sellers": ["float of Boreas"]}]},
    {"name": "same", "moves": [{"type": "cost_shock", "products": {"maker": "Ares"}, "change_share": 0.0}]},
    {"name": "cut", "moves": [{"type": "price_cut", "products": {"maker": "Chronos"}, "share": 0.1}]},
    {
        "name": "twin",
        "moves": [LAUNCH, {"type": "twin", "product": "ares_twin", "original": "boreas_small", "brand": "Ares", "markets": ["north"], "cost_difference_eur": 500}],
    },
)  # fmt: skip


@functools.cache
def small_world() -> World:
    """The world, its prices and units those of an equilibrium."""
    raw = _raw_world()
    rng = np.random.default_rng(4)
    nu = rng.standard_normal((6, 1))

    def market(facts: MarketFacts) -> MarketFacts:
        draws = ConsumerDraws(
            np.full(6, 1 / 6), np.repeat([25_000.0, 45_000.0, 80_000.0], 2), np.repeat([0, 1, 2], 2), np.zeros(6, int), nu, ("low", "middle", "high"), ("private",)
        )  # fmt: skip
        return MarketFacts(facts.id, facts.name, facts.area, facts.potential, facts.vat, draws)

    tastes = Preferences(
        0.02, 0.5, random=(RandomTaste("electric", 0.8),), nest_columns=("powertrain_group", "segment"), sigma_group=0.2, sigma_sub=0.4
    )
    world = raw.replace(preferences=tastes, markets={name: market(facts) for name, facts in raw.markets.items()})
    found = solve(world).products
    return calibrated(world.replace(products=world.products.assign(price_eur=found["price_eur"].to_numpy(), units=found["units"].to_numpy())))


@functools.cache
def small_scenarios() -> dict[str, Scenario]:
    """Scenarios about the small world."""
    return parse_scenarios(list(SCENARIOS))
