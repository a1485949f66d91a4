"""How much people like the cars that are planned: enough to sell the expected number a year at the planned price under the base year's conditions.

A planned price far below all others would otherwise promise a quality that characteristics do not show: a projection from the electric cars of
today, most of them dear, makes a cheap small car a runaway success. All planned cars are taken to be on sale together in the base
year's market, at planned prices, and their mean utilities are inverted from the sales expected of them, as those of observed cars are.
"""

from __future__ import annotations

from collections.abc import Mapping

import jax
import numpy as np
from jaxtyping import Array

from keiretsu.demand.newton import with_shares
from keiretsu.demand.tastes import Tastes
from keiretsu.errors import NotSettled
from keiretsu.market.world import World
from keiretsu.numerics.host import host
from keiretsu.outlook.arrays import BaseYear
from keiretsu.outlook.facts import OutlookFacts
from keiretsu.outlook.lineage import new_product_of
from keiretsu.outlook.roster import Roster, Storyline
from keiretsu.supply.wedges import Wedges, paid

STEPS, SOUGHT, TOLERANCE = 200, 1e-12, 1e-8  # evaluations; log share looked for, and enough: expected sales are round numbers

Key = tuple[str, str]


def planned_utilities(world: World, roster: Roster, story: Storyline, base: BaseYear, facts: OutlookFacts) -> dict[Key, tuple[float, float]]:
    """For each planned car and market: utils over the car it is like, and the part of them that its sales, not its price, account for.

    Raises
    ------
    NotSettled
        When no utility gives the expected sales.
    """
    expected = _expected_units(world, facts)
    if not expected:
        return {}
    slot_of = roster.slots(story)
    deltas = {
        (str(m), str(p)): float(d) for m, p, d in zip(world.products["market"], world.products["product"], world.products["delta"], strict=True)
    }
    prices = {(str(m), str(p)): float(x) for m, p, x in zip(story.worlds[0].products["market"], story.worlds[0].products["product"], story.worlds[0].products["price_eur"], strict=True)}  # fmt: skip
    base = jax.tree.map(np.asarray, base)  # outside compiled code every market's slice would be compiled by itself
    found: dict[Key, tuple[float, float]] = {}
    for m, market in enumerate(roster.rows):
        mine = {product: units for (where, product), (units, _) in expected.items() if where == market}
        share, price, delta = np.array(base.share[m]), np.array(base.price[m]), np.zeros(base.share.shape[1])
        new = np.zeros(share.size, bool)
        for (where, product), value in deltas.items():
            if where == market:
                delta[slot_of[where, product]] = value
        for product, units in mine.items():
            slot, like = slot_of[market, product], expected[market, product][1]
            new[slot], share[slot], price[slot] = True, units / float(base.potential[m]), prices[market, product]
            delta[slot] = deltas[market, like]
        if not mine:
            continue
        nests = None if base.nests is None else jax.tree.map(lambda leaf, m=m: leaf[m], base.nests)
        tastes = Tastes(host(delta), base.mu[m], base.alpha[m], base.weight[m], host(base.on_sale[m] | new), nests, base.outside)
        settled, gap, steps = with_shares(share, new, tastes, paid(_wedges(base, m), host(price)), SOUGHT, STEPS)
        if not (largest := float(np.abs(gap).max())) <= TOLERANCE:
            raise NotSettled(
                "utilities of planned cars",
                where=f"market {market}",
                residual=largest,
                unit="log share",
                iterations=steps,
                next_step="lower expected_units in planned_launches.csv",
            )
        for product, units in mine.items():
            slot, like = slot_of[market, product], expected[market, product][1]
            sold = float(base.share[m, slot_of[market, like]]) * float(base.potential[m])
            found[market, product] = float(settled[slot]) - deltas[market, like], float(base.like_alone[m, slot]) * float(np.log(units / sold))
    return found


def _expected_units(world: World, facts: OutlookFacts) -> Mapping[Key, tuple[float, str]]:
    """Cars a year in each market, in proportion to those of the car it is like, and that car."""
    found: dict[Key, tuple[float, str]] = {}
    rows = world.products
    for launch in facts.launches:
        new = new_product_of(launch.move)
        if new is None:
            continue
        like = rows[(rows["product"] == new.like) & rows["market"].isin(new.markets)].set_index("market")["units"]
        for market in new.markets:
            found[market, new.product] = launch.expected_units * float(like[market]) / float(like.sum()), new.like
    return found


def _wedges(base: BaseYear, m: int) -> Wedges:
    """Taxes and incentives of one market's base year, written out by draw where classes of buyers differ."""

    def spread(values: Array) -> Array:
        return values[m] if values.shape[-1] == 1 else values[m][:, base.buyer_class[m]]

    return Wedges(spread(base.buyer_rate), spread(base.buyer_add), base.maker_rate[m], spread(base.maker_charge))
