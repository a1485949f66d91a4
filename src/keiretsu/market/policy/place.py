"""What programmes are applied to: the products of one market as arrays, its buyers, and the tax basis prices are tested on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keiretsu.errors import PolicyError, Problem
from keiretsu.market.policy.origins import built_in
from keiretsu.market.policy.programmes import Basis, Buyers, CountervailingDuty, Duty, Incentive, Programme, Scope, TariffQuota, Vat
from keiretsu.market.world import MarketFacts


@dataclass(frozen=True)
class Place:
    """One market as programmes see it. Arrays (J,) over products, (I,) over draws; `inside` is the share of a product's cars that
    its maker brings in under a tariff quota."""

    market: str
    product: tuple[str, ...]
    model: np.ndarray
    brand: np.ndarray
    maker: np.ndarray
    powertrain: np.ndarray
    segment: np.ndarray
    origin: np.ndarray
    battery_kwh: np.ndarray
    range_km: np.ndarray
    mass_kg: np.ndarray
    co2_gkm: np.ndarray
    vat_below: np.ndarray
    vat_above: np.ndarray
    vat_from: np.ndarray
    vat_programme: tuple[str, ...]
    customs_share: np.ndarray
    inside: np.ndarray
    weight: np.ndarray
    income_eur: np.ndarray
    kind: np.ndarray
    kind_names: tuple[str, ...]
    covered: dict[Scope, np.ndarray] = field(default_factory=dict, compare=False)  # what `covers` said, for it is asked at every piece

    @property
    def n_products(self) -> int:
        return len(self.product)


def place_of(programmes: tuple[Programme, ...], rows: pd.DataFrame, facts: MarketFacts, inside: np.ndarray) -> Place:
    """The place that `programmes` (those in force) apply to.

    Raises
    ------
    PolicyError
        When two programmes that exclude each other cover the same product: VAT rates, duties, countervailing duties, tariff quotas.
    """
    texts = {name: _texts(rows[name]) for name in ("brand", "model", "priced_by", "powertrain", "segment", "origin")}
    numbers = {name: rows[name].to_numpy(float) for name in ("battery_kwh", "range_km", "mass_kg", "co2_gkm")}
    n = len(rows)
    own_vat = rows["sales_tax"].to_numpy(float) if "sales_tax" in rows else np.full(n, facts.vat)
    consumers = facts.consumers
    place = Place(
        market=facts.id,
        product=tuple(_texts(rows["product"])),
        model=np.array([f"{b} {m}" for b, m in zip(texts["brand"], texts["model"], strict=True)], dtype=object),
        brand=texts["brand"],
        maker=texts["priced_by"],
        powertrain=texts["powertrain"],
        segment=texts["segment"],
        origin=texts["origin"],
        **numbers,
        vat_below=own_vat.copy(),
        vat_above=own_vat.copy(),
        vat_from=np.zeros(n),
        vat_programme=("",) * n,
        customs_share=np.zeros(n),
        inside=np.asarray(inside, float),
        weight=np.asarray(consumers.weight, float),
        income_eur=np.asarray(consumers.income_eur, float),
        kind=np.asarray(consumers.kind),
        kind_names=tuple(consumers.kind_names),
    )
    _check_exclusive(programmes, place)
    names = np.array(place.vat_programme, dtype=object)
    for programme in programmes:
        if not isinstance(programme, Vat | Duty):
            continue
        on = covers(programme.scope, place)
        if isinstance(programme, Duty):
            place.customs_share[on] = programme.value_share
        else:
            place.vat_below[on] = programme.rate_below if programme.above_eur > 0 else programme.rate
            place.vat_above[on] = programme.rate
            place.vat_from[on] = programme.above_eur
            names[on] = programme.scope.id
    object.__setattr__(place, "vat_programme", tuple(names))
    return place


def _texts(column: pd.Series) -> np.ndarray:
    found = np.empty(len(column), dtype=object)
    found[:] = [str(x) for x in column.tolist()]
    return found


def covers(scope: Scope, place: Place) -> np.ndarray:
    """Whether each product is one that the scope is about, whatever its price and its buyer. (J,) bool, not to be written to."""
    if scope not in place.covered:
        place.covered[scope] = _covers(scope, place)
    return place.covered[scope]


def _covers(scope: Scope, place: Place) -> np.ndarray:
    on = np.ones(place.n_products, dtype=bool)
    for names, column in (
        (scope.powertrains, place.powertrain),
        (scope.segments, place.segment),
        (scope.brands, place.brand),
        (scope.makers, place.maker),
        (scope.models, place.model),
    ):
        if names:
            on &= _one_of(column, names)
    if scope.models_except:
        on &= ~_one_of(place.model, scope.models_except)
    if scope.origins:
        on &= built_in(place.origin, scope.origins)
    if scope.origins_except:
        on &= ~built_in(place.origin, scope.origins_except)
    return (
        on
        & (place.battery_kwh >= scope.battery_min_kwh)
        & (place.range_km >= scope.range_min_km)
        & (place.mass_kg <= scope.mass_max_kg)
        & (place.co2_gkm <= scope.co2_max_gkm)
    )


def _one_of(column: np.ndarray, names: Collection[str]) -> np.ndarray:
    wanted = frozenset(names)
    return np.fromiter((x in wanted for x in column), bool, column.size)


def claims(buyers: Buyers, place: Place, where: str) -> np.ndarray:
    """Share of each draw that may and does claim, (I,), or (1,) when all draws are alike.

    Raises
    ------
    PolicyError
        When a kind of buyer is not one of the market's.
    """
    unknown = [kind for kind in buyers.kinds if kind not in place.kind_names]
    if unknown:
        raise PolicyError(
            Problem(
                "unknown kind of buyer",
                where,
                ", ".join(unknown),
                f"one of {', '.join(place.kind_names)}",
                "give the market's draws kinds, or use reach",
            )
        )
    if not buyers.kinds and np.isinf(buyers.income_max_eur):
        return np.array([buyers.reach])
    may = place.income_eur <= buyers.income_max_eur
    if buyers.kinds:
        may &= np.isin(place.kind, [place.kind_names.index(kind) for kind in buyers.kinds])
    return np.where(may, buyers.reach, 0.0)


def low_incomes(programme: Incentive, place: Place) -> np.ndarray:
    """Which draws get the amount for low incomes, (I,) bool: below a ceiling, or among the poorest share of households."""
    order = np.argsort(place.income_eur, kind="stable")
    rank = np.empty(order.size)
    # a draw stands at the middle of its own weight, so that a share of one half takes half of equally weighted draws
    rank[order] = np.cumsum(place.weight[order]) - place.weight[order] / 2
    poorest = rank < programme.low_income_share * place.weight.sum()
    return poorest | (place.income_eur <= programme.low_income_max_eur)


def gross(place: Place, price: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``(rate, add)`` of the gross list price, ``rate * p + add``, on the piece of the VAT schedule that `price` lies on. Two (J,)"""
    over = price > place.vat_from
    rate = 1 + np.where(over, place.vat_above, place.vat_below)
    return rate, np.where(over, (place.vat_below - place.vat_above) * place.vat_from, 0.0)


def net_price_at(place: Place, amount: float | np.ndarray, basis: Basis) -> np.ndarray:
    """The maker's price at which the price on `basis` is `amount`; inf where there is none. (J,)"""
    x = np.broadcast_to(np.asarray(amount, float), (place.n_products,))
    if basis == "net":
        return x.copy()
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if basis == "customs":
            return np.where(place.customs_share > 0, x / np.where(place.customs_share > 0, place.customs_share, 1.0), np.inf)
        knee = place.vat_from * (1 + place.vat_below)
        return np.where(x <= knee, x / (1 + place.vat_below), place.vat_from + (x - knee) / (1 + place.vat_above))


def _check_exclusive(programmes: tuple[Programme, ...], place: Place) -> None:
    problems: list[Problem] = []
    for kind, what in ((Vat, "VAT rates"), (Duty, "duties"), (CountervailingDuty, "countervailing duties"), (TariffQuota, "tariff quotas")):
        of_kind = [p for p in programmes if isinstance(p, kind)]
        masks = [covers(p.scope, place) for p in of_kind]
        for a in range(len(of_kind)):
            for b in range(a):
                both = np.flatnonzero(masks[a] & masks[b])
                if both.size:
                    problems.append(
                        Problem(
                            f"two {what} in force for the same product",
                            of_kind[a].scope.where or f"programme {of_kind[a].scope.id}",
                            f"{of_kind[b].scope.id} and {of_kind[a].scope.id} for {place.product[both[0]]} in {place.market} ({both.size} products)",
                            "one at a time",
                            "narrow the scope or the dates of one of them",
                        )
                    )
    if problems:
        raise PolicyError(problems)
