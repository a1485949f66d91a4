"""The headline investor's moves side by side, on the futures of a run ([19])."""

from __future__ import annotations

from dataclasses import dataclass

from keiretsu.case import Case
from keiretsu.outlook.ensemble import Ensemble
from keiretsu.study.decisions import NOTHING, choice_values, knowable, moves_open_to, stake_claims
from keiretsu.study.nothing import NothingStated
from keiretsu.study.said_inputs import input_said
from keiretsu.valuation.choosing import Choice, choose


@dataclass(frozen=True, eq=False)
class ChoicePart:
    """A company's moves: the comparison, what each scenario is called, and its moves that were not drawn."""

    company: str
    choice: Choice
    titles: dict[str, str]
    not_drawn: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What a board would quote, scenarios by their titles."""
        best, second = (str(name) for name in self.choice.moves["move"][:2])
        first = self.choice.sentence.removeprefix(best)  # names stand where the sentence puts them; the same words elsewhere are words
        return f"For {self.company}, {self._titled(best)}" + first.replace(f" ahead of {second}, ", f" ahead of {self._titled(second)}, ", 1)

    def _titled(self, move: str) -> str:
        return f"“{self.titles[move]}”" if move in self.titles else move


def choice_of(case: Case, futures: Ensemble) -> ChoicePart:
    """Moves of the first investor of stake_terms.csv that were drawn, doing nothing among them.

    Raises
    ------
    NothingStated
        When nobody invests, or none of its moves was drawn.
    ValuationError
        As `choose`.
    """
    terms = case.tables["stake_terms"]
    if terms.empty:
        raise NothingStated("Nobody in the case has a stake to choose (stake_terms.csv).")
    company = str(terms["investor"].iloc[0])
    drawn = {str(name) for name in futures.data["scenario"].values}
    moves = moves_open_to(case, company)
    chosen = tuple(name for name in moves if name in drawn)
    if not chosen or not len(futures.inputs):
        raise NothingStated(f"No move of {company} was simulated under uncertainty.")
    values = choice_values(case, futures, chosen, company, (company,), stake_claims(case, futures, company, chosen))
    inputs = knowable(futures).rename(columns=lambda name: input_said(case, str(name)))
    found = choose(values, inputs)
    titles = {one.name: one.title for one in case.scenarios if one.name in moves} | {NOTHING: "Do nothing"}
    return ChoicePart(company, found, titles, tuple(name for name in moves if name not in drawn))
