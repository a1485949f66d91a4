"""What happened after the day of the case, beside what a run of that day said. It is shown, not tuned to.

Rows of the ledger dated after the case's day never enter a run (`known_on` is what a run may see). This module alone reads them, after the run: it takes
sentences that are finished and puts facts next to them, and it hands nothing back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from keiretsu.errors import Problem, ValuationError
from keiretsu.valuation.odds import listed

SAID_NOTHING = "the run said nothing about it"


@dataclass(frozen=True, eq=False)
class Hindsight:
    """What a run said and what happened.

    Attributes
    ----------
    table
        One row for each topic and deal: ``topic, asked, said, deal, date, parties, status, fact, confidence, source``, by topic and date.
    rest
        Later deals that belong to no topic: ``deal, date, parties, kind, status, fact, confidence, source``.
    """

    as_of: dt.date
    sentence: str
    table: pd.DataFrame
    rest: pd.DataFrame


def what_happened(deals: pd.DataFrame, topics: pd.DataFrame, as_of: dt.date, said: Mapping[str, str]) -> Hindsight:
    """Put what happened beside what was said.

    Parameters
    ----------
    deals
        Rows of deals.csv: ``id, date, parties, kind, status, fact, source, confidence``.
    topics
        Rows of hindsight.csv: ``topic, asked, deals`` (ids separated by semicolons) and ``answer``, the name under which `said` has the run's sentence.
    said
        Finished sentences of the run, by name; a topic without one says so in the table.

    Raises
    ------
    ValuationError
        A topic with an unknown deal, or with one that the run's day already knew; all problems together.
    """
    by_id = {str(row["id"]): row for row in deals.to_dict("records")}
    problems: list[Problem] = []
    rows, used = [], set()
    for topic in topics.to_dict("records"):
        where = f"hindsight, {topic['topic']}"
        for name in (part.strip() for part in str(topic["deals"]).split(";") if part.strip()):
            if name not in by_id:
                problems.append(Problem("no such deal", where, name, "an id of deals.csv"))
                continue
            deal = by_id[name]
            if deal["date"] <= as_of:
                problems.append(Problem("known on the day of the run, so no hindsight", where, f"{name} of {deal['date']}", f"a deal after {as_of}"))
                continue
            used.add(name)
            rows.append(
                {
                    "topic": topic["topic"],
                    "asked": topic["asked"],
                    "said": said.get(str(topic["answer"]), SAID_NOTHING),
                    **_facts(deal, ("date", "parties", "status", "fact", "confidence", "source")),
                }
            )
    if problems:
        raise ValuationError(problems)
    columns = ["topic", "asked", "said", "deal", "date", "parties", "status", "fact", "confidence", "source"]
    order = {str(topic): k for k, topic in enumerate(topics["topic"])}
    table = pd.DataFrame(rows, columns=columns)
    table = table.iloc[sorted(range(len(table)), key=lambda k: (order[str(table["topic"].iloc[k])], table["date"].iloc[k]))].reset_index(drop=True)
    later = [deal for name, deal in by_id.items() if deal["date"] > as_of and name not in used]
    facts = ("date", "parties", "kind", "status", "fact", "confidence", "source")
    rest = pd.DataFrame([_facts(deal, facts) for deal in sorted(later, key=lambda deal: deal["date"])], columns=["deal", *facts])
    return Hindsight(as_of, _sentence(table, as_of), table, rest)


def known_on(deals: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """The ledger as a run of that day may see it."""
    return deals[[day <= as_of for day in deals["date"]]].reset_index(drop=True)


def _facts(deal: Mapping[Hashable, Any], columns: tuple[str, ...]) -> dict[str, object]:
    return {"deal": deal["id"], **{column: deal[column] for column in columns}}


def _sentence(table: pd.DataFrame, as_of: dt.date) -> str:
    if table.empty:
        return f"Nothing in the ledger after {as_of:%-d %B %Y} bears on what the run said."
    last = table.groupby("topic", sort=False).last()
    ended = [str(topic) for topic, row in last.iterrows() if row["status"] == "abandoned"]
    done = [str(topic) for topic, row in last.iterrows() if row["status"] == "completed"]
    parts = []
    if ended:
        parts.append(f"given up: {listed(ended)}")
    if done:
        parts.append(f"carried out: {listed(done)}")
    still = len(last) - len(ended) - len(done)
    if still:
        parts.append(f"open or announced: {still} more")
    return f"Of what was on the table on {as_of:%-d %B %Y}, {'; '.join(parts)}. The run knew none of it and is shown as it was."
