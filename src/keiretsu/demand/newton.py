"""Mean utilities behind shares, by Newton's method in NumPy: a world needs them once, and compiling an iteration takes ten times as long as this does.

Newton's system for ``ln s = ln S`` has the symmetric matrix ``ds/ddelta``, which is formed here: a market of a hundred products has it in a millisecond.
Where a step brings shares no nearer, Berry's contraction takes its place. Markets that neither settles go to `keiretsu.demand.inversion`, whose steps are
more careful; the answer is the same, for there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.linalg import lapack

from keiretsu.demand.choice import Choice, choose_now
from keiretsu.demand.inversion import EXACT, Inversion, Settings, invert_many, share_problems
from keiretsu.demand.substitution import own_terms
from keiretsu.demand.tastes import Tastes
from keiretsu.errors import DemandError
from keiretsu.numerics.host import host
from keiretsu.typing import BroadcastToDraws, Vector

_LONGEST_STEP = 5.0  # utils


class Found(NamedTuple):
    """Where a search ended: mean utilities (utils) and ``ln S - ln s``, zero where no share was asked for, (J,) both; evaluations of shares."""

    delta: Vector
    gap: Vector
    steps: int


def invert_now(
    observed: Sequence[Vector],
    tastes: Sequence[Tastes],
    paid: Sequence[BroadcastToDraws],
    markets: Sequence[str],
    labels: Sequence[Sequence[str]],
    settings: Settings = EXACT,
) -> list[Inversion]:
    """`keiretsu.demand.inversion.invert_many`, with nothing compiled where Newton's method settles; arguments, results and errors are the same."""
    problems = [p for m, share in enumerate(observed) for p in share_problems(share, tastes[m], markets[m], labels[m])]
    if problems:
        raise DemandError(problems)
    found = [_inverted(*given, settings) for given in zip(observed, tastes, paid, strict=True)]
    hard = [m for m, one in enumerate(found) if not one.settled]
    if hard:
        again = invert_many(
            [observed[m] for m in hard],
            [tastes[m] for m in hard],
            [paid[m] for m in hard],
            [markets[m] for m in hard],
            [labels[m] for m in hard],
            settings,
        )
        for m, one in zip(hard, again, strict=True):
            found[m] = one
    return found


def with_shares(share: Vector, asked: np.ndarray, tastes: Tastes, paid: BroadcastToDraws, tolerance: float, max_steps: int) -> Found:
    """The deltas of `asked` products at which their shares are `share` to within `tolerance` (log points), or the nearest that were found.

    Parameters
    ----------
    share
        Shares of the market's potential, (J,); looked at where `asked`, and above zero there.
    asked
        Products on sale whose delta is searched for, (J,); all others keep theirs.
    tastes
        Tastes; the search begins at `Tastes.delta`.
    paid
        What buyers pay, (J, I) or (J, 1).
    """
    rows = np.flatnonzero(asked)
    target = np.log(share[rows])
    ease = 1 / np.asarray(own_terms(tastes)[0])[rows]
    delta = np.array(tastes.delta, dtype=float)
    best, best_gap = delta.copy(), np.full(rows.size, np.inf)
    pulled, steps = False, 0
    while steps < max_steps and not np.abs(best_gap).max(initial=0.0) <= tolerance:
        choice = choose_now(_at(tastes, delta), paid)
        seen = np.asarray(choice.probability[rows] @ np.asarray(tastes.weight))
        gap = target - np.log(np.where(seen > 0, seen, np.nan))
        steps += 1
        if np.abs(gap).max() < np.abs(best_gap).max():  # False where a share vanished
            best, best_gap = delta, gap
            step, pulled = _newton_step(choice, tastes, rows, seen, gap), False
        elif pulled or not np.isfinite(best_gap).all():
            break
        else:
            step, pulled = ease * best_gap, True
        delta = best.copy()
        delta[rows] += step * min(1.0, _LONGEST_STEP / max(np.abs(step).max(), _LONGEST_STEP))
    every = np.zeros(delta.size)
    every[rows] = best_gap
    return Found(best, every, steps)


def _inverted(observed: Vector, tastes: Tastes, paid: BroadcastToDraws, settings: Settings) -> Inversion:
    """One market's inversion; `settled` is False where Newton's method did not get there."""
    available, share = np.asarray(tastes.available), np.asarray(observed, dtype=float)
    share = share if tastes.outside else share / share.sum()
    asked = available.copy()
    if not tastes.outside:
        asked[np.argmax(share)] = False  # utilities are known up to a constant: one product keeps its own, and has the share that others leave
    start = _at(tastes, _closed_form(share, tastes) - np.where(available, _utility(tastes, paid), 0.0))
    found = with_shares(share, asked, start, paid, settings.tolerance, settings.max_steps)
    delta = np.where(available, found.delta if tastes.outside else found.delta - found.delta[np.argmax(available)], 0.0)
    left = np.abs(found.gap).max()
    if not tastes.outside:
        again = choose_now(_at(tastes, delta), paid).probability @ np.asarray(tastes.weight)
        left = np.abs(np.log(share[available] / again[available])).max()
    return Inversion(delta, float(left), found.steps, bool(left <= settings.tolerance))


def _closed_form(share: Vector, tastes: Tastes) -> Vector:
    """`keiretsu.demand.inversion.closed_form` in NumPy. (J,)"""
    seen = np.asarray(tastes.available)
    log_share = np.log(np.where(seen, share, 1.0))
    delta = log_share - (np.log1p(-share.sum()) if tastes.outside else 0.0)
    if tastes.nests is not None:
        sub, group = np.asarray(tastes.nests.sub), np.asarray(tastes.nests.group)
        log_sub, log_group = (np.log(np.where(seen, np.bincount(of, share)[of], 1.0)) for of in (sub, group))
        delta -= np.asarray(tastes.nests.sigma_sub)[sub] * (log_share - log_sub) + np.asarray(tastes.nests.sigma_group)[group] * (log_sub - log_group)
    return np.where(seen, delta, 0.0)


def _utility(tastes: Tastes, paid: BroadcastToDraws) -> Vector:
    """Mean over draws of utility without delta. (J,)"""
    return np.asarray(tastes.mu - np.asarray(tastes.alpha) * np.asarray(paid)) @ np.asarray(tastes.weight)


def _at(tastes: Tastes, delta: Vector) -> Tastes:
    return Tastes(host(delta), tastes.mu, tastes.alpha, tastes.weight, tastes.available, tastes.nests, tastes.outside)


def _newton_step(choice: Choice, tastes: Tastes, rows: np.ndarray, share: Vector, gap: Vector) -> Vector:
    """Newton's step of the deltas of `rows` for ``ln s = ln S`` ([4]), or the contraction where rounding leaves it none. (rows,)"""
    own, same_sub, same_group = (np.asarray(term)[rows] for term in own_terms(tastes))
    taken = np.asarray(choice.probability)[rows]
    weighed = taken * np.asarray(tastes.weight)
    slope = np.diag(own * share) - weighed @ taken.T
    if tastes.nests is not None and choice.in_sub is not None and choice.in_group is not None:
        sub, group = np.asarray(tastes.nests.sub)[rows], np.asarray(tastes.nests.group)[rows]
        for of, term, within in ((sub, same_sub, choice.in_sub), (group, same_group, choice.in_group)):
            slope -= np.where(of[:, None] == of, term[:, None] * (weighed @ np.asarray(within)[rows].T), 0.0)
    _, step, failed = lapack.dposv(slope, share * gap)
    return gap / own if failed or not np.isfinite(step).all() else step
