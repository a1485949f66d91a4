"""What a maker would gain by crossing a price ceiling inside the years when its pool's shadow price moves with it, from the definition of profit; and the sides of one year."""

from __future__ import annotations

import dataclasses
import functools

import jax
import numpy as np
import pytest
from scipy.optimize import brentq, minimize

from keiretsu.demand.choice import choose_now
from keiretsu.market.market import rows_of, tastes_of_rows
from keiretsu.market.pools import FleetRule, FleetTarget
from keiretsu.market.solve import solve
from keiretsu.market.world import World
from keiretsu.numerics.host import host
from keiretsu.outlook.arrays import Year
from keiretsu.outlook.facts import steady_facts
from keiretsu.outlook.outlook import Outlook, build, run
from keiretsu.outlook.side_gains import with_gains
from keiretsu.supply.pricing import PricingOptions
from tests.outlook.bent_worlds import ceiling, world_with

BONUS = 4_000.0
MAKERS = ("Ares", "Boreas", "Chronos", "Daphne")
MARKETS = ("north", "south")
EUR = 1e-2  # two ways to the same prices under a rule: shadow prices are settled to that in money a car


def ruled(grams: float, net_eur: float) -> World:
    """The small world with a bonus up to a ceiling and a CO2 rule under which every maker is alone."""
    return world_with(ceiling(net_eur, BONUS, *MARKETS)).replace(pools=(FleetRule("eu", MARKETS, 2024, 2040, FleetTarget(grams)),))


@functools.cache
def one_year_ahead(grams: float, net_eur: float) -> tuple[Outlook, Year, Year]:
    """A year in which nothing else moves, as its path has it and with pools cleared anew."""
    world = ruled(grams, net_eur)
    return years_of(build(world, {}, steady_facts(world, 2023, (2024,)), PricingOptions(tolerance_eur=1e-6, relative=1e-10)))


def years_of(out: Outlook) -> tuple[Outlook, Year, Year]:
    plan, given = out.plans["baseline"], out.arrays(out.central())
    found, years = jax.device_get(run(out, "baseline", out.central()))
    return out, years, with_gains(out.base, plan, given, (found, years), [out.world.markets[name] for name in out.roster.rows], out.options)


class Makers:
    """The small world written out: sales, profit and grams of a maker at any prices, cars inside the ceiling being those said to be."""

    def __init__(self, grams: float, net_eur: float) -> None:
        self.world, self.grams, self.net_eur = ruled(grams, net_eur), grams, net_eur
        self.rows = {name: rows_of(self.world, name) for name in MARKETS}
        self.tastes = {name: tastes_of_rows(self.world.markets[name], self.world.preferences, rows) for name, rows in self.rows.items()}

    def units(self, market: str, price: np.ndarray, inside: np.ndarray) -> np.ndarray:
        facts, tastes = self.world.markets[market], self.tastes[market]
        paid = (price * (1 + self.rows[market]["sales_tax"].to_numpy()) - np.where(inside, BONUS, 0.0))[:, None]
        return (
            facts.potential
            * np.asarray(choose_now(tastes, host(np.broadcast_to(paid, (price.size, tastes.alpha.size)))).probability)
            @ np.asarray(tastes.weight)
        )

    def gain(self, years: Year, market: str, car: int) -> tuple[float, float]:
        """What the maker of a car gains when that car goes to the other side of the ceiling, rivals' prices given: with its target kept, and at the shadow price that was.

        Searched for: the maker sets all of its prices in both markets for a Lagrangian of its profit, and the multiplier is the one at which its cars weigh what they did.
        """
        maker = self.rows[market]["priced_by"][car]
        price = {name: np.asarray(years.price)[0, m, : len(self.rows[name])] for m, name in enumerate(MARKETS)}
        electric = {name: (rows["powertrain"] == "BEV").to_numpy() for name, rows in self.rows.items()}
        before = {name: electric[name] & (price[name] <= self.net_eur + 1e-3) for name in MARKETS}
        own = [(name, int(j)) for name in MARKETS for j in np.flatnonzero((self.rows[name]["priced_by"] == maker).to_numpy())]
        after = {name: before[name].copy() for name in MARKETS}
        after[market][car] = not before[market][car]

        def came_to(own_price: np.ndarray, inside: dict[str, np.ndarray]) -> tuple[float, float]:
            now = {name: price[name].copy() for name in MARKETS}
            for (name, j), value in zip(own, own_price, strict=True):
                now[name][j] = value
            sold = {name: self.units(name, now[name], inside[name]) for name in MARKETS}
            earned = sum((now[name][j] - self.rows[name]["cost_eur"][j]) * sold[name][j] for name, j in own)
            return float(earned), float(sum((self.rows[name]["co2_gkm"][j] - self.grams) * sold[name][j] for name, j in own))

        def best(rate: float, inside: dict[str, np.ndarray]) -> tuple[float, float]:
            start = np.array([price[name][j] for name, j in own])
            bounds = [(1e3, self.net_eur if inside[name][j] else None) if electric[name][j] else (1e3, None) for name, j in own]
            bounds = [(self.net_eur, None) if electric[n][j] and not inside[n][j] else b for (n, j), b in zip(own, bounds, strict=True)]

            def loss(x: np.ndarray) -> float:
                earned, weighed = came_to(1e4 * x, inside)
                return -(earned - rate * weighed) / 1e9

            scaled = [(low / 1e4, np.inf if high is None else high / 1e4) for low, high in bounds]
            begin = np.clip(start / 1e4, [low for low, _ in scaled], [high for _, high in scaled])
            found = minimize(loss, begin, method="L-BFGS-B", bounds=scaled, options={"ftol": 1e-14, "gtol": 1e-7})
            return came_to(1e4 * found.x, inside)

        m = MARKETS.index(market)
        assert np.asarray(years.units)[0, m, : len(self.rows[market])] == pytest.approx(self.units(market, price[market], before[market]), rel=1e-6)
        profit, weight = came_to(np.array([price[name][j] for name, j in own]), before)
        assert years.rules is not None
        rate = float(np.asarray(years.rules.price)[0, MAKERS.index(maker)])
        cleared = float(brentq(lambda at: best(at, after)[1] - weight, 0.0, 95.0, xtol=0.02))
        # of a Lagrangian: right to the second order in what the multiplier is off by
        kept, stands = (best(at, after) for at in (cleared, rate))
        return kept[0] - cleared * (kept[1] - weight) - profit, stands[0] - rate * (stands[1] - weight) - profit


def test_a_crossing_is_worth_what_the_makers_best_profit_under_its_target_changes_by_and_not_what_it_seems_at_the_shadow_price_of_before() -> None:
    _, path, years = one_year_ahead(35.0, 28_100.0)
    makers = Makers(35.0, 28_100.0)
    car = int(np.flatnonzero((makers.rows["south"]["product"] == "boreas_two").to_numpy())[0])  # its maker counts no other firm's profit
    kept, seems = makers.gain(path, "south", car)
    # Simpson's rule over the way of the shadow price
    assert np.asarray(years.side_gain)[0, 1] == pytest.approx(kept, rel=1e-3)
    assert np.asarray(years.unsettled_sides)[0].tolist() == [0, 1]
    assert seems > 1.5 * kept
    kept, seems = makers.gain(path, "north", car)
    assert seems > 20e6 and kept < -10e6
    assert np.asarray(years.side_gain)[0, 0] == 0.0


# at the first two of these ceilings sides went round while shadow prices were taken to stand still, with tens of millions or an unknown amount to gain
@pytest.mark.parametrize(("grams", "net_eur"), [(35.0, 27_400.0), (48.0, 28_800.0), (35.0, 33_000.0), (48.0, 41_400.0)])
def test_one_year_of_the_years_chooses_the_sides_of_the_one_year_model(grams: float, net_eur: float) -> None:
    out, _, years = one_year_ahead(grams, net_eur)
    one = solve(ruled(grams, net_eur)).products
    for m, (market, rows) in enumerate(out.roster.rows.items()):
        expected = one[one["market"] == market].set_index("product")["price_eur"][rows["product"]].to_numpy()
        assert np.asarray(years.price)[0, m, : len(rows)] == pytest.approx(expected, abs=EUR)
    assert not np.asarray(years.unsettled_sides).any() and not np.asarray(years.side_gain).any()


def test_what_cannot_be_worked_out_anew_is_never_said_to_be_nothing() -> None:
    out, path, _ = one_year_ahead(35.0, 28_100.0)
    plan, given = out.plans["baseline"], out.arrays(out.central())
    facts = [out.world.markets[name] for name in out.roster.rows]
    # left open by the path: nobody knows; a scenario that stays where the baseline was: what it would be while shadow prices stand still; known all along
    for gain, count, expected, counted in ((-5.0, 0, np.inf, 1), (-5.0, 1, 5.0, 1), (7.0, 1, 7.0, 1), (0.0, 0, 0.0, 0)):
        said = dataclasses.replace(path, side_gain=np.array([[gain, 0.0]]), unsettled_sides=np.array([[count, 0]]))
        split = dataclasses.replace(said, pot_open=np.array([[0.5]]))
        for one, years in ((plan, split), (dataclasses.replace(plan, rules=None), said)):
            found = with_gains(out.base, one, given, (path, years), facts, out.options)  # type: ignore[arg-type]
            assert np.asarray(found.side_gain).tolist() == [[expected, 0.0]] and np.asarray(found.unsettled_sides).tolist() == [[counted, 0]]
