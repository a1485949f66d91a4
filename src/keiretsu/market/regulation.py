"""What programmes and fleet rules did to a world, as tables: money by programme, who sticks or bunches where, pools and payments ([7], [10])."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.market.area import AreaEquilibrium, PartOfYear
from keiretsu.market.cells import pots_in
from keiretsu.market.market import parse_split
from keiretsu.market.regulated import Rules
from keiretsu.market.world import World

PROGRAMME_COLUMNS = ["market", "programme", "product", "units", "eur"]
STUCK_COLUMNS = ["market", "product", "breakpoint", "kind", "price_eur", "push_below_eur", "push_above_eur", "attained"]
POOL_COLUMNS = ["rule", "pool", "makers", "status", "shadow_price_eur", "fine_ceiling_eur", "balance", "evaluations"]
PAYMENT_COLUMNS = ["rule", "pool", "maker", "balance", "shadow_price_eur", "pool_balance", "pool_fine_eur", "pays_eur"]
BUDGET_COLUMNS = ["market", "programme", "budget_eur", "spent_eur", "open_share_of_year"]
CROSSING_COLUMNS = ["market", "product", "price_eur", "to_price_eur", "gain_eur"]
FIRM_COLUMNS = ["firm", "market", "units", "electric_units", "revenue_eur", "profit_eur"]


@dataclass(frozen=True)
class Regulation:
    """Tables of one world's rules in equilibrium; money EUR a year.

    Attributes
    ----------
    programmes
        Government's take from each programme and product (negative for an incentive), and the cars it touched.
    fixed
        Public money that hangs on no sale (chargers): market, eur.
    stuck
        Prices that stand at a breakpoint: a kink they stick to or a notch they bunch at, and the pushes on both sides (EUR a car).
    pools
        Every pool of every fleet rule: shadow price (EUR per g/km and car, or per missing car), balance (g/km x cars above target, or cars
        missing; below zero is room to spare), status slack, binding or fined.
    payments
        What each maker pays for its pool's balance; fines leave the system (they are no part of any market's government take).
    firm_payments
        The same by firm, as rows of the outcome's table of firms: profit is what is paid, with the other sign. A maker that sells only in the
        rest of the area has no firm in this world: what it pays stands in `payments` alone.
    shadow
        Shadow cost of fleet rules and quotas on each car (EUR), which no reported margin contains: market, product, shadow_eur.
    budgets
        Pots of money: market, programme, budget_eur, spent_eur, and the share of the year in which the pot is open.
    crossings
        What would be gained by crossing a threshold, EUR a year, where a state near to an equilibrium was accepted
        (`SolveOptions.nearly_eur`); empty in an equilibrium.
    """

    programmes: pd.DataFrame
    fixed: pd.DataFrame
    stuck: pd.DataFrame
    pools: pd.DataFrame
    payments: pd.DataFrame
    firm_payments: pd.DataFrame
    shadow: pd.DataFrame
    budgets: pd.DataFrame
    crossings: pd.DataFrame


UNREGULATED = Regulation(
    programmes=pd.DataFrame(columns=PROGRAMME_COLUMNS),
    fixed=pd.DataFrame(columns=["market", "eur"]),
    stuck=pd.DataFrame(columns=STUCK_COLUMNS),
    pools=pd.DataFrame(columns=POOL_COLUMNS),
    payments=pd.DataFrame(columns=PAYMENT_COLUMNS),
    firm_payments=pd.DataFrame(columns=FIRM_COLUMNS),
    shadow=pd.DataFrame(columns=["market", "product", "shadow_eur"]),
    budgets=pd.DataFrame(columns=BUDGET_COLUMNS),
    crossings=pd.DataFrame(columns=CROSSING_COLUMNS),
)


def regulation_of(world: World, area: AreaEquilibrium) -> Regulation:
    """Tables of a solved area."""
    markets = area.markets
    programmes = under_each_other(area.parts, [_money(parts) for parts in area.parts.values()])[PROGRAMME_COLUMNS]
    shadow = under_each_other(markets, [found.rows[["product"]] for found in markets.values()])
    shadow = shadow.assign(shadow_eur=np.concatenate([_shadow(parts) for parts in area.parts.values()]))
    stuck = [
        (name, one.name, one.label, one.kind, one.price_eur, one.push_below_eur, one.push_above_eur, one.attained)
        for name, found in markets.items()
        for one in found.stuck
    ]
    return Regulation(
        programmes=programmes,
        fixed=pd.DataFrame([(name, found.accounts.fixed_eur) for name, found in markets.items()], columns=["market", "eur"]),
        stuck=pd.DataFrame(stuck, columns=STUCK_COLUMNS),
        pools=_pools(area),
        payments=area.payments if len(area.payments) else UNREGULATED.payments,
        firm_payments=_firm_payments(world, area),
        shadow=shadow,
        budgets=_budgets(world, area),
        crossings=_crossings(area),
    )


def under_each_other(markets: Iterable[str], tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Tables of several markets in one, with the market in the first column."""
    names = np.repeat(np.array(list(markets)), [len(table) for table in tables])
    together = pd.concat(tables, ignore_index=True)
    together.insert(0, "market", names)
    return together


def _money(parts: Sequence[PartOfYear]) -> pd.DataFrame:
    """Money of a market by programme and product over the parts of its year; a programme that one part lacks has paid nothing there."""
    if len(parts) == 1:
        return parts[0].market.accounts.programmes
    tables = [part.market.accounts.programmes.assign(weight=part.weight) for part in parts]
    every = pd.concat(tables, ignore_index=True)
    weighed = every.assign(units=every["units"] * every["weight"], eur=every["eur"] * every["weight"])
    return weighed.groupby(["programme", "product"], sort=False, as_index=False)[["units", "eur"]].sum()


def _shadow(parts: Sequence[PartOfYear]) -> np.ndarray:
    """Shadow cost of each product of a market: the same in all parts of its year but for tariff quotas, then the mean over cars sold. (n,)"""
    if len(parts) == 1:
        return parts[0].market.shadow_eur
    sold = np.array([part.weight * part.market.units for part in parts])
    return (sold * np.array([part.market.shadow_eur for part in parts])).sum(axis=0) / sold.sum(axis=0)


def _crossings(area: AreaEquilibrium) -> pd.DataFrame:
    rows = [
        (name, str(part.market.rows["product"][j]), float(part.market.price[j]), price, part.weight * crossing.gain_eur)
        for name, parts in area.parts.items()
        for part in parts
        for crossing in part.market.crossings
        for j, price in zip(crossing.products, crossing.prices, strict=True)
    ]
    return pd.DataFrame(rows, columns=CROSSING_COLUMNS)


def _budgets(world: World, area: AreaEquilibrium) -> pd.DataFrame:
    pots = pots_in(Rules(world.programmes, world.pools, world.date), tuple(area.parts))
    rows = [
        (
            ", ".join(m for m in area.parts if pot.scope.in_force(m, world.date)),
            name,
            pot.budget_eur,
            area.pots[name].spent_eur,
            area.pots[name].open_share,
        )
        for name, pot in pots.items()
    ]
    return pd.DataFrame(rows, columns=BUDGET_COLUMNS)


def _pools(area: AreaEquilibrium) -> pd.DataFrame:
    if area.cleared is None:
        return UNREGULATED.pools
    owners = [(duty, p) for duty in area.obligations for p in range(len(duty.pools))]
    rows = [
        (
            duty.rule.id,
            duty.pools[p].id,
            ", ".join(duty.pools[p].makers),
            area.cleared.status[k],
            float(area.cleared.price[k]),
            float(duty.cap[p]),
            float(area.cleared.balance[k]),
            area.cleared.evaluations,
        )
        for k, (duty, p) in enumerate(owners)
    ]
    return pd.DataFrame(rows, columns=POOL_COLUMNS)


def _firm_payments(world: World, area: AreaEquilibrium) -> pd.DataFrame:
    """Payments of makers handed to firms: for its own cars each firm bears the shadow price of what they weigh, and what is left of a maker's
    payment (the rest of the area, or a contract other than the internal price) falls to the firm that earns most of its cars."""
    if area.cleared is None or not len(area.payments):
        return UNREGULATED.firm_payments
    rows: list[dict[str, object]] = []
    start = 0
    for duty in area.obligations:
        price = area.cleared.price[start : start + len(duty.pools)]
        start += len(duty.pools)
        table = pd.concat([f.rows.assign(sold=area.units(name)) for name, f in area.markets.items() if name in duty.rule.markets], ignore_index=True)
        cost = duty.shadow(table, price) * table["sold"].to_numpy(float)
        maker = table[duty.rule.counted_by].astype(str)
        owed: dict[str, float] = {}
        for text, weight in zip(table["profit_to"].astype(str), cost, strict=True):
            for firm, share in parse_split(text).items():
                owed[firm] = owed.get(firm, 0.0) + share * weight
        own = pd.Series(cost).groupby(maker.to_numpy()).sum()
        mine = area.payments[area.payments["rule"] == duty.rule.id]
        for name, pays in zip(mine["maker"], mine["pays_eur"], strict=True):
            rest = float(pays) - float(own.get(name, 0.0))
            if abs(rest) > 0 and (maker == name).any():
                largest = table[maker == name].sort_values("sold", ascending=False).iloc[0]
                firm = next(iter(parse_split(str(largest["profit_to"]))))
                owed[firm] = owed.get(firm, 0.0) + rest
        rows.extend(
            {"firm": f, "market": f"rule {duty.rule.id}", "units": 0.0, "electric_units": 0.0, "revenue_eur": 0.0, "profit_eur": -eur}
            for f, eur in owed.items()
            if np.abs(eur) > 0
        )
    return pd.DataFrame(rows, columns=FIRM_COLUMNS)
