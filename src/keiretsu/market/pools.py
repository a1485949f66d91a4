"""Fleet rules: CO2 targets and sales mandates, pools of makers, their balances ([10]).

A rule gives each car a *burden*: grams above the pool's target for a CO2 rule (a zero-emission car brings a negative one), missing
electric cars for a mandate. A pool's balance is the sum of burdens over all markets of the area, rest of the area included. What stands above
zero is fined; the pool's shadow price lies between nothing and the fine and enters every margin as ``lambda * burden``. Records and balances
are here; `market.clearing` finds the shadow prices.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from keiretsu.errors import PolicyError, Problem
from keiretsu.units import MODEL_CURRENCY

PREMIUM_EUR = 95.0  # per gram per km above target and car: Regulation (EU) 2019/631, Article 8


@dataclass(frozen=True)
class FleetTarget:
    """Grams of CO2 per km a fleet may emit on average.

    With a mass term a maker's own target is ``grams + mass_slope * (mean mass - reference_mass)`` (grams per kg, kg). A car below
    `super_credit_below` g/km counts as `super_credit` cars.
    """

    grams: float
    mass_slope: float = 0.0
    reference_mass_kg: float = 0.0
    super_credit_below: float = 0.0
    super_credit: float = 1.0
    fine_eur: float = PREMIUM_EUR


@dataclass(frozen=True)
class SalesMandate:
    """Share of sales that must be of `powertrain`; `fine_eur` for each car missing."""

    share: float
    fine_eur: float
    powertrain: str = "BEV"


Target: TypeAlias = FleetTarget | SalesMandate


@dataclass(frozen=True)
class FleetRule:
    """A target for the makers of an area. `markets` are those of the world it covers; `from_year`, `to_year` are both included.

    `counted_by` is the product column that says whose car it is. `averaged`, first and last year, lets the balance of these years count together: too much
    in one is made up for in another. Only the years ahead know of it; a year by itself clears by itself. `currency` is that of the law's fine: it stays as it is in
    it where exchange rates move.
    """

    id: str
    markets: tuple[str, ...]
    from_year: int
    to_year: int
    target: Target
    counted_by: Literal["brand", "priced_by"] = "brand"
    averaged: tuple[int, ...] = ()
    source: str = ""
    confidence: str = ""
    note: str = ""
    where: str = ""
    currency: str = MODEL_CURRENCY


@dataclass(frozen=True)
class Pool:
    """Makers that meet a rule together in the years named. `sharing`: who bears a fine (see `payments`); `payer` only for "one payer"."""

    id: str
    rule: str
    makers: tuple[str, ...]
    sharing: Literal["internal price", "pro rata", "one payer"] = "internal price"
    payer: str = ""
    from_year: int = 0
    to_year: int = 9999
    source: str = ""
    confidence: str = ""
    note: str = ""
    where: str = ""


@dataclass(frozen=True)
class RestOfArea:
    """A maker's sales in countries of the area that the case has no market for, held as they were: cars, mean g/km, mean mass, electric cars."""

    rule: str
    maker: str
    cars: float
    co2_gkm: float
    mass_kg: float
    electric_cars: float = 0.0
    source: str = ""
    confidence: str = ""
    note: str = ""
    where: str = ""


PoolRecord: TypeAlias = FleetRule | Pool | RestOfArea


@dataclass(frozen=True)
class Obligation:
    """One rule in one year, pool by pool: every maker is in exactly one pool, alone where it joined none.

    Attributes
    ----------
    pools, members
        Names of pools and the makers of each.
    cap
        Fine per unit of burden, the ceiling of each shadow price (EUR). (P,)
    rest
        Balance of the rest of the area. (P,)
    """

    rule: FleetRule
    year: int
    pools: tuple[Pool, ...]
    cap: np.ndarray
    rest: np.ndarray
    rest_by_maker: Mapping[str, float]
    rest_cars: np.ndarray

    def pool_of(self, rows: pd.DataFrame) -> np.ndarray:
        """Pool index of each product, -1 outside the rule's markets. (n,)"""
        index = {maker: p for p, pool in enumerate(self.pools) for maker in pool.makers}
        inside, makers = self._inside(rows), rows[self.rule.counted_by].tolist()
        missing = dict.fromkeys(maker for maker, here in zip(makers, inside, strict=True) if here and maker not in index)
        if missing:
            raise PolicyError(
                Problem("a maker is in no pool of the rule", self.rule.id, ", ".join(map(str, missing)), "the makers the obligation was made for")
            )
        return np.array([index[maker] if here else -1 for maker, here in zip(makers, inside, strict=True)], int)

    def _inside(self, rows: pd.DataFrame) -> np.ndarray:
        """Whether each product is sold in a market of the rule. (n,) bool"""
        return np.array([market in self.rule.markets for market in rows["market"].tolist()], bool)

    def burden(self, rows: pd.DataFrame) -> np.ndarray:
        """Burden of one car of each product: g/km above target, or missing electric cars; zero outside the rule's markets. (n,)"""
        powertrain = np.array([str(x) for x in rows["powertrain"].tolist()])
        per_car = burden_of(self.rule.target, rows["co2_gkm"].to_numpy(float), rows["mass_kg"].to_numpy(float), powertrain)
        return np.where(self._inside(rows), per_car, 0.0)

    def shadow(self, rows: pd.DataFrame, price: np.ndarray) -> np.ndarray:
        """``lambda_P * burden``: EUR a car that setters see on top of cost. (n,)"""
        pool = self.pool_of(rows)
        return np.where(pool >= 0, np.asarray(price)[np.maximum(pool, 0)], 0.0) * self.burden(rows)

    def balance(self, rows: pd.DataFrame, units: np.ndarray) -> np.ndarray:
        """Balance of each pool with these sales, rest of the area included; above zero is fined. (P,)"""
        pool = self.pool_of(rows)
        on = pool >= 0
        return self.rest + np.bincount(pool[on], (self.burden(rows) * units)[on], minlength=len(self.pools))


def burden_of(target: Target, co2_gkm: np.ndarray, mass_kg: np.ndarray, powertrain: np.ndarray) -> np.ndarray:
    """Burden of one car: grams above target times the cars it counts as, or the share required less the electric car it is."""
    if isinstance(target, SalesMandate):
        return target.share - (powertrain == target.powertrain)
    allowed = target.grams + target.mass_slope * (mass_kg - target.reference_mass_kg)
    counts = np.where(co2_gkm < target.super_credit_below, target.super_credit, 1.0)
    return counts * (co2_gkm - allowed)


def obligation(records: Sequence[PoolRecord], rule: FleetRule, rows: pd.DataFrame, year: int) -> Obligation:
    """A rule in one year for the makers that sell in its markets or in the rest of its area.

    Raises
    ------
    PolicyError
        When a maker is in two pools of the rule, a payer is no member, or a pool names no rule; all problems together.
    """
    check_pools(records)
    rest = [r for r in records if isinstance(r, RestOfArea) and r.rule == rule.id]
    sold = rows.loc[rows["market"].isin(rule.markets), rule.counted_by].astype(str).unique()
    makers = sorted(set(sold) | {r.maker for r in rest})
    pools = [p for p in records if isinstance(p, Pool) and p.rule == rule.id and p.from_year <= year <= p.to_year]
    pooled = {maker for p in pools for maker in p.makers}
    everyone = (*pools, *(Pool(maker, rule.id, (maker,)) for maker in makers if maker not in pooled))
    by_maker = {r.maker: _rest_balance(rule.target, r) for r in rest}
    cars = {r.maker: r.cars for r in rest}
    return Obligation(
        rule=rule,
        year=year,
        pools=everyone,
        cap=np.full(len(everyone), rule.target.fine_eur),
        rest=np.array([sum(by_maker.get(m, 0.0) for m in p.makers) for p in everyone]),
        rest_by_maker=by_maker,
        rest_cars=np.array([sum(cars.get(m, 0.0) for m in p.makers) for p in everyone]),
    )


def obligations(records: Sequence[PoolRecord], rows: pd.DataFrame, date: dt.date) -> tuple[Obligation, ...]:
    """Every fleet rule in force on a day, for the makers of the product table."""
    rules = [r for r in records if isinstance(r, FleetRule) and r.from_year <= date.year <= r.to_year]
    return tuple(obligation(records, rule, rows, date.year) for rule in rules)


def check_pools(records: Sequence[PoolRecord]) -> None:
    """Refuse pool records that contradict each other.

    Raises
    ------
    PolicyError
        With all problems: a maker in two pools of one rule, an unknown rule, a payer outside its pool, an id twice, years out of order.
    """
    problems: list[Problem] = []
    rules: dict[str, list[FleetRule]] = {}
    for r in records:
        if not isinstance(r, FleetRule):
            continue
        if r.to_year < r.from_year:
            problems.append(Problem("a rule ends before it starts", r.where or r.id, f"{r.from_year} to {r.to_year}"))
        if r.averaged and (len(r.averaged) != 2 or r.averaged[1] < r.averaged[0]):
            problems.append(Problem("not a window of years", r.where or r.id, str(list(r.averaged)), "first and last year, such as [2025, 2027]"))
        elif r.averaged and not any(
            o.from_year <= r.averaged[1] and r.averaged[0] <= o.to_year for o in records if isinstance(o, FleetRule) and o.id == r.id
        ):
            window = f"{r.averaged[0]} to {r.averaged[1]}"
            problems.append(
                Problem("years are averaged in which the rule does not hold", r.where or r.id, window, f"years from {r.from_year} to {r.to_year}")
            )
        problems.extend(
            Problem("a rule has two targets in one year", r.where or r.id, f"{r.from_year}-{r.to_year} and {other.from_year}-{other.to_year}")
            for other in rules.get(r.id, [])
            if r.from_year <= other.to_year and other.from_year <= r.to_year
        )
        rules.setdefault(r.id, []).append(r)
    seen: dict[tuple[str, str], list[Pool]] = {}
    for r in records:
        if isinstance(r, FleetRule):
            continue
        if r.rule not in rules:
            problems.append(
                Problem("no such fleet rule", r.where or str(getattr(r, "id", "")), r.rule, f"one of {', '.join(rules) or 'none stated'}")
            )
        if not isinstance(r, Pool):
            continue
        for maker in r.makers:
            others = seen.setdefault((r.rule, maker), [])
            both = [o.id for o in others if r.from_year <= o.to_year and o.from_year <= r.to_year]
            if both:
                problems.append(
                    Problem(
                        "a maker is in two pools",
                        r.where or r.id,
                        f"{maker} in {both[0]} and {r.id}",
                        "one pool",
                        "leave the first before joining the second",
                    )
                )
            others.append(r)
        if r.sharing == "one payer" and r.payer not in r.makers:
            problems.append(
                Problem("the payer of a pool is not one of its makers", r.where or r.id, r.payer or "nobody", f"one of {', '.join(r.makers)}")
            )
    if problems:
        raise PolicyError(problems)


def payments(obligation: Obligation, rows: pd.DataFrame, units: np.ndarray, price: np.ndarray) -> pd.DataFrame:
    """What each maker pays for its pool's balance: rule, pool, maker, balance, shadow_price_eur, pool_balance, pool_fine_eur, pays_eur.

    `pool_fine_eur` is a pool's fine on what stands above zero. Under "internal price" a maker pays the shadow price for its own
    balance, or is paid for a surplus; that adds up to the pool's fine. "pro rata" splits the fine over makers above zero; "one payer" bears it all.
    """
    pool_of, burden = obligation.pool_of(rows), obligation.burden(rows)
    total = obligation.balance(rows, units)
    parts: list[dict[str, object]] = []
    for p, pool in enumerate(obligation.pools):
        names = rows[obligation.rule.counted_by].astype(str).to_numpy()
        own = {m: obligation.rest_by_maker.get(m, 0.0) + float(((burden * units)[(pool_of == p) & (names == m)]).sum()) for m in pool.makers}
        fine = float(obligation.cap[p] * max(total[p], 0.0))
        above = sum(max(b, 0.0) for b in own.values())
        for maker, balance in own.items():
            if pool.sharing == "internal price":
                pays = float(price[p]) * balance
            elif pool.sharing == "pro rata":
                pays = fine * max(balance, 0.0) / above if fine > 0 else 0.0
            else:
                pays = fine if maker == pool.payer else 0.0
            parts.append(
                {
                    "rule": obligation.rule.id,
                    "pool": pool.id,
                    "maker": maker,
                    "balance": balance,
                    "shadow_price_eur": float(price[p]),
                    "pool_balance": float(total[p]),
                    "pool_fine_eur": fine,
                    "pays_eur": pays,
                }
            )
    return pd.DataFrame(parts)


def _rest_balance(target: Target, rest: RestOfArea) -> float:
    if isinstance(target, SalesMandate):
        return target.share * rest.cars - rest.electric_cars
    allowed = target.grams + target.mass_slope * (rest.mass_kg - target.reference_mass_kg)
    return rest.cars * (rest.co2_gkm - allowed)
