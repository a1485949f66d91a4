"""Sections about money: companies, the stake, the listing; those about decisions are in `decision_sections`. Each opens with the sentence a board would quote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape

from keiretsu.report.blocks import Block, Names, Section
from keiretsu.report.decision_sections import decision_sections
from keiretsu.report.errors_shown import CONVENTION, amount
from keiretsu.report.fans import Panel, Path, fan_panels
from keiretsu.report.figures import Figure
from keiretsu.report.own_money import section_in
from keiretsu.report.value_figures import AmountBar, Cells, FieldBar, amount_bars, field_bars, value_map
from keiretsu.report.value_tables import changes_table, companies_table, held_table, stakes_table
from keiretsu.report.wording import MINUS, Label
from keiretsu.report.worth import company_tables, listing_tables, stake_tables, terms_said
from keiretsu.study.worth import PARTS, CompanyPart, StakePart, Worth
from keiretsu.valuation.listing import ListingValuation
from keiretsu.valuation.odds import percent

BILLION = Label("Value of the shares", "EUR bn", digits=1, scale=1e-9)
MILLION = Label("", "EUR m", digits=0, scale=1e-6, signed=True)
FROM_THE_MODEL = ("draws", "means", "multiple of revenue")  # how the basis of a bar begins that is no statement
TITLES = {
    "companies": "What companies are worth", "stakes": "The stake", "listing": "List it or keep it", "must be true": "What must be true", "choice": "Which move",
    "alliances": "Which partnership", "timing": "When to launch", "hindsight": "What happened since",
}  # fmt: skip
STAKES_NOTE = "Stakes are those of the case's day; what is paid for a new stake and the shares it buys are in the section on the stake."


def worth_sections(worth: Worth, names: Names) -> list[Section]:
    """Every part that there is, and one section that says why the others are empty."""
    said = {**names, **{f"terms {part.valuation.terms.name}": terms_said(part.valuation.terms, names) for part in worth.stakes}}
    found: list[Section] = []
    if worth.companies:
        found.append(_companies(worth, said))
    if worth.stakes:
        found.append(_stakes(worth.stakes, said))
    found += [_listing(listing, said) for listing in worth.listings]
    found += decision_sections(worth, said)
    return [*(section_in(section, names) for section in found), *_missing(worth)]


def _companies(worth: Worth, names: Names) -> Section:
    focal = worth.companies[0]
    tables = {table.id: table for table in company_tables(focal.valuation, focal.football, names)}
    blocks = [
        Block("figure", _football(focal, names)),
        Block("figure", _wacc_growth(focal, names)),
        *(Block("table", tables[id]) for id in ("worth", "guidance") if id in tables),
    ]
    if len(worth.companies) > 1:
        blocks.append(Block("table", companies_table(worth, names)))
    for part in worth.companies:
        beside = [table for table in company_tables(part.valuation, part.football, names) if table.id == "stock_market"]
        blocks += [Block("table", replace(table, id=f"stock-market-{part.valuation.company}")) for table in beside]
    if worth.changes:
        blocks.append(Block("table", changes_table(worth, names)))
        blocks += [Block("figure", _changes(worth, scenario, names), scenario) for scenario in dict.fromkeys(one.scenario for one in worth.changes)]
    if worth.held:
        blocks.append(Block("table", held_table(worth, names)))
    blocks.append(
        Block("table", replace(tables["claims"], note="Through every chain of stakes; adds up to what all companies valued are worth. " + CONVENTION))
    )
    return Section("companies", TITLES["companies"], focal.valuation.sentence, tuple(blocks))


def _football(part: CompanyPart, names: Names) -> Figure:
    rows = part.football.to_dict("records")
    bars = [
        FieldBar(
            f"{_first_letter(names.get(str(row['bar']), str(row['bar'])))}<br><span style='color:#6b7480'>{row['basis']}</span>", float(row["low_eur"]), float(row["middle_eur"]),
            float(row["high_eur"]), str(row["basis"]).startswith(FROM_THE_MODEL),
        )
        for row in rows
        if not str(row["bar"]).startswith("terms ")
    ]  # fmt: skip
    agreed = sorted({float(row["middle_eur"]) for row in rows if str(row["bar"]).startswith("terms ")})
    if agreed:
        bars.append(FieldBar("Terms of stakes, before the money", agreed[0], agreed[len(agreed) // 2], agreed[-1], False))
    company = names.get(part.valuation.company, part.valuation.company)
    note = "Blue is the model, grey is what others said or agreed. The line across is the median of the futures, not their mean, or the middle of what was said."
    return field_bars("football-field", f"{company} by every way of asking", bars, BILLION, note=note)


def _wacc_growth(part: CompanyPart, names: Names) -> Figure:
    table = part.valuation.wacc_growth
    rows, columns = list(dict.fromkeys(table["wacc_nominal"])), list(dict.fromkeys(table["growth"]))
    known = {(row["wacc_nominal"], row["growth"]): (float(row["equity_eur"]), float(row["half95_eur"])) for row in table.to_dict("records")}
    values = [[known[(r, c)][0] if (r, c) in known else None for c in columns] for r in rows]
    said = [[amount(*known[(r, c)], 1e-9) if (r, c) in known else "no bound" for c in columns] for r in rows]
    company = names.get(part.valuation.company, part.valuation.company)
    cells = Cells(
        [percent(float(r), 1) for r in rows],
        [percent(float(c), 1).replace("-", MINUS) for c in columns],
        values,
        said,
        ("nominal cost of capital", "real growth after the last year"),
    )
    title = f"{company} by discount rate and growth, EUR bn"
    return value_map("wacc-growth-map", title, cells, note=f"Without its stakes in others. {CONVENTION}")


def _changes(worth: Worth, scenario: str, names: Names) -> Figure:
    own = sorted((one for one in worth.changes if one.scenario == scenario), key=lambda one: -one.growth.value)
    bars = [AmountBar(names.get(one.company, one.company), one.growth.value, one.growth.error) for one in own]
    note = f"By growth after the last year. Values count stakes in each other more than once: they do not add up. {STAKES_NOTE}"
    return amount_bars(f"worth-change-{scenario}", "Change in what companies are worth", bars, replace(MILLION, text="Change of value"), note=note)


def _stakes(parts: Sequence[StakePart], names: Names) -> Section:
    first = parts[0].valuation
    investor = names.get(first.terms.investor, first.terms.investor)
    lines = first.channels[first.channels["party"] == first.terms.investor]
    bars = [
        AmountBar(_first_letter("together" if line == "total" else str(line)), float(value), float(error))
        for line, value, error in zip(lines["line"], lines["value_eur"], lines["half95_eur"], strict=True)
    ]
    alike = [part for part in parts if not part.central] or list(
        parts
    )  # a mean over futures beside a central case would compare the two, not the terms
    every = [AmountBar(terms_said(part.valuation.terms, names).replace(" in ", "<br>in ", 1), *_npv(part)) for part in alike]
    left_out = f" {len(parts) - len(alike)} more, not drawn, are in the table: a central case is no mean." if len(alike) < len(parts) else ""
    note = f"After premium and discounts.{' Central case.' if alike[0].central else ''}{left_out}"
    blocks = [
        Block(
            "figure",
            amount_bars(
                "stake-parts", f"What it comes to for {investor}", bars, MILLION, note=f"The claim is the shares less what is paid. {CONVENTION}"
            ),
        ),
        Block("figure", amount_bars("stake-terms", "Net present value by terms", every, MILLION, note=note)),
        Block("table", stakes_table(parts, names)),
        *(Block("table", table) for table in stake_tables(first, names) if table.rows),
    ]
    return Section("stake", TITLES["stakes"], parts[0].sentence, tuple(blocks))


def _npv(part: StakePart) -> tuple[float, float]:
    last = part.valuation.lines[part.valuation.lines["line"] == "net present value"].iloc[0]
    return float(last["value_eur"]), float(last["half95_eur"])


def _listing(found: ListingValuation, names: Names) -> Section:
    company = names.get(found.terms.company, found.terms.company)
    known = found.thresholds[found.thresholds["valuation_eur"].notna()]
    years = [int(year) for year in known["year"]]
    enough = Path(years, [float(v) for v in known["valuation_eur"]], [float(v or 0.0) for v in known["half95_eur"]])
    stated: Mapping[str, tuple[Sequence[int], Sequence[float]]] = {
        str(row["who"]): ([found.terms.first_year], [float(row["valuation_eur"])])
        for row in found.verdict.to_dict("records")
        if not str(row["who"]).endswith((", low", ", high"))
    }
    chance = found.timing[found.timing["year"] != "never"]
    listed = Path([int(year) for year in chance["year"]], [float(v) for v in chance["cumulative"]])
    panels = [Panel(Label("List at or above", "EUR bn", digits=1, scale=1e-9), enough, stated, name="list from here on")] if years else []
    panels.append(Panel(Label("Listed until then", "% chance", scale=100), listed, name="chance"))
    figure = fan_panels(
        f"listing-{found.terms.company}", f"When listing {company} is right", panels, note="1 January of each year, at expected fundamentals."
    )
    tables = [Block("table", table) for table in listing_tables(found, names)]
    return Section("listing", TITLES["listing"], found.sentence, (Block("figure", figure), *tables))


def _missing(worth: Worth) -> list[Section]:
    lines = "".join(f"<li><b>{escape(TITLES[part])}</b>: {escape(worth.missing[part])}</li>" for part in PARTS if part in worth.missing)
    if not lines:
        return []
    return [Section("not-valued", "What is not valued, and why", "", (Block("html", f'<ul class="why">{lines}</ul>'),))]


def _first_letter(text: str) -> str:
    return text[:1].upper() + text[1:]
