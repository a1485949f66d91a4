"""Choice probabilities of every consumer draw, with none, one or two levels of nests ([3], [4])."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from keiretsu.demand.tastes import Nests, Tastes
from keiretsu.numerics.host import host, module_of
from keiretsu.typing import BroadcastToDraws, PerDraw, PerProduct, PerProductAndDraw


class Choice(eqx.Module):
    """Probabilities of one market's draws at given prices.

    Attributes
    ----------
    probability
        Of draw i choosing product j. (J, I)
    in_sub, in_group
        Of choosing j given that the choice falls in j's subgroup, or group. (J, I); None without nests.
    outside
        Of buying nothing. (I,)
    inclusive
        Expected utility of the best choice, without Euler's constant, in utils. (I,)
    """

    probability: PerProductAndDraw
    in_sub: PerProductAndDraw | None
    in_group: PerProductAndDraw | None
    outside: PerDraw
    inclusive: PerDraw


def choose(tastes: Tastes, paid: BroadcastToDraws) -> Choice:
    """Choice probabilities when draw i pays ``paid[j, i]`` for product j.

    Parameters
    ----------
    paid
        Money paid, (J, I) or (J, 1), in the unit that `Tastes.alpha` is stated per.
    """
    xp = module_of(paid, *jax.tree.leaves(tastes))
    utility = xp.where(tastes.available[:, None], tastes.delta[:, None] + tastes.mu - tastes.alpha[None, :] * paid, -xp.inf)
    if tastes.nests is None:
        top = _top(utility.max(axis=0), tastes.outside)
        odds = xp.exp(utility - top)
        nothing = xp.exp(-top) if tastes.outside else xp.zeros_like(top)
        total = odds.sum(axis=0) + nothing
        return Choice(odds / total, None, None, nothing / total, top + xp.log(total))
    return _choose_nested(utility, tastes.nests, tastes.outside)


def choose_now(tastes: Tastes, paid: BroadcastToDraws) -> Choice:
    """`choose` for one market in NumPy, with nothing compiled; arrays of the result are not to be written to."""
    seen: tuple[Tastes, BroadcastToDraws] = jax.tree.map(np.asarray, (tastes, paid))
    return choose(*seen)


def shares(tastes: Tastes, paid: BroadcastToDraws) -> PerProduct:
    """Market shares ``s_j = sum_i w_i s_ij``. (J,)"""
    return choose(tastes, paid).probability @ tastes.weight


def _choose_nested(utility: PerProductAndDraw, nests: Nests, outside: bool) -> Choice:
    xp = module_of(utility)
    sub, group_of_sub = nests.sub, nests.group_of_sub
    n_sub, n_group = nests.sigma_sub.shape[0], nests.sigma_group.shape[0]
    in_sub, log_sub = _softmax_by(_scaled(utility, 1 / (1 - nests.sigma_sub)[sub]), sub, n_sub)
    value_sub = _scaled(log_sub, (1 - nests.sigma_sub) / (1 - nests.sigma_group)[group_of_sub])
    sub_in_group, log_group = _softmax_by(value_sub, group_of_sub, n_group)
    value_group = _scaled(log_group, 1 - nests.sigma_group)
    top = _top(value_group.max(axis=0), outside)
    odds = xp.exp(value_group - top)
    nothing = xp.exp(-top) if outside else xp.zeros_like(top)
    total = odds.sum(axis=0) + nothing
    in_group = in_sub * sub_in_group[sub]
    probability = in_group * (odds / total)[nests.group]
    return Choice(probability, in_sub, in_group, nothing / total, top + xp.log(total))


def _scaled(value: Float[Array, "n I"], factor: Float[Array, " n"]) -> Float[Array, "n I"]:
    """``value * factor`` with -inf (not on sale) left as it is, so that its derivative by the factor is zero and not NaN."""
    xp = module_of(value)
    offered = xp.isfinite(value)
    return xp.where(offered, xp.where(offered, value, 0.0) * factor[:, None], -xp.inf)


def _softmax_by(value: Float[Array, "n I"], label: Array, count: int) -> tuple[Float[Array, "n I"], Float[Array, "m I"]]:
    """Softmax of `value` inside each label, and the log of each label's sum; a label with nothing on sale has log sum -inf."""
    xp = module_of(value)
    peak = _by_label(value, label, count, xp.maximum, -xp.inf)
    safe = _still(xp.where(xp.isfinite(peak), peak, 0.0))
    odds = xp.exp(value - safe[label])
    total = _by_label(odds, label, count, xp.add, 0.0)
    positive = total > 0
    filled = xp.where(positive, total, 1.0)
    return odds / filled[label], xp.where(positive, safe + xp.log(filled), -xp.inf)


def _by_label(value: Float[Array, "n I"], label: Array, count: int, join: Any, empty: float) -> Float[Array, "m I"]:
    """Rows of `value` joined (`maximum` or `add`) label by label; `empty` where a label has none."""
    if isinstance(value, jax.Array):
        return (jax.ops.segment_sum if join is jnp.add else jax.ops.segment_max)(value, label, num_segments=count)
    order = np.argsort(label, kind="stable")
    there, first = np.unique(np.asarray(label)[order], return_index=True)
    found = np.full((count, value.shape[1]), empty)
    found[there] = join.reduceat(value[order], first, axis=0)
    return host(found)


def _top(peak: PerDraw, outside: bool) -> PerDraw:
    """The largest utility on offer, used to keep exponentials inside the range of floats."""
    return _still(module_of(peak).maximum(peak, 0.0) if outside else peak)


def _still(value: Array) -> Array:
    """`value` without derivatives."""
    return jax.lax.stop_gradient(value) if isinstance(value, jax.Array) else value
