"""One model launched under two ids, one for each country: both launches are timed, and what they are worth adds up."""

from __future__ import annotations

from pathlib import Path

import pytest

from keiretsu.case import load_case
from keiretsu.study.launches import time_launches

CASE = '[case]\nname = "own"\nas_of = 2024-03-01\nyear = 2023\n[demand]\nprice_taste = 0.00015\n'
MARKETS = "market,currency,vat,potential\nDE,EUR,0.19,2000000\nFR,EUR,0.2,1500000\n"
PRODUCTS = "market,product,firm,powertrain,price,units\n" + "".join(
    f"{market},a,A,ICE,21000,{units}\n{market},b,B,BEV,30000,{units // 3}\n" for market, units in (("DE", 120000), ("FR", 90000))
)
LAUNCH = '[[moves]]\ntype = "launch"\nproduct = "{id}"\nmodel = "Five"\nmarkets = ["{market}"]\nbrand = "B"\nlike = "b"\nprice_eur = 27000\nmargin = 0.2\nutility = "of_like"\n'


def value(folder: Path, ids: tuple[str, ...]) -> tuple[float, int]:
    """What launching at once is worth to the maker, and how many launches were timed."""
    folder.mkdir()
    (folder / "scenarios").mkdir()
    moves = "".join(LAUNCH.format(id=f"five{market}", market=market) for market in ids)
    for name, text in {
        "case.toml": CASE,
        "markets.csv": MARKETS,
        "products.csv": PRODUCTS,
        "scenarios/five.toml": 'title = "five"\n' + moves,
    }.items():
        (folder / name).write_text(text)
    found, sources = time_launches(load_case(folder), "five", (2025,), 2027, 0.07, lambda *_: None)
    return float(found.combinations["B_eur"].max()), len(sources)


def test_two_launches_of_one_name_are_two_launches(tmp_path: Path) -> None:
    both, count = value(tmp_path / "both", ("DE", "FR"))
    alone = [value(tmp_path / market, (market,))[0] for market in ("DE", "FR")]
    assert count == 2
    assert both == pytest.approx(sum(alone), rel=1e-7)  # countries do not compete with each other
