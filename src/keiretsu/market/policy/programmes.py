"""Taxes, incentives and tariffs as records: what is in force where, for what, from when to when, and with which source.

Every programme is a `Scope` (where, when, which products) and its own figures. Nothing is computed here; `compile` turns the
programmes in force on a day into affine pieces, `parsing` reads them from tables. Money is EUR at the model's prices.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Basis: TypeAlias = Literal["net", "gross", "customs"]
Payer: TypeAlias = Literal["buyer", "maker"]

OPEN_END = dt.date.max  # a programme with no end stated runs to the end of the calendar


@dataclass(frozen=True)
class Scope:
    """Where, when and for which products a programme holds. An empty tuple means "all".

    `start` and `end` are the first and the last day in force. `makers` are companies that set the price. A code of `origins` may be
    the area "EU". `models` are written ``Brand Model``. `known` is the day on which it was decided or announced, not stated that on which it starts:
    the years ahead hold what was known on the case's day.
    """

    id: str
    markets: tuple[str, ...]
    start: dt.date
    end: dt.date = OPEN_END
    powertrains: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    makers: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    models_except: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    origins_except: tuple[str, ...] = ()
    battery_min_kwh: float = 0.0
    range_min_km: float = 0.0
    mass_max_kg: float = float("inf")
    co2_max_gkm: float = float("inf")
    dormant: bool = False  # written down, in force only once a move runs it
    known: dt.date | None = None
    source: str = ""
    confidence: str = ""
    note: str = ""
    where: str = ""  # file and row it was read from

    def in_force(self, market: str, date: dt.date) -> bool:
        return not self.dormant and market in self.markets and self.start <= date <= self.end


@dataclass(frozen=True)
class PriceWindow:
    """Prices for which a programme holds: above `over` or from `at_least`, up to and including `at_most`. EUR on `basis`.

    Basis "net" is the maker's price, "gross" the list price with VAT, "customs" the customs value.
    """

    basis: Basis = "net"
    over: float = -float("inf")
    at_least: float = -float("inf")
    at_most: float = float("inf")


@dataclass(frozen=True)
class Buyers:
    """Who may claim: kinds of buyer (empty is all), income up to a ceiling, and the share of the eligible that does claim."""

    kinds: tuple[str, ...] = ()
    income_max_eur: float = float("inf")
    reach: float = 1.0


@dataclass(frozen=True)
class Vat:
    """VAT or a sales tax in place of the market's own: `rate` on the part of the net price above `above_eur`, `rate_below` on the rest."""

    scope: Scope
    rate: float
    rate_below: float = 0.0
    above_eur: float = 0.0


@dataclass(frozen=True)
class RegistrationTax:
    """Paid once by the buyer: flat, by CO2 (EUR per gram above a threshold, or the amount of a bracket), by mass, as a share of the net price.

    `brackets` are (from g/km, EUR) in ascending order: the amount of the last one reached. `cap_eur` limits the sum.
    """

    scope: Scope
    flat_eur: float = 0.0
    per_gram_eur: float = 0.0
    above_gkm: float = 0.0
    brackets: tuple[tuple[float, float], ...] = ()
    per_kg_eur: float = 0.0
    above_kg: float = 0.0
    share_of_net: float = 0.0
    cap_eur: float = float("inf")


@dataclass(frozen=True)
class UnitTax:
    """A fixed sum on each car, paid by buyer or maker; negative is a credit."""

    scope: Scope
    amount_eur: float
    payer: Payer = "buyer"


@dataclass(frozen=True)
class Duty:
    """Ad-valorem duty on the customs value, `value_share` of the maker's net price; `rate_over` on all of it above `over_eur` (a notch)."""

    scope: Scope
    rate: float
    value_share: float
    over_eur: float = float("inf")
    rate_over: float = 0.0


@dataclass(frozen=True)
class CountervailingDuty:
    """Added to the duty, by name of brand or of the company that sets the price; `rate_others` for those not named."""

    scope: Scope
    rates: tuple[tuple[str, float], ...]
    rate_others: float
    value_share: float


@dataclass(frozen=True)
class PartsDuty:
    """Duty on the foreign parts of cars assembled at home: rate times the foreign share of the car's value."""

    scope: Scope
    rate: float
    foreign_share: float
    value_share: float


@dataclass(frozen=True)
class TariffQuota:
    """The first `cars` a year of each maker named pay `low_rate` in place of the `Duty`; `window` is on the customs value.

    `value_share` is the customs value as a share of the price of a car inside: higher than the duty's own where less of the price is duty.
    """

    scope: Scope
    low_rate: float
    value_share: float
    cars: float
    window: PriceWindow = field(default=PriceWindow(basis="customs"))


@dataclass(frozen=True)
class Incentive:
    """Money for a sale: `flat_eur` + `share` of the price + `per_kwh_eur` of battery, up to `cap_eur` and `share_max` of the price.

    The poorest `low_income_share` of households, and those below `low_income_max_eur`, get `low_income_flat_eur` in place of
    `flat_eur`. `funded_by` "maker" marks what makers themselves add under the programme's rules: it moves no public money but VAT.
    Programmes of one `group` exclude each other; two of them that apply to the same car at the same price are an error.
    """

    scope: Scope
    flat_eur: float = 0.0
    share: float = 0.0
    share_basis: Basis = "gross"
    per_kwh_eur: float = 0.0
    cap_eur: float = float("inf")
    share_max: float = float("inf")
    low_income_flat_eur: float = 0.0
    low_income_share: float = 0.0
    low_income_max_eur: float = 0.0
    window: PriceWindow = field(default=PriceWindow())
    buyers: Buyers = field(default=Buyers())
    recipient: Payer = "buyer"
    funded_by: Literal["government", "maker"] = "government"
    group: str = ""
    budget_eur: float = float("inf")


@dataclass(frozen=True)
class BenefitInKind:
    """Income tax on a company car: `share_a_month` of the gross list price is taxed at `marginal_tax` for `years`.

    Above a gross list price of `over_eur` the share is `share_over` (a notch). Falls on kinds of buyer named in `buyers`.
    """

    scope: Scope
    share_a_month: float
    marginal_tax: float
    years: float
    buyers: Buyers
    over_eur: float = float("inf")
    share_over: float = 0.0


@dataclass(frozen=True)
class Chargers:
    """Money on public chargers: the utility of the cars in scope rises by ``taste * ln(1 + money / cost / stock)``."""

    scope: Scope
    money_eur: float
    cost_each_eur: float
    stock: float
    taste: float


Programme: TypeAlias = Vat | RegistrationTax | UnitTax | Duty | CountervailingDuty | PartsDuty | TariffQuota | Incentive | BenefitInKind | Chargers

KINDS: dict[str, type[Programme]] = {
    "vat": Vat,
    "registration_tax": RegistrationTax,
    "unit_tax": UnitTax,
    "duty": Duty,
    "countervailing_duty": CountervailingDuty,
    "parts_duty": PartsDuty,
    "tariff_quota": TariffQuota,
    "incentive": Incentive,
    "benefit_in_kind": BenefitInKind,
    "chargers": Chargers,
}


def in_force(programmes: tuple[Programme, ...], market: str, date: dt.date) -> tuple[Programme, ...]:
    """Programmes in force in a market on a day, in their order."""
    return tuple(p for p in programmes if p.scope.in_force(market, date))
