"""A product that was not there becomes rows of the product table: what the move states, and the rest from a product it is like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keiretsu.errors import Problem
from keiretsu.market.world import World
from keiretsu.moves.filter import earners


@dataclass(frozen=True)
class NewProduct:
    """A product to be put on sale.

    Attributes
    ----------
    like
        Product of the same market that gives every column not in `stated`.
    priced_by, profit_to
        Empty: the one company that prices the brand's other products; empty: priced_by.
    cost_difference_eur
        Added to the cost of `like`, where `stated` has no cost.
    brand_like
        Brand whose standing is used where `brand` has none in the market.
    utility
        Where delta comes from: "projected", "of_like" or "twin", see `keiretsu.moves.new_utility`.
    label, place
        Of the move, for the record and for messages.
    """

    product: str
    markets: tuple[str, ...]
    brand: str
    like: str
    priced_by: str
    profit_to: str
    made_by: str
    transfer_price_eur: float
    held: bool
    brand_like: str
    utility: str
    label: str
    place: str
    cost_difference_eur: float = 0.0
    stated: Mapping[str, str | float] = field(default_factory=dict)


Utility = Callable[[World, NewProduct, pd.DataFrame], tuple[pd.DataFrame, str]]


def added(world: World, new: NewProduct, utility: Utility) -> World:
    """The world with the product on sale; `utility` fills delta and xi of its rows and says how it found them."""
    old = world.products
    rows = rows_like(old, new.like, new.markets)
    setter = new.priced_by or price_setter_of(world, new.brand)
    rows["cost_eur"] = rows["cost_eur"].astype(float) + new.cost_difference_eur
    for column, value in new.stated.items():
        rows[column] = value
    rows = rows.assign(
        product=new.product,
        brand=new.brand,
        n_models=1,
        priced_by=setter,
        profit_to=new.profit_to or setter,
        made_by=new.made_by,
        transfer_price_eur=new.transfer_price_eur,
        units=0.0,
        cost_given=True,
        held=new.held,
        available=True,
        launched_by=new.label,
    )
    if "powertrain_group" in rows:
        rows["powertrain_group"] = np.where(rows["powertrain"] == "BEV", "electric", "other")
    rows, note = utility(world, new, rows)
    products = pd.concat([old, _of_kinds(rows[old.columns], old)], ignore_index=True)
    return world.replace(products=products, notes=(*world.notes, f"{new.label}: {note}"))


def new_product_problems(world: World, new: NewProduct) -> list[Problem]:
    """Why the product cannot be put on sale; companies and utility apart."""
    products, problems = world.products, []
    keys = list(zip(products["market"].astype(str), products["product"].astype(str), strict=True))
    there, on_sale = set(keys), {key for key, available in zip(keys, products["available"], strict=True) if available}
    for market in new.markets:
        if market not in world.markets:
            problems.append(Problem("unknown market", new.place, market, f"one of {', '.join(world.markets)}"))
            continue
        if (market, new.product) in there:
            next_step = "another id, or a price cut or cost shock of the one there is"
            problems.append(Problem("launch of a product that exists", new.place, f"{new.product} in market {market}", "a new product id", next_step))
        if (market, new.like) not in on_sale:
            problems.append(
                Problem(
                    "the product it is like is not on sale there",
                    new.place,
                    f"{new.like} in market {market}",
                    "a product on sale in each of the markets",
                )
            )
    if not new.priced_by and len(setters := _setters_of(world, new.brand)) != 1:
        seen = f"{', '.join(setters)} price {new.brand}" if setters else f"nobody prices {new.brand}"
        problems.append(Problem("who sets the price is not clear", new.place, seen, "priced_by"))
    return problems


def companies_of(world: World, new: NewProduct) -> tuple[str, ...]:
    """Every company that prices, earns from or builds the product."""
    setter = new.priced_by or price_setter_of(world, new.brand)
    return tuple(dict.fromkeys(name for name in (setter, *earners(new.profit_to or setter), new.made_by) if name))


def price_setter_of(world: World, brand: str) -> str:
    """The one company that prices a brand's products; `new_product_problems` has seen to it that there is one."""
    return _setters_of(world, brand)[0]


def rows_like(products: pd.DataFrame, product: str, markets: Sequence[str]) -> pd.DataFrame:
    """The rows of a product in these markets, in their order."""
    place = {market: at for at, market in enumerate(markets)}
    there = products["market"].to_numpy()
    found = [(place[there[row]], row) for row in np.flatnonzero(products["product"].to_numpy() == product) if there[row] in place]
    return products.take([row for _, row in sorted(found)]).reset_index(drop=True)


def _of_kinds(rows: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    """Rows with columns of the same kinds as the table's."""
    wanted = products.dtypes
    return rows.astype({name: kind for name, kind in wanted.items() if rows[name].dtype != kind})


def _setters_of(world: World, brand: str) -> list[str]:
    products = world.products
    return sorted(set(products["priced_by"][products["brand"] == brand].astype(str)))
