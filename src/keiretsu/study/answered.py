"""Results with the years ahead: what `keiretsu.study.answer` hands to the report and to the user."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
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

    @property
    def basis(self) -> str:
        """What an error is, and how many futures and consumers the figures rest on."""
        here = "Figures of the base year are at central parameters and carry no error"
        if self.futures is None:
            return f"{here}."
        asked = self.manifest.get("years_ahead")
        used = asked if isinstance(asked, Mapping) else {}
        buyers = _consumers(str(used["consumers_used"]), str(used["consumers_of_base_year"])) if "consumers_used" in used else ""
        draws = len(self.futures.inputs)
        if not draws:
            return f"Every figure is of the central case: no futures were drawn, so none has an error.{buyers}"
        if not self.futures.normals.shape[1]:
            return f"Nothing in this case is uncertain (no uncertain.csv): every future is the central case, so no figure has an error.{buyers}"
        return f"± is half of the 95 % interval of a mean over {draws:,} futures (Monte-Carlo error), not the spread between futures. {here}.{buyers}"


def answered(results: Results, futures: Ensemble | None, ahead: Ahead, worth: Worth) -> Answer:
    """The same results with what the years ahead add."""
    own = {part.name: getattr(results, part.name) for part in dataclasses.fields(Results)}
    return Answer(**own, futures=futures, ahead=ahead, worth=worth)


def _consumers(ahead: str, here: str) -> str:
    if ahead == here == "1":
        return " Every market has one consumer, whose tastes and income stand for all."
    return f" The years ahead average over {ahead} {'consumer' if ahead == '1' else 'consumers'} a market, the base year over {here}."
