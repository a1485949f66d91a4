"""Who prices in which nest, indexed once: margins are then summed by firm and by firm and nest, not product by product ([8]).

The condition of a price holds two sums over products: what its setter earns everywhere, and in the product's own nest. Products with one setter share the first,
those with one setter and one nest the second, so there are about half as many sums as products. Where `PriceProblem.sellers` is None each product takes its own.
"""

from __future__ import annotations

import equinox as eqx
import numpy as np
from jaxtyping import Array, Int

from keiretsu.typing import ProductIndex


class Sellers(eqx.Module):
    """Firms that set a price in a market (S) and their presences in its nests (P).

    Attributes
    ----------
    firm
        Index of each such firm; unused places repeat the first. (S,)
    of_presence, nest
        Place of each presence's firm in `firm`, and its group of products. Both (P,)
    presence
        Presence of each product. (J,)
    """

    firm: Int[Array, " S"]
    of_presence: Int[Array, " P"]
    nest: Int[Array, " P"]
    presence: ProductIndex


def sellers_of(setter: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Arrays of `Sellers`, unpadded, for products with these setters and groups, both (J,)."""
    firm, of_product = np.unique(setter, return_inverse=True)
    pairs, presence = np.unique(np.stack([of_product, group]), axis=1, return_inverse=True)
    return firm, pairs[0], pairs[1], presence.reshape(-1)


def padded(values: np.ndarray, size: int) -> np.ndarray:
    """`values` with its first entry repeated up to `size`."""
    return np.concatenate([values, np.repeat(values[:1], size - values.size)])
