"""What governments do: programmes in force with their money, what each policy achieves, who stops at which threshold, pools, and a look back."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from keiretsu.report.blocks import Block, Names, Section
from keiretsu.report.figures import Figure, change_bars, three_dots, value_in_range
from keiretsu.report.names import BASELINE
from keiretsu.report.tables import table_of
from keiretsu.report.wording import Label, in_money, label_of, with_digits_for
from keiretsu.study.policy_effects import CUT, READ_BACKWARDS

if TYPE_CHECKING:
    from keiretsu.study.results import Results

MOST_BARS = 16
MOST_BRANDS = 20
LINE = 30  # letters of a figure's label on one line
ALL_BRANDS = "all"
EFFECTS_NOTE = (
    "Each policy as it stands in one world against a world without it: where a scenario ends a programme, what it ends; where a fleet rule comes while "
    "programmes end, against the scenario with the same programmes and fewer rules. The next table says for each what is compared. Figures are of the "
    "base year at central parameters: they carry no error here. "
    "What reaches buyers can pass 100 %: a bonus brings buyers who look more at prices, most where poorer households get more, so makers lower theirs; "
    "they also do so to stay under a ceiling, or add money of their own; VAT falls on every change of a maker's price. For a duty it is what buyers bear. "
    "Emissions are those of the tailpipe over 200,000 km."
)
BANDS_NOTE = "Ranges of studies of other places and years, as a check. Nothing was tuned to them."
STUCK_NOTE = (
    "A maker gains from a higher price up to the threshold and loses beyond it; the pushes say by how much a car. "
    "At a kink a price stays between two pushes; at a notch it stops at the last price that still counts."
)
POOLING_NOTE = (
    "Operating profit after payments, under the same rule, beside the scenario in which the fewest makers pool. "
    "Below zero, a payment is what a maker pays; makers are companies, whatever brands the rule counts by."
)
MEASURES = (
    "title", "electric_sales_gained_cars", "electric_lost_without_percent", "gross_spending_eur", "net_cost_eur", "eur_per_extra_electric_car",
    "net_eur_per_extra_electric_car", "reaches_buyers_percent", "inframarginal_percent", "tonnes_avoided_t", "tonnes_per_1000_eur",
)  # fmt: skip
WHO = (
    "title", "surplus_gained_eur", "maker_gains_most", "maker_gains_most_eur", "maker_loses_most", "maker_loses_most_eur", "owner_gains_most",
    "owner_gains_most_eur", "reading", "programmes", "markets", "also", "not_measured",
)  # fmt: skip
BUDGETS = {
    "programme": Label("Programme", kind="text"),
    "budget_eur": Label("Budget", "EUR a year"),
    "spent_eur": Label("Spent", "EUR a year"),
    "open_percent": Label("Open", "% of the year", digits=1),
}
FLEET_RULE = {"rule": Label("Fleet rule", kind="text")}
REASONS = (
    "The model holds models, ranges, costs and tastes of the base year: cars that came later sell nothing in it, and cars that grew old sell as before.",
    "It moves no sale in time: buyers who hurried before a programme ended are missing in the year after it, not in the model.",
    "The programmes of one day stand for the whole base year, so what changed within that year is only in its sales.",
    "Discounts are those that pay in one year's equilibrium; a price war that is meant for later years is not in it.",
)


def governments(results: Results, names: Names) -> Section:
    """The whole section; empty for a case without programmes, fleet rules and later observations."""
    blocks = [*_effects(results, names), *_in_force(results, names), *_stuck(results, names), *_pools(results, names), *_lookback(results, names)]
    lead = "Taxes, incentives, tariffs and fleet rules sit inside the prices. What they cost, whom they reach, and what would be without them."
    return Section("governments", "What governments do", lead, tuple(blocks))


def _effects(results: Results, names: Names) -> Iterable[Block]:
    effects = results.policy_effects
    if not len(effects):
        return
    label = replace(label_of("electric_units"), text="Electric cars added", signed=True)
    titles = [_policy_said(names.get(str(s), str(s)), str(how)) for s, how in zip(effects["scenario"], effects["reading"], strict=True)]
    gained = [float(x) for x in effects["electric_sales_gained_cars"]]
    yield Block("figure", change_bars("policy-electric", "Electric cars a year that each policy adds", [_lines(t) for t in titles], gained, label))
    places = [", ".join(names.get(m, m) for m in str(markets).split(", ")) for markets in effects["markets"]]
    table = effects.assign(title=titles, markets=places)
    labels = {"title": Label("Policy", kind="text")}
    note = EFFECTS_NOTE
    yield Block("table", table_of("policy-effects", "What each policy achieves", table, names=names, columns=MEASURES, labels=labels, note=note))
    yield Block("table", table_of("policy-who", "Who gains from each policy, and what is compared", table, names=names, columns=WHO, labels=labels))
    bands = results.policy_bands
    if len(bands):
        policy = dict(zip(effects["scenario"], titles, strict=True))
        said = [
            f"{_lines(policy.get(str(s), names.get(str(s), str(s))))}<br><i>{_lines(str(m).removesuffix(', %'))}</i>"
            for s, m in zip(bands["scenario"], bands["measure"], strict=True)
        ]
        inside = f"{int(bands['within_range'].astype(bool).sum())} of {len(bands)} lie within the range."
        yield Block("figure", value_in_range("policy-bands", "Beside the literature, per cent", bands, said, note=f"{BANDS_NOTE} {inside}"))
        yield Block(
            "table",
            table_of(
                "bands",
                "Beside the literature",
                bands,
                names=names,
                labels={"value": Label("The model", "%", digits=1), "low": Label("Low", "%"), "high": Label("High", "%")},
            ),
        )


def _policy_said(title: str, reading: str) -> str:
    """The policy that a scenario is about: where the scenario is the world without it, what it ends; where it has less of it, what that takes away."""
    return f"What “{title}” ends" if reading in READ_BACKWARDS else f"What “{title}” takes away" if reading == CUT else title


def _lines(words: str) -> str:
    """Words broken into lines that leave room for the figure on a narrow screen."""
    return "<br>".join(textwrap.wrap(words, LINE))


def _in_force(results: Results, names: Names) -> Iterable[Block]:
    table = results.policies
    if not len(table):
        return
    money = table[(table["kind"] != "vat") & (table["government_eur"] != 0)]
    money = money.loc[money["government_eur"].abs().sort_values(ascending=False, kind="stable").index].head(MOST_BARS)
    money = money.sort_values("government_eur", ascending=False, kind="stable")
    if len(money):
        label = replace(in_money(label_of("government_eur"), names.get("EUR", "EUR")), text="Government's take", signed=True)
        label = with_digits_for(label, float(money["government_eur"].abs().max()))
        said = [f"{names.get(str(m), str(m))}, {p}" for m, p in zip(money["market"], money["programme"], strict=True)]
        title = "Money by programme in the baseline, VAT left out"
        note = (
            "Above zero is taken, below zero is paid out. Programmes by the names that the case has for them; the table below says what each one is."
        )
        yield Block("figure", change_bars("policy-money", title, said, [float(x) for x in money["government_eur"]], label, note=note))
    yield Block("table", table_of("policies", "In force in the baseline", table, names=names))
    budgets = results.budgets
    if len(budgets) and (budgets["scenario"] == BASELINE).any():
        now = budgets[budgets["scenario"] == BASELINE].drop(columns="scenario")
        open_ = 100 * now.pop("open_share_of_year").astype(float)
        yield Block("table", table_of("budgets", "Pots of money", now.assign(open_percent=open_), names=names, labels=BUDGETS))


def _stuck(results: Results, names: Names) -> Iterable[Block]:
    table = results.stuck
    if not len(table):
        return
    now = table[table["scenario"] == BASELINE].drop(columns="scenario")
    if len(now):
        yield Block("table", table_of("stuck", "Prices that stop at a threshold", now, names=names, note=STUCK_NOTE))
    later = table[table["scenario"] != BASELINE]
    if len(later):
        yield Block("table", table_of("stuck-scenarios", "The same under each scenario", later, names=names))


def _pools(results: Results, names: Names) -> Iterable[Block]:
    pooling = results.pooling
    for scenario in dict.fromkeys(pooling["scenario"]) if len(pooling) else ():
        rows = pooling[(pooling["scenario"] == scenario) & (pooling["scenario"] != pooling["reference"])]
        rows = rows.loc[rows["than_alone_eur"].abs().sort_values(ascending=False, kind="stable").index].head(MOST_BARS)
        rows = rows.sort_values("than_alone_eur", ascending=False, kind="stable")
        if len(rows):
            label = replace(in_money(label_of("profit_eur"), names.get("EUR", "EUR")), text="Profit after payments", signed=True)
            label = with_digits_for(label, float(rows["than_alone_eur"].abs().max()))
            reference = names.get(str(rows["reference"].iloc[0]), str(rows["reference"].iloc[0]))
            title = f"{names.get(str(scenario), str(scenario))}: who gains against “{reference}”"
            makers = [names.get(str(firm), str(firm)) for firm in rows["firm"]]
            yield Block("figure", change_bars(f"pooling-{scenario}", title, makers, [float(x) for x in rows["than_alone_eur"]], label))
    if len(pooling):
        yield Block("table", table_of("pooling", "What pooling is worth to each maker", pooling, names=names, labels=FLEET_RULE, note=POOLING_NOTE))
    if len(results.pools):
        note = "A shadow price is what one gram too many, or one electric car too few, costs every car of the pool. Slack: the rule does not bind."
        yield Block("table", table_of("pools", "Pools and shadow prices", results.pools, names=names, labels=FLEET_RULE, note=note))
    paid = results.payments
    if len(paid) and (paid["pays_eur"] != 0).any():
        yield Block("table", table_of("payments", "Payments inside pools", paid[paid["pays_eur"] != 0], names=names, labels=FLEET_RULE))


def _lookback(results: Results, names: Names) -> Iterable[Block]:
    table = results.lookback
    for market, year, powertrain in dict.fromkeys(zip(table["market"], table["year"], table["powertrain"], strict=True)) if len(table) else ():
        part = table[(table["market"] == market) & (table["year"] == year) & (table["powertrain"] == powertrain)]
        yield _said_back(results, part, names, f"{names.get(str(market), str(market))} {year}, {names.get(str(powertrain), str(powertrain))} cars")
        brands = part[part["brand"] != ALL_BRANDS].head(MOST_BRANDS)
        yield Block("figure", _dots(f"lookback-{market}-{year}-{powertrain}", brands, int(year), results.case.year))
        shown = part.drop(columns=["market", "year", "powertrain"])
        id = f"lookback-table-{market}-{year}-{powertrain}"
        yield Block("table", table_of(id, "By brand", shown, names=names, note="Figures of the later year feed no run."))


def _said_back(results: Results, part: pd.DataFrame, names: Names, title: str) -> Block:
    total = part[part["brand"] == ALL_BRANDS].iloc[0]
    errors = results.lookback_errors
    same = (errors["market"] == total["market"]) & (errors["year"] == total["year"]) & (errors["powertrain"] == total["powertrain"])
    model, before = (errors[same & (errors["forecast"] == kind)].iloc[0] for kind in ("model", "as in the base year"))
    sentence = (
        f"The baseline, the world without what ended, has {total['predicted_cars']:,.0f} cars; {total['observed_cars']:,.0f} were registered. "
        f"The error is {model['total_error_percent']:+.1f} %, and {model['brands_error_percent']:.0f} % summed over brands. "
        f"“As in {results.case.year}” errs by {before['total_error_percent']:+.1f} % and {before['brands_error_percent']:.0f} %."
    )
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in REASONS)
    body = f'<p>{escape(sentence)}</p><p>Why they differ, and why a total that fits is partly luck:</p><ul class="why">{reasons}</ul>'
    return Block("html", body, heading=f"Looking back: {title}")


def _dots(id: str, brands: pd.DataFrame, year: int, base_year: int) -> Figure:
    series = {
        f"{base_year}, observed": [float(x) for x in brands["base_year_cars"]],
        f"{year}, the model": [float(x) for x in brands["predicted_cars"]],
        f"{year}, observed": [float(x) for x in brands["observed_cars"]],
    }
    return three_dots(id, "By brand, cars a year", [str(b) for b in brands["brand"]], series, unit="cars a year")
