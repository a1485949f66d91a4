"""Moves of stakes: purchase and sale, by share or by money ([1], [15]).

Primary money goes into the company: it buys new shares, amount / post-money of them, and everybody else is diluted. Secondary money goes
to a seller: amount / value of the equity changes hands and nobody is diluted. A change is entered on the world's date, the day its register is read on:
who makes a move has seen to it that it holds, in the base year or in a later one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from keiretsu.errors import Problem
from keiretsu.market.world import World
from keiretsu.moves.arguments import argument
from keiretsu.moves.company_edits import unknown_companies, unknown_holders
from keiretsu.moves.move import Channel, Move
from keiretsu.ownership.holdings import FLOAT_PREFIX, SHARE_TOLERANCE, Holdings
from keiretsu.ownership.register import Register
from keiretsu.ownership.register_changes import issue, issued_share, transfer


@dataclass(frozen=True, kw_only=True)
class StakePurchase(Move):
    """A company or owner buys a part of a company, for an amount of money at a valuation or as a stated share."""

    type: ClassVar[str] = "stake_purchase"
    summary: ClassVar[str] = "a part of a company is bought: new shares that dilute the others (primary), or shares of named sellers (secondary)"
    usual_channel: ClassVar[Channel] = "ownership"

    buyer: str = argument("company or owner that buys")
    company: str = argument("company of which a part is bought")
    money: str = argument("primary: into the company, for new shares; secondary: to the sellers", words=("primary", "secondary"))
    share: float | None = argument(
        "part of the equity bought (after the issue when primary), instead of amount_eur", unit="share", default=None, low=0.0, high=1.0
    )
    amount_eur: float | None = argument("money paid, with valuation_eur, instead of share", unit="EUR", default=None, low=0.0)
    valuation_eur: float | None = argument("value of all of the equity", unit="EUR", default=None, low=0.0)
    valuation_basis: str = argument(
        "valuation before or after the new money; secondary money is in neither", default="pre_money", words=("pre_money", "post_money")
    )
    sellers: tuple[str, ...] = argument('who sells, when secondary; several sell in proportion to what they hold; "float of X" may', default=())
    votes: float | None = argument("votes that come with new shares, when not equal to the share", unit="share", default=None, low=0.0, high=1.0)

    def changed(self, world: World) -> World:
        """The world with the stake in its register."""
        part, date, source = bought_share(self), world.date, f"move {self.label}"
        if self.money == "primary":
            votes = part if self.votes is None else self.votes
            return world.replace(register=issue(world.register, self.company, self.buyer, part, votes, date, source))
        return world.replace(register=passed_on(world.register, self.sellers, self.buyer, self.company, part, date, source))

    def check(self, world: World) -> list[Problem]:
        """Parties must be known and sellers hold enough on the day."""
        problems = unknown_companies(world, (self.company,), self.place) + unknown_holders(
            world, _named((self.buyer, *self.sellers), self.company), self.place
        )
        if problems or self.faults() or self.money == "primary":
            return problems
        return too_little_for_sale(world, self, self.sellers, self.company, bought_share(self))

    def faults(self) -> list[Problem]:
        """Money and shares must fit together."""
        problems = super().faults() + _price_faults(self)
        if (self.money == "secondary") != bool(self.sellers):
            wanted = "sellers when secondary, none when primary"
            problems.append(
                Problem("sellers do not fit the money", self.place, f"money {self.money}, sellers {', '.join(self.sellers) or 'none'}", wanted)
            )
        if self.money == "secondary" and self.votes is not None:
            problems.append(Problem("votes of existing shares pass with them", self.place, f"votes {self.votes:g}", "votes only with primary money"))
        if self.buyer == self.company or self.buyer in self.sellers:
            problems.append(Problem("buyer and seller, or buyer and company, are the same", self.place, self.buyer, "different parties"))
        return problems

    def buys(self) -> tuple[tuple[str, str], ...]:
        """Buyer and company."""
        return ((self.buyer, self.company),)

    def parties(self) -> tuple[str, ...]:
        """Buyer, company, sellers."""
        return (self.buyer, self.company, *self.sellers)


@dataclass(frozen=True, kw_only=True)
class StakeSale(Move):
    """A holder sells all or part of what it has of a company, to a named buyer or into the float."""

    type: ClassVar[str] = "stake_sale"
    summary: ClassVar[str] = "a holder sells a part of a company that it has, to a named buyer or into the float; nobody is diluted"
    usual_channel: ClassVar[Channel] = "ownership"

    seller: str = argument("company or owner that sells")
    company: str = argument("company of which a part is sold")
    buyer: str = argument('company or owner that buys, or "float of X"')
    share: float | None = argument("part of the equity sold, instead of amount_eur", unit="share", default=None, low=0.0, high=1.0)
    amount_eur: float | None = argument("money paid, with valuation_eur, instead of share", unit="EUR", default=None, low=0.0)
    valuation_eur: float | None = argument("value of all of the equity", unit="EUR", default=None, low=0.0)

    def changed(self, world: World) -> World:
        """The world with the stake in other hands."""
        date, source = world.date, f"move {self.label}"
        return world.replace(register=passed_on(world.register, (self.seller,), self.buyer, self.company, bought_share(self), date, source))

    def check(self, world: World) -> list[Problem]:
        """Parties must be known and the seller hold enough on the day."""
        problems = unknown_companies(world, (self.company,), self.place) + unknown_holders(
            world, _named((self.buyer, self.seller), self.company), self.place
        )
        if problems or self.faults():
            return problems
        return too_little_for_sale(world, self, (self.seller,), self.company, bought_share(self))

    def faults(self) -> list[Problem]:
        """Money and shares must fit together."""
        problems = super().faults() + _price_faults(self)
        if self.buyer in (self.seller, self.company):
            problems.append(Problem("buyer and seller, or buyer and company, are the same", self.place, self.buyer, "different parties"))
        return problems

    def buys(self) -> tuple[tuple[str, str], ...]:
        """Buyer and company."""
        return ((self.buyer, self.company),)

    def parties(self) -> tuple[str, ...]:
        """Seller, buyer, company."""
        return (self.seller, self.buyer, self.company)


def bought_share(move: StakePurchase | StakeSale) -> float:
    """Part of the equity that changes hands, or is new, by share or by money ([15])."""
    if move.share is not None:
        return move.share
    assert move.amount_eur is not None and move.valuation_eur is not None  # `_price_faults` has seen to it
    if isinstance(move, StakePurchase) and move.money == "primary":
        return issued_share(move.amount_eur, move.valuation_eur, move.valuation_basis)
    return move.amount_eur / move.valuation_eur


def _price_faults(move: StakePurchase | StakeSale) -> list[Problem]:
    said = (move.share is not None, move.amount_eur is not None, move.valuation_eur is not None)
    if said not in ((True, False, False), (False, True, True)):
        names = ("share", "amount_eur", "valuation_eur")
        seen = ", ".join(name for name, there in zip(names, said, strict=True) if there) or "none of them"
        return [Problem("the size of the stake is not clear", move.place, seen, "either share, or amount_eur and valuation_eur")]
    if move.share is None:
        amount, value = float(move.amount_eur or 0.0), float(move.valuation_eur or 0.0)
        after = value + amount if getattr(move, "valuation_basis", "") == "pre_money" and getattr(move, "money", "") == "primary" else value
        if not value > 0 or amount > after:
            return [
                Problem(
                    "the money buys more than all of the company",
                    move.place,
                    f"EUR {amount:,.0f} at a value of EUR {value:,.0f}",
                    "less money or a higher value",
                )
            ]
    whole = isinstance(move, StakePurchase) and move.money == "primary" and bought_share(move) >= 1
    return [Problem("new shares cannot be all of a company", move.place, f"{bought_share(move):g}", "a share below 1")] if whole else []


def passed_on(register: Register, sellers: Sequence[str], buyer: str, company: str, part: float, date: dt.date, source: str) -> Register:
    """`part` of the company from the sellers, in proportion to what they hold, with the votes of those shares, to the buyer."""
    if part <= SHARE_TOLERANCE:  # the register takes less than this for rounding, so nobody would hold it
        return register
    holdings = register.as_of(date)
    held = {name: held_on_the_day(holdings, name, company) for name in sellers}
    total = sum(cash_flow for cash_flow, _ in held.values())
    for name, (cash_flow, votes) in held.items():
        register = transfer(register, name, buyer, company, cash_flow * part / total, votes * part / total, date, source)
    return register


def held_on_the_day(holdings: Holdings, holder: str, company: str) -> tuple[float, float]:
    """Cash-flow share and votes that a company, an owner or a float has in a company."""
    column = holdings.company_index(company)
    if holder in holdings.companies:
        row = holdings.companies.index(holder)
        return float(holdings.cross_holdings[row, column]), float(holdings.firm_votes[row, column])
    row = holdings.owners.index(holder)
    return float(holdings.owner_shares[row, column]), float(holdings.owner_votes[row, column])


def too_little_for_sale(world: World, move: Move, sellers: Sequence[str], company: str, part: float) -> list[Problem]:
    """A problem when the sellers together hold less than is bought, on the day of the change."""
    holdings = world.register.as_of(world.date)
    held = sum(held_on_the_day(holdings, name, company)[0] for name in sellers)
    if part <= held + SHARE_TOLERANCE:
        return []
    seen = f"{part:.2%} of {company} from {' and '.join(sellers)}"
    return [
        Problem(
            "more is bought than is for sale",
            move.place,
            seen,
            f"at most {held:.2%} on {holdings.date}",
            "a smaller stake, more sellers, or a later date",
        )
    ]


def _named(names: Sequence[str], company: str) -> tuple[str, ...]:
    """Holders that must stand in the register; the company's own float is there with it."""
    return tuple(name for name in names if name != FLOAT_PREFIX + company)
