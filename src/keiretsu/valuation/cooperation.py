"""Who may cooperate, and how: partners with the firms they run, the stated form of cooperation, and a scenario for each seating ([18]).

A *seating* says who cooperates with whom: a tuple of groups of partners, each partner in one group. A group of one stands alone. In a stated form, the
members of a group share platforms and purchasing (their cars get cheaper to make), may price jointly, and may share CO2 pools.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import numpy as np

from keiretsu.errors import Problem, ValuationError
from keiretsu.market.pools import Pool
from keiretsu.market.world import World
from keiretsu.moves.cost_moves import CostShock, Partnership
from keiretsu.moves.filter import ProductFilter
from keiretsu.moves.move import Channel, Move
from keiretsu.moves.scenario import Scenario
from keiretsu.ownership.control import who_controls_whom
from keiretsu.valuation.odds import percent

MOST_PARTNERS = 8
DEFAULT_PARTNERS = ("Renault", "Nissan", "Mitsubishi", "Honda")

ELECTRIC = ProductFilter(powertrain=("BEV",))

Seating: TypeAlias = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Partner:
    """A named partner and the firms it runs that price or build cars, itself first where it does."""

    name: str
    firms: tuple[str, ...]


class Saving(ABC):
    """How cooperation makes cars cheaper."""

    @abstractmethod
    def moves(self, world: World, group: Sequence[Partner], platform: ProductFilter) -> tuple[Move, ...]:
        """The moves for one group of two partners or more."""

    @abstractmethod
    def in_words(self) -> str:
        """For tables and sentences."""

    @abstractmethod
    def scaled(self, factor: float) -> Saving:
        """The same with savings times `factor`, for draws."""


@dataclass(frozen=True)
class FlatSaving(Saving):
    """The same share of cost for every group, whoever is in it."""

    platform: float = 0.05
    purchasing: float = 0.01

    def moves(self, world: World, group: Sequence[Partner], platform: ProductFilter) -> tuple[Move, ...]:
        """One partnership."""
        firms = tuple(firm for partner in group for firm in partner.firms)
        move = Partnership(
            name=_label(group), partners=firms, platform_saving=self.platform, platform_products=platform, purchasing_saving=self.purchasing
        )
        narrowed = move.narrowed(world)
        return (narrowed,) if narrowed is not None else ()

    def in_words(self) -> str:
        """Both savings."""
        return (
            f"Savings assumed: {percent(self.platform, 1)} on the shared platform and {percent(self.purchasing, 1)} on purchasing, whoever takes part"
        )

    def scaled(self, factor: float) -> FlatSaving:
        """Both savings times `factor`."""
        return FlatSaving(self.platform * factor, self.purchasing * factor)


@dataclass(frozen=True)
class SavingPerDoubling(Saving):
    """A share of cost for each doubling of a partner's volume through the group: the small gain most, and large partners bring most.

    Platform savings count cars on the platform, purchasing savings all cars of the partner; volumes are those of the base year in the simulated markets. A partner
    without a car on the platform has nothing to save there.
    """

    platform: float = 0.03
    purchasing: float = 0.005

    def moves(self, world: World, group: Sequence[Partner], platform: ProductFilter) -> tuple[Move, ...]:
        """One cost shock for the cars of each partner, one more for those on the platform."""
        products = world.products
        units = products["units"].to_numpy(float)
        on_platform = platform.rows(products)
        made: list[Move] = []
        everything = np.ones(len(products), bool)
        for what, rows, rate, narrow in (
            ("purchasing", everything, self.purchasing, ProductFilter()),
            ("platform", on_platform, self.platform, platform),
        ):
            theirs = {p.name: np.isin(products["priced_by"].to_numpy(str), p.firms) & rows for p in group}
            volume = {name: float(units[own].sum()) for name, own in theirs.items()}
            total = sum(volume.values())
            for partner in group:
                if rate == 0 or not volume[partner.name] > 0:
                    continue
                saved = 1.0 - (1.0 - rate) ** np.log2(total / volume[partner.name])
                if saved > 0:
                    chosen = dataclasses.replace(narrow, maker=_with_cars(world, partner, theirs[partner.name]))
                    made.append(CostShock(name=f"{_label(group)}: {what} of {partner.name}", products=chosen, change_share=-saved))
        return tuple(made)

    def in_words(self) -> str:
        """Both savings."""
        return f"Savings assumed: {percent(self.platform, 1)} of cost on the platform and {percent(self.purchasing, 1)} on purchasing for each doubling of volume"

    def scaled(self, factor: float) -> SavingPerDoubling:
        """Both savings times `factor`."""
        return SavingPerDoubling(self.platform * factor, self.purchasing * factor)


@dataclass(frozen=True)
class Cooperation:
    """A stated form of cooperation.

    Attributes
    ----------
    platform
        Cars built on the shared platform.
    pricing
        Whether members go on pricing apart or maximise joint profit.
    pools
        Whether members meet fleet rules apart as before or in one pool.
    """

    saving: Saving = FlatSaving()
    platform: ProductFilter = ELECTRIC
    pricing: Literal["separate", "joint"] = "separate"
    pools: Literal["own", "shared"] = "own"

    def in_words(self) -> str:
        """For tables and sentences."""
        pricing = "joint pricing" if self.pricing == "joint" else "prices set apart"
        pools = ", one CO2 pool" if self.pools == "shared" else ""
        return f"{self.saving.in_words()}; {pricing}{pools}"


@dataclass(frozen=True, kw_only=True)
class SharedPool(Move):
    """Makers meet every fleet rule in one pool; pools that any of them was in are joined."""

    type: ClassVar[str] = "shared_pool"
    summary: ClassVar[str] = "makers meet fleet rules in one pool"
    usual_channel: ClassVar[Channel] = "policy"

    brands: tuple[str, ...] = ()

    def changed(self, world: World) -> World:
        """The world with the pools joined."""
        records = [record for record in world.pools if isinstance(record, Pool)]
        touched = [pool for pool in records if set(pool.makers) & set(self.brands)]
        rules = dict.fromkeys(pool.rule for pool in touched)
        joined = []
        for rule in rules:
            parts = [pool for pool in touched if pool.rule == rule]
            makers = tuple(dict.fromkeys([maker for pool in parts for maker in pool.makers] + list(self.brands)))
            joined.append(dataclasses.replace(parts[0], id=" + ".join(pool.id for pool in parts), makers=makers, note=f"joined by {self.label}"))
        return world.replace(pools=(*(record for record in world.pools if record not in touched), *joined))

    def check(self, world: World) -> list[Problem]:
        """There must be a pool to share."""
        if any(isinstance(record, Pool) and set(record.makers) & set(self.brands) for record in world.pools):
            return []
        return [Problem("no partner is in a CO2 pool", self.place, ", ".join(self.brands), "a case with pools", 'pools = "own"')]


def partners_of(world: World, names: Sequence[str]) -> tuple[Partner, ...]:
    """Partners with the firms they run on the world's date; a firm run by two of them belongs to the nearer one.

    Raises
    ------
    ValuationError
        Fewer than two partners, more than `MOST_PARTNERS`, one named twice, one unknown, one without cars; all problems together.
    """
    problems: list[Problem] = []
    where = "partners of the alliance"
    if len(names) < 2:
        problems.append(Problem("a coalition of one", where, ", ".join(names) or "nobody", f"2 to {MOST_PARTNERS} partners", "name another partner"))
    if len(names) > MOST_PARTNERS:
        problems.append(Problem("too many partners", where, str(len(names)), f"at most {MOST_PARTNERS}", "group them or leave some out"))
    problems += [Problem("a partner named twice", where, name, "each once") for name in dict.fromkeys(names) if list(names).count(name) > 1]
    known = world.register.companies
    problems += [Problem("unknown partner", where, name, f"one of {', '.join(known)}") for name in names if name not in known]
    if problems:
        raise ValuationError(problems)
    chains = {line.company: line.chain for line in who_controls_whom(world.register.as_of(world.date))}
    runs: dict[str, list[str]] = {name: [] for name in names}
    for firm in world.firms():
        nearest = next((company for company in (firm, *chains.get(firm, ())) if company in runs), "")
        if nearest:
            runs[nearest].append(firm)
    without = [name for name, firms in runs.items() if not firms]
    if without:
        raise ValuationError(
            [Problem("a partner has no cars in any market", where, name, "a company that prices or builds cars") for name in without]
        )
    return tuple(Partner(name, tuple(sorted(firms, key=lambda firm: (firm != name, firm)))) for name, firms in runs.items())


def scenario_of(world: World, partners: Sequence[Partner], seating: Seating, form: Cooperation) -> Scenario:
    """The scenario in which each group of the seating cooperates in the stated form; a group of one changes nothing."""
    by_name = {partner.name: partner for partner in partners}
    moves: list[Move] = []
    for group in seating:
        if len(group) < 2:
            continue
        members = [by_name[name] for name in group]
        firms = tuple(firm for partner in members for firm in partner.firms)
        moves += form.saving.moves(world, members, form.platform)
        if form.pricing == "joint":
            moves.append(Partnership(name=f"{_label(members)}: joint pricing", partners=firms, pricing="joint"))
        if form.pools == "shared":
            theirs = np.isin(world.products["priced_by"].to_numpy(str), firms)
            brands = tuple(str(brand) for brand in world.products["brand"][theirs].unique())
            moves.append(SharedPool(name=f"{_label(members)}: one pool", brands=brands))
    return Scenario(name=name_of(seating), title=name_of(seating), question="", moves=tuple(moves))


def name_of(seating: Seating) -> str:
    """``Renault + Nissan | Honda``; groups of one after the others."""
    return " | ".join(" + ".join(group) for group in sorted(seating, key=lambda group: -len(group)))


def _label(group: Sequence[Partner]) -> str:
    return " + ".join(partner.name for partner in group)


def _with_cars(world: World, partner: Partner, own: np.ndarray) -> tuple[str, ...]:
    return tuple(firm for firm in partner.firms if (own & (world.products["priced_by"].to_numpy(str) == firm)).any())
