"""What sections of the page are made of: a heading and blocks, each a figure, a table or a piece of text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from keiretsu.report.figures import Figure
from keiretsu.report.tables import Table

Names = Mapping[str, str]


@dataclass(frozen=True)
class Block:
    """One figure, table or piece of text; shown for one scenario only when it names one."""

    kind: Literal["figure", "table", "html"]
    content: Figure | Table | str
    scenario: str = ""
    heading: str = ""
    remark: str = ""

    @property
    def id(self) -> str:
        """Anchor of the figure or table."""
        return "" if isinstance(self.content, str) else self.content.id

    @property
    def title(self) -> str:
        """Heading above the block."""
        return self.heading if isinstance(self.content, str) else self.content.title

    @property
    def note(self) -> str:
        """Sentence below the block."""
        return self.remark if isinstance(self.content, str) else self.content.note

    @property
    def height(self) -> int:
        """Room a figure needs on the page, px, so that nothing jumps while it is drawn."""
        return int(self.content.layout["height"]) if isinstance(self.content, Figure) else 0

    @property
    def rows(self) -> int:
        """Rows of a table."""
        return len(self.content.rows) if isinstance(self.content, Table) else 0

    @property
    def html(self) -> str:
        """The block's own markup; empty for figures and tables, which the page's script draws."""
        return self.content if isinstance(self.content, str) else ""


@dataclass(frozen=True)
class Section:
    """A heading, a sentence that says what it shows, and its blocks."""

    id: str
    title: str
    lead: str
    blocks: tuple[Block, ...]

    @property
    def by_scenario(self) -> bool:
        """Whether the reader picks a scenario here."""
        return any(block.scenario for block in self.blocks)
