"""Small cases as an analyst would type them: a country with its own money and programmes, and one with a fleet rule; and ways to break one thing in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from keiretsu.case import check_case, load_case
from keiretsu.errors import KeiretsuError
from keiretsu.market.build import build_world

PRODUCTS = (
    "product,brand,firm,powertrain,segment,origin,price,price_basis,units,battery_kwh,mass_kg,co2_gkm\n"
    "Sakura,Nito,Nito,BEV,K,JP,2550000,gross,36000,20,1070,0\n"
    "Roomy,Nito,Nito,ICE,K,JP,1650000,gross,150000,0,1000,120\n"
    "Leaf,Nito,Nito,BEV,C,JP,4080000,gross,9000,40,1520,0\n"
    "Prius,Toyo,Toyo,ICE,C,JP,3200000,gross,99000,0,1400,75\n"
    "Atto,Bydo,Bydo,BEV,C,CN,4500000,gross,1500,58,1750,0\n"
)
CASE = """[case]
name = "japan"
as_of = 2024-03-01
year = 2023
[rates]
JPY = 152.0
[demand]
price_taste = 0.00025
nests = ["segment"]
sigma_group = 0.4
[market]
market = "JP"
currency = "JPY"
vat = 0.10
potential = 4000000
"""
PROGRAMMES = """[[programmes]]
type = "incentive"
id = "cev"
markets = ["JP"]
start = 2022-01-01
powertrains = ["BEV"]
currency = "JPY"
share = 0.15
cap = 650000
share_basis = "net"
window = { basis = "gross", at_most = 5000000 }
"""
POOLS = """[[pools]]
type = "co2_target"
id = "co2"
markets = ["JP"]
from_year = 2025
to_year = 2040
grams = 90
unit = "g/km"
fine = 95
currency = "EUR"
[[pools]]
type = "pool"
rule = "co2"
id = "two"
makers = ["Nito", "Bydo"]
[[pools]]
type = "rest_of_area"
rule = "co2"
maker = "Toyo"
cars = 1000
co2_gkm = 100
mass_kg = 1400
electric_cars = 10
"""
SOUND: Mapping[str, str] = {"case.toml": CASE, "products.csv": PRODUCTS, "programmes.toml": PROGRAMMES, "pools.toml": POOLS}


def folder(path: Path, changes: Mapping[str, tuple[str, str]] | None = None, **files: str) -> Path:
    """The sound case in `path` with texts replaced, (old, new) by file, and whole files added (``scenarios__x`` is scenarios/x.toml)."""
    texts = dict(SOUND) | {f"{name.replace('__', '/')}.{'toml' if name.startswith('scenarios') else 'csv'}": text for name, text in files.items()}
    for file, (old, new) in (changes or {}).items():
        assert old in texts[file], (file, old)
        texts[file] = texts[file].replace(old, new)
    for file, text in texts.items():
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        (path / file).write_text(text)
    return path


def refusal(path: Path) -> str:
    """What the program says against a case, at the door or when its world is built; nothing when it takes it."""
    problems = check_case(path).problems
    if problems:
        return "\n".join(map(str, problems))
    try:
        build_world(load_case(path))
    except KeiretsuError as error:
        return str(error)
    return ""
