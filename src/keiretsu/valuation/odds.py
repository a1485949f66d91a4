"""Chances, values with units, and lists, the way a board says them."""

from __future__ import annotations

from collections.abc import Sequence

_NUMBERS = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
MINUS = "\N{MINUS SIGN}"
MOST_COUNTED = 100  # futures; of more, a share says it


def chance_in_words(probability: float, draws: int) -> str:
    """``one chance in nine``; above a half ``seven chances in ten``; none seen is said with the number of draws looked at."""
    if probability <= 0:
        return f"no chance seen in {draws:,} draws"
    if probability >= 1:
        return f"certainty ({draws:,} of {draws:,} draws)"
    if probability >= 0.35:
        tenths = round(10 * probability)
        return f"{_NUMBERS[tenths]} chances in ten" if 0 < tenths < 10 else "more than nine chances in ten"
    n = round(1 / probability)
    word = _NUMBERS[n] if n < len(_NUMBERS) else f"{_rounded(n):,}"
    return f"one chance in {word}"


def in_futures(share: float, draws: int) -> str:
    """``26 of 32 futures``; of many ``81 % of 1,000 futures``; of one, the central case, ``the central case`` or ``no future``."""
    if draws == 1:
        return "the central case" if share > 0 else "no future"
    return f"{round(share * draws)} of {draws} futures" if draws <= MOST_COUNTED else f"{percent(share)} of {draws:,} futures"


def percent(share: float, digits: int = 0) -> str:
    """``88 %``, ``5.0 %``."""
    return f"{100 * share:.{digits}f} %"


def in_own_unit(value: float, unit: str) -> str:
    """``12 %`` for shares, ``1.3 times`` for multiples, else the number and its unit."""
    if unit.startswith("share"):
        rest = unit.removeprefix("share").strip()
        return f"{_signed(100 * value)} %{' ' + rest if rest else ''}"
    if unit == "multiple":
        return f"{_signed(value)} times"
    return f"{_signed(value)}{' ' + unit if unit else ''}"


def listed(parts: Sequence[str]) -> str:
    """``a, b and c``."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _signed(value: float) -> str:
    text = f"{abs(value):,.0f}" if abs(value) >= 1000 else f"{abs(value):.3g}"
    return (MINUS if value < 0 and float(text.replace(",", "")) != 0 else "") + text


def _rounded(n: int) -> int:
    """Two digits of a large number are all that a chance supports."""
    size = 10 ** max(len(str(n)) - 2, 0)
    return round(n / size) * size
