"""Small random markets for the tests of this folder, and their profits written out the slow way."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from keiretsu.demand.choice import choose
from keiretsu.demand.tastes import Nests, Tastes
from keiretsu.supply.first_order import PriceProblem
from keiretsu.supply.wedges import Wedges, paid, unit_margin
from keiretsu.supply.weights import ProfitWeights, seen_by_setters

LEVELS = ("none", "one", "two")


def random_problem(seed: int, *, products: int = 8, draws: int = 40, firms: int = 3, level: str = "none", wedges: str = "draws") -> PriceProblem:
    """A market with random tastes, asymmetric profit weights, split margins, fees and taxes (all draw-specific when asked)."""
    rng = np.random.default_rng(seed)
    alpha = 3e-4 * np.exp(0.3 * rng.standard_normal(draws))
    delta, mu = rng.normal(4.0, 1.0, products), 0.7 * rng.standard_normal((products, draws))
    weight = rng.dirichlet(np.full(draws, 5.0))
    utility, spread, money, part = map(jnp.asarray, (delta, mu, alpha, weight))
    tastes = Tastes(utility, spread, money, part, jnp.ones(products, bool), random_nests(rng, products, level))
    n = draws if wedges == "draws" else 1
    taxes = Wedges(
        jnp.asarray(1.19 - 0.05 * rng.random((products, n))),
        jnp.asarray(-3000.0 * rng.random((products, n))),
        jnp.asarray(1 - 0.1 * rng.random(products)),
        jnp.asarray(1000 * rng.normal(size=(products, n))),
    )
    if wedges == "none":
        taxes = Wedges(jnp.ones((products, 1)), jnp.zeros((products, 1)), jnp.ones(products), jnp.zeros((products, 1)))
    setter = np.arange(products) % firms
    kappa = np.eye(firms) + 0.5 * rng.random((firms, firms)) * (1 - np.eye(firms))
    split = 0.8 * (np.arange(firms)[:, None] == setter) + 0.2 * rng.dirichlet(np.ones(firms), products).T
    fee = 300 * rng.normal(size=(firms, products))
    weights = ProfitWeights(*map(jnp.asarray, (setter, kappa, split, fee - fee.mean(axis=0))))
    cost = jnp.asarray(rng.uniform(8_000, 20_000, products))
    return PriceProblem(tastes, taxes, weights, cost, jnp.zeros(products, bool))


def random_nests(rng: np.random.Generator, products: int, level: str) -> Nests | None:
    """No nests, two groups, or two groups of two subgroups."""
    if level == "none":
        return None
    if level == "one":
        sigma = jnp.asarray(rng.uniform(0.1, 0.7, 2))
        return Nests(jnp.asarray(rng.integers(0, 2, products)), jnp.arange(2), sigma, sigma)
    sigma_group = rng.uniform(0.1, 0.4, 2)
    sigma_sub = rng.uniform(0.45, 0.8, 4)
    return Nests(jnp.asarray(rng.integers(0, 4, products)), jnp.asarray([0, 0, 1, 1]), jnp.asarray(sigma_sub), jnp.asarray(sigma_group))


def objectives(problem: PriceProblem, price: jnp.ndarray) -> jnp.ndarray:
    """What each firm's price setter maximises, money a potential buyer, straight from its definition. (F,)"""
    probability = choose(problem.tastes, paid(problem.wedges, price)).probability
    margin = unit_margin(problem.wedges, price, problem.cost) * jnp.ones_like(probability)
    kept, fees = seen_by_setters(problem.weights)
    gain = jnp.einsum("fj,ji,ji->fi", kept, margin, probability) + fees @ probability
    return gain @ problem.tastes.weight


def start_of(problem: PriceProblem) -> jnp.ndarray:
    """A plain starting point: half above cost."""
    return 1.5 * problem.cost
