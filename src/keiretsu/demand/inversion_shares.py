"""Shares of one market at a mean utility that is searched for, and their answers, for `keiretsu.demand.inversion_core`.

Exponentials of the (J, I) utilities are taken once, around a centre; afterwards ``exp(delta - centre)`` multiplies them, and an
evaluation, or a product with ``ds/ddelta``, is two matrix-vector products.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from keiretsu.demand.tastes import Nests
from keiretsu.typing import PerDraw, PerProduct, PerProductAndDraw, ProductMask, Scalar


class Target(NamedTuple):
    """What has to be reproduced: logs of observed shares (zero where not on sale) and the market's utility without delta."""

    log_share: PerProduct
    available: ProductMask
    utility: PerProductAndDraw
    weight: PerDraw
    nests: Nests | None


class Around(NamedTuple):
    """Exponentials frozen at a centre, each draw's largest of each subgroup (without nests: of all, nothing included) taken out."""

    centre: PerProduct
    scale: PerProduct
    peak: Float[Array, "K I"]
    on_sale: Bool[Array, "K I"]
    odds: PerProductAndDraw


class Draws(NamedTuple):
    """What each draw does at some delta.

    Attributes
    ----------
    factor
        What its frozen exponentials are multiplied by. (J,)
    chosen
        Weight times probability of each subgroup over the sum of its exponentials. (K, I)
    refused
        Probability of buying nothing. (I,)
    change
        By how much `chosen` changes with the sums. (K, I) to (K, I)
    worth
        Expected utility, worked out when called. (I,)
    """

    factor: PerProduct
    chosen: Float[Array, "K I"]
    refused: PerDraw
    change: Callable[[Array], Array]
    worth: Callable[[], PerDraw]


class Seen(NamedTuple):
    """Shares at some delta and how they answer to it.

    Attributes
    ----------
    share
        Market shares. (J,)
    grown
        By how much total sales grow when every delta rises together, per util.
    answer
        The product of ``ds/ddelta`` with a change of delta. (J,) to (J,)
    worth
        Mean expected utility, whose gradient they are; worked out when called.
    """

    share: PerProduct
    grown: Scalar
    answer: Callable[[PerProduct], PerProduct]
    worth: Callable[[], Scalar]


def freeze(target: Target, centre: PerProduct, outside: bool, quick: bool) -> Around:
    """Exponentials of utilities at ``delta = centre``.

    A `quick` search whose draws may buy nothing takes nothing out: an exponential that overflows makes shares that are not numbers, and ends it.
    """
    nests, available = target.nests, target.available
    scale = jnp.ones_like(centre) if nests is None else 1 / (1 - nests.sigma_sub)[nests.sub]
    scaled = jnp.where(available[:, None], (centre[:, None] + target.utility) * scale[:, None], -jnp.inf)
    if quick and outside and nests is None:
        peak = jnp.zeros_like(scaled, shape=(1, scaled.shape[1]))
    elif nests is None or nests.sigma_sub.shape[0] == 1:
        peak = jnp.max(scaled, axis=0, keepdims=True)
    else:
        peak = jax.ops.segment_max(scaled, nests.sub, num_segments=nests.sigma_sub.shape[0])
    if nests is None and outside:
        peak = jnp.maximum(peak, 0.0)
    on_sale = jnp.isfinite(peak)
    peak = jnp.where(on_sale, peak, 0.0)
    return Around(centre, scale, peak, on_sale, jnp.exp(scaled - _of_products(nests, peak)))


def expanded_start(target: Target, around: Around, closed_form: PerProduct) -> PerProduct:
    """The closed form for one draw, less each product's log mean of exponential tastes: exact when all draws are alike."""
    top = jnp.max(around.peak, axis=1, keepdims=True)
    mean = _over_draws(target.nests, around.odds, target.weight * jnp.exp(around.peak - top))
    seen = target.available & (mean > 0)
    log_mean = (_of_products(target.nests, top)[:, 0] + jnp.log(jnp.where(seen, mean, 1.0))) / around.scale
    return closed_form - jnp.where(seen, log_mean - around.centre, 0.0)


def draws_around(target: Target, around: Around, delta: PerProduct, outside: bool) -> Draws:
    """What each draw does at `delta`, from frozen exponentials."""
    nests = target.nests
    factor = jnp.where(target.available, jnp.exp((delta - around.centre) * around.scale), 0.0)
    total = jnp.where(around.on_sale, _over_products(nests, around.odds, factor), 1.0)
    if nests is None:
        nothing = jnp.exp(-around.peak) if outside else jnp.zeros_like(total)
        every = total + nothing
        likely = 1 / every
        chosen = target.weight * likely
        return Draws(factor, chosen, (nothing * likely)[0], lambda more: -more * (chosen * likely), lambda: (around.peak + jnp.log(every))[0])

    def chosen_at(sums: Float[Array, "K I"]) -> tuple[Float[Array, "K I"], PerDraw]:
        value = (1 - nests.sigma_sub)[:, None] * (around.peak + jnp.log(sums))
        chosen, inclusive = _probability_of_sub(value, around.on_sale, nests, outside)
        return target.weight * chosen / sums, inclusive

    chosen, change, inclusive = jax.linearize(chosen_at, total, has_aux=True)
    return Draws(factor, chosen, jnp.exp(-inclusive) if outside else jnp.zeros_like(inclusive), change, lambda: inclusive)


def shares_around(target: Target, around: Around, delta: PerProduct, outside: bool, rough: PerProductAndDraw) -> Seen:
    """Market shares at `delta` from frozen exponentials; their answers from `rough` ones, which may be in single precision."""
    nests, draws = target.nests, draws_around(target, around, delta, outside)
    share = draws.factor * _over_draws(nests, around.odds, draws.chosen)

    def answer(change: PerProduct) -> PerProduct:
        steep = change * around.scale
        moved = draws.change(_over_products(nests, rough, (draws.factor * steep).astype(rough.dtype)).astype(share.dtype))
        return share * steep + draws.factor * _over_draws(nests, rough, moved.astype(rough.dtype))

    return Seen(share, (draws.refused * (1 - draws.refused)) @ target.weight, answer, lambda: draws.worth() @ target.weight)


def _over_products(nests: Nests | None, odds: PerProductAndDraw, of: PerProduct) -> Float[Array, "K I"]:
    """Sums over each subgroup's products."""
    if nests is None or nests.sigma_sub.shape[0] == 1:
        return (of @ odds)[None, :]
    return jax.ops.segment_sum(of[:, None] * odds, nests.sub, num_segments=nests.sigma_sub.shape[0])


def _over_draws(nests: Nests | None, odds: PerProductAndDraw, of: Float[Array, "K I"]) -> PerProduct:
    """Sums over draws, each product with what its subgroup has."""
    return odds @ of[0] if of.shape[0] == 1 else jnp.sum(odds * _of_products(nests, of), axis=1)


def _of_products(nests: Nests | None, of: Float[Array, "K I"]) -> Float[Array, "#J I"]:
    """What each product's subgroup has."""
    return of if nests is None or of.shape[0] == 1 else of[nests.sub]


def _probability_of_sub(value: Float[Array, "K I"], on_sale: Bool[Array, "K I"], nests: Nests, outside: bool) -> tuple[Float[Array, "K I"], PerDraw]:
    """Probability that a draw's choice falls in each subgroup, and its expected utility, from the subgroups' expected utilities."""
    if nests.sigma_sub.shape[0] == 1:
        chosen = jax.nn.sigmoid(value) if outside else jnp.ones_like(value)
        inclusive = jax.nn.softplus(value[0]) if outside else value[0]
        return jnp.where(on_sale, chosen, 0.0), jnp.where(on_sale[0], inclusive, 0.0)
    parent, n_group = nests.group_of_sub, nests.sigma_group.shape[0]
    similar = (1 - nests.sigma_group)[:, None]
    top = jax.ops.segment_max(jnp.where(on_sale, value, -jnp.inf), parent, num_segments=n_group)
    sold = jnp.isfinite(top)
    top = jax.lax.stop_gradient(jnp.where(sold, top, 0.0))
    in_nest = jnp.where(on_sale, jnp.exp(jnp.where(on_sale, value - top[parent], 0.0) / similar[parent]), 0.0)
    total = jnp.where(sold, jax.ops.segment_sum(in_nest, parent, num_segments=n_group), 1.0)
    worth = jnp.where(sold, top + similar * jnp.log(total), -jnp.inf)
    best = jax.lax.stop_gradient(jnp.max(worth, axis=0))
    best = jnp.maximum(best, 0.0) if outside else best
    odds = jnp.where(sold, jnp.exp(jnp.where(sold, worth - best, 0.0)), 0.0)
    every = odds.sum(axis=0) + (jnp.exp(-best) if outside else 0.0)
    return in_nest * (odds / every / total)[parent], best + jnp.log(every)
