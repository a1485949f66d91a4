"""A small market for policy tests: a handful of cars, a few buyers, figures one can follow by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd

from keiretsu.demand.preferences import ConsumerDraws
from keiretsu.demand.tastes import Tastes
from keiretsu.market.policy.programmes import Scope
from keiretsu.market.world import MarketFacts

DAY = dt.date(2024, 3, 27)
START = dt.date(2024, 1, 1)


def scope(name: str = "x", **changes: Any) -> Scope:
    given: dict[str, Any] = {"id": name, "markets": ("M",), "start": START}
    return Scope(**(given | changes))


def rows(n: int = 4, **columns: Any) -> pd.DataFrame:
    """`n` products: the first half electric; one maker each unless said otherwise."""
    half = (n + 1) // 2
    base: dict[str, Any] = {
        "market": "M",
        "product": [f"car{j}" for j in range(n)],
        "brand": [f"B{j}" for j in range(n)],
        "model": [f"car {j}" for j in range(n)],
        "powertrain": ["BEV"] * half + ["ICE"] * (n - half),
        "segment": "C",
        "origin": "DE",
        "priced_by": [f"F{j}" for j in range(n)],
        "battery_kwh": [60.0] * half + [0.0] * (n - half),
        "range_km": [400.0] * half + [0.0] * (n - half),
        "mass_kg": 1600.0,
        "co2_gkm": [0.0] * half + [130.0] * (n - half),
        "sales_tax": 0.19,
    }
    return pd.DataFrame(base | columns)


def facts(n_draws: int = 4, vat: float = 0.19, kinds: tuple[str, ...] = ("private",)) -> MarketFacts:
    """Equally weighted draws of rising income; kinds of buyer alternate."""
    index = np.arange(n_draws)
    draws = ConsumerDraws(
        weight=np.full(n_draws, 1 / n_draws),
        income_eur=20_000.0 + 20_000.0 * index,
        group=np.zeros(n_draws, int),
        kind=index % len(kinds),
        nu=np.zeros((n_draws, 0)),
        group_names=("all",),
        kind_names=kinds,
    )
    return MarketFacts("M", "Market", "area", 1000.0, vat, draws)


def tastes(n: int, n_draws: int = 4, *, alpha: float = 1.5e-4, spread: float = 0.5, seed: int = 1, value: float = 3.0) -> Tastes:
    """Random-coefficient logit with money in EUR and cars of about EUR 30,000."""
    rng = np.random.default_rng(seed)
    return Tastes(
        delta=jnp.asarray(value + rng.normal(0, 0.5, n)),
        mu=jnp.asarray(spread * rng.normal(size=(n, n_draws))),
        alpha=jnp.asarray(alpha * np.exp(0.2 * rng.normal(size=n_draws))),
        weight=jnp.full(n_draws, 1 / n_draws),
        available=jnp.ones(n, bool),
        nests=None,
    )
