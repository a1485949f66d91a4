"""Elasticities and diversion at the prices of an outcome, market by market, for the replication pack and for pricing screens ([4])."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.market.outcome import MarketState, Outcome
from keiretsu.supply.cost import leaving

OUTSIDE = "outside"


@dataclass(frozen=True)
class Substitution:
    """Substitution in one market.

    Attributes
    ----------
    elasticity
        ``[k, j]``: change of k's sales in per cent when the maker's price of j rises by one per cent.
    diversion
        ``[j, k]``: share of the buyers whom j loses by a small price rise who go to k; a last column for those who buy nothing.
        The diagonal is zero.
    """

    elasticity: pd.DataFrame
    diversion: pd.DataFrame


def substitution_tables(outcome: Outcome, largest: int) -> dict[str, Substitution]:
    """Elasticities and diversion of every market, by market id.

    Parameters
    ----------
    largest
        How many products to show in each market, the best-selling ones; those left out still count in what is shown.
    """
    return {name: _largest(substitution_of(state), state, largest) for name, state in outcome.states.items()}


def substitution_of(state: MarketState) -> Substitution:
    """Elasticities and diversion among all products of one market."""
    labels = [str(product) for product in state.rows["product"]]
    n = len(labels)
    m = state.market
    falling, _, share = leaving(m.tastes, m.wedges, state.pricing.price)
    lost = np.asarray(falling)[:n, :n]  # [j, k] = -ds_k/dp_j
    price, share = np.asarray(state.pricing.price)[:n], np.asarray(share)[:n]
    own = np.diag(lost)
    elasticity = -lost.T * price[None, :] / share[:, None]
    diversion = -lost / own[:, None]
    np.fill_diagonal(diversion, 0.0)
    outside = 1.0 - diversion.sum(axis=1)
    return Substitution(
        pd.DataFrame(elasticity, index=labels, columns=labels),
        pd.DataFrame(np.column_stack([diversion, outside]), index=labels, columns=[*labels, OUTSIDE]),
    )


def _largest(found: Substitution, state: MarketState, most: int) -> Substitution:
    sold = pd.Series(np.asarray(state.pricing.share)[: len(state.rows)], index=found.elasticity.index)
    chosen = list(sold.sort_values(ascending=False, kind="stable").index[:most])
    return Substitution(found.elasticity.loc[chosen, chosen], found.diversion.loc[chosen, [*chosen, OUTSIDE]])
