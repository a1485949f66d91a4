"""The page of hindsight: what was asked on the day of the case, what the run said, what happened since; shown as it is."""

from __future__ import annotations

from html import escape

import pandas as pd

from keiretsu.report.blocks import Block, Section
from keiretsu.report.decisions import hindsight_tables
from keiretsu.valuation.hindsight import Hindsight


def hindsight_section(found: Hindsight) -> Section:
    """One block of text for each topic, and everything else that happened as a table."""
    topics = "".join(_topic(str(topic), rows) for topic, rows in found.table.groupby("topic", sort=False))
    rest = hindsight_tables(found)[1]
    note = "These facts are dated after the day of the case and entered no run."
    blocks = [Block("html", topics, heading="What was asked, what the run said, what happened", remark=note)]
    if rest.rows:
        blocks.append(Block("table", rest))
    return Section("hindsight", "What happened since", found.sentence, tuple(blocks))


def _topic(topic: str, rows: pd.DataFrame) -> str:
    first = rows.iloc[0]
    facts = "".join(
        f"<li><b>{row['date']:%-d %B %Y}</b> ({escape(str(row['status']))}): {escape(str(row['fact']))}</li>" for _, row in rows.iterrows()
    )
    return (
        f"<h4>{escape(topic)}</h4><p><i>{escape(str(first['asked']))}</i></p>"
        f"<p><b>The run:</b> {escape(str(first['said']))}</p><ul class='why'>{facts}</ul>"
    )
