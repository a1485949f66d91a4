"""A made-up ensemble with everything the years ahead are asked about: three scenarios, sixteen futures, three years, two markets, three makers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from keiretsu.outlook.ensemble import Ensemble

SCENARIOS = ("baseline", "stake", "cut")
FIRMS = ("Parent", "Electric", "Partner", "Other")
MARKETS = ("M",)
YEARS = (2024, 2025, 2026)
REPLICATES = 8


def made_up_years(draws: int = 16, gain: float = 5e6, spread: float = 0.2, products: bool = False) -> Ensemble:
    """Profit that spreads over futures; "stake" brings Electric exactly `gain` a year in every future, "cut" takes a tenth of Partner's profit."""
    normals = np.random.default_rng(3).standard_normal((draws, 1))
    return Ensemble(
        data=_dataset(normals, gain, spread, products),
        inputs=pd.DataFrame({"learning_rate": normals[:, 0]}),
        normals=pd.DataFrame({"learning_rate": normals[:, 0]}),
        central=_dataset(np.zeros((1, 1)), gain, spread, products),
        settings={"replicates": REPLICATES},
    )


def central_years() -> Ensemble:
    """The same without draws."""
    whole = made_up_years()
    return Ensemble(whole.central, whole.inputs.iloc[:0], whole.normals.iloc[:0], whole.central, {"replicates": REPLICATES})


def _dataset(normals: np.ndarray, gain: float, spread: float, products: bool) -> xr.Dataset:
    n, t = len(normals), len(YEARS)
    level = np.exp(spread * normals)[:, :, None] * (1 + 0.1 * np.arange(t))[None, :, None]  # (n, t, 1)
    profit = np.stack([level * np.array([3e9, 0.5e9, 2.5e9, 1e9])] * 3)
    profit[1, :, :, 1] += gain
    profit[2, :, :, 2] *= 0.9
    electric = np.broadcast_to(2e5 * level, (3, n, t, 1)).copy()
    electric[1] -= 1e3
    units_all = np.full((3, n, t, 1), 1e6)
    surplus = np.broadcast_to(4e9 * level, (3, n, t, 1)).copy()
    surplus[2] -= 2e7 * level
    firm, market = ("scenario", "draw", "year", "firm"), ("scenario", "draw", "year", "market")
    variables = {
        "firm_profit_eur": (firm, profit), "firm_revenue_eur": (firm, profit * 8), "firm_units": (firm, profit / 4e3), "firm_electric_units": (firm, profit / 4e4),
        "firm_battery_gwh": (firm, profit / 1e9), "surplus_eur": (market, surplus), "government_eur": (market, surplus / 10), "units_all": (market, units_all),
        "electric_units": (market, electric), "co2_t": (market, (units_all - electric) * 20),
        "pack_price_eur_kwh": (("scenario", "draw", "year"), np.full((3, n, t), 100.0)),
    }  # fmt: skip
    coords: dict[str, object] = {"scenario": list(SCENARIOS), "draw": np.arange(n), "year": list(YEARS), "firm": list(FIRMS), "market": list(MARKETS)}
    if products:
        units = np.broadcast_to(np.array([100.0, 300.0]), (3, n, t, 1, 2)).copy()
        price = np.broadcast_to(np.array([20_000.0, 30_000.0]), (3, n, t, 1, 2)).copy()
        price[1] *= 1.01
        units[2, ..., 1] = 0.0  # "cut" takes the second car off sale and raises nothing
        shape = ("scenario", "draw", "year", "market", "product")
        variables |= {"units": (shape, units.astype(np.float32)), "price_eur": (shape, price.astype(np.float32))}
        coords["product"] = ["small", "large"]
    return xr.Dataset(variables, coords=coords)
