"""The world: everything a scenario may change, in one immutable record that moves turn into another one.

A `World` keeps products as one table for all markets (analysts think in tables, and moves are edits of tables); `market_of` turns
the rows of one market into the arrays that the core functions see. Nothing that follows from the world (prices, shares, profit) is
kept in it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from keiretsu.demand.preferences import ConsumerDraws, Preferences, RandomTaste
from keiretsu.market.policy.programmes import Programme
from keiretsu.market.pools import PoolRecord
from keiretsu.ownership.register import Register
from keiretsu.ownership.weights import Rule

__all__ = ["PRODUCT_COLUMNS", "ConsumerDraws", "MarketFacts", "Preferences", "RandomTaste", "World"]

PRODUCT_COLUMNS: Mapping[str, str] = {
    # column: meaning (unit)
    "market": "market id",
    "product": "product id, unique within its market; the same id in two markets is the same car",
    "brand": "brand",
    "model": "model name as buyers know it, or the name of a composite line",
    "powertrain": "BEV, PHEV, ICE (combustion and full or mild hybrid)",
    "segment": "size class, A B C D E F, or a class the case defines",
    "body": "body style",
    "seats": "seats",
    "powertrain_group": "electric or other, a nest label",
    "nest": "nest of the case's own",
    "sub_nest": "nest inside the nest, of the case's own",
    "n_models": "models a composite line stands for, 1 for a single model",
    "origin": "country or area where it is built, ISO code or EU",
    "priced_by": "company that sets the price",
    "profit_to": "company that earns the margin, or 'A:0.7;B:0.3'",
    "made_by": "builder that is paid the transfer price, empty when the seller builds it",
    "transfer_price_eur": "EUR a car paid to `made_by`; 0 when there is none",
    "sales_tax": "value-added or sales tax as a share of the net price",
    "price_eur": "maker's price net of VAT and of any incentive (EUR): observed in the base year, starting point afterwards",
    "units": "cars sold in the base year; 0 for a product launched by a move",
    "battery_kwh": "usable battery (kWh), 0 without one",
    "range_km": "electric range WLTP (km), 0 without one",
    "power_kw": "power (kW)",
    "mass_kg": "mass in running order (kg)",
    "co2_gkm": "tailpipe CO2 (g/km WLTP)",
    "delta": "mean utility at a price of zero (utils)",
    "xi": "part of delta that characteristics do not explain (utils)",
    "cost_eur": "marginal cost (EUR a car)",
    "cost_given": "True when the cost is stated rather than recovered from the price",
    "held": "True when the price is held at price_eur rather than chosen",
    "available": "True when on sale",
    "launched_by": "name of the move that launched it, empty for a product of the base year",
}


@dataclass(frozen=True)
class MarketFacts:
    """What a market is, apart from its products. `potential` in buyers a year; `vat` as a share of the net price."""

    id: str
    name: str
    area: str
    potential: float
    vat: float
    consumers: ConsumerDraws
    currency: str = "EUR"


@dataclass(frozen=True)
class World:
    """Owners, products, markets and rules at one date. Moves return new worlds; nothing is changed in place.

    Attributes
    ----------
    date
        The day the world is seen from: the register, programmes and fleet rules are those of this day.
    observed_on
        The day whose programmes the observed year is taken to have had: mean utilities and costs are found under them.
    products
        One row for each product and market, columns of `PRODUCT_COLUMNS`, index 0..n-1.
    alliances
        Names of companies that share platforms or purchasing, for the record and the report; costs already reflect it.
    programmes
        Taxes, incentives, tariffs and charger programmes, dated (`keiretsu.market.policy.programmes`); VAT and sales taxes sit in products.
    pools
        Fleet rules, pools of makers and the rest of a regulated area (`keiretsu.market.pools`).
    xi_spread
        Standard deviation of xi (utils) by powertrain, as the projection of the observed year finds it; a powertrain with too few
        products to be projected is not in it.
    changed_by
        Names of the moves already applied, in order.
    """

    name: str
    date: dt.date
    observed_on: dt.date
    register: Register
    rule: Rule
    preferences: Preferences
    markets: Mapping[str, MarketFacts]
    products: pd.DataFrame
    programmes: tuple[Programme, ...] = ()
    pools: tuple[PoolRecord, ...] = ()
    alliances: tuple[tuple[str, ...], ...] = ()
    xi_spread: Mapping[str, float] = field(default_factory=dict[str, float])
    changed_by: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def replace(self, **changes: object) -> World:
        """A copy with some attributes changed."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]

    def firms(self) -> tuple[str, ...]:
        """Every company that prices, earns from or builds a product, in a fixed order: the F of all arrays."""
        names: set[str] = set()
        for column in ("priced_by", "made_by"):
            names.update(str(x) for x in self.products[column].unique() if x)
        for text in self.products["profit_to"].unique():
            names.update(part.split(":")[0] for part in str(text).split(";"))
        return tuple(sorted(names))
