"""Names for array shapes. J products of one market, I consumer draws, F firms, O owners, G groups of nests, K subgroups.

Arrays that are the same for every consumer may come as (J, 1); functions broadcast them.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from jaxtyping import Array, Bool, Float, Int

PerProduct: TypeAlias = Float[Array, " J"]
PerDraw: TypeAlias = Float[Array, " I"]
PerProductAndDraw: TypeAlias = Float[Array, "J I"]
BroadcastToDraws: TypeAlias = Float[Array, "J #I"]
ProductIndex: TypeAlias = Int[Array, " J"]
ProductMask: TypeAlias = Bool[Array, " J"]
FirmByFirm: TypeAlias = Float[Array, "F F"]
FirmByProduct: TypeAlias = Float[Array, "F J"]
ProductByProduct: TypeAlias = Float[Array, "J J"]
Scalar: TypeAlias = Float[Array, ""]

Vector: TypeAlias = Float[np.ndarray, " n"]
Matrix: TypeAlias = Float[np.ndarray, "n m"]
