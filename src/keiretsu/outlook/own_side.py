"""What a setter gains when one of its cars moves to another piece and all other prices stand still: a few cars at once, inside a compiled path.

The same sums as `keiretsu.supply.own_price`: when one price changes, each consumer's probabilities change through one number at each level of nests.
"""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from keiretsu.demand.choice import choose
from keiretsu.supply.first_order import PriceProblem
from keiretsu.supply.wedges import Wedges, paid, unit_margin
from keiretsu.supply.weights import seen_by_setters


class Standing(eqx.Module):
    """Where n cars stand at some prices. (n,) or (n, I); `own` is the car's probability, `in_sub` and `in_group` within its nests, margins of the setter's
    other cars in the nest, the rest of its group and elsewhere; `now` what the setter earns in all, money a potential buyer."""

    alpha: Float[Array, " I"]
    weight: Float[Array, " I"]
    cost: Float[Array, " n"]
    paid: Float[Array, "n I"]
    own: Float[Array, "n I"]
    in_sub: Float[Array, "n I"]
    in_group: Float[Array, "n I"]
    same_sub: Float[Array, "n I"]
    same_group: Float[Array, "n I"]
    elsewhere: Float[Array, "n I"]
    keeps: Float[Array, " n"]
    fee: Float[Array, " n"]
    inner: Float[Array, " n"]
    outer: Float[Array, " n"]
    itself: Float[Array, " n"]
    now: Float[Array, " n"]


def standing(problem: PriceProblem, price: Float[Array, " J"], which: Int[Array, " n"]) -> Standing:
    """Cars `which` at `price`."""
    tastes, wedges, weights = problem.tastes, problem.wedges, problem.weights
    choice = choose(tastes, paid(wedges, price))
    probability = choice.probability
    margin = unit_margin(wedges, price, problem.cost)
    keeps, fees = seen_by_setters(weights)
    setter = weights.setter[which]
    earned = margin * probability

    def worth(counted: Array) -> Float[Array, "n I"]:
        """What the setter earns on the cars counted, (n, J) of 0 and 1."""
        return (keeps[setter] * counted) @ earned + (fees[setter] * counted) @ probability

    everywhere = worth(jnp.ones((which.shape[0], price.shape[0])))
    itself = keeps[setter, which][:, None] * earned[which] + fees[setter, which][:, None] * probability[which]
    ones = jnp.ones_like(itself)
    if tastes.nests is None or choice.in_sub is None or choice.in_group is None:
        same_sub, same_group, in_sub, in_group, inner, outer = 0.0 * ones, 0.0 * ones, ones, ones, ones[:, 0], ones[:, 0]
    else:
        nests = tastes.nests
        of_sub = worth(nests.sub[which][:, None] == nests.sub[None, :])
        of_group = worth(nests.group[which][:, None] == nests.group[None, :])
        same_sub, same_group = of_sub - itself, of_group - of_sub
        in_sub, in_group = choice.in_sub[which], choice.in_group[which]
        inner, outer = (1 - nests.sigma_sub)[nests.sub[which]], (1 - nests.sigma_group)[nests.group[which]]
    return Standing(
        tastes.alpha,
        tastes.weight,
        problem.cost[which],
        jnp.broadcast_to(paid(wedges, price), probability.shape)[which],
        probability[which],
        in_sub,
        in_group,
        same_sub,
        same_group,
        everywhere - itself - same_sub - same_group,
        keeps[setter, which],
        fees[setter, which],
        inner,
        outer,
        itself @ tastes.weight,
        everywhere @ tastes.weight,
    )


def gain(at: Standing, wedges: Wedges, price: Float[Array, " n"]) -> Float[Array, " n"]:
    """Change of what each car's setter earns when that car alone asks `price` under `wedges` (n, I), money a potential buyer."""
    margin = unit_margin(wedges, price, at.cost)
    inner, outer = at.inner[:, None], at.outer[:, None]
    change = -at.alpha * (paid(wedges, price) - at.paid) / inner
    sub_in_group = at.in_group / jnp.where(at.in_sub > 0, at.in_sub, 1.0)
    group = at.own / jnp.where(at.in_group > 0, at.in_group, 1.0)
    # logarithms of what the sums of the nest, the group and the market are multiplied by; rounding is far below `sides.TOLERANCE`, and XLA has no fast expm1
    sub = jnp.log(1 + at.in_sub * (jnp.exp(change) - 1))
    of_group = jnp.log(1 + sub_in_group * (jnp.exp(sub * (inner / outer)) - 1))
    total = jnp.log(1 + group * (jnp.exp(of_group * outer) - 1))
    to_group = jnp.exp(of_group * (outer - 1) - total)
    to_sub = jnp.exp(sub * (inner / outer - 1)) * to_group
    worth = at.own * jnp.exp(change) * to_sub * (at.keeps[:, None] * margin + at.fee[:, None])
    worth = worth + at.same_sub * to_sub + at.same_group * to_group + at.elsewhere * jnp.exp(-total)
    return worth @ at.weight - at.now
