"""What a case may contain: one table of columns that the reader, the checks, the template and `docs/case.md` are made from.

A case is a folder: `case.toml` and CSV files. Every CSV file is a `Table` below; every key of `case.toml` is a `Column` of a section in
`keiretsu.case.settings`. A table can also be typed into `case.toml` as an array of tables with the name of its file
(``[[stakes]]`` instead of `stakes.csv`), so that a small case is two files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "number", "integer", "date", "period"]


class Required:
    """Marks a column that has no default: every row states it."""

    def __repr__(self) -> str:
        return "required"


REQUIRED = Required()
Default = str | float | int | Required | None


@dataclass(frozen=True)
class Column:
    """One column of a file, or one key of a section of `case.toml`.

    Attributes
    ----------
    default
        What an empty or missing cell means; `REQUIRED` where it is an error. None where absence is a fact of its own
        ("not known") or where `filled` says how the value is derived from the rest of the case.
    low, high, above
        Bounds: at least, at most, more than.
    refers
        Names of tables (first column) that must contain the value; `many` when several are separated by ``;``; `floats` when it may also be "float of X", what
        no named holder of company X has.
    filled
        Rule by which an empty cell is filled, for the reader.
    advice
        What to do about a cell that is missing or refused.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    default: Default = ""
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    above: float | None = None
    refers: tuple[str, ...] = ()
    many: bool = False
    floats: bool = False
    filled: str = ""
    advice: str = ""


@dataclass(frozen=True)
class Table:
    """One CSV file: what a row is, its columns, and the columns that no two rows may share."""

    name: str
    row_is: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def file(self) -> str:
        """Name of the file in the case folder."""
        return f"{self.name}.csv"

    def column(self, name: str) -> Column:
        """The column of that name; KeyError when the table has none."""
        return {column.name: column for column in self.columns}[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in the order in which they are written."""
        return tuple(column.name for column in self.columns)


CONFIDENCES = ("high", "medium", "low", "unstated")
ASSUMPTION = "assumption"  # source ids that begin with it are our own assumptions
OWN = "own"  # source id of a case without sources.csv: its author's figures
OPEN_FROM, OPEN_TO = "0001-01-01", "9999-12-31"  # a stake without a first or a last day

# fmt: off
# (one line for each column: this file is read as a table)
_SOURCE = Column("source", "text", "where the figure comes from; several ids are separated by semicolons", default="", refers=("sources",), many=True,
                 filled=f"'{OWN}' in a case without sources.csv; an error in a case with one")
_CONFIDENCE = Column("confidence", "text", "how sure we are of the row", default=None, choices=CONFIDENCES, filled="the source's confidence")
_MARKET = Column("market", "text", "market id", default=None, refers=("markets",), filled="the case's only market; an error where it has several")
_NOTE = Column("note", "text", "anything a reader should know")
_FROM = Column("from", "date", "first day on which the row holds", "date", default=OPEN_FROM)
_TO = Column("to", "date", "last day on which the row holds, empty while it lasts", "date", default=OPEN_TO)

COMPANIES = Table("companies", "a company that prices, builds or earns, or holds stakes in one that does", (
    Column("company", "text", "id, used everywhere else", default=REQUIRED),
    Column("name", "text", "full name", default=None, filled="the id"),
    Column("kind", "text", "what it is", default="maker", choices=("maker", "holding", "joint_venture", "supplier")),
    Column("country", "text", "seat, ISO code"),
    _SOURCE, _CONFIDENCE, _NOTE,
), ("company",))

OWNERS = Table("owners", "an owner that is not a company of the case: a person, a state, a fund", (
    Column("owner", "text", "id", default=REQUIRED),
    Column("name", "text", "full name", default=None, filled="the id"),
    Column("kind", "text", "what it is", default="other", choices=("person", "family", "state", "fund", "trust", "float", "other")),
    Column("country", "text", "ISO code"),
    _SOURCE, _CONFIDENCE, _NOTE,
), ("owner",))

STAKES = Table("stakes", "a stake of one holder in one company between two dates", (
    Column("holder", "text", "who holds it", default=REQUIRED, refers=("companies", "owners")),
    Column("company", "text", "in which company", default=REQUIRED, refers=("companies",)),
    Column("cash_flow", "number", "share of the company's profit that goes to the holder", "share 0..1", default=REQUIRED, low=0, high=1),
    Column("votes", "number", "share of votes that the holder can cast", "share 0..1", default=None, low=0, high=1, filled="cash_flow"),
    _FROM, _TO, _SOURCE, _CONFIDENCE, _NOTE,
), ("holder", "company", "from"))

CONTROL = Table("control", "control that votes do not show: de facto, by a pact, by a trust", (
    Column("company", "text", "the company controlled", default=REQUIRED, refers=("companies",)),
    Column("controller", "text", "by whom", default=REQUIRED, refers=("companies", "owners")),
    Column("kind", "text", "how", default="de_facto", choices=("majority", "de_facto", "pact", "trust")),
    _FROM, _TO, _SOURCE, _CONFIDENCE, _NOTE,
), ("company", "from"))

DEALS = Table("deals", "a dated corporate fact: a stake bought or sold, an alliance, a listing, a statement", (
    Column("id", "text", "id", default=REQUIRED),
    Column("date", "period", "2024-03-27, 2024-03 or 2024; a month or a year counts from its last day", "date", default=REQUIRED),
    Column("parties", "text", "who", default=REQUIRED),
    Column("kind", "text", "equity, joint venture, carve-out, valuation, ...", default=REQUIRED),
    Column("status", "text", "how far it went", default=REQUIRED, choices=("exploring", "announced", "committed", "completed", "abandoned")),
    Column("amount", "number", "money, empty when not known", "currency column", default=None, low=0),
    Column("currency", "text", "currency of the amount"),
    Column("probability", "number", "that it is completed, empty when nobody stated one", "0..1", default=None, low=0, high=1),
    Column("stake_before", "number", "share held before, empty when not known", "share 0..1", default=None, low=0, high=1),
    Column("stake_after", "number", "share held after, empty when not known", "share 0..1", default=None, low=0, high=1),
    Column("fact", "text", "the fact in a sentence"),
    _SOURCE, _CONFIDENCE, _NOTE,
), ("id",))

BRANDS = Table("brands", "a brand and the company behind it", (
    Column("brand", "text", "brand", default=REQUIRED),
    Column("maker", "text", "company that prices the brand's cars and earns on them, unless a product says otherwise", default=REQUIRED,
           refers=("companies",)),
    Column("country", "text", "ISO code"),
    _SOURCE, _CONFIDENCE, _NOTE,
), ("brand",))

PRODUCTS = Table("products", "a product on sale in one market in the base year", (
    _MARKET,
    Column("product", "text", "id, once in each market; the same id in two markets is the same car", default=REQUIRED),
    Column("firm", "text", "short for priced_by in a small case", default="", refers=("companies",)),
    Column("owner", "text", "who owns all of the firm, in a small case without stakes; firms of one owner are priced together", default=""),
    Column("brand", "text", "brand", default=None, filled="the company that sets the price"),
    Column("model", "text", "model name, or the name of a composite line", default=None, filled="the product id"),
    Column("powertrain", "text", "BEV battery-electric, PHEV plug-in hybrid, ICE combustion and other hybrids", default="ICE",
           choices=("BEV", "PHEV", "ICE")),
    Column("segment", "text", "size class A to F, or a class the case defines", default="all"),
    Column("body", "text", "body style", default="car"),
    Column("seats", "integer", "seats", "seats", default=5, low=1, high=9),
    Column("nest", "text", "nest of the case's own, where [demand] nests names it", default="all"),
    Column("sub_nest", "text", "nest inside the nest", default="all"),
    Column("n_models", "number", "models that a composite line stands for", "models", default=1, low=1),
    Column("origin", "text", "where it is built, ISO code or EU"),
    Column("priced_by", "text", "company that sets the price", default=None, refers=("companies",), filled="firm, else the brand's maker, else owner"),
    Column("profit_to", "text", "company that earns the margin, or a split 'A:0.7;B:0.3'", default=None, filled="priced_by"),
    Column("made_by", "text", "builder that is paid the transfer price; empty when the seller builds it", refers=("companies",)),
    Column("transfer_price", "number", "paid to made_by for each car; 0 without one", "price_currency per car", default=0, low=0),
    Column("unit_cost", "number", "marginal cost where it is stated; else it is recovered from the price. A car sold at a transfer price by a seller who "
           "bears none of its cost has to state it", "price_currency per car", default=None, low=0),
    Column("price", "number", "price in the base year", "price_currency per car", default=REQUIRED, above=0,
           advice="fill it by a rule and write the rule into price_filled, or move the row to excluded.csv"),
    Column("price_currency", "text", "currency of the price", default=None, filled="the market's currency"),
    Column("price_basis", "text", "net: without taxes; gross: with tax_in_price; ex_showroom: the Indian list price, with tax_in_price too", default="net",
           choices=("net", "gross", "ex_showroom")),
    Column("sales_tax", "number", "taxes in proportion to the price (VAT, GST and cess), paid on top of the net price", "share of the net price",
           default=None, low=0, filled="the market's vat"),
    Column("tax_in_price", "number", "taxes inside a gross or ex_showroom price", "share of the net price", default=None, low=0,
           filled="sales_tax; 0 for a net price"),
    Column("price_filled", "text", "rule by which a missing price was filled; empty for an observed one"),
    Column("units", "number", "cars sold in the base year", "cars/yr", default=None, low=0, filled="share x potential"),
    Column("share", "number", "market share in place of units, see share_of in markets", "share 0..1", default=None, low=0, high=1,
           filled="units / potential"),
    Column("battery_kwh", "number", "usable battery, 0 without one or not stated", "kWh", default=0, low=0),
    Column("range_km", "number", "electric range WLTP, 0 without one or not stated", "km", default=0, low=0),
    Column("power_kw", "number", "power, 0 when not stated", "kW", default=0, low=0),
    Column("mass_kg", "number", "mass in running order, 0 when not stated", "kg", default=0, low=0),
    Column("co2_gkm", "number", "tailpipe CO2, WLTP", "g/km", default=0, low=0),
    _SOURCE, _CONFIDENCE, _NOTE,
), ("market", "product"))

EXCLUDED = Table("excluded", "something left out of the case, and why", (
    Column("market", "text", "market id", default=REQUIRED, refers=("markets",)),
    Column("brand", "text", "brand", default=REQUIRED),
    Column("item", "text", "product or line left out", default=REQUIRED),
    Column("reason", "text", "why", default=REQUIRED),
    Column("value", "number", "the figure that could not be used, empty when there is none", default=None),
    Column("unit", "text", "unit of the value"),
    _SOURCE, _NOTE,
), ("market", "brand", "item"))

MARKETS = Table("markets", "a market: one country", (
    Column("market", "text", "id, ISO code for countries", default="market"),
    Column("name", "text", "name", default=None, filled="the id"),
    Column("area", "text", "regulated area (fleet CO2)", default=""),
    Column("currency", "text", "currency of its prices", default=None, filled="currency of [case]"),
    Column("vat", "number", "value-added tax on a new car", "share of the net price", default=0, low=0, high=2),
    Column("households", "number", "households, empty when not used", "households", default=None, above=0),
    Column("households_per_buyer", "number", "households for one that considers a new car in a year", "households/buyer", default=None, above=0),
    Column("potential", "number", "potential buyers", "buyers/yr", default=None, above=0,
           filled="households / households_per_buyer, else sales / (1 - outside_share), else sales when nobody can stay outside"),
    Column("outside_share", "number", "share of potential buyers who buy nothing", "share 0..1", default=None, low=0, high=1, filled="1 - sales / potential"),
    Column("share_of", "text", "whether the share column of products is of potential buyers or of sales", default="potential",
           choices=("potential", "sales")),
    Column("median_income_eur", "number", "median household income, empty when not used", "EUR/yr", default=None, above=0),
    Column("private_share", "number",
           "share of potential buyers that are private; of cars sold it is another one where kinds of buyer differ in price taste, taste or taxes",
           "share 0..1", default=1, low=0, high=1),
    _SOURCE, _CONFIDENCE, _NOTE,
), ("market",))

INCOMES = Table("incomes", "a group of households of a market", (
    _MARKET,
    Column("group", "text", "name of the group, from poor to rich", default=REQUIRED),
    Column("weight", "number", "share of potential buyers", "share 0..1", default=REQUIRED, above=0, high=1),
    Column("income_eur", "number", "household income", "EUR/yr", default=REQUIRED, above=0),
    _SOURCE, _CONFIDENCE, _NOTE,
), ("market", "group"))

MOST_TASTES = 8  # columns for a draw's random tastes

DRAWS = Table("draws", "a consumer draw of a market, in place of the generated ones; market and income groups and kinds of buyer are then those of its draws", (
    _MARKET,
    Column("draw", "text", "id", default=None, filled="number of the row"),
    Column("weight", "number", "share of potential buyers; adds up to one in each market", "share 0..1", default=REQUIRED, low=0, high=1),
    Column("income_eur", "number", "household income", "EUR/yr", default=None, above=0, filled="the market's median_income_eur, else 1"),
    Column("group", "text", "income group in tables of results", default="all"),
    Column("kind", "text", "kind of buyer", default="private", choices=("private", "company")),
    *(Column(f"nu_{k}", "number", f"standard normal of random taste {k}, in the order of [[demand.random]] and then of price where price_sigma is above zero",
             default=None) for k in range(1, MOST_TASTES + 1)),
    _SOURCE, _NOTE,
), ("market", "draw"))

TARGETS = Table("targets", "a moment that calibrated parameters have to match", (
    Column("id", "text", "id", default=REQUIRED),
    Column("kind", "text", "own_elasticity, market_elasticity, subset_elasticity, second_choice, diversion_outside, margin, ...", default=REQUIRED),
    Column("market", "text", "market id, empty for all markets", default="", refers=("markets",)),
    Column("of", "text", "products it is about, such as powertrain=BEV or firm=Tesla; empty for all", default=""),
    Column("value", "number", "the value to match", default=REQUIRED),
    Column("low", "number", "lower end of its range", default=None, filled="value"),
    Column("high", "number", "upper end of its range", default=None, filled="value"),
    Column("weight", "number", "weight in the fit", default=1, low=0),
    _SOURCE, _CONFIDENCE, _NOTE,
), ("id",))

FINANCE = Table("finance", "a company's money: what turns its margins in the simulated markets into cash and value", (
    Column("company", "text", "the company", default=REQUIRED, refers=("companies",)),
    Column("wacc_nominal", "number", "weighted cost of capital in nominal terms, before the country premium", "share a year", default=REQUIRED, above=0, high=1),
    Column("country_premium", "number", "added to it for the countries where the money is earned", "share a year", default=0, low=0, high=1),
    Column("inflation", "number", "inflation expected in that cost of capital", "share a year", default=0.02, low=-0.1, high=1),
    Column("tax_rate", "number", "tax on profit", "share", default=REQUIRED, low=0, high=1),
    Column("loss_use_cap", "number", "part of a year's profit that losses carried forward may cover", "share", default=1, low=0, high=1),
    Column("losses_eur", "number", "losses carried forward at the start", "EUR", default=0, low=0),
    Column("fixed_cost_eur", "number", "fixed cost other than research and development", "EUR a year", default=0, low=0),
    Column("overhead_share", "number", "selling, administration, warranty and research that grow with revenue", "share of revenue", default=0, low=0, high=1),
    Column("rnd_eur", "number", "research and development", "EUR a year", default=0, low=0),
    Column("capex_eur", "number", "capital spending other than the platforms of platforms.csv", "EUR a year", default=0, low=0),
    Column("capex_share", "number", "capital spending that grows with revenue", "share of revenue", default=0, low=0, high=1),
    Column("assets_eur", "number", "plant and capitalised development at the start, for the tax allowance", "EUR", default=0, low=0),
    Column("asset_life_years", "integer", "years over which assets are written off", "years", default=8, low=1, high=60),
    Column("working_capital_share", "number", "working capital tied up; below zero where suppliers and buyers finance it", "share of revenue", default=0, low=-1, high=1),
    Column("net_debt_eur", "number", "debt less cash; below zero for net cash", "EUR", default=0),
    Column("base_year_margin_eur", "number", "margin in the simulated markets in the base year, for comparison with reported profit; 0 when not used", "EUR a year", default=0),
    Column("base_year_revenue_eur", "number", "revenue in the simulated markets in the base year, for the same; 0 when not used", "EUR a year", default=0, low=0),
    Column("rest_of_company_profit_eur", "number", "margin earned outside the simulated markets, before fixed cost", "EUR a year", default=0),
    Column("rest_of_company_revenue_eur", "number", "revenue outside the simulated markets", "EUR a year", default=0, low=0),
    Column("rest_units", "number", "cars sold outside the simulated markets", "cars/yr", default=0, low=0),
    Column("capacity_units", "number", "cars that can be built at most; margin and revenue beyond them are not earned. 0 for no limit", "cars/yr", default=0, low=0),
    Column("growth_terminal", "number", "real growth after the last year", "share a year", default=0, low=-1, high=0.1),
    Column("exit_multiple", "number", "value after the last year for one euro of profit before interest, tax and depreciation", "EUR per EUR", default=REQUIRED, low=0),
    Column("payout", "number", "part of positive free cash flow paid out as dividends", "share 0..1", default=0, low=0, high=1),
    Column("shares_outstanding", "number", "shares; 0 when not used", "shares", default=0, low=0),
    _SOURCE, _CONFIDENCE, _NOTE,
), ("company",))

FINANCE_PATH = Table("finance_path", "a figure of finance.csv that changes over the years: straight lines between the years stated, level outside them", (
    Column("company", "text", "the company", default=REQUIRED, refers=("finance",)),
    Column("item", "text", "the figure", default=REQUIRED, choices=("fixed_cost_eur", "rnd_eur", "capex_eur", "rest_of_company_profit_eur",
                                                                  "rest_of_company_revenue_eur", "rest_units", "capacity_units")),
    Column("year", "integer", "year", default=REQUIRED, low=1900, high=2200),
    Column("value", "number", "its value in that year", "the figure's unit", default=REQUIRED),
    _SOURCE, _CONFIDENCE, _NOTE,
), ("company", "item", "year"))

PLATFORMS = Table("platforms", "capital spending on a platform, and who shares it in which scenario", (
    Column("platform", "text", "the platform", default=REQUIRED),
    Column("company", "text", "who spends", default=REQUIRED, refers=("finance",)),
    Column("from_year", "integer", "first year", default=REQUIRED, low=1900, high=2200),
    Column("to_year", "integer", "last year", default=REQUIRED, low=1900, high=2200),
    Column("capex_eur", "number", "spent on it in each of these years", "EUR a year", default=REQUIRED, low=0),
    Column("partner", "text", "who shares it; empty when nobody does", default="", refers=("finance",)),
    Column("partner_share", "number", "part that the partner pays", "share 0..1", default=0, low=0, high=1),
    Column("shared_in", "text", "scenarios in which it is shared, separated by semicolons, or 'all'"),
    Column("dropped_in", "text", "scenarios in which it is not spent, because a partner's platform is used"),
    _SOURCE, _CONFIDENCE, _NOTE,
), ("platform", "company", "from_year"))

SYNERGIES = Table("synergies", "what cooperation is worth to a company beyond what the simulated markets show", (
    Column("scenario", "text", "scenario in which it is earned", default=REQUIRED),
    Column("company", "text", "who earns it", default=REQUIRED, refers=("finance",)),
    Column("kind", "text", "what it is", default=REQUIRED, choices=("platform_access", "supply_at_cost", "co2_pool", "purchasing", "rnd")),
    Column("from_year", "integer", "first year", default=REQUIRED, low=1900, high=2200),
    Column("to_year", "integer", "last year; the value after the last simulated year leaves it out", default=REQUIRED, low=1900, high=2200),
    Column("eur_a_year", "number", "profit before tax in each of these years; below zero for a cost", "EUR a year", default=0),
    Column("eur_per_car", "number", "the same for each car outside the simulated markets (rest_units)", "EUR per car", default=0),
    _SOURCE, _CONFIDENCE, _NOTE,
), ("scenario", "company", "kind", "from_year"))

GUIDANCE = Table("guidance", "what a company, an analyst or the press said it would do or be worth; shown beside the model, never fed into it", (
    Column("company", "text", "the company", default=REQUIRED, refers=("companies",)),
    Column("item", "text", "what about", default=REQUIRED, choices=("units", "revenue_eur", "operating_margin", "operating_profit_eur", "free_cash_flow_eur", "equity_eur",
                                                                   "cost_change")),
    Column("year", "integer", "for which year; for a value, the year it was stated", default=REQUIRED, low=1900, high=2200),
    Column("who", "text", "who said it", default=REQUIRED),
    Column("value", "number", "middle, or the figure itself", "EUR, cars or share", default=REQUIRED),
    Column("low", "number", "lower end", default=None, filled="value"),
    Column("high", "number", "upper end", default=None, filled="value"),
    Column("stated", "date", "when it was said", "date", default=REQUIRED),
    _SOURCE, _CONFIDENCE, _NOTE,
), ("company", "item", "year", "who"))

STAKE_TERMS = Table("stake_terms", "the terms on which an investor buys into a company", (
    Column("terms", "text", "id", default=REQUIRED),
    Column("scenario", "text", "scenario whose markets follow from it; empty when prices do not change", default=""),
    Column("investor", "text", "who pays", default=REQUIRED, refers=("companies", "owners")),
    Column("company", "text", "in which company", default=REQUIRED, refers=("companies",)),
    Column("instrument", "text", "what is bought", default="common", choices=("common", "convertible", "staged")),
    Column("money", "text", "primary: into the company; secondary: to the seller", default="primary", choices=("primary", "secondary")),
    Column("seller", "text", 'who sells, when secondary; "float of X" may', default="", refers=("companies", "owners"), floats=True),
    Column("amount", "number", "money paid, in money of the day", "currency column", default=REQUIRED, above=0),
    Column("currency", "text", "currency of the amount and of the valuation", default=REQUIRED, advice="an amount without a currency is no amount"),
    Column("valuation", "number", "value of all of the equity agreed on", "currency column", default=REQUIRED, above=0),
    Column("valuation_basis", "text", "before or after the new money", default="pre_money", choices=("pre_money", "post_money")),
    Column("date", "date", "day of payment", "date", default=REQUIRED),
    Column("exit_year", "integer", "sold at the end of this year", default=REQUIRED, low=1900, high=2200),
    Column("control_premium", "number", "what board rights add", "share of the value of the stake", default=0, low=0, high=1),
    Column("minority_discount", "number", "what a part without control is worth less", "share of the value of the stake", default=0, low=0, high=1),
    Column("illiquidity_discount", "number", "what a part that cannot be sold on a market is worth less", "share of the value of the stake", default=0, low=0, high=1),
    Column("coupon", "number", "yearly interest of a convertible note", "share a year", default=0, low=0, high=1),
    Column("conversion_discount", "number", "discount at which a note turns into shares", "share", default=0, low=0, high=0.99),
    Column("conversion_cap", "number", "highest value of the equity at which a note turns into shares; 0 for none", "currency column", default=0, low=0),
    Column("walk_away", "text", "whether the investor may refuse later parts of a staged commitment", default="no", choices=("yes", "no")),
    _SOURCE, _CONFIDENCE, _NOTE,
), ("terms",))

MILESTONES = Table("milestones", "a part of a staged commitment, and what has to be seen before it is paid", (
    Column("terms", "text", "which terms", default=REQUIRED, refers=("stake_terms",)),
    Column("milestone", "text", "name", default=REQUIRED),
    Column("year", "integer", "paid at the end of this year", default=REQUIRED, low=1900, high=2200),
    Column("share", "number", "part of the whole amount", "share 0..1", default=REQUIRED, above=0, high=1),
    Column("measure", "text", "what is looked at in that year; empty for a part paid without a condition, on the day of payment where the year is that of the terms"),
    Column("of", "text", "company that is looked at", default="", refers=("companies",)),
    Column("at_least", "number", "it has to reach this", "unit of the measure", default=0),
    _SOURCE, _CONFIDENCE, _NOTE,
), ("terms", "milestone"))

LISTING = Table("listing", "a parameter of the decision to list a company on the stock exchange", (
    Column("company", "text", "the company", default=REQUIRED, refers=("finance",)),
    Column("parameter", "text", "see docs/valuation.md", default=REQUIRED),
    Column("value", "number", "its value", default=REQUIRED),
    Column("unit", "text", "its unit"),
    _SOURCE, _CONFIDENCE, _NOTE,
), ("company", "parameter"))

OUTLOOK = Table("outlook", "a fact or a projection that the years ahead start from", (
    Column("item", "text", "what it is", default=REQUIRED, choices=("pack_price", "battery_output", "chargers", "fleet", "electric_sales", "life_years",
                                                                   "life_shape", "cycle_years", "last_year", "launch_year", "electric_pace")),
    Column("of", "text", "powertrain of a fleet or of sales, product of a launch year", default=""),
    Column("market", "text", "market id, empty for the world", default="", refers=("markets",)),
    Column("year", "integer", "year it is about; 0 where it is about none", default=0, low=0, high=2200),
    Column("value", "number", "its value", default=REQUIRED),
    Column("unit", "text", "its unit"),
    _SOURCE, _CONFIDENCE, _NOTE,
), ("item", "of", "market", "year"))

PLANNED_LAUNCHES = Table("planned_launches", "a car that was planned on the case's date: on sale in the baseline and in every scenario from its date", (
    Column("product", "text", "id of the new product", default=REQUIRED),
    Column("model", "text", "model name", default=None, filled="the product id"),
    Column("brand", "text", "brand", default=REQUIRED, refers=("brands",)),
    Column("markets", "text", "markets it is sold in, separated by semicolons", default=REQUIRED, refers=("markets",), many=True),
    Column("like", "text", "product on sale in each of them from which everything not stated is taken", default=REQUIRED),
    Column("brand_like", "text", "brand whose standing it is given where its own has none"),
    Column("priced_by", "text", "company that sets the price", default="", refers=("companies",)),
    Column("year", "number", "planned date as a fractional year: 2025.5 is July 2025", "year", default=REQUIRED, low=1900, high=2200),
    Column("price_eur", "number", "maker's price net of tax where the search starts", "EUR a car", default=REQUIRED, above=0),
    Column("margin", "number", "part of that price that is margin", "share", default=REQUIRED, low=0, high=1),
    Column("powertrain", "text", "powertrain", default="BEV", choices=("BEV", "PHEV", "ICE")),
    Column("segment", "text", "size class", default=REQUIRED),
    Column("body", "text", "body style", default=REQUIRED),
    Column("origin", "text", "where it is built", default=REQUIRED),
    Column("seats", "integer", "seats", "seats", default=5, low=1, high=9),
    Column("battery_kwh", "number", "usable battery", "kWh", default=REQUIRED, low=0),
    Column("range_km", "number", "electric range WLTP", "km", default=REQUIRED, low=0),
    Column("power_kw", "number", "power", "kW", default=REQUIRED, low=0),
    Column("mass_kg", "number", "mass in running order", "kg", default=REQUIRED, low=0),
    Column("expected_units", "number", "cars a year it would sell in all its markets under the base year's conditions", "cars/yr", default=REQUIRED, above=0),
    Column("replaces", "text", "products that go off sale when it comes, separated by semicolons"),
    _SOURCE, _CONFIDENCE, _NOTE,
), ("product",))

UNCERTAIN = Table("uncertain", "an input of the years ahead that is not known: its distribution", (
    Column("input", "text", "name, see docs/outlook.md; date:PRODUCT, happens:PRODUCT and appeal:PRODUCT are about one launch", default=REQUIRED),
    Column("distribution", "text", "fixed is a number without spread; discrete happens with probability `central`", default=REQUIRED,
           choices=("fixed", "normal", "lognormal", "triangular", "uniform", "discrete")),
    Column("central", "number", "median; mode of a triangular one; probability of a discrete one", default=REQUIRED),
    Column("low", "number", "10th percentile", default=None, filled="central"),
    Column("high", "number", "90th percentile", default=None, filled="central"),
    Column("unit", "text", "unit"),
    Column("moves", "text", "what it moves"),
    _SOURCE, _CONFIDENCE, _NOTE,
), ("input",))

CORRELATIONS = Table("correlations", "two uncertain inputs that move together", (
    Column("input_a", "text", "one", default=REQUIRED, refers=("uncertain",)),
    Column("input_b", "text", "the other", default=REQUIRED, refers=("uncertain",)),
    Column("correlation", "number", "of the normals behind them (Gaussian copula); above zero, an event is likelier where the other input is high", "-1..1", default=REQUIRED, low=-1, high=1),
    _SOURCE, _CONFIDENCE, _NOTE,
), ("input_a", "input_b"))

HINDSIGHT = Table("hindsight", "something that was open on the day of the case and has been settled since: shown beside the run, never fed to it", (
    Column("topic", "text", "what it is about, for a table", default=REQUIRED),
    Column("asked", "text", "the question that was open", default=REQUIRED),
    Column("deals", "text", "what happened: ids of deals dated after the case's day, separated by semicolons", default=REQUIRED, refers=("deals",), many=True),
    Column("answer", "text", "what the run's answer goes by: a scenario, or the name of a valuation"),
    _SOURCE, _CONFIDENCE, _NOTE,
), ("topic",))

OBSERVED_LATER = Table("observed_later", "sales of a year after the base year: shown beside what the run says, never fed to it", (
    Column("market", "text", "market id", default=REQUIRED, refers=("markets",)),
    Column("year", "integer", "year", default=REQUIRED, low=1900, high=2200),
    Column("brand", "text", "brand, or 'other' for a rest that the source does not name", default=REQUIRED),
    Column("powertrain", "text", "powertrain", default="BEV", choices=("BEV", "PHEV", "ICE")),
    Column("units", "number", "cars registered", "cars/yr", default=REQUIRED, low=0),
    _SOURCE, _CONFIDENCE, _NOTE,
), ("market", "year", "brand", "powertrain"))

PROJECTIONS = Table("projections", "what somebody else projected for a group of markets: shown beside the years ahead, never fed to them", (
    Column("item", "text", "what it is about: electric cars' part of cars sold", default="electric_share", choices=("electric_share",)),
    Column("who", "text", "who projected it, and under which assumptions", default=REQUIRED),
    Column("region", "text", "region it was stated for", default=REQUIRED),
    Column("markets", "text", "markets of the case that stand beside it, separated by semicolons", default=REQUIRED, refers=("markets",), many=True),
    Column("year", "integer", "year it is about", default=REQUIRED, low=1900, high=2200),
    Column("value", "number", "its value: battery-electric cars over cars sold", "share", default=REQUIRED, low=0, high=1),
    _SOURCE, _CONFIDENCE, _NOTE,
), ("item", "who", "region", "year"))

SOURCES = Table("sources", "a publication that figures come from", (
    Column("source", "text", f"id; one that begins with '{ASSUMPTION}' marks an assumption of our own", default=REQUIRED),
    Column("title", "text", "title", default=REQUIRED),
    Column("publisher", "text", "who published it"),
    Column("date", "text", "when, as precisely as known"),
    Column("address", "text", "where it can be read"),
    Column("confidence", "text", "how sure we are of its figures", default="unstated", choices=CONFIDENCES),
    _NOTE,
), ("source",))
TABLES: Mapping[str, Table] = {
    table.name: table for table in (
        COMPANIES, OWNERS, STAKES, CONTROL, DEALS, BRANDS, PRODUCTS, EXCLUDED, MARKETS, INCOMES, DRAWS, TARGETS,
        OUTLOOK, PLANNED_LAUNCHES, UNCERTAIN, CORRELATIONS,
        FINANCE, FINANCE_PATH, PLATFORMS, SYNERGIES, GUIDANCE, STAKE_TERMS, MILESTONES, LISTING, HINDSIGHT, OBSERVED_LATER, PROJECTIONS, SOURCES,
    )
}
# fmt: on


def is_assumption(source: str) -> bool:
    """Whether a source id marks an assumption of our own: ``assumption``, ``assumption_incomes``."""
    return source.startswith(ASSUMPTION)
