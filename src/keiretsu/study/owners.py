"""Ownership of one world as tables, for `keiretsu owners` and the report."""

from __future__ import annotations

from keiretsu.market.world import World
from keiretsu.ownership.tables import control_table, direct_stakes, kappa_table, look_through_stakes
from keiretsu.study.results import OwnersTables


def owners_tables(world: World) -> OwnersTables:
    """Direct and look-through stakes, control and profit weights on the world's date under its rule ([1], [2])."""
    holdings = world.register.as_of(world.date)
    return OwnersTables(
        direct=direct_stakes(world.register, world.date),
        look_through=look_through_stakes(holdings),
        control=control_table(holdings),
        kappa=kappa_table(holdings, world.rule, world.firms()),
    )
