"""Present values from one solved year: every year to come like it, until the years ahead are simulated.

A first answer, and a check of the later one: profit of the solved year times an annuity, mid-year, at one stated real rate. It leaves out learning,
growth and launches still to come, and every table made from it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from keiretsu.errors import Problem, ValuationError
from keiretsu.market.outcome import Outcome
from keiretsu.market.world import World
from keiretsu.moves.cost_moves import BatteryPriceShock
from keiretsu.outlook.uncertain import Uncertain, draws_of
from keiretsu.typing import Vector
from keiretsu.valuation.cooperation import Cooperation, Partner, Seating, scenario_of

Solve = Callable[[World], Outcome]

SAVING_SPREAD = 0.35  # log standard deviation of savings about their central value: 0.64 to 1.57 times in four cases of five
BATTERY_SPREAD = 15.0  # EUR/kWh, standard deviation of the battery price about today's


@dataclass(frozen=True)
class YearsAlike:
    """Years taken to be like the solved one: first and last (both in), and the real rate a year they are discounted at from the start of the first."""

    first: int
    last: int
    rate: float

    def __post_init__(self) -> None:
        problems = []
        if self.last < self.first:
            problems.append(Problem("an exit before entry", "years alike", f"{self.first} to {self.last}", "a last year not before the first"))
        if not self.rate > -1:
            problems.append(Problem("a discount rate of minus one or less", "years alike", f"{self.rate:g}", "a real rate above -1"))
        if problems:
            raise ValuationError(problems)

    @property
    def annuity(self) -> float:
        """What one euro in the middle of each year is worth at the start of the first."""
        return float(((1.0 + self.rate) ** -(np.arange(self.last - self.first + 1) + 0.5)).sum())

    def weights(self) -> Mapping[int, float]:
        """Worth of one euro in the middle of each year."""
        return {year: float((1.0 + self.rate) ** -(year - self.first + 0.5)) for year in range(self.first, self.last + 1)}


@dataclass(frozen=True, eq=False)
class DrawnWorld:
    """One draw: a world and a form of cooperation with drawn savings."""

    world: World
    form: Cooperation


def central_draw(world: World, form: Cooperation) -> tuple[DrawnWorld, ...]:
    """Everything at its central value."""
    return (DrawnWorld(world, form),)


def drawn_worlds(world: World, form: Cooperation, draws: int, seed: int) -> tuple[DrawnWorld, ...]:
    """Draws of what a static view can be unsure of: the size of the savings and the price of batteries; our assumptions, stated above. `draws` a multiple of eight."""
    unsure = tuple(Uncertain(name, "normal", 0.0, -1.0, 1.0) for name in ("saving", "battery"))
    node = draws_of(unsure, np.eye(2), {}, draws, seed).normals.to_numpy()
    found = []
    for saving, battery in node:
        shocked = BatteryPriceShock(name="battery price drawn", change_eur_per_kwh=float(BATTERY_SPREAD * battery)).apply(world)
        factor = float(np.exp(SAVING_SPREAD * saving))
        found.append(DrawnWorld(shocked, Cooperation(form.saving.scaled(factor), form.platform, form.pricing, form.pools)))
    return tuple(found)


def static_payoffs(
    draws: Sequence[DrawnWorld], partners: Sequence[Partner], solve: Solve, years: YearsAlike, workers: int, on_seating: Callable[[str], None]
) -> Callable[[Seating], Mapping[str, Vector]]:
    """Payoffs for `keiretsu.valuation.alliances.alliance` from solved years.

    Parameters
    ----------
    solve
        Must be safe to call from several threads.
    workers
        Threads over draws; any number gives the same numbers.
    on_seating
        Told the name of each seating before it is solved.
    """

    def payoffs(seating: Seating) -> Mapping[str, Vector]:
        def one(draw: DrawnWorld) -> Mapping[str, float]:
            scenario = scenario_of(draw.world, partners, seating, draw.form)
            return profit_by_firm(solve(scenario.apply(draw.world)))

        on_seating(" | ".join(" + ".join(group) for group in seating))
        if workers > 1:
            with ThreadPoolExecutor(workers) as pool:
                solved = list(pool.map(one, draws))
        else:
            solved = [one(draw) for draw in draws]
        return {firm: years.annuity * np.array([profit[firm] for profit in solved]) for firm in solved[0]}

    return payoffs


def profit_by_firm(outcome: Outcome) -> dict[str, float]:
    """Operating profit of each firm over all markets, EUR a year."""
    return {str(firm): float(profit) for firm, profit in outcome.firms.groupby("firm", sort=False)["profit_eur"].sum().items()}
