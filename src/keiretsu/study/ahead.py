"""The years ahead as a board asks about them: what each headline scenario changes year by year and how sure that is, where electric cars go without any deal,
what others projected, and every scenario's central case ([11], [12]).

Everything is read off the run's futures; nothing is simulated here. Changes are against the baseline of the same future, so what all futures share cancels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import xarray as xr

from keiretsu.case import Case
from keiretsu.outlook.ensemble import Ensemble
from keiretsu.outlook.outlook import BASELINE
from keiretsu.study.ahead_beside import PackPrice, Projection, pack_history, projections_beside, regions_of
from keiretsu.study.ahead_cuts import cut_sentences
from keiretsu.study.ahead_jumps import jump_sentences
from keiretsu.study.ahead_measures import ALL_MAKERS, ALL_MARKETS, Quantity, Summaries, changes_of, electric_share, makers_among, summaries
from keiretsu.study.ahead_quotas import quota_sentences
from keiretsu.study.ahead_said import ahead_sentences
from keiretsu.study.ahead_sides import LeftOut, WentRound, left_out, sides_that_went_round, went_round_sentences
from keiretsu.study.headline import OWN_MONEY, Wording
from keiretsu.study.ventures import deals_by_scenario, parties_over_years

NO_YEARS = "The run looked at one year: no years ahead were simulated."
NOTHING = Summaries()
RULE_VARIABLES = {"fleet_price_eur": "Shadow price", "fleet_balance": "Balance", "fleet_pays_eur": "Payments"}  # by maker under a rule ("ruled")


@dataclass(frozen=True, eq=False)
class Ahead:
    """Tables of the years ahead. Money is EUR a year at 2023 prices, shares are parts of one; `half95` is half of the 95 % interval of a mean over futures.

    Attributes
    ----------
    sentences
        What a board would quote.
    why_empty
        Why there is nothing; empty when there is something.
    years, draws
        Years simulated; futures drawn, 0 for central cases alone.
    changes, averages
        Drawn scenarios less the baseline, year by year, and the mean over the years (`year` 0).
    baseline
        The baseline itself: electric share by market and by region of projections, makers' profit, pack price.
    central
        Every scenario's central case less the baseline's: the mean over the years (`year` 0) and the last year.
    projections, packs
        What others projected and what battery packs have cost.
    rules
        Makers under fleet rules by scenario and year: shadow price, balance and payments, of makers that ever meet a price; empty where there is no rule.
    went_round, left_out, cautions
        Markets and years in which no side of a price threshold was best for every maker, what leaving those futures out changes; both in sentences, with balances
        over averaged years that jump and tariff quotas that are exceeded.
    """

    sentences: tuple[str, ...]
    why_empty: str = ""
    years: tuple[int, ...] = ()
    draws: int = 0
    changes: Summaries = NOTHING
    averages: Summaries = NOTHING
    baseline: Summaries = NOTHING
    central: Summaries = NOTHING
    projections: tuple[Projection, ...] = ()
    packs: tuple[PackPrice, ...] = ()
    rules: Summaries = NOTHING
    went_round: tuple[WentRound, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    cautions: tuple[str, ...] = ()

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Scenarios that were drawn, in their order."""
        return self.averages.scenarios


def ahead_of(case: Case, futures: Ensemble | None) -> Ahead:
    """Read the years ahead of a run; with no futures the result is empty and says why."""
    if futures is None:
        return Ahead((NO_YEARS,), NO_YEARS)
    data = futures.data
    makers = makers_among(case.makers, data)
    quantities = changes_of(data, makers) if data.sizes["scenario"] > 1 else []
    averages = summaries(futures, quantities, by_year=False)
    parties = summaries(futures, parties_over_years(data, deals_by_scenario(case), Wording.of(case).name), by_year=False)
    years = tuple(int(year) for year in data["year"].values)
    baseline = summaries(futures, _baseline(case, data, makers), by_year=True)
    projections, packs = projections_beside(case, futures), pack_history(case)
    went_round, without = sides_that_went_round(futures), left_out(futures)
    return Ahead(
        sentences=ahead_sentences(case, averages, baseline, projections, packs, years, parties),
        years=years,
        draws=len(futures.inputs),
        changes=summaries(futures, quantities, by_year=True),
        averages=averages,
        baseline=baseline,
        central=_central(futures, makers),
        projections=projections,
        packs=packs,
        rules=summaries(futures, _rules(data), by_year=True),
        went_round=went_round,
        left_out=without,
        cautions=_cautions(case, futures, went_round, without),
    )


def _cautions(case: Case, futures: Ensemble, rows: tuple[WentRound, ...], without: tuple[LeftOut, ...]) -> tuple[str, ...]:
    wording, titles = Wording.of(case), {one.name: one.title for one in case.scenarios}
    markets = {str(m): str(n) for m, n in zip(case.markets["market"], case.markets["name"], strict=True)}
    currency = "" if wording.money == OWN_MONEY else "EUR"
    return (
        *went_round_sentences(rows, without, titles, markets, currency, wording.end),
        *jump_sentences(futures, titles),
        *quota_sentences(futures, titles, markets),
        *cut_sentences(case, {str(name) for name in futures.central["scenario"].values}),
    )


def _baseline(case: Case, data: xr.Dataset, makers: tuple[str, ...]) -> list[Quantity]:
    alone = data.sel(scenario=[BASELINE])
    share = alone["electric_units"] / alone["units_all"]
    found = [Quantity("electric_share", ALL_MARKETS, "share", electric_share(alone))]
    found += [Quantity("electric_share", str(market), "share", share.sel(market=market, drop=True)) for market in data["market"].values]
    found += [Quantity("electric_share", region, "share", electric_share(alone, markets)) for region, markets in regions_of(case).items()]
    found.append(Quantity("profit", ALL_MAKERS, "EUR/yr", alone["firm_profit_eur"].sum("firm")))
    found += [Quantity("profit", maker, "EUR/yr", alone["firm_profit_eur"].sel(firm=maker, drop=True)) for maker in makers]
    return [*found, Quantity("pack_price", "", "EUR/kWh", alone["pack_price_eur_kwh"])]


def _central(futures: Ensemble, makers: tuple[str, ...]) -> Summaries:
    central = futures.central
    if central.sizes["scenario"] < 2:
        return Summaries()
    quantities = changes_of(central, makers)
    last = [replace(one, values=one.values.isel(year=[-1])) for one in quantities]
    return Summaries((*summaries(futures, quantities, by_year=False).rows, *summaries(futures, last, by_year=True).rows))


def _rules(data: xr.Dataset) -> list[Quantity]:
    """Variables of `RULE_VARIABLES` by maker under a rule; makers whose shadow price is zero in every scenario, future and year are left out."""
    found: list[Quantity] = []
    if "fleet_price_eur" not in data:
        return found
    met = data["fleet_price_eur"] != 0
    bound = [label for label in data["ruled"].values if bool(met.sel(ruled=label).any())]
    for name, measure in RULE_VARIABLES.items():
        values = data[name]
        found += [Quantity(measure, str(label), str(values.attrs.get("unit", "")), values.sel(ruled=label, drop=True)) for label in bound]
    return found
