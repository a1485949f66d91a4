"""Arrays that stay in NumPy until compiled code takes them.

Records of one market are put together on the host from many small arrays. Each operation of JAX outside compiled code is compiled by itself, and
costs a hundred times what NumPy's costs; compiled functions take NumPy arrays as they are. Types say what compiled code sees.
"""

from __future__ import annotations

from types import ModuleType
from typing import cast

import jax
import numpy as np
from jaxtyping import Array


def host(values: object, dtype: type | None = None) -> Array:
    """`values` as a NumPy array, under the type that records of arrays are declared with."""
    return cast(Array, np.asarray(values, dtype=dtype))


def module_of(*arrays: object) -> ModuleType:
    """The module whose functions take these arrays: `jax.numpy` when one of them is JAX's (inside compiled code all are), else `numpy`."""
    return jax.numpy if any(isinstance(array, jax.Array) for array in arrays) else np
