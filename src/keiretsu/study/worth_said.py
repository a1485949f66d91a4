"""The run's own sentences by the names under which hindsight.csv asks for them: finished before anything later is looked at."""

from __future__ import annotations

from collections.abc import Sequence

from keiretsu.case import Case
from keiretsu.study.headline import Wording
from keiretsu.study.worth_companies import StakeHeld, ValueChange
from keiretsu.study.worth_extras import Extras
from keiretsu.study.worth_stakes import StakePart
from keiretsu.valuation.listing import ListingValuation
from keiretsu.valuation.money import with_error
from keiretsu.valuation.odds import listed, percent

ALLIANCES, LISTING, OWNERS, TIMING = "alliances", "listing", "owners", "timing"
MOST_NAMED = 3


def said_by_the_run(
    case: Case,
    stakes: Sequence[StakePart],
    listings: Sequence[ListingValuation],
    changes: Sequence[ValueChange],
    held: Sequence[StakeHeld],
    extras: Extras,
) -> dict[str, str]:
    """Sentences by key: a scenario's name, ``listing``, ``alliances``, ``owners`` (what stakes held are worth), ``timing`` (of launches).

    A scenario that a stake's terms are about speaks through the stake, any other through what it does to companies' values.
    """
    titles, names = {one.name: one.title for one in case.scenarios}, Wording.of(case)
    found = {
        scenario: _changed(titles.get(scenario, scenario), scenario, changes, names) for scenario in dict.fromkeys(one.scenario for one in changes)
    }
    for part in reversed(stakes):  # the first terms of a scenario speak for it
        if part.valuation.terms.scenario:
            found[part.valuation.terms.scenario] = part.sentence
    if listings:
        found[LISTING] = " ".join(listing.sentence for listing in listings)
    if held:
        found[OWNERS] = _held(held, names)
    if extras.alliance:
        found[ALLIANCES] = extras.alliance_sentence
    if extras.timing:
        found[TIMING] = extras.timing.sentence
    return found


def _changed(title: str, scenario: str, changes: Sequence[ValueChange], names: Wording) -> str:
    own = sorted((one for one in changes if one.scenario == scenario), key=lambda one: -abs(one.growth.value))[:MOST_NAMED]
    parts = [f"{names.name(one.company)} {with_error(one.growth.value, one.growth.error)}" for one in own]
    return f"“{title}” changes what companies are worth: {listed(parts)}."


def _held(held: Sequence[StakeHeld], names: Wording) -> str:
    parts = [
        f"{names.name(one.holder)}'s {percent(one.share, 1)} of {names.name(one.company)} {with_error(one.worth.value, one.worth.error)}"
        for one in held
    ]
    return f"At the model's values, stakes are worth: {listed(parts)}."
