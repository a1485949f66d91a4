"""Years in which best responses at a price threshold went round: where that happened, in how many futures, and what leaving those futures out changes ([7]).

A market without a pure equilibrium at a threshold keeps the sides that leave the least to gain (`keiretsu.outlook.sides`): the path is there, its prices there are
only near to an equilibrium, by what one maker would gain from moving one price, its pool cleared anew (`keiretsu.outlook.side_gains`). Where that is not known, the effect is measured by the futures
that are left when these are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from keiretsu.outlook.ensemble import Ensemble
from keiretsu.outlook.outlook import BASELINE
from keiretsu.study.said import money_with_error

COUNT = "unsettled_sides"
GAIN = "side_gain_eur"


@dataclass(frozen=True)
class WentRound:
    """One market in one year of a scenario.

    Attributes
    ----------
    models
        Choices of side that went round, the most in any one path.
    futures, of_futures
        Futures in which it happened, of so many drawn.
    central
        Whether it happened in the central case.
    gain_eur
        The most that a setter would gain by moving one price, in any of these paths (EUR a year); inf where it is not known.
    """

    scenario: str
    market: str
    year: int
    models: int
    futures: int
    of_futures: int
    central: bool
    gain_eur: float = np.inf


@dataclass(frozen=True)
class LeftOut:
    """What leaving out the futures in which it happened changes: all makers' profit less the baseline's (of the baseline: the profit itself), a mean over
    years and futures, EUR a year. `own` futures are the scenario's, `futures` those left out: the baseline's are too, where changes are looked at. `without_eur`
    is None where no future would be left; `half95_eur` is half of the 95 % interval of `all_eur`."""

    scenario: str
    own: int
    futures: int
    of_futures: int
    all_eur: float
    without_eur: float | None
    half95_eur: float


def sides_that_went_round(futures: Ensemble) -> tuple[WentRound, ...]:
    """A row for every scenario, market and year in which it happened in any future or in the central case; in the order of the central cases."""
    drawn = futures.data if len(futures.inputs) else None
    scenarios = [str(name) for name in futures.central["scenario"].values]
    found: list[WentRound] = []
    for scenario in scenarios:
        middle = _counts(futures.central, scenario)
        counts = np.zeros((0, *middle.shape[1:]), int) if drawn is None else _counts(drawn, scenario)
        either = np.concatenate([middle, counts]) > 0
        gains = np.concatenate([_gains(futures.central, scenario), *([] if drawn is None else [_gains(drawn, scenario)])])
        for t, m in zip(*np.nonzero(either.any(axis=0)), strict=True):
            most = int(max(middle[:, t, m].max(), counts[:, t, m].max(initial=0)))
            market, year = str(futures.central["market"].values[m]), int(futures.central["year"].values[t])
            gain = float(gains[:, t, m][either[:, t, m]].max())
            found.append(WentRound(scenario, market, year, most, int((counts[:, t, m] > 0).sum()), len(counts), bool(middle[0, t, m]), gain))
    return tuple(found)


def left_out(futures: Ensemble) -> tuple[LeftOut, ...]:
    """Drawn scenarios in any of whose futures it happened; a change is touched by the baseline's futures as well."""
    found: list[LeftOut] = []
    if not len(futures.inputs):
        return ()
    touched = {str(name): (_counts(futures.data, str(name)) > 0).any(axis=(1, 2)) for name in futures.data["scenario"].values}
    profit = futures.data["firm_profit_eur"].sum("firm").mean("year")
    for scenario, here in touched.items():
        out = here if scenario == BASELINE else here | touched[BASELINE]
        if not here.any():
            continue
        values = profit.sel(scenario=[scenario])
        values = values if scenario == BASELINE else values - profit.sel(scenario=BASELINE, drop=True)
        error = float(futures.error(values).values[0])
        each = values.transpose("draw", "scenario").values[:, 0]
        without = float(each[~out].mean()) if (~out).any() else None
        found.append(LeftOut(scenario, int(here.sum()), int(out.sum()), len(each), float(each.mean()), without, error))
    return tuple(found)


def went_round_sentences(
    rows: Sequence[WentRound], effects: Sequence[LeftOut], titles: Mapping[str, str], markets: Mapping[str, str], currency: str, end: str
) -> tuple[str, ...]:
    """One sentence about all scenarios in which it is known what would be gained; for each other one where it happened, in how many paths, what leaving them out
    changes. `end` closes a sentence about money."""
    effect_of = {one.scenario: one for one in effects}
    of_scenario = {name: [row for row in rows if row.scenario == name] for name in dict.fromkeys(row.scenario for row in rows)}
    known = {name: mine for name, mine in of_scenario.items() if all(np.isfinite(row.gain_eur) for row in mine)}
    found: list[str] = []
    if known:
        most = max(row.gain_eur for mine in known.values() for row in mine)
        paths = [f"{_title(name, titles)} in {' and '.join(_paths(mine, effect_of.get(name)))}" for name, mine in known.items()]
        found.append(
            "At a price threshold some paths have prices that are only near to an equilibrium, those with the least to gain: "
            f"{', '.join(paths)}. No maker would gain more than {money_with_error(most, 0.0, currency)} a year by moving one price{end}"
        )
    for scenario, mine in of_scenario.items():
        if scenario in known:
            continue
        title = _title(scenario, titles)
        places = [f"{markets.get(m, m)} in {_years([r.year for r in mine if r.market == m])}" for m in dict.fromkeys(r.market for r in mine)]
        one = effect_of.get(scenario)
        paths = _paths(mine, one)
        text = f"No set of prices was an equilibrium at a price threshold, and the last ones were kept: {title}, {', '.join(places)}, "
        if one is None:
            found.append(f"{text}in {paths[0]}.")
            continue
        text += " and ".join(paths)
        profit = "All makers' profit a year" if scenario == BASELINE else "The change in all makers' profit a year"
        without = "without them" if one.futures == one.own else f"without these and those in which the baseline went round ({one.futures} in all)"
        if one.without_eur is None:
            found.append(f"{text}. No future is left {without}.")
            continue
        whole = money_with_error(one.all_eur, one.half95_eur, currency)
        rest = money_with_error(one.without_eur, one.half95_eur, currency, alone=True)
        found.append(f"{text}. {profit} is {whole} over all futures and {rest} {without}{end}")
    return tuple(found)


def _title(scenario: str, titles: Mapping[str, str]) -> str:
    return "the baseline" if scenario == BASELINE else f"“{titles.get(scenario, scenario)}”"


def _paths(rows: Sequence[WentRound], effect: LeftOut | None) -> list[str]:
    """``its central case``, ``5 of 32 futures``."""
    return [
        *(["its central case"] if any(row.central for row in rows) else []),
        *([] if effect is None else [f"{effect.own} of {effect.of_futures} futures"]),
    ]


def _years(years: Sequence[int]) -> str:
    """``2026``, ``2026 and 2028``, ``2026, 2027 and 2030``."""
    listed = [str(year) for year in sorted(set(years))]
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}"


def _counts(data: xr.Dataset, scenario: str) -> np.ndarray:
    """Choices that went round, (draw, year, market); none where a scenario was not drawn or the arrays do not say."""
    if COUNT not in data or scenario not in data["scenario"].values:
        return np.zeros((data.sizes["draw"], data.sizes["year"], data.sizes["market"]), int)
    return data[COUNT].sel(scenario=scenario).transpose("draw", "year", "market").values.astype(int)


def _gains(data: xr.Dataset, scenario: str) -> np.ndarray:
    """What one setter would gain by moving one price, EUR a year, (draw, year, market); inf where the arrays do not say."""
    if GAIN not in data or scenario not in data["scenario"].values:
        return np.full((data.sizes["draw"], data.sizes["year"], data.sizes["market"]), np.inf)
    return data[GAIN].sel(scenario=scenario).transpose("draw", "year", "market").values
