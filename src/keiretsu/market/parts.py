"""A year that falls into parts because a pot of money runs out in it: each part in equilibrium, the year as their weighted sum ([7], [11]).

Prices are set anew in each part. A year's sales, money and surplus are sums over its parts by their share of the year; its prices and unit
margins are means over the cars sold. Arrays of a market (for elasticities) are those of the first part, when every pot is open.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from keiretsu.errors import PolicyError, Problem
from keiretsu.market.area import AreaEquilibrium
from keiretsu.market.budget import Part, Span, run_out
from keiretsu.market.outcome import Outcome, owners_tables
from keiretsu.market.policy.programmes import Incentive, Programme
from keiretsu.market.world import World

BUDGET_COLUMNS = ["market", "programme", "budget_eur", "spent_eur", "open_share_of_year"]


@dataclass(frozen=True)
class Solved:
    """Markets of one part of the year: the area's equilibrium and the outcome as if the part were the whole year."""

    area: AreaEquilibrium
    outcome: Outcome


SolvePart = Callable[[tuple[Programme, ...]], Solved]
"""Markets with these programmes in place of the world's."""


def pots_in_force(world: World) -> dict[str, Incentive]:
    """Incentives with a yearly budget that some market has on the world's date, by id."""
    return {
        p.scope.id: p
        for p in world.programmes
        if isinstance(p, Incentive) and p.budget_eur < float("inf") and any(p.scope.in_force(m, world.date) for m in world.markets)
    }


def year_with_pots(world: World, pots: Mapping[str, Incentive], solve_part: SolvePart) -> Outcome:
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
    outcome = parts[0].result.outcome
    if len(parts) > 1:
        _refuse_binding_rules(parts)
        outcome = blended(world, [(part.weight, part.result.outcome) for part in parts])
    regulation = dataclasses.replace(outcome.regulation, budgets=_budgets_table(world, pots, parts))
    return dataclasses.replace(outcome, regulation=regulation)


def spending_of(area: AreaEquilibrium, programme: str) -> float:
    """What a programme pays out in a year, EUR."""
    tables = [found.accounts.programmes for found in area.markets.values()]
    return -float(sum(table.loc[table["programme"] == programme, "eur"].sum() for table in tables))


def blended(world: World, parts: Sequence[tuple[float, Outcome]]) -> Outcome:
    """The weighted sum of outcomes of the same world; weights add up to one."""
    first = parts[0][1]
    products = _sums([(w, o.products.assign(spent_eur=o.products["paid_eur"] * o.products["units"])) for w, o in parts], _PRODUCT_KEY, _PRODUCT_SUMS)
    about = first.products.set_index(_PRODUCT_KEY)
    table = about.copy()
    for column in _PRODUCT_SUMS[:-1]:
        table[column] = products[column]
    table["price_eur"] = products["revenue_eur"] / products["units"]
    table["paid_eur"] = products["spent_eur"] / products["units"]
    table["margin_eur"] = products["profit_eur"] / products["units"]
    table["residual_eur"] = pd.concat([o.products.set_index(_PRODUCT_KEY)["residual_eur"].abs() for _, o in parts]).groupby(level=[0, 1]).max()
    firms = _sums([(w, o.firms) for w, o in parts], ["firm", "market"], ["units", "electric_units", "revenue_eur", "profit_eur"]).reset_index()
    consumers = _sums([(w, o.consumers) for w, o in parts], ["market", "group", "kind"], ["surplus_eur", "buyers", "potential"]).reset_index()
    owners, look_through = owners_tables(world, firms)
    programmes = _sums([(w, o.regulation.programmes) for w, o in parts], ["market", "programme", "product"], ["units", "eur"]).reset_index()
    return dataclasses.replace(
        first,
        products=table.reset_index()[list(first.products.columns)],
        firms=firms[list(first.firms.columns)],
        owners=owners,
        look_through=look_through,
        consumers=consumers[list(first.consumers.columns)],
        markets=_markets(parts),
        regulation=dataclasses.replace(first.regulation, programmes=programmes[list(first.regulation.programmes.columns)]),
    )


_PRODUCT_KEY = ["market", "product"]
_PRODUCT_SUMS = ["units", "share", "revenue_eur", "profit_eur", "government_eur", "spent_eur"]
_MARKET_SUMS = ["units", "share_sold", "electric_units", "surplus_eur", "profit_eur", "government_eur", "co2_t"]
_MARKET_MEANS = ["mean_paid_eur", "mean_price_eur", "co2_g_km"]  # over cars sold


def _sums(parts: Sequence[tuple[float, pd.DataFrame]], key: list[str], columns: list[str]) -> pd.DataFrame:
    """Weighted sums of columns by key; a row that one part lacks has sold and earned nothing there."""
    weighed = [table.set_index(key)[columns].astype(float) * weight for weight, table in parts]
    return pd.concat(weighed).groupby(level=list(range(len(key))), sort=False).sum()


def _markets(parts: Sequence[tuple[float, Outcome]]) -> pd.DataFrame:
    first = parts[0][1].markets
    tables = [(w, o.markets.assign(**{mean: o.markets[mean] * o.markets["units"] for mean in _MARKET_MEANS})) for w, o in parts]
    sums = _sums(tables, ["market"], [*_MARKET_SUMS, *_MARKET_MEANS])
    table = first.set_index("market").copy()
    for column in _MARKET_SUMS:
        table[column] = sums[column]
    for column in _MARKET_MEANS:
        table[column] = sums[column] / sums["units"]
    table["electric_share"] = sums["electric_units"] / sums["units"]
    table["residual_eur"] = pd.concat([o.markets.set_index("market")["residual_eur"] for _, o in parts]).groupby(level=0).max()
    table["iterations"] = pd.concat([o.markets.set_index("market")["iterations"] for _, o in parts]).groupby(level=0).max()
    return table.reset_index()[list(first.columns)]


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
    binding = sorted({f"{p.rule}: {p.pool}" for part in parts for p in part.result.outcome.regulation.pools.itertuples() if p.status != "slack"})
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
