"""What the years ahead start from: batteries, chargers, cars on the road, planned launches, and the central value of every input.

`steady_facts` is a world in which nothing moves: the outlook of a case that says nothing about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from keiretsu.market.world import World
from keiretsu.moves.move import Move
from keiretsu.outlook.arrays import POWERTRAINS
from keiretsu.outlook.inputs import INPUTS

AGES = 30
LAST_YEAR = 2035


@dataclass(frozen=True)
class PlannedLaunch:
    """A launch known on the case's date.

    `expected_units` are the cars a year it would sell in all its markets under the base year's conditions, see `keiretsu.outlook.planned`.

    Attributes
    ----------
    year
        Planned date, fractional year.
    replaces
        Products that go off sale when it comes.
    """

    move: Move
    year: float
    expected_units: float
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class OutlookFacts:
    """Where a path starts.

    Attributes
    ----------
    base_year, years
        Year of observation and years of the path.
    pack_price_eur_kwh, cumulative_gwh, base_year_gwh
        Pack price of the base year, world battery output to its start and in it (simulated markets included).
    world_gwh
        Projected world battery output in each of `years`, simulated markets included.
    chargers
        Public charging points by market at the end of the base year.
    fleet
        Cars on the road by market at the end of the base year, (P, A), P as in `POWERTRAINS`, youngest first.
    life_years, life_shape
        Scale (years) and shape of the Weibull survival curve.
    cycle_years
        Years from one renewal of a model to the next.
    pace
        Rise of the taste for electric cars by market, as a multiple of the common one; 1 where not stated.
    launches
        Launches planned in the baseline.
    launch_year
        Planned date of products that scenarios launch without one, fractional year.
    central
        Central value of inputs, those that differ from neutral.
    rest_follows
        Whether makers' sales in the rest of a regulated area go with their own in the simulated markets; else they stay as they were.
    """

    base_year: int
    years: tuple[int, ...]
    pack_price_eur_kwh: float
    cumulative_gwh: float
    base_year_gwh: float
    world_gwh: tuple[float, ...]
    chargers: Mapping[str, float]
    fleet: Mapping[str, np.ndarray]
    life_years: float
    life_shape: float
    cycle_years: float
    pace: Mapping[str, float] = field(default_factory=lambda: dict[str, float]())
    launches: tuple[PlannedLaunch, ...] = ()
    launch_year: Mapping[str, float] = field(default_factory=lambda: dict[str, float]())
    central: Mapping[str, float] = field(default_factory=lambda: dict[str, float]())
    rest_follows: bool = False


def steady_facts(world: World, base_year: int, years: tuple[int, ...]) -> OutlookFacts:
    """A world in which nothing moves: flat battery price, a fleet that replaces itself, no launches, every input neutral."""
    life, shape = 15.0, 3.0
    own = float((world.products["units"] * world.products["battery_kwh"]).sum()) / 1e6
    return OutlookFacts(
        base_year=base_year,
        years=years,
        pack_price_eur_kwh=100.0,
        cumulative_gwh=1000.0,
        base_year_gwh=own,
        world_gwh=(own,) * len(years),
        chargers=dict.fromkeys(world.markets, 1000.0),
        fleet={market: stationary_fleet(sales_by_powertrain(world, market), life, shape) for market in world.markets},
        life_years=life,
        life_shape=shape,
        cycle_years=7.0,
    )


def sales_by_powertrain(world: World, market: str) -> np.ndarray:
    """Cars sold in the base year, (P,)."""
    rows = world.products[(world.products["market"] == market) & world.products["available"]]
    return np.array([rows.loc[rows["powertrain"] == p, "units"].sum() for p in POWERTRAINS], dtype=float)


def stationary_fleet(sales: np.ndarray, life_years: float, life_shape: float) -> np.ndarray:
    """The fleet that these yearly sales (P,) keep as it is, by age. (P, A)"""
    a = np.arange(AGES, dtype=float)
    return sales[:, None] * np.exp(-((a / life_years) ** life_shape))


def central_values(facts: OutlookFacts) -> dict[str, float]:
    """Every input that belongs to no launch at its central value."""
    return {name: facts.central.get(name, of.neutral) for name, of in INPUTS.items()}
