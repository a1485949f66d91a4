"""One market in NumPy: products on sale in the order of their nests, draws that count, firms that set a price ([3], [8]).

Compiled programs solve a market from afar. Close to a solution, where taxes and incentives bend and makers weigh whether to cross a threshold, a market is
looked at hundreds of times, a few rows of its wedges differing each time. `Packed` is made once; `Packed.look` says what buyers choose at some prices and how far
each price is from the one its first-order condition implies.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from keiretsu.demand.tastes import Tastes
from keiretsu.supply.pieces import PiecewiseWedges
from keiretsu.supply.wedges import Wedges
from keiretsu.supply.weights import ProfitWeights

FEW_NESTS = 24  # up to so many, nests are summed one by one, which is faster than NumPy's sums of consecutive rows


@dataclass(frozen=True)
class Nesting:
    """Nests of the n products in packed order; without nests all of them are in one whose correlation is zero.

    Attributes
    ----------
    sub, group
        Subgroup and group of each product, numbered in packed order. (n,)
    sub_start, group_start
        First product of each subgroup, and first subgroup of each group. (S,), (G,)
    sub_ends, group_ends
        First and one past the last product of each. (S, 2), (G, 2)
    group_of_sub
        (S,)
    inner, outer
        One minus sigma of each product's subgroup and group. (n,)
    c1, c2
        Coefficients of the nest sums in the first-order condition. (n,)
    two_levels
        Whether some subgroup is not its whole group, or differs from it in sigma.
    """

    sub: np.ndarray
    group: np.ndarray
    sub_start: np.ndarray
    group_start: np.ndarray
    sub_ends: np.ndarray
    group_ends: np.ndarray
    group_of_sub: np.ndarray
    inner: np.ndarray
    outer: np.ndarray
    c1: np.ndarray
    c2: np.ndarray
    two_levels: bool


class Packed:
    """What does not hang on prices, taxes or costs. Arrays over n products on sale, I draws of positive weight, F firms that set a price.

    Attributes
    ----------
    order
        Index of each packed product in the market's arrays. (n,)
    setter
        Row of each product's setter in `keeps`. (n,)
    keeps, fee
        What each firm keeps of one euro of each product's margin, and the money it gets on top (EUR a car). (F, n)
    firm
        The market's index of each firm. (F,)
    """

    def __init__(self, tastes: Tastes, weights: ProfitWeights) -> None:
        sold = np.flatnonzero(np.asarray(tastes.available))
        sub, group = (
            (np.zeros(sold.size, int),) * 2 if tastes.nests is None else (np.asarray(x)[sold] for x in (tastes.nests.sub, tastes.nests.group))
        )
        by_nest = np.lexsort((sub, group))
        self.size = int(np.asarray(tastes.available).size)
        self.order = sold[by_nest]
        self.draws = np.flatnonzero(np.asarray(tastes.weight) > 0)
        self.nests = _nesting(tastes, sub[by_nest], group[by_nest])
        self.alpha = np.asarray(tastes.alpha)[self.draws]
        self.weight = np.asarray(tastes.weight)[self.draws]
        mu = np.asarray(tastes.mu)
        mu = mu[self.order][:, self.draws] if mu.shape[1] > max(self.draws.size, 1) else mu[self.order]
        self.utility = np.asarray(tastes.delta)[self.order][:, None] + mu
        self.outside = tastes.outside
        setter = np.asarray(weights.setter)[self.order]
        self.firm, self.setter = np.unique(setter, return_inverse=True)
        kappa = np.asarray(weights.kappa)[self.firm]
        self.keeps = kappa @ np.asarray(weights.split)[:, self.order]
        self.fee = kappa @ np.asarray(weights.fee)[:, self.order]
        self.has_fee = bool(self.fee.any())
        self.place = np.full(self.size, -1)
        self.place[self.order] = np.arange(self.order.size)
        self.keeps_own = self.keeps[self.setter, np.arange(self.order.size)]
        self.fee_own = self.fee[self.setter, np.arange(self.order.size)]

    @property
    def usual(self) -> bool:
        """Whether every product has a utility and a setter that earns on it, and every draw minds prices: what a solution needs."""
        return bool(np.isfinite(self.utility).all() and (self.keeps_own > 0).all() and (self.alpha > 0).all())

    @cached_property
    def single(self) -> Packed:
        """The same in single precision."""
        found = copy(self)
        found.__dict__.update(_in_single(self.__dict__))
        found.nests = replace(self.nests, **_in_single(self.nests.__dict__))
        return found

    def terms(self, wedges: Wedges, cost: np.ndarray) -> Terms:
        """Taxes and costs (EUR a car, (J,)) of the products on sale."""
        rate, add, charge = (self._rows(x) for x in (wedges.buyer_rate, wedges.buyer_add, wedges.maker_charge))
        return Terms(Asked.of(self, rate, add), np.asarray(wedges.maker_rate)[self.order], charge, np.asarray(cost)[self.order])

    def terms_on(self, pieces: PiecewiseWedges, piece: np.ndarray, cost: np.ndarray) -> Terms:
        """The same on one piece for each product; `piece` and `cost` (EUR a car) are (J,)."""
        here = np.asarray(piece)[self.order]
        asked = Asked.of(self, self._on(pieces.buyer_rate, here), self._on(pieces.buyer_add, here))
        return Terms(asked, pieces.maker_rate[self.order, here], self._on(pieces.maker_charge, here), np.asarray(cost)[self.order])

    def _rows(self, values: object) -> np.ndarray:
        """Rows of the products on sale; one column where all draws are alike."""
        array = np.asarray(values)
        if array.shape[1] == 1 or array.strides[1] == 0:
            return array[self.order, :1]
        rows = array[self.order]
        return rows if self.draws.size == rows.shape[1] else rows[:, self.draws]

    def _on(self, values: np.ndarray, piece: np.ndarray) -> np.ndarray:
        if values.shape[2] == 1 or values.strides[2] == 0:
            return values[self.order, piece, :1]
        rows = values[self.order, piece]
        return rows if self.draws.size == rows.shape[1] else rows[:, self.draws]

    def look(self, terms: Terms, price: np.ndarray) -> Look:
        """The market at `price`, EUR, (J,)."""
        return Look(self, terms, np.asarray(price)[self.order])

    def spread(self, values: np.ndarray, elsewhere: np.ndarray) -> np.ndarray:
        """Packed values (n,) as an array over all products, those not on sale as in `elsewhere`. (J,)"""
        found = np.array(elsewhere, float)
        found[self.order] = values
        return found


@dataclass(frozen=True)
class Asked:
    """What buyers pay, ``q = rate p + add``, and what is left to be done for their choices at a price.

    Attributes
    ----------
    rate, add
        (n, I), or (n, 1) where all draws are alike; `add` in EUR.
    base
        Utility over ``1 - sigma_sub`` at a price of zero. (n, I)
    pull
        By how much that falls for each euro. (n, I)
    """

    rate: np.ndarray
    add: np.ndarray
    base: np.ndarray
    pull: np.ndarray

    @staticmethod
    def of(packed: Packed, rate: np.ndarray, add: np.ndarray) -> Asked:
        mind = packed.alpha / packed.nests.inner[:, None]
        base = packed.utility / packed.nests.inner[:, None]
        return Asked(rate, add, base - mind * add, mind * rate)


@dataclass(frozen=True)
class Terms:
    """Wedges and costs of packed products; the maker keeps ``keep p - charge - cost``. `charge` is (n, I) or (n, 1), EUR; `keep`, `cost` are (n,)."""

    asked: Asked
    keep: np.ndarray
    charge: np.ndarray
    cost: np.ndarray

    @property
    def rate(self) -> np.ndarray:
        return self.asked.rate

    @cached_property
    def single(self) -> Terms:
        """The same in single precision."""
        return Terms(Asked(**_in_single(self.asked.__dict__)), **_in_single({name: getattr(self, name) for name in ("keep", "charge", "cost")}))

    @property
    def by_draw(self) -> bool:
        """Whether what the maker hands over hangs on who buys."""
        return self.charge.shape[1] > 1


class Look:
    """A market at some prices, in packed order; each part is worked out when it is asked for.

    Attributes
    ----------
    price
        (n,)
    in_sub, sub_in_group, group, nothing
        Probability of each product given its subgroup (n, I), of each subgroup given its group (S, I), of each group (G, I), of buying nothing (I,).
    """

    def __init__(self, packed: Packed, terms: Terms, price: np.ndarray) -> None:
        self.packed, self.terms, self.price = packed, terms, price
        nests = packed.nests
        utility = terms.asked.pull * -price[:, None]
        utility += terms.asked.base
        peak = _by_nest(np.maximum, utility, nests.sub_ends)
        utility -= peak[nests.sub]
        odds = np.exp(utility, out=utility)
        total = _by_nest(np.add, odds, nests.sub_ends)
        self.in_sub = np.multiply(odds, (1 / total)[nests.sub], out=odds)
        value = peak + np.log(total)
        if nests.two_levels:
            value = value * (nests.inner / nests.outer)[nests.sub_ends[:, 0]][:, None]
            high = np.maximum.reduceat(value, nests.group_start, axis=0)
            odds = np.exp(value - high[nests.group_of_sub])
            total = np.add.reduceat(odds, nests.group_start, axis=0)
            self.sub_in_group = odds / total[nests.group_of_sub]
            value = high + np.log(total)
        else:
            self.sub_in_group = np.ones_like(value)
        value = value * nests.outer[nests.group_ends[:, 0]][:, None]
        top = value.max(axis=0)
        top = np.maximum(top, 0.0) if packed.outside else top
        odds = np.exp(value - top)
        nothing = np.exp(-top) if packed.outside else np.zeros_like(top)
        total = odds.sum(axis=0) + nothing
        self.group, self.nothing = odds / total, nothing / total

    @cached_property
    def in_group(self) -> np.ndarray:
        """Probability of each product given its group. (n, I)"""
        nests = self.packed.nests
        return self.in_sub * self.sub_in_group[nests.sub] if nests.two_levels else self.in_sub

    @cached_property
    def chance(self) -> np.ndarray:
        """Probability of each product. (n, I)"""
        return self.in_group * self.group[self.packed.nests.group]

    @cached_property
    def share(self) -> np.ndarray:
        """Market shares. (n,)"""
        return self.chance @ self.packed.weight

    @cached_property
    def margin(self) -> np.ndarray:
        """What is kept of one sale, (n, I), or (n, 1) when it is the same whoever buys (EUR)."""
        t = self.terms
        return (t.keep * self.price - t.cost)[:, None] - t.charge

    @cached_property
    def earned_in_sub(self) -> np.ndarray:
        """What each setter earns on a buyer of each subgroup (EUR). (F, S, I)"""
        packed, nests, t = self.packed, self.packed.nests, self.terms
        alike = t.keep * self.price - t.cost - (0.0 if t.by_draw else t.charge[:, 0])
        worth = packed.keeps * alike + packed.fee if packed.has_fee else packed.keeps * alike
        found = np.empty((packed.firm.size, nests.sub_start.size, packed.weight.size), packed.weight.dtype)
        for s, (a, b) in enumerate(nests.sub_ends.tolist()):
            found[:, s] = worth[:, a:b] @ self.in_sub[a:b]
            if t.by_draw:
                found[:, s] -= packed.keeps[:, a:b] @ (t.charge[a:b] * self.in_sub[a:b])
        return found

    @cached_property
    def earned_in_group(self) -> np.ndarray:
        """The same for each group. (F, G, I)"""
        nests = self.packed.nests
        if not nests.two_levels:
            return self.earned_in_sub
        return np.add.reduceat(self.earned_in_sub * self.sub_in_group, nests.group_start, axis=1)

    @cached_property
    def earned(self) -> np.ndarray:
        """What each setter earns on a potential buyer: its objective, draw by draw (EUR). (F, I)"""
        return (self.earned_in_group * self.group).sum(axis=1)

    @cached_property
    def objective(self) -> np.ndarray:
        """What each setter maximises, EUR a potential buyer. (F,)"""
        return self.earned @ self.packed.weight

    @cached_property
    def steep(self) -> np.ndarray:
        """How much utility a euro more costs each buyer of each product (utils a EUR). (n, I)"""
        return self.packed.alpha * self.terms.rate

    @cached_property
    def own_worth(self) -> np.ndarray:
        """What a product's setter earns on its sale, over ``1 - sigma_sub`` (EUR). (n, I), or (n, 1) when it is the same whoever buys."""
        packed = self.packed
        return (packed.keeps_own[:, None] * self.margin + packed.fee_own[:, None]) / packed.nests.inner[:, None]

    @cached_property
    def brought(self) -> np.ndarray:
        """What a product's setter earns on those who do not buy it, sums over nests with their coefficients (EUR). (n, I)"""
        packed, nests = self.packed, self.packed.nests
        by_group = self.earned[:, None] + nests.c2[nests.group_ends[:, 0]][:, None] * self.earned_in_group
        found = by_group[packed.setter, nests.group]
        return found + nests.c1[:, None] * self.earned_in_sub[packed.setter, nests.sub] if nests.two_levels else found

    @cached_property
    def worth(self) -> np.ndarray:
        """What a product's setter earns on its sale beyond what the buyer would bring otherwise, ``{...}`` of [8] (EUR). (n, I)"""
        return self.own_worth - self.brought

    @cached_property
    def minded(self) -> np.ndarray:
        """``w alpha s``: buyers of each product by how much they mind money. (n, I)"""
        return self.chance * (self.packed.weight * self.packed.alpha)

    @cached_property
    def omega(self) -> np.ndarray:
        """``w alpha a s``: buyers of each product by how much they mind its price. (n, I)"""
        return self.minded * self.terms.rate

    @cached_property
    def answering(self) -> np.ndarray:
        """`omega` summed over draws. (n,)"""
        return self._weighed(None)

    def _weighed(self, by: np.ndarray | None) -> np.ndarray:
        """Sum over draws of `omega` times `by` (n, I) or (n, 1). (n,)"""
        rate = self.terms.rate
        alike = rate.shape[1] == 1
        buyers = self.minded if alike else self.omega
        outside = rate[:, 0] if alike else 1.0
        if by is None or by.shape[1] == 1:
            found = buyers.sum(axis=1)
            return outside * (found if by is None else found * by[:, 0])
        return outside * np.einsum("ni,ni->n", buyers, by)

    @cached_property
    def slope(self) -> np.ndarray:
        """What turns a distance in money into a first-order condition; see `keiretsu.supply.first_order.Conditions`. (n,)"""
        return self.packed.keeps_own * self.terms.keep * self.answering / self.packed.nests.inner

    @cached_property
    def condition(self) -> np.ndarray:
        """Derivative of each setter's objective by its price. (n,)"""
        own = self.own_worth
        earned = self.answering * own[:, 0] if own.shape[1] == 1 else self._weighed(own)
        return self.packed.keeps_own * self.terms.keep * self.share - earned + self._weighed(self.brought)

    @cached_property
    def residual(self) -> np.ndarray:
        """Price that each first-order condition implies less the price (EUR); not a number where nobody buys. (n,)"""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.condition / self.slope

    def residual_with(self, at: np.ndarray, rate: np.ndarray, keep: np.ndarray) -> np.ndarray:
        """The residuals of packed products `at` (m,) with other rates, `rate` (m, I) or (m, 1) and `keep` (m,), on which they cost and bring the same here."""
        packed = self.packed
        omega = self.minded[at] * rate
        bound = packed.keeps_own[at] * keep
        return (bound * self.share[at] - (omega * self.worth[at]).sum(axis=1)) / (bound * omega.sum(axis=1) / packed.nests.inner[at])


def _in_single(values: Mapping[str, object]) -> dict[str, Any]:
    """Those that are arrays of doubles, in single precision."""
    return {name: x.astype(np.float32) for name, x in values.items() if isinstance(x, np.ndarray) and x.dtype == np.float64}


def _by_nest(fold: np.ufunc, rows: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """`fold` over the rows of each nest. (S, I)"""
    if ends.shape[0] > FEW_NESTS:
        return fold.reduceat(rows, ends[:, 0], axis=0)
    found = np.empty((ends.shape[0], rows.shape[1]), rows.dtype)
    for k, (a, b) in enumerate(ends.tolist()):
        fold.reduce(rows[a:b], axis=0, out=found[k])
    return found


def _nesting(tastes: Tastes, sub: np.ndarray, group: np.ndarray) -> Nesting:
    """Nests of products already in order."""
    _, first, packed_sub = np.unique(np.stack([group, sub]), axis=1, return_index=True, return_inverse=True)
    packed_sub, sub_start = packed_sub.reshape(-1), np.asarray(first)
    _, packed_group = np.unique(group, return_inverse=True)
    group_of_sub = packed_group[sub_start]
    group_start = np.flatnonzero(np.diff(group_of_sub, prepend=-1))
    if tastes.nests is None:
        sigma_sub = sigma_group = np.zeros(sub.size)
    else:
        sigma_sub, sigma_group = np.asarray(tastes.nests.sigma_sub)[sub], np.asarray(tastes.nests.sigma_group)[group]
    inner, outer = 1 - sigma_sub, 1 - sigma_group
    first_product = sub_start[group_start]
    two = group_start.size < sub_start.size or bool((inner != outer).any())
    return Nesting(
        packed_sub, packed_group, sub_start, group_start, _ends(sub_start, sub.size), _ends(first_product, sub.size), group_of_sub,
        inner, outer, 1 / inner - 1 / outer, sigma_group / outer, two,
    )  # fmt: skip


def _ends(start: np.ndarray, size: int) -> np.ndarray:
    return np.stack([start, np.append(start[1:], size)], axis=1)
