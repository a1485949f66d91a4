"""From a checked case to the world: draws, mean utilities and costs that reproduce the observed year exactly ([5], [9])."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping

import equinox as eqx
import numpy as np
import pandas as pd

from keiretsu.case import Case
from keiretsu.demand.newton import invert_now
from keiretsu.demand.preferences import Preferences, RandomTaste
from keiretsu.market.consumers import consumers_of
from keiretsu.market.market import Market, kappa_of, rows_of, tastes_of_rows, weights_of
from keiretsu.market.padding import padded, shape_of, spacious
from keiretsu.market.policy.compile import charger_utility, wedges_for
from keiretsu.market.policy.parsing import parse_programmes
from keiretsu.market.policy.parsing_pools import parse_pools
from keiretsu.market.projection import with_xi
from keiretsu.market.solve import market_of
from keiretsu.market.world import PRODUCT_COLUMNS, MarketFacts, World
from keiretsu.numerics.host import host
from keiretsu.ownership.register import Control, Owner, Register, Stake
from keiretsu.ownership.weights import Given, Rule, rule_named
from keiretsu.supply.cost import recover_costs
from keiretsu.supply.pieces import piece_at, wedges_of
from keiretsu.supply.wedges import Wedges, paid

_OPEN_FROM, _OPEN_TO = dt.date(1, 1, 1), dt.date(9999, 12, 31)


def build_world(case: Case) -> World:
    """The world of a case in its base year: every market reproduces its observed prices and sales.

    Raises
    ------
    OwnershipError, DemandError, PricingError
        When stakes, preferences or prices of the case define no equilibrium; all problems of a kind together.
    """
    return calibrated(uncalibrated(case, preferences_of(case), rule_of(case)))


def uncalibrated(case: Case, preferences: Preferences, rule: Rule) -> World:
    """The world of a case before mean utilities and costs are known (both zero)."""
    return World(
        name=case.name,
        date=case.as_of,
        observed_on=middle_of(case.year),
        register=register_of(case),
        rule=rule,
        preferences=preferences,
        markets=markets_of(case, preferences),
        products=products_of(case),
        programmes=parse_programmes([entry.values for entry in case.programmes], case.money_rates, "programmes.toml"),
        pools=parse_pools([entry.values for entry in case.pools], case.money_rates, "pools.toml"),
    )


def middle_of(year: int) -> dt.date:
    """The first of July: the day whose programmes stand for a whole observed year."""
    return dt.date(year, 7, 1)


def observed_wedges(world: World, name: str, rows: pd.DataFrame) -> Wedges:
    """Taxes and incentives of one market in the observed year, each product on the affine piece its observed price lies on ([7])."""
    pieces = wedges_for(world.programmes, rows, world.markets[name], world.observed_on)
    return wedges_of(pieces, piece_at(pieces, rows["price_eur"].to_numpy(float)))


def calibrated(world: World) -> World:
    """The same world with the mean utilities and costs that reproduce its prices and units, and mean utilities projected ([5b]).

    Raises
    ------
    InversionNotSettled, DemandError, PricingError
        Naming the market and the products.
    """
    names = list(world.markets)
    rows = [rows_of(world, name) for name in names]
    tastes = [tastes_of_rows(world.markets[name], world.preferences, table) for name, table in zip(names, rows, strict=True)]
    shares = [table["units"].to_numpy(float) / world.markets[name].potential for name, table in zip(names, rows, strict=True)]
    money = [paid(observed_wedges(world, name, table), host(table["price_eur"].to_numpy(float))) for name, table in zip(names, rows, strict=True)]
    money = [
        host(np.broadcast_to(one, (one.shape[0], world.markets[name].consumers.weight.shape[0]))) for name, one in zip(names, money, strict=True)
    ]
    chargers = [charger_utility(world.programmes, table, world.markets[name], world.observed_on) for name, table in zip(names, rows, strict=True)]
    found = invert_now(shares, tastes, money, [f"market {name}" for name in names], [list(table["product"]) for table in rows])
    inverted = [table.assign(delta=np.asarray(one.delta) - added) for table, one, added in zip(rows, found, chargers, strict=True)]
    return recosted(with_xi(world.replace(products=pd.concat(inverted, ignore_index=True))))


def recosted(world: World) -> World:
    """The same world with the costs that make its current prices an equilibrium under its rule; mean utilities stay.

    Raises
    ------
    OwnershipError, PricingError
        Naming the market and the products.
    """
    kappa = kappa_of(world, world.firms())
    cut = {name: observed_market(world, name, kappa) for name in world.markets}
    shape = spacious(shape_of([market for market, _ in cut.values()]))
    parts: list[pd.DataFrame] = []
    for name, (market, rows) in cut.items():
        m = padded(market, shape)
        plain, transfers = weights_of(rows, world.firms(), kappa)
        weights = padded(eqx.tree_at(lambda x: x.weights, market, plain), shape).weights
        known = np.zeros(shape.products, bool)
        known[: len(rows)] = rows["cost_given"]
        cost = recover_costs(
            m.tastes,
            m.wedges,
            weights,
            m.start,
            transfers=transfers,
            known=host(known),
            known_cost=m.cost,
            where=f"market {name}",
            labels=tuple(rows["product"]),
        )
        parts.append(rows.assign(cost_eur=np.asarray(cost)[: len(rows)]))
    products = pd.concat(parts, ignore_index=True).copy()  # columns of a kind side by side in memory: rows are taken from them a thousand times
    return world.replace(products=products)


def observed_market(world: World, name: str, kappa: np.ndarray) -> tuple[Market, pd.DataFrame]:
    """One market as it was observed: today's mean utilities and weights under the programmes of the observed year."""
    market, rows = market_of(world, name, kappa)
    chargers = charger_utility(world.programmes, rows, world.markets[name], world.observed_on)
    tastes = dataclasses.replace(market.tastes, delta=host(np.asarray(market.tastes.delta) + chargers))
    return dataclasses.replace(market, tastes=tastes, wedges=observed_wedges(world, name, rows)), rows


def rule_of(case: Case) -> Rule:
    """The ownership rule that the case names, or its typed-in matrix."""
    if case.rule == "given":
        firms = tuple(dict.fromkeys(case.companies["company"]))
        matrix = np.eye(len(firms))
        for f, row in case.kappa.items():
            for g, weight in row.items():
                matrix[firms.index(f), firms.index(g)] = weight
        return Given(tuple(tuple(float(x) for x in row) for row in matrix), firms)
    return rule_named(case.rule)


def preferences_of(case: Case) -> Preferences:
    """Preferences as the case states them."""
    d = case.demand
    return Preferences(
        price_taste=d.price_taste,
        income_power=d.income_power,
        random=tuple(RandomTaste(r.characteristic, r.sigma, r.distribution, r.median) for r in d.random),
        price_sigma=d.price_sigma,
        nest_columns=d.nests,
        sigma_group=d.sigma_group,
        sigma_sub=d.sigma_sub,
        correlation=np.array(d.correlation) if d.correlation else None,
        outside=d.outside,
        kind_price=d.kind_price,
        kind_taste=d.kind_taste,
    )


def register_of(case: Case) -> Register:
    """Dated stakes and declared control of a case. A case says the last day a row holds, the register the first day it does not."""

    def start(day: dt.date) -> dt.date | None:
        return None if day == _OPEN_FROM else day

    def end(day: dt.date) -> dt.date | None:
        return None if day == _OPEN_TO else day + dt.timedelta(days=1)

    return Register(
        companies=tuple(case.companies["company"]),
        owners=tuple(Owner(str(r["owner"]), str(r["kind"])) for _, r in case.owners.iterrows()),
        stakes=tuple(Stake(r.holder, r.company, r.cash_flow, r.votes, start(r["from"]), end(r.to), r.source) for _, r in case.stakes.iterrows()),
        control=tuple(Control(r.company, r.controller, r.kind, start(r["from"]), end(r.to), r.source) for _, r in case.control.iterrows()),
    )


def markets_of(case: Case, preferences: Preferences) -> Mapping[str, MarketFacts]:
    """Markets with the draws of their consumers."""
    return {
        row.market: MarketFacts(
            row.market, row["name"], row.area, float(row.potential), float(row.vat), consumers_of(case, row, preferences), row.currency
        )
        for _, row in case.markets.iterrows()
    }


def products_of(case: Case) -> pd.DataFrame:
    """The product table of the world, delta and cost still zero."""
    p = case.products
    per_eur = p["price_currency"].map(lambda c: case.rates[str(c)].per_eur if str(c) in case.rates else 1.0).astype(float)  # checked at the door
    vat = p["market"].map(dict(zip(case.markets["market"], case.markets["vat"], strict=True))).astype(float)
    table = p.assign(
        powertrain_group=np.where(p["powertrain"] == "BEV", "electric", "other"),
        price_eur=case.net_price_eur(),
        sales_tax=p["sales_tax"].where(p["sales_tax"].notna(), vat).astype(float) if "sales_tax" in p else vat,
        transfer_price_eur=p["transfer_price"].astype(float) / per_eur,
        delta=0.0,
        xi=0.0,
        cost_eur=p["unit_cost"].astype(float).where(p["unit_cost"].notna(), 0.0) / per_eur,
        cost_given=p["unit_cost"].notna(),
        held=False,
        available=True,
        launched_by="",
    )
    return table[list(PRODUCT_COLUMNS)].reset_index(drop=True)
