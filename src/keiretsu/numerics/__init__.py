"""Mathematics with no cars in it. Importing it switches JAX to 64-bit floats, which every certified number needs."""

import jax

jax.config.update("jax_enable_x64", True)
