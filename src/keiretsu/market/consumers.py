"""Consumer draws of each market: its own where the case states them, else blocks of one size, a power of two, for every group of buyers.

A block of scrambled Sobol points is balanced only when its size is a power of two, so the number asked for is rounded up: `consumers_in` says what comes of
it, `with_at_most` asks for the most that stays below a number.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from keiretsu.case import Case
from keiretsu.case.settings import BUYER_KINDS
from keiretsu.demand.preferences import ConsumerDraws, Preferences
from keiretsu.numerics.draws import sobol


def consumers_of(case: Case, market: pd.Series, preferences: Preferences) -> ConsumerDraws:
    """Draws of one market: its own where the case states them, else a block for each income group and kind of buyer, of one size, a power of two.

    Without random tastes a block is one draw. Company buyers stand where the market's private share is below one.
    """
    if (case.draws["market"] == market.market).any():
        return _own_draws(case, market.market)
    groups, kinds = _groups(case, market), _kinds(market)
    columns, cells = _columns(case), len(groups) * len(kinds)
    each = _each(case, cells)
    total = 2 ** math.ceil(math.log2(each * cells))
    nu = sobol(total, columns, case.demand.seed).node[: each * cells] if columns else np.zeros((cells, 0))
    weight, income, group, kind = [], [], [], []
    for g, (share, income_eur) in enumerate(zip(groups["weight"], groups["income_eur"], strict=True)):
        for k, kind_weight in kinds.items():
            weight += [share * kind_weight / each] * each
            income += [income_eur] * each
            group += [g] * each
            kind += [k] * each
    weights = np.array(weight)
    return ConsumerDraws(weights / weights.sum(), np.array(income, float), np.array(group), np.array(kind), nu, tuple(groups["group"]), BUYER_KINDS)


def consumers_in(case: Case) -> Mapping[str, int]:
    """Consumer draws of each market, as they come out."""
    stated = case.draws["market"].value_counts()
    found: dict[str, int] = {}
    for _, market in case.markets.iterrows():
        name, cells = str(market.market), _cells(case, market)
        found[name] = int(stated[name]) if name in stated else cells * _each(case, cells)
    return found


def with_at_most(case: Case, most: int) -> Case:
    """The case with at most so many consumer draws in each market, as many as powers of two allow; the same case where it has no more.

    A market keeps the draws that the case states for it, and one draw for each group and kind of buyer.
    """
    stated = set(case.draws["market"])
    if all(count <= most for name, count in consumers_in(case).items() if name not in stated):
        return case
    cells = [_cells(case, market) for _, market in case.markets.iterrows() if str(market.market) not in stated]
    fits = min(c * 2 ** math.floor(math.log2(max(1.0, most / c))) for c in cells)
    return dataclasses.replace(case, demand=dataclasses.replace(case.demand, draws=fits))


def _each(case: Case, cells: int) -> int:
    """Draws of each group and kind of buyer: a power of two, so that all of them are at least the number asked for."""
    return 1 if _columns(case) == 0 else 2 ** math.ceil(math.log2(max(1.0, case.demand.draws / cells)))


def _columns(case: Case) -> int:
    """Random tastes, the spread of the price taste among them."""
    return len(case.demand.random) + (case.demand.price_sigma > 0)


def _cells(case: Case, market: pd.Series) -> int:
    return len(_groups(case, market)) * len(_kinds(market))


def _groups(case: Case, market: pd.Series) -> pd.DataFrame:
    return case.incomes[case.incomes["market"] == market.market]


def _kinds(market: pd.Series) -> dict[int, float]:
    """Weight of each kind of buyer that the market has."""
    return {k: weight for k, weight in enumerate((float(market.private_share), 1.0 - float(market.private_share))) if weight > 0}


def _own_draws(case: Case, market: str) -> ConsumerDraws:
    """Draws that the case states for a market; weights were seen at the door to add up to one and are divided by their sum."""
    rows = case.draws[case.draws["market"] == market]
    weights = rows["weight"].to_numpy(float)
    groups = list(dict.fromkeys(rows["group"]))
    nu = rows[[f"nu_{k + 1}" for k in range(case.demand.taste_columns)]].to_numpy(float)
    group, kind = (np.array([names.index(label) for label in rows[column]]) for column, names in (("group", groups), ("kind", list(BUYER_KINDS))))
    return ConsumerDraws(weights / weights.sum(), rows["income_eur"].to_numpy(float), group, kind, nu, tuple(groups), BUYER_KINDS)
