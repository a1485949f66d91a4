"""Moves that change what cars cost to make: cost and battery-price shocks, partnerships with shared platforms and purchasing ([9])."""

# ruff: noqa: RUF009 (`argument` makes a dataclass field, which is what a default has to be)

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from keiretsu.errors import Problem
from keiretsu.market.world import World
from keiretsu.moves.arguments import argument
from keiretsu.moves.company_edits import joint_pricing, unknown_companies
from keiretsu.moves.filter import ProductFilter
from keiretsu.moves.move import Channel, Move


@dataclass(frozen=True, kw_only=True)
class CostShock(Move):
    """Marginal cost of some products rises or falls."""

    type: ClassVar[str] = "cost_shock"
    summary: ClassVar[str] = "marginal cost of some products changes by a share, an amount, or both (share first)"
    usual_channel: ClassVar[Channel] = "cost"

    products: ProductFilter = argument("products whose cost changes", default=ProductFilter())
    change_share: float = argument("change as a share of cost, negative when it falls", unit="share", default=0.0, low=-1.0)
    change_eur: float = argument("change per car, negative when it falls", unit="EUR a car", default=0.0)

    def changed(self, world: World) -> World:
        """The world with the new costs."""
        return _with_cost(world, self._cost(world))

    def check(self, world: World) -> list[Problem]:
        """Products must exist and keep a cost above zero if it was."""
        return [*self.products.unmatched(world.products, self.place), *_cost_faults(world, self._cost(world), self.place)]

    def _cost(self, world: World) -> np.ndarray:
        cost = world.products["cost_eur"].to_numpy(float)
        return np.where(self.products.rows(world.products), cost * (1.0 + self.change_share) + self.change_eur, cost)


@dataclass(frozen=True, kw_only=True)
class BatteryPriceShock(Move):
    """The price of batteries changes for everybody who buys them: cost moves by kWh times the change."""

    type: ClassVar[str] = "battery_price_shock"
    summary: ClassVar[str] = "cost of every car with a battery moves by its kWh times the change of the battery price"
    usual_channel: ClassVar[Channel] = "cost"

    change_eur_per_kwh: float = argument("change of the battery price, negative when it falls", unit="EUR/kWh")
    products: ProductFilter = argument("products the change is for", default=ProductFilter())

    def changed(self, world: World) -> World:
        """The world with the new costs."""
        return _with_cost(world, self._cost(world))

    def check(self, world: World) -> list[Problem]:
        """Products must exist and at least one of them have a battery."""
        problems = self.products.unmatched(world.products, self.place)
        rows = self.products.rows(world.products)
        if not problems and not (world.products["battery_kwh"].to_numpy(float)[rows] > 0).any():
            problems.append(Problem("no product of the filter has a battery", self.place, str(self.products), "battery_kwh above 0 somewhere"))
        return [*problems, *_cost_faults(world, self._cost(world), self.place)]

    def _cost(self, world: World) -> np.ndarray:
        cost = world.products["cost_eur"].to_numpy(float)
        change = world.products["battery_kwh"].to_numpy(float) * self.change_eur_per_kwh
        return np.where(self.products.rows(world.products), cost + change, cost)


@dataclass(frozen=True, kw_only=True)
class Partnership(Move):
    """Companies share platforms or purchasing; they go on pricing apart unless joint pricing is asked for."""

    type: ClassVar[str] = "partnership"
    summary: ClassVar[str] = "partners share platforms and purchasing: their cars get cheaper to make; pricing stays separate unless joint"
    usual_channel: ClassVar[Channel] = "cost"

    partners: tuple[str, ...] = argument("companies that take part")
    platform_saving: float = argument(
        "saving on the cars built on the shared platform, as a share of their cost", unit="share", default=0.0, low=0.0, high=1.0
    )
    platform_products: ProductFilter = argument("which of the partners' cars are built on the shared platform", default=ProductFilter())
    purchasing_saving: float = argument("saving on all of the partners' cars, as a share of cost", unit="share", default=0.0, low=0.0, high=1.0)
    pricing: str = argument("whether the partners set prices apart or to maximise joint profit", default="separate", words=("separate", "joint"))

    def changed(self, world: World) -> World:
        """The world with the partners' costs, the alliance noted, and their joint pricing where asked for."""
        world = _with_cost(world, self._cost(world))
        if self.partners not in world.alliances:
            world = world.replace(alliances=(*world.alliances, self.partners))
        return joint_pricing(world, self.partners) if self.pricing == "joint" else world

    def check(self, world: World) -> list[Problem]:
        """Partners must be companies with cars on sale; the platform must carry some of them."""
        problems = unknown_companies(world, self.partners, self.place)
        for name in self.partners:
            if not problems and not _cars_of(world, (name,)).any():
                problems.append(Problem("a partner has no cars in any market", self.place, name, "a company that prices or builds cars"))
        problems += self.platform_products.unmatched(world.products, self.place)
        if not problems and not (_cars_of(world, self.partners) & self.platform_products.rows(world.products)).any():
            problems.append(
                Problem("no car of the partners is on the platform", self.place, str(self.platform_products), "cars the partners price or build")
            )
        return problems

    def faults(self) -> list[Problem]:
        """Two partners at least, each once."""
        problems = super().faults()
        if len(set(self.partners)) < max(2, len(self.partners)):
            problems.append(Problem("a partnership needs two companies or more, each once", self.place, ", ".join(self.partners)))
        return problems

    def touched(self, world: World) -> np.ndarray:
        """The partners' cars."""
        return _cars_of(world, self.partners)

    def narrowed(self, world: World) -> Move | None:
        """Without its platform saving when none of the platform's cars is there."""
        platform = self.platform_products.narrowed(world.products)
        if platform is None or not (_cars_of(world, self.partners) & platform.rows(world.products)).any():
            return dataclasses.replace(self, platform_products=ProductFilter(), platform_saving=0.0)
        return dataclasses.replace(self, platform_products=platform)

    def by_channel(self) -> Mapping[Channel, Move]:
        """Savings are cost, joint pricing is ownership; one channel when told so."""
        if self.channel or self.pricing == "separate":
            return super().by_channel()
        savings = dataclasses.replace(self, pricing="separate")
        return {"cost": savings, "ownership": dataclasses.replace(self, platform_saving=0.0, purchasing_saving=0.0)}

    def _cost(self, world: World) -> np.ndarray:
        products = world.products
        cost = products["cost_eur"].to_numpy(float)
        theirs = _cars_of(world, self.partners)
        shared = theirs & self.platform_products.rows(products)
        saved = np.where(theirs, self.purchasing_saving, 0.0) + np.where(shared, self.platform_saving, 0.0)
        return cost * (1.0 - saved)


def _cars_of(world: World, companies: tuple[str, ...]) -> np.ndarray:
    """True for products that one of the companies prices or builds. (rows,)"""
    products = world.products
    return np.isin(products["priced_by"].to_numpy(str), companies) | np.isin(products["made_by"].to_numpy(str), companies)


def _with_cost(world: World, cost: np.ndarray) -> World:
    return world.replace(products=world.products.assign(cost_eur=cost))


def _cost_faults(world: World, cost: np.ndarray, place: str) -> list[Problem]:
    """A change that turns a cost from above zero to zero or below is a mistake in its size, not a cheaper car."""
    products = world.products
    bad = np.flatnonzero((products["cost_eur"].to_numpy(float) > 0) & (cost <= 0))
    return [
        Problem(
            "the change leaves a marginal cost of zero or less",
            f"{place}, product {products['product'].iloc[i]} in market {products['market'].iloc[i]}",
            f"EUR {cost[i]:,.0f} after the change",
            "a cost above zero",
            "make the change smaller or narrow the filter",
        )
        for i in bad
    ]
