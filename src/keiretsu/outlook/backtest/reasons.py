"""Why a forecast probably missed: sorted from what can be shown to what can only be said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from keiretsu.outlook.backtest.forecast import Forecast
from keiretsu.outlook.backtest.panel import ALL_OTHER_BRANDS, OTHER, panel_of
from keiretsu.outlook.backtest.total import support_changes, support_in

_LARGE_EUR = 1000.0  # change of support per car that buyers notice
_ALIKE = 0.5  # part of a row's log error that its country or its model elsewhere has to share to be named as the reason


def reason_of(made: Forecast, compared: dict[str, pd.DataFrame], key: tuple[str, str, str]) -> str:
    """The likely reason of one row's error, in words."""
    country, brand, model = key
    table = compared["model"]
    row = _fields(table, key)
    rows = made.deltas.rows
    kind = str(made.deltas.kind[list(rows).index(key)]) if key in rows else "unknown"
    over = bool(row["units"] > row["came"])
    if kind in ("absent", "unknown"):
        gone = _names_of(compared, country, brand, lambda rows: (rows["persistence"] > 0) & (rows["came"] == 0))
        return f"a row nobody announced, while {gone} left the list: perhaps the same car" if gone else "new here, and no announcement was known"
    if kind == "arriving":
        return "new model: " + ("came later or sold less" if over else "sold more") + " than new models of its brand and price do"
    seen = _fields(made.deltas.seen, key)
    if bool(seen["ended"]):
        return "end announced: " + ("faded faster" if over else "sold on longer") + " than models that end"
    if row["came"] == 0:
        fresh = _names_of(compared, country, brand, lambda rows: (rows["persistence"] == 0) & (rows["units"] < 1) & (rows["came"] > 0))
        return (
            f"no longer listed, while {fresh} came unannounced: perhaps the same car"
            if fresh
            else "no longer listed: discontinued, renamed or counted among others"
        )
    if model in (OTHER, ALL_OTHER_BRANDS):
        return "rows called other: " + ("fewer cars are" if over else "more cars are") + " left without a name than before"
    if float(_own_support_change(made, key)) <= -_LARGE_EUR:
        return "lost support for buyers, and sales fell by " + ("more" if over else "less") + " than its price elasticity says"
    own = _log_ratio(float(row["came"]), float(row["units"]))
    total = _fields(compared["total"], country)
    whole = _log_ratio(float(total["came"]), float(total["units"]))
    if own * whole > 0 and abs(whole) >= _ALIKE * abs(own):
        ended = _support_fell(made, country)
        return "the whole market " + ("fell short" if over else "did better") + (", support for buyers ended or was cut" if ended and over else "")
    others = table[(table.index.get_level_values("brand") == brand) & (table.index.get_level_values("model") == model)].drop(index=key)
    elsewhere = _log_ratio(others["came"].sum(), others["units"].sum())
    if own * elsewhere > 0 and abs(elsewhere) >= _ALIKE * abs(own):
        young = int(seen["years_anywhere"]) <= 1
        return ("its second year" if young else "the model") + (" was weaker" if over else " was stronger") + " everywhere" + _renewal(seen)
    return "this country alone: " + ("less" if over else "more") + " than the model did elsewhere" + _renewal(seen)


def _names_of(compared: dict[str, pd.DataFrame], country: str, brand: str, chosen: Callable[[pd.DataFrame], pd.Series]) -> str:
    """Models of a brand in a country that are chosen, in words."""
    table = compared["model"]
    rows = table[(table.index.get_level_values("country") == country) & (table.index.get_level_values("brand") == brand)]
    models = rows.index.get_level_values("model")
    rows = rows[~models.isin([OTHER, ALL_OTHER_BRANDS])]
    return " and ".join(str(name) for name in rows[chosen(rows)].index.get_level_values("model"))


def _own_support_change(made: Forecast, key: tuple[str, str, str]) -> float:
    """Change of a model's own support that was known, EUR."""
    return float(support_changes(panel_of(made.known), made.year).get(key, 0.0))


def _support_fell(made: Forecast, country: str) -> bool:
    now, before = (support_in(made.known, year).get(country, 0.0) for year in (made.year, made.year - 1))
    return float(now) - float(before) <= -_LARGE_EUR


def _fields(table: pd.DataFrame, key: object) -> dict[str, Any]:
    """One row of a table by column."""
    return {str(name): value for name, value in table.loc[[key]].iloc[0].items()}


def _renewal(seen: Mapping[str, Any]) -> str:
    return " (a renewal was announced)" if bool(seen["renewed"]) else ""


def _log_ratio(came: float, units: float) -> float:
    return float(np.log((came + 5) / (units + 5)))
