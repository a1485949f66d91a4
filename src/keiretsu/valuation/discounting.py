"""Values of yearly flows on a day: what is left of the running year counts, each year's money comes in its middle ([14])."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from keiretsu.errors import Problem, ValuationError
from keiretsu.typing import Vector


@dataclass(frozen=True, eq=False)
class Clock:
    """Where the years stand as seen from a day.

    Attributes
    ----------
    now
        The day of valuation as a decimal year.
    part
        Part of each year that is still ahead: 0 for years that are over, 1 for years to come. (T,)
    middle, end
        Years from now to the middle of what is left of each year, and to its end. (T,)
    """

    now: float
    part: Vector
    middle: Vector
    end: Vector


def clock(years: np.ndarray, now: float) -> Clock:
    """The clock of a day.

    Raises
    ------
    ValuationError
        When no simulated year ends after the day, or the first one begins after the day's year, so that flows would be missing.
    """
    part = np.clip(years + 1.0 - now, 0.0, 1.0)
    if not (part > 0).any() or years[0] > np.floor(now):
        first, following = (dt.date(int(now) + k, 1, 1) for k in (0, 1))
        day = first + round((now - int(now)) * (following - first).days) * dt.timedelta(days=1)
        cure = f"as_of in case.toml, or year: the base year, {years[0] - 1}, is observed and not simulated, so what is left of it has no cash flow"
        raise ValuationError(
            Problem("the day of valuation is outside the years simulated", "valuation", f"{day}", f"a day of {years[0]} to {years[-1]}", cure)
        )
    end = np.maximum(years + 1.0 - now, 0.0)
    return Clock(now, part, np.maximum(end - part / 2, 0.0), end)


def value_of_flows(flows: np.ndarray, rate: float, time: Clock) -> np.ndarray:
    """Value now of yearly flows (..., T)."""
    return flows @ (time.part * (1 + rate) ** -time.middle)


def value_of_flows_between(flows: np.ndarray, rate: float, now: Clock, later: Clock) -> np.ndarray:
    """Value now of that part of yearly flows (..., T) that comes before a later day, each year's in the middle of it."""
    part = now.part - later.part
    return flows @ (part * (1 + rate) ** -(now.end - later.part - part / 2))


def value_of_growth(steady: np.ndarray, rate: float, growth: float, time: Clock) -> np.ndarray:
    """Value now of a flow that is `steady` in the year after the last one and grows from there, each year's money in its middle."""
    return steady / (rate - growth) * (1 + rate) ** 0.5 * (1 + rate) ** -time.end[-1]


def value_of_exit(ebitda: np.ndarray, multiple: float, rate: float, time: Clock) -> np.ndarray:
    """Value now of selling the company at the end of the last year for a multiple of that year's ebitda."""
    return multiple * ebitda * (1 + rate) ** -time.end[-1]
