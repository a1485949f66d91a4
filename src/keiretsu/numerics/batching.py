"""Many markets at once: padded to one shape, solved in chunks that fit a stated memory, and cut to size again.

Every array of a market's record declares which axes run over products, draws and so on (a `layout`, the record's own structure with a tuple
of axis names for each array). Padding repeats the last entry along an axis, so that what is added are ordinary numbers and never NaN;
the caller marks them as absent (products not on sale, draws of weight zero). `map_chunks` is the only function that maps over
markets; it cuts every result back to its market's own sizes, so a padded product cannot leak out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import jax
import numpy as np
from jaxtyping import PyTree

from keiretsu.errors import InputError, Problem

Record = TypeVar("Record")
Axes = tuple[str, ...]
Sizes = Mapping[str, int]
Solver = Callable[[PyTree], PyTree]


def one_by_one(solve: Solver) -> Solver:
    """Solve stacked records in sequence inside one compiled program: best on CPUs, where one market fills a core and its cache."""
    return lambda stacked: jax.lax.map(solve, stacked)


def side_by_side(solve: Solver) -> Solver:
    """Solve stacked records at the same time: best on GPUs; every market takes as many iterations as the slowest."""
    return jax.vmap(solve)


def sizes_of(records: Sequence[PyTree], layout: PyTree) -> Sizes:
    """Largest size of every named axis over some records."""
    sizes: dict[str, int] = {}
    for record in records:
        for array, axes in _arrays(record, layout):
            for name, size in zip(axes, array.shape, strict=True):
                sizes[name] = max(sizes.get(name, 0), size)
    return sizes


def padded(record: Record, layout: PyTree, sizes: Sizes) -> Record:
    """`record` with every array stretched to `sizes` (NumPy arrays) by repeating its last entry along each axis."""

    def stretch(array: Any, axes: Axes) -> np.ndarray:
        width = [(0, sizes[name] - size) for name, size in zip(axes, np.shape(array), strict=True)]
        return np.pad(np.asarray(array), width, mode="edge") if any(after for _, after in width) else np.asarray(array)

    leaves = [stretch(array, axes) for array, axes in _arrays(record, layout)]
    return jax.tree.unflatten(jax.tree.structure(record), leaves)


def cut(record: Record, layout: PyTree, sizes: Sizes) -> Record:
    """`record` without the padding: every array cut to `sizes`."""
    leaves = [array[tuple(slice(sizes[name]) for name in axes)] for array, axes in _arrays(record, layout)]
    return jax.tree.unflatten(jax.tree.structure(record), leaves)


def chunk_length(count: int, bytes_each: int, budget_bytes: int) -> int:
    """How many markets fit into the budget at once.

    Raises
    ------
    InputError
        When not even one does.
    """
    if bytes_each > budget_bytes:
        seen, wanted = f"{bytes_each / 2**20:,.0f} MiB", f"at most {budget_bytes / 2**20:,.0f} MiB"
        raise InputError(
            Problem("one market does not fit into the memory budget", "batch of markets", seen, wanted, "raise the budget or use fewer draws")
        )
    return min(count, budget_bytes // bytes_each)


def map_chunks(solve: Solver, records: Sequence[PyTree], chunk: int) -> list[PyTree]:
    """`solve` (compiled, taking records stacked along a new first axis) over chunks of equal length; results one by one, as NumPy arrays.

    The last chunk is filled by repeating its last record, so that one shape is compiled; those results are dropped.
    """
    results: list[PyTree] = []
    for first in range(0, len(records), chunk):
        part = list(records[first : first + chunk])
        filled = part + [part[-1]] * (min(chunk, len(records)) - len(part))
        solved = jax.device_get(solve(jax.tree.map(lambda *leaves: np.stack(leaves), *filled)))
        results += [jax.tree.map(lambda leaf, i=i: leaf[i], solved) for i in range(len(part))]
    return results


def _arrays(record: PyTree, layout: PyTree) -> list[tuple[Any, Axes]]:
    arrays = jax.tree.leaves(record)
    axes = jax.tree.leaves(layout, is_leaf=_is_axes)
    return list(zip(arrays, axes, strict=True))


def _is_axes(leaf: Any) -> bool:
    return isinstance(leaf, tuple) and all(isinstance(name, str) for name in leaf)
