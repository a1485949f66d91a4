"""Setters and nests of every year's markets, indexed once for all scenarios in one shape ([8])."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import jax
import numpy as np

from keiretsu.outlook.arrays import BaseYear, Plan
from keiretsu.supply.sellers import Sellers, padded, sellers_of

PLACES = 4  # firms and presences are given places in such steps, so that scenarios with one more or less share compiled code


def with_sellers(base: BaseYear, plans: Mapping[str, Plan]) -> dict[str, Plan]:
    """Plans with the index of who prices in which nest; as they are in a case without nests."""
    if base.nests is None:
        return dict(plans)
    group = np.take_along_axis(np.asarray(base.nests.group_of_sub), np.asarray(base.nests.sub), axis=1)
    known: dict[tuple[int, bytes], tuple[np.ndarray, ...]] = {}

    def of_market(m: int, setter: np.ndarray) -> tuple[np.ndarray, ...]:
        return known.setdefault((m, setter.tobytes()), sellers_of(setter, group[m]))

    setters = {id(plan.setter): np.asarray(plan.setter) for plan in plans.values()}  # many plans share one array
    found = {number: [[of_market(m, setter) for m, setter in enumerate(year)] for year in years] for number, years in setters.items()}
    firms, presences = (-(-max(one[field].size for one in known.values()) // PLACES) * PLACES for field in (0, 1))
    sizes = (firms, presences, presences, group.shape[1])

    def stacked(years: list[list[tuple[np.ndarray, ...]]]) -> Sellers:
        return Sellers(*(jax.device_put(np.array([[padded(one[f], size) for one in year] for year in years])) for f, size in enumerate(sizes)))

    made = {number: stacked(years) for number, years in found.items()}
    return {name: dataclasses.replace(plan, sellers=made[id(plan.setter)]) for name, plan in plans.items()}
