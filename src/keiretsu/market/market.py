"""One market, as the arrays that prices depend on, cut out of a world ([3], [7], [8])."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pandas as pd

from keiretsu.demand.preferences import Preferences
from keiretsu.demand.tastes import Nests, Tastes, nests
from keiretsu.demand.utility import alpha_of, mu_of
from keiretsu.errors import OwnershipError, Problem
from keiretsu.market.characteristics import characteristic_matrix
from keiretsu.market.world import MarketFacts, World
from keiretsu.ownership.weights import profit_weights
from keiretsu.supply.weights import ProfitWeights
from keiretsu.supply.wedges import Wedges
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


@dataclass(frozen=True)
class Transfer:
    """A car built by one firm and sold by another at a transfer price (EUR): row in the market's products, builder, seller."""

    product: int
    builder: int
    seller: int
    price_eur: float


def rows_of(world: World, market: str) -> pd.DataFrame:
    """The products on sale in one market, in the order of its arrays."""
    products = world.products
    return products[(products["market"] == market) & products["available"]].reset_index(drop=True)


def kappa_of(world: World, firms: Sequence[str]) -> np.ndarray:
    """Profit weights of a world's firms at its date under its rule, (F, F)."""
    return profit_weights(world.register.as_of(world.date), world.rule, firms)


def tastes_of(facts: MarketFacts, preferences: Preferences, rows: pd.DataFrame) -> Tastes:
    """Tastes of a market's consumers for the products in `rows`."""
    names = [taste.characteristic for taste in preferences.random]
    mu = mu_of(preferences, facts.consumers, characteristic_matrix(rows, names))
    alpha = alpha_of(preferences, facts.consumers)
    return Tastes(
        delta=jnp.asarray(rows["delta"].to_numpy(float)),
        mu=jnp.asarray(mu),
        alpha=jnp.asarray(alpha),
        weight=jnp.asarray(facts.consumers.weight),
        available=jnp.ones(len(rows), bool),
        nests=nests_of(preferences, rows),
        outside=preferences.outside,
    )


def nests_of(preferences: Preferences, rows: pd.DataFrame) -> Nests | None:
    """Nests of the products in `rows` by the preferences' nest columns; None when there are none."""
    columns = preferences.nest_columns
    if not columns:
        return None
    group = rows[columns[0]].astype(str).tolist()
    if len(columns) == 1:
        return nests(group, _plain(preferences.sigma_group))
    sub = (rows[columns[0]].astype(str) + " / " + rows[columns[1]].astype(str)).tolist()
    return nests(group, _plain(preferences.sigma_group), sub, _plain(preferences.sigma_sub))


def sales_tax_of(facts: MarketFacts, rows: pd.DataFrame) -> np.ndarray:
    """Value-added or sales tax of each product as a share of its net price, (J,)."""
    return rows["sales_tax"].to_numpy(float)


def base_wedges(facts: MarketFacts, rows: pd.DataFrame) -> Wedges:
    """The wedge of value-added tax alone: the buyer pays net price plus tax, the maker keeps the net price."""
    j = len(rows)
    tax = jnp.asarray(1.0 + sales_tax_of(facts, rows))
    return Wedges(tax[:, None], jnp.zeros((j, 1)), jnp.ones(j), jnp.zeros((j, 1)))


def weights_of(rows: pd.DataFrame, firms: Sequence[str], kappa: np.ndarray, cost: np.ndarray) -> tuple[ProfitWeights, tuple[Transfer, ...]]:
    """Who prices and who earns each product ([2b]).

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
    fee = np.zeros_like(split)
    transfers: list[Transfer] = []
    for j, (builder, price) in enumerate(zip(rows["made_by"].astype(str), rows["transfer_price_eur"].to_numpy(float), strict=True)):
        if not builder:
            continue
        seller = index[next(iter(parse_split(str(rows["profit_to"][j]))))]
        transfers.append(Transfer(j, index[builder], seller, price))
        fee[index[builder], j] += price - cost[j]
        fee[seller, j] -= price - cost[j]
    setter = np.array([index[firm] for firm in rows["priced_by"]])
    return ProfitWeights(jnp.asarray(setter), jnp.asarray(kappa), jnp.asarray(split), jnp.asarray(fee)), tuple(transfers)


def parse_split(text: str) -> Mapping[str, float]:
    """``'A'`` is ``{A: 1}``; ``'A:0.7;B:0.3'`` is ``{A: 0.7, B: 0.3}``."""
    if ":" not in text:
        return {text: 1.0}
    pairs = [part.split(":") for part in text.split(";")]
    return {firm.strip(): float(share) for firm, share in pairs}


def _plain(sigma: float | Mapping[str, float]) -> float | dict[str, float]:
    return dict(sigma) if isinstance(sigma, Mapping) else sigma
