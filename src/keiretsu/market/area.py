"""All markets of a world with their taxes, incentives, tariff quotas and fleet rules in equilibrium together ([7], [8], [10]).

Each market is solved with its own pieces; pools tie the markets of an area together through their shadow prices. What comes back holds
prices, who is stuck where, accounts, shadow prices and payments; tables for readers are made above.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keiretsu.market.clearing import Cleared
from keiretsu.market.fleet import Group, clear_group, groups_of
from keiretsu.market.market import Market
from keiretsu.market.pools import Obligation, obligations, payments
from keiretsu.market.regulated import Found, RegulatedMarket, Rules, finished, prepare, solve_prepared
from keiretsu.market.world import MarketFacts
from keiretsu.supply.pieces import piece_at
from keiretsu.supply.pricing import PricingOptions

__all__ = ["AreaEquilibrium", "RegulatedMarket", "Rules", "solve_area"]


@dataclass(frozen=True)
class AreaEquilibrium:
    """All markets; `cleared` is None when no fleet rule is in force. `payments` as of `pools.payments`, empty without rules."""

    markets: Mapping[str, RegulatedMarket]
    obligations: tuple[Obligation, ...]
    cleared: Cleared | None
    payments: pd.DataFrame = field(default_factory=pd.DataFrame)


def solve_area(
    cut: Mapping[str, tuple[Market, pd.DataFrame]],
    facts: Mapping[str, MarketFacts],
    rules: Rules,
    options: PricingOptions,
) -> AreaEquilibrium:
    """Every market under its programmes, and the pools of every fleet rule in force.

    Parameters
    ----------
    cut
        Markets (padded or not) and their product rows, by market id. Their own wedges are replaced by those of the programmes.

    Raises
    ------
    PolicyError, PricesNotSettled, NoPureEquilibrium, PoolsNotSettled
        Each naming its market, product or pool.
    """
    at = {name: prepare(market, rows, facts[name], rules, options) for name, (market, rows) in cut.items()}
    found: dict[str, Found] = {}
    for name, one in at.items():
        start = np.asarray(one.market.start, float)
        found[name] = solve_prepared(one, np.zeros(start.size), start, piece_at(one.pieces, start))
    duties = obligations(rules.pools, pd.concat([rows for _, rows in cut.values()], ignore_index=True), rules.date) if rules.pools else ()
    groups = groups_of(duties, at)
    cleared: list[Cleared] = []
    for group in groups:
        one_cleared, moved = clear_group(group, at, found)
        cleared.append(one_cleared)
        found.update(moved)
    done = {name: finished(one, found[name]) for name, one in at.items()}
    if not duties:
        return AreaEquilibrium(done, (), None)
    together = _in_order(duties, groups, cleared)
    tables, first = [], 0
    for duty in duties:
        mine = [name for name in cut if name in duty.rule.markets]
        rows = pd.concat([cut[name][1] for name in mine], ignore_index=True)
        units = np.concatenate([done[name].units for name in mine])
        tables.append(payments(duty, rows, units, together.price[first : first + len(duty.pools)]))
        first += len(duty.pools)
    return AreaEquilibrium(done, duties, together, pd.concat(tables, ignore_index=True))


def _in_order(duties: Sequence[Obligation], groups: Sequence[Group], cleared: Sequence[Cleared]) -> Cleared:
    """What was cleared group by group, pools in the order of `duties`."""
    where: dict[str, tuple[Cleared, slice]] = {}
    for group, one in zip(groups, cleared, strict=True):
        first = 0
        for duty in group.duties:
            where[duty.rule.id] = one, slice(first, first + len(duty.pools))
            first += len(duty.pools)
    parts = [where[duty.rule.id] for duty in duties]
    methods = [one.method for one in cleared]
    return Cleared(
        np.concatenate([one.price[part] for one, part in parts]),
        np.concatenate([one.balance[part] for one, part in parts]),
        tuple(status for one, part in parts for status in one.status[part]),
        sum(one.evaluations for one in cleared),
        "bracketed" if "bracketed" in methods else "newton" if "newton" in methods else "none needed",
    )
