"""A foundation with votes and hardly any dividends runs two makers that hold shares of each other; one of them enters a joint venture in the third year.

Two countries with their own money, tax and buyers, nests, a duty, a subsidy that ends in that year, exchange rates that move: all of it solved again from the definitions with
NumPy and SciPy alone. One country has one kind of buyer and the other three, so that its market is padded with buyers who do not count.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
from scipy.optimize import root

from keiretsu.case import load_case
from keiretsu.market.build import build_world
from keiretsu.moves.scenario import parse_scenarios
from keiretsu.outlook.case_facts import facts_of
from keiretsu.outlook.outlook import build, run

PRODUCTS = """market,product,firm,segment,powertrain,origin,price,units,battery_kwh
IT,one,Pelle,B,ICE,IT,15000,160000,0
IT,volt,Pelle,B,BEV,IT,24000,30000,45
IT,four,Quint,C,ICE,GB,26000,70000,0
IT,e,Quint,C,BEV,GB,36000,14000,70
IT,x,Rade,C,BEV,US,39000,22000,75
IT,s,Rade,B,ICE,IT,14000,90000,0
UK,volt,Pelle,B,BEV,IT,21500,25000,45
UK,four,Quint,C,ICE,GB,23000,110000,0
UK,e,Quint,C,BEV,GB,31500,21000,70
UK,x,Rade,C,BEV,US,35000,33000,75
UK,s,Rade,B,ICE,IT,12500,80000,0
"""
FILES = {
    "products.csv": PRODUCTS,
    "case.toml": '[case]\nas_of = 2024-03-01\nyear = 2023\n[rates]\nUSD = 1.08\nGBP = 0.87\n[demand]\nprice_taste = 2.6\nincome_power = 0.98\n'
    'nests = ["segment"]\nsigma_group = 0.35\n',
    "markets.csv": "market,currency,vat,potential\nIT,EUR,0.22,3000000\nUK,GBP,0.2,2500000\n",
    "incomes.csv": "market,group,weight,income_eur\nIT,poor,0.4,18000\nIT,middle,0.4,32000\nIT,rich,0.2,70000\nUK,all,1,38000\n",
    "owners.csv": "owner,kind\nFondazione,trust\nRossi,family\n",
    "companies.csv": "company\nPelle\nQuint\nRade\n",
    "stakes.csv": "holder,company,cash_flow,votes\nFondazione,Pelle,0,0.56\nRossi,Pelle,0.3,0.1\nQuint,Pelle,0.4,0.2\nFondazione,Quint,0.25,0.3\n"
    "Pelle,Quint,0.15,0.25\n",
    "programmes.toml": '[[programmes]]\ntype = "incentive"\nid = "bonus"\nmarkets = ["IT"]\nstart = 2022-01-01\nend = 2026-05-31\npowertrains = ["BEV"]\n'
    'currency = "EUR"\nflat = 3500\n[[programmes]]\ntype = "duty"\nid = "duty"\nmarkets = ["IT", "UK"]\nstart = 2020-01-01\norigins = ["US"]\nrate = 0.1\n'
    "value_share = 0.75\n",
}  # fmt: skip
VENTURE = {"type": "joint_venture", "company": "Volta", "split": {"Pelle": 0.6, "Rade": 0.4}, "products": {"product": ["volt", "x"]}}
VALUES = {
    "fx_USD": -0.1648,
    "fx_GBP": -0.0189,
    "price_sensitivity": 1.14,
    "demand_growth": 0.02,
    "rest_cost_trend": 0.004,
    "electric_taste": 0.11,
    "incentives": 1.12,
}
YEARS = (2024, 2025, 2026)
COUNTRIES = {"IT": (1.0, 0.22, 3e6, (0.4, 0.4, 0.2), (18e3, 32e3, 70e3), ""), "UK": (0.87, 0.2, 2.5e6, (1.0,), (38e3,), "fx_GBP")}
ORIGIN = {"IT": "", "GB": "fx_GBP", "US": "fx_USD"}
SIGMA, PACK = 0.35, 100.0  # EUR/kWh: what a case that says nothing about batteries gets


def weights(venture: bool) -> np.ndarray:
    """Profit weights of Pelle, Quint, Rade and Volta: the foundation sets all prices but Rade's, by what reaches it of each euro."""
    held = np.zeros((4, 4))
    held[1, 0], held[0, 1] = 0.4, 0.15
    if venture:
        held[0, 3], held[2, 3] = 0.6, 0.4
    through = np.linalg.inv(np.eye(4) - held)
    gets = 0.25 * through[1]
    kappa = np.eye(4)
    for firm in (0, 1, 3) if venture else (0, 1):
        kappa[firm] = gets / gets[firm]
    kappa[2] = through[2] / through[2, 2]
    return kappa


class Country:
    """One market, from its rows."""

    def __init__(self, name: str) -> None:
        rows = [dict(zip(PRODUCTS.split("\n")[0].split(","), line.split(","), strict=True)) for line in PRODUCTS.split("\n")[1:] if line]
        self.rows = [row for row in rows if row["market"] == name]
        rate, self.vat, self.buyers, weight, income, self.money = COUNTRIES[name]
        self.price = np.array([float(row["price"]) for row in self.rows]) / rate
        self.share = np.array([float(row["units"]) for row in self.rows]) / self.buyers
        self.weight, self.alpha = np.array(weight), VALUES["price_sensitivity"] * 2.6 / np.array(income) ** 0.98
        self.electric = np.array([row["powertrain"] == "BEV" for row in self.rows])
        self.kwh = np.array([float(row["battery_kwh"]) for row in self.rows])
        self.keeps = np.array([1 - 0.1 * 0.75 * (row["origin"] == "US") for row in self.rows])
        self.same = np.array([[a["segment"] == b["segment"] for b in self.rows] for a in self.rows])
        self.bonus = 3500.0 if name == "IT" else 0.0

    def paid(self, price: np.ndarray, bonus: float) -> np.ndarray:
        return price * (1 + self.vat) - bonus * self.electric

    def choices(self, delta: np.ndarray, paid: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Probabilities, those within the nest, and the value of choosing in utils, by kind of buyer."""
        odds = np.exp((delta - self.alpha[:, None] * paid) / (1 - SIGMA))
        total = odds @ self.same
        power, first = total ** (1 - SIGMA), np.array([np.flatnonzero(row)[0] for row in self.same])
        everything = 1 + power[:, np.unique(first)].sum(axis=1)
        return odds / total * power / everything[:, None], odds / total, np.log(everything)

    def slopes(self, delta: np.ndarray, paid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shares, and their slopes by makers' prices (car, price)."""
        chosen, within, _ = self.choices(delta, paid)
        slope = np.zeros((len(self.rows),) * 2)
        for w, alpha, s, c in zip(self.weight, self.alpha, chosen, within, strict=True):
            by_utility = np.diag(s) / (1 - SIGMA) - SIGMA / (1 - SIGMA) * self.same * np.outer(s, c) - np.outer(s, s)
            slope -= w * alpha * (1 + self.vat) * by_utility
        return self.weight @ chosen, slope

    def years(self, venture: bool) -> list[dict[str, np.ndarray]]:
        """Prices, sales, profit by firm, surplus and government of every year (money of the euro)."""
        own = np.array([["Pelle", "Quint", "Rade"].index(row["firm"]) for row in self.rows])
        delta = np.log(self.share / (1 - self.share.sum())) + self.alpha.mean() * self.paid(self.price, self.bonus)
        for _ in range(2000):
            delta = delta + (1 - SIGMA) * np.log(self.share / (self.weight @ self.choices(delta, self.paid(self.price, self.bonus))[0]))
        _, slope = self.slopes(delta, self.paid(self.price, self.bonus))
        cost = self.keeps * self.price + np.linalg.solve(weights(False)[own][:, own] * slope.T, self.keeps * self.share)
        rate = VALUES.get(self.money, 0.0)
        origin = np.array([VALUES.get(ORIGIN[row["origin"]], 0.0) for row in self.rows])
        found, price = [], self.price
        for t, year in enumerate(YEARS, 1):
            together = venture and year >= 2026
            setter = np.where([together and row["product"] in ("volt", "x") for row in self.rows], 3, own)
            kappa = weights(together)[setter][:, setter]
            now = (cost - self.kwh * PACK) * (1 - VALUES["rest_cost_trend"]) ** t * (1 + origin) / (1 + rate) + self.kwh * PACK / (1 + rate)
            liked = delta + self.electric * VALUES["electric_taste"] * t
            bonus = self.bonus * VALUES["incentives"] * (year < 2026)

            def conditions(
                p: np.ndarray, liked: np.ndarray = liked, bonus: float = bonus, kappa: np.ndarray = kappa, now: np.ndarray = now
            ) -> np.ndarray:
                share, slope = self.slopes(liked, self.paid(p, bonus))
                return self.keeps + (kappa * slope.T) @ (self.keeps * p - now) / share

            price = root(conditions, root(conditions, price).x, tol=1e-13).x
            chosen, _, value = self.choices(liked, self.paid(price, bonus))
            buyers = self.buyers * (1 + VALUES["demand_growth"]) ** t
            units, worth = buyers * (self.weight @ chosen), (1 + rate) * (self.keeps * price - now)
            taken = (1 + rate) * (self.paid(price, bonus) - self.keeps * price) @ units
            profit = np.bincount(setter, worth * units, 4)
            surplus = (1 + rate) * buyers * (self.weight * value / self.alpha).sum()
            found.append({"price": price, "units": units, "profit": profit, "surplus": surplus, "government": taken})
        return found


def test_a_venture_among_crossed_holdings_in_two_countries_is_solved_by_hand(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    case = load_case(tmp_path)
    world = build_world(case)
    scenario = {"name": "venture", "title": "venture", "moves": [VENTURE | {"start": dt.date(2026, 3, 1)}]}
    ahead = build(world, parse_scenarios([scenario]), facts_of(case, world, YEARS[-1]))
    _, years = run(ahead, "venture", ahead.central() | VALUES)
    hand = {name: Country(name).years(venture=True) for name in COUNTRIES}
    firms = [ahead.roster.firms.index(name) for name in ("Pelle", "Quint", "Rade", "Volta")]
    for t in range(len(YEARS)):
        for m, (name, found) in enumerate(hand.items()):
            cars = slice(0, len(found[t]["price"]))
            theirs = {
                "price": years.price[t, m, cars],
                "units": years.units[t, m, cars],
                "surplus": years.surplus[t, m],
                "government": years.government[t, m],
            }
            for what, value in theirs.items():
                np.testing.assert_allclose(
                    np.asarray(value), found[t][what], rtol=1e-6, err_msg=f"{what}, {name}, {YEARS[t]}"
                )  # prices settle to 1e-8
        profit = sum(found[t]["profit"] for found in hand.values())
        np.testing.assert_allclose(np.asarray(years.firm_profit)[t, firms], profit, rtol=1e-6, err_msg=f"profit, {YEARS[t]}")
