"""What a rule about firms' aims is: something that turns holdings into profit weights ([2])."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from keiretsu.errors import OwnershipError, Problem
from keiretsu.ownership.holdings import SHARE_TOLERANCE, Holdings
from keiretsu.ownership.look_through import look_through
from keiretsu.typing import Matrix, Vector


class Rule(ABC):
    """How holdings become profit weights. Rules are small frozen records; `profit_weights` is how they are used."""

    name: ClassVar[str]

    @abstractmethod
    def weights(self, holdings: Holdings, firms: Sequence[str]) -> Matrix:
        """Weight that whoever sets the prices of f puts on one euro of g's operating profit, for the firms named. (F, F)"""

    def __str__(self) -> str:
        return self.name


def interests(holdings: Holdings) -> dict[str, Vector]:
    """What every company and owner gets of one euro of each company's operating profit, all chains followed: holder -> (F,)."""
    firms = look_through(holdings)
    owners = holdings.owner_shares @ firms
    return dict(zip(holdings.companies, firms, strict=True)) | dict(zip(holdings.owners, owners, strict=True))


def relative_to_own(aims: Matrix, holdings: Holdings, firms: Sequence[str], setters: Sequence[str]) -> Matrix:
    """Profit weights from aims: row f of `aims` is what f's price setter gets of a euro of every company (firms, all companies).

    Raises
    ------
    OwnershipError
        For each firm whose setter gets nothing of the firm's own profit: no weight relative to it exists.
    """
    columns = [holdings.company_index(name) for name in firms]
    chosen = aims[:, columns]
    own = np.diag(chosen)
    problems = [
        Problem(
            "whoever sets its prices gets nothing of its profit",
            where=firm,
            seen=f"price setter {setter} with a look-through share of {share:g} in {firm}",
            wanted="a share above zero",
            next_step="declare the controller that does, correct the cash-flow shares, or type the weights in (rule `given`)",
        )
        for firm, setter, share in zip(firms, setters, own, strict=True)
        if not share > SHARE_TOLERANCE
    ]
    if problems:
        raise OwnershipError(problems)
    return chosen / own[:, None]
