"""The affine piece of taxes and incentives that is in force between buyer and maker ([7]).

``p_j`` is the maker's price: net of VAT, before any incentive. The buyer pays ``q_ij = buyer_rate_ij p_j + buyer_add_ij``; the maker
keeps ``M_ij = maker_rate_j p_j - maker_charge_ij - c_j`` on each sale. What lies between is government's.
"""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp

from keiretsu.typing import BroadcastToDraws, PerProduct, PerProductAndDraw


class Wedges(eqx.Module):
    """One affine piece for each product (and draw, where it depends on who buys).

    Attributes
    ----------
    buyer_rate, buyer_add
        ``q = buyer_rate * p + buyer_add``; (J, I) or (J, 1); `buyer_add` in money, negative for a bonus.
    maker_rate
        Share of the price that the maker keeps, (J,).
    maker_charge
        Money the maker hands over on each sale, (J, I) or (J, 1); negative for a credit.
    """

    buyer_rate: BroadcastToDraws
    buyer_add: BroadcastToDraws
    maker_rate: PerProduct
    maker_charge: BroadcastToDraws


def no_wedges(n_products: int) -> Wedges:
    """Buyer pays what the maker charges and the maker keeps it all."""
    one, zero = jnp.ones((n_products, 1)), jnp.zeros((n_products, 1))
    return Wedges(one, zero, jnp.ones(n_products), zero)


def paid(wedges: Wedges, price: PerProduct) -> BroadcastToDraws:
    """What the buyer pays, ``q``. (J, I) or (J, 1)"""
    return wedges.buyer_rate * price[:, None] + wedges.buyer_add


def unit_margin(wedges: Wedges, price: PerProduct, cost: PerProduct) -> PerProductAndDraw:
    """What the maker keeps of one sale, ``M``. (J, I) or (J, 1)"""
    return (wedges.maker_rate * price - cost)[:, None] - wedges.maker_charge
