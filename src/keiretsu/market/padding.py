"""All markets of a world in one shape, so that solvers are compiled once and not once for each country.

Padding is a product that is not on sale, a draw without weight, a nest without products, a firm without cars. None of them can be
seen in any result: shares of padded products are exactly zero, and every table is cut back to the market's own rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Array

from keiretsu.demand.tastes import Nests, Tastes
from keiretsu.market.market import Market
from keiretsu.numerics.batching import filled
from keiretsu.numerics.host import host
from keiretsu.supply.wedges import Wedges
from keiretsu.supply.weights import ProfitWeights

STEP = 16  # sizes are rounded up to multiples of this, so that a launch or a new company seldom changes the shape
ROOM = 4  # products and companies that scenarios may add to a market without another shape


@dataclass(frozen=True)
class Shape:
    """Sizes that every market of a world is padded to."""

    products: int
    draws: int
    subs: int
    groups: int
    firms: int


def common_shape(markets: list[Market], step: int = STEP) -> Shape:
    """The smallest shape, rounded up to multiples of `step`, that all of `markets` fit in."""
    exact = shape_of(markets)
    return replace(exact, products=_up(exact.products, step), firms=_up(exact.firms, step))


def spacious(exact: Shape) -> Shape:
    """A shape with room for a few more products and companies, rounded up: worlds that differ by a launch have the same one."""
    return replace(exact, products=_up(exact.products + ROOM), firms=_up(exact.firms + ROOM))


def shape_of(markets: list[Market]) -> Shape:
    """The smallest shape that all of `markets` fit in."""
    nests = [m.tastes.nests for m in markets if m.tastes.nests is not None]
    return Shape(
        products=max(m.cost.shape[0] for m in markets),
        draws=max(m.tastes.alpha.shape[0] for m in markets),
        subs=max((n.sigma_sub.shape[0] for n in nests), default=0),
        groups=max((n.sigma_group.shape[0] for n in nests), default=0),
        firms=max(m.weights.kappa.shape[0] for m in markets),
    )


def padded(market: Market, shape: Shape) -> Market:
    """The same market in a larger shape."""
    j, i, f = shape.products, shape.draws, shape.firms
    tastes, wedges, weights = market.tastes, market.wedges, market.weights
    n_firms, n_products = weights.split.shape
    kappa = np.eye(f)
    kappa[:n_firms, :n_firms] = weights.kappa
    split = filled(weights.split, (f, j))
    split[0, n_products:] = 1.0  # a padded product belongs to somebody, so that its margin adds up like any other
    return Market(
        tastes=Tastes(
            delta=_array(tastes.delta, (j,)),
            mu=_wide(tastes.mu, j, i),
            alpha=_array(tastes.alpha, (i,), fill=float(np.min(tastes.alpha))),  # of no weight, but it may overflow nowhere: 0 x inf is no number
            weight=_array(tastes.weight, (i,)),
            available=_array(tastes.available, (j,)),
            nests=None if tastes.nests is None else _nests(tastes.nests, shape),
            outside=tastes.outside,
        ),
        wedges=Wedges(
            buyer_rate=_by_draw(wedges.buyer_rate, j, i, fill=1.0),
            buyer_add=_by_draw(wedges.buyer_add, j, i),
            maker_rate=_array(wedges.maker_rate, (j,), fill=1.0),
            maker_charge=_wide(wedges.maker_charge, j, i),
        ),
        weights=ProfitWeights(_array(weights.setter, (j,)), host(kappa), host(split), _array(weights.fee, (f, j))),
        cost=_array(market.cost, (j,)),
        shadow=_array(market.shadow, (j,)),
        start=_array(market.start, (j,)),
        held=_array(market.held, (j,)),
    )


def _nests(nests: Nests, shape: Shape) -> Nests:
    return Nests(
        sub=_array(nests.sub, (shape.products,)),
        group_of_sub=_array(nests.group_of_sub, (shape.subs,)),
        sigma_sub=_array(nests.sigma_sub, (shape.subs,)),
        sigma_group=_array(nests.sigma_group, (shape.groups,)),
    )


def _up(size: int, step: int = STEP) -> int:
    return -(-size // step) * step


def _array(values: object, shape: tuple[int, ...], fill: float = 0.0) -> Array:
    return host(filled(values, shape, fill))


def _by_draw(values: object, products: int, draws: int, fill: float = 0.0) -> Array:
    """Written out over draws: worlds with incentives and without then run the same compiled code."""
    array = np.asarray(values)
    return _array(np.broadcast_to(array, (array.shape[0], draws)) if array.shape[1] == 1 else array, (products, draws), fill)


def _wide(values: object, products: int, draws: int, fill: float = 0.0) -> Array:
    """(J, 1) stays one column: it holds for every draw."""
    array = np.asarray(values)
    return _array(array, (products, 1 if array.shape[1] == 1 else draws), fill)
