"""Price cuts over years: what a cut is a cut of, said where its figures are ([8], [11])."""

from __future__ import annotations

from collections.abc import Collection

from keiretsu.case import Case
from keiretsu.moves.price_moves import PriceCut
from keiretsu.valuation.odds import listed


def cut_sentences(case: Case, scenarios: Collection[str]) -> tuple[str, ...]:
    """One sentence on the scenarios among those named that cut prices; nothing where none does.

    A cut price keeps its ratio to what the car costs (`keiretsu.outlook.held`), and what would be charged without the cut does not: costs fall while margins stay, and
    rules that bind later move the latter alone.
    """
    cutting = [
        text.title for text in case.scenarios if text.name in scenarios and any(move.values.get("type") == PriceCut.type for move in text.moves)
    ]
    if not cutting:
        return ()
    named = listed([f"\N{LEFT DOUBLE QUOTATION MARK}{title}\N{RIGHT DOUBLE QUOTATION MARK}" for title in cutting])
    return (
        f"{named}: prices are cut from those of {case.year} and then follow what the cars cost, so in a later year they may be less or more than that "
        f"below what would be charged without the cut.",
    )
