"""Shadow prices that clear pools' balances: one complementarity problem above all markets ([10]).

For each pool: price zero and balance at or below zero, or price at the fine and balance at or above zero, or balance zero in between.
Balances fall in the pool's own price and hardly move with others', so the search is a projected Newton iteration whose Jacobian starts as secant
slopes and is kept up by Broyden's rank-one updates; each evaluation (all markets) is used for all pools at once. Should it not settle, pools are
bracketed one after the other (Gauss-Seidel), and the result says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from keiretsu.errors import NotSettled

SLOW = 0.1  # share of a violation that a step may leave before known slopes are asked for anew

Balance: TypeAlias = Callable[[np.ndarray], np.ndarray]

Status: TypeAlias = Literal["slack", "binding", "fined"]


class PoolsNotSettled(NotSettled):
    """Shadow prices of pools did not reach complementary slackness."""


@dataclass(frozen=True)
class ClearingOptions:
    """`tolerance` is the balance counted as zero, in units of burden, (P,) or one number; the limits count evaluations of all markets."""

    tolerance: float | np.ndarray
    limit: int = 30
    bracket_limit: int = 400


@dataclass(frozen=True)
class Cleared:
    """Shadow prices (P,) EUR per unit of burden, balances there, each pool's status, evaluations of all markets, and the method that ended."""

    price: np.ndarray
    balance: np.ndarray
    status: tuple[Status, ...]
    evaluations: int
    method: Literal["none needed", "newton", "bracketed"]


def clear_pools(balance: Balance, cap: np.ndarray, start: np.ndarray, options: ClearingOptions, where: str) -> Cleared:
    """Shadow prices at which every pool's balance and price are complementary.

    Parameters
    ----------
    balance
        Balances (P,) of all markets solved at given shadow prices (P,).
    cap
        Fines: ceilings of the prices. (P,)
    start
        Prices to start from, between zero and the fine; zeros when nothing is known. (P,)

    Raises
    ------
    PoolsNotSettled
        When neither method settles.
    """
    return _clear(balance, _secant_slopes, cap, start, options, where)


def clear_smooth_pools(
    balance: Balance, slopes: Callable[[], np.ndarray], cap: np.ndarray, start: np.ndarray, options: ClearingOptions, where: str
) -> Cleared:
    """As `clear_pools`, for balances whose slopes ``d balance / d price`` (P, P) at the last evaluation are known, if only roughly.

    Only how fast it settles hangs on them: they are corrected as it goes, and asked for anew where that is not enough.
    """

    def at(now: np.ndarray, cap: np.ndarray, tolerance: np.ndarray) -> np.ndarray:
        jacobian = np.array(slopes(), float)
        own = np.diag(jacobian)
        np.fill_diagonal(jacobian, np.where(own < 0, own, _to_the_fine(now, cap, tolerance)))
        return jacobian

    def known(count: _Counted, price: np.ndarray, now: np.ndarray, cap: np.ndarray, tolerance: np.ndarray) -> _Begun:
        return price, now, at(now, cap, tolerance), at

    return _clear(balance, known, cap, start, options, where)


_Anew: TypeAlias = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # slopes from balances, ceilings and tolerances
_Begun: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray, _Anew | None]  # prices, balances there, slopes, and how to have them anew
_Begin: TypeAlias = Callable[["_Counted", np.ndarray, np.ndarray, np.ndarray, np.ndarray], _Begun]


def _clear(balance: Balance, begin: _Begin, cap: np.ndarray, start: np.ndarray, options: ClearingOptions, where: str) -> Cleared:
    count = _Counted(balance)
    tolerance = np.broadcast_to(np.asarray(options.tolerance, float), cap.shape)
    price = np.clip(np.asarray(start, float), 0.0, cap)
    now = count(price)
    if _worst(price, now, cap, tolerance) <= 1:
        return _done(price, now, cap, tolerance, count.number, "none needed")
    found = _newton(count, price, now, cap, tolerance, options.limit, begin)
    if found is not None:
        return _done(*found, cap, tolerance, count.number, "newton")
    found = _bracketed(count, cap, tolerance, options.bracket_limit)
    if found is not None:
        return _done(*found, cap, tolerance, count.number, "bracketed")
    price, now = count.last
    worst = int(np.argmax(_violation(price, now, cap) / tolerance))
    raise PoolsNotSettled(
        "shadow prices of pools",
        where=f"{where}, pool {worst}",
        residual=float(_violation(price, now, cap)[worst]),
        unit="units of burden",
        iterations=count.number,
        next_step="start from other shadow prices or raise the limits of ClearingOptions",
    )


class _Counted:
    def __init__(self, balance: Balance) -> None:
        self.balance, self.number = balance, 0
        self.last: tuple[np.ndarray, np.ndarray] = (np.zeros(0), np.zeros(0))

    def __call__(self, price: np.ndarray) -> np.ndarray:
        self.number += 1
        self.last = (price.copy(), np.asarray(self.balance(price), float))
        return self.last[1]


def _violation(price: np.ndarray, balance: np.ndarray, cap: np.ndarray) -> np.ndarray:
    """Balance that complementary slackness does not allow, in units of burden. (P,)"""
    not_zero = np.where(price <= 0, np.maximum(balance, 0.0), np.abs(balance))
    return np.where(price >= cap, np.maximum(-balance, 0.0), not_zero)


def _worst(price: np.ndarray, balance: np.ndarray, cap: np.ndarray, tolerance: np.ndarray) -> float:
    return float((_violation(price, balance, cap) / tolerance).max(initial=0.0))


def _newton(
    count: _Counted, price: np.ndarray, now: np.ndarray, cap: np.ndarray, tolerance: np.ndarray, limit: int, begin: _Begin
) -> tuple[np.ndarray, np.ndarray] | None:
    price, now, jacobian, anew = begin(count, price, now, cap, tolerance)
    before = np.inf
    for _ in range(limit):
        worst = _worst(price, now, cap, tolerance)
        if worst <= 1:
            return price, now
        if anew is not None and worst > SLOW * before:
            jacobian = anew(now, cap, tolerance)
        before = worst
        step = _projected_step(price, now, cap, jacobian)
        if not np.any(step):
            return None
        after = count(price + step)
        change = after - now
        jacobian = jacobian + np.outer(change - jacobian @ step, step) / (step @ step)
        price, now = price + step, after
    return None


def _secant_slopes(count: _Counted, price: np.ndarray, now: np.ndarray, cap: np.ndarray, tolerance: np.ndarray) -> _Begun:
    """A first step for all pools at once, and the slopes in each pool's own price that it shows."""
    first = np.where(now > 0, np.minimum(price + 0.25 * cap, cap), np.maximum(price - 0.25 * cap, 0.0))
    first = np.where(_violation(price, now, cap) > tolerance, first, price)
    then = count(first)
    moved = first - price
    guess = _to_the_fine(now, cap, tolerance)
    slope = np.where(np.abs(moved) > 0, (then - now) / np.where(np.abs(moved) > 0, moved, 1.0), guess)
    return first, then, np.diag(np.where(slope < 0, slope, guess)), None


def _to_the_fine(now: np.ndarray, cap: np.ndarray, tolerance: np.ndarray) -> np.ndarray:
    """Slopes with which the fine is just needed: for pools whose balance is not seen to fall in their price. (P,)"""
    return -np.maximum(np.abs(now), tolerance) / cap


def _projected_step(price: np.ndarray, now: np.ndarray, cap: np.ndarray, jacobian: np.ndarray) -> np.ndarray:
    """Step to the zero of the linear model with prices kept between zero and the fine; those at an end that want beyond it stay."""
    fixed = ((price <= 0) & (now <= 0)) | ((price >= cap) & (now >= 0))
    step = np.zeros_like(price)
    for _ in range(price.size + 1):
        free = ~fixed
        if not free.any():
            break
        right = -now[free] - jacobian[np.ix_(free, fixed)] @ step[fixed]
        step[free] = np.linalg.lstsq(jacobian[np.ix_(free, free)], right, rcond=None)[0]
        beyond = free & ((price + step < 0) | (price + step > cap))
        if not beyond.any():
            break
        step = np.where(beyond, np.clip(price + step, 0, cap) - price, step)
        fixed = fixed | beyond
    return step


def _bracketed(count: _Counted, cap: np.ndarray, tolerance: np.ndarray, limit: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Each pool's price by bisection with the others' given, over and over until none moves."""
    price = np.zeros_like(cap)
    while count.number < limit:
        now = count(price)
        if _worst(price, now, cap, tolerance) <= 1:
            return price, now
        for p in np.flatnonzero(_violation(price, now, cap) > tolerance):
            low, high = 0.0, float(cap[p])
            for _ in range(60):
                middle = high if low == 0.0 and high == cap[p] else (low + high) / 2
                price[p] = middle
                value = count(price)[p]
                if abs(value) <= tolerance[p] / 2 or (middle == cap[p] and value > 0) or count.number >= limit:
                    break
                if middle == cap[p]:  # the fine is too much: look below it
                    high = float(np.nextafter(cap[p], 0.0))
                elif value > 0:
                    low = middle
                else:
                    high = middle
    return None


def _done(
    price: np.ndarray,
    balance: np.ndarray,
    cap: np.ndarray,
    tolerance: np.ndarray,
    evaluations: int,
    method: Literal["none needed", "newton", "bracketed"],
) -> Cleared:
    status: list[Status] = [
        "slack" if p <= 0 and b <= t else "fined" if p >= c and b >= -t else "binding"
        for p, b, c, t in zip(price, balance, cap, tolerance, strict=True)
    ]
    return Cleared(price, balance, tuple(status), evaluations, method)
