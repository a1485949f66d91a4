"""Sentences about the years ahead that a board would quote; every figure with its error, no more digits than that supports."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from keiretsu.case import Case
from keiretsu.outlook.outlook import BASELINE
from keiretsu.study.ahead_beside import PackPrice, Projection, sold_electric
from keiretsu.study.ahead_measures import ALL_MAKERS, ALL_MARKETS, Summaries, Summary
from keiretsu.study.headline import OWN_MONEY, Wording
from keiretsu.study.said import money_with_error, number_with_error
from keiretsu.study.ventures import VENTURE
from keiretsu.valuation.odds import listed

_FIRST_DIGIT = re.compile(r"(\d)")


def ahead_sentences(
    case: Case,
    averages: Summaries,
    baseline: Summaries,
    projections: Sequence[Projection],
    packs: Sequence[PackPrice],
    years: Sequence[int],
    parties: Summaries,
) -> tuple[str, ...]:
    """The headline scenario, the one that moves makers most, electric cars without any deal, others' projections, what packs have cost.

    Scenarios of `parties` (parents' profit with their parts, ventures' own, that of merged pairs: `keiretsu.study.ventures.parties_over_years`) are told by what these get.
    """
    said: list[str] = []
    wording = Wording.of(case)
    titles = {one.name: one.title for one in case.scenarios}
    if averages.rows:
        first = averages.scenarios[0]
        said.append(_about(first, averages, parties, titles, wording, years))
        most = max(averages.scenarios, key=lambda name: max(abs(row.mean) for row in _movers(averages, parties, name)))
        if most != first:
            said.append(_about(most, averages, parties, titles, wording, years))
    said.append(_electric(baseline, years[-1], case.year, sold_electric(case)))
    return (*said, *_projected(projections), *_packs(packs, case.year))


def _about(scenario: str, averages: Summaries, parties: Summaries, titles: Mapping[str, str], wording: Wording, years: Sequence[int]) -> str:
    movers, surplus = _movers(averages, parties, scenario), averages.one(scenario, "surplus", ALL_MARKETS)
    when = f"“{titles.get(scenario, scenario)}”: from {years[0]} to {years[-1]}"
    if not any((row.mean, row.error) != (0.0, 0.0) for row in (*movers, surplus)):
        return f"{when} no maker's profit changes, nor buyers' surplus."
    currency = "" if wording.money == OWN_MONEY else "EUR"
    said = [f"by {_change(row.mean, row.error, currency)} a year on average{_between(row, currency)}" for row in movers]
    text = f"{when} " + listed([f"{wording.name(row.of)}'s operating profit changes {change}" for row, change in zip(movers, said, strict=True)])
    own = [row for row in parties.rows if (row.scenario, row.measure) == (scenario, VENTURE)]
    if own:
        earned = listed([f"{wording.name(row.of)}'s {_change(row.mean, row.error, currency)}" for row in own])
        text += f", their parts of {earned} included"
    return f"{text}; buyers' surplus by {_change(surplus.mean, surplus.error, currency)} a year{wording.end}"


def _between(row: Summary, currency: str) -> str:
    if row.half95 is None or _all_alike(row):
        return ""
    low, high = (_change(end, row.error, currency, alone=True) for end in (row.p10, row.p90))
    return f" (in eight futures of ten between {low} and {high})"


def _change(value: float, error: float, currency: str, *, alone: bool = False) -> str:
    """A change of money with its sign, ``EUR +3.4 ± 0.2 m``: a gain and a loss look alike without it."""
    text = money_with_error(value, error, currency, alone=alone)
    return _FIRST_DIGIT.sub(r"+\1", text, count=1) if value > 0 and any(c in "123456789" for c in text.partition("±")[0]) else text


def _all_alike(row: Summary) -> bool:
    """Whether every future has the same figure: nothing that is drawn moves it, so a band would say nothing."""
    return row.p10 == row.p90


def _movers(averages: Summaries, parties: Summaries, scenario: str) -> list[Summary]:
    """Whom a scenario is told by: the parents of its ventures and the pairs that it merges, else the maker whose profit it moves most."""
    if those := [row for row in parties.rows if (row.scenario, row.measure) == (scenario, "profit")]:
        return those
    makers = [row for row in averages.rows if row.scenario == scenario and row.measure == "profit" and row.of != ALL_MAKERS]
    return [max(makers, key=lambda row: abs(row.mean))]


def _electric(baseline: Summaries, last_year: int, base_year: int, sold_before: float) -> str:
    last = baseline.one(BASELINE, "electric_share", ALL_MARKETS, last_year)
    text = f"Without any deal electric cars go from {100 * sold_before:.{0 if sold_before >= 0.1 else 1}f} % of cars sold in {base_year} to {_share(last)} in {last_year}"
    if last.half95 is not None and not _all_alike(last):
        text += f"; in eight futures of ten to between {100 * last.p10:.0f} and {100 * last.p90:.0f} %"
    return f"{text}."


def _projected(projections: Sequence[Projection]) -> list[str]:
    if not projections:
        return []
    who, year = projections[0].who, max(one.year for one in projections if one.who == projections[0].who)
    parts = [f"{100 * one.said:.0f} % for {one.region} (here {_share(one.here)})" for one in projections if (one.who, one.year) == (who, year)]
    return [f"Electric cars among those sold in {year}, {who}: {' and '.join(parts)}."]


def _packs(packs: Sequence[PackPrice], base_year: int) -> list[str]:
    for one in packs:
        if one.year < base_year and one.curve is not None:
            between = f" (EUR {one.slow:,.0f} to {one.fast:,.0f} over its range)" if one.slow is not None and one.fast is not None else ""
            return [
                f"Run backwards from {base_year}, the learning curve has battery packs at EUR {one.curve:,.0f} a kWh in {one.year}{between}; "
                f"EUR {one.paid:,.0f} was paid."
            ]
    return []


def _share(row: Summary) -> str:
    return f"{number_with_error(100 * row.mean, 100 * row.error) if row.error else f'{100 * row.mean:.1f}'} %"
