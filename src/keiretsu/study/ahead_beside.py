"""What stands beside the years ahead and enters none of them: others' projections of the electric share, and what battery packs have cost."""

from __future__ import annotations

import math
from dataclasses import dataclass

from keiretsu.case import Case
from keiretsu.outlook.ensemble import Ensemble
from keiretsu.outlook.outlook import BASELINE
from keiretsu.study.ahead_measures import Quantity, Summary, electric_share, summaries
from keiretsu.units import to_eur


@dataclass(frozen=True)
class Projection:
    """What somebody projected for a year, and what the baseline has in the same markets; shares are parts of one."""

    region: str
    who: str
    year: int
    said: float
    here: Summary
    source: str


@dataclass(frozen=True)
class PackPrice:
    """What battery packs cost in a year and what the learning curve run backwards says, EUR/kWh; None before the table of battery output begins.

    `slow` and `fast` are the curve at the 10th and 90th percentile of the learning rate, `before_gwh` is what had been built before the year.
    """

    year: int
    paid: float
    curve: float | None
    slow: float | None
    fast: float | None
    before_gwh: float
    source: str
    note: str


def projections_beside(case: Case, futures: Ensemble) -> tuple[Projection, ...]:
    """Others' electric shares beside those of the baseline; none for a case that carries none, years that were not simulated are left out."""
    regions = regions_of(case)
    paths = [
        Quantity("electric_share", region, "share", electric_share(futures.data.sel(scenario=[BASELINE]), markets))
        for region, markets in regions.items()
    ]
    here = summaries(futures, paths, by_year=True)
    known = {(row.of, row.year): row for row in here.rows}
    return tuple(
        Projection(
            str(row["region"]),
            str(row["who"]),
            int(row["year"]),
            float(row["value"]),
            known[(str(row["region"]), int(row["year"]))],
            str(row["source"]),
        )
        for row in case.tables["projections"].to_dict("records")
        if (str(row["region"]), int(row["year"])) in known
    )


def regions_of(case: Case) -> dict[str, tuple[str, ...]]:
    """Markets of the case that stand beside each region somebody made projections for."""
    rows = case.tables["projections"]
    return {str(region): _markets(markets) for region, markets in zip(rows["region"], rows["markets"], strict=True)}


def sold_electric(case: Case, markets: tuple[str, ...] = ()) -> float:
    """Battery-electric cars over cars sold in the case's own year, as a part of one."""
    rows = case.products[case.products["market"].isin(markets)] if markets else case.products
    return float(rows.loc[rows["powertrain"] == "BEV", "units"].sum() / rows["units"].sum())


def pack_history(case: Case) -> tuple[PackPrice, ...]:
    """What packs cost to the case's year, beside the learning curve run backwards from it ([11]); nothing for a case without pack prices.

    The curve is that of the years ahead: ``price of the case's year x (output before the year / output before the case's year) ^ log2(1 - learning rate)``, at
    the central learning rate and at its 10th and 90th percentile. Money of other currencies is turned into EUR at the case's rate.
    """
    stated = [{str(key): value for key, value in row.items()} for row in case.tables["outlook"].to_dict("records")]
    prices = sorted((row for row in stated if row["item"] == "pack_price"), key=lambda row: int(row["year"]))
    rates = [row for row in case.tables["uncertain"].to_dict("records") if row["input"] == "learning_rate"]

    def in_eur(row: dict[str, object]) -> float:
        price = float(str(row["value"]))
        return to_eur(price, str(row["unit"]).partition("/")[0], dict(case.rates)) if case.rates else price

    base = [in_eur(row) for row in prices if int(row["year"]) == case.year]
    if not base or not rates:
        return ()
    output = {int(row["year"]): float(row["value"]) for row in stated if row["item"] == "battery_output"}

    def before(year: int) -> float:
        return sum(gwh for made, gwh in output.items() if made < year)

    found = []
    for row in prices:
        built = before(int(row["year"]))
        curve, slow, fast = (
            base[0] * (built / before(case.year)) ** math.log2(1.0 - float(rates[0][name])) if built > 0 else None
            for name in ("central", "low", "high")
        )
        found.append(PackPrice(int(row["year"]), in_eur(row), curve, slow, fast, built, str(row["source"]), str(row["note"])))
    return tuple(found)


def _markets(names: object) -> tuple[str, ...]:
    return tuple(name.strip() for name in str(names).split(";"))
