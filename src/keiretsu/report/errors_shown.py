"""Means with their errors as a reader sees them: words such as ``+5 ± 3``, the error saying how many digits there are."""

from __future__ import annotations

from keiretsu.report.wording import Label
from keiretsu.study.said import number_with_error

CONVENTION = "± is half of the 95 % interval of a mean over futures (Monte-Carlo error)."
CENTRAL = "The central case is one path: it has no Monte-Carlo error."


def amount(mean: float | None, error: float | None, scale: float, *, signed: bool = False, alone: bool = False) -> str:
    """A figure times `scale` with its error; one that is not known says so, one without an error keeps three digits."""
    if mean is None or mean != mean:
        return "not known"
    spread = 0.0 if error is None or error != error else error
    return number_with_error(mean * scale, spread * scale, signed=signed, alone=alone)


def amount_label(text: str, unit: str) -> Label:
    """Heading of a column of such words."""
    return Label(text, unit, kind="text")
