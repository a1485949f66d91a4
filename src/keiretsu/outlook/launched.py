"""Launches of a storyline as arrays: when each slot is on sale, and where a launched car's utility and cost come from ([5b])."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from keiretsu.market.world import World
from keiretsu.outlook.roster import Roster, Storyline

NEVER = 1e9

Key = tuple[str, str]  # market, product


def launched_arrays(
    world: World, roster: Roster, story: Storyline, slot_of: Mapping[Key, int], size: int, spare: int, planned: Mapping[Key, tuple[float, float]]
) -> dict[str, np.ndarray]:
    """`from_year`, `to_year`, `leaves_with`, `launch`, `source`, `new_slot`, `new_map`, `new_add` and `new_gap` of a `Plan`.

    `world` is the base year's, `size` is J, `spare` the length that launched slots are padded to, `planned` as from
    `keiretsu.outlook.planned.planned_utilities`.
    """
    markets, n = list(roster.rows), size
    keys = [(str(m), str(p)) for m, p in zip(world.products["market"], world.products["product"], strict=True)]
    base_rows = [i for i, key in enumerate(keys) if key in slot_of]
    row_slot = np.array([slot_of[keys[i]] + n * markets.index(keys[i][0]) for i in base_rows], dtype=int)
    launch = np.full((len(markets), n), -1)
    leaves_with = launch.copy()
    from_year, to_year = np.full((len(markets), n), -NEVER), np.full((len(markets), n), NEVER)
    source = np.arange(len(markets) * n).reshape(len(markets), n)
    first = world.products["delta"].to_numpy(float)
    after = story.worlds[0].products
    delta_after = {(str(m), str(p)): float(d) for m, p, d in zip(after["market"], after["product"], after["delta"], strict=True)}
    slots: list[int] = []
    new_map = np.zeros((spare, len(markets) * n))
    adds: list[float] = []
    gaps: list[float] = []
    for (market, product), slot in slot_of.items():
        m = markets.index(market)
        if product in story.last_years:
            to_year[m, slot] = story.last_years[product]
        if product in story.replaced_by:
            successor = story.replaced_by[product]
            leaves_with[m, slot], to_year[m, slot] = roster.launched.index(successor), story.launch_years[successor]
        if (market, product) not in story.lineage:
            continue
        line = story.lineage[market, product]
        launch[m, slot] = roster.launched.index(product)
        from_year[m, slot] = story.launch_years[product]
        where = keys[line.source]
        source[m, slot] = slot_of[where] + n * markets.index(where[0])
        new_map[len(slots), row_slot] = line.weights[base_rows]
        slots.append(slot + n * m)
        over_like, by_sales = planned.get((market, product), (0.0, 0.0))
        gaps.append(by_sales - over_like)
        adds.append(delta_after[market, product] - float(line.weights @ first) + by_sales)
    used = len(slots)
    return {
        "from_year": from_year,
        "to_year": to_year,
        "leaves_with": leaves_with,
        "launch": launch,
        "source": source,
        "new_slot": np.array(slots + [len(markets) * n] * (spare - used), dtype=int),
        "new_map": new_map,
        "new_add": np.array(adds + [0.0] * (spare - used)),
        "new_gap": np.array(gaps + [0.0] * (spare - used)),
    }
