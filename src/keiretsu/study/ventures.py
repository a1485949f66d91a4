"""Deals as their parties see them. A venture's profit is mostly its parents' old profit under a new name, so its own change says nothing about who gains; of a merger a
board asks first what the two get together.

What a parent gets is the change of its own operating profit and its part of the venture's. Stakes that parents hold in each other are left out, as in operating profit itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import xarray as xr

from keiretsu.case import Case
from keiretsu.moves.companies import JointVenture, Merger
from keiretsu.moves.scenario import Scenario, parse_scenarios
from keiretsu.outlook.outlook import BASELINE
from keiretsu.study.ahead_measures import Quantity

DEALS = (JointVenture.type, Merger.type)
VENTURE = "venture"  # measure of a venture's own profit over the years


def ventures_in(scenario: Scenario) -> tuple[JointVenture, ...]:
    """Joint ventures that a scenario sets up."""
    return tuple(move for move in scenario.moves if isinstance(move, JointVenture))


def note_on_ventures(scenarios: Sequence[Scenario]) -> str:
    """What to know under a table of makers; empty where no scenario sets up a venture."""
    return " Who gains or loses most: a joint venture's profit is put to its parents." if any(ventures_in(one) for one in scenarios) else ""


def mergers_in(scenario: Scenario) -> tuple[tuple[str, str], ...]:
    """Who takes over whom in a scenario."""
    return tuple(pair for move in scenario.moves for pair in move.absorbs())


def deals_by_scenario(case: Case) -> dict[str, Scenario]:
    """Scenarios of a case that set up joint ventures or merge companies; scenarios are read only where some move does."""
    if not any(move.values.get("type") in DEALS for text in case.scenarios for move in text.moves):
        return {}
    return {name: one for name, one in parse_scenarios(case.scenarios).items() if ventures_in(one) or mergers_in(one)}


def as_parents_see(makers: pd.Series, ventures: Sequence[JointVenture]) -> pd.Series:
    """Changes of profit by maker with every venture's put to its parents in their parts; they add up to the same. Largest first."""
    seen = makers.copy()
    for venture in ventures:
        change = float(seen.get(venture.company, 0.0))
        for parent, part in venture.split.items():
            seen[parent] = float(seen.get(parent, 0.0)) + part * change
        seen = seen.drop(venture.company, errors="ignore")
    return seen.sort_values(ascending=False)


def parties_over_years(data: xr.Dataset, deals: Mapping[str, Scenario], name_of: Callable[[str], str]) -> list[Quantity]:
    """By scenario with ventures: the change of each parent's profit, its parts of them included, and of each venture's own. By scenario with mergers: that of each pair."""
    profit, firms = data["firm_profit_eur"], {str(name) for name in data["firm"].values}
    found: list[Quantity] = []
    for name, scenario in deals.items():
        if name not in data["scenario"].values:
            continue
        made, change = ventures_in(scenario), profit.sel(scenario=[name]) - profit.sel(scenario=BASELINE, drop=True)
        for acquirer, target in mergers_in(scenario):
            both = change.sel(firm=[firm for firm in (acquirer, target) if firm in firms]).sum("firm")
            found.append(Quantity("profit", f"{name_of(acquirer)} with {name_of(target)}", "EUR/yr", both))
        for venture in made:
            own = change.sel(firm=venture.company, drop=True) if venture.company in firms else 0.0 * change.isel(firm=0, drop=True)
            found.append(Quantity(VENTURE, venture.company, "EUR/yr", own))
        for parent in dict.fromkeys(parent for venture in made for parent in venture.split if parent in firms):
            parts = [
                venture.split[parent] * change.sel(firm=venture.company, drop=True)
                for venture in made
                if parent in venture.split and venture.company in firms
            ]
            found.append(Quantity("profit", parent, "EUR/yr", sum(parts, change.sel(firm=parent, drop=True))))
    return found
