"""Many markets in one array: products, draws and nests padded to a common size.

A padded product is marked unavailable and has no share, a padded draw has no weight, a padded nest has no product: they cannot be
seen by any function of demand, and `Stacked.products` says where each market's own products end.
"""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float

from keiretsu.demand.tastes import Nests, Tastes
from keiretsu.errors import DemandError, Problem
from keiretsu.numerics.batching import filled
from keiretsu.numerics.host import host
from keiretsu.typing import BroadcastToDraws


class Stacked(eqx.Module):
    """Markets with a leading axis M.

    Attributes
    ----------
    tastes
        Tastes whose arrays all have the leading axis M.
    paid
        What buyers pay, (M, J, I) or (M, J, 1).
    products
        Number of products of each market, the first ones of its row.
    """

    tastes: Tastes
    paid: Float[Array, "M J #I"]
    products: tuple[int, ...] = eqx.field(static=True)


def stack(tastes: Sequence[Tastes], paid: Sequence[np.ndarray | Array]) -> Stacked:
    """Pad and stack markets.

    Raises
    ------
    DemandError
        When some markets have nests or an outside good and others do not.
    """
    problems: list[Problem] = []
    if len({t.outside for t in tastes}) > 1:
        problems.append(Problem("some markets have an outside good and others have none", "markets to be stacked", wanted="all or none"))
    if len({t.nests is None for t in tastes}) > 1:
        problems.append(Problem("some markets have nests and others have none", "markets to be stacked", wanted="all or none"))
    if problems:
        raise DemandError(problems)
    rows, draws = max(t.delta.shape[0] for t in tastes), max(t.alpha.shape[0] for t in tastes)
    wide_mu = draws if any(t.mu.shape[1] > 1 for t in tastes) else 1
    wide_paid = draws if any(p.shape[1] > 1 for p in paid) else 1
    stacked = Tastes(
        delta=_join([filled(t.delta, (rows,)) for t in tastes]),
        mu=_join([filled(_spread(t.mu, t.alpha.shape[0], wide_mu), (rows, wide_mu)) for t in tastes]),
        alpha=_join([filled(t.alpha, (draws,)) for t in tastes]),
        weight=_join([filled(t.weight, (draws,)) for t in tastes]),
        available=_join([filled(t.available, (rows,)) for t in tastes]),
        nests=_stack_nests([t.nests for t in tastes if t.nests is not None], rows),
        outside=tastes[0].outside,
    )
    spread_paid = [filled(_spread(p, t.alpha.shape[0], wide_paid), (rows, wide_paid)) for p, t in zip(paid, tastes, strict=True)]
    return Stacked(stacked, _join(spread_paid), tuple(int(t.delta.shape[0]) for t in tastes))


def unstack(values: Float[Array, "M J"] | np.ndarray, stacked: Stacked) -> list[np.ndarray]:
    """Each market's own rows of a stacked array."""
    every = np.asarray(values)
    return [every[m, :n] for m, n in enumerate(stacked.products)]


def market(stacked: Stacked, m: int) -> tuple[Tastes, BroadcastToDraws]:
    """Market m with its padding."""
    return jax.tree.map(lambda x: x[m], stacked.tastes), stacked.paid[m]


def _stack_nests(every: list[Nests], rows: int) -> Nests | None:
    if not every:
        return None
    subs, groups = max(n.sigma_sub.shape[0] for n in every), max(n.sigma_group.shape[0] for n in every)
    return Nests(
        sub=_join([filled(n.sub, (rows,)) for n in every]),
        group_of_sub=_join([filled(n.group_of_sub, (subs,)) for n in every]),
        sigma_sub=_join([filled(n.sigma_sub, (subs,)) for n in every]),
        sigma_group=_join([filled(n.sigma_group, (groups,)) for n in every]),
    )


def _spread(values: np.ndarray | Array, draws: int, width: int) -> np.ndarray:
    array = np.asarray(values)
    return np.broadcast_to(array, (array.shape[0], draws)) if width > 1 and array.shape[1] == 1 else array


def _join(arrays: list[np.ndarray]) -> Array:
    return host(np.stack(arrays))
