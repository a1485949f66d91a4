"""From the programmes in force on a day to the affine pieces that prices are solved on ([7])."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.errors import PolicyError, Problem
from keiretsu.market.policy.place import Place, covers, place_of
from keiretsu.market.policy.programmes import Chargers, Duty, Incentive, Programme, TariffQuota, in_force
from keiretsu.market.policy.terms import Break, Terms, breaks_of, quota_relief, quota_terms, terms_of, vat_terms
from keiretsu.market.world import MarketFacts
from keiretsu.supply.pieces import PiecewiseWedges

SAME_EUR = 1e-6  # breakpoints closer than this are one; a real ceiling is stated in whole money


@dataclass(frozen=True)
class Compiled:
    """Programmes of one market on one day, ready for prices and accounts.

    `inner` is a price inside each piece, (J, K): programmes are evaluated there, never at a breakpoint.
    """

    pieces: PiecewiseWedges
    inner: np.ndarray
    place: Place
    programmes: tuple[Programme, ...]


def wedges_for(programmes: tuple[Programme, ...], rows: pd.DataFrame, facts: MarketFacts, date: dt.date) -> PiecewiseWedges:
    """Pieces of every product of a market (`rows` of the world's product table) on a day, VAT included.

    Raises
    ------
    PolicyError
        When programmes contradict each other.
    """
    return compile_programmes(programmes, rows, facts, date, all_inside(rows)).pieces


def all_inside(rows: pd.DataFrame) -> np.ndarray:
    """Every car inside its tariff quota: the state before a quota is found to bind. (J,)"""
    return np.ones(len(rows))


def compile_programmes(programmes: tuple[Programme, ...], rows: pd.DataFrame, facts: MarketFacts, date: dt.date, inside: np.ndarray) -> Compiled:
    """As `wedges_for`, with what accounts need; `inside` (J,) is the share of each product's cars inside a tariff quota."""
    active = in_force(programmes, facts.id, date)
    _check_ids(active)
    place = place_of(active, rows, facts, inside)
    breaks, closed, labels = _merged([b for p in active for b in breaks_of(p, place)], place)
    inner = _inner_prices(breaks)
    rate, add, keep, charge = [], [], [], []
    for k in range(inner.shape[1]):
        terms = each_term(active, place, inner[:, k])
        _check_groups(active, place, inner[:, k], dict(terms))
        rate.append(1 + _together([t.buyer_rate for _, t in terms]))
        add.append(_together([t.buyer_add for _, t in terms]))
        keep.append(1 - np.sum([t.maker_lost for _, t in terms], axis=0))
        charge.append(_together([t.maker_charge for _, t in terms]))
    pieces = PiecewiseWedges(breaks, closed, labels, _stacked(rate), _stacked(add), np.stack(keep, axis=1), _stacked(charge))
    return Compiled(pieces, inner, place, active)


def each_term(active: tuple[Programme, ...], place: Place, price: np.ndarray) -> list[tuple[str, Terms]]:
    """Every programme's terms by id, VAT first as ``vat``. `price` (J,) lies inside a piece of each product."""
    found = [("vat", vat_terms(place, price))]
    for programme in active:
        if isinstance(programme, TariffQuota):
            for duty in (d for d in active if isinstance(d, Duty)):
                _check_relief(programme, duty, place, price)
                found.append((programme.scope.id, quota_terms(programme, duty, place, price)))
        else:
            found.append((programme.scope.id, terms_of(programme, place, price)))
    return found


def charger_utility(programmes: tuple[Programme, ...], rows: pd.DataFrame, facts: MarketFacts, date: dt.date) -> np.ndarray:
    """What charger programmes in force add to each product's mean utility, in utils. (J,)

    Money of several programmes is added before its decreasing returns, so splitting a programme changes nothing.
    """
    active = in_force(programmes, facts.id, date)
    total = np.zeros(len(rows))
    if not any(isinstance(programme, Chargers) for programme in active):
        return total
    place = place_of(active, rows, facts, all_inside(rows))
    built: dict[tuple[float, float, bytes], float] = {}
    for programme in active:
        if isinstance(programme, Chargers):
            key = (programme.stock, programme.taste, covers(programme.scope, place).tobytes())
            built[key] = built.get(key, 0.0) + programme.money_eur / programme.cost_each_eur
    for (stock, taste, on), number in built.items():
        total += np.frombuffer(on, dtype=bool) * taste * np.log1p(number / stock)
    return total


def _merged(found: list[Break], place: Place) -> tuple[np.ndarray, np.ndarray, tuple[tuple[str, ...], ...]]:
    """Breakpoints of every product in ascending order, the same price once, padded with inf."""
    if not found:
        return np.zeros((place.n_products, 0)), np.zeros((place.n_products, 0), dtype=bool), ((),) * place.n_products
    rows: list[list[tuple[float, bool, str]]] = []
    problems: list[Problem] = []
    for j in range(place.n_products):
        mine = sorted((float(b.price[j]), b.closed_below, b.label) for b in found if np.isfinite(b.price[j]))
        merged: list[tuple[float, bool, str]] = []
        for price, closed, label in mine:
            if merged and price - merged[-1][0] <= SAME_EUR:
                if closed != merged[-1][1]:
                    problems.append(
                        Problem(
                            "two programmes meet at one price and each claims it",
                            f"{place.market}, product {place.product[j]}",
                            f"{merged[-1][2]}; {label}",
                            "one of them to end below it",
                            "use over in place of at_least",
                        )
                    )
                merged[-1] = (merged[-1][0], closed, merged[-1][2] if label in merged[-1][2] else f"{merged[-1][2]}; {label}")
            else:
                merged.append((price, closed, label))
        rows.append(merged)
    if problems:
        raise PolicyError(problems)
    width = max((len(r) for r in rows), default=0)
    breaks = np.full((place.n_products, width), np.inf)
    closed_below = np.zeros((place.n_products, width), dtype=bool)
    for j, merged in enumerate(rows):
        for k, (price, closed, _) in enumerate(merged):
            breaks[j, k], closed_below[j, k] = price, closed
    labels = tuple(tuple(label for _, _, label in r) + ("",) * (width - len(r)) for r in rows)
    return breaks, closed_below, labels


def _inner_prices(breaks: np.ndarray) -> np.ndarray:
    """A price inside every piece; padding repeats the last real piece. (J, K)"""
    n, width = breaks.shape
    inner = np.empty((n, width + 1))
    below = np.zeros(n)
    for k in range(width + 1):
        above = breaks[:, k] if k < width else np.full(n, np.inf)
        last = np.where(np.isfinite(below), below, 0.0)
        inner[:, k] = np.where(np.isfinite(above), (last + np.where(np.isfinite(above), above, 0.0)) / 2, 2 * last + 1)
        below = np.where(np.isfinite(above), above, below)
    return inner


def _together(parts: list[np.ndarray]) -> np.ndarray:
    """Sum of terms, those that are alike for all draws first. (J, I) or (J, 1)"""
    found = np.sum([p for p in parts if p.shape[1] == 1], axis=0)
    for part in parts:
        found = found + part if part.shape[1] > 1 else found
    return found


def _stacked(parts: list[np.ndarray]) -> np.ndarray:
    """Pieces side by side, one column where all draws are alike. (J, K, I) or (J, K, 1)"""
    parts = [p[:, :1] if (p == p[:, :1]).all() else p for p in parts]
    width = max(p.shape[1] for p in parts)
    return np.stack([np.broadcast_to(p, (p.shape[0], width)) for p in parts], axis=1)


def _check_ids(active: tuple[Programme, ...]) -> None:
    ids = [p.scope.id for p in active]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise PolicyError(
            [
                Problem(
                    "a programme is in force twice on the same day",
                    next(p.scope.where for p in active if p.scope.id == i),
                    i,
                    "one programme for each id and day",
                    "end the first before the second starts",
                )
                for i in twice
            ]
        )


def _check_groups(active: tuple[Programme, ...], place: Place, price: np.ndarray, terms: Mapping[str, Terms]) -> None:
    """Refuse two incentives of one group that the same buyer would get for the same car."""
    problems: list[Problem] = []
    by_group: dict[str, list[Incentive]] = {}
    for programme in active:
        if isinstance(programme, Incentive) and programme.group:
            by_group.setdefault(programme.group, []).append(programme)
    for group, members in by_group.items():
        gets = [_amount(terms[m.scope.id], price) > 0 for m in members] if len(members) > 1 else []
        for a in range(len(gets)):
            for b in range(a):
                both = np.flatnonzero((gets[a] & gets[b]).any(axis=1))
                if both.size:
                    problems.append(
                        Problem(
                            f"two incentives of group {group} for the same car",
                            members[a].scope.where or members[a].scope.id,
                            f"{members[b].scope.id} and {members[a].scope.id} for {place.product[both[0]]} in {place.market} at EUR {price[both[0]]:,.0f} net",
                            "one at a time",
                            "narrow the price windows or the dates",
                        )
                    )
    if problems:
        raise PolicyError(problems)


def _amount(terms: Terms, price: np.ndarray) -> np.ndarray:
    """What an incentive gives at a price, to whomever. (J, I) or (J, 1)"""
    return -(terms.buyer_rate * price[:, None] + terms.buyer_add) - (terms.maker_lost * price)[:, None] - terms.maker_charge


def _check_relief(quota: TariffQuota, duty: Duty, place: Place, price: np.ndarray) -> None:
    worse = np.flatnonzero(quota_relief(quota, duty, place, price) < 0)
    if worse.size:
        raise PolicyError(
            Problem(
                "a tariff quota dearer than the duty it replaces",
                quota.scope.where or quota.scope.id,
                f"{quota.low_rate:.0%} against {duty.scope.id} for {place.product[worse[0]]}",
                "a rate at or below the duty",
            )
        )
