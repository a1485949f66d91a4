"""Units, shares and potential buyers of each market: any two give the third.

Sales are stated as `units`, or as `share` of potential buyers, or as `share` of sales (`share_of = "sales"`: the shares then add up to
one, within `SHARE_ROUNDING`, and are divided by their sum). Potential buyers are stated, or follow from households, or from the share of
buyers who stay outside. A market that states only shares is one potential buyer.
"""

from __future__ import annotations

from collections.abc import Sequence

from keiretsu.case.read import RawCase
from keiretsu.case.rows import Row
from keiretsu.errors import Problem

SHARE_ROUNDING = 0.005  # printed shares may miss one by this much in total


def fill_markets(raw: RawCase) -> None:
    """Fill `units` and `share` of every product and `potential` and `outside_share` of every market, in place."""
    demand = raw.toml.values.get("demand", {})
    anyone_outside = not (isinstance(demand, dict) and demand.get("outside") is False)
    for market in raw.tables["markets"]:
        products = [row for row in raw.tables["products"] if row.cells["market"] == market.cells["market"]]
        if products and _one_of_each(products, raw):
            by_share = products[0].cells["share"] is not None
            (_from_shares if by_share else _from_units)(market, products, anyone_outside, raw)


def _one_of_each(products: Sequence[Row], raw: RawCase) -> bool:
    """Whether every product of a market states its sales, and all in the same way; rows that were refused count as stated."""
    fine = True
    ways: set[str] = set()
    for row in products:
        stated = {way for way in ("units", "share") if row.cells[way] is not None}
        ways |= stated
        if len(stated) == 2:
            raw.problems.append(
                Problem("units and share are both stated", row.place("share"), f"{row.cells['units']:g} and {row.cells['share']:g}", "one of them")
            )
            fine = False
        if not stated:
            fine = False
            if not _refused(row, raw):
                raw.problems.append(Problem("sales are missing", row.place("units"), "", "units, or share in every row of the market",
                                            "a product without known sales goes to excluded.csv"))  # fmt: skip
    if fine and len(ways) == 2:
        raw.problems.append(Problem("units in some rows and shares in others", products[0].place("units"), products[0].cells["market"],
                                    "one of the two for all products of a market"))  # fmt: skip
        fine = False
    return fine


def _refused(row: Row, raw: RawCase) -> bool:
    places = {row.place("units"), row.place("share")}
    return any(problem.where in places for problem in raw.problems)


def _from_units(market: Row, products: Sequence[Row], anyone_outside: bool, raw: RawCase) -> None:
    cells, sales = market.cells, sum(row.cells["units"] for row in products)
    stated = [name for name in ("potential", "households", "outside_share") if cells[name] is not None]
    if not anyone_outside:
        _refuse_outside(market, raw)
        cells["potential"] = sales
    elif cells["potential"] is None and cells["households"] is not None and cells["households_per_buyer"] is not None:
        cells["potential"] = cells["households"] / cells["households_per_buyer"]
    elif cells["potential"] is None and cells["outside_share"] is not None and cells["outside_share"] < 1:
        cells["potential"] = sales / (1 - cells["outside_share"])
    if cells["potential"] is None:
        if not any(problem.where == market.place("potential") for problem in raw.problems):
            raw.problems.append(Problem("no potential market", market.place("potential"), ", ".join(stated) or "nothing",
                                        "potential, or households and households_per_buyer, or outside_share",
                                        "it says how many would buy if cars were free: a common choice is households divided by the years a car is kept"))  # fmt: skip
        return
    _check_stated_outside(market, sales / cells["potential"] if cells["potential"] else 0.0, raw)
    for row in products:
        row.cells["share"] = row.cells["units"] / cells["potential"] if cells["potential"] else 0.0
    cells["outside_share"] = 1 - sales / cells["potential"] if cells["potential"] else 0.0


def _from_shares(market: Row, products: Sequence[Row], anyone_outside: bool, raw: RawCase) -> None:
    cells, total = market.cells, sum(row.cells["share"] for row in products)
    scale = 1.0
    if cells["share_of"] == "sales" or not anyone_outside:
        if abs(total - 1) > SHARE_ROUNDING:
            raw.problems.append(Problem("shares of sales do not add up to one", products[0].place("share"), f"{total:.4g} in market {cells['market']}", "1",
                                        "add the missing products as one composite line, or set share_of to potential"))  # fmt: skip
            return
        if not anyone_outside:
            _refuse_outside(market, raw)
            cells["outside_share"] = 0.0
        if cells["outside_share"] is None:
            raw.problems.append(Problem("no outside share", market.place("outside_share"), "shares of sales alone", "outside_share",
                                        "state the share of potential buyers who buy none of these products"))  # fmt: skip
            return
        scale = (1 - cells["outside_share"]) / total
        if abs(total - 1) > 1e-9:
            raw.warnings.append(
                Problem("shares of sales were divided by their sum", products[0].place("share"), f"{total:.6g} in market {cells['market']}")
            )
    else:
        _check_stated_outside(market, total, raw)
    if cells["potential"] is None and cells["households"] is not None and cells["households_per_buyer"] is not None:
        cells["potential"] = cells["households"] / cells["households_per_buyer"]
    if cells["potential"] is None:
        cells["potential"] = 1.0
        raw.warnings.append(Problem("no potential market is stated: amounts are for one potential buyer", market.place("potential")))
    for row in products:
        row.cells["share"] *= scale
        row.cells["units"] = row.cells["share"] * cells["potential"]
    cells["outside_share"] = 1 - total * scale if anyone_outside else 0.0


def _refuse_outside(market: Row, raw: RawCase) -> None:
    if market.cells["potential"] is not None or market.cells["households"] is not None:
        raw.problems.append(Problem("a potential market where nobody can stay outside", market.place("potential"), "", "none: it is the sales",
                                    "remove outside = false from [demand], or the potential"))  # fmt: skip
    if market.cells["outside_share"]:
        raw.problems.append(Problem("an outside share where nobody can stay outside", market.place("outside_share"), f"{market.cells['outside_share']:g}",
                                    "0", "remove outside = false from [demand], or the outside share"))  # fmt: skip


def _check_stated_outside(market: Row, sold: float, raw: RawCase) -> None:
    """A stated outside share must agree with sales over a stated potential; `sold` is the share of potential buyers who buy."""
    stated = market.cells["outside_share"]
    if stated is not None and abs(stated + sold - 1) > SHARE_ROUNDING:
        raw.problems.append(Problem("the outside share contradicts sales and potential", market.place("outside_share"), f"{stated:g}",
                                    f"{1 - sold:.4g}", "state the outside share or the potential, not both"))  # fmt: skip
