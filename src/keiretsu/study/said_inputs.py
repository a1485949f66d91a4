"""Plain names of uncertain inputs, launches by brand and model."""

from __future__ import annotations

from keiretsu.case import Case


def input_said(case: Case, name: str) -> str:
    """A plain name of an input, launches by brand and model: ``appeal:renault_5_e_tech`` is "appeal of Renault 5 E-Tech"."""
    kind, colon, product = name.partition(":")
    rows = case.tables["planned_launches"]
    own = rows[rows["product"] == product]
    if not colon or own.empty:
        return in_words(name)
    car = f"{own['brand'].iloc[0]} {own['model'].iloc[0]}"
    return {"happens": car, "date": f"launch of {car}"}.get(kind, f"{kind} of {car}")


def in_words(name: str) -> str:
    """A plain name for an input: ``appeal:renault_5_e_tech`` is "appeal of renault 5 e tech"."""
    kind, colon, product = name.partition(":")
    said = {"happens": "", "date": "delay of ", "appeal": "appeal of "}.get(kind, f"{kind} of ")
    return (said + product if colon else name).replace("_", " ")
