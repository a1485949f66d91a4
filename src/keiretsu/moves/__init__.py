"""Moves: what a scenario changes, one small class for each, and what the changes come to."""

from keiretsu.moves.arguments import Argument, argument_table
from keiretsu.moves.channels import ChannelSplit, channels
from keiretsu.moves.companies import JointVenture, Merger, Pact, Supply
from keiretsu.moves.comparison import Comparison, compare
from keiretsu.moves.cost_moves import BatteryPriceShock, CostShock, Partnership
from keiretsu.moves.filter import ProductFilter
from keiretsu.moves.holders import Listing, RegisterDate
from keiretsu.moves.move import CHANNELS, Move
from keiretsu.moves.price_moves import PriceCut
from keiretsu.moves.product_range import Entry, Launch, Twin
from keiretsu.moves.registry import MOVE_TYPES, moves_markdown
from keiretsu.moves.response import ResponseSplit, direct_and_response
from keiretsu.moves.scenario import Scenario, parse_move, parse_scenarios
from keiretsu.moves.stakes import StakePurchase, StakeSale
from keiretsu.moves.withdrawals import Withdrawal

__all__ = [
    "CHANNELS",
    "MOVE_TYPES",
    "Argument",
    "BatteryPriceShock",
    "ChannelSplit",
    "Comparison",
    "CostShock",
    "Entry",
    "JointVenture",
    "Launch",
    "Listing",
    "Merger",
    "Move",
    "Pact",
    "Partnership",
    "PriceCut",
    "ProductFilter",
    "RegisterDate",
    "ResponseSplit",
    "Scenario",
    "StakePurchase",
    "StakeSale",
    "Supply",
    "Twin",
    "Withdrawal",
    "argument_table",
    "channels",
    "compare",
    "direct_and_response",
    "moves_markdown",
    "parse_move",
    "parse_scenarios",
]
