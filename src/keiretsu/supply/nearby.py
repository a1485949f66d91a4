"""Prices of one market from prices that are not far off: Newton steps in NumPy, nothing compiled ([8]).

The slopes of `keiretsu.supply.slopes` are exact, so a few looks at the market settle it; slopes are kept from one solution to the next, for sides of a threshold or
shadow costs change them little, and are corrected by Broyden's updates in between. Whatever starts too far off for that is left to `keiretsu.supply.pricing`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keiretsu.numerics.host import host
from keiretsu.supply.packed import Look, Packed, Terms
from keiretsu.supply.pricing import Pricing, PricingOptions
from keiretsu.supply.slopes import by_cost, of_residuals

LOOKS = 16  # looks at a market before it is given up
GROWTH = 100.0  # times that the largest residual may grow in one step
SLOW = 0.08  # share of a residual that a step may leave before slopes are worked out anew, at most once a look
ROUGH = 1e-4  # share of the mean price: residuals above it are looked at in single precision, whose rounding is a hundredth of that
FINE = 3e-8  # share of the mean price: residuals below it are left to Broyden's updates


@dataclass(frozen=True)
class Settled:
    """A market whose first-order conditions hold, and the looks that took."""

    look: Look
    looks: int


class Nearby:
    """A packed market that remembers its slopes, and how prices answer to costs once that was asked for."""

    def __init__(self, packed: Packed) -> None:
        self.packed = packed
        self._slopes: np.ndarray | None = None
        self._inverse: tuple[bytes, np.ndarray] | None = None  # of the slopes among the prices set, and which these are
        self._through: np.ndarray | None = None

    @property
    def slopes(self) -> np.ndarray | None:
        """Slopes of residuals where they were last worked out, (n, n), packed; None where they never were."""
        return self._slopes

    def with_others_still(self) -> Nearby:
        """The same market and slopes, for other prices set: what is known of answers to costs does not carry over."""
        other = Nearby(self.packed)
        other._slopes = self._slopes
        return other

    def settle(self, terms: Terms, start: np.ndarray, chosen: np.ndarray, options: PricingOptions) -> Settled | None:
        """Prices from `start` (J,), EUR, where `chosen` (J,) are set; None when they do not settle from there.

        Slopes kept from too different a market, or sales so small that single precision cannot tell them, may lead astray: then once more without either.
        """
        found = self._settle(terms, start, chosen, options, rough=True)
        if found is None:
            self._slopes = self._inverse = None
            found = self._settle(terms, start, chosen, options, rough=False)
        return found

    def _settle(self, terms: Terms, start: np.ndarray, chosen: np.ndarray, options: PricingOptions, rough: bool) -> Settled | None:
        if not (self.packed.usual and (terms.keep > 0).all() and np.isfinite(terms.cost).all()):
            return None
        price, mine = np.array(np.asarray(start, float)[self.packed.order]), np.flatnonzero(np.asarray(chosen)[self.packed.order])
        scale = max(float(np.abs(price).mean()), float(np.abs(terms.cost).mean()))
        tolerance = min(options.tolerance_eur, options.relative * scale) if scale > 0 else options.tolerance_eur
        inverse, before, step, last = None, np.inf, np.zeros(mine.size), np.zeros(mine.size)
        for looks in range(1, LOOKS + 1):
            look = self._look(terms, price, rough)
            residual = look.residual[mine].astype(float)
            size = float(np.abs(residual).max(initial=0.0))
            if size <= tolerance and not rough:
                return Settled(look, looks)
            if not size < GROWTH * before:
                return None
            if rough and size < ROUGH * scale and looks == 1:  # as good as single precision can say: no step by its rounding
                rough = False
                continue
            if inverse is None or (size > SLOW * before and size > FINE * scale):
                inverse = self._inverse_at(look, mine, inverse is not None)
            else:
                change = inverse @ (residual - last)
                inverse += np.outer(step - change, (step @ inverse) / (step @ change))
            step = -inverse @ residual
            price[mine] += step
            before, last, rough = size, residual, rough and size > ROUGH * scale
        return None

    def _look(self, terms: Terms, price: np.ndarray, rough: bool) -> Look:
        with np.errstate(all="ignore"):  # what no float can hold gives a residual that is not a number, which is no solution
            return Look(self.packed.single, terms.single, price.astype(np.float32)) if rough else Look(self.packed, terms, price)

    def _inverse_at(self, look: Look, mine: np.ndarray, anew: bool) -> np.ndarray:
        which = mine.tobytes()
        if self._slopes is None or anew:
            self._slopes = of_residuals(look)
        elif self._inverse is not None and self._inverse[0] == which:
            return self._inverse[1]
        self._inverse = which, np.linalg.inv(self._slopes[np.ix_(mine, mine)])
        return self._inverse[1]

    def passed_through(self, look: Look, chosen: np.ndarray) -> np.ndarray:
        """``d price_j / d cost_k`` at solved prices, everybody's answers to everybody included; zero where prices are not `chosen` (J,). (n, n), packed"""
        mine = np.flatnonzero(np.asarray(chosen)[self.packed.order])
        self._slopes, self._inverse = of_residuals(look), None
        inverse = self._inverse_at(look, mine, False)
        self._through = np.zeros(self._slopes.shape)
        self._through[mine] = -inverse @ by_cost(look)[mine]
        return self._through

    def expected(self, price: np.ndarray, dearer: np.ndarray) -> np.ndarray | None:
        """Prices (J,), EUR, when cars come to cost `dearer` (J,) more; None where it is not known how prices answer."""
        if self._through is None:
            return None
        found = np.array(price, float)
        found[self.packed.order] += self._through @ dearer[self.packed.order]
        return found

    def learn(self, moved: np.ndarray, dearer: np.ndarray) -> None:
        """Correct how prices answer by how they did: they `moved` (J,) when cars came to cost `dearer` (J,) more, both in EUR."""
        by = dearer[self.packed.order]
        if self._through is not None and by.any():
            self._through += np.outer(moved[self.packed.order] - self._through @ by, by) / (by @ by)


def pricing_of(found: Settled, packed: Packed, start: np.ndarray, chosen: np.ndarray) -> Pricing:
    """The record that `keiretsu.supply.pricing` would give; prices not on sale stay at `start`."""
    zero = np.zeros(packed.size)
    residual = packed.spread(np.where(np.asarray(chosen)[packed.order], found.look.residual, 0.0), zero)
    return Pricing(
        host(packed.spread(found.look.price, start)), host(packed.spread(found.look.share, zero)), host(residual),
        host(found.looks), host(0), host(0), host(True),
    )  # fmt: skip
