"""All markets of one year in equilibrium ([8], [11]).

A year's markets are arrays side by side (M). Each is solved for given shadow costs by `solve_market`; what its prices come to is
`at_prices`, whoever found them.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from keiretsu.demand.choice import choose
from keiretsu.demand.tastes import Nests, Tastes
from keiretsu.outlook.implicit import prices
from keiretsu.supply.first_order import PriceProblem
from keiretsu.supply.pricing import PricingOptions
from keiretsu.supply.sellers import Sellers
from keiretsu.supply.wedges import Wedges, paid, unit_margin
from keiretsu.supply.weights import ProfitWeights
from keiretsu.typing import PerDraw, PerProduct, PerProductAndDraw, Scalar


class YearMarket(eqx.Module):
    """One market in one year: demand, taxes, whose profit counts, costs (EUR a car), prices to start from (EUR; the prices themselves where held)."""

    delta: PerProduct
    mu: PerProductAndDraw
    alpha: PerDraw
    weight: PerDraw
    nests: Nests | None
    on_sale: Array
    wedges: Wedges
    weights: ProfitWeights
    cost: PerProduct
    shadow: PerProduct
    held: Array
    start: PerProduct
    sellers: Sellers | None = None


class SolvedMarket(eqx.Module):
    """A market at its prices: shares of potential buyers, mean margin a car (EUR), margin and taxes and surplus a potential buyer (EUR)."""

    price: PerProduct
    share: PerProduct
    margin: PerProduct
    worth: PerProduct
    to_government: Scalar
    surplus: Scalar
    residual: Scalar
    iterations: Array
    settled: Array


def clear(markets: YearMarket, options: PricingOptions, outside: bool) -> SolvedMarket:
    """All markets (arrays with a first axis M) in equilibrium, shadow costs given; with fleet rules see `keiretsu.outlook.fleet_clearing`."""
    return jax.lax.map(lambda m: solve_market(m, m.shadow, options, outside), markets)


def solve_market(m: YearMarket, shadow: PerProduct, options: PricingOptions, outside: bool) -> SolvedMarket:
    """One market with shadow costs given (EUR a car), which no reported margin contains."""
    price, residual, iterations, settled = prices(problem_of(m, shadow, outside), m.start, options)
    return at_prices(m, price, residual, iterations, settled, outside)


def problem_of(m: YearMarket, shadow: PerProduct, outside: bool) -> PriceProblem:
    """What the prices of a market depend on."""
    return PriceProblem(_tastes(m, outside), m.wedges, m.weights, m.cost + shadow, m.held, m.sellers)


def at_prices(m: YearMarket, price: PerProduct, residual: Scalar, iterations: Array, settled: Array, outside: bool) -> SolvedMarket:
    """Sales and accounts of a market at `price`."""
    money = paid(m.wedges, price)
    choice = choose(_tastes(m, outside), money)
    sold = choice.probability * m.weight
    share = sold.sum(axis=1)
    margin = unit_margin(m.wedges, price, m.cost)
    worth = (sold * margin).sum(axis=1)
    government = (sold * (money - margin - m.cost[:, None])).sum()
    surplus = (m.weight * choice.inclusive / m.alpha).sum()
    mean_margin = worth / jnp.where(share > 0, share, 1.0)
    return SolvedMarket(price, share, mean_margin, worth, government, surplus, residual, iterations, settled)


def _tastes(m: YearMarket, outside: bool) -> Tastes:
    return Tastes(m.delta, m.mu, m.alpha, m.weight, m.on_sale, m.nests, outside)
