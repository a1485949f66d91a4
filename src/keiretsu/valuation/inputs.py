"""What valuation takes from an ensemble of futures: yearly margins, sales and what else can be observed, by draw, year and firm.

The only module that knows the names of the ensemble's variables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import xarray as xr

from keiretsu.errors import Problem, ValuationError
from keiretsu.typing import Vector

BASELINE = "baseline"
FIXED_COST = "fixed_cost"  # uncertain input, and variable (draw) of a data set that knows it
USUAL = "usual_margin_rate"  # variable (firm) of a data set whose draws are not compared with each other, but with those of a whole ensemble

# What a contract may refer to, because it is published or can be audited: variable of the ensemble, its dimension beyond draw and year.
OBSERVABLE: dict[str, str] = {
    "firm_units": "firm",
    "firm_electric_units": "firm",
    "firm_revenue_eur": "firm",
    "firm_profit_eur": "firm",
    "firm_battery_gwh": "firm",
    "pack_price_eur_kwh": "",
}


class Futures(Protocol):
    """An ensemble as valuation sees it: the same draws in every scenario (`data`), and one draw with every input at its centre (`central`)."""

    @property
    def data(self) -> xr.Dataset:
        """Dimensions scenario, draw, year, firm and others."""
        ...

    @property
    def central(self) -> xr.Dataset:
        """The same with one draw."""
        ...


@dataclass(frozen=True, eq=False)
class Prospects:
    """What the years bring to each firm under one scenario, before fixed cost; N draws, T years, F firms.

    Attributes
    ----------
    margin_eur, revenue_eur
        EUR a year at 2023 prices, simulated markets only. (N, T, F)
    units, electric_units
        Cars a year. (N, T, F)
    planned_revenue_eur, planned_units
        Revenue and cars that overhead, research and plants are sized for: see `keiretsu.valuation.cash_flow`. (N, T, F)
    fixed_cost
        Fixed cost as a multiple of the stated one, by draw. (N,)
    excess
        Margin over revenue in the first year of the baseline, less its median over draws. (N, F)
    """

    scenario: str
    firms: tuple[str, ...]
    years: np.ndarray
    margin_eur: np.ndarray
    revenue_eur: np.ndarray
    units: np.ndarray
    electric_units: np.ndarray
    planned_revenue_eur: np.ndarray
    planned_units: np.ndarray
    fixed_cost: np.ndarray
    excess: np.ndarray

    @property
    def draws(self) -> int:
        """Number of draws."""
        return len(self.margin_eur)

    def of(self, company: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Margin, revenue and cars (N, T) of a company; zeros for one that sells nothing in the simulated markets (a holding)."""
        if company not in self.firms:
            nothing = np.zeros(self.margin_eur.shape[:2])
            return nothing, nothing, nothing
        k = self.firms.index(company)
        return self.margin_eur[:, :, k], self.revenue_eur[:, :, k], self.units[:, :, k]

    def planned(self, company: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Revenue and cars (N, T) that a company is sized for, and its cost that is not marginal; zeros for one that sells nothing in the simulated markets.

        The last is the cost that a draw's margins imply beyond the stated one, so that all draws agree with the same accounts.

        How sensitive buyers are to prices is uncertain, and with it the margin over *marginal* cost; the operating profit that a company reported is
        not. A draw with larger margins has larger costs of the other kind, in the same proportion to that revenue.
        """
        if company not in self.firms:
            nothing = np.zeros(self.margin_eur.shape[:2])
            return nothing, nothing, nothing
        k = self.firms.index(company)
        revenue = self.planned_revenue_eur[:, :, k]
        return revenue, self.planned_units[:, :, k], self.excess[:, k, None] * revenue


def with_own_inputs(futures: Futures) -> xr.Dataset:
    """The draws with those uncertain inputs that move no price and that the valuation itself uses; a copy where the ensemble has them, else the data as they are."""
    inputs = getattr(futures, "inputs", None)
    if inputs is None or FIXED_COST not in inputs or len(inputs) != futures.data.sizes["draw"]:
        return futures.data
    return futures.data.assign({FIXED_COST: ("draw", inputs[FIXED_COST].to_numpy(float))})


def prospects(data: xr.Dataset, scenario: str, sized_by: str = "") -> Prospects:
    """Read one scenario of an ensemble's data set; `sized_by` names the scenario whose revenue companies are sized for, itself when empty.

    Raises
    ------
    ValuationError
        When the ensemble has no such scenario, or lacks a variable.
    """
    _refuse_unknown(data, BASELINE, ())
    _refuse_unknown(data, scenario, ("firm_profit_eur", "firm_revenue_eur", "firm_units", "firm_electric_units"))
    chosen, planned = data.sel(scenario=scenario), data.sel(scenario=sized_by or scenario)

    def array(name: str, of: xr.Dataset = chosen) -> np.ndarray:
        return np.asarray(of[name].transpose("draw", "year", "firm").values, dtype=float)

    return Prospects(
        scenario,
        tuple(str(name) for name in data["firm"].values),
        np.asarray(data["year"].values, dtype=int),
        array("firm_profit_eur"),
        array("firm_revenue_eur"),
        array("firm_units"),
        array("firm_electric_units"),
        array("firm_revenue_eur", planned),
        array("firm_units", planned),
        np.asarray(data[FIXED_COST].values, float) if FIXED_COST in data else np.ones(data.sizes["draw"]),
        _excess(data),
    )


def usual_margin_rate(data: xr.Dataset) -> xr.DataArray:
    """Median over draws of each firm's margin over revenue in the first year of the baseline: what `USUAL` holds for draws that are valued one at a time. (firm)"""
    return xr.DataArray(np.median(_first_margin_rate(data), axis=0), dims="firm", coords={"firm": data["firm"].values})


def _excess(data: xr.Dataset) -> np.ndarray:
    rate = _first_margin_rate(data)
    return rate - (np.asarray(data[USUAL].values, dtype=float) if USUAL in data else np.median(rate, axis=0))


def _first_margin_rate(data: xr.Dataset) -> np.ndarray:
    first = data[["firm_profit_eur", "firm_revenue_eur"]].sel(scenario=BASELINE).isel(year=0)
    margin, revenue = (np.asarray(first[name].transpose("draw", "firm").values, dtype=float) for name in ("firm_profit_eur", "firm_revenue_eur"))
    return np.divide(margin, revenue, out=np.zeros_like(margin), where=revenue > 0)  # a firm that does not sell yet has no margin to compare


def observed(data: xr.Dataset, scenario: str, measure: str, company: str, year: int) -> Vector:
    """What can be seen of a measure in a year, by draw. (N,)

    Raises
    ------
    ValuationError
        When nobody can observe the measure, or the ensemble does not reach the year or know the company.
    """
    where = f"{measure} of {company or 'the world'} in {year}"
    if measure not in OBSERVABLE:
        raise ValuationError(
            Problem("a milestone that nobody can observe", where, measure, f"one of {', '.join(OBSERVABLE)}", "tie the money to something published")
        )
    _refuse_unknown(data, scenario, (measure,))
    chosen = data[measure].sel(scenario=scenario)
    if year not in data["year"].values:
        raise ValuationError(Problem("a milestone outside the years simulated", where, str(year), _span(data)))
    chosen = chosen.sel(year=year)
    if OBSERVABLE[measure] == "firm":
        if company not in data["firm"].values:
            raise ValuationError(
                Problem("a milestone of a company that sells nothing", where, company, "a company with sales in the simulated markets")
            )
        chosen = chosen.sel(firm=company)
    return np.asarray(chosen.values, dtype=float)


def scenarios_of(data: xr.Dataset) -> tuple[str, ...]:
    """Names of the scenarios of an ensemble."""
    return tuple(str(name) for name in data["scenario"].values)


def _refuse_unknown(data: xr.Dataset, scenario: str, needed: Sequence[str]) -> None:
    problems = []
    if scenario not in scenarios_of(data):
        problems.append(Problem("the ensemble has no such scenario", "valuation", scenario, f"one of {', '.join(scenarios_of(data))}"))
    problems += [
        Problem("the ensemble lacks a variable", "valuation", ", ".join(map(str, data.data_vars)), name) for name in needed if name not in data
    ]
    if problems:
        raise ValuationError(problems)


def _span(data: xr.Dataset) -> str:
    years = data["year"].values
    return f"{int(years.min())} to {int(years.max())}"
