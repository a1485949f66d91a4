"""Countries that cars come from: two-letter codes, and the area "EU" that stands for its members."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

EU = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
    ]
)
# Countries with a car industry or car trade of note; a code outside is more likely a typing error than a new one (add it when it is).
OTHERS = frozenset(
    [
        "AR",
        "AU",
        "BR",
        "BY",
        "CA",
        "CH",
        "CL",
        "CN",
        "CO",
        "DZ",
        "EG",
        "GB",
        "ID",
        "IL",
        "IN",
        "IR",
        "IS",
        "JP",
        "KR",
        "KZ",
        "MA",
        "MX",
        "MY",
        "NO",
        "NZ",
        "PH",
        "PK",
        "RS",
        "RU",
        "SA",
        "TH",
        "TN",
        "TR",
        "TW",
        "UA",
        "US",
        "UZ",
        "VN",
        "ZA",
    ]
)
KNOWN = EU | OTHERS | {"EU", "UK"}


def unknown_origins(codes: Iterable[str]) -> tuple[str, ...]:
    """Those of `codes` that are neither a known country nor "EU"."""
    return tuple(code for code in codes if code not in KNOWN)


def built_in(origin: np.ndarray, codes: Iterable[str]) -> np.ndarray:
    """Whether each product's origin is one of `codes`; "EU" includes its members, "UK" and "GB" are one country. (J,) bool"""
    wanted = set(codes)
    if wanted & {"UK", "GB"}:
        wanted |= {"UK", "GB"}
    if "EU" in wanted:
        wanted |= EU
    return np.isin(origin, list(wanted))
