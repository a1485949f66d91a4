"""What the regressions of `models` read of a row, with the prior value of each coefficient.

Priors are worth a stated number of rows, so that a coefficient that the years known say little about stays near what one would expect.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from keiretsu.outlook.backtest.panel import UNPRICED_EUR

# name of the column -> prior value and how many average rows that prior is worth
STAYING = {
    "constant": (0.0, 5.0), "first_year": (0.0, 30.0), "second_year": (0.0, 30.0), "old": (0.0, 30.0),
    "trend": (0.0, 30.0), "trend_young": (0.0, 30.0), "trend_elsewhere": (0.0, 30.0), "trend_elsewhere_young": (0.0, 30.0),
    "relative": (0.0, 30.0), "relative_young": (0.0, 30.0), "brand_trend": (0.0, 30.0), "is_other": (0.2, 30.0), "log_share": (0.0, 300.0),
    "annual": (0.8, 30.0), "ending": (1.0, 20.0), "renewed": (0.2, 20.0),
}  # fmt: skip
ARRIVING = {
    "constant": (-1.0, 1.0), "ramp": (0.4, 20.0), "brand_all_cars": (0.3, 20.0), "brand_electric": (0.4, 20.0), "price": (-1.5, 3.0), "elsewhere": (0.0, 5.0),
    "elsewhere_level": (0.5, 20.0), "begun": (0.0, 5.0), "begun_level": (0.4, 20.0),
}  # fmt: skip
LISTED = {"constant": (-2.0, 3.0), "brand_here": (1.0, 1.0), "brand_elsewhere": (2.0, 3.0), "list_long": (1.0, 1.0), "months": (0.5, 1.0),
           "begun": (2.0, 1.0), "elsewhere": (1.0, 1.0)}  # fmt: skip
KEPT = {"constant": (2.5, 1.0), "log_units": (0.7, 1.0), "ended": (-0.5, 1.0), "is_other": (0.0, 1.0), "first_year": (0.0, 1.0), "trend": (0.3, 1.0)}
FOUND = {
    "constant": (-3.0, 1.0),
    "elsewhere": (1.0, 1.0),
    "brand_here": (0.5, 1.0),
    "left": (-0.5, 1.0),
    "is_other": (0.0, 1.0),
    "young": (0.5, 1.0),
}


def staying_columns(seen: pd.DataFrame) -> np.ndarray:
    young = (seen["years_here"] == 0).to_numpy(float)
    second = (seen["years_here"] == 1).to_numpy(float)
    partly = seen["dated"] & (seen["months"] > 0) & (seen["months"] < 12)
    annual = np.where(partly, np.log(12 / seen["months"].where(partly, 12.0)), 0.0)
    trend = seen["trend"].to_numpy() * (1 - young)
    elsewhere = seen["trend_elsewhere"].to_numpy()
    fresh = (seen["years_anywhere"] <= 1).to_numpy(float)
    relative = np.where(seen["sold_elsewhere"], seen["relative"] - 0.7 * seen["brand_relative"], 0.0)
    columns = {
        "constant": np.ones(len(seen)), "first_year": young, "second_year": second, "old": (seen["years_anywhere"] >= 4).to_numpy(float),
        "trend": trend * (1 - second), "trend_young": trend * second, "trend_elsewhere": elsewhere * (1 - fresh),
        "trend_elsewhere_young": elsewhere * fresh, "relative": relative * (1 - young), "relative_young": relative * young,
        "brand_trend": seen["brand_trend"].to_numpy(), "is_other": seen["is_other"].to_numpy(float), "log_share": seen["log_share"].to_numpy() + 5,
        "annual": annual, "ending": part_on_sale(seen) * seen["ended"].to_numpy(float),
        "renewed": seen["renewed"].to_numpy(float),
    }  # fmt: skip
    return np.column_stack([columns[name] for name in STAYING])


def kept_columns(seen: pd.DataFrame) -> np.ndarray:
    columns = {
        "constant": np.ones(len(seen)), "log_units": np.log(seen["units"].to_numpy() + 1) - 5,
        "ended": -seen["ended"].to_numpy(float) * part_on_sale(seen), "is_other": seen["is_other"].to_numpy(float),
        "first_year": (seen["years_here"] == 0).to_numpy(float), "trend": seen["trend"].to_numpy(),
    }  # fmt: skip
    return np.column_stack([columns[name] for name in KEPT])


def found_columns(seen: pd.DataFrame) -> np.ndarray:
    columns = {
        "constant": np.ones(len(seen)), "elsewhere": seen["sold_elsewhere"].to_numpy(float), "brand_here": seen["brand_present"].to_numpy(float),
        "left": (seen["years_here"] < 9).to_numpy(float), "is_other": seen["is_other"].to_numpy(float),
        "young": ((seen["years_anywhere"] <= 1) & seen["sold_elsewhere"]).to_numpy(float),
    }  # fmt: skip
    return np.column_stack([columns[name] for name in FOUND])


def arriving_columns(seen: pd.DataFrame) -> np.ndarray:
    begun = ((seen["units"] > 0) & (seen["months"] > 0.3)).to_numpy(float)
    elsewhere = seen["sold_elsewhere"].to_numpy(float)
    annual = np.log(12 / seen["months"].clip(lower=0.5).to_numpy())
    price = np.log(seen["launch_price"].where(seen["launch_price"] > 0, UNPRICED_EUR).to_numpy() / UNPRICED_EUR)
    columns = {
        "constant": np.ones(len(seen)), "ramp": part_on_sale(seen),
        "brand_all_cars": seen["all_cars_share"].to_numpy() + 4, "brand_electric": seen["brand_share"].to_numpy() - typical(seen),
        "price": price, "elsewhere": elsewhere, "elsewhere_level": elsewhere * (seen["elsewhere"].to_numpy() + annual - typical(seen)),
        "begun": begun, "begun_level": begun * (seen["log_share"].to_numpy() + annual - typical(seen)),
    }  # fmt: skip
    return np.column_stack([columns[name] for name in ARRIVING])


def listed_columns(seen: pd.DataFrame) -> np.ndarray:
    named = (seen["units"] > 0) & ~seen["is_other"]
    length = named.groupby(level="country").transform("sum") / max(int(named.groupby(level=["brand", "model"]).any().sum()), 1)
    columns = {
        "constant": np.ones(len(seen)), "brand_here": seen["brand_present"].to_numpy(float), "brand_elsewhere": (seen["units_brand_all"] > 0).to_numpy(float),
        "list_long": (length.to_numpy() - 0.6) * 4, "months": part_on_sale(seen) + 0.7,
        "begun": (seen["units"] > 0).to_numpy(float), "elsewhere": seen["sold_elsewhere"].to_numpy(float),
    }  # fmt: skip
    return np.column_stack([columns[name] for name in LISTED])


def priors(table: dict[str, tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    values = np.array(list(table.values()))
    return values[:, 0], values[:, 1]


def part_on_sale(seen: pd.DataFrame) -> np.ndarray:
    """Logarithm of the part of the next year on sale."""
    return np.log(seen["months_next"].clip(lower=0.3).to_numpy() / 12)


def typical(seen: pd.DataFrame) -> np.ndarray:
    """Logarithm of the share that the country's average electric car's model has: new models are measured against it, for lists grow."""
    share = (seen["units"] / seen["total"].where(seen["total"] > 0, 1.0)).where(~seen["is_other"], 0.0)
    return np.log((share**2).groupby(level="country").transform("sum").clip(lower=1e-3).to_numpy())
