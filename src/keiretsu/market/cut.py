"""Every market of a world cut out and padded to one shape, with a key that holds everything its prices hang on but programmes and fleet rules."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.market.market import Market, base_wedges, parse_split, rows_of, tastes_of_rows, weights_of
from keiretsu.market.memory import Content, Memory, Same, bits, content_of
from keiretsu.market.padding import padded, shape_of, spacious
from keiretsu.market.world import World
from keiretsu.numerics.host import host
from keiretsu.supply.cost import with_transfers
from keiretsu.supply.weights import ProfitWeights


@dataclass(frozen=True)
class Cut:
    """Padded arrays of one market, the product rows they stand for, and its key (see `cut_out`)."""

    market: Market
    rows: pd.DataFrame
    key: Content


@dataclass(frozen=True)
class Rows:
    """The products on sale in one market, all of what they hold as a key, and the companies they name."""

    table: pd.DataFrame
    content: Content
    companies: tuple[str, ...]


def cut_out(world: World, kappa: np.ndarray, memory: Memory) -> Mapping[str, Cut]:
    """Every market of a world. `kappa` is (F, F) over `World.firms`.

    Two markets have the same key only when their products (prices to start from and costs among them), buyers, companies and the weights of those
    companies that price or earn something there are the same to the last bit, in arrays of the same shape.
    """
    firms = memory.once("firms", Same(world.products), world.firms)
    rows = {name: memory.once("rows", (Same(world.products), name), lambda name=name: _rows(world, name)) for name in world.markets}
    plain = {
        name: memory.once("arrays", _about(world, name, one, firms), lambda name=name, one=one: market_of_rows(world, name, one.table, firms))
        for name, one in rows.items()
    }
    shape = spacious(shape_of(list(plain.values())))
    wide = np.eye(shape.firms)
    wide[: len(firms), : len(firms)] = kappa
    found: dict[str, Cut] = {}
    for name, one in rows.items():
        about = Content(_about(world, name, one, firms), shape)
        market = memory.once("padded", about, lambda name=name: padded(plain[name], shape))
        here = [firms.index(company) for company in one.companies]
        weights = ProfitWeights(market.weights.setter, host(wide), market.weights.split, market.weights.fee)
        mine = Market(market.tastes, market.wedges, weights, market.cost, market.shadow, market.start, market.held)
        found[name] = Cut(mine, one.table, Content(about, bits(kappa[np.ix_(here, here)])))
    return found


def market_of_rows(world: World, name: str, rows: pd.DataFrame, firms: tuple[str, ...]) -> Market:
    """One market's arrays; profit weights are those of separate firms."""
    facts, cost = world.markets[name], host(rows["cost_eur"].to_numpy(float))
    weights, transfers = weights_of(rows, firms, np.eye(len(firms)))
    return Market(
        tastes=tastes_of_rows(facts, world.preferences, rows),
        wedges=base_wedges(facts, rows),
        weights=with_transfers(weights, transfers, cost),
        cost=cost,
        shadow=host(np.zeros(len(rows))),
        start=host(rows["price_eur"].to_numpy(float)),
        held=host(rows["held"].to_numpy(bool)),
    )


def _about(world: World, name: str, rows: Rows, firms: tuple[str, ...]) -> Hashable:
    return rows.content, Same(world.markets[name]), Same(world.preferences), firms


def _rows(world: World, name: str) -> Rows:
    table = rows_of(world, name)
    earning = {firm for text in table["profit_to"].astype(str) for firm in parse_split(text)}
    pricing = {str(x) for column in ("priced_by", "made_by") for x in table[column] if x}
    return Rows(table, content_of(table), tuple(sorted(earning | pricing)))
