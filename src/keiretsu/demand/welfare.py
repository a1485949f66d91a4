"""What choices are worth to those who choose, in money ([4]; Small & Rosen 1981).

A draw's surplus is its expected utility over its own price taste, ``inclusive_i / alpha_i``. Price taste differs among draws, so
every draw is converted before anything is added up. With an outside good the level is measured against buying nothing; without one
utility has no zero, and only differences between two situations are defined.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keiretsu.demand.choice import choose
from keiretsu.demand.tastes import Tastes
from keiretsu.errors import DemandError, Problem
from keiretsu.typing import BroadcastToDraws, Vector


@dataclass(frozen=True)
class Surplus:
    """Money a year (or of a change).

    Attributes
    ----------
    total
        Of the whole market.
    by_cell
        By income group (row) and kind of buyer (column); adds up to `total`. (groups, kinds)
    """

    total: float
    by_cell: np.ndarray

    @property
    def by_group(self) -> Vector:
        """By income group. (groups,)"""
        return self.by_cell.sum(axis=1)

    @property
    def by_kind(self) -> Vector:
        """By kind of buyer. (kinds,)"""
        return self.by_cell.sum(axis=0)


@dataclass(frozen=True)
class Cells:
    """Income group and kind of buyer of each draw, as in `ConsumerDraws`, and how many of each there are."""

    group: np.ndarray
    kind: np.ndarray
    groups: int
    kinds: int


def surplus(tastes: Tastes, paid: BroadcastToDraws, potential: float, cells: Cells) -> Surplus:
    """Consumer surplus of one market against buying nothing.

    Parameters
    ----------
    paid
        What buyers pay, (J, I) or (J, 1).
    potential
        Buyers a year the draws stand for.

    Raises
    ------
    DemandError
        Without an outside good, where the level is not defined.
    """
    if not tastes.outside:
        next_step = "use surplus_change between two situations"
        raise DemandError(Problem("without an outside good surplus has no level", "consumer surplus", "outside=False", "a comparison", next_step))
    return _added_up(_money_worth(tastes, paid), tastes, potential, cells)


def surplus_change(
    before: Tastes, paid_before: BroadcastToDraws, after: Tastes, paid_after: BroadcastToDraws, potential: float, cells: Cells
) -> Surplus:
    """Change of consumer surplus between two situations of the same consumers; defined with and without an outside good.

    Without one, delta of both situations must be on the same scale (not re-normalised in between).

    Raises
    ------
    DemandError
        When the two situations have different consumers.
    """
    alike = before.outside == after.outside and before.alpha.shape == after.alpha.shape
    if not (alike and np.array_equal(before.alpha, after.alpha) and np.array_equal(before.weight, after.weight)):
        raise DemandError(
            Problem("the two situations have different consumers", "consumer surplus", wanted="the same draws, weights and price tastes")
        )
    return _added_up(_money_worth(after, paid_after) - _money_worth(before, paid_before), before, potential, cells)


def _money_worth(tastes: Tastes, paid: BroadcastToDraws) -> Vector:
    return np.asarray(choose(tastes, paid).inclusive / tastes.alpha)


def _added_up(worth: Vector, tastes: Tastes, potential: float, cells: Cells) -> Surplus:
    by_cell = np.zeros((cells.groups, cells.kinds))
    np.add.at(by_cell, (cells.group, cells.kind), potential * np.asarray(tastes.weight) * worth)
    return Surplus(float(by_cell.sum()), by_cell)
