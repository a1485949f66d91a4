"""What a run hands to the report and to the user: tables, each walkable back to the case it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from keiretsu.case import Case
from keiretsu.market.outcome import Outcome
from keiretsu.moves.comparison import Comparison
from keiretsu.moves.scenario import Scenario


@dataclass(frozen=True)
class OwnersTables:
    """Ownership of one world as tables: who holds what directly, who holds what in the end, who controls whom, profit weights."""

    direct: pd.DataFrame
    look_through: pd.DataFrame
    control: pd.DataFrame
    kappa: pd.DataFrame


@dataclass(frozen=True)
class Results:
    """Everything a run found. Money is EUR a year at 2023 prices unless a column name says otherwise.

    Attributes
    ----------
    headline
        One row for each scenario: price, sales, electric share, surplus and profit changes a board reads first.
    sentences
        The two or three sentences that matter.
    outcomes, comparisons, channels, owners
        By scenario name; `outcomes` and `owners` hold the baseline too, as ``baseline``.
    rules
        The headline of the headline scenario under each ownership rule.
    concentration
        HHI, MHHI and its delta by market and scenario.
    calibration
        Targets beside what the model gives.
    diagnostics
        Residuals (EUR) and iterations by scenario and market.
    starts
        Starting points tried in each market of the baseline, and at how many different prices they ended.
    manifest
        Case hash, versions, settings.
    """

    case: Case
    scenarios: tuple[Scenario, ...]
    base: Outcome
    outcomes: Mapping[str, Outcome]
    comparisons: Mapping[str, Comparison]
    channels: Mapping[str, pd.DataFrame]
    owners: Mapping[str, OwnersTables]
    rules: pd.DataFrame
    concentration: pd.DataFrame
    calibration: pd.DataFrame
    diagnostics: pd.DataFrame
    starts: pd.DataFrame
    headline: pd.DataFrame
    sentences: tuple[str, ...]
    manifest: Mapping[str, object]
