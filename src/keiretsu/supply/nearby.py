"""Prices of one market from prices that are not far off: Newton steps in NumPy, nothing compiled ([8]).

The slopes of `keiretsu.supply.slopes` are exact, so a few looks at the market settle it; slopes are kept from one solution to the next, for sides of a threshold or
shadow costs change them little, and are corrected by Broyden's updates in between. Whatever starts too far off for that is left to `keiretsu.supply.pricing`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keiretsu.demand.tastes import Tastes
from keiretsu.numerics.host import host
from keiretsu.supply.packed import Look, Packed, Terms
from keiretsu.supply.pricing import Pricing, PricingOptions
from keiretsu.supply.slopes import of_residuals
from keiretsu.supply.weights import ProfitWeights

LOOKS = 16  # looks at a market before it is given up
GROWTH = 4.0  # times that the largest residual may grow in one step
SLOW = 0.03  # share of a residual that a step may leave before slopes are worked out anew, at most once a look
FINE_EUR = 1e-3  # residuals below this are left to Broyden's updates


@dataclass(frozen=True)
class Settled:
    """A market whose first-order conditions hold, and the looks that took."""

    look: Look
    looks: int


class Nearby:
    """A market that remembers its slopes. `usual` as in `Packed`."""

    def __init__(self, tastes: Tastes, weights: ProfitWeights) -> None:
        self.packed = Packed(tastes, weights)
        self.usual = self.packed.usual
        self._slopes: np.ndarray | None = None

    def settle(self, terms: Terms, start: np.ndarray, chosen: np.ndarray, options: PricingOptions) -> Settled | None:
        """Prices from `start` (J,), EUR, where `chosen` (J,) are set; None when they do not settle from there."""
        if not (self.usual and (terms.keep > 0).all() and np.isfinite(terms.cost).all()):
            return None
        price, mine = np.array(np.asarray(start, float)[self.packed.order]), np.flatnonzero(np.asarray(chosen)[self.packed.order])
        tolerance = tolerance_eur(terms, price, options)
        inverse, before, step, last = None, np.inf, np.zeros(mine.size), np.zeros(mine.size)
        for looks in range(1, LOOKS + 1):
            look = Look(self.packed, terms, price)
            residual = look.residual[mine]
            size = float(np.abs(residual).max(initial=0.0))
            if size <= tolerance:
                return Settled(look, looks)
            if not size < GROWTH * before:
                return None
            if inverse is None or (size > SLOW * before and size > FINE_EUR):
                inverse = self._inverse(look, mine, inverse is not None)
            else:
                change = inverse @ (residual - last)
                inverse += np.outer(step - change, (step @ inverse) / (step @ change))
            step = -inverse @ residual
            price[mine] += step
            before, last = size, residual
        return None

    def _inverse(self, look: Look, mine: np.ndarray, anew: bool) -> np.ndarray:
        if self._slopes is None or anew:
            self._slopes = of_residuals(look)
        return np.linalg.inv(self._slopes[np.ix_(mine, mine)])


def tolerance_eur(terms: Terms, price: np.ndarray, options: PricingOptions) -> float:
    """The largest residual allowed: `PricingOptions.tolerance_eur`, or `relative` times the mean price or cost, whichever is larger, where that is less."""
    scale = max(float(np.abs(price).mean()), float(np.abs(terms.cost).mean()))
    return min(options.tolerance_eur, options.relative * scale) if scale > 0 else options.tolerance_eur


def pricing_of(found: Settled, packed: Packed, start: np.ndarray, chosen: np.ndarray) -> Pricing:
    """The record that `keiretsu.supply.pricing` would give; prices not on sale stay at `start`."""
    zero = np.zeros(packed.size)
    residual = packed.spread(np.where(np.asarray(chosen)[packed.order], found.look.residual, 0.0), zero)
    return Pricing(
        host(packed.spread(found.look.price, start)), host(packed.spread(found.look.share, zero)), host(residual),
        host(found.looks), host(0), host(0), host(True),
    )  # fmt: skip
