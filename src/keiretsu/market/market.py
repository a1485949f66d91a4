"""One market, as the arrays that prices depend on, cut out of a world ([3], [7], [8])."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import equinox as eqx
import numpy as np
import pandas as pd

from keiretsu.demand.preferences import Preferences
from keiretsu.demand.tastes import Tastes
from keiretsu.demand.utility import tastes_of
from keiretsu.errors import OwnershipError, Problem
from keiretsu.market.characteristics import characteristic_matrix
from keiretsu.market.world import MarketFacts, World
from keiretsu.numerics.host import host
from keiretsu.ownership.weights import profit_weights
from keiretsu.supply.cost import Transfer
from keiretsu.supply.wedges import Wedges
from keiretsu.supply.weights import ProfitWeights
from keiretsu.typing import PerProduct, ProductMask


class Market(eqx.Module):
    """Everything that prices of one market depend on. Arrays over J products, I draws, F firms; money in EUR.

    Attributes
    ----------
    cost
        Marginal cost, EUR a car. (J,)
    shadow
        CO2 shadow cost, EUR a car: seen by whoever sets prices, no part of reported margins. (J,)
    start
        Where the search for prices starts, and the price of held products: maker's price, EUR. (J,)
    held
        Products whose price is held at `start`. (J,)
    """

    tastes: Tastes
    wedges: Wedges
    weights: ProfitWeights
    cost: PerProduct
    shadow: PerProduct
    start: PerProduct
    held: ProductMask


def rows_of(world: World, market: str) -> pd.DataFrame:
    """The products on sale in one market, in the order of its arrays."""
    products = world.products
    here = (products["market"].to_numpy() == market) & products["available"].to_numpy(bool)
    return products.take(np.flatnonzero(here)).reset_index(drop=True)


def kappa_of(world: World, firms: Sequence[str]) -> np.ndarray:
    """Profit weights of a world's firms at its date under its rule, (F, F).

    Raises
    ------
    OwnershipError
        Where the rule gives none; names the scenario that made the world, or the case.
    """
    try:
        return profit_weights(world.register.as_of(world.date), world.rule, firms)
    except OwnershipError as error:
        raise error.at(world.name) from None


def tastes_of_rows(facts: MarketFacts, preferences: Preferences, rows: pd.DataFrame) -> Tastes:
    """Tastes of a market's consumers for the products in `rows`, which are all on sale."""
    names = list(
        dict.fromkeys([taste.characteristic for taste in preferences.random] + [c for shift in preferences.kind_taste.values() for c in shift])
    )
    table = dict(zip(names, characteristic_matrix(rows, names).T, strict=True))
    labels = [rows[column].astype(str).tolist() for column in preferences.nest_columns]
    return tastes_of(preferences, facts.consumers, table, labels, rows["delta"].to_numpy(float), np.ones(len(rows), bool))


def sales_tax_of(facts: MarketFacts, rows: pd.DataFrame) -> np.ndarray:
    """Value-added or sales tax of each product as a share of its net price, (J,)."""
    return rows["sales_tax"].to_numpy(float)


def base_wedges(facts: MarketFacts, rows: pd.DataFrame) -> Wedges:
    """The wedge of value-added tax alone: the buyer pays net price plus tax, the maker keeps the net price."""
    j = len(rows)
    tax = 1.0 + sales_tax_of(facts, rows)
    return Wedges(host(tax[:, None]), host(np.zeros((j, 1))), host(np.ones(j)), host(np.zeros((j, 1))))


def weights_of(rows: pd.DataFrame, firms: Sequence[str], kappa: np.ndarray) -> tuple[ProfitWeights, tuple[Transfer, ...]]:
    """Who prices and who earns each product, and the transfer prices between builders and sellers ([2b]).

    The weights carry no fee yet: `keiretsu.supply.cost.with_transfers` adds those of the transfers once costs are known.

    Raises
    ------
    OwnershipError
        When shares of a margin do not add up to one or name an unknown firm.
    """
    index = {firm: i for i, firm in enumerate(firms)}
    split = np.zeros((len(firms), len(rows)))
    problems: list[Problem] = []
    for j, text in enumerate(rows["profit_to"].astype(str)):
        for firm, share in parse_split(text).items():
            if firm not in index:
                problems.append(Problem("a margin goes to an unknown firm", f"product {rows['product'][j]}", firm))
            else:
                split[index[firm], j] += share
        if abs(split[:, j].sum() - 1.0) > 1e-9:
            problems.append(Problem("shares of a margin must add up to one", f"product {rows['product'][j]}", text, "shares that add up to 1"))
    if problems:
        raise OwnershipError(problems)
    transfers = tuple(
        Transfer(j, index[builder], index[next(iter(parse_split(str(rows["profit_to"][j]))))], price)
        for j, (builder, price) in enumerate(zip(rows["made_by"].astype(str), rows["transfer_price_eur"].to_numpy(float), strict=True))
        if builder
    )
    setter = np.array([index[firm] for firm in rows["priced_by"]])
    return ProfitWeights(host(setter), host(kappa), host(split), host(np.zeros_like(split))), transfers


def parse_split(text: str) -> Mapping[str, float]:
    """``'A'`` is ``{A: 1}``; ``'A:0.7;B:0.3'`` is ``{A: 0.7, B: 0.3}``."""
    if ":" not in text:
        return {text: 1.0}
    pairs = [part.split(":") for part in text.split(";")]
    return {firm.strip(): float(share) for firm, share in pairs}
