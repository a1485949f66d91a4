"""Checks of products, markets and incomes: sales that an equilibrium can reproduce, prices in known money, margins fully split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from keiretsu.case.read import RawCase
from keiretsu.case.record import DemandSettings
from keiretsu.case.rows import Row
from keiretsu.case.suggest import closest
from keiretsu.errors import Problem
from keiretsu.units import ExchangeRate

ROUNDING = 1e-9
SEPARATORS = (":", ";")  # what profit_to and lists of sources are split by


def check_products(raw: RawCase, rates: Mapping[str, ExchangeRate], own_currency: str) -> Iterator[Problem]:
    """Problems of single products. `own_currency` is the only one allowed where the case keeps its own money, else empty."""
    companies = {row.cells["company"] for row in raw.tables["companies"]}
    for row in raw.tables["products"]:
        yield from _sales(row)
        yield from _split(row, companies)
        if row.cells["made_by"] and not row.cells["transfer_price"]:
            yield Problem(
                "a builder without a transfer price", row.place("transfer_price"), row.cells["made_by"], "what the seller pays it for each car"
            )
        if row.cells["transfer_price"] and not row.cells["made_by"]:
            yield Problem(
                "a transfer price without a builder", row.place("made_by"), f"{row.cells['transfer_price']:g}", "the company that builds the car"
            )
        if row.cells["price_basis"] == "net" and row.cells["tax_in_price"]:
            yield Problem("taxes in a net price", row.place("tax_in_price"), f"{row.cells['tax_in_price']:g}", "0, or price_basis gross")
        yield from _currency(row, "price_currency", rates, own_currency)
    for row in raw.tables["companies"]:
        if row.cells["company"] and set(row.cells["company"]) & set(SEPARATORS):
            yield Problem(
                "a name that cannot be told from a split", row.place("company"), row.cells["company"], f"a name without any of {' '.join(SEPARATORS)}"
            )
    for row in (*raw.tables["markets"], *raw.tables["stake_terms"]):
        yield from _currency(row, "currency", rates, own_currency)


def check_markets(raw: RawCase, anyone_outside: bool) -> Iterator[Problem]:
    """Sales against potential buyers, and income groups that cover everybody."""
    for market in raw.tables["markets"]:
        name, potential = market.cells["market"], market.cells["potential"]
        products = [row for row in raw.tables["products"] if row.cells["market"] == name]
        if not products:
            yield Problem(
                "a market without products",
                market.place("market"),
                str(name),
                "at least one row of products",
                "remove the market or add its products",
            )
        units = sum(row.cells["units"] or 0.0 for row in products)
        if potential is not None and anyone_outside and units >= potential:
            yield Problem("shares add up to one or more", market.place("potential"), f"{units:g} sold to {potential:g} potential buyers of {name}",
                          "fewer sales than potential buyers", "raise the potential, or write outside = false under [demand]")  # fmt: skip
        incomes = [row for row in raw.tables["incomes"] if row.cells["market"] == name]
        if all(row.cells["weight"] is not None for row in incomes):
            total = sum(row.cells["weight"] for row in incomes)
            if abs(total - 1) > 1e-6:
                yield Problem("weights of income groups do not add up to one", incomes[0].place("weight"), f"{total:g} in market {name}", "1")


def check_incomes(raw: RawCase, demand: DemandSettings) -> Iterator[Problem]:
    """A price taste that falls with income needs incomes in every market."""
    stated = {row.cells["market"] for row in raw.tables["incomes"] if row.cells["group"] != "all" or row.cells["income_eur"] != 1.0}
    stated |= {row.cells["market"] for row in raw.tables["draws"]}  # checked draw by draw
    for market in raw.tables["markets"]:
        if demand.income_power > 0 and market.cells["market"] not in stated:
            yield Problem("no incomes", market.place("median_income_eur"), f"income_power {demand.income_power:g} and no income of {market.cells['market']}",
                          "median_income_eur, or rows of incomes.csv")  # fmt: skip


def lonely_nests(raw: RawCase, demand: DemandSettings) -> Iterator[tuple[bool, Problem]]:
    """Nests with one product, and whether the nest is alone in the whole case (else in one market only)."""
    for level, column in enumerate(demand.nests):
        everywhere: Counter[str] = Counter()
        in_market: Counter[tuple[str, str]] = Counter()
        where: dict[tuple[str, str], Row] = {}
        for row in raw.tables["products"]:
            label = " / ".join(nest_label(row, nest) for nest in demand.nests[: level + 1])
            models = int(row.cells["n_models"] or 1) if (row.cells["n_models"] or 1) >= 2 else 1
            everywhere[label] += models
            in_market[row.cells["market"], label] += models
            where.setdefault((row.cells["market"], label), row)
        for (market, label), count in in_market.items():
            if count == 1:
                row = where[market, label]
                everywhere_alone = everywhere[label] == 1
                cure = f'; or write single_nests = "allowed" under [demand], line {raw.toml.line("demand")} of case.toml' if everywhere_alone else ""
                yield (
                    everywhere_alone,
                    Problem(
                        "a nest with one product",
                        row.place("powertrain" if column == "powertrain_group" else column),
                        f"{column} {label!r} in market {market}",
                        "at least two products",
                        f"its sigma has no effect; correct the label or join it to another nest{cure}",
                    ),
                )


def check_sigma_labels(raw: RawCase, demand: DemandSettings) -> Iterator[Problem]:
    """One sigma for each nest where they are stated by nest, sigma_sub nowhere below sigma_group, subgroups in one group only."""
    if not demand.nests:
        return
    group, sub = demand.nests[0], demand.nests[-1]
    pairs = dict.fromkeys((nest_label(row, group), nest_label(row, sub)) for row in raw.tables["products"])
    for key, sigma, labels in (("sigma_group", demand.sigma_group, {g for g, _ in pairs}), ("sigma_sub", demand.sigma_sub, {s for _, s in pairs})):
        if isinstance(sigma, Mapping) and (key == "sigma_group" or len(demand.nests) > 1):
            place = f"{raw.toml.file}, line {raw.toml.line('demand', key)}, key {key}"
            for label in sorted(labels - set(sigma)):
                yield Problem("no sigma for this nest", place, label, "one number for every nest")
            for label in sorted(set(sigma) - labels):
                yield Problem("a sigma for no nest", place, label, f"one of {', '.join(sorted(labels))}", closest(label, labels))
    for g, s in pairs:
        low = demand.sigma_group.get(g, 0.0) if isinstance(demand.sigma_group, Mapping) else demand.sigma_group
        high = demand.sigma_sub.get(s, 1.0) if isinstance(demand.sigma_sub, Mapping) else demand.sigma_sub
        if len(demand.nests) > 1 and low > high:
            place = f"{raw.toml.file}, line {raw.toml.line('demand', 'sigma_sub')}, key sigma_sub"
            yield Problem("nest parameters out of order", place, f"sigma_group {low:g} of {g}, sigma_sub {high:g} of {s}", "sigma_group <= sigma_sub")


def nest_label(row: Row, column: str) -> str:
    """The nest of a product: a column of its row, or battery-electric against all others."""
    if column == "powertrain_group":
        return "electric" if row.cells["powertrain"] == "BEV" else "other"
    return str(row.cells[column])


def _sales(row: Row) -> Iterator[Problem]:
    column = "units" if row.cells["units"] is not None else "share"
    if row.cells[column] == 0:
        yield Problem("zero sales", row.place(column), str(row.cells["product"]), "more than zero: no taste reproduces a sale that never happened",
                      "move the row to excluded.csv, merge it into a composite line of its brand, or use a longer period")  # fmt: skip


def _split(row: Row, companies: set[str]) -> Iterator[Problem]:
    text = row.cells["profit_to"]
    if not text or "profit_to" in row.filled:
        return
    total = 0.0
    for part in str(text).split(";"):
        name, _, share = (piece.strip() for piece in part.partition(":"))
        if name not in companies:
            yield Problem("unknown company", row.place("profit_to"), name, "a company of companies.csv", closest(name, companies))
        try:
            part_of_margin = float(share) if share else 1.0
        except ValueError:
            part_of_margin = -1.0
        if not 0 <= part_of_margin <= 1:
            yield Problem("a part of the margin that is no share", row.place("profit_to"), part, "such as 'A:0.7;B:0.3'")
            return
        total += part_of_margin
    if abs(total - 1) > ROUNDING:
        yield Problem(
            "the split of the margin does not add up to one", row.place("profit_to"), str(text), "shares that add up to 1, such as 'A:0.7;B:0.3'"
        )


def _currency(row: Row, column: str, rates: Mapping[str, ExchangeRate], own_currency: str) -> Iterator[Problem]:
    currency = row.cells[column]
    if currency is None:
        return
    if own_currency and currency != own_currency:
        yield Problem("two currencies in a case of its own money", row.place(column), f"{currency} and {own_currency}", own_currency,
                      "write money = \"EUR 2023\" and [rates] to convert")  # fmt: skip
    if not own_currency and currency not in rates:
        yield Problem("unknown currency", row.place(column), currency, f"one of {', '.join(sorted(rates))}",
                      f"write {currency} = (units for one euro) under [rates] of case.toml, or money = \"own\" under [case]")  # fmt: skip
