"""Equilibrium prices of many markets of unequal size, in one compiled program ([8])."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import equinox as eqx
import jax
import numpy as np
from jaxtyping import PyTree

from keiretsu.demand.tastes import Nests, Tastes
from keiretsu.errors import InputError, Problem
from keiretsu.numerics.batching import Sizes, Solver, bytes_of_one, chunk_length, cut, map_chunks, one_by_one, sizes_of, stacked
from keiretsu.supply.first_order import PriceProblem
from keiretsu.supply.pricing import Pricing, PricingOptions, check_problem, equilibrium, require_settled
from keiretsu.supply.wedges import Wedges
from keiretsu.supply.weights import ProfitWeights
from keiretsu.typing import BroadcastToDraws, PerProduct

WORKING_COPIES = 8  # arrays over products x draws alive at once while one market is solved, counted in double precision


@dataclass(frozen=True)
class BatchOptions:
    """How markets share the machine: memory that may be in use at once, and whether they are solved in sequence or side by side."""

    budget_bytes: int = 2 * 2**30
    across: Callable[[Solver], Solver] = one_by_one


def solve_many(
    problems: Sequence[PriceProblem], starts: Sequence[PerProduct], options: PricingOptions, batch: BatchOptions, names: Sequence[str]
) -> list[Pricing]:
    """Equilibria of several markets, which may differ in products, draws, nests and firms; in the order given.

    Raises
    ------
    PricingError, PricesNotSettled
        For the first market that has no first-order conditions or does not settle, by its name.
    InputError
        When one market alone exceeds the memory budget, or markets differ in whether they have nests or an outside good.
    """
    if not problems:
        return []
    # from here to the compiled program everything is NumPy; on a CPU nothing is copied
    problems, starts = jax.tree.map(np.asarray, (list(problems), list(starts)))
    for problem, name in zip(problems, names, strict=True):
        check_problem(problem, name, ())
    if len({jax.tree.structure(problem) for problem in problems}) > 1:
        raise InputError(Problem("markets of one batch must all have nests or none, and all an outside good or none", "batch of markets"))
    layout = (_layout(problems[0], _by_draw(problems)), ("products",))
    markets = list(zip(problems, starts, strict=True))
    sizes = sizes_of(markets, layout)
    bytes_each = bytes_of_one(markets[0], layout, sizes) + WORKING_COPIES * 8 * sizes["products"] * sizes["draws"]
    chunk = chunk_length(len(markets), bytes_each, batch.budget_bytes)
    solved = map_chunks(lambda ready: _solve_stack(ready, options, batch.across), markets, chunk, lambda part: _ready(part, layout, sizes))
    results = [cut(pricing, _PRICING_LAYOUT, {"products": start.shape[0]}) for pricing, start in zip(solved, starts, strict=True)]
    for result, problem, name in zip(results, problems, names, strict=True):
        require_settled(result, problem, name, ())
    return results


@eqx.filter_jit
def _solve_stack(stacked: PyTree, options: PricingOptions, across: Callable[[Solver], Solver]) -> Pricing:
    return across(lambda market: equilibrium(market[0], market[1], options))(stacked)


_PRICING_LAYOUT = Pricing(*([("products",)] * 3), *([()] * 4))  # type: ignore[arg-type]


def _layout(problem: PriceProblem, by_draw: tuple[bool, ...]) -> PyTree:
    j, i, fj = ("products",), ("draws",), ("firms", "products")
    mu, rate, add, charge = (("products", "draws" if each else "one") for each in by_draw)
    nests = None if problem.tastes.nests is None else Nests(j, ("subgroups",), ("subgroups",), ("groups",))  # type: ignore[arg-type]
    tastes = Tastes(j, mu, i, i, j, nests, problem.tastes.outside)  # type: ignore[arg-type]
    return PriceProblem(tastes, Wedges(rate, add, j, charge), ProfitWeights(j, ("firms", "firms"), fj, fj), j, j)  # type: ignore[arg-type]


def _broadcast_fields(problem: PriceProblem) -> tuple[BroadcastToDraws, ...]:
    """The arrays that may be the same for every draw."""
    return problem.tastes.mu, problem.wedges.buyer_rate, problem.wedges.buyer_add, problem.wedges.maker_charge


def _by_draw(problems: Sequence[PriceProblem]) -> tuple[bool, ...]:
    """Which of those arrays depend on the draw in some market of the batch, and so are written out for every draw in all of them."""
    return tuple(any(field.shape[1] > 1 for field in fields) for fields in zip(*map(_broadcast_fields, problems), strict=True))


def _ready(markets: Sequence[tuple[PriceProblem, PerProduct]], layout: PyTree, sizes: Sizes) -> tuple[PriceProblem, PerProduct]:
    """Markets stacked, and the one place that says what is padding: products not on sale, draws of weight zero, firms that earn nothing."""
    every, start = stacked(markets, layout, sizes)
    for m, (problem, _) in enumerate(markets):
        products, draws, firms = problem.cost.shape[0], problem.tastes.alpha.shape[0], problem.weights.kappa.shape[0]
        every.tastes.available[m, products:] = False
        every.tastes.weight[m, draws:] = 0.0
        every.weights.split[m, firms:] = 0.0
        every.weights.fee[m, firms:] = 0.0
    return every, start
