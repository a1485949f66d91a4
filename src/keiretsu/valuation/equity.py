"""From what companies' own operations are worth to what everybody's shares are worth, round every loop of stakes ([14]).

With D the direct stakes, ``E = (I - D)^-1 (operating value - net debt)``: a company is worth its own operations less what it owes, plus its
part of the equity of those it holds. Equity of companies does not add up (a euro counts once for every company it passes through); what
outside owners hold adds up exactly to operating value less net debt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from keiretsu.errors import NegativeEquity, OwnershipError, Problem
from keiretsu.ownership import Holdings, look_through
from keiretsu.typing import Matrix
from keiretsu.valuation.money import estimate, plain
from keiretsu.valuation.odds import in_futures


@dataclass(frozen=True, eq=False)
class Equity:
    """What shares are worth, EUR at 2023 prices; N draws, F companies, O outside owners.

    Attributes
    ----------
    own
        Operating value less net debt of each company. (N, F)
    companies_equity
        The same with its stakes in others; *does not add up*. (N, F)
    claims
        What each outside owner's shares are worth; adds up to the sum of `own`. (N, O)
    multiplier
        ``(I - D)^-1``. (F, F)
    """

    holdings: Holdings
    own: Matrix
    companies_equity: Matrix
    claims: Matrix
    multiplier: Matrix

    def of(self, company: str) -> np.ndarray:
        """Equity of a company. (N,)"""
        return self.companies_equity[:, self.holdings.company_index(company)]


def equity_through_network(holdings: Holdings, own: Mapping[str, np.ndarray]) -> Equity:
    """Equity of all companies and claims of all owners from each company's own value, by name; companies not named have none of their own.

    Raises
    ------
    OwnershipError
        For a name the register does not have, and for rings of companies without an outside owner.
    """
    unknown = [name for name in own if name not in holdings.companies]
    if unknown:
        raise OwnershipError([Problem("company unknown to the register", "equity", name, "a company of the register") for name in unknown])
    draws = len(next(iter(own.values()))) if own else 1
    values = np.zeros((draws, len(holdings.companies)))
    for name, value in own.items():
        values[:, holdings.company_index(name)] = value
    multiplier = look_through(holdings)
    equity = values @ multiplier.T
    return Equity(holdings, values, equity, equity @ holdings.owner_shares.T, multiplier)


def refuse_negative(equity: Equity, companies: Sequence[str], places: Mapping[str, str]) -> None:
    """Companies whose shares are to be priced must be expected to be worth something.

    Raises
    ------
    NegativeEquity
        For every one of `companies` whose mean equity is not above zero, with the part of draws in which it is below.
    """
    problems = []
    for name in companies:
        draws = equity.of(name)
        found = estimate(draws)
        if not found.value > 0:
            problems.append(
                Problem(
                    f"{name} is expected to be worth less than it owes, so a share of it has no price",
                    places.get(name, "finance.csv"),
                    f"{plain(found.value, found.error)}; below zero in {in_futures(float(np.mean(draws <= 0)), len(draws))}",
                    "operating value above net debt",
                    "look at margins, fixed cost, the rest of the company and net debt",
                )
            )
    if problems:
        raise NegativeEquity(problems)
