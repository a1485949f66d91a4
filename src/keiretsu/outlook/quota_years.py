"""Tariff quotas in force in every year of a path ([7], [11]).

Inside a compiled year every car of a maker is inside its quota, or as far inside as its plan says. A path on which nobody exceeds a quota is done. Otherwise the same
compiled years are run again with each year's and maker's quota somewhere on its line (`keiretsu.outlook.quota_line`), until all are filled and none is
exceeded: what a car inside keeps of its price and the shadow price it bears are arrays of the plan, so nothing else is compiled. All years are looked at
together; a year depends on the years before it, little, and settles once they have.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import jax
import numpy as np

from keiretsu.errors import NotSettled
from keiretsu.outlook.arrays import Plan, Reproduced, Year
from keiretsu.outlook.quota_line import Look, Place, Search, begin, looked
from keiretsu.outlook.quotas import Counted, MakersQuota, counted
from keiretsu.supply.kinks import walls
from keiretsu.supply.pieces import jumps

Again: TypeAlias = Callable[[Plan], tuple[Reproduced, Year]]  # the compiled years under another plan

LOOKS = 40  # in all: where nothing jumps it takes four to ten


@dataclass(frozen=True, eq=False)
class Filled:
    """A path with its quotas in force.

    Attributes
    ----------
    years
        The path.
    plan
        What it was run under.
    beyond
        Cars a year that come in beyond the quotas of a market, at the full duty. (T, M)
    price_eur
        Worth of one more car inside to the maker that would pay most for it, EUR. (T, M)
    binding
        Quotas that are filled at a price, or too small for a model to come into its window of prices for.
    """

    found: Reproduced
    years: Year
    plan: Plan
    beyond: np.ndarray
    price_eur: np.ndarray
    binding: tuple[MakersQuota, ...] = ()


def with_quotas(quotas: Sequence[MakersQuota], plan: Plan, first: tuple[Reproduced, Year], again: Again, where: str) -> Filled:
    """The path `first`, run again until every quota is kept where it exceeds one; a path that is not settled is handed back as it is.

    Raises
    ------
    NotSettled
        Naming the quota, its maker and the year: no place on its line fills it, or a pot of money runs out in its market in that year.
    """
    (found, years), here = first, plan
    nothing = np.zeros(np.asarray(years.units_all).shape)
    if not quotas or not np.asarray(years.settled).all():
        return Filled(found, years, plan, nothing, nothing)
    searches = [begin(one.cars, one.slots.size) for one in quotas]
    for _ in range(LOOKS):
        looks = [_look(one, plan, here, years) for one in quotas]
        searches = [_looked(*each) for each in zip(quotas, searches, looks, strict=True)]
        if all(search.done for search in searches):
            return _filled(found, years, here, quotas, searches, nothing)
        _refuse_pots([one for one, search in zip(quotas, searches, strict=True) if search.at.shadow > 0], plan, years, where)
        here = _plan_with(plan, quotas, [search.at for search in searches])
        found, years = again(here)
        if not (np.isfinite(np.asarray(years.price)).all() and np.isfinite(np.asarray(years.units)).all()):
            break
    raise _unfilled(quotas, searches, plan, where)


def _look(quota: MakersQuota, plan: Plan, here: Plan, years: Year) -> Look:
    cars = counted(quota, here, years)
    if plan.keeps is None:
        keeps = np.asarray(plan.maker_rate)[quota.t, quota.m, quota.slots]
    else:
        keeps = np.asarray(plan.keeps.rate)[quota.t, quota.m, quota.slots, cars.piece]
    return Look(cars, keeps, np.asarray(years.cost)[quota.t, quota.m, quota.slots])


def _looked(quota: MakersQuota, search: Search, look: Look) -> Search:
    return looked(search, look, quota.savings)


def _plan_with(plan: Plan, quotas: Sequence[MakersQuota], places: Sequence[Place]) -> Plan:
    """The plan with what makers keep, the walls that this makes or takes away, and shadow prices."""
    shadow = np.array(plan.shadow)
    maker_rate = np.array(plan.maker_rate)
    arrays = None if plan.keeps is None else [np.array(values) for values in (plan.keeps.rate, plan.keeps.wall, plan.keeps.below_better)]
    for one, place in zip(quotas, places, strict=True):
        at = (one.t, one.m, one.slots)
        shadow[at] += place.charge
        if not (place.inside < 1).any():
            continue
        lost = one.savings.relief * (1 - place.inside)[:, None]
        if arrays is None:
            maker_rate[at] -= lost[:, 0]
            continue
        rate, wall, below_better = arrays
        width = lost.shape[1]
        rate[at] -= np.concatenate([lost, np.repeat(lost[:, -1:], rate.shape[-1] - width, axis=1)], axis=1)
        left = dataclasses.replace(one.pieces, maker_rate=one.pieces.maker_rate - lost)
        paid, kept = jumps(left)
        rows = (one.t, one.m, one.slots, slice(0, width - 1))
        wall[rows], below_better[rows] = walls(left), paid - kept > 0
    changed = dataclasses.replace(plan, shadow=jax.device_put(shadow), maker_rate=jax.device_put(maker_rate))
    if arrays is None or plan.keeps is None:
        return changed
    rate, wall, below_better = map(jax.device_put, arrays)
    return dataclasses.replace(changed, keeps=dataclasses.replace(plan.keeps, rate=rate, wall=wall, below_better=below_better))


def _filled(found: Reproduced, years: Year, plan: Plan, quotas: Sequence[MakersQuota], searches: Sequence[Search], nothing: np.ndarray) -> Filled:
    beyond, price = nothing.copy(), nothing.copy()
    for one, search in zip(quotas, searches, strict=True):
        if search.seen is None or not search.at.shadow > 0:
            continue
        cars: Counted = search.seen.cars
        beyond[one.t, one.m] += float(((1 - search.at.inside) * cars.units)[cars.counts].sum())
        price[one.t, one.m] = max(price[one.t, one.m], search.at.shadow)
    binding = tuple(one for one, search in zip(quotas, searches, strict=True) if search.at.shadow > 0 or (search.at.inside < 1).any())
    return Filled(found, years, plan, beyond, price, binding)


def _refuse_pots(quotas: Sequence[MakersQuota], plan: Plan, years: Year, where: str) -> None:
    """A year that a pot splits has several prices of a car, and each part of it its own savings."""
    if plan.bends is None or plan.bend_set is None or years.pot_open is None:
        return
    open_, sets = np.asarray(years.pot_open), np.asarray(plan.bend_set)
    empties = np.isfinite(np.asarray(plan.bends.budget)[sets]) & (open_ > 0) & (open_ < 1)  # (T, P)
    for one in quotas:
        for pot in np.flatnonzero(empties[one.t]):
            terms = (plan.bends.pot_rate, plan.bends.pot_add, plan.bends.pot_charge, plan.bends.pot_lost)
            if any(np.asarray(values[sets[one.t], pot, one.m]).any() for values in terms):
                raise NotSettled(
                    "a tariff quota that is exceeded in a year that a pot of money splits",
                    where=_where(one, plan, where),
                    residual=float(1 - open_[one.t, pot]),
                    unit="of the year without the pot's money",
                    iterations=0,
                    next_step="take the pot's budget away or widen the quota: the two are not solved together",
                )


def _unfilled(quotas: Sequence[MakersQuota], searches: Sequence[Search], plan: Plan, where: str) -> NotSettled:
    """The error about the first year whose quota found no place: years after it may only wait for it."""
    one, search = next((one, search) for one, search in zip(quotas, searches, strict=True) if not search.done)
    said = "" if search.came_from is None else f" at a shadow price of EUR {search.came_from.shadow:,.0f}"
    return NotSettled(
        f"a tariff quota{said}",
        where=_where(one, plan, where),
        residual=max(abs(search.gap), 0.0) if np.isfinite(search.gap) else np.inf,
        unit="cars a year inside above or below the quota",
        iterations=LOOKS,
        next_step="cars inside jump where a car crosses a price threshold: widen the quota, or leave the scenario out",
    )


def _where(one: MakersQuota, plan: Plan, where: str) -> str:
    return f"{where}, {one.quota}, {one.maker} in {one.market}, {float(np.asarray(plan.year)[one.t]):.0f}"
