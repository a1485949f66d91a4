"""A dated register of direct stakes: who held how much of whom, and when, with the source of each line.

A stake has a *cash-flow* share and *votes that can be cast*. The two differ in real life: a trust keeps dividends and neutralises
votes, a lock-up caps votes at 15 %, a founder's share votes ten times. Both are parts of one: of the company's equity, and of all its votes.

What is not held by a named holder is the company's float. The float casts the votes its shares carry, and never more than
named holders leave: ``min(1 - sum of cash-flow shares, 1 - sum of votes)``. So a trust that keeps 25 % of the cash flow and casts nothing
shrinks the votes cast to 75 % (nobody else gets its votes), and a family with 30 % of the equity and 53 % of the votes leaves 47 % to the others. Where
that is not how a company's votes lie, name the remaining holders (an owner of kind "float" may be named) with their votes.

Days: a stake is held from `start` up to, and not including, `end`; a change on a day ends one line and starts the next on the same day.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from keiretsu.errors import OwnershipError, Problem
from keiretsu.ownership.holdings import FLOAT_KIND, FLOAT_PREFIX, SHARE_TOLERANCE, Declared, Holdings

ControlKind = Literal["majority", "de_facto", "pact", "trust"]


@dataclass(frozen=True)
class Owner:
    """A holder that is not a company of the register. `kind`: person, family, state, fund, trust, float, other."""

    name: str
    kind: str = "other"


@dataclass(frozen=True)
class Stake:
    """A direct stake: `cash_flow` and `votes` (those that can be cast) as parts of one, held from `start` up to but not including `end`.

    No `start` means held since before the records begin; no `end` means held until further notice.
    """

    holder: str
    company: str
    cash_flow: float
    votes: float
    start: dt.date | None = None
    end: dt.date | None = None
    source: str = ""

    def in_force(self, date: dt.date) -> bool:
        """Whether the stake is held on that day."""
        return _in_force(self.start, self.end, date)


@dataclass(frozen=True)
class Control:
    """A declaration, with a source, that `controller` runs `company`.

    `de_facto`: control without a majority (Hyundai's 34 % of Kia). `trust`: the controller instructs the trustee. `pact`: all lines of that kind in
    force for one company are the members of one pact, which runs it together. `majority`: says what the votes should show; votes decide, and the table
    of control says so where they do not bear it out.
    """

    company: str
    controller: str
    kind: ControlKind = "de_facto"
    start: dt.date | None = None
    end: dt.date | None = None
    source: str = ""

    def in_force(self, date: dt.date) -> bool:
        """Whether the declaration holds on that day."""
        return _in_force(self.start, self.end, date)


@dataclass(frozen=True)
class Register:
    """Companies, owners, dated stakes and declared control; checked when made, all problems reported together.

    Raises
    ------
    OwnershipError
        Names unknown or used twice, a company that holds itself, shares outside 0..1, stakes above 100 % on any day, two lines for the same
        stake on the same day, dates out of order, two declared controllers, a pact of one.
    """

    companies: tuple[str, ...]
    owners: tuple[Owner, ...] = ()
    stakes: tuple[Stake, ...] = ()
    control: tuple[Control, ...] = ()

    def __post_init__(self) -> None:
        for name in ("companies", "owners", "stakes", "control"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        problems = list(_problems(self))
        if problems:
            raise OwnershipError(problems)

    @property
    def holders(self) -> tuple[str, ...]:
        """Everybody who may hold a stake: companies, then named owners."""
        return self.companies + tuple(owner.name for owner in self.owners)

    def as_of(self, date: dt.date) -> Holdings:
        """Shares, votes and declared control on one day."""
        firm = {name: i for i, name in enumerate(self.companies)}
        owner = {entry.name: i for i, entry in enumerate(self.owners)}
        n_firms, n_owners = len(firm), len(owner)
        cross, firm_votes = np.zeros((n_firms, n_firms)), np.zeros((n_firms, n_firms))
        shares, owner_votes = np.zeros((n_owners + n_firms, n_firms)), np.zeros((n_owners + n_firms, n_firms))
        for stake in self.stakes:
            if not stake.in_force(date):
                continue
            column = firm[stake.company]
            if stake.holder in firm:
                cross[firm[stake.holder], column] = stake.cash_flow
                firm_votes[firm[stake.holder], column] = stake.votes
            else:
                shares[owner[stake.holder], column] = stake.cash_flow
                owner_votes[owner[stake.holder], column] = stake.votes
        left = _remainder(cross.sum(axis=0) + shares.sum(axis=0))
        votes_left = _remainder(firm_votes.sum(axis=0) + owner_votes.sum(axis=0))
        floats = np.arange(n_firms)
        shares[n_owners + floats, floats] = left
        owner_votes[n_owners + floats, floats] = np.minimum(left, votes_left)
        return Holdings(
            date=date,
            companies=self.companies,
            owners=tuple(owner) + tuple(FLOAT_PREFIX + name for name in self.companies),
            owner_kinds=tuple(entry.kind for entry in self.owners) + (FLOAT_KIND,) * n_firms,
            cross_holdings=cross,
            owner_shares=shares,
            firm_votes=firm_votes,
            owner_votes=owner_votes,
            declared=_declared(self.control, date),
            said_majority={line.company: line.controller for line in self.control if line.kind == "majority" and line.in_force(date)},
        )


def independent_firms(names: Iterable[str]) -> Register:
    """A register of companies that nobody named holds: each is its own float's. For a products table with an owner column."""
    return Register(tuple(dict.fromkeys(names)))


def _in_force(start: dt.date | None, end: dt.date | None, date: dt.date) -> bool:
    return (start is None or start <= date) and (end is None or date < end)


def _remainder(held: np.ndarray) -> np.ndarray:
    left = 1.0 - held
    return np.where(np.abs(left) <= SHARE_TOLERANCE, 0.0, left)


def _declared(control: tuple[Control, ...], date: dt.date) -> dict[str, Declared]:
    declared: dict[str, Declared] = {}
    for line in control:
        if line.kind == "majority" or not line.in_force(date):
            continue
        before = declared.get(line.company, Declared(line.kind, (), ""))
        sources = dict.fromkeys(text for text in (before.source, line.source) if text)
        declared[line.company] = Declared(line.kind, (*before.controllers, line.controller), "; ".join(sources))
    return declared


def _problems(register: Register) -> Iterator[Problem]:
    yield from _name_problems(register)
    for stake in register.stakes:
        yield from _stake_problems(stake, register)
    yield from _overlap_problems(register.stakes)
    yield from _total_problems(register.stakes)
    yield from _control_problems(register)


def _name_problems(register: Register) -> Iterator[Problem]:
    seen: set[str] = set()
    for name in register.holders:
        if not name:
            yield Problem("a holder without a name", "register", wanted="a name")
        if name in seen:
            yield Problem("name used twice", "register", repr(name), "each company and owner once", "an owner who is also a company is a company")
        if name.startswith(FLOAT_PREFIX):
            yield Problem(f"names that start with {FLOAT_PREFIX!r} are kept for what nobody named holds", "register", repr(name), "another name")
        seen.add(name)


def _stake_problems(stake: Stake, register: Register) -> Iterator[Problem]:
    where = _where(stake)
    if stake.company not in register.companies:
        yield Problem("stake in an unknown company", where, repr(stake.company), "a company of the register", "add it to the companies")
    if stake.holder not in register.holders:
        yield Problem("unknown holder", where, repr(stake.holder), "a company or an owner of the register", "add it to the owners")
    if stake.holder == stake.company:
        yield Problem("a company that holds itself", where, next_step="leave out treasury shares: state all shares as parts of those in other hands")
    for what, value in (("cash-flow share", stake.cash_flow), ("votes", stake.votes)):
        if not 0 <= value <= 1:
            yield Problem(f"{what} outside 0..1", where, f"{value:g}", "a part of one (0.15 for 15 %)")
    yield from _date_problems(stake.start, stake.end, where)


def _date_problems(start: dt.date | None, end: dt.date | None, where: str) -> Iterator[Problem]:
    if start is not None and end is not None and not start < end:
        yield Problem("dates out of order", where, f"from {start} to {end}", "an end after the start (the end is the first day no longer held)")


def _overlap_problems(stakes: tuple[Stake, ...]) -> Iterator[Problem]:
    by_pair: dict[tuple[str, str], list[Stake]] = {}
    for stake in stakes:
        by_pair.setdefault((stake.holder, stake.company), []).append(stake)
    for lines in by_pair.values():
        lines.sort(key=lambda line: line.start or dt.date.min)
        for earlier, later in itertools.pairwise(lines):
            if earlier.end is None or earlier.end > (later.start or dt.date.min):
                yield Problem(
                    "two lines for the same stake on the same day",
                    _where(earlier),
                    f"one to {earlier.end or 'further notice'}, one from {later.start or 'the beginning'}",
                    "one line at a time",
                    "end the first on the day the second starts, or add them up; shares in a trust belong to the trust as a company of its own",
                )


def _total_problems(stakes: tuple[Stake, ...]) -> Iterator[Problem]:
    for company in dict.fromkeys(stake.company for stake in stakes):
        lines = [stake for stake in stakes if stake.company == company]
        for day in sorted({line.start or dt.date.min for line in lines}):
            held = [line for line in lines if line.in_force(day)]
            for what, total in (("stakes", sum(line.cash_flow for line in held)), ("votes", sum(line.votes for line in held))):
                if total > 1 + SHARE_TOLERANCE:
                    seen = f"{total:.2%} ({', '.join(line.holder for line in held)})"
                    yield Problem(
                        f"{what} above 100 %", f"{company} on {_day(day)}", seen, "at most 100 %", "end the lines of sellers, or dilute old holders"
                    )


def _control_problems(register: Register) -> Iterator[Problem]:
    for line in register.control:
        where = f"control of {line.company} by {line.controller}"
        if line.company not in register.companies:
            yield Problem("control of an unknown company", where, repr(line.company), "a company of the register")
        if line.controller not in register.holders:
            yield Problem("unknown controller", where, repr(line.controller), "a company or an owner of the register")
        if line.controller == line.company:
            yield Problem("a company declared to control itself", where, next_step="leave the line out: a firm nobody controls runs itself")
        if line.kind not in get_args(ControlKind):
            yield Problem("unknown kind of control", where, repr(line.kind), f"one of {', '.join(get_args(ControlKind))}")
        yield from _date_problems(line.start, line.end, where)
    for company in dict.fromkeys(line.company for line in register.control):
        yield from _joint_control_problems(company, [x for x in register.control if x.company == company and x.kind != "majority"])


def _joint_control_problems(company: str, control: list[Control]) -> Iterator[Problem]:
    days = {line.start or dt.date.min for line in control} | {line.end for line in control if line.end}
    for day in sorted(days):
        lines = [line for line in control if line.in_force(day)]
        names, kinds = [line.controller for line in lines], {line.kind for line in lines}
        where = f"control of {company} on {_day(day)}"
        if len(lines) > 1 and (kinds != {"pact"} or len(set(names)) < len(names)):
            yield Problem("two controllers declared", where, ", ".join(names), "one controller, or a pact with each member once")
        elif kinds == {"pact"} and len(lines) == 1:
            yield Problem("a pact of one", where, names[0], "two members or more", "declare it de_facto if one holder runs the company alone")


def _where(stake: Stake) -> str:
    return f"{stake.holder} in {stake.company}" + (f" from {stake.start}" if stake.start else "")


def _day(day: dt.date) -> str:
    return "all days before the first change" if day == dt.date.min else day.isoformat()
