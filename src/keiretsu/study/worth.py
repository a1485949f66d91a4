"""What it is worth, read off the run's futures: companies, stakes, the listing, what must be true, the choice, and what happened since ([14]-[19]).

Nothing is simulated here: every part values the futures that are there. Alliances and launch timing need equilibria of their own and come in from
`keiretsu.study.worth_extras`. A part that a case says nothing about, or that its futures cannot carry, is empty and says why; the others stand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import pandas as pd

from keiretsu.case import Case
from keiretsu.errors import KeiretsuError
from keiretsu.outlook.ensemble import Ensemble
from keiretsu.outlook.outlook import BASELINE
from keiretsu.study.ahead import NO_YEARS
from keiretsu.study.headline import OWN_MONEY
from keiretsu.study.nothing import NothingStated
from keiretsu.study.said import in_own_money
from keiretsu.study.worth_choice import ChoicePart, choice_of
from keiretsu.study.worth_companies import CompanyPart, StakeHeld, ValueChange, companies_of, focal_company, stakes_held, value_changes
from keiretsu.study.worth_extras import Extras
from keiretsu.study.worth_said import said_by_the_run
from keiretsu.study.worth_stakes import AskTheModel, Condition, MustPart, StakePart, must_be_true_of, stakes_of
from keiretsu.valuation.equity import refuse_negative
from keiretsu.valuation.hindsight import Hindsight, what_happened
from keiretsu.valuation.inputs import with_own_inputs
from keiretsu.valuation.listing import ListingValuation, value_listing
from keiretsu.valuation.worth import equity_of, worth_of_all

T = TypeVar("T")
PARTS = ("companies", "stakes", "listing", "must be true", "choice", "alliances", "timing", "hindsight")

__all__ = ["PARTS", "AskTheModel", "ChoicePart", "CompanyPart", "Condition", "MustPart", "StakeHeld", "StakePart", "ValueChange", "Worth", "worth_of"]


@dataclass(frozen=True, eq=False)
class Worth:
    """What it is worth. Money is EUR at 2023 prices; an error is half of the 95 % interval of a mean over futures.

    Attributes
    ----------
    sentences
        What a board would quote: one for each part that there is, in the order of `PARTS` from the stake on, the company last but one.
    missing
        Why a part, or some company of it, is not there, by its name in `PARTS`.
    focal
        The company that terms of a stake are about, else the first with finance.
    companies, changes
        Every company of finance.csv in the baseline; change of its equity in every drawn scenario.
    held
        What companies' stakes in each other are worth.
    stakes, listings
        Every row of stake_terms.csv that the futures can value; every company of listing.csv.
    must
        The likeliest future in which the headline stake is worth nothing, and what goes with a gain.
    choice
        Moves of the headline investor.
    extras
        Alliances and launch timing.
    cpu_s
        Processor seconds by part.
    """

    sentences: tuple[str, ...]
    missing: Mapping[str, str]
    focal: str = ""
    draws: int = 0
    companies: tuple[CompanyPart, ...] = ()
    changes: tuple[ValueChange, ...] = ()
    held: tuple[StakeHeld, ...] = ()
    stakes: tuple[StakePart, ...] = ()
    listings: tuple[ListingValuation, ...] = ()
    must: MustPart | None = None
    choice: ChoicePart | None = None
    extras: Extras = field(default_factory=Extras)
    hindsight: Hindsight | None = None
    cpu_s: Mapping[str, float] = field(default_factory=dict[str, float])


def worth_of(case: Case, futures: Ensemble | None, extras: Extras, ask: AskTheModel | None = None) -> Worth:
    """Value what a case states on the futures of its run.

    Parameters
    ----------
    futures
        The baseline and the drawn scenarios; without draws its central cases, whose figures have no error. None when no years were simulated.
    extras
        Alliances and launch timing, see `keiretsu.study.worth_extras.extras_of`; an empty one where they were not asked for.
    ask
        What must be true for a stake, asked of the model that the futures come from: ``lambda terms: stake_must_be_true(case, futures, outlook, terms)`` of
        `keiretsu.study.on_the_model`, some tens of paths. None to look for it in the futures alone, which takes some hundreds of them.
    """
    log = _Log({**extras.missing}, {**extras.cpu_s})
    if futures is None:
        log.missing |= dict.fromkeys(PARTS[:5], NO_YEARS)
        hindsight = log.part("hindsight", lambda: _hindsight(case, said_by_the_run(case, (), (), (), (), extras)))
        return Worth(_sentences(case, (), (), None, None, (), extras, hindsight), log.missing, extras=extras, hindsight=hindsight, cpu_s=log.cpu_s)
    companies, without_value = log.part("companies", lambda: companies_of(case, futures)) or ((), "")
    if without_value:
        log.missing["companies"] = without_value
    changes = log.part("companies", lambda: value_changes(case, futures)) or ()
    held = log.part("companies", lambda: stakes_held(case, futures)) or ()
    stakes = log.part("stakes", lambda: stakes_of(case, futures)) or ()
    listings = log.part("listing", lambda: _listings(case, futures)) or ()
    must = log.part("must be true", lambda: must_be_true_of(case, futures, stakes, ask))
    choice = log.part("choice", lambda: choice_of(case, futures))
    said = said_by_the_run(case, stakes, listings, changes, held, extras)
    hindsight = log.part("hindsight", lambda: _hindsight(case, said))
    return Worth(
        sentences=_sentences(case, stakes, listings, must, choice, companies, extras, hindsight),
        missing=log.missing,
        focal=focal_company(case),
        draws=len(futures.inputs),
        companies=companies,
        changes=changes,
        held=held,
        stakes=stakes,
        listings=listings,
        must=must,
        choice=choice,
        extras=extras,
        hindsight=hindsight,
        cpu_s=log.cpu_s,
    )


@dataclass
class _Log:
    """Why parts are empty, and what they cost."""

    missing: dict[str, str]
    cpu_s: dict[str, float]

    def part(self, name: str, make: Callable[[], T]) -> T | None:
        """A part, or None with the reason kept under its name; what is wrong with the program itself is no reason and goes up."""
        start = time.process_time()
        try:
            return make()
        except KeiretsuError as error:
            self.missing.setdefault(name, str(error))
            return None
        finally:
            self.cpu_s[name] = self.cpu_s.get(name, 0.0) + time.process_time() - start


def _listings(case: Case, futures: Ensemble) -> tuple[ListingValuation, ...]:
    named = dict.fromkeys(str(name) for name in case.tables["listing"]["company"])
    if not named:
        raise NothingStated("The case states no terms of a listing (listing.csv).")
    worths = worth_of_all(case, with_own_inputs(futures), BASELINE, with_synergies=True)
    refuse_negative(
        equity_of(case, worths, "growth"), [company for company in named if company in worths], {}
    )  # worthless shares have no price to be listed at
    return tuple(value_listing(case, futures, company) for company in named)


def _hindsight(case: Case, said: Mapping[str, str]) -> Hindsight:
    topics: pd.DataFrame = case.tables["hindsight"]
    if topics.empty:
        raise NothingStated("The case names nothing that was open on its day and has been settled since (hindsight.csv).")
    deals = case.tables["deals"]
    return what_happened(deals, topics, case.as_of, said)


def _sentences(
    case: Case, stakes: tuple[StakePart, ...], listings: tuple[ListingValuation, ...], must: MustPart | None, choice: ChoicePart | None,
    companies: tuple[CompanyPart, ...], extras: Extras, hindsight: Hindsight | None,
) -> tuple[str, ...]:  # fmt: skip
    found = [
        *(part.sentence for part in stakes[:1]), *(listing.sentence for listing in listings), *([must.sentence] if must else []), *([choice.sentence] if choice else []),
        *([extras.alliance_sentence] if extras.alliance else []), *([extras.timing.sentence] if extras.timing else []),
        *(part.valuation.sentence for part in companies[:1]), *([hindsight.sentence] if hindsight else []),
    ]  # fmt: skip
    return tuple(in_own_money(said) if case.money == OWN_MONEY else said for said in found)
