"""The parameters and the consumers of a demand system, as facts: numbers and draws before any product is seen ([3]).

`keiretsu.demand.utility` turns them into the arrays of `Tastes`. They stand in demand because every part above reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
        Independent standard normal tastes, one column for each random coefficient of `Preferences.random`, in that order, and one
        more, the last, where `Preferences.price_sigma` is above zero. (I, N)
    group_names, kind_names
        Labels that `group` and `kind` point to.
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
    """One random coefficient: how the taste for `characteristic` differs from the mean taste that sits in delta.

    Attributes
    ----------
    characteristic
        Name of a column of the product table, or ``constant``.
    sigma
        normal: standard deviation of the taste, utils per unit. lognormal: standard deviation of the taste's logarithm.
    distribution
        ``normal``: the taste departs from the mean by ``sigma nu``. ``lognormal``: it is ``median exp(sigma nu)``, and departs from
        its median, which delta holds, by ``median (exp(sigma nu) - 1)``; so zero sigma is no departure in both.
    median
        Utils per unit, negative for a dislike; used by ``lognormal`` only.
    """

    characteristic: str
    sigma: float
    distribution: str = "normal"
    median: float = 1.0


@dataclass(frozen=True)
class Preferences:
    """Parameters of demand shared by all markets ([3]).

    Attributes
    ----------
    price_taste, income_power
        ``alpha_i = price_taste / income_i ** income_power``, utils per EUR.
    price_sigma, price_distribution
        Where sigma is above zero alpha is further spread: ``lognormal`` multiplies it by ``exp(price_sigma nu)``, ``normal`` adds
        ``price_sigma nu`` (utils per EUR).
    nest_columns
        None, one or two columns of the product table: groups, then subgroups.
    sigma_group, sigma_sub
        One number, or one for each label.
    correlation
        Of random tastes, and of price last where `price_sigma` is above zero, (N, N); None states that they are independent.
    kind_price
        Multiple of alpha by kind of buyer; a kind that is not named has 1.
    kind_taste
        Shift of the mean taste by kind of buyer: characteristic -> utils per unit; a kind that is not named has none.
    outside
        Whether buying nothing is possible.
    """

    price_taste: float
    income_power: float
    random: tuple[RandomTaste, ...] = ()
    price_sigma: float = 0.0
    nest_columns: tuple[str, ...] = ()
    sigma_group: float | Mapping[str, float] = 0.0
    sigma_sub: float | Mapping[str, float] = 0.0
    correlation: np.ndarray | None = None
    outside: bool = True
    price_distribution: str = "lognormal"
    kind_price: Mapping[str, float] = field(default_factory=lambda: dict[str, float]())
    kind_taste: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: dict[str, Mapping[str, float]]())
