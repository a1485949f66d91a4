"""What one market's buyers choose at given prices, as NumPy arrays, for everything that is looked at outside compiled code."""

from __future__ import annotations

import jax
import numpy as np

from keiretsu.demand.choice import Choice, choose_now
from keiretsu.demand.tastes import Tastes
from keiretsu.numerics.host import host
from keiretsu.supply.wedges import Wedges, paid
from keiretsu.typing import PerProduct


def choice_now(tastes: Tastes, wedges: Wedges, price: PerProduct | np.ndarray) -> Choice:
    """Choice probabilities at `price` (J,), EUR. Arrays of the result are NumPy's and not to be written to."""
    return choose_now(tastes, paid(jax.tree.map(np.asarray, wedges), host(price)))
