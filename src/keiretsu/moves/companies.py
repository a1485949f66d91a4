"""Moves that join companies: full merger, joint venture, pact, supply at a transfer price ([2], [2b])."""

# ruff: noqa: RUF009 (`argument` makes a dataclass field, which is what a default has to be)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from keiretsu.errors import Problem
from keiretsu.market.world import World
from keiretsu.moves.arguments import argument
from keiretsu.moves.company_edits import joint_pricing, unknown_companies, unknown_holders, with_company
from keiretsu.moves.filter import ProductFilter, earners
from keiretsu.moves.move import Channel, Move
from keiretsu.ownership.holdings import SHARE_TOLERANCE
from keiretsu.ownership.register_changes import absorb, with_control, with_stake


@dataclass(frozen=True, kw_only=True)
class Merger(Move):
    """One company takes over all of another one; the two price as one firm whatever the world's rule.

    Both keep their products, so that tables by maker still show them apart.
    """

    type: ClassVar[str] = "merger"
    summary: ClassVar[str] = "a company takes over all of another one, and the two maximise joint profit under every ownership rule"
    usual_channel: ClassVar[Channel] = "ownership"

    acquirer: str = argument("company that takes over")
    target: str = argument("company that is taken over")
    paid_in_shares: float = argument(
        "part of the merged company that the target's other holders get; 0 when they are paid in cash", unit="share", default=0.0, low=0.0, high=1.0
    )

    def changed(self, world: World) -> World:
        """The world with the target in the acquirer's hands and one price policy."""
        register = absorb(world.register, self.target, self.acquirer, world.date, f"move {self.label}", self.paid_in_shares)
        return joint_pricing(world.replace(register=register), (self.acquirer, self.target))

    def check(self, world: World) -> list[Problem]:
        """Both must be companies of the register."""
        return unknown_companies(world, (self.acquirer, self.target), self.place)

    def faults(self) -> list[Problem]:
        """Two companies; the acquirer's holders keep something."""
        problems = super().faults()
        if self.acquirer == self.target:
            problems.append(Problem("a company cannot take itself over", self.place, self.acquirer, "two companies"))
        if self.paid_in_shares >= 1:
            problems.append(
                Problem(
                    "the acquirer's holders are left with nothing",
                    self.place,
                    f"{self.paid_in_shares:g}",
                    "a share below 1",
                    "swap acquirer and target",
                )
            )
        return problems

    def absorbs(self) -> tuple[tuple[str, str], ...]:
        """Acquirer and target."""
        return ((self.acquirer, self.target),)

    def parties(self) -> tuple[str, ...]:
        """Acquirer and target."""
        return (self.acquirer, self.target)


@dataclass(frozen=True, kw_only=True)
class JointVenture(Move):
    """A new company of several parents takes over named products, with a split of their profit."""

    type: ClassVar[str] = "joint_venture"
    summary: ClassVar[str] = "a new company held by its parents in stated shares takes over named products and their profit"
    usual_channel: ClassVar[Channel] = "ownership"

    company: str = argument("name of the new company")
    split: Mapping[str, float] = argument("parents and their parts, adding up to 1", unit="share", low=0.0, high=1.0)
    products: ProductFilter = argument("products the venture takes over")
    priced_by: str = argument("who sets their prices: the venture, or a parent; not stated is the venture", default="")
    booked: str = argument(
        "where the margin is earned: by the venture, or by the parents directly in their parts", default="venture", words=("venture", "parents")
    )

    def changed(self, world: World) -> World:
        """The world with the venture in its register and the products in its hands."""
        world = with_company(world, self.company)
        register, date = world.register, world.date
        for parent, part in self.split.items():
            register = with_stake(register, parent, self.company, part, part, date, f"move {self.label}")
        products = world.products
        rows = self.products.rows(products)
        margin = self.company if self.booked == "venture" else ";".join(f"{name}:{part!r}" for name, part in self.split.items())
        return world.replace(
            register=register,
            products=products.assign(
                priced_by=np.where(rows, self.priced_by or self.company, products["priced_by"].to_numpy(object)),
                profit_to=np.where(rows, margin, products["profit_to"].to_numpy(object)),
            ),
        )

    def check(self, world: World) -> list[Problem]:
        """A new name, known parents, products of the parents, none of them built by a third company."""
        problems = unknown_companies(world, tuple(self.split), self.place) + self.products.unmatched(world.products, self.place)
        if self.company in world.register.holders:
            problems.append(Problem("the venture's name is taken", self.place, self.company, "a name that no company or owner has"))
        rows = world.products[self.products.rows(world.products)]
        for name, product in sorted(
            {(owner, str(p)) for p, text in zip(rows["product"], rows["profit_to"], strict=True) for owner in earners(str(text))}
        ):
            if name not in self.split:
                problems.append(
                    Problem("a product of somebody who is no parent", self.place, f"{product} of {name}", f"products of {', '.join(self.split)}")
                )
        return problems

    def faults(self) -> list[Problem]:
        """Parts add up to one; whoever prices has a part."""
        problems = super().faults()
        total = sum(self.split.values())
        if abs(total - 1.0) > SHARE_TOLERANCE or len(self.split) < 2:
            problems.append(
                Problem(
                    "parts of the parents must add up to one",
                    self.place,
                    f"{len(self.split)} parents with {total:.2%}",
                    "two parents or more with 100 %",
                )
            )
        pricing = self.priced_by or self.company
        allowed = list(self.split) if self.booked == "parents" else [self.company, *self.split]
        if pricing not in allowed:
            problems.append(Problem("whoever sets the prices must earn part of the margin", self.place, pricing, f"one of {', '.join(allowed)}"))
        return problems

    def parties(self) -> tuple[str, ...]:
        """The parents."""
        return tuple(self.split)


@dataclass(frozen=True, kw_only=True)
class Pact(Move):
    """Holders agree to run a company together, or one of them runs it without a majority."""

    type: ClassVar[str] = "pact"
    summary: ClassVar[str] = "holders agree to run a company together; with one member, that holder controls it de facto"
    usual_channel: ClassVar[Channel] = "ownership"

    company: str = argument("company that is run by the members")
    members: tuple[str, ...] = argument("companies or owners that run it")

    def changed(self, world: World) -> World:
        """The world with the declaration in its register, in place of those in force."""
        kind = "pact" if len(self.members) > 1 else "de_facto"
        return world.replace(register=with_control(world.register, self.company, self.members, kind, world.date, f"move {self.label}"))

    def check(self, world: World) -> list[Problem]:
        """Company and members must be known."""
        return unknown_companies(world, (self.company,), self.place) + unknown_holders(world, self.members, self.place)

    def faults(self) -> list[Problem]:
        """Each member once, none of them the company itself."""
        problems = super().faults()
        if len(set(self.members)) < len(self.members) or self.company in self.members:
            problems.append(Problem("members of a pact", self.place, ", ".join(self.members), f"each once, and not {self.company} itself"))
        return problems

    def parties(self) -> tuple[str, ...]:
        """Company and members."""
        return (self.company, *self.members)


@dataclass(frozen=True, kw_only=True)
class Supply(Move):
    """A company builds cars that another one sells, for a transfer price a car; both see it when they set prices ([2b])."""

    type: ClassVar[str] = "supply"
    summary: ClassVar[str] = "a company builds cars that another one sells, for a transfer price a car"
    usual_channel: ClassVar[Channel] = "ownership"

    products: ProductFilter = argument("products that are built by the supplier")
    builder: str = argument("company that builds them")
    transfer_price_eur: float = argument("what the seller pays the builder", unit="EUR a car", low=0.0)

    def changed(self, world: World) -> World:
        """The world with builder and transfer price on those products."""
        products = world.products
        rows = self.products.rows(products)
        return world.replace(
            products=products.assign(
                made_by=np.where(rows, self.builder, products["made_by"].to_numpy(object)),
                transfer_price_eur=np.where(rows, self.transfer_price_eur, products["transfer_price_eur"].to_numpy(float)),
            )
        )

    def check(self, world: World) -> list[Problem]:
        """The builder must be known and sell none of the products itself."""
        problems = unknown_companies(world, (self.builder,), self.place) + self.products.unmatched(world.products, self.place)
        rows = world.products[self.products.rows(world.products)]
        for product, text in sorted(set(zip(rows["product"].astype(str), rows["profit_to"].astype(str), strict=True))):
            if self.builder in earners(text):
                problems.append(
                    Problem("the builder earns the car's margin already", self.place, f"{product} of {text}", "products that another company sells")
                )
        return problems

    def parties(self) -> tuple[str, ...]:
        """The builder."""
        return (self.builder,)
