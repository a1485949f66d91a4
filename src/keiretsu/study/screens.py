"""First screens of a deal at observed prices: concentration, and what joining two makers' interests would do to each one's prices.

Margins are whole unit margins and each car counts for the company that prices it; a car whose margin is split counts as its setter's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from keiretsu.case import Case
from keiretsu.errors import OwnershipError, Problem
from keiretsu.market.build import build_world
from keiretsu.market.market import kappa_of
from keiretsu.market.outcome import Outcome
from keiretsu.market.solve import solve
from keiretsu.market.world import World
from keiretsu.ownership.pressure import Prices, cmcr, guppi, upp, weights_under
from keiretsu.study.concentration import concentration_table
from keiretsu.study.run import BASELINE, chosen_scenarios
from keiretsu.study.substitution import OUTSIDE, substitution_of

Pair = tuple[str, str]


def screens(case: Case, pairs: Sequence[Pair], scenarios: Sequence[str] = ()) -> dict[str, pd.DataFrame]:
    """Screens of a case in its base year, by title.

    Parameters
    ----------
    pairs
        Pairs of companies taken as if each priced for both in full (a full merger).
    scenarios
        Scenarios whose profit weights (a partial stake, say) are put in place of today's.

    Raises
    ------
    OwnershipError
        For every company of a pair that prices nothing in the case.
    """
    world = build_world(case)
    firms = world.firms()
    _refuse_unknown(pairs, firms)
    outcome = solve(world)
    tables = {"Concentration in the base year": concentration_table({BASELINE: outcome}).drop(columns="scenario")}
    before = kappa_of(world, firms)
    for pair in pairs:
        tables[f"Pressure on prices if {pair[0]} and {pair[1]} were one"] = pressure_table(outcome, before, merged(before, firms, pair))
    for scenario in chosen_scenarios(case, tuple(scenarios)) if scenarios else ():
        tables[f"Pressure on prices: {scenario.title}"] = pressure_table(outcome, before, _weights_after(world, scenario.apply(world), firms))
    return tables


def merged(kappa: np.ndarray, firms: Sequence[str], pair: Pair) -> np.ndarray:
    """Profit weights once two firms look after both profits in full; (F, F) in the order of `firms`."""
    one, other = (list(firms).index(name) for name in pair)
    after = kappa.copy()
    after[one, other] = after[other, one] = 1.0
    return after


def pressure_table(outcome: Outcome, before: np.ndarray, after: np.ndarray) -> pd.DataFrame:
    """GUPPI, UPP without efficiencies and CMCR by market and maker: means weighted by sales, and the largest of any car.

    Makers whose prices feel no pressure are left out.
    """
    firms = list(outcome.kappa.index)
    rows: list[dict[str, object]] = []
    for market, state in outcome.states.items():
        cars = outcome.products[outcome.products["market"] == market]
        diversion = substitution_of(state).diversion.drop(columns=OUTSIDE).to_numpy()
        now = Prices(cars["price_eur"].to_numpy(float), cars["margin_eur"].to_numpy(float), diversion)
        owner = [firms.index(firm) for firm in cars["priced_by"]]
        old, new = weights_under(before, owner), weights_under(after, owner)
        index = guppi(now, old, new)
        pushed = upp(now, old, new, np.zeros(len(cars)), "own")
        needed = cmcr(now, old, new, "cost")
        units = cars["units"].to_numpy(float)
        for firm in dict.fromkeys(cars["priced_by"]):
            own = (cars["priced_by"] == firm).to_numpy()
            if np.abs(index[own]).max() > 0:
                weight = units[own] / units[own].sum()
                rows.append(
                    {
                        "market": market,
                        "firm": firm,
                        "guppi": float(weight @ index[own]),
                        "largest_guppi": float(index[own].max()),
                        "upp_eur": float(weight @ pushed[own]),
                        "cmcr": float(weight @ needed[own]),
                    }
                )
    return pd.DataFrame(rows, columns=["market", "firm", "guppi", "largest_guppi", "upp_eur", "cmcr"])


def _weights_after(before: World, after: World, firms: Sequence[str]) -> np.ndarray:
    if set(after.firms()) != set(firms):
        raise OwnershipError(
            Problem("this scenario changes which companies earn", after.name, ", ".join(after.firms()), "the companies of the base year")
        )
    return kappa_of(after, before.firms())


def _refuse_unknown(pairs: Sequence[Pair], firms: Sequence[str]) -> None:
    unknown = sorted({name for pair in pairs for name in pair if name not in firms})
    if unknown:
        raise OwnershipError(
            [Problem("this company prices and earns nothing here", "--pair", name, f"one of {', '.join(firms)}") for name in unknown]
        )
