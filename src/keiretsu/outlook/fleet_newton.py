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
from keiretsu.supply.zeta import Anchor, ZetaMap, anchor, slopes_around, to_single, zeta_around


class Answers(eqx.Module):
    """Answers of all markets at one point, and markets as they are evaluated around it. P pools with a fine.

    Attributes
    ----------
    zeta
        The zeta map of each market, with a first axis M.
    back
        Makers' answers to each other in each market: what a residual of the first-order conditions asks for. Each (M, J, J)
    handed_on
        ``d price / d shadow price``. (M, J, P)
    weighs
        ``d balance / d price``. (M, P, J)
    slope
        ``d balance / d shadow price``. (P, P)
    """

    zeta: ZetaMap
    back: Rounds
    handed_on: Float[Array, "M J P"]
    weighs: Float[Array, "M P J"]
    slope: Float[Array, "P P"]

    def price_step(self, residual: Float[Array, "M J"]) -> Float[Array, "M J"]:
        """The change of prices that a residual of the first-order conditions asks for."""
        return jax.vmap(lambda back, right: back.step(right))(self.back, residual)


def answers(area: Area, problems: PriceProblem, price: Float[Array, "M J"]) -> Answers:
    """Answers at `price`; `problems` has a first axis M."""

    def of_market(given: tuple[PriceProblem, Array, Array, Array, Array]) -> tuple[Anchor | NestedAnchor, Rounds, Array, Array]:
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

        handed_on, weighs = jax.lax.cond(jnp.any(charged != 0), ruled, free)
        return start, back, handed_on, weighs

    start, back, handed_on, weighs = jax.lax.map(of_market, (problems, price, area.charged, area.weighed, area.potential))
    return Answers(jax.vmap(zeta_around)(problems, start), back, handed_on, weighs, jnp.einsum("mkj,mjl->kl", weighs, handed_on))


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
