"""Every market of a world in equilibrium ([8])."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import jax.numpy as jnp
import numpy as np
import pandas as pd

from keiretsu.market.area import AreaEquilibrium, Rules, solve_area
from keiretsu.market.market import Market, base_wedges, kappa_of, rows_of, tastes_of_rows, weights_of
from keiretsu.market.outcome import MarketState, Outcome, outcome_of
from keiretsu.market.padding import common_shape, padded
from keiretsu.market.parts import Solved, pots_in_force, year_with_pots
from keiretsu.market.policy.programmes import Programme
from keiretsu.market.pools import FleetRule
from keiretsu.market.regulation import UNREGULATED, regulation_of
from keiretsu.market.world import World
from keiretsu.supply.cost import with_transfers
from keiretsu.supply.pricing import PricingOptions, solve_prices

Progress = Callable[[str], None]


def silent(what: str) -> None:
    """A progress listener that says nothing."""


@dataclass(frozen=True)
class SolveOptions:
    """How markets are solved; `pricing` holds tolerance (EUR) and iteration limit."""

    pricing: PricingOptions = field(default_factory=PricingOptions)


def solve(world: World, options: SolveOptions = SolveOptions(), progress: Progress = silent) -> Outcome:
    """Prices, sales and accounts of every market of a world, under the programmes and fleet rules in force on its date.

    Raises
    ------
    PricesNotSettled
        When a market's first-order conditions do not hold to the tolerance; names the market and the product.
    NoPureEquilibrium
        When best responses at a notch go round; shows the cycle and the largest gain from deviating.
    PoolsNotSettled, PolicyError
        Naming the pool or the programme.
    """
    kappa = kappa_of(world, world.firms())
    cut = {name: market_of(world, name, kappa) for name in world.markets}
    shape = common_shape([market for market, _ in cut.values()])
    same_shape = {name: (padded(market, shape), rows) for name, (market, rows) in cut.items()}
    if world.programmes or world.pools:
        return _solve_regulated(world, same_shape, options)
    states: dict[str, MarketState] = {}
    for name, (m, rows) in same_shape.items():
        progress(name)
        labels = tuple(rows["product"])
        pricing = solve_prices(
            m.tastes, m.wedges, m.weights, m.cost + m.shadow, m.start, m.held, options.pricing, where=f"market {name}", labels=labels
        )
        states[name] = MarketState(m, pricing, rows)
    return outcome_of(world, states, UNREGULATED)


def _solve_regulated(world: World, cut: Mapping[str, tuple[Market, pd.DataFrame]], options: SolveOptions) -> Outcome:
    pots = pots_in_force(world)
    if not pots:
        return _year_of(world, cut, options, world.programmes).outcome
    touched = {name for pot in pots.values() for name in pot.scope.markets if name in cut}
    year = world.date.year
    ruled = {name for rule in world.pools if isinstance(rule, FleetRule) and rule.from_year <= year <= rule.to_year for name in rule.markets}
    again = dict(cut) if touched & ruled else {name: cut[name] for name in cut if name in touched}
    first: list[AreaEquilibrium] = []

    def solve_part(programmes: tuple[Programme, ...]) -> Solved:
        """All markets once; afterwards those that a closed pot can change."""
        if not first:
            found = _year_of(world, cut, options, programmes)
            first.append(found.area)
            return found
        pools = world.pools if touched & ruled else ()
        area = solve_area(again, world.markets, Rules(programmes, pools, world.date), options.pricing)
        merged = dataclasses.replace(first[0] if len(again) < len(cut) else area, markets={**first[0].markets, **area.markets})
        return Solved(merged, _outcome(world, merged))

    return year_with_pots(world, pots, solve_part)


def _year_of(world: World, cut: Mapping[str, tuple[Market, pd.DataFrame]], options: SolveOptions, programmes: tuple[Programme, ...]) -> Solved:
    area = solve_area(cut, world.markets, Rules(programmes, world.pools, world.date), options.pricing)
    return Solved(area, _outcome(world, area))


def _outcome(world: World, area: AreaEquilibrium) -> Outcome:
    states: dict[str, MarketState] = {}
    for name, found in area.markets.items():
        settled = found.settled.prices
        pricing = dataclasses.replace(settled.pricing, price=jnp.asarray(settled.price), share=jnp.asarray(settled.share))
        states[name] = MarketState(found.market, pricing, found.rows)
    return outcome_of(world, states, regulation_of(world, area))


def market_of(world: World, name: str, kappa: np.ndarray) -> tuple[Market, pd.DataFrame]:
    """One market's arrays and the product rows they stand for. `kappa` is (F, F) over `world.firms()`."""
    facts = world.markets[name]
    rows = rows_of(world, name)
    cost = rows["cost_eur"].to_numpy(float)
    weights, transfers = weights_of(rows, world.firms(), kappa)
    return (
        Market(
            tastes=tastes_of_rows(facts, world.preferences, rows),
            wedges=base_wedges(facts, rows),
            weights=with_transfers(weights, transfers, jnp.asarray(cost)),
            cost=jnp.asarray(cost),
            shadow=jnp.zeros(len(rows)),
            start=jnp.asarray(rows["price_eur"].to_numpy(float)),
            held=jnp.asarray(rows["held"].to_numpy(bool)),
        ),
        rows,
    )
