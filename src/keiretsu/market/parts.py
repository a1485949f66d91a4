"""A year that falls into parts because a pot of money runs out in it: each part in equilibrium, the year as their weighted sum ([7], [11]).

Prices are set anew in each part. A year's sales, money and surplus are sums over its parts by their share of the year; its prices and unit
margins are means over the cars sold. Arrays of a market (for elasticities) are those of the first part, when every pot is open.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.errors import PolicyError, Problem
from keiretsu.market.area import AreaEquilibrium
from keiretsu.market.budget import Part, Span, run_out
from keiretsu.market.outcome import MarketTables, Outcome
from keiretsu.market.policy.programmes import Incentive, Programme
from keiretsu.market.regulation import under_each_other
from keiretsu.market.world import World

BUDGET_COLUMNS = ["market", "programme", "budget_eur", "spent_eur", "open_share_of_year"]


@dataclass(frozen=True)
class Solved:
    """Markets of one part of the year: the area's equilibrium and the tables of each market as if the part were the whole year."""

    area: AreaEquilibrium
    tables: Mapping[str, MarketTables]


SolvePart = Callable[[tuple[Programme, ...]], Solved]
"""Markets with these programmes in place of the world's."""

MakeOutcome = Callable[[AreaEquilibrium, Mapping[str, MarketTables]], Outcome]
"""The world's outcome from its area and the tables of its markets."""


def pots_in_force(world: World) -> dict[str, Incentive]:
    """Incentives with a yearly budget that some market has on the world's date, by id."""
    return {
        p.scope.id: p
        for p in world.programmes
        if isinstance(p, Incentive) and p.budget_eur < float("inf") and any(p.scope.in_force(m, world.date) for m in world.markets)
    }


def year_with_pots(world: World, pots: Mapping[str, Incentive], solve_part: SolvePart, outcome_of: MakeOutcome) -> Outcome:
    """The year of a world in which each pot is closed from the moment it is empty.

    Raises
    ------
    PolicyError
        When a pot runs out in a year in which a fleet rule binds: one balance over parts of a year is not solved for.
    """

    def at(_: object, open_: frozenset[str]) -> tuple[Solved, Mapping[str, float]]:
        found = solve_part(tuple(p for p in world.programmes if p.scope.id not in pots or p.scope.id in open_))
        return found, {name: spending_of(found.area, name) for name in open_}

    parts = run_out({name: pot.budget_eur for name, pot in pots.items()}, (Span(world.date, 1.0),), at)
    first = parts[0].result
    if len(parts) > 1:
        _refuse_binding_rules(parts)
    outcome = outcome_of(first.area, {name: blended([(part.weight, part.result.tables[name]) for part in parts]) for name in first.tables})
    programmes = _programmes(parts) if len(parts) > 1 else outcome.regulation.programmes
    return dataclasses.replace(
        outcome, regulation=dataclasses.replace(outcome.regulation, programmes=programmes, budgets=_budgets_table(world, pots, parts))
    )


def spending_of(area: AreaEquilibrium, programme: str) -> float:
    """What a programme pays out in a year, EUR."""
    tables = [found.accounts.programmes for found in area.markets.values()]
    return -float(sum(table.loc[table["programme"] == programme, "eur"].sum() for table in tables))


def blended(parts: Sequence[tuple[float, MarketTables]]) -> MarketTables:
    """The weighted sum of tables of the same market; weights add up to one. What is the same in all parts is left as it is."""
    first = parts[0][1]
    if all(tables is first for _, tables in parts):
        return first
    products = first.products.assign(
        **_sums([(w, t.products.assign(spent_eur=t.products["paid_eur"] * t.products["units"])) for w, t in parts], _PRODUCT)
    )
    products = products.assign(
        price_eur=products["revenue_eur"] / products["units"],
        paid_eur=products["spent_eur"] / products["units"],
        margin_eur=products["profit_eur"] / products["units"],
        residual_eur=np.max([np.abs(t.products["residual_eur"].to_numpy(float)) for _, t in parts], axis=0),
    )[list(first.products.columns)]
    firms = first.firms.assign(**_sums([(w, t.firms) for w, t in parts], _FIRM))
    consumers = first.consumers.assign(**_sums([(w, t.consumers) for w, t in parts], _CONSUMER))
    return MarketTables(products, firms, consumers, _market([(w, t.market) for w, t in parts]))


_PRODUCT = ["units", "share", "revenue_eur", "profit_eur", "government_eur", "spent_eur"]
_FIRM = ["units", "electric_units", "revenue_eur", "profit_eur"]
_CONSUMER = ["surplus_eur", "buyers", "potential"]
_MARKET_SUMS = ["units", "share_sold", "electric_units", "surplus_eur", "profit_eur", "government_eur", "co2_t"]
_MARKET_MEANS = ["mean_paid_eur", "mean_price_eur", "co2_g_km"]  # over cars sold
_MARKET_WORST = ["residual_eur", "iterations"]


def _sums(parts: Sequence[tuple[float, pd.DataFrame]], columns: list[str]) -> dict[str, np.ndarray]:
    """Weighted sums of columns of tables with the same rows."""
    return {name: np.sum([weight * table[name].to_numpy(float) for weight, table in parts], axis=0) for name in columns}


def _market(parts: Sequence[tuple[float, Mapping[str, object]]]) -> Mapping[str, object]:
    """A market's row of figures over the parts."""
    numbers = [(weight, {k: float(v) for k, v in row.items() if isinstance(v, (int, float))}) for weight, row in parts]
    found = {name: sum(w * row[name] for w, row in numbers) for name in _MARKET_SUMS}
    found |= {name: sum(w * row[name] * row["units"] for w, row in numbers) / found["units"] for name in _MARKET_MEANS}
    found["electric_share"] = found["electric_units"] / found["units"]
    worst = {name: max(row[name] for _, row in parts) for name in _MARKET_WORST}  # type: ignore[type-var]
    return {**parts[0][1], **found, **worst}


def _programmes(parts: Sequence[Part[Solved]]) -> pd.DataFrame:
    """Money by market, programme and product over the parts; a programme that one part lacks has paid nothing there."""
    key, tables, weights = ["market", "programme", "product"], list[pd.DataFrame](), list[np.ndarray]()
    for part in parts:
        found = [market.accounts.programmes for market in part.result.area.markets.values()]
        tables.append(under_each_other(part.result.area.markets, found))
        weights.append(np.full(len(tables[-1]), part.weight))
    together, weight = pd.concat(tables, ignore_index=True), np.concatenate(weights)
    weighed = together.assign(units=together["units"] * weight, eur=together["eur"] * weight)
    return weighed[[*key, "units", "eur"]].groupby(key, sort=False, as_index=False).sum()


def _budgets_table(world: World, pots: Mapping[str, Incentive], parts: Sequence[Part[Solved]]) -> pd.DataFrame:
    rows = [
        (
            ", ".join(m for m in world.markets if pot.scope.in_force(m, world.date)),
            name,
            pot.budget_eur,
            sum(part.spent_eur.get(name, 0.0) for part in parts),
            sum(part.weight for part in parts if name in part.open),
        )
        for name, pot in pots.items()
    ]
    return pd.DataFrame(rows, columns=BUDGET_COLUMNS)


def _refuse_binding_rules(parts: Sequence[Part[Solved]]) -> None:
    binding = sorted({f"{rule}: {pool}" for part in parts for rule, pool in part.result.area.binding})
    if binding:
        raise PolicyError(
            Problem(
                "a pot of money runs out within a year in which a fleet rule binds",
                "programmes and pools",
                "; ".join(binding),
                "pots that last the year, or pools with room to spare",
                "raise the budget, or end the programme on the day its money is expected to run out",
            )
        )
