"""Taxes, incentives, tariffs and fleet rules: of a case on a day, by kind and by car, and of a solved world with their money."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import cast

import numpy as np
import pandas as pd

from keiretsu.case import Case
from keiretsu.errors import InputError, Problem
from keiretsu.market.build import preferences_of, rule_of, uncalibrated
from keiretsu.market.market import rows_of
from keiretsu.market.outcome import Outcome
from keiretsu.market.policy.accounts import accounts
from keiretsu.market.policy.compile import all_inside, compile_programmes
from keiretsu.market.policy.parsing import parse_programmes
from keiretsu.market.policy.programmes import KINDS, OPEN_END, Chargers, Incentive, Programme, Scope, Vat
from keiretsu.market.pools import FleetRule, Pool, SalesMandate
from keiretsu.market.world import World
from keiretsu.supply.pieces import piece_at

IN_FORCE_COLUMNS = ["market", "programme", "kind", "cars", "government_eur", "per_car_eur", "terms", "source", "confidence", "note"]
_LIMITS = (
    "powertrains", "segments", "brands", "makers", "models", "models_except", "origins", "origins_except", "battery_min_kwh", "range_min_km",
    "mass_max_kg", "co2_max_gkm",
)  # fmt: skip
BY_CAR_COLUMNS = ["market", "brand", "model", "powertrain", "price_eur", "paid_eur", "programme", "take_a_car_eur", "cars_touched_share"]


def policy_tables(case: Case, on: dt.date) -> dict[str, pd.DataFrame]:
    """Programmes in force on a day by title: VAT of the markets, then one row for each market and programme with its terms in words.

    A case without programmes has the first table only.

    Raises
    ------
    PolicyError
        With every problem of the case's programmes.
    """
    tables = {f"Value-added tax on {on}": case.markets[["market", "vat", "source"]]}
    programmes = parse_programmes([entry.values for entry in case.programmes], case.money_rates, "programmes.toml")
    rows = [
        {"market": str(market), **_about(p.scope.id, p), "covers": _covers(p.scope), "until": "" if p.scope.end == OPEN_END else str(p.scope.end)}
        for market in case.markets["market"]
        for p in programmes
        if p.scope.in_force(str(market), on)
    ]
    if rows:
        columns = ["market", "programme", "kind", "terms", "covers", "until", "source", "confidence", "note"]
        tables[f"In force on {on}"] = pd.DataFrame(rows)[columns]
    return tables


def _covers(scope: Scope) -> str:
    """Which cars a programme is about, in words; all of them where nothing limits it."""
    limits = {f.name: getattr(scope, f.name) for f in dataclasses.fields(scope) if f.name in _LIMITS and getattr(scope, f.name) != f.default}
    return "; ".join(f"{key.replace('_', ' ')} {_said(value)}" for key, value in limits.items()) or "all cars"


def _said(value: object) -> str:
    """A figure, a list or a nested record in words; nothing for what is not limited."""
    if value is None or value == () or value == "" or value == {}:
        return ""
    if dataclasses.is_dataclass(value):
        parts = [f"{f.name.replace('_', ' ')} {_said(getattr(value, f.name))}" for f in dataclasses.fields(value) if _said(getattr(value, f.name))]
        return ", ".join(parts)
    if isinstance(value, tuple):
        return "; ".join(_said(item) for item in value)
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) != float("inf") else ""
    return str(value)


def policies_table(outcome: Outcome) -> pd.DataFrame:
    """What is in force in a solved world by market: the cars each programme touches and government's take from it (EUR a year, below zero
    for money paid out), and per car touched. VAT is one row of each market; money that hangs on no sale has no cars."""
    money = outcome.regulation.programmes.astype({"units": float, "eur": float}).groupby(["market", "programme"], sort=False)
    touched, taken = (dict(money[column].sum().items()) for column in ("units", "eur"))
    rows: list[dict[str, object]] = []
    for market in outcome.world.markets:
        known = {p.scope.id: p for p in _programmes(outcome.world) if p.scope.in_force(market, outcome.world.date)}
        for name in ("vat", *known):
            if name == "vat" and (market, name) not in touched:
                continue
            cars, eur = touched.get((market, name), 0.0), taken.get((market, name), 0.0)
            rows.append({"market": market, "cars": cars, "government_eur": eur, **_about(name, known.get(name))})
            if isinstance(programme := known.get(name), Chargers):
                rows[-1]["government_eur"] = -programme.money_eur
    table = pd.DataFrame(rows, columns=[c for c in IN_FORCE_COLUMNS if c != "per_car_eur"])
    cars = table["cars"].to_numpy(float)
    return table.assign(per_car_eur=np.where(cars > 0, table["government_eur"] / np.where(cars > 0, cars, 1.0), 0.0))[IN_FORCE_COLUMNS]


def policy_by_car(case: Case, on: dt.date, market: str, product: str) -> pd.DataFrame:
    """What every programme takes from each car on a day (EUR a car, mean over the base year's buyers; below zero for what it gives), at
    observed prices: a row for each car and programme that touches it.

    Parameters
    ----------
    market
        Market id; empty for all of them.
    product
        Part of a product id, brand or model, in any case; empty for all cars.

    Raises
    ------
    InputError
        When the case has no such market, or no car's name holds the words.
    PolicyError
        With every problem of the case's programmes.
    """
    world = uncalibrated(case, preferences_of(case), rule_of(case)).replace(date=on)
    if market and market not in world.markets:
        raise InputError(Problem("no such market", "--market", market, f"one of {', '.join(world.markets)}"))
    if not _called(world.products, product).any():
        raise InputError(Problem("no car of that name", "--product", product, "part of a brand, a model or a product id"))
    return pd.concat([_cars_of(world, name, product) for name in ([market] if market else world.markets)], ignore_index=True)


def fleet_rules_on(case: Case, on: dt.date) -> pd.DataFrame:
    """Fleet rules of a case in the year of a day, and their pools; see `fleet_rules_table`."""
    return fleet_rules_table(uncalibrated(case, preferences_of(case), rule_of(case)).replace(date=on))


def fleet_rules_table(world: World) -> pd.DataFrame:
    """Fleet rules of a world's year and their pools: rule, markets, target, fine, pool, makers. Makers in no pool meet the rule alone."""
    rows: list[dict[str, object]] = []
    for rule in (r for r in world.pools if isinstance(r, FleetRule) and r.from_year <= world.date.year <= r.to_year):
        pools = [p for p in world.pools if isinstance(p, Pool) and p.rule == rule.id and p.from_year <= world.date.year <= p.to_year]
        for pool, makers in [(p.id, ", ".join(p.makers)) for p in pools] or [("none: every maker alone", "")]:
            rows.append(
                {"rule": rule.id, "markets": ", ".join(rule.markets), "goal": _goal(rule), "pool": pool, "makers": makers, "source": rule.source}
            )
    return pd.DataFrame(rows, columns=["rule", "markets", "goal", "pool", "makers", "source"])


def _goal(rule: FleetRule) -> str:
    target = rule.target
    if isinstance(target, SalesMandate):
        return f"{100 * target.share:g} % {target.powertrain}, EUR {target.fine_eur:,.0f} for each car missing"
    return f"{target.grams:g} g/km, EUR {target.fine_eur:,.0f} a gram above it and car"


def _cars_of(world: World, market: str, product: str) -> pd.DataFrame:
    rows, facts = rows_of(world, market), world.markets[market]
    done = compile_programmes(_programmes(world), rows, facts, world.date, all_inside(rows))
    price = rows["price_eur"].to_numpy(float)
    quantity = rows["units"].to_numpy(float)[:, None] * np.asarray(facts.consumers.weight)[None, :]
    found = accounts(done, price, piece_at(done.pieces, price), quantity)
    paid = found.products.set_index("product")["paid_eur"]
    table = rows[_called(rows, product)].merge(found.programmes.rename(columns={"units": "touched"}), on="product")
    table = table.assign(
        paid_eur=table["product"].map(paid), take_a_car_eur=table["eur"] / table["units"], cars_touched_share=table["touched"] / table["units"]
    )
    return table[BY_CAR_COLUMNS]


def _called(rows: pd.DataFrame, words: str) -> np.ndarray:
    """Rows whose product id, brand or model holds the words, in any case. (rows,)"""
    said = rows["product"].astype(str) + " " + rows["brand"].astype(str) + " " + rows["model"].astype(str)
    return said.str.lower().str.contains(words.lower(), regex=False).to_numpy(bool)


def _about(name: str, programme: Programme | None) -> dict[str, object]:
    if programme is None:
        return {"programme": name, "kind": "vat", "terms": "the market's own rate", "source": "", "confidence": "", "note": ""}
    kind = next(kind for kind, cls in KINDS.items() if isinstance(programme, cls))
    by_maker = isinstance(programme, Incentive) and programme.funded_by == "maker"
    figures = {
        f.name: getattr(programme, f.name) for f in dataclasses.fields(programme) if f.name != "scope" and getattr(programme, f.name) != f.default
    }
    terms = "; ".join(f"{key.replace('_', ' ')} {_said(value)}" for key, value in figures.items() if _said(value))
    scope = programme.scope
    said = "incentive, makers' own money" if by_maker else kind.replace("_", " ")
    note = "; ".join(filter(None, (scope.note, "its money is in the row of vat" if isinstance(programme, Vat) else "")))
    return {"programme": name, "kind": said, "terms": terms, "source": scope.source, "confidence": scope.confidence, "note": note}


def _programmes(world: World) -> tuple[Programme, ...]:
    return cast("tuple[Programme, ...]", world.programmes)
