"""Every type of move by the name that scenario files use, and the table of them for the docs."""

from __future__ import annotations

from collections.abc import Mapping

from keiretsu.moves.arguments import Argument, argument_table
from keiretsu.moves.companies import JointVenture, Merger, Pact, Supply
from keiretsu.moves.cost_moves import BatteryPriceShock, CostShock, Partnership
from keiretsu.moves.filter import FILTER_KEYS
from keiretsu.moves.holders import Listing, RegisterDate
from keiretsu.moves.move import CHANNELS, Move
from keiretsu.moves.policy_moves import CapProgramme, ChangeProgramme, ChargersInstead, CopyProgramme, EndProgramme, RunProgramme
from keiretsu.moves.pool_moves import AverageRule, EndRule, FormPool, JoinPool, LeavePool, RuleOfYear
from keiretsu.moves.price_moves import PriceCut
from keiretsu.moves.product_range import Entry, Launch, Twin
from keiretsu.moves.stakes import StakePurchase, StakeSale
from keiretsu.moves.withdrawals import Withdrawal

_TYPES: tuple[type[Move], ...] = (
    StakePurchase,
    StakeSale,
    Listing,
    RegisterDate,
    Merger,
    JointVenture,
    Pact,
    Supply,
    Partnership,
    CostShock,
    BatteryPriceShock,
    Launch,
    Twin,
    Withdrawal,
    PriceCut,
    Entry,
    RunProgramme,
    EndProgramme,
    ChangeProgramme,
    CapProgramme,
    CopyProgramme,
    ChargersInstead,
    JoinPool,
    LeavePool,
    FormPool,
    RuleOfYear,
    AverageRule,
    EndRule,
)

MOVE_TYPES: Mapping[str, type[Move]] = {of.type: of for of in _TYPES}


_INTRODUCTION = """# Scenarios and moves

A scenario is a file in the folder `scenarios` of a case: a title, the question it answers, and moves in the order in which they are made.

```toml
title = "A rival cuts prices"
question = "Who answers, who loses?"
extends = ["another_scenario"]   # optional: its moves come first

[[moves]]
type = "price_cut"
name = "Rival cuts prices"
products = {maker = "Rival", powertrain = "BEV"}
share = 0.10
```

A move changes what it says and nothing else. It holds from `start` up to, not including, `end`; one that does not hold on the case's date is left
out and the notes say so. Money is EUR at 2023 prices, prices are the maker's, net of tax; a share is a part of one, so that ten per cent is 0.1.
A price that is held (a cut, a launch with `price = "held"`) is held as it is in one year; over years it keeps its ratio to what the car costs to make.

Moves that contradict each other are refused before anything is solved, all of them at once: one price held at two levels, a launch of a product
that exists, a product withdrawn and changed, more of a company bought than is for sale, a firm that takes part after it was taken over, a buyer
taken over by what it buys, deals in another order than their dates, the same move twice.
"""


def moves_markdown() -> str:
    """The reference of all moves: what each does, its arguments with unit, default and meaning."""
    parts = [_INTRODUCTION, "## Arguments that every move takes", "", *_table(argument_table(Move)), "", "## Types of move", ""]
    for of in MOVE_TYPES.values():
        own = [a for a in argument_table(of) if a.name not in {shared.name for shared in argument_table(Move)}]
        parts += [f"### `{of.type}`", "", f"{of.summary[0].upper()}{of.summary[1:]}. Channel: {of.usual_channel}.", "", *_table(own), ""]
    parts += ["## Product filters", "", "Each key narrows the choice, several values of a key are alternatives.", ""]
    parts += ["| key | meaning |", "|---|---|", *(f"| `{key}` | {meaning} |" for key, (_, meaning) in FILTER_KEYS.items()), ""]
    parts += [
        "## Channels",
        "",
        "| channel | what acts through it |",
        "|---|---|",
        *(f"| `{name}` | {meaning} |" for name, meaning in CHANNELS.items()),
        "",
    ]
    return "\n".join(parts)


def _table(arguments: tuple[Argument, ...] | list[Argument]) -> list[str]:
    rows = [f"| `{a.name}` | {a.wanted} | {a.default} | {a.meaning} |" for a in arguments]
    return ["| argument | value | default | meaning |", "|---|---|---|---|", *rows]
