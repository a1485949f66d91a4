"""What a world comes to: prices, sales, profit, owners' claims, surplus and emissions, as plain tables with units in their names.

Three kinds of profit are kept in three tables and never mixed ([1]): operating profit of firms (adds up to the market's), claims of
outside owners (adds up to the same, float included) and look-through value of firms (counts stakes in each other more than once and
says so).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jax
import numpy as np
import pandas as pd

from keiretsu.market.market import Market
from keiretsu.market.regulation import Regulation
from keiretsu.market.world import MarketFacts, World
from keiretsu.numerics.host import host
from keiretsu.ownership.look_through import attribute
from keiretsu.supply.chosen import choice_now
from keiretsu.supply.pricing import Pricing
from keiretsu.supply.wedges import Wedges, paid, unit_margin

KM_IN_A_CAR_LIFE = 200_000.0  # our assumption; the report's labels of tonnes say it


@dataclass(frozen=True)
class MarketState:
    """One market's padded arrays, its solved prices and the product rows they stand for (the first ones of each array)."""

    market: Market
    pricing: Pricing
    rows: pd.DataFrame


@dataclass(frozen=True)
class MarketTables:
    """Tables of one market; columns as in `Outcome`."""

    products: pd.DataFrame
    firms: pd.DataFrame
    consumers: pd.DataFrame
    market: Mapping[str, object]


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


def outcome_of(world: World, states: Mapping[str, MarketState], tables: Sequence[MarketTables], regulation: Regulation, kappa: np.ndarray) -> Outcome:
    """Turn solved markets into tables.

    Parameters
    ----------
    states, tables
        One for each market of the world, in the same order.
    regulation
        Tables of programmes and fleet rules; what firms pay for fleet rules comes off their operating profit.
    kappa
        Profit weights of `World.firms`, (F, F).
    """
    firms = world.firms()
    products, by_firm, consumers = (pd.concat([getattr(t, name) for t in tables], ignore_index=True) for name in ("products", "firms", "consumers"))
    if len(regulation.firm_payments):
        by_firm = pd.concat([by_firm, regulation.firm_payments], ignore_index=True)
    owners, look_through = owners_tables(world, by_firm)
    weights = pd.DataFrame(kappa, index=pd.Index(firms, name="firm"), columns=pd.Index(firms, name="weight_on"))
    markets = pd.DataFrame([t.market for t in tables])
    return Outcome(world, products, by_firm, owners, look_through, consumers, markets, weights, states, regulation)


def owners_tables(world: World, by_firm: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Claims of outside owners, which add up to operating profit, and look-through values of companies, which do not."""
    holdings = world.register.as_of(world.date)
    profit = by_firm.groupby("firm", sort=False)["profit_eur"].sum()
    operating = np.array([profit.get(company, 0.0) for company in holdings.companies])
    parts = attribute(holdings, operating)
    owners = pd.DataFrame({"owner": parts.owners, "kind": holdings.owner_kinds, "claim_eur": parts.owner_claims})
    values = pd.DataFrame({"firm": parts.companies, "operating_profit_eur": parts.operating_profit, "value_eur": parts.look_through_value})
    return owners, values


ABOUT = (
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
)


def market_tables(facts: MarketFacts, state: MarketState, firms: Sequence[str]) -> MarketTables:
    """Tables of one solved market. `firms` are the F of its arrays."""
    market, pricing, rows = state.market, state.pricing, state.rows
    n, n_firms = len(rows), len(firms)
    choice = choice_now(market.tastes, market.wedges, pricing.price)
    draws = facts.consumers.weight.size  # the market's arrays may be padded to those of a market with more draws
    price, cost = np.asarray(pricing.price)[:n], np.asarray(market.cost)[:n]
    wedges: Wedges = jax.tree.map(np.asarray, market.wedges)
    money, kept = paid(wedges, host(pricing.price)), unit_margin(wedges, host(pricing.price), host(market.cost))
    q, margin = (np.broadcast_to(np.asarray(x)[:n, : (draws if x.shape[1] > 1 else 1)], (n, draws)) for x in (money, kept))
    weight = np.asarray(market.tastes.weight)[:draws]
    sold = facts.potential * np.asarray(choice.probability)[:n, :draws] * weight  # cars by product and draw
    units = sold.sum(axis=1)
    paid_eur, profit = (sold * q).sum(axis=1), (sold * margin).sum(axis=1)
    government = (sold * (q - margin - cost[:, None])).sum(axis=1)
    revenue = price * units
    found = {
        "price_eur": price,
        "paid_eur": paid_eur / units,
        "units": units,
        "share": units / facts.potential,
        "margin_eur": profit / units,
        "cost_eur": cost,
        "revenue_eur": revenue,
        "profit_eur": profit,
        "government_eur": government,
        "residual_eur": np.asarray(pricing.residual)[:n],
    }
    products = pd.DataFrame({**{name: rows[name] for name in ABOUT}, **found}, index=rows.index)
    electric_units = units * (rows["powertrain"] == "BEV").to_numpy()
    split, fee = (np.asarray(x)[:n_firms, :n] for x in (market.weights.split, market.weights.fee))
    by_firm = pd.DataFrame(
        {
            "firm": list(firms),
            "market": facts.id,
            "units": split @ units,
            "electric_units": split @ electric_units,
            "revenue_eur": split @ revenue,
            "profit_eur": split @ profit + fee @ units,
        }
    )
    inclusive = np.asarray(choice.inclusive)[:draws] / np.asarray(market.tastes.alpha)[:draws]
    consumers = _by_group(facts, inclusive * facts.potential * weight, sold.sum(axis=0))
    co2 = rows["co2_gkm"].to_numpy(float) * units
    total, electric = float(units.sum()), float(electric_units.sum())
    about = {
        "market": facts.id,
        "potential": facts.potential,
        "units": total,
        "share_sold": total / facts.potential,
        "electric_units": electric,
        "electric_share": electric / total,
        "mean_paid_eur": float(paid_eur.sum()) / total,
        "mean_price_eur": float(revenue.sum()) / total,
        "surplus_eur": float(consumers["surplus_eur"].sum()),
        "profit_eur": float(profit.sum()),
        "government_eur": float(government.sum()),
        "co2_g_km": float(co2.sum()) / total,
        "co2_t": float(co2.sum() * KM_IN_A_CAR_LIFE / 1e6),
        "residual_eur": float(np.abs(np.asarray(pricing.residual)).max()),
        "iterations": int(pricing.iterations),
        "status": "settled",
    }
    return MarketTables(products, by_firm, consumers, about)


def _by_group(facts: MarketFacts, surplus: np.ndarray, buyers: np.ndarray) -> pd.DataFrame:
    """Sums over the draws of each income group and kind of buyer, in the order in which they come first."""
    draws = facts.consumers
    label = np.asarray(draws.group) * len(draws.kind_names) + np.asarray(draws.kind)
    first, at = np.unique(label, return_index=True)[1], np.unique(label, return_inverse=True)[1].reshape(-1)
    order = np.argsort(first, kind="stable")
    sums = {
        name: np.bincount(at, weights=values, minlength=first.size)[order]
        for name, values in (("surplus_eur", surplus), ("buyers", buyers), ("potential", facts.potential * draws.weight))
    }
    group, kind = (np.asarray(labels)[first[order]] for labels in (draws.group, draws.kind))
    names = {"market": facts.id, "group": np.array(draws.group_names)[group], "kind": np.array(draws.kind_names)[kind]}
    return pd.DataFrame({**names, **sums})
