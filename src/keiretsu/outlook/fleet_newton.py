"""How prices and balances answer to shadow prices, nearly: what turns residuals of all markets and pools into one step ([8], [10]).

Everything here comes from one look at the prices to start from, in single precision. It decides how many evaluations a solution takes and never what the
solution is.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from keiretsu.demand.choice import choose
from keiretsu.demand.substitution import share_jacobian
from keiretsu.outlook.fleet import Area
from keiretsu.supply.first_order import PriceProblem, nest_terms
from keiretsu.supply.nested_zeta import NestedAnchor
from keiretsu.supply.response import Rounds, rounds
from keiretsu.supply.wedges import paid
from keiretsu.supply.weights import seen_by_setters
from keiretsu.supply.zeta import Anchor, anchor, slopes_around, to_single

SERIES = 8  # terms of the sum over rounds of makers' answers to each other's prices


class Answers(eqx.Module):
    """Answers of all markets at one point.

    Attributes
    ----------
    start
        Where utilities are anchored, with a first axis M.
    back
        Makers' answers to each other in each market: what a residual of the first-order conditions asks for. (M, 4, J, J)
    handed_on
        ``d price / d shadow price``. (M, J, K)
    weighs
        ``d balance / d price``. (M, K, J)
    slope
        ``d balance / d shadow price``. (K, K)
    """

    start: Anchor | NestedAnchor
    back: Rounds
    handed_on: Float[Array, "M J K"]
    weighs: Float[Array, "M K J"]
    slope: Float[Array, "K K"]

    def price_step(self, residual: Float[Array, "M J"]) -> Float[Array, "M J"]:
        """The change of prices that a residual of the first-order conditions asks for."""
        return jax.vmap(lambda back, right: back.step(right))(self.back, residual)


def answers(area: Area, problems: PriceProblem, price: Float[Array, "M J"]) -> Answers:
    """Answers at `price`; `problems` has a first axis M."""
    count = area.rules.cap.shape[0]

    def of_market(given: tuple[PriceProblem, Array, Array, Array, Array, Array]) -> tuple[Anchor | NestedAnchor, Rounds, Array, Array]:
        problem, at, counted, seen, pool, potential = given
        start = anchor(problem, at)
        rough, near = to_single(problem), at.astype(jnp.float32)
        size = at.shape[0]
        slopes = jnp.zeros((size, size), jnp.float32)
        if isinstance(start, NestedAnchor):
            slopes = slopes_around(rough, to_single(start), near)
        back = rounds(slopes)

        def ruled() -> tuple[Array, Array]:
            rows = jnp.broadcast_to(jnp.arange(size)[:, None], pool.shape)
            charged = jnp.zeros((size, count), jnp.float32).at[rows, pool].add(seen.astype(jnp.float32))
            counts = jnp.zeros((size, count), jnp.float32).at[rows, pool].add(counted.astype(jnp.float32))
            first = _by_cost(rough, near) @ charged
            # terms of a series: XLA's triangular solves with many right sides take longer than all of this together
            handed_on = jax.lax.fori_loop(0, SERIES, lambda _, so_far: first + slopes @ so_far, first).astype(at.dtype)
            moves = share_jacobian(rough.tastes, paid(rough.wedges, near), rough.wedges.buyer_rate)
            return handed_on, potential * (counts.T @ moves).astype(at.dtype)

        def free() -> tuple[Array, Array]:
            return jnp.zeros((size, count)), jnp.zeros((count, size))

        handed_on, weighs = jax.lax.cond(jnp.any(seen != 0), ruled, free)
        return start, back, handed_on, weighs

    given = (problems, price, area.rules.counted, area.seen, area.pool_of, area.potential)
    start, back, handed_on, weighs = jax.lax.map(of_market, given)
    return Answers(start, back, handed_on, weighs, jnp.einsum("mkj,mjl->kl", weighs, handed_on))


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
