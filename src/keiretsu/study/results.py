"""What a run hands to the report and to the user: tables, each walkable back to the case it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    policy_effects, policy_bands
        What each scenario that acts through policy achieves, and the ranges of the literature beside it.
    policies
        What is in force in the baseline by market, with its money and cars.
    stuck, pools, payments
        By scenario and for the baseline: prices that stand at a breakpoint of a programme; pools of fleet rules; what makers pay in them.
    budgets
        Pots of money by scenario and for the baseline: budget, what is spent, and the share of the year in which the pot is open.
    pooling
        Makers' profit after payments under the same fleet rule with other pools.
    lookback, lookback_errors
        Sales of a later year beside the baseline and the base year; empty for a case that has none.
    nearly
        Where a state near to an equilibrium was accepted (`SolveOptions.nearly_eur`): what would be gained by moving a price across its threshold, by
        scenario and for the baseline.
    unsettled
        Scenarios without an equilibrium that was found, and why: scenario, title, why. They are in none of the other tables.
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
    policy_effects: pd.DataFrame = field(default_factory=pd.DataFrame)
    policy_bands: pd.DataFrame = field(default_factory=pd.DataFrame)
    policies: pd.DataFrame = field(default_factory=pd.DataFrame)
    stuck: pd.DataFrame = field(default_factory=pd.DataFrame)
    budgets: pd.DataFrame = field(default_factory=pd.DataFrame)
    pools: pd.DataFrame = field(default_factory=pd.DataFrame)
    payments: pd.DataFrame = field(default_factory=pd.DataFrame)
    pooling: pd.DataFrame = field(default_factory=pd.DataFrame)
    lookback: pd.DataFrame = field(default_factory=pd.DataFrame)
    lookback_errors: pd.DataFrame = field(default_factory=pd.DataFrame)
    nearly: pd.DataFrame = field(default_factory=pd.DataFrame)
    unsettled: pd.DataFrame = field(default_factory=pd.DataFrame)
