"""An owner column, stakes, a typed-in kappa and one firm instead of two say the same thing: the costs they imply are the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from keiretsu.case import load_case
from keiretsu.market.build import build_world

from .folder import write
from .test_small_case import PRODUCTS, TOML

OWNERS = "product,firm,owner,price,units\nA1,Alpha,Group,20,100\nB1,Beta,Group,25,50\nC1,Gamma,Other,30,50\n"
ONE_FIRM = PRODUCTS.replace("Beta", "Alpha")
STAKE = TOML + '\n[[stakes]]\nholder = "Alpha"\ncompany = "Beta"\ncash_flow = 1\n'
KAPPA = TOML + "\n[kappa]\nAlpha.Beta = 1\nBeta.Alpha = 1\n"
SILENT = TOML.replace("[market]", 'rule = "financial"\n\n[market]') + '\n[[stakes]]\nholder = "Alpha"\ncompany = "Beta"\ncash_flow = 0.3\nvotes = 0\n'
SILENT_KAPPA = TOML + "\n[kappa.Alpha]\nBeta = 0.3\n"
FLOATING_POINT = 1e-10  # the same closed form, evaluated with firms in another order


def costs(folder: Path, toml: str, products: str) -> np.ndarray:
    return build_world(load_case(write(folder, {"case.toml": toml, "products.csv": products}))).products["cost_eur"].to_numpy(float)


def test_one_owner_of_two_firms_is_one_firm_however_it_is_written(tmp_path: Path) -> None:
    one = costs(tmp_path / "one", TOML, ONE_FIRM)
    assert np.abs(costs(tmp_path / "owner", TOML, OWNERS) - one).max() < FLOATING_POINT
    assert np.abs(costs(tmp_path / "stake", STAKE, PRODUCTS) - one).max() < FLOATING_POINT
    assert np.abs(costs(tmp_path / "kappa", KAPPA, PRODUCTS) - one).max() < FLOATING_POINT
    assert np.abs(costs(tmp_path / "separate", TOML, PRODUCTS) - one).max() > 0.1


def test_a_silent_stake_is_a_one_sided_kappa(tmp_path: Path) -> None:
    difference = costs(tmp_path / "stake", SILENT, PRODUCTS) - costs(tmp_path / "kappa", SILENT_KAPPA, PRODUCTS)
    assert np.abs(difference).max() < FLOATING_POINT
