"""Present value and internal rate of return of dated flows, with the traps of the latter named instead of hidden.

With y = ln(1 + rate) the present value is a sum of exponentials, ``f(y) = sum_k c_k exp(-y t_k)``. Descartes' rule holds for it: it has
at most as many roots as its coefficients, in the order of time, change sign. One change of sign means exactly one rate. None means that no
rate exists. More than one means that there may be none, one or several, and then no single number says what the money earned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from keiretsu.errors import NoRateOfReturn, Problem
from keiretsu.typing import Vector

RateStatus = Literal["one rate", "all lost", "no change of sign", "several changes of sign"]

# ln(1 + rate) is looked for between these: -99.99 % and about 1,000,000 % a year.
LOWEST, HIGHEST = -9.2, 9.2
HALVINGS = 60  # width 18.4 / 2^60 = 1.6e-17: below rounding


@dataclass(frozen=True, eq=False)
class Rates:
    """Internal rates of many streams of flows.

    Attributes
    ----------
    rate
        Yearly rate where `status` is "one rate"; -1 where all was lost. Meaningless elsewhere: `usable` says where. (N,)
    status
        Why a stream has the rate it has, or none. (N,) of str
    """

    rate: Vector
    status: np.ndarray

    @property
    def usable(self) -> np.ndarray:
        """Streams that have a rate: one rate, or everything lost. (N,) of bool"""
        return (self.status == "one rate") | (self.status == "all lost")


def present_value(rate: float, flows: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Value at time zero of flows (..., T) at times (T,), in years, at a yearly rate."""
    return np.asarray(flows, dtype=float) @ (1.0 + rate) ** -np.asarray(times, dtype=float)


def internal_rate(flows: np.ndarray, times: np.ndarray) -> float:
    """The one rate at which flows (T,) at times (T,) are worth nothing.

    Raises
    ------
    NoRateOfReturn
        When the flows change sign never or more than once, so that no single rate is defined, or when the rate is out of all bounds.
    """
    found = internal_rates(np.asarray(flows, dtype=float)[None, :], times)
    if found.status[0] != "one rate":
        seen = ", ".join(f"{flow:,.4g} at {time:g}" for flow, time in zip(flows, times, strict=True))
        raise NoRateOfReturn(
            Problem(
                f"no internal rate of return: {found.status[0]}",
                "flows",
                seen,
                "payments first and receipts after, one change of sign",
                "look at the net present value and the multiple of money",
            )
        )
    return float(found.rate[0])


def internal_rates(flows: np.ndarray, times: np.ndarray) -> Rates:
    """Internal rates of N streams, flows (N, T) at common times (T,) in rising order. Nothing raises: the status says what was found."""
    flows, times = np.atleast_2d(np.asarray(flows, dtype=float)), np.asarray(times, dtype=float)
    if flows.shape[1] != len(times) or np.any(np.diff(times) < 0):
        raise NoRateOfReturn(
            Problem("flows and times do not match", "flows", f"{flows.shape[1]} flows, {len(times)} times", "as many, times in rising order")
        )
    changes = sign_changes(flows)
    paid, got = (flows < 0).any(axis=1), (flows > 0).any(axis=1)
    status = np.full(len(flows), "several changes of sign", dtype=object)
    status[changes == 1] = "one rate"
    status[changes == 0] = "no change of sign"
    status[paid & ~got] = "all lost"
    rate = np.where(status == "all lost", -1.0, 0.0)
    chosen = np.flatnonzero(changes == 1)
    if len(chosen):
        roots, inside = _bisect(flows[chosen], times - times[0])
        rate[chosen] = np.expm1(roots)
        status[chosen[~inside]] = "no change of sign"  # the root lies beyond any rate one could mean
    return Rates(rate, status)


def sign_changes(flows: np.ndarray) -> np.ndarray:
    """How often each stream (N, T) changes sign, zeros left out. (N,) of int"""
    signs = np.sign(np.atleast_2d(flows))
    changes = np.zeros(len(signs), dtype=int)
    last = np.zeros(len(signs))
    for column in signs.T:
        changes += (column != 0) & (last != 0) & (column != last)
        last = np.where(column != 0, column, last)
    return changes


def _bisect(flows: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    def value(y: np.ndarray) -> np.ndarray:
        return (flows * np.exp(-y[:, None] * times[None, :])).sum(axis=1)

    low, high = np.full(len(flows), LOWEST), np.full(len(flows), HIGHEST)
    at_low, at_high = np.sign(value(low)), np.sign(value(high))
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        left = np.sign(value(middle)) == at_low
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    return 0.5 * (low + high), at_low != at_high
