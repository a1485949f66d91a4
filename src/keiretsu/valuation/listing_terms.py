"""The parameters of a listing as the case states them, checked as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from keiretsu.case import Case
from keiretsu.errors import Problem, ValuationError
from keiretsu.valuation.finance import records
from keiretsu.valuation.market_multiple import MarketMultiple


@dataclass(frozen=True)
class ListingTerms:
    """How a company would be listed. Shares are parts of the company after the listing.

    Attributes
    ----------
    first_year, last_year
        One may list on 1 January of each of these years.
    revenue_years
        The multiple is of the mean revenue of so many years ahead (fewer where the simulated years end).
    primary_share, secondary_share, later_share
        New shares; present holders' shares sold at once, and when the lock-up ends.
    fee, discount
        Of the money raised; of the price, to make buyers come.
    funding_spread
        What a euro of internal funding costs a year above its market price.
    """

    company: str
    first_year: int
    last_year: int
    revenue_years: int
    multiple_now: float
    multiple_mean: float
    multiple_reversion: float
    multiple_volatility: float
    price_of_risk: float
    risk_free_nominal: float
    fee: float
    discount: float
    primary_share: float
    secondary_share: float
    later_share: float
    lock_up_years: float
    funding_spread: float

    @property
    def multiple(self) -> MarketMultiple:
        """The market's multiple under the drift used for pricing."""
        return MarketMultiple(self.multiple_now, self.multiple_mean, self.multiple_reversion, self.multiple_volatility, self.price_of_risk)


PARAMETERS = tuple(field.name for field in fields(ListingTerms) if field.name != "company")
_SHARES = ("fee", "discount", "primary_share", "secondary_share", "later_share")


def listing_terms_of(case: Case, company: str) -> ListingTerms:
    """Terms of listing.csv.

    Raises
    ------
    ValuationError
        Parameters missing or unknown, and values that cannot be meant, all together.
    """
    rows = {row["parameter"]: row for row in records(case, "listing") if row["company"] == company}
    problems = [
        Problem("no such parameter of a listing", row["row"], name, ", ".join(PARAMETERS)) for name, row in rows.items() if name not in PARAMETERS
    ]
    missing = [name for name in PARAMETERS if name not in rows]
    if missing:
        problems.append(Problem("parameters of the listing are missing", f"listing.csv, {company}", ", ".join(rows) or "none", ", ".join(missing)))
    if problems:
        raise ValuationError(problems)
    values = {name: float(rows[name]["value"]) for name in PARAMETERS}
    first, last, ahead = (int(values.pop(name)) for name in ("first_year", "last_year", "revenue_years"))
    terms = ListingTerms(company, first, last, ahead, **values)
    refuse_bad_listing(terms)
    return terms


def refuse_bad_listing(terms: ListingTerms) -> None:
    """Refuse a listing that cannot be meant.

    Raises
    ------
    ValuationError
        With every problem found.
    """
    problems = list(_problems(terms))
    if problems:
        raise ValuationError(problems)


def _problems(terms: ListingTerms) -> Iterator[Problem]:
    at = f"listing.csv, {terms.company}"
    if terms.last_year < terms.first_year:
        yield Problem("the last year is before the first", at, f"{terms.first_year} to {terms.last_year}", "a last year not before the first")
    if terms.revenue_years < 1:
        yield Problem("no year of revenue to multiply", at, f"revenue_years {terms.revenue_years}", "1 or more")
    for name in ("multiple_now", "multiple_mean"):
        if not getattr(terms, name) > 0:
            yield Problem("a multiple has to be above zero", at, f"{name} {getattr(terms, name):g}", "above 0")
    for name in ("multiple_reversion", "multiple_volatility", "lock_up_years", "funding_spread"):
        if not getattr(terms, name) >= 0:
            yield Problem("below zero", at, f"{name} {getattr(terms, name):g}", "0 or more")
    for name in _SHARES:
        if not 0 <= getattr(terms, name) < 1:
            yield Problem("not a part of one", at, f"{name} {getattr(terms, name):g}", "0 up to but below 1")
    sold = terms.primary_share + terms.secondary_share + terms.later_share
    if not 0 < sold < 1:
        yield Problem(
            "a share above what is for sale" if sold >= 1 else "nothing is listed",
            at,
            f"{sold:.0%} of the company",
            "more than 0 and less than 100 %",
        )
