"""Next year's mean utility of every model, known and new ([5b]): what is kept, what ages, what is renewed, what arrives.

Within the electric cars of a country shares are a nested logit with brands as nests, so that delta_j = log s_j - sigma log s_(j in its brand)
up to a constant of the country (Berry 1994). A model that has been on sale steps from this year's delta to the next by a regression on what
was to be seen of it (`panel.seen_at`): age profile, own trend and the trend of the same model elsewhere, distance from its standing elsewhere,
its brand's trend, months on sale, renewals and ends announced. A model that arrives gets delta from its brand's standing in the country, its
price, its sales where it is already sold, and the months it will be on sale. Coefficients are pooled over countries and years, with priors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.outlook.backtest.columns import (
    ARRIVING,
    FOUND,
    KEPT,
    LISTED,
    STAYING,
    arriving_columns,
    found_columns,
    kept_columns,
    listed_columns,
    part_on_sale,
    priors,
    staying_columns,
    typical,
)
from keiretsu.outlook.backtest.panel import FEW, UNPRICED_EUR, Panel, panel_of, seen_at
from keiretsu.outlook.backtest.regression import Fit, logistic_ridge, robust_ridge
from keiretsu.outlook.backtest.total import support_changes, support_rate

YOUNG_MONTHS = 4.0  # a model on sale for less than this at the end of a year is still arriving
_KNEE = 0.4  # log points: a third of the models move by more in a year
_OWN_TO_GROUP = 2.5  # a model's own elasticity over that of all electric cars together; an assumption (-5 against -2)
_FOUND_LEVEL = -4.0  # log of cars over those of an average model, for a row nobody expected; counts as one such row
_UNITS_POWER = 0.6  # weight of a row grows with its cars to this power: between one row one vote and one car one vote


@dataclass(frozen=True, eq=False)
class Steps:
    """Estimated regressions: the step of models on sale, the level of arriving ones, and whether the statistics will have a row for either."""

    sigma: float
    staying: Fit
    arriving: Fit
    listed: Fit
    kept: Fit
    found: Fit
    found_level: float


@dataclass(frozen=True, eq=False)
class Deltas:
    """Delta of every row of a panel in the next year: its mean and whether it will be listed at all."""

    seen: pd.DataFrame
    kind: np.ndarray  # "staying", "arriving" or "absent"
    delta: np.ndarray
    listed: np.ndarray  # probability

    @property
    def rows(self) -> pd.MultiIndex:
        """Country, brand and model of each row, sorted."""
        assert isinstance(self.seen.index, pd.MultiIndex)
        return self.seen.index


def estimate(panel: Panel, sigma: float) -> Steps:
    """Regressions from every step between two years known.

    Each step is seen from 31 December of its first year, with the announcements made until then.
    """
    stay, keep, arrive, lists, find = _Rows(), _Rows(), _Rows(), _Rows(), _Rows()
    found_levels: list[np.ndarray] = []
    for year in panel.years[1:-1]:
        past = panel_of(panel.known.earlier(year))
        seen = seen_at(past, year)
        came = panel.units[year + 1].reindex(seen.index).fillna(0.0)
        total = came.groupby(level="country").transform("sum")
        kind = _kinds(seen)
        after = _delta_of(came, total, sigma)
        on_sale, new = kind == "staying", kind == "arriving"
        moved = (after - _delta_of(seen["units"], seen["total"], sigma) - _policy(past, seen, year + 1)).to_numpy()
        is_listed = (came > 0).to_numpy()
        going = on_sale & is_listed
        stay.add(staying_columns(seen)[going], moved[going], _weight(seen["units"], seen["total"])[going])
        keep.add(kept_columns(seen)[on_sale], is_listed[on_sale].astype(float), np.ones(int(on_sale.sum())))
        absent = kind == "absent"
        find.add(found_columns(seen)[absent], is_listed[absent].astype(float), np.ones(int(absent.sum())))
        found_levels.append((np.log((came + FEW) / (total + FEW)) - typical(seen)).to_numpy()[absent & is_listed])
        lists.add(listed_columns(seen)[new], is_listed[new].astype(float), np.ones(int(new.sum())))
        level = np.log((came + FEW) / (total + FEW)).to_numpy() - part_on_sale(seen) - typical(seen)
        chosen = new & is_listed
        arrive.add(arriving_columns(seen)[chosen], level[chosen], np.ones(int(chosen.sum())))
    return Steps(
        sigma=sigma,
        staying=robust_ridge(*stay.stacked(), *priors(STAYING), _KNEE, tuple(STAYING)),
        arriving=robust_ridge(*arrive.stacked(), *priors(ARRIVING), _KNEE, tuple(ARRIVING)),
        listed=logistic_ridge(*lists.stacked()[:2], *priors(LISTED), tuple(LISTED)),
        kept=logistic_ridge(*keep.stacked()[:2], *priors(KEPT), tuple(KEPT)),
        found=logistic_ridge(*find.stacked()[:2], *priors(FOUND), tuple(FOUND)),
        found_level=float(np.median(np.append(np.concatenate(found_levels), _FOUND_LEVEL))),
    )


def deltas_next(panel: Panel, year: int, steps: Steps) -> Deltas:
    """Mean of delta in the year after `year` for every row, seen from its end, should it be listed, and the probability that it is."""
    seen = seen_at(panel, year)
    kind = _kinds(seen)
    stepped = _delta_of(seen["units"], seen["total"], steps.sigma).to_numpy() + steps.staying.of(staying_columns(seen))
    level = steps.arriving.of(arriving_columns(seen)) + part_on_sale(seen) + typical(seen)
    fresh = _arrival_delta(seen, level, steps.sigma)
    policy = _policy(panel, seen, year + 1).to_numpy()
    rare = _arrival_delta(seen, steps.found_level + typical(seen), steps.sigma)
    delta = np.select([kind == "staying", kind == "arriving"], [stepped + policy, fresh + policy], rare)
    columns = ((steps.kept, kept_columns), (steps.listed, listed_columns), (steps.found, found_columns))
    kept, listed, found = (1 / (1 + np.exp(-fit.of(of(seen)))) for fit, of in columns)
    return Deltas(seen=seen, kind=kind, delta=delta, listed=np.select([kind == "staying", kind == "arriving"], [kept, listed], found))


def shares_of(delta: np.ndarray, country: np.ndarray, nest: np.ndarray, sigma: float) -> np.ndarray:
    """Nested-logit shares within each country; nests are brands in a country. (draws, rows) -> (draws, rows), each country sums to one.

    Parameters
    ----------
    country, nest
        Numbers from 0, without gaps and in ascending order, of each row's country and of its nest. (rows,)
    """
    first = np.flatnonzero(np.diff(nest, prepend=-1))
    country_of = country[first]
    first_nest = np.flatnonzero(np.diff(country_of, prepend=-1))
    scaled = delta / (1 - sigma)
    top = np.maximum.reduceat(scaled, first, axis=1)
    anchor = np.where(np.isfinite(top), top, 0.0)
    inside = np.exp(scaled - anchor[:, nest])
    sums = np.add.reduceat(inside, first, axis=1)
    sold = sums > 0
    inclusive = np.where(sold, np.exp((1 - sigma) * (np.log(np.where(sold, sums, 1.0)) + anchor)), 0.0)
    everything = np.add.reduceat(inclusive, first_nest, axis=1)
    of_nest = inclusive / everything[:, country_of] / np.where(sold, sums, 1.0)
    return inside * of_nest[:, nest]


class _Rows:
    """Rows of several years on their way into one regression."""

    def __init__(self) -> None:
        self._parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def add(self, columns: np.ndarray, target: np.ndarray, weight: np.ndarray) -> None:
        self._parts.append((columns, target, weight))

    def stacked(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        columns, targets, weights = zip(*self._parts, strict=True)
        return np.concatenate(columns), np.concatenate(targets), np.concatenate(weights)


def _kinds(seen: pd.DataFrame) -> np.ndarray:
    """Which rows are on sale, which arrive, which are neither."""
    arriving = seen["dated"] & (seen["months"] < YOUNG_MONTHS) & (seen["months_next"] > 0.5) & (seen["years_here"].isin([0, 9]))
    staying = (seen["units"] > 0) & ~arriving
    return np.where(arriving, "arriving", np.where(staying, "staying", "absent"))


def _delta_of(units: pd.Series, total: pd.Series, sigma: float) -> pd.Series:
    """log s - sigma log s within the brand, up to a constant of the country; `FEW` cars keep rows without cars finite."""
    brand = units.groupby(level=["country", "brand"]).transform("sum")
    return np.log((units + FEW) / (total + FEW)) - sigma * np.log((units + FEW) / (brand + FEW))


def _arrival_delta(seen: pd.DataFrame, log_share: np.ndarray, sigma: float) -> np.ndarray:
    """Delta of an arriving model that is expected to reach a share, its brand's other models as they stand."""
    share = np.exp(log_share)
    beside = share + np.maximum((seen["units_brand"] - seen["units"]).to_numpy(), 0.0) / np.maximum(seen["total"].to_numpy(), 1.0)
    return log_share - sigma * np.log(share / beside)


def _policy(panel: Panel, seen: pd.DataFrame, year: int) -> pd.Series:
    """What a change of support of a single model does to its delta: its own elasticity times the change over its price."""
    price = seen["launch_price"].where(seen["launch_price"] > 0, UNPRICED_EUR)
    return support_changes(panel, year) * support_rate(panel.known) * _OWN_TO_GROUP * UNPRICED_EUR / price


def _weight(units: pd.Series, total: pd.Series) -> np.ndarray:
    return np.maximum(1000 * units / total.where(total > 0, 1.0), 0.3).to_numpy() ** _UNITS_POWER
