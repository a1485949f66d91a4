"""The sections of `case.toml`, of `programmes.toml`, `pools.toml` and of the files in `scenarios/`, in the terms of `keiretsu.case.schema`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from keiretsu.case.schema import REQUIRED, Column

# fmt: off
# (one line for each key: this part is read as a table)
CASE = (
    Column("name", "text", "short name", default=None, filled="name of the folder"),
    Column("title", "text", "title of the report", default=None, filled="the name"),
    Column("as_of", "date", "the day the world is seen from: stakes are read on it", "date", default=REQUIRED),
    Column("year", "integer", "base year of prices and sales", "year", default=None, low=1900, high=2200, filled="year of as_of"),
    Column("money", "text", "'EUR 2023' converts everything to euro by [rates]; 'own' leaves the case's own unit as it is", default="EUR 2023",
           choices=("EUR 2023", "own")),
    Column("currency", "text", "currency of prices that state none", default="EUR"),
    Column("rule", "text", "whose profit a price setter looks after: separate, financial, controller, proportional, proportional:one_block, banzhaf, "
           "joint:A+B;C+D, conduct:0.3:A+B, given",
           default=None, filled="'given' with [kappa], else 'controller'"),
)

DEMAND = (
    Column("price_taste", "number", "utils lost for one unit of money, times income to the power income_power", default=REQUIRED, above=0),
    Column("income_power", "number", "alpha = price_taste / income ** income_power", default=0, low=0, high=2),
    Column("price_sigma", "number", "spread of log alpha among consumers of one income", default=0, low=0, high=3),
    Column("draws", "integer", "consumer draws in each market at least: each income group and kind of buyer gets a power of two of them", "draws", default=None, low=1,
           filled="256 with random tastes, else one for each income group"),
    Column("seed", "integer", "seed of the draws", default=20240327, low=0),
    Column("single_nests", "text", "whether a nest may hold one product only (its sigma then has no effect)", default="refused",
           choices=("refused", "allowed")),
    Column("source", "text", "source ids of the parameters", refers=("sources",), many=True),
)

RANDOM = (
    Column("characteristic", "text", "what tastes differ about", default=REQUIRED),
    Column("sigma", "number", "spread of the taste", "utils per unit", default=REQUIRED, low=0),
    Column("distribution", "text", "of the taste", default="normal", choices=("normal", "lognormal")),
    Column("median", "number", "median of a lognormal taste, below zero for a dislike", "utils per unit", default=None,
           filled="1 for a lognormal taste; a normal one has none"),
)

SCENARIO = (
    Column("name", "text", "name", default=None, filled="name of the file"),
    Column("title", "text", "title in tables", default=None, filled="the name"),
    Column("question", "text", "the question it answers"),
    Column("order", "integer", "its place in tables, the smallest first; the first one is what the report opens with", default=1000),
    Column("headline", "text", "`headline = true`: it is also run under uncertainty", default="false", choices=("true", "false")),
    Column("on_request", "text", "`on_request = true`: only a run that names it solves it", default="false", choices=("true", "false")),
    Column("status", "text", "how far it has got: exploring, announced, committed, completed, abandoned"),
    Column("source", "text", "source ids of its figures", refers=("sources",), many=True),
    Column("extends", "text", "list of scenarios whose moves come before its own"),
)
# fmt: on

# Names that `[[demand.random]]` may use; the rules that compute them stand in `keiretsu.market.characteristics`.
CHARACTERISTICS = ("constant", "electric", "plug_in", "range_100km", "power_100kw", "mass_t", "size", "suv", "seven_seats")

# Kinds of buyer. A market's private_share says how many of its buyers are of the first kind.
BUYER_KINDS = ("private", "company")

# Columns that `[demand] nests` may use: groups first, then subgroups.
NEST_COLUMNS = ("nest", "sub_nest", "powertrain", "powertrain_group", "segment", "body", "brand", "origin", "seats")


@dataclass(frozen=True)
class Section:
    """One section of a TOML file: its heading, what it says, its keys."""

    heading: str
    says: str
    keys: tuple[Column, ...]
    more: str = ""


SECTIONS: Mapping[str, Section] = {
    section.heading: section
    for section in (
        Section("[case]", "what the case is", CASE),
        Section("[rates]", 'yearly average exchange rates: units of a currency for one euro, `USD = 1.08`, and `source = "id"`', ()),
        Section(
            "[demand]",
            "preferences of buyers",
            DEMAND,
            '`outside = false` when nobody can stay outside; `nests = ["segment"]`: none, one or two columns of products (groups, then subgroups) out of '
            + ", ".join(NEST_COLUMNS)
            + "; `sigma_group` and `sigma_sub`: one number, or one for each nest (`sigma_group = {A = 0.4, B = 0.5}`); "
            "`correlation`: matrix between the random tastes in their order",
        ),
        Section("[[demand.random]]", "one random taste", RANDOM, "characteristics: " + ", ".join(CHARACTERISTICS)),
        Section(
            "[demand.kind_price]",
            "price taste of a kind of buyer as a multiple of everybody's: `company = 0.7`; kinds: "
            + ", ".join(BUYER_KINDS)
            + "; a kind not named has 1",
            (),
        ),
        Section(
            "[demand.kind_taste.KIND]",
            "what a kind of buyer likes better or less than the mean taste that sales reveal: a characteristic and utils per unit, `electric = 0.4`",
            (),
        ),
        Section("[market]", "the only market of a small case, in place of markets.csv: its columns as keys", ()),
        Section(
            "[kappa]",
            "profit weights typed in: `[kappa.A]` with `B = 0.3` is the weight that whoever sets A's prices puts on B's profit. "
            "Not symmetric; above one is allowed; what is not named is 0, and 1 for the firm itself",
            (),
        ),
        Section(
            "[calibration.free]",
            "parameters that `keiretsu calibrate` fits to targets.csv, each with its bounds, `price_taste = [1.0, 9.0]`: price_taste, income_power, "
            "price_sigma, sigma_group, sigma_sub, potential (a multiple of every market's); `[calibration.free.random]` frees spreads of random tastes",
            (),
        ),
        Section("[report]", '`makers = ["A", "B"]`: companies that headline tables give a column of their own', ()),
    )
}
SCENARIO_SECTION = Section(
    "scenarios/*.toml", "one scenario in each file, and [[moves]] with a type and the arguments of that type (docs/moves.md)", SCENARIO
)
