"""From observed shares to the mean utilities that reproduce them exactly ([5]; Berry 1994, Berry, Levinsohn & Pakes 1995).

Plain and nested logit have a closed form; with random tastes it is the start of an iteration (`keiretsu.demand.inversion_core`).
An inversion either settles, with its residual, or ends in an error that names the market and the product. Without an outside good
utilities are defined up to a constant: delta of the first product on sale is set to zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from keiretsu.demand import inversion_core as core
from keiretsu.demand.batch import Stacked, stack, unstack
from keiretsu.demand.inversion_shares import Target
from keiretsu.demand.tastes import Nests, Tastes
from keiretsu.errors import DemandError, InversionNotSettled, Problem
from keiretsu.numerics.batching import Solver, one_by_one, side_by_side
from keiretsu.typing import BroadcastToDraws, PerProduct, Vector

_FROZEN_REACH = 300.0  # exponents; within it no share above 1e-100 can be hurt by an exponential that underflowed at the centre
_SUM_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Settings:
    """How exactly shares are reproduced, ``|ln S - ln s| <= tolerance``, and how many Newton steps and re-centrings may be used."""

    tolerance: float = 1e-12
    max_steps: int = 200
    rounds: int = 5


EXACT = Settings()


@dataclass(frozen=True)
class Inversion:
    """A settled inversion.

    Attributes
    ----------
    delta
        Mean utility at a price of zero (utils), zero where a product is not on sale. (J,)
    residual
        Largest ``|ln S - ln s|`` over products.
    steps
        Newton steps taken; 1 is a closed form and its check.
    """

    delta: Vector
    residual: float
    steps: int
    settled: bool = True


class Solved(eqx.Module):
    """Inversions of stacked markets as arrays, settled or not: delta (M, J), gap ``ln S - ln s`` (M, J), steps (M,)."""

    delta: Float[Array, "M J"]
    gap: Float[Array, "M J"]
    reach: Float[Array, " M"]
    steps: Array


def invert(
    observed: Vector, tastes: Tastes, paid: BroadcastToDraws, market: str = "market", labels: Sequence[str] = (), settings: Settings = EXACT
) -> Inversion:
    """Mean utilities of one market at which predicted shares equal observed ones.

    Parameters
    ----------
    observed
        Shares of the market's potential, (J,); zero for products that are not on sale and for no other.
    tastes
        Tastes; `Tastes.delta` is not used.
    paid
        What buyers pay, (J, I) or (J, 1).
    market, labels
        Names for messages; products are numbered where no labels are given.

    Raises
    ------
    DemandError
        When shares cannot come from this demand system.
    InversionNotSettled
        When no delta within the tolerance was found; names the product with the largest residual.
    """
    return invert_many([observed], [tastes], [paid], [market], [labels] if labels else (), settings)[0]


def invert_many(
    observed: Sequence[Vector],
    tastes: Sequence[Tastes],
    paid: Sequence[BroadcastToDraws],
    markets: Sequence[str],
    labels: Sequence[Sequence[str]] = (),
    settings: Settings = EXACT,
) -> list[Inversion]:
    """Invert many markets in one batch; arguments as in `invert`, one of each for every market.

    Raises
    ------
    DemandError
        With the problems of every market.
    InversionNotSettled
        For the market that is furthest from its shares.
    """
    names = labels or [[f"product {j}" for j in range(len(s))] for s in observed]
    problems = [p for m, s in enumerate(observed) for p in share_problems(s, tastes[m], markets[m], names[m])]
    if problems:
        raise DemandError(problems)
    stacked = stack(tastes, paid)
    rows = stacked.tastes.delta.shape[1]
    share = jnp.asarray(np.stack([np.pad(np.asarray(s, dtype=float), (0, rows - len(s))) for s in observed]))
    solved = invert_stacked(share, stacked, settings)
    residual = refuse_unsettled(solved, markets, names, settings)
    steps = np.asarray(solved.steps)
    return [Inversion(d, float(residual[m]), int(steps[m])) for m, d in enumerate(unstack(solved.delta, stacked))]


def invert_stacked(share: Float[Array, "M J"], stacked: Stacked, settings: Settings = EXACT) -> Solved:
    """Invert stacked markets whose shares have already been checked; the caller looks at `Solved.gap`."""
    given = (share, stacked.tastes, stacked.paid)
    solved = _from_start(*given, settings.tolerance, settings.max_steps, True)
    if not (np.abs(np.asarray(solved.gap)) <= settings.tolerance).all():
        solved = _from_start(*given, settings.tolerance, settings.max_steps, False)
    for _ in range(settings.rounds):
        if not (np.asarray(solved.reach) > _FROZEN_REACH).any():
            break
        solved = _from_centre(*given, solved.delta, settings.tolerance, settings.max_steps)
    return solved


def delta_of(share: PerProduct, tastes: Tastes, paid: BroadcastToDraws, tolerance: float, max_steps: int, quick: bool = False) -> core.End:
    """One market's inversion as a pure function of arrays, for use inside other compiled functions.

    Without an outside good delta of the first product on sale is zero. For `quick` see `inversion_core.find_delta`.
    """
    target = _target(share, tastes, paid)
    closed = closed_form(share, target.nests, tastes.available, tastes.outside)
    centre = jnp.where(tastes.available, closed - target.utility @ tastes.weight, 0.0)
    return _normalised(core.find_delta(target, closed, centre, tastes.outside, tolerance, max_steps, quick), tastes)


def closed_form(share: PerProduct, nests: Nests | None, available: Array, outside: bool) -> PerProduct:
    """``ln s_j - ln s_0 - sigma_sub ln s_j|sub - sigma_group ln s_sub|group``, the answer without random tastes or prices.

    Without an outside good the term in ``s_0`` is left out.
    """
    seen = jnp.where(available, share, 0.0)
    log_share = jnp.log(jnp.where(available, share, 1.0))
    delta = log_share - (jnp.log1p(-seen.sum()) if outside else 0.0)
    if nests is not None:
        of_sub = jax.ops.segment_sum(seen, nests.sub, num_segments=nests.sigma_sub.shape[0])
        of_group = jax.ops.segment_sum(of_sub, nests.group_of_sub, num_segments=nests.sigma_group.shape[0])
        log_sub, log_group = (jnp.log(jnp.where(available, total, 1.0)) for total in (of_sub[nests.sub], of_group[nests.group]))
        delta -= nests.sigma_sub[nests.sub] * (log_share - log_sub) + nests.sigma_group[nests.group] * (log_sub - log_group)
    return jnp.where(available, delta, 0.0)


def share_problems(share: Vector, tastes: Tastes, market: str, labels: Sequence[str]) -> list[Problem]:
    """What is wrong with observed shares, product by product."""
    seen, available = np.asarray(share, dtype=float), np.asarray(tastes.available)
    problems: list[Problem] = []
    if seen.shape != available.shape:
        return [Problem("shares and products do not match", market, str(seen.shape), str(available.shape))]
    for j, (s, on_sale) in enumerate(zip(seen, available, strict=True)):
        where = f"market {market}, {labels[j]}"
        if on_sale and not s > 0:
            next_step = "leave the product out, mark it unavailable, or add up several small products into one"
            problems.append(Problem("no mean utility gives a share that is zero or missing", where, str(s), "a share above zero", next_step))
        elif not on_sale and s != 0:
            problems.append(Problem("a product that is not on sale has sales", where, str(s), "0", "mark it available or set its share to zero"))
    total = float(seen[available].sum())
    if tastes.outside and total >= 1:
        next_step = "enlarge the potential market, or use demand without an outside good"
        problems.append(Problem("shares leave nothing for the outside good", f"market {market}", f"sum {total:.9g}", "a sum below one", next_step))
    if not tastes.outside and abs(total - 1) > _SUM_TOLERANCE:
        next_step = "divide sales by the sum of sales"
        problems.append(Problem("without an outside good shares must add up to one", f"market {market}", f"sum {total:.9g}", "1", next_step))
    return problems


def _target(share: PerProduct, tastes: Tastes, paid: BroadcastToDraws) -> Target:
    utility = tastes.mu - tastes.alpha[None, :] * paid
    total = 1.0 if tastes.outside else jnp.where(tastes.available, share, 0.0).sum()
    log_share = jnp.log(jnp.where(tastes.available, share, 1.0) / jnp.where(tastes.available, total, 1.0))
    return Target(log_share, tastes.available, utility, tastes.weight, tastes.nests)


def _normalised(end: core.End, tastes: Tastes) -> core.End:
    delta = end.delta if tastes.outside else end.delta - end.delta[jnp.argmax(tastes.available)]
    return end._replace(delta=jnp.where(tastes.available, delta, 0.0))


def _across(tastes: Tastes) -> Callable[[Solver], Solver]:
    """How stacked markets share the machine. Side by side every market takes as many steps as the slowest, which small ones gain more than they lose by."""
    large = tastes.delta.shape[1] * tastes.alpha.shape[1] > core.LARGE
    return one_by_one if large and jax.default_backend() == "cpu" else side_by_side


@partial(jax.jit, static_argnums=(3, 4, 5))
def _from_start(share: Array, tastes: Tastes, paid: Array, tolerance: float, max_steps: int, quick: bool) -> Solved:
    def one(market: tuple[Array, Tastes, Array]) -> core.End:
        return delta_of(*market, tolerance, max_steps, quick)

    return Solved(*_across(tastes)(one)((share, tastes, paid)))


@partial(jax.jit, static_argnums=(4, 5))
def _from_centre(share: Array, tastes: Tastes, paid: Array, centre: Array, tolerance: float, max_steps: int) -> Solved:
    def one(market: tuple[Array, Tastes, Array, Array]) -> core.End:
        s, t, p, c = market
        target = _target(s, t, p)
        closed = closed_form(s, target.nests, t.available, t.outside)
        return _normalised(core.find_delta(target, closed, c, t.outside, tolerance, max_steps), t)

    return Solved(*_across(tastes)(one)((share, tastes, paid, centre)))


def refuse_unsettled(solved: Solved, markets: Sequence[str], names: Sequence[Sequence[str]], settings: Settings) -> Vector:
    """Largest ``|ln S - ln s|`` of each market, (M,).

    Raises
    ------
    InversionNotSettled
        For the market furthest from its shares, if any is further than the tolerance or was never evaluated safely.
    """
    residual = np.abs(np.asarray(solved.gap)).max(axis=1)
    open_ = ~(residual <= settings.tolerance) | ~(np.asarray(solved.reach) <= _FROZEN_REACH)
    if not open_.any():
        return residual
    m = int(np.argmax(np.where(open_, np.where(np.isfinite(residual), residual, np.inf), -1.0)))
    worst = int(np.argmax(np.abs(np.asarray(solved.gap)[m])))
    raise InversionNotSettled(
        "mean utilities that reproduce observed shares",
        where=f"market {markets[m]}, {names[m][worst]}",
        residual=float(residual[m]),
        unit="log share",
        iterations=int(np.asarray(solved.steps)[m]),
        next_step="look for a very small share beside a wide spread of tastes; reduce the spread, or leave the product out",
    )
