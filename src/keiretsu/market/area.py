"""All markets of a world with their taxes, incentives, tariff quotas and fleet rules in equilibrium together ([7], [8], [10]).

Each market is solved with its own pieces; pools tie the markets of an area together through their shadow prices. What comes back holds
prices, who is stuck where, accounts, shadow prices and payments; tables for readers are made above.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pandas as pd

from keiretsu.demand.choice import choose
from keiretsu.demand.tastes import Tastes
from keiretsu.errors import NotSettled
from keiretsu.market.clearing import Cleared, ClearingOptions, clear_pools
from keiretsu.market.market import Market
from keiretsu.market.policy.accounts import Accounts, accounts
from keiretsu.market.policy.compile import Compiled, all_inside, charger_utility, compile_programmes
from keiretsu.market.policy.programmes import Programme, TariffQuota
from keiretsu.market.policy.quota import MarketSolver, QuotaState, saving_rates, solve_quota
from keiretsu.market.pools import Obligation, PoolRecord, obligations, payments
from keiretsu.market.world import MarketFacts
from keiretsu.supply.kinks import BentMarket, Stuck
from keiretsu.supply.notches import Settled, solve_piecewise
from keiretsu.supply.pieces import check_paid, padded_pieces, piece_at, wedges_of, with_charge
from keiretsu.supply.pricing import PricingOptions
from keiretsu.supply.wedges import Wedges, paid
from keiretsu.typing import PerProduct, PerProductAndDraw

FLEET_GRAMS = 1e-6  # a pool's balance counts as zero within this many grams (or mandate cars) per car sold
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
    """

    rows: pd.DataFrame
    market: Market
    compiled: Compiled
    settled: Settled
    price: np.ndarray
    quantity: np.ndarray
    shadow_eur: np.ndarray
    accounts: Accounts
    quotas: tuple[QuotaState, ...]

    @property
    def units(self) -> np.ndarray:
        return self.quantity.sum(axis=1)

    @property
    def stuck(self) -> tuple[Stuck, ...]:
        return self.settled.stuck


@dataclass(frozen=True)
class AreaEquilibrium:
    """All markets; `cleared` is None when no fleet rule is in force. `payments` as of `pools.payments`, empty without rules."""

    markets: Mapping[str, RegulatedMarket]
    obligations: tuple[Obligation, ...]
    cleared: Cleared | None
    payments: pd.DataFrame = field(default_factory=pd.DataFrame)


def solve_area(
    cut: Mapping[str, tuple[Market, pd.DataFrame]],
    facts: Mapping[str, MarketFacts],
    rules: Rules,
    options: PricingOptions,
) -> AreaEquilibrium:
    """Every market under its programmes, and the pools of every fleet rule in force.

    Parameters
    ----------
    cut
        Markets (padded or not) and their product rows, by market id. Their own wedges are replaced by those of the programmes.

    Raises
    ------
    PolicyError, PricesNotSettled, NoPureEquilibrium, PoolsNotSettled
        Each naming its market, product or pool.
    """
    compiled = {name: compile_programmes(rules.programmes, rows, facts[name], rules.date, all_inside(rows)) for name, (_, rows) in cut.items()}
    last: dict[str, RegulatedMarket] = {}

    def solve_one(name: str, fleet: np.ndarray) -> RegulatedMarket:
        market, rows = cut[name]
        start = last[name].settled.prices.price if name in last else np.asarray(market.start)
        last[name] = solve_market(market, rows, facts[name], rules, compiled[name], fleet, start, options)
        return last[name]

    every = pd.concat([rows for _, rows in cut.values()], ignore_index=True)
    duties = obligations(rules.pools, every, rules.date)
    regulated = {name for duty in duties for name in duty.rule.markets}
    for name, (_, rows) in cut.items():
        if name not in regulated:
            solve_one(name, np.zeros(len(rows)))
    if not duties:
        return AreaEquilibrium({name: last[name] for name in cut}, (), None)
    ends = np.cumsum([0, *(len(duty.pools) for duty in duties)])

    def balance(price: np.ndarray) -> np.ndarray:
        parts = [price[a:b] for a, b in pairwise(ends)]
        for name in (n for n in cut if n in regulated):
            rows = cut[name][1]
            solve_one(name, sum((duty.shadow(rows, part) for duty, part in zip(duties, parts, strict=True)), np.zeros(len(rows))))
        return _balances(duties, cut, last)

    cap = np.concatenate([duty.cap for duty in duties])
    start = np.zeros(cap.size)
    cars = np.concatenate([duty.rest_cars + _cars(duty, cut) for duty in duties])
    scale = np.maximum(cars, 1.0)
    cleared = clear_pools(balance, cap, start, ClearingOptions(FLEET_GRAMS * scale), "fleet rules")
    tables = []
    for duty, a, b in zip(duties, ends[:-1], ends[1:], strict=True):
        mine = [name for name in cut if name in duty.rule.markets]
        rows = pd.concat([cut[name][1] for name in mine], ignore_index=True)
        tables.append(payments(duty, rows, np.concatenate([last[name].units for name in mine]), cleared.price[a:b]))
    return AreaEquilibrium({name: last[name] for name in cut}, duties, cleared, pd.concat(tables, ignore_index=True))


def solve_market(
    market: Market,
    rows: pd.DataFrame,
    facts: MarketFacts,
    rules: Rules,
    compiled: Compiled,
    fleet: np.ndarray,
    start: np.ndarray,
    options: PricingOptions,
) -> RegulatedMarket:
    """One market under its programmes with given shadow costs of fleet rules (EUR a car, over `rows`)."""
    n, padding = len(rows), market.cost.shape[0] - len(rows)
    chargers = charger_utility(rules.programmes, rows, facts, rules.date)
    tastes = replace(market.tastes, delta=market.tastes.delta + jnp.asarray(np.pad(chargers, (0, padding))))
    labels = tuple(rows["product"].astype(str))
    found: dict[str, tuple[Compiled, Settled]] = {}

    def prices(inside: np.ndarray, charge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        now = compiled if (inside == 1).all() else compile_programmes(rules.programmes, rows, facts, rules.date, inside)
        pieces = padded_pieces(with_charge(now.pieces, charge), tastes.delta.shape[0], tastes.alpha.shape[0])
        cost = np.asarray(market.cost) + np.pad(fleet, (0, padding))
        bent = BentMarket(
            tastes, pieces, market.weights, cost, np.asarray(market.held), f"market {facts.id}", _padded_labels(labels, padding), options
        )
        before = found["last"][1].prices.price if found else start
        settled = solve_piecewise(bent, before, facts.potential)
        found["last"] = (now, settled)
        return settled.prices.price[:n], facts.potential * settled.prices.share[:n]

    charge, quotas = _quotas(compiled, np.asarray(market.start)[:n], prices)
    now, settled = found["last"]
    price, piece = settled.prices.price, settled.prices.piece[:n]
    check_paid(now.pieces, price[:n], labels, f"market {facts.id}")
    wedges = wedges_of(padded_pieces(now.pieces, tastes.delta.shape[0], tastes.alpha.shape[0]), settled.prices.piece)
    probability = np.asarray(_probabilities(tastes, wedges, jnp.asarray(price)))
    draws = facts.consumers.weight.size
    quantity = facts.potential * (probability * np.asarray(tastes.weight))[:n, :draws]
    shadow = fleet + charge
    solved_on = replace(market, tastes=tastes, wedges=wedges, shadow=jnp.asarray(np.pad(shadow, (0, padding))))
    books = accounts(now, price[:n], piece, quantity)
    return RegulatedMarket(rows, solved_on, now, settled, price[:n], quantity, shadow, books, quotas)


def _quotas(compiled: Compiled, start: np.ndarray, prices: MarketSolver) -> tuple[np.ndarray, tuple[QuotaState, ...]]:
    """Shadow charges and states of every maker's quota, makers in turn until none moves; solves the market once when there is none."""
    n = start.size
    makers = [(q, str(m)) for q in compiled.programmes if isinstance(q, TariffQuota) for m in dict.fromkeys(compiled.place.maker)]
    rates = {(q.scope.id, m): saving_rates(compiled, q, m, piece_at(compiled.pieces, start)) for q, m in makers}
    makers = [(q, m) for q, m in makers if rates[q.scope.id, m].any()]
    states: dict[tuple[str, str], QuotaState] = {}
    if not makers:
        prices(np.ones(n), np.zeros(n))
        return np.zeros(n), ()
    before, moved = np.full(n, np.inf), np.inf
    for _ in range(QUOTA_ROUNDS):
        for quota, maker in makers:
            others = [s for key, s in states.items() if key != (quota.scope.id, maker)]
            inside_0 = np.prod([s.inside for s in others], axis=0) if others else np.ones(n)
            charge_0 = np.sum([s.charge_eur for s in others], axis=0) if others else np.zeros(n)

            def given(inside: np.ndarray, charge: np.ndarray, inside_0: np.ndarray = inside_0, charge_0: np.ndarray = charge_0):
                return prices(inside * inside_0, charge + charge_0)

            states[quota.scope.id, maker] = solve_quota(rates[quota.scope.id, maker], quota, maker, given)
        inside = np.prod([s.inside for s in states.values()], axis=0)
        charge = np.sum([s.charge_eur for s in states.values()], axis=0)
        price, _ = prices(inside, charge)
        moved, before = float(np.abs(price - before).max()), price
        if len(makers) == 1 or moved < 1e-4:
            return charge, tuple(states.values())
    raise NotSettled(
        "tariff quotas of several makers",
        where=compiled.place.market,
        residual=moved,
        unit="EUR",
        iterations=QUOTA_ROUNDS,
        next_step="run the makers' quotas one at a time",
    )


def _balances(duties: tuple[Obligation, ...], cut: Mapping[str, tuple[Market, pd.DataFrame]], last: Mapping[str, RegulatedMarket]) -> np.ndarray:
    found: list[np.ndarray] = []
    for duty in duties:
        total = duty.rest.copy()
        for name in (n for n in cut if n in duty.rule.markets):
            total += duty.balance(cut[name][1], last[name].units) - duty.rest
        found.append(total)
    return np.concatenate(found)


def _cars(duty: Obligation, cut: Mapping[str, tuple[Market, pd.DataFrame]]) -> np.ndarray:
    """Cars of the base year by pool, the scale of a tolerance."""
    total = np.zeros(len(duty.pools))
    for name in (n for n in cut if n in duty.rule.markets):
        rows = cut[name][1]
        total += np.bincount(duty.pool_of(rows), rows["units"].to_numpy(float), minlength=len(duty.pools))
    return total


def _padded_labels(labels: tuple[str, ...], padding: int) -> tuple[str, ...]:
    return labels + ("(padding)",) * padding


@eqx.filter_jit
def _probabilities(tastes: Tastes, wedges: Wedges, price: PerProduct) -> PerProductAndDraw:
    return choose(tastes, paid(wedges, price)).probability
