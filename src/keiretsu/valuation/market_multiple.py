"""What the stock market pays for one euro of revenue of an electric-car maker, as a mean-reverting diffusion ([16]).

The logarithm goes back to its long-run level at a yearly pace: ``dx = kappa (theta - x) dt + sigma dW``. For pricing, the drift is lowered by the price of
risk times volatility, and money is discounted at the risk-free rate; for saying how likely something is, the drift stays as it is. Steps are exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from keiretsu.typing import Matrix, Vector


@dataclass(frozen=True)
class MarketMultiple:
    """Enterprise value for one euro of revenue.

    Attributes
    ----------
    now, mean
        Multiple on the first day, and the median it goes back to.
    reversion, volatility
        Pace of return (a year; 0 for none) and volatility of the logarithm (a year).
    price_of_risk
        Excess return that one unit of volatility earns; 0 for the real world.
    """

    now: float
    mean: float
    reversion: float
    volatility: float
    price_of_risk: float

    def real_world(self) -> MarketMultiple:
        """The same without the price of risk."""
        return MarketMultiple(self.now, self.mean, self.reversion, self.volatility, 0.0)

    def centre(self, log_multiple: Vector, years: float) -> Vector:
        """Mean of the logarithm some years later, from each starting point, under the drift used for pricing."""
        lowered = self.price_of_risk * self.volatility
        if self.reversion == 0:
            return log_multiple - lowered * years
        level = math.log(self.mean) - lowered / self.reversion
        return level + (log_multiple - level) * math.exp(-self.reversion * years)

    def deviation(self, years: float) -> float:
        """Standard deviation of the logarithm some years later."""
        if self.reversion == 0:
            return self.volatility * math.sqrt(years)
        return self.volatility * math.sqrt(-math.expm1(-2 * self.reversion * years) / (2 * self.reversion))

    def expected(self, multiple: np.ndarray, years: float) -> np.ndarray:
        """Mean of the multiple some years later, from each starting point."""
        return np.exp(self.centre(np.log(multiple), years) + self.deviation(years) ** 2 / 2)

    def paths(self, shocks: Matrix, start: float) -> Matrix:
        """Multiples at yearly dates, the first being `start`; standard normal shocks (N, T - 1). (N, T)"""
        logs = np.empty((len(shocks), shocks.shape[1] + 1))
        logs[:, 0] = math.log(start)
        for t in range(shocks.shape[1]):
            logs[:, t + 1] = self.centre(logs[:, t], 1.0) + self.deviation(1.0) * shocks[:, t]
        return np.exp(logs)
