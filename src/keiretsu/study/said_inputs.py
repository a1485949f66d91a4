"""Plain names of uncertain inputs, launches by brand and model, events by the title of their scenario."""

from __future__ import annotations

from collections.abc import Mapping

from keiretsu.case import Case

# fmt: off
WORDS: Mapping[str, str] = {
    "learning_rate": "learning rate of batteries", "raw_material_early": "price of raw materials until 2029", "raw_material_late": "price of raw materials from 2030",
    "world_batteries": "battery output of the rest of the world", "rest_cost_trend": "yearly fall of costs other than batteries",
    "electric_cost_trend": "further yearly fall of electric cars' costs", "demand_growth": "growth of demand", "scrappage_feedback": "part of demand that replaces scrapped cars",
    "life_years": "life of cars", "price_sensitivity": "sensitivity of buyers to prices", "electric_spread": "spread of the taste for electric cars",
    "electric_taste": "yearly rise of the taste for electric cars", "electric_taste_kept": "part of the yearly rise of that taste that is left a year later",
    "charger_taste": "taste for chargers", "charger_speed": "speed at which chargers are built", "charger_power": "chargers that a fleet supports",
    "age_taste": "what a model loses with age", "incentives": "amount of incentives paid", "chinese_cost": "cost of cars built in China",
    "fx_JPY": "value of the yen", "fx_CNY": "value of the yuan", "fx_INR": "value of the rupee", "fx_KRW": "value of the won", "fx_GBP": "value of the pound",
    "fx_USD": "value of the dollar", "fx_SEK": "value of the Swedish krona", "fx_NOK": "value of the Norwegian krone", "fixed_cost": "fixed cost of companies",
}
# fmt: on


def input_said(case: Case, name: str) -> str:
    """A plain name of an input: ``appeal:renault_5_e_tech`` is "appeal of Renault 5 E-Tech", ``event:duties`` the title of that scenario in quotes."""
    kind, colon, product = name.partition(":")
    if kind == "event":
        return next((f"“{one.title}”" for one in case.scenarios if one.name == product), in_words(name))
    rows = case.tables["planned_launches"]
    own = rows[rows["product"] == product]
    if not colon or own.empty:
        return in_words(name)
    car = f"{own['brand'].iloc[0]} {own['model'].iloc[0]}"
    return {"happens": car, "date": f"delay of {car}"}.get(kind, f"{kind} of {car}")


def in_words(name: str) -> str:
    """A plain name for an input: ``appeal:renault_5_e_tech`` is "appeal of renault 5 e tech"."""
    kind, colon, product = name.partition(":")
    if name.startswith("fx_"):
        return WORDS.get(name, f"value of {name.removeprefix('fx_')}")
    if not colon:
        return WORDS.get(name, name.replace("_", " "))
    said = {"happens": "", "date": "delay of ", "appeal": "appeal of "}.get(kind, f"{kind} of ")
    return (said + product).replace("_", " ")
