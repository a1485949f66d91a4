"""The small case with money, and an ensemble of it with named inputs: what its companies earn is driven by one input each."""

from __future__ import annotations

import numpy as np
import pandas as pd

from keiretsu.outlook.ensemble import Ensemble
from tests.valuation.conftest import make_ensemble

INPUTS = ("learning_rate", "electric_taste", "demand_growth", "price_sensitivity")  # of Parent, Electric, Partner and Other
DRAWS = 64
UNCERTAIN = "input,distribution,central,low,high\n" + "".join(f"{name},normal,0,-1.2815515655,1.2815515655\n" for name in INPUTS)
DEALS = (
    "id,date,parties,kind,status,fact\n"
    "d1,2024-02-01,Parent / Electric,equity,announced,A listing is called off\n"
    "d2,2025-03-31,Partner / Electric,equity,abandoned,The stake is given up\n"
    "d3,2025-05-01,Parent / Electric,carve-out,completed,Electric goes back into its parent\n"
    "d4,2025-06-01,Parent / Partner,equity,completed,The stake is written down\n"
    "d5,2025-07-01,Somebody else,equity,announced,Something else\n"
)
HINDSIGHT = (
    "topic,asked,deals,answer\nThe stake,Does it pay?,d2,stake\nThe listing,List it?,d3,listing\nThe old stake,What is it worth?,d4,owners\n"
    "The plant,Who owns it?,d4,nobody_asked\n"
)


def made_up_money(draws: int = DRAWS, stake_gain: float = 5e6) -> Ensemble:
    """Baseline and the scenario "stake"; the normals are those that drive the margins of the four companies."""
    made = make_ensemble(draws, stake_gain=stake_gain)
    normals = pd.DataFrame(np.random.default_rng(1).standard_normal((draws, 4)), columns=list(INPUTS))  # make_ensemble's own
    return Ensemble(made.data, normals.copy(), normals, made.central, {"replicates": 8})


def only_central(futures: Ensemble) -> Ensemble:
    """The same ensemble as a run without draws hands it over."""
    return Ensemble(futures.central, futures.inputs.iloc[:0], futures.normals.iloc[:0], futures.central, futures.settings)
