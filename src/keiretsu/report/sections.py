"""What the page says, in the order in which a board asks: the answer, who owns whom, prices, gains, why, how sure, from what.

Every section takes results and returns blocks; nothing here computes a result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from keiretsu.report.blocks import Block, Names, Section
from keiretsu.report.figures import change_bars, fit_dots, heat, stacked_channels
from keiretsu.report.governments import governments
from keiretsu.report.headline import PROFIT_OF, headline_table
from keiretsu.report.names import BASELINE
from keiretsu.report.nearly import nearly_said
from keiretsu.report.network import around, arrange, changed_companies, draw, stakes_of, width_of
from keiretsu.report.tables import Table, table_of
from keiretsu.report.value_sections import worth_sections
from keiretsu.report.wording import Label, in_money, label_of, with_digits_for
from keiretsu.report.years import years_sections
from keiretsu.study.ahead_beside import sold_electric
from keiretsu.study.answered import Answer
from keiretsu.study.ventures import as_parents_see, note_on_ventures, ventures_in
from keiretsu.valuation.odds import listed

if TYPE_CHECKING:
    from keiretsu.study.results import Results

MOST_BARS = 16
NO_CHANGE_PERCENT = 1e-6  # prices are solved to a residual far below this
WIDE_DRAWING = 640  # px; wider drawings stand under each other: side by side their words would be too small to read
NOT_AS_OBSERVED = 0.002  # of sales: below it the shares read alike
NOT_CHANNELS = ("measure", "by", "item", "unit", "base", "scenario", "change")
TARGETS = {
    "own_elasticity": "Own-price elasticity", "subset_elasticity": "Elasticity of a group of cars", "market_elasticity": "Elasticity of all sales",
    "second_choice": "Second choice in the group", "diversion_outside": "Lost buyers who buy no car", "margin": "Margin over price",
}  # fmt: skip
KINDS_OF_ITEM = {"firm": "maker", "owner": "owner", "market": "market", "brand": "brand", "income group": "income group"}
YEARS = ("year", "from_year", "to_year", "exit_year")  # columns of years in input tables
SPLIT_SHOWN = (
    ("profit_eur", "maker", "Makers' operating profit"),
    ("claim_eur", "owner", "Owners' claims"),
    ("surplus_eur", "income group", "Buyers' surplus by income"),
    ("units", "maker", "Makers' sales"),
)


def sections_of(results: Results, names: Names, shown: str) -> list[Section]:
    """All sections of the page that have something to show."""
    first: tuple[Callable[[Results, Names], Section], ...] = (
        lambda r, n: answer(r, n, shown), owners_network, prices_and_sales, who_gains, why, governments,
    )  # fmt: skip
    last = (rules, concentration, fit, inputs, diagnostics, made)
    ahead: tuple[Section, ...] = ()
    if isinstance(results, Answer) and results.futures is not None:
        ahead = (*years_sections(results.ahead, names), *worth_sections(results.worth, names))
    return [section for section in (*(make(results, names) for make in first), *ahead, *(make(results, names) for make in last)) if section.blocks]


def answer(results: Results, names: Names, shown: str) -> Section:
    """The sentences that matter and one table over all scenarios, readable without any script."""
    quoted = results.first_sentences if isinstance(results, Answer) else results.sentences
    basis = f'<p class="note">{escape(results.basis)}</p>' if isinstance(results, Answer) else ""
    says = '<div class="says">' + "".join(f"<p>{escape(sentence)}</p>" for sentence in quoted) + basis + "</div>"
    makers = [str(column) for column in results.headline if str(column).startswith(PROFIT_OF)]
    of_makers = (*makers, "gains_most", "gains_most_eur_m", "loses_most", "loses_most_eur_m")
    rest = [str(column) for column in results.headline if str(column) not in ("scenario", "title", *of_makers)]
    first = _answer_table(headline_table("scenarios", "", results.headline, names, without=of_makers), results.headline, shown)
    second = _answer_table(headline_table("makers", "", results.headline, names, without=rest), results.headline, shown)
    note = "Changes are against the baseline, the world as it was on the date of the case."
    note += _not_as_observed(results)
    note += " Owners' claims are on operating profit; what they pay for stakes is not counted."
    note += " Money is in the case's own unit." if "EUR" in names else " Money is EUR a year at 2023 prices."
    if len(results.policy_effects):
        note += " A scenario's moves count together: one that ends incentives beside a fleet rule shows both; “What governments do” tells them apart."
    tables = (
        Block("html", first, remark=note),
        Block("html", second, heading="Makers' operating profit", remark=note_on_ventures(results.scenarios).strip()),
    )
    return Section("answer", "The answer", "", (Block("html", says), *tables, *_nearly(results, names), *_unsettled(results)))


def _not_as_observed(results: Results) -> str:
    """Where the baseline sells another share of electric cars than was observed: why the two differ."""
    markets = results.base.markets
    now, seen = float(markets["electric_units"].sum() / markets["units"].sum()), sold_electric(results.case)
    if abs(now - seen) < NOT_AS_OBSERVED:
        return ""
    shares = f"electric cars are {100 * now:.1f} % of what it sells, {100 * seen:.1f} % of what was sold"
    return f" Its cars and buyers are those of {results.case.year}, its programmes those of {results.case.as_of}: {shares}."


def _answer_table(table: Table, headline: pd.DataFrame, shown: str) -> str:
    """A table of scenarios that needs no script."""
    head = "".join(f'<th class="{"n" if c.kind == "number" else ""}">{escape(c.text)}<small>{escape(c.unit)}</small></th>' for c in table.columns)
    rows = []
    for row, name in zip(table.rows, headline["scenario"], strict=True):
        cells = "".join(_cell(value, label) for value, label in zip(row, table.columns, strict=True))
        rows.append(f'<tr data-row="{escape(str(name))}"{" class=shown" if name == shown else ""}>{cells}</tr>')
    return f'<div class="headline"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _nearly(results: Results, names: Names) -> Iterable[Block]:
    """Scenarios answered by a state that is only near to an equilibrium."""
    said = nearly_said(results, names)
    if said:
        yield Block("html", f'<ul class="why">{"".join(f"<li>{escape(one)}</li>" for one in said)}</ul>', heading="Near to an equilibrium only")


def _unsettled(results: Results) -> Iterable[Block]:
    """Scenarios for which no equilibrium was found, and why; they are in no table."""
    table = results.unsettled
    if len(table):
        lines = "".join(f"<li><b>{escape(str(title))}</b>: {escape(str(why))}.</li>" for title, why in zip(table["title"], table["why"], strict=True))
        yield Block("html", f'<ul class="why">{lines}</ul>', heading="Without an answer: no equilibrium was found")


def _cell(value: object, label: Label) -> str:
    if label.kind == "text":
        return f"<td>{escape('' if value is None else str(value))}</td>"
    said = label.show(value)
    way = ""
    if label.signed and isinstance(value, float) and any(d in "123456789" for d in said):
        way = " up" if value > 0 else " down"
    return f'<td class="n{way}">{escape(said)}</td>'


def owners_network(results: Results, names: Names) -> Section:
    """Who holds what before and after, drawn, and the tables behind it."""
    blocks: list[Block] = []
    tables: dict[str, tuple[Table, ...]] = {}
    before = stakes_of(results.owners[BASELINE].direct)
    known = {name: stakes_of(tables.direct) for name, tables in results.owners.items()}
    changes = {name: changed_companies(before, after) for name, after in known.items()}
    otherwise = next((moved for moved in changes.values() if moved), {company for _, company in before})
    for scenario in results.scenarios:
        after = known.get(scenario.name, before)
        changed = changes.get(scenario.name, set())
        pairs = around(changed or otherwise, before, after)
        places = arrange([*dict.fromkeys([*pairs["before"], *pairs["after"]])])
        drawings = [("Before", draw("Owners before", pairs["before"], before, before, names, places))]
        if changed:
            drawings.append(("After", draw("Owners after", pairs["after"], after, before, names, places)))
        shape = "pair wide" if width_of(places) > WIDE_DRAWING else "pair"
        content = f'<div class="{shape}">' + "".join(f"<div><h4>{escape(t)}</h4>{svg}</div>" for t, svg in drawings) + "</div>"
        note = "Share of profit held. White boxes are companies, grey ones owners; stakes that the scenario changes are blue. Stakes under 2 % are in the table."
        if not changed:
            note = "This scenario leaves ownership as it is. " + note
        blocks.append(Block("html", content, scenario.name, "Stakes around the companies in question", note))
        blocks += _ownership_tables(results, names, scenario.name, tables)
    lead = (
        "Stakes, what they come to once they are followed through every chain and loop, who controls whom, and whose profit counts in whose prices."
    )
    return Section("owners", "Who owns whom", lead, tuple(blocks))


def _ownership_tables(results: Results, names: Names, scenario: str, known: dict[str, tuple[Table, ...]]) -> Iterable[Block]:
    """Tables of a scenario's owners; `known` are those of the scenarios before it, and is added to."""
    tables, where = results.owners.get(scenario, results.owners[BASELINE]), scenario
    if all(getattr(tables, part).equals(getattr(results.owners[BASELINE], part)) for part in ("direct", "look_through", "control", "kappa")):
        where = BASELINE  # one table on the page for all scenarios that leave ownership as it is
    if where not in known:
        note = (
            "What one euro of a company's profit brings to each holder, loops followed. Companies' shares count stakes in each other more than once."
        )
        known[where] = (
            table_of(f"stakes-{where}", "Direct stakes", tables.direct, names=names),
            table_of(f"lookthrough-{where}", "Look-through stakes", tables.look_through, names=names, note=note),
            table_of(f"control-{where}", "Who controls whom", tables.control, names=names),
            weights_table(f"kappa-{where}", tables.kappa, names),
        )
    return (Block("table", table, scenario) for table in known[where])


def weights_table(id: str, kappa: pd.DataFrame, names: Names) -> Table:
    """Profit weights that are not zero, a row for each pair of companies."""
    long = kappa.rename_axis(index="setter", columns=None).reset_index().melt("setter", var_name="other", value_name="weight")
    long = long[(long["weight"] != 0) & (long["setter"] != long["other"])]
    labels = {
        "setter": Label("Whoever prices the cars of", kind="text"),
        "other": Label("gives the profit of", kind="text"),
        "weight": Label("this weight", "EUR per EUR of its own", digits=3),
    }
    note = "A weight above one is right: a controller cares more for a euro where it holds more. Weights of zero are left out."
    return table_of(id, "Weights on others' profit", long, names=names, labels=labels, note=note)


def prices_and_sales(results: Results, names: Names) -> Section:
    """Prices by maker and market, sales by maker, and every car."""
    blocks: list[Block] = []
    for scenario in results.scenarios:
        name = scenario.name
        if name not in results.comparisons:
            continue
        comparison = results.comparisons[name]
        blocks += _price_map(comparison.price_index, names, name)
        makers = comparison.makers[comparison.makers["market"] == "all"]
        blocks.append(_bars(f"sales-{name}", "Change in sales by maker", makers, "firm", "units_change", names, name))
        markets = comparison.markets.rename(columns=str).replace({"market": {"all": "All markets"}})
        chosen = [
            "market", "units_base", "units_scenario", "units_change_percent", "electric_share_base", "electric_share_scenario",
            "mean_paid_eur_base", "mean_paid_eur_scenario", "surplus_eur_change", "profit_eur_change", "government_eur_change", "co2_g_km_change",
        ]  # fmt: skip
        blocks.append(Block("table", table_of(f"markets-{name}", "By market", markets, names=names, columns=chosen), name))
        cars, same = _cars(comparison.products, comparison.prices)
        left_out = (
            f"{same:,} cars whose price and sales change by nothing that would show are left out; they are in the tables on disk." if same else ""
        )
        blocks.append(Block("table", table_of(f"cars-{name}", "Every car that changes", cars, names=names, note=left_out), name))
    return Section("prices", "Prices and sales", "What makers would charge and what buyers would then choose.", tuple(blocks))


def _price_map(index: pd.DataFrame, names: Names, scenario: str) -> list[Block]:
    """Price change by maker and market; makers whose changes would all read zero are left out, and nothing is drawn when all would."""
    by_maker = index[(index["level"] == "maker") & (index["market"] != "all")]
    if not by_maker["price_change_percent"].abs().max() > NO_CHANGE_PERCENT:
        return [Block("html", "<p>No maker changes its prices in any market.</p>", scenario, "Price change by maker and market")]
    wide = by_maker.pivot_table(index="name", columns="market", values="price_change_percent", sort=False)
    label = with_digits_for(label_of("price_change_percent"), float(wide.abs().max().max()))
    largest = wide.abs().max(axis=1).sort_values(ascending=False, kind="stable")
    kept = largest[largest >= 0.5 * 10.0**-label.digits].index[:MOST_BARS]
    note = f"Maker's net prices weighted by sales before; the {len(kept)} makers whose prices change most. Empty: sells nothing there. Every car is in the table below."
    return [
        Block("figure", heat(f"prices-{scenario}", "Price change by maker and market, %", wide.loc[kept], label, names=names, note=note), scenario)
    ]


def _cars(products: pd.DataFrame, prices: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Cars that change, and how many do not: by less than half a car a year and half a hundredth of a per cent."""
    about = ["market", "brand", "model", "powertrain", "priced_by", "status"]
    joined = products.merge(
        prices[["market", "product", "price_eur_base", "price_eur_change_percent", "margin_eur_change"]], "left", ["market", "product"]
    )
    measures = ["price_eur_base", "price_eur_change_percent", "margin_eur_change", "units_base", "units_change", "units_change_percent"]
    moves = (joined["status"] != "both") | (joined["units_change"].abs() >= 0.5) | (joined["price_eur_change_percent"].abs() >= 0.005)
    return joined.loc[moves, [*about, *measures]], int((~moves).sum())


def who_gains(results: Results, names: Names) -> Section:
    """Makers, owners and buyers."""
    blocks: list[Block] = []
    for scenario in results.scenarios:
        name = scenario.name
        if name not in results.comparisons:
            continue
        comparison = results.comparisons[name]
        makers = comparison.makers[comparison.makers["market"] == "all"]
        if ventures := ventures_in(scenario):
            seen = as_parents_see(makers.set_index("firm")["profit_eur_change"], ventures).rename_axis("firm").reset_index()
            note = f"What {listed([names.get(one.company, one.company) for one in ventures])} earns is put to its parents in their parts; below it stands by itself."
            title = "Parents and other makers: change in operating profit, parts of joint ventures included"
            blocks.append(_bars(f"parents-{name}", title, seen, "firm", "profit_eur_change", names, name, note))
        blocks.append(_bars(f"profit-{name}", "Makers: change in operating profit", makers, "firm", "profit_eur_change", names, name))
        note = "What outside owners may claim of all makers' operating profit, through every chain; claims add up to operating profit. What is paid for a stake is not counted here."
        blocks.append(_bars(f"claims-{name}", "Owners: change in their claim", comparison.owners, "owner", "claim_eur_change", names, name, note))
        buyers = (
            comparison.consumers[comparison.consumers["market"] == "all"].groupby("group", sort=False, as_index=False)[["surplus_eur_change"]].sum()
        )
        blocks.append(_bars(f"buyers-{name}", "Buyers: change in surplus by income", buyers, "group", "surplus_eur_change", names, name, "", False))
        columns = ["firm", "units_base", "units_change", "units_change_percent", "revenue_eur_change", "profit_eur_base", "profit_eur_change"]
        blocks.append(Block("table", table_of(f"makers-{name}", "Makers", makers, names=names, columns=columns), name))
        columns = ["owner", "kind", "claim_eur_base", "claim_eur_scenario", "claim_eur_change"]
        blocks.append(Block("table", table_of(f"owners-{name}", "Owners", comparison.owners, names=names, columns=columns), name))
        value = comparison.look_through
        note = "A company's own operating profit and its part of others' values. Counts stakes in each other more than once, so it does not add up."
        blocks.append(Block("table", table_of(f"value-{name}", "Companies with their stakes", value, names=names, note=note), name))
    return Section("gains", "Who gains", "Yearly changes against the baseline: makers, the owners behind them, and buyers.", tuple(blocks))


def _bars(id: str, title: str, table: pd.DataFrame, key: str, value: str, names: Names, scenario: str, note: str = "", largest: bool = True) -> Block:
    rows = table
    label = replace(in_money(label_of(value), names.get("EUR", "EUR")), text=title.split(": ")[-1].capitalize())
    if len(rows):
        label = with_digits_for(label, float(rows[value].abs().max()))
    if largest:  # the ones that change most, then from the largest gain to the largest loss; none whose change would read as nothing
        rows = table.loc[table[value].abs().sort_values(ascending=False, kind="stable").index].head(MOST_BARS)
        rows = rows[[any(digit in "123456789" for digit in label.show(x)) for x in rows[value]]]
        rows = rows.sort_values(value, ascending=False, kind="stable")
    left_out = len(table) - len(rows)
    said = " ".join(x for x in (note, f"The {len(rows)} largest changes; {left_out} smaller ones are in the table." if left_out else "") if x)
    shown = [names.get(str(x), str(x)) for x in rows[key]]
    return Block("figure", change_bars(id, title, shown, [float(x) for x in rows[value]], label, note=said), scenario)


def why(results: Results, names: Names) -> Section:
    """Each change split into channels that add up to it."""
    blocks: list[Block] = []
    for scenario in results.scenarios:
        if scenario.name not in results.channels:
            continue
        split = _said(results.channels[scenario.name], names)
        present = [str(name) for name in split.columns if name not in NOT_CHANNELS]
        spoken = [names.get(name, name) for name in present]
        if len(present) < 2:
            through = f"It acts through one channel only: {spoken[0]}." if present else "It changes nothing, so there is nothing to split."
            blocks.append(Block("html", f"<p>{escape(through)}</p>", scenario.name))
        for measure, kind, title in SPLIT_SHOWN if len(present) > 1 else ():
            rows = split[(split["measure"] == label_of(measure).text) & (split["by"] == kind)]
            most = rows.loc[rows["change"].abs().sort_values(ascending=False, kind="stable").index].head(MOST_BARS)
            if most["change"].abs().max() > 0:
                long = most.melt("item", present, "channel", "part")
                id, unit = f"why-{scenario.name}-{measure}-{kind.replace(' ', '-')}", str(most["unit"].iloc[0])
                figure = stacked_channels(id, title, long, category="item", value="part", names=names, unit=unit)
                blocks.append(Block("figure", figure, scenario.name))
        labels = {name: Label(said.capitalize(), digits=2, signed=True) for name, said in zip(present, spoken, strict=True)}
        numbers = {"base": Label("Before", digits=2), "scenario": Label("After", digits=2), "change": Label("Change", digits=2, signed=True)}
        words = {"measure": Label("Measure", kind="text"), "by": Label("For", kind="text"), "item": Label("Which", kind="text")}
        columns = ["measure", "by", "item", "unit", "base", "scenario", "change", *present]
        table = table_of(f"channels-{scenario.name}", "All measures", split, names={}, labels=words | numbers | labels, columns=columns)
        blocks.append(Block("table", table, scenario.name))
    lead = "Changes split by what causes them (Shapley values over the scenario's channels), so that the parts add up exactly to the whole."
    return Section("why", "Why", lead, tuple(blocks))


def _said(split: pd.DataFrame, names: Names) -> pd.DataFrame:
    """A split with measures and items as a reader calls them, shares in per cent, and money in millions where it is euro."""
    money = names.get("EUR", "EUR")
    scales = {"share": (100.0, "%"), "EUR/yr": (1e-6, "EUR m a year") if money == "EUR" else (1.0, f"{money} a year")}
    units = [str(unit) for unit in split["unit"]]
    factor = pd.Series([scales.get(unit, (1.0, ""))[0] for unit in units], index=split.index)
    kinds = [next((kind for kind in KINDS_OF_ITEM if str(item).startswith(f"{kind} ")), "") for item in split["item"]]
    ids = [str(item).removeprefix(f"{kind} ") for item, kind in zip(split["item"], kinds, strict=True)]
    said = split.assign(
        measure=[label_of(str(measure)).text for measure in split["measure"]],
        by=[KINDS_OF_ITEM.get(kind, "") for kind in kinds],
        item=[names.get(id, id) for id in ids],
        unit=[scales[unit][1] if unit in scales else unit.replace("/yr", " a year").replace("EUR", money) for unit in units],
    )
    numbers = [column for column in split.columns if column not in ("measure", "item", "unit")]
    return said.assign(**{str(column): split[column] * factor for column in numbers})


def rules(results: Results, names: Names) -> Section:
    """The same scenario under the alternative ownership rules."""
    lead = "Whose profit a price setter looks after is the first thing an opponent attacks, so here are all answers side by side."
    blocks = (Block("table", headline_table("rules", "Results under the ownership rules", results.rules, names)),) if len(results.rules) else ()
    return Section("rules", "If owners act otherwise", lead, blocks)


def concentration(results: Results, names: Names) -> Section:
    """HHI and its relatives: the baseline by market, then every scenario."""
    table = results.concentration
    blocks: tuple[Block, ...] = ()
    if len(table):
        now = table[table["scenario"] == BASELINE].drop(columns="scenario")
        blocks = (
            Block("table", table_of("concentration", "Before", now, names=names)),
            Block("table", table_of("concentration-scenarios", "Under each scenario", table[table["scenario"] != BASELINE], names=names)),
        )
    lead = "Screens that competition authorities use. MHHI adds to HHI what makers hold of each other."
    return Section("concentration", "Concentration", lead, blocks)


def fit(results: Results, names: Names) -> Section:
    """Targets beside what the model gives, each with what it is, and how many are missed."""
    table = results.calibration
    if not len(table):
        return Section("fit", "How well it fits", "", ())
    said = [
        f"{TARGETS.get(str(kind), str(kind).replace('_', ' '))} ({str(id).replace('_', ' ')})"
        for id, kind in zip(table["target"], table["kind"], strict=True)
    ]
    stated = results.case.tables.get("targets", pd.DataFrame())
    notes = dict(zip(stated["id"], stated["note"], strict=True)) if {"id", "note"} <= set(stated) else {}
    shown = table.assign(target=said, note=[str(notes.get(id, "") or "") for id in table["target"]]).drop(columns="kind")
    dots = fit_dots("fit", "How well the model meets what is known", table.astype(dict.fromkeys(("value", "low", "high", "fitted"), float)), said)
    missed = [name for name, within in zip(said, table["within_range"], strict=True) if not within]
    lead = (
        "Tastes are set so that the model comes closest to published elasticities, second choices and margins; sales are matched exactly. "
        f"Of {len(said)} targets {len(said) - len(missed)} are met within their stated range"
    )
    lead += f"; outside it: {', '.join(missed)}." if missed else "."
    return Section("fit", "How well it fits", lead, (Block("figure", dots), *_if_any(shown, "calibration", "Targets and fit", names)))


def inputs(results: Results, names: Names) -> Section:
    """Every input with its source; assumptions marked; what was left out."""
    titles = {
        "products": "Cars, prices and sales", "stakes": "Stakes", "control": "Control that votes do not show", "deals": "Deals and statements",
        "markets": "Markets", "incomes": "Incomes", "companies": "Companies", "owners": "Owners", "targets": "Calibration targets",
        "excluded": "Listed and left out", "outlook": "Where the years ahead start", "planned_launches": "Launches planned on the case's day",
        "uncertain": "What is uncertain", "correlations": "What moves together", "projections": "What others projected (beside the run, feeds nothing)",
        "finance": "Companies' finance", "finance_path": "Companies' plans by year", "platforms": "Platforms", "synergies": "Synergies",
        "guidance": "Guidance and stated values", "stake_terms": "Terms of stakes", "milestones": "Milestones", "listing": "Terms of a listing",
        "sources": "Sources",
    }  # fmt: skip
    key = Block("html", '<p class="note"><span class="key"></span>Our own assumption, or a figure filled by a stated rule.</p>')
    tables = [
        Block(
            "table", table_of(f"input-{name}", title, frame, names={} if name in ("companies", "owners") else names, labels=_as_stated(name, frame))
        )
        for name, title in titles.items()
        if name in results.case.tables and len(frame := results.case.tables[name])
    ]
    return Section("inputs", "What goes in", "Every figure the answer rests on, with its source and how sure we are of it.", (key, *tables))


def _as_stated(table: str, frame: pd.DataFrame) -> dict[str, Label]:
    """Labels of an input table that differ from those of results: years are no counts, and a value is a target where targets are stated alone."""
    labels = {str(column): Label(label_of(str(column)).text, kind="text") for column in frame.columns if column in YEARS}
    if table != "targets" and "value" in frame:
        labels["value"] = replace(label_of("figure", frame["value"]), text="Value")
    return labels | ({"item": Label("What", kind="text")} if "item" in frame else {})


def diagnostics(results: Results, names: Names) -> Section:
    """Residuals, iterations and starting points."""
    table = results.diagnostics
    settled = ""
    if {"residual_eur", "iterations"} <= set(table.columns) and len(table):
        worst, most = float(table["residual_eur"].max()), int(table["iterations"].max())
        money = names.get("EUR", "EUR")
        settled = f"Over {len(table)} solved markets the largest residual is {worst:.1e} {money} a car, after {most} iterations at most. "
    lead = settled + (
        "Every market ended with its largest first-order residual as shown. More than one equilibrium is not ruled out: "
        "the table says how many starting points were tried and at how many different places they ended."
    )
    return Section("diagnostics", "Did it settle", lead, _if_any(table, "diagnostics", "By market and scenario", names))


def made(results: Results, names: Names) -> Section:
    """Versions, settings, hash of the case."""
    del names
    lines = "".join(f"<dt>{escape(_say(key))}</dt><dd>{escape(said_of(value))}</dd>" for key, value in results.manifest.items())
    return Section("made", "How this page was made", "", (Block("html", f'<dl class="facts">{lines}</dl>'),))


def _say(key: str) -> str:
    return key.replace("_", " ").capitalize().replace(" eur", ", EUR")


def said_of(value: object) -> str:
    """A setting or what is nested in it, in words."""
    if isinstance(value, Mapping):
        return ", ".join(f"{str(k).replace('_', ' ')} {said_of(v) or 'all'}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return " + ".join(str(v) for v in value)
    return str(value)


def _if_any(table: pd.DataFrame, id: str, title: str, names: Names) -> tuple[Block, ...]:
    return (Block("table", table_of(id, title, table, names=names)),) if len(table) else ()
