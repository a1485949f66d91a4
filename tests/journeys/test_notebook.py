"""The worked page in the docs runs as it stands and says what it claims."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "notebook.md"


def test_every_block_of_the_worked_page_runs_and_the_merger_raises_prices() -> None:
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) >= 6
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    prices = names["comparison"].prices.set_index("priced_by")["price_eur_change_percent"]
    assert (prices.loc[["Alpha", "Delta"]] > 0.5).all()
    merging = [firm in ("Alpha", "Delta") for firm in names["owner"]]
    assert all((pressure > 0.01) == inside for pressure, inside in zip(names["pressure"], merging, strict=True))
    assert (names["folder"] / "report.html").stat().st_size > 100_000
