"""Column names as a reader says them: a label, a unit, and how many digits are worth showing.

Tables of the program carry units in their column names (`surplus_change_eur`); a board reads "Change in buyers' surplus, EUR m". One
place translates, for the page, the terminal, the spreadsheet and LaTeX alike. A column that is not listed is read by its suffix and
never shown raw.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

Kind = Literal["text", "number"]
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Label:
    """How a column is shown.

    Attributes
    ----------
    text, unit
        "Price change" and "%"; an empty unit is a count, a ratio or words.
    digits
        Digits after the point.
    scale
        What values are multiplied by before they are shown (100 for shares shown in per cent, 1e-6 for EUR shown in EUR m).
    signed
        Whether a plus sign is shown: for changes.
    """

    text: str
    unit: str = ""
    kind: Kind = "number"
    digits: int = 0
    scale: float = 1.0
    signed: bool = False

    def heading(self) -> str:
        """Label and unit in one line."""
        return f"{self.text}, {self.unit}" if self.unit else self.text

    def show(self, value: object) -> str:
        """The value as a reader sees it, without its unit; a change of nothing into something is "new"."""
        if value is None or value != value:
            return "not known"
        if self.kind == "text" or isinstance(value, str):
            return str(value)
        if value in (math.inf, -math.inf):
            return "new" if value == math.inf else "gone"
        number = float(value) * self.scale  # type: ignore[arg-type]
        text = f"{abs(number):,.{self.digits}f}"
        is_zero = not any(digit in "123456789" for digit in text)
        sign = "" if is_zero else (MINUS if number < 0 else "+" if self.signed else "")
        return sign + text


# suffix: (unit, digits, scale). Longer suffixes first.
_SUFFIXES: tuple[tuple[str, tuple[str, int, float]], ...] = (
    ("_eur_per_buyer", ("EUR per buyer", 0, 1.0)),
    ("_eur_bn", ("EUR bn", 2, 1.0)),
    ("_eur_m", ("EUR m", 1, 1.0)),
    ("_points", ("points", 2, 1.0)),
    ("_percentage_points", ("percentage points", 2, 1.0)),
    ("_g_km", ("g CO2/km", 1, 1.0)),
    ("_gkm", ("g CO2/km", 0, 1.0)),
    ("_pct", ("%", 2, 1.0)),
    ("_percent", ("%", 2, 1.0)),
    ("_pp", ("percentage points", 2, 1.0)),
    ("_eur", ("EUR", 0, 1.0)),
    ("_kwh", ("kWh", 1, 1.0)),
    ("_km", ("km", 0, 1.0)),
    ("_kw", ("kW", 0, 1.0)),
    ("_kg", ("kg", 0, 1.0)),
    ("_cars", ("cars a year", 0, 1.0)),
    ("_units", ("cars a year", 0, 1.0)),
    ("_share", ("%", 1, 100.0)),
    ("_t", ("t CO2", 0, 1.0)),
)

_SIDES = (("_base", "before"), ("_scenario", "after"), ("_change_percent", "change"), ("_change", "change"))

_WORDS: dict[str, Label] = {
    "scenario": Label("Scenario", kind="text"),
    "market": Label("Market", kind="text"),
    "product": Label("Car", kind="text"),
    "brand": Label("Brand", kind="text"),
    "model": Label("Model", kind="text"),
    "powertrain": Label("Powertrain", kind="text"),
    "segment": Label("Segment", kind="text"),
    "body": Label("Body", kind="text"),
    "origin": Label("Built in", kind="text"),
    "firm": Label("Maker", kind="text"),
    "maker": Label("Maker", kind="text"),
    "owner": Label("Owner", kind="text"),
    "holder": Label("Holder", kind="text"),
    "company": Label("Company", kind="text"),
    "controller": Label("Controlled by", kind="text"),
    "controlled_by": Label("Controlled by", kind="text"),
    "kind": Label("Kind", kind="text"),
    "group": Label("Buyers", kind="text"),
    "priced_by": Label("Priced by", kind="text"),
    "profit_to": Label("Margin goes to", kind="text"),
    "made_by": Label("Built by", kind="text"),
    "rule": Label("Ownership rule", kind="text"),
    "channel": Label("Channel", kind="text"),
    "measure": Label("Measure", kind="text"),
    "status": Label("Status", kind="text"),
    "source": Label("Source", kind="text"),
    "sources": Label("Sources", kind="text"),
    "confidence": Label("Confidence", kind="text"),
    "note": Label("Note", kind="text"),
    "unit": Label("Unit", kind="text"),
    "target": Label("Target", kind="text"),
    "id": Label("Id", kind="text"),
    "of": Label("Of", kind="text"),
    "pair": Label("Pair", kind="text"),
    "n_models": Label("Models it stands for"),
    "seats": Label("Seats"),
    "units": Label("Sales", "cars a year"),
    "electric_units": Label("Electric cars sold", "cars a year"),
    "units_change": Label("Change in sales", "cars a year", signed=True),
    "share": Label("Share of possible buyers", "%", digits=3, scale=100),
    "share_sold": Label("Possible buyers who buy", "%", digits=1, scale=100),
    "electric_share": Label("Electric share of sales", "%", digits=2, scale=100),
    "stake": Label("Stake", "%", digits=2, scale=100),
    "cash_flow": Label("Share of profit", "%", digits=2, scale=100),
    "votes": Label("Votes that can be cast", "%", digits=2, scale=100),
    "potential": Label("Possible buyers", "a year"),
    "buyers": Label("Buyers", "a year"),
    "price_eur": Label("Maker's net price", "EUR"),
    "paid_eur": Label("Buyer pays", "EUR"),
    "mean_paid_eur": Label("Mean price paid", "EUR"),
    "mean_price_eur": Label("Mean net price", "EUR"),
    "cost_eur": Label("Marginal cost", "EUR"),
    "margin_eur": Label("Margin", "EUR a car"),
    "revenue_eur": Label("Revenue", "EUR m a year", digits=1, scale=1e-6),
    "profit_eur": Label("Operating profit", "EUR m a year", digits=1, scale=1e-6),
    "claim_eur": Label("Owner's claim", "EUR m a year", digits=2, scale=1e-6),
    "value_eur": Label("Look-through value", "EUR m a year", digits=1, scale=1e-6),
    "surplus_eur": Label("Buyers' surplus", "EUR m a year", digits=1, scale=1e-6),
    "government_eur": Label("Government's net take", "EUR m a year", digits=1, scale=1e-6),
    "co2_t": Label("CO2 over 200,000 km a car", "t"),
    "co2_g_km": Label("CO2 of cars sold", "g/km", digits=1),
    "co2_gkm": Label("CO2", "g/km"),
    "residual_eur": Label("Largest first-order residual", "EUR", digits=10),
    "iterations": Label("Iterations"),
    "starts_tried": Label("Starting points tried"),
    "starts": Label("Starting points tried"),
    "distinct_ends": Label("Distinct ends"),
    "value": Label("Target", digits=3),
    "fitted": Label("Fitted", digits=3),
    "low": Label("Low", digits=3),
    "high": Label("High", digits=3),
    "weight": Label("Weight", digits=2),
    "change": Label("Change", digits=3, signed=True),
    "hhi": Label("HHI", "points"),
    "mhhi": Label("MHHI", "points"),
    "mhhi_delta": Label("MHHI less HHI", "points"),
    "delta": Label("Mean utility at no price", "utils", digits=3),
    "guppi": Label("GUPPI", "% of price", digits=2, scale=100),
    "largest_guppi": Label("Largest GUPPI of a car", "% of price", digits=2, scale=100),
    "upp_eur": Label("UPP without savings", "EUR a car"),
    "cmcr": Label("Cost reduction that compensates", "% of cost", digits=2, scale=100),
    "programme": Label("Programme", kind="text"),
    "battery_kwh": Label("Battery", "kWh", digits=1),
    "range_km": Label("Range", "km"),
    "power_kw": Label("Power", "kW"),
    "mass_kg": Label("Mass", "kg"),
    "mean_price_change_pct": Label("Mean price change", "%", digits=2, signed=True),
    "price_change_pct": Label("Mean price change", "%", digits=2, signed=True),
    "electric_share_pct": Label("Electric share", "%", digits=2),
    "electric_share_change_pp": Label("Electric share", "percentage points", digits=2, signed=True),
}

_WORDS |= {
    "price_change_percent": Label("Price change", "%", digits=2, signed=True),
    "paid_change_percent": Label("Change in what buyers pay", "%", digits=2, signed=True),
    "products": Label("Cars compared"),
    "base_units_covered_share": Label("Sales before that they stand for", "%", digits=1, scale=100),
    "item": Label("Of", kind="text"),
    "base": Label("Before", digits=2),
    "level": Label("By", kind="text"),
    "name": Label("Name", kind="text"),
    "reason": Label("Reason", kind="text"),
    "price": Label("Price as stated", "own currency"),
    "price_currency": Label("Currency", kind="text"),
    "price_basis": Label("Price basis", kind="text"),
    "tax_in_price": Label("Taxes in the price", "%", digits=1, scale=100),
    "price_filled": Label("Price filled by", kind="text"),
    "vat": Label("VAT", "%", digits=1, scale=100),
    "private_share": Label("Private buyers", "%", digits=0, scale=100),
    "outside_share": Label("Possible buyers who buy nothing", "%", digits=1, scale=100),
    "income_eur": Label("Household income", "EUR a year"),
    "median_income_eur": Label("Median household income", "EUR a year"),
    "households_per_buyer": Label("Households for one possible buyer", digits=2),
    "from": Label("From", kind="text"),
    "to": Label("Until", kind="text"),
    "title": Label("Title", kind="text"),
    "publisher": Label("Publisher", kind="text"),
    "date": Label("Date", kind="text"),
    "address": Label("Address", kind="text"),
    "amount": Label("Amount", "currency stated", digits=0),
    "probability": Label("Probability", "%", digits=0, scale=100),
    "stake_before": Label("Stake before", "%", digits=1, scale=100),
    "stake_after": Label("Stake after", "%", digits=1, scale=100),
    "basis": Label("Shares of", kind="text"),
    "hhi_points": Label("HHI", "points"),
    "mhhi_points": Label("MHHI", "points"),
    "mhhi_delta_points": Label("MHHI less HHI", "points", digits=1),
    "direct": Label("Direct", "%", digits=2, scale=100),
    "look_through": Label("Look-through", "%", digits=2, scale=100),
    "votes_cast_share": Label("Of votes that can be cast", "%", digits=2, scale=100),
    "adds_up": Label("Adds up to 100 %", kind="text"),
    "chain": Label("Chain", kind="text"),
    "largest_distance_eur": Label("Largest distance between ends", "EUR", digits=8),
    "settled": Label("Settled"),
    "prices_of": Label("Prices of", kind="text"),
    "profit_of": Label("Profit of", kind="text"),
    "before": Label("Before", kind="text"),
    "after": Label("After", kind="text"),
    "share_before": Label("Before", "%", digits=2, scale=100),
    "share_after": Label("After", "%", digits=2, scale=100),
    "share_change": Label("Change", "% points", digits=2, scale=100, signed=True),
    "weight_before": Label("Before", "EUR per EUR of its own", digits=3),
    "weight_after": Label("After", "EUR per EUR of its own", digits=3),
    "weight_change": Label("Change", "EUR per EUR of its own", digits=3, signed=True),
    "row": Label("File and line", kind="text"),
}

_WORDS |= {
    "programmes": Label("Programmes", kind="text"),
    "markets": Label("Markets", kind="text"),
    "cars": Label("Cars it touches", "cars a year"),
    "per_car_eur": Label("Government's take per car touched", "EUR", signed=True),
    "take_a_car_eur": Label("Government's take a car sold", "EUR", signed=True),
    "cars_touched_share": Label("Cars it touches", "%", digits=0, scale=100),
    "terms": Label("Terms", kind="text"),
    "covers": Label("For", kind="text"),
    "until": Label("Until", kind="text"),
    "makers_in_set": Label("Makers"),
    "products_in_set": Label("Products"),
    "rise_percent": Label("Rise tested", "%", digits=1),
    "uniform_rise_pays": Label("A uniform rise pays", kind="text"),
    "uniform_profit_change_eur": Label("Profit of the set after it", "EUR m a year", digits=1, scale=1e-6, signed=True),
    "mean_best_rise_percent": Label("Best rise, mean", "%", digits=1, signed=True),
    "largest_best_rise_percent": Label("Best rise, largest", "%", digits=1, signed=True),
    "critical_loss_percent": Label("Critical loss", "% of sales", digits=1),
    "is_market": Label("A market", kind="text"),
    "reading": Label("Read as", kind="text"),
    "also": Label("Also acts through", kind="text"),
    "electric_with_cars": Label("Electric sales with it", "cars a year"),
    "electric_sales_gained_cars": Label("Electric cars it adds", "cars a year", signed=True),
    "electric_lost_without_percent": Label("That is, of electric sales with it", "%", digits=1, signed=True),
    "gross_spending_eur": Label("Paid out", "EUR m a year", digits=1, scale=1e-6),
    "net_cost_eur": Label("Cost to the public, all taxes counted", "EUR m a year", digits=1, scale=1e-6),
    "eur_per_extra_electric_car": Label("Paid out per electric car added", "EUR"),
    "net_eur_per_extra_electric_car": Label("Net cost per electric car added", "EUR"),
    "reaches_buyers_percent": Label("Reaches buyers (duty: borne by them)", "%", digits=0),
    "inframarginal_percent": Label("Went to buyers who would have bought anyway", "%", digits=0),
    "tonnes_avoided_t": Label("CO2 avoided over the cars' lives", "t"),
    "tonnes_per_1000_eur": Label("CO2 avoided per thousand of net cost", "t", digits=2),
    "surplus_gained_eur": Label("Buyers' surplus gained", "EUR m a year", digits=1, scale=1e-6, signed=True),
    "maker_gains_most": Label("Maker that gains most", kind="text"),
    "maker_gains_most_eur": Label("it gains", "EUR m a year", digits=1, scale=1e-6, signed=True),
    "maker_loses_most": Label("Maker that loses most", kind="text"),
    "maker_loses_most_eur": Label("it loses", "EUR m a year", digits=1, scale=1e-6, signed=True),
    "owner_gains_most": Label("Owner that gains most", kind="text"),
    "owner_gains_most_eur": Label("it gains", "EUR m a year", digits=1, scale=1e-6, signed=True),
    "not_measured": Label("Not measured, because", kind="text"),
    "within_range": Label("Within", kind="text"),
    "breakpoint": Label("Threshold", kind="text"),
    "push_below_eur": Label("Gain from a higher price, below", "EUR a car"),
    "push_above_eur": Label("The same, above", "EUR a car"),
    "attained": Label("Threshold itself still counts", kind="text"),
    "pool": Label("Pool", kind="text"),
    "makers": Label("Makers", kind="text"),
    "shadow_price_eur": Label("Shadow price", "EUR per gram and car, or missing car", digits=2),
    "fine_ceiling_eur": Label("Fine", "EUR per gram and car, or missing car"),
    "balance": Label("Balance (below zero: room to spare)", "g/km times cars, or cars missing"),
    "pool_balance": Label("Balance of the pool", "g/km times cars, or cars missing"),
    "evaluations": Label("Times solved"),
    "pays_eur": Label("Pays", "EUR m a year", digits=2, scale=1e-6, signed=True),
    "pool_fine_eur": Label("Fine of the pool", "EUR m a year", digits=2, scale=1e-6),
    "operating_profit_eur": Label("Operating profit after payments", "EUR m a year", digits=1, scale=1e-6),
    "of_which_payments_eur": Label("of which payments", "EUR m a year", digits=1, scale=1e-6, signed=True),
    "than_alone_eur": Label("More than in the reference", "EUR m a year", digits=1, scale=1e-6, signed=True),
    "reference": Label("Reference", kind="text"),
    "goal": Label("Target", kind="text"),
    "base_year_cars": Label("Base year", "cars a year"),
    "predicted_cars": Label("The model", "cars a year"),
    "observed_cars": Label("Observed", "cars a year"),
    "error_cars": Label("Model less observed", "cars a year", signed=True),
    "persistence_error_cars": Label("Base year less observed", "cars a year", signed=True),
}

_WORDS |= {
    "wacc_nominal": Label("Nominal cost of capital", "% a year", digits=1, scale=100),
    "country_premium": Label("Country premium", "% a year", digits=1, scale=100),
    "inflation": Label("Inflation in it", "% a year", digits=1, scale=100),
    "tax_rate": Label("Tax on profit", "%", digits=1, scale=100),
    "loss_use_cap": Label("Part of a profit that old losses may cover", "%", digits=0, scale=100),
    "losses_eur": Label("Losses carried forward", "EUR m", scale=1e-6),
    "fixed_cost_eur": Label("Fixed cost", "EUR m a year", scale=1e-6),
    "overhead_share": Label("Overhead", "% of revenue", digits=1, scale=100),
    "rnd_eur": Label("Research and development", "EUR m a year", scale=1e-6),
    "capex_eur": Label("Capital spending", "EUR m a year", scale=1e-6),
    "capex_share": Label("Capital spending", "% of revenue", digits=1, scale=100),
    "assets_eur": Label("Plant at the start", "EUR m", scale=1e-6),
    "working_capital_share": Label("Working capital", "% of revenue", digits=1, scale=100),
    "net_debt_eur": Label("Net debt", "EUR m", scale=1e-6),
    "base_year_margin_eur": Label("Margin of the simulated markets, base year", "EUR m a year", scale=1e-6),
    "base_year_revenue_eur": Label("Revenue of the simulated markets, base year", "EUR m a year", scale=1e-6),
    "rest_of_company_profit_eur": Label("Margin elsewhere", "EUR m a year", scale=1e-6),
    "rest_of_company_revenue_eur": Label("Revenue elsewhere", "EUR m a year", scale=1e-6),
    "rest_units": Label("Cars sold elsewhere", "cars a year"),
    "capacity_units": Label("Capacity", "cars a year"),
    "growth_terminal": Label("Real growth after the last year", "% a year", digits=1, scale=100),
    "payout": Label("Paid out", "% of free cash", digits=0, scale=100),
}

_ACRONYMS = {"hhi": "HHI", "mhhi": "MHHI", "guppi": "GUPPI", "upp": "UPP", "cmcr": "CMCR", "ssnip": "SSNIP", "eur": "EUR", "vat": "VAT"}
_ACRONYMS |= {"co2": "CO2", "bev": "electric", "ice": "combustion", "phev": "plug-in hybrid", "kappa": "profit weight"}


def label_of(column: str, values: pd.Series | None = None) -> Label:
    """How the column of that name is shown.

    Parameters
    ----------
    values
        The column itself; its type decides between words and numbers where the name is not listed, and its size the digits.
    """
    if column in _WORDS:
        return _WORDS[column]
    for ending, said in _SIDES:  # measures of a comparison: one root, four columns
        if column.endswith(ending):
            return _side(label_of(column.removesuffix(ending), values), ending, said)
    signed = bool(re.search(r"(^|_)(change|gain|delta|difference)(_|$)", column))
    for suffix, (unit, digits, scale) in _SUFFIXES:
        if column.endswith(suffix) and column != suffix.strip("_"):
            return Label(_humanise(column.removesuffix(suffix)), unit, digits=digits, scale=scale, signed=signed)
    if values is None or not holds_numbers(values):
        return Label(_humanise(column), kind="text")
    return replace(_by_size(pd.to_numeric(values)), text=_humanise(column), signed=signed)


def _side(root: Label, ending: str, said: str) -> Label:
    if ending == "_change_percent":
        return Label(f"{root.text}, {said}", "%", digits=2, signed=True)
    unit = "percentage points" if root.unit == "%" and ending == "_change" else root.unit
    return replace(root, text=f"{root.text}, {said}", unit=unit, kind="number", signed=ending == "_change")


def in_money(label: Label, money: str) -> Label:
    """The same column in a case's own money: its name in the unit, and single units in place of millions of euro.

    A column of words keeps its millions: they are in the words already.
    """
    if money == "EUR" or "EUR" not in label.unit:
        return label
    if label.kind == "text":
        return replace(label, unit=label.unit.replace("EUR", money))
    if "EUR m" in label.unit:
        return replace(label, unit=label.unit.replace("EUR m", money), digits=0, scale=label.scale * 1e6)
    return replace(label, unit=label.unit.replace("EUR", money), digits=max(label.digits, 2))


def with_digits_for(label: Label, largest: float) -> Label:
    """The same column with three significant digits for its largest value, four digits after the point at most."""
    size = abs(largest * label.scale)
    return replace(label, digits=min(4, max(0, 2 - math.floor(math.log10(size))))) if size > 0 else label


def holds_numbers(values: pd.Series) -> bool:
    """Whether a column is one of numbers, also where some are not known (None) and pandas calls it a column of objects."""
    if pd.api.types.is_numeric_dtype(values):
        return not pd.api.types.is_bool_dtype(values)
    known = [value for value in values if value is not None]
    return bool(known) and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in known)


def _by_size(values: pd.Series) -> Label:
    largest = float(values.abs().max()) if len(values) else 0.0
    whole = bool((values.dropna() == values.dropna().round()).all())
    return Label("", digits=0 if whole or largest >= 1000 else 1 if largest >= 100 else 3)


def _humanise(name: str) -> str:
    words = [_ACRONYMS.get(word, word) for word in name.strip("_").split("_") if word]
    text = " ".join(words)
    return text[:1].upper() + text[1:]
