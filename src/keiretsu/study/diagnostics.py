"""How well each market is settled, whether every setter is at a maximum, and whether other starting points lead elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
import pandas as pd

from keiretsu.market.outcome import MarketState, Outcome
from keiretsu.supply.diagnostics import check_second_order, search_starts
from keiretsu.supply.first_order import PriceProblem
from keiretsu.typing import ProductMask


def diagnostics_table(outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """Largest residual (EUR a car), iterations and status of every market in every world."""
    parts = [outcome.markets[["market", "residual_eur", "iterations", "status"]].assign(scenario=name) for name, outcome in outcomes.items()]
    return pd.concat(parts, ignore_index=True)[["scenario", "market", "residual_eur", "iterations", "status"]]


def starts_table(outcome: Outcome, starts: int, seed: int) -> pd.DataFrame:
    """Starting points tried in each market of one world, and at how many different prices they ended."""
    rows: list[dict[str, object]] = []
    for name, state in outcome.states.items():
        found = search_starts(_problem(state, state.market.held), state.market.start, count=starts, seed=seed)
        rows.append(
            {
                "market": name,
                "starts_tried": found.tried,
                "settled": found.settled,
                "distinct_ends": found.distinct,
                "largest_distance_eur": found.spread_eur,
            }
        )
    return pd.DataFrame(rows)


def second_order_table(outcome: Outcome) -> pd.DataFrame:
    """Whether every price setter is at a local maximum of its objective in its own prices, rivals' prices given.

    Columns: market, setters, at_maximum (how many of them), largest_curvature (free of units, below zero at a strict maximum), its setter, prices
    (chosen ones that were looked at) and prices_left_out (held, or standing at a kink or notch, where slopes on both sides decide).
    """
    firms, stuck = list(outcome.kappa.index), outcome.regulation.stuck
    rows: list[dict[str, object]] = []
    for name, state in outcome.states.items():
        count = len(state.rows)
        here = stuck.loc[stuck["market"] == name, "product"]
        left_out = np.asarray(state.market.held).copy()
        left_out[:count] |= state.rows["product"].isin(here).to_numpy()
        found = check_second_order(_problem(state, jnp.asarray(left_out)), jnp.asarray(state.pricing.price))
        worst = int(np.argmax(found.curvature)) if found.firms else -1
        rows.append(
            {
                "market": name,
                "setters": len(found.firms),
                "at_maximum": sum(found.concave),
                "largest_curvature": found.curvature[worst] if found.firms else None,
                "firm": firms[found.firms[worst]] if found.firms else "",
                "prices": count - int(left_out[:count].sum()),
                "prices_left_out": int(left_out[:count].sum()),
            }
        )
    return pd.DataFrame(rows)


def _problem(state: MarketState, held: ProductMask) -> PriceProblem:
    """The market's conditions with `held` prices left out; setters see shadow costs."""
    m = state.market
    return PriceProblem(m.tastes, m.wedges, m.weights, m.cost + m.shadow, held)
