"""Price setters that answer to all their shareholders, each by its power over the vote ([2]): proportional and Banzhaf.

O'Brien & Salop (2000): the managers of f maximise ``sum_o gamma[o, f] x (what o gets)``, so
``kappa[f, g] = sum_o gamma[o, f] beta[o, g] / sum_o gamma[o, f] beta[o, f]`` with beta the look-through shares of owners.

The float is *atomistic* unless said otherwise: each of its holders is so small that gamma x beta vanishes, so it enters no sum. Where nobody but
small holders stand behind a firm, all terms vanish alike and their ratio counts: floats taken as equally dispersed, it is that of floats as
blocks. A firm that is all float then maximises its own look-through value, and a wholly held subsidiary that of its parent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from keiretsu.errors import OwnershipError, Problem
from keiretsu.ownership.control import PACT_JOINT, who_controls_whom
from keiretsu.ownership.holdings import SHARE_TOLERANCE, Holdings
from keiretsu.ownership.look_through import owners_look_through
from keiretsu.ownership.rule import Rule, interests, relative_to_own
from keiretsu.typing import Matrix, Vector

# 2^20 coalitions take about a tenth of a second; holders beyond that are too small to be named apart.
MOST_PLAYERS = 20


@dataclass(frozen=True)
class Proportional(Rule):
    """Control in proportion to votes: gamma is the owners' look-through share of the votes that can be cast.

    A company passes the votes it holds to its own owners in proportion to their votes in it. `float_as` is "atomistic" (the float enters no
    sum) or "one_block" (the float of each firm acts as one holder); the difference is large, so both are worth showing.
    """

    float_as: Literal["atomistic", "one_block"] = "atomistic"
    name: ClassVar[str] = "proportional"

    def __post_init__(self) -> None:
        if self.float_as not in ("atomistic", "one_block"):
            raise OwnershipError(Problem("no such treatment of the float", "rule proportional", repr(self.float_as), "atomistic or one_block"))

    def weights(self, holdings: Holdings, firms: Sequence[str]) -> Matrix:
        """O'Brien-Salop weights under proportional control."""
        beta, gamma = owners_look_through(holdings), look_through_votes(holdings)
        if self.float_as == "atomistic":
            named = np.where(holdings.is_float[:, None], 0.0, gamma)
            gamma = np.where(named.sum(axis=0) > SHARE_TOLERANCE, named, gamma)
        columns = [holdings.company_index(name) for name in firms]
        return relative_to_own(gamma[:, columns].T @ beta, holdings, firms, ["its voting owners"] * len(firms))

    def __str__(self) -> str:
        return self.name if self.float_as == "atomistic" else f"{self.name}:{self.float_as}"


@dataclass(frozen=True)
class Banzhaf(Rule):
    """Control by the power to swing a vote: gamma is the normalised Banzhaf index of each named voter, the float an ocean.

    Votes that a company holds are cast by its ultimate controller (by itself when nobody controls it); members of a pact over f vote as one there. Each
    of the ocean's countless small voters is as likely to vote yes as no, so the ocean as a whole splits evenly: a coalition of named voters
    wins with over half of the *named* votes. It wins an exact tie half the time, where there is an ocean to break it, and never where there is none.
    """

    name: ClassVar[str] = "banzhaf"

    def weights(self, holdings: Holdings, firms: Sequence[str]) -> Matrix:
        """O'Brien-Salop weights under Banzhaf control."""
        gets = interests(holdings)
        casts_for = {line.company: line.controllers or (line.company,) for line in who_controls_whom(holdings)}
        aims, setters = [], []
        for firm in firms:
            votes, ocean = _players(firm, casts_for, holdings)
            if votes:
                power = banzhaf_power(np.array(list(votes.values())), ocean)
                aims.append(sum(gamma * sum(gets[member] for member in player) for player, gamma in zip(votes, power, strict=True)))
                setters.append(", ".join(PACT_JOINT.join(player) for player in votes))
            else:
                aims.append(gets[firm])
                setters.append(firm)
        return relative_to_own(np.array(aims).reshape(len(firms), len(holdings.companies)), holdings, firms, setters)


def look_through_votes(holdings: Holdings) -> Matrix:
    """Owners' part of the votes that can be cast in each company, companies passing theirs on in proportion. (O, F)

    Columns add up to one; a column is zero where no vote can be cast at all.

    Raises
    ------
    OwnershipError
        When companies hold all each other's votes, so that no owner is behind them.
    """
    total = holdings.castable_votes
    scale = np.where(total > 0, 1.0 / np.where(total > 0, total, 1.0), 0.0)
    between, direct = holdings.firm_votes * scale, holdings.owner_votes * scale
    n = len(total)
    spread = np.eye(n) - between
    # a ring without outside votes makes this matrix singular
    if np.linalg.matrix_rank(spread, tol=SHARE_TOLERANCE) < n:
        raise OwnershipError(
            Problem(
                "companies hold all each other's votes, so no owner is behind them",
                f"votes on {holdings.date}",
                next_step="use rule controller or financial",
            )
        )
    return direct @ np.linalg.inv(spread)


def banzhaf_power(votes: Vector, ocean: float) -> Vector:
    """Normalised Banzhaf index of named voters (n,) beside an ocean of small ones with `ocean` votes; quota half of the votes cast.

    Exact, by counting all coalitions.

    Raises
    ------
    OwnershipError
        With more than 20 named voters.
    """
    votes = np.asarray(votes, dtype=float)
    n = len(votes)
    if n > MOST_PLAYERS:
        raise OwnershipError(
            Problem(
                "too many named voters for an exact Banzhaf index", "banzhaf", str(n), f"at most {MOST_PLAYERS}", "leave the smallest to the float"
            )
        )
    members = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    lead = 2 * (members @ votes) - votes.sum()
    tie = 0.5 if ocean > SHARE_TOLERANCE else 0.0
    wins = np.where(lead > SHARE_TOLERANCE, 1.0, np.where(lead < -SHARE_TOLERANCE, 0.0, tie))
    swings = np.array([wins[members[:, i] == 1].sum() - wins[members[:, i] == 0].sum() for i in range(n)])
    return swings / swings.sum()


def _players(firm: str, casts_for: dict[str, tuple[str, ...]], holdings: Holdings) -> tuple[dict[tuple[str, ...], float], float]:
    """Named voters of a firm with their votes, and the votes of the ocean."""
    column = holdings.company_index(firm)
    pact = holdings.declared[firm].controllers if firm in holdings.declared and holdings.declared[firm].kind == "pact" else ()
    votes: dict[tuple[str, ...], float] = {}
    ocean = 0.0
    for holder, cast in zip(
        (*holdings.companies, *holdings.owners), (*holdings.firm_votes[:, column], *holdings.owner_votes[:, column]), strict=True
    ):
        if cast <= 0:
            continue
        if holder in holdings.owners and holdings.is_float[holdings.owners.index(holder)]:
            ocean += float(cast)
            continue
        player = tuple(pact) if holder in pact else casts_for.get(holder, (holder,))
        votes[player] = votes.get(player, 0.0) + float(cast)
    return votes, ocean
