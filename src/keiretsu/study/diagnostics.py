"""How well each market is settled, and whether other starting points lead elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from keiretsu.market.outcome import Outcome
from keiretsu.supply.diagnostics import search_starts


def diagnostics_table(outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """Largest residual (EUR a car), iterations and status of every market in every world."""
    parts = [outcome.markets[["market", "residual_eur", "iterations", "status"]].assign(scenario=name) for name, outcome in outcomes.items()]
    return pd.concat(parts, ignore_index=True)[["scenario", "market", "residual_eur", "iterations", "status"]]


def starts_table(outcome: Outcome, starts: int, seed: int) -> pd.DataFrame:
    """Starting points tried in each market of one world, and at how many different prices they ended."""
    rows: list[dict[str, object]] = []
    for name, state in outcome.states.items():
        m = state.market
        found = search_starts(m.tastes, m.wedges, m.weights, m.cost + m.shadow, m.start, m.held, count=starts, seed=seed)
        rows.append({"market": name, "starts_tried": found.tried, "settled": found.settled, "distinct_ends": found.distinct, "largest_distance_eur": found.spread_eur})
    return pd.DataFrame(rows)
