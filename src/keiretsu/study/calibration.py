"""Targets beside what the model gives (being built)."""

from __future__ import annotations

import pandas as pd

from keiretsu.case import Case
from keiretsu.market.world import World


def calibration_table(case: Case, world: World) -> pd.DataFrame:
    """Targets of the case."""
    return case.targets[["id", "kind", "value", "low", "high", "weight", "source"]].rename(columns={"id": "target"}).assign(fitted=case.targets["value"])
