"""Slopes of all first-order conditions of a market at some prices: by prices, and by costs; and of its shares ([8]).

With ``b = alpha a`` (utils a EUR), ``omega = w b s`` and T what a setter earns everywhere, in a subgroup or in a group, all follow from

    ds_l / dp_k = -b_k s_l { 1(l = k) / inner - s_k - c1 s_k|sub - c2 s_k|group },

the last two only inside one nest. Written out, each is a handful of products (n x I)(I x n); those with conditional probabilities run nest by nest.
Formulas are exact, figures are in single precision: slopes decide how many steps a solution takes and never what the solution is.

Newton steps divide by the slopes of the residual, condition over its own slope. Away from a solution that is nearer to a straight line than the condition itself,
which dies out with demand where prices are too high.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keiretsu.supply.packed import Look, Nesting, Packed

NOBODY = 1e-30  # probability of a nest below which its own terms no longer count: single precision could not hold their inverse


def of_residuals(look: Look) -> np.ndarray:
    """``d residual_j / d p_k``: of the distance between each price and the one its condition implies. (n, n)"""
    at = _Single.at(look)
    packed, nests, inner = at.packed, at.nests, at.nests.inner[:, None]
    bound = packed.keeps_own * look.terms.keep
    pulled = look.worth + (look.residual * bound)[:, None] / inner
    moved = at.chance * _single(packed.weight * (bound[:, None] - look.steep * pulled))
    kept = at.keep - at.steep * at.margin / _single(inner)
    found = (_in_two_levels if nests.two_levels else _in_one_level)(at, look, moved, kept)
    if packed.has_fee:
        found -= packed.fee[packed.setter] * _taken_by(at, at.omega, at.steep / _single(inner))
    own = np.arange(packed.order.size)
    found[own, own] -= (np.einsum("ni,ni->n", moved, at.steep) + bound * look.answering) / nests.inner
    return found / look.slope[:, None]


def _in_one_level(at: _Single, look: Look, moved: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Slopes of conditions with one level of nests or none, before fees and a price's own terms: one product for each nest, with its own products' terms in it."""
    packed, nests = at.packed, at.nests
    own = np.empty((packed.order.size,) * 2, np.float32)
    found, brings = np.empty_like(own), at.chance * kept
    for g, (a, b) in enumerate(nests.group_ends):
        mine, c2 = slice(a, b), nests.c2[a]
        left = moved + at.omega * _single(look.earned + c2 * look.earned_in_group[:, g])[packed.setter]
        buyers = at.omega
        if c2 != 0:
            inverse = _single(c2 / np.maximum(look.group[g], NOBODY))
            here = _single(look.earned_in_group[:, g] / nests.outer[a])[packed.setter[mine]]
            left[mine] += inverse * (moved[mine] + at.omega[mine] * here)
            buyers = at.omega.copy()
            buyers[mine] *= 1 + inverse
        found[:, mine], own[:, mine] = left @ at.taken[mine].T, buyers @ brings[mine].T
    return packed.keeps[packed.setter] * own + found


def _in_two_levels(at: _Single, look: Look, moved: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The same with subgroups in groups."""
    packed, nests, earned = at.packed, at.nests, look.earned
    found = packed.keeps[packed.setter] * (at.omega @ (at.chance * kept).T)
    for g, (a, b) in enumerate(nests.group_ends):
        mine = slice(a, b)
        everywhere = _single(earned + nests.c2[a] * look.earned_in_group[:, g])[packed.setter]
        for s in range(nests.sub[a], nests.sub[b - 1] + 1):
            there = slice(*nests.sub_ends[s])
            here = everywhere + _single(nests.c1[there.start] * look.earned_in_sub[:, s])[packed.setter]
            found[:, there] += (moved + at.omega * here) @ at.taken[there].T
        found[mine, mine] += nests.c2[a] * _in_group(at, look, mine, moved, kept)
    for s, (a, b) in enumerate(nests.sub_ends):
        mine = slice(a, b)
        found[mine, mine] += nests.c1[a] * _in_sub(at, look, s, mine, moved, kept)
    return found


def by_cost(look: Look) -> np.ndarray:
    """``d residual_j / d cost_k``. (n, n)"""
    at = _Single.at(look)
    packed = at.packed
    found = -packed.keeps[packed.setter] * _taken_by(at, at.omega, np.ones((1, 1), np.float32))
    own = np.arange(packed.order.size)
    found[own, own] += packed.keeps_own * look.answering / at.nests.inner
    return found / look.slope[:, None]


def of_shares(look: Look) -> np.ndarray:
    """``d share_l / d p_k``. (n, n)"""
    at = _Single.at(look)
    # s_l s_k|nest = s_k s_l|nest: the nest's terms are those of k's buyers
    found = _taken_by(at, at.omega, np.ones((1, 1), np.float32)).T.astype(float)
    own = np.arange(at.packed.order.size)
    found[own, own] -= look.answering / at.nests.inner
    return found


@dataclass(frozen=True)
class _Single:
    """What the products are made of, in single precision. All (n, I); `keep` (n, 1), `margin` (n, I) or (n, 1)."""

    packed: Packed
    nests: Nesting
    chance: np.ndarray
    in_group: np.ndarray
    in_sub: np.ndarray
    omega: np.ndarray
    steep: np.ndarray
    taken: np.ndarray
    keep: np.ndarray
    margin: np.ndarray

    @staticmethod
    def at(look: Look) -> _Single:
        chance, steep, in_sub = _single(look.chance), _single(look.steep), _single(look.in_sub)
        in_group = _single(look.in_group) if look.packed.nests.two_levels else in_sub
        keep, margin = _single(look.terms.keep[:, None]), _single(look.margin)
        return _Single(look.packed, look.packed.nests, chance, in_group, in_sub, _single(look.omega), steep, steep * chance, keep, margin)


def _single(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, np.float32)


def _taken_by(at: _Single, omega: np.ndarray, weigh: np.ndarray) -> np.ndarray:
    """``sum_i omega_j (s_k + c1 s_k|sub + c2 s_k|group) weigh_k``: where those who leave j go. (n, n)"""
    nests = at.nests
    found = omega @ (at.chance * weigh).T
    for ends, coefficient, inside in ((nests.group_ends, nests.c2, at.in_group), (nests.sub_ends, nests.c1, at.in_sub)):
        for a, b in ends if coefficient.any() else ():
            found[a:b, a:b] += _single(coefficient[a:b, None]) * (omega[a:b] @ (inside[a:b] * (weigh[a:b] if weigh.shape[0] > 1 else weigh)).T)
    return found


def _in_group(at: _Single, look: Look, mine: slice, moved: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """What a group's own sum adds to the slopes among its products, before its coefficient; fees apart."""
    packed, nests = at.packed, at.nests
    setter, group = packed.setter[mine], nests.group[mine.start]
    inside, own = at.in_group[mine], at.omega[mine]
    taken = at.steep[mine] * inside
    earned = _single(look.earned_in_group[:, group] / nests.outer[mine.start])[setter]
    found = (moved[mine] + own * earned) @ taken.T + packed.keeps[setter, mine] * (own @ (inside * kept[mine]).T)
    for s in range(nests.sub[mine.start], nests.sub[mine.stop - 1] + 1):
        there = slice(*(nests.sub_ends[s] - mine.start))
        found[:, there] += (own * _single(nests.c1[mine][there.start] * look.earned_in_sub[:, s])[setter]) @ taken[there].T
    return found


def _in_sub(at: _Single, look: Look, sub: int, mine: slice, moved: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The same for a subgroup."""
    packed, nests = at.packed, at.nests
    setter = packed.setter[mine]
    inside, own = at.in_sub[mine], at.omega[mine]
    earned = _single(look.earned_in_sub[:, sub] / nests.inner[mine.start])[setter]
    return (moved[mine] + own * earned) @ (at.steep[mine] * inside).T + packed.keeps[setter, mine] * (own @ (inside * kept[mine]).T)
