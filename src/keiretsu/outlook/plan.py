"""From storylines to arrays: the base year and every scenario's plan on one roster, padded to one shape."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import numpy as np
import pandas as pd

from keiretsu.demand.preferences import Preferences
from keiretsu.demand.tastes import Nests
from keiretsu.demand.utility import mu_of
from keiretsu.market.characteristics import characteristic_matrix
from keiretsu.market.market import Market, base_wedges, kappa_of, parse_split, tastes_of_rows
from keiretsu.market.padding import Shape, common_shape, padded
from keiretsu.market.policy.programmes import in_force
from keiretsu.market.world import MarketFacts, World
from keiretsu.numerics.host import host
from keiretsu.outlook.arrays import POWERTRAINS, BaseYear, Plan
from keiretsu.outlook.bends import RulesOfYears
from keiretsu.outlook.facts import OutlookFacts
from keiretsu.outlook.fleet_years import Slots, fleet_of_years
from keiretsu.outlook.inputs import CURRENCIES
from keiretsu.outlook.launched import launched_arrays
from keiretsu.outlook.policy import Rules, YearlyWedges, classes_of, wedges_on
from keiretsu.outlook.roster import Roster, Storyline
from keiretsu.outlook.shared import Shared, same
from keiretsu.supply.wedges import Wedges
from keiretsu.supply.weights import ProfitWeights

CURRENCY_OF_ORIGIN: Mapping[str, str] = {
    "JP": "JPY", "CN": "CNY", "IN": "INR", "KR": "KRW", "UK": "GBP", "GB": "GBP", "US": "USD", "BR": "BRL", "MX": "MXN", "CA": "CAD", "AU": "AUD",
    "TR": "TRY", "TH": "THB", "ZA": "ZAR", "ID": "IDR",
}  # fmt: skip
"""Where a car's cost is not in euro; what is built in the European Union is taken to be, its own currencies move with it."""
KINDS = {"on_sale": bool, "held": bool, "setter": int}
PLACES = 8  # slots and companies are rounded up to multiples of this: every empty one takes its part of every path's time


class Firms(eqx.Module):
    """Who prices, earns and builds each slot under one world. Axes as in `Plan`, without the year."""

    setter: np.ndarray
    split: np.ndarray
    transfer_unit: np.ndarray
    transfer_price: np.ndarray


def base_year_arrays(world: World, roster: Roster, facts: OutlookFacts) -> tuple[BaseYear, Shape]:
    """The base year on the roster's slots, and the shape that all arrays of this run share."""
    kappa = _kappa(world, roster.firms)
    plain = {m: _market(world.markets[m], world.preferences, rows, roster.firms, kappa) for m, rows in roster.rows.items()}
    shape = common_shape(list(plain.values()), PLACES)
    cut = [padded(plain[m], shape) for m in roster.rows]
    was_sold = {m: np.arange(len(rows)) < roster.first_new[m] for m, rows in roster.rows.items()}

    def column(name: str, fill: float = 0.0) -> np.ndarray:
        return np.stack([_long(rows[name].to_numpy(float), shape.products, fill) for rows in roster.rows.values()])

    def marked(values: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.stack([_long(values[m].astype(float), shape.products, 0.0) for m in roster.rows])

    sold = marked(was_sold) > 0
    potential = np.array([world.markets[m].potential for m in roster.rows])
    firms = _stack_firms([_firms(rows, roster.firms, shape) for rows in roster.rows.values()])
    text = {m: rows["powertrain"].to_numpy(str) for m, rows in roster.rows.items()}
    policy, _ = _policy_on(world, roster.rows, world.observed_on, shape, Shared())
    nests = _join([m.tastes.nests for m in cut if m.tastes.nests is not None])
    arrays: dict[str, Any] = {
        "mu": _same_width([m.tastes.mu for m in cut]),
        "electric_mu": _same_width([_padded_mu(_electric_mu(world, m, rows), shape) for m, rows in roster.rows.items()]),
        "alpha": _join([m.tastes.alpha for m in cut]),
        "weight": _join([m.tastes.weight for m in cut]),
        "nests": nests,
        "share": np.where(sold, column("units") / potential[:, None], 0.0),
        "price": np.where(sold, column("price_eur"), 0.0),
        "on_sale": sold,
        "buyer_rate": policy["buyer_rate"],
        "buyer_add": policy["buyer_add"] + policy["incentive"],
        "maker_rate": policy["maker_rate"],
        "maker_charge": policy["maker_charge"],
        "buyer_class": np.stack([_long(classes_of(world.markets[m]), shape.draws, 0) for m in roster.rows]),
        "shadow": np.zeros(sold.shape),
        "setter": firms.setter,
        "kappa": _grown(kappa, shape.firms),
        "split": firms.split,
        "transfer_unit": firms.transfer_unit * sold[:, None, :],
        "transfer_price": firms.transfer_price,
        "known": (column("cost_given") > 0) & sold,
        "known_cost": column("cost_eur"),
        "potential": potential,
        "powertrain": np.stack([marked({m: text[m] == p for m in text}) for p in POWERTRAINS]),
        "battery_kwh": column("battery_kwh"),
        "co2_gkm": column("co2_gkm"),
        "like_alone": np.ones(sold.shape)
        if nests is None
        else np.stack([(1 - n.sigma_sub)[n.sub] for n in (m.tastes.nests for m in cut) if n is not None]),
        "currency": np.stack([marked({m: _exposure(world.markets[m], rows, c) for m, rows in roster.rows.items()}) for c in CURRENCIES]),
        "money": np.array([[float(world.markets[m].currency == c) for m in roster.rows] for c in CURRENCIES]),
        "chinese": marked({m: rows["origin"].to_numpy(str) == "CN" for m, rows in roster.rows.items()}),
        "cumulative_gwh": host(facts.cumulative_gwh, float),
        "base_year_gwh": host(facts.base_year_gwh, float),
        "pack_price": host(facts.pack_price_eur_kwh, float),
        "fleet": np.stack([facts.fleet[m] for m in roster.rows]),
        "chargers": np.array([facts.chargers[m] for m in roster.rows]),
        "pace": np.array([facts.pace.get(m, 1.0) for m in roster.rows]),
        "life_years": host(facts.life_years, float),
        "life_shape": host(facts.life_shape, float),
        "cycle_years": host(facts.cycle_years, float),
        "base_year": host(facts.base_year, float),
    }
    # handed over together: one at a time each shape of array would be compiled by itself
    return BaseYear(**jax.device_put(arrays), outside=world.preferences.outside), shape


def plan_of(
    world: World,
    roster: Roster,
    story: Storyline,
    facts: OutlookFacts,
    base: BaseYear,
    shape: Shape,
    spare: int,
    planned: Mapping[tuple[str, str], tuple[float, float]],
    slots_ruled: Slots,
    shared: Shared,
) -> tuple[Plan, RulesOfYears]:
    """One storyline on the roster, and its taxes and incentives piece by piece.

    `spare` is the length that launched slots are padded to; `slots_ruled` are makers under fleet rules; `shared` is what other storylines have in
    common with it, and is added to.
    """
    n, of_year, first = shape.products, story.world_of_year, story.worlds[0].products
    slot_of = shared.once(("slots", *same(first)), lambda: roster.slots(story))
    asked = (
        "launched",
        *same(story.lineage, first),
        tuple(story.launch_years.items()),
        tuple(story.replaced_by.items()),
        tuple(story.last_years.items()),
    )
    launched = shared.once(asked, lambda: launched_arrays(world, roster, story, slot_of, n, spare, planned))
    parts = [
        shared.once(
            ("world", *same(w.products, doubled, story.lineage)),
            lambda w=w, doubled=doubled: _one_world(w, doubled, roster, story, slot_of, shape, world),
        )
        for w, doubled in zip(story.worlds, story.costs_doubled, strict=True)
    ]
    rows = [one for _, one in parts]
    of_worlds = {name: [found[name] for found, _ in parts] for name in parts[0][0]}
    stacked = {name: shared.by_year(values, of_year, KINDS.get(name)) for name, values in of_worlds.items()}
    days, bent = _policy_of_years(story, rows, facts, shape, shared)
    before = _policy_on(world, roster.rows, world.observed_on, shape, shared)[0]["utility"]
    own = float((world.products["units"] * world.products["battery_kwh"]).sum()) / 1e6
    others = 1.0 - own / facts.base_year_gwh if facts.base_year_gwh > 0 else 1.0  # without a battery in the world all of nothing is others'
    rules = fleet_of_years(slots_ruled, world, story, rows, facts.years, n, facts.rest_follows, shared)
    stacked |= {name: shared.by_year([day[name] for day in days], bent.of_year) for name in days[0] if name != "utility"}
    fields: dict[str, Any] = {**stacked, **{name: shared.array(values) for name, values in launched.items()}}
    plan = Plan(
        **fields,
        kappa=shared.by_year([_grown(_kappa(w, roster.firms), shape.firms) for w in story.worlds], of_year),
        shadow=shared.array(np.zeros(stacked["start"].shape)),
        utility=shared.by_year(
            [day["utility"] - before for day in days], bent.of_year
        ),  # the base year's chargers are inside the deltas inverted from it
        world_gwh=shared.array(np.array(facts.world_gwh) * others),
        year=shared.array(np.array(facts.years, dtype=float)),
        rules=rules,
    )
    return plan, bent


def _one_world(
    w: World, doubled: pd.Series, roster: Roster, story: Storyline, slot_of: Mapping[tuple[str, str], int], shape: Shape, base: World
) -> tuple[dict[str, np.ndarray], dict[str, pd.DataFrame]]:
    """A plan's arrays for one world of the storyline, without the axis of years and without policy, and its rows on the roster's slots."""
    base_cost = base.products["cost_eur"].to_numpy(float)
    base_place = {(str(m), str(p)): i for i, (m, p) in enumerate(zip(base.products["market"], base.products["product"], strict=True))}
    table = {str(name): column.to_numpy() for name, column in w.products.items()}
    costs, twice = table["cost_eur"].astype(float), doubled.to_numpy(float)
    columns: dict[str, list[np.ndarray]] = {}
    seen: dict[str, pd.DataFrame] = {}
    for market, all_rows in roster.rows.items():
        there = np.flatnonzero(table["market"] == market)
        products = [str(product) for product in table["product"][there]]
        index = np.array([slot_of[market, product] for product in products])
        rows = _in_their_slots(all_rows, {name: values[there] for name, values in table.items()}, index)
        on = np.zeros(len(rows))
        on[index] = table["available"][there]
        slope, add, saving = np.zeros(len(rows)), np.zeros(len(rows)), np.ones(len(rows))
        for slot, product, cost, at_twice in zip(index, products, costs[there].tolist(), twice[there].tolist(), strict=True):
            line = story.lineage.get((market, product))
            source = base_cost[base_place[market, product] if line is None else line.source]
            if line is not None and not line.copies_cost:
                slope[slot], saving[slot] = cost / source, 1.0
            else:
                slope[slot] = (at_twice - cost) / source
                add[slot], saving[slot] = cost - slope[slot] * source, slope[slot]
        firms = _firms(rows, roster.firms, shape)
        seen[market] = rows
        found = {
            "on_sale": on,
            "cost_slope": slope,
            "cost_add": add,
            "saving": saving,
            "held": rows["held"].to_numpy(float),
            "start": rows["price_eur"].to_numpy(float),
            "setter": firms.setter,
            "split": firms.split,
            "transfer_unit": firms.transfer_unit * _long(on, shape.products, 0.0),
            "transfer_price": firms.transfer_price,
        }
        for name, values in found.items():
            longer = values if values.shape[-1] == shape.products or values.ndim > 1 else _long(values, shape.products, 0.0)
            columns.setdefault(name, []).append(longer)
    return {name: np.stack(values) for name, values in columns.items()}, seen


def _in_their_slots(slots: pd.DataFrame, there: Mapping[str, np.ndarray], index: np.ndarray) -> pd.DataFrame:
    """The roster's rows of a market with a world's products in their slots; kinds of columns stay those of the roster."""

    def column(name: str, values: Any) -> Any:
        values = values.array.copy()
        values[index] = there[name]
        return values

    return pd.DataFrame({name: column(str(name), values) for name, values in slots.items()}, index=slots.index)


def _policy_of_years(
    story: Storyline, rows: Sequence[Mapping[str, pd.DataFrame]], facts: OutlookFacts, shape: Shape, shared: Shared
) -> tuple[list[dict[str, np.ndarray]], RulesOfYears]:
    """Policy arrays and all pieces of days on which programmes differ, and which of them each year has."""

    def made() -> tuple[list[dict[str, np.ndarray]], RulesOfYears]:
        known: dict[tuple[object, ...], int] = {}
        sets: list[tuple[dict[str, np.ndarray], tuple[Rules, ...]]] = []
        of_year = []
        for year, u in zip(facts.years, story.world_of_year, strict=True):
            day = dt.date(year, 7, 1)
            key = (u, *(tuple(p.scope.id for p in in_force(story.worlds[u].programmes, market, day)) for market in rows[u]))
            if key not in known:
                known[key] = len(sets)
                sets.append(_policy_on(story.worlds[u], rows[u], day, shape, shared))
            of_year.append(known[key])
        return [arrays for arrays, _ in sets], RulesOfYears(tuple(rules for _, rules in sets), tuple(of_year))

    looks = tuple(look for tables in rows for look in shared.looks(tables).values())
    return shared.once(("policy", looks, story.world_of_year, *same(*(of for w in story.worlds for of in (w.programmes, w.markets)))), made)


def _policy_on(
    world: World, rows: Mapping[str, pd.DataFrame], day: dt.date, shape: Shape, shared: Shared
) -> tuple[dict[str, np.ndarray], tuple[Rules, ...]]:
    """`_policy` of a world; what another storyline, or another year, had in common with it is not compiled again."""
    looks = shared.looks(rows)
    found: dict[str, YearlyWedges] = {}
    for market, table in rows.items():
        facts = world.markets[market]
        key = ("wedges", looks[market], *same(facts, *in_force(world.programmes, market, day)))
        price = table["price_eur"].to_numpy(float)
        found[market] = shared.once(key, lambda facts=facts, table=table, price=price: wedges_on(world.programmes, table, facts, day, price))
    return shared.once(("day", shape, *same(*found.values())), lambda: _policy(found, shape))


def _policy(found: Mapping[str, YearlyWedges], shape: Shape) -> tuple[dict[str, np.ndarray], tuple[Rules, ...]]:
    """Policy arrays of all markets on one day, on the pieces of their prices, and all pieces."""
    classes = max(one.rate.shape[1] for one in found.values())

    def wide(values: np.ndarray, fill: float) -> np.ndarray:
        out = np.full((shape.products, classes), fill)
        out[: values.shape[0], : values.shape[1]] = values
        return out

    arrays = {
        "buyer_rate": np.stack([wide(one.rate, 1.0) for one in found.values()]),
        "buyer_add": np.stack([wide(one.add, 0.0) for one in found.values()]),
        "incentive": np.stack([wide(one.incentive, 0.0) for one in found.values()]),
        "maker_rate": np.stack([_long(one.keep, shape.products, 1.0) for one in found.values()]),
        "maker_charge": np.stack([wide(one.charge, 0.0) for one in found.values()]),
        "utility": np.stack([_long(one.utility, shape.products, 0.0) for one in found.values()]),
    }
    return arrays, tuple(one.rules for one in found.values())


def _market(facts: MarketFacts, preferences: Preferences, rows: pd.DataFrame, firms: Sequence[str], kappa: np.ndarray) -> Market:
    """A market's arrays on its slots, all of them marked on sale; who is on sale when is the plan's business."""
    n = len(rows)
    zero, nobody = host(np.zeros(n)), host(np.zeros((len(firms), n)))
    weights = ProfitWeights(host(np.zeros(n, int)), host(kappa), nobody, nobody)
    wedges: Wedges = base_wedges(facts, rows)
    return Market(tastes_of_rows(facts, preferences, rows), wedges, weights, zero, zero, zero, host(np.zeros(n, bool)))


def _firms(rows: pd.DataFrame, firms: Sequence[str], shape: Shape) -> Firms:
    index = {firm: i for i, firm in enumerate(firms)}
    n = len(rows)
    split, unit = np.zeros((shape.firms, shape.products)), np.zeros((shape.firms, shape.products))
    split[0, n:] = 1.0
    setter = np.zeros(shape.products, int)
    setter[:n] = [index[str(firm)] for firm in rows["priced_by"]]
    splits = {text: parse_split(text) for text in rows["profit_to"].astype(str).unique()}
    for j, (text, builder) in enumerate(zip(rows["profit_to"].astype(str), rows["made_by"].astype(str), strict=True)):
        earners = splits[text]
        for firm, share in earners.items():
            split[index[firm], j] += share
        if builder:
            unit[index[builder], j] += 1.0
            unit[index[next(iter(earners))], j] -= 1.0
    return Firms(setter, split, unit, _long(rows["transfer_price_eur"].to_numpy(float), shape.products, 0.0))


def _stack_firms(parts: Sequence[Firms]) -> Firms:
    return Firms(*(np.stack([getattr(p, f) for p in parts]) for f in ("setter", "split", "transfer_unit", "transfer_price")))


def _kappa(world: World, firms: Sequence[str]) -> np.ndarray:
    """Profit weights among the roster's firms; one that the world does not have looks after itself."""
    own = world.firms()
    kappa = np.eye(len(firms))
    place = [firms.index(firm) for firm in own]
    kappa[np.ix_(place, place)] = kappa_of(world, own)
    return kappa


def _electric_mu(world: World, market: str, rows: pd.DataFrame) -> np.ndarray:
    """The part of mu that is the spread of the taste for electric cars. (J, I) or (J, 1)"""
    preferences = world.preferences
    names = [t.characteristic for t in preferences.random]
    if "electric" not in names or preferences.correlation is not None:
        return np.zeros((len(rows), 1))
    k = names.index("electric")
    consumers = world.markets[market].consumers
    only = Preferences(preferences.price_taste, preferences.income_power, random=(preferences.random[k],))
    nu = np.asarray(consumers.nu)[:, [k]]
    alone = type(consumers)(consumers.weight, consumers.income_eur, consumers.group, consumers.kind, nu, consumers.group_names, consumers.kind_names)
    return mu_of(only, alone, {"electric": characteristic_matrix(rows, ["electric"])[:, 0]}, len(rows))


def _padded_mu(mu: np.ndarray, shape: Shape) -> np.ndarray:
    out = np.zeros((shape.products, 1 if mu.shape[1] == 1 else shape.draws))
    out[: mu.shape[0], : mu.shape[1]] = mu
    return out


def _exposure(facts: MarketFacts, rows: pd.DataFrame, currency: str) -> np.ndarray:
    """+1 for cars whose cost is in that currency, -1 for all cars of a market that pays in it; both is none. A car without an origin is made where it is sold."""
    built = rows["origin"].astype(str)
    origin = built.map(CURRENCY_OF_ORIGIN).fillna("EUR").where(built != "", facts.currency).to_numpy(str)
    return (origin == currency).astype(float) - float(facts.currency == currency)


def _long(values: np.ndarray, size: int, fill: float) -> np.ndarray:
    out = np.full(size, fill, dtype=float if values.dtype != int else int)
    out[: values.size] = values
    return out


def _grown(matrix: np.ndarray, size: int) -> np.ndarray:
    out = np.eye(size)
    out[: matrix.shape[0], : matrix.shape[1]] = matrix
    return out


def _same_width(arrays: Sequence[Any]) -> np.ndarray:
    """Stacked, written out over draws when any of them is."""
    wide = max(np.shape(a)[1] for a in arrays)
    return np.stack([np.broadcast_to(np.asarray(a), (np.shape(a)[0], wide)) for a in arrays])


def _join(parts: Sequence[Any]) -> Any:
    return None if not parts else jax.tree.map(lambda *leaves: np.stack(leaves), *parts)


__all__ = ["Nests", "base_year_arrays", "plan_of"]
