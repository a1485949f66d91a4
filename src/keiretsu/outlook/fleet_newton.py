"""How prices and balances answer to shadow prices, nearly: what turns residuals of all markets and pools into one step ([8], [10]).

Everything here comes from one look at prices near the solution, in single precision. It decides how many evaluations a solution takes and never what the
solution is, so a year begins with what the year before it knew.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from keiretsu.demand.choice import choose
from keiretsu.demand.substitution import share_jacobian
from keiretsu.outlook.fleet import Area
from keiretsu.supply.first_order import PriceProblem, nest_terms
from keiretsu.supply.nested_zeta import NestedAnchor
from keiretsu.supply.response import Rounds, rounds
from keiretsu.supply.wedges import paid
from keiretsu.supply.weights import seen_by_setters
from keiretsu.supply.zeta import anchor, slopes_around, to_single


class Answers(eqx.Module):
    """Answers of all markets at one point. P pools with a fine.

    Attributes
    ----------
    back
        Makers' answers to each other in each market: what a residual of the first-order conditions asks for. Each (M, J, J)
    handed_on
        ``d price / d shadow price``. (M, J, P)
    weighs
        ``d balance / d price``. (M, P, J)
    """

    back: Rounds
    handed_on: Float[Array, "M J P"]
    weighs: Float[Array, "M P J"]

    @property
    def slope(self) -> Float[Array, "P P"]:
        """``d balance / d shadow price``."""
        return jnp.einsum("mkj,mjl->kl", self.weighs, self.handed_on)

    def price_step(self, residual: Float[Array, "M J"]) -> Float[Array, "M J"]:
        """The change of prices that a residual of the first-order conditions asks for."""
        return jax.vmap(lambda back, right: back.step(right))(self.back, residual)


class Known(eqx.Module):
    """Answers known from before, and the places of the pools that they are about (P,)."""

    answers: Answers
    live: Int[Array, " P"]

    def for_pools(self, area: Area, on_sale: Bool[Array, "M J"]) -> tuple[Answers, Bool[Array, ""]]:
        """The answers by the pools of another year, and whether they say something of every pool with cars on sale whose shadow price is to be found."""
        same = ((area.rules.live[:, None] == self.live) & (self.live < area.rules.cap.shape[0])).astype(float)
        old = self.answers
        moved = Answers(old.back, old.handed_on @ same.T, jnp.einsum("qp,mpj->mqj", same, old.weighs))
        asked = (area.of_live(jnp.where(area.averaged, 0.0, area.rules.cap)) > 0) & ((area.charged != 0) & on_sale[..., None]).any(axis=(0, 1))
        return moved, (~asked | (jnp.diagonal(moved.slope) < 0)).all() & jnp.any(old.back.once != 0)


def nothing_known(pools: int, markets: int, products: int) -> Known:
    """No answers: a residual asks for itself."""
    back = jax.vmap(lambda _: rounds(jnp.zeros((products, products), jnp.float32)))(jnp.arange(markets))
    return Known(Answers(back, jnp.zeros((markets, products, pools)), jnp.zeros((markets, pools, products))), jnp.zeros(pools, int))


def answers(area: Area, problems: PriceProblem, price: Float[Array, "M J"], before: Answers | None = None, anew: Array | None = None) -> Answers:
    """Answers at `price`; `problems` has a first axis M. Of markets that are not to be looked at `anew` (M,) those of `before` are kept."""

    def at_market(given: tuple[PriceProblem, Array, Array, Array, Array]) -> tuple[Rounds, Array, Array]:
        problem, at, charged, weighed, potential = given
        start = anchor(problem, at)
        rough, near = to_single(problem), at.astype(jnp.float32)
        slopes = jnp.zeros((at.shape[0], at.shape[0]), jnp.float32)
        if isinstance(start, NestedAnchor):
            slopes = slopes_around(rough, to_single(start), near)
        back = rounds(slopes)

        def ruled() -> tuple[Array, Array]:
            handed_on = back.step(_by_cost(rough, near) @ charged.astype(jnp.float32))
            moves = share_jacobian(rough.tastes, paid(rough.wedges, near), rough.wedges.buyer_rate)
            return handed_on.astype(at.dtype), potential * (weighed.T.astype(jnp.float32) @ moves).astype(at.dtype)

        def free() -> tuple[Array, Array]:
            return jnp.zeros_like(charged), jnp.zeros_like(weighed.T)

        return back, *jax.lax.cond(jnp.any(charged != 0), ruled, free)

    each = (problems, price, area.charged, area.weighed, area.potential)
    if before is None or anew is None:
        return Answers(*jax.lax.map(at_market, each))

    def kept_or_anew(given: tuple[Any, ...]) -> tuple[Rounds, Array, Array]:
        fresh, old, market = given
        return jax.lax.cond(fresh, at_market, lambda _: old, market)

    return Answers(*jax.lax.map(kept_or_anew, (anew, (before.back, before.handed_on, before.weighs), each)))


def _by_cost(problem: PriceProblem, price: Array) -> Float[Array, "J J"]:
    """``d implied_j / d cost_k``: a car's own cost in full, less what buyers who leave j for others of its setter are worth the less."""
    tastes, wedges, weights = problem.tastes, problem.wedges, problem.weights
    choice = choose(tastes, paid(wedges, price))
    omega = (tastes.weight * tastes.alpha)[None, :] * wedges.buyer_rate * choice.probability
    keeps = seen_by_setters(weights)[0][weights.setter]
    brings = omega @ choice.probability.T
    spread = jnp.ones_like(price)
    if tastes.nests is not None and choice.in_sub is not None and choice.in_group is not None:
        nests = tastes.nests
        c1, c2 = nest_terms(nests)
        spread = 1 / (1 - nests.sigma_sub)[nests.sub]
        same_sub, same_group = (label[:, None] == label[None, :] for label in (nests.sub, nests.group))
        brings = brings + jnp.where(same_sub, c1[:, None] * (omega @ choice.in_sub.T), 0.0)
        brings = brings + jnp.where(same_group, c2[:, None] * (omega @ choice.in_group.T), 0.0)
    own = jnp.where(problem.chosen, jnp.diagonal(keeps) * spread * omega.sum(axis=1), 1.0)
    found = (jnp.eye(price.shape[0]) - keeps * brings / own[:, None]) / wedges.maker_rate[:, None]
    return jnp.where(problem.chosen[:, None], found, 0.0)
