"""Characteristics of products that tastes are about, computed from the product table by named rules.

A case names characteristics in `[[demand.random]]` and in the projection of mean utilities ([5b]); they are these names and no others,
so that a typing error is refused instead of being read as a column of zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from keiretsu.errors import DemandError, Problem

SIZE_OF_SEGMENT: Mapping[str, float] = {"A": 1.0, "B": 2.0, "C": 3.0, "D": 4.0, "E": 5.0, "F": 6.0}

_RULES: Mapping[str, tuple[str, Callable[[pd.DataFrame], pd.Series]]] = {
    "constant": ("1 for every car on sale: taste for a new car as such", lambda p: pd.Series(1.0, index=p.index)),
    "electric": ("1 for a battery-electric car", lambda p: (p["powertrain"] == "BEV").astype(float)),
    "plug_in": ("1 for a battery-electric car or a plug-in hybrid", lambda p: p["powertrain"].isin(["BEV", "PHEV"]).astype(float)),
    "range_100km": (
        "electric range of a battery-electric car in hundreds of km, 0 for any other",
        lambda p: p["range_km"] / 100.0 * (p["powertrain"] == "BEV"),
    ),
    "power_100kw": ("power in hundreds of kW", lambda p: p["power_kw"] / 100.0),
    "mass_t": ("mass in tonnes", lambda p: p["mass_kg"] / 1000.0),
    "size": ("segment as a number, A = 1 to F = 6", lambda p: _size(p)),
    "suv": ("1 for an SUV or crossover body", lambda p: p["body"].str.contains("SUV|crossover", case=False, regex=True).astype(float)),
    "seven_seats": ("1 for seven or more seats", lambda p: (p["seats"] >= 7).astype(float)),
}

CHARACTERISTICS: Mapping[str, str] = {name: meaning for name, (meaning, _) in _RULES.items()}


def _size(products: pd.DataFrame) -> pd.Series:
    unknown = sorted(set(products["segment"]) - set(SIZE_OF_SEGMENT))
    if unknown:
        raise DemandError(
            Problem(
                "the characteristic size needs segments A to F",
                "products",
                f"segments {unknown}",
                "A, B, C, D, E or F",
                "map the segment, or leave size out",
            )
        )
    return products["segment"].map(SIZE_OF_SEGMENT).astype(float)


def characteristic_matrix(products: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Values of the named characteristics, (J, K), rows as in `products`.

    Raises
    ------
    DemandError
        For a name that is not one of `CHARACTERISTICS`.
    """
    unknown = [name for name in names if name not in _RULES]
    if unknown:
        raise DemandError([Problem("unknown characteristic", "[demand]", name, f"one of {sorted(_RULES)}") for name in unknown])
    if not names:
        return np.zeros((len(products), 0))
    return np.column_stack([_RULES[name][1](products).to_numpy(float) for name in names])
