"""Terms and listings that reach beyond the years asked for: refused before these are simulated and not after."""

from __future__ import annotations

from collections.abc import Sequence

from keiretsu.case import Case
from keiretsu.errors import Problem, ValuationError
from keiretsu.study.futures import FuturesAsked
from keiretsu.valuation.listing_terms import ListingTerms
from keiretsu.valuation.terms import StakeTerms, refuse_bad_terms
from keiretsu.valuation.worth import holdings_of


def refuse_terms_beyond(case: Case, terms: Sequence[StakeTerms], asked: FuturesAsked) -> None:
    """Refuse terms of stakes that cannot be meant or whose entry or exit is in no year asked for.

    Raises
    ------
    ValuationError
        With every problem of all of them.
    """
    problems: list[Problem] = []
    for one in terms:
        try:
            refuse_bad_terms(one, holdings_of(case), (case.year + 1, asked.last(case)))
        except ValuationError as refused:
            problems += refused.problems
    if problems:
        raise ValuationError(problems)


def refuse_listing_beyond(case: Case, listing: ListingTerms, asked: FuturesAsked) -> None:
    """Refuse a listing some year of which is not asked for.

    Raises
    ------
    ValuationError
        Naming the years.
    """
    first, last = case.year + 1, asked.last(case)
    if not first <= listing.first_year <= listing.last_year <= last:
        seen = f"{listing.first_year} to {listing.last_year}"
        raise ValuationError(
            Problem("years of the listing are not simulated", f"listing.csv, {listing.company}", seen, f"years within {first} to {last}")
        )
