"""Moments that parameters of demand are calibrated to, each one a ratio of sums over products and markets ([6]).

A moment of several markets pools them: sales-weighted means weigh by cars sold, elasticities are changes of all sales over all sales.
Every moment costs a few passes over the (J, I) choice probabilities and no (J, J) matrix; lines of several models enter by what
happens to *one* of their models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from keiretsu.demand.choice import Choice, choose, shares
from keiretsu.demand.substitution import model_elasticities
from keiretsu.demand.tastes import Tastes
from keiretsu.errors import DemandError, Problem
from keiretsu.typing import BroadcastToDraws, PerProduct, PerProductAndDraw, ProductMask, Scalar

MARGIN = "margin"
KINDS: Mapping[str, str] = {
    "own_elasticity": "own-price elasticity of a model, sales-weighted mean over `of`",
    "market_elasticity": "elasticity of all sales when every buyer pays one per cent more",
    "subset_elasticity": "elasticity of the sales of `of` when its buyers pay one per cent more",
    "second_choice": "of buyers in `of` who would buy another car, the share whose second choice lies in `to`",
    "diversion_outside": "of the buyers a small price rise drives away, the share who buy nothing; sales-weighted mean over `of`",
    "diversion": "the same for those who go to `to`",
    "share": "share of all potential buyers who buy in `of`",
    MARGIN: "(price - marginal cost) / price, sales-weighted mean over `of`",
}


@dataclass(frozen=True)
class Target:
    """A moment to match.

    Attributes
    ----------
    kind
        One of `KINDS`.
    of, to
        Products the moment is about, and products that count as destination, by market: (J,) bool. A market that is missing takes
        no part; `to` empty means the same as `of`.
    low, high
        Stated range around `value`.
    weight
        Weight of the squared deviation, in units of half the range (of a tenth of the value where the range has no width).
    """

    id: str
    kind: str
    value: float
    low: float
    high: float
    of: Mapping[str, np.ndarray]
    to: Mapping[str, np.ndarray] = field(default_factory=lambda: dict[str, np.ndarray]())
    weight: float = 1.0
    source: str = ""

    @property
    def scale(self) -> float:
        """Deviation that counts as one."""
        half = (self.high - self.low) / 2
        return half if half > 0 else abs(self.value) / 10 or 1.0


class Seen(eqx.Module):
    """What the moments of one market need besides its tastes."""

    paid: BroadcastToDraws
    buyer_rate: BroadcastToDraws
    price: PerProduct
    n_models: PerProduct


def parts(kind: str, tastes: Tastes, seen: Seen, of: ProductMask, to: ProductMask) -> Float[Array, " 2"]:
    """Numerator and denominator of a moment in one market, per potential buyer."""
    share = shares(tastes, seen.paid)
    sold = jnp.where(of, share, 0.0)
    if kind == "own_elasticity":
        value = sold @ model_elasticities(tastes, seen.paid, seen.price, seen.n_models, seen.buyer_rate)
        return jnp.stack([value, sold.sum()])
    if kind in ("market_elasticity", "subset_elasticity"):
        _, moved = jax.jvp(lambda q: shares(tastes, q), (seen.paid,), (jnp.where(of[:, None], seen.paid, 0.0),))
        return jnp.stack([jnp.where(of, moved, 0.0).sum(), sold.sum()])
    if kind == "second_choice":
        return jnp.stack([sold @ second_choice_in(tastes, seen.paid, seen.n_models, mask) for mask in (to, tastes.available)])
    if kind == "diversion_outside":
        return jnp.stack([sold @ (1 - diversion_to(tastes, seen, tastes.available)), sold.sum()])
    if kind == "diversion":
        return jnp.stack([sold @ diversion_to(tastes, seen, to), sold.sum()])
    if kind == MARGIN:  # the numerator comes from supply, see `calibration`
        return jnp.stack([jnp.zeros(()), sold.sum()])
    return jnp.stack([sold.sum(), jnp.ones(())])


def diversion_to(tastes: Tastes, seen: Seen, to: ProductMask) -> PerProduct:
    """Share of one model's buyers, driven away by a small price rise, who go to products of `to` (its own siblings included). (J,)"""

    def sold(price: PerProduct) -> Scalar:
        return jnp.where(to, shares(tastes, seen.paid + seen.buyer_rate * (price - seen.price)[:, None]), 0.0).sum()

    share = shares(tastes, seen.paid)
    elasticity = model_elasticities(tastes, seen.paid, seen.price, seen.n_models, seen.buyer_rate)
    lost = jnp.where(share > 0, -elasticity * share / seen.price, 1.0)
    gained = jax.grad(sold)(seen.price) + jnp.where(to, lost, 0.0)
    return jnp.where(share > 0, gained / lost, 0.0)


def second_choice_in(tastes: Tastes, paid: BroadcastToDraws, n_models: PerProduct, then: ProductMask) -> PerProduct:
    """Share of one model's buyers whose choice, were that model withdrawn, would lie in `then`. (J,)

    The same as summing a row of `substitution.second_choices`, in one pass: withdrawing a model changes only its own subgroup's and
    group's sums.
    """
    choice = choose(tastes, paid)
    chosen = choice.probability
    withdrawn = chosen / n_models[:, None]
    before = jnp.where(then[:, None], chosen, 0.0).sum(axis=0)[None, :] - jnp.where(then[:, None], withdrawn, 0.0)
    after = before / (1 - withdrawn) if tastes.nests is None else _after_withdrawal(tastes, choice, n_models, then)
    # Who chooses `then` once the model is gone and did not before had the model as first choice: the error terms are the same.
    gained, lost = (after - before) @ tastes.weight, withdrawn @ tastes.weight
    return jnp.where(lost > 0, gained / jnp.where(lost > 0, lost, 1.0), 0.0)


def _after_withdrawal(tastes: Tastes, choice: Choice, n_models: PerProduct, then: ProductMask) -> PerProductAndDraw:
    """Probability that a draw chooses in `then` when one model of j (row) is not on sale, with nests."""
    assert tastes.nests is not None and choice.in_sub is not None and choice.in_group is not None
    chosen = choice.probability
    every = jnp.where(then[:, None], chosen, 0.0).sum(axis=0)
    nests = tastes.nests
    sub, group = nests.sub, nests.group
    n_sub, n_group = nests.sigma_sub.shape[0], nests.sigma_group.shape[0]
    of_sub = jax.ops.segment_sum(jnp.where(then[:, None], choice.in_sub, 0.0), sub, num_segments=n_sub)[sub]
    of_group = jax.ops.segment_sum(jnp.where(then[:, None], choice.in_group, 0.0), group, num_segments=n_group)[group]
    group_chosen = jax.ops.segment_sum(chosen, group, num_segments=n_group)[group]
    sub_in_group = jax.ops.segment_sum(choice.in_group, sub, num_segments=n_sub)[sub]
    similar_sub, similar_group = (1 - nests.sigma_sub)[sub][:, None], (1 - nests.sigma_group)[group][:, None]
    gone = choice.in_sub / n_models[:, None]
    rest = 1 - gone
    kept = rest ** (similar_sub / similar_group)
    group_left = 1 - sub_in_group + sub_in_group * kept
    odds = group_chosen * group_left**similar_group
    total = 1 - group_chosen + odds
    left_in_sub = jnp.where(rest > 0, (of_sub - jnp.where(then[:, None], gone, 0.0)) / jnp.where(rest > 0, rest, 1.0), 0.0)
    safe = jnp.where(group_left > 0, group_left, 1.0)
    in_own_group = (sub_in_group * kept * left_in_sub + of_group - of_sub * sub_in_group) / safe
    return (jnp.where(group_left > 0, odds * in_own_group, 0.0) + every[None, :] - of_group * group_chosen) / total


def target_problems(targets: Sequence[Target], sizes: Mapping[str, int]) -> list[Problem]:
    """What is wrong with targets; `sizes` gives the number of products of each market."""
    problems: list[Problem] = []
    for target in targets:
        where = f"target {target.id}"
        if target.kind not in KINDS:
            problems.append(Problem("unknown kind of moment", where, target.kind, ", ".join(KINDS)))
        if not target.low <= target.value <= target.high:
            problems.append(Problem("value outside its own range", where, f"{target.value} in [{target.low}, {target.high}]", "low <= value <= high"))
        if not target.weight >= 0:
            problems.append(Problem("negative weight", where, str(target.weight), "0 or above"))
        if not any(np.any(mask) for mask in target.of.values()):
            problems.append(Problem("no product is meant", where, "an empty selection", "at least one product", "correct `of` or drop the target"))
        for market, mask in [*target.of.items(), *target.to.items()]:
            if market not in sizes:
                problems.append(Problem("unknown market", where, market, f"among {sorted(sizes)}"))
            elif np.shape(mask) != (sizes[market],):
                problems.append(
                    Problem("selection and products do not match", f"{where}, market {market}", str(np.shape(mask)), str((sizes[market],)))
                )
    return problems


def refuse(problems: Sequence[Problem]) -> None:
    """Raise a `DemandError` with all problems, if there are any."""
    if problems:
        raise DemandError(problems)
