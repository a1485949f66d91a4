"""Who is on the roster and what each scenario's world looks like on 1 July of every year.

Stakes are those of the case's date in every year, moves apart: what the register says of later days was not known then. A move holds in a year when it is
in force on 1 July; a launch counts from its own date, by the part of the year that is left. Two scenarios that
launch one product with different characteristics get a slot each under the same name.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from keiretsu.errors import MoveError
from keiretsu.market.world import World
from keiretsu.moves.contradictions import Made, make_more
from keiretsu.moves.move import Move
from keiretsu.moves.scenario import Scenario
from keiretsu.outlook.facts import OutlookFacts
from keiretsu.outlook.lineage import Fits, Lineage, lineages
from keiretsu.outlook.policy import as_known
from keiretsu.outlook.shared import Shared, same

# Columns in which two launches of one product must agree to share a slot: what consumers see, and where it is built.
SEEN = ("powertrain", "segment", "body", "seats", "nest", "sub_nest", "powertrain_group", "origin", "battery_kwh", "range_km", "power_kw", "mass_kg", "co2_gkm")  # fmt: skip


@dataclass(frozen=True)
class Storyline:
    """One scenario: its world in each year (by index into `worlds`), its launches with their planned years, and where they come from.

    `costs_doubled` are the costs of each world (EUR a car) had the base year's been twice as high; `replaced_by` says which planned car takes a product's
    place, `last_years` when a launch of the scenario's own ends (fractional year).
    """

    name: str
    worlds: tuple[World, ...]
    world_of_year: tuple[int, ...]
    launch_years: Mapping[str, float]
    replaced_by: Mapping[str, str]
    last_years: Mapping[str, float]
    lineage: Mapping[tuple[str, str], Lineage]
    costs_doubled: tuple[pd.Series, ...]


@dataclass(frozen=True)
class Roster:
    """Slots of every market: rows of the base year first, then every launch of any scenario; `first_new` says where they begin."""

    rows: Mapping[str, pd.DataFrame]
    first_new: Mapping[str, int]
    launched: tuple[str, ...]
    firms: tuple[str, ...]

    def slots(self, storyline: Storyline) -> dict[tuple[str, str], int]:
        """Slot in its market of every product of a storyline."""
        products = storyline.worlds[0].products
        places = {market: {key: i for i, key in enumerate(_looks(rows))} for market, rows in self.rows.items()}
        of_market: dict[str, list[tuple[str, tuple[object, ...]]]] = {market: [] for market in self.rows}
        for market, key in zip(products["market"], _looks(products), strict=True):
            of_market[market].append(key)
        return {(market, key[0]): places[market][key] for market, keys in of_market.items() for key in keys}


@dataclass(frozen=True)
class Beginning:
    """What every storyline begins with: the base year's world with the planned launches made, the same at twice the costs, and tastes fitted to it.

    `shared` is what storylines have in common, and is added to.
    """

    world: World
    planned: Made
    doubled: Made
    fits: Fits
    shared: Shared = field(default_factory=Shared)


def beginning(world: World, facts: OutlookFacts) -> Beginning:
    """The planned launches of a world, made once for all its storylines."""
    known, launches = as_known(world), [timeless(launch.move) for launch in facts.launches]
    doubled = known.replace(products=known.products.assign(cost_eur=2 * known.products["cost_eur"]))
    return Beginning(known, make_more(Made(known), launches), make_more(Made(doubled), launches), Fits(known))


def storyline(begun: Beginning, name: str, scenario: Scenario | None, facts: OutlookFacts) -> Storyline:
    """The worlds of one scenario over the years; `scenario` None is the baseline, in which only planned launches happen.

    Raises
    ------
    MoveError
        With every problem of every move.
    """
    own = () if scenario is None else scenario.moves
    made: dict[tuple[object, ...], int] = {}
    worlds: list[World] = []
    doubled: list[pd.Series] = []
    of_year: list[int] = []
    for year in facts.years:
        day = dt.date(year, 7, 1)
        moves = [timeless(m) if m.launches() else m for m in own if m.launches() or m.in_force(day)]
        key = tuple(id(m) for m in own if m.in_force(day))
        if key not in made:
            after = make_more(begun.planned, moves)
            if problems := after.problems():
                raise MoveError(problems)
            made[key] = len(worlds)
            worlds.append(after.world.replace(name=name))
            products = make_more(begun.doubled, moves).world.products
            doubled.append(begun.shared.once(("doubled", *same(products)), lambda products=products: products["cost_eur"].astype(float)))
        of_year.append(made[key])
    launches = [m for m in own if m.launches()]
    lineage = begun.shared.once(
        ("lineage", *same(worlds[0].products, *launches)),
        lambda: lineages(begun.world, worlds[0], [*begun.planned.moves, *(timeless(m) for m in launches)], begun.fits),
    )
    return Storyline(
        name=name,
        worlds=tuple(worlds),
        world_of_year=tuple(of_year),
        launch_years=_launch_years(own, facts),
        replaced_by={product: new for launch in facts.launches for product in launch.replaces for new in launch.move.launches()},
        last_years={product: fractional_year(move.end) for move in launches if move.end for product in move.launches()},
        lineage=lineage,
        costs_doubled=tuple(doubled),
    )


def roster_of(world: World, storylines: Sequence[Storyline]) -> Roster:
    """One static roster for all storylines."""
    rows, first_new = {}, {}
    seen: set[tuple[str, tuple[str, tuple[object, ...]]]] = set()
    parts = {market: [world.products[(world.products["market"] == market) & world.products["available"]]] for market in world.markets}
    for there in {id(story.worlds[0].products): story.worlds[0].products for story in storylines}.values():
        new = there[there["launched_by"] != ""]
        fresh: dict[str, list[int]] = {}
        for i, key in enumerate(zip(new["market"], _looks(new), strict=True)):
            if key not in seen:
                seen.add(key)
                fresh.setdefault(key[0], []).append(i)
        for market, places in fresh.items():
            parts[market].append(new.take(places))
    for market, tables in parts.items():
        rows[market] = pd.concat(tables, ignore_index=True)
        first_new[market] = len(tables[0])
    launched = tuple(dict.fromkeys(product for story in storylines for product in story.launch_years))
    firms = tuple(sorted({firm for story in storylines for w in story.worlds for firm in w.firms()}))
    return Roster(rows, first_new, launched, firms)


def timeless(move: Move) -> Move:
    """The same move without dates."""
    return dataclasses.replace(move, start=None, end=None)


def fractional_year(day: dt.date) -> float:
    """2025-07-01 is 2025.5."""
    first = dt.date(day.year, 1, 1)
    return day.year + (day - first).days / (dt.date(day.year + 1, 1, 1) - first).days


def _launch_years(own: Sequence[Move], facts: OutlookFacts) -> dict[str, float]:
    years = {product: launch.year for launch in facts.launches for product in launch.move.launches()}
    for move in own:
        for product in move.launches():
            stated = fractional_year(move.start) if move.start else float(facts.years[0])
            years[product] = facts.launch_year.get(product, stated) if move.start is None else stated
    return years


def _looks(rows: pd.DataFrame) -> list[tuple[str, tuple[object, ...]]]:
    """Product and what consumers see of it, row by row."""
    products = (str(product) for product in rows["product"])
    return list(zip(products, zip(*(rows[column].tolist() for column in SEEN), strict=True), strict=True))
