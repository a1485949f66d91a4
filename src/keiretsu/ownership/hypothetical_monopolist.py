"""Is a set of products a market? The hypothetical monopolist (SSNIP) test.

One firm that sold all products of the set, prices of all others as today: would it raise prices by a small but significant amount? Two readings
are in use and kept apart: would a *uniform* rise of that size pay (`profit_change`), and would the *best* prices be that much higher (`best_prices`).
Demand comes as functions of all prices; `linear_demand`, `constant_elasticity_demand` and `logit_demand` make them from what is known today.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import root

from keiretsu.errors import NotSettled, OwnershipError, Problem
from keiretsu.typing import Matrix, Vector

SMALL_BUT_SIGNIFICANT = 0.05
RESIDUAL_TOLERANCE = 1e-6  # of the largest price in the set: a cent on a car of EUR 10,000


@dataclass(frozen=True, eq=False)
class Demand:
    """Demand as functions of all prices (J,).

    `quantity(price)` gives (J,); `slopes(price)` gives ``[k, j] = dq_k / dp_j``, (J, J).
    """

    quantity: Callable[[Vector], Vector]
    slopes: Callable[[Vector], Matrix]


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a hypothetical monopolist over `members` would do.

    Attributes
    ----------
    members
        Products of the set, positions.
    rise
        Size of the rise that is tested, a part of the price.
    uniform_profit_change
        Change in the set's profit when all its prices rise by that much, per year in the money of prices.
    best_rise
        Rise of each member's price at the monopolist's best prices, parts of the price. (members,)
    residual
        Largest first-order residual at the best prices, in money per unit.
    """

    members: tuple[int, ...]
    rise: float
    uniform_profit_change: float
    best_rise: Vector
    residual: float

    @property
    def uniform_rise_pays(self) -> bool:
        """Whether a uniform rise of that size raises the set's profit."""
        return self.uniform_profit_change > 0

    def is_market(self, products: Sequence[int]) -> bool:
        """Whether at least one of these products (all members, or the merging firms' among them) would cost more by at least the rise tested."""
        asked = [i for i, member in enumerate(self.members) if member in products]
        return bool(asked) and bool(np.max(self.best_rise[asked]) >= self.rise)


def hypothetical_monopolist(demand: Demand, price: Vector, cost: Vector, members: Sequence[int], rise: float) -> Verdict:
    """Test a set of products; prices of all others stay as they are.

    Raises
    ------
    OwnershipError
        An empty set, positions that do not exist or appear twice, or a rise not above zero.
    NotSettled
        When no best prices are found (the monopolist's profit may have no maximum).
    """
    price = np.asarray(price, dtype=float)
    chosen = _checked(members, len(price), rise)
    change = profit_change(demand, price, cost, chosen, rise)
    best, residual = best_prices(demand, price, cost, chosen)
    return Verdict(tuple(chosen), rise, change, best / price[chosen] - 1.0, residual)


def grow_market(demand: Demand, price: Vector, cost: Vector, start: Sequence[int], rise: float) -> tuple[Verdict, ...]:
    """Add the next-best substitute, one by one, until the set is a market for the products it started from; a verdict for every step.

    The next-best substitute is the product outside that gains most sales from a small uniform rise inside. The last verdict is the market, or all
    products if even they are none.
    """
    price = np.asarray(price, dtype=float)
    chosen = _checked(start, len(price), rise)
    verdicts = [hypothetical_monopolist(demand, price, cost, chosen, rise)]
    while not verdicts[-1].is_market(start) and len(chosen) < len(price):
        gain = np.asarray(demand.slopes(price))[:, chosen] @ price[chosen]
        gain[chosen] = -np.inf
        chosen = [*chosen, int(np.argmax(gain))]
        verdicts.append(hypothetical_monopolist(demand, price, cost, chosen, rise))
    return tuple(verdicts)


def profit_change(demand: Demand, price: Vector, cost: Vector, members: Sequence[int], rise: float) -> float:
    """Change in the profit on `members` when all their prices rise by `rise` (a part of the price), others as they are."""
    price, cost = np.asarray(price, dtype=float), np.asarray(cost, dtype=float)
    chosen = _checked(members, len(price), rise)
    raised = price.copy()
    raised[chosen] *= 1 + rise
    before, after = ((p - cost) * np.asarray(demand.quantity(p)) for p in (price, raised))
    return float((after - before)[chosen].sum())


def best_prices(demand: Demand, price: Vector, cost: Vector, members: Sequence[int]) -> tuple[Vector, float]:
    """Prices of `members` that maximise their joint profit, others as they are, and the largest first-order residual in money per unit."""
    price, cost = np.asarray(price, dtype=float), np.asarray(cost, dtype=float)
    chosen = _checked(members, len(price), SMALL_BUT_SIGNIFICANT)

    def at(log_relative: Vector) -> Vector:
        now = price.copy()
        now[chosen] = np.exp(log_relative) * price[chosen]
        return now

    def gap(log_relative: Vector) -> Vector:
        """First-order condition of each member's price, in money per unit: what demand and the other members allow, less the margin."""
        now = at(log_relative)
        slopes = np.asarray(demand.slopes(now))[np.ix_(chosen, chosen)]
        condition = np.asarray(demand.quantity(now))[chosen] + slopes.T @ (now - cost)[chosen]
        return condition / np.diag(slopes)

    def profit(now: Vector) -> float:
        return float(((now - cost) * np.asarray(demand.quantity(now)))[chosen].sum())

    found = root(gap, np.zeros(len(chosen)), method="hybr", options={"xtol": 1e-13})
    residual = float(np.abs(gap(found.x)).max())
    settled = np.isfinite(residual) and residual <= RESIDUAL_TOLERANCE * price[chosen].max()
    if not (settled and profit(at(found.x)) >= profit(price) * (1 - RESIDUAL_TOLERANCE)):
        raise NotSettled(
            "best prices of the hypothetical monopolist",
            where=f"products {', '.join(map(str, chosen))}",
            residual=residual,
            unit="of the price's money",
            iterations=int(found.nfev),
            next_step="profit may have no maximum over this set: use profit_change, or a demand that falls to zero",
        )
    return at(found.x)[chosen], residual


def critical_loss(rise: float, margin: float, criterion: Literal["break_even", "profit_maximising"]) -> float:
    """Part of sales that a uniform rise may lose before it stops paying; `rise` and `margin` are parts of the price.

    `break_even`: the loss at which profit is as before. `profit_maximising`: the loss at which this rise is the best one, demand linear.
    """
    if not (rise > 0 and margin > 0):
        raise OwnershipError(Problem("a critical loss needs a rise and a margin above zero", "critical loss", f"rise {rise:g}, margin {margin:g}"))
    if criterion not in ("break_even", "profit_maximising"):
        raise OwnershipError(Problem("no such criterion", "critical loss", repr(criterion), "break_even or profit_maximising"))
    return rise / ((1 if criterion == "break_even" else 2) * rise + margin)


def slopes_from_elasticities(elasticity: Matrix, price: Vector, quantity: Vector) -> Matrix:
    """``dq_k / dp_j`` from ``elasticity[k, j]`` of k's sales to j's price. (J, J)"""
    return np.asarray(elasticity, dtype=float) * np.asarray(quantity, dtype=float)[:, None] / np.asarray(price, dtype=float)[None, :]


def linear_demand(price: Vector, quantity: Vector, slopes: Matrix) -> Demand:
    """Straight lines through today's point with today's slopes. Quantities are not cut at zero: see that prices stay where they are positive."""
    price, quantity, slopes = (np.asarray(x, dtype=float) for x in (price, quantity, slopes))
    return Demand(lambda p: quantity + slopes @ (p - price), lambda p: slopes)


def constant_elasticity_demand(price: Vector, quantity: Vector, elasticity: Matrix) -> Demand:
    """Log-linear demand through today's point: ``ln q_k = ln q_k0 + sum_j elasticity[k, j] ln(p_j / p_j0)``."""
    price, quantity, elasticity = (np.asarray(x, dtype=float) for x in (price, quantity, elasticity))

    def sold(p: Vector) -> Vector:
        return quantity * np.exp(elasticity @ np.log(p / price))

    return Demand(sold, lambda p: slopes_from_elasticities(elasticity, p, sold(p)))


def logit_demand(price: Vector, share: Vector, price_taste: float) -> Demand:
    """Plain logit through today's shares of all buyers (below one together; the rest does not buy); `price_taste` in utils per unit of money."""
    price, share = np.asarray(price, dtype=float), np.asarray(share, dtype=float)
    outside = 1.0 - share.sum()
    if not (outside > 0 and (share > 0).all() and price_taste > 0):
        raise OwnershipError(
            Problem(
                "shares or price taste that make no logit demand",
                "logit demand",
                f"{share}, {price_taste:g}",
                "shares above zero, below one together",
            )
        )

    def bought(p: Vector) -> Vector:
        pull = share * np.exp(-price_taste * (p - price))
        return pull / (outside + pull.sum())

    def slopes(p: Vector) -> Matrix:
        now = bought(p)
        return -price_taste * (np.diag(now) - np.outer(now, now))

    return Demand(bought, slopes)


def _checked(members: Sequence[int], n_products: int, rise: float) -> list[int]:
    chosen = [int(member) for member in members]
    problems = []
    if not chosen or len(set(chosen)) < len(chosen) or any(not 0 <= member < n_products for member in chosen):
        problems.append(Problem("not a set of products", "hypothetical monopolist", str(chosen), f"positions from 0 to {n_products - 1}, each once"))
    if not rise > 0:
        problems.append(Problem("a price rise that is none", "hypothetical monopolist", f"{rise:g}", "above zero; 0.05 is usual"))
    if problems:
        raise OwnershipError(problems)
    return chosen
