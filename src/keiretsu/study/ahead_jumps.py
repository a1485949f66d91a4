"""Pools whose balance over averaged years jumps through zero at their shadow price: said with the futures and with what is to spare ([10], [11])."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from keiretsu.outlook.ensemble import Ensemble
from keiretsu.outlook.outlook import BASELINE

LEFT_OVER = "fleet_left_over"


def jump_sentences(futures: Ensemble, titles: Mapping[str, str]) -> tuple[str, ...]:
    """One sentence for each scenario in which it happens on any path; nothing where all averaged balances clear."""
    if LEFT_OVER not in futures.central:
        return ()
    drawn = {str(name) for name in futures.data["scenario"].values} if len(futures.inputs) else set[str]()
    found: list[str] = []
    for scenario in map(str, futures.central["scenario"].values):
        middle = _left(futures.central, scenario)
        draws = _left(futures.data, scenario) if scenario in drawn else middle[:0]
        every = np.concatenate([middle, draws])
        if not (every > 0).any():
            continue
        paths = [
            *(["its central case"] if (middle > 0).any() else []),
            *([f"{(draws > 0).any(axis=(1, 2)).sum()} of {len(draws)} futures"] if len(draws) else []),
        ]
        title = (
            "the baseline"
            if scenario == BASELINE
            else f"\N{LEFT DOUBLE QUOTATION MARK}{titles.get(scenario, scenario)}\N{RIGHT DOUBLE QUOTATION MARK}"
        )
        which = every.max(axis=1).max(axis=0)
        rule, _, maker = str(futures.central["ruled"].values[which.argmax()]).partition(": ")
        found.append(
            f"In {title} the balance of a pool over its averaged years jumps "
            f"through zero at one shadow price in {' and '.join(paths)}: a car crosses a price threshold there and its maker is indifferent. The side is taken on which "
            f"the rule is kept, with up to {which.max():,.0f} to spare (g/km times cars, or electric cars; {rule}, the pool with {maker}), which nobody pays for."
        )
    return tuple(found)


def _left(data: xr.Dataset, scenario: str) -> np.ndarray:
    """What pools have to spare. (draw, year, ruled)"""
    return data[LEFT_OVER].sel(scenario=scenario).transpose("draw", "year", "ruled").values
