"""A world of one market, four makers and eight cars in equilibrium, for tests of decisions."""

from __future__ import annotations

import functools
from pathlib import Path
from tempfile import TemporaryDirectory

from keiretsu.case import load_case
from keiretsu.market.build import build_world
from keiretsu.market.world import World

CASE = """
[case]
name = "tiny"
title = "Four makers"
as_of = 2024-03-27
year = 2023
money = "EUR 2023"

[demand]
price_taste = 0.0002
outside = true
"""
FILES = {
    "companies.csv": "company\nAres\nBoreas\nChronos\nDaphne\nEos\n",
    "stakes.csv": "holder,company,cash_flow\nAres,Eos,1\nAres,Boreas,0.2\n",
    "products.csv": (
        "market,product,brand,powertrain,segment,seats,firm,price,share,battery_kwh\n"
        "M,ares_e,Ares,BEV,C,5,Ares,30000,0.02,60\nM,ares_p,Ares,ICE,C,5,Ares,24000,0.05,0\n"
        "M,eos_e,Eos,BEV,B,5,Eos,26000,0.02,50\n"
        "M,boreas_e,Boreas,BEV,C,5,Boreas,31000,0.01,60\nM,boreas_p,Boreas,ICE,C,7,Boreas,26000,0.06,0\n"
        "M,chronos_e,Chronos,BEV,B,5,Chronos,25000,0.04,50\nM,chronos_p,Chronos,ICE,C,5,Chronos,22000,0.08,0\n"
        "M,daphne_p,Daphne,ICE,C,5,Daphne,23000,0.1,0\n"
    ),
    "markets.csv": "market,potential\nM,1000000\n",
}


@functools.cache
def small_world() -> World:
    with TemporaryDirectory() as folder:
        for name, text in {"case.toml": CASE, **FILES}.items():
            (Path(folder) / name).write_text(text)
        return build_world(load_case(folder))
