"""The terms on which an investor buys into a company, checked as a whole: what is paid, for what, when, and on which conditions ([15])."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from keiretsu.case import Case
from keiretsu.errors import Problem, ValuationError
from keiretsu.ownership import Holdings
from keiretsu.units import MODEL_CURRENCY
from keiretsu.valuation.finance import money_of_the_case, records
from keiretsu.valuation.inputs import OBSERVABLE

Instrument = Literal["common", "convertible", "staged"]
Money = Literal["primary", "secondary"]
SHARE_TOLERANCE = 1e-9  # parts of a commitment are typed in as decimals of a third


@dataclass(frozen=True)
class Milestone:
    """A part of a staged commitment: `share` of the amount is paid at the end of `year` if `measure` of `of` is then at least `at_least`; without a measure in any case, and
    in the year of entry on the day of entry.
    """

    name: str
    year: int
    share: float
    measure: str
    of: str
    at_least: float
    place: str = ""


@dataclass(frozen=True, kw_only=True)
class StakeTerms:
    """What is bought, from whom, for how much. Money is EUR of the day of payment (nominal).

    Attributes
    ----------
    scenario
        Scenario whose markets follow from the stake; empty when prices do not change.
    control_premium, minority_discount, illiquidity_discount
        Parts of the value of the stake, applied one after the other.
    """

    name: str
    investor: str
    company: str
    amount_eur: float
    valuation_eur: float
    date: dt.date
    exit_year: int
    scenario: str = ""
    instrument: Instrument = "common"
    money: Money = "primary"
    seller: str = ""
    valuation_basis: str = "pre_money"
    control_premium: float = 0.0
    minority_discount: float = 0.0
    illiquidity_discount: float = 0.0
    coupon: float = 0.0
    conversion_discount: float = 0.0
    conversion_cap_eur: float = 0.0
    walk_away: bool = False
    milestones: tuple[Milestone, ...] = ()
    place: str = ""

    @property
    def pre_money_eur(self) -> float:
        """Value agreed before the new money; secondary money is in neither."""
        post = self.valuation_basis == "post_money" and self.money == "primary"
        return self.valuation_eur - self.amount_eur if post else self.valuation_eur

    @property
    def post_money_eur(self) -> float:
        """Value agreed after the new money."""
        return self.pre_money_eur + (self.amount_eur if self.money == "primary" else 0.0)

    @property
    def share(self) -> float:
        """Part of the company bought when all of the amount is paid."""
        return self.amount_eur / self.post_money_eur


def terms_of(case: Case, name: str) -> StakeTerms:
    """Terms of stake_terms.csv with their milestones, in EUR.

    Raises
    ------
    ValuationError
        When there are no such terms.
    """
    rows = {row["terms"]: row for row in records(case, "stake_terms")}
    if name not in rows:
        wanted = f"one of {', '.join(rows) or 'none: the case has no stake_terms.csv'}"
        raise ValuationError(Problem("no such terms", "stake_terms.csv", name, wanted))
    row = rows[name]

    def eur(column: str) -> float:
        return money_of_the_case(case, float(row[column]), row["currency"])

    return StakeTerms(
        name=name, scenario=row["scenario"], investor=row["investor"], company=row["company"], instrument=row["instrument"], money=row["money"],
        seller=row["seller"], amount_eur=eur("amount"), valuation_eur=eur("valuation"), valuation_basis=row["valuation_basis"], date=row["date"],
        exit_year=int(row["exit_year"]), control_premium=row["control_premium"], minority_discount=row["minority_discount"],
        illiquidity_discount=row["illiquidity_discount"], coupon=row["coupon"], conversion_discount=row["conversion_discount"],
        conversion_cap_eur=eur("conversion_cap"), walk_away=row["walk_away"] == "yes", place=row["row"],
        milestones=tuple(sorted((_milestone(line) for line in records(case, "milestones") if line["terms"] == name), key=lambda m: (m.year, m.measure != ""))),
    )  # fmt: skip


def refuse_bad_terms(terms: StakeTerms, holdings: Holdings, years: tuple[int, int]) -> None:
    """Refuse terms that cannot be meant; `years` are the first and the last one simulated.

    Raises
    ------
    ValuationError
        With every problem found.
    """
    problems = [*_money(terms, holdings), *_dates(terms, years), *_milestones(terms, years)]
    if problems:
        raise ValuationError(problems)


def _money(terms: StakeTerms, holdings: Holdings) -> Iterator[Problem]:
    at = terms.place or terms.name
    if terms.company not in holdings.companies:
        yield Problem("company unknown to the register", at, terms.company, f"one of {', '.join(holdings.companies)}")
        return
    for name in (terms.investor, *([terms.seller] if terms.seller else [])):
        if name not in holdings.companies and name not in holdings.owners:
            yield Problem("party unknown to the register", at, name, "a company or an owner of the case")
            return
    if not (terms.amount_eur > 0 and terms.pre_money_eur > 0):
        seen = f"{MODEL_CURRENCY} {terms.amount_eur:,.0f} at {MODEL_CURRENCY} {terms.valuation_eur:,.0f} ({terms.valuation_basis})"
        yield Problem("no share follows from this amount and this valuation", at, seen, "an amount above zero, and below a post-money valuation")
        return
    if (terms.money == "secondary") != bool(terms.seller):
        yield Problem(
            "seller does not fit the money", at, f"money {terms.money}, seller {terms.seller or 'none'}", "a seller when secondary, none else"
        )
    elif terms.money == "secondary":
        held = _held(holdings, terms.seller, terms.company)
        if terms.share > held + SHARE_TOLERANCE:
            yield Problem(
                "a share above what is for sale", at, f"{terms.share:.2%} of {terms.company}", f"at most {held:.2%}, what {terms.seller} has"
            )
    if terms.money == "secondary" and terms.instrument != "common":
        yield Problem("only shares that exist can be bought from a holder", at, terms.instrument, "common, or primary money")
    if terms.investor in (terms.company, terms.seller):
        yield Problem("buyer and seller, or buyer and company, are the same", at, terms.investor, "different parties")


def _dates(terms: StakeTerms, years: tuple[int, int]) -> Iterator[Problem]:
    at = terms.place or terms.name
    if terms.exit_year < terms.date.year:
        yield Problem(
            "an exit before entry", at, f"entry {terms.date}, exit at the end of {terms.exit_year}", f"an exit year from {terms.date.year} on"
        )
    if not years[0] <= terms.date.year or terms.exit_year > years[1]:
        yield Problem("entry or exit outside the years simulated", at, f"{terms.date} to {terms.exit_year}", f"{years[0]} to {years[1]}")


def _milestones(terms: StakeTerms, years: tuple[int, int]) -> Iterator[Problem]:
    at = terms.place or terms.name
    if (terms.instrument == "staged") != bool(terms.milestones):
        yield Problem(
            "milestones do not fit the instrument", at, f"{terms.instrument} with {len(terms.milestones)} milestones", "milestones when staged"
        )
    total = sum(milestone.share for milestone in terms.milestones)
    if total > 1 + SHARE_TOLERANCE:
        yield Problem("the parts are more than the whole amount", at, f"{total:.1%}", "parts that add up to at most 100 %")
    if terms.walk_away and terms.instrument != "staged":
        yield Problem("nothing is left to refuse", at, terms.instrument, "an option to walk away only from a staged commitment")
    for milestone in terms.milestones:
        where = milestone.place or at
        if milestone.measure and milestone.measure not in OBSERVABLE:
            yield Problem("a milestone that nobody can observe", where, milestone.measure, f"one of {', '.join(OBSERVABLE)}",
                          "tie the money to something published")  # fmt: skip
        if not max(terms.date.year, years[0]) <= milestone.year <= terms.exit_year:
            yield Problem("a milestone outside the time of the stake", where, str(milestone.year), f"{terms.date.year} to {terms.exit_year}")


def _held(holdings: Holdings, holder: str, company: str) -> float:
    column = holdings.company_index(company)
    if holder in holdings.companies:
        return float(holdings.cross_holdings[holdings.companies.index(holder), column])
    return float(holdings.owner_shares[holdings.owners.index(holder), column])


def _milestone(row: Mapping[str, Any]) -> Milestone:
    return Milestone(row["milestone"], int(row["year"]), float(row["share"]), row["measure"], row["of"], float(row["at_least"]), row["row"])
