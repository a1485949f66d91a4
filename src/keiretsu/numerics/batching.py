"""Many markets at once: padded to one shape, solved in chunks that fit a stated memory, and cut to size again.

Every array of a market's record declares which axes run over products, draws and so on (a `layout`, the record's own structure with a tuple
of axis names for each array). Padding repeats the last entry along an axis (`padded`) or puts a stated number there (`filled`), so that what is
added are ordinary numbers and never NaN; the caller marks them as absent (products not on sale, draws of weight zero). `map_chunks` is the only
function that maps over markets; it cuts every result back to its market's own sizes, so a padded product cannot leak out.
"""

from __future__ import annotations

import math
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

ALIGNMENT = 64  # bytes


def one_by_one(solve: Solver) -> Solver:
    """Solve stacked records in sequence inside one compiled program: best on CPUs, where one market fills a core and its cache."""
    return lambda stacked: jax.lax.map(solve, stacked)


def side_by_side(solve: Solver) -> Solver:
    """Solve stacked records at the same time: best on GPUs; every market takes as many iterations as the slowest."""
    return jax.vmap(solve)


def sizes_of(records: Sequence[PyTree], layout: PyTree) -> Sizes:
    """Largest size of every named axis over some records."""
    sizes: dict[str, int] = {}
    for column, axes in _columns(records, layout):
        for name, lengths in zip(axes, zip(*(array.shape for array in column), strict=True), strict=True):
            sizes[name] = max(sizes.get(name, 0), *lengths)
    return sizes


def padded(record: Record, layout: PyTree, sizes: Sizes) -> Record:
    """`record` with every array stretched to `sizes` (NumPy arrays) by repeating its last entry along each axis."""
    return jax.tree.map(lambda leaf: leaf[0], stacked([record], layout, sizes))


def stacked(records: Sequence[Record], layout: PyTree, sizes: Sizes) -> Record:
    """Records stretched to `sizes` as `padded` does it and stacked along a new first axis, each array copied once."""
    leaves = [_stretched(column, tuple(sizes[name] for name in axes)) for column, axes in _columns(records, layout)]
    return jax.tree.unflatten(jax.tree.structure(records[0]), leaves)


def bytes_of_one(record: PyTree, layout: PyTree, sizes: Sizes) -> int:
    """Memory of one record stretched to `sizes`."""
    return sum(array.dtype.itemsize * math.prod(sizes[name] for name in axes) for array, axes in _arrays(record, layout))


def filled(values: Any, shape: tuple[int, ...], fill: float = 0.0) -> np.ndarray:
    """An array stretched to `shape` with `fill` in the new places; as many axes as `values` has, none of them longer than in `shape`."""
    array = np.asarray(values)
    out = np.full(shape, fill, array.dtype)
    out[tuple(slice(size) for size in array.shape)] = array
    return out


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


def stacked_as_they_are(records: Sequence[Record]) -> Record:
    """Records of one shape stacked along a new first axis."""
    return jax.tree.map(lambda *leaves: np.stack(leaves), *records)


def map_chunks(
    solve: Solver, records: Sequence[PyTree], chunk: int, stack: Callable[[Sequence[PyTree]], PyTree] = stacked_as_they_are
) -> list[PyTree]:
    """`solve` (compiled, taking records stacked along a new first axis) over chunks of equal length; results one by one, as NumPy arrays.

    The last chunk is filled by repeating its last record, so that one shape is compiled; those results are dropped.
    """
    results: list[PyTree] = []
    for first in range(0, len(records), chunk):
        part = list(records[first : first + chunk])
        filled = part + [part[-1]] * (min(chunk, len(records)) - len(part))
        leaves, structure = jax.tree.flatten(jax.device_get(solve(jax.device_put(stack(filled), may_alias=True))))
        results += [jax.tree.unflatten(structure, [leaf[i] for leaf in leaves]) for i in range(len(part))]
    return results


def _stretched(arrays: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    out = _aligned((len(arrays), *shape), arrays[0].dtype)
    for row, array in zip(out, arrays, strict=True):
        if array.shape == shape:
            row[...] = array
        else:
            row[tuple(slice(size) for size in array.shape)] = array
            for before in ((slice(None),) * axis for axis in range(array.ndim)):
                size = array.shape[len(before)]
                row[*before, slice(size, None)] = row[*before, slice(size - 1, size)]
    return out


def _aligned(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An empty array that begins where JAX on a CPU wants it, so that it is taken over without another copy."""
    size = math.prod(shape) * dtype.itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % ALIGNMENT
    return memory[first : first + size].view(dtype).reshape(shape)


def _columns(records: Sequence[PyTree], layout: PyTree) -> list[tuple[list[np.ndarray], Axes]]:
    """The same array of every record, with its axes."""
    axes = jax.tree.leaves(layout, is_leaf=_is_axes)
    return [
        ([np.asarray(array) for array in column], names) for column, names in zip(zip(*map(jax.tree.leaves, records), strict=True), axes, strict=True)
    ]


def _arrays(record: PyTree, layout: PyTree) -> list[tuple[Any, Axes]]:
    arrays = jax.tree.leaves(record)
    axes = jax.tree.leaves(layout, is_leaf=_is_axes)
    return list(zip(arrays, axes, strict=True))


def _is_axes(leaf: Any) -> bool:
    return isinstance(leaf, tuple) and all(isinstance(name, str) for name in leaf)
