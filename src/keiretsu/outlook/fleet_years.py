"""Fleet rules of every year as arrays: whose car counts in which pool, what it weighs, what the fine is ([10], [11]).

A *slot* is a maker under a rule. In each year every slot belongs to one pool, which is known by the slot of its first member, so a pool keeps its place from
year to year while its members stay. `market.pools.obligation` says who is in which pool; here it is laid out over years.

What a maker sells in the rest of the area is not simulated. In one year it is held as it was; over years that would leave a part of each fleet in the base
year for good. It then goes with the maker's own sales in the area's markets: so many cars for each simulated one as in the base year, with emissions (for
a mandate: electric shares) in the same proportion to the simulated ones. Makers that sell nothing in the simulated markets stay as they were.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.market.memory import content_of
from keiretsu.market.pools import FleetRule, FleetTarget, Obligation, PoolRecord, RestOfArea, burden_of, obligations
from keiretsu.market.world import World
from keiretsu.outlook.arrays import FleetYears
from keiretsu.outlook.roster import Roster, Storyline
from keiretsu.outlook.shared import Shared, same
from keiretsu.units import MODEL_CURRENCY

SHARINGS = ("internal price", "pro rata", "one payer")
POOLS_AT_A_TIME = 8  # places for pools are made in such steps, so that scenarios with a pool more or less share compiled code
MOST_FOR_EACH = 10.0  # cars in the rest of the area for each simulated one; a maker with more is hardly simulated and stays as it was


@dataclass(frozen=True)
class Slots:
    """Makers under rules, (K,): names of rules (R,) and each slot's rule and maker, the same in all storylines and years."""

    rules: tuple[str, ...]
    makers: tuple[tuple[str, str], ...]
    pools: int = 0
    """The most pools with a fine that any year of any storyline has, rounded up."""

    @property
    def labels(self) -> tuple[str, ...]:
        """``eu_co2: Renault``."""
        return tuple(f"{rule}: {maker}" for rule, maker in self.makers)


NO_SLOTS = Slots((), ())
"""No fleet rule anywhere."""


def slots_of(stories: Sequence[Storyline], roster: Roster, years: Sequence[int], shared: Shared) -> Slots:
    """Every maker that any rule in force in any year of any storyline counts; `shared` is what storylines have in common, and is added to."""
    found: dict[tuple[str, str], None] = {}
    most = 0
    for story in stories:
        for u, world in enumerate(story.worlds):
            for year in sorted({y for y, v in zip(years, story.world_of_year, strict=True) if v == u}):
                table = shared.once(("every row", *same(world.products)), lambda world=world: _rows(world, roster))
                duties = _duties(world, table, year, shared)
                most = max(most, sum(cap > 0 for duty in duties for cap in duty.cap))
                for duty in duties:
                    found |= {(duty.rule.id, maker): None for pool in duty.pools for maker in sorted(pool.makers)}
    makers = tuple(sorted(found))
    return Slots(tuple(sorted({rule for rule, _ in makers})), makers, max(-(-most // POOLS_AT_A_TIME), 1) * POOLS_AT_A_TIME)


def fleet_of_years(
    slots: Slots,
    world: World,
    story: Storyline,
    rows: Sequence[Mapping[str, pd.DataFrame]],
    years: Sequence[int],
    size: int,
    follows: bool,
    shared: Shared,
) -> FleetYears | None:
    """Rules of a storyline. `world` is the base year's, `rows` are each of the storyline's worlds on the roster's slots, `size` is J.

    `follows` lets the rest of the area go with makers' own sales; `shared` is what storylines have in common, and is added to. None when no storyline
    has a rule.
    """
    if not slots.makers:
        return None
    looks = tuple(look for tables in rows for look in shared.looks(tables).values())
    key = ("fleet rules", looks, story.world_of_year, *same(*(w.pools for w in story.worlds)))
    return shared.once(key, lambda: _laid_out(slots, world, story, rows, years, size, follows, shared))


def _laid_out(
    slots: Slots,
    world: World,
    story: Storyline,
    rows: Sequence[Mapping[str, pd.DataFrame]],
    years: Sequence[int],
    size: int,
    follows: bool,
    shared: Shared,
) -> FleetYears:
    known: dict[tuple[object, ...], dict[str, np.ndarray]] = {}
    every: list[dict[str, np.ndarray]] = []
    for year, u in zip(years, story.world_of_year, strict=True):
        duties = _duties(story.worlds[u], shared.once(("joined", *same(rows[u])), lambda u=u: _joined(rows[u])), year, shared)
        key = (u, *((duty.rule.id, duty.rule.markets, duty.rule.counted_by, duty.rule.target, duty.pools) for duty in duties))
        if key not in known:
            records = story.worlds[u].pools
            known[key] = _one_year(slots, world, tuple(r for r in records if isinstance(r, RestOfArea)), rows[u], duties, size, follows, shared)
        every.append(known[key])
    window, windows = _windows(slots, story, years, np.stack([one["pool"] for one in every]), np.stack([one["cap"] for one in every]))
    stacked = {name: shared.array(np.stack([one[name] for one in every])) for name in every[0]}
    return FleetYears(**stacked, window=shared.array(window), windows=windows)


def _windows(slots: Slots, story: Storyline, years: Sequence[int], pool: np.ndarray, cap: np.ndarray) -> tuple[np.ndarray, int]:
    """Window of years that each pool's balance is averaged over, -1 for none, (T, K), and how many windows there are."""
    found = np.full(pool.shape, -1)
    known: dict[tuple[str, tuple[int, ...]], int] = {}
    for t, (year, u) in enumerate(zip(years, story.world_of_year, strict=True)):
        for rule in (r for r in story.worlds[u].pools if isinstance(r, FleetRule) and r.from_year <= year <= r.to_year):
            if rule.averaged and rule.averaged[0] <= year <= rule.averaged[1]:
                number = known.setdefault((rule.id, rule.averaged), len(known))
                mine = [k for k, (name, _) in enumerate(slots.makers) if name == rule.id and cap[t, k] > 0]
                found[t, mine] = number
    return found, len(known)


def _one_year(
    slots: Slots,
    world: World,
    rest: Sequence[RestOfArea],
    rows: Mapping[str, pd.DataFrame],
    duties: Sequence[Obligation],
    size: int,
    follows: bool,
    shared: Shared,
) -> dict[str, np.ndarray]:
    """Arrays of one year, see `FleetYears`."""
    place = {slot: k for k, slot in enumerate(slots.makers)}
    count, markets = len(slots.makers), list(rows)
    maker = np.zeros((len(markets), size, len(slots.rules)), int)
    burden, counted, covers = np.zeros(maker.shape), np.zeros(maker.shape), np.zeros((len(markets), len(slots.rules)))
    found = {
        "rule_of": np.array([slots.rules.index(rule) for rule, _ in slots.makers]),
        "own_market": _own_market(slots, world),
        "pool": np.arange(count),
        "cap": np.zeros(count),
        "rest": np.zeros(count),
        "sharing": np.zeros(count, int),
        "payer": np.zeros(count),
    }
    for duty in duties:
        r = slots.rules.index(duty.rule.id)
        mine = [one for one in rest if one.rule == duty.rule.id]
        key = ("goes with", *same(duty.rule, world, *mine))
        goes_with = shared.once(key, lambda duty=duty, mine=mine: _goes_with(duty, world, mine)) if follows else {}
        for m, market in enumerate(markets):
            if market not in duty.rule.markets:
                continue
            table = rows[market]
            n, covers[m, r] = len(table), 1.0
            names = table[duty.rule.counted_by].astype(str)
            maker[m, :n, r] = [place[duty.rule.id, name] for name in names]
            burden[m, :n, r] = duty.burden(table)
            counted[m, :n, r] = burden[m, :n, r] + _rest_for_each(duty, table, names, goes_with)
        for pool, cap in zip(duty.pools, duty.cap, strict=True):
            members = [place[duty.rule.id, name] for name in pool.makers]
            if not members:
                continue
            first = min(members)
            found["pool"][members] = first
            found["cap"][first] = cap
            found["sharing"][members] = SHARINGS.index(pool.sharing)
            for name, k in zip(pool.makers, members, strict=True):
                found["payer"][k] = float(name == pool.payer)
                found["rest"][k] = 0.0 if name in goes_with else duty.rest_by_maker.get(name, 0.0)
    live = np.flatnonzero(found["cap"] > 0)
    found["live"] = np.concatenate([live, np.full(slots.pools - live.size, count)])
    return found | {"maker": maker, "burden": burden, "counted": counted, "covers": covers}


def _goes_with(duty: Obligation, world: World, records: Sequence[RestOfArea]) -> dict[str, tuple[float, float]]:
    """By maker: cars in the rest of the area for each simulated one, and the ratio of their mean grams (of electric shares, for a mandate)."""
    rows = world.products[world.products["market"].isin(duty.rule.markets) & world.products["available"]]
    target, units = duty.rule.target, rows["units"].to_numpy(float)
    weight = rows["co2_gkm"].to_numpy(float) if isinstance(target, FleetTarget) else (rows["powertrain"] == target.powertrain).to_numpy(float)
    names, of_maker = np.unique(rows[duty.rule.counted_by].to_numpy(str), return_inverse=True)
    sold, weighed = (dict(zip(names, np.bincount(of_maker, amount, names.size), strict=True)) for amount in (units, weight * units))
    found: dict[str, tuple[float, float]] = {}
    for rest in records:
        cars = float(sold.get(rest.maker, 0.0))
        if cars <= 0 or rest.cars / cars > MOST_FOR_EACH:
            continue
        here = float(weighed[rest.maker]) / cars
        if isinstance(target, FleetTarget):
            there = rest.co2_gkm
        else:
            there = rest.electric_cars / rest.cars if rest.cars > 0 else 0.0
        if here > 0 or there == 0:
            found[rest.maker] = rest.cars / cars, there / here if here > 0 else 1.0
    return found


def _rest_for_each(duty: Obligation, table: pd.DataFrame, names: pd.Series, goes_with: Mapping[str, tuple[float, float]]) -> np.ndarray:
    """What the cars in the rest of the area that go with one car of each product weigh. (n,)"""
    cars = np.array([goes_with.get(name, (0.0, 1.0))[0] for name in names])
    ratio = np.array([goes_with.get(name, (0.0, 1.0))[1] for name in names])
    target, powertrain = duty.rule.target, table["powertrain"].astype(str).to_numpy()
    if isinstance(target, FleetTarget):
        return cars * burden_of(target, ratio * table["co2_gkm"].to_numpy(float), table["mass_kg"].to_numpy(float), powertrain)
    return cars * (target.share - ratio * (powertrain == target.powertrain))


def _own_market(slots: Slots, world: World) -> np.ndarray:
    """Of each rule a market with the money that its fine is in, -1 for EUR and for money that no market has. (R,)"""
    names = list(world.markets)
    found: list[int] = []
    for rule in slots.rules:
        currency = next((r.currency for r in world.pools if isinstance(r, FleetRule) and r.id == rule), MODEL_CURRENCY)
        found.append(
            next((m for m, name in enumerate(names) if currency not in (MODEL_CURRENCY, "") and world.markets[name].currency == currency), -1)
        )
    return np.array(found, dtype=int)


def _duties(world: World, rows: pd.DataFrame, year: int, shared: Shared) -> tuple[Obligation, ...]:
    """What is asked in a year of the makers that sell; of the table, who sells where is all that counts."""
    records: Sequence[PoolRecord] = world.pools
    if not records:
        return ()
    counted = sorted({r.counted_by for r in records if isinstance(r, FleetRule)})
    sells = shared.once(("who sells", tuple(counted), *same(rows)), lambda: content_of(rows[["market", *counted]]))
    return shared.once(("duties", year, sells, *same(records)), lambda: obligations(records, rows, dt.date(year, 7, 1)))


def _rows(world: World, roster: Roster) -> pd.DataFrame:
    """Every product of the roster as it is in `world`, and in the roster's own terms where the world does not have it."""
    return pd.concat([*roster.rows.values(), world.products], ignore_index=True)


def _joined(rows: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(list(rows.values()), ignore_index=True)
