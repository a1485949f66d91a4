"""Small edits of a world's companies that several moves share."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from keiretsu.errors import Problem
from keiretsu.market.world import World
from keiretsu.ownership.weights import Conduct, Given, Joint, Rule


def joint_pricing(world: World, companies: Sequence[str]) -> World:
    """The world in which these companies maximise joint profit, whatever its rule says about the others."""
    return world.replace(rule=Joint((tuple(companies),), base=world.rule))


def with_company(world: World, name: str) -> World:
    """The world with one more company in its register, all of it in float; unchanged when the register has it.

    A typed-in kappa gains a row and a column of zeros for it: the new company and the others set prices apart.
    """
    register = world.register
    if name in register.companies:
        return world
    return world.replace(
        register=dataclasses.replace(register, companies=(*register.companies, name)),
        rule=_rule_with(world.rule, name),
    )


def unknown_companies(world: World, names: Sequence[str], place: str) -> list[Problem]:
    """A problem for each name that is not a company of the register."""
    known = world.register.companies
    return [Problem("unknown company", place, name, f"one of {', '.join(known)}", "add it to the companies") for name in names if name not in known]


def unknown_holders(world: World, names: Sequence[str], place: str) -> list[Problem]:
    """A problem for each name that is neither a company nor an owner of the register."""
    known = world.register.holders
    wanted = f"one of {', '.join(known)}"
    return [Problem("unknown company or owner", place, name, wanted, "add it to the companies or owners") for name in names if name not in known]


def _rule_with(rule: Rule, name: str) -> Rule:
    if isinstance(rule, (Joint, Conduct)):
        return dataclasses.replace(rule, base=_rule_with(rule.base, name))
    if not isinstance(rule, Given):
        return rule
    alone = (0.0,) * len(rule.firms) + (1.0,)
    return Given((*((*row, 0.0) for row in rule.matrix), alone), (*rule.firms, name))
