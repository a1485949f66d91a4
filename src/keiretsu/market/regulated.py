"""One market under its programmes, with the shadow costs of fleet rules given ([7], [8]).

What does not depend on prices or shadow costs is prepared once; solving is asked for many times; accounts are made once, at the end.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from keiretsu.errors import NotSettled
from keiretsu.market.market import Market
from keiretsu.market.memory import Content, Memory, Same, content_of
from keiretsu.market.policy.accounts import Accounts, accounts
from keiretsu.market.policy.compile import Compiled, all_inside, charger_utility, compile_programmes
from keiretsu.market.policy.programmes import Programme, TariffQuota, in_force
from keiretsu.market.policy.quota import MarketSolver, QuotaState, Savings, savings_of, solve_quota
from keiretsu.market.pools import PoolRecord
from keiretsu.market.world import MarketFacts
from keiretsu.numerics.host import host
from keiretsu.supply.kinks import BentMarket, CrossingCost, Stuck, free_to_cross
from keiretsu.supply.nearby import Nearby
from keiretsu.supply.notches import Deviation, Settled, solve_from_pieces
from keiretsu.supply.packed import Packed
from keiretsu.supply.pieces import PiecewiseWedges, check_paid, padded_pieces, piece_at, wedges_of, with_charge
from keiretsu.supply.pricing import PricingOptions

QUOTA_ROUNDS = 20  # several makers with quotas in one market are solved in turn


@dataclass(frozen=True)
class Rules:
    """What is in force: programmes, pool records, and the day. World attributes of the same names."""

    programmes: tuple[Programme, ...]
    pools: tuple[PoolRecord, ...]
    date: dt.date


@dataclass(frozen=True)
class RegulatedMarket:
    """One market in equilibrium under its rules. Arrays over the rows of `rows`, padding cut off.

    Attributes
    ----------
    market
        The padded arrays with the wedges in force, cost and shadow cost that prices were solved on.
    settled
        Padded prices, pieces and deviations tried.
    quantity
        Cars a year by product and draw. (J, I)
    shadow_eur
        Shadow cost of fleet rules and quotas, EUR a car: part of no reported margin. (J,)
    crossings
        As of `Found`.
    """

    rows: pd.DataFrame
    facts: MarketFacts
    market: Market
    compiled: Compiled
    settled: Settled
    price: np.ndarray
    quantity: np.ndarray
    shadow_eur: np.ndarray
    accounts: Accounts
    quotas: tuple[QuotaState, ...]
    crossings: tuple[Deviation, ...] = ()

    @property
    def units(self) -> np.ndarray:
        return self.quantity.sum(axis=1)

    @property
    def stuck(self) -> tuple[Stuck, ...]:
        return self.settled.stuck


@dataclass(frozen=True)
class Prepared:
    """A market with its programmes compiled: `market` has the chargers' utility in its tastes; `pieces` are padded like it."""

    market: Market
    rows: pd.DataFrame
    facts: MarketFacts
    rules: Rules
    compiled: Compiled
    pieces: PiecewiseWedges
    labels: tuple[str, ...]
    quotas: tuple[tuple[TariffQuota, str, Savings], ...]
    options: PricingOptions

    @property
    def padding(self) -> int:
        return self.market.cost.shape[0] - len(self.rows)

    def bent(self, pieces: PiecewiseWedges, fleet: np.ndarray, crossing_cost: CrossingCost = free_to_cross) -> BentMarket:
        """The pricing problem with shadow costs `fleet` (padded, EUR a car) on top of cost."""
        m = self.market
        cost, held = np.asarray(m.cost) + fleet, np.asarray(m.held)
        where = f"market {self.facts.id}"
        return BentMarket(m.tastes, pieces, m.weights, cost, held, where, self.labels, self.options, crossing_cost, Nearby(self.packed))

    @cached_property
    def packed(self) -> Packed:
        """What does not hang on prices, taxes or costs, ready to be looked at."""
        return Packed(self.market.tastes, self.market.weights)


@dataclass(frozen=True)
class Found:
    """Prices of a prepared market at some shadow costs: `fleet` padded, `charge` of quotas over the market's rows (EUR a car).

    `crossings` are what setters would gain by crossing a threshold, EUR in a whole year of it: none in an equilibrium, those that were accepted in
    a state that is only near to one.
    """

    compiled: Compiled
    pieces: PiecewiseWedges
    settled: Settled
    fleet: np.ndarray
    charge: np.ndarray
    quotas: tuple[QuotaState, ...] = field(default=())
    crossings: tuple[Deviation, ...] = ()

    @property
    def price(self) -> np.ndarray:
        return self.settled.prices.price

    @property
    def sides(self) -> tuple[bytes, tuple[tuple[int, float], ...]]:
        """Which piece every product is on and who is stuck where: what must not change for the market to be smooth."""
        stuck = tuple((s.product, s.price_eur) for s in self.settled.stuck)
        return np.asarray(self.settled.prices.piece, int).tobytes(), stuck


PLACE = (  # columns of the product table that programmes look at
    "product", "brand", "model", "priced_by", "powertrain", "segment", "origin", "battery_kwh", "range_km", "mass_kg", "co2_gkm", "sales_tax",
)  # fmt: skip


def prepare(market: Market, rows: pd.DataFrame, facts: MarketFacts, rules: Rules, options: PricingOptions, memory: Memory | None = None) -> Prepared:
    """Compile the programmes of one market.

    Raises
    ------
    PolicyError
        When programmes contradict each other.
    """
    products, draws = market.cost.shape[0], market.tastes.alpha.shape[0]

    def make() -> _Ready:
        compiled = compile_programmes(rules.programmes, rows, facts, rules.date, all_inside(rows))
        chargers = charger_utility(rules.programmes, rows, facts, rules.date)
        return _Ready(compiled, padded_pieces(compiled.pieces, products, draws), np.pad(chargers, (0, products - len(rows))))

    columns = [name for name in PLACE if name in rows]
    key = Content(content_of(rows, columns), Same(facts), in_force(rules.programmes, facts.id, rules.date), products, draws)
    ready = make() if memory is None else memory.once("programmes", key, make)
    if ready.chargers.any():
        market = replace(market, tastes=replace(market.tastes, delta=host(np.asarray(market.tastes.delta) + ready.chargers)))
    labels = (*map(str, rows["product"].tolist()), *("(padding)",) * (products - len(rows)))
    quotas = _quotas_of(ready.compiled)
    return Prepared(market, rows, facts, rules, ready.compiled, ready.pieces, labels, quotas, options)


@dataclass(frozen=True)
class _Ready:
    """Programmes compiled, their pieces padded, and what chargers add to each product's mean utility (utils), padded."""

    compiled: Compiled
    pieces: PiecewiseWedges
    chargers: np.ndarray


def solve_prepared(
    at: Prepared, fleet: np.ndarray, start: np.ndarray, piece: np.ndarray, crossing_cost: CrossingCost = free_to_cross, part: float = 1.0
) -> Found:
    """Prices with shadow costs `fleet` of fleet rules; all (J,), padded; `start`, `piece` as an earlier solution left them.

    `part` is the share of the year that the market is like this: gains in EUR a year, and `crossing_cost` beside them, are those of the part.

    Raises
    ------
    PricesNotSettled, NoPureEquilibrium, NotSettled
        From prices, notches and tariff quotas.
    """
    if not at.quotas:
        settled = solve_from_pieces(at.bent(at.pieces, fleet, crossing_cost), start, piece, part * at.facts.potential)
        return Found(at.compiled, at.pieces, settled, fleet, np.zeros(len(at.rows)))
    n, found = len(at.rows), dict[str, Found]()
    size = at.market.cost.shape[0], at.market.tastes.alpha.shape[0]

    def prices(inside: np.ndarray, charge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        before = found["last"].price if found else start
        now = at.compiled if (inside == 1).all() else compile_programmes(at.rules.programmes, at.rows, at.facts, at.rules.date, inside)
        pieces = padded_pieces(with_charge(now.pieces, charge), *size)
        settled = solve_from_pieces(at.bent(pieces, fleet, crossing_cost), before, piece_at(pieces, before), part * at.facts.potential)
        found["last"] = Found(now, padded_pieces(now.pieces, *size), settled, fleet, charge)
        return settled.prices.price[:n], at.facts.potential * settled.prices.share[:n]

    charge, quotas = _solve_quotas(at, prices)
    return replace(found["last"], charge=charge, quotas=quotas)


def finished(at: Prepared, found: Found) -> RegulatedMarket:
    """Quantities and accounts at solved prices.

    Raises
    ------
    PolicyError
        When somebody would be paid to take a car, or accounts do not balance.
    """
    n, market = len(at.rows), at.market
    price, piece = found.price, found.settled.prices.piece
    check_paid(found.compiled.pieces, price[:n], at.labels[:n], f"market {at.facts.id}")
    wedges, packed = wedges_of(found.pieces, piece), at.packed
    look = packed.look(packed.terms_on(found.pieces, piece, np.asarray(market.cost)), price)
    quantity = np.zeros((n, at.facts.consumers.weight.size))
    quantity[packed.order[:, None], packed.draws] = look.chance * (at.facts.potential * packed.weight)
    shadow = found.fleet[:n] + found.charge
    solved_on = replace(market, wedges=wedges, shadow=host(np.pad(shadow, (0, at.padding))))
    books = accounts(found.compiled, price[:n], piece[:n], quantity)
    return RegulatedMarket(
        at.rows, at.facts, solved_on, found.compiled, found.settled, price[:n], quantity, shadow, books, found.quotas, found.crossings
    )


def _quotas_of(compiled: Compiled) -> tuple[tuple[TariffQuota, str, Savings], ...]:
    """Every quota and maker that save something under it, and what each car saves."""
    quotas = [q for q in compiled.programmes if isinstance(q, TariffQuota)]
    makers = [(q, str(m)) for q in quotas for m in dict.fromkeys(compiled.place.maker)]
    found = [(q, m, savings_of(compiled, q, m)) for q, m in makers]
    return tuple((q, m, savings) for q, m, savings in found if (savings.relief > 0).any())


def _solve_quotas(at: Prepared, prices: MarketSolver) -> tuple[np.ndarray, tuple[QuotaState, ...]]:
    """Shadow charges and states of every maker's quota, makers in turn until none moves."""
    n = len(at.rows)
    states: dict[tuple[str, str], QuotaState] = {}
    before, moved = np.full(n, np.inf), np.inf
    for _ in range(QUOTA_ROUNDS):
        for quota, maker, savings in at.quotas:
            others = [s for key, s in states.items() if key != (quota.scope.id, maker)]
            states[quota.scope.id, maker] = solve_quota(savings, quota, maker, _given(others, n, prices))
        inside = np.prod([s.inside for s in states.values()], axis=0)
        charge = np.sum([s.charge_eur for s in states.values()], axis=0)
        price, _ = prices(inside, charge)
        moved, before = float(np.abs(price - before).max()), price
        if len(at.quotas) == 1 or moved < 1e-4:
            return charge, tuple(states.values())
    raise NotSettled(
        "tariff quotas of several makers",
        where=at.facts.id,
        residual=moved,
        unit="EUR",
        iterations=QUOTA_ROUNDS,
        next_step="run the makers' quotas one at a time",
    )


def _given(others: list[QuotaState], n: int, prices: MarketSolver) -> MarketSolver:
    """The market as one quota sees it, the others' states as they are."""
    inside_0 = np.prod([s.inside for s in others], axis=0) if others else np.ones(n)
    charge_0 = np.sum([s.charge_eur for s in others], axis=0) if others else np.zeros(n)
    return lambda inside, charge: prices(inside * inside_0, charge + charge_0)
