"""Results on disk: labelled arrays, plain CSV tables with units in their column names, and a manifest that says what made them.

A folder of results is either whole or not there: everything is written next to it first and moved into place at the end.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from keiretsu.errors import InputError, Problem
from keiretsu.outlook.ensemble import Ensemble
from keiretsu.study.answered import Answer
from keiretsu.study.results import Results
from keiretsu.study.storage import named_disk_errors

MANIFEST = "manifest.json"
POLICY_TABLES = (
    "policies", "policy_effects", "policy_bands", "stuck", "budgets", "pools", "payments", "pooling", "lookback", "lookback_errors", "nearly",
    "unsettled",
)  # fmt: skip

# Columns whose name says no unit, as they are called on disk.
_NAMED_WITH_UNIT: Mapping[str, str] = {
    "units": "sales_cars_per_year",
    "share": "share_of_potential_buyers",
    "share_sold": "share_of_potential_buyers_who_buy",
    "electric_units": "electric_sales_cars_per_year",
    "electric_share": "electric_share_of_sales",
    "potential": "potential_buyers_per_year",
    "buyers": "buyers_per_year",
    "co2_gkm": "co2_g_per_km",
    "co2_g_km": "co2_g_per_km",
    "cash_flow": "cash_flow_share",
    "votes": "votes_share",
    "direct": "direct_share",
    "look_through": "look_through_share",
    "cars": "cars_per_year",
    "balance": "balance_gram_per_km_times_cars_or_cars_missing",
    "pool_balance": "pool_balance_gram_per_km_times_cars_or_cars_missing",
}
AGAIN = "make room and run it again: years ahead that are done are kept"
_SIDES = ("_base", "_scenario", "_change_percent", "_change")

# variable: (column of the outcome's product table, unit, what it is)
_BY_PRODUCT: Mapping[str, tuple[str, str]] = {
    "price_eur": ("EUR", "maker's price net of VAT and of any incentive"),
    "paid_eur": ("EUR", "mean price the buyer pays"),
    "cost_eur": ("EUR", "marginal cost"),
    "margin_eur": ("EUR", "unit margin"),
    "units": ("cars a year", "cars sold"),
    "profit_eur": ("EUR a year", "unit margin times cars sold"),
}


@dataclass(frozen=True, eq=False)
class Draft:
    """Files of results that were made before all of the results were there: the text of each table by its name."""

    results: Results
    texts: Mapping[str, str]

    def serves(self, name: str, results: Results) -> bool:
        """Whether a table of `results` is the one that was drafted: nothing it could be made from differs."""
        changed = {one.name for one in dataclasses.fields(Results) if getattr(results, one.name) is not getattr(self.results, one.name)}
        return name in self.texts and name not in changed and changed <= {"manifest", *POLICY_TABLES}


def draft_of(results: Results) -> Draft:
    """The tables of some results as text, for a `save_results` of the same ones with the years ahead."""
    return Draft(results, {name: _text(frame) for name, frame in named_tables(results).items()})


def _text(frame: pd.DataFrame) -> str:
    return frame.rename(columns=column_on_disk).to_csv(index=False)


def save_results(results: Results, folder: Path, draft: Draft | None = None) -> Path:
    """Write tables, arrays and manifest of a run into an existing folder.

    Parameters
    ----------
    folder
        Must exist; files of the same names are written over. See `whole_folder` for a folder that is never half-written.
    draft
        Tables that were made before, see `draft_of`; those that have changed since are made anew.

    Returns
    -------
    Path
        The manifest, which lists every file with its size and columns.
    """
    tables = folder / "tables"
    tables.mkdir(exist_ok=True)
    contents: dict[str, object] = {}
    for name, frame in named_tables(results).items():
        path = tables / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = draft.texts[name] if draft and draft.serves(name, results) else _text(frame)
        path.write_text(text, encoding="utf-8", newline="")
        contents[f"tables/{name}.csv"] = {"rows": len(frame), "columns": [column_on_disk(str(column)) for column in frame.columns]}
    arrays(results).to_netcdf(folder / "arrays.nc", engine="scipy")
    contents["arrays.nc"] = {"format": "NetCDF 3", "read_with": "xarray.open_dataset"}
    if isinstance(results, Answer) and results.futures is not None:
        contents |= _save_futures(results.futures, folder)
    said = results.every_sentence if isinstance(results, Answer) else results.sentences
    manifest = {**results.manifest, "sentences": list(said), "files": contents}
    path = folder / MANIFEST
    path.write_text(json.dumps(manifest, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    return path


def _save_futures(futures: Ensemble, folder: Path) -> dict[str, object]:
    """The years ahead: draws and central cases as labelled arrays, what each draw took inputs to be as a table."""
    read = {"format": "NetCDF 3", "read_with": "xarray.open_dataset"}
    futures.data.to_netcdf(folder / "years.nc", engine="scipy")
    futures.central.to_netcdf(folder / "years_central.nc", engine="scipy")
    inputs = futures.inputs.rename_axis("draw").reset_index()
    inputs.to_csv(folder / "tables" / "years_inputs.csv", index=False, encoding="utf-8")
    table = {"rows": len(inputs), "columns": [str(column) for column in inputs.columns]}
    return {"years.nc": read, "years_central.nc": read, "tables/years_inputs.csv": table}


def named_tables(results: Results) -> dict[str, pd.DataFrame]:
    """Every table of a run by the name of its file; tables of a scenario in a folder of its name."""
    found: dict[str, pd.DataFrame] = {
        "headline": results.headline,
        "rules": results.rules,
        "concentration": results.concentration,
        "calibration": results.calibration,
        "diagnostics": results.diagnostics,
        **{name: getattr(results, name) for name in POLICY_TABLES},
    }
    for name, outcome in results.outcomes.items():
        found |= {
            f"{name}/products": outcome.products,
            f"{name}/firms": outcome.firms,
            f"{name}/owners": outcome.owners,
            f"{name}/look_through_value_not_additive": outcome.look_through,
            f"{name}/consumers": outcome.consumers,
            f"{name}/markets": outcome.markets,
        }
    for name, owners in results.owners.items():
        found |= {
            f"{name}/stakes_direct": owners.direct,
            f"{name}/stakes_look_through": owners.look_through,
            f"{name}/control": owners.control,
            f"{name}/kappa": owners.kappa.rename_axis(index="prices_of", columns=None).reset_index(),
        }
    for name, comparison in results.comparisons.items():
        found |= {f"{name}/change_{table}": frame for table, frame in comparison.tables().items()}
    for name, split in results.channels.items():
        found[f"{name}/channels"] = split
    return {name: frame for name, frame in found.items() if len(frame.columns)}


def column_on_disk(column: str) -> str:
    """The column's name with its unit in it."""
    if column in _NAMED_WITH_UNIT:
        return _NAMED_WITH_UNIT[column]
    for side in _SIDES:
        root = column.removesuffix(side)
        if column.endswith(side) and root in _NAMED_WITH_UNIT:
            return f"{_NAMED_WITH_UNIT[root]}{side}"
    return column


def arrays(results: Results) -> xr.Dataset:
    """Labelled arrays over scenario, market, product, firm and owner.

    `on_sale` says where a product is sold; elsewhere its quantities are zero and its prices are not defined (not a number, the one
    meaning of absence that array formats have).
    """
    products = _stacked(results, "products", ("scenario", "market", "product"))
    index = products.index
    full = xr.Dataset.from_dataframe(products[list(_BY_PRODUCT)])
    full["on_sale"] = xr.Dataset.from_dataframe(pd.DataFrame({"on_sale": np.ones(len(index))}, index=index))["on_sale"].fillna(0).astype(bool)
    for name, (unit, meaning) in _BY_PRODUCT.items():
        if unit.endswith("a year"):
            full[name] = full[name].where(full["on_sale"], 0.0)
        full[name].attrs = {"units": unit, "long_name": meaning}
    full["on_sale"].attrs = {"long_name": "whether the product is sold in that market and scenario"}
    firms = _stacked(results, "firms", ("scenario", "market", "firm"))
    full["operating_profit_eur"] = xr.DataArray.from_series(firms["profit_eur"])
    full["operating_profit_eur"].attrs = {"units": "EUR a year", "long_name": "operating profit of firms, after splits and fees"}
    owners = _stacked(results, "owners", ("scenario", "owner"))
    full["claim_eur"] = xr.DataArray.from_series(owners["claim_eur"]).fillna(0.0)
    full["claim_eur"].attrs = {"units": "EUR a year", "long_name": "outside owners' claims; add up to operating profit"}
    markets = _stacked(results, "markets", ("scenario", "market"))
    for column in ("surplus_eur", "government_eur"):
        full[column] = xr.DataArray.from_series(markets[column])
        full[column].attrs = {"units": "EUR a year"}
    full.attrs = {key: str(value) for key, value in results.manifest.items() if not isinstance(value, Mapping)}
    return full


def _stacked(results: Results, table: str, keys: tuple[str, ...]) -> pd.DataFrame:
    parts = [getattr(outcome, table).assign(scenario=name) for name, outcome in results.outcomes.items()]
    return pd.concat(parts, ignore_index=True).set_index(list(keys))


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A folder to write into that becomes `target` when everything is written, and leaves nothing behind when it is not.

    Raises
    ------
    InputError
        When `target` exists and is not a folder of results: it is never written over. When the disk is full or the folder cannot be written.
    """
    refuse_occupied(target)
    with named_disk_errors(target, AGAIN):
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            yield draft
            draft.chmod(0o755)
            if target.exists():
                old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
                target.replace(old / target.name)
                draft.replace(target)
                shutil.rmtree(old)
            else:
                draft.replace(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def refuse_occupied(target: Path) -> None:
    """Refuse a place for results that holds something else, before anything is solved.

    Raises
    ------
    InputError
        When `target` exists and is neither empty nor a folder of results.
    """
    if target.exists() and not (target / MANIFEST).is_file() and not _is_empty_folder(target):
        seen = f"no {MANIFEST} in it" if target.is_dir() else "a file"
        wanted = "a new folder or one of earlier results"
        raise InputError(Problem("this folder holds something else", str(target), seen, wanted, "choose another --out"))


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """A file to write that becomes `target` when it is written."""
    with named_disk_errors(target, AGAIN):
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as folder:
            draft = Path(folder) / target.name
            yield draft
            draft.replace(target)
