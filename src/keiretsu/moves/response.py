"""How much of a change is the movers' own and how much is the rivals' answer to it.

A second equilibrium is found in the scenario's world with the rivals' prices held where they were in the baseline. What it changes is
the direct effect; what is left is the rivals' price response. The two add up to the change. It stands apart from the split into channels:
that one asks which *moves* did it, this one asks which *prices* did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.errors import MoveError, Problem
from keiretsu.market.outcome import Outcome
from keiretsu.market.world import World
from keiretsu.moves.channels import Solve
from keiretsu.moves.reported import reported


@dataclass(frozen=True)
class ResponseSplit:
    """``table``: measure, item, unit, base, scenario, change, direct, rivals_response; the last two add up to `change`."""

    own: tuple[str, ...]
    table: pd.DataFrame


def direct_and_response(base: Outcome, other: Outcome, own: Sequence[str], solve: Solve) -> ResponseSplit:
    """Split a change into what the movers do at their rivals' old prices and what the rivals' new prices add.

    Parameters
    ----------
    base, other
        Baseline and scenario in equilibrium.
    own
        Companies whose prices are their own affair; all other prices of the baseline are the rivals'. What a rival newly launches has no
        price in the baseline and finds one.
    solve
        ``World -> Outcome``.

    Raises
    ------
    MoveError
        When a company of `own` sets no price.
    """
    known = sorted(set(other.world.products["priced_by"].astype(str)))
    unknown = [name for name in own if name not in known]
    if unknown or not own:
        seen = ", ".join(unknown) or "nobody"
        raise MoveError(Problem("a mover that sets no price", "direct and response", seen, f"one of {', '.join(known)}"))
    held = solve(rivals_held(base, other.world, own))
    tables = [reported(outcome) for outcome in (base, held, other)]
    items = list(dict.fromkeys(key for table in tables for key in table))
    before, direct, after = (np.array([table.get(key, 0.0) for key in items]) for table in tables)
    table = pd.DataFrame(items, columns=["measure", "item", "unit"])
    return ResponseSplit(
        tuple(own),
        table.assign(base=before, scenario=after, change=after - before, direct=direct - before, rivals_response=after - direct),
    )


def rivals_held(base: Outcome, world: World, own: Sequence[str]) -> World:
    """The world with every price of a rival held at the baseline's equilibrium."""
    products = world.products
    solved = base.products.set_index(["market", "product"])["price_eur"]
    rows = pd.MultiIndex.from_frame(products[["market", "product"]])
    was_there = rows.isin(solved.index)
    rival = ~np.isin(products["priced_by"].to_numpy(str), list(own)) & was_there & ~products["held"].to_numpy(bool)
    price = np.where(rival, np.asarray(solved.reindex(rows), dtype=float), products["price_eur"].to_numpy(float))
    return world.replace(
        name=f"{world.name} (rivals' prices held)",
        products=products.assign(price_eur=price, held=products["held"].to_numpy(bool) | rival),
    )
