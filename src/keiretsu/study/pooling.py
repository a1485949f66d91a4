"""What a pool is worth to its members: profit after payments under the same rule with other pools ([10])."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from keiretsu.market.outcome import Outcome
from keiretsu.market.pools import FleetRule, Pool
from keiretsu.market.world import World

POOLING_COLUMNS = ["rule", "scenario", "firm", "operating_profit_eur", "of_which_payments_eur", "than_alone_eur", "reference"]


def pooling_table(outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """Operating profit of every maker under each way of pooling, and what it is better or worse than with the fewest makers pooled.

    Scenarios are set side by side when they have the same fleet rules in force and differ in pools. Payments between members and fines are in
    the profit; `of_which_payments_eur` is below zero for a maker that pays. Makers are companies that earn, whatever brands a rule counts by.
    """
    groups: dict[frozenset[FleetRule], list[str]] = {}
    for name, outcome in outcomes.items():
        if rules := _rules(outcome.world):
            groups.setdefault(rules, []).append(name)
    parts: list[pd.DataFrame] = []
    for rules, names in groups.items():
        pools = {name: _pools(outcomes[name].world) for name in names}
        if len(set(pools.values())) < 2:
            continue
        pooled = {name: sum(len(pool.makers) for pool in pools[name] if len(pool.makers) > 1) for name in names}
        reference = min(names, key=lambda name: pooled[name])
        alone = _profit(outcomes[reference])
        different = [name for name in names if name == reference or pools[name] != pools[reference]]
        for name in different:
            profit = _profit(outcomes[name])
            table = pd.DataFrame({"firm": profit.index, "operating_profit_eur": profit.to_numpy()})
            table["of_which_payments_eur"] = _payments(outcomes[name]).reindex(profit.index).fillna(0.0).to_numpy()
            table["than_alone_eur"] = profit.sub(alone, fill_value=0.0).reindex(profit.index).to_numpy()
            parts.append(table.assign(rule=", ".join(sorted(rule.id for rule in rules)), scenario=name, reference=reference))
    return pd.concat(parts, ignore_index=True)[POOLING_COLUMNS] if parts else pd.DataFrame(columns=POOLING_COLUMNS)


def _rules(world: World) -> frozenset[FleetRule]:
    return frozenset(r for r in world.pools if isinstance(r, FleetRule) and r.from_year <= world.date.year <= r.to_year)


def _pools(world: World) -> frozenset[Pool]:
    return frozenset(r for r in world.pools if isinstance(r, Pool) and r.from_year <= world.date.year <= r.to_year)


def _profit(outcome: Outcome) -> pd.Series:
    return outcome.firms.groupby("firm")["profit_eur"].sum()


def _payments(outcome: Outcome) -> pd.Series:
    return outcome.regulation.firm_payments.astype({"profit_eur": float}).groupby("firm")["profit_eur"].sum()
