"""Demand parameters of a case fitted to its targets, and targets beside what the model gives ([6])."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import equinox as eqx
import numpy as np
import pandas as pd

from keiretsu.case import Case
from keiretsu.demand.calibration import Calibration, Free, Margins, ObservedMarket, Trial, calibrate, moments_at, spread
from keiretsu.demand.moments import Target
from keiretsu.demand.preferences import Preferences
from keiretsu.demand.tastes import Tastes
from keiretsu.errors import CaseError, Problem
from keiretsu.market.build import observed_market, observed_wedges, preferences_of, rule_of, uncalibrated
from keiretsu.market.characteristics import characteristic_matrix
from keiretsu.market.market import kappa_of, rows_of, weights_of
from keiretsu.market.padding import padded, shape_of, spacious
from keiretsu.market.world import World
from keiretsu.numerics.host import host
from keiretsu.supply.cost import recover_costs
from keiretsu.supply.wedges import paid
from keiretsu.typing import Vector

PLAIN = ("price_taste", "income_power", "price_sigma", "sigma_group", "sigma_sub")
POTENTIAL = "potential"


@dataclass(frozen=True)
class FittedCase:
    """What `keiretsu calibrate` shows.

    Attributes
    ----------
    parameters
        parameter, shipped (what case.toml says), fitted, low, high, and whether it stands at a bound.
    fit
        Targets, their ranges and sources beside the fitted moments.
    objective
        Sum of weighted squared deviations, in units of half of each target's range.
    case
        The case with the fitted parameters, and potentials, in place of its own: ready to be run.
    """

    parameters: pd.DataFrame
    fit: pd.DataFrame
    objective: float
    case: Case


def calibrate_case(case: Case) -> FittedCase:
    """Fit the free parameters of section [calibration] to targets.csv, starting from what case.toml says.

    Raises
    ------
    CaseError
        When the case has no targets or no free parameters, or a target or parameter cannot be read.
    """
    free = free_parameters(case)
    targets, world = targets_of(case), uncalibrated(case, preferences_of(case), rule_of(case))
    if not targets or not free:
        raise CaseError(
            Problem(
                "nothing to calibrate",
                case.name,
                f"{len(targets)} targets, {len(free)} free parameters",
                "rows in targets.csv and [calibration.free]",
            )
        )
    found = calibrate(observed_markets(world), targets, free, Trial(world.preferences), margins_of(world))
    shipped = {f.name: f.start for f in free}
    parameters = pd.DataFrame(
        [
            {
                "parameter": f.name,
                "shipped": shipped[f.name],
                "fitted": found.parameters[f.name],
                "low": f.low,
                "high": f.high,
                "at_bound": f.name in found.at_bound,
            }
            for f in free
        ]
    )
    fit = found.table.rename(columns={"id": "target", "target": "value"})
    return FittedCase(parameters, fit, found.objective, with_trial(case, found.trial))


def with_trial(case: Case, trial: Trial) -> Case:
    """The case with the preferences of a trial point and its potentials multiplied; sales stay, so shares of potential buyers change."""
    fitted = trial.preferences
    random = tuple(dataclasses.replace(setting, sigma=taste.sigma) for setting, taste in zip(case.demand.random, fitted.random, strict=True))
    demand = dataclasses.replace(case.demand, **{name: getattr(fitted, name) for name in PLAIN}, random=random)
    scale = trial.potential_scale
    markets = case.markets.assign(potential=case.markets["potential"] * scale, outside_share=1 - (1 - case.markets["outside_share"]) / scale)
    products = case.products.assign(share=case.products["share"] / scale)
    return dataclasses.replace(case, demand=demand, tables={**case.tables, "markets": markets, "products": products})


def calibration_table(case: Case, world: World) -> pd.DataFrame:
    """Targets beside the moments of the world as it stands: target, kind, value, low, high, fitted, within_range, weight, source.

    A case without targets has an empty table.
    """
    targets = targets_of(case)
    columns = ["target", "kind", "value", "low", "high", "fitted", "within_range", "weight", "source"]
    if not targets:
        return pd.DataFrame(columns=columns)
    fitted = moments_at(observed_markets(world), targets, Trial(world.preferences), margins_of(world))
    rows = [
        (t.id, t.kind, t.value, t.low, t.high, float(x), bool(t.low <= x <= t.high), t.weight, t.source) for t, x in zip(targets, fitted, strict=True)
    ]
    return pd.DataFrame(rows, columns=columns)


def parameter_spread(case: Case, fit: Calibration, count: int, seed: int) -> pd.DataFrame:
    """Parameters refitted to `count` draws of the targets from their stated ranges, one row each."""
    world = uncalibrated(case, preferences_of(case), rule_of(case))
    return spread(observed_markets(world), targets_of(case), free_parameters(case), fit, margins_of(world), count, seed)


def observed_markets(world: World) -> list[ObservedMarket]:
    """Base-year observations of every market, as calibration reads them."""
    found: list[ObservedMarket] = []
    shifts = world.preferences.kind_taste.values()
    names = list(dict.fromkeys([taste.characteristic for taste in world.preferences.random] + [name for shift in shifts for name in shift]))
    for name, facts in world.markets.items():
        rows = rows_of(world, name)
        wedges = observed_wedges(world, name, rows)
        price = rows["price_eur"].to_numpy(float)
        found.append(
            ObservedMarket(
                id=name,
                products=tuple(rows["product"]),
                share=rows["units"].to_numpy(float) / facts.potential,
                potential=facts.potential,
                price=price,
                paid=np.asarray(paid(wedges, host(price))),
                buyer_rate=np.asarray(wedges.buyer_rate),
                n_models=rows["n_models"].to_numpy(float),
                consumers=facts.consumers,
                characteristics=dict(zip(names, characteristic_matrix(rows, names).T, strict=True)),
                nest_labels=tuple(tuple(rows[column].astype(str)) for column in world.preferences.nest_columns),
                available=np.ones(len(rows), bool),
            )
        )
    return found


def margins_of(world: World) -> Margins:
    """Relative margins that a market's observed prices imply at given tastes, under the world's ownership rule."""
    kappa = kappa_of(world, world.firms())
    cut = {name: observed_market(world, name, kappa) for name in world.markets}
    shape = spacious(shape_of([market for market, _ in cut.values()]))

    def margins(observed: ObservedMarket, tastes: Tastes) -> Vector:
        market, rows = cut[observed.id]
        plain, transfers = weights_of(rows, world.firms(), kappa)
        m = padded(eqx.tree_at(lambda x: (x.tastes, x.weights), market, (tastes, plain)), shape)
        cost = recover_costs(m.tastes, m.wedges, m.weights, m.start, transfers=transfers, where=f"market {observed.id}", labels=observed.products)
        return 1.0 - np.asarray(cost)[: len(rows)] / observed.price

    return margins


def targets_of(case: Case) -> list[Target]:
    """Rows of targets.csv as moments.

    Raises
    ------
    CaseError
        For every row whose `of` cannot be read or selects nothing.
    """
    world_rows = case.products.assign(firm=case.products["priced_by"])
    problems: list[Problem] = []
    found: list[Target] = []
    for _, row in case.targets.iterrows():
        chosen = _selected(world_rows, str(row["of"]), str(row["row"]), problems)
        markets = [row["market"]] if row["market"] else list(case.markets["market"])
        masks = {name: chosen[(world_rows["market"] == name).to_numpy()] for name in markets}
        if not any(mask.any() for mask in masks.values()):
            problems.append(
                Problem(
                    "a target about no product", str(row["row"]), f"of = {row['of']!r}, market {row['market'] or 'all'}", "products on sale there"
                )
            )
        found.append(Target(row["id"], row["kind"], row["value"], row["low"], row["high"], masks, weight=row["weight"], source=row["source"]))
    if problems:
        raise CaseError(problems)
    return found


def free_parameters(case: Case) -> list[Free]:
    """Parameters that [calibration.free] frees, with their bounds; [calibration.free.random] frees the spread of random tastes.

    Raises
    ------
    CaseError
        For every name that is no parameter and every pair that is no pair of bounds.
    """
    preferences, problems, found = preferences_of(case), list[Problem](), list[Free]()
    free = case.calibration.get("free", {})
    for name, bounds in free.items():
        if name == "random":
            continue
        if name not in (*PLAIN, POTENTIAL):
            problems.append(Problem("no such parameter", "case.toml, [calibration.free]", name, f"one of {', '.join((*PLAIN, POTENTIAL, 'random'))}"))
        elif pair := _bounds(name, bounds, problems):
            start = 1.0 if name == POTENTIAL else float(getattr(preferences, name))
            found.append(Free(name, start, *pair, put=_putter(name)))
    spreads = {taste.characteristic: taste.sigma for taste in preferences.random}
    for name, bounds in free.get("random", {}).items():
        if name not in spreads:
            problems.append(
                Problem(
                    "no such random taste",
                    "case.toml, [calibration.free.random]",
                    name,
                    f"one of {sorted(spreads)}",
                    "add it under [[demand.random]]",
                )
            )
        elif pair := _bounds(name, bounds, problems):
            found.append(Free(f"sigma of {name}", spreads[name], *pair, put=_random_putter(name)))
    if problems:
        raise CaseError(problems)
    return found


def _selected(rows: pd.DataFrame, text: str, place: str, problems: list[Problem]) -> np.ndarray:
    """Products that `of` means: ``column=value`` pairs with a comma between them; nothing means all."""
    chosen = np.ones(len(rows), bool)
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        column, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or column not in rows.columns:
            problems.append(Problem("cannot tell which products a target is about", place, text, "column=value, with a column of products.csv"))
            continue
        chosen &= (rows[column].astype(str) == value).to_numpy()
    return chosen


def _bounds(name: str, bounds: object, problems: list[Problem]) -> tuple[float, float] | None:
    if isinstance(bounds, Sequence) and len(bounds) == 2 and all(isinstance(x, (int, float)) for x in bounds):
        return float(bounds[0]), float(bounds[1])
    problems.append(Problem("bounds are two numbers", f"case.toml, [calibration.free], {name}", repr(bounds), "[low, high]"))
    return None


def _putter(name: str):
    def put(trial: Trial, value: float) -> Trial:
        if name == POTENTIAL:
            return dataclasses.replace(trial, potential_scale=value)
        changes: Mapping[str, float] = {name: value}
        return dataclasses.replace(trial, preferences=dataclasses.replace(trial.preferences, **changes))

    return put


def _random_putter(characteristic: str):
    def put(trial: Trial, value: float) -> Trial:
        random = tuple(dataclasses.replace(t, sigma=value) if t.characteristic == characteristic else t for t in trial.preferences.random)
        changed: Preferences = dataclasses.replace(trial.preferences, random=random)
        return dataclasses.replace(trial, preferences=changed)

    return put
