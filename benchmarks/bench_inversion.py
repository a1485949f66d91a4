"""How long inversions take, ours and PyBLP's, in processor time on one core, both warmed up; prints the ratios.

Run as ``python benchmarks/bench_inversion.py``. Both sides start from the same thing: characteristics, draws and parameters in
arrays; both compute the tastes of every draw, start cold (PyBLP from the logit delta, which is its own default) and stop at what
they call 1e-14 (PyBLP: change of delta) or 1e-12 (ours: log share; the last Newton step usually lands below 1e-14).

Lowest of several runs beside other work, 22 and 23 November 2026: 93 to 105 times PyBLP's speed on Nevo's markets (70 before total sales were made right in
every step), 22 to 30 on the cars (13 before); a first call of 2 s. On the cars, of 3.2 ms, tastes, exponentials and start take 0.9 ms, 8 evaluations
of shares 1.0 ms and 16 products of conjugate gradients 1.3 ms; 30 times PyBLP's speed would be 2.7 ms.
"""

# ruff: noqa: E402  (threads are pinned before anything numeric is imported)
from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"
os.environ["NPROC"] = "1"
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pyblp

sys.path[:0] = [str(Path(__file__).parents[1] / "src"), str(Path(__file__).parents[1])]
from tests.published import nevo

from keiretsu.demand.batch import Stacked
from keiretsu.demand.inversion import EXACT, invert_stacked, refuse_unsettled
from keiretsu.demand.tastes import Tastes

pyblp.options.verbose = False
ROUNDS, SECONDS = 5, 0.4  # both sides take turns, for the same time each


def padded(table: pd.DataFrame, columns: list[str], ids: list[object], rows: int) -> np.ndarray:
    """(M, rows, columns), zero beyond each market's own rows."""
    out = np.zeros((len(ids), rows, len(columns)))
    for m, (_, part) in enumerate(table.groupby("market_ids", sort=False)):
        out[m, : len(part)] = part[columns].to_numpy(float)
    return out


@jax.jit
def tastes_of_draws(x: jax.Array, demographics: jax.Array, nodes: jax.Array, sigma: jax.Array, pi: jax.Array) -> jax.Array:
    """mu (M, J, I), everything that differs among draws, price terms included."""
    return jnp.einsum("mjk,mik->mji", x, nodes @ sigma.T + demographics @ pi.T)


def best(functions: Sequence[Callable[[], object]]) -> list[tuple[float, float]]:
    """Shortest and median processor time in seconds of each function, warmed up, called for the same time as the others and in turns with them."""
    times: list[list[float]] = [[] for _ in functions]
    for function in functions:
        function()
    for _ in range(ROUNDS):
        for function, own in zip(functions, times, strict=True):
            spent = 0.0
            while spent < SECONDS:
                begin = time.process_time()
                function()
                own.append(time.process_time() - begin)
                spent += own[-1]
    return [(min(own), float(np.median(own))) for own in times]


def compare(
    name: str, results: object, products: pd.DataFrame, agents: pd.DataFrame, x_columns: list[str], d_columns: list[str], k_nodes: int, wanted: float
) -> None:
    ids = list(dict.fromkeys(products["market_ids"]))
    size = [int(n) for n in products.groupby("market_ids", sort=False).size()]
    rows = max(size)
    x = jnp.asarray(padded(products, x_columns, ids, rows))
    share = jnp.asarray(padded(products, ["shares"], ids, rows)[:, :, 0])
    people = [part for _, part in agents.groupby("market_ids", sort=False)]
    nodes = jnp.asarray(np.stack([p[[f"nodes{k}" for k in range(k_nodes)]].to_numpy() for p in people]))
    demographics = jnp.asarray(np.stack([p[d_columns].to_numpy() for p in people]))
    weight = jnp.asarray(np.stack([p["weights"].to_numpy() for p in people]))
    sigma, pi = jnp.asarray(results.sigma), jnp.asarray(results.pi)
    one = jnp.ones((len(ids), weight.shape[1]))
    nothing, unknown = jnp.zeros((len(ids), rows, 1)), jnp.zeros((len(ids), rows))
    available, labels = share > 0, [[str(j) for j in range(rows)] for _ in ids]

    def ours() -> jax.Array:
        mu = tastes_of_draws(x, demographics, nodes, sigma, pi)
        tastes = Tastes(unknown, mu, one, weight, available, None)
        solved = invert_stacked(share, Stacked(tastes, nothing, tuple(size)), EXACT)
        refuse_unsettled(solved, [str(i) for i in ids], labels, EXACT)
        return jax.block_until_ready(solved.delta)

    shares = products["shares"].to_numpy()
    outside = 1 - products.groupby("market_ids")["shares"].transform("sum").to_numpy()
    results._delta = (np.log(shares) - np.log(outside))[:, None]  # cold start, else PyBLP starts at the answer

    begin = time.process_time()
    ours()
    first = time.process_time() - begin
    (theirs_time, theirs_median), (our_time, our_median) = best([results.compute_delta, ours])
    delta = np.asarray(ours())
    flat = np.concatenate([delta[m, :n] for m, n in enumerate(size)])
    apart = np.abs(flat - results.compute_delta()[:, 0]).max()
    print(
        f"{name}: PyBLP {1e3 * theirs_time:.2f} ms, keiretsu {1e3 * our_time:.3f} ms, ratio {theirs_time / our_time:.0f} (medians {theirs_median / our_median:.0f}); promised {wanted:.0f}"
    )
    print(f"    largest difference of delta {apart:.1e}; first call with compilation {first:.2f} s, promised below 3 s")


def nevo_cereals() -> None:
    products, agents = nevo.tables()
    problem = pyblp.Problem(
        (pyblp.Formulation("0 + prices", absorb="C(product_ids)"), pyblp.Formulation("1 + prices + sugar + mushy")),
        products,
        pyblp.Formulation("0 + income + income_squared + age + child"),
        agents,
    )
    results = problem.solve(nevo.SIGMA, nevo.PI, beta=nevo.ALPHA, optimization=pyblp.Optimization("return"), method="1s", check_optimality="gradient")
    table = products.assign(constant=1.0)
    compare(
        "Nevo, 94 markets", results, table, agents, ["constant", "prices", "sugar", "mushy"], ["income", "income_squared", "age", "child"], 4, 100
    )


def blp_cars() -> None:
    """Twenty car markets at the estimates PyBLP's documentation starts from: price over income, five random tastes."""
    products, agents = pd.read_csv(pyblp.data.BLP_PRODUCTS_LOCATION), pd.read_csv(pyblp.data.BLP_AGENTS_LOCATION)
    agents = agents.assign(inverse_income=1 / agents["income"])
    problem = pyblp.Problem(
        (pyblp.Formulation("1 + hpwt + air + mpd + space"), pyblp.Formulation("1 + prices + hpwt + air + mpd + space")),
        products,
        pyblp.Formulation("0 + inverse_income"),
        agents,
    )
    sigma = np.diag([3.612, 0, 4.628, 1.818, 1.050, 2.056])
    pi = np.array([[0], [-43.501], [0], [0], [0], [0]], dtype=float)
    results = problem.solve(sigma, pi, optimization=pyblp.Optimization("return"), method="1s", check_optimality="gradient")
    table = products.assign(constant=1.0)
    wide = agents.rename(columns={"nodes4": "nodes5", "nodes3": "nodes4", "nodes2": "nodes3", "nodes1": "nodes2"}).assign(nodes1=0.0)
    compare("BLP, 20 car markets", results, table, wide, ["constant", "prices", "hpwt", "air", "mpd", "space"], ["inverse_income"], 6, 30)


if __name__ == "__main__":
    nevo_cereals()
    blp_cars()
