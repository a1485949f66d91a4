"""Moments that parameters of demand are calibrated to, each one a ratio of sums over products and markets ([6]).

A moment of several markets pools them: sales-weighted means weigh by cars sold, elasticities are changes of all sales over all sales.
Every moment costs a few passes over the (J, I) choice probabilities and no (J, J) matrix; lines of several models enter by what
happens to *one* of their models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import equinox as eqx
import numpy as np

from keiretsu.demand.choice import Choice, choose
from keiretsu.demand.substitution import model_elasticities_at, own_terms
from keiretsu.demand.tastes import Tastes
from keiretsu.errors import DemandError, Problem
from keiretsu.numerics.host import module_of
from keiretsu.typing import BroadcastToDraws, PerProduct, PerProductAndDraw, ProductIndex, ProductMask, Scalar

MARGIN = "margin"
KINDS: Mapping[str, str] = {
    "own_elasticity": "own-price elasticity of a model, sales-weighted mean over `of`",
    "market_elasticity": "elasticity of all sales when every buyer pays one per cent more",
    "subset_elasticity": "elasticity of the sales of `of` when its buyers pay one per cent more",
    "second_choice": "of buyers in `of` who would buy another car, the share whose second choice lies in `to`",
    "diversion_outside": "of the buyers a small price rise drives away, the share who buy nothing; sales-weighted mean over `of`",
    "diversion": "the same for those who go to `to`",
    "share": "share of all potential buyers of the markets it is about who buy in `of`",
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


def parts(kind: str, choice: Choice, tastes: Tastes, seen: Seen, of: ProductMask, to: ProductMask) -> tuple[Scalar, Scalar]:
    """Numerator and denominator of a moment in one market, per potential buyer, where `choice` is made at `Seen.paid`."""
    xp = module_of(choice.probability)
    share = choice.probability @ tastes.weight
    sold = xp.where(of, share, 0.0)
    if kind == "own_elasticity":
        return sold @ model_elasticities_at(choice, tastes, seen.price, seen.n_models, seen.buyer_rate), sold.sum()
    if kind in ("market_elasticity", "subset_elasticity"):
        return xp.where(of, dearer(choice, tastes, xp.where(of[:, None], seen.paid, 0.0)), 0.0).sum(), sold.sum()
    if kind == "second_choice":
        numerator, denominator = (sold @ second_choice_at(choice, tastes, seen.n_models, mask) for mask in (to, tastes.available))
        return numerator, denominator
    if kind == "diversion_outside":
        return sold @ (1 - diversion_at(choice, tastes, seen, tastes.available)), sold.sum()
    if kind == "diversion":
        return sold @ diversion_at(choice, tastes, seen, to), sold.sum()
    if kind == MARGIN:  # the numerator comes from supply, see `calibration`
        return 0.0 * sold.sum(), sold.sum()
    return sold.sum(), 1.0 + 0.0 * sold.sum()


def dearer(choice: Choice, tastes: Tastes, money: BroadcastToDraws) -> PerProduct:
    """Change of shares when draw i pays ``money[j, i]`` more for each product, to the first order. (J,)"""
    worse = -tastes.alpha * money
    nests = tastes.nests
    own, same_sub, same_group = own_terms(tastes)
    response = own[:, None] * worse - (choice.probability * worse).sum(axis=0)
    if nests is not None:
        assert choice.in_sub is not None and choice.in_group is not None
        response = response - same_sub[:, None] * _of_own(nests.sub, choice.in_sub * worse)
        response = response - same_group[:, None] * _of_own(nests.group, choice.in_group * worse)
    return (choice.probability * response) @ tastes.weight


def diversion_to(tastes: Tastes, seen: Seen, to: ProductMask) -> PerProduct:
    """Share of one model's buyers, driven away by a small price rise, who go to products of `to` (its own siblings included). (J,)"""
    return diversion_at(choose(tastes, seen.paid), tastes, seen, to)


def diversion_at(choice: Choice, tastes: Tastes, seen: Seen, to: ProductMask) -> PerProduct:
    """`diversion_to` where choices are known. (J,)"""
    xp = module_of(choice.probability)
    share = choice.probability @ tastes.weight
    elasticity = model_elasticities_at(choice, tastes, seen.price, seen.n_models, seen.buyer_rate)
    lost = xp.where(share > 0, -elasticity * share / seen.price, 1.0)
    # what a rise of j's price does to the sales of `to`: the derivatives of shares by utilities are symmetric
    own, same_sub, same_group = own_terms(tastes)
    towards = (own * to)[:, None] - xp.where(to[:, None], choice.probability, 0.0).sum(axis=0)
    if tastes.nests is not None:
        assert choice.in_sub is not None and choice.in_group is not None
        towards = towards - same_sub[:, None] * _of_own(tastes.nests.sub, xp.where(to[:, None], choice.in_sub, 0.0))
        towards = towards - same_group[:, None] * _of_own(tastes.nests.group, xp.where(to[:, None], choice.in_group, 0.0))
    gained = -(choice.probability * seen.buyer_rate * towards) @ (tastes.weight * tastes.alpha) + xp.where(to, lost, 0.0)
    return xp.where(share > 0, gained / lost, 0.0)


def second_choice_in(tastes: Tastes, paid: BroadcastToDraws, n_models: PerProduct, then: ProductMask) -> PerProduct:
    """Share of one model's buyers whose choice, were that model withdrawn, would lie in `then`. (J,)

    The same as summing a row of `substitution.second_choices`, in one pass: withdrawing a model changes only its own subgroup's and
    group's sums.
    """
    return second_choice_at(choose(tastes, paid), tastes, n_models, then)


def second_choice_at(choice: Choice, tastes: Tastes, n_models: PerProduct, then: ProductMask) -> PerProduct:
    """`second_choice_in` where choices are known. (J,)"""
    xp = module_of(choice.probability)
    chosen = choice.probability
    withdrawn = chosen / n_models[:, None]
    before = xp.where(then[:, None], chosen, 0.0).sum(axis=0)[None, :] - xp.where(then[:, None], withdrawn, 0.0)
    after = before / (1 - withdrawn) if tastes.nests is None else _after_withdrawal(tastes, choice, n_models, then)
    # Who chooses `then` once the model is gone and did not before had the model as first choice: the error terms are the same.
    gained, lost = (after - before) @ tastes.weight, withdrawn @ tastes.weight
    return xp.where(lost > 0, gained / xp.where(lost > 0, lost, 1.0), 0.0)


def _after_withdrawal(tastes: Tastes, choice: Choice, n_models: PerProduct, then: ProductMask) -> PerProductAndDraw:
    """Probability that a draw chooses in `then` when one model of j (row) is not on sale, with nests."""
    assert tastes.nests is not None and choice.in_sub is not None and choice.in_group is not None
    xp = module_of(choice.probability)
    chosen, nests = choice.probability, tastes.nests
    every = xp.where(then[:, None], chosen, 0.0).sum(axis=0)
    sub, group = nests.sub, nests.group
    of_sub = _of_own(sub, xp.where(then[:, None], choice.in_sub, 0.0))
    of_group = _of_own(group, xp.where(then[:, None], choice.in_group, 0.0))
    group_chosen = _of_own(group, chosen)
    sub_in_group = _of_own(sub, choice.in_group)
    similar_sub, similar_group = (1 - nests.sigma_sub)[sub][:, None], (1 - nests.sigma_group)[group][:, None]
    gone = choice.in_sub / n_models[:, None]
    rest = 1 - gone
    kept = rest ** (similar_sub / similar_group)
    group_left = 1 - sub_in_group + sub_in_group * kept
    odds = group_chosen * group_left**similar_group
    total = 1 - group_chosen + odds
    left_in_sub = xp.where(rest > 0, (of_sub - xp.where(then[:, None], gone, 0.0)) / xp.where(rest > 0, rest, 1.0), 0.0)
    safe = xp.where(group_left > 0, group_left, 1.0)
    in_own_group = (sub_in_group * kept * left_in_sub + of_group - of_sub * sub_in_group) / safe
    return (xp.where(group_left > 0, odds * in_own_group, 0.0) + every[None, :] - of_group * group_chosen) / total


def _of_own(label: ProductIndex, values: PerProductAndDraw) -> PerProductAndDraw:
    """Sum of `values` over the products with the same label. (J, I)"""
    together = label[:, None] == label[None, :]
    return together.astype(values.dtype) @ values


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
