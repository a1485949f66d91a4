"""First-order screens for pricing: GUPPI, UPP and the cost reduction that would leave prices unchanged.

All of them read the first-order condition of prices at today's prices. With M the unit margins, ``D[j, k]`` the part of j's lost buyers who go to k,
and ``K[j, k]`` the weight that j's price setter puts on k's profit, product j's price is best when ``M_j - sum_{k != j} K[j, k] D[j, k] M_k`` equals
``s_j / (-ds_j/dp_j)``, a property of demand that ownership does not change. So a deal that turns K into K' pushes with
``sum_k (K' - K)[j, k] D[j, k] M_k``, and the margins that leave every price where it is solve ``B' M' = B M`` with ``B = I - K o D``. A *partial* stake is
a K' below one; nothing else changes.

All arrays are by product, money in one currency per unit. `weights_of` turns labels of owners, with or without kappa, into K.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from keiretsu.errors import OwnershipError, Problem
from keiretsu.typing import Matrix, Vector


@dataclass(frozen=True, eq=False)
class Prices:
    """Products at today's prices.

    Attributes
    ----------
    price
        Maker's price. (J,)
    margin
        Price less marginal cost, in money; `price` times the Lerner index. (J,)
    diversion
        ``[j, k]``: part of the buyers that j loses by a small price rise who go to k. The diagonal is not used. (J, J)
    """

    price: Vector
    margin: Vector
    diversion: Matrix

    def __post_init__(self) -> None:
        for name in ("price", "margin", "diversion"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=float))
        n = len(self.price)
        problems = []
        if self.margin.shape != (n,) or self.diversion.shape != (n, n):
            problems.append(
                Problem("arrays that do not fit", "prices", f"{self.price.shape}, {self.margin.shape}, {self.diversion.shape}", "(J,), (J,), (J, J)")
            )
        if not (self.price > 0).all():
            problems.append(Problem("a price that is not above zero", "prices", str(self.price)))
        if not (np.isfinite(self.margin).all() and np.isfinite(self.diversion).all()):
            problems.append(Problem("margins or diversion that are no numbers", "prices"))
        if problems:
            raise OwnershipError(problems)

    @property
    def cost(self) -> Vector:
        """Marginal cost. (J,)"""
        return self.price - self.margin


def weights_of(owner: Sequence[Hashable]) -> Matrix:
    """K of separate owners: one among products with the same label, zero otherwise. (J, J)"""
    return np.array([[float(one == other) for other in owner] for one in owner])


def weights_under(kappa: Matrix, owner: Sequence[int]) -> Matrix:
    """K of products from profit weights of firms (F, F) and each product's firm (J,). (J, J)"""
    index = np.asarray(owner)
    return np.asarray(kappa, dtype=float)[np.ix_(index, index)]


def weights_from_shares(ownership: Matrix) -> Matrix:
    """K of products from shares of profit: row j is what j's price setter gets of each product's profit, divided by its share of j. (J, J)

    Raises
    ------
    OwnershipError
        When some setter gets nothing of its own product's profit.
    """
    ownership = np.asarray(ownership, dtype=float)
    own = np.diag(ownership)
    if not (own > 0).all():
        raise OwnershipError(Problem("a price setter without a share of its own product", "weights of products", str(own), "a share above zero"))
    return ownership / own[:, None]


def diversion_from_slopes(slopes: Matrix) -> Matrix:
    """Diversion ratios from ``slopes[k, j] = ds_k / dp_j``: ``D[j, k] = -slopes[k, j] / slopes[j, j]``, zero on the diagonal. (J, J)

    Raises
    ------
    OwnershipError
        When some own slope is not below zero.
    """
    slopes = np.asarray(slopes, dtype=float)
    own = np.diag(slopes)
    if not (own < 0).all():
        raise OwnershipError(Problem("demand that does not fall in its own price", "diversion", str(own), "own slopes below zero"))
    ratio = -(slopes / own).T
    np.fill_diagonal(ratio, 0.0)
    return ratio


def diversion_by_share(share: Vector) -> Matrix:
    """Diversion in proportion to shares (plain logit): ``s_k / (1 - s_j)``; shares below one in sum leave the rest to the outside good. (J, J)"""
    share = np.asarray(share, dtype=float)
    ratio = share[None, :] / (1.0 - share[:, None])
    np.fill_diagonal(ratio, 0.0)
    return ratio


def guppi(now: Prices, before: Matrix, after: Matrix) -> Vector:
    """Gross upward pricing pressure index, as a part of each product's price: value of sales diverted to products newly weighed (Salop & Moresi 2009).

    `before` and `after` are weights K (J, J). For a full merger of 1 and 2 the textbook ``D12 M2 / p1``; for a silent stake the same times the stake.
    """
    return _pressure(now, before, after, now.margin) / now.price


def upp(now: Prices, before: Matrix, after: Matrix, efficiency: Vector, credit: Literal["own", "all"]) -> Vector:
    """Net upward pricing pressure in money per unit (Farrell & Shapiro 2010).

    `efficiency` is the part of each product's marginal cost that the deal saves, (J,). ``credit="own"``: the saving on the product itself is set against the
    pressure, as Farrell & Shapiro do. ``credit="all"``: savings also raise the margins of the products that buyers divert to, which raises pressure.
    """
    if credit not in ("own", "all"):
        raise OwnershipError(Problem("no such credit", "UPP", repr(credit), "own or all"))
    saving = np.asarray(efficiency, dtype=float) * now.cost
    if credit == "own":
        return _pressure(now, before, after, now.margin) - saving
    after_margin = now.margin + saving
    return _own_side(now, before) @ now.margin - _own_side(now, after) @ after_margin


def compensating_margins(now: Prices, before: Matrix, after: Matrix) -> Vector:
    """Unit margins at which all prices stay as they are once weights change from `before` to `after`, in money. (J,)

    Raises
    ------
    OwnershipError
        When no such margins exist (diversion among jointly priced products is complete).
    """
    system = _own_side(now, after)
    if np.linalg.matrix_rank(system) < len(now.price):
        raise OwnershipError(
            Problem(
                "no margin compensates: buyers who leave jointly priced products all stay among them",
                "CMCR",
                wanted="some diversion to others or to not buying",
            )
        )
    return np.linalg.solve(system, _own_side(now, before) @ now.margin)


def cmcr(now: Prices, before: Matrix, after: Matrix, relative_to: Literal["cost", "price"]) -> Vector:
    """Compensating marginal cost reduction (Werden 1996), for a merger or any partial stake: part of the cost (or price) to be saved. (J,)

    Positive is a saving. It is what the deal's efficiencies must reach, product by product and all at once, for no price to rise.
    """
    if relative_to not in ("cost", "price"):
        raise OwnershipError(Problem("no such base", "CMCR", repr(relative_to), "cost or price"))
    return (compensating_margins(now, before, after) - now.margin) / (now.cost if relative_to == "cost" else now.price)


def _pressure(now: Prices, before: Matrix, after: Matrix, margin: Vector) -> Vector:
    return (_own_side(now, before) - _own_side(now, after)) @ margin


def _own_side(now: Prices, weights: Matrix) -> Matrix:
    """``B = I - K o D`` with the diagonal of D left out."""
    weights = np.asarray(weights, dtype=float)
    n = len(now.price)
    if weights.shape != (n, n) or not np.allclose(np.diag(weights), 1.0, rtol=0, atol=1e-12):
        raise OwnershipError(
            Problem("weights do not fit the products", "pricing pressure", f"shape {weights.shape}", f"({n}, {n}) with ones on the diagonal")
        )
    off = weights * now.diversion
    np.fill_diagonal(off, 0.0)
    return np.eye(n) - off
