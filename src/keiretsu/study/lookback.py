"""Looking back: what the baseline says about a later year, beside what was observed then and what "as in the base year" would have said.

Observed figures stand in observed_later.csv of the case and feed no run. They are as reported: nothing in the model was changed to meet them.
"""

from __future__ import annotations

import pandas as pd

from keiretsu.case import Case
from keiretsu.market.outcome import Outcome

TOTAL = "all"
LOOKBACK_COLUMNS = [
    "market",
    "year",
    "powertrain",
    "brand",
    "base_year_cars",
    "predicted_cars",
    "observed_cars",
    "error_cars",
    "persistence_error_cars",
    "note",
]


def lookback_table(case: Case, base: Outcome) -> pd.DataFrame:
    """Sales of the baseline and of the base year beside those observed later, by market, year, powertrain and brand, with a row over all brands.

    A brand that the case does not sell in a market (too few cars then, or not there yet) is predicted at zero: the model launches nothing by itself.
    """
    observed = case.tables["observed_later"]
    if observed.empty:
        return pd.DataFrame(columns=LOOKBACK_COLUMNS)
    nothing = pd.Series(dtype=float)
    before, predicted = (
        {(m, p): rows.groupby("brand")["units"].sum().rename(name) for (m, p), rows in products.groupby(["market", "powertrain"])}
        for products, name in ((case.products, "base_year_cars"), (base.products, "predicted_cars"))
    )
    parts: list[pd.DataFrame] = []
    for market, year, powertrain in _kinds(observed):
        rows = _of(observed, market, year, powertrain)
        later = rows.groupby("brand")["units"].sum().rename("observed_cars")
        own = [sales.get((market, powertrain), nothing.rename(name)) for sales, name in ((before, "base_year_cars"), (predicted, "predicted_cars"))]
        table = pd.concat([*own, later.astype(float)], axis=1).fillna(0.0).sort_values("observed_cars", ascending=False, kind="stable")
        table.loc[TOTAL] = table.sum()
        ordered = table.loc[[TOTAL, *(brand for brand in table.index if brand != TOTAL)]]
        notes = dict(zip(rows["brand"], rows["note"], strict=True))
        ordered = ordered.assign(note=[notes.get(brand, "") for brand in ordered.index])
        parts.append(ordered.rename_axis("brand").reset_index().assign(market=market, year=year, powertrain=powertrain))
    found = pd.concat(parts, ignore_index=True)
    found["error_cars"] = found["predicted_cars"] - found["observed_cars"]
    found["persistence_error_cars"] = found["base_year_cars"] - found["observed_cars"]
    return found[LOOKBACK_COLUMNS]


def lookback_errors(table: pd.DataFrame) -> pd.DataFrame:
    """Errors by market and year, per cent of the cars observed: of the total, and the sum of absolute errors over brands."""
    rows: list[tuple[object, ...]] = []
    for market, year, powertrain in _kinds(table):
        part = _of(table, market, year, powertrain)
        total, brands = part[part["brand"] == TOTAL].iloc[0], part[part["brand"] != TOTAL]
        observed = float(total["observed_cars"])
        for forecast, column in (("model", "error_cars"), ("as in the base year", "persistence_error_cars")):
            by_brand = 100.0 * float(brands[column].abs().sum()) / observed
            of_total = 100.0 * float(total[column]) / observed
            rows.append((market, year, powertrain, forecast, of_total, by_brand))
    return pd.DataFrame(rows, columns=["market", "year", "powertrain", "forecast", "total_error_percent", "brands_error_percent"])


def _kinds(table: pd.DataFrame) -> list[tuple[str, int, str]]:
    """Market, year and powertrain of each thing looked back on, in order."""
    return list(dict.fromkeys((str(m), int(y), str(p)) for m, y, p in zip(table["market"], table["year"], table["powertrain"], strict=True)))


def _of(table: pd.DataFrame, market: str, year: int, powertrain: str) -> pd.DataFrame:
    return table[(table["market"] == market) & (table["year"] == year) & (table["powertrain"] == powertrain)]
