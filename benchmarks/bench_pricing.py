# ruff: noqa: E402  (threads are limited before the libraries that read the limit are imported)
"""Equilibrium prices against PyBLP, one thread each, both warmed up, in one run.

    PYTHONPATH=src python benchmarks/bench_pricing.py            every comparison
    PYTHONPATH=src python benchmarks/bench_pricing.py --quick    smaller ones, for a first look

Prints ratios, never asserts them. PyBLP: ``Simulation.replace_endogenous(compute_hessians=False)``, its own default iteration, which
solves the zeta map market by market with shares, prices, and what it needs to report them.
"""

from __future__ import annotations

import os

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false " + os.environ.get("XLA_FLAGS", "")
os.environ["NPROC"] = "1"
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pyblp
import threadpoolctl

from keiretsu.demand.tastes import Tastes
from keiretsu.supply import BatchOptions, PriceProblem, PricingOptions, equilibrium, no_wedges, one_firm_each, solve_many

pyblp.options.verbose = False
Result = TypeVar("Result")
PRICE_TASTE, PRICE_SPREAD = 2.5, 0.3  # per EUR 10,000


@dataclass(frozen=True)
class Markets:
    """Markets drawn for a comparison: one problem each, and the same as PyBLP data. Prices in EUR 10,000."""

    problems: list[PriceProblem]
    products: dict[str, np.ndarray]
    agents: dict[str, np.ndarray]


def draw_markets(count: int, products: int, draws: int, firms: int, seed: int) -> Markets:
    """Random-coefficients markets (constant, one characteristic, price) with an asymmetric kappa."""
    rng = np.random.default_rng(seed)
    problems, rows, agents, ownership = [], [], [], []
    for market in range(count):
        x, xi, cost = rng.uniform(0, 1, products), rng.normal(0, 0.5, products), rng.uniform(1.0, 3.0, products)
        nodes = rng.standard_normal((draws, 3))
        firm = np.sort(np.arange(products) % firms)
        kappa = np.eye(firms) + (rng.random((firms, firms)) < 0.3) * rng.uniform(0, 0.6, (firms, firms)) * (1 - np.eye(firms))
        delta = 1.0 + 2.0 * x + xi
        mu = 0.5 * nodes[:, 0] + x[:, None] * nodes[:, 1]
        alpha = PRICE_TASTE + PRICE_SPREAD * np.clip(nodes[:, 2], -4, 4)
        nodes[:, 2] = np.clip(nodes[:, 2], -4, 4)
        tastes = Tastes(*map(jnp.asarray, (delta, mu, alpha, np.full(draws, 1 / draws))), jnp.ones(products, bool), None)
        problems.append(PriceProblem(tastes, no_wedges(products), one_firm_each(firm, kappa), jnp.asarray(cost), jnp.zeros(products, bool)))
        rows.append(np.column_stack([np.full(products, market), firm, x, xi, cost]))
        agents.append(np.column_stack([np.full(draws, market), np.full(draws, 1 / draws), nodes]))
        ownership.append(kappa[np.ix_(firm, firm)])
    table, people = np.concatenate(rows), np.concatenate(agents)
    return Markets(
        problems,
        {
            "market_ids": table[:, 0].astype(int),
            "firm_ids": table[:, 1].astype(int),
            "x": table[:, 2],
            "xi": table[:, 3],
            "cost": table[:, 4],
            "ownership": np.concatenate(ownership),
        },
        {"market_ids": people[:, 0].astype(int), "weights": people[:, 1], "nodes": people[:, 2:]},
    )


def pyblp_solver(markets: Markets) -> Callable[[], tuple[np.ndarray, int]]:
    """A function that solves all markets with PyBLP and gives prices and zeta iterations."""
    data = markets.products
    simulation = pyblp.Simulation(
        product_formulations=(pyblp.Formulation("1 + prices + x"), pyblp.Formulation("1 + x + prices"), pyblp.Formulation("0 + x")),
        product_data={"market_ids": data["market_ids"], "firm_ids": data["firm_ids"], "x": data["x"], "ownership": data["ownership"]},
        agent_data=markets.agents,
        beta=[1.0, -PRICE_TASTE, 2.0],
        sigma=np.diag([0.5, 1.0, -PRICE_SPREAD]),
        gamma=[0.0],
        xi=data["xi"],
        omega=data["cost"],
    )

    def solve() -> tuple[np.ndarray, int]:
        results = simulation.replace_endogenous(costs=data["cost"], prices=data["cost"], compute_hessians=False)
        return results.product_data.prices[:, 0], int(results.fp_iterations.sum() if hasattr(results.fp_iterations, "sum") else 0)

    return solve


def best_of(work: Callable[[], Result], repeats: int) -> tuple[float, Result]:
    """Shortest wall time of several runs, after one to warm up, and what the last run gave."""
    result = work()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - begin)
    return min(times), result


def one_market(products: int, draws: int, repeats: int) -> None:
    """One market with random coefficients and an asymmetric kappa."""
    markets = draw_markets(1, products, draws, 10, 0)
    problem, solve = markets.problems[0], eqx.filter_jit(equilibrium)
    options = in_units(1e-4)
    begin = time.perf_counter()
    jax.block_until_ready(solve(problem, problem.cost, options))
    compiled = time.perf_counter() - begin
    ours, pricing = best_of(lambda: jax.block_until_ready(solve(problem, problem.cost, options)), 5 * repeats)
    theirs, (price, evaluations) = best_of(pyblp_solver(markets), repeats)
    exponential = jax.jit(jnp.exp)
    array = jnp.asarray(np.random.default_rng(0).normal(size=(products, draws)))
    exp_time, _ = best_of(lambda: jax.block_until_ready(exponential(array)), 20)
    iterations = int(pricing.iterations)
    print(
        f"one market {products} x {draws}: {theirs / ours:.1f} times faster than PyBLP ({1e3 * theirs:.1f} ms, {evaluations} iterations; ours {1e3 * ours:.2f} ms); promised 15, after 25"
    )
    print(
        f"  {iterations} iterations, {int(pricing.in_single)} of them in single precision; {ours / iterations / exp_time:.2f} times one exp each ({1e3 * exp_time:.3f} ms)"
        "; promised 8 iterations, 2 times"
    )
    print(
        f"  first call {compiled:.2f} s, promised below 3 s; residual {float(pricing.largest_residual):.1e}; largest relative difference in prices {np.abs(pricing.price / price - 1).max():.1e}"
    )


def many_markets(count: int, products: int, draws: int, repeats: int) -> None:
    """Many markets in one batch against PyBLP's loop over them."""
    markets = draw_markets(count, products, draws, 6, 0)
    options, batch, names = in_units(1e-4), BatchOptions(), [str(i) for i in range(count)]
    starts = [problem.cost for problem in markets.problems]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *markets.problems)
    compiled = eqx.filter_jit(lambda problems: jax.lax.map(lambda problem: equilibrium(problem, problem.cost, options), problems))
    solver, pricing = best_of(lambda: jax.block_until_ready(compiled(stacked)), repeats + 2)
    whole, results = best_of(lambda: solve_many(markets.problems, starts, options, batch, names), repeats)
    theirs, (price, _) = best_of(pyblp_solver(markets), repeats)
    difference = np.abs(np.concatenate([result.price for result in results]) / price - 1).max()
    print(
        f"{count} markets {products} x {draws}: {theirs / whole:.1f} times faster than PyBLP with checks, padding and copies in and out; promised 10, after 18"
    )
    print(f"  PyBLP {theirs:.2f} s, ours {whole:.3f} s; {theirs / solver:.1f} times for the compiled solver alone ({solver:.3f} s)")
    print(f"  median {int(np.median(pricing.iterations))} iterations; largest relative difference in prices {difference:.1e}")


def in_units(eur: float) -> PricingOptions:
    """The default tolerance, restated for prices in another unit of money."""
    default = PricingOptions()
    return dataclasses.replace(default, tolerance_eur=default.tolerance_eur * eur)


def main() -> None:
    """Run the comparisons and print them."""
    parser = argparse.ArgumentParser(description="Equilibrium prices against PyBLP.")
    parser.add_argument("--quick", action="store_true", help="smaller markets, fewer repeats")
    quick = parser.parse_args().quick
    with threadpoolctl.threadpool_limits(1):
        one_market(*((100, 500) if quick else (300, 2000)), repeats=2 if quick else 4)
        many_markets(16 if quick else 256, 100, 500, repeats=1 if quick else 2)


if __name__ == "__main__":
    main()
