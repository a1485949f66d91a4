"""Whose profit the setter of a price looks after, and who earns the margin of a sale ([2], [2b])."""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from keiretsu.typing import FirmByFirm, FirmByProduct, ProductIndex


class ProfitWeights(eqx.Module):
    """Everything about firms that prices depend on.

    The setter f of product j maximises ``sum_k W[f, k] s_k`` with ``W[f, k] = sum_g kappa[f, g] U[g, k]`` and
    ``U[g, k] = split[g, k] M_k + fee[g, k]``: firm g's share of the unit margin plus what it is paid on each sale (a transfer price
    gives the builder ``fee = transfer price - cost`` and the seller the same with the other sign).

    Attributes
    ----------
    setter
        Firm that sets each price, (J,).
    kappa
        Weight that whoever sets f's prices puts on one euro of g's operating profit, (F, F), ``kappa[f, f] = 1``, not symmetric.
    split
        Share of k's unit margin that g earns, (F, J); columns add up to one.
    fee
        Money that g is paid on each sale of k, (F, J); columns add up to zero.
    """

    setter: ProductIndex
    kappa: FirmByFirm
    split: FirmByProduct
    fee: FirmByProduct


def one_firm_each(firm: Sequence[int] | np.ndarray, kappa: np.ndarray) -> ProfitWeights:
    """The textbook case: product j is priced by and its whole margin belongs to ``firm[j]``. `kappa` is (F, F)."""
    index = jnp.asarray(firm)
    k = jnp.asarray(kappa, dtype=float)
    split = (jnp.arange(k.shape[0])[:, None] == index[None, :]).astype(float)
    return ProfitWeights(index, k, split, jnp.zeros_like(split))


def seen_by_setters(weights: ProfitWeights) -> tuple[FirmByProduct, FirmByProduct]:
    """``(kappa @ split, kappa @ fee)``: how each firm weighs one euro of k's margin, and the money on top. Both (F, J)."""
    return weights.kappa @ weights.split, weights.kappa @ weights.fee
