"""One unit of money inside the model: the euro at 2023 prices. Other money is converted at the door, by a stated rate."""

from __future__ import annotations

from dataclasses import dataclass

from keiretsu.errors import InputError, Problem

MODEL_CURRENCY = "EUR"
MODEL_PRICE_YEAR = 2023


@dataclass(frozen=True)
class ExchangeRate:
    """Units of `currency` for one euro (yearly average), with the source it came from."""

    currency: str
    per_eur: float
    source: str

    def __post_init__(self) -> None:
        if not self.per_eur > 0:
            raise InputError(
                Problem("an exchange rate must be positive", self.currency, str(self.per_eur), "units of the currency for one euro, above zero")
            )


def to_eur(amount: float, currency: str, rates: dict[str, ExchangeRate]) -> float:
    """Convert an amount of `currency` to euro.

    Raises
    ------
    InputError
        When no rate for the currency is stated.
    """
    if currency == MODEL_CURRENCY:
        return amount
    if currency not in rates:
        raise InputError(
            Problem("no exchange rate stated", currency, "nothing", f"one of {sorted(rates)} or EUR", "add the currency to [rates] of case.toml")
        )
    return amount / rates[currency].per_eur
