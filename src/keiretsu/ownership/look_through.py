"""What stakes are worth once stakes in each other are followed round every loop ([1]).

With D the direct cross-holdings, a firm's value is its own operating profit plus its part of the others' values, ``v = pi + D v``, so
``v = (I - D)^-1 pi = A pi``. Values of firms count a euro once for every firm it passes through, so they do *not* add up to anything; what outside
owners may claim, ``owner_shares @ A @ pi``, adds up exactly to operating profit, float included. Three columns, never mixed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from keiretsu.errors import OwnershipError, Problem
from keiretsu.ownership.holdings import Holdings, unknown_company
from keiretsu.typing import Matrix, Vector


@dataclass(frozen=True, eq=False)
class Attribution:
    """One profit seen in three ways.

    Attributes
    ----------
    operating_profit
        What each firm earns itself; adds up to the market's. (F,)
    look_through_value
        The same plus its part of others' values; *not additive*: a euro counts once for every firm it passes through. (F,)
    owner_claims
        What each outside owner may claim; adds up to the sum of operating profit. (O,)
    """

    companies: tuple[str, ...]
    owners: tuple[str, ...]
    operating_profit: Vector
    look_through_value: Vector
    owner_claims: Vector


def look_through(holdings: Holdings) -> Matrix:
    """``A = (I - D)^-1``: euro of firm f's value for one euro of operating profit of g. (F, F)

    Raises
    ------
    OwnershipError
        When companies hold each other entirely, so that no outside owner is behind them and the value has no bound.
    """
    _refuse_closed_rings(holdings)
    n = len(holdings.companies)
    return np.linalg.solve(np.eye(n) - holdings.cross_holdings, np.eye(n))


def owners_look_through(holdings: Holdings) -> Matrix:
    """What each outside owner gets of one euro of operating profit of g, through all chains; columns add up to one. (O, F)"""
    return holdings.owner_shares @ look_through(holdings)


def attribute(holdings: Holdings, operating_profit: Vector) -> Attribution:
    """Hand operating profits (F,), in the order of `holdings.companies`, to firms and owners ([1])."""
    profit = np.asarray(operating_profit, dtype=float)
    if profit.shape != (len(holdings.companies),):
        raise OwnershipError(Problem("profits do not match the companies", "attribution", f"shape {profit.shape}", f"({len(holdings.companies)},)"))
    value = look_through(holdings) @ profit
    return Attribution(holdings.companies, holdings.owners, profit, value, holdings.owner_shares @ value)


def attribute_named(holdings: Holdings, operating_profit: Mapping[str, float]) -> Attribution:
    """`attribute` for profits by name; companies without an entry have no operating profit of their own (a holding, a trust).

    Raises
    ------
    OwnershipError
        For every name that the register does not list.
    """
    unknown = [unknown_company(name, holdings.companies) for name in operating_profit if name not in holdings.companies]
    if unknown:
        raise OwnershipError(unknown)
    return attribute(holdings, np.array([float(operating_profit.get(name, 0.0)) for name in holdings.companies]))


def _refuse_closed_rings(holdings: Holdings) -> None:
    """A company has a bounded value when some chain of holders leads out of the register; find those for which none does."""
    reached = holdings.owner_shares.sum(axis=0) > 0
    while True:
        # g is reached when somebody who is reached holds part of it
        further = reached | ((holdings.cross_holdings > 0) & reached[:, None]).any(axis=0)
        if (further == reached).all():
            break
        reached = further
    closed = [name for name, ok in zip(holdings.companies, reached, strict=True) if not ok]
    if closed:
        raise OwnershipError(
            Problem(
                "companies that hold each other entirely have no outside owner, so (I - D) cannot be inverted",
                where=f"stakes on {holdings.date}",
                seen=", ".join(closed),
                wanted="some outside owner or float at the end of every chain",
                next_step="check the stakes among these companies",
            )
        )
