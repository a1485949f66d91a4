"""Who controls whom: majorities of the votes that can be cast, followed along chains, and control declared with a source ([2]).

A holder controls a company when it and the companies it controls cast over half of the votes that *can* be cast there. Neutralised votes (a trust
that may not vote, shares above a voting ceiling) are nobody's: they shrink the total. So 40 % of the votes are a majority where a quarter is
neutralised and 40 % of the equity votes otherwise only up to 35 %. A declaration outranks votes: it says, with a source, that things are otherwise.
The free float never controls: nobody casts its votes together.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Container
from dataclasses import dataclass

import numpy as np

from keiretsu.errors import OwnershipError, Problem
from keiretsu.ownership.holdings import SHARE_TOLERANCE, Holdings
from keiretsu.typing import Vector

PACT_JOINT = " + "


@dataclass(frozen=True)
class ControlLine:
    """Who ultimately runs one company, and why.

    Attributes
    ----------
    company
        The company.
    controllers
        Its ultimate controller; several are a pact; none when nobody controls it (it then runs itself).
    chain
        From the company up to the controller through the largest voter of each step, e.g. ("Kia", "Hyundai").
    votes
        Part of the castable votes that the controller and the companies it controls cast.
    reason
        One phrase for a table.
    """

    company: str
    controllers: tuple[str, ...]
    chain: tuple[str, ...]
    votes: float
    reason: str

    @property
    def controller(self) -> str:
        """Name of who runs it: the company itself when nobody does."""
        return PACT_JOINT.join(self.controllers) if self.controllers else self.company


def who_controls_whom(holdings: Holdings) -> tuple[ControlLine, ...]:
    """The ultimate controller of every company, in the order of `holdings.companies`.

    Raises
    ------
    OwnershipError
        When companies control each other in a ring with nobody above it: votes do not say who runs them.
    """
    reach = {holder: _controlled_by(holder, holdings) for holder in _candidates(holdings)}
    below = {name for holder, firms in reach.items() for name in firms if (name,) != holder}
    lines, ring = [], []
    for company in holdings.companies:
        tops = [holder for holder, firms in reach.items() if company in firms and not (len(holder) == 1 and holder[0] in below)]
        tops = [holder for holder in tops if holder != (company,)]
        if tops:
            lines.append(_line(company, tops[0], reach[tops[0]], holdings))
        elif company in below:
            ring.append(company)
        else:
            lines.append(_nobody(company, holdings))
    if ring:
        raise OwnershipError(
            Problem(
                "companies control each other in a ring with nobody above it",
                where=f"control on {holdings.date}",
                seen=", ".join(ring),
                wanted="an ultimate controller",
                next_step="declare who runs one of them, with a source, or use a rule that does not ask for control (financial, proportional)",
            )
        )
    return tuple(_compared(line, holdings) for line in lines)


def castable_share(holders: tuple[str, ...], company: str, holdings: Holdings) -> float:
    """Part of the votes that can be cast in a company that these holders cast together; 0 where no vote can be cast."""
    column = holdings.company_index(company)
    total = holdings.castable_votes[column]
    return float(sum(_votes_of(holder, holdings)[column] for holder in holders) / total) if total > 0 else 0.0


def _candidates(holdings: Holdings) -> list[tuple[str, ...]]:
    named_owners = [name for name, is_float in zip(holdings.owners, holdings.is_float, strict=True) if not is_float]
    single = [(name,) for name in (*holdings.companies, *named_owners)]
    pacts = dict.fromkeys(_key(holdings, company) for company in holdings.declared)
    return single + [key for key in pacts if len(key) > 1]


def _key(holdings: Holdings, company: str) -> tuple[str, ...]:
    return tuple(sorted(holdings.declared[company].controllers))


def _controlled_by(holder: tuple[str, ...], holdings: Holdings) -> tuple[str, ...]:
    """Companies controlled by a holder (a pact casts only what its companies cast), nearest first."""
    half = holdings.castable_votes / 2 + SHARE_TOLERANCE
    cast = _votes_of(holder[0], holdings).copy() if len(holder) == 1 else np.zeros(len(holdings.companies))
    found: dict[str, None] = {}
    while True:
        by_votes = [name for name in (holdings.companies[i] for i in np.flatnonzero(cast > half)) if name not in holdings.declared]
        by_word = [name for name in holdings.declared if _is_declared(holder, found, _key(holdings, name))]
        new = [name for name in (*by_word, *by_votes) if name not in found]
        if not new:
            return tuple(found)
        for name in new:
            if (name,) != holder:  # its own votes are counted already
                cast += _votes_of(name, holdings)
            found[name] = None


def _is_declared(holder: tuple[str, ...], found: Container[str], controllers: tuple[str, ...]) -> bool:
    return controllers == tuple(sorted(holder)) or (len(controllers) == 1 and controllers[0] in found)


def _votes_of(holder: str, holdings: Holdings) -> Vector:
    if holder in holdings.companies:
        return holdings.firm_votes[holdings.companies.index(holder)]
    return holdings.owner_votes[holdings.owners.index(holder)]


def _line(company: str, top: tuple[str, ...], reach: tuple[str, ...], holdings: Holdings) -> ControlLine:
    entry = holdings.declared.get(company)
    members = top if len(top) == 1 or (entry is not None and _key(holdings, company) == top) else ()
    group = tuple(dict.fromkeys((*members, *(name for name in reach if name != company))))
    votes = castable_share(group, company, holdings)
    if entry is None:
        voters = [f"{name} {share:.1%}" for name in group if (share := castable_share((name,), company, holdings)) > 0]
        reason = f"{votes:.1%} of the votes that can be cast ({', '.join(voters)})"
    else:
        by = PACT_JOINT.join(entry.controllers)
        reason = {"pact": f"pact of {by}", "trust": f"trust instructed by {by}"}.get(entry.kind, f"de facto control by {by}")
        reason += f" ({entry.source})" if entry.source else ""
    return ControlLine(company, top, _chain(company, top, reach, holdings), votes, reason)


def _chain(company: str, top: tuple[str, ...], reach: tuple[str, ...], holdings: Holdings) -> tuple[str, ...]:
    """Up from the company, each time to who declared control or to the largest voter among those controlled before it."""
    chain = [company]
    while chain[-1] != PACT_JOINT.join(top):
        here = chain[-1]
        if here in holdings.declared:
            chain.append(PACT_JOINT.join(_key(holdings, here)))
        else:
            before = (*(top if len(top) == 1 else ()), *reach[: reach.index(here)])
            chain.append(max(before, key=lambda name: castable_share((name,), here, holdings)))
    return tuple(chain)


def _compared(line: ControlLine, holdings: Holdings) -> ControlLine:
    """Say so where votes do not bear out a majority that somebody is said to have."""
    said = holdings.said_majority.get(line.company)
    if said is None or said in line.chain[1:]:
        return line
    return dataclasses.replace(line, reason=f"{line.reason}; votes do not bear out the majority said to be {said}'s")


def _nobody(company: str, holdings: Holdings) -> ControlLine:
    column, total = holdings.company_index(company), holdings.castable_votes[holdings.company_index(company)]
    cast = np.concatenate([holdings.firm_votes[:, column], np.where(holdings.is_float, 0.0, holdings.owner_votes[:, column])])
    largest = (*holdings.companies, *holdings.owners)[int(np.argmax(cast))]
    votes = float(cast.max() / total) if total > 0 else 0.0
    reason = f"nobody: the largest holder, {largest}, casts {votes:.1%}" if votes > 0 else "nobody: no named holder casts votes"
    return ControlLine(company, (), (company,), votes, reason)
