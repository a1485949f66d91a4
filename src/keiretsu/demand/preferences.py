"""The parameters and the consumers of a demand system, as facts: numbers and draws before any product is seen ([3]).

`keiretsu.demand.utility` turns them into the arrays of `Tastes`. They stand in demand because every part above reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ConsumerDraws:
    """Draws of the consumers of one market.

    Attributes
    ----------
    weight
        Adds up to one. (I,)
    income_eur
        Yearly household income. (I,)
    group
        Income group each draw belongs to, index into `group_names`. (I,)
    kind
        Kind of buyer of each draw, index into `kind_names`. (I,)
    nu
        Independent standard normal tastes, one column for each random coefficient of `Preferences.random`. (I, K)
    """

    weight: np.ndarray
    income_eur: np.ndarray
    group: np.ndarray
    kind: np.ndarray
    nu: np.ndarray
    group_names: tuple[str, ...]
    kind_names: tuple[str, ...]


@dataclass(frozen=True)
class RandomTaste:
    """One random coefficient: taste for `characteristic` has standard deviation `sigma` (utils per unit of the characteristic)."""

    characteristic: str
    sigma: float
    distribution: str = "normal"  # or "lognormal"


@dataclass(frozen=True)
class Preferences:
    """Parameters of demand shared by all markets ([3]).

    ``alpha_i = price_taste / income_i ** income_power`` utils per EUR, times ``exp(price_sigma * nu)`` where price_sigma is above
    zero. `nest_columns` are none, one or two columns of the product table: groups, then subgroups.
    """

    price_taste: float
    income_power: float
    random: tuple[RandomTaste, ...] = ()
    price_sigma: float = 0.0
    nest_columns: tuple[str, ...] = ()
    sigma_group: float | Mapping[str, float] = 0.0
    sigma_sub: float | Mapping[str, float] = 0.0
    correlation: np.ndarray | None = None  # (K, K) between random tastes; None is independence
    outside: bool = True
