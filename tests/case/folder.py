"""Small case folders for the tests: a sound one, and ways to break one thing in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from keiretsu.case import check_case
from keiretsu.errors import Problem

CASE = """[case]
name = "small"
as_of = 2024-03-27
year = 2023

[rates]
GBP = 0.87
source = "central_bank"

[demand]
price_taste = 0.0002
nests = ["segment"]
sigma_group = 0.3
source = "study"

[[demand.random]]
characteristic = "electric"
sigma = 1.0
"""

SOUND: Mapping[str, str] = {
    "case.toml": CASE,
    "companies.csv": "company,kind,source\nNissan,maker,study\nRenault,maker,study\nBYD,maker,study\n",
    "owners.csv": "owner,kind,source\nState,state,study\n",
    "stakes.csv": "holder,company,cash_flow,votes,from,to,source\n"
    "State,Renault,0.15,0.29,,,register\n"
    "Renault,Nissan,0.43,0.43,,2023-11-07,register\n"
    "Renault,Nissan,0.43,0.15,2023-11-08,,register\n",
    "control.csv": "company,controller,kind,from,to,source\nNissan,Renault,pact,1999-03-27,2023-11-07,register\n",
    "deals.csv": "id,date,parties,kind,status,amount,currency,probability,source\n1,2023-07,Nissan / Ampere,equity,committed,600000000,EUR,,study\n",
    "brands.csv": "brand,maker,source\nNissan,Nissan,study\nRenault,Renault,study\nBYD,BYD,study\n",
    "markets.csv": "market,currency,vat,households,households_per_buyer,source\nDE,EUR,0.19,41000000,10,statistics\nUK,GBP,0.2,28000000,10,statistics\n",
    "products.csv": "market,product,brand,powertrain,segment,price,price_basis,units,source\n"
    "DE,Leaf,Nissan,BEV,C,35000,gross,5000,statistics\n"
    "DE,Megane E-Tech,Renault,BEV,C,42000,gross,9000,statistics\n"
    "DE,Clio,Renault,ICE,B,19000,gross,30000,statistics;study\n"
    "UK,Leaf,Nissan,BEV,C,30000,gross,8000,statistics\n"
    "UK,Dolphin,BYD,BEV,C,27000,gross,4000,statistics\n"
    "UK,Clio,Renault,ICE,B,17000,gross,20000,statistics\n",
    "sources.csv": "source,title,publisher,date,address,confidence\n"
    "study,A study,A university,2024-01,example.org/study,high\n"
    "register,A share register,An office,2024,example.org/register,medium\n"
    "statistics,Registrations,An office,2024,example.org/cars,high\n"
    "central_bank,Rates,A bank,2024,example.org/rates,high\n",
    "scenarios/nothing.toml": 'title = "Nothing happens"\nquestion = "What is the baseline?"\n',
}


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write the files of a case and hand its folder back."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def sound_but(folder: Path, **changes: tuple[str, str]) -> Path:
    """The sound case with one text replaced by another in a file (``products_csv=("old", "new")``)."""
    files = dict(SOUND)
    for key, (old, new) in changes.items():
        name = key.replace("__", "/")
        name = f"{name.rpartition('_')[0]}.{name.rpartition('_')[2]}"
        assert old in files[name], f"{old!r} is not in {name}"
        files[name] = files[name].replace(old, new, 1)
    return write(folder, files)


def problems_of(folder: Path) -> tuple[Problem, ...]:
    """Everything that is wrong with a case."""
    return check_case(folder).problems
