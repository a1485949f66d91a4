"""What a world comes to: prices, sales, profit, owners' claims, surplus and emissions, as plain tables with units in their names.

Three kinds of profit are kept in three tables and never mixed ([1]): operating profit of firms (adds up to the market's), claims of
outside owners (adds up to the same, float included) and look-through value of firms (counts stakes in each other more than once and
says so).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import equinox as eqx
import numpy as np
import pandas as pd

from keiretsu.demand.choice import choose
from keiretsu.market.market import Market, kappa_of
from keiretsu.market.regulation import Regulation
from keiretsu.market.world import MarketFacts, World
from keiretsu.ownership.look_through import attribute
from keiretsu.supply.pricing import Pricing
from keiretsu.supply.wedges import paid, unit_margin
from keiretsu.typing import BroadcastToDraws, PerDraw, PerProduct, PerProductAndDraw

KM_IN_A_CAR_LIFE = 200_000.0  # our assumption; the report's labels of tonnes say it


@dataclass(frozen=True)
class MarketState:
    """One market's padded arrays, its solved prices and the product rows they stand for (the first ones of each array)."""

    market: Market
    pricing: Pricing
    rows: pd.DataFrame


@dataclass(frozen=True)
class Outcome:
    """Tables of one world in equilibrium. Money is EUR a year at 2023 prices, quantities are cars a year.

    Attributes
    ----------
    products, firms, owners, look_through, consumers, markets
        See `keiretsu.market.outcome` for columns; `look_through` does not add up, by its nature.
    kappa
        Profit weights, firms by firms.
    states
        Arrays of each market, by market id.
    regulation
        Money by programme, prices that stick or bunch, pools, payments.
    """

    world: World
    products: pd.DataFrame
    firms: pd.DataFrame
    owners: pd.DataFrame
    look_through: pd.DataFrame
    consumers: pd.DataFrame
    markets: pd.DataFrame
    kappa: pd.DataFrame
    states: Mapping[str, MarketState]
    regulation: Regulation


def outcome_of(world: World, states: Mapping[str, MarketState], regulation: Regulation) -> Outcome:
    """Turn solved markets into tables.

    Parameters
    ----------
    states
        One for each market of the world.
    regulation
        Tables of programmes and fleet rules; what firms pay for fleet rules comes off their operating profit.
    """
    firms = world.firms()
    tables = [_market_tables(world.markets[name], state, firms) for name, state in states.items()]
    products, by_firm, consumers, markets = (pd.concat(parts, ignore_index=True) for parts in zip(*tables, strict=True))
    if len(regulation.firm_payments):
        by_firm = pd.concat([by_firm, regulation.firm_payments], ignore_index=True)
    owners, look_through = owners_tables(world, by_firm)
    kappa = pd.DataFrame(kappa_of(world, firms), index=pd.Index(firms, name="firm"), columns=pd.Index(firms, name="weight_on"))
    return Outcome(world, products, by_firm, owners, look_through, consumers, markets, kappa, states, regulation)


def owners_tables(world: World, by_firm: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Claims of outside owners, which add up to operating profit, and look-through values of companies, which do not."""
    holdings = world.register.as_of(world.date)
    profit = by_firm.groupby("firm", sort=False)["profit_eur"].sum()
    operating = np.array([profit.get(company, 0.0) for company in holdings.companies])
    parts = attribute(holdings, operating)
    owners = pd.DataFrame({"owner": parts.owners, "kind": holdings.owner_kinds, "claim_eur": parts.owner_claims})
    values = pd.DataFrame({"firm": parts.companies, "operating_profit_eur": parts.operating_profit, "value_eur": parts.look_through_value})
    return owners, values


def _market_tables(facts: MarketFacts, state: MarketState, firms: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    market, pricing, rows = state.market, state.pricing, state.rows
    n, n_firms = len(rows), len(firms)
    flows = _flows(market, pricing.price)
    draws = facts.consumers.weight.size  # the market's arrays may be padded to those of a market with more draws
    price, cost = np.asarray(pricing.price)[:n], np.asarray(market.cost)[:n]
    q, margin = (np.broadcast_to(np.asarray(x)[:n, :draws], (n, draws)) for x in (flows.paid, flows.margin))
    weight = np.asarray(market.tastes.weight)[:draws]
    sold = facts.potential * np.asarray(flows.probability)[:n, :draws] * weight  # cars by product and draw
    units = sold.sum(axis=1)
    government = q - margin - cost[:, None]
    products = rows[
        [
            "market",
            "product",
            "brand",
            "model",
            "powertrain",
            "segment",
            "body",
            "seats",
            "n_models",
            "origin",
            "priced_by",
            "profit_to",
            "co2_gkm",
            "battery_kwh",
        ]
    ].copy()
    products["price_eur"] = price
    products["paid_eur"] = (sold * q).sum(axis=1) / units
    products["units"] = units
    products["share"] = units / facts.potential
    products["margin_eur"] = (sold * margin).sum(axis=1) / units
    products["cost_eur"] = cost
    products["revenue_eur"] = products["price_eur"] * units
    products["profit_eur"] = (sold * margin).sum(axis=1)
    products["government_eur"] = (sold * government).sum(axis=1)
    products["residual_eur"] = np.asarray(pricing.residual)[:n]
    split, fee = (np.asarray(x)[:n_firms, :n] for x in (market.weights.split, market.weights.fee))
    by_firm = pd.DataFrame(
        {
            "firm": list(firms),
            "market": facts.id,
            "units": split @ units,
            "electric_units": split @ (units * (rows["powertrain"] == "BEV").to_numpy()),
            "revenue_eur": split @ products["revenue_eur"].to_numpy(),
            "profit_eur": split @ products["profit_eur"].to_numpy() + fee @ units,
        }
    )
    inclusive = np.asarray(flows.inclusive)[:draws] / np.asarray(market.tastes.alpha)[:draws]
    consumers = _by_group(facts, inclusive * facts.potential * weight, sold.sum(axis=0))
    electric = float(units[(rows["powertrain"] == "BEV").to_numpy()].sum())
    markets = pd.DataFrame(
        [
            {
                "market": facts.id,
                "potential": facts.potential,
                "units": float(units.sum()),
                "share_sold": float(units.sum() / facts.potential),
                "electric_units": electric,
                "electric_share": electric / float(units.sum()),
                "mean_paid_eur": float((sold * q).sum() / units.sum()),
                "mean_price_eur": float(products["revenue_eur"].sum() / units.sum()),
                "surplus_eur": float(consumers["surplus_eur"].sum()),
                "profit_eur": float(products["profit_eur"].sum()),
                "government_eur": float(products["government_eur"].sum()),
                "co2_g_km": float((products["co2_gkm"] * units).sum() / units.sum()),
                "co2_t": float((products["co2_gkm"] * units).sum() * KM_IN_A_CAR_LIFE / 1e6),
                "residual_eur": float(pricing.largest_residual),
                "iterations": int(pricing.iterations),
                "status": "settled",
            }
        ]
    )
    return products, by_firm, consumers, markets


class _Flows(eqx.Module):
    """Who pays what, what makers keep, who buys (J, I), and utility from choosing (I,)."""

    paid: BroadcastToDraws
    margin: BroadcastToDraws
    probability: PerProductAndDraw
    inclusive: PerDraw


@eqx.filter_jit
def _flows(market: Market, price: PerProduct) -> _Flows:
    money = paid(market.wedges, price)
    choice = choose(market.tastes, money)
    return _Flows(money, unit_margin(market.wedges, price, market.cost), choice.probability, choice.inclusive)


def _by_group(facts: MarketFacts, surplus: np.ndarray, buyers: np.ndarray) -> pd.DataFrame:
    draws = facts.consumers
    table = pd.DataFrame(
        {
            "market": facts.id,
            "group": np.array(draws.group_names)[draws.group],
            "kind": np.array(draws.kind_names)[draws.kind],
            "surplus_eur": surplus,
            "buyers": buyers,
            "potential": facts.potential * draws.weight,
        }
    )
    return table.groupby(["market", "group", "kind"], sort=False, as_index=False).sum()
