"""How many electric cars each country will register: damped log-odds of the electric share, a market that returns to its mean, known policy.

The electric share moves on a logistic curve. Part of the area's last change of its log-odds is carried on, and part of what the country did
beyond the area. What is known of next year's support to buyers enters by the price elasticity of electric cars, more so in the year after a
cut, for buyers who knew of it came early; a legal share of registrations pulls the share part of the way; all cars together return part of the
way to their recent mean. How large each part is, `trend` estimates from earlier steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.errors import Problem
from keiretsu.outlook.backtest.known import CARS_FROM, BacktestError, Known
from keiretsu.outlook.backtest.panel import UNPRICED_EUR, Panel


@dataclass(frozen=True)
class Trend:
    """How the past is carried on.

    Attributes
    ----------
    momentum
        Share of the area's last change of the log-odds that is repeated.
    own
        Share of the difference between the country's and the area's last change that is repeated.
    support
        Lasting effect of a change of support, in units of what the published elasticity says.
    rush
        What buyers who come before a cut of support take from the year after it, in units of what the published elasticity says of the cut;
        gone a year later.
    reversion
        Part of the way that the market of all cars returns to its mean since 2020 within a year.
    """

    momentum: float
    own: float
    support: float
    rush: float
    reversion: float


_BITE = 0.5  # part of the way to a legal share that is gone in its year: makers may borrow, buy credits and pay; an assumption
# Electric share where the elasticities were measured (California 2019, Norway to 2016): the price taste carries over to other shares.
_MEASURED_SHARE = 0.1
_CAR_MEAN_YEARS = 4  # years over which the mean of all cars is taken; 2019 is left out, before the pandemic
EUR_PER_POINT = UNPRICED_EUR / 100


@dataclass(frozen=True, eq=False)
class Ground:
    """What a total is forecast from, by country: everything but the `Trend`."""

    countries: pd.Index
    year: int
    odds: np.ndarray  # log-odds of the electric share in the last year
    moved: np.ndarray  # their last change, NaN where the year before is not known
    weight: np.ndarray  # weight of the country in the area's mean change, 0 there
    support: Mapping[int, np.ndarray]  # published effect on log-odds of the change of support in the last year and in the next
    lift: np.ndarray  # other changes to come from policy, log-odds
    target: np.ndarray  # log-odds of a legal share, minus infinity where there is none
    cars: np.ndarray  # log of all cars in the last year
    cars_mean: np.ndarray  # mean of the logs since 2020


def total_next(ground: Ground, trend: Trend) -> pd.Series:
    """Electric cars by country in the year after the one the ground was laid in. (countries,)"""
    steps = steps_from(ground) @ np.array([trend.momentum, trend.own, trend.support, trend.rush])
    ahead = ground.odds + steps + ground.lift
    bound = ground.target > ahead
    ahead = np.where(bound, ahead + _BITE * (np.where(bound, ground.target, 0.0) - ahead), ahead)
    level = ground.cars + trend.reversion * (ground.cars_mean - ground.cars)
    return pd.Series(np.exp(level) / (1 + np.exp(-ahead)), index=ground.countries, name="units")


def steps_from(ground: Ground) -> np.ndarray:
    """What the next change of the log-odds is explained by, in the order of `Trend`: the area's last change, the country's beyond it (0 where
    it is not known), the published effect of the change of support to come, and of a cut to come less that of the last one. (countries, 4)
    """
    known = ~np.isnan(ground.moved)
    area = float(np.average(ground.moved[known], weights=ground.weight[known]))
    now, before = ground.support[ground.year + 1], ground.support[ground.year]
    own = np.where(known, ground.moved - area, 0.0)
    return np.column_stack([np.full(len(own), area), own, now, np.minimum(now, 0.0) - np.minimum(before, 0.0)])


def ground_of(panel: Panel, year: int) -> Ground:
    """What is known at the end of a year about the next one's totals."""
    known, cars, electric = panel.known, panel.cars, panel.electric()
    share = electric / cars
    odds, odds_before = _odds(share[year]), _odds(share[year - 1])
    rate = support_rate(known) / (1 - _MEASURED_SHARE)
    level = {y: support_in(known, y).reindex(electric.index).fillna(0.0) for y in range(year - 1, year + 2)}
    moved = odds - odds_before
    recent = cars[[y for y in panel.years if max(CARS_FROM, year - _CAR_MEAN_YEARS + 1) <= y <= year]]
    weight = (electric[year] ** 0.5).where(moved.notna(), 0.0)
    return Ground(
        countries=electric.index,
        year=year,
        odds=odds.to_numpy(),
        moved=moved.to_numpy(),
        weight=weight.to_numpy(),
        support={y: rate * (level[y] - level[y - 1] + _mean_change(panel, y)).to_numpy() for y in (year, year + 1)},
        lift=_lift(known, year + 1, electric.index).to_numpy(float),
        target=_odds(_target(known, year + 1, electric.index)).fillna(-np.inf).to_numpy(),
        cars=np.log(cars[year].to_numpy()),
        cars_mean=np.log(recent.to_numpy()).mean(axis=1),
    )


def support_rate(known: Known) -> float:
    """Relative rise of electric sales per EUR of support for each electric car, from the published elasticities known.

    Raises
    ------
    BacktestError
        When none was published by then.
    """
    table = known.elasticities
    if table.empty:
        raise BacktestError(Problem("no elasticity of electric sales was known", f"targets.csv until {known.date}", "none",
                                    "a target of kind subset_elasticity of powertrain=BEV with a dated source", "choose a later --known-until"))  # fmt: skip
    mean = float((table["value"] * table["weight"]).sum() / table["weight"].sum())
    return -mean / 100 / EUR_PER_POINT


def support_in(known: Known, year: int) -> pd.Series:
    """Mean support per electric car by country as last known; the last level stays where nothing was decided. EUR."""
    rows = known.policy[(known.policy["kind"] == "support") & (known.policy["year"] <= year)]
    return rows.sort_values(["year", "known_on"], kind="stable").groupby("country")["value"].last()


def support_changes(panel: Panel, year: int) -> pd.Series:
    """Change of support of single models in a year against the one before, over and above their country's. EUR, rows of the panel."""
    out = pd.Series(0.0, index=panel.units.index)
    rows = panel.known.policy[(panel.known.policy["kind"] == "support_change") & (panel.known.policy["year"] == year)]
    for row in rows.to_dict("records"):
        for country in str(row["country"]).split(";"):
            if (key := (country, row["brand"], row["model"])) in out.index:
                out[key] += row["value"]
    return out


def _mean_change(panel: Panel, year: int) -> pd.Series:
    """Changes of support of single models, averaged over the country's electric cars of the year before. EUR by country."""
    if year - 1 not in panel.units:
        return pd.Series(0.0, index=panel.electric().index)
    units = panel.units[year - 1]
    total = units.groupby(level="country").sum()
    return (units * support_changes(panel, year)).groupby(level="country").sum() / total.where(total > 0, 1.0)


def _lift(known: Known, year: int, countries: pd.Index) -> pd.Series:
    rows = known.policy[(known.policy["kind"] == "share_lift") & (known.policy["year"] == year)]
    return pd.Series([sum(r["value"] for r in rows.to_dict("records") if c in str(r["country"]).split(";")) for c in countries], index=countries)


def _target(known: Known, year: int, countries: pd.Index) -> pd.Series:
    rows = known.policy[(known.policy["kind"] == "share_target") & (known.policy["year"] == year)].drop_duplicates("country", keep="last")
    return rows.set_index("country")["value"].reindex(countries).astype(float)


def _odds(share: pd.Series) -> pd.Series:
    """Log-odds; not stated where the share is not known or zero."""
    inside = share.where((share > 0) & (share < 1))
    return np.log(inside / (1 - inside))
