"""What one market's consumers think of its products before prices are known ([3]).

Consumer draw i gets utility ``delta_j + mu_ij - alpha_i q_ij + eps_ij`` from product j, where ``q_ij`` is the money that consumer
pays ([7]; it is an argument of the functions, because taxes and incentives stand above demand). ``eps`` is extreme value, nested
with two levels when `Nests` is given: groups, and subgroups inside them. One level of nests is the same thing with every subgroup
equal to its group and ``sigma_sub == sigma_group``; no nests at all is ``nests=None``.
"""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

import keiretsu.numerics as _numerics  # noqa: F401  (64-bit floats)
from keiretsu.errors import DemandError, Problem
from keiretsu.numerics.host import host
from keiretsu.typing import BroadcastToDraws, PerDraw, PerProduct, ProductIndex, ProductMask


class Nests(eqx.Module):
    """Groups and subgroups of products and how alike the members of each are.

    Attributes
    ----------
    sub
        Subgroup of each product, ``0 .. K-1``. (J,)
    group_of_sub
        Group of each subgroup, ``0 .. G-1``. (K,)
    sigma_sub, sigma_group
        Correlation of tastes inside a subgroup (K,) and inside a group (G,), ``0 <= sigma_group <= sigma_sub < 1``.
    """

    sub: ProductIndex
    group_of_sub: Int[Array, " K"]
    sigma_sub: Float[Array, " K"]
    sigma_group: Float[Array, " G"]

    @property
    def group(self) -> ProductIndex:
        """Group of each product. (J,)"""
        return self.group_of_sub[self.sub]


class Tastes(eqx.Module):
    """Preferences of one market.

    Attributes
    ----------
    delta
        Mean utility at a price of zero, in utils. (J,) A composite line of n models carries its own ``ln n`` inside delta.
    mu
        Deviation of each draw from delta, not counting price. (J, I), or (J, 1) when all draws are alike.
    alpha
        Utils lost per unit of money paid, positive. (I,)
    weight
        Weight of each draw, adding up to one. (I,)
    available
        Which products are on sale. (J,) An unavailable product has a choice probability of exactly zero.
    nests
        Nesting structure or None for independent tastes.
    outside
        Whether buying nothing (utility zero) is possible.
    """

    delta: PerProduct
    mu: BroadcastToDraws
    alpha: PerDraw
    weight: PerDraw
    available: ProductMask
    nests: Nests | None
    outside: bool = eqx.field(static=True, default=True)


def plain_logit(delta: np.ndarray, alpha: float) -> Tastes:
    """Tastes of one representative draw: logit with price taste `alpha` (utils per unit of money). `delta` is (J,)."""
    d = jnp.asarray(delta, dtype=float)
    return Tastes(d, jnp.zeros((d.size, 1)), jnp.array([float(alpha)]), jnp.ones(1), jnp.ones(d.size, bool), None)


def nests(
    group: Sequence[str], sigma_group: float | dict[str, float], sub: Sequence[str] | None = None, sigma_sub: float | dict[str, float] | None = None
) -> Nests:
    """Nests from labels, one or two levels, one sigma or one for each nest.

    Raises
    ------
    DemandError
        When a subgroup lies in two groups, or ``0 <= sigma_group <= sigma_sub < 1`` fails, or one of `sub`, `sigma_sub` is missing.
    """
    if (sub is None) != (sigma_sub is None):
        raise DemandError(Problem("two levels of nests need both subgroup labels and sigma_sub", "nests"))
    subs = list(group) if sub is None else list(sub)
    sigma_subs = sigma_group if sigma_sub is None else sigma_sub
    problems: list[Problem] = []
    parent: dict[str, str] = {}
    for s, g in zip(subs, group, strict=True):
        if parent.setdefault(s, g) != g:
            problems.append(Problem("a subgroup lies in two groups", f"subgroup {s}", f"{parent[s]} and {g}", "one group"))
    groups = list(dict.fromkeys(group))

    def value(of: float | dict[str, float], label: str, level: str) -> float:
        if not isinstance(of, dict):
            return float(of)
        if label not in of:
            problems.append(Problem(f"no sigma for this {level}", f"{level} {label}", "nothing", "a number in [0, 1)"))
            return 0.0
        return float(of[label])

    sigma_g = {g: value(sigma_group, g, "group") for g in groups}
    sigma_s = {s: value(sigma_subs, s, "subgroup") for s in parent}
    for s, g in parent.items():
        if not 0 <= sigma_g[g] <= sigma_s[s] < 1:
            problems.append(
                Problem(
                    "nest parameters out of order",
                    f"group {g}, subgroup {s}",
                    f"sigma_group {sigma_g[g]}, sigma_sub {sigma_s[s]}",
                    "0 <= sigma_group <= sigma_sub < 1",
                )
            )
    if problems:
        raise DemandError(problems)
    labels = list(parent)
    return Nests(
        sub=host([labels.index(s) for s in subs]),
        group_of_sub=host([groups.index(parent[s]) for s in labels]),
        sigma_sub=host([sigma_s[s] for s in labels]),
        sigma_group=host([sigma_g[g] for g in groups]),
    )
