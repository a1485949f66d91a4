"""Small worlds whose taxes and incentives bend: a price ceiling that cars stand at or jump over, a capped percentage, a duty bracket, a pot of money."""

from __future__ import annotations

import datetime as dt

from keiretsu.market.policy.programmes import Duty, Incentive, PriceWindow, Programme, Scope
from keiretsu.market.world import World
from keiretsu.outlook.facts import steady_facts
from keiretsu.outlook.outlook import Outlook, build
from keiretsu.supply.pricing import PricingOptions
from tests.outlook.small import YEARS, small_world

BEFORE = dt.date(2023, 7, 1)  # the base year, without programmes


def scope(name: str, *markets: str, **more: object) -> Scope:
    """In force from 2024 on, for battery-electric cars."""
    return Scope(name, markets or ("north",), dt.date(2024, 1, 1), powertrains=("BEV",), **more)  # type: ignore[arg-type]


def ceiling(net_eur: float, flat_eur: float = 4_000.0, *markets: str) -> Incentive:
    """A bonus up to a price ceiling: a notch."""
    return Incentive(scope("ceiling", *markets), flat_eur=flat_eur, window=PriceWindow("net", at_most=net_eur))


def capped(share: float, cap_eur: float, *markets: str) -> Incentive:
    """A share of the gross price up to a cap: a kink."""
    return Incentive(scope("capped", *markets), share=share, cap_eur=cap_eur)


def bracket(over_eur: float, *markets: str) -> Duty:
    """A duty that jumps above a price, on the maker's side."""
    return Duty(scope("bracket", *markets), rate=0.1, value_share=0.5, over_eur=over_eur, rate_over=0.3)


def pot(budget_eur: float, *markets: str, name: str = "pot", flat_eur: float = 3_000.0) -> Incentive:
    """A bonus with a yearly budget."""
    return Incentive(scope(name, *markets), flat_eur=flat_eur, budget_eur=budget_eur)


def world_with(*programmes: Programme) -> World:
    """The small world under programmes that the base year did not have."""
    return small_world().replace(programmes=programmes, observed_on=BEFORE)


def outlook_with(*programmes: Programme) -> Outlook:
    """Its years ahead, nothing else moving."""
    world = world_with(*programmes)
    return build(world, {}, steady_facts(world, 2023, YEARS), PricingOptions())
