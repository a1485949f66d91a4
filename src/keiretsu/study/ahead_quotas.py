"""Tariff quotas that are exceeded in the years ahead, where they hold no car back: said with the years and the cars ([7])."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from keiretsu.outlook.ensemble import Ensemble
from keiretsu.outlook.outlook import BASELINE
from keiretsu.outlook.quotas import CARS_BEYOND

A_CAR = 1.0  # a year: fewer are rounding


def quota_sentences(futures: Ensemble, titles: Mapping[str, str], markets: Mapping[str, str]) -> tuple[str, ...]:
    """One sentence for each scenario and market in which a quota is exceeded in any year of any path; nothing where the years are exact."""
    name, found = CARS_BEYOND[0], []
    if name not in futures.central:
        return ()
    for scenario in map(str, futures.central["scenario"].values):
        parts = [futures.central[name].sel(scenario=scenario)]
        if len(futures.inputs) and scenario in futures.data["scenario"].values:
            parts.append(futures.data[name].sel(scenario=scenario))
        cars = np.concatenate([part.transpose("draw", "year", "market").values for part in parts])  # the central case and every draw
        title = (
            "the baseline"
            if scenario == BASELINE
            else f"\N{LEFT DOUBLE QUOTATION MARK}{titles.get(scenario, scenario)}\N{RIGHT DOUBLE QUOTATION MARK}"
        )
        for m, market in enumerate(map(str, futures.central["market"].values)):
            years = futures.central["year"].values[(cars[:, :, m] >= A_CAR).any(axis=0)]
            if len(years):
                found.append(
                    f"Tariff quotas hold no car back in the years ahead: {title}, {markets.get(market, market)}, up to {cars[:, :, m].max():,.0f} cars a year beyond the "
                    f"quota keep its low duty between {years[0]} and {years[-1]}; their prices are too low there."
                )
    return tuple(found)
