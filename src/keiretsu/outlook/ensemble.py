"""Every scenario under the same draws, as labelled arrays ([12])."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr

from keiretsu.errors import NotSettled
from keiretsu.outlook.error import band, half_width
from keiretsu.outlook.outlook import BASELINE, Outlook
from keiretsu.outlook.pieces import BY_FIRM, BY_MARKET, BY_PRODUCT, BY_RULED, BY_RULED_FIRM, BY_YEAR, CENTRAL, Piece, groups_of, pieces_of, run_group
from keiretsu.outlook.quotas import CARS_BEYOND, QUOTA_PRICE
from keiretsu.outlook.uncertain import Draws

OnStep = Callable[[int, int, str], None]
Arrays = Mapping[str, np.ndarray]
BLOCK = 4


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Outcomes by scenario, draw and year.

    Attributes
    ----------
    data
        Dimensions scenario, draw, year, market, product, firm, owner, ruled (a maker under a fleet rule, where there are such); each variable says
        its unit. Product variables are there when they were kept;
        a product that is not on sale has zero units, price and margin.
    inputs
        Values of every uncertain input. (draw x input)
    normals
        The independent standard normals behind those that have a spread. (draw x input)
    central
        The same variables for the central case, with a draw dimension of one; it may have scenarios that were not drawn.
    settings
        What must be the same for the same numbers to come out.
    """

    data: xr.Dataset
    inputs: pd.DataFrame
    normals: pd.DataFrame
    central: xr.Dataset
    settings: Mapping[str, object]

    def without(self, scenarios: Iterable[str]) -> Ensemble:
        """The same futures without some scenarios."""
        left_out = set(scenarios)
        kept = [name for name in self.central["scenario"].values if str(name) not in left_out]
        drawn = [name for name in self.data["scenario"].values if str(name) not in left_out]
        return replace(self, central=self.central.sel(scenario=kept), data=self.data.sel(scenario=drawn))

    @property
    def replicates(self) -> int:
        """Independent scrambles among the draws."""
        return int(self.settings["replicates"])  # type: ignore[call-overload]

    def error(self, quantity: xr.DataArray) -> xr.DataArray:
        """Monte-Carlo error (half of a 95 % interval) of the quantity's mean over draws, in its own unit."""
        return self._over_draws(quantity, lambda values: half_width(values, self.replicates))

    def band(self, quantity: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
        """10th and 90th percentile over draws."""
        return self._over_draws(quantity, lambda v: band(v)[0]), self._over_draws(quantity, lambda v: band(v)[1])

    def change(self, variable: str) -> xr.DataArray:
        """A variable less its baseline in the same draw, for every scenario but the baseline."""
        values = self.data[variable]
        others = [name for name in values["scenario"].values if name != BASELINE]
        return values.sel(scenario=others) - values.sel(scenario=BASELINE, drop=True)

    @staticmethod
    def _over_draws(quantity: xr.DataArray, of: Callable[[np.ndarray], np.ndarray]) -> xr.DataArray:
        first = quantity.transpose("draw", ...)
        return xr.DataArray(
            of(first.values), dims=first.dims[1:], coords={k: v for k, v in first.coords.items() if "draw" not in v.dims}, attrs=first.attrs
        )


def ensemble(
    outlook: Outlook,
    draws: Draws,
    scenarios: Sequence[str],
    block: int,
    threads: int,
    products: bool,
    on_step: OnStep,
    settings: Mapping[str, object],
) -> Ensemble:
    """Run `scenarios` (the baseline among them) under all draws in this process.

    Raises
    ------
    NotSettled
        For the first path that is none.
    """
    pieces = pieces_of(scenarios, len(draws.values), block, scenarios)
    done: dict[Piece, Arrays] = {}
    on_step(0, len(pieces), "years ahead")
    with ThreadPoolExecutor(threads) as pool:
        waiting = [
            pool.submit(lambda some: list(run_group(outlook, some, values_of(outlook, draws, some[0]), products)), group)
            for group in groups_of(pieces)
        ]
        try:
            for finished in as_completed(waiting):
                for piece, found in finished.result():
                    if isinstance(found, NotSettled):
                        raise found
                    done[piece] = found
                    on_step(len(done), len(pieces), f"years ahead: {piece.name}")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return assembled(outlook, draws, done, {**settings, "block": block})


def values_of(outlook: Outlook, draws: Draws, piece: Piece) -> list[dict[str, float]]:
    """Values of a piece's draws."""
    return [outlook.central()] if piece.block == CENTRAL else [draws.row(d) for d in piece.draws]


def assembled(outlook: Outlook, draws: Draws, done: Mapping[Piece, Arrays], settings: Mapping[str, object]) -> Ensemble:
    """Pieces put together, in an order that does not depend on when each was finished."""
    scenarios = [name for name in outlook.scenarios if any(piece.scenario == name for piece in done)]
    central, sampled = {}, {}
    for name in scenarios:
        mine = sorted(piece for piece in done if piece.scenario == name)
        central[name] = [done[piece] for piece in mine if piece.block == CENTRAL]
        sampled[name] = [done[piece] for piece in mine if piece.block != CENTRAL]
    made = {
        "seed_replicates": draws.replicates,
        "replicates": draws.replicates,
        "years": list(outlook.facts.years),
        "draws": len(draws.values),
        "versions": {name: importlib.metadata.version(name) for name in ("jax", "jaxlib", "numpy", "scipy", "equinox")},
        **settings,
    }
    drawn = [name for name in scenarios if sampled[name]]
    middle = _dataset(outlook, central, scenarios, [outlook.central()])
    data = _dataset(outlook, sampled, drawn, [draws.row(d) for d in range(len(draws.values))]) if drawn else middle
    return Ensemble(data, draws.values, draws.normals, middle, made)


def _dataset(outlook: Outlook, parts: Mapping[str, Sequence[Arrays]], scenarios: Sequence[str], values: Sequence[Mapping[str, float]]) -> xr.Dataset:
    first = parts[scenarios[0]][0]
    joined = {name: np.stack([np.concatenate([part[name] for part in parts[s]]) for s in scenarios]) for name in first}
    firms = outlook.roster.firms
    markets = list(outlook.roster.rows)
    head = ("scenario", "draw", "year")
    count = joined["firm_profit"].shape[1]
    found: dict[str, tuple[tuple[str, ...], np.ndarray, dict[str, str]]] = {}
    for field, (name, unit) in BY_FIRM.items():
        found[name] = ((*head, "firm"), joined[field][..., : len(firms)], {"unit": unit})
    for field, (name, unit) in BY_MARKET.items():
        found[name] = ((*head, "market"), joined[field], {"unit": unit})
    for name, unit in (CARS_BEYOND, QUOTA_PRICE):
        if name in joined:
            found[name] = ((*head, "market"), joined[name], {"unit": unit})
    for field, (name, unit) in BY_YEAR.items():
        found[name] = (head, joined[field], {"unit": unit})
    for field, (name, unit) in BY_RULED_FIRM.items():
        if field in joined:
            found[name] = ((*head, "firm"), joined[field][..., : len(firms)], {"unit": unit})
    for field, (name, unit) in BY_RULED.items():
        if field in joined:
            found[name] = ((*head, "ruled"), joined[field], {"unit": unit})
    held = np.stack([_claimed(outlook, s, profit, values) for s, profit in zip(scenarios, joined["firm_profit"], strict=True)])
    found["owner_claim_eur"] = ((*head, "owner"), held, {"unit": "EUR/yr"})
    coords: dict[str, object] = {
        "scenario": list(scenarios),
        "draw": np.arange(count),
        "year": list(outlook.facts.years),
        "market": markets,
        "firm": list(firms),
        "owner": list(outlook.owners),
    }
    if outlook.ruled.makers:
        coords["ruled"] = list(outlook.ruled.labels)
    if "units" in joined:
        ids = list(dict.fromkeys(str(p) for rows in outlook.roster.rows.values() for p in rows["product"]))
        coords["product"] = ids
        for field, (name, unit) in BY_PRODUCT.items():
            found[name] = ((*head, "market", "product"), _by_id(outlook, joined[field], ids), {"unit": unit})
    return xr.Dataset({name: (dims, values, attrs) for name, (dims, values, attrs) in found.items()}, coords=coords)


def _claimed(outlook: Outlook, scenario: str, profit: np.ndarray, values: Sequence[Mapping[str, float]]) -> np.ndarray:
    """What owners get of firms' profit (draw, T, F), with the stakes that each draw's events make. (draw, T, owner)"""
    branches = [outlook.branch(scenario, one) for one in values]
    out = np.empty((*profit.shape[:2], len(outlook.owners)))
    for name in dict.fromkeys(branches):
        draws = [d for d, branch in enumerate(branches) if branch == name]
        out[draws] = np.einsum("tof,dtf->dto", outlook.claims[name], profit[draws])
    return out


def _by_id(outlook: Outlook, slots: np.ndarray, ids: Sequence[str]) -> np.ndarray:
    """Slots of each market under the products' names; a product has one slot on sale at most in a scenario."""
    place = {product: i for i, product in enumerate(ids)}
    out = np.zeros((*slots.shape[:-1], len(ids)), slots.dtype)
    for m, rows in enumerate(outlook.roster.rows.values()):
        for slot, product in enumerate(rows["product"].astype(str)):
            out[..., m, place[product]] += slots[..., m, slot]
    return out
