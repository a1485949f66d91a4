"""Tariff quotas that are filled in the years ahead: said with the years, the cars that come in beyond them and what one more inside would be worth ([7])."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from keiretsu.outlook.ensemble import Ensemble
from keiretsu.outlook.outlook import BASELINE
from keiretsu.outlook.quotas import CARS_BEYOND, QUOTA_PRICE

A_CAR = 1.0  # a year: fewer are rounding


def quota_sentences(futures: Ensemble, titles: Mapping[str, str], markets: Mapping[str, str]) -> tuple[str, ...]:
    """One sentence for each scenario and market in which a quota is filled in any year of any path; nothing where none is."""
    found: list[str] = []
    if QUOTA_PRICE[0] not in futures.central:
        return ()
    drawn = {str(name) for name in futures.data["scenario"].values} if len(futures.inputs) else set[str]()
    for scenario in map(str, futures.central["scenario"].values):
        parts = [futures.central, *([futures.data] if scenario in drawn else [])]
        price, beyond = (np.concatenate([_of(part, name, scenario) for part in parts]) for name in (QUOTA_PRICE[0], CARS_BEYOND[0]))
        title = (
            "the baseline"
            if scenario == BASELINE
            else f"\N{LEFT DOUBLE QUOTATION MARK}{titles.get(scenario, scenario)}\N{RIGHT DOUBLE QUOTATION MARK}"
        )
        for m, market in enumerate(map(str, futures.central["market"].values)):
            filled = price[:, :, m] > 0
            if not filled.any():
                continue
            years = futures.central["year"].values[filled.any(axis=0)]
            paths = [
                *(["its central case"] if filled[0].any() else []),
                *([f"{filled[1:].any(axis=1).sum()} of {len(filled) - 1} futures"] if len(filled) > 1 else []),
            ]
            cars = beyond[:, :, m].max()
            outside = (
                f"up to {cars:,.0f} cars a year come in beyond it at the full duty" if cars >= A_CAR else "no car comes in beyond it at the full duty"
            )
            when = f"in {years[0]}" if len(years) == 1 else f"between {years[0]} and {years[-1]}"
            found.append(
                f"In {title} a tariff quota of {markets.get(market, market)} is filled {when} in {' and '.join(paths)}: {outside}, and one more car inside would be "
                f"worth up to EUR {price[:, :, m].max():,.0f} to its maker."
            )
    return tuple(found)


def _of(part: xr.Dataset, name: str, scenario: str) -> np.ndarray:
    """A variable of one scenario. (draw, year, market)"""
    return part[name].sel(scenario=scenario).transpose("draw", "year", "market").values
