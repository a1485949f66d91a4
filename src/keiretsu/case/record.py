"""A case that was read and checked: frozen, every table typed, every row knowing the file and line it came from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from keiretsu.errors import Problem
from keiretsu.units import ExchangeRate


@dataclass(frozen=True)
class RandomSetting:
    """One random taste as the case states it: `sigma` in utils per unit of a normal taste, of the logarithm of a lognormal one.

    `median` (utils per unit) belongs to lognormal tastes.
    """

    characteristic: str
    sigma: float
    distribution: str
    median: float = 1.0


@dataclass(frozen=True)
class DemandSettings:
    """Preferences as the case states them ([3]); see `[demand]` in `docs/case.md` for what each one means."""

    price_taste: float
    income_power: float
    price_sigma: float
    outside: bool
    draws: int
    seed: int
    nests: tuple[str, ...]
    sigma_group: float | Mapping[str, float]
    sigma_sub: float | Mapping[str, float]
    random: tuple[RandomSetting, ...]
    correlation: tuple[tuple[float, ...], ...]  # empty: independent
    source: str
    kind_price: Mapping[str, float] = field(default_factory=dict[str, float])
    kind_taste: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])

    @property
    def taste_columns(self) -> int:
        """Standard normals that a draw consists of: one for each random taste, and one for price where `price_sigma` is above zero."""
        return len(self.random) + (self.price_sigma > 0)


@dataclass(frozen=True)
class Entry:
    """One item of a TOML file that another part of the program reads: a move, a programme, a pool.

    `table` is the heading it stood under, `values` its keys as TOML types, `file` and `line` where it stands.
    """

    table: str
    values: Mapping[str, Any]
    file: str
    line: int

    @property
    def place(self) -> str:
        """``scenarios/merger.toml, line 12``"""
        return f"{self.file}, line {self.line}"


@dataclass(frozen=True)
class ScenarioText:
    """A scenario as written: its moves are parsed by `keiretsu.moves`. `more` holds the keys that the fields here do not.

    `order` is its place in tables, `headline` marks the ones that are also run under uncertainty, `on_request` those that only a run that names them solves.
    """

    name: str
    title: str
    question: str
    moves: tuple[Entry, ...]
    more: Mapping[str, Any]
    file: str
    line: int
    order: int = 1000
    headline: bool = False
    on_request: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain dict; each move carries its place under ``where``."""
        moves = [{**move.values, "where": move.place} for move in self.moves]
        return {
            **self.more,
            "name": self.name,
            "title": self.title,
            "question": self.question,
            "where": f"{self.file}, line {self.line}",
            "moves": moves,
        }


@dataclass(frozen=True, eq=False)
class Case:
    """Everything a case folder says, checked.

    Attributes
    ----------
    tables
        One DataFrame for each table of the schema, all its columns present and typed: text as str, numbers as float or int, dates as
        `datetime.date`. Columns whose absence is a fact hold None there. Column `row` is ``file:line``.
    rates
        Exchange rates into the model's money; empty when `money` is ``own``, where every amount is already in one unit.
    kappa
        Profit weights typed in: ``kappa[f][g]``; empty without [kappa].
    programmes, pools
        Items of `programmes.toml` and `pools.toml`, read by the policy part.
    calibration
        Section [calibration] of `case.toml` as it stands.
    figures
        Numbers that stand outside the tables (parameters, rates, programmes, moves): table, name, column, value, unit, source, row.
    makers
        Companies that headline tables give a column of their own; empty where the case names none.
    hash
        SHA-256 of the names and contents of the folder's TOML and CSV files.
    warnings
        What a reader should know and does not stop a run: filled prices, our own assumptions, lonely nests.
    unread
        Files of the folder that nothing reads.
    """

    name: str
    title: str
    as_of: dt.date
    year: int
    money: str
    currency: str
    rule: str
    demand: DemandSettings
    rates: Mapping[str, ExchangeRate]
    kappa: Mapping[str, Mapping[str, float]]
    tables: Mapping[str, pd.DataFrame]
    scenarios: tuple[ScenarioText, ...]
    programmes: tuple[Entry, ...]
    pools: tuple[Entry, ...]
    calibration: Mapping[str, Any]
    figures: pd.DataFrame
    folder: str
    hash: str
    makers: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()
    unread: tuple[str, ...] = field(default=())

    @property
    def companies(self) -> pd.DataFrame:
        """Companies: company, name, kind, country."""
        return self.tables["companies"]

    @property
    def owners(self) -> pd.DataFrame:
        """Owners that are no company of the case: owner, name, kind."""
        return self.tables["owners"]

    @property
    def stakes(self) -> pd.DataFrame:
        """Dated stakes: holder, company, cash_flow, votes, from, to. Open ends are 0001-01-01 and 9999-12-31."""
        return self.tables["stakes"]

    @property
    def control(self) -> pd.DataFrame:
        """Declared control: company, controller, kind, from, to."""
        return self.tables["control"]

    @property
    def deals(self) -> pd.DataFrame:
        """Ledger of dated facts; amount, probability and stakes are None where not known."""
        return self.tables["deals"]

    @property
    def brands(self) -> pd.DataFrame:
        """Brands and their makers."""
        return self.tables["brands"]

    @property
    def products(self) -> pd.DataFrame:
        """Products by market, prices as stated (see `price_currency`, `price_basis`, `tax_in_price`) with units and share filled."""
        return self.tables["products"]

    @property
    def excluded(self) -> pd.DataFrame:
        """What was left out and why."""
        return self.tables["excluded"]

    @property
    def markets(self) -> pd.DataFrame:
        """Markets with their potential buyers."""
        return self.tables["markets"]

    @property
    def incomes(self) -> pd.DataFrame:
        """Income groups of every market; one group where the case states none."""
        return self.tables["incomes"]

    @property
    def draws(self) -> pd.DataFrame:
        """The case's own consumer draws; markets that are not in it have generated ones."""
        return self.tables["draws"]

    @property
    def targets(self) -> pd.DataFrame:
        """Moments that calibrated parameters have to match."""
        return self.tables["targets"]

    @property
    def sources(self) -> pd.DataFrame:
        """Publications, and the two ids 'assumption' and 'own'."""
        return self.tables["sources"]

    @property
    def money_rates(self) -> Mapping[str, ExchangeRate]:
        """Rates for amounts stated with a currency: [rates], or the case's own money against itself, one to one."""
        return self.rates or {self.currency: ExchangeRate(self.currency, 1.0, "the case's own money")}

    def net_price_eur(self) -> pd.Series:
        """Price of each row of `products` without taxes, in the model's money: ``price / (1 + tax_in_price) / rate``."""
        products = self.products
        rate = {currency: self.rates[currency].per_eur if self.rates else 1.0 for currency in products["price_currency"].unique()}
        return (products["price"] / (1 + products["tax_in_price"]) / products["price_currency"].map(rate).astype(float)).rename("price_eur")
