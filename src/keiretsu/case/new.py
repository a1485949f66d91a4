"""A first case that runs: five firms, eight cars, one merger, in two files and a scenario."""

from __future__ import annotations

import re
from pathlib import Path

from keiretsu.errors import CaseError, Problem

_CASE = """# A case: who sells what at which price, and how buyers choose. Every key is explained in docs/case.md.
[case]
name = "{name}"
title = "A merger of Alpha and Delta"
as_of = 2024-01-01            # stakes are read on this day
money = "own"                 # prices stay in the unit of products.csv; "EUR 2023" and [rates] would convert them

[market]
potential = 1_000_000         # buyers a year who might buy any of these cars

[demand]
price_taste = 0.12            # utils lost for one unit of money; here prices are in thousands
nests = ["segment"]           # cars of one segment are closer substitutes
sigma_group = 0.4             # by how much: 0 not at all, towards 1 perfectly

# Who owns whom, if anybody: remove the marks to give Alpha a quarter of Beta.
# [[stakes]]
# holder = "Alpha"
# company = "Beta"
# cash_flow = 0.25
"""

_PRODUCTS = """product,firm,segment,powertrain,price,units
Alpha City,Alpha,B,ICE,18.5,62000
Alpha Family,Alpha,C,ICE,27.9,48000
Beta City,Beta,B,ICE,17.9,55000
Beta Volt,Beta,C,BEV,36.0,21000
Gamma Family,Gamma,C,ICE,29.5,70000
Delta City,Delta,B,BEV,24.9,26000
Delta Volt,Delta,C,BEV,34.5,24000
Epsilon One,Epsilon,C,BEV,38.0,33000
"""

_MERGER = """title = "Alpha takes over Delta"
question = "By how much do prices rise when Alpha owns Delta, and who gains?"

[[moves]]
type = "merger"
acquirer = "Alpha"
target = "Delta"
"""

_STAKE = """title = "Alpha buys a quarter of Delta"
question = "Does a silent stake raise prices too?"

[[moves]]
type = "stake_purchase"
buyer = "Alpha"
company = "Delta"
money = "primary"             # into the company, for new shares; "secondary" buys from named sellers
share = 0.25
"""

FILES = {"case.toml": _CASE, "products.csv": _PRODUCTS, "scenarios/merger.toml": _MERGER, "scenarios/quarter.toml": _STAKE}


def write_new_case(name: str, folder: str | Path) -> Path:
    """Write a small case that loads and runs, to be changed into one's own.

    Parameters
    ----------
    name
        Letters, digits, dashes and underscores; the case stands in a new folder of this name.
    folder
        Where the new folder goes.

    Returns
    -------
    Path
        The case folder.

    Raises
    ------
    CaseError
        When the name cannot be a folder's, or something of that name exists: nothing is ever written over.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise CaseError(Problem("not a name for a case", "new", repr(name), "letters, digits, dashes and underscores"))
    target = Path(folder) / name
    if target.exists():
        raise CaseError(
            Problem("it exists already", str(target), "a folder or file", "a name that is free", "choose another name, or remove it yourself")
        )
    for file, text in FILES.items():
        path = target / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("{name}", name), encoding="utf-8")
    return target
