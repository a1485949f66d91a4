"""Choice probabilities worked out with and without compiled code."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from keiretsu.demand.choice import choose, choose_now

from .worlds import STRUCTURES, random_world


@pytest.mark.parametrize("outside", [True, False])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_buyers_choose_the_same_in_numpy_as_in_compiled_code(structure: str, outside: bool):
    tastes, paid = random_world(3, structure, outside=outside)
    empty = tastes.nests.group[0] if tastes.nests else -1
    for out in (tastes.available, tastes.available & ~(jnp.arange(6) % 2 == empty)):  # and with a whole nest off sale
        some = eqx.tree_at(lambda t: t.available, tastes, out)
        found, compiled = choose_now(some, paid), eqx.filter_jit(choose)(some, paid)
        assert not any(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(found))
        for name in ("probability", "in_sub", "in_group", "outside", "inclusive"):
            if getattr(found, name) is None:
                assert getattr(compiled, name) is None
            else:  # sums of six numbers, exponentials to a unit in the last place
                np.testing.assert_allclose(getattr(found, name), getattr(compiled, name), rtol=1e-13, atol=1e-15)
