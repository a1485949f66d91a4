"""Prices at which no setter gains by moving: Nash-Bertrand equilibrium under any profit weights ([8]).

The zeta map of `keiretsu.supply.first_order` is iterated with Anderson's acceleration. A solution is data (`Pricing`) with its
residual in money: how far each price is from the one its first-order condition implies. `solve_prices` turns an unsettled one into an
error; `equilibrium` is its inner part, which can be differentiated, compiled and mapped over markets and never raises.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, PyTree

from keiretsu.demand.choice import shares
from keiretsu.demand.tastes import Tastes
from keiretsu.errors import PricesNotSettled, PricingError, Problem
from keiretsu.numerics.fixed_point import StepOf, anderson, no_history
from keiretsu.numerics.implicit import solve_linear
from keiretsu.supply.first_order import Conditions, PriceProblem, conditions
from keiretsu.supply.nested_zeta import NestedAnchor
from keiretsu.supply.response import rounds
from keiretsu.supply.wedges import Wedges, paid
from keiretsu.supply.weights import ProfitWeights
from keiretsu.supply.zeta import Anchor, anchor, slopes_around, to_single, zeta_around, zeta_near
from keiretsu.typing import PerProduct, ProductMask, Scalar

_NEWTON_LIMIT = 15  # evaluations, rough and fine each, before Newton's steps are given up
ROUGH = 3e-6  # share of the mean price at which single precision hands over; its own rounding is a tenth of that


@dataclass(frozen=True)
class PricingOptions:
    """When prices count as settled.

    Attributes
    ----------
    tolerance_eur
        Largest distance allowed between a price and the one its first-order condition implies, in the money of the prices (EUR).
    relative
        The same as a share of the market's mean price; the stricter of the two counts (prices of a tenth of a dollar need it).
    limit
        Evaluations of the conditions before giving up.
    limit_single
        How many more may go before in single precision, which only find the start of the others.
    window
        Earlier steps that the acceleration combines.
    """

    tolerance_eur: float = 1e-7
    relative: float = 1e-10
    limit: int = 500
    limit_single: int = 40
    window: int = 6


DEFAULT_OPTIONS = PricingOptions()


class Pricing(eqx.Module):
    """Prices of one market and how well they are settled.

    Attributes
    ----------
    price
        Maker's prices; held and unavailable products keep their starting price. (J,)
    share
        Market shares at these prices. (J,)
    residual
        ``implied price - price`` in money, zero for held and unavailable products. (J,)
    iterations
        Evaluations of the first-order conditions.
    in_single
        How many of these were in single precision; the residual and what is reported never are.
    returns
        How often the acceleration was taken back.
    settled
        Whether the largest residual is within the tolerance.
    """

    price: PerProduct
    share: PerProduct
    residual: PerProduct
    iterations: Int[Array, ""]
    in_single: Int[Array, ""]
    returns: Int[Array, ""]
    settled: Bool[Array, ""]

    @property
    def largest_residual(self) -> Scalar:
        """Largest distance between a price and the one its condition implies, in money."""
        return jnp.max(jnp.abs(self.residual))


def solve_prices(
    tastes: Tastes,
    wedges: Wedges,
    weights: ProfitWeights,
    cost: PerProduct,
    start: PerProduct,
    held: ProductMask,
    options: PricingOptions = DEFAULT_OPTIONS,
    *,
    where: str = "the market",
    labels: Sequence[str] = (),
) -> Pricing:
    """Equilibrium prices of one market.

    Parameters
    ----------
    cost
        Marginal cost (EUR a car), (J,). A CO2 shadow cost is added by the caller, and left out when margins are reported.
    start
        Prices to start from (EUR), (J,); the prices themselves where `held`.
    where, labels
        What to call the market and its products in errors.

    Raises
    ------
    PricingError
        When a price has no first-order condition: its setter keeps no share of the margin, its maker keeps nothing of the price,
        nobody would buy it, or an input is not a number. All such products are named.
    PricesNotSettled
        When the conditions do not all hold within the tolerance; names the market and the worst product.
    """
    problem = PriceProblem(tastes, wedges, weights, jnp.asarray(cost, float), jnp.asarray(held, bool))
    check_problem(problem, where, labels)
    pricing = settle(problem, jnp.asarray(start, float), options)
    require_settled(pricing, problem, where, labels)
    return pricing


def equilibrium(problem: PriceProblem, start: PerProduct, options: PricingOptions) -> Pricing:
    """Equilibrium without checks or errors: compile it, map it, differentiate it; look at ``settled``.

    Derivatives of ``price`` and ``share``, forwards and backwards, follow the implicit function theorem, for every array of `problem`
    and for the held prices in `start`.
    """
    return _differentiable(problem, start, options=options)


@eqx.filter_custom_jvp
def _differentiable(problem: PriceProblem, start: PerProduct, *, options: PricingOptions) -> Pricing:
    return _iterate(problem, start, options)


@_differentiable.def_jvp
def _tangent(primals: tuple[PriceProblem, PerProduct], tangents: tuple[PyTree, PyTree], *, options: PricingOptions) -> tuple[Pricing, PyTree]:
    (problem, start), (problem_dot, start_dot) = primals, tangents
    found = _iterate(problem, start, options)
    price, chosen = found.price, problem.chosen
    zero = jnp.zeros_like(start)

    def implied(problem: PriceProblem, price: PerProduct) -> PerProduct:
        return conditions(problem, price).implied

    _, pushed = eqx.filter_jvp(lambda given: implied(given, price), (problem,), (problem_dot,))
    _, push = jax.linearize(lambda moved: implied(problem, moved), price)
    right = jnp.where(chosen, zero if pushed is None else pushed, zero if start_dot is None else start_dot)
    price_dot = solve_linear(lambda v: v - jnp.where(chosen, push(v), 0.0), right)
    _, share_dot = eqx.filter_jvp(lambda given, moved: shares(given.tastes, paid(given.wedges, moved)), (problem, price), (problem_dot, price_dot))
    return found, Pricing(price_dot, share_dot, zero, None, None, None, None)  # type: ignore[arg-type]


settle = eqx.filter_jit(equilibrium)
"""`equilibrium`, compiled."""


def _iterate(problem: PriceProblem, start: PerProduct, options: PricingOptions) -> Pricing:
    """A rough phase in single precision, then the same iteration in double precision from where it ended.

    With nests both take Newton steps with one closed-form derivative, see `keiretsu.supply.response`; where these do not settle, the zeta map's own steps do it.
    """
    scale = _money_scale(problem, start)
    tolerance = jnp.minimum(options.tolerance_eur, jnp.where(scale > 0, options.relative * scale, jnp.inf))
    base = anchor(problem, start)
    if not isinstance(base, NestedAnchor):
        return _two_phases(problem, base, start, options, scale, tolerance, None)
    step_of = rounds(slopes_around(to_single(problem), to_single(base), start.astype(jnp.float32))).step
    found = _two_phases(
        problem, base, start, dataclasses.replace(options, limit=_NEWTON_LIMIT, limit_single=_NEWTON_LIMIT), scale, tolerance, step_of
    )

    def without() -> Pricing:
        again = _two_phases(problem, base, start, options, scale, tolerance, None)
        return dataclasses.replace(
            again,
            iterations=found.iterations + again.iterations,
            in_single=found.in_single + again.in_single,
            returns=found.returns + again.returns + 1,
        )

    return jax.lax.cond(found.settled | (options.limit <= _NEWTON_LIMIT), lambda: found, without)


def _two_phases(
    problem: PriceProblem,
    base: Anchor | NestedAnchor,
    start: PerProduct,
    options: PricingOptions,
    scale: Scalar,
    tolerance: Scalar,
    step_of: StepOf | None,
) -> Pricing:
    single = zeta_around(to_single(problem), to_single(base))
    rough = anderson(
        lambda price: (single(price.astype(jnp.float32)).implied.astype(jnp.float64), None),
        start,
        (ROUGH if step_of is None else 10 * ROUGH) * scale,
        history=no_history(start.shape[0], options.window),
        limit=options.limit_single,
        step_of=step_of,
    )
    onward = 0.0 if step_of is None else step_of(rough.residual)
    near = jnp.where(problem.chosen, rough.value + onward, start)  # single precision must not round a price that is held
    double = zeta_near(problem, base, near)
    fine = anderson(lambda price: _image_and_share(double(price)), near, tolerance, history=rough.history, limit=options.limit, step_of=step_of)
    return Pricing(
        fine.value, fine.kept, fine.residual, rough.iterations + fine.iterations, rough.iterations, rough.returns + fine.returns, fine.settled
    )


def _image_and_share(at: Conditions) -> tuple[PerProduct, PerProduct]:
    return at.implied, at.share


def _money_scale(problem: PriceProblem, start: PerProduct) -> Scalar:
    """Mean price or cost of the products on sale, whichever is larger."""
    sold = problem.tastes.available
    count = jnp.maximum(sold.sum(), 1)
    return jnp.maximum(*(jnp.where(sold, jnp.abs(money), 0.0).sum() / count for money in (start, problem.cost)))


def check_problem(problem: PriceProblem, where: str, labels: Sequence[str]) -> None:
    """Refuse a market in which some chosen price has no first-order condition.

    Raises
    ------
    PricingError
        Naming every such product.
    """
    problems: list[Problem] = []
    sold = np.asarray(problem.tastes.available)
    chosen = sold & ~np.asarray(problem.held)
    setter = np.asarray(problem.weights.setter)
    keeps = np.asarray(problem.weights.kappa) @ np.asarray(problem.weights.split)
    rate = np.asarray(problem.wedges.maker_rate)
    cost, delta = np.asarray(problem.cost), np.asarray(problem.tastes.delta)
    keeps_own = keeps[setter, np.arange(setter.size)]
    wrong = sold & ~(np.isfinite(cost) & np.isfinite(delta)) | chosen & ~((keeps_own > 0) & (rate > 0))
    for j in np.flatnonzero(wrong):
        place = _place(where, labels, int(j))
        if not np.isfinite(cost[j]):
            problems.append(Problem("marginal cost is not a number", place, f"{cost[j]}", "EUR a car"))
        if not np.isfinite(delta[j]):
            problems.append(
                Problem("mean utility is not a number", place, f"{delta[j]}", "utils; mark the product unavailable when it is not on sale")
            )
        if chosen[j] and not keeps[setter[j], j] > 0:
            problems.append(
                Problem(
                    "whoever sets this price keeps no share of its margin",
                    place,
                    f"{keeps[setter[j], j]:.6g}",
                    "above zero",
                    "give the setter a share of the margin, or hold the price",
                )
            )
        if chosen[j] and not rate[j] > 0:
            problems.append(Problem("the maker keeps nothing of the price", place, f"maker_rate {rate[j]:.6g}", "above zero", "hold the price"))
    alpha = np.asarray(problem.tastes.alpha)[np.asarray(problem.tastes.weight) > 0]
    if not (alpha > 0).all():
        problems.append(Problem("price taste must be positive for every draw", where, f"{alpha.min():.6g}", "above zero"))
    if problems:
        raise PricingError(problems)


def require_settled(pricing: Pricing, problem: PriceProblem, where: str, labels: Sequence[str]) -> None:
    """Raise the named error when `pricing` is not settled.

    Raises
    ------
    PricingError
        When some product's share is zero to the last bit, so that its price moves nothing.
    PricesNotSettled
        Otherwise.
    """
    if bool(pricing.settled):
        return
    unsold = np.flatnonzero(np.asarray(problem.chosen) & (np.asarray(pricing.share) == 0))
    if unsold.size:
        raise PricingError(
            [
                Problem(
                    "nobody buys this product, so no price is better than another",
                    _place(where, labels, int(j)),
                    "share 0",
                    "a share above zero",
                    "mark it unavailable, or start from lower prices",
                )
                for j in unsold
            ]
        )
    residual = np.abs(np.asarray(pricing.residual))
    residual = np.where(np.isfinite(residual), residual, np.inf)
    worst = int(np.argmax(residual))
    raise PricesNotSettled(
        "prices",
        where=_place(where, labels, worst),
        residual=float(residual[worst]),
        unit="EUR",
        iterations=int(pricing.iterations),
        next_step="start from other prices, raise PricingOptions.limit, or look for a maker that gains without bound from a higher price",
    )


def _place(where: str, labels: Sequence[str], product: int) -> str:
    return f"{where}, {labels[product] if len(labels) else f'product {product}'}"
