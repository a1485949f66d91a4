"""Three years of a case as an analyst types it, solved again from the definitions with nothing of this program: plain logit, two makers, one of them part-owned.

Prices by SciPy's root finder on the first-order conditions, the learning curve, the survival of cars and the answer of chargers by their closed forms.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import root

from keiretsu.case import load_case
from keiretsu.market.build import build_world
from keiretsu.moves.scenario import parse_scenarios
from keiretsu.outlook.case_facts import facts_of
from keiretsu.outlook.outlook import build, run

ALPHA, POTENTIAL, YEARS = 0.02, 500_000.0, (2024, 2025, 2026)
PRICE, UNITS = np.array([310.0, 420.0, 250.0, 390.0]), np.array([60_000.0, 45_000.0, 80_000.0, 6_000.0])
MAKER, BATTERY = np.array([0, 0, 1, 1]), np.array([0.0, 0.0, 0.0, 50.0])
ELECTRIC = BATTERY > 0
INPUTS = {
    "learning_rate": 0.18, "rest_cost_trend": 0.01, "demand_growth": 0.02, "scrappage_feedback": 0.4, "electric_taste": 0.1, "electric_taste_kept": 0.8,
    "charger_taste": 0.3, "charger_speed": 0.5, "charger_power": 0.9, "raw_material_early": 0.05,
}  # fmt: skip
OUTPUT, PACK, CHARGERS, LIFE, SHAPE = {2022: 2000.0, 2023: 900.0, 2024: 1100.0, 2025: 1300.0, 2026: 1500.0}, 2.5, 400.0, 16.0, 2.8
STOCK = np.array([20_000.0, 2_500_000.0])  # electric and other cars on the road
HELD = 0.3  # of the second maker, by the first
FILES = {
    "case.toml": '[case]\nas_of = 2024-01-15\nyear = 2023\nmoney = "own"\ncurrency = "ZAR"\n[demand]\nprice_taste = 0.02\n'
    '[market]\nmarket = "ZA"\npotential = 500000\n',
    "products.csv": "product,firm,price,units,powertrain,battery_kwh,origin\n"
    + "".join(
        f"car{j},{'KS'[MAKER[j]]},{PRICE[j]},{UNITS[j]},{'BEV' if ELECTRIC[j] else 'ICE'},{BATTERY[j]},ZA\n" for j in range(PRICE.size)
    ),
    "uncertain.csv": "input,distribution,central,low,high\n" + "".join(f"{name},fixed,{value},,\n" for name, value in INPUTS.items()),
    "outlook.csv": f"item,of,market,year,value,unit\npack_price,,,2023,{PACK},ZAR/kWh\nchargers,,ZA,2023,{CHARGERS},\nlife_years,,,0,{LIFE},\n"
    f"life_shape,,,0,{SHAPE},\ncycle_years,,,0,7,\nlast_year,,,0,2026,\nfleet,BEV,ZA,2023,{STOCK[0]},\nfleet,PHEV,ZA,2023,0,\nfleet,ICE,ZA,2023,{STOCK[1]},\n"
    + "".join(f"battery_output,,,{year},{gwh},GWh\n" for year, gwh in OUTPUT.items()),
}  # fmt: skip
STAKE = {"type": "stake_purchase", "buyer": "K", "company": "S", "money": "primary", "share": HELD}


def shares(price: np.ndarray, delta: np.ndarray) -> np.ndarray:
    odds = np.exp(delta - ALPHA * price)
    return odds / (1 + odds.sum())


def conditions(price: np.ndarray, cost: np.ndarray, delta: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Derivative of each maker's weighted profit by each of its prices, over the car's sales."""
    s = shares(price, delta)
    slope = ALPHA * (np.outer(s, s) - np.diag(s))
    return 1 + (slope * weight[MAKER][:, MAKER]) @ (price - cost) / s


def by_hand(weight: np.ndarray) -> list[dict[str, np.ndarray | float]]:
    """Every year's prices, sales, profits, pack price, chargers and cars on the road."""
    observed = UNITS / POTENTIAL
    delta0 = np.log(observed / (1 - observed.sum())) + ALPHA * PRICE
    slope = ALPHA * (np.outer(observed, observed) - np.diag(observed)) * (MAKER[:, None] == MAKER)
    cost0 = PRICE + np.linalg.solve(slope, observed)
    ages = np.arange(31.0)
    stays = np.exp((ages[:-1] / LIFE) ** SHAPE - (ages[1:] / LIFE) ** SHAPE)
    stays[-1] = 0.0
    profile = np.exp(-((ages[:-1] / LIFE) ** SHAPE))
    fleet = STOCK[:, None] * profile / profile.sum()
    first = (fleet * (1 - stays)).sum()
    cumulative, chargers, found = OUTPUT[2022] + OUTPUT[2023], CHARGERS, []
    others = 1 - (UNITS @ BATTERY) / 1e6 / OUTPUT[2023]
    price = PRICE
    for t, year in enumerate(YEARS, 1):
        pack = PACK * (cumulative / OUTPUT[2022]) ** np.log2(1 - INPUTS["learning_rate"]) * np.exp(INPUTS["raw_material_early"])
        cost = (cost0 - BATTERY * PACK) * (1 - INPUTS["rest_cost_trend"]) ** t + BATTERY * pack
        taste = INPUTS["electric_taste"] * sum(INPUTS["electric_taste_kept"] ** k for k in range(t))
        delta = delta0 + ELECTRIC * (taste + INPUTS["charger_taste"] * np.log(chargers / CHARGERS))
        scrapped = (fleet * (1 - stays)).sum()
        potential = POTENTIAL * (1 + INPUTS["demand_growth"]) ** t * (1 + INPUTS["scrappage_feedback"] * (scrapped / first - 1))
        price = root(conditions, price, (cost, delta, weight), tol=1e-13).x
        units = potential * shares(price, delta)
        profit = np.array([((price - cost) * units)[f == MAKER].sum() for f in (0, 1)])
        fleet = np.column_stack([[units[ELECTRIC].sum(), units[~ELECTRIC].sum()], (fleet * stays)[:, :-1]])
        found.append({"price": price, "units": units, "firm_profit": profit, "pack_price": pack, "chargers": chargers, "stock": fleet.sum(axis=1)})
        chargers += INPUTS["charger_speed"] * (CHARGERS * (fleet[0].sum() / STOCK[0]) ** INPUTS["charger_power"] - chargers)
        cumulative += others * OUTPUT[year] + units @ BATTERY / 1e6
    return found


@pytest.mark.parametrize(
    ("scenario", "weight"), [pytest.param("baseline", np.eye(2), marks=pytest.mark.slow), ("stake", np.array([[1.0, HELD], [0.0, 1.0]]))]
)
def test_three_years_solved_by_hand_are_those_of_the_program(scenario: str, weight: np.ndarray, tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    case = load_case(tmp_path)
    world = build_world(case)
    ahead = build(world, parse_scenarios([{"name": "stake", "title": "stake", "moves": [STAKE]}]), facts_of(case, world, 2026))
    _, years = run(ahead, scenario, ahead.central())
    cars, firms = slice(0, PRICE.size), [ahead.roster.firms.index(name) for name in "KS"]
    for t, hand in enumerate(by_hand(weight)):
        theirs = {
            "price": np.asarray(years.price)[t, 0, cars], "units": np.asarray(years.units)[t, 0, cars], "firm_profit": np.asarray(years.firm_profit)[t, firms],
            "pack_price": np.asarray(years.pack_price)[t], "chargers": np.asarray(years.chargers)[t, 0], "stock": np.asarray(years.stock)[t, 0, [0, 2]],
        }  # fmt: skip
        for name, value in hand.items():
            np.testing.assert_allclose(theirs[name], value, rtol=1e-7, err_msg=f"{name}, {YEARS[t]}")  # prices settle to 1e-8 of themselves
