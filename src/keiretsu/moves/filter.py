"""Which products a move is about: a filter by columns of the product table, the same for every move.

Each key narrows the choice; several values of one key are alternatives: ``{brand = ["BYD", "MG"], powertrain = "BEV"}`` is every
electric car of the two brands. A value that fits no product is a typing error and is reported, not ignored.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.errors import Problem

FILTER_KEYS: Mapping[str, tuple[str, str]] = {
    # key: (column of the product table, meaning)
    "market": ("market", "market id"),
    "product": ("product", "product id"),
    "brand": ("brand", "brand"),
    "maker": ("priced_by", "company that sets the price"),
    "earner": ("profit_to", "company that earns the margin or a part of it"),
    "builder": ("made_by", "company that builds it for another one"),
    "model": ("model", "model name"),
    "powertrain": ("powertrain", "BEV, PHEV or ICE"),
    "segment": ("segment", "size class"),
    "body": ("body", "body style"),
    "seats": ("seats", "number of seats"),
    "origin": ("origin", "where it is built"),
    "launched_by": ("launched_by", "name of the move that launched it"),
}


@dataclass(frozen=True)
class ProductFilter:
    """Accepted values of each key; an empty tuple accepts everything. See `FILTER_KEYS`."""

    market: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    brand: tuple[str, ...] = ()
    maker: tuple[str, ...] = ()
    earner: tuple[str, ...] = ()
    builder: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    powertrain: tuple[str, ...] = ()
    segment: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    seats: tuple[str, ...] = ()
    origin: tuple[str, ...] = ()
    launched_by: tuple[str, ...] = ()

    def rows(self, products: pd.DataFrame) -> np.ndarray:
        """True for the rows of the product table that fit. (rows,)"""
        fits = np.ones(len(products), dtype=bool)
        for key, values in self._stated().items():
            fits &= _earned_by(products, values) if key == "earner" else np.isin(_as_text(products[FILTER_KEYS[key][0]]), list(values))
        return fits

    def unmatched(self, products: pd.DataFrame, place: str) -> list[Problem]:
        """A problem for each value that no product has, and one when the keys together fit nothing."""
        problems: list[Problem] = []
        for key, values in self._stated().items():
            known = _vocabulary(products, key)
            unknown = (value for value in values if value not in known)
            problems += [Problem(f"no product has this {key}", place, value, f"one of {_some_of(known)}") for value in unknown]
        if not problems and not self.rows(products).any():
            problems.append(Problem("no product fits the filter", place, str(self), "at least one product", "loosen the filter"))
        return problems

    def narrowed(self, products: pd.DataFrame) -> ProductFilter | None:
        """The filter with only those values that some product has; None when nothing is left that it could fit."""
        kept = {key: tuple(v for v in values if v in set(_vocabulary(products, key))) for key, values in self._stated().items()}
        if not all(kept.values()):
            return None
        narrowed = dataclasses.replace(self, **kept)
        return narrowed if narrowed.rows(products).any() else None

    def __str__(self) -> str:
        return ", ".join(f"{key} {' or '.join(values)}" for key, values in self._stated().items()) or "every product"

    def _stated(self) -> dict[str, tuple[str, ...]]:
        return {key: values for key in FILTER_KEYS if (values := getattr(self, key))}


def read_filter(value: object) -> tuple[ProductFilter, str]:
    """A filter from a table of a file, and what is wrong with it (empty when nothing is)."""
    if not isinstance(value, Mapping):
        return ProductFilter(), f"a table with keys out of {', '.join(FILTER_KEYS)}"
    unknown = [str(key) for key in value if key not in FILTER_KEYS]
    if unknown:
        return ProductFilter(), f"keys out of {', '.join(FILTER_KEYS)}, not {', '.join(unknown)}"
    read: dict[str, tuple[str, ...]] = {}
    for key, given in value.items():
        items = list(given) if isinstance(given, (list, tuple)) else [given]
        if not items or any(isinstance(item, bool) or not isinstance(item, (str, int)) or str(item) == "" for item in items):
            return ProductFilter(), f"a text or a list of texts for {key}"
        read[str(key)] = tuple(str(item) for item in items)
    return ProductFilter(**read), ""


def earners(profit_to: str) -> tuple[str, ...]:
    """Companies named in a margin split, ``'A:0.7;B:0.3'`` or ``'A'``."""
    return tuple(part.split(":")[0].strip() for part in profit_to.split(";"))


def _earned_by(products: pd.DataFrame, values: tuple[str, ...]) -> np.ndarray:
    return np.array([bool(set(earners(str(text))) & set(values)) for text in products["profit_to"]], dtype=bool)


def _vocabulary(products: pd.DataFrame, key: str) -> list[str]:
    if key == "earner":
        return sorted({name for text in products["profit_to"] for name in earners(str(text))})
    return sorted(set(_as_text(products[FILTER_KEYS[key][0]])) - {""})


def _as_text(column: pd.Series) -> np.ndarray:
    if pd.api.types.is_float_dtype(column):
        column = column.map(lambda number: f"{number:g}")
    return column.astype(str).to_numpy(dtype=str)


def _some_of(names: list[str], most: int = 12) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
