"""Who gains when a product gets dearer or goes: share derivatives, elasticities, diversion, second choices ([4]).

Within a draw, two levels of nests give (all for draw i; the terms of levels that do not exist vanish)

    ds_j/du_k = s_j (1{j=k}/(1-sigma_sub) - 1{same sub} (1/(1-sigma_sub) - 1/(1-sigma_group)) s_k|sub
                     - 1{same group} sigma_group/(1-sigma_group) s_k|group - s_k),

and a price moves utility by ``-alpha_i buyer_rate_ik``, buyer_rate being what the buyer pays more when the price rises by one
([7]; 1 without taxes in proportion to price).
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from keiretsu.demand.choice import Choice, choose, shares
from keiretsu.demand.tastes import Tastes
from keiretsu.numerics.host import module_of
from keiretsu.typing import BroadcastToDraws, PerProduct, ProductByProduct, ProductMask, Scalar


class Diversion(eqx.Module):
    """Where lost sales go, as shares of what is lost; each row adds up to one with the outside good.

    Attributes
    ----------
    to_product
        From j (row) to k. (J, J) The diagonal is zero, except that of a composite line: there it is what one of its models loses
        to the line's other models. Rows of products that are not on sale are zero.
    to_outside
        From j to buying nothing; zero without an outside good. (J,)
    """

    to_product: ProductByProduct
    to_outside: PerProduct


def share_jacobian(tastes: Tastes, paid: BroadcastToDraws, buyer_rate: BroadcastToDraws | float = 1.0) -> ProductByProduct:
    """``ds_j / dp_k`` (per unit of money), row j, column k. (J, J)

    Parameters
    ----------
    paid, buyer_rate
        What buyers pay and what they pay more when the price rises by one, (J, I) or (J, 1).
    """
    choice = choose(tastes, paid)
    slope = tastes.weight * tastes.alpha * buyer_rate * jnp.ones_like(choice.probability)
    own, same_sub, same_group = own_terms(tastes)
    jacobian = choice.probability @ (slope * choice.probability).T - jnp.diag(own * jnp.sum(slope * choice.probability, axis=1))
    if tastes.nests is None or choice.in_sub is None or choice.in_group is None:
        return jacobian
    sub, group = tastes.nests.sub, tastes.nests.group
    within_sub = jnp.where(sub[:, None] == sub[None, :], choice.probability @ (slope * choice.in_sub).T, 0.0)
    within_group = jnp.where(group[:, None] == group[None, :], choice.probability @ (slope * choice.in_group).T, 0.0)
    return jacobian + same_sub[:, None] * within_sub + same_group[:, None] * within_group


def elasticities(tastes: Tastes, paid: BroadcastToDraws, price: PerProduct, buyer_rate: BroadcastToDraws | float = 1.0) -> ProductByProduct:
    """``(ds_j / dp_k) p_k / s_j``; rows of products that are not on sale are zero. (J, J)"""
    share = shares(tastes, paid)
    scale = jnp.where(share > 0, 1 / jnp.where(share > 0, share, 1.0), 0.0)
    return share_jacobian(tastes, paid, buyer_rate) * price[None, :] * scale[:, None]


def model_elasticities(
    tastes: Tastes, paid: BroadcastToDraws, price: PerProduct, n_models: PerProduct, buyer_rate: BroadcastToDraws | float = 1.0
) -> PerProduct:
    """Own-price elasticity of *one* model of each line, the line's other models keeping their prices. (J,)

    A line of n models stands for n identical ones in the same subgroup, so one of them has an n-th of the line's choice
    probability, unconditional and within each nest; with n = 1 this is the diagonal of `elasticities`.
    """
    return model_elasticities_at(choose(tastes, paid), tastes, price, n_models, buyer_rate)


def model_elasticities_at(
    choice: Choice, tastes: Tastes, price: PerProduct, n_models: PerProduct, buyer_rate: BroadcastToDraws | float = 1.0
) -> PerProduct:
    """`model_elasticities` where choices are known, inside compiled code or outside it. (J,)"""
    xp = module_of(choice.probability)
    slope = tastes.weight * tastes.alpha * buyer_rate * choice.probability
    own, same_sub, same_group = own_terms(tastes)
    taken = choice.probability
    if choice.in_sub is not None and choice.in_group is not None:
        taken = taken + same_sub[:, None] * choice.in_sub + same_group[:, None] * choice.in_group
    lost = xp.sum(slope * (own[:, None] - taken / n_models[:, None]), axis=1)
    share = choice.probability @ tastes.weight
    return xp.where(share > 0, -price * lost / xp.where(share > 0, share, 1.0), 0.0)


def market_elasticity(tastes: Tastes, paid: BroadcastToDraws) -> Scalar:
    """Relative change of all sales when every buyer pays one per cent more, over one per cent."""
    return subset_elasticity(tastes, paid, tastes.available)


def subset_elasticity(tastes: Tastes, paid: BroadcastToDraws, subset: ProductMask) -> Scalar:
    """Relative change of a subset's sales when buyers pay one per cent more for each of its products, over one per cent."""
    return _log_response(tastes, paid, subset, jnp.where(subset[:, None], paid, 0.0))


def subset_semi_elasticity(tastes: Tastes, paid: BroadcastToDraws, subset: ProductMask) -> Scalar:
    """Relative change of a subset's sales for each unit of money that a bonus takes off what buyers pay for its products."""
    return _log_response(tastes, paid, subset, jnp.where(subset[:, None], -jnp.ones_like(paid), 0.0))


def diversion(tastes: Tastes, paid: BroadcastToDraws, buyer_rate: BroadcastToDraws | float = 1.0) -> Diversion:
    """Diversion ratios ``-(ds_k / dp_j) / (ds_j / dp_j)``: where the buyers go whom a small price rise of j drives away."""
    jacobian = share_jacobian(tastes, paid, buyer_rate).T
    own = jnp.diag(jacobian)
    scale = jnp.where(own < 0, -1 / jnp.where(own < 0, own, -1.0), 0.0)
    ratio = jacobian * scale[:, None]
    to_outside = -jacobian.sum(axis=1) * scale if tastes.outside else jnp.zeros_like(own)
    return Diversion(ratio - jnp.diag(jnp.diag(ratio)), to_outside)


def second_choices(tastes: Tastes, paid: BroadcastToDraws, n_models: PerProduct) -> Diversion:
    """Where buyers of one model of j go when that model is withdrawn; ``n_models`` is one for a product that is one model. (J,)"""
    before = shares(tastes, paid)
    ease = 1.0 if tastes.nests is None else (1 - tastes.nests.sigma_sub)[tastes.nests.sub]
    # A line of n identical models is worth (1 - sigma_sub) ln n more than one of them; the last one to go leaves the market.
    left = ease * jnp.log((n_models - 1) / n_models)

    def without(j: Array) -> PerProduct:
        return shares(eqx.tree_at(lambda t: t.delta, tastes, jnp.asarray(tastes.delta).at[j].add(left[j])), paid)

    after = jax.lax.map(without, jnp.arange(before.shape[0]))
    lost = before / n_models
    gain = after - before[None, :] + jnp.diag(lost)
    scale = jnp.where(lost > 0, 1 / jnp.where(lost > 0, lost, 1.0), 0.0)
    ratio = gain * scale[:, None]
    on_sale = lost > 0
    return Diversion(ratio, jnp.where(on_sale & tastes.outside, 1 - ratio.sum(axis=1), 0.0))


def second_choice_share(second: Diversion, share: PerProduct, first: ProductMask, then: ProductMask) -> Scalar:
    """Of buyers of `first` products, the share whose second choice among products is one of `then`; nothing-buyers are left out."""
    weight = jnp.where(first, share, 0.0)
    inside = weight @ second.to_product
    return jnp.where(then, inside, 0.0).sum() / inside.sum()


def own_terms(tastes: Tastes) -> tuple[PerProduct, PerProduct, PerProduct]:
    """``1/(1-sigma_sub)``, ``1/(1-sigma_sub) - 1/(1-sigma_group)`` and ``sigma_group/(1-sigma_group)`` of each product's nests."""
    if tastes.nests is None:
        zero = 0.0 * tastes.delta
        return zero + 1, zero, zero
    sub = 1 / (1 - tastes.nests.sigma_sub)[tastes.nests.sub]
    group = 1 / (1 - tastes.nests.sigma_group)[tastes.nests.group]
    return sub, sub - group, group - 1


def _log_response(tastes: Tastes, paid: BroadcastToDraws, subset: ProductMask, change: BroadcastToDraws) -> Scalar:
    share, moved = jax.jvp(lambda q: shares(tastes, q), (paid,), (change,))
    return jnp.where(subset, moved, 0.0).sum() / jnp.where(subset, share, 0.0).sum()
