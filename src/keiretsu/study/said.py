"""Figures in sentences and tables: a mean with its error, no more digits than the error supports; money, shares and counts alike."""

from __future__ import annotations

import re

from keiretsu.valuation.money import digits_and_error, plain, with_error

MINUS = "\N{MINUS SIGN}"
NOISE = 1e-12  # of the amount: an error smaller than this is rounding
MOST_DECIMALS = 6  # a change of less than one euro in millions is the rounding of a solver


def money_with_error(value: float, error: float, currency: str = "EUR", *, alone: bool = False) -> str:
    """``EUR 3.4 ± 0.2 m``; without the error but with its digits when `alone`. A case in its own money has no currency."""
    return (plain if alone else with_error)(value, error, currency).strip()


def number_with_error(value: float, error: float, *, signed: bool = False, alone: bool = False) -> str:
    """A figure in its own unit: ``12.3 ± 0.4``. The error keeps one digit (two when it begins with 1) and the figure the same decimals,
    three digits in all at most (`keiretsu.valuation.money.digits_and_error`).

    An error of zero (a central case) leaves three significant digits. Nothing is shown beyond `MOST_DECIMALS`: a smaller error is none, a smaller figure is 0. `alone`
    leaves the error out and keeps its digits: for percentiles.
    """
    known = error > NOISE * abs(value) and error >= 0.5 * 10.0**-MOST_DECIMALS
    decimals, error = digits_and_error(value, error if known else 0.0)
    decimals = min(decimals, MOST_DECIMALS)
    text = _fixed(value, decimals)
    if not known and not _says(text):
        return "0"
    sign = "+" if signed and value > 0 and _says(text) else ""
    return f"{sign}{text} ± {_fixed(error, decimals)}" if known and not alone else sign + text


_SUM_IN_EURO = re.compile(r"\bEUR (?=[−+-]?\d)")


def sums_without_euro(text: str) -> str:
    """A text with its sums in no money: ``6 m`` in place of ``EUR 6 m``."""
    return _SUM_IN_EURO.sub("", text)


def in_own_money(sentence: str) -> str:
    """A sentence whose sums are in the unit of a case that keeps its own money, as it says at its end. Valuations know of no case and say EUR."""
    bare = sums_without_euro(sentence)
    return sentence if bare == sentence else bare.removesuffix(".") + ", in the case's own money."


def _says(text: str) -> bool:
    """Whether any digit is left."""
    return any(c in "123456789" for c in text)


def _fixed(value: float, decimals: int) -> str:
    text = f"{abs(round(value, decimals)):,.{max(decimals, 0)}f}"
    return (MINUS if value < 0 and _says(text) else "") + text
