"""Profit weights kappa: how much whoever sets f's prices cares for one euro of g's operating profit ([2]).

``kappa[f, f] = 1``; the matrix is not symmetric, and weights above one are right: who holds 92 % of a subsidiary cares more for a euro at home
than for one there. The choice of rule is the first thing an opponent attacks, so each is a small record of its own and a case can be run under
all of them side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from keiretsu.errors import OwnershipError, Problem
from keiretsu.ownership.control import PACT_JOINT, who_controls_whom
from keiretsu.ownership.holdings import Holdings
from keiretsu.ownership.look_through import look_through
from keiretsu.ownership.rule import Rule, interests, relative_to_own
from keiretsu.ownership.voting import Banzhaf, Proportional
from keiretsu.typing import Matrix

__all__ = ["Banzhaf", "Conduct", "Controller", "Financial", "Given", "Joint", "Proportional", "Rule", "Separate", "profit_weights", "rule_named"]


def profit_weights(holdings: Holdings, rule: Rule, firms: Sequence[str]) -> Matrix:
    """Profit weights among `firms`, in their order, under a rule ([2]). (F, F), diagonal one.

    Raises
    ------
    OwnershipError
        Firms unknown to the register or named twice; whatever the rule itself refuses.
    """
    firms = tuple(firms)
    for name in firms:
        holdings.company_index(name)
    if len(set(firms)) < len(firms):
        raise OwnershipError(Problem("firms named twice", "profit weights", ", ".join(firms), "each firm once"))
    return rule.weights(holdings, firms)


@dataclass(frozen=True)
class Separate(Rule):
    """Every firm looks after its own operating profit alone: kappa is the identity."""

    name: ClassVar[str] = "separate"

    def weights(self, holdings: Holdings, firms: Sequence[str]) -> Matrix:
        """The identity."""
        return np.eye(len(firms))


@dataclass(frozen=True)
class Financial(Rule):
    """Stakes are silent: every firm maximises its own look-through value, ``kappa[f, g] = A[f, g] / A[f, f]``."""

    name: ClassVar[str] = "financial"

    def weights(self, holdings: Holdings, firms: Sequence[str]) -> Matrix:
        """Rows of A relative to their diagonal."""
        rows = [holdings.company_index(name) for name in firms]
        return relative_to_own(look_through(holdings)[rows], holdings, firms, firms)


@dataclass(frozen=True)
class Controller(Rule):
    """Every firm is priced by its ultimate controller, who counts what it gets of each firm through all chains; the default.

    A pact counts what its members get together. A firm nobody controls maximises its own look-through value.
    """

    name: ClassVar[str] = "controller"

    def weights(self, holdings: Holdings, firms: Sequence[str]) -> Matrix:
        """Rows of the ultimate controllers, relative to their share of the firm itself."""
        gets = interests(holdings)
        control = {line.company: line for line in who_controls_whom(holdings)}
        setters = [control[firm].controllers or (firm,) for firm in firms]
        aims = np.array([sum(gets[member] for member in setter) for setter in setters]).reshape(len(firms), len(holdings.companies))
        return relative_to_own(aims, holdings, firms, [PACT_JOINT.join(setter) for setter in setters])


@dataclass(frozen=True)
class Joint(Rule):
    """The firms of each group maximise their joint profit (weight one on each other); all other weights are those of `base`."""

    groups: tuple[tuple[str, ...], ...]
    base: Rule = Separate()
    name: ClassVar[str] = "joint"

    def __post_init__(self) -> None:
        object.__setattr__(self, "groups", tuple(tuple(group) for group in self.groups))
        named = [firm for group in self.groups for firm in group]
        if len(set(named)) < len(named):
            raise OwnershipError(Problem("a firm in two groups", "rule joint", ", ".join(named), "each firm once"))

    def weights(self, holdings: Holdings, firms: Sequence[str]) -> Matrix:
        """Weights of `base` with ones inside the groups."""
        kappa = profit_weights(holdings, self.base, firms).copy()
        for group in self.groups:
            inside = _positions(group, firms, holdings)
            kappa[np.ix_(inside, inside)] = 1.0
        return kappa

    def __str__(self) -> str:
        return "joint:" + ";".join("+".join(group) for group in self.groups)


@dataclass(frozen=True)
class Conduct(Rule):
    """Part-collusion: the firms named (at least two) put weight `theta` on each other; all other weights are those of `base`.

    Theta of zero is rivalry, one is joint profit.
    """

    theta: float
    firms: tuple[str, ...]
    base: Rule = Separate()
    name: ClassVar[str] = "conduct"

    def __post_init__(self) -> None:
        object.__setattr__(self, "firms", tuple(self.firms))
        problems = []
        if not np.isfinite(self.theta):
            problems.append(Problem("theta is not a number", "rule conduct", str(self.theta), "0 for rivals to 1 for joint profit"))
        if len(set(self.firms)) < 2 or len(set(self.firms)) < len(self.firms):
            problems.append(Problem("part-collusion needs two firms", "rule conduct", ", ".join(self.firms), "two firms or more, each once"))
        if problems:
            raise OwnershipError(problems)

    def weights(self, holdings: Holdings, firms: Sequence[str]) -> Matrix:
        """Weights of `base` with theta among the firms named."""
        kappa = profit_weights(holdings, self.base, firms).copy()
        inside = _positions(self.firms, firms, holdings)
        kappa[np.ix_(inside, inside)] = self.theta
        kappa[inside, inside] = 1.0
        return kappa

    def __str__(self) -> str:
        return f"conduct:{self.theta:g}:" + "+".join(self.firms)


@dataclass(frozen=True)
class Given(Rule):
    """A typed-in matrix: row f is the weights that f's price setter puts on the firms of `firms`; asymmetric, above one and negative allowed."""

    matrix: tuple[tuple[float, ...], ...]
    firms: tuple[str, ...]
    name: ClassVar[str] = "given"

    def __post_init__(self) -> None:
        object.__setattr__(self, "matrix", tuple(tuple(float(x) for x in row) for row in self.matrix))
        object.__setattr__(self, "firms", tuple(self.firms))
        n = len(self.firms)
        problems = []
        if len(self.matrix) != n or any(len(row) != n for row in self.matrix):
            problems.append(
                Problem("kappa is not square over its firms", "rule given", f"rows of {[len(row) for row in self.matrix]}", f"{n} rows of {n}")
            )
        else:
            values = np.array(self.matrix).reshape(n, n)
            if not np.isfinite(values).all():
                problems.append(Problem("kappa has entries that are no numbers", "rule given"))
            wrong = [f"{firm}: {weight:g}" for firm, weight in zip(self.firms, np.diag(values), strict=True) if weight != 1]
            if wrong:
                problems.append(
                    Problem("a firm's weight on its own profit is one", "rule given", ", ".join(wrong), "1 on the diagonal", "divide the row by it")
                )
        if len(set(self.firms)) < n:
            problems.append(Problem("firms named twice", "rule given", ", ".join(self.firms), "each firm once"))
        if problems:
            raise OwnershipError(problems)

    def weights(self, holdings: Holdings, firms: Sequence[str]) -> Matrix:
        """The rows and columns of the firms asked for."""
        missing = [name for name in firms if name not in self.firms]
        if missing:
            raise OwnershipError(
                [Problem("firm without a row in the typed-in kappa", "rule given", name, f"one of {', '.join(self.firms)}") for name in missing]
            )
        chosen = [self.firms.index(name) for name in firms]
        return np.array(self.matrix)[np.ix_(chosen, chosen)]


_PLAIN: dict[str, Rule] = {
    "separate": Separate(),
    "financial": Financial(),
    "controller": Controller(),
    "proportional": Proportional(),
    "proportional:one_block": Proportional("one_block"),
    "banzhaf": Banzhaf(),
}


def rule_named(text: str) -> Rule:
    """The rule that a case names: separate, financial, controller, proportional, proportional:one_block, banzhaf, joint:A+B;C+D, conduct:0.3:A+B.

    Raises
    ------
    OwnershipError
        When the text names no rule.
    """
    head, _, rest = text.strip().partition(":")
    head = head.strip().lower()
    with_parts: dict[str, Callable[[str], Rule]] = {"joint": _joint, "conduct": _conduct}
    if head in with_parts and rest:
        return with_parts[head](rest)
    plain = ":".join(part.strip().lower() for part in text.split(":"))
    if plain not in _PLAIN:
        wanted = ", ".join([*_PLAIN, "joint:A+B;C+D", "conduct:0.3:A+B"])
        raise OwnershipError(
            Problem("no such rule", "ownership rule", repr(text), f"one of {wanted}", "a typed-in kappa is rule `given` with its matrix")
        )
    return _PLAIN[plain]


def _joint(text: str) -> Rule:
    return Joint(tuple(_names(group) for group in text.split(";")))


def _conduct(text: str) -> Rule:
    theta, _, group = text.partition(":")
    try:
        value = float(theta)
    except ValueError:
        raise OwnershipError(Problem("theta is not a number", "rule conduct", repr(theta), "conduct:0.3:A+B")) from None
    return Conduct(value, _names(group))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split("+") if name.strip())


def _positions(group: Sequence[str], firms: Sequence[str], holdings: Holdings) -> list[int]:
    """Where the members of a group stand among the firms asked for; members that are not asked for are left out, unknown ones refused."""
    for name in group:
        holdings.company_index(name)
    return [firms.index(name) for name in group if name in firms]
