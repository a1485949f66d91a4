"""Ownership of a case on a day, and what a scenario changes in it, without solving any market."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from keiretsu.case import Case
from keiretsu.errors import MoveError, Problem
from keiretsu.market.build import preferences_of, rule_of, uncalibrated
from keiretsu.market.world import World
from keiretsu.ownership.tables import control_before_after, kappa_before_after, stakes_before_after
from keiretsu.ownership.weights import rule_named
from keiretsu.study.run import chosen_scenarios


def world_of_owners(case: Case, *, as_of: dt.date, rule: str) -> World:
    """The case's world on a day, good for ownership only: mean utilities and costs are not known in it.

    Parameters
    ----------
    rule
        Name of an ownership rule; empty for the case's own.
    """
    chosen = rule_named(rule) if rule else rule_of(case)
    return uncalibrated(case, preferences_of(case), chosen).replace(date=as_of)


def owners_changed(case: Case, before: World, scenario: str) -> dict[str, pd.DataFrame]:
    """Look-through stakes, control and profit weights that a scenario changes, before and after, by title.

    Raises
    ------
    MoveError
        When the case has no such scenario, or it cannot be made in this world.
    """
    (chosen,) = chosen_scenarios(case, (scenario,))
    after = chosen.apply(before)
    old, new = before.register.as_of(before.date), after.register.as_of(after.date)
    if before.rule != after.rule:
        raise MoveError(Problem("this scenario also changes the ownership rule", scenario, type(after.rule).__name__, "the rule of the case"))
    weights = kappa_before_after(old, new, after.rule, tuple(dict.fromkeys((*before.firms(), *after.firms()))))
    return {
        f"Look-through stakes that “{chosen.title}” changes": stakes_before_after(old, new).rename(columns=_as("share")),
        "Control that changes hands": control_before_after(old, new),
        "Weights on others' profit that change": weights[weights["change"].abs() > 1e-12].rename(columns=_as("weight")),
    }


def _as(what: str) -> dict[str, str]:
    return {side: f"{what}_{side}" for side in ("before", "after", "change")}
