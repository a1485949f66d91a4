"""Results with the years ahead: what `keiretsu.study.answer` hands to the report and to the user."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from keiretsu.outlook.ensemble import Ensemble
from keiretsu.study.ahead import NO_YEARS, Ahead
from keiretsu.study.results import Results
from keiretsu.study.worth import Worth

VERDICTS = 2  # sentences on what it is worth that open the page: the stake and the listing, where there are such


@dataclass(frozen=True)
class Answer(Results):
    """Results of the base year, the years ahead, and what companies, stakes and moves are worth on them.

    Attributes
    ----------
    futures
        The years ahead draw by draw; None when none were simulated.
    ahead, worth
        What a board asks of them.
    """

    futures: Ensemble | None = None
    ahead: Ahead = Ahead((NO_YEARS,), NO_YEARS)  # noqa: RUF009 (frozen and empty)
    worth: Worth = Worth((), {})  # noqa: RUF009

    @property
    def first_sentences(self) -> tuple[str, ...]:
        """What opens the page: whether the money comes back, whether to list, then what the base year says."""
        return (*self.worth.sentences[:VERDICTS], *self.sentences) if self.futures is not None else self.sentences

    @property
    def every_sentence(self) -> tuple[str, ...]:
        """All that a board would quote: what opens the page, the years ahead, what else it is worth; of the base year alone where no years were simulated."""
        return (
            self.sentences
            if self.futures is None
            else (*self.first_sentences, *self.ahead.sentences, *self.ahead.cautions, *self.worth.sentences[VERDICTS:])
        )


def answered(results: Results, futures: Ensemble | None, ahead: Ahead, worth: Worth) -> Answer:
    """The same results with what the years ahead add."""
    own = {part.name: getattr(results, part.name) for part in dataclasses.fields(Results)}
    return Answer(**own, futures=futures, ahead=ahead, worth=worth)
