"""Markets of a year of a path that is there, in NumPy and as the one-year model knows them ([7], [8], [10]).

A path keeps prices and sales, not what they were solved from. A small program of its own, compiled when it is first asked for, works that out again for one year;
what is looked at there is looked at by `keiretsu.market` and `keiretsu.supply`, as in one year.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Array, Float, Int

from keiretsu.demand.tastes import Tastes
from keiretsu.market.market import Market
from keiretsu.market.policy.compile import Compiled
from keiretsu.market.regulated import Found, Prepared, Rules
from keiretsu.market.world import MarketFacts
from keiretsu.numerics.host import host
from keiretsu.numerics.kept import Kept
from keiretsu.outlook.arrays import BaseYear, Plan, Reproduced, Year
from keiretsu.outlook.bent import NEAR_EUR, Pieces, pieces_in_force, rules_of_year
from keiretsu.outlook.clearing import YearMarket
from keiretsu.outlook.fleet import Area
from keiretsu.outlook.inputs import Values
from keiretsu.outlook.path import LaunchValues, draw_of, in_year, names_by_year
from keiretsu.outlook.year import money_of, part_and_age, planned_markets
from keiretsu.supply.kinks import BentPricing, Stuck
from keiretsu.supply.notches import Settled
from keiretsu.supply.pieces import PiecewiseWedges
from keiretsu.supply.pricing import Pricing, PricingOptions

REPRODUCED = 1e-6  # share of its sales by which a car's may differ from the path's: prices are settled to a tenth of a thousandth of a euro


class Seen(eqx.Module):
    """One year as its path had it: markets, pieces of taxes and incentives, what cars weigh at the shadow prices of pools with a fine (M, J, P), in the market's money;
    what a unit of each market's money is worth (M,), and of the money of each pool's rule (P,), relative to the case's rate; class of each draw."""

    markets: YearMarket
    pieces: Pieces
    charged: Float[Array, "M J P"]
    money: Float[Array, " M"]
    worth: Float[Array, " P"]
    buyer_class: Int[Array, "M I"]
    outside: bool = eqx.field(static=True)


def year_as_found(base: BaseYear, plan: Plan, values: Values, launches: LaunchValues, found: Reproduced, years: Year, number: Int[Array, ""]) -> Seen:
    """Year `number` (from 0) of a path, `found` and `years`, under a plan with fleet rules and breakpoints; one whose pots of money do not run out in it."""
    here, year = (
        in_year(plan, {name: jax.tree.map(lambda x: x[number], getattr(plan, name)) for name in names_by_year(plan)}),
        _of_year(years, number),
    )
    draw = draw_of(plan, values, launches, found)
    markets = planned_markets(base, draw, here, *part_and_age(base, here, draw), year.chargers, year.pack_price)
    assert here.rules is not None
    assert here.bends is not None
    assert here.bend_set is not None
    assert here.keeps is not None
    assert year.pot_open is not None
    area = Area(here.rules, year.potential, money_of(base, values))
    pieces = pieces_in_force(rules_of_year(here.bends, here.bend_set), here.keeps, values["incentives"], year.pot_open)
    worth = area.of_live(area.rule_money[here.rules.rule_of])
    return Seen(markets, pieces, area.charged, area.money, worth, base.buyer_class, base.outside)


seen = Kept(year_as_found)


def _of_year(years: Year, number: Int[Array, ""]) -> Year:
    return jax.tree.map(lambda values: jnp.asarray(values)[number], years)


def as_found(
    at: Seen, m: int, facts: MarketFacts, year: Year, weighs: np.ndarray, rate: np.ndarray, free: np.ndarray, options: PricingOptions
) -> tuple[Prepared, Found] | None:
    """Market `m` of a year seen, in the one-year model's terms; `at` and `year` (without the axis of years) in NumPy.

    `weighs` (J, P) is what a car weighs at shadow prices `rate` (P,), in the market's money; those of pools that are not `free` (P,) to move are part of its cost.

    None where the sides of prices cannot be told from the year: its sales are not those of its prices on any.
    """
    prepared = _prepared(at, m, replace(facts, potential=float(year.potential[m])), weighs[:, ~free] @ rate[~free], options)
    shadow = weighs[:, free] @ rate[free]
    market, pieces, sold = prepared.market, prepared.pieces, np.asarray(prepared.market.tastes.available)
    price = np.where(sold, np.asarray(year.price[m]), np.asarray(market.start))
    near = np.abs(price[:, None] - pieces.breaks) <= NEAR_EUR
    stands = near.any(axis=1) & sold & ~np.asarray(market.held)
    at_break = near.argmax(axis=1)
    price = np.where(stands, pieces.breaks[np.arange(price.size), at_break], price) if near.size else price
    piece = np.where(near, ~pieces.closed_below, price[:, None] > pieces.breaks).sum(axis=1)
    cost, units = np.asarray(market.cost) + shadow, np.asarray(year.units[m])
    for _ in range(2):
        share = prepared.packed.spread(_share(prepared, piece, cost, price), np.zeros(price.size))
        off = np.abs(share * prepared.facts.potential - units) > REPRODUCED * units + REPRODUCED
        if not off.any():
            stuck = tuple(_stuck(pieces, piece, j, int(at_break[j])) for j in map(int, np.flatnonzero(stands)))
            return prepared, _found(pieces, price, share, piece, stuck, shadow)
        piece = np.where(off & stands, 2 * at_break + 1 - piece, piece)  # a price at the end of its side may be on the worse one
    return None


def _share(prepared: Prepared, piece: np.ndarray, cost: np.ndarray, price: np.ndarray) -> np.ndarray:
    packed = prepared.packed
    return packed.look(packed.terms_on(prepared.pieces, piece, cost), price).share


def _prepared(at: Seen, m: int, facts: MarketFacts, given: np.ndarray, options: PricingOptions) -> Prepared:
    """What prices of a market depend on; of programmes nothing but their pieces is known."""
    here: YearMarket = jax.tree.map(lambda values: values[m], eqx.tree_at(lambda x: x.sellers, at.markets, None))
    tastes = Tastes(here.delta, here.mu, here.alpha, here.weight, here.on_sale, here.nests, at.outside)
    nothing = np.zeros(here.cost.shape)
    market = Market(
        tastes, here.wedges, here.weights, host(np.asarray(here.cost) + np.asarray(here.shadow) + given), host(nothing), here.start, here.held
    )
    labels = tuple(f"slot {j}" for j in range(nothing.size))
    rows = pd.DataFrame(index=range(nothing.size))
    return Prepared(market, rows, facts, cast(Rules, None), cast(Compiled, None), _pieces(at, m), labels, (), options)


def _pieces(at: Seen, m: int) -> PiecewiseWedges:
    of: Pieces = jax.tree.map(lambda values: np.asarray(values[m]), at.pieces)
    classes = np.asarray(at.buyer_class[m])

    def by_draw(values: np.ndarray) -> np.ndarray:
        return values if values.shape[-1] == 1 else values[..., classes]

    buyer_rate, buyer_add, maker_charge = (by_draw(np.asarray(x)) for x in (of.buyer_rate, of.buyer_add, of.maker_charge))
    labels = (("",) * of.breaks.shape[1],) * of.breaks.shape[0]
    return PiecewiseWedges(np.asarray(of.breaks), np.asarray(of.below_better), labels, buyer_rate, buyer_add, np.asarray(of.maker_rate), maker_charge)


def _stuck(pieces: PiecewiseWedges, piece: np.ndarray, j: int, k: int) -> Stuck:
    """A price that stands at breakpoint k; how hard it is pushed there is not asked."""
    return Stuck(j, f"slot {j}", "", float(pieces.breaks[j, k]), "kink", np.nan, np.nan, bool(piece[j] == k))


def _found(pieces: PiecewiseWedges, price: np.ndarray, share: np.ndarray, piece: np.ndarray, stuck: tuple[Stuck, ...], shadow: np.ndarray) -> Found:
    nothing = np.zeros(price.size)
    pricing = Pricing(host(price), host(share), host(nothing), host(0), host(0), host(0), host(True))
    settled = Settled(BentPricing(pricing, price, share, piece, stuck, 0), -np.inf, 0, 0)
    return Found(cast(Compiled, None), pieces, settled, shadow, nothing)
