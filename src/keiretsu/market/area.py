"""All markets of a world with their taxes, incentives, tariff quotas and fleet rules in equilibrium together ([7], [8], [10]).

Each market is solved with its own pieces; pools tie the markets of an area together through their shadow prices. What comes back holds
prices, who is stuck where, accounts, shadow prices and payments; tables for readers are made above.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from keiretsu.market.clearing import Cleared
from keiretsu.market.fleet import clear_group, group_of, sharing_markets
from keiretsu.market.market import Market
from keiretsu.market.memory import Content, Memory, Same
from keiretsu.market.policy.programmes import in_force
from keiretsu.market.pools import Obligation, obligations, payments
from keiretsu.market.regulated import Found, Prepared, RegulatedMarket, Rules, finished, prepare, solve_prepared
from keiretsu.market.world import MarketFacts
from keiretsu.supply.pieces import piece_at
from keiretsu.supply.pricing import PricingOptions

__all__ = ["AreaEquilibrium", "Known", "RegulatedMarket", "Rules", "nothing_known", "solve_area"]


@dataclass(frozen=True)
class AreaEquilibrium:
    """All markets; `cleared` is None when no fleet rule is in force. `payments` as of `pools.payments`, empty without rules."""

    markets: Mapping[str, RegulatedMarket]
    obligations: tuple[Obligation, ...]
    cleared: Cleared | None
    payments: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def binding(self) -> tuple[tuple[str, str], ...]:
        """Rule and pool of every pool without room to spare."""
        pools = [(duty.rule.id, pool.id) for duty in self.obligations for pool in duty.pools]
        status = self.cleared.status if self.cleared else ()
        return tuple(pool for pool, how in zip(pools, status, strict=True) if how != "slack")


@dataclass(frozen=True)
class Known:
    """What other areas have been found to be, and what stands for each market in it: keys of markets that are alike in all but rules are equal."""

    memory: Memory
    keys: Mapping[str, Content]


def nothing_known(markets: Iterable[str]) -> Known:
    """No area was solved before."""
    return Known(Memory(), {name: Content(name) for name in markets})


def solve_area(
    cut: Mapping[str, tuple[Market, pd.DataFrame]],
    facts: Mapping[str, MarketFacts],
    rules: Rules,
    options: PricingOptions,
    known: Known | None = None,
) -> AreaEquilibrium:
    """Every market under its programmes, and the pools of every fleet rule in force.

    Parameters
    ----------
    cut
        Markets (padded or not) and their product rows, by market id. Their own wedges are replaced by those of the programmes.
    known
        Areas solved before; left out, there are none.

    Raises
    ------
    PolicyError, PricesNotSettled, NoPureEquilibrium, PoolsNotSettled
        Each naming its market, product or pool.
    """
    seen = nothing_known(cut) if known is None else known
    once = seen.memory.once
    at: dict[str, Prepared] = {}
    found: dict[str, Found] = {}
    keys: dict[str, Content] = {}
    for name, (market, rows) in cut.items():
        keys[name] = Content(seen.keys[name], in_force(rules.programmes, name, rules.date), options)
        one = (market, rows, facts[name], rules, options, seen.memory)
        at[name] = once("prepared", keys[name], lambda one=one: prepare(*one))
        found[name] = once("alone", keys[name], lambda name=name: _alone(at[name]))
    duties = once("duties", Content(Same(rules.pools), rules.date.year, *seen.keys.values()), lambda: _duties(cut, rules)) if rules.pools else ()
    groups = [
        _Group(*once("group", _group_key(rules, together, keys), lambda t=together: _clear(t, at, found))) for together in sharing_markets(duties)
    ]
    for group in groups:
        found.update(group.moved)
    done = {name: once("finished", Content(keys[name], Same(found[name])), lambda name=name: finished(at[name], found[name])) for name in cut}
    done = {name: replace(one, market=replace(one.market, weights=cut[name][0].weights)) for name, one in done.items()}
    if not duties:
        return AreaEquilibrium(done, (), None)
    together = _in_order(duties, groups)
    tables, first = [], 0
    for duty in duties:
        mine = [name for name in cut if name in duty.rule.markets]
        rows = pd.concat([cut[name][1] for name in mine], ignore_index=True)
        units = np.concatenate([done[name].units for name in mine])
        tables.append(payments(duty, rows, units, together.price[first : first + len(duty.pools)]))
        first += len(duty.pools)
    return AreaEquilibrium(done, duties, together, pd.concat(tables, ignore_index=True))


@dataclass(frozen=True)
class _Group:
    """Rules that share markets, cleared, and what their shadow prices moved."""

    duties: tuple[Obligation, ...]
    cleared: Cleared
    moved: Mapping[str, Found]


def _alone(at: Prepared) -> Found:
    """The market without shadow costs."""
    start = np.asarray(at.market.start, float)
    return solve_prepared(at, np.zeros(start.size), start, piece_at(at.pieces, start))


def _duties(cut: Mapping[str, tuple[Market, pd.DataFrame]], rules: Rules) -> tuple[Obligation, ...]:
    return obligations(rules.pools, pd.concat([rows for _, rows in cut.values()], ignore_index=True), rules.date)


def _group_key(rules: Rules, duties: tuple[Obligation, ...], keys: Mapping[str, Content]) -> Content:
    mine = [keys[name] for name in keys if any(name in duty.rule.markets for duty in duties)]
    return Content(Same(rules.pools), rules.date.year, tuple(duty.rule.id for duty in duties), *mine)


def _clear(
    duties: tuple[Obligation, ...], at: Mapping[str, Prepared], found: Mapping[str, Found]
) -> tuple[tuple[Obligation, ...], Cleared, Mapping[str, Found]]:
    group = group_of(duties, at)
    return duties, *clear_group(group, at, {name: found[name] for name in group.markets})


def _in_order(duties: Sequence[Obligation], groups: Sequence[_Group]) -> Cleared:
    """What was cleared group by group, pools in the order of `duties`."""
    where: dict[str, tuple[Cleared, slice]] = {}
    for group in groups:
        first = 0
        for duty in group.duties:
            where[duty.rule.id] = group.cleared, slice(first, first + len(duty.pools))
            first += len(duty.pools)
    parts = [where[duty.rule.id] for duty in duties]
    cleared = [group.cleared for group in groups]
    methods = [one.method for one in cleared]
    return Cleared(
        np.concatenate([one.price[part] for one, part in parts]),
        np.concatenate([one.balance[part] for one, part in parts]),
        tuple(status for one, part in parts for status in one.status[part]),
        sum(one.evaluations for one in cleared),
        "bracketed" if "bracketed" in methods else "newton" if "newton" in methods else "none needed",
    )
