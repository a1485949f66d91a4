"""The numbers of an outcome that a decomposition splits, as one flat table of measure, item and unit."""

from __future__ import annotations

from keiretsu.market.outcome import Outcome
from keiretsu.moves.comparison import ALL, all_markets

Item = tuple[str, str, str]  # measure, item, unit

_MARKET_UNITS = {
    "units": "cars/yr",
    "electric_units": "cars/yr",
    "electric_share": "share",
    "mean_price_eur": "EUR a car",
    "mean_paid_eur": "EUR a car",
    "surplus_eur": "EUR/yr",
    "profit_eur": "EUR/yr",
    "government_eur": "EUR/yr",
    "co2_t": "t",
}


def reported(outcome: Outcome) -> dict[Item, float]:
    """Markets (each and all), profit and sales by firm, claims by owner, sales by brand, surplus by income group.

    A firm, owner or brand that is not there has no entry; its value is zero.
    """
    values: dict[Item, float] = {}
    for row in all_markets(outcome).to_dict("records"):
        name = "all markets" if row["market"] == ALL else f"market {row['market']}"
        values |= {(measure, name, unit): float(row[measure]) for measure, unit in _MARKET_UNITS.items()}
    firms = outcome.firms.groupby("firm", sort=False)[["profit_eur", "units"]].sum()
    values |= {("profit_eur", f"firm {firm}", "EUR/yr"): float(value) for firm, value in firms["profit_eur"].items()}
    values |= {("units", f"firm {firm}", "cars/yr"): float(value) for firm, value in firms["units"].items()}
    owners = outcome.owners.groupby("owner", sort=False)["claim_eur"].sum()
    values |= {("claim_eur", f"owner {owner}", "EUR/yr"): float(value) for owner, value in owners.items()}
    brands = outcome.products.groupby("brand", sort=False)["units"].sum()
    values |= {("units", f"brand {brand}", "cars/yr"): float(value) for brand, value in brands.items()}
    groups = outcome.consumers.groupby("group", sort=False)["surplus_eur"].sum()
    return values | {("surplus_eur", f"income group {group}", "EUR/yr"): float(value) for group, value in groups.items()}
