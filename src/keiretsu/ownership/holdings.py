"""The register seen on one day, as arrays: who holds how much of whom, and who can cast which votes.

Two kinds of holder are kept apart all the way. *Companies* (F of them) are held and may hold each other; *owners* (O of them) are
everybody else: people, states, funds, and for each company the free float, which holds what no named holder does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from keiretsu.errors import OwnershipError, Problem
from keiretsu.typing import Matrix, Vector

FLOAT_PREFIX = "float of "
FLOAT_KIND = "float"

# Shares are typed in as decimals; sums of them are right to rounding. A remainder smaller than this is nothing at all.
SHARE_TOLERANCE = 1e-12


@dataclass(frozen=True)
class Declared:
    """Control that does not follow from votes: of what kind, by whom (several are a pact), with its source."""

    kind: str
    controllers: tuple[str, ...]
    source: str


@dataclass(frozen=True, eq=False)
class Holdings:
    """Shares and votes on one day. Shares are parts of one; F companies, O owners (floats last, one for each company).

    Attributes
    ----------
    date
        The day.
    companies, owners, owner_kinds
        Labels of the arrays; the float of company X is the owner "float of X", of kind "float".
    cross_holdings
        D: share of the cash flow of company g that company f holds directly. (F, F), ``[f, g]``
    owner_shares
        Share of the cash flow of company g that owner o holds directly; with D its columns add up to one. (O, F)
    firm_votes, owner_votes
        Votes that can be cast, as parts of all votes of g. Columns may add up to less than one: the rest is neutralised. (F, F), (O, F)
    declared
        Control declared with a source, by company.
    said_majority
        Who is said to hold the majority of a company (a line of kind "majority"); votes decide, this is what they are compared with.
    """

    date: dt.date
    companies: tuple[str, ...]
    owners: tuple[str, ...]
    owner_kinds: tuple[str, ...]
    cross_holdings: Matrix
    owner_shares: Matrix
    firm_votes: Matrix
    owner_votes: Matrix
    declared: Mapping[str, Declared]
    said_majority: Mapping[str, str]

    @cached_property
    def castable_votes(self) -> Vector:
        """Votes that can be cast at all in each company, as a part of all its votes. (F,)"""
        return self.firm_votes.sum(axis=0) + self.owner_votes.sum(axis=0)

    @cached_property
    def is_float(self) -> np.ndarray:
        """Which owners are free float. (O,) of bool"""
        return np.array([kind == FLOAT_KIND for kind in self.owner_kinds], dtype=bool)

    def company_index(self, name: str) -> int:
        """Position of a company in the arrays.

        Raises
        ------
        OwnershipError
            When the register has no such company.
        """
        if name not in self.companies:
            raise OwnershipError(unknown_company(name, self.companies))
        return self.companies.index(name)


def unknown_company(name: str, companies: tuple[str, ...]) -> Problem:
    """The problem of a company that the register does not list."""
    return Problem(
        "company unknown to the register",
        where="ownership",
        seen=repr(name),
        wanted=f"one of {', '.join(companies)}" if companies else "a company of the register (it has none)",
        next_step="add it to the companies",
    )
