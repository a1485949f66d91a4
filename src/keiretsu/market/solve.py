"""Every market of a world in equilibrium ([8])."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keiretsu.market.area import AreaEquilibrium, Known, RegulatedMarket, Rules, solve_area
from keiretsu.market.cut import Cut, cut_out, market_of_rows
from keiretsu.market.market import Market, kappa_of, rows_of
from keiretsu.market.memory import Content, Memory, Same
from keiretsu.market.outcome import MarketState, MarketTables, Outcome, market_tables, outcome_of
from keiretsu.market.parts import blended
from keiretsu.market.regulation import UNREGULATED, regulation_of
from keiretsu.market.world import World
from keiretsu.numerics.host import host
from keiretsu.supply.nearby import Nearby, pricing_of
from keiretsu.supply.packed import Packed
from keiretsu.supply.pricing import Pricing, PricingOptions, solve_prices

Progress = Callable[[str], None]


def silent(what: str) -> None:
    """A progress listener that says nothing."""


@dataclass(frozen=True)
class SolveOptions:
    """How markets are solved; `pricing` holds tolerance (EUR) and iteration limit.

    Where choices of side at thresholds go round, so that no equilibrium in pure strategies is found, `nearly_eur` accepts a state in which no company gains more
    than this by crossing (EUR a year); `Regulation.crossings` says what is to be gained. Zero accepts none: the error shows the cycle.
    """

    pricing: PricingOptions = field(default_factory=PricingOptions)
    nearly_eur: float = 0.0


def solve(world: World, options: SolveOptions = SolveOptions(), progress: Progress = silent, memory: Memory | None = None) -> Outcome:
    """Prices, sales and accounts of every market of a world, under the programmes and fleet rules in force on its date.

    Parameters
    ----------
    memory
        What other worlds have been found to be, for markets that are exactly theirs; left out, nothing is known.

    Raises
    ------
    PricesNotSettled
        When a market's first-order conditions do not hold to the tolerance; names the market and the product.
    NoPureEquilibrium
        When best responses at a notch go round; shows the cycle and the largest gain from deviating.
    PoolsNotSettled, PolicyError
        Naming the pool or the programme.
    """
    known = Memory() if memory is None else memory
    kappa = kappa_of(world, known.once("firms", Same(world.products), world.firms))
    cut = cut_out(world, kappa, known)
    if world.programmes or world.pools:
        task = _Task(world, cut, kappa, options, known)
        return task.outcome(task.area())
    states: dict[str, MarketState] = {}
    tables: list[MarketTables] = []
    for name, one in cut.items():
        progress(name)
        pricing = known.once("plain", Content(one.key, options), lambda name=name, one=one: _priced(name, one, options))
        states[name] = MarketState(one.market, pricing, one.rows)
        tables.append(market_tables(world.markets[name], states[name], world.firms()))
    return outcome_of(world, states, tables, UNREGULATED, kappa)


def _priced(name: str, one: Cut, options: SolveOptions) -> Pricing:
    m, labels = one.market, tuple(one.rows["product"])
    near, start, cost = Nearby(Packed(m.tastes, m.weights)), np.asarray(m.start, float), np.asarray(m.cost) + np.asarray(m.shadow)
    chosen = np.asarray(m.tastes.available) & ~np.asarray(m.held)
    found = near.settle(near.packed.terms(m.wedges, cost), start, chosen, options.pricing)
    if found is not None:
        return pricing_of(found, near.packed, start, chosen)
    return solve_prices(m.tastes, m.wedges, m.weights, m.cost + m.shadow, m.start, m.held, options.pricing, where=f"market {name}", labels=labels)


@dataclass(frozen=True)
class _Task:
    """A world to be solved."""

    world: World
    cut: Mapping[str, Cut]
    kappa: np.ndarray
    options: SolveOptions
    memory: Memory

    def area(self) -> AreaEquilibrium:
        """All markets in equilibrium. Markets that are as they were in another world come from memory."""
        world = self.world
        known = Known(self.memory, {name: one.key for name, one in self.cut.items()})
        markets = {name: (one.market, one.rows) for name, one in self.cut.items()}
        return solve_area(
            markets, world.markets, Rules(world.programmes, world.pools, world.date), self.options.pricing, known, self.options.nearly_eur
        )

    def tables(self, found: RegulatedMarket) -> MarketTables:
        """Tables of one market."""
        key = Content(self.cut[found.facts.id].key, Same(found.settled), Same(found.compiled), Same(found.shadow_eur))
        return self.memory.once("tables", key, lambda: market_tables(found.facts, self.state(found), self.world.firms()))

    def state(self, found: RegulatedMarket) -> MarketState:
        """Arrays and prices of one market."""
        settled = found.settled.prices
        return MarketState(found.market, dataclasses.replace(settled.pricing, price=host(settled.price), share=host(settled.share)), found.rows)

    def outcome(self, area: AreaEquilibrium) -> Outcome:
        """The world's outcome."""
        states = {name: self.state(found) for name, found in area.markets.items()}
        tables = [blended([(part.weight, self.tables(part.market)) for part in parts]) for parts in area.parts.values()]
        return outcome_of(self.world, states, tables, regulation_of(self.world, area), self.kappa)


def market_of(world: World, name: str, kappa: np.ndarray) -> tuple[Market, pd.DataFrame]:
    """One market's arrays and the product rows they stand for. `kappa` is (F, F) over `world.firms()`."""
    rows = rows_of(world, name)
    market = market_of_rows(world, name, rows, world.firms())
    return dataclasses.replace(market, weights=dataclasses.replace(market.weights, kappa=host(kappa))), rows
