"""Deals as changes of the register: each function returns a new register and leaves the old one as it was.

A change on a day holds from that day on. Lines dated later are kept and changed in the same way (a purchase of 5 % adds 5 % to what the holder
has on every later day), so buying and selling back is no change on any day. What a later line does not allow (stakes above 100 %, selling more
than is held then) is refused by name. A name "float of X" may buy or sell: the float is what the others leave.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable

from keiretsu.errors import OwnershipError, Problem
from keiretsu.ownership.holdings import FLOAT_PREFIX, SHARE_TOLERANCE
from keiretsu.ownership.register import Control, Register, Stake

Shares = tuple[float, float]  # cash flow, votes


def stake_held(register: Register, holder: str, company: str, date: dt.date) -> Shares:
    """Cash-flow share and votes that a named holder has in a company on a day; (0, 0) without a stake."""
    for stake in register.stakes:
        if (stake.holder, stake.company) == (holder, company) and stake.in_force(date):
            return stake.cash_flow, stake.votes
    return 0.0, 0.0


def with_stake(register: Register, holder: str, company: str, cash_flow: float, votes: float, date: dt.date, source: str) -> Register:
    """The holder has exactly this stake from the day on (later lines of the same stake included); others as before, the float takes the rest."""
    return _changed(register, holder, company, date, source, lambda _: (cash_flow, votes))


def transfer(register: Register, seller: str, buyer: str, company: str, cash_flow: float, votes: float, date: dt.date, source: str) -> Register:
    """Secondary purchase: `cash_flow` and `votes` of the company pass from seller to buyer. Either may be "float of X".

    `votes` are those the buyer can cast and the seller could: shares that a trust could not vote are sold with zero and, where they come alive, the
    buyer's votes stated by `with_stake`.

    Raises
    ------
    OwnershipError
        When the seller holds less, on the day or later; when the parties are unknown or the same.
    """
    if seller == buyer:
        raise OwnershipError(Problem("buyer and seller are the same", f"sale of {company}", seller, "two parties"))
    for name, value in (("cash-flow share", cash_flow), ("votes", votes)):
        if not value >= 0:
            raise OwnershipError(
                Problem(f"{name} sold is negative", f"{seller} sells {company}", f"{value:g}", "zero or more", "swap buyer and seller")
            )

    def less(held: Shares) -> Shares:
        if held[0] < cash_flow - SHARE_TOLERANCE or held[1] < votes - SHARE_TOLERANCE:
            raise OwnershipError(
                Problem(
                    "seller holds less than it sells",
                    f"{seller} sells {company} to {buyer} from {date}",
                    f"{cash_flow:.4%} of cash flow and {votes:.4%} of votes",
                    f"at most {held[0]:.4%} and {held[1]:.4%}",
                )
            )
        return held[0] - cash_flow, held[1] - votes

    sold = _changed(register, seller, company, date, source, less)
    return _changed(sold, buyer, company, date, source, lambda held: (held[0] + cash_flow, held[1] + votes))


def issue(register: Register, company: str, buyer: str, cash_flow: float, votes: float, date: dt.date, source: str) -> Register:
    """Primary purchase: new shares that are `cash_flow` of the company after the issue; everybody else is diluted ([15]).

    The new shares carry `votes` of all votes after the issue. "float of X" as the buyer is a listing of new shares.

    Raises
    ------
    OwnershipError
        When the part issued is not below one, or a name is unknown.
    """
    if not (0 <= cash_flow < 1 and 0 <= votes < 1):
        raise OwnershipError(
            Problem("part issued outside 0..1", f"issue of {company}", f"{cash_flow:g} of cash flow, {votes:g} of votes", "0 up to but below 1")
        )
    diluted = register
    for holder in _holders_of(register, company):
        diluted = _changed(diluted, holder, company, date, source, lambda held: (held[0] * (1 - cash_flow), held[1] * (1 - votes)))
    return _changed(diluted, buyer, company, date, source, lambda held: (held[0] + cash_flow, held[1] + votes))


def issued_share(amount: float, valuation: float, basis: str) -> float:
    """Part of the company that new money buys ([15]); `basis` says whether `valuation` is "pre_money" or "post_money". Both in one currency.

    Raises
    ------
    OwnershipError
        When the amount is negative, the valuation not above zero, or the money not below a post-money valuation.
    """
    where = f"{amount:g} at a valuation of {valuation:g}"
    if basis not in ("pre_money", "post_money"):
        raise OwnershipError(Problem("no such basis of a valuation", where, repr(basis), "pre_money or post_money"))
    if not (amount >= 0 and valuation > 0):
        raise OwnershipError(Problem("money in or valuation out of range", where, wanted="an amount of zero or more at a valuation above zero"))
    share = amount / (valuation if basis == "post_money" else valuation + amount)
    if not share < 1:
        raise OwnershipError(
            Problem("new money buys the whole company or more", where, f"{share:.1%} post-money", "an amount below the post-money valuation")
        )
    return share


def absorb(register: Register, target: str, buyer: str, date: dt.date, source: str, paid_in_shares: float = 0.0) -> Register:
    """Full merger: all of the target's equity and votes pass to the buyer.

    With `paid_in_shares` above zero the target's other holders receive that part of the buyer (after the issue), in proportion to what they held,
    and everybody else in the buyer is diluted; at zero they are paid in cash and leave. Control declared for the target ends.

    Raises
    ------
    OwnershipError
        When buyer and target are the same or unknown, when the part paid in shares is not below one, or when shares are to be paid though the buyer holds
        all of the target already.
    """
    if buyer == target:
        raise OwnershipError(Problem("a company cannot buy itself", f"merger of {target}", buyer, "another company"))
    others = {holder: stake_held(register, holder, target, date)[0] for holder in _holders_of(register, target) if holder != buyer}
    outside = 1 - stake_held(register, buyer, target, date)[0]
    if paid_in_shares > 0 and not outside > SHARE_TOLERANCE:
        raise OwnershipError(
            Problem("nobody to be paid in shares", f"merger of {target}", f"{buyer} holds all of it already", "paid_in_shares of zero")
        )
    merged = register
    for holder in others:
        merged = with_stake(merged, holder, target, 0.0, 0.0, date, source)
    merged = with_stake(merged, buyer, target, 1.0, 1.0, date, source)
    merged = dataclasses.replace(merged, control=_ended(merged.control, target, date))
    if paid_in_shares == 0:
        return merged
    merged = issue(merged, buyer, FLOAT_PREFIX + buyer, paid_in_shares, paid_in_shares, date, source)
    for holder, held in others.items():
        part = paid_in_shares * held / outside
        merged = _changed(merged, holder, buyer, date, source, lambda had, part=part: (had[0] + part, had[1] + part))
    return merged


def with_control(register: Register, company: str, controllers: tuple[str, ...], kind: str, date: dt.date, source: str) -> Register:
    """Control declared from the day on (several controllers are a pact); declarations in force before end. No controllers: votes decide again."""
    new = tuple(Control(company, name, kind, date, None, source) for name in controllers)  # type: ignore[arg-type]
    return dataclasses.replace(register, control=_ended(register.control, company, date) + new)


def _ended(control: tuple[Control, ...], company: str, date: dt.date) -> tuple[Control, ...]:
    kept = []
    for line in control:
        if line.company == company and (line.end is None or line.end > date):
            if line.start is not None and line.start >= date:
                continue
            kept.append(dataclasses.replace(line, end=date))
        else:
            kept.append(line)
    return tuple(kept)


def _holders_of(register: Register, company: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(stake.holder for stake in register.stakes if stake.company == company))


def _changed(register: Register, holder: str, company: str, date: dt.date, source: str, change: Callable[[Shares], Shares]) -> Register:
    """Apply a change of shares to one stake on every day from `date` on."""
    if company not in register.companies:
        raise OwnershipError(Problem("stake in an unknown company", f"{holder} in {company}", repr(company), "a company of the register"))
    if holder == FLOAT_PREFIX + company:
        return register  # the float is what named holders leave
    if holder == company:
        raise OwnershipError(
            Problem("a company that holds itself", f"{holder} in {company}", next_step="cancel shares bought back: raise all other stakes")
        )
    if holder not in register.holders:
        raise OwnershipError(
            Problem("unknown holder", f"{holder} in {company}", repr(holder), "a company or an owner of the register", "add it to the owners")
        )
    lines = [stake for stake in register.stakes if (stake.holder, stake.company) == (holder, company)]
    before = [_cut(line, date) for line in lines if line.start is None or line.start < date]
    days = sorted({date} | {day for line in lines for day in (line.start, line.end) if day is not None and day > date})
    new: list[Stake] = []
    for start, end in zip(days, [*days[1:], None], strict=True):
        old = next((line for line in lines if line.in_force(start)), None)
        cash_flow, votes = change((old.cash_flow, old.votes) if old else (0.0, 0.0))
        cash_flow, votes = _settled(cash_flow, old.cash_flow if old else 0.0), _settled(votes, old.votes if old else 0.0)
        if cash_flow == 0 and votes == 0:
            continue
        unchanged = old is not None and (cash_flow, votes) == (old.cash_flow, old.votes)
        new.append(Stake(holder, company, cash_flow, votes, start, end, old.source if old is not None and unchanged else source))
    if before and new and before[-1].end == new[0].start and _same(before[-1], new[0]):
        before[-1] = dataclasses.replace(before[-1], end=new.pop(0).end)
    return dataclasses.replace(register, stakes=_in_place(register.stakes, (holder, company), (*before, *new)))


def _cut(line: Stake, date: dt.date) -> Stake:
    return line if line.end is not None and line.end < date else dataclasses.replace(line, end=date)


def _settled(value: float, old: float) -> float:
    """Rounding left by adding and taking away the same share is no change."""
    if abs(value - old) <= SHARE_TOLERANCE:
        return old
    return 0.0 if abs(value) <= SHARE_TOLERANCE else value


def _same(one: Stake, other: Stake) -> bool:
    return abs(one.cash_flow - other.cash_flow) <= SHARE_TOLERANCE and abs(one.votes - other.votes) <= SHARE_TOLERANCE


def _in_place(stakes: tuple[Stake, ...], pair: tuple[str, str], lines: tuple[Stake, ...]) -> tuple[Stake, ...]:
    """Put the new lines of a stake where its first line stood, or at the end."""
    first = next((i for i, stake in enumerate(stakes) if (stake.holder, stake.company) == pair), len(stakes))
    others = [stake for stake in stakes if (stake.holder, stake.company) != pair]
    return (*others[:first], *lines, *others[first:])
