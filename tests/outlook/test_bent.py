"""Price ceilings, kinks and pots of money inside the years, against the one-year model that solves them by other means."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from keiretsu.market.outcome import Outcome
from keiretsu.market.solve import solve
from keiretsu.outlook.arrays import Year
from keiretsu.outlook.measures import measure_named
from keiretsu.outlook.outlook import Outlook, run
from keiretsu.outlook.sensitivity import output_at, slopes
from tests.outlook.bent_worlds import bracket, capped, ceiling, outlook_with, pot, world_with

EUR = 1e-3  # two ways to the same prices: each is settled to 1e-7 EUR, breakpoints count as reached within a tenth of a cent
LASTING, SHORT = 1e12, 800e6  # EUR a year: one pot outlasts every year, the other about half of it
CEILINGS = (ceiling(37_500.0), capped(0.12, 4_200.0, "south"), pot(LASTING, "south", name="lasting", flat_eur=500.0))
POTS = (bracket(34_500.0), ceiling(30_000.0, 2_000.0, "south"), pot(SHORT, "north", "south"))


@functools.cache
def outlook(which: str) -> Outlook:
    return outlook_with(*(CEILINGS if which == "ceilings" else POTS))


@functools.cache
def years(which: str, **values: float) -> Year:
    return run(outlook(which), "baseline", outlook(which).central() | values)[1]


@functools.cache
def one_year(which: str) -> Outcome:
    return solve(world_with(*(CEILINGS if which == "ceilings" else POTS)))


def same_prices(found: Year, which: str, year: int, one: Outcome) -> None:
    for m, (market, rows) in enumerate(outlook(which).roster.rows.items()):
        expected = one.products[one.products["market"] == market].set_index("product")["price_eur"]
        assert np.asarray(found.price)[year, m, : len(rows)] == pytest.approx(expected[rows["product"]].to_numpy(), abs=EUR)


def test_under_a_price_ceiling_and_a_capped_percentage_one_year_is_the_equilibrium_of_that_world() -> None:
    found, one = years("ceilings"), one_year("ceilings")
    stuck = one.regulation.stuck
    assert {"notch", "kink"} == set(stuck["kind"])  # the case must have both, or nothing is tested
    for year in range(3):
        same_prices(found, "ceilings", year, one)
    assert np.asarray(found.at_break)[0].tolist() == [int((stuck["market"] == m).sum()) for m in ("north", "south")]
    assert np.asarray(found.government)[0] == pytest.approx(one.markets["government_eur"].to_numpy(), rel=1e-7)
    assert not np.asarray(found.unsettled_sides).any()


def test_incentives_that_are_not_paid_leave_no_ceiling_behind() -> None:
    same_prices(years("ceilings", incentives=0.0), "ceilings", 0, solve(world_with()))


def test_as_costs_change_each_year_is_on_the_sides_that_are_best_in_it() -> None:
    found = years("ceilings", rest_cost_trend=0.04)
    assert len({tuple(row) for row in np.asarray(found.at_break).tolist()}) > 1  # somebody must have moved
    for year in (0, 2):
        products = world_with(*CEILINGS).products.copy()
        for m, (market, rows) in enumerate(outlook("ceilings").roster.rows.items()):
            products.loc[products["market"] == market, "cost_eur"] = np.asarray(found.cost)[year, m, : len(rows)]
        same_prices(found, "ceilings", year, solve(world_with(*CEILINGS).replace(products=products)))


def test_a_pot_of_two_countries_that_runs_out_splits_the_year_as_in_one_year() -> None:
    found, one = years("pots"), one_year("pots")
    budget = one.regulation.budgets.iloc[0]
    assert 0.2 < budget["open_share_of_year"] < 0.8
    assert np.asarray(found.pot_open)[0, 0] == pytest.approx(budget["open_share_of_year"], rel=1e-7)
    units = one.products.set_index(["market", "product"])["units"]
    for m, (market, rows) in enumerate(outlook("pots").roster.rows.items()):
        assert np.asarray(found.units)[0, m, : len(rows)] == pytest.approx(units[market][rows["product"]].to_numpy(), rel=1e-7)
    same_prices(found, "pots", 0, one)
    assert np.asarray(found.government)[0] == pytest.approx(one.markets["government_eur"].to_numpy(), rel=1e-6)
    assert np.asarray(found.surplus)[0] == pytest.approx(one.markets["surplus_eur"].to_numpy(), rel=1e-7)
    profit = one.firms.groupby("firm")["profit_eur"].sum()
    for f, firm in enumerate(outlook("pots").roster.firms):
        assert np.asarray(found.firm_profit)[0, f] == pytest.approx(profit[firm], rel=1e-7)


def test_slopes_through_ceilings_and_pots_are_those_of_the_path() -> None:
    out, central = outlook("pots"), outlook("pots").central()
    measure = measure_named("Ares value", out, 0.06)
    slope = slopes(out, "baseline", measure, central)[1]
    for name, step in (("price_sensitivity", 1e-5), ("incentives", 1e-5), ("rest_cost_trend", 1e-6)):
        ends = [output_at(out, "baseline", measure, central | {name: central[name] + sign * step}) for sign in (1, -1)]
        assert slope[name] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-5)
