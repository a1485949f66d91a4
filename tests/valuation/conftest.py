"""A small case and a made-up ensemble of the form that the outlook hands over."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from keiretsu.case import Case, load_case

FIRMS = ("Parent", "Electric", "Partner", "Other")
YEARS = np.arange(2024, 2036)
DRAWS = 256

CASE = """
[case]
name = "small"
title = "A parent, its electric company, a partner"
as_of = 2024-03-27
year = 2023
money = "EUR 2023"

[rates]
USD = 1.08
JPY = 150.0

[demand]
price_taste = 0.0001
outside = true
"""
FILES = {
    "companies.csv": "company\nParent\nElectric\nPartner\nOther\n",
    "owners.csv": "owner,kind\nState,state\n",
    "stakes.csv": "holder,company,cash_flow\nParent,Electric,1\nParent,Partner,0.4\nPartner,Parent,0.15\nState,Parent,0.15\n",
    "products.csv": "market,product,firm,price,share\nM,a,Parent,20000,0.1\nM,b,Electric,25000,0.05\nM,c,Partner,20000,0.1\nM,d,Other,20000,0.1\n",
    "markets.csv": "market,potential\nM,1000000\n",
    "finance.csv": (
        "company,wacc_nominal,country_premium,tax_rate,loss_use_cap,fixed_cost_eur,rnd_eur,capex_eur,assets_eur,working_capital_share,net_debt_eur,"
        "rest_of_company_profit_eur,rest_of_company_revenue_eur,rest_units,growth_terminal,exit_multiple,payout\n"
        "Parent,0.09,0,0.25,0.5,1e9,0.5e9,1e9,5e9,-0.05,1e9,1e9,5e9,500000,0,3,0.3\n"
        "Electric,0.1,0,0.25,0.5,0.5e9,0.3e9,0.3e9,1e9,-0.05,0,0,0,0,0.01,4,0.3\n"
        "Partner,0.08,0.01,0.3,1,1e9,0.5e9,0.8e9,4e9,0,-1e9,1e9,5e9,1000000,0,3,0.3\n"
    ),
    "synergies.csv": (
        "scenario,company,kind,from_year,to_year,eur_a_year,eur_per_car\n"
        "stake,Partner,platform_access,2026,2030,50e6,0\nstake,Electric,supply_at_cost,2026,2030,-10e6,0\nstake,Partner,purchasing,2027,2028,0,20\n"
    ),
    "platforms.csv": (
        "platform,company,from_year,to_year,capex_eur,partner,partner_share,shared_in,dropped_in\n"
        "P,Partner,2025,2027,200e6,Parent,0.4,stake,\nQ,Parent,2025,2027,100e6,,0,,stake\n"
    ),
    "guidance.csv": (
        "company,item,year,who,value,low,high,stated\n"
        "Electric,units,2025,Electric,300000,,,2023-11-15\nElectric,equity_eur,2023,Bank,3.5e9,3e9,4e9,2023-08-31\n"
        "Electric,cost_change,2028,Electric,-0.4,,,2023-11-15\nElectric,revenue_eur,2031,Electric,25e9,,,2023-11-15\nElectric,equity_eur,2023,Parent,9e9,8e9,10e9,2023-09-05\n"
        "Electric,operating_margin,2030,Electric,0.1,,,2023-11-15\n"
    ),
    "stake_terms.csv": (
        "terms,scenario,investor,company,instrument,money,seller,amount,currency,valuation,valuation_basis,date,exit_year,control_premium,"
        "minority_discount,illiquidity_discount,coupon,conversion_discount,conversion_cap,walk_away\n"
        "new,stake,Partner,Electric,common,primary,,600e6,EUR,8e9,pre_money,2024-07-01,2031,0.03,0.1,0.15,0,0,0,no\n"
        "old,,Partner,Electric,common,secondary,Parent,600e6,EUR,8e9,pre_money,2024-07-01,2031,0,0,0,0,0,0,no\n"
        "note,stake,Partner,Electric,convertible,primary,,600e6,EUR,8e9,pre_money,2024-07-01,2028,0,0,0,0.04,0.15,8e9,no\n"
        "parts,stake,Partner,Electric,staged,primary,,600e6,EUR,8e9,pre_money,2024-07-01,2031,0,0,0,0,0,0,yes\n"
    ),
    "milestones.csv": (
        "terms,milestone,year,share,measure,of,at_least\n"
        "parts,signing,2024,0.5,,,0\nparts,cars,2027,0.25,firm_electric_units,Electric,120000\nparts,margin,2028,0.25,firm_profit_eur,Electric,1.1e9\n"
    ),
    "listing.csv": "company,parameter,value,unit\n"
    + "".join(
        f"Electric,{name},{value},\n"
        for name, value in {
            "first_year": 2024, "last_year": 2030, "revenue_years": 1, "multiple_now": 0.8, "multiple_mean": 1.0, "multiple_reversion": 0.4,
            "multiple_volatility": 0.45, "price_of_risk": 0.35, "risk_free_nominal": 0.025, "fee": 0.03, "discount": 0.1,
            "primary_share": 0.1, "secondary_share": 0.05, "later_share": 0.05, "lock_up_years": 0.5, "funding_spread": 0.04,
        }.items()
    ),
}  # fmt: skip


@dataclass(frozen=True)
class MadeUp:
    data: xr.Dataset
    central: xr.Dataset


def make_ensemble(draws: int = DRAWS, spread: float = 0.25, seed: int = 1, stake_gain: float = 5e6) -> MadeUp:
    """Margins that grow with a random pace; the scenario "stake" adds `stake_gain` a year to the electric company and takes it from the others."""
    rng = np.random.default_rng(seed)
    return MadeUp(_dataset(rng.standard_normal((draws, len(FIRMS))), spread, stake_gain), _dataset(np.zeros((1, len(FIRMS))), spread, stake_gain))


def _dataset(normals: np.ndarray, spread: float, stake_gain: float) -> xr.Dataset:
    t = np.arange(len(YEARS))
    start = np.array([3.0e9, 0.5e9, 2.5e9, 1.0e9])
    pace = np.array([0.0, 0.12, 0.01, 0.0])
    level = np.exp(spread * normals[:, None, :] * np.sqrt((t[None, :, None] + 1) / len(t)))
    margin = start * np.exp(pace * t[None, :, None]) * level
    stake = margin + stake_gain * np.array([-1.0, 1.0, -0.5, 0.2])
    both = np.stack([margin, stake])
    revenue, units = both / 0.18, both / 5000
    pack = 120 * np.exp(-0.05 * t[None, None, :]) * np.ones((2, len(normals), 1))
    dims = ("scenario", "draw", "year", "firm")
    return xr.Dataset(
        {
            "firm_profit_eur": (dims, both), "firm_revenue_eur": (dims, revenue), "firm_units": (dims, units),
            "firm_electric_units": (dims, units * np.array([0.1, 1, 0.2, 0.1])), "firm_battery_gwh": (dims, units * 5e-5),
            "pack_price_eur_kwh": (("scenario", "draw", "year"), pack),
        },
        coords={"scenario": ["baseline", "stake"], "draw": np.arange(len(normals)), "year": YEARS, "firm": list(FIRMS)},
    )  # fmt: skip


def write_case(folder: Path, **changed: str) -> Case:
    """The small case, some files replaced (`finance="..."`)."""
    (folder / "case.toml").write_text(CASE)
    for name, text in {**FILES, **{f"{name}.csv": text for name, text in changed.items()}}.items():
        (folder / name).write_text(text)
    return load_case(folder)


@pytest.fixture(scope="session")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return write_case(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def ensemble() -> MadeUp:
    return make_ensemble()
