"""Launches valued in one solved year: who earns and sells what with each set of them on sale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from keiretsu.errors import Problem, ValuationError
from keiretsu.market.outcome import Outcome
from keiretsu.market.world import World
from keiretsu.moves.filter import ProductFilter
from keiretsu.moves.scenario import Scenario
from keiretsu.moves.withdrawals import Withdrawal
from keiretsu.valuation.cooperation import Partner
from keiretsu.valuation.static_value import Solve, profit_by_firm


class SetsOnSale:
    """Outcomes of a world with each set of a scenario's launches on sale; each set is solved once.

    All launches are made first and those not in the set withdrawn, so that a twin whose original is not on sale keeps the utility of its original.
    """

    def __init__(self, world: World, scenario: Scenario, solve: Solve, products: Sequence[str]) -> None:
        self.world, self.solve = world, solve
        self.all_on_sale = scenario.apply(world)
        self.names = tuple(products)
        new = {product for move in scenario.moves for product in move.launches()}
        unknown = [name for name in self.names if name not in new]
        if unknown:
            raise ValuationError(
                [Problem("the scenario does not launch this product", scenario.name, name, f"one of {', '.join(sorted(new))}") for name in unknown]
            )
        self.known: dict[frozenset[str], Outcome] = {}

    def __call__(self, on_sale: frozenset[str]) -> Outcome:
        if on_sale not in self.known:
            left_out = tuple(name for name in self.names if name not in on_sale)
            world = (
                Withdrawal(name="not launched", products=ProductFilter(product=left_out)).apply(self.all_on_sale) if left_out else self.all_on_sale
            )
            self.known[on_sale] = self.solve(world)
        return self.known[on_sale]


def profit_of_sets(outcomes: Callable[[frozenset[str]], Outcome], partners: Sequence[Partner]) -> Callable[[frozenset[str]], Mapping[str, float]]:
    """Profit a year of each partner, with the firms it runs, by set of launches on sale."""

    def profit(on_sale: frozenset[str]) -> Mapping[str, float]:
        by_firm = profit_by_firm(outcomes(on_sale))
        return {partner.name: sum(by_firm.get(firm, 0.0) for firm in partner.firms) for partner in partners}

    return profit


def units_of_sets(outcomes: Callable[[frozenset[str]], Outcome], markets: Sequence[str]) -> Callable[[frozenset[str]], pd.Series]:
    """Cars a year by product in the markets named, by set of launches on sale."""

    def units(on_sale: frozenset[str]) -> pd.Series:
        products = outcomes(on_sale).products
        return products[products["market"].isin(markets)].groupby("product", sort=False)["units"].sum()

    return units


def players_of(outcome: Outcome, partners: Sequence[Partner]) -> dict[str, str]:
    """Partner of each product that one of its firms prices."""
    firm_of = {firm: partner.name for partner in partners for firm in partner.firms}
    rows = outcome.products[["product", "priced_by"]].drop_duplicates()
    return {str(product): firm_of[str(firm)] for product, firm in zip(rows["product"], rows["priced_by"], strict=True) if str(firm) in firm_of}
