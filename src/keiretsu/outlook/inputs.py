"""What may be uncertain about the years ahead: every input by name, what it moves, and the value at which it moves nothing.

A path is a function of these numbers and of a plan. Inputs that belong to one launch carry its product: ``date:renault_5`` shifts its date,
``happens:renault_5`` says whether it comes at all, ``appeal:renault_5`` is what people see in it beyond its characteristics ([5b]). ``event:NAME`` says
whether what the scenario of that name describes happens whatever is decided (`keiretsu.outlook.events`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from jaxtyping import Array, Float

Values: TypeAlias = dict[str, Float[Array, ""]]


@dataclass(frozen=True)
class Input:
    """An input of the years ahead: unit, what it moves, and the value at which it moves nothing."""

    unit: str
    moves: str
    neutral: float


CURRENCIES: Mapping[str, str] = {
    "JPY": "yen", "CNY": "yuan", "INR": "rupee", "KRW": "won", "GBP": "pound", "USD": "dollar", "SEK": "Swedish krona", "NOK": "Norwegian krone",
    "BRL": "real", "MXN": "Mexican peso", "CAD": "Canadian dollar", "AUD": "Australian dollar", "TRY": "Turkish lira", "THB": "baht", "ZAR": "rand",
    "IDR": "rupiah", "CHF": "Swiss franc", "DKK": "Danish krone", "PLN": "zloty", "CZK": "Czech koruna", "HUF": "forint",
}  # fmt: skip
"""Currencies other than the euro whose value may be uncertain."""

# fmt: off
INPUTS: Mapping[str, Input] = {
    "learning_rate": Input("share per doubling", "pack price falls by it for each doubling of cumulative battery output", 0.0),
    "raw_material_early": Input("log points", "pack price above its learning curve until 2029, of raw materials", 0.0),
    "raw_material_late": Input("log points", "the same from 2030", 0.0),
    "world_batteries": Input("share", "battery output of the rest of the world above its projection", 0.0),
    "rest_cost_trend": Input("share a year", "fall of everything in marginal cost that is not the battery", 0.0),
    "electric_cost_trend": Input("share a year", "further fall of the same for battery-electric cars: technology that improves", 0.0),
    "demand_growth": Input("share a year", "growth of potential buyers", 0.0),
    "scrappage_feedback": Input("share", "part of potential demand that moves with cars scrapped", 0.0),
    "life_years": Input("share", "lives of cars longer by this share", 0.0),
    "price_sensitivity": Input("multiple", "utils lost per euro, as a multiple of the calibrated ones", 1.0),
    "electric_spread": Input("multiple", "spread of the taste for electric cars, as a multiple of the calibrated one", 1.0),
    "electric_taste": Input("utils a year", "yearly rise of the taste for battery-electric cars at the start", 0.0),
    "electric_taste_kept": Input("share", "part of the yearly rise that is left a year later", 1.0),
    "charger_taste": Input("utils per log point", "taste for battery-electric cars by public chargers", 0.0),
    "charger_speed": Input("share a year", "part of the gap between chargers and what the fleet supports that is closed in a year", 0.0),
    "charger_power": Input("elasticity", "chargers that a fleet supports, by the size of the fleet", 1.0),
    "age_taste": Input("utils a year", "what a model loses for each year since its launch or renewal", 0.0),
    "incentives": Input("multiple", "purchase incentives paid, as a multiple of those planned", 1.0),
    "chinese_cost": Input("share", "cost of cars built in China above or below today's, subsidies and duties not planned among them", 0.0),
    **{f"fx_{code}": Input("share", f"value of the {name} above the case's rate", 0.0) for code, name in CURRENCIES.items()},
    "fixed_cost": Input("multiple", "fixed cost of companies; used by the valuation, moves no price", 1.0),
}
# fmt: on

# Values that an input can have: at least the first and below the second. Outside them a path has no meaning (a price that learns away 18-fold).
POSSIBLE: Mapping[str, tuple[float, float]] = {
    "learning_rate": (-1.0, 1.0),
    "world_batteries": (-1.0, float("inf")),
    "rest_cost_trend": (-1.0, 1.0),
    "electric_cost_trend": (-1.0, 1.0),
    "demand_growth": (-1.0, 1.0),
    "scrappage_feedback": (0.0, 1.0 + 1e-9),
    "life_years": (-1.0, float("inf")),
    "price_sensitivity": (1e-9, float("inf")),
    "electric_spread": (0.0, float("inf")),
    "electric_taste_kept": (0.0, 1.0 + 1e-9),
    "charger_speed": (0.0, 1.0 + 1e-9),
    "incentives": (0.0, float("inf")),
    "chinese_cost": (-1.0, float("inf")),
    "fixed_cost": (0.0, float("inf")),
} | {name: (-1.0, float("inf")) for name in INPUTS if name.startswith("fx_")}

LAUNCH_INPUTS: Mapping[str, Input] = {
    "date": Input("years", "launch later than planned by this", 0.0),
    "happens": Input("0 or 1", "whether the launch happens", 1.0),
    "appeal": Input("utils", "what people see in the car beyond its characteristics", 0.0),
}


EVENT = Input("0 or 1", "whether what a scenario describes happens, in the baseline and in every other scenario", 0.0)


def input_of(name: str) -> Input | None:
    """The input of that name, or None when there is none."""
    if name.startswith("event:"):
        return EVENT
    if ":" in name:
        return LAUNCH_INPUTS.get(name.split(":", 1)[0])
    return INPUTS.get(name)
