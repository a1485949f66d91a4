"""Concentration of a market when owners overlap: HHI, MHHI and what ownership adds to it.

With shares of one, the modified index of Bresnahan & Salop (1986) and O'Brien & Salop (2000) is ``10^4 sum_f sum_g kappa[f, g] s_f s_g``; its part off the
diagonal, the MHHI delta, is what overlapping ownership adds to the HHI of firms. Shares are of units or of revenue; the basis is
part of every result, since the two differ.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from keiretsu.errors import OwnershipError, Problem
from keiretsu.ownership.holdings import SHARE_TOLERANCE
from keiretsu.typing import Matrix, Vector

Basis = Literal["units", "revenue"]
POINTS = 10_000.0  # a monopoly's HHI


@dataclass(frozen=True)
class Concentration:
    """Indices in points (0 to 10,000; an MHHI may be higher, since weights may be above one), with the basis of the shares."""

    basis: Basis
    hhi: float
    mhhi_delta: float

    @property
    def mhhi(self) -> float:
        """HHI of firms plus what overlapping ownership adds."""
        return self.hhi + self.mhhi_delta


def concentration(sales: Vector, kappa: Matrix, basis: Basis) -> Concentration:
    """Indices of a market from sales by firm (F,), in units or revenue as `basis` says, and profit weights (F, F).

    Raises
    ------
    OwnershipError
        Negative sales, nothing sold, a kappa of another shape or without a diagonal of one, an unknown basis.
    """
    if basis not in get_args(Basis):
        raise OwnershipError(Problem("no such basis of shares", "concentration", repr(basis), "units or revenue"))
    share = shares_of(sales)
    return Concentration(basis, hhi(share), mhhi_delta(share, kappa))


def shares_of(sales: Vector) -> Vector:
    """Parts of all sales; same shape.

    Raises
    ------
    OwnershipError
        Negative sales, or nothing sold.
    """
    values = np.asarray(sales, dtype=float)
    if not (np.isfinite(values).all() and (values >= 0).all() and values.sum() > 0):
        raise OwnershipError(Problem("sales that make no shares", "concentration", str(values), "numbers of zero or more, not all zero"))
    return values / values.sum()


def by_owner(values: Vector, owner: Sequence[Hashable]) -> tuple[tuple[Hashable, ...], Vector]:
    """Add up values of products (J,) by owner label; labels in order of first appearance."""
    labels = tuple(dict.fromkeys(owner))
    if len(owner) != len(values):
        raise OwnershipError(Problem("one owner for each product", "concentration", f"{len(owner)} owners, {len(values)} products"))
    return labels, np.array([sum(v for v, o in zip(values, owner, strict=True) if o == label) for label in labels], dtype=float)


def hhi(share: Vector) -> float:
    """Herfindahl-Hirschman index in points of shares by firm (parts of one; they may leave out an outside good). (F,)"""
    return float(POINTS * np.square(_checked(share)).sum())


def concentration_ratio(share: Vector, n_largest: int) -> float:
    """Part of the market that the largest firms have together, a part of one (CR4 with four)."""
    if n_largest < 1:
        raise OwnershipError(Problem("no firms to add up", "concentration ratio", str(n_largest), "one or more"))
    return float(np.sort(_checked(share))[-n_largest:].sum())


def mhhi_delta(share: Vector, kappa: Matrix) -> float:
    """What profit weights on others add to the HHI: ``10^4 sum_{f != g} kappa[f, g] s_f s_g`` in points. (F,), (F, F)"""
    share = _checked(share)
    kappa = np.asarray(kappa, dtype=float)
    if kappa.shape != (len(share), len(share)) or not np.allclose(np.diag(kappa), 1.0, rtol=0, atol=SHARE_TOLERANCE):
        raise OwnershipError(Problem("profit weights do not fit the shares", "MHHI", f"shape {kappa.shape}", "(F, F) with ones on the diagonal"))
    return float(POINTS * (share @ (kappa - np.diag(np.diag(kappa))) @ share))


def mhhi(share: Vector, kappa: Matrix) -> float:
    """Modified HHI in points: `hhi` plus `mhhi_delta`."""
    return hhi(share) + mhhi_delta(share, kappa)


def weights_from_control(control: Matrix, ownership: Matrix) -> Matrix:
    """O'Brien-Salop weights of typed-in control and cash-flow shares: ``kappa[f, g] = sum_o control[o, f] ownership[o, g] / (same at g = f)``.

    Both (O, F); rows are owners, or products of owners as in the matrices of R's `antitrust`. That package's ``HHI(shares, owner, control)``
    divides by the diagonal of the *other* firm, which is ``mhhi(share, weights_from_control(owner, control))`` here, the two matrices swapped.

    Raises
    ------
    OwnershipError
        Shapes that differ, or a firm whose controllers hold none of it.
    """
    control, ownership = np.asarray(control, dtype=float), np.asarray(ownership, dtype=float)
    if control.shape != ownership.shape or control.ndim != 2:
        raise OwnershipError(
            Problem("control and ownership differ in shape", "O'Brien-Salop weights", f"{control.shape} and {ownership.shape}", "(O, F)")
        )
    weights = control.T @ ownership
    own = np.diag(weights)
    empty = [str(i) for i, value in enumerate(own) if not value > 0]
    if empty:
        raise OwnershipError(
            Problem("those who control a firm hold none of it", "O'Brien-Salop weights", f"firm {', '.join(empty)}", "a share above zero")
        )
    return weights / own[:, None]


def _checked(share: Vector) -> Vector:
    values = np.asarray(share, dtype=float)
    if values.ndim != 1 or not np.isfinite(values).all() or (values < 0).any() or values.sum() > 1 + 1e-9:
        raise OwnershipError(
            Problem("not market shares", "concentration", str(values), "one part of one for each firm, together at most one", "see `shares_of`")
        )
    return values
