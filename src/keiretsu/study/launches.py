"""When the launches of a scenario should come, from the base year with each set of them on sale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from keiretsu.case import Case
from keiretsu.errors import Problem, ValuationError
from keiretsu.market.build import build_world
from keiretsu.market.outcome import Outcome
from keiretsu.market.solve import solve
from keiretsu.market.world import World
from keiretsu.study.alliances import without_policy
from keiretsu.study.run import OnStep, chosen_scenarios
from keiretsu.valuation.cooperation import Partner
from keiretsu.valuation.static_launches import SetsOnSale, players_of, profit_of_sets, units_of_sets
from keiretsu.valuation.static_value import YearsAlike
from keiretsu.valuation.timing import LaunchOption, LaunchTiming, launch_timing, where_sales_come_from, year_by_year


def time_launches(case: Case, scenario: str, years: Sequence[int], until: int, rate: float, on_step: OnStep) -> tuple[LaunchTiming, pd.DataFrame]:
    """The value of each launch by year, and whose sales each takes. Policy is left out, every year is like the base year, and outlays are not in it.

    Raises
    ------
    ValuationError
        When the scenario launches nothing, or a year lies outside the years counted.
    """
    chosen = chosen_scenarios(case, (scenario,))[0]
    launched = [product for move in chosen.moves for product in move.launches()]
    problems = [] if launched else [Problem("the scenario launches nothing", "launch timing", scenario, "a scenario with launches or twins")]
    problems += [
        Problem("a year outside the years counted", "launch timing", str(y), f"{case.year + 1} to {until}")
        for y in years
        if not case.year < y <= until
    ]
    if problems:
        raise ValuationError(problems)
    on_step(0, 2 ** len(launched) + 1, "base year")
    world = build_world(without_policy(case))
    after = chosen.apply(world)
    rows = after.products[after.products["product"].isin(launched)]
    first = rows.drop_duplicates("product").to_dict("records")
    name_of = names_of(first)
    product_of = {name: product for product, name in name_of.items()}
    firm_of = {name_of[str(row["product"])]: str(row["priced_by"]) for row in first}
    launches = [LaunchOption(name, firm, tuple(years)) for name, firm in firm_of.items()]
    partners = [Partner(firm, (firm,)) for firm in dict.fromkeys(firm_of.values())]
    done = iter(range(1, 1_000_000))

    def solved(one: World) -> Outcome:
        on_step(next(done), 2 ** len(launched) + 1, "which launches are on sale")
        return solve(one)

    sets = SetsOnSale(world, chosen, solved, tuple(product_of.values()))

    def named(on_sale: frozenset[str]) -> Outcome:
        return sets(frozenset(product_of[name] for name in on_sale))

    def units(on_sale: frozenset[str]) -> pd.Series:
        markets = tuple(dict.fromkeys(rows["market"].astype(str)))
        return units_of_sets(named, markets)(on_sale).rename(index={product: name for name, product in product_of.items()})

    counted = YearsAlike(case.year + 1, until, rate)
    found = launch_timing(launches, year_by_year(profit_of_sets(named, partners), counted.weights(), {}, firm_of))
    players = players_of(named(frozenset(product_of)), partners) | firm_of
    return found, where_sales_come_from(launches, units, players)


def names_of(launched: Sequence[Mapping[Any, object]]) -> dict[str, str]:
    """What launched products are called: brand and model, and the product too where several share these (one model with a row for each country)."""
    called = {str(row["product"]): f"{row['brand']} {row['model']}" for row in launched}
    shared = {name for name in called.values() if list(called.values()).count(name) > 1}
    return {product: f"{name} ({product})" if name in shared else name for product, name in called.items()}
