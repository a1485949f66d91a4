"""Random demand systems for tests: any seed gives a well-formed one."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from keiretsu.demand import choice
from keiretsu.demand.tastes import Nests, Tastes, nests

shares = eqx.filter_jit(choice.shares)
STRUCTURES = ("plain", "one level", "two levels")


def random_nests(rng: np.random.Generator, n: int, structure: str) -> Nests | None:
    if structure == "plain":
        return None
    # Labels do not depend on the seed, so that all worlds of one structure share their compiled functions.
    group = [f"g{j % 2}" for j in range(n)]
    sub = [f"{g}{j % 3}" for j, g in enumerate(group)]
    if structure == "one level":
        return nests(group, float(rng.uniform(0, 0.9)))
    low = {g: float(rng.uniform(0, 0.5)) for g in sorted(set(group))}
    return nests(group, low, sub, {s: float(rng.uniform(0.5, 0.9)) for s in sorted(set(sub))})


def random_world(
    seed: int, structure: str = "plain", n: int = 6, draws: int = 30, spread: float = 1.0, outside: bool = True
) -> tuple[Tastes, jnp.ndarray]:
    """Tastes and what buyers pay, with one product off sale where there are more than three."""
    rng = np.random.default_rng(seed)
    weight = rng.uniform(0.5, 1.5, draws)
    available = np.ones(n, bool)
    if n > 3:
        available[rng.integers(n)] = False
    tastes = Tastes(
        delta=jnp.where(jnp.asarray(available), jnp.asarray(rng.normal(0, 1, n)), 0.0),
        mu=jnp.asarray(spread * rng.normal(0, 1, (n, draws))) if draws > 1 else jnp.zeros((n, 1)),
        alpha=jnp.asarray(np.exp(spread * 0.3 * rng.normal(0, 1, draws))),
        weight=jnp.asarray(weight / weight.sum()),
        available=jnp.asarray(available),
        nests=random_nests(rng, n, structure),
        outside=outside,
    )
    return tastes, jnp.asarray(rng.uniform(0.5, 3, (n, 1)))
