"""A stake's net present value as the model itself has it, at any values of the uncertain inputs, with its exact slope ([13], [17]).

A value is a path (the years with the deal) and the arithmetic of `keiretsu.valuation.stake`. The years without the deal enter only as what the company was sized
for; they are taken to differ from those with it by the same factors as in the central case, which they do to a part in a thousand, and the answer is
checked with both paths. A slope goes backwards through the years once: what a euro or a car of any year is worth to the stake comes from differences of
the arithmetic, which cost nothing, and one sweep hands it on to every input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import xarray as xr

from keiretsu.case import Case
from keiretsu.errors import Problem, ValuationError
from keiretsu.outlook.arrays import Year
from keiretsu.outlook.ensemble import Ensemble
from keiretsu.outlook.measures import YearlyWeights
from keiretsu.outlook.outlook import BASELINE, Outlook, run
from keiretsu.outlook.sensitivity import slopes
from keiretsu.outlook.uncertain import uncertain_of
from keiretsu.study.decisions import question_of
from keiretsu.typing import Vector
from keiretsu.valuation.finance import finances
from keiretsu.valuation.inputs import FIXED_COST, USUAL, usual_margin_rate, with_own_inputs
from keiretsu.valuation.money import stated_sum
from keiretsu.valuation.must_be_true import Question
from keiretsu.valuation.on_the_model import OnTheModel, OnTheModelOptions, must_be_true_on_the_model
from keiretsu.valuation.stake import net_present_value
from keiretsu.valuation.terms import StakeTerms

YEARLY = {
    "firm_profit_eur": "firm_profit",
    "firm_revenue_eur": "firm_revenue",
    "firm_units": "firm_units",
    "firm_electric_units": "firm_electric_units",
}
SEARCH = OnTheModelOptions()
STEP = {"firm_profit_eur": 1e4, "firm_revenue_eur": 1e5, "firm_units": 10.0}  # EUR, EUR, cars: small, for taxes have kinks


def stake_must_be_true(case: Case, futures: Ensemble, outlook: Outlook, terms: StakeTerms, options: OnTheModelOptions = SEARCH) -> OnTheModel:
    """What must be true for a stake, asked of the model that the futures come from.

    Parameters
    ----------
    outlook
        The compiled years that gave `futures`; it must hold the baseline and the terms' scenario.

    Raises
    ------
    ValuationError
        For a commitment in parts, futures of another model, or a verdict that no future in reach turns.
    """
    decision = f"{terms.investor}'s {stated_sum(terms.amount_eur)} for {terms.company} at {stated_sum(terms.pre_money_eur)}"
    question = question_of(case, futures, decision, net_present_value(case, with_own_inputs(futures), terms, floor=False))
    return must_be_true_on_the_model(question, StakeOnTheModel(case, futures, outlook, terms, question), chances_of(case, outlook), options)


def chances_of(case: Case, outlook: Outlook) -> dict[str, float]:
    """Chance of each thing that happens or does not: a planned or launched car, an event."""
    inputs, _ = uncertain_of(case.tables, (*outlook.roster.launched, *outlook.events))
    return {one.name: one.central for one in inputs if one.distribution == "discrete"}


@dataclass(eq=False)
class StakeOnTheModel:
    """A stake's net present value without the floor under shares, by independent normals of the continuous inputs; keeps the last paths, whose slope may be asked next."""

    case: Case
    futures: Ensemble
    outlook: Outlook
    terms: StakeTerms
    question: Question

    def __post_init__(self) -> None:
        self.scenario = self.terms.scenario or BASELINE
        known = [name for name in self.outlook.scenarios if name in self.futures.central["scenario"].values]
        if self.scenario not in known or BASELINE not in known:
            raise ValuationError(
                Problem("the years were compiled or run without this scenario", "what must be true", self.scenario, f"one of {', '.join(known)}")
            )
        central = self.futures.central[list(YEARLY)].isel(draw=0, drop=True)
        with_it, without = central.sel(scenario=self.scenario), central.sel(scenario=BASELINE)
        self._factors = (without / with_it.where(with_it != 0)).fillna(1.0)
        self._usual = usual_margin_rate(self.futures.data)
        self._last: tuple[Vector, Mapping[str, float], xr.Dataset] | None = None

    def value(self, normals: Vector, events: Mapping[str, float]) -> float:
        """EUR at 2023 prices, the years without the deal by their factors of the central case."""
        values = self.values_at(normals, events)
        data = self._without_the_deal(self._dataset({self.scenario: run(self.outlook, self.scenario, values)[1]}, values))
        self._last = (np.array(normals), dict(events), data)
        return float(net_present_value(self.case, data, self.terms, floor=False)[0])

    def checked(self, normals: Vector, events: Mapping[str, float]) -> float:
        """The same with both paths."""
        values = self.values_at(normals, events)
        both = {name: run(self.outlook, name, values)[1] for name in dict.fromkeys((BASELINE, self.scenario))}
        return float(net_present_value(self.case, self._dataset(both, values), self.terms, floor=False)[0])

    def slope(self, normals: Vector, events: Mapping[str, float]) -> Vector:
        """Derivatives by the independent normals. (k,)"""
        if self._last is None or not np.array_equal(self._last[0], normals) or self._last[1] != dict(events):
            self.value(normals, events)
        assert self._last is not None
        weights, by_fixed_cost = self._worth_of_years(self._last[2])
        values = self.values_at(normals, events)
        _, by_input = slopes(self.outlook, self.scenario, weights, values)
        by_input[FIXED_COST] = by_input.get(FIXED_COST, 0.0) + by_fixed_cost
        step = 1e-5
        joint = np.eye(len(normals)) @ self.question.factor.T  # what one independent normal does to every input's own
        ends = [
            self.question.in_units(np.asarray(normals) + sign * step * np.linalg.solve(self.question.factor, np.eye(len(normals))).T)
            for sign in (1, -1)
        ]
        own = (np.diagonal(ends[0]) - np.diagonal(ends[1])) / (2 * step)  # each input by its own correlated normal
        return joint @ (own * np.array([self._known(by_input, str(name)) for name in self.question.normals.columns]))

    def _known(self, by_input: Mapping[str, float], name: str) -> float:
        """A slope; zero for a car that no scenario compiled here launches."""
        return 0.0 if ":" in name and name.split(":", 1)[1] not in self.outlook.roster.launched else by_input[name]

    def values_at(self, normals: Vector, events: Mapping[str, float]) -> dict[str, float]:
        """Every input of a path."""
        units = self.question.in_units(np.asarray(normals, float)[None, :])[0]
        own = {str(name): float(value) for name, value in zip(self.question.normals.columns, units, strict=True)}
        return self.outlook.central() | own | {name: float(there) for name, there in events.items()}

    def _dataset(self, years: Mapping[str, Year], values: Mapping[str, float]) -> xr.Dataset:
        firms = list(self.outlook.roster.firms)
        arrays = {
            name: (
                ("scenario", "draw", "year", "firm"),
                np.stack([np.asarray(getattr(one, field))[None, :, : len(firms)] for one in years.values()]),
            )
            for name, field in YEARLY.items()
        }
        data = xr.Dataset(arrays, coords={"scenario": list(years), "draw": [0], "year": list(self.outlook.facts.years), "firm": firms})
        return data.assign({USUAL: self._usual.sel(firm=firms), FIXED_COST: ("draw", [values[FIXED_COST]])})

    def _without_the_deal(self, data: xr.Dataset) -> xr.Dataset:
        """The data with the baseline put beside the scenario."""
        if self.scenario == BASELINE:
            return data
        base = (data[list(YEARLY)].sel(scenario=[self.scenario]) * self._factors).assign_coords(scenario=[BASELINE])
        yearly = xr.concat([base, data[list(YEARLY)]], "scenario").transpose("scenario", "draw", "year", "firm")
        return yearly.assign({name: data[name] for name in (USUAL, FIXED_COST)})

    def _worth_of_years(self, data: xr.Dataset) -> tuple[YearlyWeights, float]:
        """What one more euro of margin or revenue, or one more car, in any year of any company valued is worth to the stake; and what the input on fixed cost is."""
        firms, years = list(map(str, data["firm"].values)), data.sizes["year"]
        asked: Sequence[str] = [name for name in finances(self.case) if name in firms]
        places = [(name, year, firms.index(firm)) for name in STEP for firm in asked for year in range(years)]
        count = 2 * len(places) + 2
        many = data.isel(draw=np.zeros(count, int)).assign_coords(draw=np.arange(count)).copy(deep=True)
        for k, (name, year, firm) in enumerate(places):
            array = many[name].values
            array[:, 2 * k, year, firm] += STEP[name]
            array[:, 2 * k + 1, year, firm] -= STEP[name]
        many[FIXED_COST].values[-2:] += np.array([1e-3, -1e-3])
        found = net_present_value(self.case, many, self.terms, floor=False)
        size = max(self.outlook.base.split.shape[-2], len(firms))
        weights = {name: np.zeros((years, size)) for name in STEP}
        for k, (name, year, firm) in enumerate(places):
            weights[name][year, firm] = (found[2 * k] - found[2 * k + 1]) / (2 * STEP[name])
        made = YearlyWeights("a stake", *(jnp.asarray(weights[name]) for name in STEP))
        return made, float(found[-2] - found[-1]) / 2e-3
