"""Moves that bring cars which were not there: launch, twin, entry of a rival ([5b])."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

from keiretsu.errors import Problem
from keiretsu.market.world import World
from keiretsu.moves.arguments import argument
from keiretsu.moves.company_edits import unknown_companies, with_company
from keiretsu.moves.move import Channel, Move
from keiretsu.moves.new_products import NewProduct, added, companies_of, new_product_problems
from keiretsu.moves.new_utility import utility_of_new, utility_problems


@dataclass(frozen=True, kw_only=True)
class Launch(Move):
    """A new product, described by its characteristics; how much people like it is projected from the cars there are."""

    type: ClassVar[str] = "launch"
    summary: ClassVar[str] = "a new product with its own characteristics; its utility is projected from those of the products there are"
    usual_channel: ClassVar[Channel] = "product_range"

    product: str = argument("id of the new product")
    markets: tuple[str, ...] = argument("markets it is sold in")
    brand: str = argument("brand it is sold under")
    like: str = argument("product on sale in each of those markets from which everything not stated here is taken: class, nest, taxes, origin")
    price_eur: float = argument("maker's price net of tax: where the search starts, or the price when held", unit="EUR a car", low=0.0)
    cost_eur: float | None = argument("marginal cost, instead of margin", unit="EUR a car", default=None, low=0.0)
    margin: float | None = argument("part of price_eur that is margin, instead of cost_eur", unit="share", default=None, low=0.0, high=1.0)
    price: str = argument("whether the maker chooses the price, or it is held at price_eur", default="chosen", words=("chosen", "held"))
    priced_by: str = argument("company that sets the price; not stated is that of the brand's other products", default="")
    profit_to: str = argument("company that earns the margin; not stated is priced_by", default="")
    brand_like: str = argument("brand whose standing it is given where its own has none in a market; needed for a new brand", default="")
    model: str = argument("model name; not stated is the product id", default="")
    powertrain: str = argument("BEV, PHEV or ICE; not stated is that of `like`", default="", words=("", "BEV", "PHEV", "ICE"))
    segment: str = argument("size class; not stated is that of `like`", default="")
    body: str = argument("body style; not stated is that of `like`", default="")
    origin: str = argument("where it is built; not stated is that of `like`", default="")
    seats: int | None = argument("seats; not stated is that of `like`", default=None)
    battery_kwh: float | None = argument("usable battery; not stated is that of `like`", unit="kWh", default=None, low=0.0)
    range_km: float | None = argument("electric range WLTP; not stated is that of `like`", unit="km", default=None, low=0.0)
    power_kw: float | None = argument("power; not stated is that of `like`", unit="kW", default=None, low=0.0)
    mass_kg: float | None = argument("mass in running order; not stated is that of `like`", unit="kg", default=None, low=0.0)
    co2_gkm: float | None = argument("tailpipe CO2; not stated is that of `like`", unit="g/km", default=None, low=0.0)
    utility: str = argument(
        "whether its utility is projected from all cars with its powertrain, or that of `like`", default="projected", words=("projected", "of_like")
    )
    appeal: float = argument("what people see in it beyond its characteristics (xi)", unit="utils", default=0.0)

    def changed(self, world: World) -> World:
        """The world with the product on sale."""
        return added(world, self._new(), utility_of_new)

    def check(self, world: World) -> list[Problem]:
        """Markets, `like` and companies must exist, the product must not."""
        new = self._new()
        return new_product_problems(world, new) or [*unknown_companies(world, companies_of(world, new), self.place), *utility_problems(world, new)]

    def faults(self) -> list[Problem]:
        """A price above zero and one way to say the cost."""
        return super().faults() + _money_faults(self.place, self.price_eur, self.cost_eur, self.margin)

    def launches(self) -> tuple[str, ...]:
        """The product."""
        return (self.product,)

    def _new(self) -> NewProduct:
        names = ("powertrain", "segment", "body", "origin", "seats", "battery_kwh", "range_km", "power_kw", "mass_kg", "co2_gkm")
        stated: dict[str, str | float] = {name: value for name in names if (value := getattr(self, name)) not in (None, "")}
        cost = self.cost_eur if self.cost_eur is not None else self.price_eur * (1.0 - (self.margin or 0.0))
        return NewProduct(
            product=self.product,
            markets=self.markets,
            brand=self.brand,
            like=self.like,
            priced_by=self.priced_by,
            profit_to=self.profit_to,
            made_by="",
            transfer_price_eur=0.0,
            stated={**stated, "model": self.model or self.product, "price_eur": self.price_eur, "cost_eur": cost, "xi": self.appeal},
            cost_difference_eur=0.0,
            held=self.price == "held",
            brand_like=self.brand_like,
            utility=self.utility,
            label=self.label,
            place=self.place,
        )


@dataclass(frozen=True, kw_only=True)
class Entry(Move):
    """A rival that was not there brings a car; a company that the register lacks is added to it."""

    type: ClassVar[str] = "entry"
    summary: ClassVar[str] = (
        "a rival, new or known, brings a product much like one there is; a company that the register lacks is added, all of it float"
    )
    usual_channel: ClassVar[Channel] = "rivals"

    product: str = argument("id of the new product")
    markets: tuple[str, ...] = argument("markets it is sold in")
    brand: str = argument("brand it is sold under")
    priced_by: str = argument("company that enters: it sets the price and earns the margin")
    like: str = argument("product on sale in each of those markets that it is like in everything not stated here")
    brand_like: str = argument("brand whose standing it is given; not stated is its own, where it has one", default="")
    price_eur: float = argument("maker's price net of tax: where the search starts, or the price when held", unit="EUR a car", low=0.0)
    cost_eur: float | None = argument("marginal cost, instead of margin", unit="EUR a car", default=None, low=0.0)
    margin: float | None = argument("part of price_eur that is margin, instead of cost_eur", unit="share", default=None, low=0.0, high=1.0)
    price: str = argument("whether the entrant chooses the price, or it is held at price_eur", default="chosen", words=("chosen", "held"))
    model: str = argument("model name; not stated is the product id", default="")
    powertrain: str = argument("BEV, PHEV or ICE; not stated is that of `like`", default="", words=("", "BEV", "PHEV", "ICE"))
    segment: str = argument("size class; not stated is that of `like`", default="")
    body: str = argument("body style; not stated is that of `like`", default="")
    origin: str = argument("where it is built; not stated is that of `like`", default="")
    seats: int | None = argument("seats; not stated is that of `like`", default=None)
    battery_kwh: float | None = argument("usable battery; not stated is that of `like`", unit="kWh", default=None, low=0.0)
    range_km: float | None = argument("electric range WLTP; not stated is that of `like`", unit="km", default=None, low=0.0)
    power_kw: float | None = argument("power; not stated is that of `like`", unit="kW", default=None, low=0.0)
    mass_kg: float | None = argument("mass in running order; not stated is that of `like`", unit="kg", default=None, low=0.0)
    co2_gkm: float | None = argument("tailpipe CO2; not stated is that of `like`", unit="g/km", default=None, low=0.0)
    utility: str = argument(
        "whether its utility is projected from all cars with its powertrain, or that of `like`", default="projected", words=("projected", "of_like")
    )
    appeal: float = argument("what people see in it beyond its characteristics (xi)", unit="utils", default=0.0)

    def changed(self, world: World) -> World:
        """The world with the entrant and its product."""
        return self._launch().changed(with_company(world, self.priced_by))

    def check(self, world: World) -> list[Problem]:
        """Markets and `like` must exist, the product must not."""
        return self._launch().check(with_company(world, self.priced_by))

    def faults(self) -> list[Problem]:
        """A price above zero and one way to say the cost."""
        return super().faults() + _money_faults(self.place, self.price_eur, self.cost_eur, self.margin)

    def launches(self) -> tuple[str, ...]:
        """The product."""
        return (self.product,)

    def _launch(self) -> Launch:
        own: dict[str, Any] = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        own["name"] = self.label
        return Launch(**own)


@dataclass(frozen=True, kw_only=True)
class Twin(Move):
    """An existing car under another brand: its characteristics and its appeal, and the difference between the brands."""

    type: ClassVar[str] = "twin"
    summary: ClassVar[str] = "an existing product under another brand: same characteristics and appeal, plus the difference between the brands"
    usual_channel: ClassVar[Channel] = "product_range"

    product: str = argument("id of the twin")
    original: str = argument("product it is a twin of; may be one that another move launches before it")
    brand: str = argument("brand the twin is sold under")
    markets: tuple[str, ...] = argument("markets it is sold in; the original must be on sale there")
    priced_by: str = argument("company that sets the price; not stated is that of the brand's other products", default="")
    profit_to: str = argument("company that earns the margin; not stated is priced_by", default="")
    brand_like: str = argument("brand whose standing it is given where its own has none in a market; needed for a new brand", default="")
    builder: str = argument("company that builds it for a transfer price; not stated when the seller builds it", default="")
    transfer_price_eur: float = argument("what the seller pays the builder", unit="EUR a car", default=0.0, low=0.0)
    cost_difference_eur: float = argument("marginal cost over that of the original", unit="EUR a car", default=0.0)
    price_eur: float | None = argument("maker's price net of tax; not stated is that of the original", unit="EUR a car", default=None, low=0.0)
    price: str = argument("whether the maker chooses the price, or it is held at price_eur", default="chosen", words=("chosen", "held"))
    model: str = argument("model name; not stated is the product id", default="")

    def changed(self, world: World) -> World:
        """The world with the twin on sale beside the original."""
        return added(world, self._new(), utility_of_new)

    def check(self, world: World) -> list[Problem]:
        """The original must be on sale, the twin must not be, companies must exist."""
        new = self._new()
        return new_product_problems(world, new) or [*unknown_companies(world, companies_of(world, new), self.place), *utility_problems(world, new)]

    def faults(self) -> list[Problem]:
        """A builder and a transfer price come together."""
        problems = super().faults()
        if bool(self.builder) != (self.transfer_price_eur > 0):
            seen = f"builder {self.builder or 'none'}, transfer price EUR {self.transfer_price_eur:,.0f}"
            problems.append(Problem("builder and transfer price come together", self.place, seen, "both or neither"))
        return problems

    def launches(self) -> tuple[str, ...]:
        """The twin."""
        return (self.product,)

    def _new(self) -> NewProduct:
        stated: dict[str, str | float] = {"model": self.model or self.product}
        if self.price_eur is not None:
            stated["price_eur"] = self.price_eur
        return NewProduct(
            product=self.product,
            markets=self.markets,
            brand=self.brand,
            like=self.original,
            priced_by=self.priced_by,
            profit_to=self.profit_to,
            made_by=self.builder,
            transfer_price_eur=self.transfer_price_eur,
            stated=stated,
            cost_difference_eur=self.cost_difference_eur,
            held=self.price == "held",
            brand_like=self.brand_like,
            utility="twin",
            label=self.label,
            place=self.place,
        )


def _money_faults(place: str, price_eur: float, cost_eur: float | None, margin: float | None) -> list[Problem]:
    problems = []
    if not price_eur > 0:
        problems.append(Problem("a price must be above zero", place, f"EUR {price_eur:,.0f}"))
    if (cost_eur is None) == (margin is None):
        seen = "neither" if cost_eur is None else "both"
        problems.append(Problem("the marginal cost must be stated in one way", place, seen, "cost_eur or margin"))
    return problems
